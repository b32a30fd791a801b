/*
 * tree_xgboost_tree.c - one tree of XGBoost: parallel arrays by the number of a node.
 *
 * A split sends `value < bound` left, both as float; a category in the node's set goes
 * right, any other left. A node is a leaf when its left child is -1.
 */
#include <string.h>

#include "models/trees/read.h"

/* A set is a bit for each category, so that a small file could ask for much memory. */
enum { MOST_CATEGORY = 1 << 16 };

typedef struct Arrays {
    size_t n;
    Numbers left, right, feature, bound, missing_left, type, cover;
    Numbers base_weights, leaf_weights;
    Numbers category, set_node, set_start, set_size;
    int64_t n_vector; /* numbers in a leaf */
} Arrays;

static int read_lengths(TreeReader *reader, JsonAt tree, Arrays *arrays)
{
    JsonAt params;
    int64_t n = 0;

    if (json_need_map(&params, reader, tree, "tree_param") != 0 ||
        json_whole(&n, reader, params, "num_nodes") != 0 ||
        json_whole(&arrays->n_vector, reader, params, "size_leaf_vector") != 0)
        return -1;
    if (n < 1)
        return tree_refuse(reader, 0, "%s has no nodes", tree.of);
    if (arrays->n_vector > 1 && arrays->n_vector != reader->forest->n_outputs)
        return tree_refuse(reader, 0, "%s has leaves of %lld numbers for %d outputs",
                           tree.of, (long long)arrays->n_vector,
                           reader->forest->n_outputs);
    arrays->n = (size_t)n;
    return 0;
}

static int read_arrays(TreeReader *reader, JsonAt tree, Arrays *arrays, Arena *arena)
{
    const struct {
        const char *key;
        Numbers *out;
        bool is_needed, is_by_node;
    } arrays_of[] = {
        {"left_children", &arrays->left, true, true},
        {"right_children", &arrays->right, true, true},
        {"split_indices", &arrays->feature, true, true},
        {"split_conditions", &arrays->bound, true, true},
        {"default_left", &arrays->missing_left, true, true},
        {"split_type", &arrays->type, false, true},
        {"sum_hessian", &arrays->cover, false, true},
        {"base_weights", &arrays->base_weights, false, false},
        {"leaf_weights", &arrays->leaf_weights, false, false},
        {"categories", &arrays->category, false, false},
        {"categories_nodes", &arrays->set_node, false, false},
        {"categories_segments", &arrays->set_start, false, false},
        {"categories_sizes", &arrays->set_size, false, false},
    };

    for (size_t i = 0; i < sizeof arrays_of / sizeof *arrays_of; i++) {
        const char *key = arrays_of[i].key;
        Numbers *out = arrays_of[i].out;
        int rc = arrays_of[i].is_needed ? json_need_numbers(out, reader, tree, key, arena)
                                        : json_numbers(out, reader, tree, key, arena);

        if (rc != 0)
            return -1;
        if (arrays_of[i].is_by_node && out->n != arrays->n &&
            (arrays_of[i].is_needed || out->n != 0))
            return tree_refuse(reader, 0, "\"%s\" of %s has %zu entries for %zu nodes",
                               key, tree.of, out->n, arrays->n);
    }
    if (arrays->set_start.n != arrays->set_node.n ||
        arrays->set_size.n != arrays->set_node.n)
        return tree_refuse(reader, 0, "the category lists of %s differ in length",
                           tree.of);
    return 0;
}

/* A whole number, or one that no check lets through. */
static int64_t whole(double number)
{
    return number >= -1 && number <= 4e9 && number == floor(number) ? (int64_t)number
                                                                    : INT64_MAX;
}

/* The set of a categorical node, as bits. */
static int read_set(TreeReader *reader, JsonAt tree, const Arrays *arrays, size_t k,
                    uint64_t *number)
{
    size_t n_category = arrays->category.n;
    double start = arrays->set_start.at[k], size = arrays->set_size.at[k];
    uint32_t most = 0, *words;
    Arena *arena;

    if (!tree_is_index(start, (double)n_category + 1) ||
        !tree_is_index(size, (double)n_category - start + 1))
        return tree_refuse(reader, 0, "a category set of %s is beyond its list", tree.of);
    for (size_t i = (size_t)start; i < (size_t)(start + size); i++) {
        double category = arrays->category.at[i];

        if (!tree_is_index(category, MOST_CATEGORY))
            return tree_refuse(reader, 0, "%s has a category that is not in 0 to %d",
                               tree.of, MOST_CATEGORY - 1);
        if ((uint32_t)category > most)
            most = (uint32_t)category;
    }
    arena = arena_new();
    words = arena_alloc(arena, most / 32 + 1, sizeof *words);
    for (size_t i = (size_t)start; i < (size_t)(start + size); i++) {
        uint32_t category = (uint32_t)arrays->category.at[i];

        words[category / 32] |= 1u << category % 32;
    }
    *number = tree_add_set(reader, words, most / 32 + 1);
    arena_free(arena);
    return 0;
}

/* value < bound, for floats, is value <= the float before it. Nothing is below minus
 * infinity, nor below NaN. */
static double last_below(double bound)
{
    float single = tree_float(bound);

    if (isnan(single) || single == -INFINITY)
        return NAN;
    return (double)nextafterf(single, -INFINITY);
}

static bool is_categorical(const Arrays *arrays, size_t i)
{
    return arrays->type.n > 0 && arrays->type.at[i] != 0;
}

/* Vectors lie in leaf_weights at the place that the right child gives (from 3.2), or
 * by node in base_weights. */
static int read_vector(TreeReader *reader, JsonAt tree, const Arrays *arrays, size_t i,
                       RawNode *raw)
{
    bool has_own = arrays->leaf_weights.n > 0;
    const Numbers *from = has_own ? &arrays->leaf_weights : &arrays->base_weights;
    size_t n = (size_t)arrays->n_vector;
    double at = has_own ? arrays->right.at[i] : (double)i;
    double vector[FOREST_MOST_OUTPUTS];

    if (!tree_is_index(at, (double)(from->n / n)))
        return tree_refuse(reader, 0, "leaf %zu of %s has no numbers", i, tree.of);
    for (size_t k = 0; k < n; k++)
        vector[k] = (double)tree_float(from->at[(size_t)at * n + k]);
    raw->flags = NODE_VECTOR;
    raw->other = tree_add_vector(reader, vector);
    return 0;
}

static int read_leaf(TreeReader *reader, JsonAt tree, const Arrays *arrays, size_t i,
                     RawNode *raw)
{
    raw->left = -1;
    if (arrays->n_vector > 1)
        return read_vector(reader, tree, arrays, i, raw);
    raw->number = (double)tree_float(arrays->bound.at[i]);
    if (!isfinite(raw->number))
        return tree_refuse(reader, 0, "leaf %zu of %s is not a number", i, tree.of);
    return 0;
}

static int read_node(TreeReader *reader, JsonAt tree, const Arrays *arrays, size_t i,
                     RawNode *raw)
{
    raw->cover = arrays->cover.n > 0 ? arrays->cover.at[i] : NAN;
    if (arrays->left.at[i] == -1)
        return read_leaf(reader, tree, arrays, i, raw);
    raw->left = whole(arrays->left.at[i]);
    raw->right = whole(arrays->right.at[i]);
    raw->feature = whole(arrays->feature.at[i]);
    raw->flags = arrays->missing_left.at[i] != 0 ? NODE_MISSING_LEFT : 0;
    if (is_categorical(arrays, i)) {
        raw->flags |= NODE_CATEGORY;
        raw->other = UINT64_MAX; /* until its set is read */
    } else {
        raw->number = last_below(arrays->bound.at[i]);
    }
    return 0;
}

static int read_sets(TreeReader *reader, JsonAt tree, const Arrays *arrays, RawNode *raw)
{
    for (size_t k = 0; k < arrays->set_node.n; k++) {
        double node = arrays->set_node.at[k];

        if (!tree_is_index(node, (double)arrays->n) ||
            !(raw[(size_t)node].flags & NODE_CATEGORY))
            return tree_refuse(reader, 0,
                               "%s has categories for a node that is not categorical",
                               tree.of);
        if (read_set(reader, tree, arrays, k, &raw[(size_t)node].other) != 0)
            return -1;
    }
    for (size_t i = 0; i < arrays->n; i++) {
        if ((raw[i].flags & NODE_CATEGORY) && raw[i].other == UINT64_MAX)
            return tree_refuse(reader, 0, "node %zu of %s has no categories", i, tree.of);
    }
    return 0;
}

static int read_nodes(TreeReader *reader, JsonAt tree, const Arrays *arrays, RawNode *raw)
{
    for (size_t i = 0; i < arrays->n; i++) {
        if (read_node(reader, tree, arrays, i, &raw[i]) != 0)
            return -1;
    }
    return read_sets(reader, tree, arrays, raw);
}

int tree_xgboost_tree(TreeReader *reader, JsonAt tree, Tree head)
{
    Arena *scratch = arena_new();
    Arrays arrays = {.n_vector = 1};
    RawNode *raw;
    int rc = -1;

    if (read_lengths(reader, tree, &arrays) != 0 ||
        read_arrays(reader, tree, &arrays, scratch) != 0)
        goto done;
    raw = arena_alloc(scratch, arrays.n, sizeof *raw);
    if (read_nodes(reader, tree, &arrays, raw) == 0)
        rc = tree_plant(reader, raw, arrays.n, head, 0);
done:
    arena_free(scratch);
    return rc;
}
