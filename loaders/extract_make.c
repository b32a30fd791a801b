/*
 * extract_make.c - makes an extract, or brings one up to date: see extract.h.
 *
 * A piece that cannot have changed keeps its files; any other is pulled whole. New files
 * have new names, and the manifest that names them is written last, so that what goes
 * wrong before leaves the extract as it was.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"
#include "engine/extract/folder.h"
#include "loaders/extract_making.h"

/* What one worker has. */
typedef struct Hand {
    Arena *arena;
    RowPull pull; /* what it met of people */
} Hand;

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
    Piece *piece = &m->stocks[job->source].source.pieces[job->piece];
    const TableState *table = &m->stocks[job->source].table;
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
        __atomic_fetch_add(&m->stocks[job->source].unread, 1, __ATOMIC_RELAXED);
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
    Stock *stock = &m->stocks[job->source];
    Piece *piece = &stock->source.pieces[job->piece];
    Hand *hand = &m->hands[worker];
    bool keeps;

    if (stock->table.state != NULL) {
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
        __atomic_fetch_add(&stock->kept, 1, __ATOMIC_RELAXED);
        return 0;
    }
    hand->pull.access = access;
    hand->pull.db = m->sources.db[worker];
    hand->pull.stem = arena_format(hand->arena, "%06" PRId64 "-%02d-%05d",
                                   m->new.generation, job->source, job->piece);
    hand->pull.rows = hand->pull.bytes = 0;
    if (extract_pull(piece, &hand->pull, &job->slice, err) != 0)
        return -1;
    __atomic_fetch_add(&stock->rows, hand->pull.rows, __ATOMIC_RELAXED);
    __atomic_fetch_add(&stock->bytes, hand->pull.bytes, __ATOMIC_RELAXED);
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

static void log_sources(const Making *m)
{
    for (int s = 0; s < m->whole.n_sources; s++) {
        const Stock *stock = &m->stocks[s];
        const char *name = m->whole.sources[s].name;

        if (stock->is_left_out)
            making_log_left_out(&m->whole.sources[s], stock->table.why);
        else if (m->whole.sources[s].role != ROLE_OPT_OUTS)
            log_line(LOG_INFO,
                     "stage=extract source=%s rows=%" PRIu64 " pieces=%d kept=%d "
                     "unread=%d pulled_rows=%" PRIu64 " mb=%" PRIu64 "%s%s%s",
                     name, source_rows(&stock->source), stock->source.n_pieces,
                     stock->kept, stock->unread, stock->rows,
                     stock->bytes / (1024 * 1024),
                     stock->table.why == NULL ? "" : " in_full=\"",
                     stock->table.why == NULL ? "" : stock->table.why,
                     stock->table.why == NULL ? "" : "\"");
    }
}

static int write_manifest(Making *m, Err *err)
{
    Manifest *new = &m->new;

    new->sources =
        arena_alloc(m->arena, (size_t)m->whole.n_sources, sizeof *new->sources);
    for (int s = 0; s < m->whole.n_sources; s++)
        if (!m->stocks[s].is_left_out && m->whole.sources[s].role != ROLE_OPT_OUTS)
            new->sources[new->n_sources++] = m->stocks[s].source;
    new->server = m->server.server;
    new->snapshot = m->sources.snapshot;
    new->xmin = m->server.xmin;
    if (m->side != NULL && pages_settle(&m->server, m->side, err) != 0)
        return -1;
    new->log_before = m->server.log_before;
    new->log_after = m->server.log_after;
    if (write_people(m, err) != 0 || manifest_write(new, m->options->folder, err) != 0)
        return -1;
    return folder_sweep(m->options->folder, manifest_has, new, err) < 0 ? -1 : 0;
}

static int make(Making *m, Err *err)
{
    int n_workers = m->options->connections;

    m->new.generation = m->old.generation + 1;
    if (open_sources(m, err) != 0 || making_plan(m, err) != 0)
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
    int lock, rc = folder_open(&lock, options->folder, FOLDER_WRITE, err);

    making_map(&m);
    if (rc == 0)
        rc = making_read_old(&m, err);
    if (rc == 0)
        rc = make(&m, err);
    making_free(&m);
    folder_close(lock);
    return rc;
}
