/*
 * lanes.c - see lanes.h.
 */
#include "models/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

/* Each array is one block, of which the first lane has the beginning. */
Lanes *lanes_new(const Plan *plan)
{
    Lanes *lanes = mem_alloc(1, sizeof *lanes, "lanes");
    size_t n_slots = plan->n_slots, n_models = (size_t)plan->n_models,
           n_features = (size_t)plan->n_features,
           n_words = ((size_t)plan->n_steps + 63) / 64;
    double *row = mem_alloc(MOST_LANES * n_slots, sizeof *row, "rows");
    uint32_t *touched = mem_alloc(MOST_LANES * n_features, sizeof *touched, "features");

    lanes->due = mem_alloc(n_words, sizeof *lanes->due, "steps");
    lanes->outcome = mem_alloc(n_models, sizeof *lanes->outcome, "outcomes");
    for (size_t l = 0; l < MOST_LANES; l++) {
        lanes->row[l] = row + l * n_slots;
        lanes->touched[l] = touched + l * n_features;
    }
    return lanes;
}

void lanes_clear(Lanes *lanes, const Plan *plan, const double *untouched)
{
    for (int l = 0; l < MOST_LANES; l++) {
        for (int f = 0; f < plan->n_features; f++)
            lanes->row[l][plan->features[f].slot] = untouched[f];
        lanes->n_touched[l] = 0;
    }
}

void lanes_free(Lanes *lanes)
{
    if (lanes == NULL)
        return;
    free(lanes->due);
    free(lanes->touched[0]);
    free(lanes->outcome);
    free(lanes->row[0]);
    free(lanes);
}
