#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "loaders/kinds.h"

static char path[64];
static Column columns[] = {{.name = "b", .where = {"sources.yaml", 7, 3}},
                           {.name = "a", .where = {"sources.yaml", 8, 3}},
                           {.name = "b", .where = {"sources.yaml", 9, 3}}};
static Source source = {.name = "s",
                        .kind = &kind_csv,
                        .files = path,
                        .columns = columns,
                        .n_columns = 3,
                        .place_where = {"sources.yaml", 5, 9}};

static void make_path(void)
{
    snprintf(path, sizeof path, "/tmp/stratify-csv.%d", (int)getpid());
}

static void remove_path(void)
{
    unlink(path);
}

static void write_bytes(const char *text, size_t len, const char *mode)
{
    gzFile file = gzopen(path, mode);

    cr_assert_not_null(file);
    if (len > 0)
        cr_assert_eq(gzwrite(file, text, (unsigned)len), (int)len);
    cr_assert_eq(gzclose(file), Z_OK);
}

/* Rows as "b,a,b" with ! for a bad one and ~ for a missing value; then the report. */
static char *read_all(char *out, size_t room)
{
    const Reader *reader = source_reader(&source);
    Access access = {.source = &source, .arena = arena_new()};
    Slices slices = {0};
    Err err = {0};
    uint64_t bytes = 0;
    int found = NEXT_FAILED;
    void *stream = NULL;
    Cell cells[3];
    FILE *to = fmemopen(out, room, "w");

    if (reader->find(&access, NULL, &err) == 0 &&
        reader->split(&slices, &access, NULL, 2, &err) == 0 &&
        reader->open(&stream, &access, &slices.slice[0], NULL, &err) == 0)
        while ((found = reader->next(stream, cells, &bytes, &err)) > 0) {
            for (int c = 0; c < 3 && found == NEXT_ROW; c++)
                fprintf(to, "%s%.*s", c > 0 ? "," : "",
                        cells[c].type == CELL_NULL ? 1 : (int)cells[c].len,
                        cells[c].type == CELL_NULL ? "~" : cells[c].as.text);
            fprintf(to, "%s\n", found == NEXT_BAD ? "!" : "");
        }
    cr_expect_eq(found == NEXT_FAILED, err.n_reports > 0);
    fprintf(to, "%s", err.text);
    fclose(to);
    reader->close(stream);
    free(slices.slice);
    arena_free(access.arena);
    return out;
}

static const struct {
    const char *name, *text, *want;
} CASES[] = {
    {"plain", "a,b\n1,2\n3,4\n", "2,1,2\n4,3,4\n"},
    {"no last line end", "a,b\n1,2\n3,4", "2,1,2\n4,3,4\n"},
    {"byte order mark, CRLF",
     "\xef\xbb\xbf"
     "a,b\r\n1,2\r\n",
     "2,1,2\n"},
    {"other columns", "x,b,y,a\n9,2,9,1\n", "2,1,2\n"},
    {"quotes", "a,\"b\"\n\"1,5\",\"say \"\"so\"\"\"\n", "say \"so\",1,5,say \"so\"\n"},
    {"a line break in quotes", "a,b\n\"1\n2\",3\n", "3,1\n2,3\n"},
    {"empty is missing", "a,b\n,\n\"\",x\n", "~,~,~\nx,~,x\n"},
    {"blank lines", "a,b\n\n1,2\n\r\n\n3,4\n\n", "2,1,2\n4,3,4\n"},
    {"too few, too many", "a,b\n1\n1,2,3\n1,2\n", "!\n!\n2,1,2\n"},
    {"blanks around", "a , b\n 1 , 2 \n", "2,1,2\n"},
    {"only a header", "a,b\n", ""},
    {"a quote inside", "a,b\n5' 10\" tall,2\n", "2,5' 10\" tall,2\n"},
    {"a quote that stays open", "a,b\n1,2\n3,\"4\n5,6\n",
     "2,1,2\n%s: the file ends inside a quoted field"},
    {"no such column", "a,bb\n1,2\n",
     "sources.yaml:7:3: %s has no column \"b\"\n    hint: did you mean \"a\"?\n"
     "sources.yaml:9:3: %s has no column \"b\"\n    hint: did you mean \"a\"?"},
    {"nothing at all", "",
     "sources.yaml:7:3: %s has no column \"b\"\nsources.yaml:8:3: %s has no column "
     "\"a\"\n"
     "sources.yaml:9:3: %s has no column \"b\""},
};

Test(kind_csv, files_are_read_as_written, .init = make_path, .fini = remove_path)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++)
        for (int packed = 0; packed < 2; packed++) {
            char want[1024], got[1024] = "";

            write_bytes(CASES[c].text, strlen(CASES[c].text), packed ? "wb" : "wbT");
            snprintf(want, sizeof want, CASES[c].want, path, path, path);
            cr_expect_str_eq(read_all(got, sizeof got), want, "%s", CASES[c].name);
        }
}

/* Rows that lie across the chunks of a file, some longer than a chunk. */
Test(kind_csv, rows_may_be_longer_than_a_chunk, .init = make_path, .fini = remove_path)
{
    enum { N = 400, ROOM = 8 << 20 };
    char *text = malloc(ROOM), *want = malloc(ROOM), *got = calloc(1, ROOM);
    char *at = text + sprintf(text, "a,x,b\n"), *to = want;

    for (int i = 0; i < N; i++) {
        int len = i % 50 == 0 ? 100000 : i * 7;

        at += sprintf(at, "%d,%0*d,%0*d\n", i, 1 + i * 3, i, 1 + len, i);
        to += sprintf(to, "%0*d,%d,%0*d\n", 1 + len, i, i, 1 + len, i);
    }
    write_bytes(text, (size_t)(at - text), "wb");
    cr_expect(strcmp(read_all(got, ROOM), want) == 0);
    free(text);
    free(want);
    free(got);
}

Test(kind_csv, a_cut_file_is_a_report, .init = make_path, .fini = remove_path)
{
    enum { ROOM = 4 << 20 };
    char *text = malloc(ROOM), *got = calloc(1, ROOM), want[128];
    size_t n = (size_t)sprintf(text, "a,b\n");
    uint32_t random = 1;

    for (int i = 0; i < 100000; i++) {
        random = random * 1664525 + 1013904223;
        n += (size_t)sprintf(text + n, "%u,%d\n", random, i);
    }
    write_bytes(text, n, "wb");
    cr_assert_eq(truncate(path, 300000), 0);
    snprintf(want, sizeof want, "%s: the file ends before its compressed end", path);
    read_all(got, ROOM);
    cr_expect_str_eq(strrchr(got, '\n') + 1, want);
    free(text);
    free(got);
}

Test(kind_csv, a_missing_file_is_a_report)
{
    char got[256] = "";

    strcpy(path, "/nowhere/*.csv");
    cr_expect_str_eq(read_all(got, sizeof got),
                     "sources.yaml:5:9: no file \"/nowhere/*.csv\"");
}

Test(kind_csv, a_source_needs_files)
{
    Source none = {.name = "s", .where = {"sources.yaml", 2, 3}};
    Err err = {0};

    cr_expect_eq(kind_csv.check(&none, &err), -1);
    cr_expect_str_eq(err.text, "sources.yaml:2:3: source \"s\" needs files\n"
                               "    hint: write \"files: path/*.csv.gz\"");
    err_clear(&err);
    cr_expect_eq(kind_postgres.check(&none, &err), -1);
    cr_expect_str_eq(err.text, "sources.yaml:2:3: source \"s\" needs a table or a query\n"
                               "    hint: write one of \"table: schema.name\" and "
                               "\"query: select ...\"");
    err_clear(&err);
    none.table = "t";
    cr_expect_eq(kind_postgres.check(&none, &err), 0);
    none.query = "select 1";
    cr_expect_eq(kind_postgres.check(&none, &err), -1);
}
