/*
 * day.h - a calendar day as one int32: days since 2000-01-01, which is also
 * PostgreSQL's own binary form of a date. Proleptic Gregorian calendar, no time
 * zones.
 */
#ifndef ENGINE_BASE_DAY_H
#define ENGINE_BASE_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_UNKNOWN INT32_MIN /* missing, or a sentinel: happened, date unknown */
#define DAY_FIRST   (-730119) /* 0001-01-01, the oldest day a source may hold */
#define DAY_LAST    2921939   /* 9999-12-31 */
enum { DAY_TEXT = 11 };       /* bytes for "YYYY-MM-DD" and the NUL */

int32_t day_of(int year, int month, int day);
void day_split(int32_t day, int *year, int *month, int *day_of_month);

/* Strict "YYYY-MM-DD" of a real day in 0001..9999. A time after it ("T..." or
 * " ...") is cut off when the text is longer than ten bytes. */
bool day_parse(int32_t *day, const char *text, size_t len);
/* The same by a format of config: "YYYY-MM-DD", "YYYYMMDD" or "DD/MM/YYYY". */
bool day_parse_as(int32_t *day, const char *text, size_t len, const char *format);
void day_format(char text[DAY_TEXT], int32_t day);

/* Calendar months before (n > 0), clamped to the end of a shorter month:
 * 2024-02-29 minus 12 months is 2023-02-28. */
int32_t day_minus_months(int32_t day, int months);

/* Completed years on `on`. Born on 29 February: birthday on 1 March in a common
 * year. birth <= on. */
int day_age(int32_t birth, int32_t on);

/* Today by the clock, UTC. */
int32_t day_today(void);

#endif
