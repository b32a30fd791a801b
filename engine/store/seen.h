/*
 * seen.h - the practice codes that workers met in people and registrations, each once.
 * Every worker has numbered them in its own order.
 */
#ifndef ENGINE_STORE_SEEN_H
#define ENGINE_STORE_SEEN_H

#include "engine/store/people.h"

typedef struct Seen {
    const char **code; /* ascending; borrowed from the intakes */
    uint32_t n;
    uint32_t **rank; /* by intake and its number of a practice: place among the codes */
    int n_intakes;
} Seen;

/* `fixed` is the practice of everyone, or NULL; it is seen too. At least one code is: ""
 * if there is no other. */
void seen_build(Seen *seen, const Intake *intakes, int n_intakes, const char *fixed);
void seen_free(Seen *seen);

/* The place of a code that was seen. */
uint32_t seen_find(const Seen *seen, const char *code);

#endif
