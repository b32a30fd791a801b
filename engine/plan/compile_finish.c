/*
 * compile_finish.c - what the loader has to ask for: the sources, columns, codes and
 * days that used features need, and nothing else.
 */
#include <math.h>
#include <string.h>

#include "engine/plan/compile.h"

/* The plan is ours until it is handed out. */
static Source *events_of(Plan *plan, int number)
{
    return (Source *)plan_events(plan, number);
}

/* ---- sources ----------------------------------------------------------- */

static bool is_wanted(const Plan *plan, int number)
{
    for (int f = 0; f < plan->n_features; f++) {
        if (plan->features[f].is_used && plan->features[f].source == number)
            return true;
    }
    for (int g = 0; g < plan->n_gates; g++) {
        if (plan->gates[g].source == plan->n_sources - plan->n_event_sources + number)
            return true;
    }
    return false;
}

/* to[old number] is the new one, or -1. */
static void renumber(Plan *plan, const int *to, int first)
{
    Population *population = &plan->population;

    for (int f = 0; f < plan->n_features; f++)
        plan->features[f].source = to[plan->features[f].source];
    for (int g = 0; g < plan->n_gates; g++) {
        if (plan->gates[g].source >= first)
            plan->gates[g].source = first + to[plan->gates[g].source - first];
    }
    for (int o = 0; o < population->n_opt_outs; o++) {
        uint64_t before = population->opt_outs[o].sources, after = 0;

        for (int s = 0; s < MOST_EVENT_SOURCES; s++) {
            if ((before >> s & 1) && to[s] >= 0)
                after |= UINT64_C(1) << to[s];
        }
        population->opt_outs[o].sources = after;
    }
}

/* A source that nothing uses is not read. */
static void drop_sources(Compiler *c)
{
    Plan *plan = c->plan;
    int first = plan->n_sources - plan->n_event_sources, n = 0;
    int to[MOST_EVENT_SOURCES];

    for (int s = 0; s < plan->n_event_sources; s++) {
        Source *source = &plan->sources[first + s];

        to[s] = is_wanted(plan, s) ? n++ : -1;
        if (to[s] < 0)
            compile_warn(c, source->where, "source \"%s\" is not read: nothing uses it",
                         source->name);
    }
    renumber(plan, to, first);
    for (int s = 0; s < plan->n_event_sources; s++) {
        if (to[s] < 0)
            continue;
        plan->sources[first + to[s]] = plan->sources[first + s];
        plan->sources[first + to[s]].number = to[s];
    }
    plan->n_event_sources = n;
    plan->n_sources = first + n;
}

/* ---- conditions -------------------------------------------------------- */

static uint32_t moved_bits(uint32_t bits, const int *to)
{
    uint32_t moved = 0;

    for (int i = 0; i < MOST_CONDITIONS; i++) {
        if ((bits >> i & 1) && to[i] >= 0)
            moved |= UINT32_C(1) << to[i];
    }
    return moved;
}

/* Only conditions of used features stay. */
static void drop_conditions(Plan *plan, Source *source)
{
    uint32_t used = 0;
    int to[MOST_CONDITIONS], n = 0;

    for (int f = 0; f < plan->n_features; f++) {
        if (plan->features[f].is_used && plan->features[f].source == source->number)
            used |= plan->features[f].conditions;
    }
    for (int i = 0; i < MOST_CONDITIONS; i++)
        to[i] = used >> i & 1 ? n++ : -1;
    for (int i = 0; i < source->n_conditions; i++) {
        if (to[i] >= 0)
            source->conditions[to[i]] = source->conditions[i];
    }
    source->n_conditions = n;
    for (int f = 0; f < plan->n_features; f++) {
        if (plan->features[f].source == source->number)
            plan->features[f].conditions = moved_bits(plan->features[f].conditions, to);
    }
}

/* ---- codes ------------------------------------------------------------- */

static bool has_system(const Source *source, System system)
{
    if (source->system != SYSTEM_NONE)
        return source->system == system;
    for (int i = 0; i < source->n_systems; i++) {
        if (source->system_to[i] == system)
            return true;
    }
    return source->n_systems == 0;
}

/* Bounds need a value, and sex an attribute: reported where they cannot be had. */
static void check_entry(Compiler *c, Source *source, const CodeList *list,
                        const ListEntry *entry)
{
    bool has_bounds = entry->above > -INFINITY || entry->below < INFINITY;

    if (has_bounds && !source->keeps_value &&
        source_column(source, FIELD_VALUE) == NULL) {
        err_add(c->err, ERR_CONFIG, source->where,
                "list \"%s\" has rules on values, but source \"%s\" has no column "
                "\"value\"",
                list->id, source->name);
    }
    source->keeps_value |= has_bounds;
    if (entry->sex == 0 || c->plan->sex_attribute >= 0)
        return;
    for (int a = 0; a < c->plan->people->n_attributes; a++) {
        Attribute *attribute = &c->plan->people->attributes[a];

        if (strcmp(attribute->id, "sex") != 0 || attribute->type != RULE_WORD)
            continue;
        c->plan->sex_attribute = a;
        attribute->is_used = true;
        words_index(attribute->words, "M", c->arena);
        words_index(attribute->words, "F", c->arena);
        return;
    }
    err_add(c->err, ERR_CONFIG, list->where,
            "list \"%s\" has rules by sex, but people have no text attribute \"sex\"",
            list->id);
    err_hint(c->err, "add it to people, as in sex: {column: sex, type: text}");
    c->plan->sex_attribute = 0; /* said once; the plan is refused */
}

static void add_pick(Compiler *c, Source *source, Pick pick, uint32_t feature)
{
    CodeList *list = &c->plan->lists[pick.list];

    list->is_used = true;
    for (int e = 0; e < list->n_entries; e++) {
        const ListEntry *entry = &list->entries[e];

        if ((pick.category >= 0 && entry->category != pick.category) ||
            !has_system(source, code_system(entry->code)))
            continue;
        check_entry(c, source, list, entry);
        matcher_add(source->matcher, entry, feature);
    }
}

/* ---- what features need ------------------------------------------------ */

static void add_feature(Compiler *c, Source *source, int number, Hit **uncoded)
{
    Feature *feature = &c->plan->features[number];
    const FeatureNote *note = &c->notes[number];

    feature->picks = note->picks;
    feature->n_picks = note->n_picks;
    if (feature->from < source->oldest)
        source->oldest = feature->from;
    source->wants_undated |= feature->is_ever;
    source->needs_code |= feature->has_codes || count_needs(feature->count, FIELD_CODE);
    source->keeps_value |= count_needs(feature->count, FIELD_VALUE);
    source->keeps_end |= count_needs(feature->count, FIELD_END);
    if (!feature->has_codes)
        *COMPILE_ADD(c, *uncoded, source->n_uncoded) =
            (Hit){.above = -INFINITY, .below = INFINITY, .feature = (uint32_t)number};
    for (int p = 0; p < note->n_picks; p++)
        add_pick(c, source, note->picks[p], (uint32_t)number);
}

static void add_features(Compiler *c, Source *source)
{
    Plan *plan = c->plan;
    Hit *uncoded = NULL;
    bool is_any = false;

    source->matcher = matcher_new(c->arena);
    source->oldest = DAY_LAST;
    for (int f = 0; f < plan->n_features; f++) {
        if (!plan->features[f].is_used || plan->features[f].source != source->number)
            continue;
        add_feature(c, source, f, &uncoded);
        is_any = true;
    }
    if (!is_any)
        source->oldest = DAY_FIRST; /* read for a gate */
    source->uncoded = uncoded;
    matcher_build(source->matcher);
}

/* ---- columns ----------------------------------------------------------- */

static bool reads_value(const Source *source)
{
    for (int i = 0; i < source->n_conditions; i++) {
        if (source->conditions[i].attribute < 0)
            return true;
    }
    return source->keeps_value;
}

static bool is_asked_for(const Source *source, const Column *column)
{
    switch (column->field) {
    case FIELD_ATTRIBUTE:
        return source->attributes[column->index].is_used;
    case FIELD_END:
        return source->role != ROLE_EVENTS || source->keeps_end;
    case FIELD_CODE:
    case FIELD_SYSTEM:
        return source->needs_code;
    case FIELD_VALUE:
        return reads_value(source);
    case FIELD_KEY:
        return source->is_unique;
    default:
        return true;
    }
}

static void drop_columns(Source *source)
{
    bool is_whole_row = source->is_unique && source_column(source, FIELD_KEY) == NULL;
    int n = 0;

    if (is_whole_row) {
        for (int a = 0; a < source->n_attributes; a++)
            source->attributes[a].is_used = true;
        return; /* rows are compared by all they have */
    }
    for (int i = 0; i < source->n_columns; i++) {
        if (is_asked_for(source, &source->columns[i]))
            source->columns[n++] = source->columns[i];
    }
    source->n_columns = n;
}

/* Before anything is dropped. */
static void keep_mapping(Compiler *c)
{
    Plan *plan = c->plan;

    plan->n_mapped = plan->n_sources;
    plan->mapped = arena_alloc(c->arena, (size_t)plan->n_sources, sizeof *plan->mapped);
    for (int s = 0; s < plan->n_sources; s++) {
        Source *source = &plan->mapped[s];
        size_t n = (size_t)plan->sources[s].n_columns;

        *source = plan->sources[s];
        source->columns = arena_alloc(c->arena, n, sizeof *source->columns);
        memcpy(source->columns, plan->sources[s].columns, n * sizeof *source->columns);
    }
}

/* ---- the whole --------------------------------------------------------- */

void compile_finish(Compiler *c)
{
    Plan *plan = c->plan;

    plan->sex_attribute = -1;
    keep_mapping(c);
    drop_sources(c);
    for (int s = 0; s < plan->n_event_sources; s++) {
        Source *source = events_of(plan, s);

        drop_conditions(plan, source);
        for (int i = 0; i < source->n_conditions; i++) {
            if (source->conditions[i].attribute >= 0)
                source->attributes[source->conditions[i].attribute].is_used = true;
        }
        add_features(c, source);
        drop_columns(source);
    }
    drop_columns((Source *)plan->people);
}
