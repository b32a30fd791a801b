/*
 * known.h - everyone of the people source, each once, ascending by id.
 *
 * A Known takes with it what the steps after it ask for: they go through everyone in
 * order, while the rows that workers took in lie anywhere.
 */
#ifndef ENGINE_STORE_KNOWN_H
#define ENGINE_STORE_KNOWN_H

#include "engine/store/seen.h"
#include "engine/store/store.h"

enum { AHEAD = 64 }; /* of things that lie anywhere, how many are asked for at once */

typedef struct Known {
    int64_t id;
    uint64_t check;
    const double *attributes; /* of the intake */
    int32_t birth, death;
    uint32_t practice;  /* place among those seen; UINT32_MAX = none */
    int32_t start, end; /* of the registration that holds */
    int16_t opt_out;    /* the first that removes the person, or -1 */
    bool is_test : 1, is_conflict : 1, is_ambiguous : 1;
} Known;

/* One Known for each row, rows of one person as they came. `known` is room for all. */
void known_gather(Known *known, const Intake *intakes, const Seen *seen,
                  const Source *source);

/* Leaves the first of each person, n of them, and counts the rest: as duplicates, or all
 * as a conflict. */
int known_merge(Known *known, uint32_t *n, SourceCount *count, const Source *source,
                Err *err);

#endif
