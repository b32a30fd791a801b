/*
 * ids.h - from a person's pseudonym to their index, for rows that arrive by the
 * million: one cache line a look-up, which can be fetched ahead.
 *
 * It knows everyone in the people source, so that a row about someone outside the run
 * is told apart from a row about nobody.
 */
#ifndef ENGINE_STORE_IDS_H
#define ENGINE_STORE_IDS_H

#include <stdint.h>
#include <stdlib.h>

#include "engine/plan/plan.h"

/* In place of an index. */
#define ID_ABSENT    UINT32_MAX       /* not in the people source */
#define ID_OUTSIDE   (UINT32_MAX - 1) /* known, but not in the run */
#define ID_DEAD      (UINT32_MAX - 2) /* died before the run */
#define ID_OPTED_OUT (UINT32_MAX - 3) /* removed by an opt-out */
#define ID_LAST      (UINT32_MAX - 4) /* the largest index */

typedef struct IdSlot {
    int64_t id;
    uint32_t person;      /* index, or one of the above */
    int32_t limit : 31;   /* day of birth; of death for ID_DEAD */
    uint32_t refuses : 1; /* rows of some source: see People.refused */
} IdSlot;

/* Slots of a cache line. They are compared all at once: where in the line an id is
 * cannot be guessed, and a wrong guess costs more than three comparisons. */
enum { IDS_LINE = 4 };
_Static_assert(IDS_LINE * sizeof(IdSlot) == 64, "a cache line");

typedef struct Ids {
    IdSlot *slots;
    uint64_t mask;
    int shift;
} Ids;

/* The first slot of the id's line. Fibonacci hashing: pseudonyms may be dense, sparse or
 * hashes. */
static inline uint64_t ids_place(const Ids *ids, int64_t id)
{
    uint64_t at = ((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> ids->shift;

    return at & ~(uint64_t)(IDS_LINE - 1);
}

FETCHES_ONLY static inline void ids_fetch(const Ids *ids, int64_t id)
{
    __builtin_prefetch(&ids->slots[ids_place(ids, id)]);
}

/* The slot of the id, or one that says ID_ABSENT. Lines are filled from the left, and
 * the id of an empty slot is 0. */
static inline const IdSlot *ids_find(const Ids *ids, int64_t id)
{
    for (uint64_t at = ids_place(ids, id);; at = (at + IDS_LINE) & ids->mask) {
        const IdSlot *line = &ids->slots[at];
        unsigned same = 0;

#pragma GCC unroll 4
        for (int s = 0; s < IDS_LINE; s++)
            same |= (unsigned)(line[s].id == id) << s;
        if (same != 0)
            return &line[__builtin_ctz(same)];
        if (line[IDS_LINE - 1].person == ID_ABSENT)
            return &line[IDS_LINE - 1];
    }
}

/* Room for n ids at a load of at most one half. */
static inline void ids_build(Ids *ids, uint64_t n)
{
    int bits = 4;

    while ((UINT64_C(1) << bits) < 2 * n)
        bits++;
    ids->mask = (UINT64_C(1) << bits) - 1;
    ids->shift = 64 - bits;
    ids->slots = mem_lines(ids->mask + 1, sizeof *ids->slots, "index of people");
    for (uint64_t i = 0; i <= ids->mask; i++)
        ids->slots[i].person = ID_ABSENT;
}

static inline void ids_free(Ids *ids)
{
    free(ids->slots);
    ids->slots = NULL;
}

/* Every id once. Cost: as a look-up. */
static inline void ids_add(Ids *ids, int64_t id, uint32_t person, int32_t limit)
{
    uint64_t at = ids_place(ids, id);

    while (ids->slots[at].person != ID_ABSENT)
        at = (at + 1) & ids->mask;
    ids->slots[at] = (IdSlot){.id = id, .person = person, .limit = limit};
}

#endif
