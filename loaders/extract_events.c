/*
 * extract_events.c - a chunk of events -> a pile, with the outcome that the same rows
 * have when they come from their source.
 *
 * What a value means is found once (extract_meaning.h). A row of the chunk is then put
 * together from the answers: its fault is the first that row_event.c would have found,
 * and the bits of its conditions are those of its values together (a missing value meets
 * no condition).
 *
 * Rows that the server would not have sent for this plan are passed over and not counted,
 * as they are not counted where a server leaves them out: wanted.h says which. They are
 * told by code, day and value, before anything else of a block is read.
 */
#include <math.h>

#include "loaders/cell.h"
#include "loaders/extract_meaning.h"

/* ---- rows of a block --------------------------------------------------- */

static int read_column(Taker *t, Meaning *m, int block, Err *err)
{
    if (m->column->is_plain)
        return chunk_plain(m->row_number, m->row_missing, t->chunk, m->at, block, err);
    return chunk_values(m->row_value, t->chunk, m->at, block, err);
}

static Cell cell_at(const Meaning *m, uint32_t i)
{
    Cell cell = {.type = CELL_NULL};

    if (!m->column->is_plain)
        extract_value(&cell, m->column, m->row_value[i]);
    else if (!m->row_missing[i])
        extract_cell(&cell, m->column->type, m->row_number[i]);
    return cell;
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

/* Rows whose value is between the bounds of their code. */
static uint32_t keep_bounded(const Taker *t, uint32_t *row, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = row[i];
        const Bound *bound = t->code->bound[t->code->row_value[at]];
        Cell value;

        if (bound != NULL) {
            value = cell_at(t->value, at);
            if (!bound_takes(bound, &value))
                continue;
        }
        row[kept++] = at;
    }
    return kept;
}

/* Rows as by the day, and by the end of those that it does not settle. */
static int choose_days(uint32_t *n, Taker *t, int block, Err *err)
{
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

/* Fills row with the rows that the server would have sent, and reads what tells them. */
static int choose_rows(uint32_t *n, Taker *t, int block, Err *err)
{
    *n = chunk_block_rows(t->chunk, block);
    for (uint32_t i = 0; i < *n; i++)
        t->row[i] = i;
    if (t->code != NULL && read_column(t, t->code, block, err) != 0)
        return -1;
    if (tests_codes(t))
        *n = keep_coded(t, t->row, *n);
    if (t->date != NULL && *n > 0 && choose_days(n, t, block, err) != 0)
        return -1;
    if (t->wanted->n_bounds == 0 || *n == 0)
        return 0;
    if (read_column(t, t->value, block, err) != 0)
        return -1;
    *n = keep_bounded(t, t->row, *n);
    return 0;
}

/* Whether choose_rows() has read it where it left rows. */
static bool is_read(const Taker *t, const Meaning *m)
{
    return m == t->code || m == t->date || m == t->end ||
           (m == t->value && t->wanted->n_bounds > 0);
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

        if (m->at >= 0 && !is_read(t, m) && read_column(t, m, block, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- one row ----------------------------------------------------------- */

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
    fate = meaning_ask(&asked, t, t->code, cell_at(t->code, i));
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
    fate = meaning_ask(&asked, t, t->value, cell_at(t->value, i));
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
    t->person = arena_alloc(t->arena, BLOCK_ROWS, sizeof *t->person);
    t->row = arena_alloc(t->arena, BLOCK_ROWS, sizeof *t->row);
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
    Taker t;
    int rc;

    taking->count->rows += file->chunk.bad_rows;
    taking->count->fate[ROW_BAD_VALUE] += file->chunk.bad_rows;
    taking->count->bytes += file->chunk.bytes;
    rc = taker_open(&t, taking, access, file, err);
    if (rc == 0)
        rc = take_blocks(&t, err);
    taker_close(&t);
    return rc;
}
