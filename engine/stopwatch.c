#include "engine/stopwatch.h"

#include <libsmartcols/libsmartcols.h>
#include <math.h>

#include "engine/base/log.h"
#include "engine/base/mem.h"

void stopwatch_start(Stopwatch *watch)
{
    *watch = (Stopwatch){.wall = log_clock(), .cpu = log_cpu()};
}

void stopwatch_lap(Stopwatch *watch, const char *stage, uint64_t rows, uint64_t bytes,
                   double server_cpu)
{
    const double MIB = 1048576;
    double wall = log_clock(), cpu = log_cpu(), seconds = wall - watch->wall;
    StageTime time = {stage, seconds,          cpu - watch->cpu, rows,
                      bytes, mem_peak_bytes(), server_cpu};
    char server[48] = "";

    if (!isnan(server_cpu))
        snprintf(server, sizeof server, " server_cpu_ms=%.0f", 1e3 * server_cpu);
    log_progress_end();
    log_line(LOG_INFO,
             "stage=%s ms=%.0f cpu_ms=%.0f%s rows=%llu rows_per_s=%.0f bytes=%llu "
             "mib_per_s=%.1f peak_mib=%.0f",
             stage, 1e3 * time.wall, 1e3 * time.cpu, server, (unsigned long long)rows,
             seconds > 0 ? (double)rows / seconds : 0.0, (unsigned long long)bytes,
             seconds > 0 ? (double)bytes / MIB / seconds : 0.0,
             (double)time.peak_bytes / MIB);
    if (watch->n < MOST_STAGES)
        watch->stages[watch->n++] = time;
    watch->wall = wall;
    watch->cpu = cpu;
}

/* ---- on a terminal ------------------------------------------------------- */

enum { STAGE, SECONDS, CPU, SERVER, ROWS, RATE, MEMORY, N_COLUMNS };

static void set_number(struct libscols_line *line, int column, const char *format,
                       double value)
{
    char text[48];

    snprintf(text, sizeof text, format, value);
    scols_line_set_data(line, (size_t)column, value > 0 ? text : "");
}

static void add_stage(struct libscols_table *table, const StageTime *stage)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    double rows = (double)stage->rows;

    scols_line_set_data(line, STAGE, stage->stage);
    set_number(line, SECONDS, "%.2f", stage->wall);
    set_number(line, CPU, "%.2f", stage->cpu);
    set_number(line, SERVER, "%.2f", stage->server_cpu);
    set_number(line, ROWS, "%.0f", rows);
    set_number(line, RATE, "%.0f", stage->wall > 0 ? rows / stage->wall : 0);
    set_number(line, MEMORY, "%.0f", (double)stage->peak_bytes / (1024 * 1024));
}

void stopwatch_print(const Stopwatch *watch, FILE *file)
{
    static const char *const HEADING[N_COLUMNS] = {
        "STAGE", "SECONDS", "CPU", "SERVER CPU", "ROWS", "ROWS/S", "PEAK MIB"};
    struct libscols_table *table = scols_new_table();

    scols_table_set_stream(table, file);
    scols_table_set_termwidth(table, 80);
    for (int c = 0; c < N_COLUMNS; c++)
        scols_table_new_column(table, HEADING[c], 0, c == STAGE ? 0 : SCOLS_FL_RIGHT);
    for (int i = 0; i < watch->n; i++)
        add_stage(table, &watch->stages[i]);
    scols_print_table(table);
    scols_unref_table(table);
}
