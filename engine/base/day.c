/*
 * day.c - the calendar in whole numbers.
 *
 * Years are counted from 1 March here, so that the leap day is the last of its year
 * and the months before it always have the same lengths.
 */
#include "engine/base/day.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
    DAYS_4_YEARS = 1461,
    DAYS_100_YEARS = 36524,
    DAYS_400_YEARS = 146097,
    MARCH_YEAR_0 = 730425, /* days from 0000-03-01 to 2000-01-01 */
    UNIX_EPOCH = -10957    /* 1970-01-01 */
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_length(int year, int month)
{
    static const int LENGTH[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return LENGTH[month - 1] + (month == 2 && is_leap(year));
}

int32_t day_of(int year, int month, int day)
{
    int y = year - (month <= 2), m = (month + 9) % 12; /* March is 0 */

    assert(year >= 1 && year <= 9999 && month >= 1 && month <= 12);
    assert(day >= 1 && day <= month_length(year, month));
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 -
           MARCH_YEAR_0;
}

void day_split(int32_t day, int *year, int *month, int *day_of_month)
{
    int days = day + MARCH_YEAR_0, y, m, centuries, fours, years;

    assert(day >= DAY_FIRST && day <= DAY_LAST);
    y = days / DAYS_400_YEARS * 400;
    days %= DAYS_400_YEARS;
    centuries = days / DAYS_100_YEARS;
    centuries -= centuries == 4; /* the 400th year's leap day */
    days -= centuries * DAYS_100_YEARS;
    fours = days / DAYS_4_YEARS;
    days %= DAYS_4_YEARS;
    years = days / 365;
    years -= years == 4; /* the 4th year's leap day */
    days -= years * 365;
    y += centuries * 100 + fours * 4 + years;
    m = (5 * days + 2) / 153;
    *day_of_month = days - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + (*month <= 2);
}

bool day_parse(int32_t *day, const char *text, size_t len)
{
    return day_parse_as(day, text, len, "YYYY-MM-DD");
}

bool day_parse_as(int32_t *day, const char *text, size_t len, const char *format)
{
    size_t n = strlen(format);
    int year = 0, month = 0, day_of_month = 0;

    if (len < n || (len > n && text[n] != 'T' && text[n] != ' '))
        return false;
    for (size_t i = 0; i < n; i++) {
        int *part = format[i] == 'Y'   ? &year
                    : format[i] == 'M' ? &month
                    : format[i] == 'D' ? &day_of_month
                                       : NULL;

        if (part == NULL && text[i] != format[i])
            return false;
        if (part == NULL)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return false;
        *part = *part * 10 + (text[i] - '0');
    }
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day_of_month < 1 ||
        day_of_month > month_length(year, month))
        return false;
    *day = day_of(year, month, day_of_month);
    return true;
}

static void put_digits(char *text, int n, int value)
{
    for (int i = n - 1; i >= 0; i--, value /= 10)
        text[i] = (char)('0' + value % 10);
}

void day_format(char text[DAY_TEXT], int32_t day)
{
    int year, month, day_of_month;

    if (day == DAY_UNKNOWN) {
        memcpy(text, "unknown", sizeof "unknown");
        return;
    }
    day_split(day, &year, &month, &day_of_month);
    put_digits(text, 4, year);
    put_digits(text + 5, 2, month);
    put_digits(text + 8, 2, day_of_month);
    text[4] = text[7] = '-';
    text[10] = '\0';
}

int32_t day_minus_months(int32_t day, int months)
{
    int year, month, day_of_month, length;
    int64_t count;

    if (day == DAY_UNKNOWN)
        return DAY_UNKNOWN;
    day_split(day, &year, &month, &day_of_month);
    count = (int64_t)year * 12 + (month - 1) - months;
    if (count < 12)
        return DAY_FIRST;
    if (count >= 10000 * 12)
        return DAY_LAST;
    year = (int)(count / 12);
    month = (int)(count % 12) + 1;
    length = month_length(year, month);
    return day_of(year, month, day_of_month < length ? day_of_month : length);
}

/* A year is 365.2425 days in the mean, and no number of years is as much as FAR_DAYS
 * longer or shorter than so many of these. So only near a birthday must one look. */
int day_age(int32_t birth, int32_t on)
{
    enum { SCALE = 10000, YEAR = 3652425, FAR_DAYS = 5 };
    int64_t lived = ((int64_t)on - birth) * SCALE, rest = lived % YEAR;
    int birth_year, birth_month, birth_day, year, month, day;

    assert(birth <= on);
    if (rest > FAR_DAYS * SCALE && rest < YEAR - FAR_DAYS * SCALE)
        return (int)(lived / YEAR);
    day_split(birth, &birth_year, &birth_month, &birth_day);
    day_split(on, &year, &month, &day);
    return year - birth_year -
           (month < birth_month || (month == birth_month && day < birth_day));
}

int32_t day_today(void)
{
    return (int32_t)(time(NULL) / 86400) + UNIX_EPOCH;
}
