/*
 * compile_names.c - the row: which slot everything has, and by which name expressions
 * find it. Then the derived features, whose types follow from one another.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"
#include "engine/rule/rule_code.h"

/* ---- names ------------------------------------------------------------- */

static bool is_taken(const char *name)
{
    static const char *const WORDS[] = {"and", "or",   "not",   "in",
                                        "is",  "true", "false", "missing"};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (strcmp(name, WORDS[i]) == 0)
            return true;
    }
    return false;
}

static void add_name(Compiler *c, const RuleName *name, Where where)
{
    int n = c->n_names;

    if (is_taken(name->name)) {
        err_add(c->err, ERR_CONFIG, where,
                "\"%s\" is a word of expressions and cannot be a name", name->name);
        return;
    }
    for (int i = 0; i < c->n_names; i++) {
        if (strcmp(c->names[i].name, name->name) != 0)
            continue;
        err_add(c->err, ERR_CONFIG, where, "the name \"%s\" is taken", name->name);
        if (c->name_where[i].name != NULL)
            err_hint(c->err, "it is first used in %s, line %llu", c->name_where[i].name,
                     (unsigned long long)c->name_where[i].line);
        return;
    }
    *COMPILE_ADD(c, c->name_where, n) = where;
    *COMPILE_ADD(c, c->names, c->n_names) = *name;
}

const RuleName *compile_find_name(const Compiler *c, const char *name, size_t len)
{
    for (int i = 0; i < c->n_names; i++) {
        if (strncmp(c->names[i].name, name, len) == 0 && c->names[i].name[len] == '\0')
            return &c->names[i];
    }
    return NULL;
}

const RuleName *compile_need_name(Compiler *c, const char *name, Where where)
{
    const RuleName *found = compile_find_name(c, name, strlen(name));
    const char **known;

    if (found != NULL)
        return found;
    known = arena_alloc(c->arena, (size_t)c->n_names, sizeof *known);
    for (int i = 0; i < c->n_names; i++)
        known[i] = c->names[i].name;
    err_add(c->err, ERR_CONFIG, where, "unknown name \"%s\"", name);
    compile_hint(c, name, known, (size_t)c->n_names);
    return NULL;
}

const int *compile_family(Compiler *c, int *n, const char *family, Where where)
{
    const Plan *plan = c->plan;
    const char **known = NULL;
    int *found = NULL;
    int n_known = 0;

    *n = 0;
    for (int f = 0; f < plan->n_features; f++) {
        const char *other = plan->features[f].family;

        if (other == NULL)
            continue;
        *COMPILE_ADD(c, known, n_known) = other;
        if (strcmp(other, family) == 0)
            *COMPILE_ADD(c, found, *n) = f;
    }
    if (*n > 0)
        return found;
    err_add(c->err, ERR_CONFIG, where, "there is no family \"%s\"", family);
    compile_hint(c, family, known, (size_t)n_known);
    return NULL;
}

/* ---- slots ------------------------------------------------------------- */

/* Adds a slot, and its name to the scope; its number is the place in the row. */
static uint32_t add_slot(Compiler *c, const Slot *slot, const char *family, Where where)
{
    Plan *plan = c->plan;
    uint32_t number = plan->n_slots;
    int n = (int)number;
    RuleName name = {slot->name, slot->type, number, slot->words, NULL, family};

    *COMPILE_ADD(c, plan->slots, n) = *slot;
    plan->n_slots = (uint32_t)n;
    add_name(c, &name, where);
    return number;
}

/* "imd_decile" as "Imd decile", for want of better words. */
static const char *words_of_id(Compiler *c, const char *id)
{
    char *text = arena_text(c->arena, id, strlen(id));

    text[0] = (char)toupper((unsigned char)text[0]);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '_')
            *at = ' ';
    }
    return text;
}

static void add_people(Compiler *c)
{
    Plan *plan = c->plan;
    Slot age = {.name = "age", .label = "Age", .kind = SLOT_AGE};

    plan->age_slot = add_slot(c, &age, NULL, (Where){0});
    for (int a = 0; a < plan->people->n_attributes; a++) {
        const Attribute *attribute = &plan->people->attributes[a];
        Slot slot = {.name = attribute->id,
                     .label = words_of_id(c, attribute->id),
                     .kind = SLOT_ATTRIBUTE,
                     .index = a,
                     .type = attribute->type,
                     .words = attribute->type == RULE_WORD ? attribute->words : NULL};

        add_slot(c, &slot, NULL, attribute->where);
    }
}

static void add_features(Compiler *c)
{
    Plan *plan = c->plan;

    for (int f = 0; f < plan->n_features; f++) {
        Feature *feature = &plan->features[f];
        bool is_yesno = feature->count == COUNT_EXISTS || feature->count == COUNT_REPEAT;
        Slot slot = {.name = feature->id,
                     .label = feature->label,
                     .kind = SLOT_FEATURE,
                     .index = f,
                     .type = is_yesno ? RULE_YESNO : RULE_NUMBER};

        feature->slot = add_slot(c, &slot, feature->family, feature->where);
    }
}

/* Their types are found out when they are compiled. */
static void add_derived(Compiler *c)
{
    Plan *plan = c->plan;

    for (int d = 0; d < plan->n_derived; d++) {
        Derived *derived = &plan->derived[d];
        Slot slot = {.name = derived->id,
                     .label = derived->label,
                     .kind = SLOT_DERIVED,
                     .index = d};

        derived->slot = add_slot(c, &slot, NULL, derived->where);
    }
}

static Words *band_words(Compiler *c, const Model *model)
{
    Words *words = arena_alloc(c->arena, 1, sizeof *words);

    words->is_ordered = true;
    words->word = arena_alloc(c->arena, (size_t)model->n_bands, sizeof *words->word);
    words->n = words->room = model->n_bands;
    for (int b = 0; b < model->n_bands; b++)
        words->word[b] = model->bands[b].id;
    return words;
}

/* A model without bands has the slot for one, but no name for it. */
static void add_models(Compiler *c)
{
    Plan *plan = c->plan;

    for (int m = 0; m < plan->n_models; m++) {
        Model *model = &plan->models[m];
        int n_names;
        Slot score = {.name = arena_format(c->arena, "%s.score", model->id),
                      .label = model->title,
                      .kind = SLOT_SCORE,
                      .index = m};
        Slot band = {.name = arena_format(c->arena, "%s.band", model->id),
                     .label = model->title,
                     .kind = SLOT_BAND,
                     .index = m,
                     .type = RULE_WORD,
                     .words = band_words(c, model)};

        model->score_slot = add_slot(c, &score, NULL, model->where);
        n_names = c->n_names;
        model->band_slot = add_slot(c, &band, NULL, model->where);
        if (model->n_bands == 0)
            c->n_names = n_names;
    }
}

void compile_names(Compiler *c)
{
    add_people(c);
    add_features(c);
    add_derived(c);
    add_models(c);
}

/* ---- derived features -------------------------------------------------- */

typedef enum Progress { NOT_YET, UNDER_WAY, DONE } Progress;

static void compile_one(Compiler *c, int number, Progress *progress);

/* The type of a derived feature is known once those it names are compiled. Circles are
 * left to compile_order(), which can say how they close. */
static void compile_named(Compiler *c, const char *text, Progress *progress)
{
    Err ignored = {0};
    Lexer lexer = {text, 0, (Where){0}, &ignored};

    for (;;) {
        Token token = rule_next(&lexer);
        const RuleName *name;
        const Slot *slot;

        if (token.kind == TOKEN_END || token.kind == TOKEN_BAD)
            return;
        name =
            token.kind == TOKEN_NAME ? compile_find_name(c, token.text, token.len) : NULL;
        if (name == NULL)
            continue;
        slot = &c->plan->slots[name->slot];
        if (slot->kind == SLOT_DERIVED && progress[slot->index] == NOT_YET)
            compile_one(c, slot->index, progress);
    }
}

static void set_type(Compiler *c, uint32_t slot, RuleType type)
{
    c->plan->slots[slot].type = type;
    for (int i = 0; i < c->n_names; i++) {
        if (c->names[i].slot == slot)
            c->names[i].type = type;
    }
}

static void compile_one(Compiler *c, int number, Progress *progress)
{
    Derived *derived = &c->plan->derived[number];
    const Node *value = config_get(c->derived[number], "value");

    progress[number] = UNDER_WAY;
    if (value == NULL) {
        err_add(c->err, ERR_CONFIG, derived->where, "\"value\" is missing");
    } else {
        if (value->kind == NODE_WORD)
            compile_named(c, value->word, progress);
        derived->rule = compile_rule(c, value, RULE_NUMBER);
    }
    if (derived->rule != NULL)
        set_type(c, derived->slot, rule_type(derived->rule));
    progress[number] = DONE;
}

void compile_derived(Compiler *c)
{
    int n = c->plan->n_derived;
    Progress *progress = arena_alloc(c->arena, (size_t)n, sizeof *progress);

    for (int d = 0; d < n; d++) {
        if (progress[d] == NOT_YET)
            compile_one(c, d, progress);
    }
}
