/*
 * show.c - see show.h.
 */
#include "engine/publish/show.h"

struct libscols_table *show_table(FILE *file, const Show *show, int n)
{
    struct libscols_table *table = scols_new_table();

    scols_table_set_stream(table, file);
    scols_table_set_termwidth(table, SHOW_WIDTH);
    scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
    for (int i = 0; i < n; i++) {
        struct libscols_column *column =
            scols_table_new_column(table, show[i].heading, show[i].width, show[i].flags);

        if (show[i].flags & SCOLS_FL_WRAP) {
            scols_column_set_safechars(column, "\n");
            scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
                                      scols_wrapnl_nextchunk, NULL);
        }
    }
    return table;
}

static void fill(struct libscols_table *table, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        for (int i = 0; i < PQnfields(result); i++)
            scols_line_set_data(line, (size_t)i, PQgetvalue(result, row, i));
    }
}

int show_query(FILE *file, Db *db, Query query, const Show *show, Err *err)
{
    PGresult *result = db_query(db, query.sql, query.n_params, query.params, err);
    struct libscols_table *table;
    int n;

    if (!result)
        return -1;
    n = PQntuples(result);
    if (n > 0) {
        if (query.title)
            fprintf(file, "%s\n", query.title);
        table = show_table(file, show, PQnfields(result));
        fill(table, result);
        scols_print_table(table);
        scols_unref_table(table);
    }
    PQclear(result);
    return n;
}
