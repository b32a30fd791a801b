/*
 * metrics.h - how the run went, for the textfile collector of Prometheus.
 *
 * Written beside its place and renamed, so that a half-written file is never read.
 * Counts and timings only. After a failed run the file says when it failed and, as the
 * file before it did, when one was last published: an alarm on that age must have a
 * figure just then. All else is kept by whoever scraped it.
 */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include <stdbool.h>

#include "engine/stopwatch.h"

/* Borrowed. Store and scores may hold nothing where the run failed early. */
typedef struct Measured {
    const Plan *plan;
    const Store *store;
    const Scores *scores;
    const Stopwatch *watch;
    bool is_success, is_shadow;
} Measured;

/* Can they be written there? Asked before the night, not after it. */
int metrics_check(const char *path, Err *err);
/* A run stands whether or not this works: a failure is a warning in the log. */
void metrics_write(const char *path, const Measured *run);

#endif
