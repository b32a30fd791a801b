/*
 * compile_source.c - sources: where rows lie, what their columns mean, and what they may
 * be used for.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

/* What the keys of a `columns:` map mean, in the order of compile_keys. */
typedef struct Meaning {
    Field field;
    bool is_needed;
} Meaning;

static const Meaning PEOPLE[] = {{FIELD_PERSON, true},
                                 {FIELD_BIRTH, true},
                                 {FIELD_DEATH, false},
                                 {FIELD_TEST, false},
                                 {FIELD_PRACTICE, false}};
static const Meaning REGISTRATIONS[] = {{FIELD_PERSON, true},
                                        {FIELD_PRACTICE, true},
                                        {FIELD_START, true},
                                        {FIELD_END, false}};
static const Meaning PRACTICES[] = {{FIELD_PRACTICE, true}, {FIELD_NAME, false}};
static const Meaning OPT_OUTS[] = {
    {FIELD_PERSON, true}, {FIELD_TYPE, true}, {FIELD_DATE, false}};
static const Meaning EVENTS[] = {
    {FIELD_PERSON, true},  {FIELD_DATE, true},   {FIELD_END, false}, {FIELD_CODE, false},
    {FIELD_SYSTEM, false}, {FIELD_VALUE, false}, {FIELD_KEY, false}};

/* By Role. */
static const struct Form {
    const char *name;
    Document document, columns;
    const Meaning *meanings;
    bool needs_purposes;
} FORMS[] = {
    [ROLE_PEOPLE] = {"people", DOC_PEOPLE, DOC_PEOPLE_COLUMNS, PEOPLE, true},
    [ROLE_REGISTRATIONS] = {"registrations", DOC_REGISTRATIONS, DOC_REGISTRATION_COLUMNS,
                            REGISTRATIONS, false},
    [ROLE_PRACTICES] = {"practices", DOC_PRACTICES, DOC_PRACTICE_COLUMNS, PRACTICES,
                        false},
    [ROLE_OPT_OUTS] = {"opt_outs", DOC_OPT_OUTS, DOC_OPT_OUT_COLUMNS, OPT_OUTS, false},
    [ROLE_EVENTS] = {NULL, DOC_EVENT, DOC_EVENT_COLUMNS, EVENTS, true},
};

/* Days that mean "not known" where a config does not say: the first day of calendars
 * and of database systems. */
static const char *const SENTINELS[] = {"1800-01-01", "1801-01-01", "1600-01-01",
                                        "1582-10-15", "1900-01-01", "9999-12-31"};
enum { N_SENTINELS = sizeof SENTINELS / sizeof *SENTINELS };

/* ---- one source -------------------------------------------------------- */

const Column *source_column(const Source *source, Field field)
{
    for (int i = 0; i < source->n_columns; i++) {
        if (source->columns[i].field == field)
            return &source->columns[i];
    }
    return NULL;
}

void source_add_column(Compiler *c, Source *source, Column column)
{
    *COMPILE_ADD(c, source->columns, source->n_columns) = column;
}

static void read_columns(Compiler *c, Source *source, const Node *node)
{
    const struct Form *form = &FORMS[source->role];
    const Keys *keys = &compile_keys[form->columns];
    const Node *map = config_get(node, "columns");

    if (map == NULL) {
        err_add(c->err, ERR_CONFIG, node->where, "\"columns\" is missing");
        return;
    }
    if (!compile_only(c, map, form->columns))
        return;
    for (int k = 0; k < keys->n; k++) {
        const Meaning *meaning = &form->meanings[k];
        const char *name = NULL;

        if (meaning->is_needed)
            config_need_word(&name, map, keys->keys[k], c->err);
        else
            config_word(&name, map, keys->keys[k], c->err);
        if (name != NULL)
            source_add_column(
                c, source,
                (Column){name, meaning->field, -1, compile_where(map, keys->keys[k])});
    }
}

static void read_kind(Compiler *c, Source *source, const Node *node)
{
    const SourceKind *const *kinds = c->kinds.sources;
    const char *word = "postgres";
    const char *known[16];
    size_t n = 0;

    config_word(&word, node, "kind", c->err);
    for (; kinds[n] != NULL && n < sizeof known / sizeof *known; n++) {
        known[n] = kinds[n]->name;
        if (strcmp(kinds[n]->name, word) == 0)
            source->kind = kinds[n];
    }
    if (source->kind != NULL)
        return;
    err_add(c->err, ERR_CONFIG, compile_where(node, "kind"),
            "there is no kind of source \"%s\"", word);
    compile_hint(c, word, known, n);
}

static void read_place(Compiler *c, Source *source, const Node *node)
{
    static const char *const PLACES[] = {"table", "query", "files"};
    static const char *const FORMATS[] = {"YYYY-MM-DD", "YYYYMMDD", "DD/MM/YYYY"};
    const Node *files = config_get(node, "files");
    bool is_format;

    config_word(&source->table, node, "table", c->err);
    config_word(&source->query, node, "query", c->err);
    if (config_word(&source->files, node, "files", c->err) == 0 && files != NULL)
        source->files = compile_path(c, files);
    for (int i = 2; i >= 0; i--) {
        if (config_get(node, PLACES[i]) != NULL)
            source->place_where = config_get(node, PLACES[i])->where;
    }
    config_word(&source->date_format, node, "date_format", c->err);
    is_format = source->date_format == NULL;
    for (int i = 0; i < 3 && !is_format; i++)
        is_format = strcmp(source->date_format, FORMATS[i]) == 0;
    if (is_format)
        return;
    err_add(c->err, ERR_CONFIG, compile_where(node, "date_format"),
            "\"%s\" is not a form of dates", source->date_format);
    err_hint(c->err, "write YYYY-MM-DD, YYYYMMDD or DD/MM/YYYY");
}

static void read_person_as(Compiler *c, Source *source, const Node *node)
{
    const char *word = NULL;

    config_word(&word, node, "person_as", c->err);
    source->text_person = word != NULL && strcmp(word, "text") == 0;
    if (word != NULL && !source->text_person && strcmp(word, "integer") != 0)
        err_add(c->err, ERR_CONFIG, compile_where(node, "person_as"),
                "a person is known by text or integer, not \"%s\"", word);
}

/* ---- sentinel dates, purposes, rejects --------------------------------- */

static void read_sentinels(Compiler *c, Source *source, const Node *node)
{
    const Node **words;
    int n = 0;

    config_words(&words, &n, node, "sentinel_dates", c->arena, c->err);
    source->sentinels = NULL;
    source->n_sentinels = 0;
    for (int i = 0; i < n; i++) {
        int32_t day;

        if (day_parse(&day, words[i]->word, strlen(words[i]->word)))
            *COMPILE_ADD(c, source->sentinels, source->n_sentinels) = day;
        else
            err_add(c->err, ERR_CONFIG, words[i]->where, "\"%s\" is not a date",
                    words[i]->word);
    }
}

/* Of all sources: the config's own, or those of the table above. */
static void default_sentinels(Compiler *c, Source *all, const Node *sources)
{
    if (config_get(sources, "sentinel_dates") != NULL) {
        read_sentinels(c, all, sources);
        return;
    }
    for (int i = 0; i < N_SENTINELS; i++) {
        int32_t day = DAY_UNKNOWN;

        day_parse(&day, SENTINELS[i], strlen(SENTINELS[i]));
        *COMPILE_ADD(c, all->sentinels, all->n_sentinels) = day;
    }
}

static uint32_t add_purpose(Compiler *c, const Node *word)
{
    Plan *plan = c->plan;

    for (int p = 0; p < plan->n_purposes; p++) {
        if (strcmp(plan->purposes[p], word->word) == 0)
            return UINT32_C(1) << p;
    }
    if (plan->n_purposes == 32) {
        err_add(c->err, ERR_CONFIG, word->where, "more than 32 purposes");
        return 0;
    }
    *COMPILE_ADD(c, plan->purposes, plan->n_purposes) = word->word;
    return UINT32_C(1) << (plan->n_purposes - 1);
}

static void read_purposes(Compiler *c, Source *source, const Node *node)
{
    const Node **words;
    int n = 0;

    config_words(&words, &n, node, "purposes", c->arena, c->err);
    for (int i = 0; i < n; i++)
        source->purposes |= add_purpose(c, words[i]);
    if (config_get(node, "purposes") != NULL) {
        if (n == 0 && config_get(node, "purposes")->kind == NODE_LIST)
            err_add(c->err, ERR_CONFIG, compile_where(node, "purposes"),
                    "\"purposes\" is empty");
        return;
    }
    if (FORMS[source->role].needs_purposes) {
        err_add(c->err, ERR_CONFIG, node->where,
                "source \"%s\" has no \"purposes\": what it may be used for",
                source->name);
        err_hint(c->err, "add its legal basis, as in purposes: [direct-care]");
    }
    source->purposes = UINT32_MAX; /* no person's records: no limit */
}

static void read_limits(Compiler *c, Source *source, const Node *node)
{
    const Node *share = config_get(node, "max_rejected");

    if (config_get(node, "sentinel_dates") != NULL)
        read_sentinels(c, source, node);
    if (source->role == ROLE_OPT_OUTS)
        source->max_rejected = 0; /* who objected in a row nobody can read? */
    if (share != NULL)
        compile_share(c, &source->max_rejected, share);
    read_purposes(c, source, node);
    config_yesno(&source->is_unique, node, "unique", c->err);
}

/* ---- attributes -------------------------------------------------------- */

static bool value_fits(RuleType type, const char *word)
{
    double number;

    if (type == RULE_NUMBER)
        return text_double(&number, word, strlen(word));
    return type == RULE_WORD || strcmp(word, "true") == 0 || strcmp(word, "false") == 0;
}

static void read_values(Compiler *c, Attribute *attribute, const Node *map)
{
    if (map->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, map->where,
                "\"values\" must be a map from a word of the source to what it means");
        return;
    }
    attribute->value_from = arena_alloc(c->arena, (size_t)map->n, sizeof(const char *));
    attribute->value_to = arena_alloc(c->arena, (size_t)map->n, sizeof(const char *));
    for (int i = 0; i < map->n; i++) {
        const char *to = "";

        config_word(&to, map, map->keys[i], c->err);
        if (!value_fits(attribute->type, to))
            err_add(c->err, ERR_CONFIG, map->items[i]->where, "\"%s\" is not %s", to,
                    attribute->type == RULE_NUMBER ? "a number" : "true or false");
        attribute->value_from[i] = map->keys[i];
        attribute->value_to[i] = to;
        if (attribute->type == RULE_WORD)
            words_index(attribute->words, to, c->arena);
    }
    attribute->n_values = map->n;
}

static void read_type(Compiler *c, Attribute *attribute, const Node *map)
{
    static const char *const WORDS[] = {
        [RULE_NUMBER] = "number", [RULE_YESNO] = "yes_no", [RULE_WORD] = "text"};
    const char *word = NULL;
    int type = -1;

    config_need_word(&word, map, "type", c->err);
    for (int t = 0; word != NULL && t < 3; t++) {
        if (strcmp(word, WORDS[t]) == 0)
            type = t;
    }
    attribute->type = type < 0 ? RULE_WORD : (RuleType)type;
    if (word != NULL && type < 0)
        err_add(c->err, ERR_CONFIG, compile_where(map, "type"),
                "the type of an attribute is text, number or yes_no, not \"%s\"", word);
}

static void read_attribute(Compiler *c, Source *source, const char *id, const Node *map,
                           Where where)
{
    Attribute *attribute;
    const char *column = id;

    compile_is_name(c, id, where);
    if (!compile_only(c, map, DOC_ATTRIBUTE))
        return;
    attribute = COMPILE_ADD(c, source->attributes, source->n_attributes);
    attribute->id = id;
    attribute->where = where;
    read_type(c, attribute, map);
    attribute->words = arena_alloc(c->arena, 1, sizeof *attribute->words);
    attribute->words->is_open = true;
    if (config_get(map, "values") != NULL)
        read_values(c, attribute, config_get(map, "values"));
    config_word(&column, map, "column", c->err);
    source_add_column(c, source,
                      (Column){column, FIELD_ATTRIBUTE, source->n_attributes - 1,
                               compile_where(map, "column")});
}

static void read_attributes(Compiler *c, Source *source, const Node *node)
{
    const Node *map = config_get(node, "attributes");

    if (map == NULL)
        return;
    if (map->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, map->where, "\"attributes\" must be a map");
        return;
    }
    for (int i = 0; i < map->n; i++)
        read_attribute(c, source, map->keys[i], map->items[i], map->key_where[i]);
}

/* ---- reading a source -------------------------------------------------- */

static Source *read_source(Compiler *c, Role role, const char *name, const Node *node,
                           const Source *defaults)
{
    Plan *plan = c->plan;
    Source *source;

    if (!compile_only(c, node, FORMS[role].document))
        return NULL;
    source = COMPILE_ADD(c, plan->sources, plan->n_sources);
    *source = *defaults;
    source->name = name;
    source->role = role;
    source->where = source->place_where = node->where;
    source->number = role == ROLE_EVENTS ? plan->n_event_sources++ : -1;
    read_kind(c, source, node);
    read_place(c, source, node);
    read_person_as(c, source, node);
    read_columns(c, source, node);
    read_limits(c, source, node);
    read_attributes(c, source, node);
    if (role == ROLE_EVENTS)
        compile_systems(c, source, node);
    if (source->kind != NULL && source->kind->check != NULL)
        source->kind->check(source, c->err);
    return source;
}

static void read_events(Compiler *c, const Node *sources, const Source *defaults)
{
    const Node *map = config_get(sources, "events");

    if (map == NULL)
        return;
    if (map->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, map->where, "\"events\" must be a map of sources");
        return;
    }
    if (map->n > MOST_EVENT_SOURCES) {
        err_add(c->err, ERR_CONFIG, map->where, "more than %d sources of events",
                MOST_EVENT_SOURCES);
        return;
    }
    for (int i = 0; i < map->n; i++) {
        compile_is_name(c, map->keys[i], map->key_where[i]);
        for (int r = 0; r < ROLE_EVENTS; r++) {
            if (strcmp(map->keys[i], FORMS[r].name) == 0)
                err_add(c->err, ERR_CONFIG, map->key_where[i],
                        "\"%s\" is the name of another source", map->keys[i]);
        }
        read_source(c, ROLE_EVENTS, map->keys[i], map->items[i], defaults);
    }
}

/* ---- names of sources -------------------------------------------------- */

int compile_any_source(Compiler *c, const char *name, Where where)
{
    const Plan *plan = c->plan;
    const char **known = arena_alloc(c->arena, (size_t)plan->n_sources, sizeof *known);

    for (int s = 0; s < plan->n_sources; s++) {
        known[s] = plan->sources[s].name;
        if (strcmp(known[s], name) == 0)
            return s;
    }
    err_add(c->err, ERR_CONFIG, where, "there is no source \"%s\"", name);
    compile_hint(c, name, known, (size_t)plan->n_sources);
    return -1;
}

int compile_event_source(Compiler *c, const char *name, Where where)
{
    int s = compile_any_source(c, name, where);

    if (s < 0 || c->plan->sources[s].role == ROLE_EVENTS)
        return s < 0 ? -1 : c->plan->sources[s].number;
    return err_add(c->err, ERR_CONFIG, where, "\"%s\" is not a source of events", name);
}

/* ---- the whole --------------------------------------------------------- */

static void point_at_sources(Plan *plan)
{
    for (int s = 0; s < plan->n_sources; s++) {
        const Source *source = &plan->sources[s];

        if (source->role == ROLE_PEOPLE)
            plan->people = source;
        else if (source->role == ROLE_REGISTRATIONS)
            plan->registrations = source;
        else if (source->role == ROLE_PRACTICES)
            plan->practices = source;
        else if (source->role == ROLE_OPT_OUTS)
            plan->opt_out_rows = source;
    }
}

static void read_all(Compiler *c, const Node *sources)
{
    Plan *plan = c->plan;
    Source defaults = {.max_rejected = c->max_rejected};

    *COMPILE_ADD(c, plan->groupings, plan->n_groupings) = (Grouping){"all", "Everyone"};
    *COMPILE_ADD(c, plan->groupings, plan->n_groupings) =
        (Grouping){"practice", "Practice"};
    default_sentinels(c, &defaults, sources);
    for (int r = 0; r < ROLE_EVENTS; r++) {
        const Node *node = config_get(sources, FORMS[r].name);
        Source *source =
            node == NULL ? NULL : read_source(c, (Role)r, FORMS[r].name, node, &defaults);

        if (source != NULL && r == ROLE_PRACTICES)
            compile_groupings(c, source, node);
    }
    if (config_get(sources, "people") == NULL)
        err_add(c->err, ERR_CONFIG, sources->where, "\"people\" is missing");
    read_events(c, sources, &defaults);
}

/* Numbers and digests of text can never be the same person. */
static void check_person_as(Compiler *c)
{
    const Plan *plan = c->plan;

    for (int s = 0; s < plan->n_sources; s++) {
        const Source *source = &plan->sources[s];

        if (source->role == ROLE_PRACTICES ||
            source->text_person == plan->people->text_person)
            continue;
        err_add(c->err, ERR_CONFIG, source->where,
                "source \"%s\" knows people by %s, but source \"people\" by %s",
                source->name, source->text_person ? "text" : "integer",
                source->text_person ? "integer" : "text");
        err_hint(c->err, "write the same \"person_as\" for every source");
    }
}

void compile_sources(Compiler *c, const Node *run)
{
    int n = 0;
    const Node **documents = compile_documents(c, &n, run, "sources");

    if (config_get(run, "sources") == NULL)
        err_add(c->err, ERR_CONFIG, run->where, "\"sources\" is missing");
    if (n == 0 || !compile_only(c, documents[0], DOC_SOURCES))
        return;
    if (n > 1)
        err_add(c->err, ERR_CONFIG, documents[1]->where, "sources lie in one file");
    read_all(c, documents[0]);
    compile_policy(c, documents[0]);
    compile_area(c, documents[0]);
    compile_practice(c, documents[0]);
    point_at_sources(c->plan);
    if (c->plan->people != NULL)
        check_person_as(c);
}
