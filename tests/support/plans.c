/*
 * plans.c - see plans.h.
 */
#include "tests/support/plans.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int32_t plans_day(const char *text)
{
    int32_t day = DAY_UNKNOWN;
    bool is_day = day_parse(&day, text, strlen(text));

    assert(is_day);
    return day;
}

Source *plans_source(Plan *plan, const char *name)
{
    for (int s = 0; s < plan->n_sources; s++)
        if (strcmp(plan->sources[s].name, name) == 0)
            return &plan->sources[s];
    assert(!"a source of that name");
    return NULL;
}

typedef struct ColumnText {
    const char *name;
    Field field;
    int index;
} ColumnText;

/* Ends at a name of NULL. */
static void set_columns(Source *source, Arena *arena, const ColumnText *columns)
{
    int n = 0;

    while (columns[n].name != NULL)
        n++;
    source->columns = arena_alloc(arena, (size_t)n, sizeof *source->columns);
    source->n_columns = n;
    for (int c = 0; c < n; c++)
        source->columns[c] = (Column){columns[c].name,
                                      columns[c].field,
                                      columns[c].index,
                                      {"sources.yaml", 10 + (uint64_t)c, 5}};
}

static const ColumnText PEOPLE[] = {
    {"id", FIELD_PERSON, -1}, {"birth", FIELD_BIRTH, -1},  {"death", FIELD_DEATH, -1},
    {"test", FIELD_TEST, -1}, {"sex", FIELD_ATTRIBUTE, 0}, {"imd", FIELD_ATTRIBUTE, 1},
    {NULL, FIELD_PERSON, 0},
};
static const ColumnText REGISTRATIONS[] = {
    {"id", FIELD_PERSON, -1},        {"practice", FIELD_PRACTICE, -1},
    {"start_date", FIELD_START, -1}, {"end_date", FIELD_END, -1},
    {NULL, FIELD_PERSON, 0},
};
static const ColumnText PRACTICES[] = {
    {"practice", FIELD_PRACTICE, -1}, {"name", FIELD_NAME, -1},
    {"pcn", FIELD_GROUPING, 2},       {"pcn_name", FIELD_NAME, 2},
    {"locality", FIELD_GROUPING, 3},  {NULL, FIELD_PERSON, 0},
};
static const ColumnText OPT_OUTS[] = {
    {"id", FIELD_PERSON, -1},
    {"type", FIELD_TYPE, -1},
    {"date", FIELD_DATE, -1},
    {NULL, FIELD_PERSON, 0},
};
static const ColumnText GP[] = {
    {"id", FIELD_PERSON, -1},   {"date", FIELD_DATE, -1}, {"code", FIELD_CODE, -1},
    {"value", FIELD_VALUE, -1}, {NULL, FIELD_PERSON, 0},
};
static const ColumnText RX[] = {
    {"id", FIELD_PERSON, -1},
    {"date", FIELD_DATE, -1},
    {"code", FIELD_CODE, -1},
    {NULL, FIELD_PERSON, 0},
};
static const ColumnText SPELLS[] = {
    {"id", FIELD_PERSON, -1},       {"date", FIELD_DATE, -1}, {"end_date", FIELD_END, -1},
    {"method", FIELD_ATTRIBUTE, 0}, {"key", FIELD_KEY, -1},   {NULL, FIELD_PERSON, 0},
};

static const struct {
    const char *name;
    Role role;
    const ColumnText *columns;
    System system;
} SOURCES[] = {
    {"people", ROLE_PEOPLE, PEOPLE, SYSTEM_NONE},
    {"registrations", ROLE_REGISTRATIONS, REGISTRATIONS, SYSTEM_NONE},
    {"practices", ROLE_PRACTICES, PRACTICES, SYSTEM_NONE},
    {"opt_outs", ROLE_OPT_OUTS, OPT_OUTS, SYSTEM_NONE},
    {"gp", ROLE_EVENTS, GP, SYSTEM_SNOMED},
    {"rx", ROLE_EVENTS, RX, SYSTEM_BNF},
    {"spells", ROLE_EVENTS, SPELLS, SYSTEM_NONE},
};
enum { N_SOURCES = sizeof SOURCES / sizeof *SOURCES };

static void make_sources(Plan *plan, Arena *arena, const SourceKind *kind,
                         const char *place)
{
    plan->sources = arena_alloc(arena, N_SOURCES, sizeof *plan->sources);
    plan->n_sources = N_SOURCES;
    plan->n_event_sources = 3;
    for (int s = 0; s < N_SOURCES; s++) {
        Source *source = &plan->sources[s];
        const char *dot = *place == '\0' ? "" : ".";

        source->name = SOURCES[s].name;
        source->role = SOURCES[s].role;
        source->kind = kind;
        source->where = (Where){"sources.yaml", 3, 1};
        source->place_where = (Where){"sources.yaml", 4, 10};
        source->table = arena_format(arena, "%s%st_%s", place, dot, source->name);
        source->files = arena_format(arena, "%s/%s*.csv*", place, source->name);
        source->date_format = "YYYY-MM-DD";
        source->system = SOURCES[s].system;
        source->max_rejected = 1;
        source->sentinels = arena_alloc(arena, 2, sizeof *source->sentinels);
        source->sentinels[0] = plans_day("1900-01-01");
        source->sentinels[1] = plans_day("9999-12-31");
        source->n_sentinels = 2;
        source->number = source->role == ROLE_EVENTS ? s - (N_SOURCES - 3) : -1;
        set_columns(source, arena, SOURCES[s].columns);
    }
    plan->people = &plan->sources[0];
    plan->registrations = &plan->sources[1];
    plan->practices = &plan->sources[2];
    plan->opt_out_rows = &plan->sources[3];
}

static void make_attributes(Plan *plan, Arena *arena)
{
    Source *people = plans_source(plan, "people"), *spells = plans_source(plan, "spells");
    Attribute *a = arena_alloc(arena, 2, sizeof *a);
    static const char *const FROM[] = {"1", "2"}, *const TO[] = {"M", "F"};

    a[0] = (Attribute){.id = "sex", .type = RULE_WORD, .n_values = 2, .is_used = true};
    a[0].value_from = arena_alloc(arena, 2, sizeof(char *));
    a[0].value_to = arena_alloc(arena, 2, sizeof(char *));
    memcpy(a[0].value_from, FROM, sizeof FROM);
    memcpy(a[0].value_to, TO, sizeof TO);
    a[0].words = arena_alloc(arena, 1, sizeof *a[0].words);
    a[0].words->is_open = true;
    words_index(a[0].words, "M", arena);
    words_index(a[0].words, "F", arena);
    a[1] = (Attribute){.id = "imd", .type = RULE_NUMBER, .is_used = true};
    people->attributes = a;
    people->n_attributes = 2;
    spells->attributes = arena_alloc(arena, 1, sizeof *spells->attributes);
    spells->attributes[0] = (Attribute){.id = "method", .type = RULE_WORD};
    spells->attributes[0].words = arena_alloc(arena, 1, sizeof *a->words);
    spells->n_attributes = 1;
}

static void make_population(Plan *plan, Arena *arena)
{
    static const Grouping GROUPINGS[] = {{"all", "Everyone"},
                                         {"practice", "Practice"},
                                         {"pcn", "PCN"},
                                         {"locality", "Locality"}};
    Population *population = &plan->population;

    plan->groupings = arena_alloc(arena, 4, sizeof *plan->groupings);
    memcpy(plan->groupings, GROUPINGS, sizeof GROUPINGS);
    plan->n_groupings = 4;
    population->opt_outs = arena_alloc(arena, 2, sizeof *population->opt_outs);
    population->opt_outs[0] = (OptOut){"type-1", "Type 1 objection", true, 0};
    population->opt_outs[1] =
        (OptOut){"care", "objection to spells", false, UINT64_C(1) << PLANS_SPELLS};
    population->n_opt_outs = 2;
}

static Code code_of(System system, const char *text)
{
    Code code = {0, 0};
    CodeFault fault = code_of_text(&code, system, text, strlen(text));

    assert(fault == CODE_OK);
    return code;
}

static void make_lists(Plan *plan, Arena *arena)
{
    static const struct {
        const char *id, *code;
        System system;
        bool is_prefix;
        double above;
    } LISTS[] = {
        {"falls", "217082002", SYSTEM_SNOMED, false, -INFINITY},
        {"bmi", "60621009", SYSTEM_SNOMED, false, 30},
        {"antidepressants", "0403", SYSTEM_BNF, true, -INFINITY},
    };
    Matcher *gp = matcher_new(arena), *rx = matcher_new(arena);

    plan->n_lists = 3;
    plan->lists = arena_alloc(arena, 3, sizeof *plan->lists);
    for (uint32_t l = 0; l < 3; l++) {
        CodeList *list = &plan->lists[l];

        list->id = LISTS[l].id;
        list->is_used = true;
        list->entries = arena_alloc(arena, 1, sizeof *list->entries);
        list->n_entries = 1;
        list->entries[0] = (ListEntry){.code = code_of(LISTS[l].system, LISTS[l].code),
                                       .is_prefix = LISTS[l].is_prefix,
                                       .above = LISTS[l].above,
                                       .below = INFINITY};
        matcher_add(l < 2 ? gp : rx, &list->entries[0], l); /* list l is feature l */
    }
    matcher_build(gp);
    matcher_build(rx);
    plans_source(plan, "gp")->matcher = gp;
    plans_source(plan, "rx")->matcher = rx;
}

static void make_features(Plan *plan, Arena *arena)
{
    const int32_t d = plan->as_of, year = day_minus_months(d, 12);
    const Feature features[PLANS_N_FEATURES] = {
        {.id = "falls",
         .source = PLANS_GP,
         .count = COUNT_EXISTS,
         .from = DAY_FIRST,
         .to = d,
         .is_ever = true,
         .has_codes = true,
         .window_text = "ever"},
        {.id = "bmi",
         .source = PLANS_GP,
         .count = COUNT_LATEST,
         .from = year,
         .to = d,
         .has_codes = true,
         .window_text = "12 months"},
        {.id = "antidepressants",
         .source = PLANS_RX,
         .count = COUNT_ROWS,
         .from = day_minus_months(d, 6),
         .to = d,
         .has_codes = true,
         .window_text = "6 months"},
        {.id = "drugs",
         .source = PLANS_RX,
         .count = COUNT_CODES,
         .from = year,
         .to = d,
         .window_text = "12 months"},
        {.id = "emergencies",
         .source = PLANS_SPELLS,
         .count = COUNT_ROWS,
         .from = year,
         .to = d,
         .conditions = 1,
         .window_text = "12 months"},
        {.id = "bed_days",
         .source = PLANS_SPELLS,
         .count = COUNT_BED_DAYS,
         .from = year,
         .to = d,
         .window_text = "12 months"},
    };

    plan->features = arena_alloc(arena, PLANS_N_FEATURES, sizeof *plan->features);
    memcpy(plan->features, features, sizeof features);
    plan->n_features = PLANS_N_FEATURES;
}

static Hit *uncoded(Arena *arena, uint32_t first, int n)
{
    Hit *hits = arena_alloc(arena, (size_t)n, sizeof *hits);

    for (int h = 0; h < n; h++)
        hits[h] = (Hit){-INFINITY, INFINITY, first + (uint32_t)h, 0};
    return hits;
}

static void make_needs(Plan *plan, Arena *arena)
{
    static const char *const EMERGENCY[] = {"2*"};
    Source *gp = plans_source(plan, "gp"), *rx = plans_source(plan, "rx");
    Source *spells = plans_source(plan, "spells");

    gp->needs_code = gp->keeps_value = gp->wants_undated = true;
    gp->oldest = DAY_FIRST;
    rx->needs_code = true;
    rx->oldest = spells->oldest = day_minus_months(plan->as_of, 12);
    rx->uncoded = uncoded(arena, PLANS_DRUGS, 1);
    rx->n_uncoded = 1;
    spells->uncoded = uncoded(arena, PLANS_EMERGENCIES, 2);
    spells->n_uncoded = 2;
    spells->keeps_end = spells->is_unique = true;
    spells->conditions = arena_alloc(arena, 1, sizeof *spells->conditions);
    spells->conditions[0] = (Condition){.attribute = 0,
                                        .n_words = 1,
                                        .above = -INFINITY,
                                        .below = INFINITY,
                                        .least = -INFINITY,
                                        .most = INFINITY};
    spells->conditions[0].words = arena_alloc(arena, 1, sizeof(char *));
    memcpy(spells->conditions[0].words, EMERGENCY, sizeof EMERGENCY);
    spells->n_conditions = 1;
}

Plan *plans_small(Arena *arena, const SourceKind *kind, const char *place)
{
    Plan *plan = arena_alloc(arena, 1, sizeof *plan);

    plan->path = "run.yaml";
    plan->as_of = plans_day("2025-07-01");
    plan->sex_attribute = 0;
    make_sources(plan, arena, kind, place);
    make_attributes(plan, arena);
    make_population(plan, arena);
    make_lists(plan, arena);
    make_features(plan, arena);
    make_needs(plan, arena);
    return plan;
}

/* ---- what a store says -------------------------------------------------- */

static void dump_people(FILE *out, const Store *store, const Plan *plan)
{
    for (uint32_t p = 0; p < store->n_people; p++) {
        fprintf(out, "person %" PRId64 " born %" PRId32 " practice %u", store->person[p],
                store->birth[p], store->practice[p]);
        for (int a = 0; a < plan->people->n_attributes; a++)
            if (store->attribute[a] != NULL)
                fprintf(out, " %g", store->attribute[a][p]);
        fputc('\n', out);
    }
    for (int g = 0; g < store->area.n_groupings; g++)
        for (uint32_t i = 0; i < store->area.n_groups[g]; i++)
            fprintf(out, "group %d %s \"%s\" %" PRIu32 "\n", g,
                    store->area.groups[g][i].code, store->area.groups[g][i].name,
                    store->area.groups[g][i].n_people);
    for (int x = 0; x < store->n_exclusions; x++)
        fprintf(out, "%s: %" PRIu64 "\n", exclusion_text(plan, x), store->excluded[x]);
    fprintf(out, "known %" PRIu64 " ambiguous %" PRIu64 "\n", store->n_known,
            store->n_ambiguous);
}

static void dump_events(FILE *out, const Store *store, int number)
{
    const Events *events = &store->events[number];

    for (uint32_t p = 0; p < store->n_people; p++)
        for (uint64_t e = events->start[p]; e < events->start[p + 1]; e++) {
            char code[CODE_TEXT] = "-";

            if (events->code != NULL && events->code[e] != CODE_NONE)
                code_text(code, events->codes[events->code[e]]);
            fprintf(out, "%d: %" PRIu32 " %" PRId32 " %s %x %g %" PRId32 "\n", number, p,
                    events->day[e], code, events->conditions ? events->conditions[e] : 0,
                    events->value ? events->value[e] : NAN,
                    events->end ? events->end[e] : DAY_UNKNOWN);
        }
    for (uint32_t c = 0; c < events->n_codes; c++)
        for (uint32_t h = events->hit_start[c]; h < events->hit_start[c + 1]; h++)
            fprintf(out, "hit %" PRIu32 " %" PRIu32 "\n", c, events->hits[h].feature);
}

char *plans_dump(const Store *store, const Plan *plan)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    dump_people(out, store, plan);
    for (int s = 0; s < plan->n_event_sources; s++)
        dump_events(out, store, s);
    for (int s = 0; s < plan->n_sources; s++) {
        fprintf(out, "%s:", plan->sources[s].name);
        for (int f = 0; f < N_ROW_FATES; f++)
            if (store->counts[s].fate[f] > 0)
                fprintf(out, " %s %" PRIu64, row_fate_word[f], store->counts[s].fate[f]);
        fputc('\n', out);
    }
    for (int l = 0; l < plan->n_lists; l++)
        fprintf(out, "list %s %" PRIu64 "\n", plan->lists[l].id, store->list_people[l]);
    fclose(out);
    return text;
}
