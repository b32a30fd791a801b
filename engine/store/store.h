/*
 * store.h - people and their events, read-only once loaded.
 *
 * People are those of the run only, in ascending order of their id; a person is
 * their index. Events of a source are grouped by person, and within a person in one
 * total order (day, code, conditions, value, end), so that the store is the same
 * whatever the order in which rows arrived. Undated events come first.
 *
 * Where features only ask whether a code was there and when last, earlier events of the
 * same code are left out: see Label in pile.h. No feature can tell.
 */
#ifndef ENGINE_STORE_STORE_H
#define ENGINE_STORE_STORE_H

#include <stdint.h>

#include "engine/plan/plan.h"

enum { GROUP_NONE = UINT16_MAX }; /* a practice without a PCN */
#define CODE_NONE UINT32_MAX

/* Why a person of the people source is not in the run. One reason each, the first
 * that applies. Opt-outs have one for each type: EXCLUDED_OPT_OUT + its number. */
typedef enum Exclusion {
    EXCLUDED_NOT,
    EXCLUDED_TEST,
    EXCLUDED_NO_BIRTH, /* no date of birth */
    EXCLUDED_NOT_BORN,
    EXCLUDED_DEAD,
    EXCLUDED_UNREGISTERED, /* nowhere on D */
    EXCLUDED_ELSEWHERE,    /* practice outside the area */
    EXCLUDED_CONFLICT,     /* rows of the people source that contradict each other */
    EXCLUDED_OPT_OUT
} Exclusion;

/* Why a row is not used. Every row read is counted under exactly one of these.
 * Faults (from ROW_NO_PERSON on) are rejects and count towards max_rejected. */
typedef enum RowFate {
    ROW_KEPT,
    ROW_UNLISTED, /* no feature asks for its code or attributes, no policy for its type */
    ROW_OUTSIDE,  /* person known but not in the run, or another window; an opt-out of
                     somebody who is not in the people source */
    ROW_LATER,    /* dated D or later */
    ROW_OPTED_OUT,
    ROW_DUPLICATE, /* the same key or row again, where the config says unique */
    ROW_NO_PERSON,
    ROW_ORPHAN, /* person not in the people source */
    ROW_BAD_DATE,
    ROW_BAD_CODE,
    ROW_BAD_VALUE,
    ROW_BEFORE_BIRTH,
    ROW_AFTER_DEATH,
    ROW_BAD_END,  /* a spell that ends before it starts */
    ROW_CONFLICT, /* contradicts another row of the same person or practice */
    N_ROW_FATES
} RowFate;
extern const char *const row_fate_word[N_ROW_FATES]; /* "kept", "no person", ... */

/* One group of a grouping: a PCN, a locality. */
typedef struct Group {
    const char *code, *name; /* name may equal the code */
    uint32_t n_people;
} Group;

/* Practices and what they belong to. Groups are in ascending order of their code.
 * For GROUPING_ALL there is one group; for GROUPING_PRACTICE the practices. */
typedef struct Area {
    int n_groupings;
    uint32_t n_groups[MOST_GROUPINGS];
    Group *groups[MOST_GROUPINGS];
    uint16_t *group_of[MOST_GROUPINGS]; /* by practice; GROUP_NONE = in none */
} Area;

/* The kept events of one source. Arrays are NULL where the plan does not need them. */
typedef struct Events {
    uint64_t n;
    uint64_t *start; /* n_people + 1: events of person p are [start[p], start[p+1]) */
    int32_t *day;    /* DAY_UNKNOWN = undated */
    uint32_t *code;  /* index into codes, or CODE_NONE */
    uint32_t *conditions; /* bits of Source.conditions that hold */
    double *value;        /* NaN = none */
    int32_t *end;         /* DAY_UNKNOWN = still open */
    Code *codes;          /* codes seen and wanted, ascending by system, then code */
    uint32_t n_codes;
    uint64_t *code_rows; /* by code: rows kept, also those of events left out */
    uint32_t *hit_start; /* n_codes + 1 */
    Hit *hits;           /* hits of code c are [hit_start[c], hit_start[c+1]) */
} Events;

/* What was read from one source. */
typedef struct SourceCount {
    uint64_t rows, bytes;
    uint64_t fate[N_ROW_FATES];
    int32_t latest; /* day of the newest row before D: for the freshness gate */
    double seconds; /* of workers that were reading it */
} SourceCount;

/* A row that was kept so far has another fate. */
static inline void change_fate(SourceCount *count, RowFate fate)
{
    count->fate[ROW_KEPT]--;
    count->fate[fate]++;
}

typedef struct Store {
    uint32_t n_people;
    int64_t *person; /* the pseudonym, ascending */
    int32_t *birth;
    uint16_t *practice; /* group of GROUPING_PRACTICE */
    double **attribute; /* [people attribute][person]; NaN = missing; NULL = unused */
    Area area;
    Events *events;      /* by Source.number */
    SourceCount *counts; /* by index into Plan.sources */
    uint64_t n_known;    /* everyone in the people source, each once */
    uint64_t *excluded;  /* by Exclusion, then opt-out type */
    int n_exclusions;
    /* Everyone else in the people source, ascending, and their Exclusion: tells why a
     * member of the last run is not in this one. */
    uint64_t n_others;
    int64_t *other;
    uint8_t *other_why;
    uint64_t n_ambiguous;  /* people with overlapping registrations on D */
    uint64_t *list_people; /* by Plan.lists: rows that matched the list */
    double server_cpu;     /* seconds the server spent on what was read; NaN: not known */
    const char *snapshot;  /* of the database, or of the extract; "" without one */
    Arena *texts;          /* codes and names of the area, and the snapshot */
} Store;

/* The group of a person, or GROUP_NONE. */
static inline uint16_t store_group(const Store *store, int grouping, uint32_t person)
{
    return store->area.group_of[grouping][store->practice[person]];
}

/* The person's index, or UINT32_MAX. Binary search. */
uint32_t store_find(const Store *store, int64_t person);

/* Bytes held. */
uint64_t store_bytes(const Store *store, const Plan *plan);

/* Releases the events, which nothing reads once the lists are made. */
void store_drop_events(Store *store, const Plan *plan);
void store_free(Store *store, const Plan *plan);

/* "dead at the start of the run" ...; the label of the opt-out for the rest. */
const char *exclusion_text(const Plan *plan, int exclusion);

#endif
