/*
 * summary.c - what a run prints about itself on a terminal: see publish.h.
 */
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>

#include "engine/publish/publish.h"

enum { STAGE, SECONDS, CPU, ROWS, RATE, MEMORY, N_COLUMNS };

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
    set_number(line, ROWS, "%.0f", rows);
    set_number(line, RATE, "%.0f", stage->wall > 0 ? rows / stage->wall : 0);
    set_number(line, MEMORY, "%.0f", (double)stage->peak_bytes / (1024 * 1024));
}

void summary_stages(FILE *file, const StageTime *stages, int n_stages)
{
    static const char *const HEADING[N_COLUMNS] = {"STAGE", "SECONDS", "CPU",
                                                   "ROWS",  "ROWS/S",  "PEAK MIB"};
    struct libscols_table *table = scols_new_table();

    scols_table_set_stream(table, file);
    scols_table_set_termwidth(table, 80);
    for (int c = 0; c < N_COLUMNS; c++)
        scols_table_new_column(table, HEADING[c], 0, c == STAGE ? 0 : SCOLS_FL_RIGHT);
    for (int i = 0; i < n_stages; i++)
        add_stage(table, &stages[i]);
    scols_print_table(table);
    scols_unref_table(table);
}
