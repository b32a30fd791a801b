/*
 * kind_trees.c - a model file written by XGBoost or LightGBM.
 *
 *     file: admission.json     beside this file; see tree_forest.h
 *     output: probability      or prediction (the default): what the library predicts;
 *                              or margin: before the sigmoid, softmax or exponential
 *     class: 2                 of a model with several outputs, from 0
 *     rounds: best             or all; needed where training stopped early
 *     missing_value: -999      what missing was written as for training
 *     features:                where the file's names are not the names used here
 *       n_meds: medicines_12m
 *       is_male: sex == M
 *       smoking: {value: smoking, codes: {never: 0, ex: 1, current: 2}, label: Smoking}
 *
 * A missing value goes the way that the trainer gave it. Contributions are exact Shapley
 * values on the scale of the margin.
 */
#include <math.h>

#include "models/kinds.h"
#include "models/tree_bind.h"

/* The margin when nothing is known: shares are counted from there. */
static void set_intercept(Model *model, const Trees *trees, Arena *arena)
{
    size_t n = (size_t)trees->forest.n_features;
    double *x = arena_alloc(arena, n, sizeof *x);
    double *shares = arena_alloc(arena, n, sizeof *shares);

    if (trees->forest.has_cover)
        model->intercept = forest_shap(&trees->forest, x, trees->output, shares);
}

static int trees_compile(Model *model, const Plan *plan, const Node *node, Arena *arena,
                         Err *err)
{
    Trees *trees;

    if (trees_bind(model, plan, node, arena, err) != 0)
        return -1;
    trees = model->own;
    trees->not_finite = reason_add(model, "the result is beyond any number", arena);
    set_intercept(model, trees, arena);
    return 0;
}

/* ---- the arithmetic --------------------------------------------------------------- */

/* The code of a word or of a number that the file lists; NaN = it has none. */
static double code_of(const Input *input, double value)
{
    if (input->code != NULL)
        return value >= 0 && value < input->n_codes ? input->code[(int)value] : NAN;
    for (int i = 0; i < input->n_numbers; i++) {
        if (input->number[i] == value)
            return i;
    }
    return NAN;
}

/* Features of the file for one person; 0, or the reason why there are none. */
static int fill(double *x, const Model *model, const double *row)
{
    const Trees *trees = model->own;

    for (int i = 0; i < model->n_terms; i++) {
        const Term *term = &model->terms[i];
        const Input *input = &trees->inputs[i];

        x[i] = term->value != NULL ? rule_number(term->value, row) : row[term->slot];
        if (x[i] == trees->missing_value)
            x[i] = NAN;
        if (isnan(x[i]) || input->unknown == 0)
            continue;
        x[i] = code_of(input, x[i]);
        if (isnan(x[i]))
            return input->unknown;
    }
    return 0;
}

static double score_row(const Model *model, const double *row, int *why)
{
    const Trees *trees = model->own;
    double x[FOREST_MOST_FEATURES], margin[FOREST_MOST_OUTPUTS], score;

    *why = fill(x, model, row);
    if (*why != 0)
        return NAN;
    forest_margin(&trees->forest, x, margin);
    score = trees->is_margin ? margin[trees->output]
                             : forest_output(&trees->forest, margin, trees->output);
    score = total_score(model, score);
    if (!isfinite(score)) {
        *why = trees->not_finite;
        return NAN;
    }
    return score;
}

static void trees_score(const Model *model, const double *const *rows, int n,
                        double *score, int *why)
{
    for (int l = 0; l < n; l++)
        score[l] = score_row(model, rows[l], &why[l]);
}

static int trees_shares(const Model *model, const double *row, Share *shares)
{
    const Trees *trees = model->own;
    double x[FOREST_MOST_FEATURES], amount[FOREST_MOST_FEATURES];
    int n = 0;

    if (!trees->forest.has_cover || fill(x, model, row) != 0)
        return 0;
    forest_shap(&trees->forest, x, trees->output, amount);
    for (int i = 0; i < model->n_terms; i++) {
        if (amount[i] != 0)
            shares[n++] = (Share){model->terms[i].slot, amount[i], i};
    }
    return n;
}

const ModelKind kind_trees = {"trees", trees_compile, trees_score, trees_shares, NULL};
