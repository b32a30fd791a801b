/*
 * group.c - see group.h. Part by part: the people of a part are few, so that its events
 * are sorted in the processor's cache. Rows lie in the order of the clock; sorting takes
 * that away again.
 */
#include "engine/store/group.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/order.h"

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
 * after the window's beginning: so is a later one. No event is kept from the day of the
 * run on, where most windows end. */
static void find_ends(Merge *merge)
{
    const Plan *plan = merge->piles[0].plan;
    int n = 0;

    merge->ends = mem_alloc((size_t)plan->n_features, sizeof *merge->ends, "windows");
    for (int f = 0; f < plan->n_features; f++) {
        const Feature *feature = &plan->features[f];

        if (feature->source == merge->source->number && feature->to < plan->as_of)
            merge->ends[n++] = feature->to;
    }
    if (n > 0)
        qsort(merge->ends, (size_t)n, sizeof *merge->ends, day_order);
    for (int e = 0; e < n; e++)
        if (merge->n_ends == 0 || merge->ends[e] != merge->ends[merge->n_ends - 1])
            merge->ends[merge->n_ends++] = merge->ends[e];
}

/* ---- a part ------------------------------------------------------------ */

#define NONE UINT32_MAX

/* What a thread has met of a label. */
typedef struct Met {
    uint64_t rows;
    uint32_t visit, newest; /* to the last person who has it; their newest event of it */
    bool latest_only;
} Met;

/* One thread's room for the events of a part. */
typedef struct Desk {
    Merge *merge;
    uint32_t room;
    uint64_t *event; /* as packed, with the rank for the label; by person, as they came */
    double *value;   /* beside event, as far as the source needs them */
    uint64_t *key;
    int32_t *end;
    uint32_t stop[PART_PEOPLE]; /* by person: the first event of the next */
    Keyed *kept;                /* those that stay, by person, in order; item: in event */
    uint32_t n_kept, kept_of[PART_PEOPLE];
    uint32_t *before; /* by place in a run: the one before of the same label, or NONE */
    Keyed *spare;     /* two for each event of a person */
    uint32_t spare_room;
    Met *met; /* by rank */
    uint32_t visit;
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

static int tie_order(const void *left, const void *right, void *own)
{
    uint32_t a = ((const Keyed *)left)->item, b = ((const Keyed *)right)->item;
    const Desk *desk = own;
    int order = desk->value == NULL ? 0 : value_order(desk->value[a], desk->value[b]);

    if (order == 0 && desk->end != NULL)
        ORDER(desk->end[a], desk->end[b]);
    if (order == 0 && desk->key != NULL)
        ORDER(desk->key[a], desk->key[b]);
    return order;
}

static void make_room(Desk *desk, uint32_t n)
{
    const Source *source = desk->merge->source;
    const char *name = source->name;

    if (n <= desk->room)
        return;
    desk->room = n + n / 2;
    desk->event = mem_grow(desk->event, desk->room, sizeof *desk->event, name);
    desk->kept = mem_grow(desk->kept, desk->room, sizeof *desk->kept, name);
    if (source->keeps_value)
        desk->value = mem_grow(desk->value, desk->room, sizeof *desk->value, name);
    if (source->is_unique)
        desk->key = mem_grow(desk->key, desk->room, sizeof *desk->key, name);
    if (source->keeps_end)
        desk->end = mem_grow(desk->end, desk->room, sizeof *desk->end, name);
}

static void make_spare(Desk *desk, uint32_t n)
{
    if (n <= desk->spare_room)
        return;
    desk->spare_room = 2 * n;
    desk->spare = mem_grow(desk->spare, 2 * (size_t)desk->spare_room, sizeof *desk->spare,
                           "events of a person");
    desk->before = mem_grow(desk->before, desk->spare_room, sizeof *desk->before,
                            "events of a person");
}

static void count_pile(Desk *desk, const Part *part)
{
    for (const Batch *b = part->newest; b != NULL; b = b->next)
        for (uint32_t i = 0, n = part_n(part, b); i < n; i++)
            desk->stop[packed_person(b->event[i])]++;
}

/* Returns how many events there are. Until they are placed, stop[p] is where those of
 * person p begin. */
static uint32_t count_part(Desk *desk, uint32_t part)
{
    const Merge *merge = desk->merge;
    uint32_t before = 0;

    memset(desk->stop, 0, sizeof desk->stop);
    for (int p = 0; p < merge->n_piles; p++)
        count_pile(desk, pile_part(&merge->piles[p], part));
    for (uint32_t p = 0; p < PART_PEOPLE; p++) {
        uint32_t n = desk->stop[p];

        desk->stop[p] = before;
        before += n;
    }
    return before;
}

static void place_batch(Desk *desk, const Batch *batch, uint32_t n, const uint32_t *rank)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t event = batch->event[i];
        uint32_t at = desk->stop[packed_person(event)]++;

        desk->event[at] = (event & ~LABEL_MASK) | rank[event & LABEL_MASK];
        if (batch->value != NULL)
            desk->value[at] = batch->value[i];
        if (batch->key != NULL)
            desk->key[at] = batch->key[i];
        if (batch->end != NULL)
            desk->end[at] = batch->end[i];
    }
}

/* ---- a person ---------------------------------------------------------- */

static bool is_same_stretch(const Merge *merge, int32_t a, int32_t b)
{
    for (int e = 0; e < merge->n_ends; e++)
        if ((a < merge->ends[e]) != (b < merge->ends[e]))
            return false;
    return true;
}

/* The event of the label that the person already has in the stretch of this one. */
static Keyed *find_kept(const Desk *desk, Keyed *run, const Met *met, uint64_t event)
{
    uint32_t at = met->visit == desk->visit ? met->newest : NONE;
    int32_t day = packed_day(event);

    while (at != NONE && !is_same_stretch(desk->merge, packed_day(run[at].key), day))
        at = desk->before[at];
    return at == NONE ? NULL : &run[at];
}

/* Puts the events from .. stop - 1 into the run. Of those of which only the latest is
 * asked for, the latest stays in every stretch between two ends of windows: fewer are
 * left to sort. Returns how many. */
static uint32_t keep_latest(Keyed *run, Desk *desk, uint32_t from, uint32_t stop)
{
    uint32_t n = 0;

    desk->visit++;
    for (uint32_t at = from; at < stop; at++) {
        uint64_t event = desk->event[at];
        Met *met = &desk->met[event & LABEL_MASK];
        Keyed *kept;

        met->rows++;
        if (met->latest_only) {
            kept = find_kept(desk, run, met, event);
            if (kept != NULL) { /* alike but for the day: see add_columns() */
                kept->key = event > kept->key ? event : kept->key;
                continue;
            }
            desk->before[n] = met->visit == desk->visit ? met->newest : NONE;
            met->visit = desk->visit;
            met->newest = n;
        }
        run[n++] = (Keyed){event, at};
    }
    return n;
}

/* In the total order: those that tie are looked at once the rest is settled. */
static void sort_run(Keyed *run, uint32_t n, Desk *desk)
{
    order_sort_few(run, desk->spare, n);
    if (desk->value == NULL && desk->end == NULL && desk->key == NULL)
        return;
    for (uint32_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && run[next].key == run[i].key; next++)
            ;
        if (next - i > 1)
            qsort_r(run + i, next - i, sizeof *run, tie_order, desk);
    }
}

/* Of rows with the same key the first in the total order stays. */
static uint32_t drop_repeats(Keyed *run, uint32_t n, Desk *desk)
{
    Keyed *by_key = desk->spare + n;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++)
        by_key[i] = (Keyed){desk->key[run[i].item], i};
    order_sort_few(by_key, desk->spare, n);
    for (uint32_t i = 1; i < n; i++)
        if (by_key[i].key == by_key[i - 1].key)
            run[by_key[i].item].item = NONE;
    for (uint32_t i = 0; i < n; i++) {
        if (run[i].item == NONE)
            desk->met[run[i].key & LABEL_MASK].rows--;
        else
            run[kept++] = run[i];
    }
    desk->n_repeats += n - kept;
    return kept;
}

static void sort_part(Desk *desk)
{
    uint32_t from = 0;

    desk->n_kept = 0;
    for (uint32_t p = 0; p < PART_PEOPLE; p++) {
        Keyed *run = desk->kept + desk->n_kept;
        uint32_t n;

        make_spare(desk, desk->stop[p] - from);
        n = keep_latest(run, desk, from, desk->stop[p]);
        sort_run(run, n, desk);
        if (desk->key != NULL)
            n = drop_repeats(run, n, desk);
        desk->n_kept += desk->kept_of[p] = n;
        from = desk->stop[p];
    }
}

/* Writes the part from event number `at` of the store on. */
static void store_part(const Desk *desk, uint32_t part, uint64_t at)
{
    const Merge *merge = desk->merge;
    Events *events = merge->events;
    const Keyed *kept = desk->kept;
    uint32_t first = part * PART_PEOPLE, n = desk->n_kept;
    uint64_t start = at;

    for (uint32_t p = 0; p < PART_PEOPLE && first + p < merge->n_people; p++) {
        events->start[first + p] = start;
        start += desk->kept_of[p];
    }
    for (uint32_t i = 0; i < n; i++)
        events->day[at + i] = packed_day(kept[i].key);
    for (uint32_t i = 0; events->code != NULL && i < n; i++)
        events->code[at + i] = merge->code[kept[i].key & LABEL_MASK];
    for (uint32_t i = 0; events->conditions != NULL && i < n; i++)
        events->conditions[at + i] = merge->ranked[kept[i].key & LABEL_MASK].conditions;
    for (uint32_t i = 0; events->value != NULL && i < n; i++)
        events->value[at + i] = desk->value[kept[i].item];
    for (uint32_t i = 0; events->end != NULL && i < n; i++)
        events->end[at + i] = desk->end[kept[i].item];
}

/* ---- the whole --------------------------------------------------------- */

static Desk *desk_new(Merge *merge)
{
    Desk *desk = mem_alloc(1, sizeof *desk, "events of a part");

    desk->merge = merge;
    desk->met = mem_alloc(merge->n_ranked, sizeof *desk->met, "codes met");
    for (uint32_t r = 0; r < merge->n_ranked; r++)
        desk->met[r].latest_only = merge->ranked[r].latest_only;
    return desk;
}

/* Adds what the thread has counted to the whole. */
static void desk_free(Desk *desk)
{
    Merge *merge = desk->merge;

    merge->n_repeats += desk->n_repeats;
    for (uint32_t r = 0; r < merge->n_ranked; r++)
        if (merge->code[r] != CODE_NONE)
            merge->events->code_rows[merge->code[r]] += desk->met[r].rows;
    free(desk->event);
    free(desk->value);
    free(desk->key);
    free(desk->end);
    free(desk->kept);
    free(desk->before);
    free(desk->spare);
    free(desk->met);
    free(desk);
}

static void group_part(Desk *desk, uint32_t part)
{
    const Merge *merge = desk->merge;

    make_room(desk, count_part(desk, part));
    for (int p = 0; p < merge->n_piles; p++) {
        const Part *from = pile_part(&merge->piles[p], part);

        for (const Batch *b = from->newest; b != NULL; b = b->next)
            place_batch(desk, b, part_n(from, b), merge->rank[p]);
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
                merge->n += desk->n_kept;
            }
            store_part(desk, part, at);
        }
#pragma omp critical
        desk_free(desk);
    }
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
    uint64_t n = 0;

    *events = (Events){0};
    events->start = mem_alloc((size_t)n_people + 1, sizeof *events->start, "events");
    merge_labels(&merge);
    number_codes(&merge);
    find_ends(&merge);
    for (int p = 0; p < n_piles; p++)
        n += pile_n_events(&piles[p]);
    size_columns(events, merge.source, n);
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
    malloc_trim(0); /* without it small blocks stay with the process */
    return merge.n_repeats;
}
