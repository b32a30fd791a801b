/*
 * kind_postgres.c - tables, views and queries: COPY (SELECT ...) TO STDOUT, in binary.
 *
 * A table is read in ranges of its pages, so that several sessions share it; a view or
 * a query in one piece. When every feature of a source asks for exact codes of an
 * integer column, the server is given the wanted codes and sends no other row: sending
 * one costs it more than finding that no one wants it. Where the server finds an index
 * that covers the source cheaper than all pages, ranges of codes are read instead.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/db/copy.h"
#include "loaders/kind_postgres_select.h"
#include "loaders/row_field.h"

enum { LEAST_PAGES = 1024, MOST_PAGES = 16384, SLICES_EACH = 4, PAGE_BYTES = 8192 };

typedef struct Own {
    Select select;
    bool is_by_code; /* slices are ranges of the wanted codes, not of pages */
} Own;

typedef struct Stream {
    CopyReader *reader;
    const CellType *type; /* by column */
    int n_columns;
    const Source *source;
    bool is_usual;        /* rows may be: see take_event() */
    CellType code, value; /* of usual rows; CELL_NULL = no such column */
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

static int postgres_find(Access *access, Db *db, Err *err)
{
    Own *own = arena_alloc(access->arena, 1, sizeof *own);

    access->own = own;
    if (select_find(&own->select, access, db, err) != 0)
        return -1;
    access->type = own->select.type;
    access->is_integer = own->select.is_integer;
    /* A server before version 14 would compare code after code. */
    if (!access->is_whole)
        access->wanted = wanted_new(access, PQserverVersion(db_conn(db)) >= 140000);
    select_finish(&own->select, access);
    return 0;
}

/* Free with free(). */
static char *statement(const char *before, const Select *select, const SelectPart *part,
                       const char *after)
{
    char *sql = NULL;
    size_t len;
    FILE *out = open_memstream(&sql, &len);

    fputs(before, out);
    select_write(out, select, part);
    fputs(after, out);
    fclose(out);
    return sql;
}

/* The first number of a plan by that name: that of the whole statement. */
static double plan_number(const char *plan, const char *name)
{
    const char *at = strstr(plan, name);

    return at == NULL ? 0 : strtod(at + strlen(name), NULL);
}

/* What the planner thinks of a statement. */
typedef struct Estimate {
    double rows, cost;
    bool is_covered; /* an index has all that is asked for */
} Estimate;

/* It also proves that the session may read what the statement names. */
static int estimate(Estimate *out, const Access *access, const SelectPart *part, Db *db,
                    Err *err)
{
    const Own *own = access->own;
    const char *what =
        arena_format(access->arena, "read source \"%s\"", access->source->name);
    char *sql = statement("explain (format json) ", &own->select, part, "");
    PGresult *result = PQexec(db_conn(db), sql);
    int rc = 0;

    free(sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        rc = db_fail(db, result, access->source->place_where, what, err);
    } else {
        const char *plan = PQgetvalue(result, 0, 0);

        *out = (Estimate){plan_number(plan, "\"Plan Rows\": "),
                          plan_number(plan, "\"Total Cost\": "),
                          strstr(plan, "\"Index Only Scan\"") != NULL};
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

/* Ranges of pages, which nearly all rows of a table are read by. */
static void split_pages(Slices *slices, const Access *access, uint32_t pages,
                        int n_workers)
{
    uint32_t each = pages / (uint32_t)(SLICES_EACH * n_workers) + 1;

    each = each < LEAST_PAGES ? LEAST_PAGES : each;
    each = each > MOST_PAGES ? MOST_PAGES : each;
    for (uint32_t first = 0; first < pages; first += each)
        slices_add(slices,
                   (Slice){access->index, first, first + each < pages ? first + each : 0,
                           (uint64_t)(first + each < pages ? each : pages - first) *
                               PAGE_BYTES});
}

/* Nobody knows how many rows a code has, so there are more ranges than of pages. */
static void split_codes(Slices *slices, const Access *access, int n_workers)
{
    const Own *own = access->own;
    uint32_t n = (uint32_t)select_n_codes(&own->select);
    uint32_t each = n / (uint32_t)(4 * SLICES_EACH * n_workers) + 1;

    for (uint32_t first = 0; first < n; first += each)
        slices_add(slices,
                   (Slice){access->index, first, first + each < n ? first + each : n,
                           access->bytes / n * each});
}

/* Whether an index that covers the source makes the statement cheaper than reading all
 * pages: a condition on pages keeps the server from using it. With an index that has the
 * code alone, ranges of codes would read the same pages again and again. Only for what
 * has pages: a view or a query may read an index for reasons of its own. */
static int choose_way(Own *own, const Estimate *whole, const Access *access, Db *db,
                      Err *err)
{
    Estimate pages;

    if (select_n_codes(&own->select) == 0 || !whole->is_covered)
        return 0;
    if (estimate(&pages, access,
                 &(SelectPart){.by = BY_PAGE, .first = 1, .is_estimate = true}, db,
                 err) != 0)
        return -1;
    own->is_by_code = whole->cost < pages.cost;
    return 0;
}

static int postgres_split(Slices *slices, Access *access, Db *db, int n_workers, Err *err)
{
    Own *own = access->own;
    uint32_t n_codes = (uint32_t)select_n_codes(&own->select), pages;
    Estimate whole;

    if (estimate(&whole, access,
                 &(SelectPart){.by = BY_CODE, .last = n_codes, .is_estimate = true}, db,
                 err) != 0 ||
        count_pages(&pages, access, db, err) != 0 ||
        (pages > 0 && choose_way(own, &whole, access, db, err) != 0))
        return -1;
    access->rows = whole.rows;
    access->bytes =
        pages > 0 ? (uint64_t)pages * PAGE_BYTES : (uint64_t)(access->rows * 64);
    if (own->is_by_code)
        split_codes(slices, access, n_workers);
    else if (pages > 0)
        split_pages(slices, access, pages, n_workers);
    else
        slices_add(slices, (Slice){access->index, 0, 0, access->bytes});
    return 0;
}

static void postgres_close(void *opaque)
{
    Stream *stream = opaque;

    if (stream == NULL)
        return;
    copy_close(stream->reader);
    free(stream);
}

/* Whether rows have a person, a day and perhaps a code and a value, in this order, and no
 * more. */
static bool has_usual_events(Stream *stream)
{
    const Source *source = stream->source;
    bool is_usual = source->role == ROLE_EVENTS && !source->text_person &&
                    !source->is_unique && source->n_conditions == 0 &&
                    stream->n_columns >= 2 && source->columns[0].field == FIELD_PERSON &&
                    stream->type[0] == CELL_INT &&
                    source->columns[1].field == FIELD_DATE && stream->type[1] == CELL_DAY;

    stream->code = stream->value = CELL_NULL;
    for (int c = 2; c < stream->n_columns; c++) {
        CellType type = stream->type[c];
        bool is_number = type == CELL_INT || type == CELL_FLOAT;

        if (source->columns[c].field == FIELD_CODE && c == 2) {
            is_usual &= type == CELL_INT || type == CELL_TEXT;
            stream->code = type;
        } else {
            is_usual &= source->columns[c].field == FIELD_VALUE && is_number;
            stream->value = type;
        }
    }
    return is_usual;
}

static int postgres_open(void **out, const Access *access, const Slice *slice, Db *db,
                         Err *err)
{
    const Own *own = access->own;
    Stream *stream = mem_alloc(1, sizeof *stream, "stream");
    const SelectPart part = {.by = own->is_by_code ? BY_CODE : BY_PAGE,
                             .first = slice->first,
                             .last = slice->last};
    char *sql = statement("copy (", &own->select, &part, ") to stdout (format binary)");

    stream->source = access->source;
    stream->type = own->select.type;
    stream->n_columns = access->source->n_columns;
    stream->is_usual = has_usual_events(stream);
    *out = stream;
    if (copy_open(&stream->reader, db, sql, stream->n_columns, err) != 0) {
        postgres_close(stream);
        *out = NULL;
    }
    free(sql);
    return *out == NULL ? -1 : 0;
}

/* As it is on the server: its infinity is later than every day. */
static inline bool take_day(int32_t *day, CopyValue value)
{
    if (value.len != 4)
        return false;
    *day = (int32_t)copy_load32(value.data);
    return true;
}

static inline bool get_cell(Cell *cell, CellType type, CopyValue value)
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
        return take_day(&cell->as.day, value);
    case CELL_TEXT:
        cell->as.text = (const char *)value.data;
        cell->len = (uint32_t)value.len;
        if (value.len == 0) /* as in files, an empty text is a missing one */
            cell->type = CELL_NULL;
        return true;
    }
    return false;
}

static int report_type(const Column *column, Err *err)
{
    err_add(err, ERR_SOURCE, column->where,
            "column \"%s\" does not arrive as the type it was found with", column->name);
    return NEXT_FAILED;
}

/* The row is a copy that stays in registers. */
static int take_cells(Cell *cells, CopyRow row, const Stream *stream, Err *err)
{
    const CellType *type = stream->type;
    CopyValue value;

    for (int c = 0; c < stream->n_columns; c++) {
        if (!copy_take(&row, &value))
            return copy_fail(err);
        if (!get_cell(&cells[c], type[c], value))
            return report_type(&stream->source->columns[c], err);
    }
    return copy_is_taken(&row) ? NEXT_ROW : copy_fail(err);
}

static int postgres_next(void *opaque, Cell *cells, uint64_t *bytes, Err *err)
{
    const Stream *stream = opaque;
    CopyRow row;
    int found = copy_next(stream->reader, &row, bytes, err);

    if (found <= 0)
        return found == 0 ? NEXT_END : NEXT_FAILED;
    return take_cells(cells, row, stream, err);
}

/* ---- usual events ------------------------------------------------------ */

static inline bool take_code(PendingEvent *event, CopyRow *row, CellType type)
{
    const uint8_t *number;
    CopyValue text;

    if (type == CELL_TEXT)
        return copy_take(row, &text) && text.len > 0 &&
               spelling_of_text(&event->spelling, (const char *)text.data,
                                (uint32_t)text.len);
    number = copy_take_bytes(row, 8);
    if (number != NULL)
        event->spelling = spelling_of_int((int64_t)copy_load64(number));
    return number != NULL;
}

static inline bool take_value(double *out, CopyRow *row, CellType type)
{
    int64_t number;
    CopyValue value;

    if (!copy_take(row, &value))
        return false;
    if (value.len < 0)
        return true;
    if (type == CELL_FLOAT)
        return copy_get_float(out, value) && !isinf(*out);
    if (!copy_get_int(&number, value))
        return false;
    *out = (double)number;
    return true;
}

/* False: the row is not a usual one, and has to be looked at cell by cell. */
static inline bool take_event(PendingEvent *event, CopyRow row, const Stream *stream,
                              const RowMap *map)
{
    const uint8_t *id = copy_take_bytes(&row, 8), *day = copy_take_bytes(&row, 4);
    EventRow *out = &event->row;

    if (id == NULL || day == NULL)
        return false;
    *event = (PendingEvent){.row = {.id = (int64_t)copy_load64(id),
                                    .day = (int32_t)copy_load32(day),
                                    .end = DAY_UNKNOWN,
                                    .value = NAN},
                            .fate = ROW_KEPT};
    return is_usual_day(map, out->day) &&
           (stream->code == CELL_NULL || take_code(event, &row, stream->code)) &&
           (stream->value == CELL_NULL || take_value(&out->value, &row, stream->value)) &&
           copy_is_taken(&row);
}

static int postgres_next_events(void *opaque, Landing *to, uint64_t *bytes, Err *err)
{
    const Stream *stream = opaque;
    CopyRow row;

    while (to->n < to->room) {
        int found = copy_next(stream->reader, &row, bytes, err);

        if (found <= 0)
            return found == 0 ? NEXT_END : NEXT_FAILED;
        if (!stream->is_usual || !take_event(&to->events[to->n], row, stream, to->map))
            return take_cells(to->cells, row, stream, err);
        row_event_fetch(to, &to->events[to->n]);
        to->n++;
    }
    return NEXT_FULL;
}

static const char *postgres_describe(const Access *access)
{
    const Own *own = access->own;
    char *sql = statement("", &own->select, &(SelectPart){.by = BY_READER}, "");
    const char *text =
        arena_format(access->arena, "%s%s", sql,
                     own->is_by_code ? "\n    by ranges of codes, from an index" : "");

    free(sql);
    return text;
}

static const Reader READER = {
    .needs_database = true,
    .find = postgres_find,
    .split = postgres_split,
    .open = postgres_open,
    .next = postgres_next,
    .next_events = postgres_next_events,
    .close = postgres_close,
    .describe = postgres_describe,
};

const SourceKind kind_postgres = {"postgres", postgres_check, &READER};
