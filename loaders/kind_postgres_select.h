/*
 * kind_postgres_select.h - what a PostgreSQL source is asked: the only place where the
 * SQL of a load is made.
 */
#ifndef LOADERS_KIND_POSTGRES_SELECT_H
#define LOADERS_KIND_POSTGRES_SELECT_H

#include <stdio.h>

#include "loaders/wanted.h"

typedef struct Select {
    const char **column; /* SQL by column, cast where its type is not read as it is */
    CellType *type;      /* by column: as it arrives */
    bool *is_integer;    /* by column: an integer on the server */
    int n_columns;
    const char *from;         /* a table or a query, named t */
    const char *where;        /* "" or " where " and the days that are wanted */
    const char *code_column;  /* SQL of the code, or NULL */
    const char *day_column;   /* SQL of the date, or NULL */
    const char *value_column; /* SQL of the value, or NULL */
    const Wanted *wanted;     /* NULL = all rows */
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
    bool is_estimate; /* for EXPLAIN, which takes a test of values for a costly one */
} SelectPart;

/* Asks the server for the columns and their types. Reports each that is missing, of a
 * type that is not read, or not what its field needs. */
int select_find(Select *select, const Access *access, Db *db, Err *err);

/* Tells the server what to leave out: access->wanted. After select_find(). */
void select_finish(Select *select, const Access *access);
/* Integer codes that are wanted, and no others; 0 = rows are sent whatever their code. */
size_t select_n_codes(const Select *select);

/* select ... where ... */
void select_write(FILE *out, const Select *select, const SelectPart *part);

#endif
