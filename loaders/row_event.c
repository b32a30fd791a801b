/*
 * row_event.c - rows of events; see row.h.
 *
 * A code is looked up by its spelling, as the row writes it, and taken apart only when a
 * spelling is new. Between row_event_fetch(), which asks for the dictionary's memory, and
 * row_event_end(), which reads it, the caller goes on to other rows.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "loaders/row_field.h"

static bool is_within(const Condition *condition, double value)
{
    return value >= condition->least && value <= condition->most &&
           (condition->above == -INFINITY || value > condition->above) &&
           (condition->below == INFINITY || value < condition->below);
}

static bool is_word(const char *word, const Attribute *attribute, const Cell *meant)
{
    char room[CELL_ROOM];
    size_t len = strlen(word);
    double number, wanted;
    Cell text;
    bool yes, is_yes;

    if (attribute != NULL && attribute->type == RULE_YESNO) {
        const Cell as_cell = {CELL_TEXT, (uint32_t)len, {.text = word}};

        return cell_yesno(&yes, &as_cell) && cell_yesno(&is_yes, meant) && yes == is_yes;
    }
    if (attribute == NULL || attribute->type == RULE_NUMBER)
        return text_double(&wanted, word, len) && cell_number(&number, meant) &&
               number == wanted;
    text = cell_text(meant, room);
    if (len > 0 && word[len - 1] == '*')
        return text.len >= len - 1 && memcmp(text.as.text, word, len - 1) == 0;
    return cell_is(text, word);
}

/* True if the condition holds for the attribute's or the value's cell. */
static bool holds(const Condition *condition, const Attribute *attribute,
                  const Cell *meant)
{
    double number;

    if (meant->type == CELL_NULL)
        return false;
    for (int w = 0; w < condition->n_words; w++)
        if (is_word(condition->words[w], attribute, meant))
            return true;
    if (condition->n_words > 0)
        return false;
    return cell_number(&number, meant) && is_within(condition, number);
}

/* One bit for each condition. False if a number or a yes/no is neither. */
static bool get_conditions(uint32_t *bits, const RowMap *map, const Cell *cells)
{
    const Source *source = map->source;
    char room[CELL_ROOM];

    *bits = 0;
    for (int a = 0; a < source->n_attributes; a++) {
        const Attribute *attribute = &source->attributes[a];
        double unused;

        if (map->attribute_at[a] >= 0 && attribute->type != RULE_WORD &&
            !row_attribute(&unused, attribute, &cells[map->attribute_at[a]]))
            return false;
    }
    for (int c = 0; c < source->n_conditions; c++) {
        const Condition *condition = &source->conditions[c];
        const Attribute *attribute = NULL;
        Cell meant = *field(map, cells, FIELD_VALUE);

        if (condition->attribute >= 0) {
            int at = map->attribute_at[condition->attribute];

            attribute = &source->attributes[condition->attribute];
            assert(at >= 0);
            meant = cell_meant(&cells[at], attribute, room);
        }
        if (holds(condition, attribute, &meant))
            *bits |= UINT32_C(1) << c;
    }
    return true;
}

static System system_of_row(const RowMap *map, const Cell *cell)
{
    const Source *source = map->source;
    char room[CELL_ROOM], word[32];
    Cell text;

    if (cell->type == CELL_NULL)
        return source->system;
    text = cell_text(cell, room);
    for (int s = 0; s < source->n_systems; s++)
        if (cell_is(text, source->system_from[s]))
            return source->system_to[s];
    if (text.len >= sizeof word)
        return SYSTEM_NONE;
    memcpy(word, text.as.text, text.len);
    word[text.len] = '\0';
    return system_of(word);
}

/* What a row writes for a code, where the source has one coding system. False if it is
 * too long to be kept. */
static bool get_spelling(Code *spelling, const RowMap *map, const Cell *cell)
{
    if (map->at[FIELD_SYSTEM] >= 0)
        return false;
    if (cell->type == CELL_INT) {
        *spelling = spelling_of_int(cell->as.number);
        return true;
    }
    return cell->type == CELL_TEXT &&
           spelling_of_text(spelling, cell->as.text, cell->len);
}

/* The cell that the spelling came from. */
static Cell spelled_cell(char text[16], Code spelling)
{
    if (spelling.low == UINT64_MAX)
        return (Cell){CELL_INT, 0, {.number = (int64_t)spelling.high}};
    for (int i = 0; i < 16; i++)
        text[i] = (char)((i < 8 ? spelling.high : spelling.low) >> 8 * (i % 8));
    return (Cell){CELL_TEXT, (uint32_t)(spelling.low >> 56) - 1, {.text = text}};
}

/* The dictionary's entry of a code; DICT_BAD_CODE. */
static uint32_t read_code(Dict *dict, System system, const Cell *cell)
{
    char room[CELL_ROOM];
    CodeFault fault;
    Cell text;
    Code code;

    if (system == SYSTEM_NONE)
        return DICT_BAD_CODE;
    if (cell->type == CELL_INT) {
        fault = code_of_int(&code, system, cell->as.number);
    } else {
        text = cell_text(cell, room);
        fault = code_of_text(&code, system, text.as.text, text.len);
    }
    if (fault == CODE_OK)
        return dict_find(dict, code);
    return fault == CODE_BAD ? DICT_BAD_CODE : DICT_NO_CODE;
}

/* The code, or what is needed to look it up. */
static RowFate begin_code(PendingEvent *event, const RowMap *map, const Cell *cells,
                          Dict *dict)
{
    const Cell *cell = field(map, cells, FIELD_CODE);
    System system = map->source->system;

    event->row.code = DICT_NO_CODE;
    event->spelling = (Code){0, 0};
    if (cell->type == CELL_NULL)
        return ROW_KEPT;
    if (get_spelling(&event->spelling, map, cell))
        return ROW_KEPT;
    if (map->at[FIELD_SYSTEM] >= 0)
        system = system_of_row(map, field(map, cells, FIELD_SYSTEM));
    event->row.code = read_code(dict, system, cell);
    return event->row.code == DICT_BAD_CODE ? ROW_BAD_CODE : ROW_KEPT;
}

static bool get_value(double *value, const RowMap *map, const Cell *cells)
{
    const Cell *cell = field(map, cells, FIELD_VALUE);

    *value = NAN;
    return cell->type == CELL_NULL || cell_number(value, cell);
}

/* The key's hash or, without a key, that of all columns that are asked for. */
static uint64_t get_key(const RowMap *map, const Cell *cells)
{
    uint64_t hash = 0;

    if (map->at[FIELD_KEY] >= 0)
        return cell_hash(0, &cells[map->at[FIELD_KEY]]);
    for (int c = 0; c < map->source->n_columns; c++)
        hash = cell_hash(hash, &cells[c]);
    return hash;
}

/* What follows the code in the order of faults. */
static RowFate get_rest(EventRow *row, const RowMap *map, const Cell *cells)
{
    if (!get_value(&row->value, map, cells) ||
        !get_conditions(&row->conditions, map, cells))
        return ROW_BAD_VALUE;
    if (map->source->is_unique)
        row->key = get_key(map, cells);
    if (row->end != DAY_UNKNOWN && row->day != DAY_UNKNOWN && row->end < row->day)
        return ROW_BAD_END;
    return ROW_KEPT;
}

RowFate row_event_begin(PendingEvent *event, const RowMap *map, const Cell *cells,
                        Dict *dict, RowScratch *scratch)
{
    EventRow *row = &event->row;
    uint64_t check;
    RowFate fate;

    if (!get_person(&row->id, &check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (!get_day(&row->day, map, cells, FIELD_DATE) ||
        !get_day(&row->end, map, cells, FIELD_END))
        return ROW_BAD_DATE;
    fate = begin_code(event, map, cells, dict);
    if (fate == ROW_KEPT)
        event->fate = get_rest(row, map, cells);
    return fate;
}

/* The entry of a spelling that is new. */
__attribute__((noinline)) static uint32_t read_spelling(const RowMap *map, Dict *dict,
                                                        Code spelling)
{
    char text[16];
    Cell cell = spelled_cell(text, spelling);
    uint32_t entry = read_code(dict, map->source->system, &cell);

    dict_remember(dict, spelling, entry);
    return entry;
}

RowFate row_event_end(PendingEvent *event, const RowMap *map, Dict *dict)
{
    EventRow *row = &event->row;

    if ((event->spelling.high | event->spelling.low) != 0) {
        row->code = dict_recall(dict, event->spelling);
        if (row->code == DICT_UNKNOWN)
            row->code = read_spelling(map, dict, event->spelling);
    }
    return row->code == DICT_BAD_CODE ? ROW_BAD_CODE : event->fate;
}

RowFate row_event(EventRow *row, const RowMap *map, const Cell *cells, Dict *dict,
                  RowScratch *scratch)
{
    PendingEvent event = {0};
    RowFate fate = row_event_begin(&event, map, cells, dict, scratch);

    if (fate == ROW_KEPT)
        fate = row_event_end(&event, map, dict);
    *row = event.row;
    return fate;
}
