/*
 * codes.c - the normal form of a code in each coding system.
 */
#include "engine/codes/codes.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

enum { MOST_CHARS = 15, READ_CHARS = 5, READ_WITH_TERM = 7, ICD10_CATEGORY = 3 };
static const int64_t SNOMED_LEAST = 100000, SNOMED_END = 1000000000000000000;

static const char *const WORDS[N_SYSTEMS] = {
    [SYSTEM_SNOMED] = "snomed", [SYSTEM_DMD] = "dmd",     [SYSTEM_ICD10] = "icd10",
    [SYSTEM_ICD9] = "icd9",     [SYSTEM_OPCS4] = "opcs4", [SYSTEM_CTV3] = "ctv3",
    [SYSTEM_READ2] = "read2",   [SYSTEM_BNF] = "bnf",     [SYSTEM_LOCAL] = "local",
};

const char *system_word(System system)
{
    return WORDS[system];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Upper case by ASCII, whatever the locale; 0 for what is not A-Z or 0-9 then. */
static char letter_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return is_digit(c) || (c >= 'A' && c <= 'Z') ? c : '\0';
}

System system_of(const char *word)
{
    static const struct {
        const char *word; /* letters and digits only: "SNOMED CT" and "dm+d" too */
        System system;
    } KNOWN[] = {
        {"SNOMED", SYSTEM_SNOMED}, {"SNOMEDCT", SYSTEM_SNOMED}, {"DMD", SYSTEM_DMD},
        {"ICD10", SYSTEM_ICD10},   {"ICD9", SYSTEM_ICD9},       {"OPCS4", SYSTEM_OPCS4},
        {"OPCS", SYSTEM_OPCS4},    {"CTV3", SYSTEM_CTV3},       {"READ3", SYSTEM_CTV3},
        {"READ2", SYSTEM_READ2},   {"READV2", SYSTEM_READ2},    {"READ", SYSTEM_READ2},
        {"BNF", SYSTEM_BNF},       {"LOCAL", SYSTEM_LOCAL},
    };
    char plain[16];
    size_t len = 0;

    for (; *word != '\0'; word++) {
        char letter = letter_of(*word);

        if (letter != '\0' && len + 1 == sizeof plain)
            return SYSTEM_NONE;
        if (letter != '\0')
            plain[len++] = letter;
    }
    plain[len] = '\0';
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(KNOWN[i].word, plain) == 0)
            return KNOWN[i].system;
    }
    return SYSTEM_NONE;
}

static bool is_integer(System system)
{
    return system == SYSTEM_SNOMED || system == SYSTEM_DMD;
}

/* At most MOST_CHARS characters. */
static Code pack(System system, const char *text, size_t len)
{
    Code code = {0, (uint64_t)system};

    for (size_t i = 0; i < len; i++) {
        uint64_t byte = (unsigned char)text[i];

        if (i < 8)
            code.high |= byte << (56 - 8 * i);
        else
            code.low |= byte << (120 - 8 * i);
    }
    return code;
}

static CodeFault of_digits(Code *code, System system, const char *text, size_t len)
{
    int64_t value;

    if (text[0] == '0' || text[0] == '-' || !text_int64(&value, text, len))
        return CODE_BAD;
    return code_of_int(code, system, value);
}

/* Dots, blanks, dashes and daggers go; so does the X that fills up an ICD-10 category
 * without subdivisions, since only some feeds write it. */
static CodeFault of_letters(Code *code, System system, const char *text, size_t len)
{
    char plain[MOST_CHARS];
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char letter = letter_of(text[i]);

        if (letter != '\0' && n == MOST_CHARS)
            return CODE_BAD;
        if (letter != '\0')
            plain[n++] = letter;
    }
    while (system == SYSTEM_ICD10 && n > ICD10_CATEGORY && plain[n - 1] == 'X')
        n--;
    if (n == 0)
        return CODE_EMPTY;
    *code = pack(system, plain, n);
    return CODE_OK;
}

static CodeFault of_read(Code *code, System system, const char *text, size_t len)
{
    char padded[READ_CHARS];

    if (system == SYSTEM_READ2 && len == READ_WITH_TERM)
        len = READ_CHARS;
    if (len > READ_CHARS)
        return CODE_BAD;
    memset(padded, '.', sizeof padded);
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return CODE_BAD;
        padded[i] = text[i];
    }
    if (padded[0] == '.')
        return CODE_EMPTY; /* "....." is the top of the tree: no code */
    *code = pack(system, padded, sizeof padded);
    return CODE_OK;
}

CodeFault code_of_text(Code *code, System system, const char *text, size_t len)
{
    while (len > 0 && text[0] == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    if (len == 0)
        return CODE_EMPTY;
    switch (system) {
    case SYSTEM_SNOMED:
    case SYSTEM_DMD:
        return of_digits(code, system, text, len);
    case SYSTEM_ICD10:
    case SYSTEM_ICD9:
    case SYSTEM_OPCS4:
    case SYSTEM_BNF:
        return of_letters(code, system, text, len);
    case SYSTEM_CTV3:
    case SYSTEM_READ2:
        return of_read(code, system, text, len);
    case SYSTEM_LOCAL:
        if (len > MOST_CHARS || memchr(text, '\0', len) != NULL)
            return CODE_BAD;
        *code = pack(system, text, len);
        return CODE_OK;
    default:
        return CODE_BAD;
    }
}

CodeFault code_of_int(Code *code, System system, int64_t value)
{
    char text[24];

    if (!is_integer(system))
        return code_of_text(
            code, system, text,
            (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
    if (value < SNOMED_LEAST || value >= SNOMED_END)
        return CODE_BAD;
    *code = (Code){(uint64_t)value, (uint64_t)system};
    return CODE_OK;
}

void code_text(char text[CODE_TEXT], Code code)
{
    if (is_integer(code_system(code))) {
        snprintf(text, CODE_TEXT, "%llu", (unsigned long long)code.high);
        return;
    }
    for (int i = 0; i < MOST_CHARS; i++)
        text[i] = (char)(i < 8 ? code.high >> (56 - 8 * i) : code.low >> (120 - 8 * i));
    text[MOST_CHARS] = '\0';
}

Code code_cut(Code code, int n)
{
    uint64_t system = code.low & 0xff;

    if (is_integer(code_system(code)) || n >= MOST_CHARS)
        return code;
    if (n < 8)
        return (Code){code.high & ~(UINT64_MAX >> (8 * n)), system};
    return (Code){code.high, (code.low & ~(UINT64_MAX >> (8 * (n - 8)))) | system};
}

/* Verhoeff's check digit: a walk through the dihedral group of ten elements, each
 * digit first permuted by its place (J. Verhoeff, Error Detecting Decimal Codes,
 * 1969). The tables follow from the group and one permutation. */
static int group_product(int a, int b)
{
    if (a < 5)
        return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
    return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
}

bool snomed_is_valid(int64_t id)
{
    static const int PERMUTE[] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
    int check = 0;

    if (id < SNOMED_LEAST || id >= SNOMED_END)
        return false;
    for (int place = 0; id > 0; place++, id /= 10) {
        int digit = (int)(id % 10);

        for (int i = 0; i < place % 8; i++)
            digit = PERMUTE[digit];
        check = group_product(check, digit);
    }
    return check == 0;
}

/* ---- codes of a list --------------------------------------------------- */

/* What a system's codes look like. shape: D digit, L letter, A either, E digit, E or V,
 * C letter of any case or digit; its last character stands for the rest too. */
static const struct {
    const char *title, *shape, *needs;
    int least, most; /* characters; a prefix may be shorter than least */
} FORMATS[N_SYSTEMS] = {
    [SYSTEM_SNOMED] = {"SNOMED CT", "D", "6 to 18 digits", 6, 18},
    [SYSTEM_DMD] = {"dm+d", "D", "6 to 18 digits", 6, 18},
    [SYSTEM_ICD10] = {"ICD-10", "LDA", "a letter, a digit, then 1 to 5 more", 3, 7},
    [SYSTEM_ICD9] = {"ICD-9", "ED", "3 to 6 digits, the first may be E or V", 3, 6},
    [SYSTEM_OPCS4] = {"OPCS-4", "LD", "a letter and 2 or 3 digits", 3, 4},
    [SYSTEM_CTV3] = {"CTV3", "C", "up to 5 letters or digits, then dots", 1, 5},
    [SYSTEM_READ2] = {"Read v2", "C", "up to 5 letters or digits, then dots", 1, 5},
    [SYSTEM_BNF] = {"BNF", "DDDDDDDA", "7 digits, then up to 8 letters or digits", 2, 15},
    [SYSTEM_LOCAL] = {"local", "", "at most 15 bytes", 1, 15},
};

static bool fits(char c, char shape)
{
    switch (shape) {
    case 'D':
        return is_digit(c);
    case 'L':
        return c >= 'A' && c <= 'Z';
    case 'A':
        return letter_of(c) == c;
    case 'E':
        return is_digit(c) || c == 'E' || c == 'V';
    default:
        return letter_of(c) != '\0';
    }
}

static bool is_read(System system)
{
    return system == SYSTEM_CTV3 || system == SYSTEM_READ2;
}

/* Characters of a text code, without the dots that pad a Read code. */
static int length_of(const char *text, System system)
{
    int len = (int)strlen(text);

    while (is_read(system) && len > 1 && text[len - 1] == '.')
        len--;
    return len;
}

static bool has_shape(System system, Code code, bool is_prefix)
{
    const char *shape = FORMATS[system].shape;
    char text[CODE_TEXT];
    int len;

    code_text(text, code);
    len = length_of(text, system);
    if (len > FORMATS[system].most || (!is_prefix && len < FORMATS[system].least))
        return false;
    for (int i = 0; i < len && *shape != '\0'; i++) {
        if (!fits(text[i], *shape))
            return false;
        shape += shape[1] != '\0';
    }
    return true;
}

const char *code_complaint(CodeFault fault, System system, Code code, bool is_prefix,
                           Arena *arena)
{
    if (fault == CODE_BAD || !has_shape(system, code, is_prefix))
        return arena_format(arena, "is no %s code: it needs %s", FORMATS[system].title,
                            FORMATS[system].needs);
    if (is_integer(system) && !snomed_is_valid((int64_t)code.high))
        return arena_format(arena, "is no %s code: its check digit is wrong",
                            FORMATS[system].title);
    return NULL;
}

bool code_make_prefix(Code *code)
{
    char text[CODE_TEXT];

    if (is_integer(code_system(*code)))
        return false;
    code_text(text, *code);
    *code = code_cut(*code, length_of(text, code_system(*code)));
    return true;
}
