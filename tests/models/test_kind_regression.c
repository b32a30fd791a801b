#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "models/kinds.h"
#include "tests/support/tiny.h"

/* Attributes x and y in slots 1 and 2. */
static Model *regression_of(Tiny *tiny, Link link)
{
    Model *model;

    tiny_attribute(tiny, "x", NULL);
    tiny_attribute(tiny, "y", NULL);
    model = tiny_model(tiny, "risk", &kind_regression);
    model->link = link;
    model->baseline = 0.98;
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

    cr_expect(isnan(model_score(model, row, &why)));
    return model->reasons[why].text;
}

static bool near(double got, double want)
{
    return fabs(got - want) <= 1e-12 * fmax(1, fabs(want));
}

/* -2.25 + 0.03 (82 - 65) + 0.45 x 3 = -0.39, and its links to forty digits. */
Test(kind_regression, every_link)
{
    static const struct {
        Link link;
        double want;
    } ROWS[] = {
        {LINK_IDENTITY, -0.39},           {LINK_LOGIT, 0.40371730070321216},
        {LINK_LOG, 0.67705687449816470},  {LINK_CLOGLOG, 0.49188977393529026},
        {LINK_COX, 0.013585257886161469},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Tiny *tiny = tiny_new();
        Model *model = regression_of(tiny, ROWS[r].link);
        double row[] = {82, 3, 0}, got;

        model->intercept = -2.25;
        tiny_term(tiny, model, "age", 0.03)->centre = 65;
        tiny_term(tiny, model, "x", 0.45);
        tiny_term(tiny, model, "y", 7);
        got = score(tiny, model, row);
        cr_expect(near(got, ROWS[r].want), "link %d: got %.17g", (int)ROWS[r].link, got);
        model->multiply = 100;
        got = score(tiny, model, row);
        cr_expect(near(got, 100 * ROWS[r].want), "link %d: got %.17g", (int)ROWS[r].link,
                  got);
        tiny_free(tiny);
    }
}

/* A risk of 2e-12 is right, relative to itself. */
Test(kind_regression, small_risks_keep_their_digits)
{
    static const struct {
        Link link;
        double want;
    } ROWS[] = {{LINK_CLOGLOG, 2.0611536203143808e-9},
                {LINK_COX, 2.0621848868145593e-12}};

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Tiny *tiny = tiny_new();
        Model *model = regression_of(tiny, ROWS[r].link);
        double row[] = {82, 0, 0}, got;

        model->intercept = -20;
        model->baseline = 0.999;
        got = score(tiny, model, row);
        cr_expect(fabs(got / ROWS[r].want - 1) < 1e-12, "got %.17g", got);
        tiny_free(tiny);
    }
}

/*
 * PARR-30, Billings et al. BMJ Open 2012;2:e001667: aged 82, this admission an emergency,
 * two emergency admissions in a year, one of them in the last 30 days, heart failure,
 * chronic pulmonary and renal disease, deprivation score 27.4, trust RXH:
 * 0.3528001565472.
 */
Test(kind_regression, worked_example_of_parr_30)
{
    static double bound[] = {10, 15, 25, 40, 50, INFINITY};
    static bool below[6] = {false};
    static double imd[] = {0, 0.0209, 0.0239, 0.0661, 0.1017, 0.0982};
    static const char *const NAMES[] = {"emergencies", "recent", "acute", "imd",
                                        "heart",       "lung",   "renal", "trust"};
    static const double WEIGHTS[] = {0.1215, 0.5258, 0.5565, 0,
                                     0.0950, 0.2243, 0.1977, 1};
    double row[] = {82, 2, 1, 1, 27.4, 1, 1, 1, -0.0043}, sum;
    Tiny *tiny = tiny_new();
    Share shares[9];
    Model *model;
    int n;

    for (int i = 0; i < 8; i++)
        tiny_attribute(tiny, NAMES[i], NULL);
    model = tiny_model(tiny, "parr30", &kind_regression);
    model->link = LINK_LOGIT;
    sum = model->intercept = -2.9182;
    tiny_term(tiny, model, "age ^ 2", 0.000060581);
    for (int i = 0; i < 8; i++)
        tiny_term(tiny, model, NAMES[i], WEIGHTS[i]);
    model->terms[4].n_steps = 6;
    model->terms[4].step_bound = bound;
    model->terms[4].step_upto = below;
    model->terms[4].step_weight = imd;
    cr_expect(near(score(tiny, model, row), 0.3528001565472037));
    n = kind_regression.shares(model, row, shares);
    cr_expect_eq(n, 9);
    for (int s = 0; s < n; s++)
        sum += shares[s].amount;
    cr_expect(near(sum, -0.606753356), "shares and intercept are the linear predictor");
    row[4] = 10;
    n = kind_regression.shares(model, row, shares);
    cr_expect_eq(shares[4].amount, 0.0209, "10 is in the second band");
    tiny_free(tiny);
}

Test(kind_regression, shares_are_on_the_linear_scale)
{
    double row[] = {60, 2, 0};
    Tiny *tiny = tiny_new();
    Model *model = regression_of(tiny, LINK_LOGIT);
    Share shares[3];

    tiny_term(tiny, model, "age", 0.03)->centre = 65;
    tiny_term(tiny, model, "x", 0.5);
    tiny_term(tiny, model, "y", 0.5);
    cr_assert_eq(tiny_compile(tiny, model), 0);
    cr_assert_eq(kind_regression.shares(model, row, shares), 2, "0 is left out");
    cr_expect(near(shares[0].amount, -0.15));
    cr_expect_eq(shares[1].amount, 1);
    cr_expect_eq(shares[1].slot, 1);
    tiny_free(tiny);
}

Test(kind_regression, policies_for_missing_and_range)
{
    static const struct {
        MissingPolicy missing;
        RangePolicy range;
        double x, want; /* NaN: not scored */
    } ROWS[] = {
        {MISSING_NOT_SCORED, RANGE_NOT_SCORED, 25, 50},
        {MISSING_NOT_SCORED, RANGE_NOT_SCORED, 10, 20},
        {MISSING_NOT_SCORED, RANGE_NOT_SCORED, 9.999, NAN},
        {MISSING_NOT_SCORED, RANGE_NOT_SCORED, NAN, NAN},
        {MISSING_NOT_SCORED, RANGE_CLAMP, 9.999, 20},
        {MISSING_NOT_SCORED, RANGE_CLAMP, 61, 120},
        {MISSING_IMPUTE, RANGE_NOT_SCORED, NAN, 54},
        {MISSING_ZERO, RANGE_CLAMP, NAN, 20},
        {MISSING_ZERO, RANGE_NOT_SCORED, NAN, NAN},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Tiny *tiny = tiny_new();
        Model *model = regression_of(tiny, LINK_IDENTITY);
        double row[] = {80, ROWS[r].x, 0}, got;
        Term *term;

        model->missing = ROWS[r].missing;
        model->range = ROWS[r].range;
        term = tiny_term(tiny, model, "x", 2);
        term->least = 10;
        term->most = 60;
        term->impute = 27;
        got = score(tiny, model, row);
        cr_expect(isnan(ROWS[r].want) ? isnan(got) : got == ROWS[r].want,
                  "row %zu: got %g", r, got);
        tiny_free(tiny);
    }
}

Test(kind_regression, why_there_is_no_score)
{
    Tiny *tiny = tiny_new();
    Model *model = regression_of(tiny, LINK_LOG);
    Term *term;

    model->offset = tiny_rule(tiny, RULE_NUMBER, "ln(y)");
    term = tiny_term(tiny, model, "x", 2);
    term->label = "Body mass index";
    term->most = 1000;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    cr_expect_str_eq(why_not(model, (double[]){80, NAN, 1}),
                     "\"Body mass index\" has no value");
    cr_expect_str_eq(why_not(model, (double[]){80, 1001, 1}),
                     "\"Body mass index\" is out of range");
    cr_expect_str_eq(why_not(model, (double[]){80, 1, 0}), "the offset has no value");
    cr_expect_str_eq(why_not(model, (double[]){80, 900, 1}),
                     "the result is beyond any number");
    cr_expect(near(score(tiny, model, (double[]){80, 0, 3}), 3));
    tiny_free(tiny);
}

Test(kind_regression, floor_and_ceiling_come_before_multiply)
{
    Tiny *tiny = tiny_new();
    Model *model = regression_of(tiny, LINK_IDENTITY);

    model->floor = 0;
    model->ceiling = 1;
    model->multiply = 100;
    tiny_term(tiny, model, "x", 1);
    cr_expect_eq(score(tiny, model, (double[]){80, -2, 0}), 0);
    cr_expect_eq(score(tiny, model, (double[]){80, 0.25, 0}), 25);
    cr_expect_eq(score(tiny, model, (double[]){80, 2, 0}), 100);
    tiny_free(tiny);
}

Test(kind_regression, refusals)
{
    Tiny *tiny = tiny_new();
    Model *model = regression_of(tiny, LINK_COX);
    Term *term;

    model->where = (Where){"risk.yaml", 1, 1};
    model->intercept = NAN;
    model->baseline = 1;
    term = tiny_term(tiny, model, "x", NAN);
    term->where = (Where){"risk.yaml", 9, 5};
    cr_expect_eq(tiny_compile(tiny, model), -1);
    cr_expect_str_eq(
        tiny->err.text,
        "risk.yaml:1:1: regression \"risk\" has no intercept\n"
        "    hint: add the line \"intercept: NUMBER\"\n"
        "risk.yaml:1:1: a Cox model needs a baseline survivor between 0 and 1\n"
        "    hint: add \"baseline:\" with the survivor function at the horizon\n"
        "risk.yaml:9:5: the weight or centre of \"x\" is not a number");
    tiny_free(tiny);
}
