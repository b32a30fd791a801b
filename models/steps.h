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
    uint8_t *outcome;  /* by model, alike */
    uint32_t first;    /* slots from here on are those of steps */
    size_t n_words;    /* of 64 steps, as bits in the order of the plan */
    uint64_t *always;  /* steps that read the age or an attribute */
    uint64_t *set_off; /* by feature n_words: steps that read it */
} Steps;

/* Borrows the plan; read-only once made. Any feature may be touched, also one that the
 * set does not count. */
Steps *steps_new(const Plan *plan, const FeatureSet *set);
void steps_free(Steps *steps); /* NULL is accepted */

/* Takes the steps of a person whose age, attributes and features are in the row, of which
 * those of the tally have been touched. outcome is by model; due is room for n_words. */
void steps_take(const Steps *steps, const Tally *tally, double *row, uint8_t *outcome,
                uint64_t *due);

/* One step: fills its slots of the row from those that it reads. Of a derived feature the
 * value; of a model the score and the cut-off band (NaN = none), and in outcome what
 * Scores.outcome says. Any thread. */
void step_take(const Plan *plan, const Step *step, double *row, uint8_t *outcome);

#endif
