/*
 * cell.h - one value of a row as the type that is asked for.
 *
 * A database delivers typed values and a file text; both end up the same. Every
 * function returns false for a value that is not of the type, and expects one that is
 * not missing unless it says otherwise.
 */
#ifndef LOADERS_CELL_H
#define LOADERS_CELL_H

#include "loaders/kinds.h"

enum { CELL_ROOM = 32 }; /* bytes for a number or a day as text */

/* The text without blanks at its ends; of other types as they are written. room may
 * hold it afterwards. */
Cell cell_text(const Cell *cell, char room[CELL_ROOM]);
/* True if the text is the word. */
bool cell_is(Cell text, const char *word);
bool cell_int(int64_t *out, const Cell *cell);
/* A finite number; NaN is missing. A yes/no is 1 or 0. */
bool cell_number(double *out, const Cell *cell);
/* true false t f yes no y n 1 0, in any case. */
bool cell_yesno(bool *out, const Cell *cell);
/* A day by the source's format; its sentinels are DAY_UNKNOWN. */
bool cell_day(int32_t *out, const Cell *cell, const Source *source);
/* The cell after the `values:` of the attribute; missing stays missing. */
Cell cell_meant(const Cell *cell, const Attribute *attribute, char room[CELL_ROOM]);
/* A hash of the type and the value, chained. */
uint64_t cell_hash(uint64_t hash, const Cell *cell);

#endif
