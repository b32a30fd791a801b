/*
 * tree_forest.h - a model file written by XGBoost or LightGBM, ready to be scored.
 *
 * In:  XGBoost JSON or UBJSON (1.0 to 3.4), LightGBM text (v2 to v4).
 * Out: margins, predictions and exact Shapley values of one row of features.
 *
 * A Forest gives the library's own numbers, not numbers near them: XGBoost compares and
 * adds in float, LightGBM in double, each in the order of its file. What a file holds
 * that is not known here is refused with its name, never scored without it.
 *
 * Once read, a Forest is only read; any thread may use it. It lies in the arena.
 */
#ifndef MODELS_TREES_FOREST_H
#define MODELS_TREES_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

enum { FOREST_MOST_FEATURES = 4096, FOREST_MOST_OUTPUTS = 256, FOREST_MOST_DEPTH = 4096 };

typedef enum Library { LIBRARY_XGBOOST, LIBRARY_LIGHTGBM } Library;

/* From margin to prediction. */
typedef enum Transform {
    TRANSFORM_NONE,
    TRANSFORM_SIGMOID, /* each output by itself */
    TRANSFORM_SOFTMAX, /* over all outputs */
    TRANSFORM_EXP,
    TRANSFORM_LOG1P_EXP, /* LightGBM cross_entropy_lambda */
    TRANSFORM_HINGE,     /* 1 above a margin of 0, else 0 */
    TRANSFORM_SQUARE     /* LightGBM reg_sqrt: the square with its sign */
} Transform;

/*
 * A node in 16 bytes, four to a cache line. The children of a node lie side by side, so
 * that one index leads to both. A leaf is its own left child, and asks for the feature
 * behind the last one, which leads left: a walk of the tree's depth ends in the right
 * leaf without a test for being there.
 */
typedef struct TreeNode {
    union {
        double bound;    /* goes left: value <= bound; NaN = never */
        double value;    /* of a leaf */
        uint64_t number; /* of the NODE_CATEGORY set, NODE_VECTOR or NODE_LINEAR leaf */
    } at;
    uint32_t left; /* the right child is the next node */
    uint32_t test; /* feature << NODE_FLAG_BITS, and flags */
} TreeNode;

enum {
    NODE_LEAF = 1,
    NODE_VECTOR = 2, /* a leaf with a number for each output */
    NODE_LINEAR = 4, /* a leaf with a sum of its own */
    NODE_CATEGORY = 8,
    NODE_ZERO_MISSING = 16, /* LightGBM: a zero goes where a missing value goes */
    NODE_MISSING_LEFT = 32, /* a missing value goes left, else right; the highest: see
                               tree_walk.c */
    NODE_FLAG_BITS = 6
};

typedef struct Tree {
    uint32_t root;
    uint32_t depth;  /* steps to the deepest leaf */
    uint32_t output; /* what it adds to, when leaves are single numbers */
    uint32_t round;  /* of boosting, from 0 */
    float weight;    /* XGBoost dart; else 1 */
} Tree;

/* The bits of the categories that go one way. */
typedef struct CategorySet {
    uint32_t first; /* in Forest.words */
    uint32_t n_words;
} CategorySet;

/* LightGBM linear_tree: constant + sum of slope x feature; the plain value where one of
 * its features is missing. */
typedef struct LinearLeaf {
    double value, constant;
    uint32_t n;
    const uint32_t *feature;
    const double *slope;
} LinearLeaf;

/* The categories a feature was trained with, in the order of their codes; from
 * pandas_categorical or XGBoost's `cats`. n is 0 where the file has none, and -1 where
 * it does not say which list belongs to which feature. */
typedef struct CategoryNames {
    int n;
    const char **name;    /* text, or NULL when they are numbers */
    const double *number; /* numbers, or NULL */
} CategoryNames;

typedef struct Forest {
    Library library;
    const char *version;   /* "XGBoost 3.4.1", "LightGBM v4" */
    const char *objective; /* "binary:logistic" */
    Transform transform;
    double sigmoid;      /* LightGBM: times the margin before the transform */
    bool is_probability; /* a prediction lies in 0..1 and means one */
    bool is_average;     /* LightGBM rf: a prediction is of the mean over rounds */

    int n_features, n_outputs;
    const char **feature;      /* names */
    bool *is_category;         /* by feature */
    CategoryNames *categories; /* by feature */

    Tree *trees;
    int n_trees, n_rounds;
    int best_rounds; /* where early stopping stopped; 0 = the file does not say */
    TreeNode *nodes;
    uint32_t n_nodes;
    double *cover; /* training weight that reached a node */
    CategorySet *sets;
    uint32_t n_sets;
    uint32_t *words;
    uint32_t n_words;
    double *vectors;    /* leaf vectors, n_outputs numbers each; NULL = none */
    LinearLeaf *linear; /* NULL = none */
    uint32_t n_linear;
    double *offset;       /* by output: base_score on the margin scale */
    const float *weights; /* gblinear: [feature][output], then biases; else NULL */
    bool has_cover;       /* else there are no shares */
    bool is_plain;        /* numeric splits only: the quick walk */
} Forest;

/* Refuses files of another kind, format, version or feature; see the message. Every
 * index and length is checked, so that any bytes at all are safe. */
int forest_read(Forest *forest, const char *path, Arena *arena, Err *err);
/* The same from memory. */
int forest_parse(Forest *forest, const char *name, const char *text, size_t len,
                 Arena *arena, Err *err);

/* Keeps only the first rounds, as a trainer does who stopped early. 1..n_rounds. */
void forest_cut(Forest *forest, int n_rounds);

/* x: n_features values, NaN = missing. out: n_outputs margins. */
void forest_margin(const Forest *forest, const double *x, double *out);

/* The prediction of one output from the margins of all. */
double forest_output(const Forest *forest, const double *margin, int output);

/* True if the value leads to the right child of a node that is no leaf. */
bool forest_goes_right(const Forest *forest, const TreeNode *node, double value);

/*
 * How much each feature moved the margin of one output: the Shapley values of the
 * path-dependent game, in which an unknown feature sends a person down both sides in
 * the proportion of the training data (TreeSHAP; Lundberg et al. 2020,
 * doi:10.1038/s42256-019-0138-9). Fills n_features shares and returns the margin
 * expected when nothing is known; both together are the margin, summed in double.
 * Needs has_cover.
 */
double forest_shap(const Forest *forest, const double *x, int output, double *shares);

static inline uint32_t node_feature(const TreeNode *node)
{
    return node->test >> NODE_FLAG_BITS;
}

static inline bool node_is_leaf(const TreeNode *node)
{
    return (node->test & NODE_LEAF) != 0;
}

/* What a leaf adds to an output, before the tree's weight. x as in forest_margin. */
double forest_leaf(const Forest *forest, const TreeNode *node, int output,
                   const double *x);

#endif
