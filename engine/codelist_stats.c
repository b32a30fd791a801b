/*
 * codelist_stats.c - the lists of a config against the data: which codes are never met,
 * and how many rows match beside the last published run.
 *
 * Both come from a fresh load, so "met" means among the rows that a run keeps: of its
 * people, in the windows of its features.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/codelist.h"
#include "engine/db/db.h"
#include "engine/publish/small.h"
#include "loaders/load.h"

/* What the last published run says of a list. */
typedef struct Last {
    int64_t rows, people;
    bool is_found, is_same_version;
} Last;

typedef struct Stats {
    const Options *options;
    Plan plan;
    Store store;
    bool **is_met; /* by list and entry */
    Last *last;    /* by list */
    const char *last_run;
} Stats;

/* ---- codes met ----------------------------------------------------------- */

static void meet_codes(bool *is_met, const CodeList *list, const Stats *stats)
{
    Arena *arena = arena_new();
    Matcher *matcher = matcher_new(arena);
    Hit *hits = arena_alloc(arena, (size_t)list->n_entries, sizeof *hits);

    for (int e = 0; e < list->n_entries; e++) {
        ListEntry entry = list->entries[e];

        entry.above = -INFINITY;
        entry.below = INFINITY;
        entry.sex = 0;
        matcher_add(matcher, &entry, (uint32_t)e);
    }
    matcher_build(matcher);
    for (int s = 0; s < stats->plan.n_event_sources; s++) {
        const Events *events = &stats->store.events[s];

        for (uint32_t c = 0; c < events->n_codes; c++) {
            int n = matcher_find(matcher, events->codes[c], hits, list->n_entries);

            for (int h = 0; h < n; h++)
                is_met[hits[h].feature] = true;
        }
    }
    arena_free(arena);
}

/* Whether a source that the run reads writes codes of the system. */
static bool is_in_use(const Plan *plan, System system)
{
    for (int s = 0; s < plan->n_event_sources; s++) {
        const Source *source = plan_events(plan, s);

        if (source->system == system)
            return true;
        for (int i = 0; i < source->n_systems; i++)
            if (source->system_to[i] == system)
                return true;
        if (source->needs_code && source->system == SYSTEM_NONE && source->n_systems == 0)
            return true; /* rows may name any */
    }
    return false;
}

/* ---- the last run -------------------------------------------------------- */

static int64_t whole(const PGresult *result, int row, int column)
{
    const char *text = PQgetvalue(result, row, column);
    int64_t value = 0;

    text_int64(&value, text, strlen(text));
    return value;
}

static void take_last(Stats *stats, const PGresult *result, Arena *arena)
{
    const Plan *plan = &stats->plan;

    for (int row = 0; row < PQntuples(result); row++) {
        stats->last_run =
            arena_format(arena, "run %s as of %s", PQgetvalue(result, row, 4),
                         PQgetvalue(result, row, 5));
        for (int l = 0; l < plan->n_lists; l++) {
            if (strcmp(plan->lists[l].id, PQgetvalue(result, row, 0)) != 0)
                continue;
            stats->last[l] =
                (Last){whole(result, row, 2), whole(result, row, 3), true,
                       strcmp(plan->lists[l].version, PQgetvalue(result, row, 1)) == 0};
        }
    }
}

/* Nothing to compare with is no fault: a first night has no last one. */
static int read_last(Stats *stats, Arena *arena, Err *err)
{
    static const char THERE[] = "select 1 from pg_class where "
                                "oid = to_regclass('stratify.run_list')";
    static const char LISTS[] =
        "select l.list, coalesce(l.version, ''), l.rows, r.people, r.run_id, r.as_of "
        "from stratify.run_list l join stratify.run r using (run_id) "
        "join stratify.current_run using (run_id)";
    PGresult *result = NULL;
    Db *db = NULL;
    int rc = -1;

    if (db_open(&db, stats->options->conninfo, "codelist", err) != 0 ||
        (result = db_query(db, THERE, 0, NULL, err)) == NULL)
        goto done;
    if (PQntuples(result) > 0) {
        PQclear(result);
        result = db_query(db, LISTS, 0, NULL, err);
        if (result == NULL)
            goto done;
        take_last(stats, result, arena);
    }
    rc = 0;
done:
    PQclear(result);
    db_close(db);
    return rc;
}

/* ---- what is shown ------------------------------------------------------- */

/* Rows for every 1,000 people, or "*" where so few would show. */
static void rate_cell(struct libscols_line *line, int column, uint64_t rows,
                      uint64_t people)
{
    if (small_number(rows) == SMALL_HIDDEN)
        codelist_cell(line, column, "*");
    else if (people > 0)
        codelist_cell(line, column, "%.1f", 1000 * (double)rows / (double)people);
}

static void change_cell(struct libscols_line *line, int column, const Last *last,
                        uint64_t rows, uint64_t people)
{
    double now = (double)rows / (double)people;
    double then = (double)last->rows / (double)last->people;
    bool is_hidden = small_number(rows) == SMALL_HIDDEN ||
                     small_number((uint64_t)last->rows) == SMALL_HIDDEN;

    if (!last->is_same_version)
        codelist_cell(line, column, "other version");
    else if (!is_hidden && then > 0 && people > 0)
        codelist_cell(line, column, "%+.1f %%", 100 * (now / then - 1));
}

static void list_line(struct libscols_table *table, const Stats *stats, int l)
{
    const CodeList *list = &stats->plan.lists[l];
    const Last *last = &stats->last[l];
    uint64_t rows = stats->store.list_people[l], people = stats->store.n_people;
    struct libscols_line *line = scols_table_new_line(table, NULL);
    int n_other = 0, n_unmet = 0;

    for (int e = 0; e < list->n_entries; e++) {
        bool is_other = !is_in_use(&stats->plan, code_system(list->entries[e].code));

        n_other += is_other;
        n_unmet += !is_other && !stats->is_met[l][e];
    }
    codelist_cell(line, 0, "%s", list->id);
    codelist_cell(line, 1, "%d", list->n_entries);
    codelist_cell(line, 2, "%d", n_other);
    codelist_cell(line, 3, "%d", n_unmet);
    if (!list->is_used) {
        codelist_cell(line, 4, "not used");
        return;
    }
    if (small_number(rows) == SMALL_HIDDEN)
        codelist_cell(line, 4, "*");
    else
        codelist_cell(line, 4, "%" PRIu64, rows);
    rate_cell(line, 5, rows, people);
    if (!last->is_found)
        return;
    rate_cell(line, 6, (uint64_t)last->rows, (uint64_t)last->people);
    change_cell(line, 7, last, rows, people);
}

static void print_stats(const Stats *stats)
{
    static const char *const HEADINGS[] = {"LIST",       ">CODES", ">OTHER SYSTEM",
                                           ">NEVER MET", ">ROWS",  ">PER 1,000",
                                           ">LAST RUN",  ">CHANGE"};
    struct libscols_table *table = codelist_table(HEADINGS, 8);

    for (int l = 0; l < stats->plan.n_lists; l++)
        list_line(table, stats, l);
    printf("Rows that a run keeps, per 1,000 people (1 to 7: *); last run: %s\n",
           stats->last_run);
    codelist_print(table);
}

/* The codes of one list that no kept row has, in the order of the file. */
static void print_unmet(const Stats *stats, int l)
{
    static const char *const HEADINGS[] = {"NEVER MET", "SYSTEM", "CATEGORY", ">LINE"};
    const CodeList *list = &stats->plan.lists[l];
    struct libscols_table *table = codelist_table(HEADINGS, 4);

    for (int e = 0; e < list->n_entries; e++) {
        const ListEntry *entry = &list->entries[e];
        System system = code_system(entry->code);
        struct libscols_line *line;
        char code[CODE_TEXT];

        if (stats->is_met[l][e] || !is_in_use(&stats->plan, system))
            continue;
        line = scols_table_new_line(table, NULL);
        code_text(code, entry->code);
        codelist_cell(line, 0, "%s%s", code, entry->is_prefix ? "*" : "");
        codelist_cell(line, 1, "%s", system_word(system));
        codelist_cell(line, 2, "%s", list->categories[entry->category].id);
        codelist_cell(line, 3, "%u", entry->line);
    }
    codelist_print(table);
}

static int find_list(const Plan *plan, const char *id, Err *err)
{
    const char **known = mem_alloc((size_t)plan->n_lists, sizeof *known, "lists");
    const char *nearest;
    int found = -1;

    for (int l = 0; l < plan->n_lists; l++) {
        known[l] = plan->lists[l].id;
        if (strcmp(known[l], id) == 0)
            found = l;
    }
    if (found < 0) {
        err_add(err, ERR_USAGE, (Where){plan->path, 0, 0}, "there is no code list \"%s\"",
                id);
        nearest = text_nearest(id, known, (size_t)plan->n_lists);
        if (nearest != NULL)
            err_hint(err, "did you mean \"%s\"?", nearest);
    }
    free(known);
    return found;
}

/* ---- the whole ----------------------------------------------------------- */

static int measure(Stats *stats, Arena *arena, Err *err)
{
    const Options *options = stats->options;
    LoadOptions how = {.conninfo = options->conninfo,
                       .connections = options->connections,
                       .extract = options->extract};
    size_t n = (size_t)stats->plan.n_lists;

    stats->is_met = arena_alloc(arena, n, sizeof *stats->is_met);
    stats->last = arena_alloc(arena, n, sizeof *stats->last);
    stats->last_run = "none";
    if (load_store(&stats->store, &stats->plan, &how, err) != 0)
        return -1;
    for (size_t l = 0; l < n; l++) {
        const CodeList *list = &stats->plan.lists[l];

        stats->is_met[l] = arena_alloc(arena, (size_t)list->n_entries, sizeof(bool));
        meet_codes(stats->is_met[l], list, stats);
    }
    return options_want_database(options) ? read_last(stats, arena, err) : 0;
}

int codelist_stats(const Options *options, Arena *arena, Err *err)
{
    static const char *const AS_IT_IS[2] = {NULL, NULL};
    Stats stats = {.options = options};
    int rc = codelist_plan(&stats.plan, options->config, options, AS_IT_IS, arena, err);
    int list = -1;

    if (rc != 0)
        return -1;
    if (options->n_args > 1) {
        list = find_list(&stats.plan, options->args[1], err);
        if (list < 0)
            return -1;
    }
    rc = measure(&stats, arena, err);
    if (rc == 0 && list >= 0)
        print_unmet(&stats, list);
    else if (rc == 0)
        print_stats(&stats);
    store_free(&stats.store, &stats.plan);
    return rc;
}
