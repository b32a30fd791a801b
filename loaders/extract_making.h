/*
 * extract_making.h - an extract that is being made or brought up to date: what
 * extract_plan.c decides has to be made, and extract_make.c makes. Nobody else includes
 * it.
 */
#ifndef LOADERS_EXTRACT_MAKING_H
#define LOADERS_EXTRACT_MAKING_H

#include "loaders/extract.h"

/* A piece, and how it is made. */
typedef struct Job {
    int source; /* index into Plan.sources, and into Making.stocks */
    int piece;
    const Piece *old;   /* that it is compared with, or NULL */
    uint32_t old_pages; /* of its table */
    Slice slice;
} Job;

typedef struct Jobs {
    Job *job;
    int n, room;
} Jobs;

/* What the extract is to hold of a source of the config. */
typedef struct Stock {
    ExtractSource source;
    TableState table;
    bool is_left_out;     /* nothing uses it, and it would be pulled in full each time */
    uint64_t rows, bytes; /* pulled */
    int kept, unread;     /* pieces that stay; of these, without a look at their rows */
} Stock;

typedef struct Making {
    const ExtractOptions *options;
    const Plan *plan;
    Plan whole; /* every source with every column */
    Arena *arena;
    Manifest old, new;
    Sources sources;
    Db *side; /* outside the snapshot; NULL without a database */
    ServerState server;
    bool can_compare;
    Stock *stocks; /* by Plan.sources of whole */
    Jobs about_people, events;
    struct Hand *hands; /* by worker: extract_make.c's */
    PeopleList list;
} Making;

/* The old manifest and list, if there are any; leftovers of a making that was ended
 * before its end go. */
int making_read_old(Making *m, Err *err);
/* Fills whole: all that is mapped, but of queries, which are pulled in full each time,
 * only those that something uses. */
void making_map(Making *m);
/* Fills stocks and jobs. After the sources and the server are open. */
int making_plan(Making *m, Err *err);

void making_log_left_out(const Source *source, const char *why);

#endif
