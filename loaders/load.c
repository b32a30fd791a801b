/*
 * load.c - see load.h. The one parallel read: slices of sources, shared out among
 * workers that each have a session, a scratch and piles of their own.
 */
#include "loaders/load.h"

#include <omp.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "engine/store/group.h"
#include "loaders/extract.h"
#include "loaders/intake.h"
#include "loaders/memory.h"
#include "loaders/quality.h"

enum {
    AHEAD = 128,        /* rows decoded before the first is looked up */
    TELL_EVERY = 16384, /* rows between two words of progress */
    MOST_WORKERS = 64
};

/* What one worker reads with. */
typedef struct Worker {
    RowScratch *scratch;
    Cell *cells;
    PendingEvent *events;
    Intake intake;
    Pile *piles;         /* by Source.number */
    SourceCount *counts; /* by index into Plan.sources */
} Worker;

typedef struct Load {
    const Plan *plan;
    Sources sources;
    const RowMap **maps; /* by index into Plan.sources */
    Worker *workers;
    int n_workers;
    Extract *extract; /* in place of the sources; or NULL */
    People people;
    uint64_t rows;  /* for progress */
    uint64_t bytes; /* of all piles */
    int has_failed;
} Load;

static void worker_build(Worker *worker, const Plan *plan)
{
    int most_columns = 0;

    for (int s = 0; s < plan->n_sources; s++)
        if (plan->sources[s].n_columns > most_columns)
            most_columns = plan->sources[s].n_columns;
    worker->scratch = row_scratch_new();
    worker->cells = mem_alloc((size_t)most_columns, sizeof *worker->cells, "cells");
    worker->events = mem_alloc(AHEAD, sizeof *worker->events, "events");
    worker->counts = mem_alloc((size_t)plan->n_sources, sizeof *worker->counts, "counts");
    for (int s = 0; s < plan->n_sources; s++)
        worker->counts[s].latest = DAY_UNKNOWN;
    intake_build(&worker->intake);
    worker->piles =
        mem_alloc((size_t)plan->n_event_sources, sizeof *worker->piles, "events");
    for (int s = 0; s < plan->n_event_sources; s++)
        pile_build(&worker->piles[s], plan, plan_events(plan, s));
}

static void worker_free(Worker *worker, const Plan *plan)
{
    row_scratch_free(worker->scratch);
    free(worker->cells);
    free(worker->events);
    free(worker->counts);
    intake_free(&worker->intake);
    for (int s = 0; s < plan->n_event_sources; s++)
        pile_free(&worker->piles[s]);
    free(worker->piles);
}

static int choose_workers(const LoadOptions *options)
{
    int n = options->connections > 0 ? options->connections : omp_get_num_procs();

    return n > MOST_WORKERS ? MOST_WORKERS : n;
}

static int load_begin(Load *load, const Plan *plan, const LoadOptions *options, Err *err)
{
    SourcesOptions how = {.conninfo = options->conninfo,
                          .n_workers = choose_workers(options)};

    *load = (Load){.plan = plan, .n_workers = how.n_workers};
    if (options->extract != NULL &&
        extract_open(&load->extract, options->extract, err) != 0)
        return -1;
    how.extract = load->extract;
    if (sources_open(&load->sources, plan, &how, err) != 0)
        return -1;
    load->maps = mem_alloc((size_t)plan->n_sources, sizeof *load->maps, "sources");
    for (int s = 0; s < plan->n_sources; s++)
        load->maps[s] = rowmap_new(plan, &plan->sources[s], load->sources.arena);
    load->workers = mem_alloc((size_t)load->n_workers, sizeof *load->workers, "workers");
    for (int w = 0; w < load->n_workers; w++)
        worker_build(&load->workers[w], plan);
    return 0;
}

static void load_end(Load *load)
{
    for (int w = 0; load->workers != NULL && w < load->n_workers; w++)
        worker_free(&load->workers[w], load->plan);
    free(load->workers);
    free(load->maps);
    people_free(&load->people);
    sources_free(&load->sources);
    extract_close(load->extract);
}

/* ---- reading ----------------------------------------------------------- */

/* A slice while it is read. */
typedef struct Feed {
    Load *load;
    Worker *worker;
    SourceCount *count;
    Pile *pile; /* NULL: its rows are no events */
    Landing to; /* events that wait to be settled */
} Feed;

/* Looks up the codes of the events that wait, then their people. What each step will
 * read was fetched by the one before. */
static void settle_events(Feed *feed)
{
    SourceCount *count = feed->count;
    Pile *pile = feed->pile;
    int32_t as_of = feed->load->plan->as_of;
    PendingEvent *events = feed->to.events, *end = events + feed->to.n;

    for (PendingEvent *event = events; event < end; event++) {
        event->fate = row_event_end(event, feed->to.map, pile->dict);
        if (event->fate == ROW_KEPT)
            dict_fetch_entry(pile->dict, event->row.code);
    }
    for (PendingEvent *event = events; event < end; event++) {
        const EventRow *row = &event->row;
        RowFate fate = event->fate;

        if (fate == ROW_KEPT) {
            if (row->day < as_of && row->day > count->latest)
                count->latest = row->day;
            fate = pile_offer(pile, &feed->load->people, row);
        }
        count->fate[fate]++;
    }
    feed->to.n = 0;
}

static uint64_t held_bytes(const Load *load, const Worker *worker)
{
    uint64_t bytes = 0;

    for (int s = 0; s < load->plan->n_event_sources; s++)
        bytes += worker->piles[s].bytes;
    return bytes;
}

/* Says how far the load is, and stops it where it must not go on. */
static int tell(Load *load, const Worker *worker, uint64_t n, uint64_t *held, Err *err)
{
    const Plan *plan = load->plan;
    uint64_t now = held_bytes(load, worker), rows, bytes;
    char most[MEMORY_TEXT];
    int stop;

#pragma omp atomic capture
    rows = load->rows += n;
#pragma omp atomic capture
    bytes = load->bytes += now - *held;
#pragma omp atomic read
    stop = load->has_failed;
    *held = now;
    log_progress("load", rows, (uint64_t)load->sources.rows, "rows");
    if (plan->memory_bytes == 0 || bytes <= plan->memory_bytes)
        return stop ? -1 : 0;
    memory_format(most, plan->memory_bytes);
    return err_add(err, ERR_MEMORY, (Where){plan->path, 0, 0},
                   "the events read so far need more than the %s of \"memory\"", most);
}

/* The next row of a source that has no events. */
static int next_row(const Feed *feed, const Reader *reader, void *stream, Err *err)
{
    Worker *worker = feed->worker;
    int found = reader->next(stream, worker->cells, &feed->count->bytes, err);
    RowFate fate = ROW_BAD_VALUE;

    if (found <= 0)
        return found;
    if (found != NEXT_BAD)
        fate = intake_row(&worker->intake, feed->to.map, worker->cells, worker->scratch);
    feed->count->fate[fate]++;
    feed->count->rows++;
    return found;
}

/* A row of events that has been found on its own: it waits, if it has no fault. */
static void add_event(Feed *feed, int found)
{
    PendingEvent *event = &feed->to.events[feed->to.n];
    RowFate fate = ROW_BAD_VALUE;

    feed->count->rows++;
    if (found != NEXT_BAD)
        fate = row_event_begin(event, feed->to.map, feed->to.cells, feed->pile->dict,
                               feed->worker->scratch);
    if (fate == ROW_KEPT) {
        row_event_fetch(&feed->to, event);
        feed->to.n++;
    } else {
        feed->count->fate[fate]++;
    }
}

/* Rows of events, up to one that is not usual. */
static int next_events(Feed *feed, const Reader *reader, void *stream, Err *err)
{
    Landing *to = &feed->to;
    uint64_t *bytes = &feed->count->bytes;
    size_t before = to->n;
    int found = reader->next_events != NULL ? reader->next_events(stream, to, bytes, err)
                                            : reader->next(stream, to->cells, bytes, err);

    feed->count->rows += to->n - before;
    if (found == NEXT_ROW || found == NEXT_BAD)
        add_event(feed, found);
    if (to->n == to->room)
        settle_events(feed);
    return found;
}

static int read_rows(Feed *feed, const Reader *reader, void *stream, Err *err)
{
    uint64_t told = feed->count->rows, held = held_bytes(feed->load, feed->worker);
    int found;

    while ((found = feed->pile != NULL ? next_events(feed, reader, stream, err)
                                       : next_row(feed, reader, stream, err)) > 0) {
        if (feed->count->rows - told >= TELL_EVERY) {
            if (tell(feed->load, feed->worker, feed->count->rows - told, &held, err) != 0)
                return -1;
            told = feed->count->rows;
        }
    }
    if (feed->pile != NULL)
        settle_events(feed);
    if (tell(feed->load, feed->worker, feed->count->rows - told, &held, err) != 0)
        return -1;
    return found == NEXT_END ? 0 : -1;
}

/* The whole slice at once, where its reader can do that. */
static int take_slice(const Feed *feed, const Access *access, const Slice *slice,
                      Err *err)
{
    Load *load = feed->load;
    uint64_t before = feed->count->rows, held = held_bytes(load, feed->worker);
    Taking taking = {feed->to.map, &load->people, feed->pile, feed->count};

    if (access->reader->take(&taking, access, slice, err) != 0)
        return -1;
    return tell(load, feed->worker, feed->count->rows - before, &held, err);
}

static int read_slice(Load *load, int number, const Slice *slice, Err *err)
{
    const Access *access = &load->sources.access[slice->source];
    const Reader *reader = access->reader;
    const Source *source = access->source;
    Worker *worker = &load->workers[number];
    Feed feed = {.load = load,
                 .worker = worker,
                 .count = &worker->counts[slice->source],
                 .pile =
                     source->role == ROLE_EVENTS ? &worker->piles[source->number] : NULL,
                 .to = {.map = load->maps[slice->source],
                        .ids = &load->people.ids,
                        .events = worker->events,
                        .room = AHEAD,
                        .cells = worker->cells}};
    double start = log_clock();
    void *stream = NULL;
    int rc;

    feed.to.dict = feed.pile != NULL ? feed.pile->dict : NULL;
    if (reader->take != NULL && feed.pile != NULL) {
        rc = take_slice(&feed, access, slice, err);
    } else {
        rc = reader->open(&stream, access, slice, load->sources.db[number], err);
        if (rc == 0)
            rc = read_rows(&feed, reader, stream, err);
        reader->close(stream);
    }
    feed.count->seconds += log_clock() - start;
    return rc;
}

int load_share(int n, int n_workers, SharedWork work, void *own, Err *err)
{
    Err *reports = mem_alloc((size_t)n, sizeof *reports, "reports");
    int has_failed = 0, rc;

#pragma omp parallel for schedule(dynamic, 1) num_threads(n_workers)
    for (int i = 0; i < n; i++) {
        int stop;

#pragma omp atomic read
        stop = has_failed;
        if (!stop && work(own, omp_get_thread_num(), i, &reports[i]) != 0) {
#pragma omp atomic write
            has_failed = 1;
        }
    }
    rc = err_join(err, reports, n);
    free(reports);
    return rc;
}

/* What a worker is called with. */
typedef struct Reading {
    Load *load;
    const Slices *slices;
} Reading;

static int read_one(void *own, int worker, int number, Err *err)
{
    Reading *reading = own;
    int rc = read_slice(reading->load, worker, &reading->slices->slice[number], err);

    if (rc != 0) {
#pragma omp atomic write
        reading->load->has_failed = 1; /* ends the slices that others are reading */
    }
    return rc;
}

/*
 * A worker has all that it writes to itself: nothing is shared but the numbers for
 * progress and the flag that ends a failed load early.
 */
static int read_slices(Load *load, Slices *slices, Err *err)
{
    Reading reading = {load, slices};

    slices_sort(slices);
    return load_share(slices->n, load->n_workers, read_one, &reading, err);
}

/* ---- the whole --------------------------------------------------------- */

/* Moves what workers counted to the store. */
static void add_counts(Load *load, Store *store)
{
    for (int w = 0; w < load->n_workers; w++)
        for (int s = 0; s < load->plan->n_sources; s++) {
            SourceCount *count = &load->workers[w].counts[s];

            quality_add(&store->counts[s], count);
            *count = (SourceCount){.latest = DAY_UNKNOWN};
        }
}

static int load_people(Load *load, Store *store, Err *err)
{
    Intake *intakes;
    int rc;

    if (read_slices(load, &load->sources.about_people, err) != 0)
        return -1;
    add_counts(load, store);
    intakes = mem_alloc((size_t)load->n_workers, sizeof *intakes, "people");
    for (int w = 0; w < load->n_workers; w++) {
        intakes[w] = load->workers[w].intake;
        load->workers[w].intake = (Intake){0};
    }
    rc = people_build(store, &load->people, load->plan, intakes, load->n_workers, err);
    free(intakes);
    if (rc != 0)
        return -1;
    return quality_check(load->plan, store->counts, ROLE_PEOPLE, ROLE_OPT_OUTS, err);
}

static void group_source(Load *load, Store *store, int source)
{
    const Plan *plan = load->plan;
    SourceCount *count = &store->counts[plan->n_sources - plan->n_event_sources + source];
    Pile *piles = mem_alloc((size_t)load->n_workers, sizeof *piles, "events");
    uint64_t repeats;

    for (int w = 0; w < load->n_workers; w++) {
        piles[w] = load->workers[w].piles[source];
        load->workers[w].piles[source] = (Pile){0};
    }
    repeats =
        group_build(&store->events[source], piles, load->n_workers, store->n_people);
    count->fate[ROW_KEPT] -= repeats;
    count->fate[ROW_DUPLICATE] += repeats;
    free(piles);
}

/* The source that holds most; a source that is grouped holds nothing. */
static int largest_pile(const Load *load)
{
    uint64_t most = 0;
    int largest = -1;

    for (int s = 0; s < load->plan->n_event_sources; s++) {
        uint64_t bytes = 0;
        bool is_waiting = load->workers[0].piles[s].dict != NULL;

        for (int w = 0; w < load->n_workers; w++)
            bytes += load->workers[w].piles[s].bytes;
        if (is_waiting && (largest < 0 || bytes > most)) {
            largest = s;
            most = bytes;
        }
    }
    return largest;
}

/* One source after the other, so that only one is held twice, and the largest first, as
 * the more is released the more room is left for the others. */
static void group_events(Load *load, Store *store)
{
    for (int s = largest_pile(load); s >= 0; s = largest_pile(load))
        group_source(load, store, s);
}

/* NaN where one session is not known, or there is none. */
static double server_cpu(const Sources *sources)
{
    double seconds = 0;

    for (int w = 0; w < sources->n_workers; w++)
        seconds += db_server_cpu(sources->db[w]);
    return seconds;
}

static int load_events(Load *load, Store *store, Err *err)
{
    if (load->extract != NULL)
        extract_meet(load->extract, &load->people);
    if (memory_check(&load->sources, store->n_people, err) != 0 ||
        read_slices(load, &load->sources.events, err) != 0)
        return -1;
    add_counts(load, store);
    store->server_cpu = server_cpu(&load->sources);
    sources_hang_up(&load->sources); /* the snapshot holds up vacuum */
    people_free(&load->people);
    if (quality_check(load->plan, store->counts, ROLE_EVENTS, ROLE_EVENTS, err) != 0)
        return -1;
    group_events(load, store);
    return 0;
}

/* Where the rows are from: "" where no database was read, "extract" of files. */
static const char *snapshot_of(const Load *load, Arena *arena)
{
    const char *made_in = load->extract == NULL ? "" : load->extract->manifest.snapshot;

    if (load->extract == NULL)
        return arena_format(arena, "%s", load->sources.snapshot);
    return arena_format(arena, "extract%s%s", *made_in == '\0' ? "" : " ", made_in);
}

int load_store(Store *store, const Plan *plan, const LoadOptions *options, Err *err)
{
    Load load = {0};
    int rc = -1;

    *store = (Store){.texts = arena_new()};
    store->counts = mem_alloc((size_t)plan->n_sources, sizeof *store->counts, "counts");
    for (int s = 0; s < plan->n_sources; s++)
        store->counts[s].latest = DAY_UNKNOWN;
    store->events =
        mem_alloc((size_t)plan->n_event_sources, sizeof *store->events, "events");
    if (load_begin(&load, plan, options, err) != 0)
        goto done;
    store->snapshot = snapshot_of(&load, store->texts);
    if (load_people(&load, store, err) != 0 || load_events(&load, store, err) != 0)
        goto done;
    quality_count_lists(store, plan);
    quality_log(store, plan);
    rc = 0;
done:
    log_progress_end();
    load_end(&load);
    return rc;
}
