/*
 * group.h - batches of events, as workers collected them -> one run of events for each
 * person.
 *
 * In:  piles, one for each worker, in any order and with their rows in any order.
 * Out: Events in the total order of store.h, the same for any piles that hold the same
 *      rows.
 */
#ifndef ENGINE_STORE_GROUP_H
#define ENGINE_STORE_GROUP_H

#include "engine/store/pile.h"

/*
 * Fills events and empties the piles. Returns how many rows were left out as
 * duplicates. Parallel over batches and people.
 */
uint64_t group_build(Events *events, Pile *piles, int n_piles, uint32_t n_people);

#endif
