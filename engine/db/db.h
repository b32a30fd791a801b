/*
 * db.h - a session with PostgreSQL, its transactions and its snapshot.
 *
 * Every session speaks UTF-8, UTC, ISO dates and standard strings, and is named
 * "stratify PURPOSE" in the server's list of activity. The connection is made as psql
 * makes it: a conninfo string or URI, PG* variables, a service file, .pgpass.
 *
 * Failures are reported as "database: could not WHAT: its own words". Their kind:
 *
 *     ERR_SOURCE   the connection is refused or lost, or the server is stopping or has no
 *                  room
 *     ERR_DATA     SQLSTATE class 22 or 23: only the state is said, since the server's
 *                  words may quote a person's data; likewise of what a function raises
 *                  without a state of its own (P0001)
 *     ERR_CONFIG   class 28, 3D, 3F, 42: something named, or a right, is not there
 *     ERR_INTERNAL anything else
 *
 * A caller for whom another kind is right (ERR_PUBLISH) sets err->kind afterwards. No
 * session waits for a lock longer than a minute: who waits for a table behind somebody
 * who waits for another session of the same run would wait for ever.
 * One session belongs to one thread at a time.
 */
#ifndef ENGINE_DB_DB_H
#define ENGINE_DB_DB_H

#include <libpq-fe.h>
#include <stddef.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

typedef struct Db Db;

enum { SNAPSHOT_TEXT = 64 }; /* bytes for the name of a snapshot */

/* conninfo may be "". purpose is a word or two: "load", "publish". */
int db_open(Db **db, const char *conninfo, const char *purpose, Err *err);
void db_close(Db *db); /* NULL is accepted; an open transaction is rolled back */

/* Runs one or more statements and drops what they give. */
int db_exec(Db *db, const char *sql, Err *err);
/* Runs one statement with text parameters ($1 ...; NULL is null); the result is text
 * and released with PQclear. NULL after a report. */
PGresult *db_query(Db *db, const char *sql, int n_params, const char *const *params,
                   Err *err);

int db_begin(Db *db, Err *err); /* read committed, read write */
int db_commit(Db *db, Err *err);
void db_rollback(Db *db); /* also after a failure; says nothing */

/* Starts a read-only transaction whose snapshot others can join while it lasts.
 * Temporary tables filled later are not seen in it: fill them before. */
int db_share_snapshot(Db *db, char snapshot[SNAPSHOT_TEXT], Err *err);
/* Starts a read-only transaction that sees exactly what the sharing one sees. */
int db_join_snapshot(Db *db, const char *snapshot, Err *err);
/* ERR_SOURCE if a table was truncated, rewritten or replaced between the snapshot and the
 * lock that this transaction has on it: to the snapshot it is empty. */
int db_check_snapshot(Db *db, Err *err);

/* Quoted for use in SQL: a name, a name with schema ("sid.person", each part as
 * written), a text literal. In the arena; needs no session. */
const char *db_quote_name(Arena *arena, const char *name);
const char *db_quote_table(Arena *arena, const char *table);
const char *db_quote_text(Arena *arena, const char *text);

/* Seconds of processor time that the server has spent on this session: where it runs on
 * this machine and is reached through a socket of the file system. Else, or for NULL or a
 * session that has ended, NaN. */
double db_server_cpu(const Db *db);

/* For engine/db and those that drive libpq themselves. Reports what the result says,
 * or the connection if result is NULL; does not clear it. Returns -1. */
PGconn *db_conn(Db *db);
int db_fail(const Db *db, const PGresult *result, Where where, const char *what,
            Err *err);
/* Starts a COPY: PGRES_COPY_IN or PGRES_COPY_OUT, whichever the statement is. */
int db_start_copy(Db *db, const char *sql, ExecStatusType way, const char *what,
                  Err *err);
/* Reads results until there are none, as libpq asks for. Reports the first failure. */
int db_finish(Db *db, const char *what, Err *err);
extern const Where db_where; /* "database" */

#endif
