/*
 * table.h - a small CSV file with a header: code lists, weights, coefficients.
 *
 * RFC 4180 through libcsv, strictly: quotes pair up and every line has as many fields
 * as the header. A byte order mark, CRLF, blank lines and blanks around a field mean
 * nothing. Not for the rows of a source, which do not fit into memory.
 */
#ifndef ENGINE_CONFIG_TABLE_H
#define ENGINE_CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

/* Everything lies in the arena. Fields are NUL-terminated UTF-8. */
typedef struct Table {
    const char *name;
    int n_columns, n_rows;
    const char **columns; /* the header */
    const char **fields;  /* row by row */
    const char **lines;   /* where each row starts in the text; NULL: in more lines */
    uint32_t *line;       /* the number of each row's first line */
} Table;

enum { TABLE_NO_COLUMN = -1 };

int table_read(Table *table, const char *path, Arena *arena, Err *err);
/* The same from memory, reported under name. */
int table_parse(Table *table, const char *name, const char *text, size_t len,
                Arena *arena, Err *err);

/* The number of a column; TABLE_NO_COLUMN after a report, with the nearest name as
 * the hint, when there is none or there are two. */
int table_column(const Table *table, const char *name, Err *err);
/* "" for TABLE_NO_COLUMN. */
const char *table_field(const Table *table, int row, int column);
/* The place of a field; without a column byte where it cannot be told. */
Where table_where(const Table *table, int row, int column);

#endif
