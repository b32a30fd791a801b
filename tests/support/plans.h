/*
 * plans.h - a small plan of every role of source, built by hand, for tests of loading.
 *
 * As of 2025-07-01. Sources and their columns (tables t_NAME of the current schema, or
 * files NAME.csv of a folder):
 *
 *     people         id birth death test sex imd
 *     registrations  id practice start_date end_date
 *     practices      practice name pcn pcn_name locality
 *     opt_outs       id type date       type-1 removes the person, care only spells
 *     gp             id date code value SNOMED: list "falls" ever, "bmi" 12 months by
 * value rx             id date code items BNF prefix 0403 in 6 months; distinct codes, 12
 *     spells         id date end_date method key   unique; emergencies, bed days: 12
 */
#ifndef TESTS_SUPPORT_PLANS_H
#define TESTS_SUPPORT_PLANS_H

#include "engine/plan/plan.h"
#include "engine/store/store.h"

enum { PLANS_GP, PLANS_RX, PLANS_SPELLS }; /* Source.number */
enum {
    PLANS_FALLS,
    PLANS_BMI,
    PLANS_ANTIDEPRESSANTS,
    PLANS_DRUGS,
    PLANS_EMERGENCIES,
    PLANS_BED_DAYS,
    PLANS_N_FEATURES
};

/* place is the schema ("" = by search path) or the folder. */
Plan *plans_small(Arena *arena, const SourceKind *kind, const char *place);
/* The source of that name, to be changed by a test. */
Source *plans_source(Plan *plan, const char *name);
int32_t plans_day(const char *text);

/* Everything that a store says, as text: equal texts are equal stores. Released with
 * free(). */
char *plans_dump(const Store *store, const Plan *plan);

#endif
