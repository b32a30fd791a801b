/*
 * bench_models.c - what scoring costs, once events are in memory: see models.sh.
 *
 *     bench_models PEOPLE             codes and events made up here, without a database
 *     bench_models PEOPLE CONFIG      the models of a config, on the database of PG*
 *
 * Made up with a fixed seed are 30 stored events a person of 15,000 codes that count for
 * 1 or 2 of 60 features. Prints one line for each figure, in nanoseconds: of CPU for a
 * stored event (counting alone, one thread) and for a person and model (one thread), and
 * of the clock for a person and everything (all threads).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"
#include "loaders/kinds.h"
#include "loaders/load.h"
#include "models/feature.h"
#include "models/kinds.h"
#include "models/score.h"
#include "tests/support/tiny.h"

enum { EVENTS_EACH = 30, N_CODES = 15000, N_FEATURES = 60, ROUNDS = 7, N_ROWS = 2048 };

static uint64_t state = 88172645463325252u;

static uint32_t next_random(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* ---- a town -------------------------------------------------------------- */

static void add_model(Tiny *tiny, const char *id, const ModelKind *kind)
{
    Model *model = tiny_model(tiny, id, kind);

    model->scale = 10;
    model->denominator = 36;
    model->link = LINK_LOGIT;
    model->intercept = -4;
    for (int f = 0; f < 36; f++)
        tiny_term(tiny, model, tiny->plan.features[f].id, 0.1 * (1 + f % 9));
    if (tiny_compile(tiny, model) != 0)
        abort();
}

static Tiny *make_plan(void)
{
    static char names[N_FEATURES][8];
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "gp_event");

    for (int f = 0; f < N_FEATURES; f++) {
        snprintf(names[f], sizeof names[f], "f%d", f);
        tiny_feature(tiny, source, names[f], f % 4 == 3 ? COUNT_ROWS : COUNT_EXISTS,
                     f % 4 == 2 ? "2023-07-01" : NULL);
    }
    add_model(tiny, "index", &kind_index);
    add_model(tiny, "points", &kind_points);
    add_model(tiny, "regression", &kind_regression);
    return tiny;
}

static int compare_days(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return x < y ? -1 : x > y;
}

static void make_codes(Events *events, Arena *arena)
{
    events->n_codes = N_CODES;
    events->codes = arena_alloc(arena, N_CODES, sizeof *events->codes);
    events->hit_start = arena_alloc(arena, N_CODES + 1, sizeof *events->hit_start);
    events->hits = arena_alloc(arena, 2 * N_CODES, sizeof *events->hits);
    for (uint32_t c = 0, n = 0; c < N_CODES; c++) {
        uint32_t feature = next_random(N_FEATURES - 1), n_hits = 1 + next_random(2);

        events->codes[c] = (Code){c, SYSTEM_SNOMED};
        for (uint32_t h = 0; h < n_hits; h++)
            events->hits[n++] = (Hit){-INFINITY, INFINITY, feature + h, 0};
        events->hit_start[c + 1] = n;
    }
}

static void make_store(Tiny *tiny, uint32_t n_people)
{
    Store *store = &tiny->store;
    Events *events = arena_alloc(tiny->arena, 1, sizeof *events);
    uint64_t n = (uint64_t)n_people * EVENTS_EACH;
    int32_t first = day_of(2013, 1, 1), last = tiny->plan.as_of;

    store->n_people = n_people;
    store->events = events;
    store->birth = mem_alloc(n_people, sizeof *store->birth, "births");
    make_codes(events, tiny->arena);
    events->n = n;
    events->start = mem_alloc((size_t)n_people + 1, sizeof *events->start, "events");
    events->day = mem_alloc(n, sizeof *events->day, "events");
    events->code = mem_alloc(n, sizeof *events->code, "events");
    for (uint32_t p = 0; p < n_people; p++) {
        store->birth[p] = day_of(1925 + (int)next_random(100), 3, 1);
        events->start[p + 1] = events->start[p] + EVENTS_EACH;
        for (uint64_t e = events->start[p]; e < events->start[p + 1]; e++) {
            events->day[e] = first + (int32_t)next_random((uint32_t)(last - first));
            events->code[e] = next_random(N_CODES);
        }
        qsort(&events->day[events->start[p]], EVENTS_EACH, sizeof(int32_t), compare_days);
    }
}

static void free_store(Store *store)
{
    free(store->birth);
    free(store->events->start);
    free(store->events->day);
    free(store->events->code);
}

/* ---- measuring ----------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void print_line(const char *name, double *ns, uint32_t n_people)
{
    qsort(ns, ROUNDS, sizeof *ns, compare_doubles);
    printf("bench %s median=%.2f min=%.2f max=%.2f pairs=%d people=%u\n", name,
           ns[ROUNDS / 2], ns[0], ns[ROUNDS - 1], ROUNDS, n_people);
    fflush(stdout);
}

/* A plan, the people that it is about, and rows of some of them. */
typedef struct Bench {
    const Plan *plan;
    const Store *store;
    double *rows; /* of N_ROWS visits, so that only the model's own arithmetic is timed */
} Bench;

static void measure_features(const Bench *bench, const char *name)
{
    FeatureSet *set = feature_set_new(bench->plan, bench->store, false);
    Tally *tally = tally_new(set);
    Lanes *lanes = lanes_new(bench->plan);
    uint32_t n_people = bench->store->n_people / MOST_LANES * MOST_LANES;
    double ns[ROUNDS];
    uint64_t n = 0;

    for (int e = 0; e < bench->plan->n_event_sources; e++)
        if (bench->store->events[e].n > 0)
            n += bench->store->events[e].start[n_people];
    lanes_clear(lanes, bench->plan, feature_set_untouched(set));
    for (int r = 0; r < ROUNDS; r++) {
        double start = log_cpu();

        for (uint32_t p = 0; p < n_people; p += MOST_LANES)
            feature_lanes(lanes, NULL, tally, p, MOST_LANES);
        ns[r] = (log_cpu() - start) * 1e9 / (double)n;
    }
    print_line(name, ns, n_people);
    lanes_free(lanes);
    tally_free(tally);
    feature_set_free(set);
}

static double *keep_rows(const Plan *plan, const Store *store)
{
    size_t n_slots = plan->n_slots;
    double *rows = mem_alloc(N_ROWS * n_slots, sizeof *rows, "rows");
    Visit *visit = visit_new(plan);

    for (uint32_t p = 0; p < N_ROWS; p++) {
        visit_person(visit, plan, store, p % store->n_people, false);
        memcpy(&rows[p * n_slots], visit_row(visit), n_slots * sizeof *rows);
    }
    visit_free(visit);
    return rows;
}

static void measure_model(const Bench *bench, int number)
{
    const Model *model = &bench->plan->models[number];
    uint32_t n_people = bench->store->n_people / MOST_LANES * MOST_LANES;
    double ns[ROUNDS], score[MOST_LANES];
    const double *rows[MOST_LANES];
    int why[MOST_LANES];
    volatile double kept = 0; /* so that no call is left out */
    char name[64];

    for (int r = 0; r < ROUNDS; r++) {
        double start = log_cpu();

        for (uint32_t p = 0; p < n_people; p += MOST_LANES) {
            for (uint32_t l = 0; l < MOST_LANES; l++)
                rows[l] = &bench->rows[(p + l) % N_ROWS * bench->plan->n_slots];
            model->kind->score(model, rows, MOST_LANES, score, why);
            kept = score[0];
        }
        ns[r] = (log_cpu() - start) * 1e9 / n_people;
    }
    (void)kept;
    snprintf(name, sizeof name, "%s_ns_per_person", model->id);
    print_line(name, ns, n_people);
}

static void measure_all(const Bench *bench, const char *name)
{
    double ns[ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        Scores scores = {0};
        double start = log_clock();

        score_people(&scores, NULL, bench->plan, bench->store);
        ns[r] = (log_clock() - start) * 1e9 / bench->store->n_people;
        scores_free(&scores);
    }
    print_line(name, ns, bench->store->n_people);
}

static void measure(const Plan *plan, const Store *store, const char *what)
{
    Bench bench = {plan, store, keep_rows(plan, store)};
    char name[64];

    snprintf(name, sizeof name, "%s_feature_ns_per_event", what);
    measure_features(&bench, name);
    for (int m = 0; m < plan->n_models; m++)
        measure_model(&bench, m);
    snprintf(name, sizeof name, "%s_score_people_ns_per_person", what);
    measure_all(&bench, name);
    free(bench.rows);
}

static void measure_tiny(uint32_t n_people)
{
    Tiny *tiny = make_plan();

    make_store(tiny, n_people);
    measure(&tiny->plan, &tiny->store, "tiny");
    free_store(&tiny->store);
    tiny_free(tiny);
}

static int measure_config(const char *config, Err *err)
{
    const LoadOptions options = {.conninfo = ""};
    Arena *arena = arena_new();
    Store store = {0};
    Plan plan;
    int rc = -1;

    if (plan_compile(&plan, config, day_of(2026, 4, 1),
                     (Kinds){source_kinds, model_kinds}, arena, err) == 0 &&
        load_store(&store, &plan, &options, err) == 0) {
        measure(&plan, &store, "all");
        store_free(&store, &plan);
        rc = 0;
    }
    arena_free(arena);
    return rc;
}

int main(int argc, char **argv)
{
    long n_people = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    Err err = {0};

    if (n_people < MOST_LANES || n_people > 100000000) {
        fprintf(stderr, "usage: bench_models PEOPLE [CONFIG], at least 16 people\n");
        return 2;
    }
    log_open(LOG_TEXT, LOG_WARN);
    if (argc == 2)
        measure_tiny((uint32_t)n_people);
    else if (measure_config(argv[2], &err) != 0)
        fprintf(stderr, "%s\n", err.text);
    return (int)err.kind;
}
