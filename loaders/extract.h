/*
 * extract.h - the engine's own copy of all mapped records, for re-runs that leave the
 * source tables alone. docs/extract.md says when to have one, and what it is worth.
 *
 * extract_make() makes it or, where there is one, pulls again only what has changed. A
 * run that is given an extract reads it in place of every source but the opt-outs, and
 * comes to the same numbers, to the last count of rejected rows.
 *
 *     extract_plan.c     what has to be made
 *     extract_make.c     making it, and the new manifest
 *     extract_pages.c    which ranges of a table cannot have changed
 *     extract_rows.c     rows of a source -> chunks
 *     kind_extract.c     an extract as a kind of source
 *     extract_opt_outs.c whether it is older than the list of opt-outs
 *     extract_meaning.c  what the values of a chunk of events mean
 *     extract_events.c   chunks of events -> piles
 */
#ifndef LOADERS_EXTRACT_H
#define LOADERS_EXTRACT_H

#include "engine/extract/manifest.h"
#include "engine/store/people.h"
#include "loaders/kinds.h"

typedef struct ExtractOptions {
    const char *folder;
    const char *conninfo; /* libpq */
    int connections;      /* sessions that read at the same time */
} ExtractOptions;

int extract_make(const Plan *plan, const ExtractOptions *options, Err *err);

/* An extract that is being read. */
struct Extract {
    const char *folder;
    int lock;
    Arena *arena;
    Manifest manifest;
    int64_t *listed;      /* ids of the list: of number 1, 2 ... */
    IdSlot *met;          /* by number, 0 = no person: as the run knows them */
    const People *people; /* of the run */
};

/* Takes the lock and proves the manifest. *extract is NULL after a report. */
int extract_open(Extract **extract, const char *folder, Err *err);
void extract_close(Extract *extract); /* NULL is accepted */
/* Looks up everyone on the list, once, before events are read. */
void extract_meet(Extract *extract, const People *people);
/* ERR_DATA if the list of opt-outs is not the one that the extract was made with: an
 * extract must not outlive an objection. */
int extract_check_opt_outs(const Sources *sources, Err *err);
/* Digest of the list as it lies now, in whatever order, or NULL after a report. */
const char *extract_opt_outs(const Sources *sources, Arena *arena, Err *err);

/* The list of people as the manifest names it. */
int extract_list_is(const Manifest *manifest, const uint8_t *bytes, size_t len, Err *err);

extern const Reader extract_reader;
extern const Reader extract_unread; /* opt-outs of a run that is only described */

/* What a source is known by: kind; table, query or files; and whose rows they are, by the
 * column of the person of events, or by the role of other sources. */
const char *extract_place(const Source *source, Arena *arena);
/* Columns of the extract for a source: each name once, without the person of an event. */
int extract_columns(const Source *source, const char **name, int *at);
static inline bool extract_has_persons(const Source *source)
{
    return source->role == ROLE_EVENTS;
}

/* By column of the extract: whether its values may be kept as plain numbers. They may
 * where a row's value is used as it is, and never looked up by what it means. */
void extract_plain(bool *may_be_plain, const Source *source, const int *at);
/* What one slice of events reads from; see kind_extract.c. */
const ManifestFile *extract_file(const Access *access, const Slice *slice);
/* By column of the source: its column in the extract, -1 = the person. */
const int *extract_column_at(const Access *access);
/* A value of a chunk as the cell that it came from. */
void extract_value(Cell *cell, const ChunkColumn *column, uint32_t value);
void extract_cell(Cell *cell, uint8_t type, uint64_t number);
int extract_take(const Taking *taking, const Access *access, const Slice *slice,
                 Err *err);

/* ---- making ------------------------------------------------------------ */

/* Everyone of whom the extract knows: ids and their numbers. */
typedef struct PeopleList {
    int64_t *id; /* of number 1, 2 ...: those of one making ascend */
    uint32_t n;
    Ids ids;
} PeopleList;

/* One worker's rows of one source on their way into files. */
typedef struct RowPull {
    const Access *access;
    Db *db;
    const char *folder, *stem; /* files are FOLDER/STEM-0.stratum, ... */
    const PeopleList *list;    /* of events */
    Arena *arena;              /* of the worker: for names of files */
    int64_t *met;              /* ids of rows of the people source */
    size_t n_met, room_met;
    uint64_t rows, bytes; /* read */
} RowPull;

/* Fills piece->files with the rows of the slice. */
int extract_pull(Piece *piece, RowPull *pull, const Slice *slice, Err *err);

/* Where a source stands on its server, so that ranges of its pages can be compared. */
typedef struct TableState {
    const char *state; /* changes with whatever moves rows or columns about; NULL = this
                          is no plain table, and is pulled in full */
    const char *why;   /* what it is instead */
    uint32_t pages;
    const uint8_t *untouched; /* a bit for each page; see pages_read_map() */
} TableState;

/* The server whose transaction ids a snapshot counts, and what its snapshot sees. */
typedef struct ServerState {
    const char *server; /* NULL = not known */
    uint64_t xmin, xmax;
    uint64_t log_before;  /* position in the log before the snapshot; 0 = not known */
    uint64_t log_after;   /* and after it; of a standby, up to which it is */
    bool has_map;         /* the role may read visibility maps */
    const char *flush_to; /* log position at which the snapshot is durable; or NULL */
    double durable_at;    /* by log_clock(): when it is in any case */
} ServerState;

/* What has to be known before the snapshot is taken. side is a session outside of it. */
int pages_before(ServerState *state, Db *side, Err *err);
/* db holds the snapshot. */
int pages_server(ServerState *state, Db *side, Db *db, Arena *arena, Err *err);
int pages_table(TableState *state, const Access *access, Db *side, Db *db, Err *err);
/* True if transactions since the old snapshot can be told from older ones. */
bool pages_can_compare(const Manifest *old, const ServerState *now);
/* Marks the pages that nobody has written to since before the old snapshot, as far as the
 * visibility map knows. side: as above, after the new snapshot was taken. */
void pages_read_map(TableState *state, const Access *access, uint64_t log_before,
                    Db *side);
/* True if that is so of all pages of the piece, which was pulled when the table had
 * old_pages (0 = not known): it holds the same rows. */
bool pages_are_untouched(const TableState *state, const Piece *piece, uint32_t old_pages);
/* Whether the pages hold other rows than the piece. Looks at each. */
int pages_have_changed(bool *changed, const TableState *state, const Access *access,
                       const Piece *piece, uint64_t old_xmin, Db *db, Err *err);
/* Waits until nothing that the snapshot saw can be lost by a crash of the server. */
int pages_settle(ServerState *state, Db *side, Err *err);

#endif
