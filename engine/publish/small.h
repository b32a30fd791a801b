/*
 * small.h - counts that may be seen by those who may not see people.
 *
 * A count from 1 to 7 is hidden, any other is rounded to the nearest 5. Totals are
 * added up first and rounded then, so they need not equal the sum of what is shown.
 */
#ifndef ENGINE_PUBLISH_SMALL_H
#define ENGINE_PUBLISH_SMALL_H

#include "engine/publish/reconcile.h"

enum { SMALL_HIDDEN = -1 };

typedef struct PublicCount {
    const char *measure; /* "registered", "model", "segment", "cohort", "excluded" */
    const char *item;    /* model or cohort, else "" */
    const char *part;    /* band, outcome, segment or reason; "" for a total */
    const char *grouping, *group;
    int64_t people; /* or SMALL_HIDDEN */
} PublicCount;

typedef struct PublicCounts {
    PublicCount *rows;
    uint32_t n, room;
} PublicCounts;

/* The count as it may be seen. */
int64_t small_number(uint64_t people);

/* Text is borrowed from the plan and the store. */
void public_counts_build(PublicCounts *public_counts, const Results *results,
                         const Counts *counts);
void public_counts_free(PublicCounts *public_counts);

/* Looks at every row that is about to be published: ERR_GATE where one shows a number
 * that disclosure control cannot have made. */
int small_scan(const PublicCounts *public_counts, Err *err);

#endif
