/*
 * town.h - the results of a small run, built by hand, for tests of what comes after
 * scoring.
 *
 * As of 2025-07-01. Practices P1 and P2 are PCN "A", P3 is PCN "B", P4 is in none.
 * Model "risk" has the bands low (below 0.5) and high, two reasons for no score, and
 * an input "Weight" that may be replaced; model "count" has none of it. Segments are
 * "few" and "rest"; cohort "watch" is per PCN. Person i has the id 100 + i; everything
 * else is changed by the test before town_build.
 */
#ifndef TESTS_SUPPORT_TOWN_H
#define TESTS_SUPPORT_TOWN_H

#include "engine/strata/cohort.h"
#include "engine/strata/previous.h"

enum { TOWN_RISK, TOWN_COUNT, TOWN_MODELS };
enum { TOWN_PCN = 2, TOWN_GROUPINGS = 3, TOWN_PRACTICES = 4 };
enum { TOWN_PEOPLE_SOURCE, TOWN_PRACTICE_SOURCE, TOWN_GP, TOWN_SOURCES };

typedef struct Town {
    Arena *arena;
    Plan plan;
    Store store;
    Scores scores;
    Strata strata;
    Matches matches;
    Cohorts cohorts;
    PreviousRun previous; /* none, unless the test fills it */
    Results results;
} Town;

/* Everyone is in practice P1, born in 1950, scored 0 by both models, in segment "rest"
 * and meets no rule. */
Town *town_new(uint32_t n_people);
/* Takes over the last run; members and practices are still those of the caller. */
void town_previous(Town *town, const PreviousRun *previous);
/* Bands, groups, ranks and lists. */
void town_build(Town *town);
void town_free(Town *town);

#endif
