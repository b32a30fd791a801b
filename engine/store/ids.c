/*
 * ids.c - see ids.h.
 */
#include "engine/store/ids.h"

#include <stdlib.h>

void ids_build(Ids *ids, uint64_t n)
{
    int bits = 4;

    while ((UINT64_C(1) << bits) < 2 * n)
        bits++;
    ids->mask = (UINT64_C(1) << bits) - 1;
    ids->shift = 64 - bits;
    ids->slots = mem_alloc(ids->mask + 1, sizeof *ids->slots, "index of people");
    for (uint64_t i = 0; i <= ids->mask; i++)
        ids->slots[i].person = ID_ABSENT;
}

void ids_free(Ids *ids)
{
    free(ids->slots);
    ids->slots = NULL;
}

void ids_add(Ids *ids, int64_t id, uint32_t person, int32_t limit)
{
    uint64_t at = ids_place(ids, id);

    while (ids->slots[at].person != ID_ABSENT)
        at = (at + 1) & ids->mask;
    ids->slots[at] = (IdSlot){id, person, limit};
}
