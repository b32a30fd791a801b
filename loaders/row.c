/*
 * row.c - see row.h.
 */
#include "loaders/row.h"

#include <assert.h>
#include <ctype.h>
#include <endian.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "loaders/cell.h"

struct RowScratch {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    /* Rows of one person often follow each other. */
    char last[128];
    size_t last_len;
    int64_t last_id;
    uint64_t last_check;
    char room[CELL_ROOM]; /* a practice code that is a number */
};

const RowMap *rowmap_new(const Plan *plan, const Source *source, Arena *arena)
{
    RowMap *map = arena_alloc(arena, 1, sizeof *map);

    map->plan = plan;
    map->source = source;
    map->attribute_at =
        arena_alloc(arena, (size_t)source->n_attributes, sizeof *map->attribute_at);
    for (int a = 0; a < source->n_attributes; a++)
        map->attribute_at[a] = -1;
    for (int f = 0; f <= FIELD_NAME; f++)
        map->at[f] = -1;
    for (int g = 0; g < MOST_GROUPINGS; g++)
        map->group_at[g] = map->group_name_at[g] = -1;
    for (int c = 0; c < source->n_columns; c++) {
        const Column *column = &source->columns[c];

        if (column->field == FIELD_ATTRIBUTE)
            map->attribute_at[column->index] = c;
        else if (column->field == FIELD_GROUPING)
            map->group_at[column->index] = c;
        else if (column->field == FIELD_NAME && column->index >= 0)
            map->group_name_at[column->index] = c;
        else
            map->at[column->field] = c;
    }
    return map;
}

RowScratch *row_scratch_new(void)
{
    RowScratch *scratch = mem_alloc(1, sizeof *scratch, "scratch");

    scratch->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    scratch->context = EVP_MD_CTX_new();
    assert(scratch->sha256 != NULL && scratch->context != NULL);
    return scratch;
}

void row_scratch_free(RowScratch *scratch)
{
    if (scratch == NULL)
        return;
    EVP_MD_CTX_free(scratch->context);
    EVP_MD_free(scratch->sha256);
    free(scratch);
}

static uint64_t first_bytes(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

int64_t row_text_id(uint64_t *check, RowScratch *scratch, const char *text, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool is_last = len == scratch->last_len && scratch->last_len > 0 &&
                   memcmp(text, scratch->last, len) == 0;

    if (!is_last) {
        int done = EVP_DigestInit_ex2(scratch->context, scratch->sha256, NULL) == 1 &&
                   EVP_DigestUpdate(scratch->context, text, len) == 1 &&
                   EVP_DigestFinal_ex(scratch->context, digest, NULL) == 1;

        assert(done);
        scratch->last_len = len <= sizeof scratch->last ? len : 0;
        memcpy(scratch->last, text, scratch->last_len);
        scratch->last_id = (int64_t)(first_bytes(digest) & INT64_MAX);
        scratch->last_check = first_bytes(digest + 8);
    }
    *check = scratch->last_check;
    return scratch->last_id;
}

/* ---- fields that several roles have ------------------------------------ */

static const Cell *field(const RowMap *map, const Cell *cells, Field name)
{
    static const Cell ABSENT = {.type = CELL_NULL};

    return map->at[name] < 0 ? &ABSENT : &cells[map->at[name]];
}

static bool get_person(int64_t *id, uint64_t *check, const RowMap *map, const Cell *cells,
                       RowScratch *scratch)
{
    const Cell *cell = field(map, cells, FIELD_PERSON);
    char room[CELL_ROOM];

    *check = 0;
    if (cell->type == CELL_NULL)
        return false;
    if (map->source->text_person) {
        Cell text = cell_text(cell, room);

        *id = row_text_id(check, scratch, text.as.text, text.len);
        return true;
    }
    return cell_int(id, cell);
}

/* A day, or DAY_UNKNOWN where it is missing or a sentinel. */
static bool get_day(int32_t *day, const RowMap *map, const Cell *cells, Field name)
{
    const Cell *cell = field(map, cells, name);

    *day = DAY_UNKNOWN;
    return cell->type == CELL_NULL || cell_day(day, cell, map->source);
}

static RowFate get_practice(const char **text, uint32_t *len, const RowMap *map,
                            const Cell *cells, char room[CELL_ROOM])
{
    const Cell *cell = field(map, cells, FIELD_PRACTICE);
    Cell as_text;

    *text = NULL;
    *len = 0;
    if (cell->type == CELL_NULL)
        return ROW_KEPT;
    as_text = cell_text(cell, room);
    if (!text_is_utf8(as_text.as.text, as_text.len))
        return ROW_BAD_VALUE;
    *text = as_text.as.text;
    *len = as_text.len;
    return ROW_KEPT;
}

/* ---- people ------------------------------------------------------------ */

static double word_number(const Attribute *attribute, Cell text)
{
    const Words *words = attribute->words;

    for (int w = 0; w < words->n; w++)
        if (cell_is(text, words->word[w]))
            return w;
    return words->n;
}

/* An attribute as a slot of the row holds it. */
static bool get_attribute(double *value, const Attribute *attribute, const Cell *cell)
{
    char room[CELL_ROOM];
    Cell meant = cell_meant(cell, attribute, room);
    bool yes;

    *value = NAN;
    if (meant.type == CELL_NULL)
        return true;
    switch (attribute->type) {
    case RULE_NUMBER:
        return cell_number(value, &meant);
    case RULE_YESNO:
        if (!cell_yesno(&yes, &meant))
            return false;
        *value = yes;
        return true;
    case RULE_WORD:
        *value = word_number(attribute, cell_text(&meant, room));
        return true;
    }
    return false;
}

RowFate row_person(PersonRow *row, double *attribute, const RowMap *map,
                   const Cell *cells, RowScratch *scratch)
{
    const Cell *test = field(map, cells, FIELD_TEST);
    const Source *source = map->source;

    *row = (PersonRow){0};
    if (!get_person(&row->id, &row->check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (!get_day(&row->birth, map, cells, FIELD_BIRTH) ||
        !get_day(&row->death, map, cells, FIELD_DEATH))
        return ROW_BAD_DATE;
    if (test->type != CELL_NULL && !cell_yesno(&row->is_test, test))
        return ROW_BAD_VALUE;
    for (int a = 0; a < source->n_attributes; a++) {
        attribute[a] = NAN;
        if (map->attribute_at[a] >= 0 &&
            !get_attribute(&attribute[a], &source->attributes[a],
                           &cells[map->attribute_at[a]]))
            return ROW_BAD_VALUE;
    }
    return get_practice(&row->practice, &row->practice_len, map, cells, scratch->room);
}

RowFate row_registration(RegistrationRow *row, const RowMap *map, const Cell *cells,
                         RowScratch *scratch)
{
    int32_t as_of = map->plan->as_of;
    uint64_t check;
    RowFate fate;

    *row = (RegistrationRow){0};
    if (!get_person(&row->id, &check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (!get_day(&row->start, map, cells, FIELD_START) ||
        !get_day(&row->end, map, cells, FIELD_END))
        return ROW_BAD_DATE;
    fate = get_practice(&row->practice, &row->practice_len, map, cells, scratch->room);
    if (fate != ROW_KEPT)
        return fate;
    if (row->practice == NULL)
        return ROW_BAD_VALUE;
    if (row->end != DAY_UNKNOWN && row->start != DAY_UNKNOWN && row->end < row->start)
        return ROW_BAD_END;
    if (row->start > as_of)
        return ROW_LATER;
    return row->end != DAY_UNKNOWN && row->end <= as_of ? ROW_OUTSIDE : ROW_KEPT;
}

/* A text into the arena; NULL where there is none. */
static bool keep_text(const char **out, const Cell *cells, int at, Arena *arena)
{
    char room[CELL_ROOM];
    Cell text;

    *out = NULL;
    if (at < 0 || cells[at].type == CELL_NULL)
        return true;
    text = cell_text(&cells[at], room);
    if (!text_is_utf8(text.as.text, text.len))
        return false;
    *out = arena_text(arena, text.as.text, text.len);
    return true;
}

RowFate row_practice(Practice *row, const RowMap *map, const Cell *cells, Arena *arena)
{
    *row = (Practice){0};
    if (!keep_text(&row->code, cells, map->at[FIELD_PRACTICE], arena) ||
        row->code == NULL || !keep_text(&row->name, cells, map->at[FIELD_NAME], arena))
        return ROW_BAD_VALUE;
    for (int g = 0; g < MOST_GROUPINGS; g++)
        if (!keep_text(&row->group[g], cells, map->group_at[g], arena) ||
            !keep_text(&row->group_name[g], cells, map->group_name_at[g], arena))
            return ROW_BAD_VALUE;
    return ROW_KEPT;
}

RowFate row_opt_out(OptOutKept *row, const RowMap *map, const Cell *cells,
                    RowScratch *scratch)
{
    const Population *population = &map->plan->population;
    const Cell *type = field(map, cells, FIELD_TYPE);
    char room[CELL_ROOM];
    uint64_t check;

    *row = (OptOutKept){.opt_out = -1};
    if (!get_person(&row->id, &check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (type->type == CELL_NULL)
        return ROW_BAD_VALUE;
    for (int o = 0; o < population->n_opt_outs && row->opt_out < 0; o++)
        if (cell_is(cell_text(type, room), population->opt_outs[o].type))
            row->opt_out = o;
    return row->opt_out < 0 ? ROW_UNLISTED : ROW_KEPT;
}

/* ---- events ------------------------------------------------------------ */

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
            !get_attribute(&unused, attribute, &cells[map->attribute_at[a]]))
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

/* Up to 8 characters, the first in the lowest bits; read in pieces that overlap. */
static uint64_t text_bits(const char *text, uint32_t len)
{
    uint64_t bits = 0, high = 0;

    if (len >= 4) {
        memcpy(&bits, text, 4);
        memcpy(&high, text + len - 4, 4);
        return le64toh(bits) | le64toh(high) << 8 * (len - 4);
    }
    for (uint32_t i = 0; i < len; i++)
        bits |= (uint64_t)(unsigned char)text[i] << 8 * i;
    return bits;
}

/* What a row writes for a code, where the source has one coding system. False if it is
 * too long to be kept. */
static bool get_spelling(Code *spelling, const RowMap *map, const Cell *cell)
{
    if (map->at[FIELD_SYSTEM] >= 0)
        return false;
    if (cell->type == CELL_INT) {
        *spelling = (Code){(uint64_t)cell->as.number, UINT64_MAX};
        return true;
    }
    if (cell->type != CELL_TEXT || cell->len >= 2 * sizeof spelling->high)
        return false;
    spelling->high = text_bits(cell->as.text, cell->len < 8 ? cell->len : 8);
    spelling->low = cell->len <= 8 ? 0 : text_bits(cell->as.text + 8, cell->len - 8);
    spelling->low |= (uint64_t)(cell->len + 1) << 56;
    return true;
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
    if (get_spelling(&event->spelling, map, cell)) {
        dict_fetch(dict, event->spelling);
        return ROW_KEPT;
    }
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

RowFate row_event_end(PendingEvent *event, const RowMap *map, Dict *dict)
{
    EventRow *row = &event->row;

    if ((event->spelling.high | event->spelling.low) != 0) {
        row->code = dict_recall(dict, event->spelling);
        if (row->code == DICT_UNKNOWN) {
            char text[16];
            Cell cell = spelled_cell(text, event->spelling);

            row->code = read_code(dict, map->source->system, &cell);
            dict_remember(dict, event->spelling, row->code);
        }
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
