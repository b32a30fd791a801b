/*
 * score.h - every person, every model, one visit.
 *
 * In:  the plan and the store.
 * Out: a score for each model and person, or the reason why there is none.
 *
 * The same functions score a whole population, one person for an explanation, and
 * the rules of segments and cohorts, so that they cannot disagree.
 */
#ifndef MODELS_SCORE_H
#define MODELS_SCORE_H

#include "engine/plan/plan.h"
#include "engine/store/store.h"
#include "models/flag.h"

typedef struct Scores {
    int n_models;
    uint32_t n_people;
    double **score;    /* [model][person]; NaN = none */
    uint8_t **outcome; /* [model][person]: 0 scored, else index into Model.reasons */
    int8_t **band;     /* [model][person]; -1 = none. Bands by rank: see strata.h */
    uint8_t **flag;    /* [model][person]: FLAG_ bits; NULL for models that cannot have
                          one */
    InputCount **replaced; /* [model][Model.replaceable] */
} Scores;

static inline int scores_flag(const Scores *scores, int model, uint32_t person)
{
    return scores->flag[model] != NULL ? scores->flag[model][person] : 0;
}

/* One thread's room for one person. */
typedef struct Visit Visit;
Visit *visit_new(const Plan *plan);
void visit_free(Visit *visit);

/*
 * Fills the visit's row: age, attributes, features, derived features, scores and
 * cut-off bands of one person. With evidence, also the day of the latest event behind
 * each feature. Bands by rank are NaN in here.
 */
void visit_person(Visit *visit, const Plan *plan, const Store *store, uint32_t person,
                  bool evidence);
/* Plan.n_slots values; good until the next visit_person. */
const double *visit_row(const Visit *visit);
/* Day of the latest supporting event by feature index, or DAY_UNKNOWN. */
const int32_t *visit_evidence(const Visit *visit);
/* Outcome of a model for the person last visited; see Scores.outcome. */
int visit_outcome(const Visit *visit, int model);

/* What the rules say of a person. */
typedef struct Matches {
    uint8_t *segment; /* index into Plan.segments */
    uint64_t *cohort; /* bit c: meets the rule of Plan.cohorts[c] */
} Matches;

/* Parallel over people; each index writes only its own results. Rules that read a band by
 * rank are decided by score_match(). matches may be NULL: nobody asks. */
void score_people(Scores *scores, Matches *matches, const Plan *plan, const Store *store);
void scores_free(Scores *scores);

/* Decides what is left once bands by rank are known (they stand in scores->band): nothing
 * in most runs, else by a second visit that counts only what these rules read. */
void score_match(Matches *matches, const Plan *plan, const Store *store,
                 const Scores *scores);
void matches_free(Matches *matches);

/* Puts final scores and bands of a person (with those by rank) into the visited row. */
void visit_set_bands(Visit *visit, const Plan *plan, const Scores *scores,
                     uint32_t person);

#endif
