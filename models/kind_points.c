/*
 * kind_points.c - a sum of points.
 *
 *     score = sum of weight x value
 *
 * A term is weight x value (a condition is 1 or 0, a count is itself), or, with steps,
 * what the first step that takes the value gives. Then, in this order: a term counts 0
 * when the hierarchy suppresses it; a term is at most its cap; the terms of a group
 * together are at most the group's cap; the total is kept within floor and ceiling.
 *
 * Weights are decimal numbers and are added as whole numbers of the smallest decimal in
 * use: 1.9 + 2.3 + 0.8 is 5 and not 4.999..., so that a total on a cut-off lands on its
 * published side. So a value must be whole; one with a fraction has no score, since it
 * could only be multiplied by rounding. Steps take any number.
 *
 * A model file of this kind gives terms, and as needed hierarchy, floor and ceiling.
 */
#include <math.h>

#include "models/kinds.h"

static int points_check_term(const Term *term, const Plan *plan, Err *err)
{
    const Slot *slot = &plan->slots[term->slot];
    int rc = 0;

    if (term->value != NULL || term->n_steps > 0 || slot->kind != SLOT_FEATURE ||
        plan->features[slot->index].count != COUNT_MEAN)
        return 0;
    rc = err_add(err, ERR_CONFIG, term->where,
                 "points are added exactly and \"%s\" is a mean, which has fractions",
                 slot->name);
    err_hint(err, "use \"steps:\", or a model of kind regression");
    return rc;
}

static int points_compile(Model *model, const Plan *plan, const Node *node, Arena *arena,
                          Err *err)
{
    int rc = exact_check(model, err);

    (void)node; /* the common compiler has read every word of this kind */
    if (model->n_terms == 0)
        rc = err_add(err, ERR_CONFIG, model->where, "points model \"%s\" has no terms",
                     model->id);
    for (int t = 0; t < model->n_terms; t++)
        if (points_check_term(&model->terms[t], plan, err) != 0)
            rc = -1;
    terms_prepare(model, plan, true, arena);
    return rc;
}

/* What a term of that value gives by itself, in scaled points. */
static int64_t term_points(const Model *model, int number, double value,
                           const double *row, int *why)
{
    const Term *term = &model->terms[number];
    int64_t points;

    if (*why != 0 || (value == 0 && term->n_steps == 0) ||
        term_is_zeroed(model, term, row))
        return 0;
    if (term->n_steps > 0) {
        int step = term_step(term, value);

        points = step < 0 ? 0 : term->step_points[step];
    } else if (exact_fits(value)) {
        points = (int64_t)value * term->points;
    } else {
        *why = ((const Quick *)model->own)->terms[number].fraction;
        return 0;
    }
    return term->cap != 0 && points > term->cap ? term->cap : points;
}

/* The running total of the group that the walk is in. Terms of a group stand together. */
typedef struct GroupSum {
    int group;
    int64_t sum;
} GroupSum;

/* What is left of a term's points under its group's cap. In the order of terms, so that
 * what is left adds up to the capped sum of the group. */
static int64_t group_take(GroupSum *so_far, const Model *model, const Term *term,
                          int64_t points)
{
    int64_t cap, before;

    if (term->group == 0)
        return points;
    if (term->group != so_far->group)
        *so_far = (GroupSum){term->group, 0};
    cap = model->group_cap[term->group];
    before = so_far->sum < cap ? so_far->sum : cap;
    so_far->sum += points;
    return (so_far->sum < cap ? so_far->sum : cap) - before;
}

static void points_score(const Model *model, const double *const *rows, int n,
                         double *score, int *why)
{
    const Quick *own = model->own;
    const Scoring of = {rows, n, why};
    GroupSum group[RULE_LANES] = {0};
    int64_t total[RULE_LANES];
    double value[RULE_LANES];

    plain_points(own, &of, total);
    for (int r = 0; r < own->n_rest; r++) {
        int t = own->rest[r];

        term_values(model, t, &of, value);
        for (int l = 0; l < n; l++) {
            int64_t points = term_points(model, t, value[l], rows[l], &why[l]);

            if (points != 0)
                total[l] += group_take(&group[l], model, &model->terms[t], points);
        }
    }
    for (int l = 0; l < n; l++)
        score[l] = why[l] != 0
                       ? NAN
                       : total_score(model, (double)total[l] / (double)model->scale);
}

static int points_shares(const Model *model, const double *row, Share *shares)
{
    GroupSum group = {0, 0};
    int n = 0, why = 0;

    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];
        double value = term_value(model, t, row, &why);
        int64_t points = term_points(model, t, value, row, &why);

        points = group_take(&group, model, term, points);
        if (points != 0)
            shares[n++] = (Share){
                .slot = term->slot,
                .amount = (double)points / (double)model->scale * model->multiply,
                .term = t,
            };
    }
    return n;
}

const ModelKind kind_points = {"points", points_compile, points_score, points_shares,
                               term_replaced};
