/*
 * tree_forest.c - what kind of model file it is, and how a forest grows.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/trees/read.h"

enum { LARGEST_FILE = 1 << 30 };

int tree_refuse(TreeReader *reader, uint64_t line, const char *format, ...)
{
    Where where = {reader->name, line, 0};
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_add(reader->err, ERR_CONFIG, where, "%s", text);
}

float tree_float(double value)
{
    if (value > 3.4028235677973366e38) /* half a step beyond the largest float */
        return INFINITY;
    if (value < -3.4028235677973366e38)
        return -INFINITY;
    return (float)value;
}

int tree_sizes(TreeReader *reader, int64_t n_features, int64_t n_outputs)
{
    Forest *forest = reader->forest;

    if (n_features < 1 || n_features > FOREST_MOST_FEATURES)
        return tree_refuse(reader, 0, "a model of %lld features; 1 to %d can be scored",
                           (long long)n_features, FOREST_MOST_FEATURES);
    if (n_outputs < 1 || n_outputs > FOREST_MOST_OUTPUTS)
        return tree_refuse(reader, 0, "a model of %lld outputs; 1 to %d can be scored",
                           (long long)n_outputs, FOREST_MOST_OUTPUTS);
    forest->n_features = (int)n_features;
    forest->n_outputs = (int)n_outputs;
    forest->feature =
        arena_alloc(reader->arena, (size_t)n_features, sizeof *forest->feature);
    forest->is_category =
        arena_alloc(reader->arena, (size_t)n_features, sizeof *forest->is_category);
    forest->categories =
        arena_alloc(reader->arena, (size_t)n_features, sizeof *forest->categories);
    forest->offset =
        arena_alloc(reader->arena, (size_t)n_outputs, sizeof *forest->offset);
    return 0;
}

/* ---- growing ------------------------------------------------------------- */

/* Room for `more` items behind the n there are. */
static void *make_room(TreeReader *reader, void *array, uint32_t *room, uint32_t n,
                       size_t more, size_t size)
{
    size_t need = n + more, want = (size_t)*room * 2;

    if (need <= *room)
        return array;
    if (want < need)
        want = need < 64 ? 64 : need;
    array = arena_grow(reader->arena, array, n, want, size);
    *room = (uint32_t)want;
    return array;
}

uint32_t tree_add_set(TreeReader *reader, const uint32_t *words, uint32_t n)
{
    Forest *forest = reader->forest;

    forest->sets = make_room(reader, forest->sets, &reader->set_room, forest->n_sets, 1,
                             sizeof *forest->sets);
    forest->words = make_room(reader, forest->words, &reader->word_room, forest->n_words,
                              n, sizeof *forest->words);
    if (n > 0)
        memcpy(forest->words + forest->n_words, words, n * sizeof *words);
    forest->sets[forest->n_sets] = (CategorySet){forest->n_words, n};
    forest->n_words += n;
    return forest->n_sets++;
}

uint32_t tree_add_vector(TreeReader *reader, const double *vector)
{
    Forest *forest = reader->forest;
    uint32_t n = (uint32_t)forest->n_outputs;

    forest->vectors = make_room(reader, forest->vectors, &reader->vector_room,
                                reader->n_vectors * n, n, sizeof *forest->vectors);
    memcpy(forest->vectors + (size_t)reader->n_vectors * n, vector, n * sizeof *vector);
    return reader->n_vectors++;
}

uint32_t tree_add_linear(TreeReader *reader, LinearLeaf leaf)
{
    Forest *forest = reader->forest;

    forest->linear = make_room(reader, forest->linear, &reader->linear_room,
                               forest->n_linear, 1, sizeof *forest->linear);
    forest->linear[forest->n_linear] = leaf;
    return forest->n_linear++;
}

/* Where a raw node comes to lie, and how deep. */
typedef struct Place {
    uint32_t raw, depth;
} Place;

typedef struct Planting {
    const RawNode *raw;
    size_t n;
    Place *queue; /* in the order of the nodes in the forest: level by level */
    uint32_t n_queue;
    bool *is_reached;
    uint64_t line;
} Planting;

static int enqueue(TreeReader *reader, Planting *planting, int64_t raw, uint32_t depth)
{
    int number = reader->forest->n_trees;

    if (raw < 0 || (uint64_t)raw >= planting->n)
        return tree_refuse(reader, planting->line,
                           "tree %d leads to node %lld, but has %zu nodes", number,
                           (long long)raw, planting->n);
    if (planting->is_reached[raw])
        return tree_refuse(reader, planting->line, "tree %d leads to node %lld twice",
                           number, (long long)raw);
    if (depth > FOREST_MOST_DEPTH)
        return tree_refuse(reader, planting->line, "tree %d is deeper than %d", number,
                           FOREST_MOST_DEPTH);
    planting->is_reached[raw] = true;
    planting->queue[planting->n_queue++] = (Place){(uint32_t)raw, depth};
    return 0;
}

static TreeNode leaf_node(const Forest *forest, const RawNode *raw, uint32_t self)
{
    TreeNode node = {.left = self};

    /* The feature behind the last leads left, so a leaf leads to itself. */
    node.test = (uint32_t)forest->n_features << NODE_FLAG_BITS | NODE_LEAF |
                NODE_MISSING_LEFT | raw->flags;
    if (raw->flags & (NODE_VECTOR | NODE_LINEAR))
        node.at.number = raw->other;
    else
        node.at.value = raw->number;
    return node;
}

/* The node at a place of the queue; a split puts its children behind the last. */
static int plant_node(TreeReader *reader, Planting *planting, uint32_t place)
{
    Forest *forest = reader->forest;
    Place here = planting->queue[place];
    const RawNode *raw = &planting->raw[here.raw];
    TreeNode *node = &forest->nodes[forest->n_nodes + place];

    if (!(raw->cover >= 0) || isinf(raw->cover))
        forest->has_cover = false;
    forest->cover[forest->n_nodes + place] = raw->cover;
    if (raw->left < 0) {
        *node = leaf_node(forest, raw, forest->n_nodes + place);
        return 0;
    }
    if (raw->feature < 0 || raw->feature >= forest->n_features)
        return tree_refuse(reader, planting->line,
                           "tree %d asks for feature %lld, but the model has %d",
                           forest->n_trees, (long long)raw->feature, forest->n_features);
    node->left = forest->n_nodes + planting->n_queue;
    node->test = (uint32_t)raw->feature << NODE_FLAG_BITS | raw->flags;
    if (raw->flags & NODE_CATEGORY)
        node->at.number = raw->other;
    else
        node->at.bound = raw->number;
    if ((raw->flags & (NODE_CATEGORY | NODE_ZERO_MISSING)) || !isfinite(raw->number))
        forest->is_plain = false;
    if (enqueue(reader, planting, raw->left, here.depth + 1) != 0)
        return -1;
    return enqueue(reader, planting, raw->right, here.depth + 1);
}

static void room_for_nodes(TreeReader *reader, size_t n)
{
    Forest *forest = reader->forest;
    uint32_t room = reader->node_room;

    forest->nodes = make_room(reader, forest->nodes, &room, forest->n_nodes, n,
                              sizeof *forest->nodes);
    room = reader->node_room;
    forest->cover = make_room(reader, forest->cover, &room, forest->n_nodes, n,
                              sizeof *forest->cover);
    reader->node_room = room;
}

int tree_plant(TreeReader *reader, const RawNode *raw, size_t n, Tree tree, uint64_t line)
{
    Forest *forest = reader->forest;
    Planting planting = {.raw = raw, .n = n, .line = line};
    int rc = -1;

    room_for_nodes(reader, n);
    planting.queue = mem_alloc(n, sizeof *planting.queue, "nodes of a tree");
    planting.is_reached = mem_alloc(n, sizeof *planting.is_reached, "nodes of a tree");
    if (enqueue(reader, &planting, 0, 0) != 0)
        goto done;
    for (uint32_t place = 0; place < planting.n_queue; place++) {
        if (plant_node(reader, &planting, place) != 0)
            goto done;
    }
    tree.root = forest->n_nodes;
    tree.depth = planting.queue[planting.n_queue - 1].depth;
    forest->trees = make_room(reader, forest->trees, &reader->tree_room,
                              (uint32_t)forest->n_trees, 1, sizeof *forest->trees);
    forest->trees[forest->n_trees++] = tree;
    forest->n_nodes += planting.n_queue;
    rc = 0;
done:
    free(planting.is_reached);
    free(planting.queue);
    return rc;
}

void forest_cut(Forest *forest, int n_rounds)
{
    int n = 0;

    while (n < forest->n_trees && forest->trees[n].round < (uint32_t)n_rounds)
        n++;
    forest->n_trees = n;
    forest->n_rounds = n_rounds;
}

/* ---- what a file is ------------------------------------------------------- */

/* Files that people hand over in the belief that they are the model. */
static const struct {
    const char *start;
    size_t len;
    const char *what;
} REFUSED[] = {
    {"\x80", 1, "a Python pickle, which runs code when it is opened"},
    {"\x1f\x8b", 2, "compressed: an R or joblib object, perhaps"},
    {"PK", 2, "a zip archive"},
    {"RDX", 3, "an R object"},
    {"<", 1, "XML: PMML, perhaps"},
    {"booster[", 8, "a dump for reading, which lacks the base score"},
    {"[", 1, "a dump for reading, which lacks the base score"},
    {"binf", 4, "XGBoost's old binary format"},
    {"bs64", 4, "XGBoost's old binary format"},
};

static int refuse_format(TreeReader *reader, const char *text, size_t len)
{
    const char *what = "not a model file of XGBoost or LightGBM";

    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        if (len >= REFUSED[i].len &&
            memcmp(text, REFUSED[i].start, REFUSED[i].len) == 0) {
            what = REFUSED[i].what;
            break;
        }
    }
    tree_refuse(reader, 0, "%s", len == 0 ? "an empty file" : what);
    err_hint(reader->err, "save it with the library that trained it: XGBoost "
                          "save_model(\"m.json\"), LightGBM save_model(\"m.txt\")");
    return -1;
}

static bool is_ubjson(const char *text, size_t len)
{
    return len > 1 && text[0] == '{' && strchr("iUIlL$#", text[1]) != NULL &&
           text[1] != '\0';
}

static int read_tree_of_keys(TreeReader *reader, const char *text, size_t len)
{
    json_t *root = is_ubjson(text, len) ? tree_ubj_parse(reader, text, len)
                                        : tree_json_parse(reader, text, len);
    int rc;

    if (root == NULL)
        return -1;
    rc = tree_xgboost_read(reader, root);
    json_decref(root);
    return rc;
}

int forest_parse(Forest *forest, const char *name, const char *text, size_t len,
                 Arena *arena, Err *err)
{
    TreeReader reader = {.forest = forest, .name = name, .arena = arena, .err = err};
    size_t blank = 0;

    *forest = (Forest){.sigmoid = 1, .has_cover = true, .is_plain = true};
    while (blank < len && strchr(" \t\r\n", text[blank]) != NULL && text[blank] != '\0')
        blank++;
    if (len - blank >= 5 && memcmp(text + blank, "tree", 4) == 0 &&
        strchr("\r\n", text[blank + 4]) != NULL && text[blank + 4] != '\0')
        return tree_lightgbm_read(&reader, text, len);
    if (len > blank && text[blank] == '{')
        return read_tree_of_keys(&reader, text + blank, len - blank);
    return refuse_format(&reader, text, len);
}

/* The whole file, for free(); NULL after a report. */
static char *read_file(const char *path, size_t *len, Err *err)
{
    Where where = {path, 0, 0};
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0, n = 0, got = 1;

    if (file == NULL) {
        err_add(err, ERR_CONFIG, where, "could not open: %s", strerror(errno));
        return NULL;
    }
    while (got > 0 && n <= LARGEST_FILE) {
        if (n == room) {
            room = room == 0 ? 1 << 16 : room * 2;
            text = mem_grow(text, room, 1, "a model file");
        }
        got = fread(text + n, 1, room - n, file);
        n += got;
    }
    if (ferror(file) || n > LARGEST_FILE) {
        err_add(err, ERR_CONFIG, where, "could not read: %s",
                ferror(file) ? strerror(errno) : "larger than 1 GiB");
        free(text);
        text = NULL;
    }
    fclose(file);
    *len = n;
    return text;
}

int forest_read(Forest *forest, const char *path, Arena *arena, Err *err)
{
    size_t len;
    char *text = read_file(path, &len, err);
    int rc;

    if (text == NULL)
        return -1;
    rc = forest_parse(forest, path, text, len, arena, err);
    free(text);
    return rc;
}
