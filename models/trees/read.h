/*
 * tree_read.h - what the readers of model files share: one way to refuse, and one way
 * to grow a forest.
 */
#ifndef MODELS_TREES_READ_H
#define MODELS_TREES_READ_H

#include <jansson.h>
#include <math.h>

#include "models/trees/forest.h"

typedef struct TreeReader {
    Forest *forest;
    const char *name; /* of the file, for reports */
    Arena *arena;
    Err *err;
    uint32_t node_room, tree_room, set_room, word_room, vector_room, n_vectors,
        linear_room;
} TreeReader;

/* A node as a file gives it. */
typedef struct RawNode {
    int64_t left, right; /* numbers of nodes; left < 0: a leaf */
    int64_t feature;
    double number;  /* the bound as in TreeNode, or the value of a leaf */
    uint64_t other; /* NODE_CATEGORY, NODE_VECTOR, NODE_LINEAR: the number of that */
    double cover;   /* NaN = the file does not say */
    uint32_t flags;
} RawNode;

/* Reports about the file; line 0 = none. Returns -1. */
int tree_refuse(TreeReader *reader, uint64_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes over names and numbers of features and outputs; checks them and the limits. */
int tree_sizes(TreeReader *reader, int64_t n_features, int64_t n_outputs);

/*
 * Adds the next tree. Its root is raw[0]; nodes that cannot be reached from it are left
 * out. Refuses a child or feature that is not there and a node reached twice, so that
 * every walk ends. tree gives output, round and weight. line is for reports.
 */
int tree_plant(TreeReader *reader, const RawNode *raw, size_t n, Tree tree,
               uint64_t line);

/* Adds a category set, a bit for each of the n words; returns its number. */
uint32_t tree_add_set(TreeReader *reader, const uint32_t *words, uint32_t n);
/* Adds a leaf vector of n_outputs numbers; returns its number. */
uint32_t tree_add_vector(TreeReader *reader, const double *vector);

/* Adds a linear leaf; its arrays lie in the arena. Returns its number. */
uint32_t tree_add_linear(TreeReader *reader, LinearLeaf leaf);

/* Nearest float; beyond the largest, infinity. NaN stays. */
float tree_float(double value);

/* ---- JSON, and UBJSON as the same tree of values ------------------------ */

/* XGBoost writes bare NaN and Infinity, which JSON does not have: a NaN becomes null, an
 * infinity a number beyond any float. Whole numbers become reals, exact to 2^53. The
 * caller releases the value with json_decref. NULL after a report. */
json_t *tree_json_parse(TreeReader *reader, const char *text, size_t len);
json_t *tree_ubj_parse(TreeReader *reader, const char *bytes, size_t len);

/* A value with the words that a report calls it by: `tree 3`. */
typedef struct JsonAt {
    json_t *value;
    const char *of;
} JsonAt;

/* The members of a map. _need forms report a missing key; all report a wrong type.
 * Strings are borrowed from the value. */
int json_need_map(JsonAt *out, TreeReader *reader, JsonAt map, const char *key);
int json_need_list(JsonAt *out, TreeReader *reader, JsonAt map, const char *key);
int json_need_word(const char **out, TreeReader *reader, JsonAt map, const char *key);
/* A whole number, written as a number or, as XGBoost does, as a string. A missing key
 * leaves *out alone. */
int json_whole(int64_t *out, TreeReader *reader, JsonAt map, const char *key);
/* A list of numbers, true and false counting 1 and 0 and null NaN. A missing key gives
 * *n = 0, or is reported where it is needed. */
typedef struct Numbers {
    double *at;
    size_t n;
} Numbers;
int json_numbers(Numbers *out, TreeReader *reader, JsonAt map, const char *key,
                 Arena *arena);
int json_need_numbers(Numbers *out, TreeReader *reader, JsonAt map, const char *key,
                      Arena *arena);

/* True if the number is a whole one in 0..n-1. */
static inline bool tree_is_index(double number, double n)
{
    return number >= 0 && number < n && number == floor(number);
}

/* ---- `key=value` lines ----------------------------------------------------- */

/* A part of a text file. The words are borrowed from the text. */
typedef struct TextLine {
    const char *key, *value; /* value NULL: there is no '=' */
    size_t key_len, value_len;
    uint64_t line;
} TextLine;

enum { MOST_TEXT_LINES = 64 };
typedef struct TextBlock {
    TextLine lines[MOST_TEXT_LINES];
    int n;
    uint64_t line; /* where it begins */
} TextBlock;

/* The line of a key, or NULL. */
const TextLine *text_find(const TextBlock *block, const char *key);
/* A whole number; `fallback` where there is no such line. */
int text_whole(int64_t *out, TreeReader *reader, const TextBlock *block, const char *key,
               int64_t fallback);
/* Exactly n numbers between blanks. No such line gives none, or is reported where the
 * numbers are needed. */
int text_numbers(Numbers *out, TreeReader *reader, const TextBlock *block,
                 const char *key, size_t n, Arena *arena);
int text_need_numbers(Numbers *out, TreeReader *reader, const TextBlock *block,
                      const char *key, size_t n, Arena *arena);

/* ---- the formats --------------------------------------------------------- */

int tree_xgboost_read(TreeReader *reader, json_t *root);
/* One tree of XGBoost; what it adds to the reader's forest. */
int tree_xgboost_tree(TreeReader *reader, JsonAt tree, Tree head);
int tree_lightgbm_read(TreeReader *reader, const char *text, size_t len);
int tree_lightgbm_tree(TreeReader *reader, const TextBlock *block, Tree head);

#endif
