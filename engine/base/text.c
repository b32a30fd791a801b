/*
 * text.c - the one grammar of decimal numbers, and edit distance.
 */
#include "engine/base/text.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 400, LONGEST_NAME = 63 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool text_int64(int64_t *value, const char *text, size_t len)
{
    bool is_negative = len > 0 && text[0] == '-';
    int64_t sum = 0;

    if (len == (size_t)is_negative)
        return false;
    /* Summed below zero, where there is room for the smallest number too. */
    for (size_t i = is_negative; i < len; i++) {
        if (!is_digit(text[i]) || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, text[i] - '0', &sum))
            return false;
    }
    if (!is_negative && sum == INT64_MIN)
        return false;
    *value = is_negative ? sum : -sum;
    return true;
}

/* A number taken apart: mantissa x 10^exponent, where is_short says that the
 * mantissa (all digits, without the point) is below 10^15. */
typedef struct Parts {
    bool is_negative, is_short, has_exponent;
    uint64_t mantissa;
    int decimals, exponent;
} Parts;

static size_t digits(Parts *parts, const char *text, size_t at, size_t len)
{
    for (; at < len && is_digit(text[at]); at++) {
        if (parts->mantissa >= 100000000000000) /* 10^14: one digit more is too much */
            parts->is_short = false;
        else
            parts->mantissa = parts->mantissa * 10 + (uint64_t)(text[at] - '0');
    }
    return at;
}

static bool take_exponent(Parts *parts, const char *text, size_t at, size_t len)
{
    bool is_negative;
    int exponent = 0;

    at++; /* the 'e' */
    is_negative = at < len && text[at] == '-';
    if (at < len && (text[at] == '-' || text[at] == '+'))
        at++;
    if (at == len)
        return false;
    for (; at < len && is_digit(text[at]); at++)
        exponent = exponent < 100000 ? exponent * 10 + (text[at] - '0') : exponent;
    parts->has_exponent = true;
    parts->exponent += is_negative ? -exponent : exponent;
    return at == len;
}

/* The grammar of JSON and a leading '+'. */
static bool take_apart(Parts *parts, const char *text, size_t len)
{
    size_t at, start;

    *parts = (Parts){.is_short = true};
    if (len == 0 || len > LONGEST_NUMBER)
        return false;
    parts->is_negative = text[0] == '-';
    start = at = text[0] == '-' || text[0] == '+';
    at = digits(parts, text, at, len);
    if (at == start || (text[start] == '0' && at > start + 1))
        return false;
    if (at < len && text[at] == '.') {
        start = ++at;
        at = digits(parts, text, at, len);
        if (at == start)
            return false;
        parts->decimals = (int)(at - start);
        parts->exponent = -parts->decimals;
    }
    if (at == len)
        return true;
    return (text[at] == 'e' || text[at] == 'E') && take_exponent(parts, text, at, len);
}

/* The C library's own conversion, in its own locale whatever the user's is. */
static double convert(const char *text, size_t len)
{
    char copy[LONGEST_NUMBER + 1];
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* static: never fails */
    double value;

    memcpy(copy, text, len);
    copy[len] = '\0';
    value = strtod_l(copy, NULL, plain);
    freelocale(plain);
    return value;
}

bool text_double(double *value, const char *text, size_t len)
{
    static const double TEN[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int n_ten = sizeof TEN / sizeof *TEN;
    Parts parts;
    double number;

    if (!take_apart(&parts, text, len))
        return false;
    if (parts.is_short && parts.exponent > -n_ten && parts.exponent < n_ten) {
        /* Both sides are exact, so the one rounding is the right one. */
        number = (double)parts.mantissa;
        number = parts.exponent < 0 ? number / TEN[-parts.exponent]
                                    : number * TEN[parts.exponent];
        number = parts.is_negative ? -number : number;
    } else {
        number = convert(text, len);
    }
    if (!isfinite(number))
        return false;
    *value = number;
    return true;
}

bool text_decimal(int64_t *mantissa, int *decimals, const char *text, size_t len)
{
    Parts parts;

    if (!take_apart(&parts, text, len) || !parts.is_short || parts.has_exponent ||
        parts.decimals > 9)
        return false;
    *mantissa = parts.is_negative ? -(int64_t)parts.mantissa : (int64_t)parts.mantissa;
    *decimals = parts.decimals;
    return true;
}

bool text_is_name(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > LONGEST_NAME || text[0] < 'a' || text[0] > 'z')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* The bytes of the character that starts here; 0 if it is none. Longer forms than
 * needed, halves of pairs, and what lies past U+10FFFF show in the second byte. */
static size_t character_length(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n = at[0] < 0x80   ? 1
               : at[0] < 0xc2 ? 0
               : at[0] < 0xe0 ? 2
               : at[0] < 0xf0 ? 3
               : at[0] < 0xf5 ? 4
                              : 0;

    if (n < 2 || n > left)
        return n > left ? 0 : n;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

bool text_is_utf8(const char *text, size_t len)
{
    for (size_t at = 0, n; at < len; at += n) {
        n = character_length((const unsigned char *)text + at, len - at);
        if (n == 0)
            return false;
    }
    return true;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Letters to change, add, drop, or swap with their neighbour (Damerau-Levenshtein,
 * each letter touched once). Both at most LONGEST_NAME long. */
static int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int rows[3][LONGEST_NAME + 1]; /* the last three rows of the table, in turn */

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

        row[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] =
                least(least(up[j], row[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], up2[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t len = strlen(word);
    int most = len >= 6 ? (int)(len / 3) : 1, best = most + 1;
    const char *nearest = NULL;

    if (len == 0 || len > LONGEST_NAME)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(candidates[i]);
        int d;

        if (other > LONGEST_NAME)
            continue;
        d = distance(word, len, candidates[i], other);
        if (d < best) {
            best = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}
