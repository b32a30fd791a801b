/*
 * kinds.h - the kinds of output, and the result tables that every one of them writes.
 *
 * A table says which columns it has and puts its values in their order, row by row; an
 * output says what to do with a value. So a new column is one line in tables.c (or
 * people.c) and one in sql/20_results.sql, and no output can disagree with another.
 */
#ifndef ENGINE_PUBLISH_KINDS_H
#define ENGINE_PUBLISH_KINDS_H

#include "engine/db/db.h"
#include "engine/publish/gate.h"
#include "engine/publish/publish.h"
#include "engine/publish/reconcile.h"
#include "engine/publish/small.h"

/* Everything that is published of a run; borrowed. */
typedef struct Made {
    const Plan *plan;
    const Results *results;
    const RunInfo *info;
    const Counts *counts;
    const PublicCounts *public_counts;
    const GateResults *gates;
    Db *db;              /* session that holds the lock; NULL without a database */
    int64_t run;         /* 0 without a database */
    double *writers_cpu; /* raised by what the server spent on other sessions */
} Made;

/* ---- values -------------------------------------------------------------- */

typedef enum CellType {
    CELL_INT2,
    CELL_INT4,
    CELL_INT8,
    CELL_YESNO,
    CELL_DATE, /* days since 2000-01-01 */
    CELL_TIME, /* seconds since 1970, UTC */
    CELL_FLOAT8,
    CELL_TEXT,
    CELL_TEXTS,   /* text[] */
    CELL_FLOAT8S, /* float8[] ... : of people in the database only */
    CELL_INT2S,
    CELL_INT4S,
    CELL_JSON
} CellType;

typedef struct Cell {
    bool is_null;
    int64_t number;
    double real;
    const char *text;
    const char *const *texts;
    const double *reals;
    const int32_t *numbers;
    int n; /* of the array */
} Cell;

typedef struct ResultColumn {
    const char *name;
    CellType type;
    bool is_volatile; /* differs between runs on the same data: not in files */
} ResultColumn;

/* Takes values in the order of the columns, again and again. The output that made it
 * fills table and put. */
typedef struct Writer Writer;
typedef struct ResultTable ResultTable;
struct Writer {
    const ResultTable *table;
    int column; /* of the next value */
    void (*put)(Writer *writer, const ResultColumn *column, const Cell *cell);
};

void put_int(Writer *writer, int64_t value); /* also yes/no, dates and times */
void put_count(Writer *writer, uint64_t value);
void put_real(Writer *writer, double value);     /* NaN becomes null */
void put_text(Writer *writer, const char *text); /* NULL becomes null; also JSON */
void put_texts(Writer *writer, const char *const *texts, int n);
void put_reals(Writer *writer, const double *values, int n);
void put_numbers(Writer *writer, const int32_t *values, int n); /* ARRAY_NULL: copy.h */
void put_null(Writer *writer);

/* Shortest text that reads back as the same number: 0.1, 1e+22. */
enum { REAL_TEXT = 32 };
void real_text(char text[REAL_TEXT], double value);

/* ---- tables -------------------------------------------------------------- */

struct ResultTable {
    const char *name;
    const ResultColumn *columns; /* without run_id */
    int n_columns;
    void (*write)(Writer *writer, const Made *made);
};

/* For the list of a table's columns. */
#define COL(name, type)                                                                  \
    {                                                                                    \
#name, CELL_##type, false                                                        \
    }
#define VOL(name, type)                                                                  \
    {                                                                                    \
#name, CELL_##type, true                                                         \
    } /* is_volatile */
/* A table of that name, made of NAME_columns and NAME_write. */
#define TABLE(table)                                                                     \
    const ResultTable table = {#table, table##_columns,                                  \
                               sizeof table##_columns / sizeof *table##_columns,         \
                               table##_write}

/* Tables about the run, in the order in which they refer to each other. The first is
 * `run` itself. */
extern const ResultTable *const result_tables[];
extern const int n_result_tables;
extern const ResultTable run_count, run_segment_count, run_cohort_count, run_public_count;

/* "scored", or why not. */
const char *outcome_text(const Model *model, int outcome);

/* A table of people: written in parts, as it may be large. Rows are in the order of the
 * table's key. */
typedef struct PeopleTable {
    ResultTable table; /* write is NULL */
    uint64_t (*n_rows)(const Made *made);
    void (*rows)(Writer *writer, const Made *made, uint64_t from, uint64_t to);
} PeopleTable;

extern const PeopleTable person_table, member_table;
/* Person as files have it: in place of arrays a column for each number and word. */
PeopleTable person_file_table(const Made *made, Arena *arena);

/* ---- outputs ------------------------------------------------------------- */

typedef struct OutputKind {
    const char *name;
    /* Writes everything to where nobody looks. *own is NULL after a report. */
    int (*stage)(void **own, const Made *made, Err *err);
    /* Makes it visible, in one step. */
    int (*commit)(void *own, const Made *made, Err *err);
    /* Releases; what was not committed is removed. NULL is accepted. */
    void (*drop)(void *own);
} OutputKind;

extern const OutputKind output_table, output_csv;

/* A session that may write results: as the role that owns them, where one may. */
int results_session(Db **db, const char *conninfo, const char *purpose, Err *err);

/* ERR_CONFIG where the results schema is not installed. */
int results_installed(Db *db, Err *err);

/* After a failure: what a script has refused was the number of a run. */
void results_blame_run(Err *err);

/* Refuses a folder that holds anything but the files of an earlier run. */
int csv_check_folder(const char *folder, Err *err);

#endif
