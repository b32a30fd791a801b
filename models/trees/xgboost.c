/*
 * tree_xgboost.c - what XGBoost 1.0 to 3.4 say of a model around its trees: version,
 * objective, base score, and where each version puts its boosters.
 *
 * The layouts are those of dmlc/xgboost, tags v1.0.2 to v3.4.1 (src/learner.cc,
 * src/gbm/, src/objective/, doc/tutorials/saving_model.rst).
 */
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "models/trees/read.h"

/* How base_score, which is on the scale of predictions, becomes a margin. */
typedef enum BaseLink { BASE_AS_IS, BASE_LOGIT, BASE_LOG } BaseLink;

static const struct {
    const char *name;
    Transform transform;
    BaseLink link;
    bool is_probability;
    bool is_single; /* with several outputs they depend on each other in a way of
                       their own, which is not known here */
} OBJECTIVES[] = {
    {"binary:logistic", TRANSFORM_SIGMOID, BASE_LOGIT, true, false},
    {"reg:logistic", TRANSFORM_SIGMOID, BASE_LOGIT, true, false},
    {"binary:logitraw", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"binary:hinge", TRANSFORM_HINGE, BASE_AS_IS, false, false},
    {"multi:softprob", TRANSFORM_SOFTMAX, BASE_AS_IS, true, false},
    {"multi:softmax", TRANSFORM_SOFTMAX, BASE_AS_IS, true, false},
    {"count:poisson", TRANSFORM_EXP, BASE_LOG, false, false},
    {"reg:gamma", TRANSFORM_EXP, BASE_LOG, false, false},
    {"reg:tweedie", TRANSFORM_EXP, BASE_LOG, false, false},
    {"survival:cox", TRANSFORM_EXP, BASE_LOG, false, false},
    {"survival:aft", TRANSFORM_EXP, BASE_LOG, false, false},
    {"reg:squarederror", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"reg:linear", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"reg:squaredlogerror", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"reg:pseudohubererror", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"reg:absoluteerror", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"reg:quantileerror", TRANSFORM_NONE, BASE_AS_IS, false, true},
    {"reg:expectileerror", TRANSFORM_NONE, BASE_AS_IS, false, true},
    {"rank:pairwise", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"rank:ndcg", TRANSFORM_NONE, BASE_AS_IS, false, false},
    {"rank:map", TRANSFORM_NONE, BASE_AS_IS, false, false},
};

/* ---- version, objective --------------------------------------------------- */

/* The newest version of each major one whose layout is known here. */
static const int NEWEST_MINOR[] = {-1, 7, 1, 4};

static int read_version(TreeReader *reader, JsonAt root)
{
    Arena *arena = reader->arena;
    Numbers version;
    long part[3];
    int rc = 0;

    if (json_need_numbers(&version, reader, root, "version", arena) != 0)
        return -1;
    if (version.n != 3)
        return tree_refuse(reader, 0, "\"version\" does not have three numbers");
    for (int i = 0; i < 3; i++) {
        if (!tree_is_index(version.at[i], 1e6))
            return tree_refuse(reader, 0, "\"version\" does not have three numbers");
        part[i] = (long)version.at[i];
    }
    reader->forest->version =
        arena_format(arena, "XGBoost %ld.%ld.%ld", part[0], part[1], part[2]);
    if (part[0] < 1 || part[0] > 3 || part[1] > NEWEST_MINOR[part[0]]) {
        rc = tree_refuse(reader, 0, "written by %s; 1.0 to 3.4 are known here",
                         reader->forest->version);
        err_hint(reader->err, "load it with that version and ask for a newer release of "
                              "this program; other versions lay models out differently");
    }
    return rc;
}

static int read_objective(TreeReader *reader, JsonAt learner, BaseLink *link)
{
    Forest *forest = reader->forest;
    JsonAt objective;
    const char *name;

    if (json_need_map(&objective, reader, learner, "objective") != 0 ||
        json_need_word(&name, reader, objective, "name") != 0)
        return -1;
    forest->objective = arena_text(reader->arena, name, strlen(name));
    for (size_t i = 0; i < sizeof OBJECTIVES / sizeof *OBJECTIVES; i++) {
        if (strcmp(OBJECTIVES[i].name, name) != 0)
            continue;
        if (OBJECTIVES[i].is_single && forest->n_outputs > 1)
            return tree_refuse(reader, 0, "objective \"%s\" of %d outputs is not known",
                               name, forest->n_outputs);
        forest->transform = OBJECTIVES[i].transform;
        forest->is_probability = OBJECTIVES[i].is_probability;
        *link = OBJECTIVES[i].link;
        return 0;
    }
    return tree_refuse(reader, 0, "objective \"%s\" is not known", name);
}

/* ---- base score -------------------------------------------------------------- */

/* In single precision, as the library does. */
static float margin_of(float base, BaseLink link)
{
    switch (link) {
    case BASE_LOGIT:
        base = fminf(fmaxf(base, 1e-6f), 1.0f - 1e-6f);
        return -logf(1.0f / base - 1.0f);
    case BASE_LOG:
        return logf(base);
    default:
        return base;
    }
}

/* "5E-1" up to 3.0, "[1.5E-1,2E-1]" from 3.1: one value, or one for each output. */
static int read_base(TreeReader *reader, JsonAt params, BaseLink link)
{
    Forest *forest = reader->forest;
    const char *text, *at;
    int n = 0;

    if (json_need_word(&text, reader, params, "base_score") != 0)
        return -1;
    at = text + (*text == '[');
    for (;; at++) {
        size_t len = strcspn(at, ",]");
        double base;

        if (!text_double(&base, at, len) || n == forest->n_outputs)
            return tree_refuse(reader, 0, "\"base_score\" is \"%.60s\" for %d outputs",
                               text, forest->n_outputs);
        forest->offset[n++] = (double)margin_of(tree_float(base), link);
        at += len;
        if (*at != ',')
            break;
    }
    if (n != 1 && n != forest->n_outputs)
        return tree_refuse(reader, 0, "\"base_score\" is \"%.60s\" for %d outputs", text,
                           forest->n_outputs);
    for (; n < forest->n_outputs; n++)
        forest->offset[n] = forest->offset[0];
    for (n = 0; n < forest->n_outputs; n++) {
        if (!isfinite(forest->offset[n]))
            return tree_refuse(reader, 0, "\"base_score\" is \"%.60s\" for \"%s\"", text,
                               forest->objective);
    }
    return 0;
}

/* ---- features ------------------------------------------------------------------ */

static int read_params(TreeReader *reader, JsonAt learner, JsonAt *params)
{
    int64_t n_features = 0, n_classes = 0, n_targets = 0;

    if (json_need_map(params, reader, learner, "learner_model_param") != 0 ||
        json_whole(&n_features, reader, *params, "num_feature") != 0 ||
        json_whole(&n_classes, reader, *params, "num_class") != 0 ||
        json_whole(&n_targets, reader, *params, "num_target") != 0)
        return -1;
    if (n_classes > 1 && n_targets > 1)
        return tree_refuse(reader, 0,
                           "several classes and several targets together are "
                           "not known");
    if (n_classes < 1)
        n_classes = 1;
    return tree_sizes(reader, n_features, n_targets > n_classes ? n_targets : n_classes);
}

/* A list of texts for each feature, which may be empty or absent. */
static int feature_words(json_t **list, TreeReader *reader, JsonAt learner,
                         const char *key)
{
    size_t n;

    *list = json_object_get(learner.value, key);
    n = json_array_size(*list); /* 0 for NULL */
    if (n == 0) {
        *list = NULL;
        return 0;
    }
    if (n != (size_t)reader->forest->n_features)
        return tree_refuse(reader, 0, "\"%s\" has %zu names for %d features", key, n,
                           reader->forest->n_features);
    for (size_t i = 0; i < n; i++) {
        if (!json_is_string(json_array_get(*list, i)))
            return tree_refuse(reader, 0, "\"%s\" is not a list of texts", key);
    }
    return 0;
}

/* Models trained without names get the library's own: f0, f1 ... */
static int read_features(TreeReader *reader, JsonAt learner)
{
    Forest *forest = reader->forest;
    json_t *names, *types;

    if (feature_words(&names, reader, learner, "feature_names") != 0 ||
        feature_words(&types, reader, learner, "feature_types") != 0)
        return -1;
    for (int i = 0; i < forest->n_features; i++) {
        const char *name = json_string_value(json_array_get(names, (size_t)i));
        const char *type = json_string_value(json_array_get(types, (size_t)i));

        forest->feature[i] = name == NULL ? arena_format(reader->arena, "f%d", i)
                                          : arena_text(reader->arena, name, strlen(name));
        forest->is_category[i] = type != NULL && strcmp(type, "c") == 0;
    }
    return 0;
}

/* One feature's categories by name: the bytes of all names and where each begins. */
static int category_names(TreeReader *reader, CategoryNames *out, JsonAt column)
{
    Arena *arena = reader->arena;
    Numbers offsets, values;
    size_t n, last = 0;
    char *bytes;

    if (json_need_numbers(&values, reader, column, "values", arena) != 0 ||
        json_numbers(&offsets, reader, column, "offsets", arena) != 0)
        return -1;
    if (json_object_get(column.value, "offsets") == NULL) {
        out->number = values.at;
        out->n = (int)values.n;
        return 0;
    }
    n = offsets.n > 0 ? offsets.n - 1 : 0;
    bytes = arena_alloc(arena, values.n + 1, 1);
    for (size_t i = 0; i < values.n; i++)
        bytes[i] = (char)(int)values.at[i];
    out->name = arena_alloc(arena, n, sizeof *out->name);
    for (size_t i = 0; i < n; i++) {
        double end = offsets.at[i + 1];

        if (!tree_is_index(end, (double)values.n + 1) || end < (double)last)
            return tree_refuse(reader, 0, "the category names of %s overlap", column.of);
        out->name[i] = arena_text(arena, bytes + last, (size_t)end - last);
        last = (size_t)end;
    }
    out->n = (int)n;
    return 0;
}

/* From 3.1: `cats`, empty when categories were given as numbers. */
static int read_categories(TreeReader *reader, JsonAt model)
{
    Forest *forest = reader->forest;
    JsonAt cats, list;

    if (json_object_get(model.value, "cats") == NULL)
        return 0;
    if (json_need_map(&cats, reader, model, "cats") != 0 ||
        json_need_list(&list, reader, cats, "enc") != 0)
        return -1;
    if (json_array_size(list.value) == 0)
        return 0;
    if (json_array_size(list.value) != (size_t)forest->n_features)
        return tree_refuse(reader, 0, "\"enc\" of cats has %zu columns for %d features",
                           json_array_size(list.value), forest->n_features);
    for (int i = 0; i < forest->n_features; i++) {
        JsonAt column = {json_array_get(list.value, (size_t)i), forest->feature[i]};

        if (!json_is_object(column.value))
            return tree_refuse(reader, 0, "\"enc\" of cats is not a list of maps");
        if (category_names(reader, &forest->categories[i], column) != 0)
            return -1;
    }
    return 0;
}

/* ---- boosters -------------------------------------------------------------------- */

/* Up to 3.2 dart has a name of its own and its trees one floor down; 3.3 and 3.4 call
 * it gbtree and only the weights give it away, beside the model or in it. */
static int find_model(TreeReader *reader, JsonAt booster, JsonAt *model, Numbers *weights)
{
    JsonAt holder = booster;
    const char *name;

    if (json_need_word(&name, reader, booster, "name") != 0)
        return -1;
    if (strcmp(name, "dart") == 0) {
        if (json_need_map(&holder, reader, booster, "gbtree") != 0 ||
            json_need_numbers(weights, reader, booster, "weight_drop", reader->arena))
            return -1;
    } else if (strcmp(name, "gbtree") != 0) {
        return tree_refuse(reader, 0, "booster \"%s\" is not known", name);
    } else if (json_numbers(weights, reader, booster, "weight_drop", reader->arena)) {
        return -1;
    }
    if (json_need_map(model, reader, holder, "model") != 0)
        return -1;
    if (json_object_get(model->value, "weight_drop") != NULL)
        return json_numbers(weights, reader, *model, "weight_drop", reader->arena);
    return 0;
}

/* The round of every tree: iteration_indptr where there is one, else equal rounds. */
static int read_rounds(TreeReader *reader, JsonAt model, JsonAt params, size_t n_trees)
{
    Forest *forest = reader->forest;
    int64_t parallel = 1, vector = 1, n_outputs = forest->n_outputs;
    Numbers starts;
    size_t round = 0, each;

    if (json_numbers(&starts, reader, model, "iteration_indptr", reader->arena) != 0 ||
        json_whole(&parallel, reader, params, "num_parallel_tree") != 0 ||
        json_whole(&vector, reader, params, "size_leaf_vector") != 0)
        return -1;
    if (starts.n > 0) {
        if (starts.at[0] != 0 || starts.at[starts.n - 1] != (double)n_trees)
            return tree_refuse(reader, 0, "\"iteration_indptr\" does not end at %zu",
                               n_trees);
        for (size_t i = 0; i < n_trees; i++) {
            while (round + 2 < starts.n && starts.at[round + 1] <= (double)i)
                round++;
            forest->trees[i].round = (uint32_t)round;
        }
        forest->n_rounds = (int)starts.n - 1;
        return 0;
    }
    if (forest->vectors != NULL || vector > 1)
        n_outputs = 1;
    if (parallel < 1 || parallel > (int64_t)n_trees)
        parallel = 1;
    each = (size_t)(parallel * n_outputs);
    if (n_trees % each != 0)
        return tree_refuse(reader, 0, "%zu trees are not whole rounds of %zu", n_trees,
                           each);
    for (size_t i = 0; i < n_trees; i++)
        forest->trees[i].round = (uint32_t)(i / each);
    forest->n_rounds = (int)(n_trees / each);
    return 0;
}

static int read_tree(TreeReader *reader, JsonAt list, size_t i, Tree head)
{
    char of[32];
    JsonAt tree = {json_array_get(list.value, i), of};
    int64_t id = (int64_t)i;

    snprintf(of, sizeof of, "tree %zu", i);
    if (!json_is_object(tree.value))
        return tree_refuse(reader, 0, "%s is not a map", of);
    if (json_whole(&id, reader, tree, "id") != 0)
        return -1;
    if (id != (int64_t)i) /* the library would put it elsewhere */
        return tree_refuse(reader, 0, "%s has the id %lld", of, (long long)id);
    return tree_xgboost_tree(reader, tree, head);
}

static int read_trees(TreeReader *reader, JsonAt booster)
{
    Numbers weights, info;
    JsonAt model, params, trees;
    size_t n;

    if (find_model(reader, booster, &model, &weights) != 0 ||
        json_need_map(&params, reader, model, "gbtree_model_param") != 0 ||
        json_need_list(&trees, reader, model, "trees") != 0 ||
        json_need_numbers(&info, reader, model, "tree_info", reader->arena) != 0 ||
        read_categories(reader, model) != 0)
        return -1;
    n = json_array_size(trees.value);
    if (info.n != n)
        return tree_refuse(reader, 0,
                           "\"tree_info\" speaks of %zu trees, but there are "
                           "%zu",
                           info.n, n);
    if (weights.n != 0 && weights.n != n)
        return tree_refuse(reader, 0,
                           "\"weight_drop\" speaks of %zu trees, but there are "
                           "%zu",
                           weights.n, n);
    for (size_t i = 0; i < n; i++) {
        Tree head = {.weight = weights.n > 0 ? tree_float(weights.at[i]) : 1.0f};

        if (!tree_is_index(info.at[i], reader->forest->n_outputs))
            return tree_refuse(reader, 0, "tree %zu adds to an output that is not there",
                               i);
        head.output = (uint32_t)info.at[i];
        if (read_tree(reader, trees, i, head) != 0)
            return -1;
    }
    return read_rounds(reader, model, params, n);
}

/* weights[feature][output], then a bias for each output. */
static int read_linear(TreeReader *reader, JsonAt booster)
{
    Forest *forest = reader->forest;
    size_t want = (size_t)(forest->n_features + 1) * (size_t)forest->n_outputs;
    JsonAt model;
    Numbers weights;
    float *out;

    if (json_need_map(&model, reader, booster, "model") != 0 ||
        json_need_numbers(&weights, reader, model, "weights", reader->arena) != 0)
        return -1;
    if (weights.n != want)
        return tree_refuse(reader, 0,
                           "gblinear has %zu weights; %d features and %d "
                           "outputs need %zu",
                           weights.n, forest->n_features, forest->n_outputs, want);
    out = arena_alloc(reader->arena, want, sizeof *out);
    for (size_t i = 0; i < want; i++) {
        out[i] = tree_float(weights.at[i]);
        if (!isfinite(out[i]))
            return tree_refuse(reader, 0, "weight %zu of gblinear is not a number", i);
    }
    forest->weights = out;
    forest->n_rounds = 1;
    return 0;
}

static bool is_linear(JsonAt booster)
{
    const char *name = json_string_value(json_object_get(booster.value, "name"));

    return name != NULL && strcmp(name, "gblinear") == 0;
}

/* best_iteration counts from 0. A model cut afterwards may still carry an old one. */
static int read_best(TreeReader *reader, JsonAt learner)
{
    JsonAt attributes = {json_object_get(learner.value, "attributes"), "attributes"};
    int64_t best = -1;

    if (json_whole(&best, reader, attributes, "best_iteration") != 0)
        return -1;
    if (best >= 0 && best < reader->forest->n_rounds)
        reader->forest->best_rounds = (int)best + 1;
    return 0;
}

int tree_xgboost_read(TreeReader *reader, json_t *root)
{
    JsonAt top = {root, "the file"}, learner, params, booster;
    BaseLink link = BASE_AS_IS;

    reader->forest->library = LIBRARY_XGBOOST;
    if (!json_is_object(root))
        return tree_refuse(reader, 0, "the file is not a map");
    if (json_need_map(&learner, reader, top, "learner") != 0 ||
        read_version(reader, top) != 0 || read_params(reader, learner, &params) != 0 ||
        read_objective(reader, learner, &link) != 0 ||
        read_base(reader, params, link) != 0 || read_features(reader, learner) != 0 ||
        json_need_map(&booster, reader, learner, "gradient_booster") != 0)
        return -1;
    if (is_linear(booster))
        return read_linear(reader, booster);
    return read_trees(reader, booster) != 0 ? -1 : read_best(reader, learner);
}
