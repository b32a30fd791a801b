/*
 * kind_table.c - result tables in PostgreSQL: sql/20_results.sql, sql/30_publish.sql.
 *
 * Staging: several threads with a session each fill one table at a time, in one
 * transaction: make, COPY with FREEZE, key. The people are cut into as many parts as
 * there are sessions, so that the servers behind them write and sort side by side.
 * Nobody sees these tables. Meanwhile the session that holds the lock begins the
 * transaction of the commit: the lists, and what is known of the run.
 *
 * Commit: that transaction attaches the tables of the run and moves the pointer.
 */
#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/db/copy.h"
#include "engine/publish/kinds.h"

enum { BLOCK_ROWS = 4096, MOST_PARTS = 16 };

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
        copy_texts(copy, cell->texts, cell->n);
        break;
    case CELL_FLOAT8S:
        copy_float8s(copy, cell->reals, cell->n);
        break;
    case CELL_INT2S:
        copy_int2s(copy, cell->numbers, cell->n);
        break;
    case CELL_INT4S:
        copy_int4s(copy, cell->numbers, cell->n);
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
    int part; /* of the people; -1 = not in parts */
    uint64_t from, to;
} Job;

typedef struct Staged {
    Db *db; /* of the publication */
    Arena *arena;
    const char *splits; /* first person of each part but the first: a bigint[] */
    Job parts[MOST_PARTS];
    int n_parts, n_sessions;
    bool is_committed;
} Staged;

static int count_sessions(const Made *made)
{
    long sessions = made->info->connections;

    if (sessions <= 0)
        sessions = sysconf(_SC_NPROCESSORS_ONLN);
    if (sessions > MOST_PARTS)
        sessions = MOST_PARTS;
    return sessions < 1 ? 1 : (int)sessions;
}

static void cut_people(Staged *staged, const Made *made)
{
    const Store *store = made->results->store;
    uint64_t n_people = store->n_people;
    uint64_t n = (uint64_t)staged->n_sessions;
    uint64_t n_parts = n_people < n ? (n_people > 0 ? n_people : 1) : n;
    const char *splits = "";

    for (uint64_t part = 0; part < n_parts; part++) {
        uint64_t from = n_people * part / n_parts, to = n_people * (part + 1) / n_parts;

        if (part > 0)
            splits = arena_format(staged->arena, "%s%s%" PRId64, splits,
                                  part > 1 ? "," : "", store->person[from]);
        staged->parts[staged->n_parts++] = (Job){&person_table, (int)part, from, to};
    }
    staged->splits = arena_format(staged->arena, "'{%s}'", splits);
}

/* What the functions of 30_publish.sql take: parent, run, part. */
static const char *job_text(Arena *arena, const Job *job, int64_t run)
{
    const char *part = job->part < 0 ? "null" : arena_format(arena, "%d", job->part);

    return arena_format(arena, "'%s', %" PRId64 ", %s", job->table->table.name, run,
                        part);
}

static const char *staged_name(Arena *arena, const Job *job, int64_t run)
{
    const char *name = arena_format(arena, "%s_r%" PRId64, job->table->table.name, run);

    return job->part < 0 ? name : arena_format(arena, "%s_p%d", name, job->part);
}

static int write_rows(Db *db, const Job *job, const char *name, const Made *made,
                      Err *err)
{
    TableWriter out;

    if (start_rows(&out, db, &job->table->table, name, made, ", freeze", err) != 0)
        return -1;
    for (uint64_t at = job->from; at < job->to && !copy_has_failed(out.copy);
         at += BLOCK_ROWS)
        job->table->rows(&out.writer, made, at,
                         at + BLOCK_ROWS < job->to ? at + BLOCK_ROWS : job->to);
    return copy_end(out.copy, NULL, err);
}

/* Within a transaction: FREEZE needs the one that makes the table. */
static int fill_table(Db *db, const Job *job, const char *splits, const Made *made,
                      Err *err)
{
    Arena *arena = arena_new();
    const char *text = job_text(arena, job, made->run);
    int rc = -1;

    if (db_exec(db,
                arena_format(arena, "select stratify.stage_table(%s, %s)", text, splits),
                err) == 0 &&
        write_rows(db, job, staged_name(arena, job, made->run), made, err) == 0 &&
        db_exec(db, arena_format(arena, "select stratify.key_table(%s)", text), err) == 0)
        rc = 0;
    arena_free(arena);
    return rc;
}

static int fill_part(Db **db, const Job *part, const Staged *staged, const Made *made,
                     Err *err)
{
    if (*db == NULL && results_session(db, made->info->conninfo, "write", err) != 0)
        return -1;
    if (db_begin(*db, err) == 0 &&
        fill_table(*db, part, staged->splits, made, err) == 0 && db_commit(*db, err) == 0)
        return 0;
    db_rollback(*db);
    return -1;
}

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

/* The transaction stays open: table_commit() ends it. */
static int begin_commit(const Staged *staged, const Made *made, Err *err)
{
    const Job lists = {&member_table, -1, 0, member_table.n_rows(made)};

    if (db_begin(made->db, err) != 0 || write_run(made, err) != 0)
        return -1;
    return fill_table(made->db, &lists, staged->splits, made, err);
}

/* The first report in the order of the work. What stops one session mostly stops the
 * others too, and is said once. */
static int first_report(Err *err, const Err *job_err, int n)
{
    for (int i = 0; i < n; i++)
        if (job_err[i].n_reports > 0)
            return err_join(err, &job_err[i], 1);
    return 0;
}

/*
 * Every piece of work has tables and a report of its own, and a thread a session of its
 * own, so that nothing is shared but the flag that ends a failed run early. Piece 0 has
 * the publication's session to itself.
 */
static int fill_tables(const Staged *staged, const Made *made, Err *err)
{
    int n = staged->n_parts + 1, failed = 0, rc;
    Err *reports = mem_alloc((size_t)n, sizeof *reports, "reports");
    double cpu[MOST_PARTS + 1] = {0}; /* of the server, by thread */

#pragma omp parallel num_threads(staged->n_sessions + 1)
    {
        Db *db = NULL;

#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < n; i++) {
            int stop;

#pragma omp atomic read
            stop = failed;
            if (!stop && (i == 0 ? begin_commit(staged, made, &reports[i])
                                 : fill_part(&db, &staged->parts[i - 1], staged, made,
                                             &reports[i])) != 0) {
#pragma omp atomic write
                failed = 1;
            }
        }
        if (db != NULL)
            cpu[omp_get_thread_num()] = db_server_cpu(db);
        db_close(db);
    }
    for (int thread = 0; thread <= staged->n_sessions; thread++)
        *made->writers_cpu += cpu[thread];
    rc = first_report(err, reports, n);
    free(reports);
    return rc;
}

static void table_drop(void *own)
{
    Staged *staged = own;

    if (staged == NULL)
        return;
    if (!staged->is_committed) {
        Err ignored = {0}; /* what stays is cleared by the next run */

        db_rollback(staged->db);
        db_exec(staged->db, "select stratify.clear_leftovers()", &ignored);
    }
    arena_free(staged->arena);
    free(staged);
}

static int table_stage(void **own, const Made *made, Err *err)
{
    Staged *staged = mem_alloc(1, sizeof *staged, "tables to write");
    int rc;

    staged->db = made->db;
    staged->arena = arena_new();
    staged->n_sessions = count_sessions(made);
    cut_people(staged, made);
    rc = fill_tables(staged, made, err);
    if (rc == 0)
        *own = staged;
    else
        table_drop(staged);
    return rc;
}

/* ---- commit -------------------------------------------------------------- */

static int switch_over(const Staged *staged, const Made *made, Err *err)
{
    Arena *arena = arena_new();
    const char *publish =
        made->info->is_shadow
            ? ""
            : arena_format(arena, "; select stratify.publish(%" PRId64 ")", made->run);
    const char *sql = arena_format(arena, "select stratify.attach_run(%" PRId64 ", %s)%s",
                                   made->run, staged->splits, publish);
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

    if (switch_over(staged, made, err) != 0 || db_commit(made->db, err) != 0)
        return -1;
    staged->is_committed = true;
    remove_old(made);
    return 0;
}

const OutputKind output_table = {"table", table_stage, table_commit, table_drop};
