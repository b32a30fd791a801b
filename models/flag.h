/*
 * flag.h - which scores rest on an input that was replaced.
 *
 * A model's policies may move an input that is out of range to its nearest end (clamp),
 * or take a declared value where there is none (impute, or zero). The score then stands
 * on something that was not recorded, so its person carries a flag, and people are
 * counted by model and input. A model made from the scores of others carries theirs too.
 *
 * What belongs to a model's own formula is no policy: caps, floors, steps, the way that
 * trees send a missing value, a feature's own `missing`, coalesce() in an expression.
 */
#ifndef MODELS_FLAG_H
#define MODELS_FLAG_H

#include "engine/plan/plan.h"
#include "models/lanes.h"

/* Bits of Scores.flag. */
enum { FLAG_CLAMPED = 1, FLAG_IMPUTED = 2 };

/* "clamped", "imputed", "clamped and imputed"; NULL for a score without a flag. */
const char *flag_text(int flag);

/* People with a score, by what was done to one of Model.replaceable. */
typedef struct InputCount {
    uint64_t below, above, imputed;
} InputCount;

/* Which models can have a flag, and from where. Made once; all threads read it. */
typedef struct Flags Flags;
Flags *flags_new(const Plan *plan);
void flags_free(Flags *flags);
bool flags_possible(const Flags *flags, int model);
bool flags_any(const Flags *flags); /* whether some model can have one */

/* One thread's flags of one person, and its counts so far. */
typedef struct Flagger {
    const Flags *flags;
    uint8_t *flag;       /* by model, of the person last flagged */
    InputCount **counts; /* [model][replaceable] */
} Flagger;

Flagger *flagger_new(const Flags *flags);
void flagger_free(Flagger *flagger);
/* The person of a lane, all of whose steps are taken. */
void flagger_person(Flagger *flagger, const Lanes *lanes, int lane);

/* Counts of every model, all 0. */
InputCount **input_counts_new(const Plan *plan);
void input_counts_add(InputCount **to, InputCount *const *counts, const Plan *plan);
/* A log line for each input that was replaced for anyone. */
void input_counts_log(InputCount *const *counts, const Plan *plan);
void input_counts_free(InputCount **counts);

#endif
