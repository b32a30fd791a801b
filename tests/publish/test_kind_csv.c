#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/publish/publish.h"
#include "tests/support/town.h"

static char home[] = "/tmp/stratify-csv.XXXXXX";

static void make_home(void)
{
    cr_assert_not_null(mkdtemp(home));
    cr_assert_eq(chdir(home), 0);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void remove_home(void)
{
    nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(kind_csv, .init = make_home, .fini = remove_home);

/* The text of a table in the folder; NULL without one. */
static char *text_of(const char *folder, const char *table)
{
    static char text[65536];
    char path[256];
    gzFile file;
    int n;

    snprintf(path, sizeof path, "%s/%s.csv.gz", folder, table);
    file = gzopen(path, "rb");
    if (file == NULL)
        return NULL;
    n = gzread(file, text, sizeof text - 1);
    gzclose(file);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static Town *three(void)
{
    Town *town = town_new(3);

    for (int i = 0; i < 3; i++) {
        town->scores.score[TOWN_RISK][i] = 0.1 + 0.3 * i;
        town->scores.score[TOWN_COUNT][i] = 2 * i;
        town->matches.cohort[i] = i != 1;
    }
    town->store.practice[2] = 2;
    town->scores.score[TOWN_RISK][0] = NAN;
    town->scores.outcome[TOWN_RISK][0] = 1;
    return town;
}

static int publish(Town *town, const char *out, Err *err)
{
    RunInfo info = {
        .out = out, .version = "1.0", .started_by = "test", .started = 1760000000};
    Publication *publication;
    int rc = publish_open(&publication, &town->plan, &info, err);

    if (rc != 0)
        return rc;
    town_previous(town, publication_previous(publication));
    town_build(town);
    rc = publish_all(publication, &town->results, &info, err);
    publish_close(publication);
    return rc;
}

Test(kind_csv, tables_of_a_run)
{
    Town *town = three();
    Err err = {0};

    town->store.area.groups[GROUPING_PRACTICE][0].name = "=Dr \"No\", partners";
    town->store.area.groups[GROUPING_PRACTICE][1].name = "-2";
    town->store.area.groups[GROUPING_PRACTICE][2].name = "The\r\nSurgery";
    town->scores.flag[TOWN_RISK][1] = FLAG_CLAMPED;
    town->scores.flag[TOWN_RISK][2] = FLAG_CLAMPED | FLAG_IMPUTED;
    town->scores.replaced[TOWN_RISK][0] = (InputCount){1, 1, 1};
    cr_assert_eq(publish(town, "out", &err), 0, "%s", err.text);
    cr_expect_str_eq(
        text_of("out", "run"),
        "status,title,purpose,as_of,people,known,config_hash,program_version"
        "\r\n"
        "published,Town,direct-care,2025-07-01,3,3,"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,1.0"
        "\r\n");
    cr_expect_str_eq(text_of("out", "run_group"),
                     "grouping,code,name,people\r\n"
                     "all,all,all,3\r\n"
                     "all,,,0\r\n"
                     "practice,P1,\"'=Dr \"\"No\"\", partners\",2\r\n"
                     "practice,P2,'-2,0\r\n"
                     "practice,P3,\"The\r\nSurgery\",1\r\n"
                     "practice,P4,P4,0\r\n"
                     "practice,,,0\r\n"
                     "pcn,A,A,2\r\n"
                     "pcn,B,B,1\r\n"
                     "pcn,,,0\r\n");
    cr_expect_str_eq(
        text_of("out", "cohort_member"),
        "cohort,group_code,rank,person_id,movement,left_reason,practice_code,"
        "age,segment_no,scores,reasons,explanation\r\n"
        "watch,A,1,100,new,,P1,75,1,\"{\"\"risk\"\": {\"\"score\"\": null}}\",,"
        "[]\r\n"
        "watch,B,1,102,new,,P3,75,1,\"{\"\"risk\"\": {\"\"score\"\": 0.7, "
        "\"\"band\"\": \"\"high\"\", "
        "\"\"flag\"\": \"\"clamped and imputed\"\"}}\",,[]\r\n");
    cr_expect_str_eq(text_of("out", "run_input"),
                     "model_no,input_no,input,clamped_below,clamped_above,imputed\r\n"
                     "0,0,Weight,1,1,1\r\n");
    cr_expect_str_eq(
        text_of("out", "person"),
        "person_id,practice_code,age,segment_no,"
        "risk_score,risk_outcome,risk_band,risk_flag,"
        "risk_rank_all,risk_rank_practice,risk_rank_pcn,"
        "count_score,count_outcome,count_band,count_flag,"
        "count_rank_all,count_rank_practice,count_rank_pcn\r\n"
        "100,P1,75,1,,under 18,,,,,,0,scored,,,3,2,2\r\n"
        "101,P1,75,1,0.4,scored,low,clamped,2,1,1,2,scored,,,2,1,1\r\n"
        "102,P3,75,1,0.7,scored,high,clamped and imputed,1,1,1,4,scored,,,1,1,1\r\n");
    town_free(town);
}

static size_t bytes_of(const char *path, unsigned char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t n;

    cr_assert_not_null(file);
    n = fread(bytes, 1, room, file);
    fclose(file);
    return n;
}

Test(kind_csv, the_same_results_give_the_same_bytes)
{
    static unsigned char one[65536], other[65536];
    Town *first = three(), *second = three();
    Err err = {0};
    size_t n;

    cr_assert_eq(publish(first, "one", &err), 0, "%s", err.text);
    cr_assert_eq(publish(second, "other", &err), 0, "%s", err.text);
    n = bytes_of("one/person.csv.gz", one, sizeof one);
    cr_expect_eq(n, bytes_of("other/person.csv.gz", other, sizeof other));
    cr_expect_eq(memcmp(one, other, n), 0);
    cr_expect_eq(memcmp(one, "\x1f\x8b\x08\0\0\0\0\0", 8), 0, "no name, no time");
    town_free(first);
    town_free(second);
}

/* The second run reads the first from the folder that it then replaces. */
Test(kind_csv, the_next_run_compares_with_the_folder)
{
    Town *first = three(), *second = three();
    Err err = {0};

    cr_assert_eq(publish(first, "out/", &err), 0, "%s", err.text);
    second->matches.cohort[0] = 0;
    second->matches.cohort[1] = 1;
    cr_assert_eq(publish(second, "out", &err), 0, "%s", err.text);
    cr_expect(second->previous.is_found);
    cr_expect_eq(second->previous.n_people, 3);
    cr_expect_eq(second->previous.n_members, 2);
    cr_expect_eq(second->previous.n_practices, 2);
    cr_expect_eq(second->previous.mean_score[TOWN_COUNT], 2);
    cr_expect_eq(second->previous.list_rows[0], 0);
    cr_expect_eq(second->previous.source_rows[TOWN_PEOPLE_SOURCE], 3);
    cr_expect_str_eq(
        text_of("out", "cohort_member"),
        "cohort,group_code,rank,person_id,movement,left_reason,practice_code,"
        "age,segment_no,scores,reasons,explanation\r\n"
        "watch,A,1,101,new,,P1,75,1,\"{\"\"risk\"\": {\"\"score\"\": 0.4, "
        "\"\"band\"\": \"\"low\"\"}}\",,[]\r\n"
        "watch,A,0,100,left,no longer meets the rule,P1,75,1,\"{\"\"risk\"\": "
        "{\"\"score\"\": null}}\",,\r\n"
        "watch,B,1,102,continuing,,P3,75,1,\"{\"\"risk\"\": {\"\"score\"\": "
        "0.7, \"\"band\"\": \"\"high\"\"}}\",,[]\r\n");
    cr_expect_neq(access("out.part", F_OK), 0);
    town_free(first);
    town_free(second);
}

Test(kind_csv, a_folder_of_something_else_is_refused)
{
    Town *town = three();
    Err err = {0};

    mkdir("out", 0700);
    close(open("out/thesis.txt", O_CREAT | O_WRONLY, 0600));
    cr_expect_eq(publish(town, "out", &err), -1);
    cr_expect_eq(err.kind, ERR_USAGE);
    cr_expect_str_eq(err.text, "out: is there, and is not the output of an earlier run\n"
                               "    hint: name a new folder");
    cr_expect_eq(access("out/thesis.txt", F_OK), 0);
    town_free(town);
}

Test(kind_csv, what_a_killed_run_left_is_cleared)
{
    Town *town = three();
    Err err = {0};

    mkdir("out.part", 0700);
    close(open("out.part/old_table.csv.gz", O_CREAT | O_WRONLY, 0600));
    cr_assert_eq(publish(town, "out", &err), 0, "%s", err.text);
    cr_expect_neq(access("out/old_table.csv.gz", F_OK), 0);
    cr_expect_neq(access("out.part", F_OK), 0);
    town_free(town);
}

Test(kind_csv, two_runs_do_not_mix)
{
    Town *town = three();
    Err err = {0};
    int lock;

    mkdir("out.part", 0700);
    lock = open("out.part", O_RDONLY);
    cr_assert_eq(flock(lock, LOCK_EX), 0);
    cr_expect_eq(publish(town, "out", &err), -1);
    cr_expect_eq(err.kind, ERR_LOCKED);
    cr_expect_str_eq(err.text, "out.part: another run is writing there");
    close(lock);
    town_free(town);
}

Test(kind_csv, a_run_that_does_not_reconcile_leaves_the_folder_alone)
{
    Town *first = three(), *second = three();
    Err err = {0};

    cr_assert_eq(publish(first, "out", &err), 0, "%s", err.text);
    second->store.n_known = 4;
    cr_expect_eq(publish(second, "out", &err), -1);
    cr_expect_eq(err.kind, ERR_GATE);
    cr_expect_eq(
        strncmp(strstr(text_of("out", "run"), "2025-07-01"), "2025-07-01,3,3", 14), 0);
    cr_expect_neq(access("out.part", F_OK), 0);
    town_free(first);
    town_free(second);
}

Test(kind_csv, a_place_that_cannot_be_written)
{
    Town *town = three();
    Err err = {0};

    cr_expect_eq(publish(town, "no/such/out", &err), -1);
    cr_expect_eq(err.kind, ERR_PUBLISH);
    cr_expect_str_eq(err.text,
                     "no/such/out: could not make the folder: No such file or directory");
    town_free(town);
}

Test(kind_csv, a_folder_of_another_version_is_said)
{
    Town *town = three();
    Err err = {0};
    gzFile file;

    mkdir("out", 0700);
    file = gzopen("out/run.csv.gz", "wb");
    gzputs(file, "persons\r\n3\r\n");
    gzclose(file);
    cr_expect_eq(publish(town, "out", &err), -1);
    cr_expect_str_eq(err.text, "out/run.csv.gz: is not as this version writes it");
    town_free(town);
}
