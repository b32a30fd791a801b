/* The calendar, against a walk through all of its days. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "engine/base/day.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct Date {
    int year, month, day;
} Date;

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int length_of(int year, int month)
{
    if (month == 2)
        return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static Date next_date(Date date)
{
    if (++date.day > length_of(date.year, date.month)) {
        date.day = 1;
        if (++date.month > 12) {
            date.month = 1;
            date.year++;
        }
    }
    return date;
}

Test(day, every_day_of_the_calendar)
{
    Date date = {1, 1, 1};

    for (int32_t day = DAY_FIRST; day <= DAY_LAST; day++, date = next_date(date)) {
        Date got;

        day_split(day, &got.year, &got.month, &got.day);
        cr_assert(got.year == date.year && got.month == date.month && got.day == date.day,
                  "day %d: got %04d-%02d-%02d", day, got.year, got.month, got.day);
        cr_assert_eq(day_of(date.year, date.month, date.day), day);
    }
    cr_expect_eq(date.year, 10000);
    cr_expect_eq(day_of(2000, 1, 1), 0);
}

Test(day, text_and_back)
{
    for (int32_t day = DAY_FIRST; day <= DAY_LAST; day += 97) {
        char text[DAY_TEXT];
        int32_t back;

        day_format(text, day);
        cr_assert(day_parse(&back, text, strlen(text)));
        cr_assert_eq(back, day);
    }
    char text[DAY_TEXT];
    day_format(text, DAY_UNKNOWN);
    cr_expect_str_eq(text, "unknown");
}

Test(day, strict_text)
{
    static const struct {
        const char *format, *text;
        bool is_day;
        Date want;
    } CASES[] = {
        {"YYYY-MM-DD", "2024-02-29", true, {2024, 2, 29}},
        {"YYYY-MM-DD", "0001-01-01", true, {1, 1, 1}},
        {"YYYY-MM-DD", "9999-12-31", true, {9999, 12, 31}},
        {"YYYY-MM-DD", "2024-02-29T10:00:00Z", true, {2024, 2, 29}},
        {"YYYY-MM-DD", "2024-02-29 10:00:00", true, {2024, 2, 29}},
        {"YYYYMMDD", "20240229", true, {2024, 2, 29}},
        {"DD/MM/YYYY", "29/02/2024", true, {2024, 2, 29}},
        {"DD/MM/YYYY", "01/12/1950 00:00", true, {1950, 12, 1}},
        {"YYYY-MM-DD", "2023-02-29", false, {0}},
        {"YYYY-MM-DD", "1900-02-29", false, {0}},
        {"YYYY-MM-DD", "2024-13-01", false, {0}},
        {"YYYY-MM-DD", "2024-00-01", false, {0}},
        {"YYYY-MM-DD", "2024-01-00", false, {0}},
        {"YYYY-MM-DD", "2024-04-31", false, {0}},
        {"YYYY-MM-DD", "0000-01-01", false, {0}},
        {"YYYY-MM-DD", "2024-1-01", false, {0}},
        {"YYYY-MM-DD", "2024/01/01", false, {0}},
        {"YYYY-MM-DD", "2024-01-01x", false, {0}},
        {"YYYY-MM-DD", " 2024-01-01", false, {0}},
        {"YYYY-MM-DD", "2024-01-0a", false, {0}},
        {"YYYY-MM-DD", "-024-01-01", false, {0}},
        {"YYYY-MM-DD", "", false, {0}},
        {"YYYYMMDD", "2024-02-29", false, {0}},
        {"DD/MM/YYYY", "02/29/2024", false, {0}},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        int32_t day = 0;
        const Date *want = &CASES[c].want;
        bool is_day =
            day_parse_as(&day, CASES[c].text, strlen(CASES[c].text), CASES[c].format);

        cr_expect_eq(is_day, CASES[c].is_day, "\"%s\"", CASES[c].text);
        if (CASES[c].is_day)
            cr_expect_eq(day, day_of(want->year, want->month, want->day), "\"%s\"",
                         CASES[c].text);
    }
}

Test(day, months_are_clamped_to_the_end_of_a_shorter_one)
{
    static const struct {
        Date from;
        int months;
        Date want;
    } CASES[] = {
        {{2024, 2, 29}, 12, {2023, 2, 28}}, {{2024, 2, 29}, 48, {2020, 2, 29}},
        {{2024, 3, 31}, 1, {2024, 2, 29}},  {{2023, 3, 31}, 1, {2023, 2, 28}},
        {{2024, 1, 15}, 1, {2023, 12, 15}}, {{2024, 1, 31}, 2, {2023, 11, 30}},
        {{2024, 5, 31}, 0, {2024, 5, 31}},  {{2024, 1, 31}, -1, {2024, 2, 29}},
        {{5, 6, 7}, 600, {1, 1, 1}},        {{9999, 6, 7}, -600, {9999, 12, 31}},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        Date from = CASES[c].from, want = CASES[c].want;

        cr_expect_eq(
            day_minus_months(day_of(from.year, from.month, from.day), CASES[c].months),
            day_of(want.year, want.month, want.day), "case %zu", c);
    }
    cr_expect_eq(day_minus_months(DAY_UNKNOWN, 3), DAY_UNKNOWN);
}

/* Months before, taken one at a time from the first of a month, land on firsts; and
 * within a month the day of the month is kept whenever it exists. */
Test(day, months_before_every_day_of_thirty_years)
{
    Date date = {1995, 1, 1};

    for (int32_t day = day_of(1995, 1, 1); date.year < 2025; day++) {
        for (int months = 1; months <= 25; months++) {
            int count = date.year * 12 + date.month - 1 - months;
            int length = length_of(count / 12, count % 12 + 1);

            cr_assert_eq(day_minus_months(day, months),
                         day_of(count / 12, count % 12 + 1,
                                date.day < length ? date.day : length));
        }
        date = next_date(date);
    }
}

Test(day, age_in_completed_years)
{
    static const struct {
        Date birth, on;
        int want;
    } CASES[] = {
        {{1950, 6, 15}, {2024, 6, 14}, 73},    {{1950, 6, 15}, {2024, 6, 15}, 74},
        {{1950, 6, 15}, {2024, 6, 16}, 74},    {{2024, 1, 1}, {2024, 1, 1}, 0},
        {{2000, 2, 29}, {2023, 2, 28}, 22}, /* the birthday is on 1 March ... */
        {{2000, 2, 29}, {2023, 3, 1}, 23},     {{2000, 2, 29}, {2024, 2, 28}, 23},
        {{2000, 2, 29}, {2024, 2, 29}, 24}, /* ... but for leap years */
        {{1899, 12, 31}, {2024, 12, 30}, 124},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        Date b = CASES[c].birth, on = CASES[c].on;

        cr_expect_eq(
            day_age(day_of(b.year, b.month, b.day), day_of(on.year, on.month, on.day)),
            CASES[c].want, "case %zu", c);
    }
}

/* Walking day by day, the age goes up by one on each birthday and never else. */
Test(day, age_goes_up_on_birthdays_only)
{
    static const Date BIRTHS[] = {{1996, 2, 29}, {1996, 3, 1}, {1995, 12, 31}};

    for (size_t b = 0; b < COUNT(BIRTHS); b++) {
        Date birth = BIRTHS[b], date = birth;
        int32_t born = day_of(birth.year, birth.month, birth.day);
        int age = 0;

        for (int32_t day = born; date.year < 2040; day++, date = next_date(date)) {
            bool is_birthday = date.month == birth.month && date.day == birth.day;

            is_birthday |= birth.month == 2 && birth.day == 29 && !is_leap(date.year) &&
                           date.month == 3 && date.day == 1;
            age += is_birthday && day > born;
            cr_assert_eq(day_age(born, day), age);
        }
    }
}

/* For births of a whole cycle of the calendar: the day before each birthday, and it. */
Test(day, age_is_exact_near_every_birthday)
{
    enum { CYCLE = 146097, MOST_AGE = 400, STEP = 13 };
    int32_t first = day_of(1800, 1, 1);

    for (int32_t birth = first; birth < first + CYCLE; birth += STEP) {
        int year, month, day;

        day_split(birth, &year, &month, &day);
        for (int age = 1; age <= MOST_AGE; age++) {
            bool moves = month == 2 && day == 29 && !is_leap(year + age);
            int32_t on =
                moves ? day_of(year + age, 3, 1) : day_of(year + age, month, day);

            cr_assert(day_age(birth, on - 1) == age - 1 && day_age(birth, on) == age,
                      "born on %d, %d years", birth, age);
        }
    }
}

Test(day, today_is_a_day_of_this_clock)
{
    time_t now = time(NULL);
    struct tm utc;
    int32_t today = day_today(), want;

    gmtime_r(&now, &utc);
    want = day_of(utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
    cr_expect(today == want || today + 1 == want);
}
