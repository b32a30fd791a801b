/*
 * kind_postgres_select.c - see kind_postgres_select.h.
 *
 * Only needed columns and days are asked for. A column is cast only when its binary
 * form is not one that copy.h reads: a cast costs the server time for every row.
 */
#include "loaders/kind_postgres_select.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "loaders/query_days.h"

/* Types by the number PostgreSQL has given them (pg_type.dat). */
enum { NUMERIC = 1700 };
static const struct Known {
    Oid oid;
    CellType type;
    const char *cast; /* "" = as it is */
} KNOWN[] = {
    {20, CELL_INT, ""},    /* int8 */
    {21, CELL_INT, ""},    /* int2 */
    {23, CELL_INT, ""},    /* int4 */
    {700, CELL_FLOAT, ""}, /* float4 */
    {701, CELL_FLOAT, ""}, /* float8 */
    {NUMERIC, CELL_FLOAT, "::float8"},
    {16, CELL_YESNO, ""},       /* bool */
    {1082, CELL_DAY, ""},       /* date */
    {1114, CELL_DAY, "::date"}, /* timestamp */
    {1184, CELL_DAY, "::date"}, /* timestamp with time zone: sessions are in UTC */
    {25, CELL_TEXT, ""},        /* text */
    {1043, CELL_TEXT, ""},      /* varchar */
    {1042, CELL_TEXT, ""},      /* char(n) */
    {19, CELL_TEXT, ""},        /* name */
    {18, CELL_TEXT, ""},        /* "char" */
};

static const struct Known *known_type(Oid oid)
{
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (KNOWN[i].oid == oid)
            return &KNOWN[i];
    return NULL;
}

/* What a field needs, in words, if the type is not it; else NULL. */
static const char *not_suited(const Column *column, CellType type, const Source *source)
{
    const bool is_text = type == CELL_TEXT;

    switch (column->field) {
    case FIELD_PERSON:
        if (source->text_person)
            return type == CELL_INT || is_text ? NULL : "a number or text";
        return type == CELL_INT ? NULL : "a whole number";
    case FIELD_DATE:
    case FIELD_END:
    case FIELD_BIRTH:
    case FIELD_DEATH:
    case FIELD_START:
        return type == CELL_DAY || is_text ? NULL : "a date";
    case FIELD_CODE:
        return type == CELL_INT || is_text ? NULL : "a code";
    case FIELD_VALUE:
        return type == CELL_DAY ? "a number" : NULL;
    case FIELD_TEST:
        return type == CELL_DAY || type == CELL_FLOAT ? "yes or no" : NULL;
    case FIELD_ATTRIBUTE:
        if (source->attributes[column->index].type == RULE_WORD || type != CELL_DAY)
            return NULL;
        return "a number, or yes or no";
    default:
        return NULL;
    }
}

static const char *type_name(Oid oid, const Access *access, Db *db)
{
    char number[16];
    const char *params[] = {number};
    const char *name = "unknown";
    Err unsaid = {0};
    PGresult *result;

    snprintf(number, sizeof number, "%u", oid);
    result = db_query(db, "select format_type($1::oid, null)", 1, params, &unsaid);
    if (result != NULL && PQntuples(result) == 1)
        name = arena_format(access->arena, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return name;
}

/* Codes, keys and persons are no measures: a SNOMED code in a numeric column has 18
 * digits, an ICD-9 code may be 401.9, and two persons must not be rounded to one. */
static bool is_exact(Field field)
{
    return field == FIELD_PERSON || field == FIELD_CODE || field == FIELD_KEY;
}

/* Whether all that a numeric column can hold is a whole number of 64 bits. */
static bool holds_integers(int modifier)
{
    const int precision = (modifier - 4) >> 16 & 0xffff, scale = (modifier - 4) & 0x7ff;

    return modifier >= 4 && scale == 0 && precision <= 18;
}

/* A numeric column as it is, and not as a float. A person that is no whole number, or one
 * beyond 64 bits, is none. */
static void set_exact(Select *select, int c, const char *name, int modifier,
                      const Access *access, Db *db)
{
    bool is_person = access->source->columns[c].field == FIELD_PERSON;
    const char *form = "trim_scale(t.%s)::text";

    select->type[c] = is_person || holds_integers(modifier) ? CELL_INT : CELL_TEXT;
    if (holds_integers(modifier))
        form = "t.%s::int8";
    else if (is_person)
        form = "case when t.%1$s = trunc(t.%1$s) and abs(t.%1$s) < 9223372036854775807 "
               "then t.%1$s::int8 end";
    else if (PQserverVersion(db_conn(db)) < 130000)
        form = "t.%s::text";
    select->column[c] = arena_format(access->arena, form, name);
}

/* at: of the column in the result. */
static int set_column(Select *select, int c, const PGresult *result, int at,
                      const Access *access, Db *db, Err *err)
{
    const Column *column = &access->source->columns[c];
    Oid oid = PQftype(result, at);
    const struct Known *known = known_type(oid);
    const char *name = db_quote_name(access->arena, column->name);
    const char *needed;

    if (known == NULL) {
        err_add(err, ERR_CONFIG, column->where,
                "column \"%s\" is of type %s, which is not read", column->name,
                type_name(oid, access, db));
        err_hint(err, "cast it in a view or a query");
        return -1;
    }
    select->type[c] = known->type;
    select->is_integer[c] = known->type == CELL_INT;
    select->column[c] = arena_format(access->arena, "t.%s%s", name, known->cast);
    if (oid == NUMERIC && is_exact(column->field))
        set_exact(select, c, name, PQfmod(result, at), access, db);
    needed = not_suited(column, select->type[c], access->source);
    if (needed == NULL)
        return 0;
    err_add(err, ERR_CONFIG, column->where,
            "column \"%s\" is of type %s, but %s is needed", column->name,
            type_name(oid, access, db), needed);
    if (column->field == FIELD_PERSON && select->type[c] == CELL_TEXT)
        err_hint(err, "add \"person_as: text\" to the source");
    return -1;
}

static void missing_column(const Column *column, const PGresult *result,
                           const Access *access, Err *err)
{
    int n = PQnfields(result);
    const char **names = arena_alloc(access->arena, (size_t)n, sizeof *names);
    const char *nearest;

    for (int i = 0; i < n; i++)
        names[i] = PQfname(result, i);
    nearest = text_nearest(column->name, names, (size_t)n);
    err_add(err, ERR_CONFIG, column->where, "source \"%s\" has no column \"%s\"",
            access->source->name, column->name);
    if (nearest != NULL)
        err_hint(err, "did you mean \"%s\"?", nearest);
}

/* PQfnumber folds unquoted names; a config says a name as it is. */
static int find_column(const PGresult *result, const char *name)
{
    for (int i = 0; i < PQnfields(result); i++)
        if (strcmp(PQfname(result, i), name) == 0)
            return i;
    return -1;
}

static int set_columns(Select *select, const PGresult *result, const Access *access,
                       Db *db, Err *err)
{
    const Source *source = access->source;
    size_t n = (size_t)source->n_columns;
    int rc = 0;

    select->column = arena_alloc(access->arena, n, sizeof *select->column);
    select->type = arena_alloc(access->arena, n, sizeof *select->type);
    select->is_integer = arena_alloc(access->arena, n, sizeof *select->is_integer);
    select->n_columns = source->n_columns;
    for (int c = 0; c < source->n_columns; c++) {
        int at = find_column(result, source->columns[c].name);

        if (at < 0) {
            missing_column(&source->columns[c], result, access, err);
            rc = -1;
        } else if (set_column(select, c, result, at, access, db, err) != 0) {
            rc = -1;
        }
    }
    return rc;
}

/* "from" of the config's table or query; a query may end in a semicolon. */
static const char *from_of(const Access *access)
{
    const char *query;
    size_t len;

    if (access->source->query == NULL)
        return arena_format(access->arena, "%s t",
                            db_quote_table(access->arena, access->source->table));
    query = query_with_days(access);
    len = strlen(query);
    while (len > 0 && (isspace((unsigned char)query[len - 1]) || query[len - 1] == ';'))
        len--;
    /* The line break ends a comment that the query may close with. */
    return arena_format(access->arena, "(%.*s\n) t", (int)len, query);
}

/* The server parses the statement and says what it would give; nothing is run. */
int select_find(Select *select, const Access *access, Db *db, Err *err)
{
    const Source *source = access->source;
    const char *what = arena_format(access->arena, "find source \"%s\"", source->name);
    const char *sql;
    PGresult *result;
    int rc = -1;

    select->from = from_of(access);
    sql = arena_format(access->arena, "select * from %s limit 0", select->from);
    result = PQprepare(db_conn(db), "", sql, 0, NULL);
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        PQclear(result);
        result = PQdescribePrepared(db_conn(db), "");
    }
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        db_fail(db, result, source->place_where, what, err);
    else
        rc = set_columns(select, result, access, db, err);
    PQclear(result);
    return rc;
}

/* ---- the statement ----------------------------------------------------- */

static const char *day_text(Arena *arena, int32_t day)
{
    char text[DAY_TEXT];

    day_format(text, day);
    return arena_format(arena, "'%s'", text);
}

static const char *sentinel_list(const Access *access)
{
    const Source *source = access->source;
    const char *list = "";

    for (int s = 0; s < source->n_sentinels; s++)
        list = arena_format(access->arena, "%s%s%s", list, s == 0 ? "" : ", ",
                            day_text(access->arena, source->sentinels[s]));
    return list;
}

/* "or X is null or X in (sentinels)" */
static const char *or_unknown(const char *column, const Access *access)
{
    if (access->source->n_sentinels == 0)
        return arena_format(access->arena, " or %s is null", column);
    return arena_format(access->arena, " or %s is null or %s in (%s)", column, column,
                        sentinel_list(access));
}

/* The days that some feature can use. A spell that began before the window is wanted
 * for its bed days when it reaches into it. */
static const char *days_wanted(const Select *select, const Access *access)
{
    const Source *source = access->source;
    Arena *arena = access->arena;
    int date = source_at(source, FIELD_DATE), end = source_at(source, FIELD_END);
    const char *day, *since = NULL, *text;

    if (access->wanted == NULL || !access->wanted->has_days)
        return NULL;
    day = select->column[date];
    if (source->oldest > DAY_FIRST) {
        const char *oldest = day_text(arena, source->oldest);

        since = arena_format(arena, "%s >= %s", day, oldest);
        if (access->wanted->by_end)
            since = select->type[end] != CELL_DAY
                        ? NULL
                        : arena_format(arena, "(%s or %s >= %s%s)", since,
                                       select->column[end], oldest,
                                       or_unknown(select->column[end], access));
    }
    text = arena_format(arena, "%s < %s", day, day_text(arena, access->plan->as_of));
    if (since != NULL)
        text = arena_format(arena, "%s and %s", text, since);
    if (source->wants_undated)
        text = arena_format(arena, "%s%s", text, or_unknown(day, access));
    return arena_format(arena, "(%s)", text);
}

void select_finish(Select *select, const Access *access)
{
    const char *days = days_wanted(select, access);
    int code = source_at(access->source, FIELD_CODE);
    int date = source_at(access->source, FIELD_DATE);
    int value = source_at(access->source, FIELD_VALUE);

    select->where = days == NULL ? "" : arena_format(access->arena, " where %s", days);
    select->code_column = code < 0 ? NULL : select->column[code];
    select->day_column = date < 0 ? NULL : select->column[date];
    select->value_column = value < 0 ? NULL : select->column[value];
    select->wanted = access->wanted;
}

size_t select_n_codes(const Select *select)
{
    return select->wanted == NULL ? 0 : wanted_last(select->wanted)->n_codes;
}

/* '{1,2,...}'::bigint[] */
static void put_codes(FILE *out, const Code *code, size_t n)
{
    fputs("'{", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%" PRId64, i == 0 ? "" : ",", (int64_t)code[i].high);
    fputs("}'::bigint[]", out);
}

static void put_starts(FILE *out, const Stage *stage)
{
    fputs("'{", out);
    for (size_t i = 0; i < stage->n_starts; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ",", stage->starts[i]);
    fputs("}'::text[]", out);
}

/*
 * "X = any(codes)": the server makes a hash table of the codes once a statement, which
 * costs it less for every row than a join. Adding 0 makes an integer of any width one
 * that is hashed, and spares the planner from looking up each code in its statistics;
 * but with it no index is of use. "is not true" keeps "not" from being drawn into the
 * comparison, which is hashed by later versions only, and lets nulls pass.
 */
static void put_test(FILE *out, const Select *select, const Stage *stage, bool is_brief)
{
    const char *code = select->code_column;

    if (!stage->has_test) {
        fputs("true", out);
    } else if (select->wanted->is_integer) {
        fprintf(out, "%s + 0::bigint = any(", code);
        if (is_brief)
            fprintf(out, "%zu wanted codes", stage->n_codes);
        else
            put_codes(out, stage->codes, stage->n_codes);
        fputc(')', out);
    } else {
        fprintf(out, "(left(%s::text, %d) collate \"C\" = any(", code,
                select->wanted->n_chars);
        if (is_brief)
            fprintf(out, "%zu starts of unwanted codes", stage->n_starts);
        else
            put_starts(out, stage);
        fputs(")) is not true", out);
    }
}

/* The test of the stage that a row's day is in; that of the last has been made. */
static void put_stages(FILE *out, const Select *select, bool is_brief)
{
    const Wanted *wanted = select->wanted;
    char day[DAY_TEXT];

    fputs("case", out);
    for (int s = wanted->n_stages - 1; s > 0; s--) {
        day_format(day, wanted->stages[s].from);
        fprintf(out, " when %s >= '%s' then ", select->day_column, day);
        if (s == wanted->n_stages - 1)
            fputs("true", out);
        else
            put_test(out, select, &wanted->stages[s], is_brief);
    }
    fputs(" else ", out);
    put_test(out, select, &wanted->stages[0], is_brief);
    fputs(" end", out);
}

/* One side of a bound, or nothing. */
static const char *put_side(FILE *out, const Select *select, const char *and,
                            const char *sign, double bound)
{
    if (isinf(bound))
        return and;
    fprintf(out, "%s%s %s %.17g::float8", and, select->value_column, sign, bound);
    return " and ";
}

/* Looks for the code by halves: fewer comparisons for a row than one test for each, and
 * cheaper ones than those of a hash table. */
static void put_bounds(FILE *out, const Select *select, size_t first, size_t last)
{
    const Bound *bound = &select->wanted->bounds[first];
    size_t middle = first + (last - first) / 2;
    const char *and = "";

    if (last - first > 1) {
        fprintf(out, "case when %s < %" PRIu64 " then ", select->code_column,
                select->wanted->bounds[middle].code.high);
        put_bounds(out, select, first, middle);
        fputs(" else ", out);
        put_bounds(out, select, middle, last);
        fputs(" end", out);
        return;
    }
    fprintf(out, "(%s <> %" PRIu64 " or (", select->code_column, bound->code.high);
    and = put_side(out, select, and, ">=", bound->least);
    put_side(out, select, and, "<=", bound->most);
    fputs("))", out);
}

static const char *put_values(FILE *out, const Select *select, const SelectPart *part,
                              const char *and)
{
    size_t n = select->wanted->n_bounds;

    if (n == 0 || part->is_estimate)
        return and;
    fputs(and, out);
    if (part->by == BY_READER)
        fprintf(out, "(bounds on %s of %zu codes)", select->value_column, n);
    else
        put_bounds(out, select, 0, n);
    return " and ";
}

/* Codes of an index first, or all that the last stage wants: few rows are left for the
 * stages then. */
static const char *put_wanted(FILE *out, const Select *select, const SelectPart *part,
                              const char *and)
{
    const Stage *last = wanted_last(select->wanted);
    bool is_brief = part->by == BY_READER;

    if (part->by == BY_CODE && last->n_codes > 0) {
        fprintf(out, "%s%s = any(", and, select->code_column);
        put_codes(out, last->codes + part->first, part->last - part->first);
        fputc(')', out);
        and = " and ";
    } else if (last->has_test) {
        fputs(and, out);
        put_test(out, select, last, is_brief);
        and = " and ";
    }
    if (select->wanted->n_stages > 1) {
        fputs(and, out);
        put_stages(out, select, is_brief);
        and = " and ";
    }
    return put_values(out, select, part, and);
}

void select_write(FILE *out, const Select *select, const SelectPart *part)
{
    const char *and = select->where[0] == '\0' ? " where " : " and ";

    for (int c = 0; c < select->n_columns; c++)
        fprintf(out, "%s%s", c == 0 ? "select " : ", ", select->column[c]);
    fprintf(out, " from %s%s", select->from, select->where);
    if (select->wanted != NULL)
        and = put_wanted(out, select, part, and);
    if (part->by == BY_PAGE && part->first > 0) {
        fprintf(out, "%st.ctid >= '(%" PRIu32 ",0)'::tid", and, part->first);
        and = " and ";
    }
    if (part->by == BY_PAGE && part->last > 0)
        fprintf(out, "%st.ctid < '(%" PRIu32 ",0)'::tid", and, part->last);
}
