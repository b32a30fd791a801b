/*
 * row_field.h - fields that rows of several roles have, and how a row spells a code; for
 * row.c, row_event.c and the kinds that make events of usual rows themselves. They are
 * read for every row of every source, so they are inline.
 */
#ifndef LOADERS_ROW_FIELD_H
#define LOADERS_ROW_FIELD_H

#include <endian.h>
#include <string.h>

#include "loaders/cell.h"
#include "loaders/row.h"

/* The cell of a field; an empty one where the source has no such column. */
static inline const Cell *field(const RowMap *map, const Cell *cells, Field name)
{
    static const Cell ABSENT = {.type = CELL_NULL};

    return map->at[name] < 0 ? &ABSENT : &cells[map->at[name]];
}

/* False where there is no person. check is that of a text id, else 0. */
static inline bool get_person(int64_t *id, uint64_t *check, const RowMap *map,
                              const Cell *cells, RowScratch *scratch)
{
    const Cell *cell = field(map, cells, FIELD_PERSON);
    char room[CELL_ROOM];

    *check = 0;
    if (cell->type == CELL_INT && !map->source->text_person) {
        *id = cell->as.number;
        return true;
    }
    if (cell->type == CELL_NULL)
        return false;
    if (map->source->text_person) {
        Cell text = cell_text(cell, room);

        if (text.len == 0) /* blanks, as in char(n) */
            return false;
        *id = row_text_id(check, scratch, text.as.text, text.len);
        return true;
    }
    return cell_int(id, cell);
}

/* Whether the day is far from all sentinels, and so what it says. */
static inline bool is_usual_day(const RowMap *map, int32_t day)
{
    return day >= map->usual_from && day < map->usual_to;
}

/* A day, or DAY_UNKNOWN where it is missing or a sentinel. */
static inline bool get_day(int32_t *day, const RowMap *map, const Cell *cells, Field name)
{
    const Cell *cell = field(map, cells, name);

    if (cell->type == CELL_DAY && is_usual_day(map, cell->as.day)) {
        *day = cell->as.day;
        return true;
    }
    *day = DAY_UNKNOWN;
    return cell->type == CELL_NULL || cell_day(day, cell, map->source);
}

/* Up to 8 characters, the first in the lowest bits; read in pieces that overlap. */
static inline uint64_t text_bits(const char *text, uint32_t len)
{
    uint64_t bits = 0;
    uint32_t low, high;

    if (len >= 8) {
        memcpy(&bits, text, 8);
        return le64toh(bits);
    }
    if (len >= 4) {
        memcpy(&low, text, 4);
        memcpy(&high, text + len - 4, 4);
        return le32toh(low) | (uint64_t)le32toh(high) << 8 * (len - 4);
    }
    for (uint32_t i = 0; i < len; i++)
        bits |= (uint64_t)(unsigned char)text[i] << 8 * i;
    return bits;
}

/* What a row writes for a code, as a key of the dictionary. */
static inline Code spelling_of_int(int64_t code)
{
    return (Code){(uint64_t)code, UINT64_MAX};
}

/* False if the text is too long to be kept. */
static inline bool spelling_of_text(Code *spelling, const char *text, uint32_t len)
{
    if (len >= 2 * sizeof spelling->high)
        return false;
    spelling->high = text_bits(text, len < 8 ? len : 8);
    spelling->low = len <= 8 ? 0 : text_bits(text + 8, len - 8);
    spelling->low |= (uint64_t)(len + 1) << 56;
    return true;
}

/* An attribute as a slot of the row holds it. False if it is none that its type has. */
bool row_attribute(double *value, const Attribute *attribute, const Cell *cell);

#endif
