#include "engine/publish/publish.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tests/support/desk.h"

TestSuite(publish, .init = desk_open, .fini = desk_close);

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

Test(publish, flags_in_words_and_counted)
{
    Db *db = session();
    Town *town = four();
    Err err = {0};

    town->scores.flag[TOWN_RISK][1] = FLAG_IMPUTED;
    town->scores.flag[TOWN_RISK][2] = FLAG_CLAMPED | FLAG_IMPUTED;
    town->scores.replaced[TOWN_RISK][0] = (InputCount){1, 0, 2};
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    cr_expect_str_eq(ask(db,
                         "select string_agg(concat_ws(' ', model, person_id, flag), ', ' "
                         "order by model, person_id) from stratify.current_score "
                         "where flag is not null"),
                     "risk 101 imputed, risk 102 clamped and imputed");
    cr_expect_str_eq(ask(db, "select string_agg(person_id || ' ' || coalesce(flag::text, "
                             "'none'), ', ' order by person_id) from stratify.person"),
                     "100 none, 101 {2,0}, 102 {3,0}, 103 none");
    cr_expect_str_eq(
        ask(db, "select string_agg(concat_ws(' ', model, scored, clamped, m.imputed, "
                "input, clamped_below, clamped_above, i.imputed), ', ' order by model) "
                "from stratify.run_model m "
                "left join stratify.run_input i using (run_id, model_no)"),
        "count 4 0 0, risk 3 1 2 Weight 1 0 2");
    cr_expect_str_eq(ask(db, "select scores from stratify.current_cohort_member "
                             "where person_id = 102"),
                     "{\"risk\": {\"band\": \"low\", \"flag\": \"clamped and imputed\", "
                     "\"score\": 0.4}}");
    town_free(town);
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
    cr_expect_str_eq(err.text,
                     "database: could not run a statement: there is no run 99\n    hint: "
                     "`stratify runs` lists the runs that are kept");
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
    cr_expect_str_eq(ask(db, "select count(*) from stratify.person where run_id = 2"),
                     "4");
    cr_expect_eq(publish_switch(database, 2, &err), -1);
    cr_expect_str_eq(err.text,
                     "database: could not run a statement: run 2 is a shadow run, "
                     "which is never made current\n"
                     "    hint: `stratify runs` lists the runs that are kept");
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

/* Of the lists, or of people, whoever came first. */
static bool misses_key_table(const char *text)
{
    static const char *const PARTS[] = {"unknown", "integer"};
    char want[160];

    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        snprintf(want, sizeof want,
                 "database: could not run a statement: function "
                 "stratify.key_table(unknown, integer, %s) does not exist",
                 PARTS[i]);
        if (strcmp(text, want) == 0)
            return true;
    }
    return false;
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
    cr_expect(misses_key_table(err.text), "%s", err.text);
    ask(db, "alter function stratify.other_table rename to key_table");
    ask(db, "alter table stratify.person add column more int not null default 1");
    ask(db, "alter table stratify.person alter column more drop default");
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
    ask(db, "select stratify.stage_table('person', 77, 0, '{5}'), "
            "stratify.stage_table('person', 77, 1, '{5}'), "
            "stratify.stage_table('cohort_member', 77, null, '{5}')");
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

/* A killed run holds the lock until the server notices. */
Test(publish, a_lock_that_goes_is_waited_for)
{
    Db *db = session();
    Town *town = four();
    RunInfo info = info_of(2);
    Publication *publication;
    PGresult *result;
    Err err = {0};

    ask(db, "select pg_advisory_lock(8391464620197537901)");
    cr_assert_eq(PQsendQuery(db_conn(db), "select pg_sleep(1); "
                                          "select pg_advisory_unlock_all()"),
                 1);
    PQflush(db_conn(db));
    cr_assert_eq(publish_open(&publication, &town->plan, &info, &err), 0, "%s", err.text);
    publish_close(publication);
    while ((result = PQgetResult(db_conn(db))) != NULL)
        PQclear(result);
    town_free(town);
    db_close(db);
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
