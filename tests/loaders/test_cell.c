#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "loaders/cell.h"

static Cell text(const char *word)
{
    return (Cell){CELL_TEXT, (uint32_t)strlen(word), {.text = word}};
}

static Cell whole(int64_t number)
{
    return (Cell){.type = CELL_INT, .as.number = number};
}

static Cell real(double number)
{
    return (Cell){.type = CELL_FLOAT, .as.real = number};
}

static const struct {
    const char *text;
    bool is_int, is_number, is_yesno;
    double value;
} TEXTS[] = {
    {"1", true, true, true, 1},        {" 0 ", true, true, true, 0},
    {"-12", true, true, false, -12},   {"1.5", false, true, false, 1.5},
    {"1e3", false, true, false, 1000}, {"Yes", false, false, true, 1},
    {"n", false, false, true, 0},      {"TRUE", false, false, true, 1},
    {"f", false, false, true, 0},      {"yess", false, false, false, 0},
    {"NaN", false, false, false, 0},   {"", false, false, false, 0},
    {"1 2", false, false, false, 0},
};

Test(cell, texts_are_what_they_look_like)
{
    for (size_t t = 0; t < sizeof TEXTS / sizeof *TEXTS; t++) {
        Cell cell = text(TEXTS[t].text);
        int64_t number;
        double value;
        bool yes;

        cr_expect_eq(cell_int(&number, &cell), TEXTS[t].is_int, "\"%s\"", TEXTS[t].text);
        cr_expect_eq(cell_number(&value, &cell), TEXTS[t].is_number, "\"%s\"",
                     TEXTS[t].text);
        if (TEXTS[t].is_number)
            cr_expect_eq(value, TEXTS[t].value, "\"%s\"", TEXTS[t].text);
        cr_expect_eq(cell_yesno(&yes, &cell), TEXTS[t].is_yesno, "\"%s\"", TEXTS[t].text);
        if (TEXTS[t].is_yesno)
            cr_expect_eq(yes, TEXTS[t].value != 0, "\"%s\"", TEXTS[t].text);
    }
}

Test(cell, typed_values_are_too)
{
    Cell big = whole(INT64_MAX), half = real(0.5), three = real(3), inf = real(INFINITY);
    Cell nan = real(NAN), yes_cell = {.type = CELL_YESNO, .as.yesno = true};
    char room[CELL_ROOM];
    int64_t number;
    double value;
    bool yes;

    cr_expect(cell_int(&number, &big) && number == INT64_MAX);
    cr_expect_not(cell_int(&number, &half));
    cr_expect(cell_int(&number, &three) && number == 3);
    cr_expect_not(cell_int(&number, &nan));
    cr_expect_not(cell_int(&number, &yes_cell));
    cr_expect_not(cell_number(&value, &inf));
    cr_expect(cell_number(&value, &nan) && isnan(value));
    cr_expect(cell_number(&value, &yes_cell) && value == 1);
    cr_expect(cell_yesno(&yes, &yes_cell) && yes);
    cr_expect(cell_is(cell_text(&big, room), "9223372036854775807"));
    cr_expect(cell_is(cell_text(&half, room), "0.5"));
    cr_expect(cell_is(cell_text(&yes_cell, room), "true"));
}

Test(cell, days_follow_the_format_and_sentinels_are_unknown)
{
    int32_t sentinel = day_of(1900, 1, 1), day;
    Source source = {.sentinels = &sentinel, .n_sentinels = 1};
    Cell iso = text("2024-02-29"), stamp = text("2024-02-29 12:00:00");
    Cell british = text("29/02/2024"), old = text("1900-01-01");
    Cell typed = {.type = CELL_DAY, .as.day = sentinel};
    Cell far = {.type = CELL_DAY, .as.day = DAY_LAST + 1}, number = whole(20240229);
    char room[CELL_ROOM];

    cr_expect(cell_day(&day, &iso, &source) && day == day_of(2024, 2, 29));
    cr_expect(cell_day(&day, &stamp, &source) && day == day_of(2024, 2, 29));
    cr_expect_not(cell_day(&day, &british, &source));
    cr_expect(cell_day(&day, &old, &source) && day == DAY_UNKNOWN);
    cr_expect(cell_day(&day, &typed, &source) && day == DAY_UNKNOWN);
    cr_expect_not(cell_day(&day, &far, &source));
    cr_expect_not(cell_day(&day, &number, &source));
    source.date_format = "DD/MM/YYYY";
    cr_expect(cell_day(&day, &british, &source) && day == day_of(2024, 2, 29));
    cr_expect(cell_is(cell_text(&typed, room), "1900-01-01"));
}

Test(cell, values_change_what_is_meant)
{
    const char *from[] = {"1", "9"}, *to[] = {"M", ""};
    Attribute attribute = {.n_values = 2, .value_from = from, .value_to = to};
    Cell one = whole(1), two = text(" 2"), none = {.type = CELL_NULL};
    char room[CELL_ROOM];
    Cell meant = cell_meant(&one, &attribute, room);

    cr_expect(cell_is(meant, "M"));
    meant = cell_meant(&two, &attribute, room);
    cr_expect(cell_is(cell_text(&meant, room), "2"));
    cr_expect_eq(cell_meant(&none, &attribute, room).type, CELL_NULL);
}

Test(cell, hashes_tell_values_apart)
{
    Cell cells[] = {text("a"),
                    text("b"),
                    text("ab"),
                    text("abcdefgh"),
                    text("abcdefghi"),
                    whole(1),
                    real(1),
                    whole(0),
                    {.type = CELL_NULL},
                    {.type = CELL_YESNO, .as.yesno = true},
                    {.type = CELL_DAY, .as.day = 1}};
    enum { N = sizeof cells / sizeof *cells };

    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            cr_expect_eq(cell_hash(7, &cells[a]) == cell_hash(7, &cells[b]), a == b);
    /* "a", "b" is not "ab", "" */
    cr_expect_neq(cell_hash(cell_hash(0, &cells[0]), &cells[1]),
                  cell_hash(cell_hash(0, &cells[2]), &cells[8]));
}
