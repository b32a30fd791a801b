#include "engine/publish/small.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/town.h"

Test(small, numbers)
{
    static const struct {
        uint64_t people;
        int64_t want;
    } CASE[] = {{0, 0},   {1, SMALL_HIDDEN}, {7, SMALL_HIDDEN}, {8, 10},
                {10, 10}, {12, 10},          {13, 15},          {17, 15},
                {18, 20}, {1002, 1000},      {1003, 1005},      {4294967296, 4294967295}};

    for (size_t c = 0; c < sizeof CASE / sizeof *CASE; c++)
        cr_expect(small_number(CASE[c].people) == CASE[c].want, "%lu: got %ld",
                  (unsigned long)CASE[c].people, (long)small_number(CASE[c].people));
}

static const PublicCount *find(const PublicCounts *counts, const char *measure,
                               const char *part, const char *grouping, const char *group)
{
    for (uint32_t i = 0; i < counts->n; i++) {
        const PublicCount *row = &counts->rows[i];

        if (strcmp(row->measure, measure) == 0 && strcmp(row->part, part) == 0 &&
            strcmp(row->grouping, grouping) == 0 && strcmp(row->group, group) == 0)
            return row;
    }
    return NULL;
}

/* 23 people of P1 and 3 of P4; 4 of them in the first segment. The total is added up
 * before it is rounded: 26 is 25, although 25 and a hidden 3 are shown. */
Test(small, every_count_of_a_run)
{
    Town *town = town_new(26);
    Counts counts;
    PublicCounts public_counts;
    Err err = {0};

    for (int i = 0; i < 3; i++)
        town->store.practice[i] = 3;
    for (int i = 0; i < 4; i++)
        town->matches.segment[i] = 0;
    for (int i = 10; i < 20; i++)
        town->matches.cohort[i] = 1;
    town->store.excluded[EXCLUDED_DEAD] = 2;
    town_build(town);
    counts_build(&counts, &town->results);
    public_counts_build(&public_counts, &town->results, &counts);
    cr_expect_eq(find(&public_counts, "registered", "", "all", "all")->people, 25);
    cr_expect_eq(find(&public_counts, "registered", "", "pcn", "A")->people, 25);
    cr_expect_eq(find(&public_counts, "registered", "", "pcn", "B")->people, 0);
    cr_expect_eq(find(&public_counts, "registered", "", "pcn", "")->people, SMALL_HIDDEN);
    cr_expect_eq(find(&public_counts, "segment", "few", "all", "all")->people,
                 SMALL_HIDDEN);
    cr_expect_eq(find(&public_counts, "segment", "rest", "pcn", "A")->people, 20);
    cr_expect_eq(find(&public_counts, "model", "low", "practice", "P1")->people, 25);
    cr_expect_eq(find(&public_counts, "cohort", "members", "pcn", "A")->people, 10);
    cr_expect_null(find(&public_counts, "cohort", "members", "pcn", "B"));
    cr_expect_eq(
        find(&public_counts, "excluded", "dead at the start of the run", "all", "")
            ->people,
        SMALL_HIDDEN);
    cr_expect_eq(small_scan(&public_counts, &err), 0);
    public_counts_free(&public_counts);
    counts_free(&counts);
    town_free(town);
}

Test(small, the_scan_finds_what_may_not_be_seen)
{
    static const int64_t BAD[] = {1, 5, 7, 8, 11, -2, -5};
    PublicCount rows[2] = {{"registered", "", "", "all", "all", 10},
                           {"segment", "", "few", "all", "all", 0}};
    PublicCounts counts = {rows, 2, 2};
    Err err = {0};

    cr_expect_eq(small_scan(&counts, &err), 0);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        err_clear(&err);
        rows[1].people = BAD[i];
        cr_expect_eq(small_scan(&counts, &err), -1);
        cr_expect_eq(err.kind, ERR_GATE);
        cr_expect_str_eq(err.text,
                         "results: public count 2 of measure \"segment\" is not under "
                         "disclosure control");
    }
}
