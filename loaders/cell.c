/*
 * cell.c - see cell.h.
 */
#include "loaders/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/text.h"

static Cell text_cell(const char *text, size_t len)
{
    while (len > 0 && (*text == ' ' || *text == '\t'))
        text++, len--;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return (Cell){CELL_TEXT, (uint32_t)len, {.text = text}};
}

Cell cell_text(const Cell *cell, char room[CELL_ROOM])
{
    switch (cell->type) {
    case CELL_TEXT:
        return text_cell(cell->as.text, cell->len);
    case CELL_INT:
        snprintf(room, CELL_ROOM, "%" PRId64, cell->as.number);
        break;
    case CELL_FLOAT:
        snprintf(room, CELL_ROOM, "%.15g", cell->as.real);
        break;
    case CELL_YESNO:
        snprintf(room, CELL_ROOM, "%s", cell->as.yesno ? "true" : "false");
        break;
    case CELL_DAY:
        room[0] = '\0';
        if (cell->as.day >= DAY_FIRST && cell->as.day <= DAY_LAST)
            day_format(room, cell->as.day);
        break;
    case CELL_NULL:
        room[0] = '\0';
        break;
    }
    return text_cell(room, strlen(room));
}

bool cell_is(Cell text, const char *word)
{
    return strlen(word) == text.len && memcmp(text.as.text, word, text.len) == 0;
}

/* A double that is a whole number is one: spreadsheets export "123.0". */
static bool int_of_real(int64_t *out, double real)
{
    if (!(fabs(real) <= 9007199254740992.0) || floor(real) != real)
        return false;
    *out = (int64_t)real;
    return true;
}

bool cell_int(int64_t *out, const Cell *cell)
{
    Cell text;

    switch (cell->type) {
    case CELL_INT:
        *out = cell->as.number;
        return true;
    case CELL_FLOAT:
        return int_of_real(out, cell->as.real);
    case CELL_TEXT:
        text = text_cell(cell->as.text, cell->len);
        return text_int64(out, text.as.text, text.len);
    default:
        return false;
    }
}

bool cell_number(double *out, const Cell *cell)
{
    Cell text;

    switch (cell->type) {
    case CELL_INT:
        *out = (double)cell->as.number;
        return true;
    case CELL_FLOAT:
        *out = cell->as.real;
        return !isinf(cell->as.real);
    case CELL_YESNO:
        *out = cell->as.yesno;
        return true;
    case CELL_TEXT:
        text = text_cell(cell->as.text, cell->len);
        return text_double(out, text.as.text, text.len);
    default:
        return false;
    }
}

static bool yesno_of_text(bool *out, Cell text)
{
    static const char *const YES[] = {"true", "t", "yes", "y", "1"};
    static const char *const NO[] = {"false", "f", "no", "n", "0"};

    for (size_t i = 0; i < sizeof YES / sizeof *YES; i++) {
        if (strlen(YES[i]) == text.len &&
            strncasecmp(YES[i], text.as.text, text.len) == 0)
            return *out = true;
        if (strlen(NO[i]) == text.len &&
            strncasecmp(NO[i], text.as.text, text.len) == 0) {
            *out = false;
            return true;
        }
    }
    return false;
}

bool cell_yesno(bool *out, const Cell *cell)
{
    char room[CELL_ROOM];

    if (cell->type == CELL_YESNO) {
        *out = cell->as.yesno;
        return true;
    }
    return yesno_of_text(out, cell_text(cell, room));
}

bool cell_day(int32_t *out, const Cell *cell, const Source *source)
{
    int32_t day;
    Cell text;

    if (cell->type == CELL_DAY) {
        day = cell->as.day == INT32_MAX ? DAY_UNKNOWN : cell->as.day; /* infinity */
        if (day != DAY_UNKNOWN && (day < DAY_FIRST || day > DAY_LAST))
            return false;
    } else {
        const char *format = source->date_format ? source->date_format : "YYYY-MM-DD";

        if (cell->type != CELL_TEXT)
            return false;
        text = text_cell(cell->as.text, cell->len);
        if (!day_parse_as(&day, text.as.text, text.len, format))
            return false;
    }
    for (int s = 0; s < source->n_sentinels; s++)
        if (day == source->sentinels[s])
            day = DAY_UNKNOWN;
    *out = day;
    return true;
}

Cell cell_meant(const Cell *cell, const Attribute *attribute, char room[CELL_ROOM])
{
    Cell text;

    if (cell->type == CELL_NULL || attribute->n_values == 0)
        return *cell;
    text = cell_text(cell, room);
    for (int v = 0; v < attribute->n_values; v++)
        if (cell_is(text, attribute->value_from[v]))
            return text_cell(attribute->value_to[v], strlen(attribute->value_to[v]));
    return text.len == 0 ? (Cell){.type = CELL_NULL} : *cell;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

uint64_t cell_hash(uint64_t hash, const Cell *cell)
{
    uint64_t bits = 0;

    hash = mix(hash, (uint64_t)cell->type + 1);
    switch (cell->type) {
    case CELL_NULL:
        return hash;
    case CELL_INT:
        return mix(hash, (uint64_t)cell->as.number);
    case CELL_FLOAT:
        memcpy(&bits, &cell->as.real, sizeof bits);
        return mix(hash, bits);
    case CELL_YESNO:
        return mix(hash, cell->as.yesno);
    case CELL_DAY:
        return mix(hash, (uint64_t)(int64_t)cell->as.day);
    case CELL_TEXT:
        hash = mix(hash, cell->len);
        for (uint32_t i = 0; i < cell->len; i += 8) {
            uint32_t n = cell->len - i < 8 ? cell->len - i : 8;

            bits = 0;
            memcpy(&bits, cell->as.text + i, n);
            hash = mix(hash, bits);
        }
        return hash;
    }
    return hash;
}
