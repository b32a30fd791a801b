/*
 * lanes.h - the rows of some people, side by side.
 *
 * People are scored a few at a time, each step of the work for all of them before the
 * next: the processor foresees a step that it has just taken for somebody else, and rules
 * are evaluated for all rows at once. A lane is the place of one of them.
 */
#ifndef MODELS_LANES_H
#define MODELS_LANES_H

#include "engine/plan/plan.h"

enum { MOST_LANES = RULE_LANES };

typedef struct Lanes {
    int n;                          /* people */
    double *row[MOST_LANES];        /* Plan.n_slots values */
    uint8_t (*outcome)[MOST_LANES]; /* by model; see Scores.outcome */
    uint32_t *touched[MOST_LANES];  /* features that an event counted for, each once: the
                                       others have the value where nothing counts */
    uint32_t n_touched[MOST_LANES];
    uint64_t (*due)[MOST_LANES]; /* by word of 64 steps: those that a touched feature sets
                                    off */
} Lanes;

Lanes *lanes_new(const Plan *plan);
void lanes_free(Lanes *lanes); /* NULL is accepted */
/* Back to rows whose features nothing has touched: untouched is by feature. */
void lanes_clear(Lanes *lanes, const Plan *plan, const double *untouched);

/* As rules and models take them. */
static inline const double *const *lanes_rows(const Lanes *lanes)
{
    return (const double *const *)lanes->row;
}

#endif
