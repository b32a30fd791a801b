/*
 * test_load.c - whole loads of a database, against the same rows in another order, in
 * files, through views and queries, and with other numbers of sessions and threads. Rows
 * of files one by one are in test_load_files.c.
 */
#include <criterion/criterion.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "loaders/kinds.h"
#include "loaders/load.h"
#include "loaders/memory.h"
#include "tests/support/plans.h"

static const LoadOptions ONE = {.conninfo = "", .connections = 1};

/* The text of a file, released with free(). */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);

    cr_assert_not_null(file, "%s", path);
    cr_assert_gt(fread(text, 1, (1 << 16) - 1, file), 0);
    fclose(file);
    return text;
}

static const char *const NAMES[] = {
    "people", "registrations", "practices", "opt_outs", "gp", "rx", "spells"};

static Db *fill_database(const char *schema)
{
    char sql[256], *tables = read_text("tests/data/load/tables.sql");
    Db *db = NULL;
    Err err = {0};

    cr_assert_eq(db_open(&db, "", "test", &err), 0, "%s", err.text);
    snprintf(sql, sizeof sql,
             "drop schema if exists %s cascade; create schema %s; set search_path = %s",
             schema, schema, schema);
    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
    cr_assert_eq(db_exec(db, tables, &err), 0, "%s", err.text);
    free(tables);
    return db;
}

static char *load_text(Plan *plan, int connections, int threads)
{
    LoadOptions options = {.conninfo = "", .connections = connections};
    Store store;
    Err err = {0};
    char *text;

    omp_set_num_threads(threads);
    cr_assert_eq(load_store(&store, plan, &options, &err), 0, "%s", err.text);
    text = plans_dump(&store, plan);
    store_free(&store, plan);
    return text;
}

static void expect_same(const char *want, char *got, const char *what)
{
    cr_expect(strcmp(want, got) == 0, "%s differs from one session on one thread", what);
    free(got);
}

Test(load, the_store_is_the_same_whatever_reads_it)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_same");
    Db *db = fill_database("load_same");
    char *want = load_text(plan, 1, 1), sql[256];
    Err err = {0};

    cr_expect_gt(strlen(want), 100000);
    expect_same(want, load_text(plan, 4, 1), "4 sessions");
    expect_same(want, load_text(plan, 1, 7), "7 threads");
    expect_same(want, load_text(plan, 4, 7), "4 sessions and 7 threads");
    for (size_t t = 0; t < sizeof NAMES / sizeof *NAMES; t++) {
        snprintf(sql, sizeof sql,
                 "create table shuffled as select * from t_%s t order by md5(t::text);"
                 "drop table t_%s; alter table shuffled rename to t_%s",
                 NAMES[t], NAMES[t], NAMES[t]);
        cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
    }
    expect_same(want, load_text(plan, 3, 2), "another order of rows");
    free(want);
    db_close(db);
    arena_free(arena);
}

static void expect_described(const Plan *plan, const char *words)
{
    const LoadOptions options = {.conninfo = ""};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    Err err = {0};

    cr_assert_eq(load_describe(plan, &options, out, &err), 0, "%s", err.text);
    fclose(out);
    cr_expect_not_null(strstr(text, words), "%s is not in %s", words, text);
    free(text);
}

Test(load, a_query_may_ask_since_when_and_until_when)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_since");
    Db *db = fill_database("load_since");
    Source *gp = plans_source(plan, "gp");

    gp->table = NULL;
    gp->oldest = DAY_FIRST;
    cr_assert_eq(db_exec(db, "create domain public.since as text", &(Err){0}), 0);
    gp->query = "select * from load_since.t_gp "
                "where date >= :since and '1'::since < 'y' and :since<date";
    expect_described(plan, "where date >= date '-infinity' and '1'::since < 'y' and date "
                           "'-infinity'<date\n) t");
    gp->oldest = 0;
    expect_described(plan,
                     "where date >= date '2000-01-01' and '1'::since < 'y' and date "
                     "'2000-01-01'<date\n) t");
    gp->query = "select * from load_since.t_gp where date<:until and ':untilled'<>':'";
    expect_described(plan, "where date<date '2025-07-01' and ':untilled'<>':'\n) t");
    db_close(db);
    arena_free(arena);
}

/* An index on the code that has every column asked for is used, and nothing changes. */
Test(load, a_covering_index_is_found_and_used)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_index");
    Db *db = fill_database("load_index");
    char *want;
    Err err = {0};

    cr_assert_eq(db_exec(db,
                         "insert into t_gp (id, date, code) select i % 500, "
                         "date '2020-01-01', 1000000 + i from generate_series(1, 400000) "
                         "i",
                         &err),
                 0, "%s", err.text);
    cr_assert_eq(db_exec(db, "vacuum analyze t_gp", &err), 0, "%s", err.text);
    want = load_text(plan, 2, 2);
    /* Other tests' transactions keep vacuum from marking pages that all can see. */
    cr_assert_eq(db_exec(db,
                         "create index on t_gp (code) include (id, date, value); "
                         "update pg_class set relallvisible = relpages "
                         "where oid = 't_gp'::regclass",
                         &err),
                 0, "%s", err.text);
    expect_described(plan, "by ranges of codes, from an index");
    expect_same(want, load_text(plan, 1, 1), "with an index, one session");
    expect_same(want, load_text(plan, 3, 2), "with an index, three sessions");
    plans_source(plan, "gp")->table = NULL;
    plans_source(plan, "gp")->query = "select * from load_index.t_gp";
    expect_same(want, load_text(plan, 2, 2), "a query that reads the index");
    free(want);
    db_close(db);
    arena_free(arena);
}

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/stratify-load.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

/* A table as gzip CSV, in two files. */
static void export_table(Db *db, const char *name)
{
    for (int part = 0; part < 2; part++) {
        char sql[256], path[160], *line;
        gzFile file;
        PGresult *result;
        int len;

        snprintf(path, sizeof path, "%s/%s-%d.csv.gz", folder, name, part);
        snprintf(
            sql, sizeof sql,
            "copy (select * from t_%s where hashtext(t_%s::text) %% 2 %s 0) to stdout "
            "(format csv, header)",
            name, name, part == 0 ? "=" : "<>");
        result = PQexec(db_conn(db), sql);
        cr_assert_eq(PQresultStatus(result), PGRES_COPY_OUT);
        PQclear(result);
        file = gzopen(path, "wb");
        while ((len = PQgetCopyData(db_conn(db), &line, 0)) > 0) {
            gzwrite(file, line, (unsigned)len);
            PQfreemem(line);
        }
        PQclear(PQgetResult(db_conn(db)));
        cr_assert_null(PQgetResult(db_conn(db)));
        cr_assert_eq(gzclose(file), Z_OK);
    }
}

/* The server leaves out days and codes that nobody wants, so only what is kept is the
 * same; the fates of rows that it never sends are not. */
static void cut_fates(char *text)
{
    char *at = strstr(text, "\npeople: kept");

    cr_assert_not_null(at);
    *at = '\0';
}

Test(load, files_and_tables_give_the_same_and_mix, .init = make_folder,
     .fini = remove_folder)
{
    Arena *arena = arena_new();
    Plan *tables = plans_small(arena, &kind_postgres, "load_files");
    Plan *files = plans_small(arena, &kind_csv, folder);
    Db *db = fill_database("load_files");
    char *want, *got;

    cr_assert_eq(db_exec(db, "alter table t_rx alter date type date", &(Err){0}), 0);
    for (size_t t = 0; t < sizeof NAMES / sizeof *NAMES; t++)
        export_table(db, NAMES[t]);
    want = load_text(tables, 2, 2);
    got = load_text(files, 3, 2);
    cut_fates(want);
    cut_fates(got);
    cr_expect_str_eq(got, want);
    free(got);
    plans_source(tables, "gp")->kind = plans_source(tables, "spells")->kind = &kind_csv;
    plans_source(tables, "gp")->files = plans_source(files, "gp")->files;
    plans_source(tables, "spells")->files = plans_source(files, "spells")->files;
    got = load_text(tables, 2, 2);
    cut_fates(got);
    cr_expect_str_eq(got, want, "a mix of files and tables");
    free(got);
    free(want);
    db_close(db);
    arena_free(arena);
}

Test(load, views_and_queries_and_no_right_to_temporary_tables)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_views");
    Db *db = fill_database("load_views");
    char *want = load_text(plan, 2, 2);
    Source *gp = plans_source(plan, "gp");

    cr_assert_eq(
        db_exec(db,
                "create view v_gp as select id, date, code, value from t_gp;"
                "create role load_reader login; grant usage on schema load_views "
                "to load_reader; grant select on all tables in schema load_views "
                "to load_reader; revoke temporary on database postgres from public",
                &(Err){0}),
        0);
    gp->table = "load_views.v_gp";
    expect_same(want, load_text(plan, 2, 2), "a view");
    gp->table = NULL;
    gp->query = "select * from load_views.t_gp -- all of it\n;\n";
    expect_same(want, load_text(plan, 2, 2), "a query");
    gp->query = "select * from load_views.t_gp where date >= :since or date is null";
    expect_same(want, load_text(plan, 2, 2), "a query that asks for all days");
    cr_assert_eq(setenv("PGUSER", "load_reader", 1), 0);
    expect_same(want, load_text(plan, 2, 2), "a role that may only read");
    cr_assert_eq(db_exec(db,
                         "grant temporary on database postgres to public; "
                         "drop owned by load_reader; drop role load_reader",
                         &(Err){0}),
                 0);
    free(want);
    db_close(db);
    arena_free(arena);
}

Test(load, a_check_of_tables_names_all_that_is_wrong)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_check");
    Db *db = fill_database("load_check");
    Err err = {0};

    cr_assert_eq(load_check(plan, &ONE, &err), 0, "%s", err.text);
    plans_source(plan, "people")->columns[1].name = "birht";
    plans_source(plan, "people")->columns[2].name = "sex";
    plans_source(plan, "registrations")->table = "load_check.registered";
    plans_source(plan, "opt_outs")->columns[0].name = "type";
    cr_assert_eq(db_exec(db,
                         "alter table t_gp alter value type json using to_json(value)",
                         &(Err){0}),
                 0);
    cr_assert_eq(load_check(plan, &ONE, &err), -1);
    cr_expect_eq(err.kind, ERR_CONFIG);
    cr_expect_str_eq(
        err.text,
        "sources.yaml:11:5: source \"people\" has no column \"birht\"\n"
        "    hint: did you mean \"birth\"?\n"
        "sources.yaml:4:10: could not find source \"registrations\": relation "
        "\"load_check.registered\" does not exist\n"
        "sources.yaml:10:5: column \"type\" is of type character, but a whole number is "
        "needed\n"
        "    hint: add \"person_as: text\" to the source\n"
        "sources.yaml:13:5: column \"value\" is of type json, which is not read\n"
        "    hint: cast it in a view or a query");
    db_close(db);
    arena_free(arena);
}

/* 60621009 is wanted above 30. What is exactly on the bound is left to the features, and
 * NaN is the largest number of the server: both are sent. */
Test(load, values_beyond_the_bounds_of_their_code_are_not_sent)
{
    static const char *const TYPES[] = {"numeric", "float8", "float4"};

    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        Arena *arena = arena_new();
        Plan *plan = plans_small(arena, &kind_postgres, "load_bounds");
        LoadOptions options = {.conninfo = "", .connections = 1};
        Db *db = fill_database("load_bounds");
        const SourceCount *count;
        char sql[256];
        Store store;
        Err err = {0};

        snprintf(
            sql, sizeof sql,
            "delete from t_gp; alter table t_gp alter value type %s;"
            "insert into t_gp select 5, '2025-01-01', code, unnest('{NULL, NaN, 29.9, "
            "30, 31, Infinity, -Infinity}'::%s[]) from unnest('{60621009, 217082002, "
            "73211009}'::bigint[]) code",
            TYPES[i], TYPES[i]);
        cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
        cr_assert_eq(load_store(&store, plan, &options, &err), 0, "%s", err.text);
        count = &store.counts[plans_source(plan, "gp") - plan->sources];
        cr_expect_eq(count->rows, 4 + 7, "%s: %d rows", TYPES[i], (int)count->rows);
        cr_expect_eq(count->fate[ROW_BAD_VALUE], 1 + 2); /* infinite ones */
        store_free(&store, plan);
        db_close(db);
        arena_free(arena);
    }
}

/* Of a person and of a code nothing is rounded. */
Test(load, numeric_columns_are_read_as_they_are)
{
    static const char *const TYPES[] = {"numeric", "numeric(40, 6)"};

    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        Arena *arena = arena_new();
        Plan *plan = plans_small(arena, &kind_postgres, "load_numeric");
        Db *db = fill_database("load_numeric");
        const SourceCount *count;
        char sql[512];
        Store store;
        Err err = {0};

        snprintf(
            sql, sizeof sql,
            "delete from t_gp; alter table t_gp alter id type %s, alter code type %s;"
            "insert into t_gp values (5, '2025-01-01', 60621009, 31), "
            "(5.4, '2025-01-01', 60621009, 31), (1e30, '2025-01-01', 60621009, 31), "
            "('NaN', '2025-01-01', 60621009, 31), (5, '2025-01-01', 60621009.4, 31)",
            TYPES[i], TYPES[i]);
        cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
        cr_assert_eq(load_store(&store, plan, &ONE, &err), 0, "%s", err.text);
        count = &store.counts[plans_source(plan, "gp") - plan->sources];
        cr_expect_eq(count->rows, 5);
        cr_expect_eq(count->fate[ROW_NO_PERSON], 3, "%s", TYPES[i]);
        cr_expect_eq(count->fate[ROW_BAD_CODE], 1, "%s", TYPES[i]);
        store_free(&store, plan);
        db_close(db);
        arena_free(arena);
    }
}

Test(load, a_description_shows_the_statements)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_describe");
    Db *db = fill_database("load_describe");
    Err err = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    cr_assert_eq(load_describe(plan, &ONE, out, &err), 0, "%s", err.text);
    fclose(out);
    cr_expect_not_null(strstr(
        text,
        "\n    select t.\"id\", t.\"date\", t.\"code\", t.\"value\"::float8 from "
        "\"load_describe\".\"t_gp\" t where (t.\"date\" < '2025-07-01' or t.\"date\" is "
        "null or t.\"date\" in ('1900-01-01', '9999-12-31')) and t.\"code\" + "
        "0::bigint = any(2 wanted codes) and case when t.\"date\" >= '2024-07-01' then "
        "true else t.\"code\" + 0::bigint = any(1 wanted codes) end and "
        "(bounds on t.\"value\"::float8 of 1 codes)\n"
        "    falls: ever\n"));
    cr_expect_not_null(strstr(
        text,
        "where (t.\"date\" < '2025-07-01' and (t.\"date\" >= '2024-07-01' or "
        "t.\"end_date\" >= '2024-07-01' or t.\"end_date\" is null or t.\"end_date\" "
        "in ('1900-01-01', '9999-12-31')))\n"));
    cr_expect_not_null(strstr(text, "t.\"date\"::date"));
    cr_expect_not_null(strstr(text, "memory for people and events: about "));
    cr_expect_null(strstr(text, "refused"));
    free(text);
    db_close(db);
    arena_free(arena);
}

Test(load, a_description_tells_of_a_limit)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "load_limit");
    Db *db = fill_database("load_limit");
    Err err = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    plan->memory_bytes = 3 * 1024;
    cr_assert_eq(load_describe(plan, &ONE, out, &err), 0, "%s", err.text);
    fclose(out);
    cr_expect_not_null(strstr(text, "\na run would be refused: \"memory\" is 3.0 KiB\n"));
    free(text);
    db_close(db);
    arena_free(arena);
}

Test(load, amounts_of_memory_keep_their_digits)
{
    static const struct {
        uint64_t bytes;
        const char *want;
    } CASES[] = {{100, "0.1 KiB"},
                 {(uint64_t)1 << 20, "1.0 MiB"},
                 {(uint64_t)1 << 29, "512.0 MiB"},
                 {(uint64_t)5 << 39, "2560.0 GiB"}};
    char text[MEMORY_TEXT];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        memory_format(text, CASES[i].bytes);
        cr_expect_str_eq(text, CASES[i].want);
    }
}

Test(load, a_lost_server_is_a_report)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "x");
    LoadOptions nowhere = {.conninfo = "host=/nowhere", .connections = 1};
    Store store;
    Err err = {0};

    cr_assert_eq(load_store(&store, plan, &nowhere, &err), -1);
    cr_expect_eq(err.kind, ERR_SOURCE);
    cr_expect_str_eq(
        err.text, "database: could not connect: connection to server on socket "
                  "\"/nowhere/.s.PGSQL.5432\" failed: No such file or directory  Is the "
                  "server running locally and accepting connections on that socket?");
    store_free(&store, plan);
    arena_free(arena);
}
