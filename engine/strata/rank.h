/*
 * rank.h - the place of every person within a group.
 *
 * In:  a score per person, and the practice that leads to the person's groups.
 * Out: a rank per person and grouping; 1 is the highest score of the group.
 *
 * Ranks run 1..n without gaps. Equal scores are ordered by person, and people are
 * stored in the order of their id, so the order is total and repeatable. A person
 * without a score (NaN) gets rank 0 and does not count; so does, in a grouping, a
 * person whose practice belongs to none of its groups.
 */
#ifndef ENGINE_STRATA_RANK_H
#define ENGINE_STRATA_RANK_H

#include <stdint.h>

/* Who is in which group; borrowed from the store. */
typedef struct Groups {
    uint32_t n_people;
    int n_groupings;
    const uint16_t *practice;        /* by person */
    const uint16_t *const *group_of; /* [grouping][practice]; UINT16_MAX = in none */
    const uint32_t *n_groups;        /* by grouping */
} Groups;

/* One score to rank. */
typedef struct Ranking {
    const double *score; /* by person */
    uint32_t **rank;     /* [grouping][person], filled */
} Ranking;

/*
 * Sorts once for each ranking and then deals out the ranks of every grouping in one
 * pass, so a further grouping costs next to nothing. Parallel over rankings; each
 * writes only its own ranks, so the result is the same for any thread count.
 */
void rank_all(const Ranking *rankings, int n_rankings, const Groups *groups);

/* Fills order with the people that have a score, highest first, and returns how many
 * there are. order has room for n_people. */
uint32_t rank_order(uint32_t *order, const double *score, uint32_t n_people);

/* How many of n the top share is: ceil(n * share), for the share as it is written
 * (7 % of 100 is 7, although 0.07 * 100 is a little more in binary). */
uint32_t rank_top(uint32_t n, double share);

#endif
