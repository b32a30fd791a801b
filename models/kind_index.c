/*
 * kind_index.c - the share of deficits that are present.
 *
 *     score = (sum of the weights of the items present) / denominator
 *
 * An item is present when its value is above 0, and counts once however often it was
 * recorded; an item with steps counts what its step gives, so that a deficit may be
 * graded. Weights (1 unless the config says otherwise) are added as whole numbers and
 * divided once, so that 9 of 36 is exactly 0.25.
 *
 * A model file of this kind gives a denominator and items.
 */
#include <math.h>

#include "models/kinds.h"

static int index_compile(Model *model, const Plan *plan, const Node *node, Arena *arena,
                         Err *err)
{
    int rc = 0;

    (void)node; /* the common compiler has read every word of this kind */
    if (!(model->denominator > 0) || !isfinite(model->denominator)) {
        rc = err_add(err, ERR_CONFIG, model->where,
                     "index \"%s\" needs a denominator above 0", model->id);
        err_hint(err, "add \"denominator:\" with the number of deficits of the index");
    }
    if (model->n_terms == 0)
        rc = err_add(err, ERR_CONFIG, model->where, "index \"%s\" has no items",
                     model->id);
    if (exact_check(model, err) != 0)
        rc = -1;
    terms_prepare(model, plan, false, arena);
    return rc;
}

/* What an item of that value adds, in scaled points. */
static int64_t item_points(const Term *term, double value)
{
    int step;

    if (term->n_steps == 0)
        return value > 0 ? term->points : 0;
    step = term_step(term, value);
    return step < 0 ? 0 : term->step_points[step];
}

/* What one scaled point is worth. */
static double unit(const Model *model)
{
    return (double)model->scale * model->denominator;
}

static void index_score(const Model *model, const double *const *rows, int n,
                        double *score, int *why)
{
    const Quick *own = model->own;
    const Scoring of = {rows, n, why};
    int64_t total[RULE_LANES];
    double value[RULE_LANES];

    plain_points(own, &of, total);
    for (int r = 0; r < own->n_rest; r++) {
        term_values(model, own->rest[r], &of, value);
        for (int l = 0; l < n; l++)
            total[l] += item_points(&model->terms[own->rest[r]], value[l]);
    }
    for (int l = 0; l < n; l++)
        score[l] = why[l] != 0 ? NAN : total_score(model, (double)total[l] / unit(model));
}

static int index_shares(const Model *model, const double *row, Share *shares)
{
    int n = 0, why = 0;

    for (int t = 0; t < model->n_terms; t++) {
        int64_t points = item_points(&model->terms[t], term_value(model, t, row, &why));

        if (points != 0)
            shares[n++] = (Share){
                .slot = model->terms[t].slot,
                .amount = (double)points / unit(model) * model->multiply,
                .term = t,
            };
    }
    return n;
}

const ModelKind kind_index = {"index", index_compile, index_score, index_shares,
                              term_replaced};
