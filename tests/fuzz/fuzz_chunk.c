/* Any bytes at all: a chunk or a manifest is read, or refused with a report, and no
 * number of it leads out of its array. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "engine/extract/chunk_file.h"
#include "engine/extract/manifest.h"

static uint32_t values[BLOCK_ROWS];
static uint64_t numbers[BLOCK_ROWS];
static uint8_t is_missing[BLOCK_ROWS];

static void check(bool is_good, const Err *err)
{
    if (is_good != (err->n_reports == 0))
        abort(); /* a failure without a report, or a report without a failure */
}

static bool read_column(Chunk *chunk, int c, int block, Err *err)
{
    const ChunkColumn *column = chunk_column(chunk, c, err);
    uint32_t n = chunk_block_rows(chunk, block);

    if (column == NULL)
        return false;
    if (column->is_plain)
        return chunk_plain(numbers, is_missing, chunk, c, block, err) == 0;
    if (chunk_values(values, chunk, c, block, err) != 0)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (values[i] >= column->n ||
            (column->end != NULL && values[i] > 1 &&
             column->end[values[i]] < column->end[values[i] - 1]))
            abort();
    return true;
}

/* Checksums would keep all but a few bytes from being tried. */
static void repair(uint8_t *data, size_t len)
{
    ChunkHeader header;
    Section section;
    size_t at;

    if (len < sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    if (header.n_columns > MOST_COLUMNS || header.n_blocks > 1024 ||
        head_bytes(&header) > len)
        return;
    at = sizeof header + header.n_columns * sizeof(ColumnHeader);
    for (uint64_t s = 0; s < n_sections(&header); s++, at += sizeof section) {
        memcpy(&section, data + at, sizeof section);
        if (section.offset > len || section.stored > len - section.offset ||
            section.offset < head_bytes(&header))
            continue;
        section.crc = (uint32_t)crc32(0, data + section.offset, section.stored);
        memcpy(data + at, &section, sizeof section);
    }
}

static void read_chunk(const uint8_t *data, size_t len)
{
    const int64_t *extra;
    uint32_t n_extra, n_listed;
    Chunk *chunk;
    Err err = {0};
    bool is_good = chunk_parse(&chunk, "fuzz", data, len, &err) == 0;

    check(is_good, &err);
    if (!is_good)
        return;
    check(chunk_extra(&extra, &n_extra, &n_listed, chunk, &err) == 0, &err);
    for (int block = 0; block < chunk_n_blocks(chunk) && block < 4; block++) {
        err_clear(&err);
        check(chunk_persons(values, chunk, block, &err) == 0, &err);
        for (int c = 0; c < chunk_n_columns(chunk) && c < 16; c++) {
            err_clear(&err);
            check(read_column(chunk, c, block, &err), &err);
        }
    }
    chunk_close(chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Arena *arena = arena_new();
    uint8_t *exact = malloc(len > 0 ? len : 1); /* aligned, and a byte too far is seen */
    Manifest manifest;
    Err err = {0};

    memcpy(exact, data, len);
    check(manifest_parse(&manifest, "fuzz", (char *)exact, len, arena, &err) == 0, &err);
    repair(exact, len);
    read_chunk(exact, len);
    free(exact);
    arena_free(arena);
    return 0;
}
