/*
 * copy_read.c - reading; see copy.h.
 */
#include <poll.h>
#include <stdlib.h>

#include "engine/base/day.h"
#include "engine/db/copy.h"

enum {
    ROW_BYTES = 16 * 1024, /* for a row; where one needs more, more */
    MOST_PIECES = 16,      /* of what a socket holds, before rows are taken */
    PIECE_MS = 2           /* that the next one is waited for */
};

struct CopyReader {
    Db *db;
    PGconn *conn; /* of db */
    int n_columns;
    int n_pieces; /* to receive next */
    bool has_header, is_done;
    const uint8_t *data; /* the current message: in message or in bytes */
    char *message;       /* of libpq */
    uint8_t *bytes;
    size_t room;
};

/* The header's length, or 0 if it is not one. Flags must be 0: no other is known. */
static size_t skip_header(const uint8_t *data, size_t len)
{
    uint64_t extension;

    if (len < COPY_HEADER_BYTES ||
        memcmp(data, COPY_SIGNATURE, sizeof COPY_SIGNATURE) != 0 ||
        copy_load32(data + sizeof COPY_SIGNATURE) != 0)
        return 0;
    extension = copy_load32(data + sizeof COPY_SIGNATURE + 4);
    return extension > len - COPY_HEADER_BYTES ? 0
                                               : COPY_HEADER_BYTES + (size_t)extension;
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
    CopyReader *reader;

    *out = NULL;
    if (db_start_copy(db, sql, PGRES_COPY_OUT, "start reading", err) != 0)
        return -1;
    reader = mem_alloc(1, sizeof *reader, "rows to read");
    reader->db = db;
    reader->conn = db_conn(db);
    reader->n_columns = n_columns;
    reader->n_pieces = 1;
    reader->room = ROW_BYTES;
    reader->bytes = mem_alloc(reader->room, 1, "a row to read");
    *out = reader;
    return 0;
}

int copy_fail(Err *err)
{
    return err_add(err, ERR_SOURCE, db_where,
                   "could not read rows: the server's answer is not in COPY BINARY");
}

/* Whether the bytes hold all that the row says it has. */
static bool is_whole(const CopyReader *reader, size_t len)
{
    CopyRow row;
    bool has_header = reader->has_header;
    CopyValue value;
    int left = reader->n_columns;

    if (copy_begin_row(&row, left, reader->bytes, len, &has_header) <= 0)
        return true; /* what it is instead is for others to say */
    while (left > 0 && copy_take(&row, &value))
        left--;
    return left == 0;
}

/* The rest of a row that fills the room. */
static int take_rest(CopyReader *reader, int len)
{
    while ((size_t)len == reader->room && !is_whole(reader, (size_t)len)) {
        int more;

        reader->room *= 2;
        reader->bytes = mem_grow(reader->bytes, reader->room, 1, "a row to read");
        more = PQgetlineAsync(reader->conn, (char *)reader->bytes + len,
                              (int)reader->room - len);
        if (more <= 0)
            return -2;
        len += more;
    }
    return len;
}

/* A message that has arrived: its length; 0 where none has, -1 where none will. */
static inline int take_arrived(CopyReader *reader)
{
    reader->data = reader->bytes;
    return PQgetlineAsync(reader->conn, (char *)reader->bytes, (int)reader->room);
}

static int wait_for_one(CopyReader *reader)
{
    int len;

    PQfreemem(reader->message);
    reader->message = NULL;
    len = PQgetCopyData(reader->conn, &reader->message, 0);
    reader->data = (const uint8_t *)reader->message;
    return len;
}

/* Whoever takes rows needs the processor's caches for people and codes, and whoever sends
 * them needs them for pages. In turns of what one socket holds both find them cold, so
 * the longer rows have been coming, the more of them are let pile up first. Returns
 * whether the session still stands. */
static bool receive_pieces(CopyReader *reader)
{
    struct pollfd socket = {.fd = PQsocket(reader->conn), .events = POLLIN};
    int n = reader->n_pieces;

    reader->n_pieces = 2 * n < MOST_PIECES ? 2 * n : MOST_PIECES;
    while (PQconsumeInput(reader->conn) == 1)
        if (--n == 0 || poll(&socket, 1, PIECE_MS) <= 0)
            return true;
    return false;
}

/* Where no message has arrived, or one that fills the room: its length, or as
 * PQgetCopyData() says. Out of line, as all is that few rows need: the others need less
 * of a frame. */
__attribute__((noinline)) static int receive_more(CopyReader *reader, int len)
{
    if (len == 0 && receive_pieces(reader))
        len = take_arrived(reader);
    if (len == 0)
        return wait_for_one(reader);
    len = take_rest(reader, len);
    reader->data = reader->bytes; /* which may have grown */
    return len;
}

/* What is no plain row: the first, which bears the header, and the end. */
__attribute__((noinline)) static int take_message(CopyReader *reader, CopyRow *row,
                                                  int len, uint64_t *bytes, Err *err)
{
    int found;

    if (len < 0) {
        reader->is_done = true;
        if (len == -2)
            return db_fail(reader->db, NULL, db_where, "read rows", err);
        return db_finish(reader->db, "read rows", err);
    }
    found = copy_begin_row(row, reader->n_columns, reader->data, (size_t)len,
                           &reader->has_header);
    if (found > 0)
        return 1;
    if (found < 0)
        return copy_fail(err);
    return copy_next(reader, row, bytes, err); /* only the closing answer is left */
}

/* PQgetCopyData() takes memory for each row, and gives it back. PQgetlineAsync() does
 * not, and hands out what has arrived for three quarters of the processor time; only
 * where nothing has, the other waits. */
int copy_next(CopyReader *reader, CopyRow *row, uint64_t *bytes, Err *err)
{
    int len = take_arrived(reader);

    if (len <= 0 || (size_t)len == reader->room)
        len = receive_more(reader, len);
    *bytes += len > 0 ? (uint64_t)len : 0;
    if (len < 2 || !reader->has_header || copy_load16(reader->data) != reader->n_columns)
        return take_message(reader, row, len, bytes, err);
    *row = (CopyRow){reader->data + 2, reader->data + len};
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
    free(reader->bytes);
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
