/*
 * rank.c - see rank.h.
 */
#include "engine/strata/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

enum { DIGITS = 8, BUCKETS = 256, NO_GROUP = UINT16_MAX };

typedef struct Entry {
    uint64_t key; /* ascending keys are descending scores */
    uint32_t person;
} Entry;

/* The bits of a double as an unsigned number that grows as the score falls. */
static uint64_t key_of(double score)
{
    uint64_t bits;

    score += 0.0; /* -0.0 is the same score as 0.0 */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 63 ? bits : ~(bits | (UINT64_C(1) << 63));
}

static unsigned digit(uint64_t key, int d)
{
    return (unsigned)(key >> (8 * d)) & (BUCKETS - 1);
}

/* One stable pass of the radix sort; false where all entries share the digit. */
static int sort_digit(Entry *to, const Entry *from, uint32_t n, int d)
{
    uint32_t start[BUCKETS] = {0};
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        start[digit(from[i].key, d)]++;
    if (n == 0 || start[digit(from[0].key, d)] == n)
        return 0;
    for (int b = 0; b < BUCKETS; b++) {
        uint32_t count = start[b];

        start[b] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < n; i++)
        to[start[digit(from[i].key, d)]++] = from[i];
    return 1;
}

uint32_t rank_order(uint32_t *order, const double *score, uint32_t n_people)
{
    Entry *entries = mem_alloc(n_people, sizeof *entries, "people to rank");
    Entry *other = mem_alloc(n_people, sizeof *other, "people to rank");
    uint32_t n = 0;

    for (uint32_t person = 0; person < n_people; person++)
        if (!isnan(score[person]))
            entries[n++] = (Entry){key_of(score[person]), person};
    /* Stable passes keep equal scores in the order of people. */
    for (int d = 0; d < DIGITS; d++) {
        if (sort_digit(other, entries, n, d)) {
            Entry *swap = entries;

            entries = other;
            other = swap;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        order[i] = entries[i].person;
    free(entries);
    free(other);
    return n;
}

static void rank_grouping(uint32_t *rank, const uint32_t *order, uint32_t n,
                          const Groups *groups, int grouping)
{
    const uint16_t *group_of = groups->group_of[grouping];
    uint32_t *last = mem_alloc(groups->n_groups[grouping], sizeof *last, "ranks");

    memset(rank, 0, groups->n_people * sizeof *rank);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t group = group_of[groups->practice[order[i]]];

        if (group != NO_GROUP)
            rank[order[i]] = ++last[group];
    }
    free(last);
}

void rank_all(const Ranking *rankings, int n_rankings, const Groups *groups)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < n_rankings; i++) {
        uint32_t *order = mem_alloc(groups->n_people, sizeof *order, "people in order");
        uint32_t n = rank_order(order, rankings[i].score, groups->n_people);

        for (int g = 0; g < groups->n_groupings; g++)
            rank_grouping(rankings[i].rank[g], order, n, groups, g);
        free(order);
    }
}

uint32_t rank_top(uint32_t n, double share)
{
    const uint64_t whole = 1000000000;
    uint64_t parts;

    if (!(share > 0))
        return 0;
    if (share >= 1)
        return n;
    parts = (uint64_t)llround(share * (double)whole);
    return (uint32_t)((n * parts + whole - 1) / whole);
}
