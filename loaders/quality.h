/*
 * quality.h - rejected rows: counted by source and reason, and too many of them stop
 * the run.
 */
#ifndef LOADERS_QUALITY_H
#define LOADERS_QUALITY_H

#include "engine/store/store.h"

/* Rows with a fault. */
uint64_t quality_rejected(const SourceCount *count);

/* Adds what one worker has counted. */
void quality_add(SourceCount *to, const SourceCount *from);

/* Reports every source of the roles from..to (of Role) whose share of rejected rows is
 * above its max_rejected, with the numbers of each reason. */
int quality_check(const Plan *plan, const SourceCount *counts, Role from, Role to,
                  Err *err);

/* One line of the log for each source. */
void quality_log(const Store *store, const Plan *plan);

/* Fills store->list_people: rows kept that each code list matches. */
void quality_count_lists(Store *store, const Plan *plan);

#endif
