/* The normal forms of codes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/codes/codes.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

Test(codes, words_of_coding_systems)
{
    static const struct {
        const char *word;
        System want;
    } CASES[] = {
        {"snomed", SYSTEM_SNOMED},
        {"SNOMED", SYSTEM_SNOMED},
        {"SNOMED CT", SYSTEM_SNOMED},
        {"SNOMEDCT", SYSTEM_SNOMED},
        {"dm+d", SYSTEM_DMD},
        {"icd10", SYSTEM_ICD10},
        {"ICD-10", SYSTEM_ICD10},
        {"icd9", SYSTEM_ICD9},
        {"OPCS-4", SYSTEM_OPCS4},
        {"CTV3", SYSTEM_CTV3},
        {"READ", SYSTEM_READ2},
        {"READ2", SYSTEM_READ2},
        {"bnf", SYSTEM_BNF},
        {"local", SYSTEM_LOCAL},
        {"", SYSTEM_NONE},
        {"OXMIS", SYSTEM_NONE},
        {"snomed snomed snomed", SYSTEM_NONE},
    };

    for (size_t c = 0; c < COUNT(CASES); c++)
        cr_expect_eq(system_of(CASES[c].word), CASES[c].want, "%s", CASES[c].word);
    for (System system = SYSTEM_SNOMED; system < N_SYSTEMS; system++)
        cr_expect_eq(system_of(system_word(system)), system);
    cr_expect(system_word(SYSTEM_NONE) == NULL);
}

/* One row is one way a feed writes a code. */
static const struct {
    System system;
    const char *text;
    CodeFault fault;
    const char *want;
} ROWS[] = {
    {SYSTEM_SNOMED, "195967001", CODE_OK, "195967001"},
    {SYSTEM_SNOMED, " 195967001  ", CODE_OK, "195967001"},
    {SYSTEM_SNOMED, "195967002", CODE_OK, "195967002"}, /* real rows hold old ones */
    {SYSTEM_SNOMED, "999999999999999999", CODE_OK, "999999999999999999"},
    {SYSTEM_SNOMED, "", CODE_EMPTY, ""},
    {SYSTEM_SNOMED, "   ", CODE_EMPTY, ""},
    {SYSTEM_SNOMED, "12345", CODE_BAD, ""},
    {SYSTEM_SNOMED, "1000000000000000000", CODE_BAD, ""},
    {SYSTEM_SNOMED, "0195967001", CODE_BAD, ""},
    {SYSTEM_SNOMED, "1.95967E+08", CODE_BAD, ""}, /* digits are lost */
    {SYSTEM_SNOMED, "195967001.0", CODE_BAD, ""},
    {SYSTEM_SNOMED, "-195967001", CODE_BAD, ""},
    {SYSTEM_DMD, "39113611000001102", CODE_OK, "39113611000001102"},
    {SYSTEM_ICD10, "I10", CODE_OK, "I10"},
    {SYSTEM_ICD10, "I10X", CODE_OK, "I10"},
    {SYSTEM_ICD10, "i10.x", CODE_OK, "I10"},
    {SYSTEM_ICD10, "J45.9", CODE_OK, "J459"},
    {SYSTEM_ICD10, "A17.0+", CODE_OK, "A170"},
    {SYSTEM_ICD10, "G01.X-", CODE_OK, "G01"},
    {SYSTEM_ICD10, " s72 0 1 ", CODE_OK, "S7201"},
    {SYSTEM_ICD10, "M45.X2", CODE_OK, "M45X2"}, /* that X is a place, not an end */
    {SYSTEM_ICD10, "&", CODE_EMPTY, ""},
    {SYSTEM_ICD10, "-", CODE_EMPTY, ""},
    {SYSTEM_ICD10, "ABCDEFGHIJKLMNOP", CODE_BAD, ""},
    {SYSTEM_ICD9, "250.00", CODE_OK, "25000"},
    {SYSTEM_OPCS4, "w37.1", CODE_OK, "W371"},
    {SYSTEM_CTV3, "XaISO", CODE_OK, "XaISO"},
    {SYSTEM_CTV3, "xaiso", CODE_OK, "xaiso"},
    {SYSTEM_CTV3, "H33", CODE_OK, "H33.."},
    {SYSTEM_CTV3, "H33..00", CODE_BAD, ""},
    {SYSTEM_CTV3, ".....", CODE_EMPTY, ""},
    {SYSTEM_READ2, "H33..", CODE_OK, "H33.."},
    {SYSTEM_READ2, "H33..00", CODE_OK, "H33.."},
    {SYSTEM_READ2, "h33..", CODE_OK, "h33.."},
    {SYSTEM_READ2, "H33..0", CODE_BAD, ""},
    {SYSTEM_READ2, "H3 .", CODE_BAD, ""},
    {SYSTEM_BNF, "0403010b0aaaaaa", CODE_OK, "0403010B0AAAAAA"},
    {SYSTEM_BNF, "4.3.1", CODE_OK, "431"},
    {SYSTEM_BNF, "0403010B0AAAAAAA", CODE_BAD, ""},
    {SYSTEM_LOCAL, "Visit - home", CODE_OK, "Visit - home"},
    {SYSTEM_LOCAL, "123456789012345", CODE_OK, "123456789012345"},
    {SYSTEM_LOCAL, "1234567890123456", CODE_BAD, ""},
    {SYSTEM_NONE, "x", CODE_BAD, ""},
};

Test(codes, as_rows_write_them)
{
    for (size_t c = 0; c < COUNT(ROWS); c++) {
        Code code = {0, 0};
        char text[CODE_TEXT] = "";
        CodeFault fault =
            code_of_text(&code, ROWS[c].system, ROWS[c].text, strlen(ROWS[c].text));

        cr_expect_eq(fault, ROWS[c].fault, "\"%s\"", ROWS[c].text);
        if (fault != CODE_OK)
            continue;
        code_text(text, code);
        cr_expect_str_eq(text, ROWS[c].want, "\"%s\": got %s", ROWS[c].text, text);
        cr_expect_eq(code_system(code), ROWS[c].system);
    }
}

Test(codes, as_numbers)
{
    Code code, same;

    cr_expect_eq(code_of_int(&code, SYSTEM_SNOMED, 195967001), CODE_OK);
    cr_expect_eq(code_of_text(&same, SYSTEM_SNOMED, "195967001", 9), CODE_OK);
    cr_expect(code_equal(code, same));
    cr_expect_eq(code_of_int(&same, SYSTEM_DMD, 195967001), CODE_OK);
    cr_expect(!code_equal(code, same), "systems do not mix");
    cr_expect_eq(code_of_int(&code, SYSTEM_SNOMED, 99999), CODE_BAD);
    cr_expect_eq(code_of_int(&code, SYSTEM_SNOMED, -195967001), CODE_BAD);
    cr_expect_eq(code_of_int(&code, SYSTEM_ICD9, 25000), CODE_OK);
    cr_expect_eq(code_of_text(&same, SYSTEM_ICD9, "250.00", 6), CODE_OK);
    cr_expect(code_equal(code, same));
}

Test(codes, order_is_that_of_the_text)
{
    static const char *const TEXTS[] = {"0",          "A",         "A0", "A00", "AB", "B",
                                        "B000000000", "B00000001", "C",  "a",   "a b"};
    Code last = {0, 0}, code;

    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        cr_assert_eq(code_of_text(&code, SYSTEM_LOCAL, TEXTS[i], strlen(TEXTS[i])),
                     CODE_OK);
        cr_expect(last.high < code.high ||
                      (last.high == code.high && last.low < code.low),
                  "%s", TEXTS[i]);
        last = code;
    }
}

Test(codes, cutting_keeps_the_first_characters)
{
    static const char FULL[] = "0403010B0AAABAB";
    Code code, cut, want;

    cr_assert_eq(code_of_text(&code, SYSTEM_BNF, FULL, 15), CODE_OK);
    for (int n = 1; n <= 20; n++) {
        cut = code_cut(code, n);
        cr_assert_eq(code_of_text(&want, SYSTEM_BNF, FULL, n < 15 ? (size_t)n : 15),
                     CODE_OK);
        cr_expect(code_equal(cut, want), "%d", n);
    }
    cr_assert_eq(code_of_int(&code, SYSTEM_SNOMED, 195967001), CODE_OK);
    cr_expect(code_equal(code_cut(code, 3), code));
}

/* Identifiers that SNOMED International and NHS terminology publish. */
Test(codes, check_digits_of_snomed)
{
    static const int64_t VALID[] = {
        138875005, 195967001,          22298006,           404684003,
        73211009,  900000000000207008, 999000011000000103, 1127581000000103};

    for (size_t i = 0; i < COUNT(VALID); i++) {
        int64_t power = 1;

        cr_expect(snomed_is_valid(VALID[i]), "%lld", (long long)VALID[i]);
        for (int64_t rest = VALID[i]; rest > 0; rest /= 10, power *= 10) {
            int digit = (int)(rest % 10), next = (int)(rest / 10 % 10);
            int64_t other = VALID[i] + (digit == 9 ? -power : power);
            int64_t swapped =
                VALID[i] + (next - digit) * power + (digit - next) * power * 10;

            cr_expect(!snomed_is_valid(other), "one digit is wrong: %lld",
                      (long long)other);
            if (rest >= 100 && digit != next)
                cr_expect(!snomed_is_valid(swapped), "two are swapped: %lld",
                          (long long)swapped);
        }
    }
    cr_expect(!snomed_is_valid(0));
    cr_expect(!snomed_is_valid(-138875005));
    cr_expect(!snomed_is_valid(1000000000000000000));
}
