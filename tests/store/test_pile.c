#include <criterion/criterion.h>
#include <math.h>

#include "engine/store/pile.h"

/* Feature 0: code A, day 100 .. 199, value above 5. 1: condition 2, any code, 150 .. 199.
 * 2: bed days 100 .. 199. */
static Feature features[] = {
    {.count = COUNT_EXISTS, .from = 100, .to = 200, .has_codes = true},
    {.count = COUNT_ROWS, .from = 150, .to = 200, .conditions = 2, .is_ever = true},
    {.count = COUNT_BED_DAYS, .from = 100, .to = 200, .conditions = 4},
};
static const Hit UNCODED[] = {{-INFINITY, INFINITY, 1, 0}, {-INFINITY, INFINITY, 2, 0}};
static Plan plan = {.features = features, .n_features = 3, .as_of = 200};

enum { AT_HOME, DEAD, GONE, REFUSED };

static const struct {
    const char *name;
    int64_t id;
    int32_t day, end;
    char code;
    uint32_t conditions;
    double value;
    RowFate want;
} CASES[] = {
    {"wanted by its code", AT_HOME, 100, 0, 'A', 0, 6, ROW_KEPT},
    {"a value on the bound", AT_HOME, 100, 0, 'A', 0, 5, ROW_UNLISTED},
    {"no value", AT_HOME, 100, 0, 'A', 0, NAN, ROW_UNLISTED},
    {"before the window", AT_HOME, 99, 0, 'A', 0, 6, ROW_OUTSIDE},
    {"another code", AT_HOME, 150, 0, 'B', 0, 6, ROW_UNLISTED},
    {"another code with the condition", AT_HOME, 150, 0, 'B', 2, NAN, ROW_KEPT},
    {"no code with the condition", AT_HOME, 150, 0, 0, 3, NAN, ROW_KEPT},
    {"the condition too early", AT_HOME, 149, 0, 0, 2, NAN, ROW_OUTSIDE},
    {"undated, for ever", AT_HOME, DAY_UNKNOWN, 0, 0, 2, NAN, ROW_KEPT},
    {"undated, but not for ever", AT_HOME, DAY_UNKNOWN, 0, 'A', 0, 6, ROW_OUTSIDE},
    {"a stay into the window", AT_HOME, 50, 101, 0, 4, NAN, ROW_KEPT},
    {"a stay up to the window", AT_HOME, 50, 100, 0, 4, NAN, ROW_OUTSIDE},
    {"a stay of the window's first day", AT_HOME, 100, 100, 0, 4, NAN, ROW_KEPT},
    {"a stay that goes on", AT_HOME, 50, DAY_UNKNOWN, 0, 4, NAN, ROW_KEPT},
    {"on the day of the run", AT_HOME, 200, 0, 'A', 0, 6, ROW_LATER},
    {"the day before birth", AT_HOME, -1, 0, 'A', 0, 6, ROW_BEFORE_BIRTH},
    {"nobody", 99, 100, 0, 'A', 0, 6, ROW_ORPHAN},
    {"not in the run", GONE, 100, 0, 'A', 0, 6, ROW_OUTSIDE},
    {"dead", DEAD, 120, 0, 'A', 0, 6, ROW_OUTSIDE},
    {"after death", DEAD, 121, 0, 'A', 0, 6, ROW_AFTER_DEATH},
    {"opted out of the run", -1, 100, 0, 'A', 0, 6, ROW_OPTED_OUT},
    {"opted out of the source", REFUSED, 100, 0, 'A', 0, 6, ROW_OPTED_OUT},
};

static Code code_of(char letter)
{
    Code code = {0, 0};

    code_of_text(&code, SYSTEM_LOCAL, &letter, 1);
    return code;
}

static Matcher *make_matcher(Arena *arena)
{
    Matcher *matcher = matcher_new(arena);
    ListEntry entry = {.code = code_of('A'), .above = 5, .below = INFINITY};

    matcher_add(matcher, &entry, 0);
    matcher_build(matcher);
    return matcher;
}

Test(pile, keeps_what_some_feature_can_use)
{
    Arena *arena = arena_new();
    uint64_t refused[4] = {[3] = 2}; /* of the source 3, the person 1 */
    People people = {.refused = refused, .refused_words = 1, .refused_sources = 1 << 3};
    Source source = {.name = "s",
                     .matcher = make_matcher(arena),
                     .uncoded = UNCODED,
                     .n_uncoded = 2,
                     .needs_code = true,
                     .n_conditions = 3,
                     .number = 3};
    Pile pile;

    ids_build(&people.ids, 8);
    ids_add(&people.ids, AT_HOME, 0, 0);
    ids_add(&people.ids, DEAD, ID_DEAD, 120);
    ids_add(&people.ids, GONE, ID_OUTSIDE, 0);
    ids_add(&people.ids, REFUSED, 1, 0);
    ids_add(&people.ids, -1, ID_OPTED_OUT, 0);
    ((IdSlot *)ids_find(&people.ids, REFUSED))->refuses = 1;
    pile_build(&pile, &plan, &source);
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        EventRow row = {.id = CASES[c].id,
                        .day = CASES[c].day,
                        .end = CASES[c].end,
                        .code = CASES[c].code == 0
                                    ? DICT_NO_CODE
                                    : dict_find(pile.dict, code_of(CASES[c].code)),
                        .conditions = CASES[c].conditions,
                        .value = CASES[c].value};
        RowFate got = pile_offer(&pile, &people, &row);

        cr_expect_eq(got, CASES[c].want, "%s: %s", CASES[c].name, row_fate_word[got]);
    }
    cr_expect_eq(pile.parts[0].n, 7);
    cr_expect_eq(event_loading_bytes(&source), 8);
    cr_expect_eq(event_stored_bytes(&source), 12);
    pile_free(&pile);
    ids_free(&people.ids);
    arena_free(arena);
}

Test(pile, packs_an_event_into_64_bits_in_order)
{
    static const int32_t DAYS[] = {DAY_UNKNOWN, DAY_FIRST, 0, 9000, DAY_LAST};
    uint64_t before = 0;

    for (uint32_t p = 0; p < 3; p++)
        for (size_t d = 0; d < sizeof DAYS / sizeof *DAYS; d++) {
            uint64_t event = packed_event(PART_PEOPLE + p, DAYS[d], 5 * p);

            cr_expect(event > before || event == 0);
            cr_expect_eq(packed_person(event), p);
            cr_expect_eq(packed_day(event), DAYS[d]);
            cr_expect_eq(event & LABEL_MASK, 5 * p);
            before = event;
        }
}

Test(pile, remembers_any_number_of_codes)
{
    Arena *arena = arena_new();
    Source source = {.matcher = matcher_new(arena), .needs_code = true};
    Dict *dict;
    enum { N = 20000 };

    for (int64_t i = 0; i < N; i += 2) {
        ListEntry entry = {.above = -INFINITY, .below = INFINITY};

        code_of_int(&entry.code, SYSTEM_SNOMED, 1000000 + i);
        matcher_add(source.matcher, &entry, 0);
        matcher_add(source.matcher, &entry, 2);
    }
    matcher_build(source.matcher);
    dict = dict_new(&plan, &source);
    for (int round = 0; round < 2; round++)
        for (int64_t i = 0; i < N; i++) {
            Code code, spelling = {(uint64_t)i, UINT64_MAX};
            uint32_t entry;

            code_of_int(&code, SYSTEM_SNOMED, 1000000 + i);
            entry = dict_find(dict, code);
            cr_assert_eq(entry, i + 1);
            cr_assert_eq(dict_recall(dict, spelling), round == 0 ? DICT_UNKNOWN : entry);
            if (round == 0)
                dict_remember(dict, spelling, entry);
            cr_assert_eq(dict_entry(dict, entry)->n_hits, i % 2 == 0 ? 2 : 0);
            if (i % 2 == 0) {
                cr_assert_eq(dict_hits(dict, entry)[1].feature, 2);
                cr_assert_eq(dict_label(dict, entry, 7), i / 2);
            }
        }
    dict_free(dict);
    arena_free(arena);
}
