/*
 * step.h - one step of the plan: a derived feature or a model, for one person.
 */
#ifndef MODELS_STEP_H
#define MODELS_STEP_H

#include "engine/plan/plan.h"

/* Fills the step's slots of the row from those that it reads: the value of a derived
 * feature; the score and the cut-off band of a model (NaN = none), and in outcome, by
 * model, what Scores.outcome says. Any thread. */
void step_take(const Plan *plan, const Step *step, double *row, uint8_t *outcome);

#endif
