/*
 * row.h - one source row against the contract: cells in, a typed row and its fate out.
 *
 * The fate says only what the row itself shows (no person, a date that is none, a code
 * that is none ...); whether the person is in the run and a feature wants the row is
 * decided later. A row with a fault is left unfinished.
 *
 * Any thread, with a RowScratch of its own.
 */
#ifndef LOADERS_ROW_H
#define LOADERS_ROW_H

#include "engine/store/people.h"
#include "engine/store/pile.h"
#include "loaders/kinds.h"

/* Where each field of a source stands among its columns. Read-only once made. */
typedef struct RowMap {
    const Plan *plan;
    const Source *source;
    int at[FIELD_NAME + 1]; /* column by field, -1 = none; not for those with an index */
    int *attribute_at;      /* by attribute */
    int group_at[MOST_GROUPINGS], group_name_at[MOST_GROUPINGS];
    int32_t usual_from, usual_to; /* days from .. to - 1: none of them is a sentinel */
} RowMap;

const RowMap *rowmap_new(const Plan *plan, const Source *source, Arena *arena);

/* One worker's room: hashing of text ids. */
typedef struct RowScratch RowScratch;
RowScratch *row_scratch_new(void);
void row_scratch_free(RowScratch *scratch); /* NULL is accepted */

/* The pseudonym of a text id: the first 63 bits of its SHA-256; check is another 64,
 * to tell two texts of the same pseudonym apart. */
int64_t row_text_id(uint64_t *check, RowScratch *scratch, const char *text, size_t len);

typedef struct PersonRow {
    int64_t id;
    uint64_t check; /* of a text id */
    int32_t birth, death;
    bool is_test;
    const char *practice; /* borrowed from the row; NULL = none */
    uint32_t practice_len;
} PersonRow;
/* Fills attribute[0..n_attributes-1] too. */
RowFate row_person(PersonRow *row, double *attribute, const RowMap *map,
                   const Cell *cells, RowScratch *scratch);

typedef struct RegistrationRow {
    int64_t id;
    int32_t start, end;   /* DAY_UNKNOWN: always; still open */
    const char *practice; /* borrowed from the row */
    uint32_t practice_len;
} RegistrationRow;
RowFate row_registration(RegistrationRow *row, const RowMap *map, const Cell *cells,
                         RowScratch *scratch);

/* Texts go to the arena. */
RowFate row_practice(Practice *row, const RowMap *map, const Cell *cells, Arena *arena);

/* Whatever its date: who objects today is not in a run as of last year either. */
RowFate row_opt_out(OptOutKept *row, const RowMap *map, const Cell *cells,
                    RowScratch *scratch);

/* An event whose code may still have to be looked up. */
typedef struct PendingEvent {
    EventRow row;
    Code spelling; /* of the code; {0, 0} = row.code is known */
    RowFate fate;  /* when the code is none that is wrong */
} PendingEvent;

/* The event of a row; its code is an entry of the dictionary. */
RowFate row_event(EventRow *row, const RowMap *map, const Cell *cells, Dict *dict,
                  RowScratch *scratch);
/* The same in two steps, so that what the code needs can be fetched while other rows are
 * read. After the first, anything but ROW_KEPT is final; cells are needed no more. */
RowFate row_event_begin(PendingEvent *event, const RowMap *map, const Cell *cells,
                        Dict *dict, RowScratch *scratch);
RowFate row_event_end(PendingEvent *event, const RowMap *map, Dict *dict);

/* Brings what row_event_end() and the search for the person will read nearer. */
FETCHES_ONLY static inline void row_event_fetch(const Landing *to,
                                                const PendingEvent *event)
{
    dict_fetch(to->dict, event->spelling);
    ids_fetch(to->ids, event->row.id);
}

#endif
