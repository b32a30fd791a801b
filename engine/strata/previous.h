/*
 * previous.h - the last published run, as far as the next one compares with it; of each
 * cohort the last that had it.
 *
 * Read from the result tables, or from the files of an earlier `--out` folder: both
 * hold the same tables and columns. What the last run knew and this plan does not
 * (another cohort, another source) is left out.
 */
#ifndef ENGINE_STRATA_PREVIOUS_H
#define ENGINE_STRATA_PREVIOUS_H

#include "engine/db/db.h"
#include "engine/strata/cohort.h"

struct PreviousRun {
    bool is_found; /* else everything below is empty or unknown */
    uint64_t n_people;
    Previous *members; /* by cohort, group, person; the order in which cohorts_build reads
                          them */
    uint32_t n_members;
    int64_t *source_rows;   /* by Plan.sources; -1 = unknown */
    int64_t *list_rows;     /* by Plan.lists; -1 = unknown, or another version */
    double *mean_score;     /* by Plan.models; NaN = unknown, or another version */
    const char **practices; /* codes of those that had people */
    int n_practices;
};

/* From the current run of the session's database. Everything is in the arena. */
int previous_read(PreviousRun *previous, const Plan *plan, Db *db, Arena *arena,
                  Err *err);
/* From a folder of gzip CSV files; not found when there is no such folder, or it is
 * empty. */
int previous_read_files(PreviousRun *previous, const Plan *plan, const char *folder,
                        Arena *arena, Err *err);

#endif
