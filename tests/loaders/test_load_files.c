/*
 * test_load_files.c - whole loads of files, against figures worked out by hand. Loads of
 * databases are in test_load.c.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "loaders/kinds.h"
#include "loaders/load.h"
#include "tests/support/plans.h"

static const LoadOptions ONE = {.conninfo = "", .connections = 1};

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

static void write_file(const char *name, const char *text)
{
    char path[160];
    gzFile file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = gzopen(path, strstr(name, ".gz") != NULL ? "wb" : "wbT");
    cr_assert_not_null(file);
    if (*text != '\0')
        cr_assert_gt(gzwrite(file, text, (unsigned)strlen(text)), 0);
    cr_assert_eq(gzclose(file), Z_OK);
}

/* Twelve people, each with something of their own. */
static const char PEOPLE[] = "\xef\xbb\xbf"
                             "id,birth,death,test,sex,imd\r\n"
                             "1,1940-05-01,,false,1,3\r\n"
                             "2,1950-01-01,,no,F,\r\n"
                             "2,1950-01-01,,no,F,\r\n"         /* the same again */
                             "3,1960-01-01,2025-06-30,,M,1\n"  /* dead */
                             "4,1960-01-01,2025-07-01,f,M,1\n" /* alive on the day */
                             "5,,,,M,1\n"                      /* no birth date */
                             "6,2025-07-02,,,M,1\n"            /* not born */
                             "7,1960-01-01,,yes,M,1\n"         /* test patient */
                             "8,1960-01-01,,,M,1\n"            /* registered nowhere */
                             "9,1960-01-01,,,M,1\n"            /* outside the area */
                             "10,1960-01-01,,,M,1\n"           /* opted out */
                             "11,1960-01-01,,,M,1\n"           /* contradicts itself */
                             "11,1961-01-01,,,M,1\n"
                             "12,1900-01-01,,,M,1\n" /* born on a sentinel */
                             "13,1960-02-30,,,M,1\n" /* no such day */
                             "\"14\",1970-01-01,,,\"9\",\"10\"\n";

static const char REGISTRATIONS[] =
    "practice,end_date,id,start_date\n"
    "P1,,1,2000-01-01\n"
    "P2,2025-07-01,2,2001-01-01\n" /* ended: the end is not part of it */
    "P3,,2,2001-01-01\n"           /* wins: open end */
    "P1,2026-01-01,2,2001-01-01\n"
    "P1,,3,2000-01-01\nP1,,4,\nP1,,5,2000-01-01\nP1,,6,2000-01-01\nP1,,7,2000-01-01\n"
    "P1,,8,2025-07-02\n" /* later */
    "P9,,9,2000-01-01\n"
    "P1,,10,2000-01-01\nP1,,11,2000-01-01\nP1,,12,2000-01-01\n"
    "P2,,14,2010-01-01\n"
    "P1,2009-01-01,14,2010-01-01\n" /* ends before it starts */
    "P1,,99,2010-01-01\n"           /* nobody */
    ",,14,2011-01-01\n";            /* no practice */

static const char PRACTICES[] = "practice,name,pcn,pcn_name,locality\n"
                                "P1,One,A,North PCN,N\n"
                                "P2,Two,,,S\n"
                                "P3,\"Three, the\",B,,N\n"
                                "P4,Four,B,,N\n";

static const char OPT_OUTS[] = "id,type,date\n"
                               "10,type-1,2020-01-01\n"
                               "4,type-1,2025-07-02\n" /* after the day: holds */
                               "14,care,\n"            /* undated: holds */
                               "99,care,2020-01-01\n"
                               "1,other,2020-01-01\n";

static const char GP[] = "id,date,code,value\n"
                         "1,2020-01-01,217082002,\n"
                         "1,1900-01-01,217082002,\n" /* undated: counts for ever */
                         "1,,217082002,\n"           /* the same */
                         "1,2025-07-01,217082002,\n" /* on the day: later */
                         "1,2025-01-01,60621009,31.5\n"
                         "1,2025-01-01,60621009,30\n" /* not above 30 */
                         "1,2020-01-01,60621009,40\n" /* before the window */
                         "1,1939-01-01,217082002,\n"  /* before birth */
                         "1,2025-01-01,73211009,\n"   /* on no list */
                         "1,2025-01-01,abc,\n"        /* no code */
                         "1,2025-01-01,217082002,x\n" /* no number */
                         "1,2025-13-01,217082002,\n"  /* no day */
                         ",2025-01-01,217082002,\n"   /* no person */
                         "99,2025-01-01,217082002,\n" /* nobody */
                         "3,2025-06-30,217082002,\n"  /* of a dead person */
                         "3,2025-07-15,217082002,\n"  /* after death */
                         "9,2025-01-01,217082002,\n"  /* of a person elsewhere */
                         "10,2025-01-01,217082002,\n" /* of a person who opted out */
                         "2,2025-01-01,217082002\n"   /* too short */
                         "2,2025-01-01,,\n";          /* no code at all */

static const char RX[] = "id,date,code\n"
                         "1,2025-06-01,0403010B0AAAAAA\n"
                         "1,2025-06-01,0212000B0AAAAAA\n"
                         "2,2024-07-01,0212000B0AAAAAA\n"  /* the first day */
                         "2,2024-06-30,0212000B0AAAAAA\n"; /* one too early */

static const char SPELLS[] =
    "id,date,end_date,method,key\n"
    "1,2025-01-01,2025-01-05,21,a\n"
    "1,2025-01-01,2025-01-05,21,a\n"   /* the same spell again */
    "1,2025-01-01,2025-01-05,21,b\n"   /* another of the same day */
    "1,2024-06-01,2024-07-03,11,c\n"   /* reaches into the window */
    "1,2024-06-01,2024-07-01,11,d\n"   /* does not */
    "2,2024-01-01,,21,e\n"             /* still open */
    "2,2025-06-20,2025-07-02,28,f\n"   /* ends after the day: still open then */
    "2,2025-01-02,2025-01-01,21,g\n"   /* ends before it starts */
    "14,2025-01-02,2025-01-03,21,h\n"; /* opted out of spells */

static void write_all(void)
{
    make_folder();
    write_file("people.csv.gz", PEOPLE);
    write_file("registrations.csv", REGISTRATIONS);
    write_file("practices.csv", PRACTICES);
    write_file("opt_outs.csv", OPT_OUTS);
    write_file("gp.csv", GP);
    write_file("rx-1.csv.gz", RX);
    write_file("rx-2.csv", "code,id,date\n0403010B0AAAAAA,14,2025-01-01\n");
    write_file("spells.csv", SPELLS);
}

static const char WANT[] =
    "person 1 born -21794 practice 0 0 3\n"
    "person 2 born -18262 practice 2 1 nan\n"
    "person 14 born -10957 practice 1 2 10\n"
    "group 0 all \"Everyone\" 3\n"
    "group 1 P1 \"One\" 1\n"
    "group 1 P2 \"Two\" 1\n"
    "group 1 P3 \"Three, the\" 1\n"
    "group 1 P4 \"Four\" 0\n"
    "group 2 A \"North PCN\" 1\n"
    "group 2 B \"B\" 1\n"
    "group 3 N \"N\" 2\n"
    "group 3 S \"S\" 1\n"
    "in the run: 0\n"
    "test patient: 1\n"
    "no date of birth: 2\n"
    "born after the start of the run: 1\n"
    "dead at the start of the run: 1\n"
    "not registered anywhere: 1\n"
    "registered outside the area: 1\n"
    "records contradict each other: 1\n"
    "Type 1 objection: 2\n"
    "objection to spells: 0\n"
    "known 13 ambiguous 1\n"
    "0: 0 7305 217082002 0 nan -2147483648\n"
    "0: 0 9132 60621009 0 31.5 -2147483648\n"
    "hit 0 1\n"
    "hit 1 0\n"
    "1: 0 9283 0212000B0AAAAAA 0 nan -2147483648\n"
    "1: 0 9283 0403010B0AAAAAA 0 nan -2147483648\n"
    "1: 1 8948 0212000B0AAAAAA 0 nan -2147483648\n"
    "1: 2 9132 0403010B0AAAAAA 0 nan -2147483648\n"
    "hit 1 2\n"
    "2: 0 8918 - 0 nan 8950\n"
    "2: 0 9132 - 1 nan 9136\n"
    "2: 0 9132 - 1 nan 9136\n"
    "2: 1 8766 - 1 nan -2147483648\n"
    "2: 1 9302 - 1 nan -2147483648\n"
    "people: kept 12 duplicate 1 bad date 1 contradicts another row 2\n"
    "registrations: kept 13 outside 1 later 1 orphan 1 bad value 1 "
    "ends before it starts 1\n"
    "practices: kept 4\n"
    "opt_outs: kept 3 unlisted 1 outside 1\n"
    "gp: kept 4 unlisted 3 outside 3 later 1 opted out 1 no person 1 orphan 1 bad date 1 "
    "bad code 1 bad value 2 before birth 1 after death 1\n"
    "rx: kept 4 outside 1\n"
    "spells: kept 5 outside 1 opted out 1 duplicate 1 ends before it starts 1\n"
    "list falls 3\n"
    "list bmi 1\n"
    "list antidepressants 2\n";

Test(load, every_row_of_files_has_its_fate, .init = write_all, .fini = remove_folder)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_csv, folder);
    Store store;
    Err err = {0};
    char *got;

    cr_assert_eq(load_store(&store, plan, &ONE, &err), 0, "%s", err.text);
    got = plans_dump(&store, plan);
    cr_expect_str_eq(got, WANT);
    cr_expect_str_eq(store.snapshot, "");
    for (int s = 0; s < plan->n_sources; s++) {
        uint64_t rows = 0;

        for (int f = 0; f < N_ROW_FATES; f++)
            rows += store.counts[s].fate[f];
        cr_expect_eq(rows, store.counts[s].rows, "%s", plan->sources[s].name);
    }
    cr_expect_eq(store.counts[4].latest, plans_day("2025-06-30"));
    free(got);
    store_free(&store, plan);
    arena_free(arena);
}

/* Rows that say that somebody objects, but not who, or not to what. */
Test(load, an_opt_out_that_cannot_be_read_stops_the_run, .init = write_all,
     .fini = remove_folder)
{
    static const struct {
        const char *row, *why;
    } ROWS[] = {{",type-1,2020-01-01\n", "1 no person"},
                {"ten,other,2020-01-01\n", "1 no person"},
                {"10,,2020-01-01\n", "1 bad value"}};

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        Plan *plan = plans_small(arena, &kind_csv, folder);
        const char *rows = arena_format(arena, "%s%s", OPT_OUTS, ROWS[r].row);
        Store store;
        Err err = {0};

        write_file("opt_outs.csv", rows);
        plans_source(plan, "opt_outs")->max_rejected = 0;
        cr_assert_eq(load_store(&store, plan, &ONE, &err), -1, "%s", ROWS[r].row);
        cr_expect_eq(err.kind, ERR_DATA);
        cr_expect_str_eq(
            err.text,
            arena_format(arena,
                         "sources.yaml:3:1: source \"opt_outs\": 1 of 6 rows are "
                         "rejected, more than max_rejected (0 %%): %s",
                         ROWS[r].why));
        store_free(&store, plan);
        arena_free(arena);
    }
}

Test(load, too_many_rejects_stop_the_run, .init = write_all, .fini = remove_folder)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_csv, folder);
    Store store;
    Err err = {0};

    plans_source(plan, "gp")->max_rejected = 0.05;
    cr_assert_eq(load_store(&store, plan, &ONE, &err), -1);
    cr_expect_eq(err.kind, ERR_DATA);
    cr_expect_str_eq(
        err.text, "sources.yaml:3:1: source \"gp\": 8 of 20 rows are rejected, more than "
                  "max_rejected (5 %): 1 no person, 1 orphan, 1 bad date, 1 bad code, "
                  "2 bad value, 1 before birth, 1 after death");
    store_free(&store, plan);
    arena_free(arena);
}

Test(load, memory_is_a_limit, .init = write_all, .fini = remove_folder)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_csv, folder);
    Store store;
    Err err = {0};

    plan->memory_bytes = 100;
    cr_assert_eq(load_store(&store, plan, &ONE, &err), -1);
    cr_expect_eq(err.kind, ERR_MEMORY);
    cr_expect_str_eq(
        err.text, "run.yaml: the run needs about 1.0 KiB, more than the 0.1 KiB of "
                  "\"memory\"\n    hint: raise \"memory\", or ask for fewer sources or "
                  "shorter windows");
    store_free(&store, plan);
    arena_free(arena);
}

Test(load, a_check_of_files_names_all_that_is_missing, .init = write_all,
     .fini = remove_folder)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, &kind_csv, folder);
    Err err = {0};
    char want[512];

    plans_source(plan, "people")->columns[1].name = "birht";
    plans_source(plan, "rx")->files = "/nowhere/*.csv";
    cr_assert_eq(load_check(plan, &ONE, &err), -1);
    snprintf(want, sizeof want,
             "sources.yaml:11:5: %s/people.csv.gz has no column \"birht\"\n"
             "    hint: did you mean \"birth\"?\n"
             "sources.yaml:4:10: no file \"/nowhere/*.csv\"",
             folder);
    cr_expect_str_eq(err.text, want);
    arena_free(arena);
}
