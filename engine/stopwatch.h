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
/* Ends a stage that handled so many rows (or people) and bytes, and logs it. */
void stopwatch_lap(Stopwatch *watch, const char *stage, uint64_t rows, uint64_t bytes);
/* All stages as an aligned table. */
void stopwatch_print(const Stopwatch *watch, FILE *file);

#endif
