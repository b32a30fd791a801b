/*
 * extract_make.c - makes an extract, or brings one up to date: see extract.h.
 *
 * A source is divided into pieces: ranges of a table's pages, files, or all of a view or
 * a query. A piece that cannot have changed keeps its files; any other is pulled whole.
 * New files have new names, and the manifest that names them is written last, so that
 * what goes wrong before leaves the extract as it was.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/extract/folder.h"
#include "loaders/extract.h"

enum { LEAST_PAGES = 64, MOST_PAGES = 4096, PIECES_WANTED = 32, MOST_PIECES = 4096 };

/* A piece, and how it is made. */
typedef struct Job {
    int source; /* index into Plan.sources, and into Making.wanted */
    int piece;
    const Piece *old;   /* that it is compared with, or NULL */
    uint32_t old_pages; /* of its table */
    Slice slice;
} Job;

typedef struct Jobs {
    Job *job;
    int n, room;
} Jobs;

/* What one worker has. */
typedef struct Hand {
    Arena *arena;
    RowPull pull; /* what it met of people */
} Hand;

/* A source of the config. */
typedef struct Wanted {
    ExtractSource source;
    TableState table;
    bool is_left_out;     /* nothing uses it, and it would be pulled in full each time */
    uint64_t rows, bytes; /* pulled */
    int kept, unread;     /* pieces that stay; of these, without a look at their rows */
} Wanted;

typedef struct Making {
    const ExtractOptions *options;
    const Plan *plan;
    Plan whole; /* every source with every column */
    Arena *arena;
    Manifest old, new;
    Sources sources;
    Db *side; /* outside the snapshot; NULL without a database */
    ServerState server;
    bool can_compare;
    Wanted *wanted; /* by Plan.sources of whole */
    Jobs about_people, events;
    Hand *hands;
    PeopleList list;
} Making;

/* ---- what is there ----------------------------------------------------- */

static bool keep_none(const void *own, const char *name)
{
    (void)own, (void)name;
    return false;
}

/* The old manifest and list, if there are any; leftovers of a making that was ended
 * before its end go. */
static int read_old(Making *m, Err *err)
{
    const char *folder = m->options->folder;
    const char *path = arena_format(m->arena, "%s/" MANIFEST_NAME, folder);
    uint8_t *bytes;
    size_t len;

    if (access(path, F_OK) != 0)
        return folder_sweep(folder, keep_none, NULL, err) < 0 ? -1 : 0;
    if (manifest_read(&m->old, folder, m->arena, err) != 0 ||
        folder_sweep(folder, manifest_has, &m->old, err) < 0 ||
        file_read(&bytes, &len, arena_format(m->arena, "%s/%s", folder, m->old.people),
                  err) != 0)
        return -1;
    m->list.id = (int64_t *)bytes;
    m->list.n = m->old.n_people;
    return extract_list_is(&m->old, bytes, len, err);
}

static bool is_used(const Plan *plan, const Source *source)
{
    for (int s = 0; s < plan->n_sources; s++)
        if (strcmp(plan->sources[s].name, source->name) == 0)
            return true;
    return false;
}

static void log_left_out(const Source *source, const char *why)
{
    log_line(LOG_INFO,
             "stage=extract source=%s left_out=\"nothing uses it, and it is %s\"",
             source->name, why);
}

/* A query is pulled in full each time: only if something uses it. */
static void map_whole(Making *m)
{
    Plan *whole = &m->whole;

    *whole = *m->plan;
    whole->sources =
        arena_alloc(m->arena, (size_t)whole->n_mapped, sizeof *whole->sources);
    whole->n_sources = whole->n_event_sources = 0;
    for (int s = 0; s < whole->n_mapped; s++) {
        if (whole->mapped[s].query == NULL || is_used(m->plan, &whole->mapped[s]))
            whole->sources[whole->n_sources++] = whole->mapped[s];
        else
            log_left_out(&whole->mapped[s], "a query");
    }
    for (int s = 0; s < whole->n_sources; s++) {
        const Source *source = &whole->sources[s];

        whole->n_event_sources += source->role == ROLE_EVENTS;
        if (source->role == ROLE_PEOPLE)
            whole->people = source;
        if (source->role == ROLE_OPT_OUTS)
            whole->opt_out_rows = source;
    }
}

/* ---- what has to be made ----------------------------------------------- */

static void describe_columns(Making *m, Wanted *wanted, const Access *access)
{
    const Source *source = access->source;
    size_t n = (size_t)source->n_columns;
    const char **name = arena_alloc(m->arena, n, sizeof *name);
    bool *may_be_plain = arena_alloc(m->arena, n, sizeof *may_be_plain);
    int *at = arena_alloc(m->arena, n, sizeof *at);
    ExtractColumn *columns = arena_alloc(m->arena, n, sizeof *columns);

    wanted->source.n_columns = extract_columns(source, name, at);
    wanted->source.columns = columns;
    extract_plain(may_be_plain, source, at);
    for (int c = 0; c < source->n_columns; c++)
        if (at[c] >= 0)
            columns[at[c]] = (ExtractColumn){name[at[c]], (uint8_t)access->type[c],
                                             access->is_integer[c], may_be_plain[at[c]]};
}

static bool has_same_columns(const ExtractSource *a, const ExtractSource *b)
{
    if (a->n_columns != b->n_columns || a->has_persons != b->has_persons ||
        a->is_text_person != b->is_text_person)
        return false;
    for (int c = 0; c < a->n_columns; c++) {
        const ExtractColumn *one = &a->columns[c], *other = &b->columns[c];

        if (strcmp(one->name, other->name) != 0 || one->type != other->type ||
            one->is_integer != other->is_integer ||
            one->may_be_plain != other->may_be_plain)
            return false;
    }
    return true;
}

/* What the extract has of the source, if it is of the same form; else NULL. */
static const ExtractSource *old_of(const Making *m, const ExtractSource *now)
{
    const ExtractSource *old = manifest_source(&m->old, now->place);

    return old != NULL && has_same_columns(old, now) ? old : NULL;
}

static void add_job(Making *m, int s, const Slice *slice, const Piece *old,
                    uint32_t old_pages)
{
    Wanted *wanted = &m->wanted[s];
    bool is_event = m->whole.sources[s].role == ROLE_EVENTS;
    Jobs *jobs = is_event ? &m->events : &m->about_people;

    if (jobs->n == jobs->room) {
        jobs->room = 2 * jobs->room + 64;
        jobs->job = mem_grow(jobs->job, (size_t)jobs->room, sizeof *jobs->job, "extract");
    }
    jobs->job[jobs->n++] = (Job){s, wanted->source.n_pieces++, old, old_pages, *slice};
}

/* The size of pieces: as before where that still fits, so that they can be compared. */
static uint32_t choose_pages(uint32_t pages, const ExtractSource *old)
{
    uint32_t each = LEAST_PAGES;

    if (old != NULL && old->n_pieces > 0)
        each = old->pieces[0].last - old->pieces[0].first;
    else
        while (each < MOST_PAGES && pages / (2 * each) >= PIECES_WANTED)
            each *= 2;
    while (pages / each >= MOST_PIECES && each < MOST_PAGES)
        each *= 2;
    return each;
}

static int plan_pages(Making *m, int s, Err *err)
{
    Wanted *wanted = &m->wanted[s];
    const ExtractSource *old = m->can_compare ? old_of(m, &wanted->source) : NULL;
    uint32_t each;

    if (old != NULL &&
        (old->state == NULL || strcmp(old->state, wanted->table.state) != 0))
        old = NULL;
    if (old != NULL && m->server.has_map && m->old.log_before > 0 &&
        pages_read_map(&wanted->table, &m->sources.access[s], m->old.log_before, m->side,
                       err) != 0)
        return -1;
    each = choose_pages(wanted->table.pages, old);
    for (uint32_t p = 0; p * each < wanted->table.pages; p++) {
        Slice slice = {s, p * each, (p + 1) * each, (uint64_t)each * 8192};
        const Piece *piece =
            old != NULL && (int)p < old->n_pieces ? &old->pieces[p] : NULL;

        if (piece != NULL && (piece->first != slice.first || piece->last != slice.last))
            piece = NULL;
        add_job(m, s, &slice, piece, piece == NULL ? 0 : old->pages);
    }
    return 0;
}

static const Piece *old_file(const ExtractSource *old, const char *file)
{
    for (int p = 0; old != NULL && file != NULL && p < old->n_pieces; p++)
        if (old->pieces[p].file != NULL && strcmp(old->pieces[p].file, file) == 0)
            return &old->pieces[p];
    return NULL;
}

static void plan_slices(Making *m, int s, const Slices *slices)
{
    const Access *access = &m->sources.access[s];
    const ExtractSource *old = old_of(m, &m->wanted[s].source);

    for (int i = 0; i < slices->n; i++) {
        const Slice *slice = &slices->slice[i];

        if (slice->source == s)
            add_job(m, s, slice,
                    access->reader->file == NULL
                        ? NULL
                        : old_file(old, access->reader->file(access, slice)),
                    0);
    }
}

static int plan_source(Making *m, int s, Err *err)
{
    const Access *access = &m->sources.access[s];
    const Source *source = access->source;
    Wanted *wanted = &m->wanted[s];

    wanted->source.place = extract_place(source, m->arena);
    wanted->source.is_text_person = source->text_person;
    wanted->source.has_persons = extract_has_persons(source);
    describe_columns(m, wanted, access);
    if (access->reader->needs_database &&
        pages_table(&wanted->table, access, m->side, m->sources.db[0], err) != 0)
        return -1;
    wanted->source.state = wanted->table.state;
    wanted->source.pages = wanted->table.pages;
    wanted->is_left_out = wanted->table.why != NULL && !is_used(m->plan, source);
    if (wanted->is_left_out || source->role == ROLE_OPT_OUTS)
        return 0;
    if (wanted->table.state == NULL)
        plan_slices(m, s,
                    source->role == ROLE_EVENTS ? &m->sources.events
                                                : &m->sources.about_people);
    else if (plan_pages(m, s, err) != 0)
        return -1;
    wanted->source.pieces = arena_alloc(m->arena, (size_t)wanted->source.n_pieces,
                                        sizeof *wanted->source.pieces);
    return 0;
}

/* ---- making ------------------------------------------------------------ */

static int digest_file(const char **digest, const char *path, Arena *arena, Err *err)
{
    uint8_t found[SHA256_BYTES];

    if (file_sha256(found, path, err) != 0)
        return -1;
    *digest = hex_text(arena, found, sizeof found);
    return 0;
}

/* Whether the piece is still what the extract has. */
static int can_keep(bool *keeps, Making *m, Hand *hand, const Job *job, Db *db, Err *err)
{
    const Access *access = &m->sources.access[job->source];
    Piece *piece = &m->wanted[job->source].source.pieces[job->piece];
    const TableState *table = &m->wanted[job->source].table;
    bool changed;

    *keeps = false;
    if (piece->file != NULL) {
        if (digest_file(&piece->digest, piece->file, hand->arena, err) != 0)
            return -1;
        *keeps = job->old != NULL && strcmp(job->old->digest, piece->digest) == 0;
        return 0;
    }
    if (job->old == NULL)
        return 0;
    *keeps = pages_are_untouched(table, job->old, job->old_pages);
    if (*keeps) {
        __atomic_fetch_add(&m->wanted[job->source].unread, 1, __ATOMIC_RELAXED);
        return 0;
    }
    if (pages_have_changed(&changed, table, access, job->old, m->old.xmin, db, err) != 0)
        return -1;
    *keeps = !changed;
    return 0;
}

static int do_job(Making *m, int worker, const Job *job, Err *err)
{
    const Access *access = &m->sources.access[job->source];
    Wanted *wanted = &m->wanted[job->source];
    Piece *piece = &wanted->source.pieces[job->piece];
    Hand *hand = &m->hands[worker];
    bool keeps;

    if (wanted->table.state != NULL) {
        piece->first = job->slice.first;
        piece->last = job->slice.last;
    }
    if (access->reader->file != NULL)
        piece->file = access->reader->file(access, &job->slice);
    if (can_keep(&keeps, m, hand, job, m->sources.db[worker], err) != 0)
        return -1;
    if (keeps) {
        piece->files = job->old->files;
        piece->n_files = job->old->n_files;
        __atomic_fetch_add(&wanted->kept, 1, __ATOMIC_RELAXED);
        return 0;
    }
    hand->pull.access = access;
    hand->pull.db = m->sources.db[worker];
    hand->pull.stem = arena_format(hand->arena, "%06" PRId64 "-%02d-%05d",
                                   m->new.generation, job->source, job->piece);
    hand->pull.rows = hand->pull.bytes = 0;
    if (extract_pull(piece, &hand->pull, &job->slice, err) != 0)
        return -1;
    __atomic_fetch_add(&wanted->rows, hand->pull.rows, __ATOMIC_RELAXED);
    __atomic_fetch_add(&wanted->bytes, hand->pull.bytes, __ATOMIC_RELAXED);
    return 0;
}

static int do_about_people(void *own, int worker, int number, Err *err)
{
    Making *m = own;

    return do_job(m, worker, &m->about_people.job[number], err);
}

static int do_events(void *own, int worker, int number, Err *err)
{
    Making *m = own;

    return do_job(m, worker, &m->events.job[number], err);
}

/* ---- people ------------------------------------------------------------ */

static int id_order(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void number_listed(PeopleList *list)
{
    ids_build(&list->ids, list->n);
    for (uint32_t i = 0; i < list->n; i++)
        ids_add(&list->ids, list->id[i], i + 1, 0);
}

/* Ids that are new go behind those that chunks have numbers of. */
static void list_people(Making *m)
{
    PeopleList *list = &m->list;
    size_t n = 0, before = list->n;
    int64_t *met;

    number_listed(list);
    for (int w = 0; w < m->sources.n_workers; w++)
        n += m->hands[w].pull.n_met;
    met = mem_alloc(n, sizeof *met, "people");
    n = 0;
    for (int w = 0; w < m->sources.n_workers; w++)
        for (size_t i = 0; i < m->hands[w].pull.n_met; i++)
            if (ids_find(&list->ids, m->hands[w].pull.met[i])->person == ID_ABSENT)
                met[n++] = m->hands[w].pull.met[i];
    if (n > 0)
        qsort(met, n, sizeof *met, id_order);
    list->id = mem_grow(list->id, before + n, sizeof *list->id, "people");
    for (size_t i = 0; i < n; i++)
        if (list->n == before || list->id[list->n - 1] != met[i])
            list->id[list->n++] = met[i];
    free(met);
    ids_free(&list->ids);
    number_listed(list);
}

static int write_people(Making *m, Err *err)
{
    size_t len = m->list.n * sizeof *m->list.id;
    uint8_t digest[SHA256_BYTES];

    m->new.n_people = m->list.n;
    if (m->old.people != NULL && m->list.n == m->old.n_people) {
        m->new.people = m->old.people;
        m->new.people_digest = m->old.people_digest;
        return 0;
    }
    sha256(digest, m->list.id, len);
    m->new.people_digest = hex_text(m->arena, digest, sizeof digest);
    m->new.people =
        arena_format(m->arena, "%06" PRId64 "-people" FILE_SUFFIX, m->new.generation);
    return file_write(arena_format(m->arena, "%s/%s", m->options->folder, m->new.people),
                      m->list.id, len, err);
}

/* ---- the whole --------------------------------------------------------- */

static bool needs_database(const Plan *plan)
{
    for (int s = 0; s < plan->n_sources; s++)
        if (source_reader(&plan->sources[s])->needs_database)
            return true;
    return false;
}

static int open_sources(Making *m, Err *err)
{
    SourcesOptions how = {.conninfo = m->options->conninfo,
                          .n_workers = m->options->connections,
                          .is_whole = true};

    if (needs_database(&m->whole) &&
        (db_open(&m->side, m->options->conninfo, "extract", err) != 0 ||
         pages_before(&m->server, m->side, err) != 0))
        return -1;
    if (sources_open(&m->sources, &m->whole, &how, err) != 0)
        return -1;
    m->hands = arena_alloc(m->arena, (size_t)m->sources.n_workers, sizeof *m->hands);
    for (int w = 0; w < m->sources.n_workers; w++) {
        m->hands[w].arena = arena_new();
        m->hands[w].pull = (RowPull){
            .folder = m->options->folder, .list = &m->list, .arena = m->hands[w].arena};
    }
    if (m->side == NULL)
        return 0;
    if (pages_server(&m->server, m->side, m->sources.db[0], m->arena, err) != 0)
        return -1;
    m->can_compare = pages_can_compare(&m->old, &m->server);
    return 0;
}

static int plan_sources(Making *m, Err *err)
{
    size_t n = (size_t)m->whole.n_sources;

    m->wanted = arena_alloc(m->arena, n, sizeof *m->wanted);
    for (int s = 0; s < m->whole.n_sources; s++)
        if (plan_source(m, s, err) != 0)
            return -1;
    return 0;
}

static void log_sources(const Making *m)
{
    for (int s = 0; s < m->whole.n_sources; s++) {
        const Wanted *wanted = &m->wanted[s];
        const char *name = m->whole.sources[s].name;

        if (wanted->is_left_out)
            log_left_out(&m->whole.sources[s], wanted->table.why);
        else if (m->whole.sources[s].role != ROLE_OPT_OUTS)
            log_line(LOG_INFO,
                     "stage=extract source=%s rows=%" PRIu64 " pieces=%d kept=%d "
                     "unread=%d pulled_rows=%" PRIu64 " mb=%" PRIu64 "%s%s%s",
                     name, source_rows(&wanted->source), wanted->source.n_pieces,
                     wanted->kept, wanted->unread, wanted->rows,
                     wanted->bytes / (1024 * 1024),
                     wanted->table.why == NULL ? "" : " in_full=\"",
                     wanted->table.why == NULL ? "" : wanted->table.why,
                     wanted->table.why == NULL ? "" : "\"");
    }
}

static int write_manifest(Making *m, Err *err)
{
    Manifest *new = &m->new;

    new->sources =
        arena_alloc(m->arena, (size_t)m->whole.n_sources, sizeof *new->sources);
    for (int s = 0; s < m->whole.n_sources; s++)
        if (!m->wanted[s].is_left_out && m->whole.sources[s].role != ROLE_OPT_OUTS)
            new->sources[new->n_sources++] = m->wanted[s].source;
    new->server = m->server.server;
    new->snapshot = m->sources.snapshot;
    new->xmin = m->server.xmin;
    new->log_before = m->server.log_before;
    if (m->side != NULL && pages_settle(&m->server, m->side, err) != 0)
        return -1;
    if (write_people(m, err) != 0 || manifest_write(new, m->options->folder, err) != 0)
        return -1;
    return folder_sweep(m->options->folder, manifest_has, new, err) < 0 ? -1 : 0;
}

static int make(Making *m, Err *err)
{
    int n_workers = m->options->connections;

    m->new.generation = m->old.generation + 1;
    if (open_sources(m, err) != 0 || plan_sources(m, err) != 0)
        return -1;
    if (m->whole.opt_out_rows != NULL) {
        m->new.opt_outs = extract_opt_outs(&m->sources, m->arena, err);
        if (m->new.opt_outs == NULL)
            return -1;
    }
    if (load_share(m->about_people.n, n_workers, do_about_people, m, err) != 0)
        return -1;
    list_people(m);
    if (load_share(m->events.n, n_workers, do_events, m, err) != 0 ||
        write_manifest(m, err) != 0)
        return -1;
    log_sources(m);
    return 0;
}

static void making_free(Making *m)
{
    for (int w = 0; m->hands != NULL && w < m->sources.n_workers; w++) {
        arena_free(m->hands[w].arena);
        free(m->hands[w].pull.met);
    }
    db_close(m->side);
    sources_free(&m->sources);
    free(m->about_people.job);
    free(m->events.job);
    free(m->list.id);
    ids_free(&m->list.ids);
    arena_free(m->arena);
}

int extract_make(const Plan *plan, const ExtractOptions *options, Err *err)
{
    Making m = {.options = options, .plan = plan, .arena = arena_new()};
    int lock, rc = folder_open(&lock, options->folder, true, err);

    map_whole(&m);
    if (rc == 0)
        rc = read_old(&m, err);
    if (rc == 0)
        rc = make(&m, err);
    making_free(&m);
    folder_close(lock);
    return rc;
}
