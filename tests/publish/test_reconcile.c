#include "engine/publish/reconcile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "tests/support/town.h"

/* Eight people: P1 has four, P2 two, P3 and P4 one each. */
static Town *eight(void)
{
    static const uint16_t PRACTICE[8] = {0, 0, 0, 0, 1, 1, 2, 3};
    Town *town = town_new(8);

    for (int i = 0; i < 8; i++) {
        town->store.practice[i] = PRACTICE[i];
        town->scores.score[TOWN_RISK][i] = 0.1 * i;
        town->scores.score[TOWN_COUNT][i] = i;
    }
    town->scores.score[TOWN_RISK][0] = NAN;
    town->scores.outcome[TOWN_RISK][0] = 1;
    town->scores.score[TOWN_RISK][7] = NAN;
    town->scores.outcome[TOWN_RISK][7] = 2;
    town->matches.segment[3] = 0;
    town->matches.cohort[5] = 1;
    town->matches.cohort[6] = 1;
    town->matches.cohort[7] = 1;
    return town;
}

Test(reconcile, counts)
{
    /* By PCN and then in none: low, high, under 18, no weight. */
    static const uint64_t RISK[3 * 4] = {4, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    Town *town = eight();
    Counts counts;
    Err err = {0};

    town_build(town);
    counts_build(&counts, &town->results);
    cr_expect_eq(
        memcmp(counts.model[TOWN_RISK * TOWN_GROUPINGS + TOWN_PCN], RISK, sizeof RISK),
        0);
    cr_expect_eq(counts.people[TOWN_PCN][0], 6);
    cr_expect_eq(counts.people[TOWN_PCN][2], 1);
    cr_expect_eq(counts.segment[GROUPING_ALL][0], 1);
    cr_expect_eq(counts.segment[GROUPING_ALL][1], 7);
    cr_expect_eq(counts.scored[TOWN_RISK], 6);
    cr_expect_float_eq(counts.mean[TOWN_RISK], 0.35, 1e-12);
    cr_expect_eq(counts.n_lists, 3);
    cr_expect_eq(counts.lists[0].eligible, 1);
    cr_expect_eq(counts.lists[1].members, 1);
    cr_expect_eq(counts.lists[1].fresh, 1);
    cr_expect_eq(counts.lists[2].eligible, 1);
    cr_expect_eq(counts.lists[2].members, 0);
    cr_expect_eq(reconcile(&counts, &town->results, &err), 0, "%s", err.text);
    counts_free(&counts);
    town_free(town);
}

Test(reconcile, parts_go_both_ways)
{
    Town *town = town_new(1);

    for (int m = 0; m < TOWN_MODELS; m++)
        for (int p = 0; p < model_parts(&town->plan.models[m]); p++) {
            int outcome, band;

            model_part_split(&town->plan.models[m], p, &outcome, &band);
            cr_expect_eq(model_part(&town->plan.models[m], outcome, band), p);
        }
    cr_expect_eq(model_part(&town->plan.models[TOWN_RISK], 0, -1), -1);
    cr_expect_eq(model_part(&town->plan.models[TOWN_RISK], 1, 0), -1);
    cr_expect_eq(model_part(&town->plan.models[TOWN_COUNT], 0, 0), -1);
    town_free(town);
}

/* One row spoils one thing after everything has been built. */
static void more_known(Town *town)
{
    town->store.n_known++;
}

static void lost_row(Town *town)
{
    town->store.counts[TOWN_GP].rows = 1000;
    town->store.counts[TOWN_GP].fate[ROW_KEPT] = 900;
    town->store.counts[TOWN_GP].fate[ROW_ORPHAN] = 99;
}

static void band_lost(Town *town)
{
    town->scores.band[TOWN_RISK][3] = -1;
}

static void outcome_and_band(Town *town)
{
    town->scores.outcome[TOWN_RISK][3] = 1;
}

static void flag_without_score(Town *town)
{
    town->scores.flag[TOWN_RISK][0] = FLAG_IMPUTED;
}

static void input_without_flag(Town *town)
{
    town->scores.flag[TOWN_RISK][3] = FLAG_CLAMPED;
    town->scores.replaced[TOWN_RISK][0].above = 2;
}

static void in_no_segment(Town *town)
{
    town->matches.segment[2] = 2;
}

static void rank_twice(Town *town)
{
    town->strata.rank[TOWN_COUNT * TOWN_GROUPINGS + TOWN_PCN][3] = 1;
}

static void rank_without_score(Town *town)
{
    town->strata.rank[TOWN_RISK * TOWN_GROUPINGS + GROUPING_ALL][0] = 7;
}

static void list_with_a_gap(Town *town)
{
    town->cohorts.members[1].rank = 2;
}

static void list_too_long(Town *town)
{
    town->plan.cohorts[0].capacity = 0;
}

static void group_of_others(Town *town)
{
    town->store.area.groups[TOWN_PCN][1].n_people = 2;
}

static const struct {
    void (*spoil)(Town *town);
    const char *want;
} SPOILT[] = {
    {more_known,
     "results: does not reconcile: people in the run and people excluded: 8 of "
     "9"},
    {lost_row, "results: does not reconcile: rows of gp: 999 of 1000"},
    {band_lost,
     "results: does not reconcile: outcomes of model \"risk\" by all do not add "
     "up to the people\n"
     "results: does not reconcile: outcomes of model \"risk\" by practice do not "
     "add up to the people\n"
     "results: does not reconcile: outcomes of model \"risk\" by pcn do not add "
     "up to the people"},
    {outcome_and_band, "results: does not reconcile: outcomes of model \"risk\" by all "
                       "do not add up to the "
                       "people\n"
                       "results: does not reconcile: outcomes of model \"risk\" by "
                       "practice do not add up to "
                       "the people\n"
                       "results: does not reconcile: outcomes of model \"risk\" by pcn "
                       "do not add up to the "
                       "people"},
    {flag_without_score, "results: does not reconcile: flags of model \"risk\""},
    {input_without_flag, "results: does not reconcile: flags of model \"risk\""},
    {in_no_segment,
     "results: does not reconcile: segments by all do not add up to the people\n"
     "results: does not reconcile: segments by practice do not add up to the people\n"
     "results: does not reconcile: segments by pcn do not add up to the people"},
    {rank_twice,
     "results: does not reconcile: ranks of model \"count\" by pcn have gaps"},
    {rank_without_score,
     "results: does not reconcile: ranks of model \"risk\" by all have gaps"},
    {list_with_a_gap, "results: does not reconcile: list of cohort \"watch\" for \"B\""},
    {list_too_long, "results: does not reconcile: list of cohort \"watch\" for \"A\"\n"
                    "results: does not reconcile: list of cohort \"watch\" for \"B\""},
    {group_of_others, "results: does not reconcile: people of pcn B: 1 of 2"},
};

Test(reconcile, what_does_not_add_up_is_said)
{
    for (size_t c = 0; c < sizeof SPOILT / sizeof *SPOILT; c++) {
        Town *town = eight();
        Counts counts;
        Err err = {0};

        town_build(town);
        SPOILT[c].spoil(town);
        counts_build(&counts, &town->results);
        cr_expect_eq(reconcile(&counts, &town->results, &err), -1);
        cr_expect_eq(err.kind, ERR_GATE);
        cr_expect_str_eq(err.text, SPOILT[c].want);
        counts_free(&counts);
        town_free(town);
    }
}

/* What is counted, and the reports, with so many threads. */
static void count_with(int threads, Counts *counts, Err *err)
{
    Town *town = eight();

    omp_set_num_threads(threads);
    town_build(town);
    rank_twice(town);
    rank_without_score(town);
    counts_build(counts, &town->results);
    cr_expect_eq(reconcile(counts, &town->results, err), -1);
    town_free(town);
}

Test(reconcile, any_number_of_threads)
{
    Counts one, seven;
    Err one_err = {0}, seven_err = {0};

    count_with(1, &one, &one_err);
    count_with(7, &seven, &seven_err);
    cr_expect_str_eq(one_err.text, seven_err.text);
    cr_expect_eq(one_err.n_reports, 2);
    cr_expect_eq(memcmp(one.mean, seven.mean, TOWN_MODELS * sizeof *one.mean), 0);
    cr_expect_eq(memcmp(one.scored, seven.scored, TOWN_MODELS * sizeof *one.scored), 0);
    for (int i = 0; i < TOWN_MODELS * TOWN_GROUPINGS; i++)
        cr_expect_eq(one.model[i][0], seven.model[i][0]);
    counts_free(&one);
    counts_free(&seven);
}
