/*
 * kind_csv.c - result tables as gzip CSV files, one file a table.
 *
 * Everything is written to FOLDER.part, which takes the place of FOLDER in one step at
 * the end. The folder is locked while it is written, so that two runs never mix; what a
 * killed run left in it is removed by the next.
 *
 * RFC 4180: a header line, CRLF, quotes where a value needs them. null is empty. A
 * text that a spreadsheet would take for a formula (it begins with = + - @, tab or
 * return) gets an apostrophe before it. The same results give the same bytes: columns
 * and tables that differ between runs are left out, and the gzip header has no time and
 * no name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/publish/kinds.h"

enum { BUFFER_BYTES = 256 * 1024, BLOCK_ROWS = 65536 };

static const char ENDING[] = ".csv.gz";

static int fail(const char *place, const char *what, Err *err)
{
    return err_add(err, ERR_PUBLISH, (Where){place, 0, 0}, "could not %s: %s", what,
                   strerror(errno));
}

/* ---- values -------------------------------------------------------------- */

typedef struct CsvWriter {
    Writer writer; /* first: put gets a pointer to it */
    gzFile file;
    bool has_failed;
} CsvWriter;

static void write_bytes(CsvWriter *csv, const char *bytes, size_t len)
{
    if (len > 0 && gzwrite(csv->file, bytes, (unsigned)len) != (int)len)
        csv->has_failed = true;
}

static void write_word(CsvWriter *csv, const char *word)
{
    write_bytes(csv, word, strlen(word));
}

/* The inside of a quoted value. */
static void write_escaped(CsvWriter *csv, const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "\"");

        write_bytes(csv, text, plain);
        text += plain;
        if (*text == '"') {
            write_word(csv, "\"\"");
            text++;
        }
    }
}

static const char *guard_of(const char *text)
{
    return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL ? "'" : "";
}

static void write_text(CsvWriter *csv, const char *text)
{
    bool needs_quotes = text[strcspn(text, ",\"\r\n")] != '\0';

    if (!needs_quotes) {
        write_word(csv, guard_of(text));
        write_word(csv, text);
        return;
    }
    write_word(csv, "\"");
    write_word(csv, guard_of(text));
    write_escaped(csv, text);
    write_word(csv, "\"");
}

/* Several texts in one value. */
static void write_texts(CsvWriter *csv, const char *const *texts, int n)
{
    if (n == 0)
        return;
    write_word(csv, "\"");
    write_word(csv, guard_of(texts[0]));
    for (int i = 0; i < n; i++) {
        write_word(csv, i == 0 ? "" : "; ");
        write_escaped(csv, texts[i]);
    }
    write_word(csv, "\"");
}

static void write_time(CsvWriter *csv, int64_t seconds)
{
    const int64_t epoch = 946684800, day_seconds = 86400; /* 2000-01-01 since 1970 */
    int64_t since = seconds - epoch;
    int64_t day = since / day_seconds - (since % day_seconds < 0);
    int second = (int)(since - day * day_seconds);
    char date[DAY_TEXT], text[48];

    day_format(date, (int32_t)day);
    snprintf(text, sizeof text, "%sT%02d:%02d:%02dZ", date, second / 3600,
             second / 60 % 60, second % 60);
    write_word(csv, text);
}

static void write_value(CsvWriter *csv, CellType type, const Cell *cell)
{
    char text[48];

    switch (type) {
    case CELL_INT2:
    case CELL_INT4:
    case CELL_INT8:
        snprintf(text, sizeof text, "%" PRId64, cell->number);
        write_word(csv, text);
        break;
    case CELL_YESNO:
        write_word(csv, cell->number != 0 ? "true" : "false");
        break;
    case CELL_DATE:
        day_format(text, (int32_t)cell->number);
        write_word(csv, text);
        break;
    case CELL_TIME:
        write_time(csv, cell->number);
        break;
    case CELL_FLOAT8:
        real_text(text, cell->real);
        write_word(csv, text);
        break;
    case CELL_TEXT:
    case CELL_JSON:
        write_text(csv, cell->text);
        break;
    case CELL_TEXTS:
        write_texts(csv, cell->texts, cell->n);
        break;
    case CELL_FLOAT8S: /* columns of their own: see person_file_table() */
    case CELL_INT2S:
    case CELL_INT4S:
        break;
    }
}

static void put_cell(Writer *writer, const ResultColumn *column, const Cell *cell)
{
    CsvWriter *csv = (CsvWriter *)writer;
    bool is_last = writer->column + 1 == writer->table->n_columns;

    if (!column->is_volatile) {
        write_word(csv, writer->column == 0 ? "" : ",");
        if (!cell->is_null)
            write_value(csv, column->type, cell);
    }
    if (is_last)
        write_word(csv, "\r\n");
}

static void write_header(CsvWriter *csv, const ResultTable *table)
{
    for (int c = 0; c < table->n_columns; c++) {
        if (table->columns[c].is_volatile)
            continue;
        write_word(csv, c == 0 ? "" : ",");
        write_word(csv, table->columns[c].name);
    }
    write_word(csv, "\r\n");
}

/* ---- files --------------------------------------------------------------- */

typedef struct Folder {
    const char *out, *part;
    int lock; /* the part folder, open and locked; -1 = none */
    bool is_committed;
    Arena *arena;
} Folder;

static int csv_open(CsvWriter *csv, int *file, const Folder *folder,
                    const ResultTable *table, Err *err)
{
    const char *path =
        arena_format(folder->arena, "%s/%s%s", folder->part, table->name, ENDING);

    *csv = (CsvWriter){.writer = {table, 0, put_cell}};
    *file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (*file < 0)
        return fail(path, "write", err);
    csv->file = gzdopen(dup(*file), "wb4");
    if (csv->file == NULL) {
        close(*file);
        return fail(path, "write", err);
    }
    gzbuffer(csv->file, BUFFER_BYTES);
    write_header(csv, table);
    return 0;
}

static int csv_close(CsvWriter *csv, int file, const Folder *folder, Err *err)
{
    bool is_closed = gzclose(csv->file) == Z_OK;
    bool is_safe = fsync(file) == 0;
    int rc = 0;

    if (csv->has_failed || !is_closed || !is_safe)
        rc = fail(folder->part, "write", err);
    close(file);
    return rc;
}

/* False for a table of nothing but what differs between runs (run_stage). */
static bool is_repeatable(const ResultTable *table)
{
    for (int c = 0; c < table->n_columns; c++)
        if (!table->columns[c].is_volatile)
            return true;
    return false;
}

static int write_table(const Folder *folder, const Made *made, const ResultTable *table,
                       Err *err)
{
    CsvWriter csv;
    int file;

    if (!is_repeatable(table))
        return 0;
    if (csv_open(&csv, &file, folder, table, err) != 0)
        return -1;
    table->write(&csv.writer, made);
    return csv_close(&csv, file, folder, err);
}

static int write_people(const Folder *folder, const Made *made, const PeopleTable *table,
                        Err *err)
{
    uint64_t n_rows = table->n_rows(made);
    CsvWriter csv;
    int file;

    if (csv_open(&csv, &file, folder, &table->table, err) != 0)
        return -1;
    for (uint64_t at = 0; at < n_rows && !csv.has_failed; at += BLOCK_ROWS)
        table->rows(&csv.writer, made, at,
                    at + BLOCK_ROWS < n_rows ? at + BLOCK_ROWS : n_rows);
    return csv_close(&csv, file, folder, err);
}

/* ---- folders ------------------------------------------------------------- */

static bool is_ours(const char *name)
{
    size_t len = strlen(name), ending = sizeof ENDING - 1;

    return len > ending && strcmp(name + len - ending, ENDING) == 0;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* DIR without the slashes at its end. */
static const char *trimmed(Arena *arena, const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return arena_text(arena, path, len);
}

/* A folder that is yet to be made needs a place to be made in. */
static int check_place(const char *folder, Err *err)
{
    Arena *arena = arena_new();
    const char *out = trimmed(arena, folder), *slash = strrchr(out, '/');
    const char *place = slash == NULL  ? "."
                        : slash == out ? "/"
                                       : arena_text(arena, out, (size_t)(slash - out));
    int rc = access(place, W_OK | X_OK);

    if (rc != 0)
        rc = fail(folder, "make the folder", err);
    arena_free(arena);
    return rc;
}

int csv_check_folder(const char *folder, Err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = 0;

    if (dir == NULL)
        return errno == ENOENT ? check_place(folder, err) : fail(folder, "read", err);
    while (rc == 0 && (entry = readdir(dir)) != NULL)
        if (!is_dots(entry->d_name) && !is_ours(entry->d_name))
            rc = err_add(err, ERR_USAGE, (Where){folder, 0, 0},
                         "is there, and is not the output of an earlier run");
    if (rc != 0)
        err_hint(err, "name a new folder");
    closedir(dir);
    return rc;
}

/* Removes the files of a run, and the folder once it is empty. */
static void remove_files(const char *folder, bool with_folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        if (is_ours(entry->d_name))
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    if (with_folder)
        rmdir(folder);
}

static int lock_part(Folder *folder, Err *err)
{
    if (mkdir(folder->part, 0700) != 0 && errno != EEXIST)
        return fail(folder->part, "make the folder", err);
    folder->lock = open(folder->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0)
        return fail(folder->part, "open the folder", err);
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        close(folder->lock);
        folder->lock = -1;
        return err_add(err, ERR_LOCKED, (Where){folder->part, 0, 0},
                       "another run is writing there");
    }
    remove_files(folder->part, false);
    return 0;
}

static void csv_drop(void *own)
{
    Folder *folder = own;

    if (folder == NULL)
        return;
    if (folder->lock >= 0) {
        if (!folder->is_committed)
            remove_files(folder->part, true);
        close(folder->lock);
    }
    arena_free(folder->arena);
    free(folder);
}

static int csv_stage(void **own, const Made *made, Err *err)
{
    Folder *folder = mem_alloc(1, sizeof *folder, "files to write");
    int rc;

    *own = NULL;
    folder->arena = arena_new();
    folder->lock = -1;
    folder->out = trimmed(folder->arena, made->info->out);
    folder->part = arena_format(folder->arena, "%s.part", folder->out);
    rc = lock_part(folder, err);
    for (int t = 0; rc == 0 && t < n_result_tables; t++)
        rc = write_table(folder, made, result_tables[t], err);
    if (rc == 0) {
        PeopleTable people = person_file_table(made, folder->arena);

        rc = write_people(folder, made, &people, err);
    }
    if (rc == 0)
        rc = write_people(folder, made, &member_table, err);
    if (rc == 0 && fsync(folder->lock) != 0)
        rc = fail(folder->part, "write", err);
    if (rc == 0)
        *own = folder;
    else
        csv_drop(folder);
    return rc;
}

static int csv_commit(void *own, const Made *made, Err *err)
{
    Folder *folder = own;

    (void)made;
    if (csv_check_folder(folder->out, err) != 0)
        return -1;
    if (rename(folder->part, folder->out) == 0) {
        folder->is_committed = true; /* there was none, or an empty one */
        return 0;
    }
    if (errno != ENOTEMPTY && errno != EEXIST)
        return fail(folder->out, "put the files in place", err);
    if (renameat2(AT_FDCWD, folder->part, AT_FDCWD, folder->out, RENAME_EXCHANGE) != 0)
        return fail(folder->out, "put the files in place", err);
    folder->is_committed = true;
    remove_files(folder->part, true); /* those of the earlier run */
    return 0;
}

const OutputKind output_csv = {"csv", csv_stage, csv_commit, csv_drop};
