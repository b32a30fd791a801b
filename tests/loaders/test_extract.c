/*
 * test_extract.c - a store loaded from an extract is the store loaded from its sources,
 * down to the last count, whatever the source is; and what makes ranges of pages
 * comparable.
 */
#include <criterion/criterion.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/extract/folder.h"
#include "loaders/extract.h"
#include "loaders/load.h"
#include "tests/support/plans.h"

static char outer[64], folder[96];

static void make_folder(void)
{
    snprintf(outer, sizeof outer, "/tmp/stratify-extract.XXXXXX");
    cr_assert_not_null(mkdtemp(outer));
    snprintf(folder, sizeof folder, "%s/extract", outer);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", outer);
    cr_assert_eq(system(command), 0);
}

TestSuite(extract, .init = make_folder, .fini = remove_folder);

static Db *fill_database(const char *schema)
{
    char sql[256], *tables;
    uint8_t *bytes;
    Db *db = NULL;
    Err err = {0};
    size_t len;

    cr_assert_eq(db_open(&db, "", "test", &err), 0, "%s", err.text);
    snprintf(sql, sizeof sql,
             "drop schema if exists %s cascade; create schema %s; set search_path = %s",
             schema, schema, schema);
    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
    cr_assert_eq(file_read(&bytes, &len, "tests/data/load/tables.sql", &err), 0);
    tables = strndup((const char *)bytes, len);
    cr_assert_eq(db_exec(db, tables, &err), 0, "%s", err.text);
    free(tables);
    free(bytes);
    return db;
}

static void change(Db *db, const char *sql)
{
    Err err = {0};

    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
}

static void make(Plan *plan, int connections)
{
    ExtractOptions options = {folder, "", connections};
    Err err = {0};

    plan->mapped = plan->sources;
    plan->n_mapped = plan->n_sources;
    cr_assert_eq(extract_make(plan, &options, &err), 0, "%s", err.text);
}

static char *load_text(const Plan *plan, const char *extract, int connections)
{
    LoadOptions options = {
        .conninfo = "", .connections = connections, .extract = extract};
    Store store;
    Err err = {0};
    char *text;

    cr_assert_eq(load_store(&store, plan, &options, &err), 0, "%s", err.text);
    text = plans_dump(&store, plan);
    store_free(&store, plan);
    return text;
}

/* Of everything but opt-outs, which are never read from an extract. */
static void expect_same(const Plan *plan, const char *what)
{
    char *want = load_text(plan, NULL, 2);

    for (int connections = 1; connections <= 5; connections += 2) {
        char *got = load_text(plan, folder, connections);

        cr_expect(strcmp(want, got) == 0, "%s, %d connections", what, connections);
        free(got);
    }
    cr_expect_gt(strlen(want), 1000);
    free(want);
}

Test(extract, gives_the_store_of_the_tables)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "extract_same");
    Db *db = fill_database("extract_same");

    make(plan, 3);
    expect_same(plan, "made");
    change(db,
           "delete from t_gp where date = '2020-05-05'; insert into t_gp select id + 1, "
           "date, code, value from t_gp where code = 60621009;"
           "insert into t_people select id * 3 + 1, birth, death, test, sex, imd from "
           "t_people where id % 17 = 0; update t_spells set method = '28'");
    make(plan, 2);
    expect_same(plan, "brought up to date");
    change(db,
           "truncate t_rx; insert into t_gp values (null, '2024-01-01', 217082002, 1), "
           "(2000006, 'infinity', 217082002, 1), (2000006, '-infinity', 217082002, 1)");
    make(plan, 1);
    expect_same(plan, "and again");
    db_close(db);
    arena_free(arena);
}

Test(extract, of_text_ids_and_rows_that_name_their_system)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "extract_text");
    Db *db = fill_database("extract_text");
    Source *gp = plans_source(plan, "gp");
    Column *columns = arena_alloc(arena, 5, sizeof *columns);

    change(db, "alter table t_gp add system text; update t_gp set system = case code % 4 "
               "when 0 then 'snomed' when 1 then 'SNOMED' when 2 then 'icd10' end");
    for (size_t t = 0; t < 6; t++) {
        static const char *const TABLES[] = {"people", "registrations", "opt_outs", "gp",
                                             "rx",     "spells"};
        char sql[128];

        snprintf(sql, sizeof sql, "alter table t_%s alter id type text", TABLES[t]);
        change(db, sql);
        plans_source(plan, TABLES[t])->text_person = true;
    }
    memcpy(columns, gp->columns, (size_t)gp->n_columns * sizeof *columns);
    columns[gp->n_columns++] = (Column){"system", FIELD_SYSTEM, -1, gp->where};
    gp->columns = columns;
    make(plan, 2);
    expect_same(plan, "text ids");
    db_close(db);
    arena_free(arena);
}

Test(extract, of_rows_that_count_once_by_all_they_have)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "extract_once");
    Db *db = fill_database("extract_once");

    plans_source(plan, "gp")->is_unique = true;
    plans_source(plan, "rx")->is_unique = true;
    change(db, "insert into t_gp select * from t_gp where code = 217082002;"
               "insert into t_rx select * from t_rx where id % 3 = 0");
    make(plan, 2);
    expect_same(plan, "rows that count once");
    db_close(db);
    arena_free(arena);
}

Test(extract, of_views_and_partitions)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "extract_views");
    Db *db = fill_database("extract_views");

    change(
        db,
        "alter table t_gp rename to gp_rows; create view t_gp as select * from gp_rows;"
        "alter table t_rx rename to rx_rows; create table t_rx (like rx_rows) partition "
        "by hash (id); create table rx_0 partition of t_rx for values with (modulus 2, "
        "remainder 0); create table rx_1 partition of t_rx for values with (modulus 2, "
        "remainder 1); insert into t_rx select * from rx_rows;"
        "create table more () inherits (t_spells); insert into more select * from "
        "t_spells where id % 5 = 0;"
        "alter table t_people set unlogged");
    make(plan, 2);
    expect_same(plan, "made");
    change(db,
           "delete from gp_rows where id % 3 = 0; delete from rx_1 where id % 4 = 0;"
           "delete from more where id % 2 = 0; delete from t_people where id % 71 = 0");
    make(plan, 2);
    expect_same(plan, "brought up to date");
    db_close(db);
    arena_free(arena);
}

Test(extract, without_a_column_is_refused)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_postgres, "extract_less");
    Db *db = fill_database("extract_less");
    LoadOptions options = {.conninfo = "", .connections = 1, .extract = folder};
    Source *spells = plans_source(plan, "spells");
    int n_columns = spells->n_columns;
    Store store;
    Err err = {0};

    spells->n_columns--;
    make(plan, 1);
    spells->n_columns = n_columns;
    cr_expect_eq(load_store(&store, plan, &options, &err), -1);
    store_free(&store, plan);
    cr_expect_eq(err.kind, ERR_CONFIG);
    cr_expect(strstr(err.text,
                     "column \"key\" is not in the extract, or not for this use") != NULL,
              "%s", err.text);
    db_close(db);
    arena_free(arena);
}

/* One row is one pair of snapshots. */
static const struct {
    const char *name, *server;
    uint64_t old_xmin, xmin, xmax, old_log, log;
    bool can;
} PAIRS[] = {
    {"a night later", "a", 1000, 5000, 5010, 70, 90, true},
    {"nothing in between", "a", 1000, 1000, 1000, 70, 70, true},
    {"another server, or a timeline of it", "b", 1000, 5000, 5010, 70, 90, false},
    {"a server that may not be asked", NULL, 1000, 5000, 5010, 70, 90, false},
    {"a server put back to an earlier state", "a", 1000, 900, 910, 70, 60, false},
    {"a standby that lags behind", "a", 1000, 1000, 1010, 70, 69, false},
    {"an extract that does not know its log", "a", 1000, 5000, 5010, 0, 90, false},
    {"an extract without transactions", "a", 0, 900, 910, 70, 90, false},
    {"just near enough", "a", 7, 8, 6 + (UINT64_C(1) << 30), 70, 90, true},
    {"just too far", "a", 7, 8, 7 + (UINT64_C(1) << 30), 70, 90, false},
    {"over the end of 32 bits", "a", UINT64_C(0xfffffff0), UINT64_C(0x100000010),
     UINT64_C(0x100000020), 70, 90, true},
    {"once round", "a", 1000, UINT64_C(0x100000000) + 1000, UINT64_C(0x100000000) + 1000,
     70, 90, false},
};

Test(extract, snapshots_that_can_be_compared)
{
    for (size_t p = 0; p < sizeof PAIRS / sizeof *PAIRS; p++) {
        Manifest old = {
            .server = "a", .xmin = PAIRS[p].old_xmin, .log_after = PAIRS[p].old_log};
        ServerState now = {.server = PAIRS[p].server,
                           .xmin = PAIRS[p].xmin,
                           .xmax = PAIRS[p].xmax,
                           .log_after = PAIRS[p].log};

        cr_expect_eq(pages_can_compare(&old, &now), PAIRS[p].can, "%s", PAIRS[p].name);
    }
}
