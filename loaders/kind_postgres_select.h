/*
 * kind_postgres_select.h - what a PostgreSQL source is asked: the only place where the
 * SQL of a load is made.
 */
#ifndef LOADERS_KIND_POSTGRES_SELECT_H
#define LOADERS_KIND_POSTGRES_SELECT_H

#include "loaders/kinds.h"

typedef struct Select {
    const char **column; /* SQL by column, cast where its type is not read as it is */
    CellType *type;      /* by column: as it arrives */
    bool *is_integer;    /* by column: an integer on the server */
    const char *from;    /* a table or a query, named t */
    const char *codes;   /* temporary table of wanted codes, or NULL */
    const Code *code;
    size_t n_codes;
} Select;

/* Asks the server for the columns and their types. Reports each that is missing, of a
 * type that is not read, or not what its field needs. */
int select_find(Select *select, const Access *access, Db *db, Err *err);

/* select ... where ...: all that the plan needs of the source, without its slices. */
const char *select_sql(const Select *select, const Access *access);

/* True if the server leaves out rows whose code no feature wants: then *code are the
 * wanted ones, all in an integer column of one coding system. is_integer is by column. */
bool select_has_codes(const Code **code, size_t *n, const Source *source,
                      const bool *is_integer);
/* True if the server leaves out rows whose day no feature wants; type is by column.
 * Rows from oldest on, and undated ones with wants_undated; with *by_end also those that
 * end from then on, or have not ended. */
bool select_has_days(bool *by_end, const Access *access, const CellType *type);

#endif
