#include "engine/strata/cohort.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/town.h"

/*
 * A list in one line, by group: ids without the leading 10, "+" new, "=" continuing,
 * and behind "|" those who left, with the first letter of why.
 */
static const char *lists(const Town *town)
{
    static char text[512];
    const char *mark = "";
    size_t n = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < town->cohorts.n_members; i++) {
        const Member *m = &town->cohorts.members[i];
        bool is_first = i == 0 || m->group != town->cohorts.members[i - 1].group;
        const char *group = m->group == GROUP_NONE ? "-" : m->group == 0 ? "A" : "B";

        if (is_first)
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "%s%s:", i ? " " : "", group);
        if (m->movement == MOVED_LEFT)
            mark = left_why_text(m->why);
        else
            mark = m->movement == MOVED_NEW ? "+" : "=";
        n += (size_t)snprintf(text + n, sizeof text - n, " %d%.1s%s",
                              (int)m->person_id - 100, mark,
                              m->movement == MOVED_LEFT ? "!" : "");
    }
    return text;
}

static void remember(Town *town, const char *group, int person)
{
    PreviousRun *previous = &town->previous;

    if (previous->members == NULL)
        previous->members = arena_alloc(town->arena, 32, sizeof *previous->members);
    previous->members[previous->n_members++] = (Previous){0, group, 100 + person};
}

/* n people of P1 (PCN A) with falling risk, so that the order is that of their ids. */
static Town *falling(uint32_t n)
{
    Town *town = town_new(n);

    for (uint32_t i = 0; i < n; i++) {
        town->scores.score[TOWN_RISK][i] = 1.0 - i * 0.01;
        town->matches.cohort[i] = 1;
    }
    return town;
}

static void expect(Town *town, const char *want)
{
    town_build(town);
    cr_expect_str_eq(lists(town), want);
    for (uint32_t i = 0, rank = 0; i < town->cohorts.n_members; i++) {
        const Member *m = &town->cohorts.members[i];

        if (i == 0 || m->group != m[-1].group)
            rank = 0;
        cr_expect(m->rank == (m->movement == MOVED_LEFT ? 0 : ++rank));
    }
    town_free(town);
}

Test(cohort, everyone_who_meets_the_rule)
{
    Town *town = falling(4);

    town->matches.cohort[1] = 0;
    expect(town, "A: 0+ 2+ 3+");
}

Test(cohort, groups_do_not_mix_and_those_in_none_are_on_no_list)
{
    Town *town = falling(6);
    static const uint16_t PRACTICE[6] = {2, 0, 3, 1, 2, 0};

    for (int i = 0; i < 6; i++)
        town->store.practice[i] = PRACTICE[i];
    town->plan.cohorts[0].capacity = 2;
    expect(town, "A: 1+ 3+ B: 0+ 4+");
}

Test(cohort, order_ties_and_missing_values)
{
    Town *town = falling(5);

    town->scores.score[TOWN_RISK][0] = NAN; /* last, although descending */
    town->scores.outcome[TOWN_RISK][0] = 1;
    town->scores.score[TOWN_RISK][1] = 0.5;
    town->scores.score[TOWN_RISK][2] = 0.5; /* older: before 1 */
    town->store.birth[2] = day_of(1930, 1, 1);
    town->scores.score[TOWN_RISK][3] = 0.5; /* as 1, but a higher id */
    expect(town, "A: 4+ 2+ 1+ 3+ 0+");
}

Test(cohort, order_ascending_and_by_band)
{
    static OrderBy order[2] = {{2, true}, {1, false}}; /* band desc, risk asc */
    Town *town = falling(4);

    town->scores.score[TOWN_RISK][0] = 0.9;
    town->scores.score[TOWN_RISK][1] = 0.1;
    town->scores.score[TOWN_RISK][2] = 0.6;
    town->scores.score[TOWN_RISK][3] = 0.2;
    town->plan.cohorts[0].order = order;
    expect(town, "A: 2+ 0+ 1+ 3+");
}

Test(cohort, capacity_as_a_share_of_the_registered)
{
    Town *town = falling(21); /* 10 % of 21 is 3, whoever meets the rule */

    for (int i = 0; i < 10; i++)
        town->matches.cohort[i] = 0;
    town->plan.cohorts[0].capacity_share = 0.1;
    expect(town, "A: 10+ 11+ 12+");
}

Test(cohort, movements)
{
    Town *town = falling(4);

    remember(town, "A", 1);
    remember(town, "A", 3);
    expect(town, "A: 0+ 1= 2+ 3=");
}

Test(cohort, without_keep_the_edge_decides)
{
    Town *town = falling(4);

    town->plan.cohorts[0].capacity = 2;
    remember(town, "A", 1);
    remember(town, "A", 2);
    expect(town, "A: 0+ 1= 2o!");
}

/* 2 and 3 stay, as they are ranked within 4; 0 takes the place that is left. */
Test(cohort, keep_lets_members_stay)
{
    Town *town = falling(6);

    town->plan.cohorts[0].capacity = 3;
    town->plan.cohorts[0].keep = 4;
    remember(town, "A", 2);
    remember(town, "A", 3);
    remember(town, "A", 4);
    expect(town, "A: 0+ 2= 3= 4o!");
}

Test(cohort, keep_as_a_share_of_the_registered)
{
    Town *town = falling(10);

    town->plan.cohorts[0].capacity = 2;
    town->plan.cohorts[0].keep_share = 0.4;
    remember(town, "A", 3);
    remember(town, "A", 4);
    expect(town, "A: 0+ 3= 4o!");
}

Test(cohort, keep_never_exceeds_the_capacity)
{
    Town *town = falling(5);

    town->plan.cohorts[0].capacity = 2;
    town->plan.cohorts[0].keep = 5;
    remember(town, "A", 1);
    remember(town, "A", 2);
    remember(town, "A", 4);
    expect(town, "A: 1= 2= 4o!");
}

Test(cohort, why_people_left)
{
    static int64_t other[] = {50, 60, 70, 80};
    static uint8_t why[] = {EXCLUDED_DEAD, EXCLUDED_OPT_OUT + 1, EXCLUDED_UNREGISTERED,
                            EXCLUDED_ELSEWHERE};
    Town *town = falling(4);

    town->store.n_others = 4;
    town->store.other = other;
    town->store.other_why = why;
    town->plan.cohorts[0].capacity = 1;
    town->matches.cohort[1] = 0;   /* no longer meets the rule */
    town->store.practice[3] = 3;   /* in no PCN any more */
    remember(town, "A", 40 - 100); /* not even in the people source */
    remember(town, "A", 50 - 100);
    remember(town, "A", 60 - 100);
    remember(town, "A", 70 - 100);
    remember(town, "A", 80 - 100);
    remember(town, "A", 1);
    remember(town, "A", 2);
    remember(town, "A", 3);
    expect(town, "A: 0+ -60r! -50d! -40o! -30r! -20r! 1n! 2o! 3r!");
}

Test(cohort, another_group_is_a_move)
{
    Town *town = falling(2);

    town->store.practice[0] = 2;
    remember(town, "A", 0);
    remember(town, "B", 1);
    expect(town, "A: 1+ 0r! B: 0+ 1r!");
}

Test(cohort, leavers_of_a_group_that_is_no_more)
{
    Town *town = falling(2);

    remember(town, "0", 1);
    remember(town, "A", 0);
    remember(town, "Z", 0);
    expect(town, "A: 0= 1+ -: 0r! 1r!");
}

Test(cohort, a_list_may_be_empty)
{
    Town *town = falling(3);

    memset(town->matches.cohort, 0, 3 * sizeof *town->matches.cohort);
    expect(town, "");
}

/* ---- reasons ------------------------------------------------------------ */

/* Model "risk" finds slot 0 (most) and 1; model "count" finds 2, 0 and 3. */
static int risk_shares(const Model *model, const double *row, Share *shares)
{
    (void)model;
    (void)row;
    shares[0] = (Share){.slot = 1, .amount = 1, .term = 0};
    shares[1] = (Share){.slot = 0, .amount = 2, .term = 1};
    shares[2] = (Share){.slot = 4, .amount = -1, .term = 2};
    return 3;
}

static int count_shares(const Model *model, const double *row, Share *shares)
{
    (void)model;
    (void)row;
    shares[0] = (Share){.slot = 2, .amount = 9, .term = 0};
    shares[1] = (Share){.slot = 0, .amount = 7, .term = 1};
    shares[2] = (Share){.slot = 3, .amount = 5, .term = 2};
    return 3;
}

static Town *explained(int first, int second)
{
    static const ModelKind risk = {.name = "risk", .shares = risk_shares},
                           count = {.name = "count", .shares = count_shares};
    static Term terms[3];
    Town *town = falling(2);
    Cohort *cohort = &town->plan.cohorts[0];

    town->plan.models[TOWN_RISK].kind = &risk;
    town->plan.models[TOWN_COUNT].kind = &count;
    for (int m = 0; m < TOWN_MODELS; m++) {
        town->plan.models[m].terms = terms;
        town->plan.models[m].n_terms = 3;
    }
    cohort->explain = arena_alloc(town->arena, 2, sizeof *cohort->explain);
    cohort->explain[0] = first;
    cohort->explain[1] = second;
    cohort->n_explain = 2;
    return town;
}

/* As model:slot. */
static void expect_reasons(const Reason *reasons, int n, const char *want)
{
    char text[64] = "";

    for (int r = 0; r < n; r++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d:%u",
                 r > 0 ? " " : "", reasons[r].model, reasons[r].slot);
    cr_expect_str_eq(text, want);
}

/* Of the first line of the lists: its reasons, and those of each model. */
static void expect_first(const Town *town, const char *want, const char *by_model)
{
    const Member *first = &town->cohorts.members[0];

    expect_reasons(first->reasons, first->n_reasons, want);
    expect_reasons(first->explained, first->n_explained, by_model);
}

Test(cohort, reasons_model_by_model_and_each_said_once)
{
    Town *town = explained(TOWN_RISK, TOWN_COUNT);

    town_build(town);
    expect_first(town, "0:0 0:1 1:2 1:3", "0:0 0:1 1:2 1:0 1:3");
    town_free(town);
    town = explained(TOWN_COUNT, TOWN_RISK);
    town_build(town);
    expect_first(town, "1:2 1:0 1:3 0:1", "1:2 1:0 1:3 0:0 0:1");
    town_free(town);
}

Test(cohort, no_more_reasons_than_the_cohort_says)
{
    Town *town = explained(TOWN_RISK, TOWN_COUNT);

    town->plan.cohorts[0].n_most_reasons = 3;
    town_build(town);
    expect_first(town, "0:0 0:1 1:2", "0:0 0:1 1:2 1:0 1:3");
    town_free(town);
}

Test(cohort, no_reasons_without_a_score_or_a_place)
{
    Town *town = explained(TOWN_RISK, TOWN_COUNT);

    town->scores.outcome[TOWN_RISK][0] = 2;
    town->plan.cohorts[0].capacity = 1;
    remember(town, "A", 1);
    town_build(town);
    expect_first(town, "1:2 1:0 1:3", "1:2 1:0 1:3");
    cr_expect_eq(town->cohorts.n_members, 2u);
    cr_expect_eq(town->cohorts.members[1].n_reasons, 0); /* who left */
    cr_expect_eq(town->cohorts.members[1].n_explained, 0);
    town_free(town);
}

/* A reason that goes with the age, which is slot 0. */
static int age_shares(const Model *model, const double *row, Share *shares)
{
    (void)model;
    shares[0] = (Share){.slot = (uint32_t)row[0] % 5, .amount = 1, .term = 0};
    return 1;
}

static Town *many_ages(int threads)
{
    static const ModelKind by_age = {.name = "age", .shares = age_shares};
    static Term term;
    enum { PEOPLE = 500 };
    Town *town = falling(PEOPLE);
    Cohort *cohort = &town->plan.cohorts[0];

    town->plan.models[TOWN_RISK].kind = &by_age;
    town->plan.models[TOWN_RISK].terms = &term;
    town->plan.models[TOWN_RISK].n_terms = 1;
    cohort->explain = arena_alloc(town->arena, 1, sizeof *cohort->explain);
    cohort->n_explain = 1;
    for (uint32_t i = 0; i < PEOPLE; i++)
        town->store.birth[i] -= (int32_t)(i * 977 % PEOPLE) * 60;
    omp_set_num_threads(threads);
    town_build(town);
    return town;
}

Test(cohort, reasons_are_the_same_whatever_the_number_of_threads)
{
    Town *one = many_ages(1), *seven = many_ages(7);
    bool differ = false;

    cr_assert_eq(one->cohorts.n_members, 500u);
    cr_assert_eq(seven->cohorts.n_members, 500u);
    for (uint32_t i = 0; i < one->cohorts.n_members; i++) {
        const Member *a = &one->cohorts.members[i], *b = &seven->cohorts.members[i];

        cr_expect(a->person_id == b->person_id && a->n_reasons == 1 && b->n_reasons == 1);
        cr_expect_eq(a->reasons[0].slot, b->reasons[0].slot);
        differ |= a->reasons[0].slot != one->cohorts.members[0].reasons[0].slot;
    }
    cr_expect(differ);
    town_free(one);
    town_free(seven);
}
