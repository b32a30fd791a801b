/*
 * matcher.c - from a code to the features it counts for.
 *
 * One open-addressed table holds exact codes and prefixes alike; a prefix is a
 * shorter code with a mark beside its system. A code is looked up whole, and cut to
 * each length that a prefix of its system has.
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/codes/codes.h"

enum { PREFIX_MARK = 0x80, MOST_RUNS = 16, MOST_LENGTH = 15 };

typedef struct Pair {
    Code key;
    Hit hit;
} Pair;

/* The hits of one key: a run of Matcher.hits. */
typedef struct Slot {
    Code key;
    uint32_t first, n; /* n 0 = free */
} Slot;

struct Matcher {
    Arena *arena;
    Pair *pairs; /* as added */
    size_t n_pairs, room;
    Hit *hits;
    Slot *slots;
    size_t n_slots; /* a power of two, at most half full */
    Code *keys;     /* ascending */
    size_t n_keys;
    uint16_t lengths[N_SYSTEMS]; /* bit n: some prefix has n characters */
};

Matcher *matcher_new(Arena *arena)
{
    Matcher *matcher = arena_alloc(arena, 1, sizeof *matcher);

    matcher->arena = arena;
    return matcher;
}

static int length_of(Code code)
{
    int n = 1;

    while (n < MOST_LENGTH && !code_equal(code_cut(code, n), code))
        n++;
    return n;
}

void matcher_add(Matcher *matcher, const ListEntry *entry, uint32_t feature)
{
    Code key = entry->code;

    assert(matcher->slots == NULL);
    if (matcher->n_pairs == matcher->room) {
        matcher->room = matcher->room > 0 ? matcher->room * 2 : 64;
        matcher->pairs = arena_grow(matcher->arena, matcher->pairs, matcher->n_pairs,
                                    matcher->room, sizeof *matcher->pairs);
    }
    if (entry->is_prefix) {
        matcher->lengths[code_system(key)] |= (uint16_t)(1U << length_of(key));
        key.low |= PREFIX_MARK;
    }
    matcher->pairs[matcher->n_pairs++] =
        (Pair){key, {entry->above, entry->below, feature, entry->sex}};
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_hits(const Hit *a, const Hit *b)
{
    int c;

    if (a->feature != b->feature)
        return a->feature < b->feature ? -1 : 1;
    if ((c = compare_numbers(a->above, b->above)) != 0 ||
        (c = compare_numbers(a->below, b->below)) != 0)
        return c;
    return a->sex - b->sex;
}

static int compare_codes(Code a, Code b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

static int compare_pairs(const void *left, const void *right)
{
    const Pair *a = left, *b = right;
    int c = compare_codes(a->key, b->key);

    return c != 0 ? c : compare_hits(&a->hit, &b->hit);
}

/* A short code fills only the top bytes, and the slot is picked by the low bits, so
 * the high half is folded in before each multiplication. */
static size_t hash_of(Code key)
{
    uint64_t hash = key.high ^ (key.low * 0x9e3779b97f4a7c15);

    hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
    hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
    return (size_t)(hash ^ (hash >> 32));
}

/* The slot that holds the key, or the free one where it belongs. */
static Slot *slot_of(const Matcher *matcher, Code key)
{
    for (size_t i = hash_of(key);; i++) {
        Slot *slot = &matcher->slots[i & (matcher->n_slots - 1)];

        if (slot->n == 0 || code_equal(slot->key, key))
            return slot;
    }
}

/* Sorted pairs, each once. */
static void sort_pairs(Matcher *matcher)
{
    Pair *pairs = matcher->pairs;
    size_t n = 0;

    if (matcher->n_pairs > 0)
        qsort(pairs, matcher->n_pairs, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < matcher->n_pairs; i++) {
        if (n == 0 || compare_pairs(&pairs[n - 1], &pairs[i]) != 0)
            pairs[n++] = pairs[i];
    }
    matcher->n_pairs = n;
}

void matcher_build(Matcher *matcher)
{
    size_t n;

    sort_pairs(matcher);
    n = matcher->n_pairs;
    assert(n < UINT32_MAX);
    matcher->n_slots = 16;
    while (matcher->n_slots < 2 * n)
        matcher->n_slots *= 2;
    matcher->slots =
        arena_alloc(matcher->arena, matcher->n_slots, sizeof *matcher->slots);
    matcher->hits = arena_alloc(matcher->arena, n, sizeof *matcher->hits);
    matcher->keys = arena_alloc(matcher->arena, n, sizeof *matcher->keys);
    for (size_t i = 0; i < n; i++) {
        Code key = matcher->pairs[i].key;
        Slot *slot = slot_of(matcher, key);

        matcher->hits[i] = matcher->pairs[i].hit;
        if (slot->n == 0) {
            slot->key = key;
            slot->first = (uint32_t)i;
            matcher->keys[matcher->n_keys++] = key;
        }
        slot->n++;
    }
}

/* A sorted run of hits not yet taken. */
typedef struct Run {
    const Hit *at, *end;
} Run;

static int find_runs(Run runs[MOST_RUNS], const Matcher *matcher, Code code)
{
    unsigned lengths = matcher->lengths[code_system(code)];
    const Slot *slot = slot_of(matcher, code);
    int n = 0;

    if (slot->n > 0)
        runs[n++] =
            (Run){matcher->hits + slot->first, matcher->hits + slot->first + slot->n};
    for (int length = 1; lengths >> length != 0; length++) {
        Code key = code_cut(code, length);

        if ((lengths >> length & 1) == 0)
            continue;
        key.low |= PREFIX_MARK;
        slot = slot_of(matcher, key);
        if (slot->n > 0)
            runs[n++] =
                (Run){matcher->hits + slot->first, matcher->hits + slot->first + slot->n};
    }
    return n;
}

int matcher_find(const Matcher *matcher, Code code, Hit *hits, int most)
{
    Run runs[MOST_RUNS];
    int n_runs = find_runs(runs, matcher, code), n = 0;
    const Hit *last = NULL;

    for (;;) {
        Run *next = NULL;

        for (int i = 0; i < n_runs; i++) {
            if (runs[i].at < runs[i].end &&
                (next == NULL || compare_hits(runs[i].at, next->at) < 0))
                next = &runs[i];
        }
        if (next == NULL)
            return n;
        if (last == NULL || compare_hits(last, next->at) != 0) {
            if (n < most)
                hits[n] = *next->at;
            n++;
        }
        last = next->at++;
    }
}

size_t matcher_n_keys(const Matcher *matcher)
{
    return matcher->n_keys;
}

MatcherKey matcher_key(const Matcher *matcher, size_t number)
{
    const Slot *slot = slot_of(matcher, matcher->keys[number]);
    Code code = slot->key;

    code.low &= ~(uint64_t)PREFIX_MARK;
    return (MatcherKey){code, (slot->key.low & PREFIX_MARK) != 0,
                        matcher->hits + slot->first, slot->n};
}
