/*
 * publish.h - results -> readers: stage everything, then switch over in one step.
 *
 * In:  what the earlier stages made, and how the run went.
 * Out: result tables in PostgreSQL (schema stratify), gzip CSV files, or both.
 *
 * A run opens its publication before it reads a row: that takes the lock, clears what
 * a killed run left, and gives the last published run, which cohorts and gates compare
 * with. Nothing is visible until the one transaction (and the one rename) at the end.
 */
#ifndef ENGINE_PUBLISH_PUBLISH_H
#define ENGINE_PUBLISH_PUBLISH_H

#include "engine/strata/cohort.h"
#include "engine/strata/previous.h"

typedef struct StageTime {
    const char *stage; /* "load", "score" ... */
    double wall, cpu;  /* seconds */
    uint64_t rows, bytes, peak_bytes;
    double server_cpu; /* seconds of the server for its sessions; NaN: not known */
} StageTime;

/* Where the results go, and what a run stores about itself. */
typedef struct RunInfo {
    const char *conninfo; /* libpq; NULL = no tables in a database */
    const char *out;      /* folder of gzip CSV files, or NULL */
    int connections;      /* sessions that write at the same time; 0 = one a core */
    bool is_shadow;       /* kept beside the current run, never current */
    int keep_runs;        /* published runs that stay; 0 = all */
    const char *version;  /* of the program */
    const char *started_by;
    int64_t started;         /* seconds since 1970, UTC */
    const StageTime *stages; /* read by publish_all only */
    int n_stages;
} RunInfo;

typedef struct Publication Publication;

/* *publication is NULL after a report. ERR_LOCKED when another run holds the lock for
 * ten seconds more; ERR_CONFIG when the results schema is not there. */
int publish_open(Publication **publication, const Plan *plan, const RunInfo *info,
                 Err *err);
/* The last published run, or is_found false; good until publish_close. With a database
 * it is read from there, else from the folder that `out` is about to replace. */
const PreviousRun *publication_previous(const Publication *publication);
/* Number of the run; 0 without a database. */
int64_t publication_run(const Publication *publication);

/*
 * Reconciles, checks the gates, stages and publishes. ERR_GATE when the numbers do not
 * add up or a gate stops the run; ERR_PUBLISH when it could not be written. After a
 * report nothing has been published.
 */
int publish_all(Publication *publication, const Results *results, const RunInfo *info,
                Err *err);
/* Seconds of processor time that the server has spent on its sessions so far; NaN where
 * that is not known, or without a database. */
double publication_server_cpu(const Publication *publication);
/* Ends the sessions; what was staged and not published is dropped. NULL is accepted. */
void publish_close(Publication *publication);

/* Installs or renews the results schema; as a superuser also, where asked for, what lets
 * visibility maps be read (sql/60_visibility_map.sql). */
int publish_init(const char *conninfo, bool with_visibility_map, Err *err);
/* Makes an earlier published run the current one. */
int publish_switch(const char *conninfo, int64_t run, Err *err);

#endif
