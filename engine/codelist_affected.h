/*
 * codelist_affected.h - whom a change of a code list touches.
 *
 * People of the run (its population, opt-outs and all) who have a record of a changed
 * code that a feature would count: in its source and window, under its conditions, with
 * the bounds and the sex of the list. Loaded and counted by what a run loads and counts
 * with.
 */
#ifndef ENGINE_CODELIST_AFFECTED_H
#define ENGINE_CODELIST_AFFECTED_H

#include "engine/codes/list_compare.h"
#include "engine/plan/plan.h"
#include "loaders/load.h"

/* People by their pseudonym, some more than once. */
typedef struct Affected {
    int64_t *person;
    size_t n, room;
} Affected;

/* One list in two versions. */
typedef struct ListPair {
    const char *id;
    const CodeList *before, *after; /* an empty list where it is not in one of them */
    ListDiff diff;
    bool is_counted; /* some feature uses the list */
    Affected affected[N_CHANGES];
} ListPair;

/* Adds the people of one side: with the plan of the earlier version those whom removed
 * codes and earlier meanings touch, with that of the later one added codes and later
 * meanings. Reads the sources that such features use, and nothing else. */
int affected_find(ListPair *pairs, int n_pairs, const Plan *plan, bool is_after,
                  const LoadOptions *how, Err *err);

/* Different people of one kind of change; of all for N_CHANGES. */
uint64_t affected_count(const ListPair *pair, ChangeKind kind);
void affected_free(ListPair *pair);

#endif
