/*
 * extract_events.c - a chunk of events -> a pile, with the outcome that the same rows
 * have when they come from their source.
 *
 * A chunk has few different values and many rows, so what a value means is found once:
 * row.c is asked about a row that has nothing but this value. A row of the chunk is then
 * put together from the answers: its fault is the first that row.c would have found, and
 * the bits of its conditions are those of its values together (a missing value meets no
 * condition).
 *
 * Rows that the server would not have sent for this plan are passed over and not counted,
 * as they are not counted where a server leaves them out: wanted.h says which. They are
 * told by code and day alone, before anything else of a block is read.
 */
#include <math.h>

#include "loaders/cell.h"
#include "loaders/extract.h"
#include "loaders/row.h"
#include "loaders/wanted.h"

/* What the server would do with a row of this day. */
typedef enum Sent { SENT_NEVER, SENT_BY_END, SENT_ALWAYS } Sent;

/* A column of the plan. Arrays are by value of the chunk, and NULL if not needed. */
typedef struct Meaning {
    Field field;
    int at; /* column of the chunk; -1 = the person */
    const ChunkColumn *column;
    uint8_t *fault; /* RowFate */
    int32_t *day;
    uint8_t *sent;  /* Sent, of a day; whether it is sent, of an end */
    uint8_t *stage; /* that a day is in; the first in which a code is sent */
    double *value;
    uint32_t *conditions;
    uint64_t *hash;       /* for rows that count once */
    uint32_t *entry;      /* of the pile's dictionary */
    uint32_t *row_value;  /* of the block */
    uint64_t *row_number; /* of a plain column */
    uint8_t *row_missing;
} Meaning;

typedef struct Taker {
    const Taking *taking;
    const Access *access;
    const Source *source;
    Chunk *chunk;
    Arena *arena;
    RowScratch *scratch;
    Cell *cells;       /* a row with nothing in it but a person */
    Meaning *meanings; /* by column of the plan */
    int n_meanings;
    Meaning *date, *end, *code, *system, *value, *key; /* NULL = no such column */
    const Meaning **attributes;
    int n_attributes;
    const Wanted *wanted;
    bool is_whole_key; /* rows count once by all they have */
    int32_t as_of, latest;
    uint32_t n_listed, n_extra;
    const int64_t *extra;
    const IdSlot **extra_met;
    uint32_t *person; /* of the block */
    uint32_t *row;    /* of the block: rows that the server would have sent */
} Taker;

static void *room(const Taker *t, size_t n, size_t size)
{
    return arena_alloc(t->arena, n, size);
}

/* ---- what values mean -------------------------------------------------- */

/* The row that has nothing but this cell. */
static RowFate ask(EventRow *row, const Taker *t, const Meaning *meaning, Cell cell)
{
    Cell *place = &t->cells[meaning - t->meanings];
    RowFate fate;

    *place = cell;
    fate = row_event(row, t->taking->map, t->cells, t->taking->pile->dict, t->scratch);
    place->type = CELL_NULL;
    return fate;
}

static bool is_sentinel(const Source *source, int32_t day)
{
    for (int s = 0; s < source->n_sentinels; s++)
        if (source->sentinels[s] == day)
            return true;
    return false;
}

/* As the server compares: kind_postgres_select.c, days_wanted(). */
static Sent day_sent(const Taker *t, const Cell *cell)
{
    const Source *source = t->source;
    bool is_null = cell->type == CELL_NULL;
    int32_t day = is_null ? 0 : cell->as.day;

    if (!t->wanted->has_days ||
        (source->wants_undated && (is_null || is_sentinel(source, day))))
        return SENT_ALWAYS;
    if (is_null || day >= t->taking->pile->plan->as_of)
        return SENT_NEVER;
    if (source->oldest <= DAY_FIRST || day >= source->oldest)
        return SENT_ALWAYS;
    return t->wanted->by_end ? SENT_BY_END : SENT_NEVER;
}

static bool end_sent(const Taker *t, const Cell *cell)
{
    return cell->type != CELL_DAY || cell->as.day >= t->source->oldest ||
           is_sentinel(t->source, cell->as.day);
}

static void give_room(const Taker *t, Meaning *m)
{
    size_t n = m->column->n;

    m->fault = room(t, n, sizeof *m->fault);
    if (m == t->date || m == t->end)
        m->day = room(t, n, sizeof *m->day);
    if (m == t->date || m == t->end)
        m->sent = room(t, n, sizeof *m->sent);
    if (m == t->date || m == t->code)
        m->stage = room(t, n, sizeof *m->stage);
    if (m == t->value)
        m->value = room(t, n, sizeof *m->value);
    if (m == t->value || m->field == FIELD_ATTRIBUTE)
        m->conditions = room(t, n, sizeof *m->conditions);
    if (m == t->code && t->system == NULL)
        m->entry = room(t, n, sizeof *m->entry);
    if (t->source->is_unique && (m == t->key || t->is_whole_key))
        m->hash = room(t, n, sizeof *m->hash);
}

static void learn_value(const Taker *t, Meaning *m, uint32_t v)
{
    EventRow row;
    Cell cell;

    extract_value(&cell, m->column, v);
    m->fault[v] = (uint8_t)ask(&row, t, m, cell);
    if (m == t->date) {
        m->day[v] = row.day;
        m->sent[v] = (uint8_t)day_sent(t, &cell);
        m->stage[v] = (uint8_t)wanted_day_stage(t->wanted, &cell);
    }
    if (m == t->end) {
        m->day[v] = row.end;
        m->sent[v] = end_sent(t, &cell);
    }
    if (m->value != NULL)
        m->value[v] = row.value;
    if (m->conditions != NULL)
        m->conditions[v] = row.conditions;
    if (m->hash != NULL)
        m->hash[v] = cell_hash(0, &cell);
    if (m == t->code)
        m->stage[v] = (uint8_t)wanted_code_stage(t->wanted, &cell);
    if (m->entry != NULL)
        m->entry[v] = m->fault[v] == ROW_KEPT ? row.code : DICT_NO_CODE;
}

static void learn(const Taker *t, Meaning *m)
{
    if (m->column->is_plain)
        return;
    give_room(t, m);
    for (uint32_t v = 0; v < m->column->n; v++)
        learn_value(t, m, v);
}

/* ---- setting up -------------------------------------------------------- */

static void name_column(Taker *t, Meaning *m)
{
    switch (m->field) {
    case FIELD_DATE:
        t->date = m;
        break;
    case FIELD_END:
        t->end = m;
        break;
    case FIELD_CODE:
        t->code = m;
        break;
    case FIELD_SYSTEM:
        t->system = m;
        break;
    case FIELD_VALUE:
        t->value = m;
        break;
    case FIELD_KEY:
        t->key = m;
        break;
    case FIELD_ATTRIBUTE:
        t->attributes[t->n_attributes++] = m;
        break;
    default:
        break;
    }
}

static int open_column(Taker *t, int c, Err *err)
{
    Meaning *m = &t->meanings[c];

    m->field = t->source->columns[c].field;
    m->at = extract_column_at(t->access)[c];
    if (m->at < 0)
        return 0;
    m->column = chunk_column(t->chunk, m->at, err);
    if (m->column == NULL)
        return -1;
    name_column(t, m);
    if (!m->column->is_plain) {
        m->row_value = room(t, BLOCK_ROWS, sizeof *m->row_value);
        return 0;
    }
    m->row_number = room(t, BLOCK_ROWS, sizeof *m->row_number);
    m->row_missing = room(t, BLOCK_ROWS, 1);
    return 0;
}

static int open_columns(Taker *t, Err *err)
{
    const Source *source = t->source;

    t->attributes = room(t, (size_t)t->n_meanings, sizeof(Meaning *));
    for (int c = 0; c < t->n_meanings; c++)
        if (open_column(t, c, err) != 0)
            return -1;
    t->is_whole_key = source->is_unique && t->key == NULL;
    t->wanted = t->access->wanted;
    for (int c = 0; c < t->n_meanings; c++)
        if (t->meanings[c].at >= 0)
            learn(t, &t->meanings[c]);
    return 0;
}

static int meet_people(Taker *t, Err *err)
{
    const Extract *extract = t->access->extract;

    if (chunk_extra(&t->extra, &t->n_extra, &t->n_listed, t->chunk, err) != 0)
        return -1;
    if (t->n_listed > extract->manifest.n_people)
        return err_add(err, ERR_DATA, (Where){extract->folder, 0, 0},
                       "the list of people of the extract is too short");
    t->extra_met = room(t, t->n_extra, sizeof(IdSlot *));
    for (uint32_t i = 0; i < t->n_extra; i++)
        t->extra_met[i] = ids_find(&t->taking->people->ids, t->extra[i]);
    return 0;
}

static void make_cells(Taker *t)
{
    t->cells = room(t, (size_t)t->n_meanings, sizeof *t->cells);
    for (int c = 0; c < t->n_meanings; c++)
        if (t->source->columns[c].field == FIELD_PERSON)
            t->cells[c] = t->source->text_person ? (Cell){CELL_TEXT, 1, {.text = "0"}}
                                                 : (Cell){CELL_INT, 0, {.number = 0}};
}

/* ---- rows of a block --------------------------------------------------- */

static int read_column(Taker *t, Meaning *m, int block, Err *err)
{
    if (m->column->is_plain)
        return chunk_plain(m->row_number, m->row_missing, t->chunk, m->at, block, err);
    return chunk_values(m->row_value, t->chunk, m->at, block, err);
}

static uint32_t keep_sent(uint32_t *row, uint32_t n, const Meaning *m)
{
    const uint8_t *sent = m->sent;
    const uint32_t *value = m->row_value;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = row[i];

        row[kept] = at;
        kept += sent[value[at]] != SENT_NEVER;
    }
    return kept;
}

/* Rows whose code is wanted in some stage. */
static uint32_t keep_coded(const Taker *t, uint32_t *row, uint32_t n)
{
    const uint8_t *first = t->code->stage;
    const uint32_t *value = t->code->row_value;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = row[i];

        row[kept] = at;
        kept += first[value[at]] < t->wanted->n_stages;
    }
    return kept;
}

/* Rows whose code is wanted in the stage of their day. */
static uint32_t keep_staged(const Taker *t, uint32_t *row, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = row[i];

        row[kept] = at;
        kept += t->date->stage[t->date->row_value[at]] >=
                t->code->stage[t->code->row_value[at]];
    }
    return kept;
}

/* Rows whose day is too old, and whose end is not late enough to make up for it. */
static uint32_t keep_late(uint32_t *row, uint32_t n, const Meaning *date,
                          const Meaning *end)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = row[i];

        row[kept] = at;
        kept += date->sent[date->row_value[at]] == SENT_ALWAYS ||
                end->sent[end->row_value[at]];
    }
    return kept;
}

static bool tests_codes(const Taker *t)
{
    return t->code != NULL && wanted_last(t->wanted)->has_test;
}

/* Fills row with the rows that the server would have sent, and reads date and code. */
static int choose_rows(uint32_t *n, Taker *t, int block, Err *err)
{
    *n = chunk_block_rows(t->chunk, block);
    for (uint32_t i = 0; i < *n; i++)
        t->row[i] = i;
    if (t->code != NULL && read_column(t, t->code, block, err) != 0)
        return -1;
    if (tests_codes(t))
        *n = keep_coded(t, t->row, *n);
    if (t->date == NULL || *n == 0)
        return 0;
    if (read_column(t, t->date, block, err) != 0)
        return -1;
    if (t->wanted->has_days)
        *n = keep_sent(t->row, *n, t->date);
    if (t->wanted->n_stages > 1)
        *n = keep_staged(t, t->row, *n);
    if (t->end == NULL || *n == 0)
        return 0;
    if (read_column(t, t->end, block, err) != 0)
        return -1;
    *n = keep_late(t->row, *n, t->date, t->end);
    return 0;
}

static int read_block(uint32_t *n, Taker *t, int block, Err *err)
{
    if (choose_rows(n, t, block, err) != 0)
        return -1;
    if (*n == 0)
        return 0;
    if (chunk_persons(t->person, t->chunk, block, err) != 0)
        return -1;
    for (int c = 0; c < t->n_meanings; c++) {
        Meaning *m = &t->meanings[c];

        if (m->at >= 0 && m != t->code && m != t->date && m != t->end &&
            read_column(t, m, block, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- one row ----------------------------------------------------------- */

static Cell cell_at(const Meaning *m, uint32_t i)
{
    Cell cell = {.type = CELL_NULL};

    if (!m->column->is_plain)
        extract_value(&cell, m->column, m->row_value[i]);
    else if (!m->row_missing[i])
        extract_cell(&cell, m->column->type, m->row_number[i]);
    return cell;
}

/* Of a source whose rows name their coding system, the code is asked for row by row. */
static RowFate code_of_row(EventRow *row, const Taker *t, uint32_t i)
{
    EventRow asked;
    RowFate fate;

    row->code = DICT_NO_CODE;
    if (t->code == NULL)
        return ROW_KEPT;
    if (t->system == NULL) {
        uint32_t v = t->code->row_value[i];

        row->code = t->code->entry[v];
        return t->code->fault[v];
    }
    t->cells[t->system - t->meanings] = cell_at(t->system, i);
    fate = ask(&asked, t, t->code, cell_at(t->code, i));
    t->cells[t->system - t->meanings].type = CELL_NULL;
    row->code = asked.code;
    return fate;
}

static RowFate value_of_row(EventRow *row, const Taker *t, uint32_t i)
{
    EventRow asked;
    uint32_t v;
    RowFate fate;

    if (!t->value->column->is_plain) {
        v = t->value->row_value[i];
        row->value = t->value->value[v];
        row->conditions = t->value->conditions[v];
        return t->value->fault[v];
    }
    fate = ask(&asked, t, t->value, cell_at(t->value, i));
    row->value = asked.value;
    row->conditions = asked.conditions;
    return fate;
}

static RowFate attributes_of_row(EventRow *row, const Taker *t, uint32_t i)
{
    for (int a = 0; a < t->n_attributes; a++) {
        const Meaning *m = t->attributes[a];

        if (m->fault[m->row_value[i]] != ROW_KEPT)
            return m->fault[m->row_value[i]];
        row->conditions |= m->conditions[m->row_value[i]];
    }
    return ROW_KEPT;
}

static uint64_t key_of_row(const Taker *t, uint32_t i)
{
    uint64_t hash = 0;

    for (int c = 0; c < t->n_meanings; c++) {
        const Meaning *m = &t->meanings[c];
        Cell cell;

        if (m->at < 0 || !(m == t->key || t->is_whole_key))
            continue;
        if (!m->column->is_plain) {
            hash = hash * UINT64_C(0x9e3779b97f4a7c15) + m->hash[m->row_value[i]];
        } else {
            cell = cell_at(m, i);
            hash = hash * UINT64_C(0x9e3779b97f4a7c15) + cell_hash(0, &cell);
        }
    }
    return hash;
}

/* The checks of row_event(), in its order. */
static RowFate compose(EventRow *row, const Taker *t, uint32_t i)
{
    RowFate fate = ROW_KEPT;

    row->day = row->end = DAY_UNKNOWN;
    if (t->date != NULL) {
        fate = t->date->fault[t->date->row_value[i]];
        row->day = t->date->day[t->date->row_value[i]];
    }
    if (fate == ROW_KEPT && t->end != NULL) {
        fate = t->end->fault[t->end->row_value[i]];
        row->end = t->end->day[t->end->row_value[i]];
    }
    if (fate == ROW_KEPT)
        fate = code_of_row(row, t, i);
    row->value = NAN;
    row->conditions = 0;
    if (fate == ROW_KEPT && t->value != NULL)
        fate = value_of_row(row, t, i);
    if (fate == ROW_KEPT)
        fate = attributes_of_row(row, t, i);
    if (fate == ROW_KEPT && row->end != DAY_UNKNOWN && row->day != DAY_UNKNOWN &&
        row->end < row->day)
        fate = ROW_BAD_END;
    if (fate == ROW_KEPT && t->source->is_unique)
        row->key = key_of_row(t, i);
    return fate;
}

static RowFate settle(Taker *t, uint32_t i)
{
    const Taking *taking = t->taking;
    uint32_t person = t->person[i];
    const IdSlot *slot;
    EventRow row;
    RowFate fate;

    if (person == 0)
        return ROW_NO_PERSON;
    fate = compose(&row, t, i);
    if (fate != ROW_KEPT)
        return fate;
    if (row.day > t->latest && row.day < t->as_of)
        t->latest = row.day;
    slot = person <= t->n_listed ? &t->access->extract->met[person]
                                 : t->extra_met[person - t->n_listed - 1];
    fate = pile_admits(taking->pile, taking->people, slot, row.day);
    if (fate != ROW_KEPT)
        return fate;
    return pile_keep(taking->pile, slot->person, &row);
}

/* ---- the chunk --------------------------------------------------------- */

static bool is_any_day_sent(const Meaning *date)
{
    for (uint32_t v = 0; v < date->column->n; v++)
        if (date->sent[v] != SENT_NEVER)
            return true;
    return false;
}

static bool is_any_code_sent(const Taker *t)
{
    for (uint32_t v = 0; v < t->code->column->n; v++)
        if (t->code->stage[v] < t->wanted->n_stages)
            return true;
    return false;
}

static int take_blocks(Taker *t, Err *err)
{
    if ((t->wanted->has_days && !is_any_day_sent(t->date)) ||
        (tests_codes(t) && !is_any_code_sent(t)))
        return 0;
    t->person = room(t, BLOCK_ROWS, sizeof *t->person);
    t->row = room(t, BLOCK_ROWS, sizeof *t->row);
    for (int block = 0; block < chunk_n_blocks(t->chunk); block++) {
        uint32_t n;

        if (read_block(&n, t, block, err) != 0)
            return -1;
        t->taking->count->rows += n;
        t->latest = t->taking->count->latest;
        for (uint32_t i = 0; i < n; i++)
            t->taking->count->fate[settle(t, t->row[i])]++;
        t->taking->count->latest = t->latest;
    }
    return 0;
}

int extract_take(const Taking *taking, const Access *access, const Slice *slice, Err *err)
{
    const ManifestFile *file = extract_file(access, slice);
    Taker t = {.taking = taking,
               .access = access,
               .source = access->source,
               .as_of = access->plan->as_of,
               .n_meanings = access->source->n_columns};
    const char *path;
    int rc = -1;

    t.arena = arena_new();
    t.scratch = row_scratch_new();
    t.meanings = room(&t, (size_t)t.n_meanings, sizeof *t.meanings);
    make_cells(&t);
    path = arena_format(t.arena, "%s/%s", access->extract->folder, file->name);
    taking->count->rows += file->chunk.bad_rows;
    taking->count->fate[ROW_BAD_VALUE] += file->chunk.bad_rows;
    taking->count->bytes += file->chunk.bytes;
    if (chunk_open(&t.chunk, path, &file->chunk, err) == 0 && meet_people(&t, err) == 0 &&
        open_columns(&t, err) == 0)
        rc = take_blocks(&t, err);
    chunk_close(t.chunk);
    row_scratch_free(t.scratch);
    arena_free(t.arena);
    return rc;
}
