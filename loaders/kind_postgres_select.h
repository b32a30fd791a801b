/*
 * kind_postgres_select.h - what a PostgreSQL source is asked: the only place where the
 * SQL of a load is made.
 */
#ifndef LOADERS_KIND_POSTGRES_SELECT_H
#define LOADERS_KIND_POSTGRES_SELECT_H

#include <stdio.h>

#include "loaders/kinds.h"

typedef struct Select {
    const char **column; /* SQL by column, cast where its type is not read as it is */
    CellType *type;      /* by column: as it arrives */
    bool *is_integer;    /* by column: an integer on the server */
    int n_columns;
    const char *from;        /* a table or a query, named t */
    const char *where;       /* "" or " where " and the days that are wanted */
    const char *code_column; /* SQL of the code, or NULL */
    const Code *code;        /* the wanted codes, where the server is told */
    size_t n_codes;          /* 0: it sends rows whatever their code */
} Select;

/* A part of the rows of a source. */
typedef enum SelectBy {
    BY_PAGE,  /* pages [first, last) of its table; last 0 is to the end */
    BY_CODE,  /* those with the wanted codes [first, last) */
    BY_READER /* all; a person reads the statement, so codes are only counted */
} SelectBy;

typedef struct SelectPart {
    SelectBy by;
    uint32_t first, last;
} SelectPart;

/* Asks the server for the columns and their types. Reports each that is missing, of a
 * type that is not read, or not what its field needs. */
int select_find(Select *select, const Access *access, Db *db, Err *err);

/* Decides what the server is told to leave out. After select_find(). */
void select_finish(Select *select, const Access *access);

/* select ... where ... */
void select_write(FILE *out, const Select *select, const SelectPart *part);

/* True if the server leaves out rows whose code no feature wants: then *code are the
 * wanted ones, all in an integer column of one coding system. is_integer is by column. */
bool select_has_codes(const Code **code, size_t *n, const Source *source,
                      const bool *is_integer);
/* True if the server leaves out rows whose day no feature wants; type is by column.
 * Rows from oldest on, and undated ones with wants_undated; with *by_end also those that
 * end from then on, or have not ended. */
bool select_has_days(bool *by_end, const Access *access, const CellType *type);

#endif
