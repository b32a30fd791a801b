/*
 * stopwatch.h - how long each stage of a run took: in the log, and in the results.
 */
#ifndef ENGINE_STOPWATCH_H
#define ENGINE_STOPWATCH_H

#include <stdio.h>

#include "engine/publish/publish.h"

enum { MOST_STAGES = 12 };

typedef struct Stopwatch {
    StageTime stages[MOST_STAGES];
    int n;
    double wall, cpu; /* at the end of the last stage */
} Stopwatch;

void stopwatch_start(Stopwatch *watch);
/* Ends a stage that handled so many rows (or people) and bytes, and logs it. server_cpu:
 * seconds the server spent on it; NaN where that is not known, and then nothing is said.
 */
void stopwatch_lap(Stopwatch *watch, const char *stage, uint64_t rows, uint64_t bytes,
                   double server_cpu);
/* All stages as an aligned table. */
void stopwatch_print(const Stopwatch *watch, FILE *file);

#endif
