/* Small CSV files and the places of their fields. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/config/table.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* One row is one form of CSV; the table is written as field@line:column. */
static const struct {
    const char *text, *want;
} FORMS[] = {
    {"a,b\n1,2\n3,4\n", "1@2:1 2@2:3 / 3@3:1 4@3:3 / "},
    {"a,b\r\n1,2\r\n\r\n   \r\n3,4", "1@2:1 2@2:3 / 3@5:1 4@5:3 / "},
    {"\xef\xbb\xbf"
     "a,b\n1,2",
     "1@2:1 2@2:3 / "},
    {"a,b\r1,2\r3,4\r", "1@2:1 2@2:3 / 3@3:1 4@3:3 / "},
    {"a,b\n  1 ,\" 2 \"\t\n", "1@2:1 2@2:6 / "},
    {"a,b\n\"x,\"\"y\"\"\",z\n", "x,\"y\"@2:1 z@2:11 / "},
    {"a,b\n\"x\ny\",z\n1,2\n", "x\ny@2:0 z@2:0 / 1@4:1 2@4:3 / "},
    {"a,b\n,\n", "@2:1 @2:2 / "},
    {"a,b\n", ""},
    {"a,b\n\"\xc3\xa9\",2", "\xc3\xa9@2:1 2@2:6 / "},
};

Test(table, forms)
{
    for (size_t c = 0; c < COUNT(FORMS); c++) {
        Arena *arena = arena_new();
        Table table;
        Err err = {0};
        char got[512] = "";
        size_t len = 0;

        cr_expect_eq(
            table_parse(&table, "t", FORMS[c].text, strlen(FORMS[c].text), arena, &err),
            0, "case %zu: %s", c, err.text);
        cr_expect_eq(table.n_columns, 2);
        cr_expect_eq(table_column(&table, "b", &err), 1);
        for (int row = 0; row < table.n_rows; row++) {
            for (int column = 0; column < 2; column++) {
                Where where = table_where(&table, row, column);

                len += (size_t)sprintf(got + len, "%s@%d:%u ",
                                       table_field(&table, row, column), (int)where.line,
                                       where.column);
            }
            len += (size_t)sprintf(got + len, "/ ");
        }
        cr_expect_str_eq(got, FORMS[c].want, "case %zu: got %s", c, got);
        arena_free(arena);
    }
}

static const struct {
    const char *text, *want;
} FAULTS[] = {
    {"", "t: there is nothing in it"},
    {"\n\r\n  \n", "t: there is nothing in it"},
    {"a,b\n1\n2,3\n4,5,6\n", "t:2: the header has 2 fields and this line 1\n"
                             "t:4: the header has 2 fields and this line 3"},
    {"a,b\n1,x\"y\n", "t:2: the quotes do not pair up"},
    {"a,b\n1,\"x\"y\n", "t:2: the quotes do not pair up"},
    {"a,b\n1,2\n3,\"x\n4,5\n", "t:3: a quote is opened here and never closed"},
    {"a,b\n1,\xe9\n", "t:2: this line is not UTF-8 text"},
};

Test(table, faults)
{
    for (size_t c = 0; c < COUNT(FAULTS); c++) {
        Arena *arena = arena_new();
        Table table;
        Err err = {0};

        cr_expect_eq(
            table_parse(&table, "t", FAULTS[c].text, strlen(FAULTS[c].text), arena, &err),
            -1);
        cr_expect_str_eq(err.text, FAULTS[c].want, "case %zu: got %s", c, err.text);
        arena_free(arena);
    }
}

Test(table, a_zero_byte_is_no_text)
{
    Arena *arena = arena_new();
    Table table;
    Err err = {0};

    cr_expect_eq(table_parse(&table, "t", "a\n1\0\n", 5, arena, &err), -1);
    cr_expect_str_eq(err.text, "t:2: this line is not UTF-8 text");
    arena_free(arena);
}

Test(table, columns)
{
    static const char TEXT[] = "code,weight,code\n1,2,3\n";
    Arena *arena = arena_new();
    Table table;
    Err err = {0};

    cr_assert_eq(table_parse(&table, "t", TEXT, strlen(TEXT), arena, &err), 0);
    cr_expect_eq(table_column(&table, "wieght", &err), TABLE_NO_COLUMN);
    cr_expect_eq(table_column(&table, "code", &err), TABLE_NO_COLUMN);
    cr_expect_eq(table_column(&table, "x", &err), TABLE_NO_COLUMN);
    cr_expect_str_eq(err.text, "t:1: there is no column \"wieght\"\n"
                               "    hint: did you mean \"weight\"?\n"
                               "t:1: column \"code\" is here twice\n"
                               "t:1: there is no column \"x\"");
    cr_expect_str_eq(table_field(&table, 0, TABLE_NO_COLUMN), "");
    cr_expect_eq(table_where(&table, 0, TABLE_NO_COLUMN).column, 0);
    arena_free(arena);
}

Test(table, files)
{
    Arena *arena = arena_new();
    Table table;
    Err err = {0};

    cr_expect_eq(table_read(&table, "tests/none.csv", arena, &err), -1);
    cr_expect_str_eq(err.text,
                     "tests/none.csv: could not open: No such file or directory");
    arena_free(arena);
}
