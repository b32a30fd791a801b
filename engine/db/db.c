/*
 * db.c - see db.h.
 */
#include "engine/db/db.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/log.h"

struct Db {
    PGconn *conn;
};

const Where db_where = {"database", 0, 0};

/* One line of the server's words: without "FATAL: ", line breaks and closing blanks. */
static void one_line(char *out, size_t room, const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n + 1 < room; text++)
        out[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

/* The first of libpq's lines, without the server's "FATAL:  ". */
static void first_line(char *out, size_t room, const char *text)
{
    static const char FATAL[] = "FATAL:  ";

    if (strncmp(text, FATAL, strlen(FATAL)) == 0)
        text += strlen(FATAL);
    one_line(out, room, text);
    if (strcspn(text, "\n") < room)
        out[strcspn(text, "\n")] = '\0';
}

/* True if the state begins with one of the words. */
static bool is_state(const char *state, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strncmp(state, *words, strlen(*words)) == 0)
            return true;
    return false;
}

#define LOCK_NOT_AVAILABLE     "55P03"
#define INSUFFICIENT_PRIVILEGE "42501"

static ErrKind kind_of_state(const char *state)
{
    static const char *const TROUBLE[] = {"08", "53", "57", "58", "55", NULL};
    static const char *const DATA[] = {"22", "23", NULL};
    static const char *const CONFIG[] = {"28", "3D", "3F", "42", NULL};

    if (is_state(state, TROUBLE))
        return ERR_SOURCE;
    if (is_state(state, DATA))
        return ERR_DATA;
    return is_state(state, CONFIG) ? ERR_CONFIG : ERR_INTERNAL;
}

/* Words that may quote a value of a row: data exceptions, and what the functions of
 * somebody's view raise without a state of their own. */
static bool may_quote(const char *state)
{
    static const char *const QUOTING[] = {"22", "23", "P0001", "01000", NULL};

    return is_state(state, QUOTING);
}

int db_fail(const Db *db, const PGresult *result, Where where, const char *what, Err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char words[512];
    ErrKind kind;

    if (state == NULL || PQstatus(db->conn) == CONNECTION_BAD) {
        if (primary != NULL)
            one_line(words, sizeof words, primary);
        else
            first_line(words, sizeof words, PQerrorMessage(db->conn));
        return err_add(err, ERR_SOURCE, where, "could not %s: %s", what, words);
    }
    kind = kind_of_state(state);
    if (may_quote(state) || primary == NULL)
        return err_add(err, kind, where, "could not %s: SQLSTATE %s", what, state);
    one_line(words, sizeof words, primary);
    err_add(err, kind, where, "could not %s: %s", what, words);
    if (strcmp(state, LOCK_NOT_AVAILABLE) == 0)
        err_hint(err, "another session changes the table, or waits to: try again");
    if (strcmp(state, INSUFFICIENT_PRIVILEGE) == 0)
        err_hint(err, "grant it to the role that connects: select on a source, or "
                      "stratify_writer, stratify_care or stratify_reader for results");
    return -1;
}

int db_start_copy(Db *db, const char *sql, ExecStatusType way, const char *what, Err *err)
{
    PGresult *result = PQexec(db->conn, sql);
    int rc = 0;

    if (PQresultStatus(result) != way)
        rc = db_fail(db, result, db_where, what, err);
    PQclear(result);
    return rc;
}

int db_finish(Db *db, const char *what, Err *err)
{
    PGresult *result;
    int rc = 0;

    while ((result = PQgetResult(db->conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && rc == 0)
            rc = db_fail(db, result, db_where, what, err);
        PQclear(result);
        if (PQstatus(db->conn) == CONNECTION_BAD)
            break;
    }
    return rc;
}

/* Warnings of the server, by the same rule as errors: no words that may quote data. */
static void receive_notice(void *own, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char words[256] = "";

    (void)own;
    if (state == NULL)
        state = "00000";
    if (primary != NULL && !may_quote(state))
        one_line(words, sizeof words, primary);
    log_line(LOG_WARN, "stage=database state=%s notice=\"%s\"", state, words);
}

static int set_up(Db *db, Err *err)
{
    if (PQstatus(db->conn) != CONNECTION_OK) {
        char words[512];

        one_line(words, sizeof words, PQerrorMessage(db->conn));
        return err_add(err, ERR_SOURCE, db_where, "could not connect: %s", words);
    }
    PQsetErrorVerbosity(db->conn, PQERRORS_TERSE);
    PQsetNoticeReceiver(db->conn, receive_notice, NULL);
    return db_exec(
        db,
        "set timezone = 'UTC'; set datestyle = 'ISO, YMD';"
        "set client_min_messages = warning;"
        "set standard_conforming_strings = on; set statement_timeout = 0;"
        "set idle_in_transaction_session_timeout = 0; set lock_timeout = '60s';"
        "select set_config('idle_session_timeout', '0', false) " /* from version 14 on */
        "where current_setting('idle_session_timeout', true) is not null",
        err);
}

int db_open(Db **out, const char *conninfo, const char *purpose, Err *err)
{
    char name[64];
    const char *keys[] = {"dbname", "application_name", "client_encoding", NULL};
    const char *values[] = {conninfo, name, "UTF8", NULL};
    Db *db = mem_alloc(1, sizeof *db, "database session");

    snprintf(name, sizeof name, "stratify %s", purpose);
    db->conn = PQconnectdbParams(keys, values, 1);
    if (set_up(db, err) != 0) {
        db_close(db);
        *out = NULL;
        return -1;
    }
    *out = db;
    return 0;
}

void db_close(Db *db)
{
    if (db == NULL)
        return;
    PQfinish(db->conn);
    free(db);
}

/* The process of a session, if it is one of PostgreSQL's on this machine: "PID (postgres)
 * state ...", with the ticks spent as 14th and 15th word. */
static double process_cpu(int pid)
{
    unsigned long user, system;
    double seconds = NAN;
    char name[64];
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    file = fopen(name, "r");
    if (file == NULL)
        return NAN;
    if (fscanf(file, "%*d (postgres) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &system) == 2)
        seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    fclose(file);
    return seconds;
}

double db_server_cpu(const Db *db)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    if (db == NULL || PQstatus(db->conn) != CONNECTION_OK ||
        getsockname(PQsocket(db->conn), (struct sockaddr *)&address, &len) != 0 ||
        address.ss_family != AF_UNIX)
        return NAN;
    return process_cpu(PQbackendPID(db->conn));
}

PGconn *db_conn(Db *db)
{
    return db->conn;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
           status == PGRES_EMPTY_QUERY;
}

int db_exec(Db *db, const char *sql, Err *err)
{
    PGresult *result = PQexec(db->conn, sql);
    int rc = 0;

    if (!is_good(result))
        rc = db_fail(db, result, db_where, "run a statement", err);
    PQclear(result);
    return rc;
}

PGresult *db_query(Db *db, const char *sql, int n_params, const char *const *params,
                   Err *err)
{
    PGresult *result = PQexecParams(db->conn, sql, n_params, NULL, params, NULL, NULL, 0);

    if (is_good(result))
        return result;
    db_fail(db, result, db_where, "run a query", err);
    PQclear(result);
    return NULL;
}

int db_begin(Db *db, Err *err)
{
    return db_exec(db, "begin isolation level read committed read write", err);
}

/* The server answers "ROLLBACK" to the commit of a transaction that has failed. */
int db_commit(Db *db, Err *err)
{
    PGresult *result = PQexec(db->conn, "commit");
    int rc = 0;

    if (!is_good(result))
        rc = db_fail(db, result, db_where, "commit", err);
    else if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        rc = err_add(err, ERR_INTERNAL, db_where,
                     "could not commit: the transaction had failed before");
    PQclear(result);
    return rc;
}

void db_rollback(Db *db)
{
    PGTransactionStatusType status = PQtransactionStatus(db->conn);

    if (status == PQTRANS_INTRANS || status == PQTRANS_INERROR)
        PQclear(PQexec(db->conn, "rollback"));
}

int db_share_snapshot(Db *db, char snapshot[SNAPSHOT_TEXT], Err *err)
{
    PGresult *result = NULL;

    if (db_exec(db, "begin isolation level repeatable read read only", err) != 0)
        return -1;
    result = db_query(db, "select pg_export_snapshot()", 0, NULL, err);
    if (result == NULL)
        return -1;
    snprintf(snapshot, SNAPSHOT_TEXT, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return 0;
}

int db_join_snapshot(Db *db, const char *snapshot, Err *err)
{
    char sql[128];

    /* The name comes from the server: hexadecimal digits and dashes. */
    assert(strspn(snapshot, "0123456789ABCDEFabcdef-") == strlen(snapshot));
    snprintf(sql, sizeof sql, "set transaction snapshot '%s'", snapshot);
    if (db_exec(db, "begin isolation level repeatable read read only", err) != 0)
        return -1;
    return db_exec(db, sql, err);
}

int db_check_snapshot(Db *db, Err *err)
{
    /* The left side is of now, c is of the snapshot. */
    static const char SQL[] =
        "select string_agg(l.relation::regclass::text, ', ') from pg_locks l "
        "left join pg_class c on c.oid = l.relation "
        "where l.locktype = 'relation' and l.pid = pg_backend_pid() "
        "and l.database = (select oid from pg_database where datname = "
        "current_database()) and l.relation >= 16384 " /* the catalogs have no say */
        "and coalesce(c.relkind, 'r') in ('r', 'm') "
        "and pg_relation_filenode(l.relation) is distinct from c.relfilenode";
    PGresult *result = db_query(db, SQL, 0, NULL, err);
    int rc = -1;

    if (result == NULL)
        return -1;
    if (PQgetisnull(result, 0, 0)) {
        rc = 0;
    } else {
        err_add(err, ERR_SOURCE, db_where,
                "what lay in %s cannot be seen: it was made anew while the run began",
                PQgetvalue(result, 0, 0));
        err_hint(err, "try again: the next run sees it");
    }
    PQclear(result);
    return rc;
}

/* The len bytes of text between two marks, with every mark inside doubled. */
static char *quote(Arena *arena, const char *text, size_t len, char mark)
{
    char *out = arena_alloc(arena, 2 * len + 3, 1);
    size_t n = 0;

    out[n++] = mark;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == mark)
            out[n++] = mark;
        out[n++] = text[i];
    }
    out[n] = mark;
    return out;
}

const char *db_quote_name(Arena *arena, const char *name)
{
    return quote(arena, name, strlen(name), '"');
}

const char *db_quote_table(Arena *arena, const char *table)
{
    const char *dot = strchr(table, '.');

    if (dot == NULL)
        return db_quote_name(arena, table);
    return arena_format(arena, "%s.%s", quote(arena, table, (size_t)(dot - table), '"'),
                        db_quote_name(arena, dot + 1));
}

const char *db_quote_text(Arena *arena, const char *text)
{
    return quote(arena, text, strlen(text), '\'');
}
