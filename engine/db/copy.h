/*
 * copy.h - the COPY BINARY wire format of PostgreSQL, both directions.
 *
 * Writing: copy_begin, then for every row copy_row and one copy_* call per column in
 * the order of the statement, then copy_end. Values are never NULL unless written by
 * copy_null (or a NaN by copy_float8_or_null, DAY_UNKNOWN by copy_date). A failure is
 * kept and reported by copy_end, so that rows can be written without asking.
 *
 * Reading: copy_open, copy_next until it is not 1, of each row copy_take for every
 * column, copy_close. Every length is checked against the bytes that arrived and the type
 * that is asked for.
 *
 * The format: a header of 19 bytes; per row a 16-bit number of columns, per column a
 * 32-bit length (-1 = null) and the value in network byte order; -1 in place of a
 * number of columns ends it (PostgreSQL manual, COPY, "Binary Format").
 */
#ifndef ENGINE_DB_COPY_H
#define ENGINE_DB_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <endian.h>
#include <string.h>

#include "engine/db/db.h"

/* What a stream begins with, the 0 at its end included; flags and the length of an
 * extension follow. */
#define COPY_SIGNATURE "PGCOPY\n\377\r\n"
enum { COPY_HEADER_BYTES = 19 };

/* ---- writing ----------------------------------------------------------- */

typedef struct Copy Copy;

/* sql is "copy TABLE (COLUMNS) from stdin (format binary)". db NULL: the stream is
 * kept in memory, for tests. *copy is NULL after a report. */
int copy_begin(Copy **copy, Db *db, const char *sql, int n_columns, Err *err);
void copy_row(Copy *copy);
void copy_null(Copy *copy);
void copy_bool(Copy *copy, bool value);
void copy_int2(Copy *copy, int16_t value);
void copy_int4(Copy *copy, int32_t value);
void copy_int8(Copy *copy, int64_t value);
void copy_float8(Copy *copy, double value);
void copy_float8_or_null(Copy *copy, double value); /* NaN becomes null */
void copy_date(Copy *copy, int32_t day);            /* DAY_UNKNOWN becomes null */
void copy_text(Copy *copy, const char *text);       /* NULL becomes null */
void copy_text_len(Copy *copy, const char *text, size_t len);
void copy_jsonb(Copy *copy, const char *json);                /* NULL becomes null */
void copy_texts(Copy *copy, const char *const *texts, int n); /* text[] */
/* Numeric arrays: float8[], int2[], int4[]; NaN and ARRAY_NULL become null. */
#define ARRAY_NULL INT32_MIN
void copy_float8s(Copy *copy, const double *values, int n);
void copy_int2s(Copy *copy, const int32_t *values, int n);
void copy_int4s(Copy *copy, const int32_t *values, int n);
/* Room for the value of the next column, len bytes, which the caller fills before the
 * next call: for types that have no function here. */
uint8_t *copy_value(Copy *copy, size_t len);
/* True once the server has refused: the rest is dropped, copy_end will say why. */
bool copy_has_failed(const Copy *copy);
/* Ends the stream and releases the writer, also after a failure. n_rows may be NULL. */
int copy_end(Copy *copy, uint64_t *n_rows, Err *err);
/* Gives up: the server drops what it got. NULL is accepted. */
void copy_abort(Copy *copy);
/* The stream so far, where db was NULL. */
const uint8_t *copy_bytes(const Copy *copy, size_t *len);

/* ---- reading ----------------------------------------------------------- */

/* What is left of a row; borrowed, good until the next copy_next. */
typedef struct CopyRow {
    const uint8_t *at, *end;
} CopyRow;

/* One value of a row; borrowed as the row is. */
typedef struct CopyValue {
    const uint8_t *data;
    int32_t len; /* -1 = null */
} CopyValue;

typedef struct CopyReader CopyReader;

/* sql is "copy (SELECT ...) to stdout (format binary)". */
int copy_open(CopyReader **reader, Db *db, const char *sql, int n_columns, Err *err);
/* 1 = a row of n_columns values, 0 = the end, -1 = a report. bytes is raised by what
 * arrived. */
int copy_next(CopyReader *reader, CopyRow *row, uint64_t *bytes, Err *err);
/* The report of a row whose values do not fit into it. */
int copy_fail(Err *err);
/* Releases the reader. Before the end, the rest of the stream is cancelled. NULL is
 * accepted. */
void copy_close(CopyReader *reader);

/* One message of the stream: 1 = a row, 0 = the end of the stream, -1 = not the format.
 * *has_header says whether the header has been seen. */
int copy_begin_row(CopyRow *row, int n_columns, const uint8_t *data, size_t len,
                   bool *has_header);

/* Numbers of the stream: most significant byte first. */
static inline uint16_t copy_load16(const uint8_t *at)
{
    uint16_t bits;

    memcpy(&bits, at, sizeof bits);
    return be16toh(bits);
}

static inline uint32_t copy_load32(const uint8_t *at)
{
    uint32_t bits;

    memcpy(&bits, at, sizeof bits);
    return be32toh(bits);
}

static inline uint64_t copy_load64(const uint8_t *at)
{
    uint64_t bits;

    memcpy(&bits, at, sizeof bits);
    return be64toh(bits);
}

/* The next value of the row; false where the bytes are not those of one. */
static inline bool copy_take(CopyRow *row, CopyValue *value)
{
    if (row->end - row->at < 4)
        return false;
    value->len = (int32_t)copy_load32(row->at);
    value->data = row->at + 4;
    if (value->len < -1 || value->len > row->end - value->data)
        return false;
    row->at = value->data + (value->len > 0 ? value->len : 0);
    return true;
}

/* The bytes of the next value if it has just so many; NULL, and nothing is taken, if it
 * has not. */
static inline const uint8_t *copy_take_bytes(CopyRow *row, int32_t len)
{
    const uint8_t *at = row->at;

    if (row->end - at < 4 + len || (int32_t)copy_load32(at) != len)
        return NULL;
    row->at = at + 4 + len;
    return at + 4;
}

/* Whether all values have been taken. */
static inline bool copy_is_taken(const CopyRow *row)
{
    return row->at == row->end;
}

/* The value, or false if the length is not that of the type. */
bool copy_get_bool(bool *out, CopyValue value);
bool copy_get_date(int32_t *out, CopyValue value); /* ±infinity is DAY_UNKNOWN */

/* int2, int4 or int8 by length */
static inline bool copy_get_int(int64_t *out, CopyValue value)
{
    if (value.len == 8)
        *out = (int64_t)copy_load64(value.data);
    else if (value.len == 4)
        *out = (int32_t)copy_load32(value.data);
    else if (value.len == 2)
        *out = (int16_t)copy_load16(value.data);
    else
        return false;
    return true;
}

/* float4 or float8 by length */
static inline bool copy_get_float(double *out, CopyValue value)
{
    uint64_t bits;
    uint32_t few;
    float narrow;

    if (value.len == 8) {
        bits = copy_load64(value.data);
        memcpy(out, &bits, sizeof *out);
        return true;
    }
    if (value.len != 4)
        return false;
    few = copy_load32(value.data);
    memcpy(&narrow, &few, sizeof narrow);
    *out = narrow;
    return true;
}

#endif
