/*
 * kinds.c - see kinds.h.
 */
#include "loaders/kinds.h"

#include <stdlib.h>

#include "loaders/extract.h"

/* A new kind of source adds its line here. */
const SourceKind *const source_kinds[] = {
    &kind_postgres,
    &kind_csv,
    NULL,
};

void slices_add(Slices *slices, Slice slice)
{
    if (slices->n == slices->room) {
        slices->room = 2 * slices->room + 64;
        slices->slice =
            mem_grow(slices->slice, (size_t)slices->room, sizeof slice, "slices");
    }
    slices->slice[slices->n++] = slice;
}

/* The largest first, so that no worker is left with a long one at the end. */
static int slice_order(const void *left, const void *right)
{
    const Slice *a = left, *b = right;

    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

void slices_sort(Slices *slices)
{
    if (slices->n > 0)
        qsort(slices->slice, (size_t)slices->n, sizeof *slices->slice, slice_order);
}

/* From an extract comes everything but the opt-outs: those are read where they lie, so
 * that an objection holds from the moment it is recorded. */
static void choose_readers(Sources *sources)
{
    const Extract *extract = sources->options.extract;

    for (int s = 0; s < sources->plan->n_sources; s++) {
        const Source *source = &sources->plan->sources[s];
        const Reader *reader = source_reader(source);

        if (extract != NULL && source->role != ROLE_OPT_OUTS)
            reader = &extract_reader;
        else if (extract != NULL && sources->options.is_described)
            reader = &extract_unread;

        sources->access[s] = (Access){.plan = sources->plan,
                                      .source = source,
                                      .index = s,
                                      .reader = reader,
                                      .extract = extract,
                                      .is_whole = sources->options.is_whole,
                                      .arena = sources->arena};
    }
}

/* Workers are the parallelism: the server's own beside each of them is slower. */
static int open_sessions(Sources *sources, Err *err)
{
    bool is_needed = false;

    for (int s = 0; s < sources->plan->n_sources; s++)
        is_needed |= sources->access[s].reader->needs_database;
    for (int w = 0; w < sources->n_workers && is_needed; w++)
        if (db_open(&sources->db[w], sources->options.conninfo, "load", err) != 0 ||
            db_exec(sources->db[w],
                    "set max_parallel_workers_per_gather = 0; set jit = off", err) != 0)
            return -1;
    return 0;
}

static int find_sources(Sources *sources, Err *err)
{
    int rc = 0;

    for (int s = 0; s < sources->plan->n_sources; s++) {
        Access *access = &sources->access[s];

        if (access->reader->find(access, sources->db[0], err) != 0)
            rc = -1;
    }
    return rc;
}

static int share_snapshot(Sources *sources, Err *err)
{
    for (int w = 0; w < sources->n_workers && sources->db[0] != NULL; w++) {
        Db *db = sources->db[w];

        if ((w == 0 ? db_share_snapshot(db, sources->snapshot, err)
                    : db_join_snapshot(db, sources->snapshot, err)) != 0)
            return -1;
    }
    return 0;
}

static int split_sources(Sources *sources, Err *err)
{
    for (int s = 0; s < sources->plan->n_sources; s++) {
        Access *access = &sources->access[s];
        Slices *slices = access->source->role == ROLE_EVENTS ? &sources->events
                                                             : &sources->about_people;

        if (access->reader->split(slices, access, sources->db[0], sources->n_workers,
                                  err) != 0)
            return -1;
        sources->rows += access->rows;
    }
    return 0;
}

/* Splitting has asked about every source: the first session has locks on all tables. */
static int prove_snapshot(const Sources *sources, Err *err)
{
    return sources->db[0] == NULL ? 0 : db_check_snapshot(sources->db[0], err);
}

int sources_open(Sources *sources, const Plan *plan, const SourcesOptions *options,
                 Err *err)
{
    *sources = (Sources){.plan = plan,
                         .options = *options,
                         .arena = arena_new(),
                         .n_workers = options->n_workers};
    sources->access =
        arena_alloc(sources->arena, (size_t)plan->n_sources, sizeof *sources->access);
    sources->db = arena_alloc(sources->arena, (size_t)options->n_workers, sizeof(Db *));
    choose_readers(sources);
    if (open_sessions(sources, err) != 0 || find_sources(sources, err) != 0 ||
        share_snapshot(sources, err) != 0 || split_sources(sources, err) != 0 ||
        prove_snapshot(sources, err) != 0)
        return -1;
    if (options->extract == NULL || options->is_described)
        return 0;
    return extract_check_opt_outs(sources, err);
}

void sources_hang_up(Sources *sources)
{
    for (int w = 0; w < sources->n_workers; w++) {
        db_close(sources->db[w]);
        sources->db[w] = NULL;
    }
}

void sources_free(Sources *sources)
{
    if (sources->arena == NULL)
        return;
    sources_hang_up(sources);
    free(sources->about_people.slice);
    free(sources->events.slice);
    arena_free(sources->arena);
    *sources = (Sources){0};
}
