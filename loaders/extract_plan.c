/*
 * extract_plan.c - what has to be made of an extract, before anything is pulled: see
 * extract_making.h.
 *
 * A source is divided into pieces: ranges of a table's pages, files, or all of a view or
 * a query. Each becomes a job, and is set beside the old piece of the same rows where
 * there is one that it can be compared with. Whether a piece has changed is found by the
 * worker that does the job.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/extract/folder.h"
#include "loaders/extract_making.h"

enum { LEAST_PAGES = 64, MOST_PAGES = 4096, PIECES_WANTED = 32, MOST_PIECES = 4096 };

/* ---- what is there ----------------------------------------------------- */

static bool keep_none(const void *own, const char *name)
{
    (void)own, (void)name;
    return false;
}

int making_read_old(Making *m, Err *err)
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

void making_log_left_out(const Source *source, const char *why)
{
    log_line(LOG_INFO,
             "stage=extract source=%s left_out=\"nothing uses it, and it is %s\"",
             source->name, why);
}

void making_map(Making *m)
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
            making_log_left_out(&whole->mapped[s], "a query");
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

static void describe_columns(Making *m, Stock *stock, const Access *access)
{
    const Source *source = access->source;
    size_t n = (size_t)source->n_columns;
    const char **name = arena_alloc(m->arena, n, sizeof *name);
    bool *may_be_plain = arena_alloc(m->arena, n, sizeof *may_be_plain);
    int *at = arena_alloc(m->arena, n, sizeof *at);
    ExtractColumn *columns = arena_alloc(m->arena, n, sizeof *columns);

    stock->source.n_columns = extract_columns(source, name, at);
    stock->source.columns = columns;
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
    const ExtractSource *old = manifest_source(&m->old, now->place, NULL);

    while (old != NULL && !has_same_columns(old, now))
        old = manifest_source(&m->old, now->place, old);
    return old;
}

static void add_job(Making *m, int s, const Slice *slice, const Piece *old,
                    uint32_t old_pages)
{
    Stock *stock = &m->stocks[s];
    bool is_event = m->whole.sources[s].role == ROLE_EVENTS;
    Jobs *jobs = is_event ? &m->events : &m->about_people;

    if (jobs->n == jobs->room) {
        jobs->room = 2 * jobs->room + 64;
        jobs->job = mem_grow(jobs->job, (size_t)jobs->room, sizeof *jobs->job, "extract");
    }
    jobs->job[jobs->n++] = (Job){s, stock->source.n_pieces++, old, old_pages, *slice};
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

static void plan_pages(Making *m, int s)
{
    Stock *stock = &m->stocks[s];
    const ExtractSource *old = m->can_compare ? old_of(m, &stock->source) : NULL;
    uint32_t each;

    if (old != NULL &&
        (old->state == NULL || strcmp(old->state, stock->table.state) != 0))
        old = NULL;
    if (old != NULL && m->server.has_map && m->old.log_before > 0)
        pages_read_map(&stock->table, &m->sources.access[s], m->old.log_before, m->side);
    each = choose_pages(stock->table.pages, old);
    for (uint32_t p = 0; p * each < stock->table.pages; p++) {
        Slice slice = {s, p * each, (p + 1) * each, (uint64_t)each * 8192};
        const Piece *piece =
            old != NULL && (int)p < old->n_pieces ? &old->pieces[p] : NULL;

        if (piece != NULL && (piece->first != slice.first || piece->last != slice.last))
            piece = NULL;
        add_job(m, s, &slice, piece, piece == NULL ? 0 : old->pages);
    }
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
    const ExtractSource *old = old_of(m, &m->stocks[s].source);

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
    Stock *stock = &m->stocks[s];

    stock->source.place = extract_place(source, m->arena);
    stock->source.is_text_person = source->text_person;
    stock->source.has_persons = extract_has_persons(source);
    describe_columns(m, stock, access);
    if (access->reader->needs_database &&
        pages_table(&stock->table, access, m->side, m->sources.db[0], err) != 0)
        return -1;
    stock->source.state = stock->table.state;
    stock->source.pages = stock->table.pages;
    stock->is_left_out = stock->table.why != NULL && !is_used(m->plan, source);
    if (stock->is_left_out || source->role == ROLE_OPT_OUTS)
        return 0;
    if (stock->table.state == NULL)
        plan_slices(m, s,
                    source->role == ROLE_EVENTS ? &m->sources.events
                                                : &m->sources.about_people);
    else
        plan_pages(m, s);
    stock->source.pieces = arena_alloc(m->arena, (size_t)stock->source.n_pieces,
                                       sizeof *stock->source.pieces);
    return 0;
}

int making_plan(Making *m, Err *err)
{
    size_t n = (size_t)m->whole.n_sources;

    m->stocks = arena_alloc(m->arena, n, sizeof *m->stocks);
    for (int s = 0; s < m->whole.n_sources; s++)
        if (plan_source(m, s, err) != 0)
            return -1;
    return 0;
}
