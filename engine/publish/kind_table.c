/*
 * kind_table.c - result tables in PostgreSQL: sql/20_results.sql, sql/30_publish.sql.
 *
 * Staging: several sessions, each fills one table of its own at a time and in one
 * transaction: make, COPY with FREEZE, key. One thread deals out blocks of rows in turn,
 * so that the servers behind the sessions work side by side; keys are built while other
 * tables are being filled. Nobody sees these tables.
 *
 * Commit: one transaction on the session that holds the lock writes what is known of the
 * run, attaches its tables, and moves the pointer.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/db/copy.h"
#include "engine/publish/kinds.h"

enum { BLOCK_ROWS = 4096, MOST_LANES = 16 };

#define TIME_EPOCH INT64_C(946684800) /* 2000-01-01 in seconds since 1970 */

/* ---- rows ---------------------------------------------------------------- */

typedef struct TableWriter {
    Writer writer; /* first: put gets a pointer to it */
    Copy *copy;
    int64_t run;
} TableWriter;

static void put_cell(Writer *writer, const ResultColumn *column, const Cell *cell)
{
    TableWriter *table = (TableWriter *)writer;
    Copy *copy = table->copy;

    if (writer->column == 0) {
        copy_row(copy);
        copy_int8(copy, table->run);
    }
    if (cell->is_null) {
        copy_null(copy);
        return;
    }
    switch (column->type) {
    case CELL_INT2:
        copy_int2(copy, (int16_t)cell->number);
        break;
    case CELL_INT4:
        copy_int4(copy, (int32_t)cell->number);
        break;
    case CELL_INT8:
        copy_int8(copy, cell->number);
        break;
    case CELL_YESNO:
        copy_bool(copy, cell->number != 0);
        break;
    case CELL_DATE:
        copy_date(copy, (int32_t)cell->number);
        break;
    case CELL_TIME: /* microseconds since 2000 */
        copy_int8(copy, (cell->number - TIME_EPOCH) * 1000000);
        break;
    case CELL_FLOAT8:
        copy_float8(copy, cell->real);
        break;
    case CELL_TEXT:
        copy_text(copy, cell->text);
        break;
    case CELL_TEXTS:
        copy_texts(copy, cell->texts, cell->n_texts);
        break;
    case CELL_JSON:
        copy_jsonb(copy, cell->text);
        break;
    }
}

/* Starts to write into a table of the schema. */
static int start_rows(TableWriter *out, Db *db, const ResultTable *table,
                      const char *into, const Made *made, const char *how, Err *err)
{
    Arena *arena = arena_new();
    const char *columns = "run_id";
    const char *sql;
    int rc;

    for (int c = 0; c < table->n_columns; c++)
        columns = arena_format(arena, "%s, %s", columns,
                               db_quote_name(arena, table->columns[c].name));
    sql = arena_format(arena, "copy stratify.%s (%s) from stdin (format binary%s)", into,
                       columns, how);
    *out = (TableWriter){.writer = {table, 0, put_cell}, .run = made->run};
    rc = copy_begin(&out->copy, db, sql, table->n_columns + 1, err);
    arena_free(arena);
    return rc;
}

/* ---- staging ------------------------------------------------------------- */

/* One table to fill. */
typedef struct Job {
    const PeopleTable *table;
    int model; /* -1 = not by model */
    uint64_t n_rows;
} Job;

/* One session and what it is doing. */
typedef struct Lane {
    Db *db;
    const Job *job; /* NULL = idle */
    TableWriter out;
    uint64_t next_row;
    bool is_keying; /* the server builds the key */
} Lane;

typedef struct Staged {
    Db *db; /* of the publication */
    Lane lanes[MOST_LANES];
    int n_lanes;
    Job *jobs;
    int n_jobs, next_job;
    bool is_committed;
} Staged;

static void list_jobs(Staged *staged, const Made *made)
{
    staged->jobs = mem_alloc((size_t)(made->plan->n_models + N_PEOPLE_TABLES),
                             sizeof *staged->jobs, "tables to write");
    for (int t = 0; t < N_PEOPLE_TABLES; t++) {
        const PeopleTable *table = &people_tables[t];
        int n = table->is_by_model ? made->plan->n_models : 1;

        for (int m = 0; m < n; m++)
            staged->jobs[staged->n_jobs++] =
                (Job){table, table->is_by_model ? m : -1, table->n_rows(made)};
    }
}

static const char *stage_call(Arena *arena, const char *function, const Job *job,
                              int64_t run)
{
    const char *model = job->model < 0 ? "null" : arena_format(arena, "%d", job->model);

    return arena_format(arena, "select stratify.%s('%s', %" PRId64 ", %s)", function,
                        job->table->table.name, run, model);
}

static const char *staged_name(Arena *arena, const Job *job, int64_t run)
{
    const char *name = arena_format(arena, "%s_r%" PRId64, job->table->table.name, run);

    return job->model < 0 ? name : arena_format(arena, "%s_m%d", name, job->model);
}

static int lane_start(Lane *lane, const Job *job, const Made *made, Err *err)
{
    Arena *arena = arena_new();
    int rc = -1;

    lane->job = job;
    lane->next_row = 0;
    if (db_begin(lane->db, err) == 0 &&
        db_exec(lane->db, stage_call(arena, "stage_table", job, made->run), err) == 0)
        rc = start_rows(&lane->out, lane->db, &job->table->table,
                        staged_name(arena, job, made->run), made, ", freeze", err);
    arena_free(arena);
    return rc;
}

/* All rows are sent: asks for the key, and does not wait. */
static int lane_key(Lane *lane, const Made *made, Err *err)
{
    Copy *copy = lane->out.copy;
    Arena *arena;
    int rc = 0;

    lane->out.copy = NULL;
    if (copy_end(copy, NULL, err) != 0)
        return -1;
    arena = arena_new();
    if (PQsendQuery(db_conn(lane->db),
                    stage_call(arena, "key_table", lane->job, made->run)) != 1)
        rc = db_fail(lane->db, NULL, db_where, "add a key", err);
    lane->is_keying = rc == 0;
    arena_free(arena);
    return rc;
}

/* Waits for the key and ends the table. */
static int lane_end(Lane *lane, Err *err)
{
    PGresult *result;
    int rc = 0;

    while ((result = PQgetResult(db_conn(lane->db))) != NULL) {
        if (PQresultStatus(result) != PGRES_TUPLES_OK && rc == 0)
            rc = db_fail(lane->db, result, db_where, "add a key", err);
        PQclear(result);
    }
    lane->is_keying = false;
    lane->job = NULL;
    return rc == 0 ? db_commit(lane->db, err) : rc;
}

static int lane_block(Lane *lane, const Made *made, Err *err)
{
    const Job *job = lane->job;
    uint64_t to = lane->next_row + BLOCK_ROWS;

    if (to > job->n_rows)
        to = job->n_rows;
    job->table->rows(&lane->out.writer, made, job->model, lane->next_row, to);
    lane->next_row = to;
    if (to == job->n_rows || copy_has_failed(lane->out.copy))
        return lane_key(lane, made, err);
    return 0;
}

/* The next step of one session. */
static int lane_step(Lane *lane, Staged *staged, const Made *made, Err *err)
{
    if (lane->is_keying) {
        if (PQconsumeInput(db_conn(lane->db)) == 1 && PQisBusy(db_conn(lane->db)))
            return 0;
        return lane_end(lane, err);
    }
    if (lane->job != NULL)
        return lane_block(lane, made, err);
    if (staged->next_job == staged->n_jobs)
        return 0;
    return lane_start(lane, &staged->jobs[staged->next_job++], made, err);
}

/* Deals out work until every table is filled and keyed. */
static int fill_tables(Staged *staged, const Made *made, Err *err)
{
    for (;;) {
        Lane *keying = NULL;
        bool is_filling = false;

        for (int i = 0; i < staged->n_lanes; i++) {
            Lane *lane = &staged->lanes[i];

            if (lane_step(lane, staged, made, err) != 0)
                return -1;
            if (lane->is_keying)
                keying = lane;
            else if (lane->job != NULL || staged->next_job < staged->n_jobs)
                is_filling = true;
        }
        if (is_filling)
            continue;
        if (keying == NULL)
            return 0;
        if (lane_end(keying, err) != 0)
            return -1;
    }
}

static int count_lanes(const Staged *staged, const Made *made)
{
    long lanes = made->info->connections;

    if (lanes <= 0)
        lanes = sysconf(_SC_NPROCESSORS_ONLN);
    if (lanes > staged->n_jobs)
        lanes = staged->n_jobs;
    if (lanes > MOST_LANES)
        lanes = MOST_LANES;
    return lanes < 1 ? 1 : (int)lanes;
}

static void table_drop(void *own)
{
    Staged *staged = own;

    if (staged == NULL)
        return;
    for (int i = 0; i < staged->n_lanes; i++) {
        copy_abort(staged->lanes[i].out.copy);
        db_close(staged->lanes[i].db);
    }
    if (!staged->is_committed) {
        Err ignored = {0}; /* what stays is cleared by the next run */

        db_exec(staged->db, "select stratify.clear_leftovers()", &ignored);
    }
    free(staged->jobs);
    free(staged);
}

static int table_stage(void **own, const Made *made, Err *err)
{
    Staged *staged = mem_alloc(1, sizeof *staged, "tables to write");
    int n;

    *own = NULL;
    staged->db = made->db;
    list_jobs(staged, made);
    n = count_lanes(staged, made);
    for (int i = 0; i < n; i++) {
        staged->n_lanes++;
        if (results_session(&staged->lanes[i].db, made->info->conninfo, "write", err) !=
            0)
            goto failed;
    }
    if (fill_tables(staged, made, err) != 0)
        goto failed;
    *own = staged;
    return 0;
failed:
    table_drop(staged);
    return -1;
}

/* ---- commit -------------------------------------------------------------- */

static int write_run(const Made *made, Err *err)
{
    for (int t = 0; t < n_result_tables; t++) {
        const ResultTable *table = result_tables[t];
        TableWriter out;

        if (start_rows(&out, made->db, table, table->name, made, "", err) != 0)
            return -1;
        table->write(&out.writer, made);
        if (copy_end(out.copy, NULL, err) != 0)
            return -1;
    }
    return 0;
}

static int switch_over(const Made *made, Err *err)
{
    Arena *arena = arena_new();
    const char *publish =
        made->info->is_shadow
            ? ""
            : arena_format(arena, "; select stratify.publish(%" PRId64 ")", made->run);
    const char *sql = arena_format(arena, "select stratify.attach_run(%" PRId64 ", %d)%s",
                                   made->run, made->plan->n_models, publish);
    int rc = db_exec(made->db, sql, err);

    arena_free(arena);
    return rc;
}

/* Old runs go after the new one is visible; if they cannot, that is no failure. */
static void remove_old(const Made *made)
{
    Arena *arena = arena_new();
    Err err = {0};

    if (made->info->keep_runs > 0 &&
        db_exec(made->db,
                arena_format(arena, "select stratify.retain(%d)", made->info->keep_runs),
                &err) != 0)
        log_line(LOG_WARN, "stage=publish retention=\"%s\"", err.text);
    arena_free(arena);
}

static int table_commit(void *own, const Made *made, Err *err)
{
    Staged *staged = own;

    if (db_begin(made->db, err) != 0)
        return -1;
    if (db_exec(made->db, "set local lock_timeout = '60s'", err) != 0 ||
        write_run(made, err) != 0 || switch_over(made, err) != 0 ||
        db_commit(made->db, err) != 0) {
        db_rollback(made->db);
        return -1;
    }
    staged->is_committed = true;
    remove_old(made);
    return 0;
}

const OutputKind output_table = {"table", table_stage, table_commit, table_drop};
