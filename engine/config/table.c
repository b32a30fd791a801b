/*
 * table.c - libcsv's fields -> a table with places.
 *
 * The text goes to libcsv one line at a time, so that every row is known by the line
 * on which it starts, whatever stands in quotes.
 */
#include "engine/config/table.h"

#include <csv.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/config.h"

typedef struct Reader {
    Table *table;
    int fields_room, rows_room;
    int n_fields;      /* of the row in hand */
    uint32_t line;     /* its first line ... */
    const char *start; /* ... and where that starts in the text */
    bool is_one_line, has_ended;
    Arena *arena;
    Err *err;
} Reader;

/* ---- rows -------------------------------------------------------------- */

static void *grow(Reader *reader, const void *old, int used, int room, size_t size)
{
    return arena_grow(reader->arena, old, (size_t)used, (size_t)room, size);
}

/* libcsv has read a field. */
static void on_field(void *text, size_t len, void *data)
{
    Reader *reader = data;
    Table *table = reader->table;
    const char *from = text;
    int used = table->n_rows * table->n_columns + reader->n_fields;

    while (len > 0 && (from[0] == ' ' || from[0] == '\t')) {
        from++;
        len--;
    }
    while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
        len--;
    if (used == reader->fields_room) {
        reader->fields_room = used > 0 ? used * 2 : 64;
        table->fields =
            grow(reader, table->fields, used, reader->fields_room, sizeof *table->fields);
    }
    table->fields[used] = arena_text(reader->arena, from, len);
    reader->n_fields++;
}

/* The first row names the columns. */
static void take_header(Reader *reader)
{
    Table *table = reader->table;

    table->n_columns = reader->n_fields;
    table->columns = table->fields;
    table->fields = NULL;
    reader->fields_room = 0;
}

static void take_row(Reader *reader)
{
    Table *table = reader->table;
    int n = table->n_rows;

    if (reader->n_fields != table->n_columns) {
        err_add(reader->err, ERR_CONFIG, (Where){table->name, reader->line, 0},
                "the header has %d fields and this line %d", table->n_columns,
                reader->n_fields);
        return;
    }
    if (n == reader->rows_room) {
        reader->rows_room = n > 0 ? n * 2 : 64;
        table->lines =
            grow(reader, table->lines, n, reader->rows_room, sizeof *table->lines);
        table->line =
            grow(reader, table->line, n, reader->rows_room, sizeof *table->line);
    }
    table->lines[n] = reader->is_one_line ? reader->start : NULL;
    table->line[n] = reader->line;
    table->n_rows++;
}

/* libcsv has read a row. */
static void on_row(int end, void *data)
{
    Reader *reader = data;

    (void)end;
    if (reader->table->columns == NULL)
        take_header(reader);
    else
        take_row(reader);
    reader->n_fields = 0;
    reader->has_ended = true;
}

/* ---- lines ------------------------------------------------------------- */

static size_t line_length(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] != '\n' && text[n] != '\r')
        n++;
    if (n + 1 < len && text[n] == '\r' && text[n + 1] == '\n')
        return n + 2;
    return n < len ? n + 1 : n;
}

static bool is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\n' && line[i] != '\r')
            return false;
    }
    return true;
}

static int read_lines(Reader *reader, struct csv_parser *parser, const char *text,
                      size_t len)
{
    Where where = {reader->table->name, 0, 0};
    bool starts_row = true;
    size_t n;

    for (size_t at = 0; at < len; at += n) {
        const char *line = text + at;

        n = line_length(line, len - at);
        where.line++;
        if (starts_row) {
            reader->line = (uint32_t)where.line;
            reader->start = line;
        }
        reader->is_one_line = starts_row;
        reader->has_ended = false;
        if (csv_parse(parser, line, n, on_field, on_row, reader) != n)
            return err_add(reader->err, ERR_CONFIG, where, "the quotes do not pair up");
        starts_row = reader->has_ended || (starts_row && is_blank(line, n));
    }
    where.line = reader->line;
    if (csv_fini(parser, on_field, on_row, reader) != 0)
        return err_add(reader->err, ERR_CONFIG, where,
                       "a quote is opened here and never closed");
    if (reader->table->columns == NULL)
        return err_add(reader->err, ERR_CONFIG, (Where){reader->table->name, 0, 0},
                       "there is nothing in it");
    return 0;
}

int table_parse(Table *table, const char *name, const char *text, size_t len,
                Arena *arena, Err *err)
{
    Reader reader = {.table = table, .arena = arena, .err = err};
    struct csv_parser parser;
    int before = err->n_reports;

    *table = (Table){.name = arena_text(arena, name, strlen(name))};
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* the mark that Excel puts before the first line */
        len -= 3;
    }
    if (config_check_text(table->name, text, len, err) != 0)
        return -1;
    text = arena_text(arena, text, len); /* for table_where */
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return err_add(err, ERR_MEMORY, (Where){table->name, 0, 0}, "no room to read it");
    read_lines(&reader, &parser, text, len);
    csv_free(&parser);
    return err->n_reports > before ? -1 : 0;
}

int table_read(Table *table, const char *path, Arena *arena, Err *err)
{
    const char *text;
    size_t len;

    if (config_file(&text, &len, path, arena, err) != 0)
        return -1;
    return table_parse(table, path, text, len, arena, err);
}

/* ---- looking things up ------------------------------------------------- */

int table_column(const Table *table, const char *name, Err *err)
{
    Where where = {table->name, 1, 0};
    int found = TABLE_NO_COLUMN;
    const char *nearest;

    for (int i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i], name) != 0)
            continue;
        if (found != TABLE_NO_COLUMN) {
            err_add(err, ERR_CONFIG, where, "column \"%s\" is here twice", name);
            return TABLE_NO_COLUMN;
        }
        found = i;
    }
    if (found != TABLE_NO_COLUMN)
        return found;
    nearest = text_nearest(name, table->columns, (size_t)table->n_columns);
    err_add(err, ERR_CONFIG, where, "there is no column \"%s\"", name);
    if (nearest != NULL)
        err_hint(err, "did you mean \"%s\"?", nearest);
    return TABLE_NO_COLUMN;
}

const char *table_field(const Table *table, int row, int column)
{
    if (column == TABLE_NO_COLUMN)
        return "";
    return table->fields[row * table->n_columns + column];
}

Where table_where(const Table *table, int row, int column)
{
    Where where = {table->name, table->line[row], 0};
    const char *start = table->lines[row];
    bool is_quoted = false;

    if (start == NULL || column == TABLE_NO_COLUMN)
        return where;
    where.column = 1;
    for (const char *at = start; column > 0; at++) {
        if (*at == '"')
            is_quoted = !is_quoted;
        if (*at == ',' && !is_quoted) {
            where.column = (uint32_t)(at - start) + 2;
            column--;
        }
    }
    return where;
}
