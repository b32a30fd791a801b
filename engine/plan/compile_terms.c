/*
 * compile_terms.c - the summands of a model, in the forms they can be written in.
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

bool terms_weight(Terms *terms, Draft *draft, const char *text, Where where)
{
    Compiler *c = terms->c;

    if (terms->is_exact) {
        if (!terms_decimal(c, &draft->weight, text, where))
            return false;
        draft->term.weight = terms_decimal_value(draft->weight);
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

void terms_cap(Terms *terms, Draft *draft, const Node *node)
{
    const char *text = NULL;

    if (refuse(terms, node, "cap", "points"))
        return;
    config_word(&text, node, "cap", terms->c->err);
    if (text == NULL ||
        !terms_decimal(terms->c, &draft->cap, text, compile_where(node, "cap")))
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
    if (terms->is_exact && terms_decimal(c, &draft->steps[s], text, where))
        term->step_weight[s] = terms_decimal_value(draft->steps[s]);
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
    terms_cap(terms, draft, node);
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
        terms_decimal(c, &cap, text, compile_where(node, "group_cap"));
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
    {"family", DOC_TERM_FAMILY, terms_family},
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
    int before = c->err->n_reports;

    if (list != NULL && list->kind != NODE_LIST)
        err_add(c->err, ERR_CONFIG, list->where, "\"%s\" must be a list",
                is_index ? "items" : "terms");
    else if (list != NULL)
        read_items(&terms, list);
    if (is_points && c->err->n_reports == before)
        terms_hierarchy(&terms, node);
    check_ids(&terms);
    if (terms.is_exact)
        terms_points(&terms);
    model->terms = arena_alloc(c->arena, (size_t)terms.n, sizeof *model->terms);
    model->n_terms = terms.n;
    for (int t = 0; t < terms.n; t++)
        model->terms[t] = terms.drafts[t].term;
}
