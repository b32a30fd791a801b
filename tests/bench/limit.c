/*
 * limit.c - the least that any program must do that reads and writes what the engine
 * does.
 *
 *     limit save DIR JOBS         keeps the bytes of the current run's tables of people
 *     limit run DIR JOBS RUN      pulls DIR/statements, then writes DIR's bytes back
 *
 * DIR/statements holds the COPY statements of a run of the engine as the server logged
 * them, one a line. They are shared out among JOBS sessions; what arrives is thrown away.
 * Then the tables of run RUN of the peers, people in JOBS parts, are made, filled by COPY
 * FREEZE, keyed and analysed. Connection: the PG* variables.
 */
#include <libpq-fe.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 10000, MOST_JOBS = 64, PIECE = 1 << 16 };

typedef struct Table {
    const char *name, *key, *plain; /* plain: columns that are no arrays */
} Table;

static const Table PEOPLE = {"person", "run_id, person_id",
                             "run_id, person_id, practice_code, age, segment_no"};
static const Table LISTS = {"cohort_member", "run_id, cohort, group_code, person_id",
                            "run_id, cohort, group_code, rank, person_id, movement"};

static void fail(PGconn *conn, const char *what)
{
    fprintf(stderr, "limit: %s: %s", what, conn == NULL ? "\n" : PQerrorMessage(conn));
    exit(1);
}

static PGconn *open_session(void)
{
    PGconn *conn = PQconnectdb("");

    if (PQstatus(conn) != CONNECTION_OK)
        fail(conn, "connect");
    return conn;
}

static void exec(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(conn, sql);
    PQclear(result);
}

/* Starts a COPY in either direction. */
static void begin_copy(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COPY_OUT && status != PGRES_COPY_IN)
        fail(conn, sql);
    PQclear(result);
}

static void end_copy(PGconn *conn)
{
    PGresult *result;

    while ((result = PQgetResult(conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            fail(conn, "copy");
        PQclear(result);
    }
}

static FILE *open_file(const char *folder, const char *name, const char *mode)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, mode);
    if (file == NULL)
        fail(NULL, path);
    return file;
}

static int read_lines(char **lines, const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, "r");
    size_t room = 0;
    int n = 0;

    while (n < MOST_LINES && (lines[n] = NULL, getline(&lines[n], &room, file)) > 0) {
        n++;
        room = 0;
    }
    fclose(file);
    return n;
}

/* ---- reading ----------------------------------------------------------- */

/* Bytes and rows of one statement; a row is one message. */
static void pull(PGconn *conn, const char *sql, long long *bytes, long long *rows)
{
    char *row;
    int len;

    begin_copy(conn, sql);
    while ((len = PQgetCopyData(conn, &row, 0)) > 0) {
        *bytes += len;
        ++*rows;
        PQfreemem(row);
    }
    end_copy(conn);
}

static void pull_all(const char *folder, int n_jobs)
{
    static char *statements[MOST_LINES];
    int n = read_lines(statements, folder, "statements");
    long long bytes = 0, rows = 0;
    PGconn *conns[MOST_JOBS];

    for (int j = 0; j < n_jobs; j++) {
        conns[j] = open_session();
        exec(conns[j], "set max_parallel_workers_per_gather = 0; set jit = off");
        exec(conns[j], "begin isolation level repeatable read read only");
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_jobs) reduction(+ : bytes, rows)
    for (int i = 0; i < n; i++)
        pull(conns[omp_get_thread_num()], statements[i], &bytes, &rows);
    for (int j = 0; j < n_jobs; j++)
        PQfinish(conns[j]);
    printf("%lld bytes %lld rows\n", bytes, rows - n); /* each ends with a trailer */
}

/* ---- writing ----------------------------------------------------------- */

/* One of n equal parts of a table, in the order of its key. */
static void save_part(PGconn *conn, const char *folder, const Table *table, int part,
                      int n)
{
    char sql[512], name[64];
    FILE *file;
    char *row;
    int len;

    snprintf(name, sizeof name, "%s_p%d", table->name, part);
    snprintf(sql, sizeof sql,
             "copy (with t as (select t.* from stratify.%s t join stratify.current_run c "
             "using (run_id)), n as (select count(*) / %d + 1 as n from t) "
             "select * from t order by %s offset %d * (select n from n) "
             "limit (select n from n)) to stdout (format binary)",
             table->name, n, table->key, part);
    file = open_file(folder, name, "w");
    begin_copy(conn, sql);
    while ((len = PQgetCopyData(conn, &row, 0)) > 0) {
        fwrite(row, 1, (size_t)len, file);
        PQfreemem(row);
    }
    end_copy(conn);
    if (fclose(file) != 0)
        fail(NULL, folder);
}

static void save(const char *folder, int n_jobs)
{
    PGconn *conn = open_session();

    for (int j = 0; j < n_jobs; j++)
        save_part(conn, folder, &PEOPLE, j, n_jobs);
    save_part(conn, folder, &LISTS, 0, 1);
    PQfinish(conn);
}

static void send_file(PGconn *conn, const char *folder, const char *name)
{
    static _Thread_local char piece[PIECE];
    FILE *file = open_file(folder, name, "r");
    size_t len;

    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        if (PQputCopyData(conn, piece, (int)len) != 1)
            fail(conn, "copy");
    fclose(file);
    if (PQputCopyEnd(conn, NULL) != 1)
        fail(conn, "copy");
    end_copy(conn);
}

static void write_part(const char *folder, const Table *table, const char *run, int part)
{
    PGconn *conn = open_session();
    char sql[1024], name[64], staged[128];

    snprintf(name, sizeof name, "%s_p%d", table->name, part);
    snprintf(staged, sizeof staged, "peer.%s_r%s_p%d", table->name, run, part);
    exec(conn, "begin");
    snprintf(sql, sizeof sql, "create table %s (like peer.%s)", staged, table->name);
    exec(conn, sql);
    snprintf(sql, sizeof sql, "copy %s from stdin (format binary, freeze)", staged);
    begin_copy(conn, sql);
    send_file(conn, folder, name);
    snprintf(sql, sizeof sql, "alter table %s add primary key (%s); analyze %s (%s)",
             staged, table->key, staged, table->plain);
    exec(conn, sql);
    exec(conn, "commit");
    PQfinish(conn);
}

/* The tables stay loose: attaching them moves no bytes, and their rows bear the number
 * of the run that they were saved from. */
static void write_all(const char *folder, int n_jobs, const char *run)
{
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_jobs)
    for (int i = 0; i <= n_jobs; i++)
        write_part(folder, i < n_jobs ? &PEOPLE : &LISTS, run, i < n_jobs ? i : 0);
}

int main(int argc, char **argv)
{
    int n_jobs = argc > 3 ? atoi(argv[3]) : 0;
    bool is_save = argc == 4 && strcmp(argv[1], "save") == 0;
    bool is_run = argc == 5 && strcmp(argv[1], "run") == 0;

    if (n_jobs < 1 || n_jobs > MOST_JOBS || (!is_save && !is_run)) {
        fprintf(stderr, "usage: limit save DIR JOBS | limit run DIR JOBS RUN\n");
        return 2;
    }
    if (is_save) {
        save(argv[2], n_jobs);
    } else {
        pull_all(argv[2], n_jobs);
        write_all(argv[2], n_jobs, argv[4]);
    }
    return 0;
}
