/*
 * chunk.c - a chunk -> rows; see chunk.h. Nothing in a file is believed before it is
 * checked: a number that points outside its array is a damaged file like any other.
 */
#include "engine/extract/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/extract/chunk_file.h"
#include "engine/extract/folder.h"

enum { MOST_BLOCK_BYTES = 9 * BLOCK_ROWS };

struct Chunk {
    const char *name; /* for reports */
    uint8_t *owned;   /* bytes, where they are the chunk's own */
    const uint8_t *bytes;
    size_t len;
    ChunkHeader header;
    const ColumnHeader *columns;
    const Section *sections;
    ChunkColumn *dictionaries;
    bool *has_dictionary;
    int64_t *extra;
    uint8_t *room;  /* for one section of a block */
    uint32_t *kept; /* for numbers of a block, before they are spread */
    Packer *packer;
};

int chunk_damaged(const char *name, Err *err)
{
    err_add(err, ERR_DATA, (Where){name, 0, 0}, "the extract is damaged");
    err_hint(err, "delete the extract with `stratify extract --delete DIR` and make it "
                  "again");
    return -1;
}

static int damaged(const Chunk *chunk, Err *err)
{
    return chunk_damaged(chunk->name, err);
}

static bool is_column(const ColumnHeader *column)
{
    if (column->is_text > 1 || column->is_plain > 1 || column->n == 0)
        return false;
    return !(column->is_plain && column->is_text);
}

/* Header, columns and directory: sizes only. */
static bool take_head(Chunk *chunk)
{
    ChunkHeader *header = &chunk->header;

    if (chunk->len < sizeof *header)
        return false;
    memcpy(header, chunk->bytes, sizeof *header);
    if (memcmp(header->magic, CHUNK_MAGIC, sizeof header->magic) != 0 ||
        header->n_rows > CHUNK_MOST_ROWS || header->n_columns > MOST_COLUMNS ||
        header->n_blocks != (header->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS ||
        header->has_persons > 1 || header->n_extra > header->n_rows ||
        head_bytes(header) > chunk->len)
        return false;
    chunk->columns = (const ColumnHeader *)(chunk->bytes + sizeof *header);
    chunk->sections = (const Section *)(chunk->columns + header->n_columns);
    for (uint32_t c = 0; c < header->n_columns; c++)
        if (!is_column(&chunk->columns[c]) || chunk->columns[c].n > header->n_rows + 1)
            return false;
    return true;
}

static int set_up(Chunk *chunk, Err *err)
{
    if (!take_head(chunk))
        return damaged(chunk, err);
    chunk->packer = packer_new();
    chunk->dictionaries =
        mem_alloc(chunk->header.n_columns, sizeof *chunk->dictionaries, "the extract");
    chunk->has_dictionary =
        mem_alloc(chunk->header.n_columns, sizeof *chunk->has_dictionary, "the extract");
    chunk->room = mem_alloc(MOST_BLOCK_BYTES + BITS_SLACK, 1, "the extract");
    chunk->kept = mem_alloc(BLOCK_ROWS + 1, sizeof *chunk->kept, "the extract");
    return 0;
}

int chunk_parse(Chunk **out, const char *name, const uint8_t *bytes, size_t len, Err *err)
{
    Chunk *chunk = mem_alloc(1, sizeof *chunk, "the extract");

    chunk->name = name;
    chunk->bytes = bytes;
    chunk->len = len;
    *out = chunk;
    if (set_up(chunk, err) == 0)
        return 0;
    chunk_close(chunk);
    *out = NULL;
    return -1;
}

int chunk_open(Chunk **out, const char *path, const ChunkFile *file, Err *err)
{
    uint8_t *bytes, head[SHA256_BYTES];
    size_t len;

    *out = NULL;
    if (file_read(&bytes, &len, path, err) != 0)
        return -1;
    if (chunk_parse(out, path, bytes, len, err) != 0) {
        free(bytes);
        return -1;
    }
    (*out)->owned = bytes;
    sha256(head, bytes, head_bytes(&(*out)->header));
    if (len == file->bytes && (*out)->header.n_rows == file->rows &&
        memcmp(head, file->head, sizeof head) == 0)
        return 0;
    damaged(*out, err);
    chunk_close(*out);
    *out = NULL;
    return -1;
}

void chunk_close(Chunk *chunk)
{
    if (chunk == NULL)
        return;
    for (uint32_t c = 0; chunk->dictionaries != NULL && c < chunk->header.n_columns;
         c++) {
        free(chunk->dictionaries[c].number);
        free(chunk->dictionaries[c].end);
        free(chunk->dictionaries[c].own);
    }
    free(chunk->dictionaries);
    free(chunk->has_dictionary);
    free(chunk->extra);
    free(chunk->room);
    free(chunk->kept);
    packer_free(chunk->packer);
    free(chunk->owned);
    free(chunk);
}

uint32_t chunk_n_rows(const Chunk *chunk)
{
    return chunk->header.n_rows;
}

int chunk_n_columns(const Chunk *chunk)
{
    return (int)chunk->header.n_columns;
}

int chunk_n_blocks(const Chunk *chunk)
{
    return (int)chunk->header.n_blocks;
}

uint32_t chunk_block_rows(const Chunk *chunk, int block)
{
    uint32_t left = chunk->header.n_rows - (uint32_t)block * BLOCK_ROWS;

    return left < BLOCK_ROWS ? left : BLOCK_ROWS;
}

/* ---- sections ---------------------------------------------------------- */

static bool get(void *out, const Chunk *chunk, const Section *section)
{
    return section_get(out, chunk->packer, section, chunk->bytes, chunk->len);
}

static bool get_planes(uint64_t *out, const Chunk *chunk, const Section *section,
                       uint32_t n)
{
    uint8_t *planes;
    bool is_good;

    if (section->bytes != 8 * (uint64_t)n)
        return false;
    planes = mem_alloc(n, 8, "the extract");
    is_good = get(planes, chunk, section);
    if (is_good)
        planes_get(out, planes, n);
    free(planes);
    return is_good;
}

int chunk_extra(const int64_t **extra, uint32_t *n_extra, uint32_t *n_listed,
                Chunk *chunk, Err *err)
{
    const ChunkHeader *header = &chunk->header;

    if (chunk->extra == NULL) {
        chunk->extra = mem_alloc(header->n_extra, sizeof *chunk->extra, "the extract");
        if (!get_planes((uint64_t *)chunk->extra, chunk, &chunk->sections[0],
                        header->n_extra))
            return damaged(chunk, err);
    }
    *extra = chunk->extra;
    *n_extra = header->n_extra;
    *n_listed = header->n_listed;
    return 0;
}

/* Lengths, then the bytes. */
static bool get_texts(ChunkColumn *column, const Chunk *chunk, const Section *section)
{
    uint64_t lengths = (uint64_t)(column->n - 1) * sizeof(uint32_t), sum = 0;
    char *bytes;

    if (section->bytes < lengths || !section_is_possible(section, chunk->len))
        return false;
    column->own = bytes = mem_alloc(section->bytes, 1, "the extract");
    column->end = mem_alloc(column->n, sizeof *column->end, "the extract");
    if (!get(bytes, chunk, section))
        return false;
    for (uint32_t v = 1; v < column->n; v++) {
        uint32_t len;

        memcpy(&len, bytes + (v - 1) * sizeof len, sizeof len);
        sum += len;
        if (sum > section->bytes - lengths)
            return false;
        column->end[v] = (uint32_t)sum;
    }
    column->text = bytes + lengths;
    return sum == section->bytes - lengths;
}

static bool get_dictionary(ChunkColumn *column, const Chunk *chunk, int c)
{
    const ColumnHeader *header = &chunk->columns[c];
    const Section *section = &chunk->sections[1 + c];

    column->type = header->type;
    column->is_plain = header->is_plain;
    column->n = header->n;
    if (header->is_plain)
        return true;
    if (header->is_text)
        return get_texts(column, chunk, section);
    column->number = mem_alloc(column->n, sizeof *column->number, "the extract");
    return get_planes(column->number + 1, chunk, section, column->n - 1);
}

const ChunkColumn *chunk_column(Chunk *chunk, int c, Err *err)
{
    if (!chunk->has_dictionary[c] && !get_dictionary(&chunk->dictionaries[c], chunk, c)) {
        damaged(chunk, err);
        return NULL;
    }
    chunk->has_dictionary[c] = true;
    return &chunk->dictionaries[c];
}

/* Of a block: 0 = persons where there are any, then the columns. */
static const Section *section_of(const Chunk *chunk, int block, uint32_t which)
{
    const ChunkHeader *header = &chunk->header;

    return &chunk->sections[1 + header->n_columns +
                            (uint32_t)block * sections_of_block(header) + which];
}

/* Numbers of a block, in room from *at on; moves *at behind them. */
static bool get_bits(uint32_t *out, uint32_t n, const uint8_t **at, const uint8_t *end)
{
    int bits;

    if (*at >= end || **at > 32)
        return false;
    bits = *(*at)++;
    if (bits_bytes(n, bits) > (size_t)(end - *at))
        return false;
    bits_get(out, *at, n, bits);
    *at += bits_bytes(n, bits);
    return true;
}

/* Reads a section of a block into room. NULL if it cannot be. */
static const uint8_t *get_block(const uint8_t **end, Chunk *chunk, const Section *section)
{
    *end = chunk->room + section->bytes;
    if (section->bytes < 2 || section->bytes > MOST_BLOCK_BYTES ||
        !get(chunk->room, chunk, section))
        return NULL;
    return chunk->room;
}

/* From steps to persons, in place. */
static bool add_steps(uint32_t *out, uint32_t n, uint32_t all, const uint8_t *far,
                      const uint8_t *end, uint64_t most)
{
    uint32_t person = 0, largest = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (out[i] != all) {
            person += out[i];
        } else {
            if (end - far < (ptrdiff_t)sizeof person)
                return false;
            memcpy(&person, far, sizeof person);
            far += sizeof person;
        }
        largest = person > largest ? person : largest;
        out[i] = person;
    }
    return largest <= most;
}

int chunk_persons(uint32_t *out, Chunk *chunk, int block, Err *err)
{
    uint32_t n = chunk_block_rows(chunk, block), all;
    uint64_t most = (uint64_t)chunk->header.n_listed + chunk->header.n_extra;
    const uint8_t *at, *end;

    if (!chunk->header.has_persons)
        return damaged(chunk, err);
    at = get_block(&end, chunk, section_of(chunk, block, 0));
    if (at == NULL)
        return damaged(chunk, err);
    all = (uint32_t)((UINT64_C(1) << (*at & 63)) - 1);
    if (!get_bits(out, n, &at, end) || !add_steps(out, n, all, at, end, most))
        return damaged(chunk, err);
    return 0;
}

/* Spreads the numbers of the rows whose bit is set; the others are missing. */
static void spread(uint32_t *out, const uint32_t *from, const uint8_t *map, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bit = map[i / 8] >> i % 8 & 1;

        out[i] = *from & (0 - bit);
        from += bit;
    }
}

static uint32_t count_bits(const uint8_t *map, size_t bytes)
{
    uint32_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += (uint32_t)__builtin_popcount(map[i]);
    return n;
}

static bool get_values(uint32_t *out, uint32_t n, Chunk *chunk, const uint8_t *at,
                       const uint8_t *end)
{
    const uint8_t *map = at + 1;
    uint32_t kept;

    if (*at == 0) {
        at++;
        return get_bits(out, n, &at, end);
    }
    if ((size_t)(end - map) < bits_bytes(n, 1))
        return false;
    at = map + bits_bytes(n, 1);
    kept = count_bits(map, bits_bytes(n, 1));
    if (kept > n || !get_bits(chunk->kept, kept, &at, end))
        return false;
    spread(out, chunk->kept, map, n);
    return true;
}

int chunk_values(uint32_t *out, Chunk *chunk, int c, int block, Err *err)
{
    const ColumnHeader *column = &chunk->columns[c];
    uint32_t n = chunk_block_rows(chunk, block), most = 0;
    const uint8_t *at, *end;

    if (column->is_plain)
        return damaged(chunk, err);
    at = get_block(&end, chunk,
                   section_of(chunk, block, (uint32_t)c + chunk->header.has_persons));
    if (at == NULL || !get_values(out, n, chunk, at, end))
        return damaged(chunk, err);
    for (uint32_t i = 0; i < n; i++)
        most = out[i] > most ? out[i] : most;
    return most < column->n ? 0 : damaged(chunk, err);
}

int chunk_plain(uint64_t *out, uint8_t *is_missing, Chunk *chunk, int c, int block,
                Err *err)
{
    uint32_t n = chunk_block_rows(chunk, block);
    const Section *section =
        section_of(chunk, block, (uint32_t)c + chunk->header.has_persons);

    if (!chunk->columns[c].is_plain || section->bytes != 9 * n ||
        !get(chunk->room, chunk, section))
        return damaged(chunk, err);
    memcpy(is_missing, chunk->room, n);
    planes_get(out, chunk->room + n, n);
    return 0;
}
