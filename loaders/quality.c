/*
 * quality.c - see quality.h.
 */
#include "loaders/quality.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"

uint64_t quality_rejected(const SourceCount *count)
{
    uint64_t n = 0;

    for (int f = ROW_NO_PERSON; f < N_ROW_FATES; f++)
        n += count->fate[f];
    return n;
}

void quality_add(SourceCount *to, const SourceCount *from)
{
    to->rows += from->rows;
    to->bytes += from->bytes;
    to->seconds += from->seconds;
    if (from->latest > to->latest)
        to->latest = from->latest;
    for (int f = 0; f < N_ROW_FATES; f++)
        to->fate[f] += from->fate[f];
}

/* "12 bad date, 3 orphan" */
static void list_reasons(char *out, size_t room, const SourceCount *count)
{
    size_t n = 0;

    *out = '\0';
    for (int f = ROW_NO_PERSON; f < N_ROW_FATES && n < room; f++)
        if (count->fate[f] > 0)
            n += (size_t)snprintf(out + n, room - n, "%s%" PRIu64 " %s", n ? ", " : "",
                                  count->fate[f], row_fate_word[f]);
}

int quality_check(const Plan *plan, const SourceCount *counts, Role from, Role to,
                  Err *err)
{
    int rc = 0;

    for (int s = 0; s < plan->n_sources; s++) {
        const Source *source = &plan->sources[s];
        const SourceCount *count = &counts[s];
        uint64_t rejected = quality_rejected(count);
        char reasons[512];

        if (source->role < from || source->role > to ||
            (double)rejected <= source->max_rejected * (double)count->rows)
            continue;
        list_reasons(reasons, sizeof reasons, count);
        rc = err_add(err, ERR_DATA, source->where,
                     "source \"%s\": %" PRIu64 " of %" PRIu64
                     " rows are rejected, more than max_rejected (%g %%): %s",
                     source->name, rejected, count->rows, 100 * source->max_rejected,
                     reasons);
    }
    return rc;
}

void quality_log(const Store *store, const Plan *plan)
{
    for (int s = 0; s < plan->n_sources; s++) {
        const SourceCount *count = &store->counts[s];

        log_line(LOG_INFO,
                 "stage=load source=%s rows=%" PRIu64 " kept=%" PRIu64
                 " rejected=%" PRIu64 " mb=%" PRIu64 " worker_ms=%.0f",
                 plan->sources[s].name, count->rows, count->fate[ROW_KEPT],
                 quality_rejected(count), count->bytes / (1024 * 1024),
                 1000 * count->seconds);
    }
}

/* All lists as one matcher, the number of a list in place of a feature. */
static Matcher *match_lists(const Plan *plan, Arena *arena)
{
    Matcher *matcher = matcher_new(arena);

    for (int l = 0; l < plan->n_lists; l++)
        for (int e = 0; e < plan->lists[l].n_entries; e++) {
            ListEntry entry = {.code = plan->lists[l].entries[e].code,
                               .is_prefix = plan->lists[l].entries[e].is_prefix,
                               .above = -INFINITY,
                               .below = INFINITY};

            matcher_add(matcher, &entry, (uint32_t)l);
        }
    matcher_build(matcher);
    return matcher;
}

void quality_count_lists(Store *store, const Plan *plan)
{
    Arena *arena = arena_new();
    const Matcher *matcher = match_lists(plan, arena);
    Hit *hits = arena_alloc(arena, (size_t)plan->n_lists, sizeof *hits);

    store->list_people =
        mem_alloc((size_t)plan->n_lists, sizeof *store->list_people, "lists");
    for (int s = 0; s < plan->n_event_sources; s++) {
        const Events *events = &store->events[s];

        for (uint32_t c = 0; c < events->n_codes; c++) {
            int n = matcher_find(matcher, events->codes[c], hits, plan->n_lists);

            for (int h = 0; h < n; h++)
                store->list_people[hits[h].feature] += events->code_rows[c];
        }
    }
    arena_free(arena);
}
