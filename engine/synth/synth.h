/*
 * synth.h - a made-up population of a real place, for trying out and for tests.
 *
 * In:  the published figures of configs/synth (practices, list sizes, prevalence,
 *      rates, code pools), a number of people and a seed.
 * Out: the tables of sql/10_source.sql in PostgreSQL, filled by parallel COPY, or the
 *      same rows as gzip CSV files, or both.
 *
 * Every person is made from (seed, number of the person) alone, so the rows are the
 * same for any number of threads and connections. Nobody in them is real.
 */
#ifndef ENGINE_SYNTH_SYNTH_H
#define ENGINE_SYNTH_SYNTH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

/* The faults of real data, each with its own switch. How many rows of each were made
 * is logged and stands in sid.synth_dirt. */
typedef enum Dirt {
    DIRT_SENTINEL_DATES,            /* 1800-01-01 and its like for "not known" */
    DIRT_NULL_DATES,                /* no date at all */
    DIRT_PADDED_ICD10,              /* I10X */
    DIRT_DOTTED_ICD10,              /* J18.9 */
    DIRT_LOWER_ICD10,               /* j189 */
    DIRT_UNKNOWN_CODES,             /* codes that no terminology holds */
    DIRT_ORPHANS,                   /* rows of people who are not in sid.person */
    DIRT_DUPLICATES,                /* the same row twice */
    DIRT_OVERLAPPING_REGISTRATIONS, /* a second practice at the same time */
    DIRT_PRACTICES_WITHOUT_PCN,     /* real: two practices of Sussex */
    DIRT_SPLIT_PCNS,                /* real: a PCN across two localities */
    DIRT_LATE_DEATHS,               /* GP events after the death */
    DIRT_EARLY_EVENTS,              /* GP events before the birth */
    DIRT_OPT_OUTS,
    DIRT_TEST_PATIENTS,
    DIRT_BACKWARD_SPELLS, /* discharged before admitted */
    N_DIRTS
} Dirt;

#define DIRT_ALL ((1U << N_DIRTS) - 1)

enum { SYNTH_LEAST_PEOPLE = 100, SYNTH_MOST_PEOPLE = 5000000 };

typedef struct SynthOptions {
    uint32_t people;
    uint64_t seed;
    int32_t as_of;        /* the as-of date of a run; outcomes follow for a year */
    const char *conninfo; /* NULL: no database, files only */
    int connections;      /* 0 = number of threads */
    const char *out;      /* folder for gzip CSV, made if missing; NULL: none */
    const char *data_dir; /* NULL: configs/synth */
    uint32_t dirt;        /* bits 1 << Dirt; DIRT_ALL is usual */
    bool replace;         /* a filled schema sid is emptied first; else refused */
} SynthOptions;

int synth_run(const SynthOptions *options, Err *err);

/* "sentinel_dates"; the words of --dirt and of sid.synth_dirt. */
const char *synth_dirt_name(Dirt dirt);
/* "all", "none", or names with commas between them, each with a leading '-' to take it
 * from all of them. */
int synth_dirt_parse(uint32_t *dirt, const char *list, Err *err);

#endif
