/*
 * town.c - see town.h.
 */
#include "tests/support/town.h"

#include <math.h>
#include <string.h>

static const ModelKind KIND = {"points", NULL, NULL, NULL, NULL};

static void add_models(Town *town)
{
    static Replaceable weight[] = {{"Weight", 0}};
    static const char *const ID[TOWN_MODELS] = {"risk", "count"};
    static Band bands[] = {
        {.id = "low", .label = "Low", .bound = 0.5},
        {.id = "high", .label = "High", .bound = INFINITY},
    };
    static ModelReason reasons[] = {
        {"scored", false, NULL}, {"under 18", true, NULL}, {"no weight", false, NULL}};

    town->plan.n_models = TOWN_MODELS;
    town->plan.models = arena_alloc(town->arena, TOWN_MODELS, sizeof(Model));
    for (int m = 0; m < TOWN_MODELS; m++) {
        Model *model = &town->plan.models[m];

        model->id = ID[m];
        model->version = "1";
        model->kind = &KIND;
        model->reasons = reasons;
        model->n_reasons = m == TOWN_RISK ? 3 : 1;
        model->bands = bands;
        model->n_bands = m == TOWN_RISK ? 2 : 0;
        model->n_replaceable = m == TOWN_RISK;
        model->replaceable = weight;
        model->score_slot = 1 + 2 * (uint32_t)m;
        model->band_slot = 2 + 2 * (uint32_t)m;
    }
}

static void add_slots(Town *town)
{
    town->plan.n_slots = 1 + 2 * TOWN_MODELS;
    town->plan.slots = arena_alloc(town->arena, town->plan.n_slots, sizeof(Slot));
    town->plan.slots[0] = (Slot){.name = "age", .kind = SLOT_AGE};
    for (int m = 0; m < TOWN_MODELS; m++) {
        town->plan.slots[1 + 2 * m] = (Slot){.kind = SLOT_SCORE, .index = m};
        town->plan.slots[2 + 2 * m] = (Slot){.kind = SLOT_BAND, .index = m};
    }
}

static void add_rules(Town *town)
{
    static Segment segments[] = {{.id = "few", .label = "A few"},
                                 {.id = "rest", .label = "Everyone else"}};
    OrderBy *order = arena_alloc(town->arena, 2, sizeof *order);
    int *show = arena_alloc(town->arena, 1, sizeof *show);
    Cohort *cohort = arena_alloc(town->arena, 1, sizeof *cohort);

    order[0] = (OrderBy){1, true}; /* risk.score desc */
    order[1] = (OrderBy){0, true}; /* age desc */
    *cohort = (Cohort){.id = "watch",
                       .title = "People to watch",
                       .service = "Team",
                       .grouping = TOWN_PCN,
                       .order = order,
                       .n_order = 2,
                       .capacity = UINT32_MAX,
                       .show = show,
                       .n_show = 1,
                       .n_most_reasons = 5};
    town->plan.segments = segments;
    town->plan.n_segments = 2;
    town->plan.cohorts = cohort;
    town->plan.n_cohorts = 1;
}

static void add_sources(Town *town)
{
    static const Role ROLES[TOWN_SOURCES] = {ROLE_PEOPLE, ROLE_PRACTICES, ROLE_EVENTS};
    static const char *const NAMES[TOWN_SOURCES] = {"people", "practices", "gp"};
    static Grouping groupings[TOWN_GROUPINGS] = {
        {"all", "Everyone"}, {"practice", "Practice"}, {"pcn", "PCN"}};
    static const char *purposes[] = {"direct-care"};

    town->plan.sources = arena_alloc(town->arena, TOWN_SOURCES, sizeof(Source));
    town->plan.n_sources = TOWN_SOURCES;
    town->plan.n_event_sources = 1;
    for (int s = 0; s < TOWN_SOURCES; s++) {
        town->plan.sources[s].name = NAMES[s];
        town->plan.sources[s].role = ROLES[s];
        town->plan.sources[s].number = s == TOWN_GP ? 0 : -1;
    }
    town->plan.people = &town->plan.sources[TOWN_PEOPLE_SOURCE];
    town->plan.groupings = groupings;
    town->plan.n_groupings = TOWN_GROUPINGS;
    town->plan.purposes = purposes;
    town->plan.n_purposes = 1;
    town->plan.purpose = 1;
    town->plan.sex_attribute = -1;
    town->plan.lists = arena_alloc(town->arena, 1, sizeof(CodeList));
    town->plan.lists[0] = (CodeList){.id = "codes", .version = "1", .is_used = true};
    town->plan.n_lists = 1;
}

static void add_area(Town *town)
{
    static const uint16_t GROUP_OF[TOWN_GROUPINGS][TOWN_PRACTICES] = {
        {0, 0, 0, 0}, {0, 1, 2, 3}, {0, 0, 1, GROUP_NONE}};
    static const char *const CODES[TOWN_GROUPINGS][TOWN_PRACTICES] = {
        {"all"}, {"P1", "P2", "P3", "P4"}, {"A", "B"}};
    static const uint32_t N[TOWN_GROUPINGS] = {1, TOWN_PRACTICES, 2};
    Area *area = &town->store.area;

    area->n_groupings = TOWN_GROUPINGS;
    for (int g = 0; g < TOWN_GROUPINGS; g++) {
        area->n_groups[g] = N[g];
        area->groups[g] = arena_alloc(town->arena, N[g], sizeof(Group));
        area->group_of[g] = arena_alloc(town->arena, TOWN_PRACTICES, sizeof(uint16_t));
        memcpy(area->group_of[g], GROUP_OF[g], sizeof GROUP_OF[g]);
        for (uint32_t k = 0; k < N[g]; k++)
            area->groups[g][k] = (Group){CODES[g][k], CODES[g][k], 0};
    }
}

static void add_people(Town *town, uint32_t n)
{
    Store *store = &town->store;

    store->n_people = n;
    store->n_known = n;
    store->person = arena_alloc(town->arena, n, sizeof *store->person);
    store->birth = arena_alloc(town->arena, n, sizeof *store->birth);
    store->practice = arena_alloc(town->arena, n, sizeof *store->practice);
    for (uint32_t i = 0; i < n; i++) {
        store->person[i] = 100 + i;
        store->birth[i] = day_of(1950, 1, 1);
    }
    store->n_exclusions = EXCLUDED_OPT_OUT;
    store->excluded = arena_alloc(town->arena, EXCLUDED_OPT_OUT, sizeof(uint64_t));
    store->counts = arena_alloc(town->arena, TOWN_SOURCES, sizeof *store->counts);
    for (int s = 0; s < TOWN_SOURCES; s++)
        store->counts[s].latest = DAY_UNKNOWN;
    store->events = arena_alloc(town->arena, 1, sizeof *store->events);
    store->events[0].start = arena_alloc(town->arena, n + 1, sizeof(uint64_t));
    store->list_people = arena_alloc(town->arena, 1, sizeof(uint64_t));
    store->snapshot = "";
}

static void add_results(Town *town, uint32_t n)
{
    Scores *scores = &town->scores;

    scores->n_models = TOWN_MODELS;
    scores->n_people = n;
    scores->score = arena_alloc(town->arena, TOWN_MODELS, sizeof(double *));
    scores->outcome = arena_alloc(town->arena, TOWN_MODELS, sizeof(uint8_t *));
    scores->band = arena_alloc(town->arena, TOWN_MODELS, sizeof(int8_t *));
    scores->flag = arena_alloc(town->arena, TOWN_MODELS, sizeof(uint8_t *));
    scores->replaced = arena_alloc(town->arena, TOWN_MODELS, sizeof(InputCount *));
    for (int m = 0; m < TOWN_MODELS; m++) {
        scores->score[m] = arena_alloc(town->arena, n, sizeof(double));
        scores->outcome[m] = arena_alloc(town->arena, n, 1);
        scores->band[m] = arena_alloc(town->arena, n, 1);
    }
    scores->flag[TOWN_RISK] = arena_alloc(town->arena, n, 1);
    scores->replaced[TOWN_RISK] = arena_alloc(town->arena, 1, sizeof(InputCount));
    town->matches.segment = arena_alloc(town->arena, n, 1);
    memset(town->matches.segment, 1, n);
    town->matches.cohort = arena_alloc(town->arena, n, sizeof(uint64_t));
    town->results = (Results){&town->plan,   &town->store,   &town->scores,
                              &town->strata, &town->matches, &town->cohorts};
}

void town_previous(Town *town, const PreviousRun *previous)
{
    PreviousRun *own = &town->previous;

    *own = *previous;
    own->source_rows = arena_alloc(town->arena, TOWN_SOURCES, sizeof(int64_t));
    own->list_rows = arena_alloc(town->arena, 1, sizeof(int64_t));
    own->mean_score = arena_alloc(town->arena, TOWN_MODELS, sizeof(double));
    memcpy(own->source_rows, previous->source_rows, TOWN_SOURCES * sizeof(int64_t));
    memcpy(own->list_rows, previous->list_rows, sizeof(int64_t));
    memcpy(own->mean_score, previous->mean_score, TOWN_MODELS * sizeof(double));
}

static void add_previous(Town *town)
{
    int64_t rows[TOWN_SOURCES] = {-1, -1, -1};
    double mean[TOWN_MODELS] = {NAN, NAN};
    PreviousRun none = {.source_rows = rows, .list_rows = rows, .mean_score = mean};

    town_previous(town, &none);
}

Town *town_new(uint32_t n_people)
{
    Arena *arena = arena_new();
    Town *town = arena_alloc(arena, 1, sizeof *town);

    town->arena = arena;
    town->plan.path = "run.yaml";
    town->plan.title = "Town";
    town->plan.as_of = day_of(2025, 7, 1);
    memset(town->plan.hash, 'a', 64);
    add_sources(town);
    add_slots(town);
    add_models(town);
    add_rules(town);
    add_area(town);
    add_people(town, n_people);
    add_results(town, n_people);
    add_previous(town);
    return town;
}

void town_build(Town *town)
{
    Store *store = &town->store;

    for (uint32_t i = 0; i < store->n_people; i++) {
        for (int g = 0; g < TOWN_GROUPINGS; g++)
            if (store_group(store, g, i) != GROUP_NONE)
                store->area.groups[g][store_group(store, g, i)].n_people++;
        for (int m = 0; m < TOWN_MODELS; m++)
            town->scores.band[m][i] =
                (int8_t)model_band(&town->plan.models[m], town->scores.score[m][i]);
    }
    store->counts[TOWN_PEOPLE_SOURCE].rows = store->n_people;
    store->counts[TOWN_PEOPLE_SOURCE].fate[ROW_KEPT] = store->n_people;
    strata_band(&town->scores, &town->plan, store);
    cohorts_build(&town->cohorts, &town->results, &town->previous);
    strata_build(&town->strata, &town->scores, &town->plan, store);
}

void town_free(Town *town)
{
    cohorts_free(&town->cohorts);
    strata_free(&town->strata);
    arena_free(town->arena);
}
