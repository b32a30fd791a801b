#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/kinds.h"
#include "models/score.h"
#include "models/steps.h"
#include "tests/support/tiny.h"

static Band BANDS[] = {
    {.id = "low", .label = "Low", .bound = 2, .is_upto = true},
    {.id = "middle", .label = "Middle", .bound = 4},
    {.id = "high", .label = "High", .bound = INFINITY},
};

/* Of every 17 people one has none. */
static void add_events(Tiny *tiny, int gp, int spell, uint32_t person, unsigned *seed)
{
    for (int e = 0, n = (int)(person * 13 % 17); e < n; e++) {
        char code[8], day[32], end[32];
        int c = rand_r(seed) % 30;

        snprintf(code, sizeof code, "%c%c%d", 'a' + c % 3, 'a' + c % 5, c);
        snprintf(day, sizeof day, "20%02d-%02d-11", 15 + rand_r(seed) % 11,
                 1 + rand_r(seed) % 12);
        tiny_event(tiny, gp, person, code, e == 3 ? "" : day,
                   (TinyMore){rand_r(seed) % 50 / 3.0, 0, NULL});
        snprintf(end, sizeof end, "%.8s21", day);
        if (e % 4 == 0)
            tiny_event(tiny, spell, person, NULL, day, (TinyMore){0, 0, end});
    }
}

/* They know nothing of the person but events, or but the age. */
static void add_narrow_models(Tiny *tiny)
{
    Model *hospital, *by_age;

    hospital = tiny_model(tiny, "hospital", &kind_points);
    tiny_derived(tiny, "fell_and_stayed", RULE_YESNO, "falls and beds > 2");
    tiny_term(tiny, hospital, "falls", 1);
    tiny_term(tiny, hospital, "fell_and_stayed", 3);
    cr_assert_eq(tiny_compile(tiny, hospital), 0);
    by_age = tiny_model(tiny, "by_age", &kind_points);
    tiny_term(tiny, by_age, "age", 1);
    cr_assert_eq(tiny_compile(tiny, by_age), 0);
}

/*
 * A regression on deficits of a points model, for people of 18 and over, and everything
 * the steps of a visit can be: derived before and after a model, a model of a model, and
 * models that know nothing of the person but events, or but the age.
 */
static Tiny *town(uint32_t n_people)
{
    Tiny *tiny = tiny_new();
    int sex = tiny_attribute(tiny, "sex", "M F");
    int gp = tiny_source(tiny, "gp"), spell = tiny_source(tiny, "spell");
    Feature *falls = tiny_feature(tiny, gp, "falls", COUNT_EXISTS, NULL);
    Feature *codes = tiny_feature(tiny, gp, "codes", COUNT_CODES, "2020-07-01");
    Feature *beds = tiny_feature(tiny, spell, "beds", COUNT_BED_DAYS, "2024-07-01");
    Feature *last = tiny_feature(tiny, gp, "last", COUNT_LATEST, NULL);
    Model *deficits, *risk;
    ModelReason *reasons;
    char code[8];
    unsigned seed = 1;

    codes->code_chars = 2;
    for (int c = 0; c < 30; c++) {
        snprintf(code, sizeof code, "%c%c%d", 'a' + c % 3, 'a' + c % 5, c);
        tiny_hit(tiny, falls, code)->sex = c % 7 == 0 ? 'F' : 0;
        tiny_hit(tiny, codes, code);
        tiny_hit(tiny, last, code)->above = c;
    }
    tiny_uncoded(tiny, beds);
    tiny_derived(tiny, "old", RULE_YESNO, "age >= 65");
    deficits = tiny_model(tiny, "deficits", &kind_points);
    tiny_term(tiny, deficits, "falls", 2);
    tiny_term(tiny, deficits, "codes", 1);
    tiny_term(tiny, deficits, "old", 1);
    deficits->bands = BANDS;
    deficits->n_bands = 3;
    cr_assert_eq(tiny_compile(tiny, deficits), 0);
    tiny_derived(tiny, "worse", RULE_NUMBER, "deficits.score * 1.5 + beds / 7");
    risk = tiny_model(tiny, "risk", &kind_regression);
    reasons = arena_alloc(tiny->arena, 2, sizeof *reasons);
    reasons[0].text = "scored";
    reasons[1] =
        (ModelReason){"under 18", true, tiny_rule(tiny, RULE_YESNO, "age >= 18")};
    risk->reasons = reasons;
    risk->n_reasons = 2;
    risk->link = LINK_LOGIT;
    risk->is_by_rank = true;
    tiny_term(tiny, risk, "worse", 0.3);
    tiny_term(tiny, risk, "last", 0.01);
    cr_assert_eq(tiny_compile(tiny, risk), 0);
    add_narrow_models(tiny);
    for (uint32_t p = 0; p < n_people; p++) {
        char birth[32];

        snprintf(birth, sizeof birth, "%d-03-01", 1930 + (int)(p * 7 % 90));
        tiny_person(tiny, birth);
        tiny_set(tiny, p, sex, p % 3 == 2 ? NAN : p % 3);
        add_events(tiny, gp, spell, p, &seed);
    }
    tiny_build(tiny);
    return tiny;
}

static Segment SEGMENTS[3];
static Cohort COHORTS[2];

static void add_rules(Tiny *tiny)
{
    SEGMENTS[0] = (Segment){.id = "frail",
                            .when = tiny_rule(tiny, RULE_YESNO, "deficits.band == 2")};
    SEGMENTS[1] = (Segment){.id = "old", .when = tiny_rule(tiny, RULE_YESNO, "old")};
    SEGMENTS[2] = (Segment){.id = "else"};
    COHORTS[0] = (Cohort){
        .id = "top", .when = tiny_rule(tiny, RULE_YESNO, "risk.band == 1 and beds > 0")};
    COHORTS[1] = (Cohort){.id = "everyone"};
    tiny->plan.segments = SEGMENTS;
    tiny->plan.n_segments = 3;
    tiny->plan.cohorts = COHORTS;
    tiny->plan.n_cohorts = 2;
}

Test(score, one_person_step_by_step)
{
    Tiny *tiny = town(40);
    Visit *visit = visit_new(&tiny->plan);
    const double *row = visit_row(visit);

    for (uint32_t p = 0; p < 40; p++) {
        double deficits, worse;

        visit_person(visit, &tiny->plan, &tiny->store, p, false);
        cr_expect_eq(row[0], 2025 - (1930 + p * 7 % 90), "age");
        deficits = 2 * row[tiny_slot(tiny, "falls")] + row[tiny_slot(tiny, "codes")] +
                   (row[0] >= 65);
        worse = deficits * 1.5 + row[tiny_slot(tiny, "beds")] / 7;
        cr_expect_eq(row[tiny_slot(tiny, "deficits.score")], deficits);
        cr_expect_eq(row[tiny_slot(tiny, "deficits.band")], deficits <= 2  ? 0
                                                            : deficits < 4 ? 1
                                                                           : 2);
        cr_expect_eq(row[tiny_slot(tiny, "worse")], worse);
        cr_expect(isnan(row[tiny_slot(tiny, "risk.band")]), "by rank: not known yet");
        if (row[0] < 18) {
            cr_expect_eq(visit_outcome(visit, 1), 1);
            cr_expect(isnan(row[tiny_slot(tiny, "risk.score")]));
        } else if (isnan(row[tiny_slot(tiny, "last")])) {
            cr_expect_str_eq(tiny->plan.models[1].reasons[visit_outcome(visit, 1)].text,
                             "\"last\" has no value");
        } else {
            double lp = 0.3 * worse + 0.01 * row[tiny_slot(tiny, "last")];

            cr_expect_eq(visit_outcome(visit, 1), 0);
            cr_expect_eq(row[tiny_slot(tiny, "risk.score")], 1 / (1 + exp(-lp)));
        }
    }
    visit_free(visit);
    tiny_free(tiny);
}

/* Sixteen people share a visit: nobody's features are anybody else's, whoever was in the
 * lane before, and of people without events too. Alone they are counted with evidence,
 * which is without bits. */
Test(score, people_side_by_side_have_their_own_features)
{
    enum { N = 203 };
    Tiny *tiny = town(N);
    const Plan *plan = &tiny->plan;
    FeatureSet *set = feature_set_new(plan, &tiny->store, false);
    FeatureSet *other = feature_set_new(plan, &tiny->store, true);
    Tally *tally = tally_new(set), *alone = tally_new(other);
    Lanes *lanes = lanes_new(plan);
    size_t n_bytes = (size_t)plan->n_features * sizeof(double);
    uint32_t first = plan->features[0].slot, n_touched = 0;

    lanes_clear(lanes, plan, feature_set_untouched(set));
    for (uint32_t from = 0; from < N; from += MOST_LANES) {
        int n = N - from < MOST_LANES ? (int)(N - from) : MOST_LANES;

        feature_lanes(lanes, NULL, tally, from, n);
        cr_expect_eq(lanes->n, n);
        for (int l = 0; l < n; l++) {
            double row[TINY_MOST_SLOTS] = {0};

            feature_row(row, NULL, alone, from + (uint32_t)l);
            cr_expect_arr_eq(lanes->row[l] + first, row + first, n_bytes, "%u",
                             from + (uint32_t)l);
            n_touched += lanes->n_touched[l];
        }
    }
    cr_expect_gt(n_touched, N);
    lanes_free(lanes);
    tally_free(alone);
    tally_free(tally);
    feature_set_free(other);
    feature_set_free(set);
    tiny_free(tiny);
}

/* A step as it is said to be, for one row. */
static void take_step(const Plan *plan, const Step *step, double *row, uint8_t *outcome)
{
    const Derived *derived = &plan->derived[step->index];
    const Model *model = &plan->models[step->index];
    int why = 0, band;

    if (!step->is_model) {
        row[derived->slot] = rule_number(derived->rule, row);
        return;
    }
    for (int r = 1; r < model->n_reasons && why == 0; r++)
        if (model->reasons[r].is_eligibility && !rule_holds(model->reasons[r].when, row))
            why = r;
    row[model->score_slot] = why == 0 ? model_score(model, row, &why) : NAN;
    outcome[step->index] = (uint8_t)why;
    band = model_band(model, row[model->score_slot]);
    row[model->band_slot] = band < 0 ? NAN : band;
}

/* Only steps that read something of the person are taken: here all of them are. */
Test(score, steps_that_are_left_out_would_change_nothing)
{
    Tiny *tiny = town(60);
    const Plan *plan = &tiny->plan;
    Visit *visit = visit_new(plan);
    int n_untouched = 0;

    for (uint32_t p = 0; p < 60; p++) {
        double row[TINY_MOST_SLOTS];
        uint8_t outcome[TINY_MOST_MODELS];

        visit_person(visit, plan, &tiny->store, p, false);
        memcpy(row, visit_row(visit), plan->n_slots * sizeof *row);
        for (uint32_t s = tiny_slot(tiny, "old"); s < plan->n_slots; s++)
            row[s] = -7;
        for (int s = 0; s < plan->n_steps; s++)
            take_step(plan, &plan->steps[s], row, outcome);
        cr_expect_arr_eq(visit_row(visit), row, plan->n_slots * sizeof *row, "%u", p);
        for (int m = 0; m < plan->n_models; m++)
            cr_expect_eq(visit_outcome(visit, m), outcome[m]);
        n_untouched += p * 13 % 17 == 0;
    }
    cr_expect_gt(n_untouched, 2);
    visit_free(visit);
    tiny_free(tiny);
}

Test(score, everyone_as_one_by_one)
{
    Tiny *tiny = town(3000);
    Visit *visit = visit_new(&tiny->plan);
    Scores scores = {0};
    int n_by_outcome[5] = {0}; /* 2: "worse", 3: "last" has no value */

    score_people(&scores, NULL, &tiny->plan, &tiny->store);
    for (uint32_t p = 0; p < 3000; p++) {
        const double *row = visit_row(visit);

        visit_person(visit, &tiny->plan, &tiny->store, p, true);
        for (int m = 0; m < 2; m++) {
            const Model *model = &tiny->plan.models[m];

            cr_expect_eq(memcmp(&scores.score[m][p], &row[model->score_slot], 8), 0);
            cr_expect_eq(scores.outcome[m][p], visit_outcome(visit, m));
            cr_expect_eq(isnan(scores.score[m][p]), scores.outcome[m][p] != 0);
            cr_expect_eq(scores.band[m][p], m == 1 ? -1 : (int)row[model->band_slot]);
        }
        n_by_outcome[scores.outcome[1][p]]++;
    }
    cr_expect(n_by_outcome[0] > 0 && n_by_outcome[1] > 0 && n_by_outcome[3] > 0);
    cr_expect_eq(n_by_outcome[0] + n_by_outcome[1] + n_by_outcome[3], 3000);
    visit_free(visit);
    scores_free(&scores);
    tiny_free(tiny);
}

Test(score, bands_by_rank_reach_the_rules)
{
    Tiny *tiny = town(300);
    Visit *visit = visit_new(&tiny->plan);
    Scores scores = {0};
    Matches matches = {0};

    add_rules(tiny);
    score_people(&scores, &matches, &tiny->plan, &tiny->store);
    for (uint32_t p = 0; p < 300; p++)
        if (scores.outcome[1][p] == 0)
            scores.band[1][p] = p % 2;
    score_match(&matches, &tiny->plan, &tiny->store, &scores);
    for (uint32_t p = 0; p < 300; p++) {
        const double *row = visit_row(visit);
        bool frail, top;

        visit_person(visit, &tiny->plan, &tiny->store, p, false);
        visit_set_bands(visit, &tiny->plan, &scores, p);
        frail = row[tiny_slot(tiny, "deficits.band")] == 2;
        top = row[tiny_slot(tiny, "risk.band")] == 1 && row[tiny_slot(tiny, "beds")] > 0;
        cr_expect_eq(matches.segment[p], frail ? 0 : row[0] >= 65 ? 1 : 2);
        cr_expect_eq(matches.cohort[p], (uint64_t)(top ? 3 : 2));
    }
    visit_free(visit);
    matches_free(&matches);
    scores_free(&scores);
    tiny_free(tiny);
}

/* The second visit counts only what such rules read, and leaves the others alone. */
Test(score, late_rules_see_what_a_whole_visit_sees)
{
    static Segment segments[3];
    static Cohort cohorts[3];
    Tiny *tiny = town(300);
    Visit *visit;
    const double *row;
    Scores scores = {0};
    Matches matches = {0};
    int n_segment[3] = {0}, n_cohort[3] = {0};

    tiny_derived(tiny, "twice", RULE_NUMBER, "2 * worse + codes");
    tiny_derived(tiny, "many", RULE_YESNO, "twice > 20 and old");
    segments[0].when = tiny_rule(tiny, RULE_YESNO, "risk.band == 1 and many");
    segments[1].when = tiny_rule(tiny, RULE_YESNO, "last > 5");
    cohorts[0].when = tiny_rule(tiny, RULE_YESNO, "beds > 3 or age > 90");
    cohorts[1].when = tiny_rule(tiny, RULE_YESNO, "risk.band == 0 and not many");
    tiny->plan.segments = segments;
    tiny->plan.n_segments = 3;
    tiny->plan.cohorts = cohorts;
    tiny->plan.n_cohorts = 3;
    score_people(&scores, &matches, &tiny->plan, &tiny->store);
    for (uint32_t p = 0; p < 300; p++)
        if (scores.outcome[1][p] == 0)
            scores.band[1][p] = p % 2;
    score_match(&matches, &tiny->plan, &tiny->store, &scores);
    visit = visit_new(&tiny->plan);
    row = visit_row(visit);
    for (uint32_t p = 0; p < 300; p++) {
        uint64_t want = 4;
        int segment;

        visit_person(visit, &tiny->plan, &tiny->store, p, true);
        visit_set_bands(visit, &tiny->plan, &scores, p);
        segment = rule_holds(segments[0].when, row)   ? 0
                  : rule_holds(segments[1].when, row) ? 1
                                                      : 2;
        for (int c = 0; c < 2; c++)
            want |= (uint64_t)rule_holds(cohorts[c].when, row) << c;
        cr_expect_eq(matches.segment[p], segment, "person %u", p);
        cr_expect_eq(matches.cohort[p], want, "person %u", p);
        n_segment[segment]++;
        for (int c = 0; c < 3; c++)
            n_cohort[c] += want >> c & 1;
    }
    for (int i = 0; i < 3; i++)
        cr_expect(n_segment[i] > 10 && n_cohort[i] > 10, "%d: %d and %d", i, n_segment[i],
                  n_cohort[i]);
    visit_free(visit);
    matches_free(&matches);
    scores_free(&scores);
    tiny_free(tiny);
}

typedef struct Run {
    Scores scores;
    Matches matches;
} Run;

static Run run_with(const Tiny *tiny, int threads)
{
    Run run = {{0}, {0}};

    omp_set_num_threads(threads);
    score_people(&run.scores, &run.matches, &tiny->plan, &tiny->store);
    for (uint32_t p = 0; p < tiny->store.n_people; p++)
        run.scores.band[1][p] = (int8_t)(p % 2);
    score_match(&run.matches, &tiny->plan, &tiny->store, &run.scores);
    return run;
}

Test(score, one_thread_and_seven_give_the_same_bytes)
{
    enum { N = 9000 };
    Tiny *tiny = town(N);
    Run one, seven;

    add_rules(tiny);
    one = run_with(tiny, 1);
    seven = run_with(tiny, 7);
    for (int m = 0; m < 2; m++) {
        cr_expect_eq(memcmp(one.scores.score[m], seven.scores.score[m], N * 8), 0);
        cr_expect_eq(memcmp(one.scores.outcome[m], seven.scores.outcome[m], N), 0);
        cr_expect_eq(memcmp(one.scores.band[m], seven.scores.band[m], N), 0);
    }
    cr_expect_eq(memcmp(one.matches.segment, seven.matches.segment, N), 0);
    cr_expect_eq(memcmp(one.matches.cohort, seven.matches.cohort, N * 8), 0);
    matches_free(&one.matches);
    matches_free(&seven.matches);
    scores_free(&one.scores);
    scores_free(&seven.scores);
    tiny_free(tiny);
}

Test(score, evidence_is_the_day_of_the_latest_event)
{
    Tiny *tiny = tiny_new();
    int gp = tiny_source(tiny, "gp");
    Feature *falls = tiny_feature(tiny, gp, "falls", COUNT_EXISTS, NULL);
    Visit *visit;

    tiny_hit(tiny, falls, "fall");
    tiny_person(tiny, "1943-01-01");
    tiny_person(tiny, "1943-01-01");
    tiny_event(tiny, gp, 0, "fall", "2019-03-09", (TinyMore){0});
    tiny_event(tiny, gp, 0, "fall", "2024-03-09", (TinyMore){0});
    tiny_build(tiny);
    visit = visit_new(&tiny->plan);
    visit_person(visit, &tiny->plan, &tiny->store, 0, true);
    cr_expect_eq(visit_evidence(visit)[0], tiny_day("2024-03-09"));
    visit_person(visit, &tiny->plan, &tiny->store, 1, true);
    cr_expect_eq(visit_evidence(visit)[0], DAY_UNKNOWN);
    visit_free(visit);
    tiny_free(tiny);
}

Test(score, nobody_and_nothing)
{
    Tiny *tiny = tiny_new();
    Scores scores = {0};
    Matches matches = {0};

    tiny_build(tiny);
    score_people(&scores, &matches, &tiny->plan, &tiny->store);
    score_match(&matches, &tiny->plan, &tiny->store, &scores);
    cr_expect_eq(scores.n_people, 0);
    matches_free(&matches);
    scores_free(&scores);
    visit_free(NULL);
    tiny_free(tiny);
}
