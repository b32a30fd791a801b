/*
 * tree_shap.c - exact Shapley values of a forest, for the path-dependent game.
 *
 * A leaf's part of the game is a product: for each feature on its path, whether the
 * person goes that way (1 or 0) where the feature is known, and the share of the
 * training data that did where it is not. Let known and unknown be these two numbers of
 * feature i. The Shapley value of i in a product game is an integral over the chance t
 * that another feature is known (Owen 1972, doi:10.1287/mnsc.18.5.64):
 *
 *     value x (known_i - unknown_i) x
 *         integral over t in 0..1 of product over j != i of
 *             (t known_j + (1 - t) unknown_j)
 *
 * The integrand is a polynomial of a degree below the number of features on the path,
 * so a Gauss-Legendre rule with half as many points is exact. All terms are positive:
 * nothing cancels, whatever the depth.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/trees/forest.h"

/* A feature on the path from the root, each once. */
typedef struct Step {
    uint32_t feature;
    double known, unknown;
} Step;

typedef struct Shap {
    const Forest *forest;
    const double *x; /* the row, as nodes compare it */
    int output;
    double weight; /* of the tree */
    double *shares;
    double expected; /* of the trees so far, with nothing known */
    int n_points;
    double *point, *rule_weight; /* the rule on 0..1 */
    Step *path;
    int n_path;
} Shap;

/* ---- the rule --------------------------------------------------------------------- */

/* The Legendre polynomial of degree n and its slope, at z. */
static double legendre(int n, double z, double *slope)
{
    double before = 1, now = z;

    for (int k = 2; k <= n; k++) {
        double next = ((2 * k - 1) * z * now - (k - 1) * before) / k;

        before = now;
        now = next;
    }
    *slope = n * (z * now - before) / (z * z - 1);
    return now;
}

/* Nodes by Newton's method from the usual cosine start. */
static void build_rule(Shap *shap)
{
    int n = shap->n_points;

    for (int i = 0; i < n; i++) {
        double z = cos(M_PI * (i + 0.75) / (n + 0.5)), slope;

        for (int round = 0; round < 50; round++) {
            double step = legendre(n, z, &slope) / slope;

            z -= step;
            if (fabs(step) < 1e-16)
                break;
        }
        legendre(n, z, &slope);
        shap->point[i] = (1 + z) / 2;
        shap->rule_weight[i] = 1 / ((1 - z * z) * slope * slope);
    }
}

/* What a step is worth when others are known with chance t. */
static double factor(const Step *step, double t)
{
    return t * step->known + (1 - t) * step->unknown;
}

/* Nobody went there, and the person does not. */
static bool is_impossible(const Step *step)
{
    return step->known == 0 && step->unknown == 0;
}

/* ---- the walk ---------------------------------------------------------------------- */

/* A product game of this value, over the steps of the path. No factor is 0, since t is
 * neither 0 nor 1 and no step is impossible both ways. */
static void add_game(Shap *shap, double value)
{
    double nothing_known = value;

    for (int i = 0; i < shap->n_path; i++)
        nothing_known *= shap->path[i].unknown;
    shap->expected += nothing_known;
    for (int p = 0; p < shap->n_points; p++) {
        double t = shap->point[p], product = value * shap->rule_weight[p];

        for (int i = 0; i < shap->n_path; i++)
            product *= factor(&shap->path[i], t);
        for (int i = 0; i < shap->n_path; i++) {
            const Step *step = &shap->path[i];

            shap->shares[step->feature] +=
                product / factor(step, t) * (step->known - step->unknown);
        }
    }
}

/* Puts a feature on the path, or sharpens its step. Returns its place, and in `before`
 * what it was; see leave(). */
static int enter(Shap *shap, uint32_t feature, double known, double unknown, Step *before)
{
    int i = 0;

    while (i < shap->n_path && shap->path[i].feature != feature)
        i++;
    if (i == shap->n_path)
        shap->path[shap->n_path++] = (Step){feature, 1, 1};
    *before = shap->path[i];
    shap->path[i].known *= known;
    shap->path[i].unknown *= unknown;
    return i;
}

static void leave(Shap *shap, int i, Step before, int n_path)
{
    shap->path[i] = before;
    shap->n_path = n_path;
}

/* A linear leaf counts as its plain value until all of its features are known, as the
 * library itself scores it; so its slopes are a second game, which each of them must
 * enter. */
static void add_slopes(Shap *shap, const LinearLeaf *leaf, double slopes, uint32_t next)
{
    Step before;
    int n_path = shap->n_path, i;

    if (next == leaf->n) {
        add_game(shap, slopes);
        return;
    }
    i = enter(shap, leaf->feature[next], 1, 0, &before);
    if (!is_impossible(&shap->path[i]))
        add_slopes(shap, leaf, slopes, next + 1);
    leave(shap, i, before, n_path);
}

static void add_leaf(Shap *shap, const TreeNode *node)
{
    const Forest *forest = shap->forest;
    double value = forest_leaf(forest, node, shap->output, shap->x);

    if (node->test & NODE_LINEAR) {
        const LinearLeaf *leaf = &forest->linear[node->at.number];

        if (value != leaf->value)
            add_slopes(shap, leaf, shap->weight * (value - leaf->value), 0);
        value = leaf->value;
    }
    add_game(shap, shap->weight * value);
}

/* The share of training data that went to the right. */
static double right_share(const Forest *forest, const TreeNode *node)
{
    double left = forest->cover[node->left], right = forest->cover[node->left + 1];

    return left + right > 0 ? right / (left + right) : 0.5;
}

static void visit(Shap *shap, uint32_t at)
{
    const Forest *forest = shap->forest;
    const TreeNode *node = &forest->nodes[at];
    int n_path = shap->n_path;
    double right;
    bool goes_right;

    if (node_is_leaf(node)) {
        add_leaf(shap, node);
        return;
    }
    right = right_share(forest, node);
    goes_right = forest_goes_right(forest, node, shap->x[node_feature(node)]);
    for (int side = 0; side < 2; side++) {
        Step before;
        int i = enter(shap, node_feature(node), goes_right == side,
                      side ? right : 1 - right, &before);

        if (!is_impossible(&shap->path[i]))
            visit(shap, node->left + (uint32_t)side);
        leave(shap, i, before, n_path);
    }
}

/* ---- the whole --------------------------------------------------------------------- */

/* The most features that a path can hold. */
static int longest_path(const Forest *forest)
{
    uint32_t longest = 0, most = (uint32_t)forest->n_features;

    for (int t = 0; t < forest->n_trees; t++) {
        if (forest->trees[t].depth > longest)
            longest = forest->trees[t].depth;
    }
    for (uint32_t i = 0, depth = longest; i < forest->n_linear; i++) {
        if (depth + forest->linear[i].n > longest)
            longest = depth + forest->linear[i].n;
    }
    return (int)(longest < most ? longest : most);
}

static double linear_shares(const Forest *forest, const double *x, int output,
                            double *shares)
{
    int n = forest->n_features, k = forest->n_outputs;

    for (int i = 0; i < n; i++) {
        double value = (double)(float)x[i];

        shares[i] = isnan(value) ? 0 : value * (double)forest->weights[i * k + output];
    }
    return forest->offset[output] + (double)forest->weights[n * k + output];
}

static void visit_trees(Shap *shap)
{
    const Forest *forest = shap->forest;

    for (int t = 0; t < forest->n_trees; t++) {
        const Tree *tree = &forest->trees[t];

        if (tree->output != (uint32_t)shap->output && forest->vectors == NULL)
            continue;
        shap->weight = (double)tree->weight;
        visit(shap, tree->root);
    }
}

double forest_shap(const Forest *forest, const double *x, int output, double *shares)
{
    double row[FOREST_MOST_FEATURES];
    Shap shap = {.forest = forest, .x = row, .output = output, .shares = shares};
    int n_path;

    assert(forest->has_cover && output >= 0 && output < forest->n_outputs);
    if (forest->weights != NULL)
        return linear_shares(forest, x, output, shares);
    for (int i = 0; i < forest->n_features; i++) {
        row[i] = forest->library == LIBRARY_XGBOOST ? (double)(float)x[i] : x[i];
        shares[i] = 0;
    }
    n_path = longest_path(forest);
    shap.n_points = (n_path + 1) / 2;
    if (shap.n_points < 1)
        shap.n_points = 1;
    shap.path = mem_alloc((size_t)n_path + 1, sizeof *shap.path, "a path of shares");
    shap.point = mem_alloc((size_t)shap.n_points, sizeof *shap.point, "a rule of shares");
    shap.rule_weight =
        mem_alloc((size_t)shap.n_points, sizeof *shap.rule_weight, "a rule of shares");
    build_rule(&shap);
    visit_trees(&shap);
    free(shap.rule_weight);
    free(shap.point);
    free(shap.path);
    return forest->offset[output] + shap.expected;
}
