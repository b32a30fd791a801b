/*
 * diff.h - two runs compared person by person: see sql/50_diff.sql.
 *
 * For whoever may read the tables of both: counts are exact.
 */
#ifndef ENGINE_PUBLISH_DIFF_H
#define ENGINE_PUBLISH_DIFF_H

#include <stdio.h>

#include "engine/base/err.h"

/* Prints how many people each model says something else of, from which band to which,
 * and who joins and leaves each list. With out, also writes every difference there, a
 * row a person, as gzip CSV. ERR_USAGE where there is no such run. */
int diff_runs(FILE *file, const char *conninfo, const char *const runs[2],
              const char *out, Err *err);

#endif
