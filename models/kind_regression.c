/*
 * kind_regression.c - a weighted sum and its link.
 *
 *     lp = intercept + sum of weight x (value - centre) + offset
 *
 *     identity   lp
 *     logit      1 / (1 + exp(-lp))
 *     log        exp(lp)
 *     cloglog    1 - exp(-exp(lp))
 *     cox        1 - S0 ^ exp(lp)         S0: baseline survivor at the horizon
 *
 * The score is the link's value, kept within floor and ceiling, times `multiply`. A
 * term with steps adds the weight of its step in place of weight x (value - centre).
 * Terms are added in file order in IEEE double: the same file gives the same last bit.
 *
 * A model file of this kind gives a link, an intercept and terms.
 */
#include <math.h>

#include "models/kinds.h"

static int regression_check_term(const Term *term, Err *err)
{
    int rc = 0;

    if (!isfinite(term->weight) || !isfinite(term->centre))
        rc = err_add(err, ERR_CONFIG, term->where,
                     "the weight or centre of \"%s\" is not a number", term->id);
    for (int s = 0; s < term->n_steps; s++)
        if (!isfinite(term->step_weight[s]))
            rc = err_add(err, ERR_CONFIG, term->where, "a step of \"%s\" has no weight",
                         term->id);
    return rc;
}

static int regression_compile(Model *model, const Plan *plan, const Node *node,
                              Arena *arena, Err *err)
{
    Quick *why;
    int rc = 0;

    (void)node; /* the common compiler has read every word of this kind */
    if (!isfinite(model->intercept)) {
        rc = err_add(err, ERR_CONFIG, model->where, "regression \"%s\" has no intercept",
                     model->id);
        err_hint(err, "add the line \"intercept: NUMBER\"");
    }
    if (model->link == LINK_COX && !(model->baseline > 0 && model->baseline < 1)) {
        rc = err_add(err, ERR_CONFIG, model->where,
                     "a Cox model needs a baseline survivor between 0 and 1");
        err_hint(err, "add \"baseline:\" with the survivor function at the horizon");
    }
    for (int t = 0; t < model->n_terms; t++)
        if (regression_check_term(&model->terms[t], err) != 0)
            rc = -1;
    why = terms_prepare(model, plan, false, arena);
    if (model->offset != NULL)
        why->offset = reason_add(model, "the offset has no value", arena);
    why->not_finite = reason_add(model, "the result is beyond any number", arena);
    return rc;
}

/* What a term of that value adds to the sum. */
static double term_amount(const Term *term, double value)
{
    int step;

    if (term->n_steps == 0)
        return term->weight * (value - term->centre);
    step = term_step(term, value);
    return step < 0 ? 0 : term->step_weight[step];
}

static void add_term(double *lp, const Model *model, int number, const Scoring *of)
{
    const QuickTerm *quick = &((const Quick *)model->own)->terms[number];
    double value[RULE_LANES];

    if (quick->is_plain) {
        for (int l = 0; l < of->n; l++)
            lp[l] += quick->weight * (of->rows[l][quick->slot] - quick->centre);
        return;
    }
    term_values(model, number, of, value);
    for (int l = 0; l < of->n; l++)
        lp[l] += term_amount(&model->terms[number], value[l]);
}

static void add_offset(double *lp, const Model *model, const Scoring *of)
{
    const Quick *own = model->own;
    double offset[RULE_LANES];

    rule_numbers(model->offset, of->rows, of->n, offset);
    for (int l = 0; l < of->n; l++) {
        lp[l] += offset[l];
        if (isnan(offset[l]) && of->why[l] == 0)
            of->why[l] = own->offset;
    }
}

static void regression_score(const Model *model, const double *const *rows, int n,
                             double *score, int *why)
{
    const Quick *own = model->own;
    const Scoring of = {rows, n, why};
    double lp[RULE_LANES];

    for (int l = 0; l < n; l++) {
        lp[l] = model->intercept;
        why[l] = 0;
    }
    for (int t = 0; t < model->n_terms; t++)
        add_term(lp, model, t, &of);
    if (model->offset != NULL)
        add_offset(lp, model, &of);
    for (int l = 0; l < n; l++) {
        score[l] = total_score(model, link_value(model, lp[l]));
        if (!isfinite(score[l]) && why[l] == 0)
            why[l] = own->not_finite;
        if (why[l] != 0)
            score[l] = NAN;
    }
}

/* On the linear scale: that is where the terms add up. */
static int regression_shares(const Model *model, const double *row, Share *shares)
{
    int n = 0, why = 0;

    for (int t = 0; t < model->n_terms; t++) {
        double value = term_value(model, t, row, &why);
        double amount = term_amount(&model->terms[t], value);

        if (amount != 0 && !isnan(amount))
            shares[n++] = (Share){
                .slot = model->terms[t].slot,
                .amount = amount,
                .term = t,
            };
    }
    return n;
}

const ModelKind kind_regression = {"regression", regression_compile, regression_score,
                                   regression_shares, term_replaced};
