/*
 * memory.c - see memory.h.
 */
#include "loaders/memory.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/base/log.h"
#include "engine/store/pile.h"

/* Bytes for the events of a source. Where codes are matched as rows arrive, how many
 * stay is not known; in general practice it is about one row in six. */
static uint64_t expected_bytes(const Access *access)
{
    const Source *source = access->source;
    bool is_matched = source->needs_code && source->n_uncoded == 0;
    double each = event_loading_bytes(source) + event_stored_bytes(source);

    return (uint64_t)(access->rows * each * (is_matched ? 0.25 : 1));
}

uint64_t memory_expected(const Sources *sources, uint64_t n_people)
{
    const Plan *plan = sources->plan;
    uint64_t each =
        64 + 8 * ((uint64_t)plan->people->n_attributes + (uint64_t)plan->n_event_sources);
    uint64_t bytes = n_people * each;

    for (int s = 0; s < plan->n_sources; s++)
        if (plan->sources[s].role == ROLE_EVENTS)
            bytes += expected_bytes(&sources->access[s]);
    return bytes;
}

void memory_format(char text[MEMORY_TEXT], uint64_t bytes)
{
    static const char *const UNITS[] = {"KiB", "MiB", "GiB"};
    double amount = (double)bytes / 1024;
    int unit = 0;

    for (; unit < 2 && amount >= 1024; unit++)
        amount /= 1024;
    snprintf(text, MEMORY_TEXT, "%.1f %s", amount, UNITS[unit]);
}

int memory_check(const Sources *sources, uint64_t n_people, Err *err)
{
    uint64_t limit = sources->plan->memory_bytes;
    uint64_t bytes = memory_expected(sources, n_people);
    char needed[MEMORY_TEXT], most[MEMORY_TEXT];

    log_line(LOG_INFO, "stage=load people=%" PRIu64 " expected_mb=%" PRIu64, n_people,
             bytes / (1024 * 1024));
    if (limit == 0 || bytes <= limit)
        return 0;
    memory_format(needed, bytes);
    memory_format(most, limit);
    err_add(err, ERR_MEMORY, (Where){sources->plan->path, 0, 0},
            "the run needs about %s, more than the %s of \"memory\"", needed, most);
    err_hint(err, "raise \"memory\", or ask for fewer sources or shorter windows");
    return -1;
}
