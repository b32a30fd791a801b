/*
 * chunk_file.h - how a chunk lies in its file; for chunk.c and chunk_write.c.
 *
 * Sections in this order: the extra ids (planes), the dictionaries, then for each block
 * the persons (where there are any) and the columns.
 *
 * A dictionary is planes of numbers; of text it is the lengths (32 bits each) and then
 * the bytes. Value 0, "missing", is not in it.
 *
 * Of a block, numbers are how many bits each needs, as a byte, and then they, packed into
 * these. A column is the numbers of its values behind a byte of 0; or, where many are
 * missing, behind a byte of 1 and a bit for each row, those of the other rows only.
 * Persons are the numbers of what is to be added to the person of
 * the row before (0 before the first of a block); all bits set says that the person
 * itself is the next of the 32-bit numbers that follow. A plain column is a byte a row, 1
 * where the value is missing, and planes.
 */
#ifndef ENGINE_EXTRACT_CHUNK_FILE_H
#define ENGINE_EXTRACT_CHUNK_FILE_H

#include "engine/extract/chunk.h"

#define CHUNK_MAGIC "STRATEX1"
enum { MOST_COLUMNS = 4096 };

typedef struct ChunkHeader {
    char magic[8];
    uint32_t n_rows, n_columns, n_blocks, n_listed, n_extra, has_persons;
} ChunkHeader;

typedef struct ColumnHeader {
    uint8_t type, is_text, is_plain, unused;
    uint32_t n; /* values, with 0 */
} ColumnHeader;

static inline uint32_t sections_of_block(const ChunkHeader *header)
{
    return header->n_columns + (header->has_persons != 0);
}

static inline uint64_t n_sections(const ChunkHeader *header)
{
    return 1 + (uint64_t)header->n_columns +
           (uint64_t)header->n_blocks * sections_of_block(header);
}

/* Bytes of header, columns and directory. */
static inline uint64_t head_bytes(const ChunkHeader *header)
{
    return sizeof *header + header->n_columns * sizeof(ColumnHeader) +
           n_sections(header) * sizeof(Section);
}

#endif
