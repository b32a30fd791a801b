/* Strict numbers, names, and the nearest word. */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

Test(text, whole_numbers)
{
    static const struct {
        const char *text;
        bool is_number;
        int64_t want;
    } CASES[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"0x1", false, 0},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        int64_t value = 0;
        bool is_number = text_int64(&value, CASES[c].text, strlen(CASES[c].text));

        cr_expect_eq(is_number, CASES[c].is_number, "\"%s\"", CASES[c].text);
        cr_expect_eq(value, CASES[c].want, "\"%s\"", CASES[c].text);
    }
    int64_t value;
    cr_expect(!text_int64(&value, "1\0", 2), "a zero byte is a byte");
}

Test(text, decimal_numbers)
{
    static const struct {
        const char *text;
        bool is_number;
        double want;
    } CASES[] = {
        {"0", true, 0},
        {"+1", true, 1},
        {"-1.5", true, -1.5},
        {"0.1", true, 0.1},
        {"1e3", true, 1000},
        {"1E-3", true, 0.001},
        {"2.5e+2", true, 250},
        {"123456789012345678", true, 123456789012345678.0},
        {"1.7976931348623157e308", true, 1.7976931348623157e308},
        {"1e309", false, 0},
        {"5e-324", true, 5e-324},
        {"1e-400", true, 0},
        {"9007199254740993", true, 9007199254740992.0}, /* a tie goes to even */
        {"0.000000000000000000000000000001", true, 1e-30},
        {"1e99999999999999999999", false, 0},
        {"", false, 0},
        {"+", false, 0},
        {".5", false, 0},
        {"5.", false, 0},
        {"01", false, 0},
        {"1e", false, 0},
        {"1e+", false, 0},
        {"1e5x", false, 0},
        {"1,5", false, 0},
        {"nan", false, 0},
        {"inf", false, 0},
        {"Infinity", false, 0},
        {"0x1p3", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"+-1", false, 0},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        double value = 0;
        bool is_number = text_double(&value, CASES[c].text, strlen(CASES[c].text));

        cr_expect_eq(is_number, CASES[c].is_number, "\"%s\"", CASES[c].text);
        cr_expect(value == CASES[c].want, "\"%s\": got %.17g", CASES[c].text, value);
    }
}

/* The quick way and the C library must agree to the last bit. */
Test(text, decimal_numbers_are_rounded_as_by_strtod)
{
    uint64_t random = 42;

    for (int i = 0; i < 200000; i++) {
        char text[64];
        double value = 0, want;

        random = random * 6364136223846793005 + 1442695040888963407;
        snprintf(text, sizeof text, "%s%llu.%0*llue%d", random >> 63 ? "-" : "",
                 (unsigned long long)(random >> 40) % 1000000,
                 (int)(random >> 52) % 12 + 1, (unsigned long long)(random >> 30) % 100,
                 (int)(random % 50) - 25);
        want = strtod(text, NULL);
        cr_assert(text_double(&value, text, strlen(text)), "%s", text);
        cr_assert(memcmp(&value, &want, sizeof value) == 0, "%s: %.17g, not %.17g", text,
                  value, want);
    }
}

Test(text, the_locale_plays_no_part)
{
    double value;

    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
        setlocale(LC_ALL, "");
    cr_expect(text_double(&value, "1.00000000000000000000001", 25));
    cr_expect_eq(value, 1.0);
    cr_expect(!text_double(&value, "1,5", 3));
}

Test(text, exact_decimals)
{
    static const struct {
        const char *text;
        bool is_decimal;
        int64_t mantissa;
        int decimals;
    } CASES[] = {
        {"1.90", true, 190, 2},
        {"-0.5", true, -5, 1},
        {"+3", true, 3, 0},
        {"0", true, 0, 0},
        {"0.000000001", true, 1, 9},
        {"0.0000000001", false, 0, 0},
        {"999999999999999", true, 999999999999999, 0},
        {"1000000000000000", false, 0, 0},
        {"1e3", false, 0, 0},
        {"1.", false, 0, 0},
        {"", false, 0, 0},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        int64_t mantissa = 0;
        int decimals = 0;
        bool is_decimal =
            text_decimal(&mantissa, &decimals, CASES[c].text, strlen(CASES[c].text));

        cr_expect_eq(is_decimal, CASES[c].is_decimal, "\"%s\"", CASES[c].text);
        cr_expect_eq(mantissa, CASES[c].mantissa, "\"%s\"", CASES[c].text);
        cr_expect_eq(decimals, CASES[c].decimals, "\"%s\"", CASES[c].text);
    }
}

Test(text, names_of_configs)
{
    cr_expect(text_is_name("efi"));
    cr_expect(text_is_name("emergency_admissions_12m"));
    cr_expect(!text_is_name(""));
    cr_expect(!text_is_name("1st"));
    cr_expect(!text_is_name("_x"));
    cr_expect(!text_is_name("Efi"));
    cr_expect(!text_is_name("efi.falls"));
    cr_expect(
        text_is_name("a23456789012345678901234567890123456789012345678901234567890123"));
    cr_expect(!text_is_name(
        "a234567890123456789012345678901234567890123456789012345678901234"));
}

Test(text, utf8)
{
    static const struct {
        const char *text;
        bool is_utf8;
    } CASES[] = {
        {"", true},
        {"falls", true},
        {"\xc3\xa9", true},          /* U+00E9 */
        {"\xe2\x82\xac", true},      /* U+20AC */
        {"\xf0\x9f\x98\x80", true},  /* U+1F600 */
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xe9", false},             /* Latin-1 */
        {"\xc3", false},             /* cut off */
        {"\xe2\x82", false},         /* cut off */
        {"\x80", false},             /* starts in the middle */
        {"\xc0\xaf", false},         /* longer than needed */
        {"\xe0\x80\xaf", false},     /* longer than needed */
        {"\xf0\x80\x80\xaf", false}, /* longer than needed */
        {"\xed\xa0\x80", false},     /* half of a pair */
        {"\xf4\x90\x80\x80", false}, /* past the last one */
        {"\xf5\x80\x80\x80", false}, /* past the last one */
        {"\xe2\x82x", false},        /* broken off */
    };

    for (size_t c = 0; c < COUNT(CASES); c++)
        cr_expect_eq(text_is_utf8(CASES[c].text, strlen(CASES[c].text)), CASES[c].is_utf8,
                     "case %zu", c);
}

Test(text, the_nearest_name)
{
    static const char *const KNOWN[] = {"copd_5y", "falls", "age", "window", "windows"};
    static const struct {
        const char *word, *want;
    } CASES[] = {
        {"copd_3y", "copd_5y"},
        {"fals", "falls"},
        {"flals", "falls"}, /* two letters swapped */
        {"agee", "age"},
        {"windwo", "window"},
        {"windowz", "window"}, /* as near as "windows": the first */
        {"xyz", NULL},
        {"fxxxs", NULL},
        {"", NULL},
    };

    for (size_t c = 0; c < COUNT(CASES); c++) {
        const char *got = text_nearest(CASES[c].word, KNOWN, COUNT(KNOWN));

        cr_expect(got == CASES[c].want || (got != NULL && CASES[c].want != NULL &&
                                           strcmp(got, CASES[c].want) == 0),
                  "\"%s\": got %s", CASES[c].word, got == NULL ? "none" : got);
    }
    cr_expect(text_nearest("x", NULL, 0) == NULL);
}
