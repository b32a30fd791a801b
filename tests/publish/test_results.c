/* What sql/ promises of the results. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/desk.h"

TestSuite(results, .init = desk_open, .fini = desk_close);

Test(results, init_again_changes_nothing)
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

    cr_expect_eq(publish_init(database, false, &err), 0, "%s", err.text);
    cr_expect_str_eq(ask(db, CATALOGUE), before);
    publish_four(db);
    before = seen(db);
    cr_expect_eq(publish_init(database, false, &err), 0, "%s", err.text);
    cr_expect_str_eq(seen(db), before);
    db_close(db);
}

/* Earlier versions let care see exact counts and means of the whole area. */
Test(results, init_again_takes_back_what_was_granted)
{
    Db *db = session();
    Err err = {0};

    ask(db, "grant select on stratify.run_model to stratify_care");
    cr_expect_eq(publish_init(database, false, &err), 0, "%s", err.text);
    cr_expect_str_eq(ask(db, "select has_table_privilege('stratify_care', "
                             "'stratify.run_model', 'select')"),
                     "f");
    db_close(db);
}

Test(results, everything_has_a_comment)
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

Test(results, rows_of_a_run_never_change)
{
    static const char *const CHANGES[] = {
        "update stratify.person set score = '{1}'",
        "delete from stratify.person",
        "insert into stratify.person values (1, 5, 'P1', 3, 0, '{}', '{}', '{}', '{}')",
        "update stratify.person_r1 set age = 1",
        "update stratify.person_r1_p0 set age = 1",
        "delete from stratify.cohort_member_r1",
        "truncate stratify.person",
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

Test(results, old_runs_go_whole)
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

/* What is counted over the whole area is exact there, and of few people: see public_. */
static const char CARE_COLUMNS[] =
    "select string_agg(attname, ' ' order by attname) from pg_attribute "
    "where attrelid = 'stratify.run_model'::regclass and attnum > 0 "
    "and has_column_privilege(attrelid, attnum, 'select')";

/* A clinician of P1 sees P1; the team of PCN B its own list; nobody anything else. */
Test(results, who_sees_whom)
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
    cr_expect_str_eq(ask(db, "select count(*) from stratify.person"), "2");
    cr_expect_str_eq(ask(db, "select string_agg(group_code, '') "
                             "from stratify.current_cohort_member"),
                     "A");
    cr_expect_str_eq(refusal(db, "select * from stratify.run_count"),
                     "permission denied for table run_count");
    cr_expect_str_eq(refusal(db, "select * from stratify.person_r1_p0"),
                     "permission denied for table person_r1_p0");
    cr_expect_str_eq(ask(db, CARE_COLUMNS),
                     "decimals horizon is_illustrative kind licence model model_no "
                     "outcome run_id source title version");
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
