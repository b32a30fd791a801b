#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/db/db.h"

static Db *open_db(const char *purpose)
{
    Db *db = NULL;
    Err err = {0};

    cr_assert_eq(db_open(&db, "", purpose, &err), 0, "%s", err.text);
    return db;
}

static void expect_value(Db *db, const char *sql, const char *want)
{
    Err err = {0};
    PGresult *result = db_query(db, sql, 0, NULL, &err);

    cr_assert_not_null(result, "%s: %s", sql, err.text);
    cr_expect_str_eq(PQgetvalue(result, 0, 0), want, "%s", sql);
    PQclear(result);
}

static void run(Db *db, const char *sql)
{
    Err err = {0};

    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
}

Test(db, a_session_has_its_settings)
{
    Db *db = open_db("unit test");

    expect_value(db, "show application_name", "stratify unit test");
    expect_value(db, "show timezone", "UTC");
    expect_value(db, "show datestyle", "ISO, YMD");
    expect_value(db, "show client_encoding", "UTF8");
    expect_value(db, "show client_min_messages", "warning");
    expect_value(db, "show standard_conforming_strings", "on");
    db_close(db);
    db_close(NULL);
}

/* The test server is on this machine. */
Test(db, what_the_server_spends_is_known)
{
    Db *db = open_db("test"), *other = open_db("test");
    double before = db_server_cpu(db);
    char sql[64];

    run(db, "select count(*) from generate_series(1, 1000000)");
    cr_expect_gt(db_server_cpu(db), before);
    cr_expect_lt(db_server_cpu(db), 3600);
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%d, 60000)",
             PQbackendPID(db_conn(db)));
    run(other, sql);
    cr_expect(isnan(db_server_cpu(db)), "a session that has ended is not known");
    cr_expect(isnan(db_server_cpu(NULL)));
    db_close(db);
    db_close(other);
}

/* Kinds and words by what the server says; never a value of class 22 or 23. */
static const struct {
    const char *sql, *want;
    ErrKind kind;
} FAULTS[] = {
    {"select * from nothing",
     "could not run a statement: relation \"nothing\" does not exist", ERR_CONFIG},
    {"select 'secret'::int", "could not run a statement: SQLSTATE 22P02", ERR_DATA},
    {"create temp table t (a int unique); insert into t values (41), (41)",
     "could not run a statement: SQLSTATE 23505", ERR_DATA},
    {"select 1 from", "could not run a statement: syntax error at end of input",
     ERR_CONFIG},
    {"do $$ begin raise 'of our own' using errcode = 'P0002'; end $$",
     "could not run a statement: of our own", ERR_INTERNAL},
    {"do $$ begin raise 'of somebody: secret 41'; end $$",
     "could not run a statement: SQLSTATE P0001", ERR_INTERNAL},
    {"set lock_timeout = 1; do $$ begin raise 'busy' using errcode = '55P03'; end $$",
     "could not run a statement: busy\n    hint: another session changes the table, or "
     "waits to: try again",
     ERR_SOURCE},
    {"do $$ begin raise 'permission denied for table t' using errcode = '42501'; end $$",
     "could not run a statement: permission denied for table t\n    hint: grant it to "
     "the "
     "role that connects: select on a source, or stratify_writer, stratify_care or "
     "stratify_reader for results",
     ERR_CONFIG},
    {"do $$ begin raise 'no such role' using errcode = '28000'; end $$",
     "could not run a statement: no such role", ERR_CONFIG},
    {"select pg_terminate_backend(pg_backend_pid())",
     "could not run a statement: terminating connection due to administrator command",
     ERR_SOURCE},
};

Test(db, faults_have_a_kind_and_no_data)
{
    for (size_t f = 0; f < sizeof FAULTS / sizeof *FAULTS; f++) {
        Db *db = open_db("test");
        Err err = {0};
        char want[256];

        snprintf(want, sizeof want, "database: %s", FAULTS[f].want);
        cr_expect_eq(db_exec(db, FAULTS[f].sql, &err), -1);
        cr_expect_str_eq(err.text, want);
        cr_expect_eq(err.kind, FAULTS[f].kind, "%s: %d", FAULTS[f].sql, err.kind);
        cr_expect_null(strstr(err.text, "secret"));
        cr_expect_null(strstr(err.text, "41"));
        db_close(db);
    }
}

Test(db, parameters_are_values)
{
    Db *db = open_db("test");
    Err err = {0};
    const char *params[] = {"it's", NULL};
    PGresult *result =
        db_query(db, "select $1::text || ', ' || coalesce($2, 'null')", 2, params, &err);

    cr_assert_not_null(result);
    cr_expect_str_eq(PQgetvalue(result, 0, 0), "it's, null");
    PQclear(result);
    cr_expect_null(db_query(db, "select 1/0", 0, NULL, &err));
    cr_expect_str_eq(err.text, "database: could not run a query: SQLSTATE 22012");
    db_close(db);
}

Test(db, a_transaction_is_whole_or_nothing)
{
    Db *db = open_db("test");
    Err err = {0};

    run(db, "create temp table t (a int)");
    cr_expect_eq(db_begin(db, &err), 0);
    run(db, "insert into t values (1)");
    db_rollback(db);
    expect_value(db, "select count(*) from t", "0");
    cr_expect_eq(db_begin(db, &err), 0);
    run(db, "insert into t values (1)");
    cr_expect_eq(db_commit(db, &err), 0);
    expect_value(db, "select count(*) from t", "1");
    db_rollback(db); /* of nothing */
    cr_expect_eq(db_begin(db, &err), 0);
    cr_expect_eq(db_exec(db, "select 1/0", &err), -1);
    err_clear(&err);
    cr_expect_eq(db_commit(db, &err), -1);
    cr_expect_str_eq(err.text,
                     "database: could not commit: the transaction had failed before");
    db_close(db);
}

/* What is done to a table between the snapshot and the first look at it. */
static const struct {
    const char *sql;
    int want;
} MADE_ANEW[] = {
    {"insert into kept values (2)", 0},
    {"update kept set a = 3", 0},
    {"delete from kept", 0},
    {"truncate kept; insert into kept values (1)", -1},
    {"alter table kept alter a type bigint", -1},
    {"create table other (like kept); alter table kept rename to old; "
     "alter table other rename to kept",
     -1},
};

Test(db, a_table_made_anew_after_the_snapshot_is_noticed)
{
    for (size_t c = 0; c < sizeof MADE_ANEW / sizeof *MADE_ANEW; c++) {
        Db *writer = open_db("writer"), *reader = open_db("reader");
        char snapshot[SNAPSHOT_TEXT];
        Err err = {0};

        run(writer, "drop schema if exists anew cascade; create schema anew; "
                    "set search_path = anew; create table kept (a int); "
                    "insert into kept values (1)");
        cr_assert_eq(db_share_snapshot(reader, snapshot, &err), 0);
        run(writer, MADE_ANEW[c].sql);
        run(reader, "select from anew.kept limit 0");
        cr_expect_eq(db_check_snapshot(reader, &err), MADE_ANEW[c].want, "%s",
                     MADE_ANEW[c].sql);
        if (MADE_ANEW[c].want != 0)
            cr_expect_str_eq(err.text,
                             "database: what lay in anew.kept cannot be seen: it was "
                             "made anew while the run began\n"
                             "    hint: try again: the next run sees it");
        db_close(reader);
        run(writer, "drop schema anew cascade");
        db_close(writer);
    }
}

Test(db, sessions_that_join_see_the_same)
{
    Db *writer = open_db("writer"), *first = open_db("first"),
       *second = open_db("second");
    char snapshot[SNAPSHOT_TEXT];
    Err err = {0};

    run(writer, "drop table if exists db_snapshot; create table db_snapshot (a int)");
    cr_assert_eq(db_share_snapshot(first, snapshot, &err), 0, "%s", err.text);
    run(writer, "insert into db_snapshot values (1)");
    cr_assert_eq(db_join_snapshot(second, snapshot, &err), 0, "%s", err.text);
    expect_value(first, "select count(*) from db_snapshot", "0");
    expect_value(second, "select count(*) from db_snapshot", "0");
    expect_value(writer, "select count(*) from db_snapshot", "1");
    cr_expect_eq(db_exec(second, "delete from db_snapshot", &err), -1);
    cr_expect_str_eq(err.text,
                     "database: could not run a statement: cannot execute DELETE "
                     "in a read-only transaction");
    db_close(second);
    db_close(first);
    run(writer, "drop table db_snapshot");
    db_close(writer);
}

Test(db, names_and_texts_are_quoted)
{
    Arena *arena = arena_new();

    cr_expect_str_eq(db_quote_name(arena, "a"), "\"a\"");
    cr_expect_str_eq(db_quote_name(arena, "a\"b c"), "\"a\"\"b c\"");
    cr_expect_str_eq(db_quote_table(arena, "sid.Person"), "\"sid\".\"Person\"");
    cr_expect_str_eq(db_quote_table(arena, "person"), "\"person\"");
    cr_expect_str_eq(db_quote_text(arena, "it's \\ "), "'it''s \\ '");
    arena_free(arena);
}
