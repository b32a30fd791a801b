/*
 * compile_terms.c - the summands of a model, in the forms they can be written in.
 *
 * Weights of index and points are kept as decimal numbers until the last term is read;
 * then the smallest decimal of them all becomes the unit of whole points.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

/* ---- a term ------------------------------------------------------------ */

Draft *terms_add(Terms *terms, Where where, const char *id, const char *label)
{
    Draft *draft = COMPILE_ADD(terms->c, terms->drafts, terms->n);

    draft->term = (Term){.id = id,
                         .label = label,
                         .where = where,
                         .slot = terms->c->plan->age_slot,
                         .least = -INFINITY,
                         .most = INFINITY,
                         .impute = NAN,
                         .group = terms->group};
    return draft;
}

static bool read_decimal(Compiler *c, Decimal *decimal, const char *text, Where where)
{
    if (text_decimal(&decimal->mantissa, &decimal->decimals, text, strlen(text)))
        return true;
    err_add(c->err, ERR_CONFIG, where, "\"%s\" is not a decimal number", text);
    err_hint(c->err, "weights are added exactly: write digits, at most 9 of them after "
                     "the point");
    return false;
}

static double decimal_value(Decimal decimal)
{
    return (double)decimal.mantissa / pow(10, decimal.decimals);
}

bool terms_weight(Terms *terms, Draft *draft, const char *text, Where where)
{
    Compiler *c = terms->c;

    if (terms->is_exact) {
        if (!read_decimal(c, &draft->weight, text, where))
            return false;
        draft->term.weight = decimal_value(draft->weight);
        return true;
    }
    if (text_double(&draft->term.weight, text, strlen(text)))
        return true;
    err_add(c->err, ERR_CONFIG, where, "\"%s\" is not a number", text);
    return false;
}

void terms_rule(Terms *terms, Draft *draft, const Rule *rule)
{
    const uint32_t *slots;
    size_t n;

    draft->term.value = rule;
    if (rule == NULL)
        return;
    slots = rule_slots(rule, &n);
    draft->term.slot = n > 0 ? slots[0] : terms->c->plan->age_slot;
}

/* ---- what terms of several forms have ---------------------------------- */

static void read_weight(Terms *terms, Draft *draft, const Node *node)
{
    Compiler *c = terms->c;
    const char *text = NULL;

    if (config_get(node, "weight") == NULL && config_get(node, "steps") == NULL) {
        if (strcmp(terms->model->kind->name, "index") == 0)
            terms_weight(terms, draft, "1", node->where);
        else
            err_add(c->err, ERR_CONFIG, node->where, "\"weight\" is missing");
    }
    if (config_get(node, "weight") != NULL && config_get(node, "steps") != NULL)
        err_add(c->err, ERR_CONFIG, config_get(node, "weight")->where,
                "either \"weight\" or \"steps\", not both");
    config_word(&text, node, "weight", c->err);
    if (text != NULL)
        terms_weight(terms, draft, text, compile_where(node, "weight"));
}

/* A key that only one kind of model knows what to do with. */
static bool refuse(Terms *terms, const Node *node, const char *key, const char *kind)
{
    if (config_get(node, key) == NULL || strcmp(terms->model->kind->name, kind) == 0)
        return false;
    err_add(terms->c->err, ERR_CONFIG, config_get(node, key)->where,
            "\"%s\" is only for models of kind %s", key, kind);
    return true;
}

static void read_cap(Terms *terms, Draft *draft, const Node *node)
{
    const char *text = NULL;

    if (refuse(terms, node, "cap", "points"))
        return;
    config_word(&text, node, "cap", terms->c->err);
    if (text == NULL ||
        !read_decimal(terms->c, &draft->cap, text, compile_where(node, "cap")))
        return;
    if (draft->cap.mantissa <= 0)
        err_add(terms->c->err, ERR_CONFIG, compile_where(node, "cap"),
                "a cap must be above 0");
}

/* ---- steps ------------------------------------------------------------- */

static void read_step(Terms *terms, Draft *draft, const Node *node, int s)
{
    Compiler *c = terms->c;
    Term *term = &draft->term;
    const char *key = config_get(node, "weight") != NULL ? "weight" : "points";
    const char *text = NULL;
    Where where;

    if (!compile_only(c, node, DOC_STEP))
        return;
    if (config_get(node, "upto") != NULL && config_get(node, "below") != NULL)
        err_add(c->err, ERR_CONFIG, node->where,
                "either \"upto\" or \"below\", not both");
    term->step_upto[s] = config_get(node, "upto") != NULL;
    config_number(&term->step_bound[s], node, term->step_upto[s] ? "upto" : "below",
                  c->err);
    if (config_need_word(&text, node, key, c->err) != 0 || text == NULL)
        return;
    where = compile_where(node, key);
    if (terms->is_exact && read_decimal(c, &draft->steps[s], text, where))
        term->step_weight[s] = decimal_value(draft->steps[s]);
    else if (!terms->is_exact)
        config_number(&term->step_weight[s], node, key, c->err);
}

static void check_steps(Compiler *c, const Term *term, const Node *list)
{
    int last = term->n_steps - 1;

    if (isfinite(term->step_bound[last]))
        err_add(c->err, ERR_CONFIG, list->items[last]->where,
                "the last step must have no bound");
    for (int s = 0; s < last; s++) {
        if (!isfinite(term->step_bound[s]))
            err_add(c->err, ERR_CONFIG, list->items[s]->where,
                    "a step needs upto or below: only the last has no bound");
    }
    for (int s = 1; s < last; s++) {
        double bound = term->step_bound[s], before = term->step_bound[s - 1];

        if (bound < before ||
            (bound == before && (term->step_upto[s - 1] || !term->step_upto[s])))
            err_add(c->err, ERR_CONFIG, list->items[s]->where,
                    "this step ends before or where the one above it does");
    }
}

static void read_steps(Terms *terms, Draft *draft, const Node *node)
{
    Compiler *c = terms->c;
    Term *term = &draft->term;
    const Node *list = config_get(node, "steps");
    int before = c->err->n_reports;
    size_t n;

    if (list == NULL)
        return;
    if (list->kind != NODE_LIST || list->n == 0) {
        err_add(c->err, ERR_CONFIG, list->where, "\"steps\" must be a list");
        return;
    }
    n = (size_t)list->n;
    term->n_steps = list->n;
    term->step_bound = arena_alloc(c->arena, n, sizeof *term->step_bound);
    term->step_upto = arena_alloc(c->arena, n, sizeof *term->step_upto);
    term->step_weight = arena_alloc(c->arena, n, sizeof *term->step_weight);
    term->step_points = arena_alloc(c->arena, n, sizeof *term->step_points);
    draft->steps = arena_alloc(c->arena, n, sizeof *draft->steps);
    for (int s = 0; s < list->n; s++) {
        term->step_bound[s] = INFINITY;
        read_step(terms, draft, list->items[s], s);
    }
    if (c->err->n_reports == before)
        check_steps(c, term, list);
}

/* ---- feature, value, when ---------------------------------------------- */

/* A value that is always there needs nothing in its place. */
static bool can_miss(const Compiler *c, const Term *term)
{
    const Slot *slot = &c->plan->slots[term->slot];

    if (term->value != NULL)
        return true;
    if (slot->kind == SLOT_FEATURE)
        return isnan(c->plan->features[slot->index].missing);
    return slot->kind != SLOT_AGE;
}

static void read_impute(Terms *terms, Draft *draft, const Node *node)
{
    Compiler *c = terms->c;
    const Node *impute = config_get(node, "impute");

    config_number(&draft->term.impute, node, "impute", c->err);
    if (impute != NULL && terms->model->missing != MISSING_IMPUTE) {
        err_add(c->err, ERR_CONFIG, impute->where,
                "\"impute\" has no effect in this model");
        err_hint(c->err, "add \"missing: impute\" to the model");
    }
    if (impute == NULL && terms->model->missing == MISSING_IMPUTE &&
        can_miss(c, &draft->term)) {
        err_add(c->err, ERR_CONFIG, node->where,
                "term \"%s\" can be missing and has no \"impute\"", draft->term.id);
        err_hint(c->err, "add the value to take in its place");
    }
}

static void read_limits(Terms *terms, Draft *draft, const Node *node)
{
    Compiler *c = terms->c;
    Term *term = &draft->term;

    if (!refuse(terms, node, "centre", "regression"))
        config_number(&term->centre, node, "centre", c->err);
    config_number(&term->least, node, "min", c->err);
    config_number(&term->most, node, "max", c->err);
    if (term->least > term->most)
        err_add(c->err, ERR_CONFIG, compile_where(node, "max"), "max is below min");
}

static void read_rest(Terms *terms, Draft *draft, const Node *node)
{
    Compiler *c = terms->c;

    config_word(&draft->term.id, node, "id", c->err);
    config_word(&draft->term.label, node, "label", c->err);
    config_word(&draft->term.say, node, "say", c->err);
    read_weight(terms, draft, node);
    read_cap(terms, draft, node);
    read_steps(terms, draft, node);
}

static void read_feature(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    const Node *word = config_get(node, "feature");
    const RuleName *name;
    Draft *draft;

    if (word->kind != NODE_WORD) {
        err_add(c->err, ERR_CONFIG, word->where, "expected the name of a feature");
        return;
    }
    name = compile_need_name(c, word->word, word->where);
    if (name == NULL)
        return;
    if (name->type == RULE_WORD) {
        err_add(c->err, ERR_CONFIG, word->where, "\"%s\" is a word and has no value",
                name->name);
        err_hint(c->err, "write as in when: '%s == \"word\"'", name->name);
    }
    draft = terms_add(terms, node->where, name->name, c->plan->slots[name->slot].label);
    draft->term.slot = name->slot;
    read_rest(terms, draft, node);
    read_limits(terms, draft, node);
    read_impute(terms, draft, node);
}

static void read_value(Terms *terms, const Node *node)
{
    const Node *word = config_get(node, "value");
    const char *text = word->kind == NODE_WORD ? word->word : "";
    Draft *draft = terms_add(terms, node->where, text, text);

    terms_rule(terms, draft, compile_rule(terms->c, word, RULE_NUMBER));
    read_rest(terms, draft, node);
    read_limits(terms, draft, node);
    read_impute(terms, draft, node);
}

static void read_when(Terms *terms, const Node *node)
{
    const Node *word = config_get(node, "when");
    const char *text = word->kind == NODE_WORD ? word->word : "";
    Draft *draft = terms_add(terms, node->where, text, text);

    terms_rule(terms, draft, compile_rule(terms->c, word, RULE_YESNO));
    read_rest(terms, draft, node);
}

/* ---- families ---------------------------------------------------------- */

/* Where the weights of a family come from: one number, a list or a table. */
typedef struct Weights {
    const char *number;
    Where where;
    const CodeList *list;
    Table table;
    int key, weight, label; /* columns of the table */
    bool *is_met;           /* by row */
} Weights;

static bool open_weights(Terms *terms, Weights *weights, const Node *map)
{
    Compiler *c = terms->c;
    const char *id = NULL, *key = "", *weight = "", *label = NULL;
    int list;

    if (map->kind == NODE_MAP && config_get(map, "list") != NULL) {
        compile_only(c, map, DOC_WEIGHTS_LIST);
        config_word(&id, map, "list", c->err);
        list = id == NULL ? -1 : compile_list_find(c, id, compile_where(map, "list"));
        weights->list = list < 0 ? NULL : &c->plan->lists[list];
        if (list >= 0 && weights->list->n_entries > 0 && !weights->list->has_weight)
            err_add(c->err, ERR_CONFIG, compile_where(map, "list"),
                    "list \"%s\" has no weights", id);
        return list >= 0 && weights->list->has_weight;
    }
    if (!compile_only(c, map, DOC_WEIGHTS_FILE))
        return false;
    if (config_get(map, "file") == NULL) {
        err_add(c->err, ERR_CONFIG, map->where, "\"file\" or \"list\" is missing");
        return false;
    }
    config_need_word(&key, map, "key", c->err);
    config_need_word(&weight, map, "weight", c->err);
    config_word(&label, map, "label", c->err);
    if (!compile_table(c, &weights->table, config_get(map, "file")))
        return false;
    weights->key = table_column(&weights->table, key, c->err);
    weights->weight = table_column(&weights->table, weight, c->err);
    weights->label =
        label == NULL ? TABLE_NO_COLUMN : table_column(&weights->table, label, c->err);
    weights->is_met =
        arena_alloc(c->arena, (size_t)weights->table.n_rows, sizeof *weights->is_met);
    return weights->key != TABLE_NO_COLUMN && weights->weight != TABLE_NO_COLUMN;
}

static void weigh_from_list(Terms *terms, Draft *draft, const Weights *weights,
                            const Feature *feature)
{
    int k = list_category(weights->list, feature->category->name);

    if (k < 0) {
        err_add(terms->c->err, ERR_CONFIG, draft->term.where,
                "list \"%s\" has no weight for \"%s\"", weights->list->id, feature->id);
        return;
    }
    draft->weight = (Decimal){weights->list->categories[k].weight,
                              weights->list->categories[k].decimals};
    draft->term.weight = decimal_value(draft->weight);
}

static void weigh_from_table(Terms *terms, Draft *draft, Weights *weights,
                             const Feature *feature)
{
    Compiler *c = terms->c;
    const Table *table = &weights->table;

    for (int r = 0; r < table->n_rows; r++) {
        const char *key = table_field(table, r, weights->key);
        const char *label = table_field(table, r, weights->label);

        if (strcmp(key, feature->category->id) != 0 &&
            strcmp(key, feature->category->name) != 0)
            continue;
        if (weights->is_met[r])
            err_add(c->err, ERR_CONFIG, table_where(table, r, weights->key),
                    "\"%s\" is here twice", key);
        weights->is_met[r] = true;
        if (label[0] != '\0')
            draft->term.label = label;
        terms_weight(terms, draft, table_field(table, r, weights->weight),
                     table_where(table, r, weights->weight));
        return;
    }
    err_add(c->err, ERR_CONFIG, draft->term.where, "%s has no weight for \"%s\"",
            table->name, feature->id);
}

static void check_rows(Terms *terms, const Weights *weights, int first, int n)
{
    Compiler *c = terms->c;
    const Table *table = &weights->table;
    const char **known = arena_alloc(c->arena, (size_t)n, sizeof *known);

    for (int f = 0; f < n; f++)
        known[f] = c->plan->features[first + f].category->id;
    for (int r = 0; r < table->n_rows; r++) {
        const char *key = table_field(table, r, weights->key);

        if (weights->is_met[r])
            continue;
        err_add(c->err, ERR_CONFIG, table_where(table, r, weights->key),
                "family \"%s\" has no category \"%s\"", c->plan->features[first].family,
                key);
        compile_hint(c, key, known, (size_t)n);
    }
}

static void read_family_weight(Terms *terms, Draft *draft, Weights *weights,
                               const Feature *feature)
{
    if (weights->number != NULL)
        terms_weight(terms, draft, weights->number, weights->where);
    else if (weights->list != NULL)
        weigh_from_list(terms, draft, weights, feature);
    else
        weigh_from_table(terms, draft, weights, feature);
}

/* One weight for all, an index's 1, or `weights:`. False after a report. */
static bool find_weights(Terms *terms, Weights *weights, const Node *node)
{
    Compiler *c = terms->c;
    const Node *map = config_get(node, "weights");
    int before = c->err->n_reports;

    weights->where = compile_where(node, "weight");
    config_word(&weights->number, node, "weight", c->err);
    if (map != NULL && weights->number != NULL)
        err_add(c->err, ERR_CONFIG, map->where,
                "either \"weight\" or \"weights\", not both");
    if (map != NULL)
        return open_weights(terms, weights, map);
    if (weights->number == NULL && strcmp(terms->model->kind->name, "index") == 0)
        weights->number = "1";
    if (weights->number == NULL && c->err->n_reports == before)
        err_add(c->err, ERR_CONFIG, node->where, "\"weights\" is missing");
    return weights->number != NULL;
}

static void read_family(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    Weights weights = {.label = TABLE_NO_COLUMN};
    const char *family = NULL;
    int first = 0, n = 0;

    config_word(&family, node, "family", c->err);
    if (family != NULL)
        n = compile_family(c, &first, family, compile_where(node, "family"));
    if (n == 0 || !find_weights(terms, &weights, node))
        return;
    for (int f = first; f < first + n; f++) {
        const Feature *feature = &c->plan->features[f];
        Draft *draft = terms_add(terms, node->where, feature->id, feature->label);
        int before = c->err->n_reports;

        draft->term.slot = feature->slot;
        config_word(&draft->term.say, node, "say", c->err);
        read_cap(terms, draft, node);
        read_family_weight(terms, draft, &weights, feature);
        if (c->err->n_reports > before && weights.number != NULL)
            return; /* the same for every feature */
    }
    if (weights.is_met != NULL)
        check_rows(terms, &weights, first, n);
}

/* ---- forms ------------------------------------------------------------- */

static void read_items(Terms *terms, const Node *list);

static void read_group(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    const Node *list = config_get(node, "terms");
    const char *text = NULL;
    Decimal cap = {0, 0};

    if (refuse(terms, node, "group_cap", "points"))
        return;
    if (terms->group != 0) {
        err_add(c->err, ERR_CONFIG, node->where, "a group cannot hold another");
        return;
    }
    config_word(&text, node, "group_cap", c->err);
    if (text != NULL)
        read_decimal(c, &cap, text, compile_where(node, "group_cap"));
    if (list == NULL || list->kind != NODE_LIST) {
        err_add(c->err, ERR_CONFIG, node->where, "a group needs a list of \"terms\"");
        return;
    }
    *COMPILE_ADD(c, terms->group_caps, terms->n_groups) = cap;
    terms->group = terms->n_groups;
    read_items(terms, list);
    terms->group = 0;
}

static const struct Form {
    const char *key;
    Document document;
    void (*read)(Terms *terms, const Node *node);
} FORMS[] = {
    {"feature", DOC_TERM_FEATURE, read_feature},
    {"value", DOC_TERM_VALUE, read_value},
    {"when", DOC_TERM_WHEN, read_when},
    {"family", DOC_TERM_FAMILY, read_family},
    {"levels", DOC_TERM_LEVELS, terms_levels},
    {"table", DOC_TERM_TABLE, terms_table},
    {"coefficients", DOC_TERM_COEFFICIENTS, terms_coefficients},
    {"group_cap", DOC_TERM_GROUP, read_group},
};
enum { N_FORMS = sizeof FORMS / sizeof *FORMS };

static void read_item(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;

    for (int i = 0; i < N_FORMS; i++) {
        if (config_get(node, FORMS[i].key) == NULL)
            continue;
        compile_only(c, node, FORMS[i].document);
        FORMS[i].read(terms, node);
        return;
    }
    err_add(c->err, ERR_CONFIG, node->where, "a term says what it is about");
    err_hint(c->err, "give one of feature, value, when, family, levels, table, "
                     "coefficients, group_cap");
}

static void read_items(Terms *terms, const Node *list)
{
    for (int i = 0; i < list->n; i++)
        read_item(terms, list->items[i]);
}

/* ---- hierarchy --------------------------------------------------------- */

static int find_term(Terms *terms, const char *id, Where where)
{
    Compiler *c = terms->c;
    const char **known = arena_alloc(c->arena, (size_t)terms->n, sizeof *known);

    for (int t = 0; t < terms->n; t++) {
        known[t] = terms->drafts[t].term.id;
        if (strcmp(known[t], id) == 0)
            return t;
    }
    err_add(c->err, ERR_CONFIG, where, "no term of this model is called \"%s\"", id);
    compile_hint(c, id, known, (size_t)terms->n);
    return -1;
}

static void read_hierarchy_rule(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    const char *id = NULL;
    const Node **words;
    int by, n = 0;

    if (!compile_only(c, node, DOC_HIERARCHY))
        return;
    config_need_word(&id, node, "if", c->err);
    config_words(&words, &n, node, "zero", c->arena, c->err);
    if (config_get(node, "zero") == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"zero\" is missing");
    by = id == NULL ? -1 : find_term(terms, id, compile_where(node, "if"));
    for (int i = 0; i < n && by >= 0; i++) {
        int t = find_term(terms, words[i]->word, words[i]->where);
        Term *term = t < 0 ? NULL : &terms->drafts[t].term;

        if (t == by)
            err_add(c->err, ERR_CONFIG, words[i]->where, "a term cannot zero itself");
        else if (t >= 0)
            *COMPILE_ADD(c, term->zeroed_by, term->n_zeroed_by) = (uint32_t)by;
    }
}

static void read_hierarchy(Terms *terms, const Node *node)
{
    const Node *list = config_get(node, "hierarchy");

    if (list == NULL)
        return;
    if (list->kind != NODE_LIST) {
        err_add(terms->c->err, ERR_CONFIG, list->where, "\"hierarchy\" must be a list");
        return;
    }
    for (int i = 0; i < list->n; i++)
        read_hierarchy_rule(terms, list->items[i]);
}

/* ---- exact points ------------------------------------------------------ */

static int most_decimals(const Terms *terms)
{
    int most = 0;

    for (int t = 0; t < terms->n; t++) {
        const Draft *draft = &terms->drafts[t];

        most = draft->weight.decimals > most ? draft->weight.decimals : most;
        most = draft->cap.decimals > most ? draft->cap.decimals : most;
        for (int s = 0; s < draft->term.n_steps; s++)
            most = draft->steps[s].decimals > most ? draft->steps[s].decimals : most;
    }
    for (int g = 0; g < terms->n_groups; g++)
        most =
            terms->group_caps[g].decimals > most ? terms->group_caps[g].decimals : most;
    return most;
}

/* In units of 10^-most; reports what does not fit into 64 bits. */
static int64_t scaled(Terms *terms, Decimal decimal, int most, Where where)
{
    int64_t points = decimal.mantissa;

    for (int i = decimal.decimals; i < most; i++) {
        if (!__builtin_mul_overflow(points, INT64_C(10), &points))
            continue;
        err_add(terms->c->err, ERR_CONFIG, where, "this weight is too large");
        return 0;
    }
    return points;
}

static void set_points(Terms *terms)
{
    Model *model = terms->model;
    int most = most_decimals(terms);

    for (int i = 0; i < most; i++)
        model->scale *= 10;
    for (int t = 0; t < terms->n; t++) {
        Draft *draft = &terms->drafts[t];
        Term *term = &draft->term;

        term->points = scaled(terms, draft->weight, most, term->where);
        term->cap = scaled(terms, draft->cap, most, term->where);
        for (int s = 0; s < term->n_steps; s++)
            term->step_points[s] = scaled(terms, draft->steps[s], most, term->where);
    }
    model->n_groups = terms->n_groups;
    model->group_cap =
        arena_alloc(terms->c->arena, (size_t)terms->n_groups + 1, sizeof(int64_t));
    for (int g = 0; g < terms->n_groups; g++)
        model->group_cap[g + 1] = scaled(terms, terms->group_caps[g], most, model->where);
}

/* ---- the whole --------------------------------------------------------- */

/* Twice the same term is a slip more often than not, and reasons need the names. */
static void check_ids(Terms *terms)
{
    for (int t = 1; t < terms->n; t++) {
        const Term *term = &terms->drafts[t].term;

        for (int u = 0; u < t; u++) {
            if (strcmp(terms->drafts[u].term.id, term->id) != 0)
                continue;
            err_add(terms->c->err, ERR_CONFIG, term->where,
                    "the term \"%s\" is here twice, first on line %llu", term->id,
                    (unsigned long long)terms->drafts[u].term.where.line);
            err_hint(terms->c->err, "if both are meant, give one an \"id\" of its own");
            return;
        }
    }
}

void compile_terms(Compiler *c, Model *model, const Node *node)
{
    bool is_index = strcmp(model->kind->name, "index") == 0;
    bool is_points = strcmp(model->kind->name, "points") == 0;
    Terms terms = {.c = c, .model = model, .is_exact = is_index || is_points};
    const Node *list = config_get(node, is_index ? "items" : "terms");

    if (list != NULL && list->kind != NODE_LIST)
        err_add(c->err, ERR_CONFIG, list->where, "\"%s\" must be a list",
                is_index ? "items" : "terms");
    else if (list != NULL)
        read_items(&terms, list);
    if (is_points)
        read_hierarchy(&terms, node);
    check_ids(&terms);
    if (terms.is_exact)
        set_points(&terms);
    model->terms = arena_alloc(c->arena, (size_t)terms.n, sizeof *model->terms);
    model->n_terms = terms.n;
    for (int t = 0; t < terms.n; t++)
        model->terms[t] = terms.drafts[t].term;
}
