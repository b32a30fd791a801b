/*
 * pile.h - what one worker keeps of one source while rows arrive.
 *
 * An event takes 8 bytes, and 8 more for each of value and key and 4 for the end, as far
 * as the source needs them. What no feature can use is dropped at once. Events of people
 * who stand near each other are kept together, so that they can be grouped part by part
 * and each part released.
 */
#ifndef ENGINE_STORE_PILE_H
#define ENGINE_STORE_PILE_H

#include "engine/store/people.h"

/* A row of an event source, without a fault of its own. */
typedef struct EventRow {
    int64_t id;
    int32_t day, end;    /* DAY_UNKNOWN; still open */
    uint32_t code;       /* entry of the pile's Dict; DICT_NO_CODE */
    uint32_t conditions; /* bits */
    double value;        /* NaN = none */
    uint64_t key;        /* with `unique`: of the key, or of the whole row */
} EventRow;

/* ---- codes ------------------------------------------------------------- */

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

typedef struct Dict Dict;

Dict *dict_new(const Plan *plan, const Source *source);
void dict_free(Dict *dict); /* NULL is accepted */

/* The entry of a code. */
uint32_t dict_find(Dict *dict, Code code);
const DictEntry *dict_entry(const Dict *dict, uint32_t entry);
const Hit *dict_hits(const Dict *dict, uint32_t entry);
/* What rows write for a code, as any 16 bytes that are not all zero, so that each
 * spelling is taken apart once: the entry, DICT_BAD_CODE, or DICT_UNKNOWN. */
uint32_t dict_recall(const Dict *dict, Code spelling);
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

/* ---- events ------------------------------------------------------------ */

/*
 * An event in 64 bits, ordered as the store is while labels are numbered in order: the
 * person's place in the part, the day (0 = unknown, else days from DAY_FIRST, and 1),
 * the label.
 */
enum { LABEL_BITS = 30, DAY_BITS = 22, PART_BITS = 12, PART_PEOPLE = 1 << PART_BITS };
#define LABEL_MASK ((UINT64_C(1) << LABEL_BITS) - 1)

static inline uint64_t packed_event(uint32_t person, int32_t day, uint32_t label)
{
    uint64_t days = day == DAY_UNKNOWN ? 0 : (uint64_t)(day - DAY_FIRST + 1);

    return (uint64_t)(person % PART_PEOPLE) << (LABEL_BITS + DAY_BITS) |
           days << LABEL_BITS | label;
}

static inline uint32_t packed_person(uint64_t event)
{
    return (uint32_t)(event >> (LABEL_BITS + DAY_BITS));
}

static inline int32_t packed_day(uint64_t event)
{
    int32_t days = (int32_t)(event >> LABEL_BITS & ((1 << DAY_BITS) - 1));

    return days == 0 ? DAY_UNKNOWN : days + DAY_FIRST - 1;
}

/* Up to room events; columns that the source does not need are NULL. */
typedef struct Batch {
    struct Batch *next;
    uint32_t n, room;
    uint64_t *event;
    double *value;
    uint64_t *key;
    int32_t *end;
} Batch;

typedef struct Pile {
    const Plan *plan;
    const Source *source;
    Dict *dict;
    Batch **parts; /* by person / PART_PEOPLE: the newest batch first */
    uint32_t n_parts;
    uint64_t bytes; /* of all batches */
} Pile;

void pile_build(Pile *pile, const Plan *plan, const Source *source);
void pile_free(Pile *pile);
/* Releases the batches of a part. Parts may be released by different threads. */
void pile_drop_part(Pile *pile, uint32_t part);

/* Keeps the row if its person is in the run and some feature can use it. */
RowFate pile_offer(Pile *pile, const People *people, const EventRow *row);
/* As pile_admits(), which calls it for what is not usual. */
RowFate pile_judge(const Pile *pile, const People *people, const IdSlot *slot,
                   int32_t day);
/* The two halves of it, for a reader that knows its people and codes beforehand: whether
 * the run takes a row of the person and day, and whether a feature wants it. */
static inline RowFate pile_admits(const Pile *pile, const People *people,
                                  const IdSlot *slot, int32_t day)
{
    bool is_usual = slot->person <= ID_LAST && day >= slot->limit && !slot->refuses;

    return is_usual && day < pile->plan->as_of ? ROW_KEPT
                                               : pile_judge(pile, people, slot, day);
}
RowFate pile_keep(Pile *pile, uint32_t person, const EventRow *row);

/* Bytes of an event of the source while loading, and in the store. */
uint32_t event_loading_bytes(const Source *source);
uint32_t event_stored_bytes(const Source *source);

#endif
