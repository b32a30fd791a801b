/*
 * reconcile.h - how many people are where, and whether it all adds up.
 *
 *     known      = population + exclusions
 *     rows       = sum of their fates, for each source
 *     population = scored + not applicable + could not be scored, for each model,
 *                  in every group of every grouping
 *     flagged   <= scored, and no input was replaced for more people than have the flag
 *     ranks      = 1..n without gaps in every group, and on every list
 *
 * What does not reconcile is not published.
 */
#ifndef ENGINE_PUBLISH_RECONCILE_H
#define ENGINE_PUBLISH_RECONCILE_H

#include "engine/strata/cohort.h"

/* One list of a cohort in numbers. */
typedef struct ListCount {
    int cohort;
    uint32_t group; /* n_groups stands for people in none, here and below */
    uint64_t registered, eligible, members, fresh, continuing, leavers;
} ListCount;

/*
 * People of a model are counted in parts: one for each band of those scored (one in all
 * for a model without bands), then one for each reason why there is no score.
 */
typedef struct Counts {
    int n_models, n_groupings, n_segments;
    uint64_t **model;   /* [model * n_groupings + grouping][group * parts + part] */
    uint64_t **segment; /* [grouping][group * n_segments + segment] */
    uint64_t **people;  /* [grouping][group] */
    ListCount *lists;   /* by cohort and group, GROUP_NONE last */
    uint32_t n_lists;
    uint64_t *scored;            /* by model */
    double *mean;                /* by model; NaN without anyone scored */
    uint64_t *clamped, *imputed; /* by model: people whose score has the flag */
    uint64_t *flagged_unscored;  /* by model: people with a flag and no score */
} Counts;

int model_parts(const Model *model);
/* Part of a person; -1 where outcome and band contradict each other. */
int model_part(const Model *model, int outcome, int band);
/* Back to an outcome and a band (-1 = none). */
void model_part_split(const Model *model, int part, int *outcome, int *band);

void counts_build(Counts *counts, const Results *results);
void counts_free(Counts *counts);

/* Code of a group, "" for people in none. */
const char *group_code(const Store *store, int grouping, uint32_t group);

/* ERR_GATE "does not reconcile: ..." for everything that does not add up. */
int reconcile(const Counts *counts, const Results *results, Err *err);

#endif
