/*
 * query_days.h - the days that a source's query may ask for: `:since`, the first that any
 * feature of the run wants, and `:until`, the day of the run, which no feature wants any
 * more. A query need not join or sort what lies outside.
 */
#ifndef LOADERS_QUERY_DAYS_H
#define LOADERS_QUERY_DAYS_H

#include "loaders/kinds.h"

/* The query with days in their place; -infinity and infinity where every row is asked
 * for, and -infinity where some window is `ever`. In the access's arena. */
const char *query_with_days(const Access *access);

#endif
