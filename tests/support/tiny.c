/*
 * tiny.c - a plan and a store of a few people, built by hand for tests of models.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/tiny.h"

enum { MOST_EVENTS = 400000, MOST_HITS = 256, MOST_PEOPLE = 20000 };

typedef struct TinyEvent {
    uint32_t person, conditions;
    int32_t day, end;
    Code code;
    double value;
} TinyEvent;

typedef struct TinyHit {
    Code code;
    Hit hit;
} TinyHit;

struct TinySource {
    TinyEvent *events;
    size_t n_events;
    TinyHit hits[MOST_HITS];
    int n_hits;
    Hit uncoded[MOST_HITS];
};

Tiny *tiny_new(void)
{
    Tiny *tiny = mem_alloc(1, sizeof *tiny, "tiny");
    Plan *plan = &tiny->plan;
    Arena *arena = arena_new();

    tiny->arena = arena;
    tiny->sources = mem_alloc(TINY_MOST_SOURCES, sizeof *tiny->sources, "tiny");
    plan->as_of = tiny_day("2025-07-01");
    plan->sources = arena_alloc(arena, 1 + TINY_MOST_SOURCES, sizeof *plan->sources);
    plan->sources[0] = (Source){.name = "people", .role = ROLE_PEOPLE, .number = -1};
    plan->sources[0].attributes =
        arena_alloc(arena, TINY_MOST_ATTRIBUTES, sizeof(Attribute));
    plan->n_sources = 1;
    plan->people = &plan->sources[0];
    plan->sex_attribute = -1;
    plan->features = arena_alloc(arena, TINY_MOST_FEATURES, sizeof *plan->features);
    plan->derived = arena_alloc(arena, TINY_MOST_DERIVED, sizeof *plan->derived);
    plan->models = arena_alloc(arena, TINY_MOST_MODELS, sizeof *plan->models);
    plan->steps =
        arena_alloc(arena, TINY_MOST_DERIVED + TINY_MOST_MODELS, sizeof *plan->steps);
    plan->slots = arena_alloc(arena, TINY_MOST_SLOTS, sizeof *plan->slots);
    plan->slots[0] = (Slot){.name = "age", .label = "Age", .kind = SLOT_AGE};
    tiny->names[0] = (RuleName){.name = "age"};
    plan->n_slots = 1;
    tiny->store.person = arena_alloc(arena, MOST_PEOPLE, sizeof *tiny->store.person);
    tiny->store.birth = arena_alloc(arena, MOST_PEOPLE, sizeof *tiny->store.birth);
    tiny->store.attribute = arena_alloc(arena, TINY_MOST_ATTRIBUTES, sizeof(double *));
    return tiny;
}

void tiny_free(Tiny *tiny)
{
    for (int s = 0; s < TINY_MOST_SOURCES; s++)
        free(tiny->sources[s].events);
    free(tiny->sources);
    arena_free(tiny->arena);
    free(tiny);
}

int32_t tiny_day(const char *text)
{
    int32_t day = DAY_UNKNOWN;

    if (text == NULL || *text == '\0')
        return DAY_UNKNOWN;
    if (!day_parse(&day, text, strlen(text)))
        abort();
    return day;
}

static Code code_of(const char *text)
{
    Code code = {0, 0};

    if (text != NULL && code_of_text(&code, SYSTEM_LOCAL, text, strlen(text)) != CODE_OK)
        abort();
    return code;
}

static uint32_t add_slot(Tiny *tiny, Slot slot)
{
    uint32_t number = tiny->plan.n_slots++;

    assert(number < TINY_MOST_SLOTS);
    tiny->plan.slots[number] = slot;
    tiny->names[number] = (RuleName){
        .name = slot.name, .type = slot.type, .slot = number, .words = slot.words};
    return number;
}

static Words *words_of(Tiny *tiny, const char *text)
{
    Words *words = arena_alloc(tiny->arena, 1, sizeof *words);
    char *copy = arena_text(tiny->arena, text, strlen(text)), *rest = NULL;

    words->is_open = true;
    for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
        words_index(words, w, tiny->arena);
    return words;
}

int tiny_attribute(Tiny *tiny, const char *id, const char *words)
{
    Source *people = &tiny->plan.sources[0];
    int number = people->n_attributes++;
    Attribute *attribute = &people->attributes[number];
    double *column = arena_alloc(tiny->arena, MOST_PEOPLE, sizeof *column);

    attribute->id = id;
    attribute->type = words != NULL ? RULE_WORD : RULE_NUMBER;
    attribute->words = words != NULL ? words_of(tiny, words) : NULL;
    for (int p = 0; p < MOST_PEOPLE; p++)
        column[p] = NAN;
    tiny->store.attribute[number] = column;
    if (strcmp(id, "sex") == 0)
        tiny->plan.sex_attribute = number;
    add_slot(tiny, (Slot){.name = id,
                          .label = id,
                          .kind = SLOT_ATTRIBUTE,
                          .index = number,
                          .type = attribute->type,
                          .words = attribute->words});
    return number;
}

int tiny_source(Tiny *tiny, const char *name)
{
    Plan *plan = &tiny->plan;
    int number = plan->n_event_sources++;

    plan->sources[plan->n_sources++] = (Source){
        .name = name, .role = ROLE_EVENTS, .number = number, .system = SYSTEM_LOCAL};
    tiny->sources[number].events =
        mem_alloc(MOST_EVENTS, sizeof(TinyEvent), "tiny events");
    return number;
}

Feature *tiny_feature(Tiny *tiny, int source, const char *id, Count count,
                      const char *from)
{
    Plan *plan = &tiny->plan;
    int number = plan->n_features++;
    Feature *feature = &plan->features[number];
    bool has_zero = count <= COUNT_SUM || count >= COUNT_BED_DAYS;

    assert(number < TINY_MOST_FEATURES);
    *feature = (Feature){.id = id, .label = id, .source = source, .count = count};
    feature->is_ever = from == NULL;
    feature->from = from != NULL ? tiny_day(from) : DAY_FIRST;
    feature->to = plan->as_of;
    feature->window_text = from != NULL ? "a while" : "ever";
    feature->missing = has_zero ? 0 : NAN;
    feature->slot =
        add_slot(tiny, (Slot){.name = id,
                              .label = id,
                              .kind = SLOT_FEATURE,
                              .index = number,
                              .type = count == COUNT_EXISTS || count == COUNT_REPEAT
                                          ? RULE_YESNO
                                          : RULE_NUMBER});
    return feature;
}

static Hit hit_of(const Tiny *tiny, const Feature *feature)
{
    return (Hit){.above = -INFINITY,
                 .below = INFINITY,
                 .feature = (uint32_t)(feature - tiny->plan.features)};
}

Hit *tiny_hit(Tiny *tiny, const Feature *feature, const char *code)
{
    struct TinySource *source = &tiny->sources[feature->source];
    TinyHit *hit = &source->hits[source->n_hits++];

    assert(source->n_hits <= MOST_HITS);
    hit->code = code_of(code);
    hit->hit = hit_of(tiny, feature);
    return &hit->hit;
}

Hit *tiny_uncoded(Tiny *tiny, const Feature *feature)
{
    Source *source = (Source *)plan_events(&tiny->plan, feature->source);
    Hit *hit = &tiny->sources[feature->source].uncoded[source->n_uncoded++];

    *hit = hit_of(tiny, feature);
    source->uncoded = tiny->sources[feature->source].uncoded;
    return hit;
}

const Rule *tiny_rule(Tiny *tiny, RuleType type, const char *text)
{
    Scope scope = {tiny->names, tiny->plan.n_slots, tiny->arena};
    const Rule *rule =
        rule_compile(text, (Where){"tiny", 1, 1}, type, &scope, &tiny->err);

    assert(rule != NULL);
    return rule;
}

Derived *tiny_derived(Tiny *tiny, const char *id, RuleType type, const char *text)
{
    Plan *plan = &tiny->plan;
    int number = plan->n_derived++;
    Derived *derived = &plan->derived[number];

    *derived = (Derived){.id = id, .label = id, .rule = tiny_rule(tiny, type, text)};
    derived->slot = add_slot(tiny, (Slot){.name = id,
                                          .label = id,
                                          .kind = SLOT_DERIVED,
                                          .index = number,
                                          .type = type});
    plan->steps[plan->n_steps++] = (Step){false, number};
    return derived;
}

uint32_t tiny_slot(const Tiny *tiny, const char *name)
{
    for (uint32_t s = 0; s < tiny->plan.n_slots; s++)
        if (strcmp(tiny->plan.slots[s].name, name) == 0)
            return s;
    return UINT32_MAX;
}

Model *tiny_model(Tiny *tiny, const char *id, const ModelKind *kind)
{
    Plan *plan = &tiny->plan;
    int number = plan->n_models++;
    Model *model = &plan->models[number];
    const char *score = arena_format(tiny->arena, "%s.score", id);
    const char *band = arena_format(tiny->arena, "%s.band", id);

    *model = (Model){.id = id, .version = "1", .title = id, .kind = kind};
    model->reasons = arena_alloc(tiny->arena, 1, sizeof *model->reasons);
    model->reasons[0].text = "scored";
    model->n_reasons = 1;
    model->terms = arena_alloc(tiny->arena, TINY_MOST_TERMS, sizeof *model->terms);
    model->scale = 1;
    model->denominator = model->multiply = 1;
    model->floor = -INFINITY;
    model->ceiling = INFINITY;
    model->score_slot = add_slot(
        tiny, (Slot){.name = score, .label = id, .kind = SLOT_SCORE, .index = number});
    model->band_slot = add_slot(tiny, (Slot){.name = band,
                                             .label = id,
                                             .kind = SLOT_BAND,
                                             .index = number,
                                             .type = RULE_NUMBER});
    plan->steps[plan->n_steps++] = (Step){true, number};
    return model;
}

Term *tiny_term(Tiny *tiny, Model *model, const char *value, double weight)
{
    Term *term = &model->terms[model->n_terms++];
    uint32_t slot = tiny_slot(tiny, value);

    assert(model->n_terms <= TINY_MOST_TERMS);
    *term = (Term){.id = value, .label = value, .slot = slot, .weight = weight};
    term->points = llround(weight * (double)model->scale);
    term->least = -INFINITY;
    term->most = INFINITY;
    if (slot == UINT32_MAX) {
        size_t n = 0;
        const uint32_t *slots;

        term->value = tiny_rule(tiny, RULE_NUMBER, value);
        slots = rule_slots(term->value, &n);
        term->slot = n > 0 ? slots[0] : 0;
    }
    return term;
}

int tiny_compile(Tiny *tiny, Model *model)
{
    return model->kind->compile(model, &tiny->plan, NULL, tiny->arena, &tiny->err);
}

double model_score(const Model *model, const double *row, int *why)
{
    double score;

    model->kind->score(model, &row, 1, &score, why);
    return score;
}

uint32_t tiny_person(Tiny *tiny, const char *birth)
{
    uint32_t person = tiny->store.n_people++;

    assert(person < MOST_PEOPLE);
    tiny->store.person[person] = 1000 + (int64_t)person;
    tiny->store.birth[person] = tiny_day(birth);
    return person;
}

void tiny_set(Tiny *tiny, uint32_t person, int attribute, double value)
{
    tiny->store.attribute[attribute][person] = value;
}

void tiny_event(Tiny *tiny, int source, uint32_t person, const char *code,
                const char *day, TinyMore more)
{
    struct TinySource *to = &tiny->sources[source];

    assert(to->n_events < MOST_EVENTS);
    to->events[to->n_events++] = (TinyEvent){
        .person = person,
        .conditions = more.conditions,
        .day = tiny_day(day),
        .end = tiny_day(more.end),
        .code = code_of(code),
        .value = more.value == 0           ? NAN
                 : more.value == TINY_ZERO ? 0
                                           : more.value,
    };
}

static int compare_codes(const void *a, const void *b)
{
    const Code *x = a, *y = b;

    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    return x->low < y->low ? -1 : x->low > y->low;
}

static int compare_events(const void *a, const void *b)
{
    const TinyEvent *x = a, *y = b;

    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return compare_codes(&x->code, &y->code);
}

static int compare_hits(const void *a, const void *b)
{
    const TinyHit *x = a, *y = b;
    int order = compare_codes(&x->code, &y->code);

    if (order != 0)
        return order;
    return x->hit.feature < y->hit.feature ? -1 : x->hit.feature > y->hit.feature;
}

/* The distinct codes of the events, ascending; the hits of each. */
static void build_codes(Tiny *tiny, Events *events, struct TinySource *from)
{
    events->codes = arena_alloc(tiny->arena, from->n_events, sizeof(Code));
    for (size_t e = 0; e < from->n_events; e++)
        if (from->events[e].code.low != 0)
            events->codes[events->n_codes++] = from->events[e].code;
    qsort(events->codes, events->n_codes, sizeof(Code), compare_codes);
    for (uint32_t c = 0, n = 0, all = events->n_codes; c < all; c++) {
        if (n == 0 || !code_equal(events->codes[c], events->codes[n - 1]))
            events->codes[n++] = events->codes[c];
        events->n_codes = n;
    }
    qsort(from->hits, (size_t)from->n_hits, sizeof *from->hits, compare_hits);
    events->hit_start = arena_alloc(tiny->arena, events->n_codes + 1, sizeof(uint32_t));
    events->hits = arena_alloc(tiny->arena, (size_t)from->n_hits, sizeof(Hit));
    for (uint32_t c = 0, n = 0; c < events->n_codes; c++) {
        for (int h = 0; h < from->n_hits; h++)
            if (code_equal(from->hits[h].code, events->codes[c]))
                events->hits[n++] = from->hits[h].hit;
        events->hit_start[c + 1] = n;
    }
}

static uint32_t code_index(const Events *events, Code code)
{
    const Code *found;

    if (code.low == 0)
        return CODE_NONE;
    found = bsearch(&code, events->codes, events->n_codes, sizeof code, compare_codes);
    return (uint32_t)(found - events->codes);
}

static void build_source(Tiny *tiny, int number)
{
    struct TinySource *from = &tiny->sources[number];
    Events *events = &tiny->store.events[number];
    size_t n = from->n_events;

    qsort(from->events, n, sizeof *from->events, compare_events);
    build_codes(tiny, events, from);
    events->n = n;
    events->start = arena_alloc(tiny->arena, tiny->store.n_people + 1, sizeof(uint64_t));
    events->day = arena_alloc(tiny->arena, n, sizeof *events->day);
    events->code = arena_alloc(tiny->arena, n, sizeof *events->code);
    events->conditions = arena_alloc(tiny->arena, n, sizeof *events->conditions);
    events->value = arena_alloc(tiny->arena, n, sizeof *events->value);
    events->end = arena_alloc(tiny->arena, n, sizeof *events->end);
    for (size_t e = 0; e < n; e++) {
        events->day[e] = from->events[e].day;
        events->code[e] = code_index(events, from->events[e].code);
        events->conditions[e] = from->events[e].conditions;
        events->value[e] = from->events[e].value;
        events->end[e] = from->events[e].end;
        events->start[from->events[e].person + 1]++;
    }
    for (uint32_t p = 0; p < tiny->store.n_people; p++)
        events->start[p + 1] += events->start[p];
}

void tiny_build(Tiny *tiny)
{
    tiny->store.events =
        arena_alloc(tiny->arena, TINY_MOST_SOURCES, sizeof *tiny->store.events);
    for (int s = 0; s < tiny->plan.n_event_sources; s++)
        build_source(tiny, s);
}
