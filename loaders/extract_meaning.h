/*
 * extract_meaning.h - what the values of a chunk of events mean to a plan; for
 * extract_meaning.c, which finds it when a chunk is opened, and extract_events.c, which
 * puts rows together from it.
 */
#ifndef LOADERS_EXTRACT_MEANING_H
#define LOADERS_EXTRACT_MEANING_H

#include "loaders/extract.h"
#include "loaders/row.h"
#include "loaders/wanted.h"

/* What the server would do with a row of this day. */
typedef enum Sent { SENT_NEVER, SENT_BY_END, SENT_ALWAYS } Sent;

/* A column of the plan. Arrays are by value of the chunk, and NULL if not needed. */
typedef struct Meaning {
    Field field;
    int at; /* column of the chunk; -1 = the person */
    const ChunkColumn *column;
    uint8_t *fault; /* RowFate */
    int32_t *day;
    uint8_t *sent;       /* Sent, of a day; whether it is sent, of an end */
    uint8_t *stage;      /* that a day is in; the first in which a code is sent */
    const Bound **bound; /* of a code: what the server asks of its values; or NULL */
    double *value;
    uint32_t *conditions;
    uint64_t *hash;       /* for rows that count once */
    uint32_t *entry;      /* of the pile's dictionary */
    uint32_t *row_value;  /* of the block */
    uint64_t *row_number; /* of a plain column */
    uint8_t *row_missing;
} Meaning;

/* A chunk on its way to a pile. */
typedef struct Taker {
    const Taking *taking;
    const Access *access;
    const Source *source;
    Chunk *chunk;
    Arena *arena;
    RowScratch *scratch;
    Cell *cells;       /* a row with nothing in it but a person */
    Meaning *meanings; /* by column of the plan */
    int n_meanings;
    Meaning *date, *end, *code, *system, *value, *key; /* NULL = no such column */
    const Meaning **attributes;
    int n_attributes;
    const Wanted *wanted;
    bool is_whole_key; /* rows count once by all they have */
    int32_t as_of, latest;
    uint32_t n_listed, n_extra;
    const int64_t *extra;
    const IdSlot **extra_met;
    uint32_t *person; /* of the block */
    uint32_t *row;    /* of the block: rows that the server would have sent */
} Taker;

/* Opens the chunk and finds what its values mean. Whatever it returns, taker_close()
 * releases. */
int taker_open(Taker *t, const Taking *taking, const Access *access,
               const ManifestFile *file, Err *err);
void taker_close(Taker *t);

/* The row that has nothing but this cell. */
RowFate meaning_ask(EventRow *row, const Taker *t, const Meaning *meaning, Cell cell);

#endif
