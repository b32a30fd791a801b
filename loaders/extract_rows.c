/*
 * extract_rows.c - rows of a source as they lie -> chunks of the extract.
 *
 * Values are kept as the source has them, typed but not understood: what they mean is
 * said by the config of the run that reads them. Only the person of an event is taken
 * for what it is.
 */
#include <stdlib.h>
#include <string.h>

#include "loaders/cell.h"
#include "loaders/extract.h"
#include "loaders/row.h"

/* "postgres table sid.gp_event by person_id" */
const char *extract_place(const Source *source, Arena *arena)
{
    bool is_event = extract_has_persons(source);
    const char *what = source->table != NULL   ? "table"
                       : source->query != NULL ? "query"
                                               : "files";
    const char *where = source->table != NULL   ? source->table
                        : source->query != NULL ? source->query
                                                : source->files;
    const char *person =
        is_event ? source->columns[source_at(source, FIELD_PERSON)].name : source->name;

    return arena_format(arena, "%s %s %s %s %s", source->kind->name, what, where,
                        is_event ? "by" : "as", person);
}

/* at[column of the source] is the extract's column, or -1. name may be NULL. */
int extract_columns(const Source *source, const char **name, int *at)
{
    int n = 0;

    for (int c = 0; c < source->n_columns; c++) {
        const Column *column = &source->columns[c];

        at[c] = -1;
        if (extract_has_persons(source) && column->field == FIELD_PERSON)
            continue;
        for (int b = 0; b < c && at[c] < 0; b++)
            if (at[b] >= 0 && strcmp(source->columns[b].name, column->name) == 0)
                at[c] = at[b];
        if (at[c] >= 0)
            continue;
        if (name != NULL)
            name[n] = column->name;
        at[c] = n++;
    }
    return n;
}

void extract_plain(bool *may_be_plain, const Source *source, const int *at)
{
    for (int c = 0; c < source->n_columns; c++)
        if (at[c] >= 0)
            may_be_plain[at[c]] = true;
    for (int c = 0; c < source->n_columns; c++) {
        Field field = source->columns[c].field;

        if (at[c] >= 0 && source->role == ROLE_EVENTS && field != FIELD_VALUE &&
            field != FIELD_KEY)
            may_be_plain[at[c]] = false;
    }
}

/* ---- rows -------------------------------------------------------------- */

typedef struct Pulling {
    RowPull *pull;
    Piece *piece;
    ChunkWriter *writer;
    RowScratch *scratch;
    const Source *source;
    int *at;       /* by column of the source */
    int person_at; /* of the people source and of events, or -1 */
    int64_t *id;   /* by row of the chunk */
    bool *has_id;
    uint32_t room_ids;
    uint64_t bad_rows;
} Pulling;

static void put_cell(Pulling *p, int column, const Cell *cell)
{
    uint64_t bits;

    switch (cell->type) {
    case CELL_NULL:
        chunk_missing(p->writer, column);
        return;
    case CELL_INT:
        chunk_number(p->writer, column, CELL_INT, (uint64_t)cell->as.number);
        return;
    case CELL_FLOAT:
        memcpy(&bits, &cell->as.real, sizeof bits);
        chunk_number(p->writer, column, CELL_FLOAT, bits);
        return;
    case CELL_YESNO:
        chunk_number(p->writer, column, CELL_YESNO, cell->as.yesno);
        return;
    case CELL_DAY:
        chunk_number(p->writer, column, CELL_DAY, (uint32_t)cell->as.day);
        return;
    case CELL_TEXT:
        chunk_text(p->writer, column, CELL_TEXT, cell->as.text, cell->len);
    }
}

static bool get_id(int64_t *id, Pulling *p, const Cell *cell)
{
    char room[CELL_ROOM];
    uint64_t check;
    Cell text;

    *id = 0;
    if (cell->type == CELL_NULL)
        return false;
    if (!p->source->text_person)
        return cell_int(id, cell);
    text = cell_text(cell, room);
    if (text.len == 0)
        return false;
    *id = row_text_id(&check, p->scratch, text.as.text, text.len);
    return true;
}

static void take_person(Pulling *p, const Cell *cell)
{
    uint32_t row = chunk_rows(p->writer);
    RowPull *pull = p->pull;
    int64_t id;

    if (p->source->role == ROLE_PEOPLE) {
        if (!get_id(&id, p, cell))
            return;
        if (pull->n_met == pull->room_met) {
            pull->room_met = 2 * pull->room_met + 1024;
            pull->met =
                mem_grow(pull->met, pull->room_met, sizeof *pull->met, "the extract");
        }
        pull->met[pull->n_met++] = id;
        return;
    }
    if (row == p->room_ids) {
        p->room_ids = 2 * p->room_ids + 4096;
        p->id = mem_grow(p->id, p->room_ids, sizeof *p->id, "the extract");
        p->has_id = mem_grow(p->has_id, p->room_ids, sizeof *p->has_id, "the extract");
    }
    p->has_id[row] = get_id(&p->id[row], p, cell);
}

static void take_row(Pulling *p, const Cell *cells)
{
    for (int c = 0; c < p->source->n_columns; c++) {
        bool is_first = p->at[c] >= 0;

        for (int b = 0; b < c && is_first; b++)
            is_first = p->at[b] != p->at[c];
        if (is_first)
            put_cell(p, p->at[c], &cells[c]);
    }
    if (p->person_at >= 0)
        take_person(p, &cells[p->person_at]);
    chunk_row(p->writer);
}

/* ---- files ------------------------------------------------------------- */

static int id_order(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static uint32_t keep_distinct(int64_t *id, uint32_t n)
{
    uint32_t kept = 0;

    if (n > 0)
        qsort(id, n, sizeof *id, id_order);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || id[i] != id[kept - 1])
            id[kept++] = id[i];
    return kept;
}

/* Numbers of the list; of the others their place among the chunk's own extra ids. */
static void number_people(ChunkPeople *people, const Pulling *p, uint32_t n)
{
    const PeopleList *list = p->pull->list;
    uint32_t *number = mem_alloc(n, sizeof *number, "the extract");
    int64_t *extra = mem_alloc(n, sizeof *extra, "the extract");
    uint32_t n_extra = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i + 16 < n)
            ids_fetch(&list->ids, p->id[i + 16]);
        number[i] = p->has_id[i] ? ids_find(&list->ids, p->id[i])->person : 0;
        if (number[i] == ID_ABSENT)
            extra[n_extra++] = p->id[i];
    }
    n_extra = keep_distinct(extra, n_extra);
    for (uint32_t i = 0; i < n && n_extra > 0; i++)
        if (number[i] == ID_ABSENT) {
            const int64_t *at =
                bsearch(&p->id[i], extra, n_extra, sizeof *extra, id_order);

            number[i] = list->n + 1 + (uint32_t)(at - extra);
        }
    *people = (ChunkPeople){number, list->n, extra, n_extra};
}

static int end_file(Pulling *p, Err *err)
{
    Arena *arena = p->pull->arena;
    ChunkPeople people = {0};
    ManifestFile *file;
    int rc, n = p->piece->n_files;

    p->piece->files = arena_grow(arena, p->piece->files, (size_t)n, (size_t)n + 1,
                                 sizeof *p->piece->files);
    file = &p->piece->files[p->piece->n_files++];
    *file = (ManifestFile){
        .name = arena_format(arena, "%s-%d" FILE_SUFFIX, p->pull->stem, n)};
    if (extract_has_persons(p->source))
        number_people(&people, p, chunk_rows(p->writer));
    rc = chunk_write(&file->chunk, p->writer, &people,
                     arena_format(arena, "%s/%s", p->pull->folder, file->name), err);
    file->chunk.bad_rows = p->bad_rows;
    p->bad_rows = 0;
    free((void *)people.number);
    free((void *)people.extra);
    return rc;
}

static int pull_rows(Pulling *p, const Slice *slice, Err *err)
{
    const Reader *reader = p->pull->access->reader;
    Cell *cells = mem_alloc((size_t)p->source->n_columns, sizeof *cells, "cells");
    void *stream = NULL;
    int found = NEXT_FAILED, rc = 0;

    if (reader->open(&stream, p->pull->access, slice, p->pull->db, err) != 0)
        rc = -1;
    while (rc == 0 &&
           (found = reader->next(stream, cells, &p->pull->bytes, err)) > NEXT_END) {
        p->pull->rows++;
        if (found == NEXT_BAD)
            p->bad_rows++;
        else
            take_row(p, cells);
        if (chunk_is_full(p->writer))
            rc = end_file(p, err);
    }
    reader->close(stream);
    free(cells);
    if (rc == 0 && found == NEXT_FAILED)
        rc = -1;
    if (rc == 0 && (chunk_rows(p->writer) > 0 || p->bad_rows > 0))
        rc = end_file(p, err);
    return rc;
}

int extract_pull(Piece *piece, RowPull *pull, const Slice *slice, Err *err)
{
    const Source *source = pull->access->source;
    size_t n_columns = (size_t)source->n_columns;
    Pulling p = {.pull = pull, .piece = piece, .source = source, .person_at = -1};
    bool *may_be_plain = mem_alloc(n_columns, sizeof *may_be_plain, "the extract");
    int n, rc;

    p.at = mem_alloc(n_columns, sizeof *p.at, "the extract");
    n = extract_columns(source, NULL, p.at);
    extract_plain(may_be_plain, source, p.at);
    for (int c = 0; c < source->n_columns; c++)
        if (source->columns[c].field == FIELD_PERSON &&
            (source->role == ROLE_PEOPLE || source->role == ROLE_EVENTS))
            p.person_at = c;
    p.writer = chunk_writer_new(n, may_be_plain);
    p.scratch = row_scratch_new();
    rc = pull_rows(&p, slice, err);
    row_scratch_free(p.scratch);
    chunk_writer_free(p.writer);
    free(may_be_plain);
    free(p.at);
    free(p.id);
    free(p.has_id);
    return rc;
}
