/*
 * An input made for 10 to 60, with 27 declared where it is missing, and every policy on
 * both sides of both ends.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "models/kinds.h"
#include "models/score.h"
#include "tests/support/tiny.h"

/* x is the attribute 0; one model on it, with a range where it is told so. */
static Model *model_of(Tiny *tiny, const char *id, const ModelKind *kind,
                       const char *value)
{
    Model *model = tiny_model(tiny, id, kind);
    Term *term = tiny_term(tiny, model, value, 1);

    term->label = "X";
    term->least = 10;
    term->most = 60;
    term->impute = 27;
    return model;
}

static void add_people(Tiny *tiny, const double *x, uint32_t n)
{
    for (uint32_t p = 0; p < n; p++) {
        tiny_person(tiny, "1950-01-01");
        tiny_set(tiny, p, 0, x[p]);
    }
    tiny_build(tiny);
}

enum { NONE = 0, CLAMPED = FLAG_CLAMPED, IMPUTED = FLAG_IMPUTED, BOTH = 3 };

typedef struct Case {
    const ModelKind *kind;
    MissingPolicy missing;
    RangePolicy range;
    int flag[7]; /* by X below */
    InputCount count;
} Case;

static const double X[] = {9, 10, 11, 59, 60, 61, NAN};
enum { N_X = sizeof X / sizeof *X };

#define KEPT  MISSING_NOT_SCORED, RANGE_NOT_SCORED
#define CLAMP MISSING_NOT_SCORED, RANGE_CLAMP

static const Case CASES[] = {
    {&kind_index, KEPT, {NONE}, {0, 0, 0}},
    {&kind_points, KEPT, {NONE}, {0, 0, 0}},
    {&kind_regression, KEPT, {NONE}, {0, 0, 0}},
    {&kind_index, CLAMP, {CLAMPED, 0, 0, 0, 0, CLAMPED, 0}, {1, 1, 0}},
    {&kind_points, CLAMP, {CLAMPED, 0, 0, 0, 0, CLAMPED, 0}, {1, 1, 0}},
    {&kind_regression, CLAMP, {CLAMPED, 0, 0, 0, 0, CLAMPED, 0}, {1, 1, 0}},
    {&kind_index,
     MISSING_IMPUTE,
     RANGE_NOT_SCORED,
     {0, 0, 0, 0, 0, 0, IMPUTED},
     {0, 0, 1}},
    {&kind_points,
     MISSING_IMPUTE,
     RANGE_CLAMP,
     {CLAMPED, 0, 0, 0, 0, CLAMPED, IMPUTED},
     {1, 1, 1}},
    {&kind_regression,
     MISSING_IMPUTE,
     RANGE_CLAMP,
     {CLAMPED, 0, 0, 0, 0, CLAMPED, IMPUTED},
     {1, 1, 1}},
    /* 0 stands in, and is below the range itself */
    {&kind_regression,
     MISSING_ZERO,
     RANGE_CLAMP,
     {CLAMPED, 0, 0, 0, 0, CLAMPED, BOTH},
     {2, 1, 1}},
    {&kind_regression, MISSING_ZERO, RANGE_NOT_SCORED, {NONE}, {0, 0, 0}},
};

Test(flag, every_kind_and_policy_on_both_sides_of_both_ends)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        Tiny *tiny = tiny_new();
        Scores scores = {0};
        Model *model;

        tiny_attribute(tiny, "x", NULL);
        model = model_of(tiny, "risk", CASES[c].kind, "x");
        model->missing = CASES[c].missing;
        model->range = CASES[c].range;
        cr_assert_eq(tiny_compile(tiny, model), 0, "%s", tiny->err.text);
        add_people(tiny, X, N_X);
        score_people(&scores, NULL, &tiny->plan, &tiny->store);
        for (uint32_t p = 0; p < N_X; p++) {
            cr_expect_eq(scores_flag(&scores, 0, p), CASES[c].flag[p],
                         "case %zu, x = %g: %d", c, X[p], scores_flag(&scores, 0, p));
            cr_expect(scores.outcome[0][p] == 0 || scores_flag(&scores, 0, p) == 0);
        }
        if (model->n_replaceable > 0)
            cr_expect_eq(
                memcmp(&scores.replaced[0][0], &CASES[c].count, sizeof(InputCount)), 0,
                "case %zu", c);
        else
            cr_expect(CASES[c].count.below + CASES[c].count.imputed == 0 &&
                      scores.flag[0] == NULL);
        scores_free(&scores);
        tiny_free(tiny);
    }
}

/* The nearest number on the other side of an end. */
Test(flag, an_end_belongs_to_the_range)
{
    const double x[] = {nextafter(10, 0), 10, nextafter(10, 11),
                        nextafter(60, 0), 60, nextafter(60, 61)};
    static const int WANT[] = {CLAMPED, 0, 0, 0, 0, CLAMPED};
    Tiny *tiny = tiny_new();
    Scores scores = {0};
    Model *model;

    tiny_attribute(tiny, "x", NULL);
    model = model_of(tiny, "risk", &kind_regression, "x");
    model->range = RANGE_CLAMP;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    add_people(tiny, x, 6);
    score_people(&scores, NULL, &tiny->plan, &tiny->store);
    for (uint32_t p = 0; p < 6; p++)
        cr_expect_eq(scores_flag(&scores, 0, p), WANT[p], "person %u", p);
    cr_expect_eq(scores.score[0][0], 10);
    cr_expect_eq(scores.score[0][5], 60);
    scores_free(&scores);
    tiny_free(tiny);
}

/* What is part of the formula moves the score, and nobody gets a flag for it. */
Test(flag, a_cap_of_the_formula_is_no_policy)
{
    static const double HIGH[] = {61};
    Tiny *tiny = tiny_new();
    Scores scores = {0};
    Model *model;

    tiny_attribute(tiny, "x", NULL);
    model = tiny_model(tiny, "risk", &kind_points);
    model->ceiling = 5;
    model->range = RANGE_CLAMP;
    tiny_term(tiny, model, "x", 1)->cap = 6;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    add_people(tiny, HIGH, 1);
    score_people(&scores, NULL, &tiny->plan, &tiny->store);
    cr_expect_eq(scores.score[0][0], 5);
    cr_expect_eq(model->n_replaceable, 0);
    cr_expect_null(scores.flag[0], "a model that replaces nothing needs no room");
    scores_free(&scores);
    tiny_free(tiny);
}

/* Here a second input of the first person is missing. */
Test(flag, without_a_score_there_is_none)
{
    static const double LOW[] = {1, 1};
    Tiny *tiny = tiny_new();
    Scores scores = {0};
    Model *model;

    tiny_attribute(tiny, "x", NULL);
    tiny_attribute(tiny, "y", NULL);
    model = model_of(tiny, "risk", &kind_regression, "x");
    model->range = RANGE_CLAMP;
    tiny_term(tiny, model, "y", 1);
    cr_assert_eq(tiny_compile(tiny, model), 0);
    add_people(tiny, LOW, 2);
    tiny_set(tiny, 0, 1, NAN);
    tiny_set(tiny, 1, 1, 7);
    score_people(&scores, NULL, &tiny->plan, &tiny->store);
    cr_expect_neq(scores.outcome[0][0], 0);
    cr_expect_eq(scores_flag(&scores, 0, 0), 0);
    cr_expect_eq(scores_flag(&scores, 0, 1), FLAG_CLAMPED);
    cr_expect_eq(scores.replaced[0][0].below, 1);
    scores_free(&scores);
    tiny_free(tiny);
}

/* ---- models of models ------------------------------------------------------------ */

static void compile(Tiny *tiny, Model *model, const char *text)
{
    Node *node = NULL;

    cr_assert_eq(
        config_parse(&node, "m.yaml", text, strlen(text), tiny->arena, &tiny->err), 0);
    model->where = node->where;
    cr_assert_eq(model->kind->compile(model, &tiny->plan, node, tiny->arena, &tiny->err),
                 0, "%s", tiny->err.text);
}

#define OF_RISK "of: {model: risk, version: \"1\"}\nscale: score\n"

/*
 * risk clamps x at 10 and 60 and imputes 27; plain clamps nothing. Members, a
 * recalibration of the blend and a regression through a derived feature carry the flag of
 * risk; a map that ends at 50 clamps 51 to 60 as well.
 */
Test(flag, a_model_of_models_carries_the_flags_of_its_parts)
{
    static const double PEOPLE[] = {9, 30, 50, 51, 61, NAN};
    static const struct {
        const char *model;
        int flag[6];
    } WANT[] = {
        {"risk", {CLAMPED, 0, 0, 0, CLAMPED, IMPUTED}},
        {"plain", {0, 0, 0, 0, 0, 0}},
        {"blend", {CLAMPED, 0, 0, 0, CLAMPED, IMPUTED}},
        {"again", {CLAMPED, 0, 0, CLAMPED, CLAMPED, IMPUTED}},
        {"through", {CLAMPED, 0, 0, 0, CLAMPED, IMPUTED}},
        {"apart", {0, 0, 0, 0, 0, 0}},
    };
    Tiny *tiny = tiny_new();
    Scores scores = {0};
    Model *risk, *plain, *model;

    tiny_attribute(tiny, "x", NULL);
    risk = model_of(tiny, "risk", &kind_regression, "x");
    risk->missing = MISSING_IMPUTE;
    risk->range = RANGE_CLAMP;
    cr_assert_eq(tiny_compile(tiny, risk), 0);
    plain = tiny_model(tiny, "plain", &kind_regression);
    tiny_term(tiny, plain, "age", 1);
    cr_assert_eq(tiny_compile(tiny, plain), 0);
    compile(tiny, tiny_model(tiny, "blend", &kind_ensemble),
            "scale: score\nmembers:\n  - {model: plain, version: \"1\", weight: 0.5}\n"
            "  - {model: risk, version: \"1\", weight: 1}\n");
    model = tiny_model(tiny, "again", &kind_recalibrated);
    model->range = RANGE_CLAMP;
    compile(tiny, model, OF_RISK "map: [[10, 0.1], [50, 0.5]]\n");
    tiny_derived(tiny, "twice", RULE_NUMBER, "risk.score * 2");
    model = tiny_model(tiny, "through", &kind_regression);
    tiny_term(tiny, model, "twice + 1", 1);
    cr_assert_eq(tiny_compile(tiny, model), 0);
    compile(tiny, tiny_model(tiny, "apart", &kind_recalibrated),
            "of: {model: plain, version: \"1\"}\nscale: score\nslope: 2\n");
    add_people(tiny, PEOPLE, 6);
    score_people(&scores, NULL, &tiny->plan, &tiny->store);
    for (int m = 0; m < 6; m++) {
        cr_expect_str_eq(tiny->plan.models[m].id, WANT[m].model);
        cr_expect_eq(scores.flag[m] == NULL, m == 1 || m == 5);
        for (uint32_t p = 0; p < 6; p++) {
            cr_expect_eq(scores.outcome[m][p], 0);
            cr_expect_eq(scores_flag(&scores, m, p), WANT[m].flag[p],
                         "%s of person %u: %d", WANT[m].model, p,
                         scores_flag(&scores, m, p));
        }
    }
    cr_expect_eq(scores.replaced[3][0].above, 2, "51, and the 60 that was 61");
    cr_expect_eq(scores.replaced[3][0].below, 0, "the 10 that was 9 is on the map");
    scores_free(&scores);
    tiny_free(tiny);
}

Test(flag, counts_are_the_same_for_any_thread_count)
{
    enum { N = 5000 };
    double x[N];
    InputCount counts[2];
    Tiny *tiny = tiny_new();
    Model *model;

    for (int p = 0; p < N; p++)
        x[p] = p % 11 == 0 ? NAN : p % 75;
    tiny_attribute(tiny, "x", NULL);
    model = model_of(tiny, "risk", &kind_regression, "x");
    model->missing = MISSING_IMPUTE;
    model->range = RANGE_CLAMP;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    add_people(tiny, x, N);
    for (int i = 0; i < 2; i++) {
        Scores scores = {0};
        uint64_t below = 0;

        omp_set_num_threads(i == 0 ? 1 : 7);
        score_people(&scores, NULL, &tiny->plan, &tiny->store);
        counts[i] = scores.replaced[0][0];
        for (uint32_t p = 0; p < N; p++)
            below += x[p] < 10 && (scores_flag(&scores, 0, p) & FLAG_CLAMPED) != 0;
        cr_expect_eq(counts[i].below, below);
        scores_free(&scores);
    }
    cr_expect(counts[0].below > 0 && counts[0].above > 0);
    cr_expect_eq(counts[0].imputed, (N + 10) / 11);
    cr_expect_eq(memcmp(&counts[0], &counts[1], sizeof *counts), 0);
    tiny_free(tiny);
}

Test(flag, in_words)
{
    cr_expect_null(flag_text(0));
    cr_expect_str_eq(flag_text(FLAG_CLAMPED), "clamped");
    cr_expect_str_eq(flag_text(FLAG_IMPUTED), "imputed");
    cr_expect_str_eq(flag_text(FLAG_CLAMPED | FLAG_IMPUTED), "clamped and imputed");
}
