/*
 * steps.h - what is computed after the features of a person: derived features and models.
 *
 * Most people have events for few features: a score of hospital codes is that of nobody's
 * events for all who were not admitted. So a person begins with what steps come to where
 * no event counts, and only those are taken that read something of the person: the age,
 * an attribute, or a feature that an event has touched, also through other steps.
 */
#ifndef MODELS_STEPS_H
#define MODELS_STEPS_H

#include "models/feature.h"

typedef struct Steps {
    const Plan *plan;
    double *untouched; /* by slot, where no event counts; missing: age, attributes, and
                          steps that read them */
    uint8_t (*outcome)[MOST_LANES]; /* by model, alike, for every lane */
    uint32_t first;                 /* slots from here on are those of steps */
    size_t n_words;                 /* of 64 steps, as bits in the order of the plan */
    uint64_t *always;               /* steps that read the age or an attribute */
    uint64_t *set_off;              /* by word and feature: steps that read it */
} Steps;

/* Borrows the plan; read-only once made. Any feature may be touched, also one that the
 * set does not count. */
Steps *steps_new(const Plan *plan, const FeatureSet *set);
void steps_free(Steps *steps); /* NULL is accepted */

/* Takes the steps of people whose age, attributes and features are in their rows; in
 * outcome is then what Scores.outcome says. */
void steps_take(const Steps *steps, Lanes *lanes);
/* Derived features whose slots are marked, and nothing else, for those whose row has the
 * scores already. */
void steps_derive(Lanes *lanes, const Plan *plan, const bool *slots);

#endif
