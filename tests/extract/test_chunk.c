/*
 * test_chunk.c - rows of every kind of column go into a chunk and come out of it, and no
 * damaged byte is taken for data.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/mem.h"
#include "engine/extract/chunk.h"

enum { FEW, MANY, SPARSE, TEXT, PLAIN, EMPTY, N_COLUMNS };
enum { A_NUMBER = 1, A_TEXT = 5 };
static const bool MAY_BE_PLAIN[N_COLUMNS] = {[PLAIN] = true};

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/stratify-chunk.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

static uint32_t noise(uint32_t i)
{
    return (uint32_t)((i + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* What row i of a test has in a column; false = nothing. */
static bool value_of(uint64_t *number, char text[16], int column, uint32_t i)
{
    switch (column) {
    case FEW:
        *number = noise(i) % 3;
        return true;
    case MANY:
        *number = (uint64_t)noise(i) % 5000 << 40;
        return noise(i) % 7 != 0;
    case SPARSE:
        *number = noise(i) % 300;
        return noise(i) % 11 == 0;
    case TEXT:
        snprintf(text, 16, "%.*s", (int)(noise(i) % 9), "abcdefgh");
        return noise(i) % 5 != 0;
    case PLAIN:
        *number = (uint64_t)noise(i) << 31 | i;
        return i % 1000 != 0;
    default:
        return false;
    }
}

static ChunkWriter *fill(uint32_t n)
{
    ChunkWriter *writer = chunk_writer_new(N_COLUMNS, MAY_BE_PLAIN);

    for (uint32_t i = 0; i < n; i++) {
        for (int c = 0; c < N_COLUMNS; c++) {
            uint64_t number;
            char text[16];

            if (!value_of(&number, text, c, i))
                chunk_missing(writer, c);
            else if (c == TEXT)
                chunk_text(writer, c, A_TEXT, text, (uint32_t)strlen(text));
            else
                chunk_number(writer, c, A_NUMBER, number);
        }
        chunk_row(writer);
    }
    return writer;
}

/* Persons in no order: few, many, far apart, and some not on the list. */
static uint32_t person_of(uint32_t i)
{
    return i % 4 == 0          ? noise(i) % 5
           : noise(i) % 3 == 0 ? 900000 + i % 7
                               : noise(i) % 400000;
}

static void expect_number(const Chunk *chunk, int column, uint32_t row, bool has,
                          uint64_t got)
{
    uint64_t want = 0;
    char text[16];
    bool is_there = value_of(&want, text, column, row);

    (void)chunk;
    cr_expect(has == is_there && (!has || got == want), "column %d, row %u", column, row);
}

static void check_column(Chunk *chunk, int c, int block, const uint32_t *row, Err *err)
{
    static uint32_t value[BLOCK_ROWS];
    static uint64_t number[BLOCK_ROWS];
    static uint8_t is_missing[BLOCK_ROWS];
    const ChunkColumn *column = chunk_column(chunk, c, err);
    uint32_t n = chunk_block_rows(chunk, block);

    cr_assert_not_null(column);
    if (column->is_plain) {
        cr_assert_eq(chunk_plain(number, is_missing, chunk, c, block, err), 0);
        for (uint32_t i = 0; i < n; i++)
            expect_number(chunk, c, row[i], !is_missing[i], number[i]);
        return;
    }
    cr_assert_eq(chunk_values(value, chunk, c, block, err), 0);
    for (uint32_t i = 0; i < n && c != TEXT; i++)
        expect_number(chunk, c, row[i], value[i] != 0,
                      value[i] == 0 ? 0 : column->number[value[i]]);
    for (uint32_t i = 0; i < n && c == TEXT; i++) {
        uint32_t start = value[i] <= 1 ? 0 : column->end[value[i] - 1];
        uint64_t unused;
        char text[16];
        bool has = value_of(&unused, text, c, row[i]);

        cr_expect(has == (value[i] != 0), "row %u", row[i]);
        cr_expect(!has || (column->end[value[i]] - start == strlen(text) &&
                           memcmp(column->text + start, text, strlen(text)) == 0),
                  "row %u", row[i]);
    }
}

/* Rows in the order in which a chunk must have them. */
static uint32_t *expected_order(const uint32_t *number, uint32_t n)
{
    uint32_t *row = calloc(n, sizeof *row);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i;

        for (; at > 0 && number[row[at - 1]] > number[i]; at--)
            row[at] = row[at - 1];
        row[at] = i;
    }
    return row;
}

Test(chunk, rows_come_back_by_person, .init = make_folder, .fini = remove_folder)
{
    static const uint32_t SIZES[] = {0, 1, 1000, 5000};
    static const int64_t EXTRA[] = {-5, 0, 7};

    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        uint32_t n = SIZES[s], *number = calloc(n + 1, sizeof *number), *row;
        uint32_t *person = calloc(BLOCK_ROWS, sizeof *person), n_extra, n_listed;
        ChunkPeople people = {number, 1000000, EXTRA, n == 0 ? 0 : 1};
        const int64_t *extra;
        char path[128];
        ChunkWriter *writer = fill(n);
        ChunkFile file = {0};
        Chunk *chunk;
        Err err = {0};

        for (uint32_t i = 0; i < n; i++)
            number[i] = person_of(i);
        row = expected_order(number, n);
        snprintf(path, sizeof path, "%s/%u.stratum", folder, n);
        cr_assert_eq(chunk_write(&file, writer, &people, path, &err), 0, "%s", err.text);
        cr_expect_eq(chunk_rows(writer), 0);
        cr_assert_eq(chunk_open(&chunk, path, &file, &err), 0, "%s", err.text);
        cr_expect_eq(chunk_n_rows(chunk), n);
        cr_expect_eq(chunk_extra(&extra, &n_extra, &n_listed, chunk, &err), 0);
        cr_expect(n_listed == 1000000 && n_extra == people.n_extra);
        cr_expect(n == 0 || extra[0] == -5);
        for (int block = 0; block < chunk_n_blocks(chunk); block++) {
            cr_assert_eq(chunk_persons(person, chunk, block, &err), 0, "%s", err.text);
            for (uint32_t i = 0; i < chunk_block_rows(chunk, block); i++)
                cr_expect_eq(person[i], number[row[i]], "row %u of %u", i, n);
            for (int c = 0; c < N_COLUMNS; c++)
                check_column(chunk, c, block, row, &err);
        }
        chunk_close(chunk);
        chunk_writer_free(writer);
        free(number);
        free(person);
        free(row);
    }
}

Test(chunk, many_blocks_without_people, .init = make_folder, .fini = remove_folder)
{
    uint32_t n = 2 * BLOCK_ROWS + 17, *row = calloc(n, sizeof *row);
    ChunkWriter *writer = fill(n);
    ChunkPeople nobody = {0};
    ChunkFile file = {0};
    char path[128];
    Chunk *chunk;
    Err err = {0};

    snprintf(path, sizeof path, "%s/many.stratum", folder);
    cr_assert_eq(chunk_write(&file, writer, &nobody, path, &err), 0, "%s", err.text);
    cr_assert_eq(chunk_open(&chunk, path, &file, &err), 0, "%s", err.text);
    cr_expect_eq(chunk_n_blocks(chunk), 3);
    cr_expect(chunk_column(chunk, PLAIN, &err)->is_plain);
    cr_expect(!chunk_column(chunk, MANY, &err)->is_plain);
    for (uint32_t i = 0; i < n; i++)
        row[i] = i;
    for (int block = 0; block < 3; block++)
        for (int c = 0; c < N_COLUMNS; c++)
            check_column(chunk, c, block, row + block * BLOCK_ROWS, &err);
    chunk_close(chunk);
    chunk_writer_free(writer);
    free(row);
}

/* Everything of the chunk; false at the first report. */
static bool read_all(const char *path, const ChunkFile *file, Err *err)
{
    static uint32_t value[BLOCK_ROWS];
    static uint64_t number[BLOCK_ROWS];
    static uint8_t is_missing[BLOCK_ROWS];
    const int64_t *extra;
    uint32_t n_extra, n_listed;
    Chunk *chunk;
    bool is_good;

    if (chunk_open(&chunk, path, file, err) != 0)
        return false;
    is_good = chunk_extra(&extra, &n_extra, &n_listed, chunk, err) == 0 &&
              chunk_persons(value, chunk, 0, err) == 0;
    for (int c = 0; c < N_COLUMNS && is_good; c++) {
        const ChunkColumn *column = chunk_column(chunk, c, err);

        is_good = column != NULL &&
                  (column->is_plain ? chunk_plain(number, is_missing, chunk, c, 0, err)
                                    : chunk_values(value, chunk, c, 0, err)) == 0;
    }
    chunk_close(chunk);
    return is_good;
}

static void put_byte(const char *path, long at, int change)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    cr_assert_eq(fseek(file, at, SEEK_SET), 0);
    byte = fgetc(file);
    cr_assert_eq(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ change, file);
    cr_assert_eq(fclose(file), 0);
}

Test(chunk, no_damaged_byte_is_taken, .init = make_folder, .fini = remove_folder)
{
    static const int64_t EXTRA[] = {12345};
    uint32_t n = 3000, *number = calloc(n, sizeof *number);
    ChunkPeople people = {number, 1000000, EXTRA, 1};
    ChunkWriter *writer = fill(n);
    ChunkFile file = {0};
    char path[128];
    Err err = {0};

    for (uint32_t i = 0; i < n; i++)
        number[i] = i / 3;
    snprintf(path, sizeof path, "%s/bad.stratum", folder);
    cr_assert_eq(chunk_write(&file, writer, &people, path, &err), 0, "%s", err.text);
    cr_assert(read_all(path, &file, &err), "%s", err.text);
    for (long at = 0; at < (long)file.bytes; at += 1 + at / 200) {
        Err report = {0};

        put_byte(path, at, 1 << at % 8);
        cr_expect(!read_all(path, &file, &report), "byte %ld", at);
        cr_expect_eq(report.kind, ERR_DATA, "byte %ld", at);
        cr_expect_eq(report.n_reports, 1, "byte %ld", at);
        put_byte(path, at, 1 << at % 8);
    }
    cr_assert_eq(truncate(path, (off_t)file.bytes - 1), 0);
    cr_expect(!read_all(path, &file, &err));
    cr_expect(strstr(err.text, "bad.stratum: the extract is damaged") != NULL, "%s",
              err.text);
    chunk_writer_free(writer);
    free(number);
}

Test(chunk, a_file_that_another_one_replaced_is_refused, .init = make_folder,
     .fini = remove_folder)
{
    ChunkFile file[2] = {{0}};
    char path[2][128];
    Err err = {0};
    Chunk *chunk;

    for (uint32_t f = 0; f < 2; f++) {
        ChunkWriter *writer = fill(100 + f);
        ChunkPeople nobody = {0};

        snprintf(path[f], sizeof path[f], "%s/%u.stratum", folder, f);
        cr_assert_eq(chunk_write(&file[f], writer, &nobody, path[f], &err), 0);
        cr_expect_eq(chunk_write(&file[f], writer, &nobody, path[f], &err), -1,
                     "a file is never written over");
        err_clear(&err);
        chunk_writer_free(writer);
    }
    cr_expect_eq(chunk_open(&chunk, path[0], &file[1], &err), -1);
    cr_expect_null(chunk);
    cr_expect_eq(err.kind, ERR_DATA);
}
