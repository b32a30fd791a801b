/*
 * load.h - sources -> Store.
 *
 * People, registrations, practices and opt-outs first, so that the run's population
 * is known; then all event sources in parallel slices, under one database snapshot.
 */
#ifndef LOADERS_LOAD_H
#define LOADERS_LOAD_H

#include "engine/plan/plan.h"
#include "engine/store/store.h"

typedef struct LoadOptions {
    const char *conninfo; /* libpq; "" = PG* variables, service file, .pgpass */
    int connections;      /* sessions that read at the same time; 0 = number of cores */
    const char *extract;  /* folder of an extract that is read in place of the sources;
                             or NULL. See extract.h. */
} LoadOptions;

int load_store(Store *store, const Plan *plan, const LoadOptions *options, Err *err);

/* Connects, and proves that every mapped table, column and type is there; reads no
 * row of data. For files: that they exist and their headers have the columns. Warns of
 * each column of text on a server that stands for numbers or dates. */
int load_check(const Plan *plan, const LoadOptions *options, Err *err);

/* Writes the plan of the load for people: SQL of each source, features and windows,
 * expected rows and memory (from the planner's estimates where there is a database). */
int load_describe(const Plan *plan, const LoadOptions *options, void *file, Err *err);

#endif
