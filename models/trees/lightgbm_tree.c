/*
 * tree_lightgbm_tree.c - one tree of LightGBM: lists by split and by leaf.
 *
 * A split sends `value <= threshold` left, in double; a category in the split's set
 * goes left, any other right. A child below zero is the leaf ~child.
 */
#include "models/trees/read.h"

enum { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

typedef struct Lists {
    size_t n_splits, n_leaves, n_sets;
    uint32_t first_set;
    Numbers feature, threshold, decision, left, right;
    Numbers split_count, leaf_count, leaf_value;
} Lists;

static int read_lists(TreeReader *reader, const TextBlock *block, Lists *lists,
                      Arena *arena)
{
    size_t n = lists->n_splits, leaves = lists->n_leaves;

    if (text_need_numbers(&lists->leaf_value, reader, block, "leaf_value", leaves, arena))
        return -1;
    if (n == 0)
        return 0;
    if (text_need_numbers(&lists->feature, reader, block, "split_feature", n, arena) ||
        text_need_numbers(&lists->threshold, reader, block, "threshold", n, arena) ||
        text_need_numbers(&lists->decision, reader, block, "decision_type", n, arena) ||
        text_need_numbers(&lists->left, reader, block, "left_child", n, arena) ||
        text_need_numbers(&lists->right, reader, block, "right_child", n, arena) ||
        text_numbers(&lists->split_count, reader, block, "internal_count", n, arena) ||
        text_numbers(&lists->leaf_count, reader, block, "leaf_count", leaves, arena))
        return -1;
    return 0;
}

/* The words of set c are words[bounds[c]] to words[bounds[c + 1]]. */
static int add_sets(TreeReader *reader, const TextBlock *block, Lists *lists,
                    Arena *arena)
{
    Numbers bounds, numbers;
    uint32_t *words;
    double n_words;

    if (lists->n_sets == 0)
        return 0;
    if (text_need_numbers(&bounds, reader, block, "cat_boundaries", lists->n_sets + 1,
                          arena) != 0)
        return -1;
    n_words = bounds.at[lists->n_sets];
    if (!tree_is_index(n_words, 1e9) || bounds.at[0] != 0)
        return tree_refuse(reader, block->line,
                           "\"cat_boundaries\" does not rise from 0");
    if (text_need_numbers(&numbers, reader, block, "cat_threshold", (size_t)n_words,
                          arena) != 0)
        return -1;
    words = arena_alloc(arena, numbers.n, sizeof *words);
    for (size_t i = 0; i < numbers.n; i++) {
        if (!tree_is_index(numbers.at[i], 4294967296.0))
            return tree_refuse(reader, block->line,
                               "\"cat_threshold\" is not of 32 bits");
        words[i] = (uint32_t)numbers.at[i];
    }
    lists->first_set = reader->forest->n_sets;
    for (size_t c = 0; c < lists->n_sets; c++) {
        double start = bounds.at[c], end = bounds.at[c + 1];

        if (!tree_is_index(end, n_words + 1) || end < start)
            return tree_refuse(reader, block->line,
                               "\"cat_boundaries\" does not rise from 0");
        tree_add_set(reader, words + (size_t)start, (uint32_t)(end - start));
    }
    return 0;
}

/* ~child of a leaf becomes the number behind the splits. */
static int64_t child_of(const Lists *lists, double child)
{
    if (child != floor(child) || fabs(child) > 1e9)
        return INT64_MAX;
    return child < 0 ? (int64_t)lists->n_splits + ~(int64_t)child : (int64_t)child;
}

static int category_split(TreeReader *reader, const TextBlock *block, const Lists *lists,
                          size_t i, RawNode *raw)
{
    if (!tree_is_index(lists->threshold.at[i], (double)lists->n_sets))
        return tree_refuse(reader, block->line, "split %zu of tree %d has no categories",
                           i, reader->forest->n_trees);
    raw->flags = NODE_CATEGORY; /* a missing value goes right */
    raw->other = lists->first_set + (uint64_t)lists->threshold.at[i];
    return 0;
}

/* Bits of a decision type: 1 categorical, 2 missing goes left, 4 and 8 what counts as
 * missing. Where nothing does, NaN is taken for 0. */
static int read_split(TreeReader *reader, const TextBlock *block, const Lists *lists,
                      size_t i, RawNode *raw)
{
    double type = lists->decision.at[i];
    unsigned bits = tree_is_index(type, 12) ? (unsigned)type : 12;
    bool is_left = (bits & 2) != 0;

    if (bits >= 12)
        return tree_refuse(reader, block->line, "decision type %.15g is not known", type);
    *raw = (RawNode){.left = child_of(lists, lists->left.at[i]),
                     .right = child_of(lists, lists->right.at[i]),
                     .feature = child_of(lists, lists->feature.at[i]),
                     .number = lists->threshold.at[i]};
    raw->cover = lists->split_count.n > 0 ? lists->split_count.at[i] : NAN;
    if (lists->feature.at[i] < 0)
        raw->feature = -1;
    if (bits & 1)
        return category_split(reader, block, lists, i, raw);
    if (bits >> 2 == MISSING_NONE)
        is_left = 0.0 <= raw->number;
    else if (bits >> 2 == MISSING_ZERO)
        raw->flags = NODE_ZERO_MISSING;
    raw->flags |= is_left ? NODE_MISSING_LEFT : 0;
    return 0;
}

/* ---- leaves -------------------------------------------------------------------- */

static size_t total(const Numbers *numbers)
{
    double sum = 0;

    for (size_t i = 0; i < numbers->n; i++) {
        if (!tree_is_index(numbers->at[i], FOREST_MOST_FEATURES + 1))
            return SIZE_MAX;
        sum += numbers->at[i];
    }
    return (size_t)sum;
}

/* Linear leaves: num_features says how many of one long list each leaf has. */
static int read_linear(TreeReader *reader, const TextBlock *block, const Lists *lists,
                       RawNode *leaf, Arena *arena)
{
    Numbers constant, n_of, feature, slope;
    size_t n = lists->n_leaves, at = 0;
    uint32_t *features;
    double *slopes;

    if (text_need_numbers(&constant, reader, block, "leaf_const", n, arena) != 0 ||
        text_need_numbers(&n_of, reader, block, "num_features", n, arena) != 0 ||
        text_need_numbers(&feature, reader, block, "leaf_features", total(&n_of),
                          arena) ||
        text_need_numbers(&slope, reader, block, "leaf_coeff", total(&n_of), arena) != 0)
        return -1;
    features = arena_alloc(reader->arena, feature.n, sizeof *features);
    slopes = arena_alloc(reader->arena, slope.n, sizeof *slopes);
    for (size_t i = 0; i < feature.n; i++) {
        if (!tree_is_index(feature.at[i], reader->forest->n_features))
            return tree_refuse(reader, block->line,
                               "tree %d asks for feature %.15g, but the model has %d",
                               reader->forest->n_trees, feature.at[i],
                               reader->forest->n_features);
        features[i] = (uint32_t)feature.at[i];
        slopes[i] = slope.at[i];
    }
    for (size_t i = 0; i < n; i++) {
        LinearLeaf linear = {leaf[i].number, constant.at[i], (uint32_t)n_of.at[i],
                             features + at, slopes + at};

        at += linear.n;
        leaf[i].flags = NODE_LINEAR;
        leaf[i].other = tree_add_linear(reader, linear);
    }
    return 0;
}

static int read_nodes(TreeReader *reader, const TextBlock *block, const Lists *lists,
                      RawNode *raw, Arena *arena)
{
    RawNode *leaf = raw + lists->n_splits;
    int64_t is_linear;

    for (size_t i = 0; i < lists->n_splits; i++) {
        if (read_split(reader, block, lists, i, &raw[i]) != 0)
            return -1;
    }
    for (size_t i = 0; i < lists->n_leaves; i++) {
        leaf[i] = (RawNode){.left = -1, .number = lists->leaf_value.at[i]};
        if (lists->leaf_count.n > 0)
            leaf[i].cover = lists->leaf_count.at[i];
        else
            leaf[i].cover = lists->n_splits == 0 ? 1 : NAN;
    }
    if (text_whole(&is_linear, reader, block, "is_linear", 0) != 0)
        return -1;
    if (is_linear == 0)
        return 0;
    if (is_linear != 1)
        return tree_refuse(reader, block->line, "\"is_linear\" is neither 0 nor 1");
    return read_linear(reader, block, lists, leaf, arena);
}

int tree_lightgbm_tree(TreeReader *reader, const TextBlock *block, Tree head)
{
    int64_t n_leaves, n_sets;
    Lists lists = {0};
    Arena *scratch;
    RawNode *raw;
    int rc = -1;

    if (text_whole(&n_leaves, reader, block, "num_leaves", 0) != 0 ||
        text_whole(&n_sets, reader, block, "num_cat", 0) != 0)
        return -1;
    if (n_leaves < 1 || n_leaves > 1 << 24 || n_sets < 0 || n_sets >= n_leaves)
        return tree_refuse(reader, block->line,
                           "tree %d has %lld leaves and %lld "
                           "category sets",
                           reader->forest->n_trees, (long long)n_leaves,
                           (long long)n_sets);
    lists.n_leaves = (size_t)n_leaves;
    lists.n_splits = lists.n_leaves - 1;
    lists.n_sets = (size_t)n_sets;
    scratch = arena_new();
    if (read_lists(reader, block, &lists, scratch) == 0 &&
        add_sets(reader, block, &lists, scratch) == 0) {
        raw = arena_alloc(scratch, lists.n_splits + lists.n_leaves, sizeof *raw);
        if (read_nodes(reader, block, &lists, raw, scratch) == 0)
            rc = tree_plant(reader, raw, lists.n_splits + lists.n_leaves, head,
                            block->line);
    }
    arena_free(scratch);
    return rc;
}
