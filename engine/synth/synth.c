/*
 * synth.c - the order of the work: facts, people in blocks, rows to the server, indexes.
 *
 * Blocks of people are made in parallel and kept as small numbers (about 1.3 GB for
 * 500,000 people); then jobs, each some weeks of one table, are written in parallel. An
 * index owns what it writes, so nothing depends on the number of threads.
 */
#include "engine/synth/synth.h"

#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/log.h"
#include "engine/db/scripts.h"
#include "engine/synth/write.h"

enum { BLOCK_PEOPLE = 1000, MOST_STATEMENTS = 64 };

/* Every core has a session already, so none of them needs helpers. */
static const char SESSION[] = "set maintenance_work_mem = '512MB';"
                              "set max_parallel_maintenance_workers = 0;"
                              "set synchronous_commit = off";

typedef struct Block {
    Rows rows[N_TABLES];
    uint64_t count[N_COUNTS];
    uint64_t dirt[N_DIRTS][N_TABLES];
} Block;

typedef struct Synth {
    const SynthOptions *options;
    World world;
    Stripes stripes;
    Block *blocks; /* the last one holds what is not about people */
    Rows **rows;   /* of each block */
    int n_blocks, n_workers;
    Block total;
} Synth;

/* ---- people ------------------------------------------------------------ */

static void block_make(Block *block, const World *world, uint32_t from, uint32_t to,
                       Stripes stripes)
{
    Maker maker = {.world = world, .rows = block->rows};

    for (uint32_t number = from; number < to; number++) {
        uint32_t before[N_TABLES];

        for (int t = 0; t < N_TABLES; t++)
            before[t] = block->rows[t].n;
        person_make(&maker, number);
        gp_make(&maker);
        medicine_make(&maker);
        hospital_make(&maker);
        care_make(&maker);
        person_count(&maker);
        dirt_person(&maker, before);
    }
    for (int t = 0; t < N_TABLES; t++)
        rows_sort(&block->rows[t], (Table)t, stripes);
    memcpy(block->count, maker.count, sizeof block->count);
    memcpy(block->dirt, maker.dirt, sizeof block->dirt);
}

static void people_make(Synth *synth)
{
    const World *world = &synth->world;
    int n_blocks = synth->n_blocks - 1;
    uint64_t done = 0;

#pragma omp parallel for schedule(dynamic, 1) num_threads(synth->n_workers)
    for (int b = 0; b < n_blocks; b++) {
        uint32_t from = (uint32_t)b * BLOCK_PEOPLE, to = from + BLOCK_PEOPLE;
        uint64_t now;

        if (to > world->people)
            to = world->people;
        block_make(&synth->blocks[b], world, from, to, synth->stripes);
#pragma omp atomic capture
        now = done += to - from;
        log_progress("synth", now, world->people, "people");
    }
    log_progress_end();
}

static void totals_add(Synth *synth)
{
    for (int b = 0; b < synth->n_blocks - 1; b++) {
        const Block *block = &synth->blocks[b];

        for (int c = 0; c < N_COUNTS; c++)
            synth->total.count[c] += block->count[c];
        for (int d = 0; d < N_DIRTS; d++)
            for (int t = 0; t < N_TABLES; t++)
                synth->total.dirt[d][t] += block->dirt[d][t];
    }
    for (int d = 0; d < N_DIRTS; d++)
        synth->total.dirt[d][TABLE_PRACTICE] += synth->world.practice_dirt[d];
}

/* Practices, and how many faults there are. */
static void rest_make(Synth *synth)
{
    const World *world = &synth->world;
    Block *block = &synth->blocks[synth->n_blocks - 1];
    Maker maker = {.world = world, .rows = block->rows};

    for (int p = 0; p < world->n_practices; p++) {
        const Practice *practice = &world->practices[p];
        int32_t *row = row_add(&maker, TABLE_PRACTICE, DAY_UNKNOWN);

        row[0] = practice->code;
        row[1] = practice->name;
        row[2] = practice->pcn;
        row[3] = practice->pcn_name;
        row[4] = practice->locality;
        row[5] = practice->place;
        row[6] = practice->icb;
    }
    for (int d = 0; d < N_DIRTS; d++)
        for (int t = 0; t < N_TABLES; t++) {
            int32_t *row;

            if (synth->total.dirt[d][t] == 0)
                continue;
            row = row_add(&maker, TABLE_DIRT, DAY_UNKNOWN);
            row[0] = world->dirt_word[d];
            row[1] = world->table_word[t];
            row[2] = (int32_t)synth->total.dirt[d][t];
        }
    for (int t = 0; t < N_TABLES; t++)
        rows_sort(&block->rows[t], (Table)t, synth->stripes);
}

/* ---- the server -------------------------------------------------------- */

/* Empty tables, or a refusal: rows that are there are never mixed with made-up ones. */
static int server_prepare(const Synth *synth, Err *err)
{
    Db *db = NULL;
    PGresult *result = NULL;
    bool is_filled = false;
    int rc = -1;

    if (db_open(&db, synth->options->conninfo, "synth", err) != 0)
        return -1;
    result = db_query(db, "select to_regclass('sid.person') is not null", 0, NULL, err);
    if (result == NULL)
        goto done;
    is_filled = PQgetvalue(result, 0, 0)[0] == 't';
    if (is_filled && !synth->options->replace) {
        err_add(err, ERR_USAGE, (Where){"database", 0, 0}, "schema sid is there already");
        err_hint(err, "--replace drops its tables and fills them anew");
        goto done;
    }
    for (int t = 0; t < N_TABLES && is_filled; t++) {
        char sql[128];

        snprintf(sql, sizeof sql, "drop table if exists sid.%s", table_name((Table)t));
        if (db_exec(db, sql, err) != 0)
            goto done;
    }
    rc = db_run_script(db, "10_source", err);
done:
    PQclear(result);
    db_close(db);
    return rc;
}

/* The statements of a script, cut in place at the line ends that end one. */
static int statements_of(char **statement, char *script)
{
    int n = 0;

    while (*script != '\0' && n < MOST_STATEMENTS) {
        char *end = strstr(script, ";\n");

        statement[n++] = script;
        if (end == NULL)
            break;
        end[0] = '\0';
        script = end + 2;
    }
    return n;
}

typedef struct Work {
    const Synth *synth;
    Made made;
    const Job *jobs;
    char **statements;
    int n;
} Work;

static int work_do(const Work *work, int i, Db *db, Err *err)
{
    if (work->statements != NULL)
        return db_exec(db, work->statements[i], err);
    return job_write(&work->jobs[i], &work->made, db, work->synth->options->out, err);
}

/* Every worker has a session of its own; the first fault ends the work. */
static int work_all(const Work *work, const char *stage, Err *err)
{
    const SynthOptions *options = work->synth->options;
    Err *one = mem_alloc((size_t)work->n + 1, sizeof *one, "reports");
    double start = log_clock();
    int failed = 0, done = 0, rc;

#pragma omp parallel num_threads(work->synth->n_workers)
    {
        Db *db = NULL;
        Err open_err = {0};
        bool open = options->conninfo == NULL ||
                    (db_open(&db, options->conninfo, "synth", &open_err) == 0 &&
                     db_exec(db, SESSION, &open_err) == 0);

#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < work->n; i++) {
            int stop, now;

#pragma omp atomic read
            stop = failed;
            if (stop)
                continue;
            if (!open)
                one[i] = open_err;
            if (!open || work_do(work, i, db, &one[i]) != 0) {
#pragma omp atomic write
                failed = 1;
            }
#pragma omp atomic capture
            now = ++done;
            log_progress(stage, (uint64_t)now, (uint64_t)work->n, "jobs");
        }
        db_close(db);
    }
    log_progress_end();
    log_line(LOG_INFO, "stage=synth_%s jobs=%d seconds=%.1f", stage, work->n,
             log_clock() - start);
    rc = err_join(err, one, work->n);
    free(one);
    return rc;
}

/* Keys and indexes come after the rows: built whole, which is several times faster. */
static int server_finish(const Synth *synth, Err *err)
{
    char *statement[MOST_STATEMENTS], vacuum[N_TABLES][96], *script;
    size_t len;
    const char *text = db_script("11_source_indexes", &len);
    Work work = {.synth = synth, .statements = statement};
    int rc;

    for (int t = 0; t < N_TABLES; t++) {
        snprintf(vacuum[t], sizeof vacuum[t], "vacuum (analyze) sid.%s",
                 table_name((Table)t));
        statement[t] = vacuum[t];
    }
    work.n = N_TABLES;
    if (work_all(&work, "vacuum", err) != 0)
        return -1;
    script = mem_alloc(len + 1, 1, "script");
    memcpy(script, text, len);
    work.n = statements_of(statement, script);
    rc = work_all(&work, "index", err);
    free(script);
    return rc;
}

static int rows_write(const Synth *synth, Err *err)
{
    Work work = {.synth = synth, .made = {&synth->world, synth->rows, synth->n_blocks}};
    uint64_t n_rows = 0;
    Job *jobs = jobs_plan(&work.n, &work.made, synth->stripes);
    int rc;

    for (int j = 0; j < work.n; j++)
        n_rows += jobs[j].n_rows;
    log_line(LOG_INFO, "stage=synth_plan rows=%llu jobs=%d", (unsigned long long)n_rows,
             work.n);
    work.jobs = jobs;
    rc = work_all(&work, "write", err);
    free(jobs);
    return rc;
}

/* ---- what came of it --------------------------------------------------- */

static double ratio(const uint64_t *count, Count above, Count below)
{
    return count[below] == 0 ? 0 : (double)count[above] / (double)count[below];
}

static double measured(const Synth *synth, const char *measure)
{
    const uint64_t *c = synth->total.count;
    const Settings *settings = &synth->world.settings;
    const struct {
        const char *name;
        double value;
    } all[] = {
        {"efi_fit", ratio(c, COUNT_FIT, COUNT_ALIVE_65)},
        {"efi_mild", ratio(c, COUNT_MILD, COUNT_ALIVE_65)},
        {"efi_moderate", ratio(c, COUNT_MODERATE, COUNT_ALIVE_65)},
        {"efi_severe", ratio(c, COUNT_SEVERE, COUNT_ALIVE_65)},
        {"multimorbid", ratio(c, COUNT_MULTIMORBID, COUNT_ALIVE)},
        {"multimorbid_75", ratio(c, COUNT_MULTIMORBID_75, COUNT_ALIVE_75)},
        {"emergency_0_19", ratio(c, COUNT_EMERGENCY_0, COUNT_YEARS_0) * 365},
        {"emergency_20_37", ratio(c, COUNT_EMERGENCY_20, COUNT_YEARS_20) * 365},
        {"emergency_38_52", ratio(c, COUNT_EMERGENCY_38, COUNT_YEARS_38) * 365},
        {"emergency_53_66", ratio(c, COUNT_EMERGENCY_53, COUNT_YEARS_53) * 365},
        {"emergency_67_110", ratio(c, COUNT_EMERGENCY_67, COUNT_YEARS_67) * 365},
        {"ae", ratio(c, COUNT_AE, COUNT_PEOPLE)},
        {"deaths", ratio(c, COUNT_DEATHS, COUNT_PEOPLE)},
        {"gp_events", ratio(c, COUNT_GP, COUNT_PEOPLE)},
        {"gp_listed", ratio(c, COUNT_GP_LISTED, COUNT_GP)},
        {"items", ratio(c, COUNT_ITEMS, COUNT_PEOPLE) / settings->prescription_years},
        {"diagnoses", ratio(c, COUNT_DIAGNOSES, COUNT_EPISODES)},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, measure) == 0)
            return all[i].value;
    return 0;
}

static void results_log(const Synth *synth)
{
    const World *world = &synth->world;

    for (int i = 0; i < world->n_targets; i++) {
        const Target *target = &world->targets[i];
        double value = measured(synth, target->measure);
        double away = value - target->target;

        log_line(LOG_INFO, "stage=synth_check measure=%s value=%.4g target=%.4g near=%s",
                 target->measure, value, target->target,
                 away <= target->tolerance && -away <= target->tolerance ? "yes" : "no");
    }
    for (int d = 0; d < N_DIRTS; d++) {
        uint64_t n = 0;

        for (int t = 0; t < N_TABLES; t++)
            n += synth->total.dirt[d][t];
        log_line(LOG_INFO, "stage=synth_dirt dirt=%s rows=%llu", synth_dirt_name((Dirt)d),
                 (unsigned long long)n);
    }
}

/* ---- the whole --------------------------------------------------------- */

static int folder_make(const char *out, Err *err)
{
    if (out == NULL || mkdir(out, 0777) == 0 || errno == EEXIST)
        return 0;
    return err_add(err, ERR_USAGE, (Where){"--out", 0, 0},
                   "could not make the folder: %s", strerror(errno));
}

static void blocks_build(Synth *synth)
{
    const World *world = &synth->world;

    synth->n_blocks = (int)((world->people + BLOCK_PEOPLE - 1) / BLOCK_PEOPLE) + 1;
    synth->blocks =
        mem_alloc((size_t)synth->n_blocks, sizeof *synth->blocks, "blocks of people");
    synth->rows = mem_alloc((size_t)synth->n_blocks, sizeof *synth->rows, "blocks");
    for (int b = 0; b < synth->n_blocks; b++)
        synth->rows[b] = synth->blocks[b].rows;
    synth->stripes = stripes_of(world);
    people_make(synth);
    totals_add(synth);
    rest_make(synth);
}

static void synth_free(Synth *synth)
{
    for (int b = 0; b < synth->n_blocks; b++)
        for (int t = 0; t < N_TABLES; t++)
            rows_free(&synth->blocks[b].rows[t]);
    free(synth->blocks);
    free(synth->rows);
    world_free(&synth->world);
}

int synth_run(const SynthOptions *options, Err *err)
{
    Synth synth = {.options = options};
    const char *tables[N_TABLES];
    double start = log_clock();
    int rc = -1;

    for (int t = 0; t < N_TABLES; t++)
        tables[t] = table_name((Table)t);
    if (options->people < SYNTH_LEAST_PEOPLE || options->people > SYNTH_MOST_PEOPLE)
        return err_add(err, ERR_USAGE, (Where){"--people", 0, 0}, "not within %d to %d",
                       SYNTH_LEAST_PEOPLE, SYNTH_MOST_PEOPLE);
    synth.n_workers =
        options->connections > 0 ? options->connections : omp_get_max_threads();
    if (world_build(&synth.world, options, tables, N_TABLES, err) != 0 ||
        folder_make(options->out, err) != 0)
        goto done;
    if (options->conninfo != NULL && server_prepare(&synth, err) != 0)
        goto done;
    blocks_build(&synth);
    log_line(LOG_INFO, "stage=synth_make people=%u seconds=%.1f", options->people,
             log_clock() - start);
    if (rows_write(&synth, err) != 0)
        goto done;
    if (options->conninfo != NULL && server_finish(&synth, err) != 0)
        goto done;
    results_log(&synth);
    log_line(LOG_INFO, "stage=synth people=%u seconds=%.1f peak_mib=%zu", options->people,
             log_clock() - start, mem_peak_bytes() >> 20);
    rc = 0;
done:
    synth_free(&synth);
    return rc;
}
