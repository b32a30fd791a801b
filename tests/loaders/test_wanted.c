/*
 * test_wanted.c - what a server is asked for: stages of time, codes in each, and values.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loaders/wanted.h"
#include "tests/support/plans.h"

/* A source of a date, a code and a value, and features that look for codes from some day
 * on. */
typedef struct Case {
    Arena *arena;
    Plan plan;
    Source source;
    Feature features[16];
    Column columns[3];
    CellType type[3];
    bool is_integer[3];
    Access access;
} Case;

static Case *case_new(System system, bool is_integer)
{
    Arena *arena = arena_new();
    Case *c = arena_alloc(arena, 1, sizeof *c);

    c->arena = arena;
    c->columns[0] = (Column){.name = "date", .field = FIELD_DATE};
    c->columns[1] = (Column){.name = "code", .field = FIELD_CODE};
    c->columns[2] = (Column){.name = "value", .field = FIELD_VALUE};
    c->type[2] = CELL_FLOAT;
    c->type[0] = CELL_DAY;
    c->type[1] = is_integer ? CELL_INT : CELL_TEXT;
    c->is_integer[1] = is_integer;
    c->source = (Source){.role = ROLE_EVENTS,
                         .columns = c->columns,
                         .n_columns = 3,
                         .system = system,
                         .matcher = matcher_new(arena),
                         .needs_code = true};
    c->plan.features = c->features;
    c->access = (Access){.plan = &c->plan,
                         .source = &c->source,
                         .arena = arena,
                         .type = c->type,
                         .is_integer = c->is_integer};
    return c;
}

static uint32_t add_feature(Case *c, const char *from)
{
    int f = c->plan.n_features++;

    c->features[f].from = from == NULL ? DAY_FIRST : plans_day(from);
    c->features[f].is_ever = from == NULL;
    return (uint32_t)f;
}

static void add_entry(Case *c, ListEntry entry, const char *text, const char *from)
{
    cr_assert_eq(code_of_text(&entry.code, c->source.system, text, strlen(text)),
                 CODE_OK);
    matcher_add(c->source.matcher, &entry, add_feature(c, from));
}

static void add_code(Case *c, const char *text, bool is_prefix, const char *from)
{
    const ListEntry entry = {
        .is_prefix = is_prefix, .above = -INFINITY, .below = INFINITY};

    add_entry(c, entry, text, from);
}

static void add_bounded(Case *c, const char *text, double above, double below)
{
    add_entry(c, (ListEntry){.above = above, .below = below}, text, NULL);
}

static const Wanted *build(Case *c)
{
    matcher_build(c->source.matcher);
    return wanted_new(&c->access, true);
}

static int stage_of_day(const Wanted *wanted, const char *day)
{
    Cell cell = {.type = CELL_NULL};

    if (day != NULL)
        cell = (Cell){CELL_DAY, 0, {.day = plans_day(day)}};
    return wanted_day_stage(wanted, &cell);
}

static int stage_of_code(const Wanted *wanted, const char *text)
{
    Cell cell = {.type = CELL_NULL};

    if (text != NULL && wanted->is_integer)
        cell = (Cell){CELL_INT, 0, {.number = strtoll(text, NULL, 10)}};
    else if (text != NULL)
        cell = (Cell){CELL_TEXT, (uint32_t)strlen(text), {.text = text}};
    return wanted_code_stage(wanted, &cell);
}

Test(wanted, integers_by_stage)
{
    Case *c = case_new(SYSTEM_SNOMED, true);
    const Wanted *wanted;

    add_code(c, "217082002", false, NULL);
    add_code(c, "60621009", false, "2024-07-01");
    add_code(c, "73211009", false, "2024-07-01");
    wanted = build(c);
    cr_assert_eq(wanted->n_stages, 2);
    cr_expect_eq(stage_of_day(wanted, NULL), 0, "no day is known");
    cr_expect_eq(stage_of_day(wanted, "2024-06-30"), 0);
    cr_expect_eq(stage_of_day(wanted, "2024-07-01"), 1);
    cr_expect_eq(stage_of_code(wanted, "217082002"), 0);
    cr_expect_eq(stage_of_code(wanted, "60621009"), 1);
    cr_expect_eq(stage_of_code(wanted, "195967001"), 2, "nowhere");
    cr_expect_eq(stage_of_code(wanted, NULL), 2);
    arena_free(c->arena);
}

Test(wanted, texts_by_how_unwanted_ones_start)
{
    Case *c = case_new(SYSTEM_ICD10, false);
    const Wanted *wanted;

    add_code(c, "I50", true, "2021-07-01");
    add_code(c, "C", true, "2021-07-01"); /* a hundred starts */
    add_code(c, "J440", false, "2024-07-01");
    wanted = build(c);
    cr_assert_eq(wanted->n_stages, 2);
    cr_expect_eq(wanted->stages[0].n_starts, 2600 - 101);
    cr_expect_eq(stage_of_code(wanted, "I509"), 0);
    cr_expect_eq(stage_of_code(wanted, "C97"), 0);
    cr_expect_eq(stage_of_code(wanted, "J440"), 1, "no window looks back so far");
    cr_expect_eq(stage_of_code(wanted, "Z999"), 1, "texts pass in the last stage");
    cr_expect_eq(stage_of_code(wanted, "i50"), 0, "not plainly written: it may be meant");
    cr_expect_eq(stage_of_code(wanted, " J440"), 0);
    cr_expect_eq(stage_of_code(wanted, "J"), 0);
    cr_expect_eq(stage_of_code(wanted, NULL), 0);
    arena_free(c->arena);
}

Test(wanted, one_medicine_ever_among_all_of_a_year)
{
    Case *c = case_new(SYSTEM_BNF, false);
    Hit uncoded = {.above = -INFINITY, .below = INFINITY};
    const Wanted *wanted;

    add_code(c, "0402030K0", true, NULL);
    uncoded.feature = add_feature(c, "2024-07-01");
    c->source.uncoded = &uncoded;
    c->source.n_uncoded = 1;
    wanted = build(c);
    cr_assert_eq(wanted->n_stages, 2);
    cr_expect_not(wanted_last(wanted)->has_test);
    cr_expect_eq(stage_of_code(wanted, "0402030K0AAAAAA"), 0);
    cr_expect_eq(stage_of_code(wanted, "0402020A0AAAAAA"), 0, "the same section");
    cr_expect_eq(stage_of_code(wanted, "0212000B0AAAAAA"), 1);
    cr_expect_eq(stage_of_code(wanted, "9912000B0AAAAAA"), 0, "no chapter of the BNF");
    arena_free(c->arena);
}

/* Every stage wants what its windows want, however many there are. */
Test(wanted, more_windows_than_stages)
{
    static const char *const CODES[] = {"217082002", "60621009", "73211009"};
    Case *c = case_new(SYSTEM_SNOMED, true);
    const Wanted *wanted;

    for (int i = 0; i < 14; i++) {
        char day[16];

        snprintf(day, sizeof day, "20%02d-07-01", 10 + i);
        add_code(c, CODES[i % 3], false, day);
    }
    wanted = build(c);
    cr_expect_leq(wanted->n_stages, MOST_STAGES);
    for (int i = 0; i < 3; i++) {
        char day[16];

        snprintf(day, sizeof day, "20%02d-07-01", 10 + i);
        cr_expect_geq(stage_of_day(wanted, day), stage_of_code(wanted, CODES[i]), "%s",
                      day);
    }
    arena_free(c->arena);
}

Test(wanted, everything_where_codes_cannot_be_told_apart)
{
    static const struct {
        System system;
        bool is_integer, is_prefix;
        const char *code;
    } CASES[] = {
        {SYSTEM_CTV3, false, false, "H33.."},      /* letters of both cases */
        {SYSTEM_SNOMED, false, false, "60621009"}, /* written as text */
        {SYSTEM_LOCAL, false, false, "ABC"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Case *c = case_new(CASES[i].system, CASES[i].is_integer);
        const Wanted *wanted;

        add_code(c, CASES[i].code, CASES[i].is_prefix, NULL);
        add_code(c, CASES[i].code, CASES[i].is_prefix, "2024-07-01");
        wanted = build(c);
        cr_expect_eq(wanted->n_stages, 1);
        cr_expect_eq(stage_of_code(wanted, "1"), 0);
        arena_free(c->arena);
    }
}

static const Bound *bound_of(const Wanted *wanted, int64_t code)
{
    const Cell cell = {CELL_INT, 0, {.number = code}};

    return wanted_bound(wanted, &cell);
}

Test(wanted, the_widest_bounds_of_a_code)
{
    Case *c = case_new(SYSTEM_SNOMED, true);
    const Wanted *wanted;

    add_bounded(c, "1022431000000105", 25, 130);
    add_bounded(c, "1022431000000105", 0, 13);
    add_bounded(c, "60621009", 30, INFINITY);
    add_bounded(c, "60621009", -INFINITY, 18); /* together they let any value pass */
    add_bounded(c, "73211009", 7, INFINITY);
    add_bounded(c, "271026005", 7, INFINITY);
    add_code(c, "271026005", false, "2024-07-01"); /* any value, or none */
    wanted = build(c);
    cr_assert_eq(wanted->n_bounds, 2);
    cr_assert_not_null(bound_of(wanted, INT64_C(1022431000000105)));
    cr_expect_eq(bound_of(wanted, INT64_C(1022431000000105))->least, 0);
    cr_expect_eq(bound_of(wanted, INT64_C(1022431000000105))->most, 130);
    cr_assert_not_null(bound_of(wanted, 73211009));
    cr_expect_eq(bound_of(wanted, 73211009)->most, INFINITY);
    cr_expect_null(bound_of(wanted, 60621009));
    cr_expect_null(bound_of(wanted, 271026005));
    cr_expect_null(bound_of(wanted, 195967001));
    arena_free(c->arena);
}

Test(wanted, no_bounds_where_a_value_is_not_a_number_to_the_server)
{
    const Hit uncoded = {.above = -INFINITY, .below = INFINITY, .feature = 1};

    for (int i = 0; i < 4; i++) {
        Case *c = case_new(SYSTEM_SNOMED, true);
        const Wanted *wanted;

        add_bounded(c, "73211009", 7, INFINITY);
        if (i == 1)
            c->type[2] = CELL_TEXT;
        if (i == 2)
            c->source.n_columns = 2;
        if (i == 3) {
            add_feature(c, NULL); /* number 1 asks for no code */
            c->source.uncoded = &uncoded;
            c->source.n_uncoded = 1;
        }
        wanted = build(c);
        cr_expect_eq(wanted->n_bounds, i == 0, "case %d", i);
        arena_free(c->arena);
    }
}

Test(wanted, values_between_bounds)
{
    static const Bound BOTH = {{0, 0}, 0, 60}, LEAST = {{0, 0}, 7, INFINITY};
    const struct {
        Cell value;
        bool both, least;
    } CASES[] = {
        {{CELL_NULL, 0, {0}}, false, false},
        {{CELL_FLOAT, 0, {.real = 0}}, true, false},
        {{CELL_FLOAT, 0, {.real = 60}}, true, true},
        {{CELL_FLOAT, 0, {.real = 60.001}}, false, true},
        {{CELL_FLOAT, 0, {.real = -0.001}}, false, false},
        {{CELL_FLOAT, 0, {.real = INFINITY}}, false, true},
        {{CELL_FLOAT, 0, {.real = -INFINITY}}, false, false},
        {{CELL_FLOAT, 0, {.real = NAN}}, false, true}, /* the largest number there is */
        {{CELL_INT, 0, {.number = 7}}, true, true},
        {{CELL_INT, 0, {.number = 61}}, false, true},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        cr_expect_eq(bound_takes(&BOTH, &CASES[i].value), CASES[i].both, "case %zu", i);
        cr_expect_eq(bound_takes(&LEAST, &CASES[i].value), CASES[i].least, "case %zu", i);
    }
}
