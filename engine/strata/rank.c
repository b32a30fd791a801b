/*
 * rank.c - see rank.h.
 */
#include "engine/strata/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/base/order.h"

enum { NO_GROUP = UINT16_MAX };

/* The bits of a double as an unsigned number that grows as the score falls: ascending
 * keys are descending scores. */
static uint64_t key_of(double score)
{
    uint64_t bits;

    score += 0.0; /* -0.0 is the same score as 0.0 */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 63 ? bits : ~(bits | (UINT64_C(1) << 63));
}

uint32_t rank_order(uint32_t *order, const double *score, uint32_t n_people)
{
    Keyed *entries = mem_alloc(n_people, sizeof *entries, "people to rank");
    uint32_t n = 0;

    for (uint32_t person = 0; person < n_people; person++)
        if (!isnan(score[person]))
            entries[n++] = (Keyed){key_of(score[person]), person};
    entries = order_sort(entries, n); /* equal scores stay in the order of people */
    for (uint32_t i = 0; i < n; i++)
        order[i] = entries[i].item;
    free(entries);
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
