/*
 * metrics.h - how the run went, for the textfile collector of Prometheus.
 *
 * Written beside its place and renamed, so that a half-written file is never read.
 * Counts and timings only. After a failed run the figures of the last success are kept
 * by whoever scraped them: the file then says when the run failed, and no more.
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
    bool is_success;
} Measured;

/* Can they be written there? Asked before the night, not after it. */
int metrics_check(const char *path, Err *err);
int metrics_write(const char *path, const Measured *run, Err *err);

#endif
