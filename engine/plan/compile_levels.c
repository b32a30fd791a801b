/*
 * compile_levels.c - terms that stand for many: levels of a word or number, tables by
 * code, and coefficients under the names that R and statsmodels give them.
 *
 * Each becomes ordinary terms with an expression. A missing value stays missing in
 * exactly one of them, so that the model's own policy decides what becomes of it.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

/* ---- levels ------------------------------------------------------------ */

/* One level: its word as written and its weight. */
typedef struct Level {
    const char *word, *weight, *label;
    Where where, weight_where;
} Level;

typedef struct Levels {
    Terms *terms;
    const RuleName *name;
    Level *level;
    int n;
    const char *otherwise; /* weight of every other value, and of none; or NULL */
    Where where, otherwise_where;
    const char *label;
} Levels;

/* The level as expressions write it. */
static const char *literal(const Levels *levels, const char *word)
{
    const char *quote = strchr(word, '"') == NULL ? "\"" : "'";

    if (levels->name->type != RULE_WORD)
        return word;
    return arena_format(levels->terms->c->arena, "%s%s%s", quote, word, quote);
}

static const char *all_literals(const Levels *levels)
{
    const char *text = "";

    for (int i = 0; i < levels->n; i++)
        text = arena_format(levels->terms->c->arena, "%s%s%s", text, i > 0 ? ", " : "",
                            literal(levels, levels->level[i].word));
    return text;
}

static Draft *add_rule(const Levels *levels, const char *id, const char *label,
                       const char *text, Where where)
{
    Terms *terms = levels->terms;
    Draft *draft = terms_add(terms, where, id, label);

    terms_rule(terms, draft, compile_rule_at(terms->c, text, where, RULE_NUMBER));
    draft->term.impute = 0; /* no level: only a default has a weight then */
    return draft;
}

static void add_level(const Levels *levels, int i)
{
    Compiler *c = levels->terms->c;
    const Level *level = &levels->level[i];
    const char *name = levels->name->name, *word = literal(levels, level->word);
    const char *text = arena_format(c->arena, "%s == %s", name, word);
    const char *id = arena_format(c->arena, "%s=%s", name, level->word);
    const char *label = level->label;
    Draft *draft;

    if (label == NULL)
        label = arena_format(c->arena, "%s: %s", levels->label, level->word);
    if (i == 0 && levels->otherwise == NULL)
        text = arena_format(c->arena, "if(%s in (%s), %s, missing)", name,
                            all_literals(levels), text);
    draft = add_rule(levels, id, label, text, level->where);
    terms_weight(levels->terms, draft, level->weight, level->weight_where);
}

static void add_otherwise(const Levels *levels)
{
    Compiler *c = levels->terms->c;
    const char *name = levels->name->name;
    const char *text =
        arena_format(c->arena, "not %s in (%s)", name, all_literals(levels));
    const char *id = arena_format(c->arena, "%s=other", name);
    const char *label = arena_format(c->arena, "%s: other", levels->label);
    Draft *draft = add_rule(levels, id, label, text, levels->where);

    terms_weight(levels->terms, draft, levels->otherwise, levels->otherwise_where);
}

static void check_levels(const Levels *levels)
{
    Compiler *c = levels->terms->c;

    for (int i = 0; i < levels->n; i++) {
        const Level *level = &levels->level[i];
        double number;

        if (levels->name->type != RULE_WORD &&
            !text_double(&number, level->word, strlen(level->word)))
            err_add(c->err, ERR_CONFIG, level->where,
                    "\"%s\" is a number and cannot be \"%s\"", levels->name->name,
                    level->word);
        for (int j = 0; j < i; j++) {
            if (strcmp(levels->level[j].word, level->word) == 0)
                err_add(c->err, ERR_CONFIG, level->where, "\"%s\" is here twice",
                        level->word);
        }
    }
}

static void add_levels(Levels *levels)
{
    Compiler *c = levels->terms->c;
    int before = c->err->n_reports;

    if (levels->n == 0) {
        err_add(c->err, ERR_CONFIG, levels->where, "there is no level");
        return;
    }
    check_levels(levels);
    for (int i = 0; i < levels->n && c->err->n_reports == before; i++)
        add_level(levels, i);
    if (levels->otherwise != NULL && c->err->n_reports == before)
        add_otherwise(levels);
}

/* Starts with the name behind a key, and the default. False after a report. */
static bool open_levels(Levels *levels, Terms *terms, const Node *node, const char *key)
{
    Compiler *c = terms->c;
    const char *word = NULL;

    levels->terms = terms;
    levels->where = node->where;
    if (config_need_word(&word, node, key, c->err) != 0 || word == NULL)
        return false;
    levels->name = compile_need_name(c, word, compile_where(node, key));
    if (levels->name == NULL)
        return false;
    levels->label = c->plan->slots[levels->name->slot].label;
    config_word(&levels->otherwise, node, "default", c->err);
    levels->otherwise_where = compile_where(node, "default");
    return true;
}

void terms_levels(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    const Node *weights = config_get(node, "weights");
    Levels levels = {0};

    if (!open_levels(&levels, terms, node, "levels"))
        return;
    config_word(&levels.label, node, "label", c->err);
    if (weights == NULL || weights->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, compile_where(node, "weights"),
                "levels need \"weights\", a map from level to weight");
        return;
    }
    for (int i = 0; i < weights->n; i++) {
        Level level = {weights->keys[i], "", NULL, weights->key_where[i],
                       weights->items[i]->where};

        config_word(&level.weight, weights, weights->keys[i], c->err);
        *COMPILE_ADD(c, levels.level, levels.n) = level;
    }
    add_levels(&levels);
}

void terms_table(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    const char *key = "", *weight = "", *label = NULL;
    Levels levels = {0};
    Table table = {0};
    int key_at, weight_at, label_at;

    config_need_word(&key, node, "key", c->err);
    config_need_word(&weight, node, "weight", c->err);
    config_word(&label, node, "label", c->err);
    if (!open_levels(&levels, terms, node, "by") ||
        !compile_table(c, &table, config_get(node, "table")))
        return;
    key_at = table_column(&table, key, c->err);
    weight_at = table_column(&table, weight, c->err);
    label_at = label == NULL ? TABLE_NO_COLUMN : table_column(&table, label, c->err);
    if (key_at == TABLE_NO_COLUMN || weight_at == TABLE_NO_COLUMN)
        return;
    for (int r = 0; r < table.n_rows; r++)
        *COMPILE_ADD(c, levels.level, levels.n) =
            (Level){table_field(&table, r, key_at), table_field(&table, r, weight_at),
                    label_at == TABLE_NO_COLUMN ? NULL : table_field(&table, r, label_at),
                    table_where(&table, r, key_at), table_where(&table, r, weight_at)};
    add_levels(&levels);
}

/* ---- coefficients ------------------------------------------------------ */

typedef struct Coefficients {
    Terms *terms;
    Table table;
    int term, estimate, label; /* columns */
    const Node **factors;      /* numbers that R took as levels */
    int n_factors;
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

/* The expression of a factor at a level; NULL where the part is not one. The longest
 * name wins: of imd and imd_decile, imd_decile10 is a level of the second. */
static const char *factor_text(Coefficients *coefficients, const char *part, Where where)
{
    Compiler *c = coefficients->terms->c;
    const RuleName *found = NULL;
    const char *level = NULL, *quote;

    for (int i = 0; i < c->n_names; i++) {
        const RuleName *name = &c->names[i];
        const char *rest = is_factor(coefficients, name) ? level_of(c, name, part) : NULL;

        if (rest == NULL || (found != NULL && strlen(found->name) >= strlen(name->name)))
            continue;
        found = name;
        level = rest;
    }
    if (found == NULL)
        return NULL;
    if (found->type == RULE_YESNO && is_yes_level(level))
        return found->name;
    if (!check_level(c, found, level, where))
        return NULL;
    quote = found->type == RULE_WORD ? "\"" : "";
    return arena_format(c->arena, "if(%s is missing, missing, %s == %s%s%s)", found->name,
                        found->name, quote, level, quote);
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
    for (int r = 0; r < coefficients.table.n_rows; r++)
        take_term(&coefficients, r);
}
