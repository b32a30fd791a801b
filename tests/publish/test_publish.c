#include "engine/publish/publish.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/db/db.h"
#include "tests/support/town.h"

/* Every test has a database of its own on the throwaway server. */
static char database[64];

static const char *ask(Db *db, const char *sql)
{
    static char text[8][4096];
    static int turn;
    Err err = {0};
    PGresult *result = db_query(db, sql, 0, NULL, &err);
    char *out = text[turn++ % 8];

    cr_assert_not_null(result, "%s", err.text);
    snprintf(out, sizeof text[0], "%s",
             PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return out;
}

static Db *session(void)
{
    Db *db;
    Err err = {0};

    cr_assert_eq(db_open(&db, database, "test", &err), 0, "%s", err.text);
    return db;
}

/* The words of the server's refusal, or "" when it does not refuse. */
static const char *refusal(Db *db, const char *sql)
{
    static char text[512];
    PGresult *result = PQexec(db_conn(db), sql);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    snprintf(text, sizeof text, "%s", words == NULL ? "" : words);
    PQclear(result);
    return text;
}

static void make_database(void)
{
    char name[40], sql[80];
    Db *db;
    Err err = {0};

    snprintf(name, sizeof name, "publish_%d", (int)getpid());
    snprintf(sql, sizeof sql, "create database %s", name);
    cr_assert_eq(db_open(&db, "", "test", &err), 0, "%s", err.text);
    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
    db_close(db);
    snprintf(database, sizeof database, "dbname=%s", name);
    cr_assert_eq(publish_init(database, &err), 0, "%s", err.text);
}

static void drop_database(void)
{
    char sql[120];
    Db *db;
    Err err = {0};

    snprintf(sql, sizeof sql, "drop database %s with (force)",
             database + strlen("dbname="));
    if (db_open(&db, "", "test", &err) == 0)
        db_exec(db, sql, &err);
    db_close(db);
}

TestSuite(publish, .init = make_database, .fini = drop_database);

/* People 0 and 1 of P1, 2 of P3, 3 of P4; all but 1 on the list where there is one. */
static Town *four(void)
{
    static const uint16_t PRACTICE[4] = {0, 0, 2, 3};
    Town *town = town_new(4);

    for (int i = 0; i < 4; i++) {
        town->store.practice[i] = PRACTICE[i];
        town->scores.score[TOWN_RISK][i] = 0.2 * i;
        town->scores.score[TOWN_COUNT][i] = i / 3.0;
        town->matches.cohort[i] = i != 1;
    }
    town->scores.score[TOWN_RISK][0] = NAN;
    town->scores.outcome[TOWN_RISK][0] = 2;
    return town;
}

static RunInfo info_of(int connections)
{
    static const StageTime stages[] = {{"load", 1.5, 1.25, 100, 5000, 1 << 20}};

    return (RunInfo){.conninfo = database,
                     .connections = connections,
                     .version = "1.0",
                     .started_by = "test",
                     .started = 1760000000,
                     .stages = stages,
                     .n_stages = 1};
}

static int publish_with(Town *town, const RunInfo *info, Err *err)
{
    Publication *publication;
    int rc = publish_open(&publication, &town->plan, info, err);

    if (rc != 0)
        return rc;
    town_previous(town, publication_previous(publication));
    town_build(town);
    rc = publish_all(publication, &town->results, info, err);
    publish_close(publication);
    return rc;
}

static int publish(Town *town, Err *err)
{
    RunInfo info = info_of(2);

    return publish_with(town, &info, err);
}

/* Publishes four(), and returns the number of the run. */
static const char *publish_four(Db *db)
{
    Town *town = four();
    Err err = {0};

    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    town_free(town);
    return ask(db, "select run_id from stratify.current_run");
}

/* Everything that readers see, as one line. */
static const char *seen(Db *db)
{
    return ask(db, "select concat_ws(' / ', "
                   "(select string_agg(p::text, ' ' order by person_id) "
                   " from stratify.current_person p), "
                   "(select string_agg(s::text, ' ' order by model, person_id) "
                   " from stratify.current_score s), "
                   "(select string_agg(m::text, ' ' order by cohort, group_code, rank) "
                   " from stratify.current_cohort_member m))");
}

Test(publish, init_again_changes_nothing)
{
    static const char CATALOGUE[] =
        "select md5(string_agg(t::text, ' ' order by t::text)) from ("
        "select c.oid::text, relname::text, relowner, relacl::text, relrowsecurity, "
        "relhastriggers from pg_class c where relnamespace = 'stratify'::regnamespace "
        "union all select oid::text, polname, polrelid, pg_get_expr(polqual, polrelid), "
        "true, true from pg_policy "
        "union all select oid::text, tgname, tgrelid, '', true, true from pg_trigger) t";
    Db *db = session();
    const char *before = ask(db, CATALOGUE);
    Err err = {0};

    cr_expect_eq(publish_init(database, &err), 0, "%s", err.text);
    cr_expect_str_eq(ask(db, CATALOGUE), before);
    publish_four(db);
    before = seen(db);
    cr_expect_eq(publish_init(database, &err), 0, "%s", err.text);
    cr_expect_str_eq(seen(db), before);
    db_close(db);
}

Test(publish, everything_has_a_comment)
{
    Db *db = session();

    cr_expect_str_eq(ask(db,
                         "select string_agg(format('%s.%s', c.relname, a.attname), ' ') "
                         "from pg_class c join pg_attribute a on a.attrelid = c.oid "
                         "and a.attnum > 0 where relnamespace = 'stratify'::regnamespace "
                         "and relkind in ('r', 'p', 'v') and (obj_description(c.oid) is "
                         "null or col_description(c.oid, attnum) is null)"),
                     "");
    db_close(db);
}

Test(publish, a_run_is_there_whole)
{
    Db *db = session();
    const char *run = publish_four(db);

    cr_expect_str_eq(ask(db, "select status || ' ' || as_of || ' ' || people || ' ' || "
                             "purpose || ' ' || started_at from stratify.run"),
                     "published 2025-07-01 4 direct-care 2025-10-09 08:53:20+00");
    cr_expect_str_eq(ask(db, "select count(*) from stratify.current_person"), "4");
    cr_expect_str_eq(
        ask(db,
            "select string_agg(concat_ws(' ', person_id, score, band, outcome, rank_all, "
            "rank_practice, rank_1), ', ' order by person_id) "
            "from stratify.current_score where model = 'risk'"),
        "100 no weight, 101 0.2 low scored 3 1 1, 102 0.4 low scored 2 1 1, "
        "103 0.6000000000000001 high scored 1 1");
    cr_expect_str_eq(ask(db,
                         "select string_agg(concat_ws(' ', grouping, group_code, rank), "
                         "', ' order by grouping) from stratify.current_rank "
                         "where model = 'count' and person_id = 101"),
                     "all all 3, pcn A 1, practice P1 1");
    cr_expect_str_eq(
        ask(db, "select string_agg(concat_ws(' ', group_code, rank, person_id, movement, "
                "scores), ', ' order by group_code, rank) "
                "from stratify.current_cohort_member"),
        "A 1 100 new {\"risk\": {\"score\": null}}, "
        "B 1 102 new {\"risk\": {\"band\": \"low\", \"score\": 0.4}}");
    cr_expect_str_eq(ask(db,
                         "select string_agg(concat_ws(' ', outcome_no, band_no, people), "
                         "', ' order by outcome_no, band_no) from stratify.run_count "
                         "where model_no = 0 and grouping = 'pcn' and group_code = 'A'"),
                     "0 0 1, 0 1 0, 1 -1 0, 2 -1 1");
    cr_expect_str_eq(ask(db, "select count(*) from stratify.run_public_count "
                             "where people between 1 and 7"),
                     "0");
    cr_expect_str_eq(ask(db, "select string_agg(stage || ' ' || rows, ',') "
                             "from stratify.run_stage"),
                     "load 100");
    cr_expect_str_eq(ask(db, "select count(*) from pg_class c "
                             "where relnamespace = 'stratify'::regnamespace "
                             "and relname ~ '_r[0-9]+' and relkind in ('r', 'p') "
                             "and not relispartition"),
                     "0");
    cr_expect_str_neq(run, "");
    db_close(db);
}

Test(publish, one_connection_and_four_write_the_same)
{
    Db *db = session();
    const char *with_one, *with_four;

    for (int c = 1; c <= 4; c += 3) {
        Town *town = four();
        RunInfo info = info_of(c);
        Err err = {0};

        info.is_shadow = false;
        cr_assert_eq(publish_with(town, &info, &err), 0, "%s", err.text);
        town_free(town);
        if (c == 1) {
            with_one = ask(db, "select md5(string_agg(s::text, ' ')) "
                               "from stratify.current_score s");
            continue;
        }
        with_four = ask(db, "select md5(string_agg(s::text, ' ')) "
                            "from stratify.current_score s");
        cr_expect_str_eq(with_one, with_four);
    }
    db_close(db);
}

Test(publish, the_next_run_compares_and_takes_over)
{
    Db *db = session();
    const char *first = publish_four(db);
    Town *town = four();
    Err err = {0};

    town->matches.cohort[0] = 0;
    town->matches.cohort[1] = 1;
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    cr_expect_eq(town->previous.n_people, 4);
    cr_expect_eq(town->previous.n_members, 2);
    cr_expect_eq(town->previous.n_practices, 3);
    cr_expect_float_eq(town->previous.mean_score[TOWN_RISK], 0.4, 1e-12);
    cr_expect_eq(town->previous.source_rows[TOWN_PEOPLE_SOURCE], 4);
    cr_expect_str_eq(
        ask(db, "select string_agg(concat_ws(' ', group_code, rank, person_id, movement, "
                "left_reason), ', ' order by group_code, movement = 'left', rank) "
                "from stratify.current_cohort_member"),
        "A 1 101 new, A 0 100 left no longer meets the rule, B 1 102 continuing");
    cr_expect_str_eq(ask(db,
                         "select string_agg(concat_ws(' ', previous_id, run_id), ', ' "
                         "order by switch_id) from stratify.run_switch"),
                     "1, 1 2");
    cr_expect_str_eq(first, "1");
    town_free(town);
    db_close(db);
}

Test(publish, going_back_is_moving_the_pointer)
{
    Db *db = session();
    const char *first = publish_four(db), *before = seen(db);
    Town *town = four();
    Err err = {0};

    town->scores.score[TOWN_COUNT][2] = 77;
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    cr_expect_str_neq(seen(db), before);
    cr_expect_eq(publish_switch(database, atoi(first), &err), 0, "%s", err.text);
    cr_expect_str_eq(seen(db), before);
    cr_expect_eq(publish_switch(database, 99, &err), -1);
    cr_expect_str_eq(err.text, "database: could not run a statement: there is no run 99");
    cr_expect_eq(err.kind, ERR_USAGE);
    town_free(town);
    db_close(db);
}

Test(publish, a_shadow_run_is_never_current)
{
    Db *db = session();
    const char *first = publish_four(db), *before = seen(db);
    Town *town = four();
    RunInfo info = info_of(2);
    Err err = {0};

    info.is_shadow = true;
    town->scores.score[TOWN_COUNT][2] = 77;
    cr_assert_eq(publish_with(town, &info, &err), 0, "%s", err.text);
    cr_expect_str_eq(ask(db, "select run_id from stratify.current_run"), first);
    cr_expect_str_eq(seen(db), before);
    cr_expect_str_eq(ask(db, "select count(*) from stratify.score where run_id = 2"),
                     "8");
    cr_expect_eq(publish_switch(database, 2, &err), -1);
    cr_expect_str_eq(err.text,
                     "database: could not run a statement: run 2 is a shadow run, "
                     "which is never made current");
    town_free(town);
    db_close(db);
}

Test(publish, a_failed_run_leaves_the_last_one)
{
    static Gate gate = {.id = "population_change",
                        .where = {"run.yaml", 3, 1},
                        .source = -1,
                        .limit = 0.1,
                        .severity = SEVERITY_STOP};
    Db *db = session();
    const char *first = publish_four(db), *before = seen(db);
    Town *unsound = four(), *stopped = town_new(3);
    Err err = {0};

    unsound->store.n_known = 5;
    cr_expect_eq(publish(unsound, &err), -1);
    cr_expect_str_eq(err.text,
                     "results: does not reconcile: people in the run and people "
                     "excluded: 4 of 5");
    err_clear(&err);
    stopped->plan.gates = &gate;
    stopped->plan.n_gates = 1;
    cr_expect_eq(publish(stopped, &err), -1);
    cr_expect_eq(err.kind, ERR_GATE);
    cr_expect_str_eq(ask(db, "select run_id from stratify.current_run"), first);
    cr_expect_str_eq(ask(db, "select count(*) from stratify.run"), "1");
    cr_expect_str_eq(seen(db), before);
    town_free(unsound);
    town_free(stopped);
    db_close(db);
}

/* The last transaction fails on its last statement: nothing of the run is seen, what it
 * staged is gone, and the next run succeeds. */
Test(publish, a_switch_that_fails_publishes_nothing)
{
    Db *db = session();
    const char *first = publish_four(db), *before = seen(db);
    Town *town = four(), *next = four();
    Err err = {0};

    ask(db, "alter table stratify.run_switch add constraint never check (run_id = 1)");
    cr_expect_eq(publish(town, &err), -1);
    cr_expect_eq(err.kind, ERR_PUBLISH);
    cr_expect_str_eq(err.text, "database: could not run a statement: SQLSTATE 23514");
    cr_expect_str_eq(ask(db, "select run_id from stratify.current_run"), first);
    cr_expect_str_eq(seen(db), before);
    cr_expect_str_eq(ask(db, "select count(*) from pg_class where relname ~ '_r2'"), "0");
    ask(db, "alter table stratify.run_switch drop constraint never");
    err_clear(&err);
    cr_expect_eq(publish(next, &err), 0, "%s", err.text);
    town_free(town);
    town_free(next);
    db_close(db);
}

/* A key that cannot be made, and a table that refuses a row. */
Test(publish, a_session_that_fails_publishes_nothing)
{
    Db *db = session();
    const char *first = publish_four(db), *before = seen(db);
    Town *town = four(), *other = four();
    Err err = {0};

    ask(db, "alter function stratify.key_table rename to other_table");
    cr_expect_eq(publish(town, &err), -1);
    cr_expect_eq(err.kind, ERR_PUBLISH);
    cr_expect_str_eq(err.text, "database: could not add a key: function "
                               "stratify.key_table(unknown, integer, integer) does not "
                               "exist");
    ask(db, "alter function stratify.other_table rename to key_table");
    ask(db, "drop table stratify.score cascade");
    ask(db,
        "create table stratify.score (run_id bigint not null, person_id bigint, "
        "score double precision not null, rank_all int, rank_practice int, rank_1 int, "
        "rank_2 int, rank_3 int, rank_4 int, rank_5 int, rank_6 int, model_no smallint, "
        "outcome_no smallint, band_no smallint, practice_code text) "
        "partition by list (run_id)");
    ask(db, "alter table stratify.score owner to stratify_writer");
    err_clear(&err);
    cr_expect_eq(publish(other, &err), -1);
    cr_expect_eq(err.kind, ERR_PUBLISH);
    cr_expect_str_eq(err.text, "database: could not write rows: SQLSTATE 23502");
    cr_expect_str_eq(ask(db, "select run_id from stratify.current_run"), first);
    cr_expect_str_eq(ask(db, "select count(*) from pg_class where relname ~ '_r[23]'"),
                     "0");
    cr_expect_str_neq(before, "");
    town_free(town);
    town_free(other);
    db_close(db);
}

Test(publish, what_a_killed_run_left_is_cleared)
{
    Db *db = session();
    Town *town = four();
    Err err = {0};

    ask(db, "set role stratify_writer");
    ask(db, "select stratify.stage_table('person', 77, null), "
            "stratify.stage_table('score', 77, 0)");
    ask(db, "reset role");
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    cr_expect_str_eq(ask(db, "select count(*) from pg_class where relname ~ '_r77'"),
                     "0");
    town_free(town);
    db_close(db);
}

Test(publish, two_runs_never_mix)
{
    Town *town = four();
    RunInfo info = info_of(2);
    Publication *one, *two;
    Err err = {0};

    cr_assert_eq(publish_open(&one, &town->plan, &info, &err), 0, "%s", err.text);
    cr_expect_gt(publication_run(one), 0);
    cr_expect_not(publication_previous(one)->is_found);
    cr_expect_eq(publish_open(&two, &town->plan, &info, &err), -1);
    cr_expect_null(two);
    cr_expect_eq(err.kind, ERR_LOCKED);
    cr_expect_str_eq(err.text,
                     "database: another run holds the lock\n"
                     "    hint: wait for it to end; its session is in pg_stat_activity");
    publish_close(one);
    err_clear(&err);
    cr_expect_eq(publish_open(&two, &town->plan, &info, &err), 0, "%s", err.text);
    publish_close(two);
    town_free(town);
}

Test(publish, without_the_schema)
{
    Db *db = session();
    Town *town = four();
    RunInfo info = info_of(2);
    Publication *publication;
    Err err = {0};

    ask(db, "drop schema stratify cascade");
    cr_expect_eq(publish_open(&publication, &town->plan, &info, &err), -1);
    cr_expect_eq(err.kind, ERR_CONFIG);
    cr_expect_str_eq(err.text, "database: the results schema \"stratify\" is not there\n"
                               "    hint: install it with `stratify init`");
    town_free(town);
    db_close(db);
}

Test(publish, rows_of_a_run_never_change)
{
    static const char *const CHANGES[] = {
        "update stratify.score set score = 1",
        "delete from stratify.person",
        "insert into stratify.person values (1, 5, 'P1', 3, 0)",
        "update stratify.score_r1_m0 set score = 1",
        "delete from stratify.cohort_member_r1",
        "truncate stratify.score",
        "truncate stratify.run_count",
        "update stratify.run set people = 1",
        "delete from stratify.run_count",
        "insert into stratify.run_exclusion values (1, 9, 'lost', 3)",
    };
    Db *db = session();
    const char *before;

    publish_four(db);
    before = seen(db);
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++)
        cr_expect_str_eq(refusal(db, CHANGES[i]), "the rows of a run never change", "%s",
                         CHANGES[i]);
    cr_expect_str_eq(seen(db), before);
    db_close(db);
}

Test(publish, old_runs_go_whole)
{
    Db *db = session();

    for (int i = 0; i < 4; i++) {
        Town *town = four();
        RunInfo info = info_of(1);
        Err err = {0};

        info.keep_runs = 2;
        cr_assert_eq(publish_with(town, &info, &err), 0, "%s", err.text);
        town_free(town);
    }
    cr_expect_str_eq(ask(db, "select string_agg(run_id::text, ' ' order by run_id) "
                             "from stratify.run"),
                     "3 4");
    cr_expect_str_eq(ask(db, "select count(*) from stratify.run_count where run_id < 3"),
                     "0");
    cr_expect_str_eq(
        ask(db, "select count(*) from pg_class where relname ~ '_r[12](_|$)'"), "0");
    cr_expect_neq(strlen(refusal(db, "select stratify.remove_run(4)")), 0);
    cr_expect_str_eq(ask(db, "select count(*) from stratify.current_person"), "4");
    db_close(db);
}

/* A clinician of P1 sees P1; the team of PCN B its own list; nobody anything else. */
Test(publish, who_sees_whom)
{
    Db *db = session();

    publish_four(db);
    ask(db, "do $$ begin create role test_p1 in role stratify_care; exception when "
            "duplicate_object then null; end $$");
    ask(db, "do $$ begin create role test_b in role stratify_care; exception when "
            "duplicate_object then null; end $$");
    ask(db, "do $$ begin create role test_count in role stratify_reader; exception when "
            "duplicate_object then null; end $$");
    ask(db, "insert into stratify.reader_area values ('test_p1', 'practice', 'P1'), "
            "('test_b', 'pcn', 'B')");
    ask(db, "set role test_p1");
    cr_expect_str_eq(ask(db, "select string_agg(person_id::text, ' ' order by person_id) "
                             "from stratify.current_person"),
                     "100 101");
    cr_expect_str_eq(ask(db, "select count(*) from stratify.current_score"), "4");
    cr_expect_str_eq(ask(db, "select count(*) from stratify.score"), "4");
    cr_expect_str_eq(ask(db, "select string_agg(group_code, '') "
                             "from stratify.current_cohort_member"),
                     "A");
    cr_expect_str_eq(refusal(db, "select * from stratify.run_count"),
                     "permission denied for table run_count");
    cr_expect_str_eq(refusal(db, "select * from stratify.score_r1_m0"),
                     "permission denied for table score_r1_m0");
    ask(db, "reset role");
    ask(db, "set role test_b");
    cr_expect_str_eq(ask(db, "select string_agg(person_id::text, ' ') "
                             "from stratify.current_person"),
                     "102");
    cr_expect_str_eq(ask(db, "select string_agg(person_id::text, ' ') "
                             "from stratify.current_cohort_member"),
                     "102");
    ask(db, "reset role");
    ask(db, "set role test_count");
    cr_expect_str_eq(ask(db, "select count(*) from stratify.public_count "
                             "where people between 1 and 7"),
                     "0");
    cr_expect_str_eq(refusal(db, "select * from stratify.current_person"),
                     "permission denied for view current_person");
    cr_expect_str_eq(refusal(db, "select * from stratify.run_public_count"),
                     "permission denied for table run_public_count");
    db_close(db);
}
