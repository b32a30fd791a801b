/*
 * kind_extract.c - an extract as a kind of source: it stands in for the kinds of the
 * config, and delivers the very cells that they delivered when it was made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/extract/folder.h"
#include "loaders/cell.h"
#include "loaders/extract.h"
#include "loaders/wanted.h"

/* A source that is in the extract. */
typedef struct Own {
    const ExtractSource *source;
    int *at; /* by column of the plan: that of the extract, -1 = person */
    const ManifestFile **file; /* by slice */
    const char *words;
} Own;

/* Rows of a chunk, one after the other. */
typedef struct Stream {
    const Own *own;
    Chunk *chunk;
    int n_columns;
    const ChunkColumn **column; /* by column of the plan */
    uint32_t **value;           /* of the block; of a plain column NULL */
    uint64_t **number;          /* of a plain column */
    uint8_t **is_missing;
    int block;
    uint32_t row, n; /* of the block */
    uint64_t bad_rows, bytes;
} Stream;

/* ---- the extract ------------------------------------------------------- */

int extract_list_is(const Manifest *manifest, const uint8_t *bytes, size_t len, Err *err)
{
    uint8_t said[SHA256_BYTES], found[SHA256_BYTES];

    sha256(found, bytes, len);
    if (len == manifest->n_people * sizeof(int64_t) &&
        hex_bytes(said, sizeof said, manifest->people_digest) &&
        memcmp(said, found, sizeof said) == 0)
        return 0;
    return chunk_damaged("the list of people", err);
}

static int read_list(Extract *extract, Err *err)
{
    const Manifest *manifest = &extract->manifest;
    const char *path =
        arena_format(extract->arena, "%s/%s", extract->folder, manifest->people);
    uint8_t *bytes;
    size_t len;

    if (file_read(&bytes, &len, path, err) != 0)
        return -1;
    extract->listed = (int64_t *)bytes;
    return extract_list_is(manifest, bytes, len, err);
}

int extract_open(Extract **out, const char *folder, Err *err)
{
    Extract *extract = mem_alloc(1, sizeof *extract, "the extract");

    extract->folder = folder;
    extract->lock = -1;
    extract->arena = arena_new();
    *out = extract;
    if (folder_open(&extract->lock, folder, FOLDER_READ, err) == 0 &&
        manifest_read(&extract->manifest, folder, extract->arena, err) == 0 &&
        read_list(extract, err) == 0)
        return 0;
    extract_close(extract);
    *out = NULL;
    return -1;
}

void extract_close(Extract *extract)
{
    if (extract == NULL)
        return;
    folder_close(extract->lock);
    free(extract->listed);
    free(extract->met);
    arena_free(extract->arena);
    free(extract);
}

void extract_meet(Extract *extract, const People *people)
{
    uint32_t n = extract->manifest.n_people;

    extract->people = people;
    extract->met = mem_alloc((size_t)n + 1, sizeof *extract->met, "people");
    extract->met[0].person = ID_ABSENT;
    for (uint32_t i = 0; i < n; i++) {
        if (i + 16 < n)
            ids_fetch(&people->ids, extract->listed[i + 16]);
        extract->met[i + 1] = *ids_find(&people->ids, extract->listed[i]);
    }
}

/* ---- finding ----------------------------------------------------------- */

static int missing_place(const Access *access, const char *place, Err *err)
{
    err_add(err, ERR_CONFIG, access->source->place_where,
            "source \"%s\" is not in the extract: it has no %s", access->source->name,
            access->source->query == NULL ? place : "such query");
    err_hint(err, "make the extract again with this config: `stratify extract -c FILE "
                  "--extract DIR`");
    return -1;
}

static int missing_column(const Column *column, Err *err)
{
    err_add(err, ERR_CONFIG, column->where,
            "column \"%s\" is not in the extract, or not for this use", column->name);
    err_hint(err, "make the extract again with this config: `stratify extract -c FILE "
                  "--extract DIR`");
    return -1;
}

/* Where the extract has the column, for its use; or -1. */
static int find_column(const ExtractSource *source, const Column *column, bool is_event)
{
    for (int c = 0; c < source->n_columns; c++) {
        const ExtractColumn *found = &source->columns[c];

        if (strcmp(found->name, column->name) == 0)
            return !is_event || !found->may_be_plain || column->field == FIELD_VALUE ||
                           column->field == FIELD_KEY
                       ? c
                       : -1;
    }
    return -1;
}

static bool has_columns(const ExtractSource *found, const Source *source)
{
    bool is_event = extract_has_persons(source);

    for (int c = 0; c < source->n_columns; c++)
        if (!(is_event && source->columns[c].field == FIELD_PERSON) &&
            find_column(found, &source->columns[c], is_event) < 0)
            return false;
    return true;
}

/* Of the sources of the place one that has all columns or, where none has, the first. */
static const ExtractSource *find_source(const Manifest *manifest, const char *place,
                                        const Source *source)
{
    const ExtractSource *first = manifest_source(manifest, place, NULL), *found = first;

    while (found != NULL && !has_columns(found, source))
        found = manifest_source(manifest, place, found);
    return found != NULL ? found : first;
}

static int map_columns(Own *own, Access *access, Err *err)
{
    const Source *source = access->source;
    size_t n = (size_t)source->n_columns;
    CellType *type = arena_alloc(access->arena, n, sizeof *type);
    bool *is_integer = arena_alloc(access->arena, n, sizeof *is_integer);
    int rc = 0;

    own->at = arena_alloc(access->arena, n, sizeof *own->at);
    access->type = type;
    access->is_integer = is_integer;
    for (int c = 0; c < source->n_columns; c++) {
        const Column *column = &source->columns[c];

        own->at[c] = -1;
        if (extract_has_persons(source) && column->field == FIELD_PERSON)
            continue;
        own->at[c] = find_column(own->source, column, source->role == ROLE_EVENTS);
        if (own->at[c] < 0) {
            rc = missing_column(column, err);
            continue;
        }
        type[c] = (CellType)own->source->columns[own->at[c]].type;
        is_integer[c] = own->source->columns[own->at[c]].is_integer;
    }
    return rc;
}

static void list_files(Own *own, Access *access)
{
    const ExtractSource *source = own->source;
    int n = 0;

    for (int p = 0; p < source->n_pieces; p++)
        n += source->pieces[p].n_files;
    own->file = arena_alloc(access->arena, (size_t)n, sizeof *own->file);
    n = 0;
    for (int p = 0; p < source->n_pieces; p++)
        for (int f = 0; f < source->pieces[p].n_files; f++) {
            own->file[n] = &source->pieces[p].files[f];
            access->rows += (double)own->file[n]->chunk.rows;
            access->bytes += own->file[n++]->chunk.bytes;
        }
    own->words = arena_format(access->arena, "%s: %d files, %" PRIu64 " bytes",
                              source->place, n, access->bytes);
}

static int extract_find(Access *access, Db *db, Err *err)
{
    const Source *source = access->source;
    const char *place = extract_place(source, access->arena);
    Own *own = arena_alloc(access->arena, 1, sizeof *own);

    (void)db;
    access->own = own;
    own->source = find_source(&access->extract->manifest, place, source);
    if (own->source == NULL || own->source->is_text_person != source->text_person ||
        own->source->has_persons != extract_has_persons(source))
        return missing_place(access, place, err);
    list_files(own, access);
    if (map_columns(own, access, err) != 0)
        return -1;
    access->wanted = wanted_new(access, true);
    return 0;
}

static int extract_split(Slices *slices, Access *access, Db *db, int n_workers, Err *err)
{
    const Own *own = access->own;
    uint32_t n = 0;

    (void)db, (void)n_workers, (void)err;
    for (int p = 0; p < own->source->n_pieces; p++)
        for (int f = 0; f < own->source->pieces[p].n_files; f++, n++)
            slices_add(slices, (Slice){access->index, n, 0, own->file[n]->chunk.bytes});
    return 0;
}

const ManifestFile *extract_file(const Access *access, const Slice *slice)
{
    const Own *own = access->own;

    return own->file[slice->first];
}

const int *extract_column_at(const Access *access)
{
    const Own *own = access->own;

    return own->at;
}

/* ---- row by row: sources about people ---------------------------------- */

static void extract_stream_close(void *opaque)
{
    Stream *stream = opaque;

    if (stream == NULL)
        return;
    for (int c = 0; c < stream->n_columns; c++) {
        free(stream->value[c]);
        free(stream->number[c]);
        free(stream->is_missing[c]);
    }
    free(stream->column);
    free(stream->value);
    free(stream->number);
    free(stream->is_missing);
    chunk_close(stream->chunk);
    free(stream);
}

static int open_columns(Stream *stream, Err *err)
{
    for (int c = 0; c < stream->n_columns; c++) {
        stream->column[c] = chunk_column(stream->chunk, stream->own->at[c], err);
        if (stream->column[c] == NULL)
            return -1;
        if (stream->column[c]->is_plain) {
            stream->number[c] =
                mem_alloc(BLOCK_ROWS, sizeof **stream->number, "the extract");
            stream->is_missing[c] = mem_alloc(BLOCK_ROWS, 1, "the extract");
        } else {
            stream->value[c] =
                mem_alloc(BLOCK_ROWS, sizeof **stream->value, "the extract");
        }
    }
    return 0;
}

static int extract_stream_open(void **out, const Access *access, const Slice *slice,
                               Db *db, Err *err)
{
    const ManifestFile *file = extract_file(access, slice);
    const Extract *extract = access->extract;
    size_t n = (size_t)access->source->n_columns;
    Stream *stream = mem_alloc(1, sizeof *stream, "stream");
    char path[4096];

    (void)db;
    stream->own = access->own;
    stream->n_columns = access->source->n_columns;
    stream->column = mem_alloc(n, sizeof *stream->column, "stream");
    stream->value = mem_alloc(n, sizeof *stream->value, "stream");
    stream->number = mem_alloc(n, sizeof *stream->number, "stream");
    stream->is_missing = mem_alloc(n, sizeof *stream->is_missing, "stream");
    stream->bad_rows = file->chunk.bad_rows;
    stream->bytes = file->chunk.bytes;
    stream->block = -1;
    *out = stream;
    snprintf(path, sizeof path, "%s/%s", extract->folder, file->name);
    if (chunk_open(&stream->chunk, path, &file->chunk, err) == 0 &&
        chunk_n_columns(stream->chunk) == stream->own->source->n_columns &&
        open_columns(stream, err) == 0)
        return 0;
    extract_stream_close(stream);
    *out = NULL;
    return -1;
}

static int next_block(Stream *stream, Err *err)
{
    stream->block++;
    stream->row = 0;
    stream->n = chunk_block_rows(stream->chunk, stream->block);
    for (int c = 0; c < stream->n_columns; c++) {
        int at = stream->own->at[c];
        int rc =
            stream->column[c]->is_plain
                ? chunk_plain(stream->number[c], stream->is_missing[c], stream->chunk, at,
                              stream->block, err)
                : chunk_values(stream->value[c], stream->chunk, at, stream->block, err);

        if (rc != 0)
            return -1;
    }
    return 0;
}

void extract_cell(Cell *cell, uint8_t type, uint64_t number)
{
    cell->type = (CellType)type;
    switch (cell->type) {
    case CELL_FLOAT:
        memcpy(&cell->as.real, &number, sizeof cell->as.real);
        break;
    case CELL_YESNO:
        cell->as.yesno = number != 0;
        break;
    case CELL_DAY:
        cell->as.day = (int32_t)(uint32_t)number;
        break;
    default:
        cell->type = CELL_INT;
        cell->as.number = (int64_t)number;
    }
}

void extract_value(Cell *cell, const ChunkColumn *column, uint32_t value)
{
    if (value == 0) {
        cell->type = CELL_NULL;
    } else if (column->text != NULL) {
        uint32_t start = value == 1 ? 0 : column->end[value - 1];

        cell->type = CELL_TEXT;
        cell->len = column->end[value] - start;
        cell->as.text = column->text + start;
    } else {
        extract_cell(cell, column->type, column->number[value]);
    }
}

static int extract_next(void *opaque, Cell *cells, uint64_t *bytes, Err *err)
{
    Stream *stream = opaque;

    *bytes += stream->bytes;
    stream->bytes = 0;
    if (stream->bad_rows > 0) {
        stream->bad_rows--;
        return NEXT_BAD;
    }
    while (stream->row == stream->n) {
        if (stream->block + 1 == chunk_n_blocks(stream->chunk))
            return NEXT_END;
        if (next_block(stream, err) != 0)
            return NEXT_FAILED;
    }
    for (int c = 0; c < stream->n_columns; c++) {
        const ChunkColumn *column = stream->column[c];

        if (!column->is_plain)
            extract_value(&cells[c], column, stream->value[c][stream->row]);
        else if (stream->is_missing[c][stream->row])
            cells[c].type = CELL_NULL;
        else
            extract_cell(&cells[c], column->type, stream->number[c][stream->row]);
    }
    stream->row++;
    return NEXT_ROW;
}

static const char *extract_describe(const Access *access)
{
    const Own *own = access->own;

    return own->words;
}

const Reader extract_reader = {
    .find = extract_find,
    .split = extract_split,
    .open = extract_stream_open,
    .next = extract_next,
    .close = extract_stream_close,
    .take = extract_take,
    .describe = extract_describe,
};
