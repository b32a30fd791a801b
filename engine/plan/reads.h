/*
 * reads.h - which slots of a person's row the rules and models of a plan read.
 */
#ifndef ENGINE_PLAN_READS_H
#define ENGINE_PLAN_READS_H

#include "engine/plan/plan.h"

/* Called for every slot that is read; for some more than once. */
typedef void EachSlot(void *context, uint32_t slot);

void rule_each_slot(const Rule *rule, EachSlot *each, void *context); /* NULL: none */
/* Its terms, its offset and who it is for. */
void model_each_slot(const Model *model, EachSlot *each, void *context);

#endif
