/*
 * group.c - see group.h. A counting sort by person, then each person's run into the
 * total order. Within the counting sort rows fall into place in the order of the
 * clock; the second sort takes that away again.
 */
#include "engine/store/group.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

/* ---- codes ------------------------------------------------------------- */

static int code_order(const void *left, const void *right)
{
    Code a = *(const Code *)left, b = *(const Code *)right;
    System of_a = code_system(a), of_b = code_system(b);

    if (of_a != of_b)
        return of_a < of_b ? -1 : 1;
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

/* The codes of all piles, each once, in order. */
static void merge_codes(Events *events, const Pile *piles, int n_piles)
{
    uint32_t n = 0, kept = 0;

    for (int p = 0; p < n_piles; p++)
        n += piles[p].dict.n_codes;
    events->codes = mem_alloc(n, sizeof *events->codes, "codes");
    n = 0;
    for (int p = 0; p < n_piles; p++) {
        if (piles[p].dict.n_codes > 0)
            memcpy(events->codes + n, piles[p].dict.codes,
                   piles[p].dict.n_codes * sizeof *events->codes);
        n += piles[p].dict.n_codes;
    }
    if (n > 0)
        qsort(events->codes, n, sizeof *events->codes, code_order);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || !code_equal(events->codes[i], events->codes[kept - 1]))
            events->codes[kept++] = events->codes[i];
    events->n_codes = kept;
}

/* From a pile's number to the place in events->codes. */
static uint32_t *renumber(const Events *events, const Dict *dict)
{
    uint32_t *to = mem_alloc(dict->n_codes, sizeof *to, "codes");

    for (uint32_t i = 0; i < dict->n_codes; i++) {
        const Code *at = bsearch(&dict->codes[i], events->codes, events->n_codes,
                                 sizeof *events->codes, code_order);

        assert(at != NULL);
        to[i] = (uint32_t)(at - events->codes);
    }
    return to;
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

/* ---- events ------------------------------------------------------------ */

/* What one source's columns are while they are being filled. */
typedef struct Filling {
    const Source *source;
    Events *events;
    uint64_t *key;  /* with `unique` */
    uint64_t *next; /* by person: where the next row goes */
} Filling;

static void count_batch(uint64_t *start, const Batch *batch)
{
    for (uint32_t i = 0; i < batch->n; i++) {
        uint64_t *at = &start[batch->person[i] + 1];

#pragma omp atomic
        (*at)++;
    }
}

static void place_batch(const Filling *filling, const Batch *batch, const uint32_t *to)
{
    Events *events = filling->events;

    for (uint32_t i = 0; i < batch->n; i++) {
        uint64_t *next = &filling->next[batch->person[i]];
        uint64_t at;

#pragma omp atomic capture
        at = (*next)++;
        events->day[at] = batch->day[i];
        if (events->code != NULL)
            events->code[at] =
                batch->code[i] == CODE_NONE ? CODE_NONE : to[batch->code[i]];
        if (events->conditions != NULL)
            events->conditions[at] = batch->conditions[i];
        if (events->value != NULL)
            events->value[at] = batch->value[i];
        if (events->end != NULL)
            events->end[at] = batch->end[i];
        if (filling->key != NULL)
            filling->key[at] = batch->key[i];
    }
}

/* Takes the batches off a pile as an array, so that they can be shared out. */
static Batch **take_batches(Pile *pile, int *n)
{
    Batch **batches;

    *n = 0;
    for (const Batch *batch = pile->batches; batch != NULL; batch = batch->next)
        ++*n;
    batches = mem_alloc((size_t)*n, sizeof(Batch *), "batches");
    *n = 0;
    for (Batch *batch = pile->batches; batch != NULL; batch = batch->next)
        batches[(*n)++] = batch;
    pile->batches = NULL;
    return batches;
}

static void count_piles(uint64_t *start, Pile *piles, int n_piles, uint32_t n_people)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (int p = 0; p < n_piles; p++)
        for (const Batch *batch = piles[p].batches; batch != NULL; batch = batch->next)
            count_batch(start, batch);
    for (uint32_t person = 0; person < n_people; person++)
        start[person + 1] += start[person];
}

static void place_piles(const Filling *filling, Pile *piles, int n_piles)
{
    for (int p = 0; p < n_piles; p++) {
        int n_batches;
        Batch **batches = take_batches(&piles[p], &n_batches);
        uint32_t *to = renumber(filling->events, &piles[p].dict);

#pragma omp parallel for schedule(dynamic, 1)
        for (int b = 0; b < n_batches; b++) {
            place_batch(filling, batches[b], to);
            batch_free(batches[b]);
        }
        free(to);
        free(batches);
        pile_free(&piles[p]);
    }
}

/* ---- the order within a person ----------------------------------------- */

typedef struct Event {
    int32_t day, end;
    uint32_t code, conditions;
    double value;
    uint64_t key;
} Event;

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

static int event_order(const void *left, const void *right)
{
    const Event *a = left, *b = right;
    int order;

    ORDER(a->day, b->day);
    ORDER(a->code, b->code);
    ORDER(a->conditions, b->conditions);
    order = value_order(a->value, b->value);
    if (order != 0)
        return order;
    ORDER(a->end, b->end);
    ORDER(a->key, b->key);
    return 0;
}

static int key_order(const void *left, const void *right)
{
    const Event *a = left, *b = right;

    ORDER(a->key, b->key);
    return event_order(left, right);
}

/* Most people have a handful of events in nearly the right order. */
static void sort_events(Event *run, uint64_t n, int (*order)(const void *, const void *))
{
    if (n > 32) {
        qsort(run, n, sizeof *run, order);
        return;
    }
    for (uint64_t i = 1; i < n; i++) {
        Event event = run[i];
        uint64_t at = i;

        for (; at > 0 && order(&event, &run[at - 1]) < 0; at--)
            run[at] = run[at - 1];
        run[at] = event;
    }
}

static void gather(Event *run, const Filling *filling, uint64_t start, uint64_t n)
{
    const Events *events = filling->events;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = start + i;

        run[i] = (Event){.day = events->day[at]};
        run[i].code = events->code ? events->code[at] : CODE_NONE;
        run[i].conditions = events->conditions ? events->conditions[at] : 0;
        run[i].value = events->value ? events->value[at] : NAN;
        run[i].end = events->end ? events->end[at] : DAY_UNKNOWN;
        run[i].key = filling->key ? filling->key[at] : 0;
    }
}

static void put_back(const Filling *filling, uint64_t start, const Event *run, uint64_t n)
{
    Events *events = filling->events;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = start + i;

        events->day[at] = run[i].day;
        if (events->code != NULL)
            events->code[at] = run[i].code;
        if (events->conditions != NULL)
            events->conditions[at] = run[i].conditions;
        if (events->value != NULL)
            events->value[at] = run[i].value;
        if (events->end != NULL)
            events->end[at] = run[i].end;
    }
}

/* Of rows with the same key the first in the total order stays. */
static uint64_t drop_repeats(Event *run, uint64_t n)
{
    uint64_t kept = 0;

    sort_events(run, n, key_order);
    for (uint64_t i = 0; i < n; i++)
        if (kept == 0 || run[i].key != run[kept - 1].key)
            run[kept++] = run[i];
    return kept;
}

/* Sorts every run; next[person] becomes the end of what is left of it. */
static void order_runs(const Filling *filling, uint32_t n_people)
{
    const uint64_t *start = filling->events->start;

#pragma omp parallel
    {
        Event *run = NULL;
        uint64_t room = 0;

#pragma omp for schedule(dynamic, 1024)
        for (uint32_t person = 0; person < n_people; person++) {
            uint64_t n = start[person + 1] - start[person];

            if (n > room) {
                room = 2 * n;
                run = mem_grow(run, room, sizeof *run, "events of a person");
            }
            gather(run, filling, start[person], n);
            if (filling->key != NULL)
                n = drop_repeats(run, n);
            sort_events(run, n, event_order);
            put_back(filling, start[person], run, n);
            filling->next[person] = start[person] + n;
        }
        free(run);
    }
}

static void move(void *base, size_t size, uint64_t to, uint64_t from, uint64_t n)
{
    if (base != NULL)
        memmove((char *)base + to * size, (char *)base + from * size, n * size);
}

/* Closes the gaps that repeats have left. */
static void close_gaps(const Filling *filling, uint32_t n_people)
{
    Events *events = filling->events;
    uint64_t to = 0;

    for (uint32_t person = 0; person < n_people; person++) {
        uint64_t from = events->start[person], n = filling->next[person] - from;

        if (from != to) {
            move(events->day, sizeof *events->day, to, from, n);
            move(events->code, sizeof *events->code, to, from, n);
            move(events->conditions, sizeof *events->conditions, to, from, n);
            move(events->value, sizeof *events->value, to, from, n);
            move(events->end, sizeof *events->end, to, from, n);
        }
        events->start[person] = to;
        to += n;
    }
    events->start[n_people] = to;
    events->n = to;
}

static void make_columns(Filling *filling, uint64_t n, uint32_t n_people)
{
    const Source *source = filling->source;
    Events *events = filling->events;

    events->day = mem_grow(NULL, n, sizeof *events->day, source->name);
    if (source->needs_code)
        events->code = mem_grow(NULL, n, sizeof *events->code, source->name);
    if (source->n_conditions > 0)
        events->conditions = mem_grow(NULL, n, sizeof *events->conditions, source->name);
    if (source->keeps_value)
        events->value = mem_grow(NULL, n, sizeof *events->value, source->name);
    if (source->keeps_end)
        events->end = mem_grow(NULL, n, sizeof *events->end, source->name);
    if (source->is_unique)
        filling->key = mem_grow(NULL, n, sizeof *filling->key, source->name);
    filling->next = mem_grow(NULL, n_people, sizeof *filling->next, source->name);
}

uint64_t group_build(Events *events, Pile *piles, int n_piles, uint32_t n_people)
{
    Filling filling = {.source = piles[0].source, .events = events};
    uint64_t n;

    *events = (Events){0};
    events->start = mem_alloc((size_t)n_people + 1, sizeof *events->start, "events");
    count_piles(events->start, piles, n_piles, n_people);
    n = events->start[n_people];
    make_columns(&filling, n, n_people);
    memcpy(filling.next, events->start, n_people * sizeof *filling.next);
    merge_codes(events, piles, n_piles);
    place_piles(&filling, piles, n_piles);
    if (filling.source->needs_code)
        find_hits(events, filling.source->matcher);
    order_runs(&filling, n_people);
    close_gaps(&filling, n_people);
    free(filling.next);
    free(filling.key);
    return n - events->n;
}
