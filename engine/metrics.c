#include "engine/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"

static void head(FILE *file, const char *name, const char *help)
{
    fprintf(file, "# HELP stratify_%s %s\n# TYPE stratify_%s gauge\n", name, help, name);
}

/* Text between quotes, as the format wants it. */
static void label(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        fputc(*text == '\n' ? ' ' : *text, file);
    }
}

static void write_stages(FILE *file, const Stopwatch *watch)
{
    head(file, "stage_seconds", "Seconds by the clock of each stage of the last run.");
    for (int i = 0; i < watch->n; i++)
        fprintf(file, "stratify_stage_seconds{stage=\"%s\"} %.6f\n",
                watch->stages[i].stage, watch->stages[i].wall);
    head(file, "stage_cpu_seconds",
         "Seconds of processor time of each stage of the last run, by program and "
         "server.");
    for (int i = 0; i < watch->n; i++) {
        const StageTime *stage = &watch->stages[i];

        fprintf(file, "stratify_stage_cpu_seconds{stage=\"%s\",of=\"program\"} %.6f\n",
                stage->stage, stage->cpu);
        if (!isnan(stage->server_cpu))
            fprintf(file, "stratify_stage_cpu_seconds{stage=\"%s\",of=\"server\"} %.6f\n",
                    stage->stage, stage->server_cpu);
    }
    head(file, "peak_memory_bytes", "Largest resident memory of the last run.");
    fprintf(file, "stratify_peak_memory_bytes %llu\n",
            (unsigned long long)(watch->n ? watch->stages[watch->n - 1].peak_bytes : 0));
}

static void write_sources(FILE *file, const Plan *plan, const Store *store)
{
    head(file, "source_rows", "Rows of each source by what became of them.");
    for (int i = 0; i < plan->n_sources; i++)
        for (int fate = 0; fate < N_ROW_FATES; fate++)
            if (store->counts[i].fate[fate])
                fprintf(file, "stratify_source_rows{source=\"%s\",fate=\"%s\"} %llu\n",
                        plan->sources[i].name, row_fate_word[fate],
                        (unsigned long long)store->counts[i].fate[fate]);
}

static void write_people(FILE *file, const Plan *plan, const Store *store)
{
    head(file, "people", "People in the last run.");
    fprintf(file, "stratify_people %u\n", store->n_people);
    head(file, "excluded_people", "People not in the last run, by reason.");
    for (int i = EXCLUDED_NOT + 1; i < store->n_exclusions; i++) {
        fputs("stratify_excluded_people{reason=\"", file);
        label(file, exclusion_text(plan, i));
        fprintf(file, "\"} %llu\n", (unsigned long long)store->excluded[i]);
    }
}

static void write_input(FILE *file, const Model *model, int input, const char *how,
                        uint64_t people)
{
    fprintf(file, "stratify_replaced_inputs{model=\"%s\",input=\"", model->id);
    label(file, model->replaceable[input].label);
    fprintf(file, "\",how=\"%s\"} %llu\n", how, (unsigned long long)people);
}

static void write_inputs(FILE *file, const Plan *plan, const Scores *scores)
{
    head(file, "replaced_inputs",
         "People with a score whose input was clamped or imputed, by model and input.");
    for (int m = 0; m < plan->n_models; m++)
        for (int i = 0; i < plan->models[m].n_replaceable; i++) {
            const InputCount *count = &scores->replaced[m][i];

            write_input(file, &plan->models[m], i, "clamped_below", count->below);
            write_input(file, &plan->models[m], i, "clamped_above", count->above);
            write_input(file, &plan->models[m], i, "imputed", count->imputed);
        }
}

/* When the last published run ended, by the file that is there; 0 = it says nothing. */
static long long read_last_success(const char *path)
{
    FILE *file = fopen(path, "r");
    long long at = 0;
    char line[1024];

    if (file == NULL)
        return 0;
    while (at == 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "stratify_last_success_timestamp_seconds %lld", &at);
    fclose(file);
    return at;
}

static void write_all(FILE *file, const Measured *run, const char *before)
{
    long long now = time(NULL);
    bool is_published = run->is_success && !run->is_shadow;
    long long last_success = is_published ? now : read_last_success(before);

    head(file, "last_run_timestamp_seconds", "When the last run ended.");
    fprintf(file, "stratify_last_run_timestamp_seconds %lld\n", now);
    head(file, "last_run_success",
         "1 if the last run was published, or kept beside the current one.");
    fprintf(file, "stratify_last_run_success %d\n", run->is_success);
    if (last_success > 0) {
        head(file, "last_success_timestamp_seconds",
             "When the last published run ended.");
        fprintf(file, "stratify_last_success_timestamp_seconds %lld\n", last_success);
    }
    if (!run->is_success)
        return;
    write_stages(file, run->watch);
    write_sources(file, run->plan, run->store);
    write_people(file, run->plan, run->store);
    write_inputs(file, run->plan, run->scores);
}

/* The file beside its place; free() the name. */
static char *draft_name(const char *path)
{
    size_t room = strlen(path) + 16;
    char *name = mem_alloc(room, 1, "name of the metrics file");

    snprintf(name, room, "%s.draft", path);
    return name;
}

int metrics_check(const char *path, Err *err)
{
    char *draft = draft_name(path);
    FILE *file = fopen(draft, "w");
    struct stat about;
    int rc = 0;

    if (file == NULL)
        rc = err_add(err, ERR_USAGE, (Where){path, 0, 0}, "could not write metrics: %s",
                     strerror(errno));
    else if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        rc = err_add(err, ERR_USAGE, (Where){path, 0, 0},
                     "metrics go to a file, and "
                     "this is a folder");
    if (file != NULL) {
        fclose(file);
        unlink(draft);
    }
    free(draft);
    return rc;
}

void metrics_write(const char *path, const Measured *run)
{
    char *draft = draft_name(path);
    FILE *file = fopen(draft, "w");
    bool is_written = file != NULL;

    if (file != NULL) {
        write_all(file, run, path);
        is_written = fclose(file) == 0 && rename(draft, path) == 0;
    }
    if (!is_written) {
        log_line(LOG_WARN,
                 "stage=metrics file=\"%s\" notice=\"could not be written: %s\"", path,
                 strerror(errno));
        unlink(draft);
    }
    free(draft);
}
