/*
 * pile.h - what one worker keeps of one source while rows arrive.
 *
 * An event takes 8 bytes (person, day), and 4 for each of code, conditions and end, 8
 * for each of value and key, as far as the source needs them. What no feature can use
 * is dropped at once.
 */
#ifndef ENGINE_STORE_PILE_H
#define ENGINE_STORE_PILE_H

#include "engine/store/people.h"

/* A row of an event source, without a fault of its own. */
typedef struct EventRow {
    int64_t id;
    int32_t day, end; /* DAY_UNKNOWN; still open */
    Code code;
    bool has_code;
    uint32_t conditions;
    double value; /* NaN = none */
    uint64_t key; /* with `unique`: of the key, or of the whole row */
} EventRow;

/*
 * The codes that one worker has met in one source, each looked up in the code lists
 * once: a feed holds some hundred thousand different codes and hundreds of millions of
 * rows. Codes that no feature wants are remembered too.
 */
typedef struct DictEntry {
    Code code;
    uint32_t number; /* in the order of first use; DICT_UNUSED before that */
    uint32_t first_hit, n_hits;
} DictEntry;

#define DICT_UNUSED UINT32_MAX

typedef struct Dict {
    const Matcher *matcher;
    DictEntry *slots; /* an empty one has code {0, 0} */
    uint64_t mask, n;
    Hit *hits;
    uint32_t n_hits, room_hits;
    Code *codes; /* by number */
    uint32_t n_codes, room_codes;
} Dict;

void dict_build(Dict *dict, const Matcher *matcher);
void dict_free(Dict *dict);

/* The entry of a code, good until the next dict_find. n_hits 0: nothing wants it. */
DictEntry *dict_find(Dict *dict, Code code);
/* The code's number among those in use, giving it one if it has none. */
uint32_t dict_use(Dict *dict, DictEntry *entry);

/* Columns of up to room events; those that the source does not need are NULL. */
typedef struct Batch {
    struct Batch *next;
    uint32_t n, room;
    uint32_t *person;
    int32_t *day;
    uint32_t *code; /* the dictionary's number, or CODE_NONE */
    uint32_t *conditions;
    double *value;
    int32_t *end;
    uint64_t *key;
} Batch;

typedef struct Pile {
    const Plan *plan;
    const Source *source;
    Dict dict;
    Batch *batches; /* the newest first */
    uint64_t bytes; /* of all batches */
} Pile;

void pile_build(Pile *pile, const Plan *plan, const Source *source);
void pile_free(Pile *pile);
void batch_free(Batch *batch);

/* Keeps the row if its person is in the run and some feature can use it. */
RowFate pile_offer(Pile *pile, const People *people, const EventRow *row);
/* The two halves of it, for a reader that knows its people and codes beforehand: whether
 * the run takes a row of the person and day, and whether a feature wants it. entry is
 * that of the row's code, where the source needs codes; NULL = none. */
RowFate pile_admits(const Pile *pile, const People *people, const IdSlot *slot,
                    int32_t day);
RowFate pile_keep(Pile *pile, uint32_t person, const EventRow *row, DictEntry *entry);

/* Bytes of an event of the source while loading, and in the store. */
uint32_t event_loading_bytes(const Source *source);
uint32_t event_stored_bytes(const Source *source);

#endif
