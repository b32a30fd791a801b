/*
 * tree_lightgbm.c - what a LightGBM text file (v2 to v4) says of a model around its
 * trees.
 *
 * The layout is that of microsoft/LightGBM v4.6.0 (src/boosting/gbdt_model_text.cpp,
 * src/objective/). Keys that are not known here are refused: they may change what a
 * tree means.
 */
#include <string.h>

#include "engine/base/text.h"
#include "models/trees/read.h"

/* ---- lines ------------------------------------------------------------------ */

typedef struct Cursor {
    const char *at, *end;
    uint64_t line; /* of the last line taken */
} Cursor;

typedef struct Words {
    const char *at;
    size_t len;
} Words;

/* The next line without its end; false when there is none. */
static bool take_line(Cursor *cursor, Words *out)
{
    const char *end;

    if (cursor->at == cursor->end)
        return false;
    end = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
    out->at = cursor->at;
    out->len = (size_t)((end != NULL ? end : cursor->end) - cursor->at);
    cursor->at = end != NULL ? end + 1 : cursor->end;
    cursor->line++;
    if (out->len > 0 && out->at[out->len - 1] == '\r')
        out->len--;
    return true;
}

/* The next word between blanks. */
static bool take_word(Words *rest, Words *out)
{
    while (rest->len > 0 && *rest->at == ' ') {
        rest->at++;
        rest->len--;
    }
    out->at = rest->at;
    out->len = 0;
    while (out->len < rest->len && rest->at[out->len] != ' ')
        out->len++;
    rest->at += out->len;
    rest->len -= out->len;
    return out->len > 0;
}

static bool is_word(Words words, const char *text)
{
    return words.len == strlen(text) && memcmp(words.at, text, words.len) == 0;
}

static bool starts_with(Words words, const char *text)
{
    size_t n = strlen(text);

    return words.len >= n && memcmp(words.at, text, n) == 0;
}

const TextLine *text_find(const TextBlock *block, const char *key)
{
    for (int i = 0; i < block->n; i++) {
        Words words = {block->lines[i].key, block->lines[i].key_len};

        if (is_word(words, key))
            return &block->lines[i];
    }
    return NULL;
}

static Words value_of(const TextLine *line)
{
    if (line == NULL || line->value == NULL)
        return (Words){"", 0};
    return (Words){line->value, line->value_len};
}

int text_whole(int64_t *out, TreeReader *reader, const TextBlock *block, const char *key,
               int64_t fallback)
{
    const TextLine *line = text_find(block, key);
    Words value = value_of(line);

    *out = fallback;
    if (line == NULL || text_int64(out, value.at, value.len))
        return 0;
    return tree_refuse(reader, line->line, "\"%s\" is not a whole number", key);
}

int text_numbers(Numbers *out, TreeReader *reader, const TextBlock *block,
                 const char *key, size_t n, Arena *arena)
{
    const TextLine *line = text_find(block, key);
    Words rest = value_of(line), word;

    *out = (Numbers){0};
    if (line == NULL)
        return 0;
    /* Each number and its blank take two bytes. */
    out->at = arena_alloc(arena, rest.len / 2 + 1, sizeof *out->at);
    while (take_word(&rest, &word)) {
        if (!text_double(&out->at[out->n++], word.at, word.len))
            return tree_refuse(reader, line->line, "\"%.*s\" of \"%s\" is not a number",
                               word.len > 40 ? 40 : (int)word.len, word.at, key);
    }
    if (out->n != n)
        return tree_refuse(reader, line->line, "\"%s\" has %zu numbers, not %zu", key,
                           out->n, n);
    return 0;
}

int text_need_numbers(Numbers *out, TreeReader *reader, const TextBlock *block,
                      const char *key, size_t n, Arena *arena)
{
    if (text_find(block, key) == NULL)
        return tree_refuse(reader, block->line, "there is no \"%s\" here", key);
    return text_numbers(out, reader, block, key, n, arena);
}

/* Takes a line into the block if its key is one of the NULL-terminated known ones. */
static int add_line(TreeReader *reader, TextBlock *block, Words words, uint64_t number,
                    const char *const *known)
{
    const char *equals = memchr(words.at, '=', words.len);
    TextLine line = {.key = words.at, .key_len = words.len, .line = number};
    int i = 0;

    if (equals != NULL) {
        line.key_len = (size_t)(equals - words.at);
        line.value = equals + 1;
        line.value_len = words.len - line.key_len - 1;
    }
    words.len = line.key_len;
    while (known[i] != NULL && !is_word(words, known[i]))
        i++;
    if (known[i] == NULL)
        return tree_refuse(reader, number, "\"%.*s\" is not known here",
                           words.len > 40 ? 40 : (int)words.len, words.at);
    if (text_find(block, known[i]) != NULL)
        return tree_refuse(reader, number, "\"%s\" is there twice", known[i]);
    block->lines[block->n++] = line; /* there are fewer keys than lines in a block */
    return 0;
}

/* ---- objective ----------------------------------------------------------------- */

static const struct {
    const char *name;
    Transform transform;
    bool is_probability;
} OBJECTIVES[] = {
    {"binary", TRANSFORM_SIGMOID, true},
    {"cross_entropy", TRANSFORM_SIGMOID, true},
    {"cross_entropy_lambda", TRANSFORM_LOG1P_EXP, false},
    {"multiclass", TRANSFORM_SOFTMAX, true},
    {"multiclassova", TRANSFORM_SIGMOID, true},
    {"poisson", TRANSFORM_EXP, false},
    {"gamma", TRANSFORM_EXP, false},
    {"tweedie", TRANSFORM_EXP, false},
    {"regression", TRANSFORM_NONE, false},
    {"regression_l1", TRANSFORM_NONE, false},
    {"huber", TRANSFORM_NONE, false},
    {"fair", TRANSFORM_NONE, false},
    {"quantile", TRANSFORM_NONE, false},
    {"mape", TRANSFORM_NONE, false},
    {"lambdarank", TRANSFORM_NONE, false},
    {"rank_xendcg", TRANSFORM_NONE, false},
    {"custom", TRANSFORM_NONE, false},
};

/* The words behind an objective. Those that only mattered for training are let pass. */
static int objective_word(TreeReader *reader, const TextLine *line, Words word)
{
    static const char *const TRAINING[] = {
        "num_class:", "alpha:", "tweedie_variance_power:", "fair_c:"};
    Forest *forest = reader->forest;

    if (starts_with(word, "sigmoid:")) {
        if (text_double(&forest->sigmoid, word.at + 8, word.len - 8) &&
            forest->sigmoid > 0)
            return 0;
        return tree_refuse(reader, line->line, "the sigmoid parameter is not above 0");
    }
    if (is_word(word, "sqrt") && forest->transform == TRANSFORM_NONE) {
        forest->transform = TRANSFORM_SQUARE;
        return 0;
    }
    for (size_t i = 0; i < sizeof TRAINING / sizeof *TRAINING; i++) {
        if (starts_with(word, TRAINING[i]))
            return 0;
    }
    return tree_refuse(reader, line->line, "objective word \"%.*s\" is not known",
                       word.len > 40 ? 40 : (int)word.len, word.at);
}

/* A model trained by a function of the site's own has no objective. */
static int read_objective(TreeReader *reader, const TextBlock *head)
{
    Forest *forest = reader->forest;
    const TextLine *line = text_find(head, "objective");
    Words rest = value_of(line), word;
    size_t i = 0, n = sizeof OBJECTIVES / sizeof *OBJECTIVES;

    forest->objective = "custom";
    if (!take_word(&rest, &word))
        return 0;
    while (i < n && !is_word(word, OBJECTIVES[i].name))
        i++;
    if (i == n)
        return tree_refuse(reader, line->line, "objective \"%.*s\" is not known",
                           word.len > 40 ? 40 : (int)word.len, word.at);
    forest->objective = OBJECTIVES[i].name;
    forest->transform = OBJECTIVES[i].transform;
    forest->is_probability = OBJECTIVES[i].is_probability;
    while (take_word(&rest, &word)) {
        if (objective_word(reader, line, word) != 0)
            return -1;
    }
    return 0;
}

/* ---- the head ------------------------------------------------------------------- */

static const char *const HEAD_KEYS[] = {"tree",
                                        "version",
                                        "num_class",
                                        "num_tree_per_iteration",
                                        "label_index",
                                        "max_feature_idx",
                                        "objective",
                                        "average_output",
                                        "feature_names",
                                        "monotone_constraints",
                                        "feature_infos",
                                        "tree_sizes",
                                        NULL};

static int read_version(TreeReader *reader, const TextBlock *head)
{
    const TextLine *line = text_find(head, "version");
    Words value = value_of(line);

    if (is_word(value, "v2") || is_word(value, "v3") || is_word(value, "v4")) {
        reader->forest->version = arena_format(reader->arena, "LightGBM %.2s", value.at);
        return 0;
    }
    tree_refuse(reader, line != NULL ? line->line : head->line,
                "written in LightGBM's format \"%.*s\"; v2, v3 and v4 are known here",
                value.len > 40 ? 40 : (int)value.len, value.at);
    return -1;
}

/* `[0:90]` is a range, `none` a constant, anything else a list of categories. */
static int read_features(TreeReader *reader, const TextBlock *head)
{
    Forest *forest = reader->forest;
    const TextLine *line = text_find(head, "feature_names");
    Words names = value_of(line), infos = value_of(text_find(head, "feature_infos"));
    Words word;
    int n = 0;

    for (; take_word(&names, &word); n++) {
        if (n < forest->n_features)
            forest->feature[n] = arena_text(reader->arena, word.at, word.len);
    }
    if (n != forest->n_features)
        return tree_refuse(reader, line != NULL ? line->line : head->line,
                           "\"feature_names\" has %d names for %d features", n,
                           forest->n_features);
    for (n = 0; n < forest->n_features && take_word(&infos, &word); n++)
        forest->is_category[n] = *word.at != '[' && !is_word(word, "none");
    return 0;
}

static int read_head(TreeReader *reader, const TextBlock *head)
{
    Forest *forest = reader->forest;
    int64_t last_feature, n_outputs, n_classes;

    if (read_version(reader, head) != 0 ||
        text_whole(&last_feature, reader, head, "max_feature_idx", -1) != 0 ||
        text_whole(&n_classes, reader, head, "num_class", 1) != 0 ||
        text_whole(&n_outputs, reader, head, "num_tree_per_iteration", n_classes) != 0)
        return -1;
    if (last_feature >= FOREST_MOST_FEATURES)
        last_feature = FOREST_MOST_FEATURES;
    if (tree_sizes(reader, last_feature + 1, n_outputs) != 0 ||
        read_objective(reader, head) != 0 || read_features(reader, head) != 0)
        return -1;
    forest->is_average = text_find(head, "average_output") != NULL;
    return 0;
}

/* ---- category names -------------------------------------------------------------- */

/* The categories of one feature: all texts or all numbers. */
static void take_names(TreeReader *reader, CategoryNames *out, const json_t *list)
{
    size_t n = json_array_size(list);

    out->n = (int)n;
    out->name = arena_alloc(reader->arena, n, sizeof *out->name);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_string(item))
            break;
        out->name[i] =
            arena_text(reader->arena, json_string_value(item), json_string_length(item));
    }
    if (n == 0 || out->name[n - 1] != NULL)
        return;
    double *number = arena_alloc(reader->arena, n, sizeof *number);
    out->name = NULL;
    out->number = number;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);

        number[i] = json_is_real(item)      ? json_real_value(item)
                    : json_is_boolean(item) ? json_is_true(item)
                                            : NAN;
        if (isnan(number[i]))
            out->n = -1;
    }
}

/* The last line: a list for each categorical column of the data frame, in its order.
 * null when categories were given as numbers. */
static int read_categories(TreeReader *reader, Words text, uint64_t line)
{
    Forest *forest = reader->forest;
    json_t *lists;
    size_t n = 0, at = 0;

    if (is_word(text, "null") || text.len == 0)
        return 0;
    lists = tree_json_parse(reader, text.at, text.len);
    if (lists == NULL)
        return -1;
    if (!json_is_array(lists)) {
        json_decref(lists);
        return tree_refuse(reader, line, "\"pandas_categorical\" is not a list");
    }
    for (int i = 0; i < forest->n_features; i++)
        n += forest->is_category[i];
    for (int i = 0; i < forest->n_features; i++) {
        if (!forest->is_category[i] || json_array_size(lists) == 0)
            continue;
        if (n == json_array_size(lists))
            take_names(reader, &forest->categories[i], json_array_get(lists, at++));
        else
            forest->categories[i].n = -1;
    }
    json_decref(lists);
    return 0;
}

/* ---- the whole ------------------------------------------------------------------- */

static const char *const TREE_KEYS[] = {
    "num_leaves",     "num_cat",         "split_feature",  "split_gain",
    "threshold",      "decision_type",   "left_child",     "right_child",
    "leaf_parent",    "leaf_value",      "leaf_weight",    "leaf_count",
    "internal_value", "internal_weight", "internal_count", "cat_boundaries",
    "cat_threshold",  "is_linear",       "leaf_const",     "num_features",
    "leaf_features",  "leaf_coeff",      "shrinkage",      NULL};

/* Lines up to one that begins with Tree= or ends the trees, which is left in `end`. */
static int take_block(TreeReader *reader, Cursor *cursor, TextBlock *block, Words *end,
                      const char *const *known)
{
    block->n = 0;
    block->line = cursor->line;
    while (take_line(cursor, end)) {
        if (starts_with(*end, "Tree=") || is_word(*end, "end of trees"))
            return 0;
        if (end->len > 0 && add_line(reader, block, *end, cursor->line, known) != 0)
            return -1;
    }
    return tree_refuse(reader, cursor->line, "the file ends before \"end of trees\"");
}

static int read_trees(TreeReader *reader, Cursor *cursor, TextBlock *block, Words line)
{
    Forest *forest = reader->forest;
    uint32_t k = (uint32_t)forest->n_outputs;

    for (uint32_t i = 0; !is_word(line, "end of trees"); i++) {
        Tree head = {.output = i % k, .round = i / k, .weight = 1};
        int64_t number;

        if (!text_int64(&number, line.at + 5, line.len - 5) || number != i)
            return tree_refuse(reader, cursor->line, "tree %u is out of its place", i);
        if (take_block(reader, cursor, block, &line, TREE_KEYS) != 0 ||
            tree_lightgbm_tree(reader, block, head) != 0)
            return -1;
    }
    if (forest->n_trees % forest->n_outputs != 0)
        return tree_refuse(reader, cursor->line, "%d trees are not whole rounds of %d",
                           forest->n_trees, forest->n_outputs);
    forest->n_rounds = forest->n_trees / forest->n_outputs;
    return 0;
}

static int read_rest(TreeReader *reader, Cursor *cursor)
{
    static const char KEY[] = "pandas_categorical:";
    Words line;

    while (take_line(cursor, &line)) {
        Words names = {line.at + sizeof KEY - 1, line.len - (sizeof KEY - 1)};

        if (starts_with(line, KEY))
            return read_categories(reader, names, cursor->line);
    }
    return 0;
}

int tree_lightgbm_read(TreeReader *reader, const char *text, size_t len)
{
    Cursor cursor = {.at = text, .end = text + len};
    TextBlock block;
    Words line;

    reader->forest->library = LIBRARY_LIGHTGBM;
    if (take_block(reader, &cursor, &block, &line, HEAD_KEYS) != 0 ||
        read_head(reader, &block) != 0 || read_trees(reader, &cursor, &block, line) != 0)
        return -1;
    return read_rest(reader, &cursor);
}
