#include "tests/models/trees_data.h"

#define XGB1 "xgboost-1.7.4"
#define XGB3 "xgboost-3.4.1"
#define LGBM "lightgbm-4.6.0"

/* ---- the game, played by force -------------------------------------------------------
 */

enum { N = 14, N_SETS = 1 << N };

/* What is known of a person: bit i says that feature i is. */
typedef struct Known {
    const Forest *forest;
    const double *x;
    int output;
    unsigned set;
} Known;

static double leaf_value(const Known *known, const TreeNode *node)
{
    const Forest *forest = known->forest;

    if (node->test & NODE_LINEAR) {
        const LinearLeaf *leaf = &forest->linear[node->at.number];

        for (uint32_t i = 0; i < leaf->n; i++) {
            if (!(known->set >> leaf->feature[i] & 1))
                return leaf->value;
        }
    }
    return forest_leaf(forest, node, known->output, known->x);
}

/* Down both sides, in the proportion of the training data, where a feature is unknown. */
static double expected(const Known *known, uint32_t at)
{
    const Forest *forest = known->forest;
    const TreeNode *node = &forest->nodes[at];
    double left, right;

    if (node_is_leaf(node))
        return leaf_value(known, node);
    if (known->set >> node_feature(node) & 1)
        return expected(
            known,
            node->left + forest_goes_right(forest, node, known->x[node_feature(node)]));
    left = forest->cover[node->left];
    right = forest->cover[node->left + 1];
    return (left * expected(known, node->left) +
            right * expected(known, node->left + 1)) /
           (left + right);
}

static double worth(const Known *known)
{
    const Forest *forest = known->forest;
    double sum = forest->offset[known->output];

    for (int t = 0; t < forest->n_trees; t++) {
        const Tree *tree = &forest->trees[t];

        if (forest->vectors != NULL || tree->output == (uint32_t)known->output)
            sum += (double)tree->weight * expected(known, tree->root);
    }
    return sum;
}

/* The mean over all orders of what a feature adds when it becomes known. */
static void shapley(const Forest *forest, const double *x, int output, double *shares)
{
    double *value = mem_alloc(N_SETS, sizeof *value, "worths");
    double chance[N];

    chance[0] = 1.0 / N; /* of a set of so many coming before the feature */
    for (int k = 1; k < N; k++)
        chance[k] = chance[k - 1] * k / (N - k);
    for (unsigned set = 0; set < N_SETS; set++)
        value[set] = worth(&(Known){forest, x, output, set});
    for (int i = 0; i < N; i++) {
        shares[i] = 0;
        for (unsigned set = 0; set < N_SETS; set++) {
            if (!(set >> i & 1))
                shares[i] +=
                    chance[__builtin_popcount(set)] * (value[set | 1u << i] - value[set]);
        }
    }
    free(value);
}

Test(tree_shap, shares_are_shapley_values, .timeout = 300)
{
    static const struct {
        const char *folder, *name, *ending;
        int output;
    } ROWS[] = {
        {XGB1, "binary_logistic_base0.07", "json", 0},
        {XGB1, "categorical_partition", "ubj", 0},
        {XGB3, "dart", "json", 0},
        {XGB3, "multi_softprob", "json", 1},
        {XGB3, "multi_output_tree", "json", 1},
        {LGBM, "binary_zero_as_missing", "txt", 0},
        {LGBM, "categorical", "txt", 0},
        {LGBM, "linear_tree", "txt", 0},
        {LGBM, "random_forest", "txt", 0},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        FILE *inputs = open_inputs(ROWS[r].folder, ROWS[r].name);
        double x[MOST_COLUMNS], got[N], want[N];
        Forest forest;

        read_example(&forest, ROWS[r].folder, ROWS[r].name, ROWS[r].ending, arena);
        cr_assert(forest.has_cover);
        for (int row = 0; csv_numbers(inputs, 0, x) == N && row < 21; row++) {
            if (row % 10 != 0) /* all missing, and two people */
                continue;
            forest_shap(&forest, x, ROWS[r].output, got);
            shapley(&forest, x, ROWS[r].output, want);
            for (int i = 0; i < N; i++)
                cr_expect(fabs(got[i] - want[i]) < 1e-12, "%s, %s: %.17g, want %.17g",
                          ROWS[r].name, forest.feature[i], got[i], want[i]);
        }
        fclose(inputs);
        arena_free(arena);
    }
}

/* ---- the library's own
 * ----------------------------------------------------------------- */

Test(tree_shap, shares_are_those_of_xgboost)
{
    static const char *const NAMES[] = {"binary_logistic",
                                        "binary_logistic_base0.07",
                                        "categorical_partition",
                                        "count_poisson",
                                        "dart",
                                        "early_stopped",
                                        "gblinear",
                                        "multi_softprob"};

    for (size_t m = 0; m < sizeof NAMES / sizeof *NAMES; m++) {
        Arena *arena = arena_new();
        FILE *inputs = open_inputs(XGB1, NAMES[m]);
        FILE *contributions = open_beside(XGB1, NAMES[m], "contributions.csv");
        double x[MOST_COLUMNS], want[MOST_COLUMNS], got[N + 1];
        Forest forest;
        int rows = 0;

        read_example(&forest, XGB1, NAMES[m], "json", arena);
        for (; csv_numbers(inputs, 0, x) == N; rows++) {
            for (int k = 0; k < forest.n_outputs; k++) {
                cr_assert_eq(csv_numbers(contributions, 2, want), N + 1);
                got[N] = forest_shap(&forest, x, k, got);
                for (int i = 0; i <= N; i++)
                    cr_expect(fabs(got[i] - want[i]) <= 5e-7 * (1 + fabs(want[i])),
                              "%s, row %d, %d: %.9g, want %.9g", NAMES[m], rows + 1, i,
                              got[i], want[i]);
            }
        }
        cr_expect_eq(rows, EXAMPLE_ROWS);
        fclose(contributions);
        fclose(inputs);
        arena_free(arena);
    }
}

/* ---- adding up
 * ---------------------------------------------------------------------------- */

/* The margin summed in double, whatever the library does. */
static double exact_margin(const Forest *forest, const double *x, int output)
{
    return worth(&(Known){forest, x, output, N_SETS - 1});
}

Test(tree_shap, shares_and_what_is_expected_are_the_margin)
{
    static const struct {
        const char *folder, *name, *ending;
    } ROWS[] = {
        {XGB1, "early_stopped", "json"},
        {XGB3, "categorical_partition", "json"},
        {XGB3, "multi_softprob", "ubj"},
        {XGB3, "multi_output_tree", "json"},
        {LGBM, "binary_missing_nan", "txt"},
        {LGBM, "dart", "txt"},
        {LGBM, "linear_tree", "txt"},
        {LGBM, "multiclass_softmax", "txt"},
        {LGBM, "poisson", "txt"},
        {LGBM, "stump_only", "txt"},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        FILE *inputs = open_inputs(ROWS[r].folder, ROWS[r].name);
        double x[MOST_COLUMNS], shares[N];
        Forest forest;

        read_example(&forest, ROWS[r].folder, ROWS[r].name, ROWS[r].ending, arena);
        while (csv_numbers(inputs, 0, x) == N) {
            if (forest.library == LIBRARY_XGBOOST) {
                for (int i = 0; i < N; i++)
                    x[i] = (double)(float)x[i];
            }
            for (int k = 0; k < forest.n_outputs; k++) {
                double sum = forest_shap(&forest, x, k, shares);
                double want = exact_margin(&forest, x, k);

                for (int i = 0; i < N; i++)
                    sum += shares[i];
                cr_expect(fabs(sum - want) <= 1e-12 * (1 + fabs(want)),
                          "%s: %.17g, want %.17g", ROWS[r].name, sum, want);
            }
        }
        fclose(inputs);
        arena_free(arena);
    }
}

/* Deeper than any rule of thumb: a chain of 40 splits on 40 features, each worth 1. */
Test(tree_shap, a_deep_tree_keeps_its_digits)
{
    enum { DEPTH = 40 };
    Arena *arena = arena_new();
    char *text = arena_format(
        arena, "tree\nversion=v4\nnum_class=1\nmax_feature_idx=%d\n", DEPTH - 1);
    const char *feature = "", *left = "", *right = "", *value = "", *count = "";
    const char *inner = "", *bound = "", *type = "", *names = "";
    double x[DEPTH], shares[DEPTH], sum;
    Err err = {0};
    Forest forest;

    for (int i = 0; i < DEPTH; i++) {
        names = arena_format(arena, "%s x%d", names, i);
        feature = arena_format(arena, "%s %d", feature, i);
        left = arena_format(arena, "%s %d", left, -i - 1);
        right = arena_format(arena, "%s %d", right, i < DEPTH - 1 ? i + 1 : -DEPTH - 1);
        value = arena_format(arena, "%s %d", value, i);
        count = arena_format(arena, "%s 10", count);
        inner = arena_format(arena, "%s %d", inner, 10 * (DEPTH + 1 - i));
        bound = arena_format(arena, "%s 0.5", bound);
        type = arena_format(arena, "%s 2", type);
        x[i] = 1;
    }
    text = arena_format(arena,
                        "%sfeature_names=%s\nTree=0\nnum_leaves=%d\nsplit_feature=%s\n"
                        "threshold=%s\ndecision_type=%s\nleft_child=%s\nright_child=%s\n"
                        "leaf_value=%s %d\nleaf_count=%s 10\ninternal_count=%s\n"
                        "end of trees\n",
                        text, names, DEPTH + 1, feature, bound, type, left, right, value,
                        DEPTH, count, inner);
    cr_assert_eq(forest_parse(&forest, "m", text, strlen(text), arena, &err), 0, "%s",
                 err.text);
    cr_expect_eq(forest.trees[0].depth, DEPTH);
    sum = forest_shap(&forest, x, 0, shares);
    cr_expect(fabs(sum - DEPTH / 2.0) < 1e-12, "%.17g", sum);
    for (int i = 0; i < DEPTH; i++) {
        cr_expect(shares[i] > 0);
        sum += shares[i];
    }
    cr_expect(fabs(sum - DEPTH) < 1e-12, "%.17g", sum);
    arena_free(arena);
}
