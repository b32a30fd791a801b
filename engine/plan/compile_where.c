/*
 * compile_where.c - which rows a feature counts: codes, and conditions on the value and
 * the attributes of a row. Features of a source share equal conditions.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

/* ---- codes ------------------------------------------------------------- */

/* A list whose codes are all of other systems than the source would never match. */
static void check_systems(Compiler *c, const Source *source, const CodeList *list,
                          Where where)
{
    if (source->system == SYSTEM_NONE || list->n_entries == 0)
        return;
    for (int e = 0; e < list->n_entries; e++) {
        if (code_system(list->entries[e].code) == source->system)
            return;
    }
    err_add(c->err, ERR_CONFIG, where,
            "list \"%s\" has %s codes, but the rows of \"%s\" have %s codes", list->id,
            system_word(code_system(list->entries[0].code)), source->name,
            system_word(source->system));
}

static void report_category(Compiler *c, const CodeList *list, const char *word,
                            Where where)
{
    const char **known = arena_alloc(c->arena, (size_t)list->n_categories, sizeof *known);

    for (int k = 0; k < list->n_categories; k++)
        known[k] = list->categories[k].name;
    err_add(c->err, ERR_CONFIG, where, "list \"%s\" has no category \"%s\"", list->id,
            word);
    compile_hint(c, word, known, (size_t)list->n_categories);
}

static void read_pick(Compiler *c, FeatureNote *note, const Node *word)
{
    const char *slash = strchr(word->word, '/');
    const char *id = slash == NULL
                         ? word->word
                         : arena_text(c->arena, word->word, (size_t)(slash - word->word));
    Pick pick = {compile_list_find(c, id, word->where), -1};
    const CodeList *list;

    if (pick.list < 0)
        return;
    list = &c->plan->lists[pick.list];
    if (slash != NULL && list->n_categories > 0) {
        pick.category = list_category(list, slash + 1);
        if (pick.category < 0) {
            report_category(c, list, slash + 1, word->where);
            return;
        }
    }
    *COMPILE_ADD(c, note->picks, note->n_picks) = pick;
}

void compile_codes(Compiler *c, Feature *feature, FeatureNote *note, const Node **words,
                   int n)
{
    const Source *source =
        feature->source < 0 ? NULL : plan_events(c->plan, feature->source);

    feature->has_codes = true;
    if (n > 0 && source != NULL && source_column(source, FIELD_CODE) == NULL) {
        err_add(c->err, ERR_CONFIG, words[0]->where, "source \"%s\" has no codes",
                source->name);
        err_hint(c->err, "add a column \"code\" to it");
    }
    for (int i = 0; i < n; i++) {
        int before = note->n_picks;

        read_pick(c, note, words[i]);
        if (note->n_picks > before && source != NULL)
            check_systems(c, source, &c->plan->lists[note->picks[before].list],
                          words[i]->where);
    }
}

/* ---- conditions -------------------------------------------------------- */

static bool condition_equal(const Condition *a, const Condition *b)
{
    if (a->attribute != b->attribute || a->n_words != b->n_words ||
        a->above != b->above || a->below != b->below || a->least != b->least ||
        a->most != b->most)
        return false;
    for (int i = 0; i < a->n_words; i++) {
        if (strcmp(a->words[i], b->words[i]) != 0)
            return false;
    }
    return true;
}

static void add_condition(Compiler *c, Feature *feature, const Condition *condition,
                          Where where)
{
    /* The plan is ours until it is handed out. */
    Source *source = (Source *)plan_events(c->plan, feature->source);

    for (int i = 0; i < source->n_conditions; i++) {
        if (condition_equal(&source->conditions[i], condition)) {
            feature->conditions |= UINT32_C(1) << i;
            return;
        }
    }
    if (source->n_conditions == MOST_CONDITIONS) {
        err_add(c->err, ERR_CONFIG, where,
                "more than %d different conditions on source \"%s\"", MOST_CONDITIONS,
                source->name);
        return;
    }
    feature->conditions |= UINT32_C(1) << source->n_conditions;
    *COMPILE_ADD(c, source->conditions, source->n_conditions) = *condition;
}

/* {gt: 0, le: 60} */
static bool read_range(Compiler *c, Condition *condition, const Node *map)
{
    int before = c->err->n_reports;

    compile_only(c, map, DOC_RANGE);
    config_number(&condition->above, map, "gt", c->err);
    config_number(&condition->below, map, "lt", c->err);
    config_number(&condition->least, map, "ge", c->err);
    config_number(&condition->most, map, "le", c->err);
    if (c->err->n_reports > before)
        return false;
    if (map->n == 0) {
        err_add(c->err, ERR_CONFIG, map->where, "the range has no bound");
        return false;
    }
    if (fmax(condition->above, condition->least) >
            fmin(condition->below, condition->most) ||
        (fmax(condition->above, condition->least) ==
             fmin(condition->below, condition->most) &&
         (condition->above >= condition->least || condition->below <= condition->most))) {
        err_add(c->err, ERR_CONFIG, map->where, "no number is within this range");
        return false;
    }
    return true;
}

/* Every word of the list must be one that the attribute can be. */
static bool read_plain(Compiler *c, Condition *condition, RuleType type, const Node *map,
                       int key)
{
    const Node **words;
    int n = 0;

    config_words(&words, &n, map, map->keys[key], c->arena, c->err);
    condition->words = arena_alloc(c->arena, (size_t)n, sizeof *condition->words);
    condition->n_words = n;
    for (int i = 0; i < n; i++) {
        const char *word = condition->words[i] = words[i]->word;
        double number;
        bool is_right = type == RULE_NUMBER
                            ? text_double(&number, word, strlen(word))
                            : strcmp(word, "true") == 0 || strcmp(word, "false") == 0;

        if (is_right)
            continue;
        err_add(c->err, ERR_CONFIG, words[i]->where, "\"%s\" is not %s", word,
                type == RULE_NUMBER ? "a number" : "true or false");
        return false;
    }
    return n > 0;
}

/* Words the loader compares with; those without a star also become words of the
 * attribute. */
static bool read_words(Compiler *c, Condition *condition, Attribute *attribute,
                       const Node *map, int key)
{
    const Node **words;
    int n = 0;

    if (config_words(&words, &n, map, map->keys[key], c->arena, c->err) != 0 || n == 0)
        return false;
    condition->words = arena_alloc(c->arena, (size_t)n, sizeof *condition->words);
    condition->n_words = n;
    for (int i = 0; i < n; i++) {
        const char *word = words[i]->word;

        condition->words[i] = word;
        if (strchr(word, '*') == NULL)
            words_index(attribute->words, word, c->arena);
        else if (strchr(word, '*') != word + strlen(word) - 1)
            err_add(c->err, ERR_CONFIG, words[i]->where,
                    "\"%s\": a star can only be the last character", word);
    }
    return true;
}

static int find_attribute(Compiler *c, const Source *source, const Node *where, int key)
{
    const char **known =
        arena_alloc(c->arena, (size_t)source->n_attributes + 2, sizeof *known);
    int n = 0;

    for (int a = 0; a < source->n_attributes; a++) {
        known[n++] = source->attributes[a].id;
        if (strcmp(source->attributes[a].id, where->keys[key]) == 0)
            return a;
    }
    known[n++] = "codes";
    known[n++] = "value";
    err_add(c->err, ERR_CONFIG, where->key_where[key],
            "source \"%s\" has no attribute \"%s\"", source->name, where->keys[key]);
    compile_hint(c, where->keys[key], known, (size_t)n);
    return -1;
}

static void read_condition(Compiler *c, Feature *feature, const Node *where, int key)
{
    const Source *source = plan_events(c->plan, feature->source);
    const Node *node = where->items[key];
    Condition condition = {.above = -INFINITY,
                           .below = INFINITY,
                           .least = -INFINITY,
                           .most = INFINITY,
                           .attribute = -1};
    RuleType type = RULE_NUMBER;
    bool is_read;

    if (strcmp(where->keys[key], "value") != 0) {
        condition.attribute = find_attribute(c, source, where, key);
        if (condition.attribute < 0)
            return;
        type = source->attributes[condition.attribute].type;
    } else if (source_column(source, FIELD_VALUE) == NULL) {
        err_add(c->err, ERR_CONFIG, where->key_where[key],
                "source \"%s\" has no column \"value\"", source->name);
        return;
    }
    if (node->kind == NODE_MAP && type == RULE_NUMBER)
        is_read = read_range(c, &condition, node);
    else if (type != RULE_WORD)
        is_read = read_plain(c, &condition, type, where, key);
    else
        is_read = read_words(c, &condition, &source->attributes[condition.attribute],
                             where, key);
    if (is_read)
        add_condition(c, feature, &condition, where->key_where[key]);
}

void compile_where_of(Compiler *c, Feature *feature, FeatureNote *note, const Node *node)
{
    const Node *where = config_get(node, "where");

    if (where == NULL || feature->source < 0)
        return;
    if (where->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, where->where, "\"where\" must be a map");
        return;
    }
    for (int i = 0; i < where->n; i++) {
        const Node **words;
        int n = 0;

        if (strcmp(where->keys[i], "codes") != 0) {
            read_condition(c, feature, where, i);
            continue;
        }
        config_words(&words, &n, where, "codes", c->arena, c->err);
        compile_codes(c, feature, note, words, n);
    }
}
