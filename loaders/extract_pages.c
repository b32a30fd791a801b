/*
 * extract_pages.c - which ranges of a table's pages can hold other rows than they did.
 *
 * Every row version names the transaction that made it (xmin). Let S be the snapshot of
 * the last making, and X the oldest transaction that was still under way then. What a
 * range showed in S and what it shows now are the same rows if
 *
 *     it has as many rows as then, and none of them was made by X or a later one.
 *
 * For a version from before X was there in S, unless somebody had deleted it - and what
 * is deleted does not come back. So the rows of now are among those of then; and as they
 * are as many, they are the same. A row that is updated in place of another has a new
 * xmin; a deleted one is missing from the count.
 *
 * X is the snapshot's xmin and not its list of transactions under way: that list leaves
 * out subtransactions, whose rows carry ids of their own. All ids below xmin are over,
 * subtransactions with them. Rows of transactions that ended between X and S count as new
 * although they are not: those ranges are pulled once more than needed.
 *
 * The rule is about pages that stay where they are. Whatever rewrites a table (VACUUM
 * FULL, CLUSTER, TRUNCATE, some ALTER TABLEs; and so COPY FREEZE, which needs a table
 * that was made or truncated in the same transaction) gives it another file; the file,
 * the columns and their numbers are part of TableState.state. They are read while the
 * table is locked against all of these, in a session outside the snapshot: one that has
 * seen them finish.
 *
 * Ids of transactions have 32 bits and go round. age() is the distance from now, and
 * right up to 2^31 of it; beyond it is negative, which counts as new. The snapshots must
 * lie less than 2^30 ids apart, in 64 bits, or everything is pulled.
 *
 * To look at every row costs the server ten seconds of processor time for 60 million. So
 * rows are not looked at where the visibility map says enough. Its bit for a page means
 * that everybody sees all rows of the page; whoever writes to the page clears it, and
 * only a later vacuum sets it again, and leaves the position in the log on the block of
 * the map (32,000 pages). So with W, a position in the log from before S: if a block was
 * last noted at or before W, a page whose bit is set now had it before S, and nobody has
 * written to the page since. Pages that a table had then and has no more may have had
 * rows: that range is looked at. The map is read by stratify.visibility_map(), which an
 * administrator installs (sql/60_visibility_map.sql); without it, on a standby and where
 * nothing is ever vacuumed, rows decide alone.
 *
 * A crash may take back the last transactions where commits are not waited for
 * (synchronous_commit = off), and give their ids to others. So the making ends only when
 * the log is on the server's disk up to the snapshot, or three times wal_writer_delay
 * have passed, after which every such commit is (PostgreSQL manual, "Asynchronous
 * Commit"). Unlogged tables are pulled in full. The same holds for a server that is put
 * back to an earlier state: its timeline changes, and with it ServerState.server. And a
 * standby that lags behind the server that S was taken on, or a disk that was put back,
 * has a log that ends before the one that S saw: then everything is pulled, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/log.h"
#include "loaders/extract.h"

#define MOST_DISTANCE (UINT64_C(1) << 30)

static const char *text_at(const PGresult *result, int column, Arena *arena)
{
    if (PQntuples(result) != 1 || PQgetisnull(result, 0, column))
        return NULL;
    return arena_format(arena, "%s", PQgetvalue(result, 0, column));
}

static bool is_true(const PGresult *result, int column)
{
    return PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, column), "t") == 0;
}

/* ---- the server -------------------------------------------------------- */

/* Whose ids these are. The timeline is that of the log as it is written or received: the
 * last checkpoint's is still the old one for minutes after a promotion. Not every role
 * may ask, and a standby that receives nothing does not know; then everything is pulled.
 */
static const char *server_name(Db *side, Arena *arena)
{
    static const char SQL[] =
        "select s.system_identifier || ' ' || d.oid || ' ' || "
        "case when pg_is_in_recovery() "
        "then (select received_tli from pg_stat_wal_receiver) "
        "else ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), "
        "8))::bit(32)::int "
        "end from pg_control_system() s, pg_database d "
        "where d.datname = current_database()";
    Err unsaid = {0};
    PGresult *result = db_query(side, SQL, 0, NULL, &unsaid);
    const char *name = result == NULL ? NULL : text_at(result, 0, arena);

    PQclear(result);
    return name;
}

/* "16/B374D848", in 64 bits; 0 for anything else. */
static uint64_t log_number(const char *text)
{
    char *slash;
    uint64_t high = text == NULL ? 0 : strtoull(text, &slash, 16);

    if (text == NULL || *slash != '/')
        return 0;
    return high << 32 | strtoull(slash + 1, NULL, 16);
}

/* Where the log stands now. What a standby shows has come from the log. */
static int log_position(ServerState *state, Db *side, Arena *arena, Err *err)
{
    PGresult *result =
        db_query(side,
                 "select case when not pg_is_in_recovery() then "
                 "pg_current_wal_insert_lsn()::text end, pg_last_wal_replay_lsn()::text, "
                 "(select setting from pg_settings where name = 'wal_writer_delay')",
                 0, NULL, err);

    if (result == NULL)
        return -1;
    state->flush_to = text_at(result, 0, arena);
    state->log_after =
        log_number(state->flush_to != NULL ? state->flush_to : PQgetvalue(result, 0, 1));
    state->durable_at = log_clock() + 3 * strtod(PQgetvalue(result, 0, 2), NULL) / 1000;
    PQclear(result);
    return 0;
}

int pages_before(ServerState *state, Db *side, Err *err)
{
    PGresult *result = db_query(
        side,
        "select exists (select from pg_proc p join pg_namespace n on n.oid = "
        "p.pronamespace join pg_roles r on r.oid = p.proowner and r.rolsuper "
        "where n.nspname = 'stratify' and p.proname = 'visibility_map' "
        "and has_schema_privilege(n.oid, 'usage') "
        "and has_function_privilege(p.oid, 'execute')), "
        "case when not pg_is_in_recovery() then pg_current_wal_insert_lsn()::text end",
        0, NULL, err);

    if (result == NULL)
        return -1;
    state->has_map = is_true(result, 0);
    state->log_before = log_number(PQgetvalue(result, 0, 1));
    PQclear(result);
    return 0;
}

int pages_server(ServerState *state, Db *side, Db *db, Arena *arena, Err *err)
{
    PGresult *result =
        db_query(db,
                 "select pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text "
                 "from pg_current_snapshot() s",
                 0, NULL, err);

    if (result == NULL)
        return -1;
    state->xmin = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    state->xmax = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    PQclear(result);
    state->server = server_name(side, arena);
    return log_position(state, side, arena, err);
}

bool pages_can_compare(const Manifest *old, const ServerState *now)
{
    return old->server != NULL && now->server != NULL && old->xmin > 0 &&
           strcmp(old->server, now->server) == 0 && now->xmin >= old->xmin &&
           now->xmax - old->xmin < MOST_DISTANCE && old->log_after > 0 &&
           now->log_after >= old->log_after;
}

static int log_flushed(uint64_t *position, Db *side, Err *err)
{
    PGresult *result =
        db_query(side, "select pg_current_wal_flush_lsn()::text", 0, NULL, err);

    if (result == NULL)
        return -1;
    *position = log_number(PQgetvalue(result, 0, 0));
    PQclear(result);
    return 0;
}

int pages_settle(ServerState *state, Db *side, Err *err)
{
    const struct timespec pause = {0, 20 * 1000 * 1000};
    uint64_t flushed = 0;

    if (state->flush_to == NULL)
        return 0;
    for (;;) {
        if (log_flushed(&flushed, side, err) != 0)
            return -1;
        if (flushed >= state->log_after || log_clock() >= state->durable_at)
            break;
        nanosleep(&pause, NULL);
    }
    /* A crash gives positions that were not flushed to others. */
    if (flushed < state->log_before)
        state->log_before = flushed;
    return 0;
}

/* ---- a table ----------------------------------------------------------- */

/* Kind, then whatever else keeps a table from being compared. */
static const char *why_not(const PGresult *result)
{
    static const struct {
        char kind;
        const char *words;
    } KINDS[] = {{'v', "a view"}, {'f', "a foreign table"}, {'p', "a partitioned table"}};
    char kind;

    if (PQntuples(result) != 1)
        return "not a table";
    kind = *PQgetvalue(result, 0, 0);
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
        if (kind == KINDS[k].kind)
            return KINDS[k].words;
    if (kind != 'r' && kind != 'm')
        return "not a table";
    if (*PQgetvalue(result, 0, 1) != 'p')
        return "a table that is not logged";
    if (!is_true(result, 6))
        return "a table that is not stored as a heap";
    if (is_true(result, 2))
        return "a table with row security";
    if (is_true(result, 3))
        return "a table with tables that inherit from it";
    return NULL;
}

int pages_table(TableState *state, const Access *access, Db *side, Db *db, Err *err)
{
    static const char SQL[] =
        "select c.relkind, c.relpersistence, row_security_active(c.oid), "
        "exists (select from pg_inherits i where i.inhparent = c.oid), "
        "pg_relation_size(c.oid) / current_setting('block_size')::int, "
        "format('%s file %s columns %s', c.oid, pg_relation_filenode(c.oid), "
        "(select string_agg(format('%s %s %s', a.attnum, a.attname, a.atttypid), ', ' "
        "order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > "
        "0 "
        "and not a.attisdropped)), exists (select from pg_am m where m.oid = c.relam and "
        "m.amname = 'heap') from pg_class c where c.oid = to_regclass($1)";
    const Source *source = access->source;
    const char *name, *lock;
    PGresult *result;

    *state = (TableState){.why = "a query"};
    if (source->table == NULL)
        return 0;
    if (PQserverVersion(db_conn(db)) < 140000) {
        state->why = "on a server before version 14";
        return 0;
    }
    name = db_quote_table(access->arena, source->table);
    result = db_query(side, SQL, 1, &name, err);
    if (result == NULL)
        return -1;
    state->why = why_not(result);
    PQclear(result);
    if (state->why != NULL)
        return 0;
    /* A statement that reads nothing locks as long as the snapshot lasts. */
    lock = arena_format(access->arena, "select from %s limit 0", name);
    if (db_exec(db, lock, err) != 0)
        return -1;
    result = db_query(side, SQL, 1, &name, err);
    if (result == NULL)
        return -1;
    state->why = why_not(result); /* nobody can change it any more */
    if (state->why == NULL) {
        state->pages = (uint32_t)strtoul(PQgetvalue(result, 0, 4), NULL, 10);
        state->state = text_at(result, 5, access->arena);
    }
    PQclear(result);
    return 0;
}

/* ---- pages ------------------------------------------------------------- */

enum { PAGES_A_BYTE = 4 }; /* of the map: two bits a page, the lower is all-visible */

static void set_untouched(uint8_t *untouched, uint32_t n, uint32_t first,
                          const unsigned char *map, size_t len)
{
    for (size_t i = 0; i < len * PAGES_A_BYTE && first + i < n; i++) {
        uint32_t page = first + (uint32_t)i;

        if ((map[i / PAGES_A_BYTE] >> 2 * (i % PAGES_A_BYTE) & 1) != 0)
            untouched[page / 8] |= (uint8_t)(1 << page % 8);
    }
}

static void read_map(TableState *state, Arena *arena, const PGresult *result,
                     uint64_t log_before)
{
    uint8_t *untouched = arena_alloc(arena, state->pages / 8 + 1, 1);

    for (int b = 0; b < PQntuples(result); b++) {
        unsigned char *map;
        size_t len;

        if (log_number(PQgetvalue(result, b, 0)) > log_before)
            continue;
        map = PQunescapeBytea((unsigned char *)PQgetvalue(result, b, 1), &len);
        if (map == NULL)
            continue;
        set_untouched(untouched, state->pages, (uint32_t)((size_t)b * len * PAGES_A_BYTE),
                      map, len);
        PQfreemem(map);
    }
    state->untouched = untouched;
}

void pages_read_map(TableState *state, const Access *access, uint64_t log_before,
                    Db *side)
{
    const char *name = db_quote_table(access->arena, access->source->table);
    Err unsaid = {0};
    PGresult *result =
        db_query(side,
                 "select noted, pages from stratify.visibility_map($1::regclass) "
                 "order by block",
                 1, &name, &unsaid);

    if (result == NULL)
        return; /* rows will decide */
    read_map(state, access->arena, result, log_before);
    PQclear(result);
}

bool pages_are_untouched(const TableState *state, const Piece *piece, uint32_t old_pages)
{
    uint32_t old_last = piece->last < old_pages ? piece->last : old_pages;
    uint32_t last = piece->last < state->pages ? piece->last : state->pages;

    if (state->untouched == NULL || old_pages == 0 || old_last > state->pages)
        return false;
    for (uint32_t page = piece->first; page < last; page++)
        if ((state->untouched[page / 8] >> page % 8 & 1) == 0)
            return false;
    return true;
}

/* Asks something of the rows on the piece's pages: select WHAT from them. */
static PGresult *ask_rows(const Access *access, const Piece *piece, const char *what,
                          const char *having, Db *db, Err *err)
{
    Arena *arena = arena_new();
    const char *sql =
        arena_format(arena,
                     "select %s from %s t where t.ctid >= '(%" PRIu32 ",0)'::tid "
                     "and t.ctid < '(%" PRIu32 ",0)'::tid%s",
                     what, db_quote_table(arena, access->source->table), piece->first,
                     piece->last, having);
    PGresult *result = db_query(db, sql, 0, NULL, err);

    arena_free(arena);
    return result;
}

/* Whether some row is new. Ends with the first. */
static int have_new_row(bool *found, const Access *access, const Piece *piece,
                        uint64_t old_xmin, Db *db, Err *err)
{
    char is_new[64];
    PGresult *result;

    snprintf(is_new, sizeof is_new, " and age(t.xmin) <= age('%" PRIu32 "'::xid) limit 1",
             (uint32_t)old_xmin);
    result = ask_rows(access, piece, "1", is_new, db, err);
    if (result == NULL)
        return -1;
    *found = PQntuples(result) > 0;
    PQclear(result);
    return 0;
}

/* Whether the rows on the pages are others than the piece has. */
static int have_other_rows(bool *others, const Access *access, const Piece *piece,
                           uint64_t old_xmin, Db *db, Err *err)
{
    uint64_t rows = 0, found;
    char what[96];
    PGresult *result;

    for (int f = 0; f < piece->n_files; f++)
        rows += piece->files[f].chunk.rows;
    snprintf(what, sizeof what,
             "count(*), coalesce(min(age(t.xmin)) <= age('%" PRIu32 "'::xid), false)",
             (uint32_t)old_xmin);
    result = ask_rows(access, piece, what, "", db, err);
    if (result == NULL)
        return -1;
    found = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    *others = found != rows || is_true(result, 1);
    PQclear(result);
    return 0;
}

int pages_have_changed(bool *changed, const TableState *state, const Access *access,
                       const Piece *piece, uint64_t old_xmin, Db *db, Err *err)
{
    *changed = false;
    /* Where the map says that somebody wrote, a new row is likely, and soon found. */
    if (state->untouched != NULL &&
        have_new_row(changed, access, piece, old_xmin, db, err) != 0)
        return -1;
    return *changed ? 0 : have_other_rows(changed, access, piece, old_xmin, db, err);
}
