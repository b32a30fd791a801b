/*
 * rows.c - rows in memory, and their order on the way out.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/synth/write.h"

enum { STRIPE_DAYS = 30, JOB_LEAST = 20000, JOBS_OF_TABLE = 64 };

int32_t *row_add(Maker *maker, Table table, int32_t day)
{
    Rows *rows = &maker->rows[table];
    size_t width = (size_t)table_width(table);
    int32_t *row;

    if (rows->n == rows->room) {
        rows->room = 2 * rows->room + 64;
        rows->at = mem_grow(rows->at, rows->room, width * sizeof *rows->at, "made rows");
    }
    row = rows->at + rows->n++ * width;
    row[ROW_PERSON] = (int32_t)maker->person.number;
    row[ROW_DAY] = day;
    return row + ROW_FIELD;
}

Stripes stripes_of(const World *world)
{
    Stripes stripes = {day_minus_months(world->as_of, 12 * (int)world->settings.gp_years),
                       0};

    stripes.n = 2 + (world->outcome_end - stripes.first) / STRIPE_DAYS;
    return stripes;
}

static int stripe_of(Stripes stripes, Table table, int32_t day)
{
    int stripe;

    if (!table_is_by_time(table) || day < stripes.first) /* unknown days are first */
        return 0;
    stripe = 1 + (day - stripes.first) / STRIPE_DAYS;
    return stripe < stripes.n ? stripe : stripes.n - 1;
}

/* Stable: within a stripe rows stay in the order of people. */
void rows_sort(Rows *rows, Table table, Stripes stripes)
{
    size_t width = (size_t)table_width(table);
    int32_t *to = mem_alloc(rows->n, width * sizeof *to, "made rows");
    uint32_t *next = mem_alloc((size_t)stripes.n + 1, sizeof *next, "stripes");

    rows->stripe = mem_alloc((size_t)stripes.n + 1, sizeof *rows->stripe, "stripes");
    for (uint32_t i = 0; i < rows->n; i++)
        rows->stripe[1 + stripe_of(stripes, table, rows->at[i * width + ROW_DAY])]++;
    for (int s = 0; s < stripes.n; s++)
        rows->stripe[s + 1] += rows->stripe[s];
    memcpy(next, rows->stripe, ((size_t)stripes.n + 1) * sizeof *next);
    for (uint32_t i = 0; i < rows->n; i++) {
        const int32_t *row = rows->at + i * width;
        int s = stripe_of(stripes, table, row[ROW_DAY]);

        memcpy(to + next[s]++ * width, row, width * sizeof *row);
    }
    free(next);
    free(rows->at);
    rows->at = to;
    rows->room = rows->n;
}

void rows_free(Rows *rows)
{
    free(rows->at);
    free(rows->stripe);
    *rows = (Rows){0};
}

/* ---- jobs -------------------------------------------------------------- */

static uint64_t rows_in(const Made *made, Table table, int stripe)
{
    uint64_t n = 0;

    for (int b = 0; b < made->n_blocks; b++)
        n += made->blocks[b][table].stripe[stripe + 1] -
             made->blocks[b][table].stripe[stripe];
    return n;
}

Job *jobs_plan(int *n_jobs, const Made *made, Stripes stripes)
{
    static const Table order[N_TABLES] = {
        TABLE_GP,       TABLE_PRESCRIPTION, TABLE_DIAGNOSIS,    TABLE_OUTPATIENT,
        TABLE_AE,       TABLE_COMMUNITY,    TABLE_EPISODE,      TABLE_SPELL,
        TABLE_MENTAL,   TABLE_PERSON,       TABLE_REGISTRATION, TABLE_SOCIAL,
        TABLE_PRACTICE, TABLE_OPT_OUT,      TABLE_DIRT};
    Job *jobs = mem_alloc((size_t)stripes.n * N_TABLES, sizeof *jobs, "jobs");
    int n = 0;

    for (int t = 0; t < N_TABLES; t++) {
        Job job = {order[t], 0, 0, 1, 0};
        uint64_t enough = 0;

        for (int b = 0; b < made->n_blocks; b++)
            enough += made->blocks[b][job.table].n;
        enough = enough / JOBS_OF_TABLE > JOB_LEAST ? enough / JOBS_OF_TABLE : JOB_LEAST;
        for (int s = 0; s < stripes.n; s++) {
            job.n_rows += rows_in(made, job.table, s);
            job.to = s + 1;
            if (job.n_rows < enough && s + 1 < stripes.n)
                continue;
            if (job.n_rows > 0 || job.part == 1)
                jobs[n++] = job;
            job = (Job){job.table, s + 1, 0, job.part + 1, 0};
        }
    }
    *n_jobs = n;
    return jobs;
}

/* The days of a stripe are few, so they are counted, not compared. */
static void order_by_day(const int32_t **to, const int32_t *const *from, uint64_t n)
{
    int32_t first = INT32_MAX, last = INT32_MIN;
    uint64_t *next;

    for (uint64_t i = 0; i < n; i++) {
        int32_t day = later(from[i][ROW_DAY], DAY_FIRST);

        first = earlier(first, day);
        last = later(last, day);
    }
    next = mem_alloc((size_t)(last - first) + 2, sizeof *next, "days of a stripe");
    for (uint64_t i = 0; i < n; i++)
        next[later(from[i][ROW_DAY], DAY_FIRST) - first + 1]++;
    for (int32_t d = 0; d < last - first; d++)
        next[d + 1] += next[d];
    for (uint64_t i = 0; i < n; i++)
        to[next[later(from[i][ROW_DAY], DAY_FIRST) - first]++] = from[i];
    free(next);
}

const int32_t **stripe_rows(uint64_t *n_rows, const Made *made, Table table, int stripe)
{
    size_t width = (size_t)table_width(table);
    uint64_t n = rows_in(made, table, stripe), i = 0;
    const int32_t **rows = mem_alloc(n, sizeof *rows, "rows of a stripe");
    const int32_t **ordered;

    for (int b = 0; b < made->n_blocks; b++) {
        const Rows *block = &made->blocks[b][table];

        for (uint32_t r = block->stripe[stripe]; r < block->stripe[stripe + 1]; r++)
            rows[i++] = block->at + r * width;
    }
    *n_rows = n;
    if (!table_is_by_time(table) || n == 0)
        return rows;
    ordered = mem_alloc(n, sizeof *ordered, "rows of a stripe");
    order_by_day(ordered, rows, n);
    free(rows);
    return ordered;
}
