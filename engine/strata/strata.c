/*
 * strata.c - see strata.h.
 */
#include "engine/strata/strata.h"

#include <stdlib.h>
#include <string.h>

#include "engine/strata/rank.h"

/* The highest band whose share of everyone scored takes the rank; the lowest band
 * takes the rest. Shares fall from band to band, as bands are in ascending risk. */
static int8_t band_of_rank(const uint32_t *last, int n_bands, uint32_t rank)
{
    for (int b = n_bands - 1; b > 0; b--)
        if (rank <= last[b])
            return (int8_t)b;
    return 0;
}

static void band_by_rank(int8_t *band, const Model *model, const double *score,
                         uint32_t n_people)
{
    uint32_t *last = mem_alloc((size_t)model->n_bands, sizeof *last, "bands");
    uint32_t *order = mem_alloc(n_people, sizeof *order, "people in order");
    uint32_t n = rank_order(order, score, n_people);

    for (int b = 0; b < model->n_bands; b++)
        last[b] = rank_top(n, model->bands[b].share);
    memset(band, -1, n_people);
    for (uint32_t i = 0; i < n; i++)
        band[order[i]] = band_of_rank(last, model->n_bands, i + 1);
    free(order);
    free(last);
}

void strata_band(Scores *scores, const Plan *plan, const Store *store)
{
    for (int m = 0; m < plan->n_models; m++)
        if (plan->models[m].is_by_rank && plan->models[m].n_bands > 0)
            band_by_rank(scores->band[m], &plan->models[m], scores->score[m],
                         store->n_people);
}

static void rank_models(Strata *strata, const Scores *scores, const Store *store)
{
    const uint16_t *group_of[MOST_GROUPINGS];
    Groups groups = {store->n_people, strata->n_groupings, store->practice, group_of,
                     store->area.n_groups};
    Ranking *rankings =
        mem_alloc((size_t)strata->n_models, sizeof *rankings, "models to rank");

    for (int g = 0; g < strata->n_groupings; g++)
        group_of[g] = store->area.group_of[g];
    for (int m = 0; m < strata->n_models; m++)
        rankings[m] = (Ranking){scores->score[m], strata->rank + m * strata->n_groupings};
    rank_all(rankings, strata->n_models, &groups);
    free(rankings);
}

void strata_build(Strata *strata, const Scores *scores, const Plan *plan,
                  const Store *store)
{
    int n;

    strata->n_models = plan->n_models;
    strata->n_groupings = store->area.n_groupings;
    n = strata->n_models * strata->n_groupings;
    strata->rank = mem_alloc((size_t)n, sizeof *strata->rank, "ranks");
    for (int i = 0; i < n; i++)
        strata->rank[i] =
            mem_alloc(store->n_people, sizeof *strata->rank[i], "ranks of a model");
    rank_models(strata, scores, store);
}

void strata_free(Strata *strata)
{
    for (int i = 0; strata->rank != NULL && i < strata->n_models * strata->n_groupings;
         i++)
        free(strata->rank[i]);
    free(strata->rank);
    *strata = (Strata){0};
}
