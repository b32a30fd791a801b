/*
 * diff.c - see diff.h. The comparing is done by sql/50_diff.sql; here it is printed.
 */
#include "engine/publish/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/text.h"
#include "engine/publish/kinds.h"
#include "engine/publish/show.h"

/* What the queries are asked with. */
enum { BEFORE, AFTER, SUMMARY, N_WORDS };

/* One table: what it shows, and how. */
typedef struct Part {
    const char *title, *none; /* none: said where there are no rows */
    const char *sql;
    int first, n_params; /* of the words above */
    const Show *show;
} Part;

static const Show RUNS_SHOW[] = {{"RUN", 5, SCOLS_FL_RIGHT},
                                 {"STATE", 9, 0},
                                 {"AS OF", 10, 0},
                                 {"CONFIG", 12, 0},
                                 {"PEOPLE", 8, SCOLS_FL_RIGHT},
                                 {"IN BOTH", 8, SCOLS_FL_RIGHT}};
static const Show MODELS_SHOW[] = {{"MODEL", 24, 0},
                                   {"VERSION", 16, 0},
                                   {"PEOPLE", 8, SCOLS_FL_RIGHT},
                                   {"SCORE", 8, SCOLS_FL_RIGHT},
                                   {"BAND", 8, SCOLS_FL_RIGHT},
                                   {"UP", 6, SCOLS_FL_RIGHT},
                                   {"DOWN", 6, SCOLS_FL_RIGHT},
                                   {"RANK", 8, SCOLS_FL_RIGHT},
                                   {"MEDIAN", 8, SCOLS_FL_RIGHT},
                                   {"LARGEST", 8, SCOLS_FL_RIGHT}};
static const Show BANDS_SHOW[] = {{"MODEL", 24, 0},
                                  {"FROM", 28, SCOLS_FL_TRUNC},
                                  {"TO", 28, SCOLS_FL_TRUNC},
                                  {"PEOPLE", 8, SCOLS_FL_RIGHT}};
static const Show LISTS_SHOW[] = {{"COHORT", 24, 0},
                                  {"GROUP", 8, 0},
                                  {"NAME", 28, SCOLS_FL_TRUNC},
                                  {"STAY", 6, SCOLS_FL_RIGHT},
                                  {"JOIN", 6, SCOLS_FL_RIGHT},
                                  {"LEAVE", 6, SCOLS_FL_RIGHT},
                                  {"BY MODEL", 24, SCOLS_FL_TRUNC}};

static const Part PARTS[] = {
    {NULL, "", "select * from stratify.diff_runs($1, $2, $3)", BEFORE, 3, RUNS_SHOW},
    {"People of whom a model says something else, and how far ranks among everyone move",
     "No models.", "select * from stratify.diff_models($1, $2, $3)", BEFORE, 3,
     MODELS_SHOW},
    {"From which band to which", "Every band is as it was.",
     "select * from stratify.diff_bands($1)", SUMMARY, 1, BANDS_SHOW},
    {"Lists that change", "Every list is as it was.",
     "select * from stratify.diff_lists($1, $2) where joins + leaves > 0", BEFORE, 2,
     LISTS_SHOW},
};

static int print_parts(FILE *file, Db *db, const char *const words[N_WORDS], Err *err)
{
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        const Part *part = &PARTS[i];
        Query query = {part->sql, words + part->first, part->n_params, NULL};
        int n;

        if (part->title != NULL)
            fprintf(file, "\n%s\n", part->title);
        n = show_query(file, db, query, part->show, err);
        if (n < 0)
            return -1;
        if (n == 0)
            fprintf(file, "%s\n", part->none);
    }
    return 0;
}

/* The people are gone through once, before the first table is printed. */
static int print_all(FILE *file, Db *db, const char *const runs[2], Err *err)
{
    PGresult *summary =
        db_query(db, "select stratify.diff_summary($1, $2)", 2, runs, err);
    int rc;

    if (summary == NULL)
        return -1;
    rc = print_parts(file, db,
                     (const char *[]){runs[0], runs[1], PQgetvalue(summary, 0, 0)}, err);
    PQclear(summary);
    return rc;
}

/* ---- the file -------------------------------------------------------------- */

static int fail(const char *out, Err *err)
{
    return err_add(err, ERR_PUBLISH, (Where){out, 0, 0}, "could not write: %s",
                   strerror(errno));
}

/* The server writes the lines; all of them are asked for before the file is closed. */
static int copy_lines(gzFile file, Db *db, const char *out, Err *err)
{
    PGresult *result;
    char *line;
    int len, rc = 0;

    while ((len = PQgetCopyData(db_conn(db), &line, 0)) > 0) {
        if (rc == 0 && gzwrite(file, line, (unsigned)len) != len)
            rc = fail(out, err);
        PQfreemem(line);
    }
    while ((result = PQgetResult(db_conn(db))) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && rc == 0)
            rc = db_fail(db, result, db_where, "read the differences", err);
        PQclear(result);
    }
    return rc;
}

static int start_lines(Db *db, const char *const runs[2], Err *err)
{
    Arena *arena = arena_new();
    PGresult *result =
        PQexec(db_conn(db),
               arena_format(arena,
                            "copy (select * from stratify.diff_people(%s, %s)) to stdout "
                            "(format csv, header)",
                            runs[0], runs[1]));
    int rc = 0;

    if (PQresultStatus(result) != PGRES_COPY_OUT)
        rc = db_fail(db, result, db_where, "read the differences", err);
    PQclear(result);
    arena_free(arena);
    return rc;
}

/* Rows about people: nobody but the owner may read the file. */
static int write_people(const char *out, Db *db, const char *const runs[2], Err *err)
{
    int rc, handle = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    gzFile file = handle < 0 ? NULL : gzdopen(handle, "wb4");

    if (file == NULL)
        return fail(out, err);
    rc = start_lines(db, runs, err);
    if (rc == 0)
        rc = copy_lines(file, db, out, err);
    if (gzclose(file) != Z_OK && rc == 0)
        rc = fail(out, err);
    if (rc != 0)
        unlink(out);
    return rc;
}

/* ---- both ------------------------------------------------------------------ */

static int check_numbers(const char *const runs[2], Err *err)
{
    int64_t number;

    for (int i = 0; i < 2; i++)
        if (!text_int64(&number, runs[i], strlen(runs[i])))
            return err_add(err, ERR_USAGE, (Where){0},
                           "diff takes the numbers of two runs, not \"%s\"; see "
                           "`stratify runs`",
                           runs[i]);
    return 0;
}

int diff_runs(FILE *file, const char *conninfo, const char *const runs[2],
              const char *out, Err *err)
{
    Db *db = NULL;
    int rc = -1;

    if (check_numbers(runs, err) != 0 || db_open(&db, conninfo, "diff", err) != 0)
        return -1;
    /* A few large joins: compiling them costs more than it saves. */
    if (results_installed(db, err) == 0 &&
        db_exec(db, "set jit = off; set work_mem = '256MB'", err) == 0 &&
        print_all(file, db, runs, err) == 0 &&
        (out == NULL || write_people(out, db, runs, err) == 0))
        rc = 0;
    if (rc != 0)
        results_blame_run(err);
    db_close(db);
    return rc;
}
