/*
 * group.c - see group.h. Part by part: the people of a part are few, so that its events
 * are sorted in the processor's cache, and its batches are released before the next
 * part needs room. Within a part rows lie in the order of the clock; sorting takes that
 * away again.
 */
#include "engine/store/group.h"

#include <assert.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- labels ------------------------------------------------------------ */

typedef struct Merge {
    const Source *source;
    Events *events;
    Pile *piles;
    int n_piles;
    uint32_t n_people;
    Ranked *ranked; /* by rank */
    uint32_t n_ranked;
    uint32_t *code;  /* by rank: index into events->codes, or CODE_NONE */
    uint32_t **rank; /* by pile and label */
    int32_t *ends;   /* of windows, ascending */
    int n_ends;
    uint64_t n; /* events stored so far */
    uint64_t n_repeats;
} Merge;

static void merge_labels(Merge *merge)
{
    size_t n = (size_t)merge->n_piles;
    Dict **dicts = mem_alloc(n, sizeof(Dict *), "codes met");

    for (int p = 0; p < merge->n_piles; p++)
        dicts[p] = merge->piles[p].dict;
    merge->rank = mem_alloc(n, sizeof *merge->rank, "codes met");
    merge->ranked = dicts_merge(&merge->n_ranked, merge->rank, dicts, merge->n_piles);
    free(dicts);
}

static void number_codes(Merge *merge)
{
    Events *events = merge->events;

    merge->code = mem_alloc(merge->n_ranked, sizeof *merge->code, "codes met");
    events->codes = mem_alloc(merge->n_ranked, sizeof *events->codes, "codes");
    for (uint32_t r = 0; r < merge->n_ranked; r++) {
        const Ranked *label = &merge->ranked[r];

        merge->code[r] = CODE_NONE;
        if (!label->has_code)
            continue;
        if (events->n_codes == 0 ||
            !code_equal(label->code, events->codes[events->n_codes - 1]))
            events->codes[events->n_codes++] = label->code;
        merge->code[r] = events->n_codes - 1;
    }
    events->code_rows = mem_alloc(events->n_codes, sizeof *events->code_rows, "codes");
}

static void find_hits(Events *events, const Matcher *matcher)
{
    uint32_t n = 0, room = 4 * events->n_codes + 16;

    events->hit_start =
        mem_alloc((size_t)events->n_codes + 1, sizeof *events->hit_start, "hits");
    events->hits = mem_alloc(room, sizeof *events->hits, "hits");
    for (uint32_t c = 0; c < events->n_codes && matcher != NULL; c++) {
        int found;

        while ((found = matcher_find(matcher, events->codes[c], events->hits + n,
                                     (int)(room - n))) > (int)(room - n)) {
            room = 2 * room + (uint32_t)found;
            events->hits = mem_grow(events->hits, room, sizeof *events->hits, "hits");
        }
        n += (uint32_t)found;
        events->hit_start[c + 1] = n;
    }
}

static int day_order(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

    return (a > b) - (a < b);
}

/* Between two ends of windows, an event that a feature can use is in its window or comes
 * after the window's beginning: so is a later one. */
static void find_ends(Merge *merge)
{
    const Plan *plan = merge->piles[0].plan;
    int n = 0;

    merge->ends = mem_alloc((size_t)plan->n_features, sizeof *merge->ends, "windows");
    for (int f = 0; f < plan->n_features; f++)
        if (plan->features[f].source == merge->source->number)
            merge->ends[n++] = plan->features[f].to;
    if (n > 0)
        qsort(merge->ends, (size_t)n, sizeof *merge->ends, day_order);
    for (int e = 0; e < n; e++)
        if (merge->n_ends == 0 || merge->ends[e] != merge->ends[merge->n_ends - 1])
            merge->ends[merge->n_ends++] = merge->ends[e];
}

/* ---- a part ------------------------------------------------------------ */

typedef struct Event {
    uint64_t order; /* as packed, with the rank for the label */
    uint32_t at;    /* in the other columns of the desk */
} Event;

/* One thread's room for the events of a part. */
typedef struct Desk {
    Merge *merge;
    uint32_t n, room;
    Event *events;
    double *value;
    uint64_t *key;
    int32_t *end;
    uint32_t start[PART_PEOPLE + 1], kept[PART_PEOPLE]; /* by person */
    uint64_t *seen; /* by rank: the stretch of a person's time that has it */
    uint64_t stretch;
    uint64_t *rows; /* by rank */
    uint64_t n_repeats;
} Desk;

#define ORDER(a, b)                                                                      \
    if ((a) != (b))                                                                      \
    return (a) < (b) ? -1 : 1

/* By value; missing last. Bits tell 0 from -0. */
static int value_order(double a, double b)
{
    uint64_t bits_a, bits_b;

    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    ORDER(a, b);
    memcpy(&bits_a, &a, sizeof bits_a);
    memcpy(&bits_b, &b, sizeof bits_b);
    ORDER(bits_a, bits_b);
    return 0;
}

static int tie_order(const Desk *desk, uint32_t a, uint32_t b)
{
    int order = desk->value == NULL ? 0 : value_order(desk->value[a], desk->value[b]);

    if (order == 0 && desk->end != NULL)
        ORDER(desk->end[a], desk->end[b]);
    if (order == 0 && desk->key != NULL)
        ORDER(desk->key[a], desk->key[b]);
    return order;
}

static int event_order(const void *left, const void *right, void *desk)
{
    const Event *a = left, *b = right;

    ORDER(a->order, b->order);
    return tie_order(desk, a->at, b->at);
}

static int key_order(const void *left, const void *right, void *desk)
{
    const Event *a = left, *b = right;
    const uint64_t *key = ((const Desk *)desk)->key;

    ORDER(key[a->at], key[b->at]);
    return event_order(left, right, desk);
}

typedef int (*Order)(const void *left, const void *right, void *desk);

/* Most people have a handful of events in nearly the right order. */
static void sort_events(Event *run, uint32_t n, Order order, Desk *desk)
{
    if (n > 48) {
        qsort_r(run, n, sizeof *run, order, desk);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        Event event = run[i];
        uint32_t at = i;

        for (; at > 0 && order(&event, &run[at - 1], desk) < 0; at--)
            run[at] = run[at - 1];
        run[at] = event;
    }
}

static void make_room(Desk *desk, uint32_t n)
{
    const Source *source = desk->merge->source;

    if (n <= desk->room)
        return;
    desk->room = n + n / 2;
    desk->events = mem_grow(desk->events, desk->room, sizeof *desk->events, source->name);
    if (source->keeps_value)
        desk->value =
            mem_grow(desk->value, desk->room, sizeof *desk->value, source->name);
    if (source->is_unique)
        desk->key = mem_grow(desk->key, desk->room, sizeof *desk->key, source->name);
    if (source->keeps_end)
        desk->end = mem_grow(desk->end, desk->room, sizeof *desk->end, source->name);
}

static const Batch *first_batch(const Pile *pile, uint32_t part)
{
    return part < pile->n_parts ? pile->parts[part] : NULL;
}

/* Counts the events of each person; start[p + 1] is where those of p begin. */
static void count_part(Desk *desk, uint32_t part)
{
    const Merge *merge = desk->merge;
    uint32_t before = 0;

    memset(desk->start, 0, sizeof desk->start);
    for (int p = 0; p < merge->n_piles; p++)
        for (const Batch *b = first_batch(&merge->piles[p], part); b != NULL; b = b->next)
            for (uint32_t i = 0; i < b->n; i++)
                desk->start[packed_person(b->event[i])]++;
    for (uint32_t p = 0; p < PART_PEOPLE; p++) {
        uint32_t n = desk->start[p];

        desk->start[p] = before;
        before += n;
    }
    desk->start[PART_PEOPLE] = desk->n = before;
}

static void place_batch(Desk *desk, const Batch *batch, const uint32_t *rank)
{
    for (uint32_t i = 0; i < batch->n; i++) {
        uint64_t event = batch->event[i];
        uint32_t at = desk->kept[packed_person(event)]++;

        desk->events[at].order = (event & ~LABEL_MASK) | rank[event & LABEL_MASK];
        desk->events[at].at = at;
        if (batch->value != NULL)
            desk->value[at] = batch->value[i];
        if (batch->key != NULL)
            desk->key[at] = batch->key[i];
        if (batch->end != NULL)
            desk->end[at] = batch->end[i];
    }
}

/* Of rows with the same key the first in the total order stays. */
static uint32_t drop_repeats(Event *run, uint32_t n, Desk *desk)
{
    uint32_t kept = 0;

    sort_events(run, n, key_order, desk);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || desk->key[run[i].at] != desk->key[run[kept - 1].at])
            run[kept++] = run[i];
    desk->n_repeats += n - kept;
    return kept;
}

/* Of events of which only the latest is asked for, the latest stays in every stretch
 * between two ends of windows. Goes backwards, and leaves the rest at the end. */
static uint32_t keep_latest(Event *run, uint32_t n, Desk *desk)
{
    const Merge *merge = desk->merge;
    int stretch = merge->n_ends;
    uint32_t to = n;

    desk->stretch++;
    for (uint32_t i = n; i-- > 0;) {
        uint32_t rank = (uint32_t)(run[i].order & LABEL_MASK);
        int32_t day = packed_day(run[i].order);

        desk->rows[rank]++;
        for (; stretch > 0 && day < merge->ends[stretch - 1]; stretch--)
            desk->stretch++;
        if (merge->ranked[rank].latest_only && desk->seen[rank] == desk->stretch)
            continue;
        desk->seen[rank] = desk->stretch;
        run[--to] = run[i];
    }
    if (to > 0 && to < n)
        memmove(run, run + to, (n - to) * sizeof *run);
    return n - to;
}

/* Leaves the events of person p at start[p], kept[p] of them. */
static void sort_part(Desk *desk)
{
    const Merge *merge = desk->merge;

    for (uint32_t p = 0; p < PART_PEOPLE; p++) {
        Event *run = desk->events + desk->start[p];
        uint32_t n = desk->start[p + 1] - desk->start[p];

        if (merge->source->is_unique)
            n = drop_repeats(run, n, desk);
        sort_events(run, n, event_order, desk);
        desk->kept[p] = keep_latest(run, n, desk);
    }
}

static uint64_t count_kept(const Desk *desk)
{
    uint64_t n = 0;

    for (uint32_t p = 0; p < PART_PEOPLE; p++)
        n += desk->kept[p];
    return n;
}

static void store_event(const Desk *desk, const Event *event, uint64_t at)
{
    const Merge *merge = desk->merge;
    Events *events = merge->events;
    uint32_t rank = (uint32_t)(event->order & LABEL_MASK);

    events->day[at] = packed_day(event->order);
    if (events->code != NULL)
        events->code[at] = merge->code[rank];
    if (events->conditions != NULL)
        events->conditions[at] = merge->ranked[rank].conditions;
    if (events->value != NULL)
        events->value[at] = desk->value[event->at];
    if (events->end != NULL)
        events->end[at] = desk->end[event->at];
}

/* Writes the part from event number `at` of the store on. */
static void store_part(const Desk *desk, uint32_t part, uint64_t at)
{
    const Merge *merge = desk->merge;
    uint32_t first = part * PART_PEOPLE;

    for (uint32_t p = 0; p < PART_PEOPLE && first + p < merge->n_people; p++) {
        const Event *run = desk->events + desk->start[p];

        merge->events->start[first + p] = at;
        for (uint32_t i = 0; i < desk->kept[p]; i++)
            store_event(desk, &run[i], at++);
    }
}

/* ---- the whole --------------------------------------------------------- */

static Desk *desk_new(Merge *merge)
{
    Desk *desk = mem_alloc(1, sizeof *desk, "events of a part");

    desk->merge = merge;
    desk->seen = mem_alloc(merge->n_ranked, sizeof *desk->seen, "codes met");
    desk->rows = mem_alloc(merge->n_ranked, sizeof *desk->rows, "codes met");
    return desk;
}

/* Adds what the thread has counted to the whole. */
static void desk_free(Desk *desk)
{
    Merge *merge = desk->merge;

    merge->n_repeats += desk->n_repeats;
    for (uint32_t r = 0; r < merge->n_ranked; r++)
        if (merge->code[r] != CODE_NONE)
            merge->events->code_rows[merge->code[r]] += desk->rows[r];
    free(desk->events);
    free(desk->value);
    free(desk->key);
    free(desk->end);
    free(desk->seen);
    free(desk->rows);
    free(desk);
}

static void group_part(Desk *desk, uint32_t part)
{
    const Merge *merge = desk->merge;

    count_part(desk, part);
    make_room(desk, desk->n);
    memcpy(desk->kept, desk->start, sizeof desk->kept);
    for (int p = 0; p < merge->n_piles; p++) {
        for (const Batch *b = first_batch(&merge->piles[p], part); b != NULL; b = b->next)
            place_batch(desk, b, merge->rank[p]);
        pile_drop_part(&merge->piles[p], part);
    }
    sort_part(desk);
}

/* A part's place in the store is known once all before it are sorted. */
static void group_parts(Merge *merge)
{
    uint32_t n_parts = (merge->n_people + PART_PEOPLE - 1) / PART_PEOPLE;

#pragma omp parallel
    {
        Desk *desk = desk_new(merge);

#pragma omp for ordered schedule(dynamic, 1)
        for (uint32_t part = 0; part < n_parts; part++) {
            uint64_t at = 0;

            group_part(desk, part);
#pragma omp ordered
            {
                at = merge->n;
                merge->n += count_kept(desk);
            }
            store_part(desk, part, at);
        }
#pragma omp critical
        desk_free(desk);
    }
}

static uint64_t count_events(const Pile *piles, int n_piles)
{
    uint64_t n = 0;

    for (int p = 0; p < n_piles; p++)
        for (uint32_t part = 0; part < piles[p].n_parts; part++)
            for (const Batch *b = piles[p].parts[part]; b != NULL; b = b->next)
                n += b->n;
    return n;
}

/* Room for n events: that for more than are stored is never touched, and given back. */
static void size_columns(Events *events, const Source *source, uint64_t n)
{
    events->day = mem_grow(events->day, n, sizeof *events->day, source->name);
    if (source->needs_code)
        events->code = mem_grow(events->code, n, sizeof *events->code, source->name);
    if (source->n_conditions > 0)
        events->conditions =
            mem_grow(events->conditions, n, sizeof *events->conditions, source->name);
    if (source->keeps_value)
        events->value = mem_grow(events->value, n, sizeof *events->value, source->name);
    if (source->keeps_end)
        events->end = mem_grow(events->end, n, sizeof *events->end, source->name);
}

uint64_t group_build(Events *events, Pile *piles, int n_piles, uint32_t n_people)
{
    Merge merge = {.source = piles[0].source,
                   .events = events,
                   .piles = piles,
                   .n_piles = n_piles,
                   .n_people = n_people};

    *events = (Events){0};
    events->start = mem_alloc((size_t)n_people + 1, sizeof *events->start, "events");
    merge_labels(&merge);
    number_codes(&merge);
    find_ends(&merge);
    size_columns(events, merge.source, count_events(piles, n_piles));
    group_parts(&merge);
    events->start[n_people] = events->n = merge.n;
    size_columns(events, merge.source, merge.n);
    if (merge.source->needs_code)
        find_hits(events, merge.source->matcher);
    for (int p = 0; p < n_piles; p++) {
        free(merge.rank[p]);
        pile_free(&piles[p]);
    }
    free(merge.rank);
    free(merge.code);
    free(merge.ranked);
    free(merge.ends);
    malloc_trim(0); /* batches are small: without it they stay with the process */
    return merge.n_repeats;
}
