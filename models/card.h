/*
 * card.h - a model in words: what it is for, who it applies to, what goes in, what
 * comes out, where it is from, and what it cannot do. Written from the Plan, so that
 * the page and the arithmetic cannot differ.
 */
#ifndef MODELS_CARD_H
#define MODELS_CARD_H

#include <stdio.h>

#include "engine/plan/plan.h"

/* One model as Markdown that also reads well as plain text. */
void card_write(FILE *out, const Plan *plan, int model);

/* One line for each model, in aligned columns. */
void card_list(FILE *out, const Plan *plan);

#endif
