/*
 * strata.h - bands and ranks of every model.
 *
 * Ranks run 1..n without gaps within a group: score descending, then person id
 * ascending. A person without a score, or in no group, has rank 0. Bands by rank: the
 * top p % of n people scored are ranks 1..ceil(n * p / 100) among everyone.
 *
 * Rules read bands and no ranks. So bands come before the rules, and ranks, which take
 * 4 bytes for each model, grouping and person, after the events are gone.
 */
#ifndef ENGINE_STRATA_STRATA_H
#define ENGINE_STRATA_STRATA_H

#include "models/score.h"

typedef struct Strata {
    int n_models, n_groupings;
    uint32_t **rank; /* [model * n_groupings + grouping][person] */
} Strata;

/* Fills scores->band of the models that band by rank. */
void strata_band(Scores *scores, const Plan *plan, const Store *store);
void strata_build(Strata *strata, const Scores *scores, const Plan *plan,
                  const Store *store);
void strata_free(Strata *strata);

static inline uint32_t strata_rank(const Strata *strata, int model, int grouping,
                                   uint32_t person)
{
    return strata->rank[model * strata->n_groupings + grouping][person];
}

#endif
