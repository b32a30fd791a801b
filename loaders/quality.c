/*
 * quality.c - see quality.h.
 */
#include "loaders/quality.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    to->server_cpu += from->server_cpu;
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
