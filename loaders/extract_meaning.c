/*
 * extract_meaning.c - what the values of a chunk of events mean: see extract_meaning.h.
 *
 * A chunk has few different values and many rows, so each value is looked at once:
 * whether the server would have sent it, and what row_event() makes of a row that has
 * nothing but this value. Columns that are plain have no dictionary; their values are
 * asked for row by row.
 */
#include "loaders/extract_meaning.h"

#include "loaders/cell.h"

static void *room(const Taker *t, size_t n, size_t size)
{
    return arena_alloc(t->arena, n, size);
}

/* ---- what values mean -------------------------------------------------- */

RowFate meaning_ask(EventRow *row, const Taker *t, const Meaning *meaning, Cell cell)
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
    if (m == t->code)
        m->bound = room(t, n, sizeof *m->bound);
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
    m->fault[v] = (uint8_t)meaning_ask(&row, t, m, cell);
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
    if (m == t->code) {
        m->stage[v] = (uint8_t)wanted_code_stage(t->wanted, &cell);
        m->bound[v] = wanted_bound(t->wanted, &cell);
    }
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

int taker_open(Taker *t, const Taking *taking, const Access *access,
               const ManifestFile *file, Err *err)
{
    const char *path;

    *t = (Taker){.taking = taking,
                 .access = access,
                 .source = access->source,
                 .as_of = access->plan->as_of,
                 .n_meanings = access->source->n_columns};
    t->arena = arena_new();
    t->scratch = row_scratch_new();
    t->meanings = room(t, (size_t)t->n_meanings, sizeof *t->meanings);
    make_cells(t);
    path = arena_format(t->arena, "%s/%s", access->extract->folder, file->name);
    if (chunk_open(&t->chunk, path, &file->chunk, err) != 0 || meet_people(t, err) != 0)
        return -1;
    return open_columns(t, err);
}

void taker_close(Taker *t)
{
    chunk_close(t->chunk);
    row_scratch_free(t->scratch);
    arena_free(t->arena);
}
