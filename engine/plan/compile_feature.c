/*
 * compile_feature.c - features and families: what is counted, and over which days.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

/* By Count; what each needs of its source, and what it gives where nothing counts. */
static const struct Way {
    const char *word;
    bool needs_value, needs_end, needs_code, is_missing;
} WAYS[N_COUNTS] = {
    [COUNT_EXISTS] = {"exists", false, false, false, false},
    [COUNT_ROWS] = {"rows", false, false, false, false},
    [COUNT_DATES] = {"dates", false, false, false, false},
    [COUNT_CODES] = {"codes", false, false, true, false},
    [COUNT_SUM] = {"sum", true, false, false, false},
    [COUNT_MIN] = {"min", true, false, false, true},
    [COUNT_MAX] = {"max", true, false, false, true},
    [COUNT_MEAN] = {"mean", true, false, false, true},
    [COUNT_LATEST] = {"latest", true, false, false, true},
    [COUNT_EARLIEST] = {"earliest", true, false, false, true},
    [COUNT_DAYS_SINCE_LAST] = {"days_since_last", false, false, false, true},
    [COUNT_DAYS_SINCE_FIRST] = {"days_since_first", false, false, false, true},
    [COUNT_AGE_AT_LAST] = {"age_at_last", false, false, false, true},
    [COUNT_AGE_AT_FIRST] = {"age_at_first", false, false, false, true},
    [COUNT_BED_DAYS] = {"bed_days", false, true, false, false},
    [COUNT_REPEAT] = {"repeat", false, false, false, false},
};

bool count_needs(Count count, Field field)
{
    return (field == FIELD_VALUE && WAYS[count].needs_value) ||
           (field == FIELD_END && WAYS[count].needs_end) ||
           (field == FIELD_CODE && WAYS[count].needs_code);
}

/* ---- windows ----------------------------------------------------------- */

static bool is_date(int32_t *day, const Node *word)
{
    return word->kind == NODE_WORD && day_parse(day, word->word, strlen(word->word));
}

/* As in "12 months", "24 months to 12 months ago", "since 2006-04-01". */
static const char *window_text(Compiler *c, const Node *from, const Node *to)
{
    const char *until = to == NULL ? "" : to->word;
    int32_t day;

    if (is_date(&day, from))
        return arena_format(c->arena, to == NULL ? "since %s" : "%s to %s ago",
                            from->word, until);
    return to == NULL ? from->word
                      : arena_format(c->arena, "%s to %s ago", from->word, until);
}

/* The day a span before D, or a day of the calendar; "ever" is the first there is. */
static bool day_before(Compiler *c, int32_t *day, const Node *word)
{
    int months = 0, days = 0;

    if (word->kind == NODE_WORD && strcmp(word->word, "ever") == 0) {
        *day = DAY_FIRST;
        return true;
    }
    if (is_date(day, word))
        return true;
    if (!compile_span(c, &months, &days, word))
        return false;
    *day = day_minus_months(c->plan->as_of, months) - days;
    if (*day < DAY_FIRST)
        *day = DAY_FIRST;
    return true;
}

static void read_bounds(Compiler *c, Feature *feature, const Node *map)
{
    const Node *from = config_get(map, "from"), *to = config_get(map, "to");

    compile_only(c, map, DOC_WINDOW);
    if (from == NULL) {
        err_add(c->err, ERR_CONFIG, map->where, "\"from\" is missing");
        return;
    }
    if (!day_before(c, &feature->from, from) ||
        (to != NULL && !day_before(c, &feature->to, to)))
        return;
    feature->window_text = window_text(c, from, to);
}

static void read_window(Compiler *c, Feature *feature, const Node *node)
{
    const Node *window = config_get(node, "window");
    int before = c->err->n_reports;

    feature->to = c->plan->as_of;
    feature->window_text = "";
    if (window == NULL) {
        err_add(c->err, ERR_CONFIG, node->where, "\"window\" is missing");
        err_hint(c->err, "write as in window: 12 months, or window: ever");
        return;
    }
    if (window->kind == NODE_MAP) {
        read_bounds(c, feature, window);
    } else if (day_before(c, &feature->from, window)) {
        feature->window_text = window_text(c, window, NULL);
        feature->is_ever = strcmp(window->word, "ever") == 0;
    }
    if (c->err->n_reports == before && feature->from >= feature->to)
        err_add(c->err, ERR_CONFIG, window->where, "the window is empty");
}

/* ---- ways to count ----------------------------------------------------- */

static void read_repeat(Compiler *c, Feature *feature, const Node *map)
{
    const Node *within = config_get(map, "within");
    long times = 2;
    int months = 0, days = 0;

    compile_only(c, map, DOC_COUNT_REPEAT);
    config_int(&times, map, "repeat", 2, 1000, c->err);
    feature->count = COUNT_REPEAT;
    feature->repeat_n = (int)times;
    if (within == NULL) {
        err_add(c->err, ERR_CONFIG, map->where, "\"within\" is missing");
        return;
    }
    if (!compile_span(c, &months, &days, within))
        return;
    if (months != 0 || days == 0)
        err_add(c->err, ERR_CONFIG, within->where,
                "a repeat is within a number of days or weeks");
    feature->repeat_days = days;
}

static void read_code_chars(Compiler *c, Feature *feature, const Node *map)
{
    long chars = 1;

    compile_only(c, map, DOC_COUNT_CODES);
    config_int(&chars, map, "codes", 1, 15, c->err);
    feature->count = COUNT_CODES;
    feature->code_chars = (int)chars;
}

static void read_count_word(Compiler *c, Feature *feature, const Node *node)
{
    const char *known[N_COUNTS];

    for (int i = 0; i < N_COUNTS; i++) {
        known[i] = WAYS[i].word;
        if (i == COUNT_REPEAT || node->kind != NODE_WORD ||
            strcmp(node->word, WAYS[i].word) != 0)
            continue;
        feature->count = (Count)i;
        return;
    }
    err_add(c->err, ERR_CONFIG, node->where, "there is no way to count \"%s\"",
            node->kind == NODE_WORD ? node->word : "");
    if (node->kind == NODE_WORD && strcmp(node->word, "repeat") == 0)
        err_hint(c->err, "write as in count: {repeat: 3, within: 30 days}");
    else if (node->kind == NODE_WORD)
        compile_hint(c, node->word, known, N_COUNTS);
}

static void read_count(Compiler *c, Feature *feature, const Node *node)
{
    const Node *count = config_get(node, "count");

    if (count == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"count\" is missing");
    else if (count->kind == NODE_MAP && config_get(count, "repeat") != NULL)
        read_repeat(c, feature, count);
    else if (count->kind == NODE_MAP)
        read_code_chars(c, feature, count);
    else
        read_count_word(c, feature, count);
}

static void check_count(Compiler *c, const Feature *feature, const Node *node)
{
    static const struct {
        Field field;
        const char *key;
    } COLUMNS[] = {{FIELD_VALUE, "value"}, {FIELD_END, "end"}, {FIELD_CODE, "code"}};
    const Source *source;

    if (feature->source < 0)
        return;
    source = plan_events(c->plan, feature->source);
    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
        if (count_needs(feature->count, COLUMNS[i].field) &&
            source_column(source, COLUMNS[i].field) == NULL)
            err_add(c->err, ERR_CONFIG, compile_where(node, "count"),
                    "\"%s\" needs a column \"%s\" of source \"%s\"",
                    WAYS[feature->count].word, COLUMNS[i].key, source->name);
    }
}

static void read_missing(Compiler *c, Feature *feature, const Node *node)
{
    bool is_yesno = feature->count == COUNT_EXISTS || feature->count == COUNT_REPEAT;

    feature->missing = WAYS[feature->count].is_missing ? NAN : 0;
    config_number(&feature->missing, node, "missing", c->err);
    if (is_yesno && feature->missing != 0 && feature->missing != 1)
        err_add(c->err, ERR_CONFIG, compile_where(node, "missing"),
                "a yes or no is 0 or 1 where nothing counts");
}

/* ---- features ---------------------------------------------------------- */

/* What features and families have in common. */
static void read_common(Compiler *c, Feature *feature, FeatureNote *note,
                        const Node *node)
{
    const char *source = NULL;

    feature->source = -1;
    if (config_need_word(&source, node, "source", c->err) == 0 && source != NULL)
        feature->source = compile_event_source(c, source, compile_where(node, "source"));
    config_word(&feature->say, node, "say", c->err);
    read_window(c, feature, node);
    read_count(c, feature, node);
    check_count(c, feature, node);
    read_missing(c, feature, node);
    compile_where_of(c, feature, note, node);
}

static void add_feature(Compiler *c, const Feature *feature, const FeatureNote *note)
{
    Plan *plan = c->plan;
    int n = plan->n_features;

    *COMPILE_ADD(c, c->notes, n) = *note;
    *COMPILE_ADD(c, plan->features, plan->n_features) = *feature;
}

static void read_feature(Compiler *c, const Node *node)
{
    Feature feature = {.where = node->where};
    FeatureNote note = {0};

    compile_only(c, node, DOC_FEATURE);
    config_need_word(&feature.id, node, "id", c->err);
    config_need_word(&feature.label, node, "label", c->err);
    if (feature.id == NULL)
        return;
    compile_is_name(c, feature.id, compile_where(node, "id"));
    if (feature.label == NULL)
        feature.label = feature.id;
    read_common(c, &feature, &note, node);
    add_feature(c, &feature, &note);
}

/* ---- families ---------------------------------------------------------- */

typedef struct Family {
    const char *id;
    const Node *node;
    Feature feature;  /* what its features have in common */
    FeatureNote note; /* picks: its lists */
    const Node **only;
    int n_only;
    int first; /* of its features */
} Family;

static bool is_wanted(const Family *family, const Category *category)
{
    for (int i = 0; i < family->n_only; i++) {
        if (strcmp(family->only[i]->word, category->name) == 0 ||
            strcmp(family->only[i]->word, category->id) == 0)
            return true;
    }
    return family->n_only == 0;
}

/* Equal categories of several lists are one feature. */
static void add_category(Compiler *c, const Family *family, Pick pick)
{
    Plan *plan = c->plan;
    const Category *category = &plan->lists[pick.list].categories[pick.category];
    Feature feature = family->feature;
    FeatureNote note = {0};

    for (int f = family->first; f < plan->n_features; f++) {
        if (strcmp(plan->features[f].category->name, category->name) == 0) {
            *COMPILE_ADD(c, c->notes[f].picks, c->notes[f].n_picks) = pick;
            return;
        }
    }
    feature.id = arena_format(c->arena, "%s.%s", family->id, category->name);
    feature.label = category->label;
    feature.family = family->id;
    feature.category = category;
    *COMPILE_ADD(c, note.picks, note.n_picks) = pick;
    add_feature(c, &feature, &note);
}

static void check_only(Compiler *c, Family *family)
{
    const Plan *plan = c->plan;
    int n_known = 0, n_unknown = 0;
    const char **known = NULL;

    for (int p = 0; p < family->note.n_picks; p++) {
        const CodeList *list = &plan->lists[family->note.picks[p].list];

        if (list->n_categories == 0)
            return; /* it could not be read */
        for (int k = 0; k < list->n_categories; k++)
            *COMPILE_ADD(c, known, n_known) = list->categories[k].name;
    }
    for (int i = 0; i < family->n_only; i++) {
        const char *word = family->only[i]->word;
        bool found = false;

        for (int p = 0; p < family->note.n_picks; p++)
            found |= list_category(&plan->lists[family->note.picks[p].list], word) >= 0;
        if (found)
            continue;
        err_add(c->err, ERR_CONFIG, family->only[i]->where,
                "family \"%s\" has no category \"%s\"", family->id, word);
        compile_hint(c, word, known, (size_t)n_known);
        n_unknown++;
    }
    if (n_unknown > 0)
        family->n_only = 0; /* all of them, lest every use is reported, too */
}

static void expand_family(Compiler *c, Family *family)
{
    check_only(c, family);
    family->first = c->plan->n_features;
    for (int p = 0; p < family->note.n_picks; p++) {
        const Pick pick = family->note.picks[p];
        const CodeList *list = &c->plan->lists[pick.list];

        for (int k = 0; k < list->n_categories; k++) {
            if (is_wanted(family, &list->categories[k]))
                add_category(c, family, (Pick){pick.list, k});
        }
    }
}

static void check_lists(Compiler *c, const Family *family, const Node **lists, int n)
{
    if (n == 0 && config_get(family->node, "lists") == NULL)
        err_add(c->err, ERR_CONFIG, family->node->where, "\"lists\" is missing");
    for (int p = 0; p < family->note.n_picks; p++) {
        const CodeList *list = &c->plan->lists[family->note.picks[p].list];

        if (list->n_categories != 1 || list->categories[0].id[0] != '\0')
            continue;
        err_add(c->err, ERR_CONFIG, lists[p < n ? p : 0]->where,
                "list \"%s\" has no categories", list->id);
        err_hint(c->err, "name their column in the list, as in category: deficit_id");
    }
}

static void read_family(Compiler *c, const Node *node)
{
    Family family = {.node = node, .feature = {.where = node->where}};
    const Node *where = config_get(node, "where");
    FeatureNote unused = {0};
    const Node **lists;
    int n = 0;

    compile_only(c, node, DOC_FAMILY);
    config_need_word(&family.id, node, "family", c->err);
    if (family.id == NULL)
        return;
    compile_is_name(c, family.id, compile_where(node, "family"));
    read_common(c, &family.feature, &unused, node);
    if (where != NULL && config_get(where, "codes") != NULL)
        err_add(c->err, ERR_CONFIG, config_get(where, "codes")->where,
                "the codes of a family are those of its lists");
    config_words(&lists, &n, node, "lists", c->arena, c->err);
    compile_codes(c, &family.feature, &family.note, lists, n);
    check_lists(c, &family, lists, n);
    config_words(&family.only, &family.n_only, node, "categories", c->arena, c->err);
    expand_family(c, &family);
}

/* ---- documents --------------------------------------------------------- */

static void read_feature_list(Compiler *c, const Node *list)
{
    if (list->kind != NODE_LIST) {
        err_add(c->err, ERR_CONFIG, list->where, "\"features\" must be a list");
        return;
    }
    for (int i = 0; i < list->n; i++) {
        const Node *node = list->items[i];

        if (node->kind == NODE_MAP && config_get(node, "family") != NULL)
            read_family(c, node);
        else if (node->kind == NODE_MAP)
            read_feature(c, node);
        else
            compile_only(c, node, DOC_FEATURE);
    }
}

/* The expressions wait until every name is known. */
static void read_derived(Compiler *c, const Node *node)
{
    Plan *plan = c->plan;
    Derived derived = {.where = node->where};
    int n = plan->n_derived;

    if (!compile_only(c, node, DOC_DERIVED))
        return;
    config_need_word(&derived.id, node, "id", c->err);
    config_need_word(&derived.label, node, "label", c->err);
    config_word(&derived.say, node, "say", c->err);
    if (derived.id == NULL)
        return;
    compile_is_name(c, derived.id, compile_where(node, "id"));
    if (derived.label == NULL)
        derived.label = derived.id;
    *COMPILE_ADD(c, c->derived, n) = node;
    *COMPILE_ADD(c, plan->derived, plan->n_derived) = derived;
}

static void read_derived_list(Compiler *c, const Node *list)
{
    if (list->kind != NODE_LIST) {
        err_add(c->err, ERR_CONFIG, list->where, "\"derived\" must be a list");
        return;
    }
    for (int i = 0; i < list->n; i++)
        read_derived(c, list->items[i]);
}

void compile_features(Compiler *c, const Node *run)
{
    int n;
    const Node **documents = compile_documents(c, &n, run, "features");

    for (int i = 0; i < n; i++) {
        const Node *features = config_get(documents[i], "features");
        const Node *derived = config_get(documents[i], "derived");

        if (!compile_only(c, documents[i], DOC_FEATURES))
            continue;
        if (features != NULL)
            read_feature_list(c, features);
        if (derived != NULL)
            read_derived_list(c, derived);
    }
}
