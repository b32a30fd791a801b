#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "models/kinds.h"
#include "tests/support/tiny.h"

/* Count features a, b, c, d in slots 1..4, and a last value v in slot 5. */
static Model *points_of(Tiny *tiny, int64_t scale)
{
    int source = tiny_source(tiny, "hospital");
    Model *model;

    tiny_feature(tiny, source, "a", COUNT_EXISTS, NULL);
    tiny_feature(tiny, source, "b", COUNT_EXISTS, NULL);
    tiny_feature(tiny, source, "c", COUNT_EXISTS, NULL);
    tiny_feature(tiny, source, "d", COUNT_ROWS, NULL);
    tiny_feature(tiny, source, "v", COUNT_LATEST, NULL);
    model = tiny_model(tiny, "score", &kind_points);
    model->scale = scale;
    return model;
}

static double score(Tiny *tiny, Model *model, const double *row)
{
    int why = -1;
    double got;

    if (model->own == NULL)
        cr_assert_eq(tiny_compile(tiny, model), 0, "%s", tiny->err.text);
    got = model_score(model, row, &why);
    cr_assert_eq(isnan(got), why != 0);
    return got;
}

static const char *why_not(Model *model, const double *row)
{
    int why = 0;

    model_score(model, row, &why);
    return model->reasons[why].text;
}

/* Weights of the Hospital Frailty Risk Score whose double sum is 4.999999999999999. */
Test(kind_points, decimal_weights_are_added_exactly)
{
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 10);

    tiny_term(tiny, model, "a", 1.9);
    tiny_term(tiny, model, "b", 2.3);
    tiny_term(tiny, model, "c", 0.8);
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 1, 1, 0, NAN}), 5.0);
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 1, 0, 0, NAN}), 4.2);
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 0, 0, 0, NAN}), 0);
    tiny_free(tiny);
}

Test(kind_points, a_count_is_multiplied_and_capped)
{
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 10);

    tiny_term(tiny, model, "d", 1.5)->cap = 60;
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 0, 0, 3, NAN}), 4.5);
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 0, 0, 4, NAN}), 6);
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 0, 0, 5, NAN}), 6);
    tiny_free(tiny);
}

/* Charlson: complicated diabetes (2) takes the place of diabetes (1). */
Test(kind_points, hierarchy_suppresses_the_milder_form)
{
    uint32_t by_a[] = {0}, by_b[] = {1};
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 1);
    Term *b, *c;
    Share shares[3];

    tiny_term(tiny, model, "a", 4);
    b = tiny_term(tiny, model, "b", 2);
    c = tiny_term(tiny, model, "c", 1);
    b->zeroed_by = by_a;
    c->zeroed_by = by_b;
    b->n_zeroed_by = c->n_zeroed_by = 1;
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 1, 1, 0, NAN}), 2);
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 0, 1, 0, NAN}), 1);
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 0, 1, 0, NAN}), 5);
    /* b is suppressed and still suppresses c */
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 1, 1, 0, NAN}), 4);
    cr_expect_eq(kind_points.shares(model, (double[]){80, 1, 1, 1, 0, NAN}, shares), 1);
    cr_expect_eq(shares[0].term, 0);
    tiny_free(tiny);
}

Test(kind_points, a_group_shares_a_cap_in_the_order_of_terms)
{
    int64_t group_cap[] = {0, 60};
    double row[] = {80, 1, 1, 1, 2, NAN};
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 10);
    Share shares[4];

    model->group_cap = group_cap;
    model->n_groups = 1;
    tiny_term(tiny, model, "a", 3.5)->group = 1;
    tiny_term(tiny, model, "b", 3)->group = 1;
    tiny_term(tiny, model, "c", 2)->group = 1;
    tiny_term(tiny, model, "d", 0.5);
    cr_expect_eq(score(tiny, model, row), 7);
    cr_assert_eq(kind_points.shares(model, row, shares), 3);
    cr_expect_eq(shares[0].amount, 3.5);
    cr_expect_eq(shares[1].amount, 2.5);
    cr_expect_eq(shares[2].amount, 1);
    cr_expect_eq(shares[2].term, 3);
    row[1] = 0;
    cr_expect_eq(score(tiny, model, row), 6);
    tiny_free(tiny);
}

/* A term that takes away counts before the cap is applied, wherever it stands. */
Test(kind_points, a_negative_term_of_a_group)
{
    int64_t group_cap[] = {0, 4};
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 1);

    model->group_cap = group_cap;
    model->n_groups = 1;
    tiny_term(tiny, model, "a", 5)->group = 1;
    tiny_term(tiny, model, "b", -3)->group = 1;
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 1, 0, 0, NAN}), 2);
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 0, 0, 0, NAN}), 4);
    tiny_free(tiny);
}

Test(kind_points, floor_and_ceiling_hold_the_total)
{
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 1);

    model->floor = 0;
    model->ceiling = 5;
    tiny_term(tiny, model, "a", -2);
    tiny_term(tiny, model, "d", 3);
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 0, 0, 0, NAN}), 0);
    cr_expect_eq(score(tiny, model, (double[]){80, 1, 0, 0, 1, NAN}), 1);
    cr_expect_eq(score(tiny, model, (double[]){80, 0, 0, 0, 2, NAN}), 5);
    tiny_free(tiny);
}

/*
 * LACE, van Walraven et al. CMAJ 2010;182:551-7, doi:10.1503/cmaj.091117: a stay of 5
 * days (4), acute (3), comorbidity 5 (5), two visits (2) make 14; 2 days, planned, none,
 * none make 2.
 */
Test(kind_points, steps_of_lace)
{
    static double stay[] = {1, 2, 3, 4, 7, 14, INFINITY},
                  other[] = {1, 2, 3, 4, INFINITY};
    static bool below[7] = {false};
    static int64_t stay_points[] = {0, 1, 2, 3, 4, 5, 7}, charlson[] = {0, 1, 2, 3, 5},
                   visits[] = {0, 1, 2, 3, 4};
    static const struct {
        double row[5];
        double want;
    } ROWS[] = {
        {{80, 5, 1, 5, 2}, 14},  {{80, 2, 0, 0, 0}, 2},   {{80, 0.5, 0, 0, 0}, 0},
        {{80, 13, 0, 4, 0}, 10}, {{80, 14, 0, 3, 4}, 14}, {{80, 99, 1, 9, 9}, 19},
    };
    Tiny *tiny = tiny_new();
    Model *model;
    Term *term;

    for (int a = 0; a < 4; a++)
        tiny_attribute(tiny, (const char *[]){"stay", "acute", "charlson", "visits"}[a],
                       NULL);
    model = tiny_model(tiny, "lace", &kind_points);
    term = tiny_term(tiny, model, "stay", 0);
    term->n_steps = 7, term->step_bound = stay, term->step_points = stay_points;
    term->step_upto = below;
    tiny_term(tiny, model, "acute", 3);
    term = tiny_term(tiny, model, "charlson", 0);
    term->n_steps = 5, term->step_bound = other, term->step_points = charlson;
    term->step_upto = below;
    term = tiny_term(tiny, model, "visits", 0);
    term->n_steps = 5, term->step_bound = other, term->step_points = visits;
    term->step_upto = below;
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++)
        cr_expect_eq(score(tiny, model, ROWS[r].row), ROWS[r].want, "row %zu", r);
    cr_expect_str_eq(why_not(model, (double[]){80, NAN, 1, 5, 2}),
                     "\"stay\" has no value");
    cr_expect_str_eq(why_not(model, (double[]){80, 5, 0.5, 5, 2}),
                     "\"acute\" is not a whole number");
    tiny_free(tiny);
}

Test(kind_points, missing_values_follow_the_policy)
{
    static const struct {
        MissingPolicy missing;
        double want;
    } ROWS[] = {{MISSING_ZERO, 2}, {MISSING_IMPUTE, 5}};
    double row[] = {80, 1, 0, 0, 0, NAN};

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Tiny *tiny = tiny_new();
        Model *model = points_of(tiny, 1);

        model->missing = ROWS[r].missing;
        tiny_term(tiny, model, "a", 2);
        tiny_term(tiny, model, "v", 1)->impute = 3;
        cr_expect_eq(score(tiny, model, row), ROWS[r].want);
        tiny_free(tiny);
    }
}

Test(kind_points, values_that_cannot_be_used_are_named)
{
    double row[] = {80, 1, 0, 0, 0, NAN};
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 1);
    Term *term;

    tiny_term(tiny, model, "a", 2);
    term = tiny_term(tiny, model, "v", 1);
    term->label = "Frailty scale";
    term->least = 1;
    term->most = 9;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    cr_expect_eq(model->n_reasons, 4);
    cr_expect_str_eq(why_not(model, row), "\"Frailty scale\" has no value");
    row[5] = 10;
    cr_expect_str_eq(why_not(model, row), "\"Frailty scale\" is out of range");
    row[5] = 5.5;
    cr_expect_str_eq(why_not(model, row), "\"Frailty scale\" is not a whole number");
    row[5] = 9;
    cr_expect_eq(score(tiny, model, row), 11);
    model->range = RANGE_CLAMP;
    row[5] = 10;
    cr_expect_eq(score(tiny, model, row), 11);
    tiny_free(tiny);
}

Test(kind_points, refusals)
{
    Tiny *tiny = tiny_new();
    Model *model = points_of(tiny, 1);
    Term *term;

    model->where = (Where){"score.yaml", 2, 1};
    cr_expect_eq(tiny_compile(tiny, model), -1);
    cr_expect_str_eq(tiny->err.text,
                     "score.yaml:2:1: points model \"score\" has no terms");

    err_clear(&tiny->err);
    tiny->plan.features[4].count = COUNT_MEAN;
    term = tiny_term(tiny, model, "v", 1);
    term->where = (Where){"score.yaml", 7, 5};
    cr_expect_eq(tiny_compile(tiny, model), -1);
    cr_expect_str_eq(tiny->err.text,
                     "score.yaml:7:5: points are added exactly and \"v\" is a mean, "
                     "which has fractions\n"
                     "    hint: use \"steps:\", or a model of kind regression");

    err_clear(&tiny->err);
    tiny->plan.features[4].count = COUNT_LATEST;
    term->points = INT64_C(3000000000);
    cr_expect_eq(tiny_compile(tiny, model), -1);
    cr_expect_str_eq(
        tiny->err.text,
        "score.yaml:2:1: the weights of model \"score\" are too large, or too "
        "long, to be added exactly\n"
        "    hint: write weights with fewer digits after the point");
    tiny_free(tiny);
}
