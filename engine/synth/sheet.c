/*
 * sheet.c - see sheet.h.
 */
#include "engine/synth/sheet.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

static void on_cell(void *text, size_t len, void *context)
{
    Sheet *sheet = context;

    if (sheet->n == sheet->room) {
        sheet->cells = arena_grow(sheet->arena, sheet->cells, sheet->n,
                                  2 * sheet->room + 1024, sizeof *sheet->cells);
        sheet->room = 2 * sheet->room + 1024;
    }
    sheet->cells[sheet->n++] = arena_text(sheet->arena, text, len);
    sheet->in_row++;
}

static void on_row(int end, void *context)
{
    Sheet *sheet = context;

    (void)end;
    if (sheet->n_columns == 0) {
        sheet->n_columns = sheet->in_row;
    } else {
        sheet->n_rows++;
        if (sheet->in_row != sheet->n_columns) {
            err_add(sheet->err, ERR_CONFIG,
                    (Where){sheet->path, (uint64_t)sheet->n_rows + 1, 0},
                    "%d columns, the header has %d", sheet->in_row, sheet->n_columns);
            sheet->n_rows = 0;
            sheet->n = (size_t)sheet->n_columns;
        }
    }
    sheet->in_row = 0;
}

Sheet sheet_read(Arena *arena, const char *dir, const char *name, Err *err)
{
    Sheet sheet = {.arena = arena, .err = err};
    struct csv_parser parser;
    char bytes[65536];
    size_t n;
    FILE *file;

    sheet.path = arena_format(arena, "%s/%s", dir, name);
    file = fopen(sheet.path, "rb");
    if (file == NULL) {
        err_add(err, ERR_CONFIG, (Where){sheet.path, 0, 0}, "could not open: %s",
                strerror(errno));
        return sheet;
    }
    csv_init(&parser, CSV_STRICT | CSV_APPEND_NULL);
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        if (csv_parse(&parser, bytes, n, on_cell, on_row, &sheet) != n)
            break;
    if (ferror(file) || csv_error(&parser) != CSV_SUCCESS)
        err_add(err, ERR_CONFIG, (Where){sheet.path, (uint64_t)sheet.n_rows + 2, 0},
                "could not read as CSV");
    csv_fini(&parser, on_cell, on_row, &sheet);
    csv_free(&parser);
    fclose(file);
    return sheet;
}

const char *sheet_text(const Sheet *sheet, int row, const char *column)
{
    for (int c = 0; c < sheet->n_columns; c++)
        if (strcmp(sheet->cells[c], column) == 0)
            return sheet->cells[(size_t)(row + 1) * (size_t)sheet->n_columns + (size_t)c];
    err_add(sheet->err, ERR_CONFIG, (Where){sheet->path, 1, 0}, "no column \"%s\"",
            column);
    return "";
}

double sheet_number(const Sheet *sheet, int row, const char *column)
{
    const char *text = sheet_text(sheet, row, column);
    double value = 0;

    if (!text_double(&value, text, strlen(text)))
        err_add(sheet->err, ERR_CONFIG, (Where){sheet->path, (uint64_t)row + 2, 0},
                "%s \"%s\" is not a number", column, text);
    return value;
}

int sheet_whole(const Sheet *sheet, int row, const char *column, int most)
{
    double value = sheet_number(sheet, row, column);

    if (value >= 0 && value <= most && value == floor(value))
        return (int)value;
    err_add(sheet->err, ERR_CONFIG, (Where){sheet->path, (uint64_t)row + 2, 0},
            "%s is not a whole number of 0 to %d", column, most);
    return 0;
}

int sheet_one_of(const Sheet *sheet, int row, const char *column,
                 const char *const *names, int n)
{
    const char *text = sheet_text(sheet, row, column);

    for (int i = 0; i < n; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    err_add(sheet->err, ERR_CONFIG, (Where){sheet->path, (uint64_t)row + 2, 0},
            "unknown %s \"%s\"", column, text);
    return 0;
}

/* ---- words and pools --------------------------------------------------- */

int32_t word_of(World *world, const char *text)
{
    return *text == '\0' ? NO_WORD : names_add(world->names, text, strlen(text));
}

Pool pool_of(World *world, const Sheet *sheet, const Choice *choice)
{
    Pool pool = {0};
    double sum = 0;

    pool.item = arena_alloc(world->arena, (size_t)sheet->n_rows, sizeof *pool.item);
    pool.upto = arena_alloc(world->arena, (size_t)sheet->n_rows, sizeof *pool.upto);
    for (int r = 0; r < sheet->n_rows; r++) {
        if (choice->column != NULL &&
            strcmp(sheet_text(sheet, r, choice->column), choice->word) != 0)
            continue;
        if (choice->other != NULL &&
            strcmp(sheet_text(sheet, r, choice->other), choice->other_word) != 0)
            continue;
        sum += sheet_number(sheet, r, "weight");
        pool.item[pool.n] = choice->item[r];
        pool.upto[pool.n++] = sum;
    }
    return pool;
}

int32_t *words_of(World *world, const Sheet *sheet, const char *column)
{
    int32_t *item = arena_alloc(world->arena, (size_t)sheet->n_rows, sizeof *item);

    for (int r = 0; r < sheet->n_rows; r++)
        item[r] = word_of(world, sheet_text(sheet, r, column));
    return item;
}

int32_t snomed_add(World *world, const char *text)
{
    int64_t code = 0;

    if (world->n_snomed % 1024 == 0)
        world->snomed = arena_grow(world->arena, world->snomed, world->n_snomed,
                                   world->n_snomed + 1024, sizeof *world->snomed);
    text_int64(&code, text, strlen(text));
    world->snomed[world->n_snomed] = code;
    return (int32_t)world->n_snomed++;
}

int32_t *snomeds_of(World *world, const Sheet *sheet)
{
    int32_t *item = arena_alloc(world->arena, (size_t)sheet->n_rows, sizeof *item);

    for (int r = 0; r < sheet->n_rows; r++)
        item[r] = snomed_add(world, sheet_text(sheet, r, "code"));
    return item;
}
