/*
 * load_check.c - what can be said of a load beforehand: whether it can be done, and what
 * it will ask for; see load.h.
 */
#include <stdio.h>

#include "engine/base/log.h"
#include "loaders/extract.h"
#include "loaders/load.h"
#include "loaders/memory.h"

/* What a text must be for its row not to be rejected; NULL = anything, or the config says
 * how it is written. */
static const char *meant_by_text(const Source *source, const Column *column)
{
    const Attribute *attribute;

    switch (column->field) {
    case FIELD_DATE:
    case FIELD_END:
    case FIELD_BIRTH:
    case FIELD_DEATH:
    case FIELD_START:
        return source->date_format == NULL ? "dates" : NULL;
    case FIELD_VALUE:
        return "numbers";
    case FIELD_ATTRIBUTE:
        attribute = &source->attributes[column->index];
        return attribute->type == RULE_NUMBER && attribute->n_values == 0 ? "numbers"
                                                                          : NULL;
    default:
        return NULL;
    }
}

/* Feeds do write numbers as text, so this is no fault; but it may be the wrong column. */
static void warn_of_text(Err *warnings, const Access *access)
{
    const Source *source = access->source;

    for (int c = 0; c < source->n_columns; c++) {
        const Column *column = &source->columns[c];
        const char *meant = meant_by_text(source, column);

        if (access->type[c] == CELL_TEXT && meant != NULL)
            err_add(warnings, ERR_DATA, column->where,
                    "column \"%s\" is text: rows are rejected where it does not hold %s",
                    column->name, meant);
    }
}

int load_check(const Plan *plan, const LoadOptions *options, Err *err)
{
    SourcesOptions how = {
        .conninfo = options->conninfo, .n_workers = 1, .is_described = true};
    Sources sources;
    Err warnings = {0};
    int rc = sources_open(&sources, plan, &how, err);

    for (int s = 0; rc == 0 && s < plan->n_sources; s++)
        if (sources.access[s].reader->needs_database)
            warn_of_text(&warnings, &sources.access[s]);
    if (warnings.n_reports > 0)
        log_reports(LOG_WARN, warnings.text, 0);
    sources_free(&sources);
    return rc;
}

static void describe_source(FILE *file, const Access *access)
{
    const Plan *plan = access->plan;
    const Source *source = access->source;

    fprintf(file, "%s (%s), about %.0f rows\n    %s\n", source->name,
            access->reader == &extract_reader ? "extract" : source->kind->name,
            access->rows, access->reader->describe(access));
    for (int f = 0; f < plan->n_features && source->role == ROLE_EVENTS; f++)
        if (plan->features[f].source == source->number)
            fprintf(file, "    %s: %s\n", plan->features[f].id,
                    plan->features[f].window_text);
}

static void describe_memory(FILE *file, const Sources *sources)
{
    const Plan *plan = sources->plan;
    double n_people = sources->access[plan->people - plan->sources].rows;
    uint64_t bytes = memory_expected(sources, (uint64_t)n_people);
    char needed[MEMORY_TEXT], most[MEMORY_TEXT];

    memory_format(needed, bytes);
    memory_format(most, plan->memory_bytes);
    fprintf(file, "memory for people and events: about %s\n", needed);
    if (plan->memory_bytes > 0 && bytes > plan->memory_bytes)
        fprintf(file, "a run would be refused: \"memory\" is %s\n", most);
}

int load_describe(const Plan *plan, const LoadOptions *options, void *file, Err *err)
{
    SourcesOptions how = {
        .conninfo = options->conninfo, .n_workers = 1, .is_described = true};
    Extract *extract = NULL;
    Sources sources = {0};
    int rc = 0;

    if (options->extract != NULL)
        rc = extract_open(&extract, options->extract, err);
    how.extract = extract;
    if (rc == 0)
        rc = sources_open(&sources, plan, &how, err);
    for (int s = 0; s < plan->n_sources && rc == 0; s++)
        describe_source(file, &sources.access[s]);
    if (rc == 0)
        describe_memory(file, &sources);
    sources_free(&sources);
    extract_close(extract);
    return rc;
}
