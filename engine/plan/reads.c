/*
 * reads.c - see reads.h.
 */
#include "engine/plan/reads.h"

void rule_each_slot(const Rule *rule, EachSlot *each, void *context)
{
    const uint32_t *slots;
    size_t n;

    if (rule == NULL)
        return;
    slots = rule_slots(rule, &n);
    for (size_t i = 0; i < n; i++)
        each(context, slots[i]);
}

void model_each_slot(const Model *model, EachSlot *each, void *context)
{
    for (int t = 0; t < model->n_terms; t++) {
        if (model->terms[t].value == NULL)
            each(context, model->terms[t].slot);
        else
            rule_each_slot(model->terms[t].value, each, context);
    }
    rule_each_slot(model->offset, each, context);
    for (int r = 0; r < model->n_reasons; r++)
        rule_each_slot(model->reasons[r].when, each, context);
}
