/*
 * compile_levels.c - terms that stand for many: levels of a word or number, tables by
 * code.
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
