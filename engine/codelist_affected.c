#include "engine/codelist_affected.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/feature.h"

/*
 * A copy of the run's plan that only asks, for each feature with a changed code and each
 * kind of change: is there a record that it counts?
 */
typedef struct Probe {
    Plan plan;
    const Plan *from;
    Arena *arena;
    bool is_after;
    Affected **affected; /* by feature of the probe */
    int room;
} Probe;

/* ---- features ------------------------------------------------------------ */

static bool takes_undated(Count count)
{
    return count == COUNT_EXISTS || count == COUNT_ROWS || count == COUNT_CODES ||
           (count >= COUNT_SUM && count <= COUNT_MEAN);
}

/* The source is still numbered as in the run's plan. */
static uint32_t add_feature(Probe *probe, const Feature *asked, Affected *affected)
{
    Plan *plan = &probe->plan;
    int n = plan->n_features;
    Feature *feature;

    if (n == probe->room) {
        probe->room = n > 0 ? 2 * n : 64;
        plan->features = arena_grow(probe->arena, plan->features, (size_t)n,
                                    (size_t)probe->room, sizeof *plan->features);
        probe->affected = arena_grow(probe->arena, probe->affected, (size_t)n,
                                     (size_t)probe->room, sizeof *probe->affected);
    }
    feature = &plan->features[n];
    *feature = *asked;
    feature->slot = (uint32_t)n;
    feature->is_ever = asked->is_ever && takes_undated(asked->count);
    feature->count = COUNT_EXISTS;
    feature->missing = 0;
    probe->affected[n] = affected;
    plan->n_features++;
    return (uint32_t)n;
}

/* Lines of the changed codes that the pick takes. A feature is added with the first. */
static void add_pick(Probe *probe, const Feature *asked, const Pick *pick, ListPair *pair)
{
    const CodeList *list = probe->is_after ? pair->after : pair->before;
    Matcher *matcher = probe->plan.sources[asked->source].matcher;
    int64_t feature[N_CHANGES] = {-1, -1, -1};

    for (int c = 0; c < pair->diff.n; c++) {
        const ListChange *change = &pair->diff.changes[c];
        const ListLine *lines = probe->is_after ? change->after : change->before;
        int n = probe->is_after ? change->n_after : change->n_before;

        for (int i = 0; i < n; i++) {
            int64_t *number = &feature[change->kind];

            if (pick->category >= 0 &&
                lines[i].category != &list->categories[pick->category])
                continue;
            if (*number < 0)
                *number = add_feature(probe, asked, &pair->affected[change->kind]);
            matcher_add(matcher, lines[i].entry, (uint32_t)*number);
        }
    }
}

static ListPair *find_pair(ListPair *pairs, int n, const char *id)
{
    for (int p = 0; p < n; p++)
        if (strcmp(pairs[p].id, id) == 0)
            return &pairs[p];
    return NULL;
}

static void add_features(Probe *probe, ListPair *pairs, int n_pairs)
{
    const Plan *from = probe->from;

    for (int f = 0; f < from->n_features; f++) {
        const Feature *feature = &from->features[f];

        for (int p = 0; feature->is_used && p < feature->n_picks; p++) {
            const Pick *pick = &feature->picks[p];
            ListPair *pair = find_pair(pairs, n_pairs, from->lists[pick->list].id);

            if (pair == NULL)
                continue;
            pair->is_counted = true;
            add_pick(probe, feature, pick, pair);
        }
    }
}

/* ---- sources ------------------------------------------------------------- */

static const Source *moved(const Plan *to, const Plan *from, const Source *source)
{
    return source == NULL ? NULL : &to->sources[source - from->sources];
}

/* For now [number] is the event source of that number. */
static void start(Probe *probe, const Plan *from)
{
    Plan *plan = &probe->plan;

    *plan = *from;
    plan->features = NULL;
    plan->n_features = plan->n_derived = plan->n_models = plan->n_steps = 0;
    plan->n_segments = plan->n_cohorts = plan->n_gates = plan->n_lists = 0;
    plan->sources = arena_alloc(probe->arena, (size_t)from->n_event_sources + 1,
                                sizeof *plan->sources);
    for (int s = 0; s < from->n_event_sources; s++) {
        plan->sources[s] = *plan_events(from, s);
        plan->sources[s].matcher = matcher_new(probe->arena);
        plan->sources[s].uncoded = NULL;
        plan->sources[s].n_uncoded = 0;
        /* Of the few rows that are read here a larger share may have a fault. */
        plan->sources[s].max_rejected = 1;
    }
}

static uint64_t moved_bits(uint64_t bits, const int *to, int n)
{
    uint64_t result = 0;

    for (int s = 0; s < n; s++)
        if ((bits >> s & 1) && to[s] >= 0)
            result |= UINT64_C(1) << to[s];
    return result;
}

/* The sources about people, then those event sources that some feature still asks. */
static void keep_sources(Probe *probe)
{
    Plan *plan = &probe->plan;
    const Plan *from = probe->from;
    Population *population = &plan->population;
    Source *events = plan->sources;
    OptOut *opt_outs =
        arena_grow(probe->arena, population->opt_outs, (size_t)population->n_opt_outs,
                   (size_t)population->n_opt_outs, sizeof *population->opt_outs);
    int first = from->n_sources - from->n_event_sources, n = 0;
    int to[MOST_EVENT_SOURCES];

    plan->sources =
        arena_alloc(probe->arena, (size_t)from->n_sources, sizeof *plan->sources);
    for (int s = 0; s < first; s++)
        plan->sources[s] = from->sources[s];
    for (int s = 0; s < from->n_event_sources; s++) {
        bool is_asked = false;

        for (int f = 0; f < plan->n_features; f++)
            is_asked |= plan->features[f].source == s;
        to[s] = is_asked ? n++ : -1;
        if (!is_asked)
            continue;
        matcher_build(events[s].matcher);
        events[s].number = to[s];
        plan->sources[first + to[s]] = events[s];
    }
    for (int f = 0; f < plan->n_features; f++)
        plan->features[f].source = to[plan->features[f].source];
    for (int o = 0; o < population->n_opt_outs; o++)
        opt_outs[o].sources = moved_bits(opt_outs[o].sources, to, from->n_event_sources);
    population->opt_outs = opt_outs;
    plan->n_event_sources = n;
    plan->n_sources = first + n;
    plan->n_slots = (uint32_t)plan->n_features;
    plan->people = moved(plan, from, from->people);
    plan->registrations = moved(plan, from, from->registrations);
    plan->practices = moved(plan, from, from->practices);
    plan->opt_out_rows = moved(plan, from, from->opt_out_rows);
}

/* ---- people -------------------------------------------------------------- */

static void add_person(Affected *affected, int64_t person)
{
    if (affected->n > 0 && affected->person[affected->n - 1] == person)
        return;
    if (affected->n == affected->room) {
        affected->room = 2 * affected->room + 256;
        affected->person = mem_grow(affected->person, affected->room,
                                    sizeof *affected->person, "people affected");
    }
    affected->person[affected->n++] = person;
}

static void add_people(const Probe *probe, const Store *store)
{
    const Plan *plan = &probe->plan;
    FeatureSet *set = feature_set_new(plan, store, false);
    Tally *tally = tally_new(set);
    double *row = mem_alloc(plan->n_slots, sizeof *row, "row");

    for (uint32_t person = 0; person < store->n_people; person++) {
        feature_row(row, NULL, tally, person);
        for (int f = 0; f < plan->n_features; f++)
            if (row[f] > 0)
                add_person(probe->affected[f], store->person[person]);
    }
    free(row);
    tally_free(tally);
    feature_set_free(set);
}

int affected_find(ListPair *pairs, int n_pairs, const Plan *plan, bool is_after,
                  const LoadOptions *how, Err *err)
{
    Probe probe = {.from = plan, .arena = arena_new(), .is_after = is_after};
    Store store = {0};
    int rc = 0;

    start(&probe, plan);
    add_features(&probe, pairs, n_pairs);
    if (probe.plan.n_features > 0) {
        keep_sources(&probe);
        rc = load_store(&store, &probe.plan, how, err);
        if (rc == 0)
            add_people(&probe, &store);
        store_free(&store, &probe.plan);
    }
    arena_free(probe.arena);
    return rc;
}

static int compare_people(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

uint64_t affected_count(const ListPair *pair, ChangeKind kind)
{
    Affected all = {0};
    uint64_t n = 0;

    for (int k = 0; k < N_CHANGES; k++)
        for (size_t i = 0;
             (kind == N_CHANGES || k == (int)kind) && i < pair->affected[k].n; i++)
            add_person(&all, pair->affected[k].person[i]);
    if (all.n > 0)
        qsort(all.person, all.n, sizeof *all.person, compare_people);
    for (size_t i = 0; i < all.n; i++)
        n += i == 0 || all.person[i] != all.person[i - 1];
    free(all.person);
    return n;
}

void affected_free(ListPair *pair)
{
    for (int k = 0; k < N_CHANGES; k++)
        free(pair->affected[k].person);
}
