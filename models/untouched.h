/*
 * untouched.h - what derived features and models come to where no event counts, and which
 * of them a feature that one has touched sets off.
 *
 * Most people have events for few features: a score of hospital codes is that of nobody's
 * events for all who were not admitted. So a person begins with these values, and only
 * steps that read something of their own are taken: the age, an attribute, or a feature
 * that was touched, also through other steps.
 */
#ifndef MODELS_UNTOUCHED_H
#define MODELS_UNTOUCHED_H

#include "models/feature.h"

typedef struct Untouched {
    const Plan *plan;
    double *row;       /* by slot; missing: age, attributes, and steps that read them */
    uint8_t *outcome;  /* by model: see step.h */
    uint32_t first;    /* slots from here on are those of steps */
    size_t n_words;    /* of 64 steps, as bits in the order of the plan */
    uint64_t *always;  /* steps that read the age or an attribute */
    uint64_t *set_off; /* by feature n_words: steps that read it */
} Untouched;

/* Borrows the plan; read-only once made. Any feature may be touched, also one that the
 * set does not count. */
Untouched *untouched_new(const Plan *plan, const FeatureSet *set);
void untouched_free(Untouched *untouched); /* NULL is accepted */

/* Takes all steps for a person whose age, attributes and features are in the row, of
 * which those of the tally have been touched. due is room for n_words. */
void untouched_steps(const Untouched *untouched, const Tally *tally, double *row,
                     uint8_t *outcome, uint64_t *due);

#endif
