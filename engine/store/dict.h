/*
 * dict.h - the codes that one worker has met in one source, each looked up in the code
 * lists once.
 */
#ifndef ENGINE_STORE_DICT_H
#define ENGINE_STORE_DICT_H

#include "engine/plan/plan.h"

#define DICT_NO_CODE  0U               /* the entry of rows without a code */
#define DICT_UNKNOWN  UINT32_MAX       /* of a spelling: not met before */
#define DICT_BAD_CODE (UINT32_MAX - 1) /* of a spelling: no code of its system */

/* A code that one worker has met in one source, looked up in the code lists once: a feed
 * holds some hundred thousand different codes and hundreds of millions of rows. Codes
 * that no feature wants are remembered too. */
typedef struct DictEntry {
    Code code;
    uint32_t first_hit, n_hits; /* with those that ask for no code */
    /* Whatever the row's conditions and value, it is wanted if its day lies in one
     * window: from <= day < from + span. Undated rows are the smallest. */
    bool is_plain;
    bool latest_only; /* see Label */
    uint32_t span;
    int32_t from;
    uint32_t conditions, label; /* of the row kept last; DICT_UNKNOWN = none yet */
} DictEntry;

/* What stays of an event beside who and when. Of a label that is latest_only features
 * ask whether it was there and when last, and no more: of a person's events of one label
 * between two ends of windows the latest says it all. */
typedef struct Label {
    uint32_t entry, conditions;
} Label;
enum { LABEL_BITS = 30 }; /* of a label's number */
#define LABEL_MASK ((UINT64_C(1) << LABEL_BITS) - 1)

/* A table from 16 bytes to a number. */
typedef struct TableSlot {
    Code key; /* {0, 0} = empty */
    uint32_t number;
} TableSlot;

typedef struct Table {
    TableSlot *slots;
    uint64_t mask, n;
    int shift;
} Table;

/* What is met for every row stands first. */
typedef struct Dict {
    Table by_spelling;
    DictEntry *entries;
    Hit *hits;
    const Plan *plan;
    const Source *source;
    Table by_code, by_label;
    uint32_t n_entries, room_entries;
    uint32_t n_hits, room_hits;
    Label *labels;
    uint32_t n_labels, room_labels;
} Dict;

Dict *dict_new(const Plan *plan, const Source *source);
void dict_free(Dict *dict); /* NULL is accepted */

/* The entry of a code. */
uint32_t dict_find(Dict *dict, Code code);
static inline const DictEntry *dict_entry(const Dict *dict, uint32_t entry)
{
    return &dict->entries[entry];
}

static inline const Hit *dict_hits(const Dict *dict, uint32_t entry)
{
    return dict->hits + dict->entries[entry].first_hit;
}

/* The highest bits of a product are the only ones in which all of a key has a say: codes
 * of one chapter differ in their last characters, which are the highest of a key. */
static inline uint64_t table_place(const Table *table, Code key)
{
    return ((key.high ^ (key.low * UINT64_C(0xff51afd7ed558ccd))) *
            UINT64_C(0x9e3779b97f4a7c15)) >>
           table->shift;
}

/* The slot of a key, or the empty one where it belongs. */
static inline TableSlot *table_find(const Table *table, Code key)
{
    uint64_t at = table_place(table, key);

    while (!code_equal(table->slots[at].key, key) &&
           (table->slots[at].key.high | table->slots[at].key.low) != 0)
        at = (at + 1) & table->mask;
    return &table->slots[at];
}

/* What rows write for a code, as any 16 bytes that are not all zero, so that each
 * spelling is taken apart once: the entry, DICT_BAD_CODE, or DICT_UNKNOWN. */
static inline uint32_t dict_recall(const Dict *dict, Code spelling)
{
    const TableSlot *slot = table_find(&dict->by_spelling, spelling);

    return code_equal(slot->key, spelling) ? slot->number : DICT_UNKNOWN;
}

/* Brings what dict_recall() and dict_entry() will read nearer. */
FETCHES_ONLY static inline void dict_fetch(const Dict *dict, Code spelling)
{
    const Table *table = &dict->by_spelling;

    __builtin_prefetch(&table->slots[table_place(table, spelling)]);
}

FETCHES_ONLY static inline void dict_fetch_entry(const Dict *dict, uint32_t entry)
{
    __builtin_prefetch(&dict->entries[entry]);
}

void dict_remember(Dict *dict, Code spelling, uint32_t entry);
/* The number of a label, in the order of first use. */
uint32_t dict_label(Dict *dict, uint32_t entry, uint32_t conditions);

/* A label of any dictionary: by code in the order of the store, those without one last,
 * then by conditions. */
typedef struct Ranked {
    Code code;
    bool has_code, latest_only;
    uint32_t conditions;
} Ranked;

/* The labels of all dictionaries, each once, in order; and by dictionary and label its
 * rank. The caller frees both. */
Ranked *dicts_merge(uint32_t *n_ranked, uint32_t **rank, Dict *const *dicts, int n_dicts);

#endif
