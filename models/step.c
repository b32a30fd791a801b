/*
 * step.c - see step.h.
 */
#include "models/step.h"

#include <math.h>

static void score_model(const Model *model, double *row, uint8_t *outcome)
{
    double score = NAN;
    int why = 0, band;

    for (int r = 1; r < model->n_reasons && why == 0; r++) {
        const ModelReason *reason = &model->reasons[r];

        if (reason->is_eligibility && reason->when != NULL &&
            !rule_holds(reason->when, row))
            why = r;
    }
    if (why == 0)
        score = model->kind->score(model, row, &why);
    *outcome = (uint8_t)why;
    row[model->score_slot] = score;
    band = model_band(model, score);
    row[model->band_slot] = band < 0 ? NAN : band;
}

void step_take(const Plan *plan, const Step *step, double *row, uint8_t *outcome)
{
    const Derived *derived = &plan->derived[step->index];

    if (step->is_model)
        score_model(&plan->models[step->index], row, &outcome[step->index]);
    else
        row[derived->slot] = rule_number(derived->rule, row);
}
