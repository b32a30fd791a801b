/*
 * cohort.h - the people each cohort rule picks: who, in what order, who is new, who
 * left, within the team's capacity.
 */
#ifndef ENGINE_STRATA_COHORT_H
#define ENGINE_STRATA_COHORT_H

#include "engine/strata/strata.h"
#include "models/reason.h"

typedef enum Movement { MOVED_NEW, MOVED_CONTINUING, MOVED_LEFT } Movement;

/* Why someone who left did. The first that applies. */
typedef enum LeftWhy {
    LEFT_NOT,
    LEFT_DIED,
    LEFT_OPTED_OUT,
    LEFT_MOVED, /* registered elsewhere, or in another group */
    LEFT_RULE,  /* no longer meets the rule */
    LEFT_OUTRANKED
} LeftWhy;

enum { MOST_REASONS = 5 }; /* of a line of a list, and of each of its models */

/* One line of a list. Those who left follow the members of their group. */
typedef struct Member {
    int cohort;
    uint16_t group;  /* of the cohort's grouping; for leavers: where they were */
    uint32_t rank;   /* 1..n within the group; 0 for leavers */
    uint32_t person; /* index; UINT32_MAX when no longer in the run */
    int64_t person_id;
    Movement movement;
    LeftWhy why;
    int n_reasons; /* of the list: what several models have found is said once */
    Reason reasons[MOST_REASONS];
    int n_explained; /* of the scores: each model's own, the models in their order */
    Reason *explained;
} Member;

/* A member of the last published run. */
typedef struct Previous {
    int cohort;        /* index into Plan.cohorts */
    const char *group; /* its code then */
    int64_t person_id;
} Previous;

typedef struct Cohorts {
    Member *members; /* by cohort, group, rank, then leavers by person id */
    uint32_t n_members;
    Reason *explained; /* of all members */
} Cohorts;

/* Everything earlier stages made, as the last ones read it. */
typedef struct Results {
    const Plan *plan;
    const Store *store;
    const Scores *scores;
    const Strata *strata;
    const Matches *matches;
    const Cohorts *cohorts;
} Results;

/* The last published run (previous.h); results->cohorts is not read. */
typedef struct PreviousRun PreviousRun;
void cohorts_build(Cohorts *cohorts, const Results *results, const PreviousRun *previous);
void cohorts_free(Cohorts *cohorts);

/* Places on the list of a group of so many registered people; UINT32_MAX = everyone.
 * And how far down a continuing member may rank; 0 = no keep rule. */
uint32_t cohort_capacity(const Cohort *cohort, uint32_t registered);
uint32_t cohort_keep(const Cohort *cohort, uint32_t registered);

/* "new", "continuing", "left"; "died", "opted out" ..., NULL for LEFT_NOT. */
const char *movement_word(Movement movement);
const char *left_why_text(LeftWhy why);

#endif
