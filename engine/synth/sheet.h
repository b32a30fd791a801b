/*
 * sheet.h - a CSV file of configs/synth in memory, read by column name.
 *
 * The files are the project's own, so a fault in one is rare: reading goes on after it
 * with a zero, and the caller looks at err once, at the end.
 */
#ifndef ENGINE_SYNTH_SHEET_H
#define ENGINE_SYNTH_SHEET_H

#include <stddef.h>

#include "engine/synth/world.h"

typedef struct Sheet {
    Arena *arena;
    Err *err;
    const char *path;
    const char **cells; /* row by row, the header first */
    size_t n, room;
    int n_columns, in_row, n_rows; /* without the header */
} Sheet;

/* All in the arena. After a report there are no rows. */
Sheet sheet_read(Arena *arena, const char *dir, const char *name, Err *err);
/* Row 0 is the one after the header. "" after a report. */
const char *sheet_text(const Sheet *sheet, int row, const char *column);
double sheet_number(const Sheet *sheet, int row, const char *column);
/* 0 .. most */
int sheet_whole(const Sheet *sheet, int row, const char *column, int most);
/* The place of the word in a list of names. */
int sheet_one_of(const Sheet *sheet, int row, const char *column,
                 const char *const *names, int n);

/* The number of the word, NO_WORD for an empty one. */
int32_t word_of(World *world, const char *text);
/* The number of the code in World.snomed, a new one each time. */
int32_t snomed_add(World *world, const char *text);
/* The same for every row: of a column, of column "code". In the arena. */
int32_t *words_of(World *world, const Sheet *sheet, const char *column);
int32_t *snomeds_of(World *world, const Sheet *sheet);

/* Rows whose column holds the word, and (where other is given) whose other column
 * holds other_word. item has one number for each row of the sheet. */
typedef struct Choice {
    const char *column, *word, *other, *other_word;
    const int32_t *item;
} Choice;

/* With the weights of column "weight". */
Pool pool_of(World *world, const Sheet *sheet, const Choice *choice);

/* The part of world_build that is about health. */
void health_read(World *world, const char *dir, Err *err);

#endif
