/*
 * kind_postgres.c - tables, views and queries: COPY (SELECT ...) TO STDOUT, in binary.
 *
 * A table is read in ranges of its pages, so that several sessions share it; a view or
 * a query in one piece. When every feature of a source asks for exact codes of an
 * integer column, the wanted codes are put into a temporary table of every session and
 * the server joins with it: sending a row costs it more than finding that no one wants
 * it. Temporary tables are made and analysed before the snapshot is taken; one filled
 * later would be seen as empty.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/db/copy.h"
#include "loaders/kind_postgres_select.h"

enum { LEAST_PAGES = 1024, MOST_PAGES = 16384, SLICES_EACH = 4 };

typedef struct Own {
    Select select;
    const char *sql;
} Own;

typedef struct Stream {
    CopyReader *reader;
    const Own *own;
    int n_columns;
    CopyValue *values;
    const Source *source;
} Stream;

static int postgres_check(const Source *source, Err *err)
{
    if ((source->table == NULL) != (source->query == NULL))
        return 0;
    err_add(err, ERR_CONFIG, source->where, "source \"%s\" needs a table or a query",
            source->name);
    err_hint(err, "write one of \"table: schema.name\" and \"query: select ...\"");
    return -1;
}

/* True if temporary tables can be made: not on a standby, and only with the right. */
static int may_have_tables(bool *may, Db *db, Err *err)
{
    PGresult *result = db_query(db,
                                "select has_database_privilege(current_database(), "
                                "'temp') and not pg_is_in_recovery()",
                                0, NULL, err);

    if (result == NULL)
        return -1;
    *may = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
    PQclear(result);
    return 0;
}

/* The wanted codes, where the server can filter by them. */
static void choose_codes(Select *select, const Access *access)
{
    if (!access->is_whole && select_has_codes(&select->code, &select->n_codes,
                                              access->source, select->is_integer))
        select->codes = arena_format(access->arena, "stratify_codes_%d", access->index);
}

static int postgres_find(Access *access, Db *db, Err *err)
{
    Own *own = arena_alloc(access->arena, 1, sizeof *own);
    bool may = false;

    access->own = own;
    if (select_find(&own->select, access, db, err) != 0 ||
        may_have_tables(&may, db, err) != 0)
        return -1;
    if (may)
        choose_codes(&own->select, access);
    own->sql = select_sql(&own->select, access);
    access->type = own->select.type;
    access->is_integer = own->select.is_integer;
    return 0;
}

static int postgres_arm(const Access *access, Db *db, Err *err)
{
    const Own *own = access->own;
    const Select *select = &own->select;
    Copy *copy = NULL;
    char sql[128];

    if (select->codes == NULL)
        return 0;
    snprintf(sql, sizeof sql, "create temp table %s (code bigint not null)",
             select->codes);
    if (db_exec(db, sql, err) != 0)
        return -1;
    snprintf(sql, sizeof sql, "copy pg_temp.%s from stdin (format binary)",
             select->codes);
    if (copy_begin(&copy, db, sql, 1, err) != 0)
        return -1;
    for (size_t i = 0; i < select->n_codes; i++) {
        copy_row(copy);
        copy_int8(copy, (int64_t)select->code[i].high);
    }
    if (copy_end(copy, NULL, err) != 0)
        return -1;
    snprintf(sql, sizeof sql, "analyze pg_temp.%s", select->codes);
    return db_exec(db, sql, err);
}

static int postgres_confirm(const Access *access, Db *db, Err *err)
{
    const Own *own = access->own;
    PGresult *result;
    char sql[128];
    size_t n;

    if (own->select.codes == NULL)
        return 0;
    snprintf(sql, sizeof sql, "select count(*) from pg_temp.%s", own->select.codes);
    result = db_query(db, sql, 0, NULL, err);
    if (result == NULL)
        return -1;
    n = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    if (n == own->select.n_codes)
        return 0;
    return err_add(err, ERR_INTERNAL, db_where,
                   "the snapshot shows %zu of the %zu wanted codes", n,
                   own->select.n_codes);
}

/* The planner's estimate for the whole statement. It also proves that the session may
 * read what it names. */
static int estimate(Access *access, Db *db, Err *err)
{
    static const char ROWS[] = "\"Plan Rows\": ";
    const Own *own = access->own;
    const char *what =
        arena_format(access->arena, "read source \"%s\"", access->source->name);
    const char *sql = arena_format(access->arena, "explain (format json) %s", own->sql);
    PGresult *result = PQexec(db_conn(db), sql);
    int rc = 0;

    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        rc = db_fail(db, result, access->source->place_where, what, err);
    } else {
        const char *at = strstr(PQgetvalue(result, 0, 0), ROWS);

        access->rows = at == NULL ? 0 : strtod(at + strlen(ROWS), NULL);
    }
    PQclear(result);
    return rc;
}

/* Pages of a table that can be read in ranges; 0 for all else. Of a partitioned table
 * every partition is read in the same ranges, so the longest counts. */
static int count_pages(uint32_t *pages, const Access *access, Db *db, Err *err)
{
    const char *name;
    PGresult *result;

    *pages = 0;
    if (access->source->table == NULL || PQserverVersion(db_conn(db)) < 140000)
        return 0;
    name = db_quote_table(access->arena, access->source->table);
    result = db_query(db,
                      "select coalesce((select max(pg_relation_size(relid)) from "
                      "pg_partition_tree(c.oid)), pg_relation_size(c.oid)) / "
                      "current_setting('block_size')::int from pg_class c "
                      "where c.oid = to_regclass($1) and c.relkind in ('r', 'm', 'p')",
                      1, &name, err);
    if (result == NULL)
        return -1;
    if (PQntuples(result) == 1)
        *pages = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return 0;
}

static int postgres_split(Slices *slices, Access *access, Db *db, int n_workers, Err *err)
{
    uint32_t pages, each;

    if (estimate(access, db, err) != 0 || count_pages(&pages, access, db, err) != 0)
        return -1;
    access->bytes = pages > 0 ? (uint64_t)pages * 8192 : (uint64_t)(access->rows * 64);
    each = pages / (uint32_t)(SLICES_EACH * n_workers) + 1;
    each = each < LEAST_PAGES ? LEAST_PAGES : each;
    each = each > MOST_PAGES ? MOST_PAGES : each;
    if (pages <= each) {
        slices_add(slices, (Slice){access->index, 0, 0, access->bytes});
        return 0;
    }
    for (uint32_t first = 0; first < pages; first += each) {
        bool is_last = first + each >= pages;

        slices_add(slices, (Slice){access->index, first, is_last ? 0 : first + each,
                                   (uint64_t)each * 8192});
    }
    return 0;
}

static const char *slice_sql(char *out, size_t room, const char *sql, const Slice *slice)
{
    char from[64] = "", to[64] = "";

    if (slice->first > 0)
        snprintf(from, sizeof from, " and t.ctid >= '(%" PRIu32 ",0)'::tid",
                 slice->first);
    if (slice->last > 0)
        snprintf(to, sizeof to, " and t.ctid < '(%" PRIu32 ",0)'::tid", slice->last);
    snprintf(out, room, "copy (%s%s%s) to stdout (format binary)", sql, from, to);
    return out;
}

static void postgres_close(void *opaque)
{
    Stream *stream = opaque;

    if (stream == NULL)
        return;
    copy_close(stream->reader);
    free(stream->values);
    free(stream);
}

static int postgres_open(void **out, const Access *access, const Slice *slice, Db *db,
                         Err *err)
{
    const Own *own = access->own;
    Stream *stream = mem_alloc(1, sizeof *stream, "stream");
    size_t room = strlen(own->sql) + 256;
    char *sql = mem_alloc(room, 1, "a statement");

    stream->own = own;
    stream->source = access->source;
    stream->n_columns = access->source->n_columns;
    stream->values =
        mem_alloc((size_t)stream->n_columns, sizeof *stream->values, "stream");
    *out = stream;
    if (copy_open(&stream->reader, db, slice_sql(sql, room, own->sql, slice),
                  stream->n_columns, err) != 0) {
        postgres_close(stream);
        *out = NULL;
    }
    free(sql);
    return *out == NULL ? -1 : 0;
}

/* As it is on the server: its infinity is later than every day. */
static bool get_day(int32_t *day, CopyValue value)
{
    int64_t number;

    if (value.len != 4 || !copy_get_int(&number, value))
        return false;
    *day = (int32_t)number;
    return true;
}

static bool get_cell(Cell *cell, CellType type, CopyValue value)
{
    cell->type = value.len < 0 ? CELL_NULL : type;
    switch (cell->type) {
    case CELL_NULL:
        return true;
    case CELL_INT:
        return copy_get_int(&cell->as.number, value);
    case CELL_FLOAT:
        return copy_get_float(&cell->as.real, value);
    case CELL_YESNO:
        return copy_get_bool(&cell->as.yesno, value);
    case CELL_DAY:
        return get_day(&cell->as.day, value);
    case CELL_TEXT:
        cell->as.text = (const char *)value.data;
        cell->len = (uint32_t)value.len;
        if (value.len == 0) /* as in files, an empty text is a missing one */
            cell->type = CELL_NULL;
        return true;
    }
    return false;
}

static int postgres_next(void *opaque, Cell *cells, uint64_t *bytes, Err *err)
{
    Stream *stream = opaque;
    int found = copy_next(stream->reader, stream->values, bytes, err);

    if (found <= 0)
        return found == 0 ? NEXT_END : NEXT_FAILED;
    for (int c = 0; c < stream->n_columns; c++)
        if (!get_cell(&cells[c], stream->own->select.type[c], stream->values[c])) {
            err_add(err, ERR_SOURCE, stream->source->columns[c].where,
                    "column \"%s\" does not arrive as the type it was found with",
                    stream->source->columns[c].name);
            return NEXT_FAILED;
        }
    return NEXT_ROW;
}

static const char *postgres_describe(const Access *access)
{
    const Own *own = access->own;

    return own->sql;
}

static const Reader READER = {
    .needs_database = true,
    .find = postgres_find,
    .arm = postgres_arm,
    .confirm = postgres_confirm,
    .split = postgres_split,
    .open = postgres_open,
    .next = postgres_next,
    .close = postgres_close,
    .describe = postgres_describe,
};

const SourceKind kind_postgres = {"postgres", postgres_check, &READER};
