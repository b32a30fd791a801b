/*
 * chunk_write.c - rows -> a chunk; see chunk.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/extract/chunk_dictionary.h"
#include "engine/extract/chunk_file.h"
#include "engine/extract/folder.h"

typedef struct Column {
    bool may_be_plain, is_text;
    uint8_t type;
    uint32_t *index; /* by row: number of the value */
    Dictionary values;
} Column;

struct ChunkWriter {
    int n_columns;
    Column *columns;
    uint32_t n_rows, room_rows;
    Packer *packer;
};

enum { FIRST_ROWS = 4096, MOST_TEXT = 256 * 1024 * 1024 };

ChunkWriter *chunk_writer_new(int n_columns, const bool *may_be_plain)
{
    ChunkWriter *writer = mem_alloc(1, sizeof *writer, "the extract");

    writer->n_columns = n_columns;
    writer->columns =
        mem_alloc((size_t)n_columns, sizeof *writer->columns, "the extract");
    writer->packer = packer_new();
    for (int c = 0; c < n_columns; c++) {
        writer->columns[c].may_be_plain = may_be_plain[c];
        dictionary_build(&writer->columns[c].values);
    }
    return writer;
}

void chunk_writer_free(ChunkWriter *writer)
{
    if (writer == NULL)
        return;
    for (int c = 0; c < writer->n_columns; c++) {
        free(writer->columns[c].index);
        dictionary_free(&writer->columns[c].values);
    }
    free(writer->columns);
    packer_free(writer->packer);
    free(writer);
}

/* ---- rows -------------------------------------------------------------- */

static Column *typed(ChunkWriter *writer, int c, uint8_t type, bool is_text)
{
    Column *column = &writer->columns[c];

    assert(type != 0 && (column->type == 0 || column->type == type));
    column->type = type;
    column->is_text = is_text;
    return column;
}

static void need_row(ChunkWriter *writer)
{
    if (writer->n_rows < writer->room_rows)
        return;
    writer->room_rows = 2 * writer->room_rows + FIRST_ROWS;
    for (int c = 0; c < writer->n_columns; c++)
        writer->columns[c].index = mem_grow(writer->columns[c].index, writer->room_rows,
                                            sizeof(uint32_t), "the extract");
}

void chunk_number(ChunkWriter *writer, int c, uint8_t type, uint64_t number)
{
    Column *column = typed(writer, c, type, false);

    need_row(writer);
    column->index[writer->n_rows] = dictionary_add_number(&column->values, number);
}

void chunk_text(ChunkWriter *writer, int c, uint8_t type, const char *text, uint32_t len)
{
    Column *column = typed(writer, c, type, true);

    need_row(writer);
    column->index[writer->n_rows] = dictionary_add_text(&column->values, text, len);
}

void chunk_missing(ChunkWriter *writer, int c)
{
    need_row(writer);
    writer->columns[c].index[writer->n_rows] = 0;
}

void chunk_row(ChunkWriter *writer)
{
    assert(writer->n_rows < CHUNK_MOST_ROWS);
    need_row(writer);
    writer->n_rows++;
}

uint32_t chunk_rows(const ChunkWriter *writer)
{
    return writer->n_rows;
}

bool chunk_is_full(const ChunkWriter *writer)
{
    bool is_full = writer->n_rows == CHUNK_MOST_ROWS;

    for (int c = 0; c < writer->n_columns; c++)
        is_full |= writer->columns[c].values.text.n >= MOST_TEXT;
    return is_full;
}

/* ---- order ------------------------------------------------------------- */

/* Rows by person; those of one person stay as they came. Radix sort, 11 bits a time. */
static uint32_t *order_rows(const uint32_t *number, uint32_t n)
{
    uint32_t *order = mem_alloc(n, sizeof *order, "the extract");
    uint32_t *other = mem_alloc(n, sizeof *other, "the extract");

    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (int shift = 0; shift < 32 && number != NULL; shift += 11) {
        uint32_t start[2049] = {0}, *swap = order;

        for (uint32_t i = 0; i < n; i++)
            start[(number[i] >> shift & 2047) + 1]++;
        for (int b = 0; b < 2048; b++)
            start[b + 1] += start[b];
        for (uint32_t i = 0; i < n; i++)
            other[start[number[order[i]] >> shift & 2047]++] = order[i];
        order = other;
        other = swap;
    }
    free(other);
    return order;
}

/* ---- the file ---------------------------------------------------------- */

typedef struct Writing {
    ChunkWriter *writer;
    const ChunkPeople *people;
    ChunkHeader header;
    ColumnHeader *columns;
    Section *sections;
    uint32_t n_sections;
    uint32_t *order;
    uint32_t **to; /* by column */
    Buffer file;
    Buffer piece; /* a section before it is packed */
} Writing;

/* Compressed where so many bytes at most are left of it. */
static void end_section(Writing *w, size_t most)
{
    w->sections[w->n_sections++] =
        section_put(&w->file, w->writer->packer, w->piece.bytes, w->piece.n, most);
    w->piece.n = 0;
}

/* Read once a file: worth compressing for an eighth. */
static void end_dictionary(Writing *w)
{
    end_section(w, w->piece.n - w->piece.n / 8);
}

/* Read for every row: worth compressing only where hardly anything is left. */
static void end_block(Writing *w)
{
    end_section(w, w->piece.n / 4);
}

/* The width, and the numbers. */
static void put_bits(Writing *w, const uint32_t *numbers, uint32_t n, int bits)
{
    size_t bytes = bits_bytes(n, bits);

    *buffer_add(&w->piece, 1) = (uint8_t)bits;
    bits_put(buffer_add(&w->piece, bytes + BITS_SLACK), numbers, n, bits);
    w->piece.n -= BITS_SLACK;
}

static void put_planes(Writing *w, const uint64_t *numbers, size_t n)
{
    planes_put(buffer_add(&w->piece, 8 * n), numbers, n);
}

static void put_extra(Writing *w)
{
    put_planes(w, (const uint64_t *)w->people->extra, w->people->n_extra);
    end_dictionary(w);
}

static void put_texts(Writing *w, const Dictionary *values, const uint32_t *from)
{
    for (uint32_t v = 1; v < values->n; v++) {
        uint32_t len;

        dictionary_text(values, from[v], &len);
        memcpy(buffer_add(&w->piece, sizeof len), &len, sizeof len);
    }
    for (uint32_t v = 1; v < values->n; v++) {
        uint32_t len;
        const char *text = dictionary_text(values, from[v], &len);

        if (len > 0)
            memcpy(buffer_add(&w->piece, len), text, len);
    }
}

static void put_dictionary(Writing *w, int c)
{
    const Dictionary *values = &w->writer->columns[c].values;
    uint32_t *from = mem_alloc(values->n, sizeof *from, "the extract");
    uint64_t *numbers;

    for (uint32_t v = 0; v < values->n; v++)
        from[w->to[c][v]] = v;
    if (w->columns[c].is_text) {
        put_texts(w, values, from);
    } else if (!w->columns[c].is_plain) {
        numbers = mem_alloc(values->n, sizeof *numbers, "the extract");
        for (uint32_t v = 1; v < values->n; v++)
            numbers[v - 1] = values->number[from[v]];
        put_planes(w, numbers, values->n - 1);
        free(numbers);
    }
    end_dictionary(w);
    free(from);
}

/* The width at which steps and those that do not fit take the least room. */
static int choose_bits(const uint32_t *step, uint32_t n)
{
    uint32_t by_bits[33] = {0}, far = 0;
    size_t least = SIZE_MAX;
    int best = 32;

    for (uint32_t i = 0; i < n; i++) /* the step that has all bits set does not fit */
        by_bits[bits_needed(step[i] + (step[i] < UINT32_MAX))]++;
    for (int bits = 32; bits >= 1; bits--) {
        size_t bytes = bits_bytes(n, bits) + 4 * (size_t)far;

        if (bytes < least) {
            least = bytes;
            best = bits;
        }
        far += by_bits[bits];
    }
    return best;
}

static void put_persons(Writing *w, uint32_t first, uint32_t n)
{
    uint32_t *step = mem_alloc(n, sizeof *step, "the extract");
    const uint32_t *number = w->people->number;
    uint32_t before = 0, all;
    Buffer far = {0};
    int bits;

    for (uint32_t i = 0; i < n; i++) {
        step[i] = number[w->order[first + i]] - before;
        before += step[i];
    }
    bits = choose_bits(step, n);
    all = (uint32_t)((UINT64_C(1) << bits) - 1);
    for (uint32_t i = 0; i < n; i++) {
        if (step[i] < all)
            continue;
        step[i] = all;
        memcpy(buffer_add(&far, sizeof *number), &number[w->order[first + i]],
               sizeof *number);
    }
    put_bits(w, step, n, bits);
    if (far.n > 0)
        memcpy(buffer_add(&w->piece, far.n), far.bytes, far.n);
    buffer_free(&far);
    free(step);
    end_block(w);
}

static void put_values(Writing *w, int c, uint32_t first, uint32_t n)
{
    const Column *column = &w->writer->columns[c];
    uint32_t *value = mem_alloc(n, sizeof *value, "the extract"), most = 0, kept = 0;
    uint8_t *is_sparse = buffer_add(&w->piece, 1), *map;

    for (uint32_t i = 0; i < n; i++) {
        value[i] = w->to[c][column->index[w->order[first + i]]];
        most = value[i] > most ? value[i] : most;
        kept += value[i] != 0;
    }
    *is_sparse = kept < n / 4 * 3 && bits_needed(most) > 3;
    if (*is_sparse) {
        map = buffer_add(&w->piece, bits_bytes(n, 1));
        memset(map, 0, bits_bytes(n, 1));
        kept = 0;
        for (uint32_t i = 0; i < n; i++) {
            map[i / 8] |= (uint8_t)((value[i] != 0) << i % 8);
            value[kept] = value[i];
            kept += value[i] != 0;
        }
        n = kept;
    }
    put_bits(w, value, n, bits_needed(most));
    free(value);
    end_block(w);
}

static void put_plain(Writing *w, int c, uint32_t first, uint32_t n)
{
    const Column *column = &w->writer->columns[c];
    uint64_t *numbers = mem_alloc(n, sizeof *numbers, "the extract");
    uint8_t *is_missing = buffer_add(&w->piece, n);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t value = column->index[w->order[first + i]];

        is_missing[i] = value == 0;
        numbers[i] = value == 0 ? 0 : column->values.number[value];
    }
    put_planes(w, numbers, n);
    end_dictionary(w);
    free(numbers);
}

static void put_blocks(Writing *w)
{
    for (uint32_t first = 0; first < w->header.n_rows; first += BLOCK_ROWS) {
        uint32_t left = w->header.n_rows - first;
        uint32_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;

        if (w->header.has_persons)
            put_persons(w, first, n);
        for (int c = 0; c < w->writer->n_columns; c++) {
            if (w->columns[c].is_plain)
                put_plain(w, c, first, n);
            else
                put_values(w, c, first, n);
        }
    }
}

static void set_columns(Writing *w)
{
    for (int c = 0; c < w->writer->n_columns; c++) {
        const Column *column = &w->writer->columns[c];
        bool is_plain = column->may_be_plain && !column->is_text &&
                        column->values.n > 1024 &&
                        column->values.n > w->header.n_rows / 2;

        w->columns[c] = (ColumnHeader){column->type, column->is_text && column->type != 0,
                                       is_plain, 0, column->values.n};
        w->to[c] = dictionary_rank(&column->values, column->index, w->header.n_rows);
    }
}

static void build_file(Writing *w)
{
    ChunkWriter *writer = w->writer;
    size_t n_columns = (size_t)writer->n_columns, head;

    memcpy(w->header.magic, CHUNK_MAGIC, sizeof w->header.magic);
    w->header.n_rows = writer->n_rows;
    w->header.n_columns = (uint32_t)n_columns;
    w->header.n_blocks = (writer->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    w->header.n_listed = w->people->n_listed;
    w->header.n_extra = w->people->n_extra;
    w->header.has_persons = w->people->number != NULL;
    w->columns = mem_alloc(n_columns, sizeof *w->columns, "the extract");
    w->sections = mem_alloc(n_sections(&w->header), sizeof *w->sections, "the extract");
    w->to = mem_alloc(n_columns, sizeof *w->to, "the extract");
    w->order = order_rows(w->people->number, writer->n_rows);
    head = head_bytes(&w->header);
    buffer_add(&w->file, head);
    set_columns(w);
    put_extra(w);
    for (int c = 0; c < writer->n_columns; c++)
        put_dictionary(w, c);
    put_blocks(w);
    assert(w->n_sections == n_sections(&w->header));
    memcpy(w->file.bytes, &w->header, sizeof w->header);
    memcpy(w->file.bytes + sizeof w->header, w->columns, n_columns * sizeof *w->columns);
    memcpy(w->file.bytes + sizeof w->header + n_columns * sizeof *w->columns, w->sections,
           w->n_sections * sizeof *w->sections);
}

static void writing_free(Writing *w)
{
    for (int c = 0; c < w->writer->n_columns; c++)
        free(w->to[c]);
    free(w->to);
    free(w->columns);
    free(w->sections);
    free(w->order);
    buffer_free(&w->file);
    buffer_free(&w->piece);
}

int chunk_write(ChunkFile *file, ChunkWriter *writer, const ChunkPeople *people,
                const char *path, Err *err)
{
    Writing w = {.writer = writer, .people = people};
    int rc;

    build_file(&w);
    file->rows = writer->n_rows;
    file->bytes = w.file.n;
    sha256(file->head, w.file.bytes, head_bytes(&w.header));
    rc = file_write(path, w.file.bytes, w.file.n, err);
    writing_free(&w);
    for (int c = 0; c < writer->n_columns; c++) {
        writer->columns[c].type = 0;
        dictionary_clear(&writer->columns[c].values);
    }
    writer->n_rows = 0;
    return rc;
}
