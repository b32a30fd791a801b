/*
 * pile.h - what one worker keeps of one source while rows arrive.
 *
 * An event takes 8 bytes, and 8 more for each of value and key and 4 for the end, as far
 * as the source needs them. What no feature can use is dropped at once. Events of people
 * who stand near each other are kept together, so that they can be grouped part by part.
 */
#ifndef ENGINE_STORE_PILE_H
#define ENGINE_STORE_PILE_H

#include "engine/store/dict.h"
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

/* ---- events ------------------------------------------------------------ */

/*
 * An event in 64 bits, ordered as the store is while labels are numbered in order: the
 * person's place in the part, the day (0 = unknown, else days from DAY_FIRST, and 1),
 * the label.
 */
enum { DAY_BITS = 22, PART_BITS = 12, PART_PEOPLE = 1 << PART_BITS };

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
    uint32_t room;
    uint64_t *event;
    double *value;
    uint64_t *key;
    int32_t *end;
} Batch;

/* The batches of people who stand near each other. What an event needs lies here: parts
 * are few, and events come for anybody. */
typedef struct Part {
    Batch *newest;
    uint64_t *event;  /* of the newest batch */
    uint32_t n, room; /* of the newest batch; those behind it are full */
} Part;

static inline uint32_t part_n(const Part *part, const Batch *batch)
{
    return batch == part->newest ? part->n : batch->room;
}

typedef struct Pile {
    const Plan *plan;
    const Source *source;
    Dict *dict;
    bool has_columns; /* beside event */
    Arena *batches;   /* of all parts */
    Part *parts;      /* by person / PART_PEOPLE */
    uint32_t n_parts;
    uint64_t bytes; /* of all batches */
} Pile;

/* Nobody's where no event has come for the part. */
static inline const Part *pile_part(const Pile *pile, uint32_t part)
{
    static const Part NOBODY = {0};

    return part < pile->n_parts ? &pile->parts[part] : &NOBODY;
}

void pile_build(Pile *pile, const Plan *plan, const Source *source);
void pile_free(Pile *pile);
uint64_t pile_n_events(const Pile *pile);

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
