/*
 * previous.c - see previous.h.
 *
 * One list of tables and columns serves both ways of reading; what is done with a row
 * does not know where it came from. Values are text, null is "".
 */
#include "engine/strata/previous.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/text.h"

enum { MOST_COLUMNS = 4, READ_BYTES = 64 * 1024 };

typedef struct Reading {
    PreviousRun *previous;
    const Plan *plan;
    Arena *arena;
    uint32_t member_room;
    int practice_room;
} Reading;

/* False where a value is not what the table holds. */
typedef bool (*TakeRow)(Reading *reading, const char *const *values);

/* ---- rows ---------------------------------------------------------------- */

static bool whole(int64_t *value, const char *text)
{
    return text_int64(value, text, strlen(text));
}

static bool take_run(Reading *reading, const char *const *values)
{
    int64_t people;

    if (!whole(&people, values[0]))
        return false;
    reading->previous->is_found = true;
    reading->previous->n_people = (uint64_t)people;
    return true;
}

static bool take_member(Reading *reading, const char *const *values)
{
    PreviousRun *previous = reading->previous;
    int64_t rank, person;
    int cohort = 0;

    if (!whole(&rank, values[2]) || !whole(&person, values[3]))
        return false;
    while (cohort < reading->plan->n_cohorts &&
           strcmp(reading->plan->cohorts[cohort].id, values[0]) != 0)
        cohort++;
    if (rank == 0 || cohort == reading->plan->n_cohorts)
        return true; /* had left by then, or the cohort is no more */
    if (previous->n_members == reading->member_room) {
        uint32_t room = reading->member_room == 0 ? 1024 : 2 * reading->member_room;

        previous->members = arena_grow(reading->arena, previous->members,
                                       reading->member_room, room, sizeof(Previous));
        reading->member_room = room;
    }
    previous->members[previous->n_members++] = (Previous){
        cohort, arena_text(reading->arena, values[1], strlen(values[1])), person};
    return true;
}

static bool take_source(Reading *reading, const char *const *values)
{
    int64_t rows;

    if (!whole(&rows, values[1]))
        return false;
    for (int s = 0; s < reading->plan->n_sources; s++)
        if (strcmp(reading->plan->sources[s].name, values[0]) == 0)
            reading->previous->source_rows[s] = rows;
    return true;
}

static bool take_list(Reading *reading, const char *const *values)
{
    int64_t rows;

    if (!whole(&rows, values[2]))
        return false;
    for (int l = 0; l < reading->plan->n_lists; l++) {
        const CodeList *list = &reading->plan->lists[l];

        if (strcmp(list->id, values[0]) == 0 &&
            strcmp(list->version == NULL ? "" : list->version, values[1]) == 0)
            reading->previous->list_rows[l] = rows;
    }
    return true;
}

static bool take_model(Reading *reading, const char *const *values)
{
    double mean = NAN;

    if (values[2][0] != '\0' && !text_double(&mean, values[2], strlen(values[2])))
        return false;
    for (int m = 0; m < reading->plan->n_models; m++) {
        const Model *model = &reading->plan->models[m];

        if (strcmp(model->id, values[0]) == 0 && strcmp(model->version, values[1]) == 0)
            reading->previous->mean_score[m] = mean;
    }
    return true;
}

static bool take_group(Reading *reading, const char *const *values)
{
    PreviousRun *previous = reading->previous;
    const char *practice = reading->plan->groupings[GROUPING_PRACTICE].id;
    int64_t people;

    if (!whole(&people, values[2]))
        return false;
    if (people == 0 || strcmp(values[0], practice) != 0)
        return true;
    if (previous->n_practices == reading->practice_room) {
        int room = reading->practice_room == 0 ? 256 : 2 * reading->practice_room;

        previous->practices = arena_grow(reading->arena, previous->practices,
                                         (size_t)reading->practice_room, (size_t)room,
                                         sizeof *previous->practices);
        reading->practice_room = room;
    }
    previous->practices[previous->n_practices++] =
        arena_text(reading->arena, values[1], strlen(values[1]));
    return true;
}

/* A cohort that was left out for a night is compared with the last run that had it. */
#define LAST_OF_COHORT                                                                   \
    "(run_id, cohort) in (select max(run_id), cohort from stratify.run_cohort "          \
    "join stratify.run using (run_id) where status = 'published' and run_id <= "         \
    "(select run_id from stratify.current_run) group by cohort)"

static const struct Wanted {
    const char *table;
    const char *columns[MOST_COLUMNS + 1];
    TakeRow take;
    const char *rows; /* in the database; NULL = those of the current run */
} WANTED[] = {
    {"run", {"people"}, take_run, NULL},
    {"run_source", {"source", "rows"}, take_source, NULL},
    {"run_list", {"list", "version", "rows"}, take_list, NULL},
    {"run_model", {"model", "version", "mean_score"}, take_model, NULL},
    {"run_group", {"grouping", "code", "people"}, take_group, NULL},
    {"cohort_member",
     {"cohort", "group_code", "rank", "person_id"},
     take_member,
     LAST_OF_COHORT},
};
enum { N_WANTED = sizeof WANTED / sizeof *WANTED };

static int count_columns(const struct Wanted *wanted)
{
    int n = 0;

    while (wanted->columns[n] != NULL)
        n++;
    return n;
}

/* ---- the database -------------------------------------------------------- */

static int read_table(Reading *reading, Db *db, const struct Wanted *wanted, Err *err)
{
    int n = count_columns(wanted), rc = 0;
    const char *sql = "select ";
    PGresult *result;

    for (int c = 0; c < n; c++)
        sql = arena_format(reading->arena, "%s%s%s", sql, c == 0 ? "" : ", ",
                           wanted->columns[c]);
    sql = arena_format(reading->arena, "%s from stratify.%s where %s", sql, wanted->table,
                       wanted->rows != NULL
                           ? wanted->rows
                           : "run_id = (select run_id from stratify.current_run)");
    result = db_query(db, sql, 0, NULL, err);
    if (result == NULL)
        return -1;
    for (int row = 0; row < PQntuples(result) && rc == 0; row++) {
        const char *values[MOST_COLUMNS];

        for (int c = 0; c < n; c++)
            values[c] = PQgetvalue(result, row, c); /* "" for null */
        if (!wanted->take(reading, values))
            rc = err_add(err, ERR_PUBLISH, db_where,
                         "table stratify.%s is not as this version writes it",
                         wanted->table);
    }
    PQclear(result);
    return rc;
}

/* ---- files --------------------------------------------------------------- */

/* One file while libcsv calls back. */
typedef struct CsvReading {
    Reading *reading;
    const struct Wanted *wanted;
    int n_columns;
    int place[MOST_COLUMNS]; /* of each wanted column in the file; -1 = not seen */
    char *values[MOST_COLUMNS];
    int field;
    bool is_header, is_bad;
} CsvReading;

static void take_field(void *data, size_t len, void *own)
{
    CsvReading *csv = own;
    const char *text = len == 0 ? "" : data;
    int field = csv->field++;

    for (int c = 0; c < csv->n_columns; c++) {
        const char *name = csv->wanted->columns[c];

        if (csv->is_header && strlen(name) == len && memcmp(name, text, len) == 0)
            csv->place[c] = field;
        if (csv->is_header || csv->place[c] != field)
            continue;
        csv->values[c] = mem_grow(csv->values[c], len + 1, 1, "a value");
        memcpy(csv->values[c], text, len);
        csv->values[c][len] = '\0';
    }
}

static void take_line(int end, void *own)
{
    CsvReading *csv = own;
    const char *values[MOST_COLUMNS];

    (void)end;
    for (int c = 0; c < csv->n_columns; c++) {
        csv->is_bad |= csv->place[c] < 0 || (!csv->is_header && csv->values[c] == NULL);
        values[c] = csv->values[c];
    }
    if (!csv->is_header && !csv->is_bad)
        csv->is_bad = !csv->wanted->take(csv->reading, values);
    csv->is_header = false;
    csv->field = 0;
}

static void parse_file(CsvReading *csv, gzFile file)
{
    struct csv_parser parser;
    char *block = mem_alloc(READ_BYTES, 1, "a block of a file");
    int n;

    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        abort(); /* it only fails without a parser */
    while ((n = gzread(file, block, READ_BYTES)) > 0)
        if (csv_parse(&parser, block, (size_t)n, take_field, take_line, csv) != (size_t)n)
            break;
    csv->is_bad |= n != 0 || csv_fini(&parser, take_field, take_line, csv) != 0;
    csv_free(&parser);
    free(block);
}

static int read_file(Reading *reading, const char *folder, const struct Wanted *wanted,
                     Err *err)
{
    const char *path =
        arena_format(reading->arena, "%s/%s.csv.gz", folder, wanted->table);
    CsvReading csv = {.reading = reading, .wanted = wanted, .is_header = true};
    gzFile file = gzopen(path, "rb");

    if (file == NULL)
        return err_add(err, ERR_SOURCE, (Where){path, 0, 0}, "could not open: %s",
                       strerror(errno));
    csv.n_columns = count_columns(wanted);
    for (int c = 0; c < MOST_COLUMNS; c++)
        csv.place[c] = -1;
    parse_file(&csv, file);
    gzclose(file);
    for (int c = 0; c < MOST_COLUMNS; c++)
        free(csv.values[c]);
    if (csv.is_bad || csv.is_header)
        return err_add(err, ERR_PUBLISH, (Where){path, 0, 0},
                       "is not as this version writes it");
    return 0;
}

/* ---- both ---------------------------------------------------------------- */

static Reading start(PreviousRun *previous, const Plan *plan, Arena *arena)
{
    *previous = (PreviousRun){0};
    previous->source_rows =
        arena_alloc(arena, (size_t)plan->n_sources, sizeof *previous->source_rows);
    previous->list_rows =
        arena_alloc(arena, (size_t)plan->n_lists, sizeof *previous->list_rows);
    previous->mean_score =
        arena_alloc(arena, (size_t)plan->n_models, sizeof *previous->mean_score);
    for (int s = 0; s < plan->n_sources; s++)
        previous->source_rows[s] = -1;
    for (int l = 0; l < plan->n_lists; l++)
        previous->list_rows[l] = -1;
    for (int m = 0; m < plan->n_models; m++)
        previous->mean_score[m] = NAN;
    return (Reading){.previous = previous, .plan = plan, .arena = arena};
}

static int compare_previous(const void *left, const void *right)
{
    const Previous *a = left, *b = right;
    int order = (a->cohort > b->cohort) - (a->cohort < b->cohort);

    if (order == 0)
        order = strcmp(a->group, b->group);
    if (order == 0)
        order = (a->person_id > b->person_id) - (a->person_id < b->person_id);
    return order;
}

static void sort_members(PreviousRun *previous)
{
    if (previous->n_members > 0)
        qsort(previous->members, previous->n_members, sizeof *previous->members,
              compare_previous);
}

int previous_read(PreviousRun *previous, const Plan *plan, Db *db, Arena *arena, Err *err)
{
    Reading reading = start(previous, plan, arena);

    for (int i = 0; i < N_WANTED; i++)
        if (read_table(&reading, db, &WANTED[i], err) != 0)
            return -1;
    sort_members(previous);
    return 0;
}

int previous_read_files(PreviousRun *previous, const Plan *plan, const char *folder,
                        Arena *arena, Err *err)
{
    Reading reading = start(previous, plan, arena);

    if (access(arena_format(arena, "%s/run.csv.gz", folder), F_OK) != 0)
        return 0;
    for (int i = 0; i < N_WANTED; i++)
        if (read_file(&reading, folder, &WANTED[i], err) != 0)
            return -1;
    sort_members(previous);
    return 0;
}
