/*
 * write.h - rows of small numbers -> tables in PostgreSQL and gzip CSV files.
 *
 * A heap in the order of time, as a platform has that loads every night: each block
 * sorts its rows into stripes of time, and a job takes some stripes of one table from
 * all blocks, orders them by day and person, and writes them.
 */
#ifndef ENGINE_SYNTH_WRITE_H
#define ENGINE_SYNTH_WRITE_H

#include "engine/db/db.h"
#include "engine/synth/maker.h"

/* The stripes of a world: 0 is what lies before first, each other 30 days. */
typedef struct Stripes {
    int32_t first;
    int n;
} Stripes;

typedef struct Job {
    Table table;
    int from, to; /* stripes [from, to) */
    int part;     /* 1 .. of the table, for the name of its file */
    uint64_t n_rows;
} Job;

Stripes stripes_of(const World *world);
void rows_sort(Rows *rows, Table table, Stripes stripes);
void rows_free(Rows *rows);

/* All rows: N_TABLES of each block. Borrowed. */
typedef struct Made {
    const World *world;
    Rows *const *blocks;
    int n_blocks;
} Made;

/* The jobs of the largest tables come first; every table has at least one. Released
 * with free(). */
Job *jobs_plan(int *n_jobs, const Made *made, Stripes stripes);

/* The rows of one stripe in the order they are written; borrowed from the blocks, the
 * list itself is released with free(). */
const int32_t **stripe_rows(uint64_t *n_rows, const Made *made, Table table, int stripe);

/* db NULL: no database; out NULL: no files. */
int job_write(const Job *job, const Made *made, Db *db, const char *out, Err *err);

#endif
