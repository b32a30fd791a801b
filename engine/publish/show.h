/*
 * show.h - results of queries as aligned tables on a terminal, 120 columns wide.
 */
#ifndef ENGINE_PUBLISH_SHOW_H
#define ENGINE_PUBLISH_SHOW_H

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>

#include "engine/db/db.h"

enum { SHOW_WIDTH = 120 };

/* How one column of a result is shown. */
typedef struct Show {
    const char *heading;
    double width; /* hint: columns, or a share of the line below 1 */
    int flags;    /* of libsmartcols */
} Show;

struct libscols_table *show_table(FILE *file, const Show *show, int n);

/* A query and its parameters, printed whole; nothing where there are no rows. Returns
 * the number of rows, or -1 after a report. */
typedef struct Query {
    const char *sql;
    const char *const *params;
    int n_params;
    const char *title; /* a line above the rows, or NULL */
} Query;
int show_query(FILE *file, Db *db, Query query, const Show *show, Err *err);

#endif
