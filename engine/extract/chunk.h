/*
 * chunk.h - a file of the extract: up to a million rows of one source, column by column.
 *
 * A chunk stands by itself. Each column has a dictionary of the different values that
 * occur, the most frequent first, and for each row the number of its value; a column
 * whose values hardly repeat may be kept as 64-bit numbers instead. Rows about people
 * are in the order of the person's number, those of one person in the order in which
 * they came; a person's number is their place in the extract's list of people, from 1,
 * behind it the chunk's own extra ids (people of whom the list does not know), and 0 is
 * a row without a person. Other rows are in the order in which they came.
 *
 *     header, columns, directory      covered by the SHA-256 of ChunkFile.head
 *     extra ids
 *     a dictionary for each column
 *     for every BLOCK_ROWS rows: persons, then each column
 *
 * Every section has a checksum of its own in the directory. What a value means is not
 * known here: it has a type, which is the caller's.
 */
#ifndef ENGINE_EXTRACT_CHUNK_H
#define ENGINE_EXTRACT_CHUNK_H

#include "engine/base/err.h"
#include "engine/extract/section.h"

enum { CHUNK_MOST_ROWS = 1 << 20, BLOCK_ROWS = 32768, SHA256_BYTES = 32 };

/* A file as the manifest has it. */
typedef struct ChunkFile {
    uint64_t rows, bad_rows; /* bad: rows of a file that could not be taken apart */
    uint64_t bytes;
    uint8_t head[SHA256_BYTES];
} ChunkFile;

/* ---- writing ----------------------------------------------------------- */

typedef struct ChunkWriter ChunkWriter;

/* A column with may_be_plain may be kept as 64-bit numbers. */
ChunkWriter *chunk_writer_new(int n_columns, const bool *may_be_plain);
void chunk_writer_free(ChunkWriter *writer); /* NULL is accepted */

/* One value for each column of a row, then chunk_row. Values of a column have one type
 * (not 0), or are missing. */
void chunk_number(ChunkWriter *writer, int column, uint8_t type, uint64_t number);
void chunk_text(ChunkWriter *writer, int column, uint8_t type, const char *text,
                uint32_t len);
void chunk_missing(ChunkWriter *writer, int column);
void chunk_row(ChunkWriter *writer);
uint32_t chunk_rows(const ChunkWriter *writer);
/* True once the rows must go into a file before the next one. */
bool chunk_is_full(const ChunkWriter *writer);

/* Whom the rows are about. */
typedef struct ChunkPeople {
    const uint32_t *number; /* by row; NULL = the rows are about nobody */
    uint32_t n_listed;      /* numbers of the list: 1 .. n_listed */
    const int64_t *extra;   /* ids of n_listed + 1 .. */
    uint32_t n_extra;
} ChunkPeople;

/* Writes the file, which must not exist, and empties the writer. file->bad_rows is the
 * caller's. */
int chunk_write(ChunkFile *file, ChunkWriter *writer, const ChunkPeople *people,
                const char *path, Err *err);

/* ---- reading ----------------------------------------------------------- */

typedef struct ChunkColumn {
    uint8_t type; /* 0 where every value is missing */
    bool is_plain;
    uint32_t n;       /* values, with number 0, which is "missing" */
    uint64_t *number; /* by value, or NULL ... */
    const char *text; /* ... for text */
    uint32_t *end;    /* where each text ends; it starts where the one before does */
    void *own;        /* bytes behind text */
} ChunkColumn;

typedef struct Chunk Chunk;

/* Reads the whole file and proves that it is the one the manifest names. */
int chunk_open(Chunk **chunk, const char *path, const ChunkFile *file, Err *err);
/* The same from memory, without the manifest: for tests and fuzzing. Takes nothing. */
int chunk_parse(Chunk **chunk, const char *name, const uint8_t *bytes, size_t len,
                Err *err);
void chunk_close(Chunk *chunk); /* NULL is accepted */

uint32_t chunk_n_rows(const Chunk *chunk);
int chunk_n_columns(const Chunk *chunk);
int chunk_n_blocks(const Chunk *chunk);
uint32_t chunk_block_rows(const Chunk *chunk, int block);
/* The ids behind the list, and how long the list was. */
int chunk_extra(const int64_t **extra, uint32_t *n_extra, uint32_t *n_listed,
                Chunk *chunk, Err *err);
/* A column's dictionary, which is read at the first call. NULL after a report. */
const ChunkColumn *chunk_column(Chunk *chunk, int column, Err *err);
/* Of a block: the person's number of each row, ascending. */
int chunk_persons(uint32_t *out, Chunk *chunk, int block, Err *err);
/* Of a block: each row's value, as a number into the dictionary. */
int chunk_values(uint32_t *out, Chunk *chunk, int column, int block, Err *err);
/* The same for a plain column: the values themselves, and which are missing. */
int chunk_plain(uint64_t *out, uint8_t *is_missing, Chunk *chunk, int column, int block,
                Err *err);

/* Reports that a file is not what was written, and what to do. Returns -1. */
int chunk_damaged(const char *name, Err *err);

#endif
