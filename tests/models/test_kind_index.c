#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "models/kinds.h"
#include "tests/support/tiny.h"

/* A model of n yes/no items a, b, c ... in slots 1..n. */
static Model *index_of(Tiny *tiny, int n, double denominator)
{
    static const char *const NAMES[] = {"a", "b", "c", "d", "e", "f"};
    int source = tiny_source(tiny, "gp");
    Model *model;

    for (int i = 0; i < n; i++)
        tiny_feature(tiny, source, NAMES[i], COUNT_ROWS, NULL);
    model = tiny_model(tiny, "frailty", &kind_index);
    model->denominator = denominator;
    for (int i = 0; i < n; i++)
        tiny_term(tiny, model, NAMES[i], 1);
    return model;
}

Test(kind_index, share_of_deficits_present)
{
    static const struct {
        double row[5]; /* age, a, b, c, d */
        double want;
    } ROWS[] = {
        {{80, 0, 0, 0, 0}, 0},
        {{80, 1, 0, 0, 0}, 1.0 / 36},
        {{80, 1, 1, 1, 0}, 3.0 / 36},
        {{80, 5, 0, 0, 0}, 1.0 / 36}, /* recorded five times, one deficit */
        {{80, 1, 1, 1, 1}, 4.0 / 36},
    };
    Tiny *tiny = tiny_new();
    Model *model = index_of(tiny, 4, 36);
    int why = -1;

    cr_assert_eq(tiny_compile(tiny, model), 0);
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        cr_expect_eq(model_score(model, ROWS[r].row, &why), ROWS[r].want);
        cr_expect_eq(why, 0);
    }
    tiny_free(tiny);
}

/* Five of them stand side by side. A derived yes or no may be missing: it is not there.
 */
Test(kind_index, yes_or_no_side_by_side)
{
    static const char *const NAMES[] = {"a", "b", "c", "d", "e"};
    static const struct {
        double row[7]; /* age, a .. e, and what is derived */
        double want;
    } ROWS[] = {
        {{80, 0, 0, 0, 0, 0, 0}, 0},   {{80, 1, 0, 0, 0, 1, 0}, 2},
        {{80, 1, 1, 1, 1, 1, 1}, 6},   {{80, 0, 1, 0, 1, 0, 1}, 3},
        {{80, 1, 1, 1, 1, 1, NAN}, 5}, {{80, 0, 0, 0, 0, 0, NAN}, 0},
    };
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "gp"), why = -1;
    Model *model;

    for (int i = 0; i < 5; i++)
        tiny_feature(tiny, source, NAMES[i], COUNT_EXISTS, NULL);
    tiny_derived(tiny, "either", RULE_YESNO, "a > 0 or b > 0");
    model = tiny_model(tiny, "frailty", &kind_index);
    model->denominator = 1;
    tiny_term(tiny, model, "either", 1);
    for (int i = 0; i < 5; i++)
        tiny_term(tiny, model, NAMES[i], 1);
    cr_assert_eq(tiny_compile(tiny, model), 0);
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++)
        cr_expect_eq(model_score(model, ROWS[r].row, &why), ROWS[r].want, "row %zu", r);
    tiny_free(tiny);
}

Test(kind_index, nine_of_thirty_six_is_a_quarter)
{
    Tiny *tiny = tiny_new();
    Model *model = index_of(tiny, 1, 36);
    double row[] = {80, 1};
    int why;

    model->scale = 1;
    model->terms[0].points = 9;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    cr_expect_eq(model_score(model, row, &why), 0.25);
    tiny_free(tiny);
}

Test(kind_index, steps_grade_a_deficit)
{
    double bound[] = {25, INFINITY, INFINITY};
    bool upto[] = {true, false, false};
    int64_t points[] = {0, 5, 10};
    Tiny *tiny = tiny_new();
    Model *model = index_of(tiny, 2, 2);
    double row[] = {80, 26, 1};
    int why;

    model->scale = 10;
    model->terms[1].points = 10;
    model->terms[0].n_steps = 3;
    model->terms[0].step_bound = bound;
    model->terms[0].step_upto = upto;
    model->terms[0].step_points = points;
    bound[1] = 30;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    cr_expect_eq(model_score(model, row, &why), 0.75);
    row[1] = 25;
    cr_expect_eq(model_score(model, row, &why), 0.5);
    row[1] = 30;
    cr_expect_eq(model_score(model, row, &why), 1);
    tiny_free(tiny);
}

Test(kind_index, shares_are_one_part_of_the_denominator)
{
    Tiny *tiny = tiny_new();
    Model *model = index_of(tiny, 3, 36);
    double row[] = {80, 1, 0, 2};
    Share shares[3];

    cr_assert_eq(tiny_compile(tiny, model), 0);
    cr_assert_eq(kind_index.shares(model, row, shares), 2);
    cr_expect_eq(shares[0].term, 0);
    cr_expect_eq(shares[0].slot, 1);
    cr_expect_eq(shares[0].amount, 1.0 / 36);
    cr_expect_eq(shares[1].term, 2);
    cr_expect_eq(shares[1].amount, 1.0 / 36);
    tiny_free(tiny);
}

Test(kind_index, needs_a_denominator_and_items)
{
    Tiny *tiny = tiny_new();
    Model *model = index_of(tiny, 0, 0);

    model->where = (Where){"efi.yaml", 3, 1};
    cr_expect_eq(tiny_compile(tiny, model), -1);
    cr_expect_str_eq(
        tiny->err.text,
        "efi.yaml:3:1: index \"frailty\" needs a denominator above 0\n"
        "    hint: add \"denominator:\" with the number of deficits of the index\n"
        "efi.yaml:3:1: index \"frailty\" has no items");
    tiny_free(tiny);
}
