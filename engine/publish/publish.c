/*
 * publish.c - see publish.h.
 */
#include "engine/publish/publish.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/db/scripts.h"
#include "engine/publish/kinds.h"

/* Key of the advisory lock: one run at a time in a database. */
#define LOCK_KEY "8391464620197537901"

enum { LOCK_TRIES = 50, MOST_OUTPUTS = 2 };

struct Publication {
    const Plan *plan;
    Arena *arena;
    Db *db;             /* NULL without a database */
    double writers_cpu; /* of the server, for sessions that have ended */
    int64_t run;
    PreviousRun previous;
};

/* ---- the session --------------------------------------------------------- */

/* One value of one row, as text in the arena; NULL after a report. "" for null. */
static const char *ask(Db *db, Arena *arena, const char *sql, Err *err)
{
    PGresult *result = db_query(db, sql, 0, NULL, err);
    const char *value = NULL;

    if (result == NULL)
        return NULL;
    if (PQntuples(result) > 0)
        value = PQgetvalue(result, 0, 0);
    value =
        arena_text(arena, value == NULL ? "" : value, value == NULL ? 0 : strlen(value));
    PQclear(result);
    return value;
}

int results_installed(Db *db, Err *err)
{
    Arena *arena = arena_new();
    const char *table = ask(db, arena, "select to_regclass('stratify.run')", err);
    int rc = table == NULL || table[0] == '\0' ? -1 : 0;

    if (table != NULL && rc != 0) {
        err_add(err, ERR_CONFIG, db_where,
                "the results schema \"stratify\" is not there");
        err_hint(err, "install it with `stratify init`");
    }
    arena_free(arena);
    return rc;
}

int results_session(Db **db, const char *conninfo, const char *purpose, Err *err)
{
    if (db_open(db, conninfo, purpose, err) != 0)
        return -1;
    /* Tables of a run belong to whoever owns the results, so that any member of that
     * role can go on with them. */
    if (db_exec(*db,
                "select set_config('role', r.rolname, false) from pg_class c "
                "join pg_roles r on r.oid = c.relowner "
                "where c.oid = to_regclass('stratify.run') and r.rolname <> current_user "
                "and pg_has_role(current_user, r.oid, 'member')",
                err) != 0) {
        db_close(*db);
        *db = NULL;
        return -1;
    }
    return 0;
}

void results_blame_run(Err *err)
{
    if (err->kind != ERR_INTERNAL)
        return;
    err->kind = ERR_USAGE;
    err_hint(err, "`stratify runs` lists the runs that are kept");
}

/* Tries for ten seconds: the server may not have noticed yet that a run was killed. */
static int take_lock(Db *db, Arena *arena, Err *err)
{
    const struct timespec pause = {0, 200 * 1000 * 1000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        const char *is_mine =
            ask(db, arena, "select pg_try_advisory_lock(" LOCK_KEY ")", err);

        if (is_mine == NULL)
            return -1;
        if (is_mine[0] == 't')
            return 0;
        nanosleep(&pause, NULL);
    }
    err_add(err, ERR_LOCKED, db_where, "another run holds the lock");
    err_hint(err, "wait for it to end; its session is in pg_stat_activity");
    return -1;
}

static int clear_leftovers(Db *db, Arena *arena, Err *err)
{
    const char *cleared = ask(db, arena, "select stratify.clear_leftovers()", err);

    if (cleared == NULL)
        return -1;
    if (strcmp(cleared, "0") != 0)
        log_line(LOG_INFO, "stage=prepare leftovers=%s", cleared);
    return 0;
}

static int new_run(Publication *publication, Err *err)
{
    Arena *arena = publication->arena;
    const char *run =
        ask(publication->db, arena,
            "select nextval(pg_get_serial_sequence('stratify.run', 'run_id'))", err);

    if (run == NULL || !text_int64(&publication->run, run, strlen(run)))
        return -1;
    return db_exec(publication->db,
                   arena_format(arena,
                                "set application_name = 'stratify run %" PRId64 "'",
                                publication->run),
                   err);
}

/* ---- open and close ------------------------------------------------------ */

static int open_database(Publication *publication, const char *conninfo, Err *err)
{
    Arena *arena = publication->arena;

    if (results_session(&publication->db, conninfo, "publish", err) != 0 ||
        results_installed(publication->db, err) != 0 ||
        take_lock(publication->db, arena, err) != 0 ||
        clear_leftovers(publication->db, arena, err) != 0 ||
        new_run(publication, err) != 0)
        return -1;
    return previous_read(&publication->previous, publication->plan, publication->db,
                         arena, err);
}

int publish_open(Publication **out, const Plan *plan, const RunInfo *info, Err *err)
{
    Publication *publication = mem_alloc(1, sizeof *publication, "publication");
    int rc = 0;

    *out = NULL;
    publication->plan = plan;
    publication->arena = arena_new();
    if (info->out != NULL)
        rc = csv_check_folder(info->out, err);
    if (rc == 0 && info->conninfo != NULL)
        rc = open_database(publication, info->conninfo, err);
    else if (rc == 0)
        rc = previous_read_files(&publication->previous, plan,
                                 info->out == NULL ? "" : info->out, publication->arena,
                                 err);
    if (rc == 0)
        *out = publication;
    else
        publish_close(publication);
    return rc;
}

const PreviousRun *publication_previous(const Publication *publication)
{
    return &publication->previous;
}

int64_t publication_run(const Publication *publication)
{
    return publication->run;
}

double publication_server_cpu(const Publication *publication)
{
    return publication->writers_cpu + db_server_cpu(publication->db);
}

void publish_close(Publication *publication)
{
    if (publication == NULL)
        return;
    db_close(publication->db);
    arena_free(publication->arena);
    free(publication);
}

/* ---- publish ------------------------------------------------------------- */

/* Stages every output before the first of them is committed. */
static int write_outputs(const Made *made, Err *err)
{
    const OutputKind *kinds[MOST_OUTPUTS];
    void *own[MOST_OUTPUTS] = {NULL, NULL};
    int n = 0, rc = 0;

    if (made->db != NULL)
        kinds[n++] = &output_table;
    if (made->info->out != NULL)
        kinds[n++] = &output_csv;
    for (int i = 0; rc == 0 && i < n; i++)
        rc = kinds[i]->stage(&own[i], made, err);
    for (int i = 0; rc == 0 && i < n; i++)
        rc = kinds[i]->commit(own[i], made, err);
    for (int i = 0; i < n; i++)
        kinds[i]->drop(own[i]);
    if (rc != 0 && err->kind != ERR_LOCKED)
        err->kind = ERR_PUBLISH;
    return rc;
}

int publish_all(Publication *publication, const Results *results, const RunInfo *info,
                Err *err)
{
    Counts counts = {0};
    GateResults gates = {0};
    PublicCounts public_counts = {0};
    Made made = {.plan = publication->plan,
                 .results = results,
                 .info = info,
                 .counts = &counts,
                 .public_counts = &public_counts,
                 .gates = &gates,
                 .db = publication->db,
                 .run = publication->run,
                 .writers_cpu = &publication->writers_cpu};
    int rc = -1;

    counts_build(&counts, results);
    if (reconcile(&counts, results, err) != 0 ||
        gates_check(&gates, results, &counts, &publication->previous, err) != 0)
        goto done;
    public_counts_build(&public_counts, results, &counts);
    if (small_scan(&public_counts, err) != 0)
        goto done;
    rc = write_outputs(&made, err);
done:
    public_counts_free(&public_counts);
    gates_free(&gates);
    counts_free(&counts);
    return rc;
}

/* ---- without a run -------------------------------------------------------- */

int publish_init(const char *conninfo, bool with_visibility_map, Err *err)
{
    static const char *const SCRIPTS[] = {"00_roles", "20_results", "30_publish",
                                          "40_read", "50_diff"};
    Arena *arena = arena_new();
    Db *db = NULL;
    int rc = -1;

    if (db_open(&db, conninfo, "init", err) != 0 || take_lock(db, arena, err) != 0 ||
        db_begin(db, err) != 0)
        goto done;
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++)
        if (db_run_script(db, SCRIPTS[i], err) != 0)
            goto done;
    if (with_visibility_map && db_run_script(db, "60_visibility_map", err) != 0)
        goto done;
    rc = db_commit(db, err);
done:
    db_close(db);
    arena_free(arena);
    return rc;
}

int publish_switch(const char *conninfo, int64_t run, Err *err)
{
    Arena *arena = arena_new();
    Db *db = NULL;
    int rc = -1;

    if (results_session(&db, conninfo, "publish", err) == 0 &&
        results_installed(db, err) == 0 &&
        db_exec(db, arena_format(arena, "select stratify.publish(%" PRId64 ")", run),
                err) == 0)
        rc = 0;
    if (rc != 0)
        results_blame_run(err);
    db_close(db);
    arena_free(arena);
    return rc;
}
