/*
 * tree_walk.c - a row of features down every tree of a forest.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/trees/forest.h"

/* LightGBM's zero: the float constant 1e-35f, not the double of that spelling. */
#define ZERO_BOUND ((double)1e-35f)

enum { BLOCK = 16 }; /* trees walked side by side, so that their loads overlap */

/* ---- one step ----------------------------------------------------------------- */

static bool has_category(const Forest *forest, const TreeNode *node, uint32_t category)
{
    const CategorySet *set = &forest->sets[node->at.number];

    return category / 32 < set->n_words &&
           (forest->words[set->first + category / 32] >> category % 32 & 1) != 0;
}

/* The libraries agree on nothing here: XGBoost sends the set right, and what is no
 * category left; LightGBM the other way round, and cuts the fraction off first. */
static bool category_goes_right(const Forest *forest, const TreeNode *node, double value)
{
    if (forest->library == LIBRARY_XGBOOST)
        return value >= 0 && value < 16777216.0 &&
               has_category(forest, node, (uint32_t)value);
    return !(value > -1 && value < 2147483648.0 &&
             has_category(forest, node, (uint32_t)(int32_t)value));
}

bool forest_goes_right(const Forest *forest, const TreeNode *node, double value)
{
    if (isnan(value) || ((node->test & NODE_ZERO_MISSING) && fabs(value) <= ZERO_BOUND))
        return !(node->test & NODE_MISSING_LEFT);
    if (node->test & NODE_CATEGORY)
        return category_goes_right(forest, node, value);
    return !(value <= node->at.bound);
}

/* The leaf's number in nodes. */
static uint32_t walk(const Forest *forest, const Tree *tree, const double *x)
{
    uint32_t at = tree->root;

    while (!node_is_leaf(&forest->nodes[at])) {
        const TreeNode *node = &forest->nodes[at];

        at = node->left + forest_goes_right(forest, node, x[node_feature(node)]);
    }
    return at;
}

/*
 * The same for n trees at once where every split is a plain finite number. Nothing
 * branches on the data: a leaf leads to itself until the deepest tree is done, and a
 * missing value is minus infinity for the nodes that send it left and infinity for the
 * others. pairs holds both forms of each feature, and the flag that picks one is the
 * lowest bit of its index.
 */
static inline void walk_block(const Forest *forest, const Tree *tree, const double *pairs,
                              uint32_t *at, int n)
{
    const TreeNode *nodes = forest->nodes;
    uint32_t depth = 0;

    for (int i = 0; i < n; i++) {
        at[i] = tree[i].root;
        depth = tree[i].depth > depth ? tree[i].depth : depth;
    }
    for (; depth > 0; depth--) {
        for (int i = 0; i < n; i++) {
            const TreeNode *node = &nodes[at[i]];

            at[i] =
                node->left + (pairs[node->test >> (NODE_FLAG_BITS - 1)] > node->at.bound);
        }
    }
}

/* The row in the forms that a walk needs. */
typedef struct Row {
    double x[FOREST_MOST_FEATURES];             /* NaN = missing */
    double pairs[2 * FOREST_MOST_FEATURES + 2]; /* for walk_block */
} Row;

static void find_leaves(const Forest *forest, const Tree *tree, const Row *row,
                        uint32_t *at, int n)
{
    if (!forest->is_plain) {
        for (int i = 0; i < n; i++)
            at[i] = walk(forest, &tree[i], row->x);
    } else if (n == BLOCK) {
        walk_block(forest, tree, row->pairs, at, BLOCK);
    } else {
        walk_block(forest, tree, row->pairs, at, n);
    }
}

/* ---- leaves --------------------------------------------------------------------- */

static double linear_value(const LinearLeaf *leaf, const double *x)
{
    double sum = leaf->constant;

    for (uint32_t i = 0; i < leaf->n; i++) {
        double value = x[leaf->feature[i]];

        if (isnan(value))
            return leaf->value;
        sum += leaf->slope[i] * value;
    }
    return sum;
}

double forest_leaf(const Forest *forest, const TreeNode *node, int output,
                   const double *x)
{
    if (node->test & NODE_VECTOR)
        return forest
            ->vectors[node->at.number * (uint64_t)forest->n_outputs + (uint64_t)output];
    if (node->test & NODE_LINEAR)
        return linear_value(&forest->linear[node->at.number], x);
    return node->at.value;
}

/* ---- margins -------------------------------------------------------------------- */

/* XGBoost adds floats: the sum is rounded after each tree, in the order of the file. */
static void add_float(const Forest *forest, const Tree *tree, const TreeNode *leaf,
                      double *out)
{
    bool is_vector = (leaf->test & NODE_VECTOR) != 0;
    int first = is_vector ? 0 : (int)tree->output;
    int last = is_vector ? forest->n_outputs - 1 : first;

    for (int k = first; k <= last; k++) {
        float value = (float)forest_leaf(forest, leaf, k, NULL);
        float weighted = value * tree->weight;

        out[k] = (double)((float)out[k] + weighted);
    }
}

static void add_leaf(const Forest *forest, const Tree *tree, const TreeNode *leaf,
                     const double *x, double *out)
{
    if (forest->library == LIBRARY_XGBOOST)
        add_float(forest, tree, leaf, out);
    else
        out[tree->output] += forest_leaf(forest, leaf, (int)tree->output, x);
}

/* gblinear: bias and base score first, then features in order; missing adds nothing. */
static void linear_margin(const Forest *forest, const double *x, double *out)
{
    int n = forest->n_features, n_outputs = forest->n_outputs;

    for (int k = 0; k < n_outputs; k++) {
        float sum = forest->weights[n * n_outputs + k] + (float)forest->offset[k];

        for (int i = 0; i < n; i++) {
            float product = (float)x[i] * forest->weights[i * n_outputs + k];

            if (!isnan(x[i]))
                sum += product;
        }
        out[k] = (double)sum;
    }
}

/* Values as the nodes compare them: floats for XGBoost. */
static void prepare(const Forest *forest, const double *x, Row *row)
{
    int n = forest->n_features;

    for (int i = 0; i < n; i++) {
        double value = forest->library == LIBRARY_XGBOOST ? (double)(float)x[i] : x[i];

        row->x[i] = value;
        row->pairs[2 * i] = isnan(value) ? INFINITY : value;
        row->pairs[2 * i + 1] = isnan(value) ? -INFINITY : value;
    }
    row->pairs[2 * n] = row->pairs[2 * n + 1] = -INFINITY; /* for leaves */
}

void forest_margin(const Forest *forest, const double *x, double *out)
{
    uint32_t at[BLOCK];
    Row row;

    prepare(forest, x, &row);
    if (forest->weights != NULL) {
        linear_margin(forest, row.x, out);
        return;
    }
    memcpy(out, forest->offset, (size_t)forest->n_outputs * sizeof *out);
    for (int t = 0; t < forest->n_trees; t += BLOCK) {
        int n = forest->n_trees - t < BLOCK ? forest->n_trees - t : BLOCK;

        find_leaves(forest, &forest->trees[t], &row, at, n);
        for (int i = 0; i < n; i++)
            add_leaf(forest, &forest->trees[t + i], &forest->nodes[at[i]], row.x, out);
    }
}

/* ---- predictions ---------------------------------------------------------------- */

static double output_float(const Forest *forest, const double *margin, int output)
{
    float value = (float)margin[output], most = value;
    double sum = 0;

    switch (forest->transform) {
    case TRANSFORM_SIGMOID: /* capped so that expf does not overflow */
        return (double)(1.0f / (expf(fminf(-value, 88.7f)) + 1.0f));
    case TRANSFORM_EXP:
        return (double)expf(value);
    case TRANSFORM_HINGE:
        return value > 0.0f ? 1 : 0;
    case TRANSFORM_SOFTMAX:
        for (int k = 0; k < forest->n_outputs; k++)
            most = fmaxf(most, (float)margin[k]);
        for (int k = 0; k < forest->n_outputs; k++)
            sum += (double)expf((float)margin[k] - most);
        return (double)(expf(value - most) / (float)sum);
    default:
        return (double)value;
    }
}

static double output_double(const Forest *forest, const double *margin, int output)
{
    double share = forest->is_average && forest->n_rounds > 0 ? forest->n_rounds : 1;
    double value = margin[output] / share, most = value, sum = 0;

    switch (forest->transform) {
    case TRANSFORM_SIGMOID:
        return 1.0 / (1.0 + exp(-forest->sigmoid * value));
    case TRANSFORM_EXP:
        return exp(value);
    case TRANSFORM_LOG1P_EXP:
        return log1p(exp(value));
    case TRANSFORM_SQUARE:
        return copysign(value * value, value);
    case TRANSFORM_SOFTMAX:
        for (int k = 0; k < forest->n_outputs; k++)
            most = fmax(most, margin[k] / share);
        for (int k = 0; k < forest->n_outputs; k++)
            sum += exp(margin[k] / share - most);
        return exp(value - most) / sum;
    default:
        return value;
    }
}

double forest_output(const Forest *forest, const double *margin, int output)
{
    assert(output >= 0 && output < forest->n_outputs);
    if (forest->library == LIBRARY_XGBOOST)
        return output_float(forest, margin, output);
    return output_double(forest, margin, output);
}
