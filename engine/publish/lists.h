/*
 * lists.h - what has been published, as people read it on a terminal.
 *
 * Reads the database with the rights of whoever asks: row-level security decides which
 * people are seen. Tables fit 120 columns.
 */
#ifndef ENGINE_PUBLISH_LISTS_H
#define ENGINE_PUBLISH_LISTS_H

#include <stdio.h>

#include "engine/base/err.h"

/* One list: rank, person, scores and bands, reasons, who is new; then who left. group
 * NULL: the sizes of all its lists. */
int lists_cohort(FILE *file, const char *conninfo, const char *cohort, const char *group,
                 Err *err);
/* People in each segment, and in each band of each model, by group of a grouping; NULL:
 * locality where there is one. */
int lists_strata(FILE *file, const char *conninfo, const char *grouping, Err *err);
/* Runs that are kept, the newest first; shadow runs to those who may read the tables. */
int lists_runs(FILE *file, const char *conninfo, Err *err);

#endif
