/*
 * compile_coefficients.c - a table of coefficients as R, statsmodels and scikit-learn
 * users have it: one row a term, with the names that these give to terms.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

typedef struct Coefficients {
    Terms *terms;
    Table table;
    int term, estimate, label; /* columns */
    const Node **factors;      /* numbers that R took as levels */
    int n_factors;
    const Node *references; /* the level of each factor that has no term; or NULL */
    const char **known;     /* by reference: the levels that there are, for "in (...)" */
} Coefficients;

static bool is_factor(const Coefficients *coefficients, const RuleName *name)
{
    for (int i = 0; i < coefficients->n_factors; i++) {
        if (strcmp(coefficients->factors[i]->word, name->name) == 0)
            return true;
    }
    return name->type == RULE_WORD || name->type == RULE_YESNO;
}

/* The level behind the name of a factor: sexM, sex[T.M], C(sex)[T.M]; or NULL. */
static const char *level_of(Compiler *c, const RuleName *name, const char *part)
{
    size_t len = strlen(name->name);
    bool is_wrapped = strncmp(part, "C(", 2) == 0;
    const char *rest = part + (is_wrapped ? 2 : 0);

    if (strncmp(rest, name->name, len) != 0)
        return NULL;
    rest += len;
    if (is_wrapped && *rest++ != ')')
        return NULL;
    if (strncmp(rest, "[T.", 3) == 0 && rest[strlen(rest) - 1] == ']')
        return arena_text(c->arena, rest + 3, strlen(rest) - 4);
    return *rest != '\0' && !is_wrapped ? rest : NULL;
}

/* A word that is none of an attribute's declared ones would never be met. */
static bool check_level(Compiler *c, const RuleName *name, const char *level, Where where)
{
    const Slot *slot = &c->plan->slots[name->slot];
    const Attribute *attribute;
    double number;

    if (name->type != RULE_WORD)
        return text_double(&number, level, strlen(level));
    if (slot->kind != SLOT_ATTRIBUTE)
        return true; /* a band: the expression is checked */
    attribute = &c->plan->people->attributes[slot->index];
    for (int i = 0; i < attribute->n_values; i++) {
        if (strcmp(attribute->value_to[i], level) == 0)
            return true;
    }
    if (attribute->n_values == 0)
        return true;
    err_add(c->err, ERR_CONFIG, where, "attribute \"%s\" is never \"%s\"", name->name,
            level);
    compile_hint(c, level, attribute->value_to, (size_t)attribute->n_values);
    return true;
}

static bool is_yes_level(const char *level)
{
    return strcmp(level, "TRUE") == 0 || strcmp(level, "True") == 0;
}

/* The factor of a part and its level; NULL where the part is not one. The longest name
 * wins: of imd and imd_decile, imd_decile10 is a level of the second. */
static const RuleName *find_factor(const char **level, const Coefficients *coefficients,
                                   const char *part)
{
    Compiler *c = coefficients->terms->c;
    const RuleName *found = NULL;

    for (int i = 0; i < c->n_names; i++) {
        const RuleName *name = &c->names[i];
        const char *rest = is_factor(coefficients, name) ? level_of(c, name, part) : NULL;

        if (rest == NULL || (found != NULL && strlen(found->name) >= strlen(name->name)))
            continue;
        found = name;
        *level = rest;
    }
    return found;
}

/* A level as expressions write it. */
static const char *literal(Compiler *c, const RuleName *name, const char *level)
{
    const char *quote = name->type == RULE_WORD ? "\"" : "";

    return arena_format(c->arena, "%s%s%s", quote, level, quote);
}

static int reference_of(const Coefficients *coefficients, const RuleName *name)
{
    for (int i = 0; coefficients->references != NULL && i < coefficients->references->n;
         i++)
        if (strcmp(coefficients->references->keys[i], name->name) == 0)
            return i;
    return -1;
}

/* The expression of a factor at a level; NULL where the part is not one. With a reference
 * a level that has no term and is not the reference is out of range: missing. */
static const char *factor_text(Coefficients *coefficients, const char *part, Where where)
{
    Compiler *c = coefficients->terms->c;
    const char *level = NULL, *is_level, *known = "";
    const RuleName *found = find_factor(&level, coefficients, part);
    int reference;

    if (found == NULL)
        return NULL;
    if (found->type == RULE_YESNO && is_yes_level(level))
        return found->name;
    if (!check_level(c, found, level, where))
        return NULL;
    reference = reference_of(coefficients, found);
    is_level = arena_format(c->arena, "%s == %s", found->name, literal(c, found, level));
    if (reference >= 0)
        known = arena_format(c->arena, " or not %s in (%s)", found->name,
                             coefficients->known[reference]);
    return arena_format(c->arena, "if(%s is missing%s, missing, %s)", found->name, known,
                        is_level);
}

/* ---- the levels that there are ----------------------------------------- */

/* Adds the levels that a term names to those of their factors. */
static void know_levels(Coefficients *coefficients, const char *term)
{
    Compiler *c = coefficients->terms->c;
    const char *colon = strchr(term, ':'), *level = NULL;
    size_t len = colon == NULL ? strlen(term) : (size_t)(colon - term);
    const RuleName *name =
        find_factor(&level, coefficients, arena_text(c->arena, term, len));
    int reference = name == NULL ? -1 : reference_of(coefficients, name);

    if (reference >= 0)
        coefficients->known[reference] = arena_format(
            c->arena, "%s, %s", coefficients->known[reference], literal(c, name, level));
    if (colon != NULL)
        know_levels(coefficients, colon + 1);
}

/* Only words and the numbers of `factors` have levels that a table may leave out. */
static void take_references(Coefficients *coefficients, const Node *node)
{
    Compiler *c = coefficients->terms->c;
    const Node *references = config_get(node, "references");

    if (references == NULL)
        return;
    if (references->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, references->where,
                "\"references\" need a level for each factor");
        err_hint(c->err, "write references: {smoking: never}");
        return;
    }
    coefficients->known =
        arena_alloc(c->arena, (size_t)references->n, sizeof *coefficients->known);
    for (int i = 0; i < references->n; i++) {
        const Node *level = references->items[i];
        const RuleName *name =
            compile_need_name(c, references->keys[i], references->key_where[i]);

        if (name == NULL)
            return;
        if (!is_factor(coefficients, name) || name->type == RULE_YESNO) {
            err_add(c->err, ERR_CONFIG, references->key_where[i], "\"%s\" has no levels",
                    name->name);
            err_hint(c->err, "add it to \"factors\"");
            return;
        }
        if (level->kind != NODE_WORD) {
            err_add(c->err, ERR_CONFIG, level->where, "a reference is one level");
            return;
        }
        check_level(c, name, level->word, level->where);
        coefficients->known[i] = literal(c, name, level->word);
    }
    coefficients->references = references;
}

/* What R calls a function, and what it is here. */
static const struct {
    const char *from, *to;
} WORDS[] = {
    {"I(", "("},
    {"pmin(", "min("},
    {"pmax(", "max("},
    {"log(", "ln("},
    {"log1p(", "ln(1 + "},
    {"np.log(", "ln("},
    {"np.log1p(", "ln(1 + "},
    {"np.exp(", "exp("},
    {"np.sqrt(", "sqrt("},
    {"**", "^"},
    {"`", ""},
};
enum { N_WORDS = sizeof WORDS / sizeof *WORDS };

/* An expression of R in the words of this language. */
static const char *translate(Compiler *c, const char *text)
{
    const char *out = "";

    while (*text != '\0') {
        size_t len = 0;
        const char *to = NULL;

        for (int i = 0; i < N_WORDS && to == NULL; i++) {
            len = strlen(WORDS[i].from);
            if (strncmp(text, WORDS[i].from, len) == 0)
                to = WORDS[i].to;
        }
        if (to == NULL) { /* a whole name, so that no word is found inside it */
            to = text;
            for (len = 0; isalnum((unsigned char)text[len]) || text[len] == '_' ||
                          text[len] == '.';)
                len++;
            if (len == 0)
                len = 1;
            to = arena_text(c->arena, text, len);
        }
        out = arena_format(c->arena, "%s%s", out, to);
        text += len;
    }
    return out;
}

/* One factor of an interaction. */
static const char *part_text(Coefficients *coefficients, const char *part, Where where)
{
    Compiler *c = coefficients->terms->c;
    const char *text;

    if (compile_find_name(c, part, strlen(part)) != NULL)
        return part;
    text = factor_text(coefficients, part, where);
    return text != NULL ? text : translate(c, part);
}

/* a:b is a product; a colon within brackets is not met in R's names. */
static const char *term_text(Coefficients *coefficients, const char *term, Where where)
{
    Compiler *c = coefficients->terms->c;
    const char *colon = strchr(term, ':'), *left;

    if (colon == NULL)
        return part_text(coefficients, term, where);
    left = part_text(coefficients, arena_text(c->arena, term, (size_t)(colon - term)),
                     where);
    return arena_format(c->arena, "(%s) * (%s)", left,
                        term_text(coefficients, colon + 1, where));
}

static bool is_intercept(const char *term)
{
    return strcmp(term, "(Intercept)") == 0 || strcmp(term, "Intercept") == 0 ||
           strcmp(term, "const") == 0;
}

static void take_intercept(Coefficients *coefficients, int row)
{
    Model *model = coefficients->terms->model;
    Compiler *c = coefficients->terms->c;
    const char *text = table_field(&coefficients->table, row, coefficients->estimate);
    Where where = table_where(&coefficients->table, row, coefficients->estimate);

    if (isfinite(model->intercept) && model->link != LINK_COX)
        err_add(c->err, ERR_CONFIG, where, "the model has a second intercept");
    if (!text_double(&model->intercept, text, strlen(text)))
        err_add(c->err, ERR_CONFIG, where, "\"%s\" is not a number", text);
}

static void take_term(Coefficients *coefficients, int row)
{
    Terms *terms = coefficients->terms;
    Compiler *c = terms->c;
    const Table *table = &coefficients->table;
    const char *id = table_field(table, row, coefficients->term);
    const char *label = table_field(table, row, coefficients->label);
    Where where = table_where(table, row, coefficients->term), at = where;
    const RuleName *name;
    const char *text;
    Draft *draft;

    if (is_intercept(id)) {
        take_intercept(coefficients, row);
        return;
    }
    name = compile_find_name(c, id, strlen(id));
    if (name != NULL && label[0] == '\0')
        label = c->plan->slots[name->slot].label;
    draft = terms_add(terms, where, id, label[0] != '\0' ? label : id);
    terms_weight(terms, draft, table_field(table, row, coefficients->estimate),
                 table_where(table, row, coefficients->estimate));
    if (name != NULL && name->type != RULE_WORD) {
        draft->term.slot = name->slot;
        return;
    }
    text = term_text(coefficients, id, where);
    if (strcmp(text, id) != 0)
        at.column = 0; /* columns of the translation would mislead */
    terms_rule(terms, draft, compile_rule_at(c, text, at, RULE_NUMBER));
}

static void need_factors(Coefficients *coefficients)
{
    Compiler *c = coefficients->terms->c;

    for (int i = 0; i < coefficients->n_factors; i++)
        compile_need_name(c, coefficients->factors[i]->word,
                          coefficients->factors[i]->where);
}

void terms_coefficients(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    Coefficients coefficients = {.terms = terms};
    const char *term = "term", *estimate = "estimate", *label = NULL;

    if (terms->is_exact) {
        err_add(c->err, ERR_CONFIG, node->where,
                "\"coefficients\" is only for models of kind regression");
        return;
    }
    if (terms->model->missing == MISSING_IMPUTE) {
        err_add(c->err, ERR_CONFIG, node->where,
                "\"coefficients\" say nothing to impute");
        err_hint(c->err, "coalesce() in derived features, or write the terms out");
    }
    config_word(&term, node, "term", c->err);
    config_word(&estimate, node, "estimate", c->err);
    config_word(&label, node, "label", c->err);
    config_words(&coefficients.factors, &coefficients.n_factors, node, "factors",
                 c->arena, c->err);
    need_factors(&coefficients);
    if (!compile_table(c, &coefficients.table, config_get(node, "coefficients")))
        return;
    coefficients.term = table_column(&coefficients.table, term, c->err);
    coefficients.estimate = table_column(&coefficients.table, estimate, c->err);
    coefficients.label = label == NULL ? TABLE_NO_COLUMN
                                       : table_column(&coefficients.table, label, c->err);
    if (coefficients.term == TABLE_NO_COLUMN || coefficients.estimate == TABLE_NO_COLUMN)
        return;
    take_references(&coefficients, node);
    for (int r = 0; r < coefficients.table.n_rows; r++)
        know_levels(&coefficients,
                    table_field(&coefficients.table, r, coefficients.term));
    for (int r = 0; r < coefficients.table.n_rows; r++)
        take_term(&coefficients, r);
}
