/*
 * tree_bind.c - the words of a `kind: trees` model, and what each feature of its file is
 * here.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "models/kinds.h"
#include "models/tree_bind.h"

/* What compiling needs everywhere. */
typedef struct Binder {
    Model *model;
    Trees *trees;
    const Plan *plan;
    Scope scope;
    Arena *arena;
    Err *err;
} Binder;

/* ---- names --------------------------------------------------------------------- */

static void hint_nearest(Err *err, const char *word, const char *const *known, size_t n)
{
    const char *nearest = text_nearest(word, known, n);

    if (nearest != NULL)
        err_hint(err, "did you mean \"%s\"?", nearest);
}

/* The names of every slot but the model's own, as expressions see them. */
static Scope scope_of(const Plan *plan, const Model *model, Arena *arena)
{
    RuleName *names = arena_alloc(arena, plan->n_slots, sizeof *names);
    size_t n = 0;

    for (uint32_t s = 0; s < plan->n_slots; s++) {
        Slot *slot = &plan->slots[s];
        const char *family =
            slot->kind == SLOT_FEATURE ? plan->features[slot->index].family : NULL;

        if ((slot->kind == SLOT_SCORE || slot->kind == SLOT_BAND) &&
            &plan->models[slot->index] == model)
            continue;
        names[n++] =
            (RuleName){slot->name, slot->type, s, slot->words, &slot->is_used, family};
    }
    return (Scope){names, n, arena};
}

static const RuleName *find_name(const Scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->n_names; i++) {
        if (strcmp(scope->names[i].name, name) == 0)
            return &scope->names[i];
    }
    return NULL;
}

/* ---- categories ------------------------------------------------------------------ */

/* A table with room for every word known so far, each without a code. */
static void need_codes(Binder *binder, Input *input, int n_words)
{
    double *code = arena_grow(binder->arena, input->code, (size_t)input->n_codes,
                              (size_t)n_words, sizeof *code);

    for (int w = input->n_codes; w < n_words; w++)
        code[w] = NAN;
    input->code = code;
    input->n_codes = n_words;
}

static int set_code(Binder *binder, Input *input, Words *words, const char *word,
                    double code)
{
    int index = words_index(words, word, binder->arena);

    if (index < 0)
        return -1;
    if (index >= input->n_codes)
        need_codes(binder, input, words->n);
    ((double *)input->code)[index] = code;
    return 0;
}

/* `codes: {never: 0, ex: 1}` */
static int read_codes(Binder *binder, Input *input, Words *words, const Node *codes)
{
    int rc = 0;

    if (codes->kind != NODE_MAP)
        return err_add(binder->err, ERR_CONFIG, codes->where,
                       "\"codes\" must be a map of words and numbers");
    if (words == NULL)
        return err_add(binder->err, ERR_CONFIG, codes->where,
                       "\"codes\" belong to words, but the value is a number");
    for (int i = 0; i < codes->n; i++) {
        double code = NAN;

        if (config_number(&code, codes, codes->keys[i], binder->err) != 0)
            rc = -1;
        else if (set_code(binder, input, words, codes->keys[i], code) != 0)
            rc = err_add(binder->err, ERR_CONFIG, codes->key_where[i],
                         "\"%s\" is not one of its words", codes->keys[i]);
    }
    return rc;
}

/* Categories that the file itself names, in the order of their codes. */
static int names_of_file(Binder *binder, Input *input, Words *words, int feature,
                         Where where)
{
    const CategoryNames *names = &binder->trees->forest.categories[feature];
    const char *name = binder->trees->forest.feature[feature];

    if (names->n < 0 || (names->n > 0 && (words != NULL) != (names->name != NULL))) {
        err_add(binder->err, ERR_CONFIG, where, "the codes of \"%s\" are not clear",
                name);
        err_hint(binder->err, "the model was trained on %s: name them under \"codes:\"",
                 names->n < 0          ? "categories that its file does not tell apart"
                 : names->name != NULL ? "categories with names"
                                       : "categories that are numbers");
        return -1;
    }
    if (names->name == NULL) {
        input->number = names->number;
        input->n_numbers = names->n;
        return 0;
    }
    need_codes(binder, input, 1);
    for (int c = 0; c < names->n; c++)
        set_code(binder, input, words, names->name[c], c);
    return 0;
}

static int bind_category(Binder *binder, int feature, Words *words, const Node *map,
                         Where where)
{
    const Node *codes = map != NULL ? config_get(map, "codes") : NULL;
    Input *input = &binder->trees->inputs[feature];
    const char *name = binder->trees->forest.feature[feature];
    int rc;

    if (codes != NULL) {
        rc = read_codes(binder, input, words, codes);
    } else if (binder->trees->forest.categories[feature].n != 0) {
        rc = names_of_file(binder, input, words, feature, where);
    } else if (words != NULL) {
        rc = err_add(binder->err, ERR_CONFIG, where,
                     "\"%s\" is a number in the model file, but a word here", name);
        err_hint(binder->err, "give its words numbers under \"codes:\"");
    } else {
        return 0;
    }
    if (rc == 0)
        input->unknown = reason_add(
            binder->model,
            arena_format(binder->arena, "\"%s\" has a category that the model does not",
                         name),
            binder->arena);
    return rc;
}

/* ---- features ------------------------------------------------------------------- */

static int bind_slot(Binder *binder, int feature, const RuleName *name, const Node *map,
                     Where where)
{
    Term *term = &binder->model->terms[feature];

    *name->is_used = true;
    term->slot = name->slot;
    if (term->label == NULL)
        term->label = binder->plan->slots[name->slot].label;
    return bind_category(binder, feature, name->type == RULE_WORD ? name->words : NULL,
                         map, where);
}

static int bind_rule(Binder *binder, int feature, const Node *word, const Node *map)
{
    Term *term = &binder->model->terms[feature];
    const RuleName *name = find_name(&binder->scope, word->word);
    const uint32_t *slots;
    size_t n;

    if (name != NULL)
        return bind_slot(binder, feature, name, map, word->where);
    term->value =
        rule_compile(word->word, word->where, RULE_NUMBER, &binder->scope, binder->err);
    if (term->value == NULL)
        return -1;
    slots = rule_slots(term->value, &n);
    term->slot = n > 0 ? slots[0] : binder->plan->age_slot;
    if (term->label == NULL)
        term->label = n > 0 ? binder->plan->slots[slots[0]].label : term->id;
    return bind_category(binder, feature, NULL, map, word->where);
}

static int bind_map(Binder *binder, int feature, const Node *map)
{
    static const char *const KEYS[] = {"value", "codes", "label", "say"};
    Term *term = &binder->model->terms[feature];
    const char *value = NULL;

    if (config_only(map, KEYS, sizeof KEYS / sizeof *KEYS, binder->err) != 0 ||
        config_need_word(&value, map, "value", binder->err) != 0 ||
        config_word(&term->label, map, "label", binder->err) != 0 ||
        config_word(&term->say, map, "say", binder->err) != 0)
        return -1;
    return bind_rule(binder, feature, config_get(map, "value"), map);
}

/* A feature that the config does not mention is the slot of its own name. */
static int bind_same_name(Binder *binder, int feature, Where where)
{
    const char *name = binder->trees->forest.feature[feature];
    const RuleName *found = find_name(&binder->scope, name);
    const char **known;

    if (found != NULL)
        return bind_slot(binder, feature, found, NULL, where);
    known = arena_alloc(binder->arena, binder->scope.n_names, sizeof *known);
    for (size_t i = 0; i < binder->scope.n_names; i++)
        known[i] = binder->scope.names[i].name;
    err_add(binder->err, ERR_CONFIG, where,
            "the model file needs \"%s\", which is no name here", name);
    if (text_nearest(name, known, binder->scope.n_names) != NULL)
        hint_nearest(binder->err, name, known, binder->scope.n_names);
    else
        err_hint(binder->err, "say under \"features:\" what it is");
    return -1;
}

static int bind_feature(Binder *binder, int feature, const Node *map, Where where)
{
    Term *term = &binder->model->terms[feature];
    const char *name = binder->trees->forest.feature[feature];
    const Node *how = map != NULL ? config_get(map, name) : NULL;

    *term = (Term){.id = name, .where = where, .least = -INFINITY, .most = INFINITY};
    if (how == NULL)
        return bind_same_name(binder, feature, where);
    term->where = how->where;
    if (how->kind == NODE_MAP)
        return bind_map(binder, feature, how);
    if (how->kind == NODE_WORD)
        return bind_rule(binder, feature, how, NULL);
    return err_add(binder->err, ERR_CONFIG, how->where,
                   "a feature is an expression, or a map with \"value\"");
}

/* Every feature of the file has a value here, and nothing else is named. */
static int bind_features(Binder *binder, const Node *node)
{
    const Forest *forest = &binder->trees->forest;
    const Node *map = config_get(node, "features");
    size_t n = (size_t)forest->n_features;
    Model *model = binder->model;
    int rc = 0;

    if (map != NULL && map->kind != NODE_MAP)
        return err_add(binder->err, ERR_CONFIG, map->where,
                       "\"features\" must be a map of the model file's names");
    if (map != NULL &&
        config_only(map, forest->feature, forest->n_features, binder->err) != 0)
        rc = -1;
    model->terms = arena_alloc(binder->arena, n, sizeof *model->terms);
    binder->trees->inputs = arena_alloc(binder->arena, n, sizeof(Input));
    model->n_terms = model->most_shares = forest->n_features;
    for (int i = 0; i < forest->n_features; i++) {
        if (bind_feature(binder, i, map, map != NULL ? map->where : node->where) != 0)
            rc = -1;
    }
    return rc;
}

/* ---- what is asked of the model ---------------------------------------------------- */

static int read_output(Binder *binder, const Node *node)
{
    static const char *const OUTPUTS[] = {"prediction", "probability", "margin"};
    const Forest *forest = &binder->trees->forest;
    const char *word = "prediction";
    const Node *at = config_get(node, "output");

    if (config_word(&word, node, "output", binder->err) != 0)
        return -1;
    if (strcmp(word, "probability") == 0 && !forest->is_probability) {
        err_add(binder->err, ERR_CONFIG, at->where,
                "a model with the objective \"%s\" does not give a probability",
                forest->objective);
        err_hint(binder->err, "write \"output: prediction\" or \"output: margin\"");
        return -1;
    }
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(word, OUTPUTS[i]) == 0) {
            binder->trees->is_margin = i == 2;
            return 0;
        }
    }
    err_add(binder->err, ERR_CONFIG, at->where, "\"output\" cannot be \"%s\"", word);
    hint_nearest(binder->err, word, OUTPUTS, 3);
    return -1;
}

static int read_class(Binder *binder, const Node *node)
{
    int n = binder->trees->forest.n_outputs;
    long class = 0;

    if (n > 1 && config_get(node, "class") == NULL) {
        err_add(binder->err, ERR_CONFIG, node->where,
                "the model file has %d outputs, and \"class\" is missing", n);
        err_hint(binder->err, "add the line \"class: N\" with the one to score, 0 to %d",
                 n - 1);
        return -1;
    }
    if (config_int(&class, node, "class", 0, n - 1, binder->err) != 0)
        return -1;
    binder->trees->output = (int)class;
    return 0;
}

/* XGBoost keeps the rounds after the best one, and its own interfaces differ in whether
 * they use them; so a model that was stopped early has to say. */
static int read_rounds(Binder *binder, const Node *node)
{
    Forest *forest = &binder->trees->forest;
    const Node *at = config_get(node, "rounds");
    const char *word = "all";

    binder->trees->file_rounds = forest->n_rounds;
    if (config_word(&word, node, "rounds", binder->err) != 0)
        return -1;
    if (at == NULL && forest->best_rounds != 0 &&
        forest->best_rounds < forest->n_rounds) {
        err_add(binder->err, ERR_CONFIG, node->where,
                "training stopped early: %d of %d rounds are the best, and \"rounds\" is "
                "missing",
                forest->best_rounds, forest->n_rounds);
        err_hint(binder->err, "scikit-learn's XGBoost predicts with \"rounds: best\", "
                              "Booster.predict with \"rounds: all\"");
        return -1;
    }
    if (strcmp(word, "all") == 0)
        return 0;
    if (strcmp(word, "best") != 0)
        return err_add(binder->err, ERR_CONFIG, at->where,
                       "\"rounds\" must be all or best, not \"%s\"", word);
    if (forest->best_rounds == 0)
        return err_add(binder->err, ERR_CONFIG, at->where,
                       "the model file does not say which rounds are the best");
    forest_cut(forest, forest->best_rounds);
    return 0;
}

/* Words of other kinds, which a model file answers by itself. */
static int refuse_words(const Node *node, Err *err)
{
    static const char *const WORDS[] = {"missing", "range", "link",    "intercept",
                                        "terms",   "floor", "ceiling", "format"};
    int rc = 0;

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const Node *at = config_get(node, WORDS[i]);

        if (at != NULL)
            rc = err_add(err, ERR_CONFIG, at->where,
                         "\"%s\" has no meaning for trees: the model file decides",
                         WORDS[i]);
    }
    return rc;
}

int trees_bind(Model *model, const Plan *plan, const Node *node, Arena *arena, Err *err)
{
    Trees *trees = arena_alloc(arena, 1, sizeof *trees);
    Binder binder = {model, trees, plan, scope_of(plan, model, arena), arena, err};
    const char *file = NULL;
    int rc;

    model->own = trees;
    trees->missing_value = NAN;
    rc = refuse_words(node, err);
    if (config_need_word(&file, node, "file", err) != 0 ||
        forest_read(&trees->forest, model_path(node, file, arena), arena, err) != 0)
        return -1;
    if (config_number(&trees->missing_value, node, "missing_value", err) != 0)
        rc = -1;
    rc |= read_output(&binder, node);
    rc |= read_class(&binder, node);
    rc |= read_rounds(&binder, node);
    rc |= bind_features(&binder, node);
    return rc;
}
