/*
 * copy.c - writing; see copy.h.
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
    if (db != NULL &&
        db_start_copy(db, sql, PGRES_COPY_IN, "start writing rows", err) != 0)
        return -1;
    copy = mem_alloc(1, sizeof *copy, "rows to write");
    copy->db = db;
    copy->n_columns = n_columns;
    copy->room = SEND_BYTES + 4096;
    copy->bytes = mem_alloc(copy->room, 1, "rows to write");
    memcpy(room_for(copy, COPY_HEADER_BYTES), COPY_SIGNATURE, sizeof COPY_SIGNATURE);
    memset(copy->bytes + sizeof COPY_SIGNATURE, 0,
           COPY_HEADER_BYTES - sizeof COPY_SIGNATURE);
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
        rc = db_finish(db, "write rows", err);
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
        db_finish(copy->db, "stop writing", &unsaid);
    }
    copy_free(copy);
}
