/*
 * copy.c - see copy.h.
 */
#include "engine/db/copy.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/day.h"

enum {
    SEND_BYTES = 64 * 1024, /* sent in pieces of about this size */
    TEXT_OID = 25
};

static const uint8_t SIGNATURE[11] = {'P',  'G',  'C',  'O',  'P', 'Y',
                                      '\n', 0xff, '\r', '\n', 0};
enum { HEADER_BYTES = 19 };

struct Copy {
    Db *db;
    int n_columns;
    int left; /* columns of the row that are still to come */
    bool has_failed;
    uint64_t n_rows;
    uint8_t *bytes;
    size_t n, room;
};

/* ---- writing ----------------------------------------------------------- */

static void flush(Copy *copy)
{
    if (copy->db == NULL || copy->n == 0)
        return;
    if (!copy->has_failed &&
        PQputCopyData(db_conn(copy->db), (const char *)copy->bytes, (int)copy->n) != 1)
        copy->has_failed = true;
    copy->n = 0;
}

static uint8_t *room_for(Copy *copy, size_t n)
{
    uint8_t *at;

    if (copy->n + n > copy->room) {
        copy->room = 2 * (copy->n + n);
        copy->bytes = mem_grow(copy->bytes, copy->room, 1, "rows to write");
    }
    at = copy->bytes + copy->n;
    copy->n += n;
    return at;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

uint8_t *copy_value(Copy *copy, size_t len)
{
    uint8_t *at = room_for(copy, 4 + len);

    assert(copy->left > 0);
    copy->left--;
    put32(at, (uint32_t)len);
    return at + 4;
}

int copy_begin(Copy **out, Db *db, const char *sql, int n_columns, Err *err)
{
    Copy *copy;

    *out = NULL;
    if (db != NULL) {
        PGresult *result = PQexec(db_conn(db), sql);

        if (PQresultStatus(result) != PGRES_COPY_IN) {
            db_fail(db, result, db_where, "start writing rows", err);
            PQclear(result);
            return -1;
        }
        PQclear(result);
    }
    copy = mem_alloc(1, sizeof *copy, "rows to write");
    copy->db = db;
    copy->n_columns = n_columns;
    copy->room = SEND_BYTES + 4096;
    copy->bytes = mem_alloc(copy->room, 1, "rows to write");
    memcpy(room_for(copy, HEADER_BYTES), SIGNATURE, sizeof SIGNATURE);
    memset(copy->bytes + sizeof SIGNATURE, 0, HEADER_BYTES - sizeof SIGNATURE);
    *out = copy;
    return 0;
}

void copy_row(Copy *copy)
{
    assert(copy->left == 0);
    if (copy->n >= SEND_BYTES)
        flush(copy);
    put16(room_for(copy, 2), (uint16_t)copy->n_columns);
    copy->left = copy->n_columns;
    copy->n_rows++;
}

void copy_null(Copy *copy)
{
    assert(copy->left > 0);
    copy->left--;
    put32(room_for(copy, 4), UINT32_MAX);
}

void copy_bool(Copy *copy, bool value)
{
    *copy_value(copy, 1) = value ? 1 : 0;
}

void copy_int2(Copy *copy, int16_t value)
{
    put16(copy_value(copy, 2), (uint16_t)value);
}

void copy_int4(Copy *copy, int32_t value)
{
    put32(copy_value(copy, 4), (uint32_t)value);
}

void copy_int8(Copy *copy, int64_t value)
{
    put64(copy_value(copy, 8), (uint64_t)value);
}

void copy_float8(Copy *copy, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put64(copy_value(copy, 8), bits);
}

void copy_float8_or_null(Copy *copy, double value)
{
    if (isnan(value))
        copy_null(copy);
    else
        copy_float8(copy, value);
}

void copy_date(Copy *copy, int32_t day)
{
    if (day == DAY_UNKNOWN)
        copy_null(copy);
    else
        copy_int4(copy, day);
}

void copy_text_len(Copy *copy, const char *text, size_t len)
{
    memcpy(copy_value(copy, len), text, len);
}

void copy_text(Copy *copy, const char *text)
{
    if (text == NULL)
        copy_null(copy);
    else
        copy_text_len(copy, text, strlen(text));
}

/* Version 1 of jsonb's binary form: a byte 1 and the text. */
void copy_jsonb(Copy *copy, const char *json)
{
    uint8_t *at;
    size_t len;

    if (json == NULL) {
        copy_null(copy);
        return;
    }
    len = strlen(json);
    at = copy_value(copy, len + 1);
    at[0] = 1;
    memcpy(at + 1, json, len);
}

/* Dimensions, whether there are nulls, type of the elements; then for each dimension
 * its length and lower bound; then the elements as columns are written. */
void copy_texts(Copy *copy, const char *const *texts, int n)
{
    size_t len = n > 0 ? 20 : 12;
    uint8_t *at;

    for (int i = 0; i < n; i++)
        len += 4 + strlen(texts[i]);
    at = copy_value(copy, len);
    put32(at, n > 0 ? 1 : 0);
    put32(at + 4, 0);
    put32(at + 8, TEXT_OID);
    if (n == 0)
        return;
    put32(at + 12, (uint32_t)n);
    put32(at + 16, 1);
    at += 20;
    for (int i = 0; i < n; i++) {
        size_t bytes = strlen(texts[i]);

        put32(at, (uint32_t)bytes);
        memcpy(at + 4, texts[i], bytes);
        at += 4 + bytes;
    }
}

bool copy_has_failed(const Copy *copy)
{
    return copy->has_failed;
}

const uint8_t *copy_bytes(const Copy *copy, size_t *len)
{
    *len = copy->n;
    return copy->bytes;
}

static void copy_free(Copy *copy)
{
    free(copy->bytes);
    free(copy);
}

/* Reads results until there are none, as libpq asks for. Reports the first failure. */
static int finish(Db *db, const char *what, Err *err)
{
    PGresult *result;
    int rc = 0;

    while ((result = PQgetResult(db_conn(db))) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && rc == 0)
            rc = db_fail(db, result, db_where, what, err);
        PQclear(result);
        if (PQstatus(db_conn(db)) == CONNECTION_BAD)
            break;
    }
    return rc;
}

int copy_end(Copy *copy, uint64_t *n_rows, Err *err)
{
    Db *db = copy->db;
    int rc = 0;

    assert(copy->left == 0);
    put16(room_for(copy, 2), UINT16_MAX);
    flush(copy);
    if (n_rows != NULL)
        *n_rows = copy->n_rows;
    if (db != NULL) {
        if (PQputCopyEnd(db_conn(db), NULL) != 1)
            copy->has_failed = true;
        rc = finish(db, "write rows", err);
        if (rc == 0 && copy->has_failed)
            rc = db_fail(db, NULL, db_where, "write rows", err);
    }
    copy_free(copy);
    return rc;
}

void copy_abort(Copy *copy)
{
    if (copy == NULL)
        return;
    if (copy->db != NULL) {
        Err unsaid = {0};

        PQputCopyEnd(db_conn(copy->db), "given up");
        finish(copy->db, "stop writing", &unsaid);
    }
    copy_free(copy);
}

/* ---- reading ----------------------------------------------------------- */

struct CopyReader {
    Db *db;
    PGconn *conn; /* of db */
    int n_columns;
    bool has_header, is_done;
    char *message; /* of libpq: the current row */
};

/* The header's length, or 0 if it is not one. Flags must be 0: no other is known. */
static size_t skip_header(const uint8_t *data, size_t len)
{
    uint64_t extension;

    if (len < HEADER_BYTES || memcmp(data, SIGNATURE, sizeof SIGNATURE) != 0 ||
        copy_load32(data + sizeof SIGNATURE) != 0)
        return 0;
    extension = copy_load32(data + sizeof SIGNATURE + 4);
    return extension > len - HEADER_BYTES ? 0 : HEADER_BYTES + (size_t)extension;
}

int copy_begin_row(CopyRow *row, int n_columns, const uint8_t *data, size_t len,
                   bool *has_header)
{
    *row = (CopyRow){data, data + len};
    if (!*has_header) {
        size_t header = skip_header(data, len);

        if (header == 0)
            return -1;
        *has_header = true;
        row->at += header;
    }
    if (row->end - row->at < 2)
        return -1;
    if (copy_load16(row->at) == UINT16_MAX)
        return row->end - row->at == 2 ? 0 : -1;
    if (copy_load16(row->at) != n_columns)
        return -1;
    row->at += 2;
    return 1;
}

int copy_open(CopyReader **out, Db *db, const char *sql, int n_columns, Err *err)
{
    PGresult *result = PQexec(db_conn(db), sql);
    CopyReader *reader;

    *out = NULL;
    if (PQresultStatus(result) != PGRES_COPY_OUT) {
        db_fail(db, result, db_where, "start reading", err);
        PQclear(result);
        return -1;
    }
    PQclear(result);
    reader = mem_alloc(1, sizeof *reader, "rows to read");
    reader->db = db;
    reader->conn = db_conn(db);
    reader->n_columns = n_columns;
    *out = reader;
    return 0;
}

int copy_fail(Err *err)
{
    return err_add(err, ERR_SOURCE, db_where,
                   "could not read rows: the server's answer is not in COPY BINARY");
}

/* What is no plain row: the first, which bears the header, and the end. Out of line:
 * plain rows need less of a frame. */
__attribute__((noinline)) static int take_message(CopyReader *reader, CopyRow *row,
                                                  int len, uint64_t *bytes, Err *err)
{
    int found;

    if (len < 0) {
        reader->is_done = true;
        if (len == -2)
            return db_fail(reader->db, NULL, db_where, "read rows", err);
        return finish(reader->db, "read rows", err);
    }
    found = copy_begin_row(row, reader->n_columns, (const uint8_t *)reader->message,
                           (size_t)len, &reader->has_header);
    if (found > 0)
        return 1;
    if (found < 0)
        return copy_fail(err);
    return copy_next(reader, row, bytes, err); /* only the closing answer is left */
}

int copy_next(CopyReader *reader, CopyRow *row, uint64_t *bytes, Err *err)
{
    const uint8_t *data;
    int len;

    PQfreemem(reader->message);
    reader->message = NULL;
    len = PQgetCopyData(reader->conn, &reader->message, 0);
    data = (const uint8_t *)reader->message;
    *bytes += len > 0 ? (uint64_t)len : 0;
    if (len < 2 || !reader->has_header || copy_load16(data) != reader->n_columns)
        return take_message(reader, row, len, bytes, err);
    *row = (CopyRow){data + 2, data + len};
    return 1;
}

/* The server may be far from the end: asking it to stop is cheaper than reading on. */
static void cancel(CopyReader *reader)
{
    PGconn *conn = reader->conn;
    PGcancel *stop = PQgetCancel(conn);
    char unsaid[256], *message = NULL;
    PGresult *result;

    if (stop != NULL) {
        PQcancel(stop, unsaid, sizeof unsaid);
        PQfreeCancel(stop);
    }
    while (PQgetCopyData(conn, &message, 0) > 0)
        PQfreemem(message);
    while ((result = PQgetResult(conn)) != NULL) {
        PQclear(result);
        if (PQstatus(conn) == CONNECTION_BAD)
            break;
    }
}

void copy_close(CopyReader *reader)
{
    if (reader == NULL)
        return;
    PQfreemem(reader->message);
    if (!reader->is_done)
        cancel(reader);
    free(reader);
}

bool copy_get_bool(bool *out, CopyValue value)
{
    if (value.len != 1)
        return false;
    *out = value.data[0] != 0;
    return true;
}

bool copy_get_date(int32_t *out, CopyValue value)
{
    if (value.len != 4)
        return false;
    *out = (int32_t)copy_load32(value.data);
    if (*out == INT32_MAX)
        *out = DAY_UNKNOWN;
    return true;
}
