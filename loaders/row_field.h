/*
 * row_field.h - fields that rows of several roles have; for row.c and row_event.c. They
 * are read for every row of every source, so they are inline.
 */
#ifndef LOADERS_ROW_FIELD_H
#define LOADERS_ROW_FIELD_H

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

        *id = row_text_id(check, scratch, text.as.text, text.len);
        return true;
    }
    return cell_int(id, cell);
}

/* A day, or DAY_UNKNOWN where it is missing or a sentinel. */
static inline bool get_day(int32_t *day, const RowMap *map, const Cell *cells, Field name)
{
    const Cell *cell = field(map, cells, name);

    if (cell->type == CELL_DAY && cell->as.day >= map->usual_from &&
        cell->as.day < map->usual_to) {
        *day = cell->as.day;
        return true;
    }
    *day = DAY_UNKNOWN;
    return cell->type == CELL_NULL || cell_day(day, cell, map->source);
}

/* An attribute as a slot of the row holds it. False if it is none that its type has. */
bool row_attribute(double *value, const Attribute *attribute, const Cell *cell);

#endif
