/* From a code to its features: by hand, and against a plain search. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/codes/codes.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static ListEntry entry_of(System system, const char *text, bool is_prefix)
{
    ListEntry entry = {.above = -INFINITY, .below = INFINITY};

    cr_assert_eq(code_of_text(&entry.code, system, text, strlen(text)), CODE_OK, "%s",
                 text);
    if (is_prefix)
        entry.is_prefix = code_make_prefix(&entry.code);
    return entry;
}

/* The features found, as "1 2 5 ". */
static const char *found(const Matcher *matcher, System system, const char *text)
{
    static char got[256];
    Hit hits[8];
    Code code;
    size_t len = 0;
    int n;

    cr_assert_eq(code_of_text(&code, system, text, strlen(text)), CODE_OK, "%s", text);
    n = matcher_find(matcher, code, hits, COUNT(hits));
    cr_assert(n <= (int)COUNT(hits));
    got[0] = '\0';
    for (int i = 0; i < n; i++)
        len += (size_t)sprintf(got + len, "%u ", hits[i].feature);
    return got;
}

Test(matcher, exact_codes_and_prefixes)
{
    static const struct {
        System system;
        const char *text;
        bool is_prefix;
        uint32_t feature;
    } ENTRIES[] = {
        {SYSTEM_ICD10, "I50", true, 5},        {SYSTEM_ICD10, "I5", true, 4},
        {SYSTEM_ICD10, "I", true, 3},          {SYSTEM_ICD10, "I10", false, 2},
        {SYSTEM_ICD10, "I501", false, 1},      {SYSTEM_ICD10, "I501", false, 5},
        {SYSTEM_BNF, "0403", true, 6},         {SYSTEM_BNF, "0403010B0AAABAB", true, 7},
        {SYSTEM_SNOMED, "195967001", true, 8}, {SYSTEM_READ2, "H33..", true, 9},
        {SYSTEM_CTV3, "H33..", false, 9},      {SYSTEM_LOCAL, "I50", false, 0},
    };
    static const struct {
        System system;
        const char *text, *want;
    } CASES[] = {
        {SYSTEM_ICD10, "I50.1", "1 3 4 5 "},
        {SYSTEM_ICD10, "I50", "3 4 5 "},
        {SYSTEM_ICD10, "I10X", "2 3 "},
        {SYSTEM_ICD10, "I101", "3 "},
        {SYSTEM_ICD10, "J45", ""},
        {SYSTEM_ICD9, "I50", ""},
        {SYSTEM_BNF, "0403010B0AAABAB", "6 7 "},
        {SYSTEM_BNF, "0403010B0AAABAA", "6 "},
        {SYSTEM_BNF, "040", ""},
        {SYSTEM_SNOMED, "195967001", "8 "},
        {SYSTEM_SNOMED, "1959670011", ""},
        {SYSTEM_DMD, "195967001", ""},
        {SYSTEM_READ2, "H331.", "9 "},
        {SYSTEM_READ2, "h331.", ""},
        {SYSTEM_CTV3, "H33..", "9 "},
        {SYSTEM_CTV3, "H331.", ""},
        {SYSTEM_LOCAL, "I50", "0 "},
        {SYSTEM_LOCAL, "I501", ""},
    };
    Arena *arena = arena_new();
    Matcher *matcher = matcher_new(arena);
    size_t n_prefixes = 0;

    for (size_t i = 0; i < COUNT(ENTRIES); i++) {
        ListEntry entry =
            entry_of(ENTRIES[i].system, ENTRIES[i].text, ENTRIES[i].is_prefix);

        matcher_add(matcher, &entry, ENTRIES[i].feature);
    }
    matcher_build(matcher);
    for (size_t c = 0; c < COUNT(CASES); c++)
        cr_expect_str_eq(found(matcher, CASES[c].system, CASES[c].text), CASES[c].want,
                         "%s: got %s", CASES[c].text,
                         found(matcher, CASES[c].system, CASES[c].text));
    for (size_t k = 0; k < matcher_n_keys(matcher); k++)
        n_prefixes += matcher_key(matcher, k).is_prefix;
    cr_expect_gt(n_prefixes, 0);
    cr_expect_lt(n_prefixes, matcher_n_keys(matcher));
    arena_free(arena);
}

Test(matcher, the_same_conditions_give_one_hit)
{
    Arena *arena = arena_new();
    Matcher *matcher = matcher_new(arena);
    ListEntry plain = entry_of(SYSTEM_ICD10, "I50", false);
    ListEntry start = entry_of(SYSTEM_ICD10, "I5", true);
    ListEntry bounded = plain, women = plain;
    Hit hits[4];

    bounded.above = 0;
    women.sex = 'F';
    matcher_add(matcher, &plain, 1);
    matcher_add(matcher, &start, 1);
    matcher_add(matcher, &plain, 1);
    matcher_add(matcher, &bounded, 1);
    matcher_add(matcher, &women, 1);
    matcher_build(matcher);
    cr_assert_eq(matcher_find(matcher, plain.code, hits, 4), 3);
    cr_expect(hits[0].above == -INFINITY && hits[0].sex == 0);
    cr_expect(hits[1].above == -INFINITY && hits[1].sex == 'F');
    cr_expect(hits[2].above == 0 && hits[2].below == INFINITY);
    memset(hits, 0xff, sizeof hits);
    cr_expect_eq(matcher_find(matcher, plain.code, hits, 1), 3, "as many as there are");
    cr_expect_eq(hits[0].feature, 1);
    cr_expect_eq(hits[1].feature, UINT32_MAX, "and not one more is written");
    arena_free(arena);
}

Test(matcher, keys_ascend)
{
    static const char *const TEXTS[] = {"73211009", "195967001", "22298006", "195967001"};
    Arena *arena = arena_new();
    Matcher *matcher = matcher_new(arena);

    for (uint32_t i = 0; i < COUNT(TEXTS); i++) {
        ListEntry entry = entry_of(SYSTEM_SNOMED, TEXTS[i], false);

        matcher_add(matcher, &entry, i);
    }
    matcher_build(matcher);
    cr_assert_eq(matcher_n_keys(matcher), 3);
    cr_expect_eq(matcher_key(matcher, 0).code.high, 22298006);
    cr_expect_eq(matcher_key(matcher, 1).code.high, 73211009);
    cr_expect_eq(matcher_key(matcher, 2).code.high, 195967001);
    cr_expect_eq(matcher_key(matcher, 2).n_hits, 2, "it is in two lists");
    cr_expect_not(matcher_key(matcher, 0).is_prefix);
    arena_free(arena);
}

Test(matcher, nothing_to_find)
{
    Arena *arena = arena_new();
    Matcher *matcher = matcher_new(arena);

    matcher_build(matcher);
    cr_expect_str_eq(found(matcher, SYSTEM_ICD10, "I50"), "");
    arena_free(arena);
}

/* ---- against a plain search -------------------------------------------- */

static uint64_t next_random(uint64_t *random)
{
    *random = *random * 6364136223846793005 + 1442695040888963407;
    return *random >> 33;
}

static ListEntry random_entry(uint64_t *random)
{
    static const char LETTERS[] = "AB01";
    static const System SYSTEMS[] = {SYSTEM_ICD10, SYSTEM_BNF, SYSTEM_LOCAL};
    char text[8];
    size_t len = next_random(random) % 6 + 1;
    ListEntry entry;

    for (size_t i = 0; i < len; i++)
        text[i] = LETTERS[next_random(random) % 4];
    text[len] = '\0';
    entry = entry_of(SYSTEMS[next_random(random) % 3], text, next_random(random) % 2);
    if (next_random(random) % 4 == 0)
        entry.above = (double)(next_random(random) % 2);
    return entry;
}

static bool matches(const ListEntry *entry, Code code)
{
    char want[CODE_TEXT], got[CODE_TEXT];

    code_text(want, entry->code);
    code_text(got, code);
    if (code_system(entry->code) != code_system(code))
        return false;
    return entry->is_prefix ? strncmp(got, want, strlen(want)) == 0
                            : strcmp(got, want) == 0;
}

Test(matcher, agrees_with_a_plain_search)
{
    enum { N = 400, FEATURES = 20 };
    ListEntry entries[N];
    uint32_t features[N];
    uint64_t random = 7;
    Arena *arena = arena_new();
    Matcher *matcher = matcher_new(arena);

    for (int i = 0; i < N; i++) {
        entries[i] = random_entry(&random);
        features[i] = (uint32_t)(next_random(&random) % FEATURES);
        matcher_add(matcher, &entries[i], features[i]);
    }
    matcher_build(matcher);
    for (int trial = 0; trial < 5000; trial++) {
        Code code = random_entry(&random).code;
        bool want[FEATURES][3] = {{false}}, got[FEATURES][3] = {{false}};
        Hit hits[FEATURES * 3];
        int n = matcher_find(matcher, code, hits, COUNT(hits));

        cr_assert(n <= (int)COUNT(hits));
        for (int i = 0; i < n; i++) {
            bool *seen = &got[hits[i].feature][(int)fmax(hits[i].above, -1) + 1];

            cr_assert(!*seen, "each once");
            cr_assert(i == 0 || hits[i - 1].feature <= hits[i].feature);
            *seen = true;
        }
        for (int i = 0; i < N; i++) {
            if (matches(&entries[i], code))
                want[features[i]][(int)fmax(entries[i].above, -1) + 1] = true;
        }
        cr_assert(memcmp(want, got, sizeof want) == 0);
    }
    arena_free(arena);
}
