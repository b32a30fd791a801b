#include "engine/publish/diff.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/support/desk.h"

TestSuite(diff, .init = desk_open, .fini = desk_close);

/* What is printed, without the blanks at the ends of lines; to be freed. */
static char *printed(const char *first, const char *second, const char *out, Err *err)
{
    const char *const runs[2] = {first, second};
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    int rc = diff_runs(file, database, runs, out, err);

    fclose(file);
    cr_expect_eq(rc, err->n_reports > 0 ? -1 : 0);
    return trimmed(text);
}

/* Beside four(): 101 rises into the band high and joins the list, 100 meets the rule no
 * more, 103 moves to P1. */
static void publish_other(void)
{
    Town *town = four();
    RunInfo info = info_of(2);
    Err err = {0};

    town->scores.score[TOWN_RISK][1] = 0.9;
    town->matches.cohort[0] = 0;
    town->matches.cohort[1] = 1;
    town->store.practice[3] = 0;
    info.is_shadow = true;
    cr_assert_eq(publish_with(town, &info, &err), 0, "%s", err.text);
    town_free(town);
}

Test(diff, two_runs_in_numbers)
{
    Db *db = session();
    char *text;
    Err err = {0};

    publish_four(db);
    publish_other();
    text = printed("1", "2", NULL, &err);
    cr_expect_str_eq(err.text, "");
    cr_expect_str_eq(
        text,
        "RUN STATE     AS OF      CONFIG       PEOPLE IN BOTH\n"
        "  1 published 2025-07-01 aaaaaaaaaaaa      4       4\n"
        "  2 shadow    2025-07-01 aaaaaaaaaaaa      4       4\n"
        "\n"
        "People of whom a model says something else, and how far ranks among everyone "
        "move\n"
        "MODEL                    VERSION PEOPLE SCORE BAND UP DOWN RANK MEDIAN LARGEST\n"
        "risk                     1            3     1    1  1    0    3      1       2\n"
        "count                    1            0     0    0  0    0    0\n"
        "\n"
        "From which band to which\n"
        "MODEL FROM TO                           PEOPLE\n"
        "risk  low  high                              1\n"
        "\n"
        "Lists that change\n"
        "COHORT GROUP NAME STAY JOIN LEAVE BY MODEL\n"
        "watch  A     A       0    2     1 risk 1\n");
    free(text);
    db_close(db);
}

Test(diff, a_run_and_itself)
{
    Db *db = session();
    char *text;
    Err err = {0};

    publish_four(db);
    text = printed("1", "1", NULL, &err);
    cr_expect_str_eq(err.text, "");
    cr_expect_not_null(strstr(text, "Every band is as it was."));
    cr_expect_not_null(strstr(text, "Every list is as it was."));
    free(text);
    db_close(db);
}

Test(diff, every_difference_in_a_file)
{
    char name[] = "/tmp/stratify-diff.XXXXXX", text[4096];
    int handle = mkstemp(name), n;
    Db *db = session();
    struct stat info;
    gzFile file;
    Err err = {0};

    close(handle);
    unlink(name);
    publish_four(db);
    publish_other();
    free(printed("1", "2", name, &err));
    cr_expect_str_eq(err.text, "");
    cr_assert_eq(stat(name, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600u);
    file = gzopen(name, "rb");
    n = gzread(file, text, sizeof text - 1);
    gzclose(file);
    unlink(name);
    cr_assert_geq(n, 0);
    text[n] = '\0';
    cr_expect_str_eq(
        text,
        "kind,item,group_code,person_id,change,was,becomes,score_before,score_after,rank_"
        "before,rank_after,driver\n"
        "cohort,watch,A,100,off,,,,,1,,\n"
        "cohort,watch,A,101,on,,,,,,1,risk\n"
        "cohort,watch,A,103,on,,,,,,2,\n"
        "model,risk,,101,band,low,high,0.2,0.9,3,1,\n"
        "model,risk,,102,rank,low,low,0.4,0.4,2,3,\n"
        "model,risk,,103,rank,high,high,0.6000000000000001,0.6000000000000001,1,2,\n");
    db_close(db);
}

Test(diff, what_it_cannot_compare)
{
    Db *db = session();
    Err err = {0};

    publish_four(db);
    free(printed("1", "7", NULL, &err));
    cr_expect_eq(err.kind, ERR_USAGE);
    cr_expect_str_eq(err.text, "database: could not run a query: there is no run 7\n    "
                               "hint: `stratify runs` lists the runs that are kept");
    err_clear(&err);
    free(printed("1", "last", NULL, &err));
    cr_expect_eq(err.kind, ERR_USAGE);
    cr_expect_str_eq(err.text, "diff takes the numbers of two runs, not \"last\"; see "
                               "`stratify runs`");
    err_clear(&err);
    free(printed("1", "1", "/nowhere/file.csv.gz", &err));
    cr_expect_eq(err.kind, ERR_PUBLISH);
    cr_expect_str_eq(err.text,
                     "/nowhere/file.csv.gz: could not write: No such file or directory");
    db_close(db);
}

/* Readers of people and of counts see no run but the current one, so they compare
 * nothing. */
Test(diff, not_for_readers)
{
    Db *db = session();

    publish_four(db);
    publish_other();
    ask(db, "do $$ begin create role test_clinic in role stratify_care; exception when "
            "duplicate_object then null; end $$");
    ask(db, "set role test_clinic");
    cr_expect_str_eq(refusal(db, "select * from stratify.diff_people(1, 2)"),
                     "permission denied for function diff_people");
    cr_expect_str_eq(ask(db, "select string_agg(run_id::text, ' ') "
                             "from stratify.public_run"),
                     "1");
    ask(db, "reset role");
    cr_expect_str_eq(ask(db, "select string_agg(run_id || ' ' || status, ', ' "
                             "order by run_id) from stratify.public_run"),
                     "1 published, 2 shadow");
    db_close(db);
}
