/*
 * kinds.h - the kinds of source, and what each of them does.
 *
 * A kind finds a source and proves that it has every column, says how the work can be
 * divided, and then delivers rows as cells, one for each of Source.columns. What a cell
 * means is not its business; see row.h. A kind may have a shorter way for usual events.
 */
#ifndef LOADERS_KINDS_H
#define LOADERS_KINDS_H

#include "engine/db/db.h"
#include "engine/plan/plan.h"
#include "engine/store/people.h"
#include "engine/store/pile.h"

extern const SourceKind *const source_kinds[]; /* NULL-terminated */
extern const SourceKind kind_postgres, kind_csv;

typedef enum CellType {
    CELL_NULL,
    CELL_INT,
    CELL_FLOAT,
    CELL_YESNO,
    CELL_DAY,
    CELL_TEXT
} CellType;

/* One value of a row. Text is borrowed, good until the next row, not NUL-terminated. */
typedef struct Cell {
    CellType type;
    uint32_t len;
    union {
        int64_t number;
        double real;
        bool yesno;
        int32_t day;
        const char *text;
    } as;
} Cell;

/* A part of a source that one worker reads at a time. */
typedef struct Slice {
    int source;           /* index into Plan.sources */
    uint32_t first, last; /* pages [first, last) of a table, last 0 = to the end; those of
                             its wanted codes; or the number of a file */
    uint64_t bytes;       /* about; the largest are read first */
} Slice;

typedef struct Slices {
    Slice *slice;
    int n, room;
} Slices;

void slices_add(Slices *slices, Slice slice);
/* The largest first, so that no worker is left with a long one at the end. */
void slices_sort(Slices *slices);

/* Shares n pieces of work out among workers, each done once, by a thread of its own for
 * each worker. After a failure no other piece is begun. Reports stand in the order of the
 * pieces. (In load.c.) */
typedef int (*SharedWork)(void *own, int worker, int piece, Err *err);
int load_share(int n, int n_workers, SharedWork work, void *own, Err *err);

typedef struct Reader Reader;
typedef struct Extract Extract; /* see extract.h */
typedef struct Wanted Wanted;   /* see wanted.h */

/* A source that has been found. */
typedef struct Access {
    const Plan *plan;
    const Source *source;
    int index; /* of the source in Plan.sources */
    const Reader *reader;
    const Extract *extract; /* for its reader */
    bool is_whole;          /* every row is asked for, whatever the plan can use */
    Arena *arena;
    void *own;              /* of the kind */
    const CellType *type;   /* by column: as it arrives, or is missing */
    const bool *is_integer; /* by column: an integer where it lies */
    const Wanted *wanted;   /* rows that are asked for; NULL = all */
    double rows;            /* expected; an estimate */
    uint64_t bytes;         /* of what has to be read; an estimate */
} Access;

struct RowMap; /* see row.h */
struct PendingEvent;

enum { NEXT_END = 0, NEXT_ROW = 1, NEXT_BAD = 2, NEXT_FULL = 3, NEXT_FAILED = -1 };

/* Where next_events() leaves rows. */
typedef struct Landing {
    const struct RowMap *map;
    const Dict *dict; /* these two: of what is fetched for later; see row_event_fetch() */
    const Ids *ids;
    struct PendingEvent *events;
    size_t n, room; /* events */
    Cell *cells;    /* of a row that is not usual */
} Landing;

/* What take() delivers to. */
typedef struct Taking {
    const struct RowMap *map;
    const People *people;
    Pile *pile;
    SourceCount *count;
} Taking;

/* Behind SourceKind.reader. db is NULL for kinds that need none. */
struct Reader {
    bool needs_database;
    /* Fills own, type and is_integer of access. Reports every column that is missing or
     * of a type that cannot be read. Before the snapshot. */
    int (*find)(Access *access, Db *db, Err *err);
    /* Estimates the rows and adds the slices, for n_workers readers at a time. */
    int (*split)(Slices *slices, Access *access, Db *db, int n_workers, Err *err);
    /* Starts reading a slice. */
    int (*open)(void **stream, const Access *access, const Slice *slice, Db *db,
                Err *err);
    /* One row into cells. NEXT_BAD: a row that cannot be taken apart. Raises bytes by
     * what was read. */
    int (*next)(void *stream, Cell *cells, uint64_t *bytes, Err *err);
    /* In place of next for events, where a kind has a shorter way for usual rows: adds
     * what row_event_begin() would make of them until there is room for no more,
     * NEXT_FULL, or what comes is not usual; then as next. NULL: it has none. */
    int (*next_events)(void *stream, Landing *to, uint64_t *bytes, Err *err);
    /* Releases the stream, also before its end. NULL is accepted. */
    void (*close)(void *stream);
    /* In place of open, next and close for events, where a kind has a faster way than row
     * by row. The outcome is the same. NULL: it has none. */
    int (*take)(const Taking *taking, const Access *access, const Slice *slice, Err *err);
    /* The file that a slice is, for kinds that read files. May be NULL. */
    const char *(*file)(const Access *access, const Slice *slice);
    /* What is asked for, as a person reads it: the SQL, or the files. */
    const char *(*describe)(const Access *access);
};

static inline const Reader *source_reader(const Source *source)
{
    return source->kind->reader;
}

/* Where a field stands among the source's columns; -1 = nowhere. */
static inline int source_at(const Source *source, Field field)
{
    for (int c = 0; c < source->n_columns; c++)
        if (source->columns[c].field == field)
            return c;
    return -1;
}

/* How sources are read. */
typedef struct SourcesOptions {
    const char *conninfo;   /* libpq */
    int n_workers;          /* that read at the same time */
    const Extract *extract; /* in place of all but the opt-outs; or NULL */
    bool is_whole;          /* see Access */
    bool is_described;      /* no row will be read */
} SourcesOptions;

/* All sources of a plan, ready to be read. */
typedef struct Sources {
    const Plan *plan;
    SourcesOptions options;
    Arena *arena;
    Access *access; /* by index into Plan.sources */
    Slices about_people, events;
    Db **db; /* a session for each worker; NULL where no source is in a database */
    int n_workers;
    char snapshot[SNAPSHOT_TEXT]; /* that all sessions see; "" without a database */
    double rows;                  /* expected, of all */
} Sources;

/* Finds every source before it gives up, so that all that is missing is said at once.
 * Sessions are opened only if a source is in a database. sources_free also after a
 * failure. */
int sources_open(Sources *sources, const Plan *plan, const SourcesOptions *options,
                 Err *err);
/* Ends the sessions, and with them the snapshot. */
void sources_hang_up(Sources *sources);
void sources_free(Sources *sources);

#endif
