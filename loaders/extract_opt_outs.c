/*
 * extract_opt_outs.c - the one source that is never in an extract: an objection holds
 * from the moment it is recorded. An extract knows only the digest of the list that it
 * was made with.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loaders/cell.h"
#include "loaders/extract.h"

/* ---- the digest -------------------------------------------------------- */

/* Adds up two hashes of every row: the order of rows plays no part. */
static int add_rows(uint64_t sum[3], const Sources *sources, const Slice *slice, Err *err)
{
    const Access *access = &sources->access[slice->source];
    size_t n = (size_t)access->source->n_columns;
    Cell *cells = mem_alloc(n, sizeof *cells, "cells");
    void *stream = NULL;
    uint64_t bytes = 0;
    int found = NEXT_FAILED;

    if (access->reader->open(&stream, access, slice, sources->db[0], err) == 0)
        while ((found = access->reader->next(stream, cells, &bytes, err)) > NEXT_END) {
            uint64_t one = 1, two = 2;

            for (size_t c = 0; c < n && found == NEXT_ROW; c++) {
                one = cell_hash(one, &cells[c]);
                two = cell_hash(two, &cells[c]);
            }
            sum[0] += one;
            sum[1] += two;
            sum[2]++;
        }
    access->reader->close(stream);
    free(cells);
    return found == NEXT_END ? 0 : -1;
}

const char *extract_opt_outs(const Sources *sources, Arena *arena, Err *err)
{
    const Slices *slices = &sources->about_people;
    uint64_t sum[3] = {0};

    for (int i = 0; i < slices->n; i++) {
        const Slice *slice = &slices->slice[i];

        if (sources->plan->sources[slice->source].role == ROLE_OPT_OUTS &&
            add_rows(sum, sources, slice, err) != 0)
            return NULL;
    }
    return arena_format(arena, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, sum[0], sum[1],
                        sum[2]);
}

int extract_check_opt_outs(const Sources *sources, Err *err)
{
    const Extract *extract = sources->options.extract;
    const char *made_with = extract->manifest.opt_outs, *now;

    if (sources->plan->opt_out_rows == NULL)
        return 0;
    now = extract_opt_outs(sources, sources->arena, err);
    if (now == NULL)
        return -1;
    if (made_with != NULL && strcmp(made_with, now) == 0)
        return 0;
    err_add(err, ERR_DATA, (Where){extract->folder, 0, 0},
            "the list of opt-outs is not the one that the extract was made with");
    err_hint(err, "bring the extract up to date with `stratify extract --extract DIR`");
    return -1;
}

/* ---- of a run that is only described ----------------------------------- */

static int unread_find(Access *access, Db *db, Err *err)
{
    (void)access, (void)db, (void)err;
    return 0;
}

static int unread_split(Slices *slices, Access *access, Db *db, int n_workers, Err *err)
{
    (void)slices, (void)access, (void)db, (void)n_workers, (void)err;
    return 0;
}

static const char *unread_describe(const Access *access)
{
    return arena_format(access->arena, "%s: read where it lies when the run is made",
                        extract_place(access->source, access->arena));
}

const Reader extract_unread = {
    .find = unread_find, .split = unread_split, .describe = unread_describe};
