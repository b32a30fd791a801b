/* One row is one rule of feature.h; a new rule or a fixed bug adds a row. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/feature.h"
#include "tests/support/tiny.h"

/*
 * One case. D is 2025-07-01; `from` NULL is `ever`. Events are written one after the
 * other, each DAY[~END][=VALUE][:CODE]; a day `?` is unknown and the code is x.
 */
typedef struct Case {
    const char *name;
    Count count;
    const char *from, *to;
    int a, b; /* code_chars; or repeat_n and repeat_days */
    const char *events;
    double want;
    const char *evidence;
} Case;

#define D    "2025-07-01"
#define YEAR "2024-07-01"
#define HALF "2024-01-11"

/* clang-format off */
static const Case CASES[] = {
    {"nothing exists", COUNT_EXISTS, YEAR, D, 0, 0, "", 0, ""},
    {"the window's first day counts", COUNT_EXISTS, YEAR, D, 0, 0, YEAR, 1, YEAR},
    {"the day before does not", COUNT_EXISTS, YEAR, D, 0, 0, "2024-06-30", 0, ""},
    {"the day before D counts", COUNT_EXISTS, YEAR, D, 0, 0, "2025-06-30", 1, "2025-06-30"},
    {"D itself does not", COUNT_EXISTS, YEAR, D, 0, 0, D, 0, ""},
    {"an older window", COUNT_ROWS, "2023-07-01", YEAR, 0, 0, "2023-07-01 2024-06-30 " YEAR, 2, "2024-06-30"},
    {"ever takes undated events", COUNT_EXISTS, NULL, D, 0, 0, "?", 1, ""},
    {"a window does not", COUNT_EXISTS, YEAR, D, 0, 0, "?", 0, ""},
    {"exists is 1 however many", COUNT_EXISTS, NULL, D, 0, 0, "2020-01-01 2021-01-01", 1, "2021-01-01"},

    {"rows count each", COUNT_ROWS, YEAR, D, 0, 0, "2025-01-01 2025-01-01 2025-02-01", 3, "2025-02-01"},
    {"rows of ever take undated", COUNT_ROWS, NULL, D, 0, 0, "? ? 1999-02-01", 3, "1999-02-01"},

    {"dates are distinct days", COUNT_DATES, YEAR, D, 0, 0, "2025-01-01 2025-01-01 2025-02-01", 2, "2025-02-01"},
    {"dates ignore undated", COUNT_DATES, NULL, D, 0, 0, "? 2025-02-01", 1, "2025-02-01"},
    {"only undated is no date", COUNT_DATES, NULL, D, 0, 0, "?", 0, ""},

    {"codes are distinct", COUNT_CODES, YEAR, D, 0, 0, "2025-01-01 2025-01-02 2025-01-03:x2", 2, "2025-01-03"},
    {"codes by their start", COUNT_CODES, YEAR, D, 2, 0, "2025-01-01:x2b 2025-01-02:x2a 2025-01-03:x1 2025-01-04", 3, "2025-01-04"},
    {"codes of ever take undated", COUNT_CODES, NULL, D, 0, 0, "? 2025-01-03:x2", 2, "2025-01-03"},
    {"codes that come back", COUNT_CODES, YEAR, D, 0, 0, "2025-01-01 2025-01-02:x2 2025-01-03", 2, "2025-01-03"},

    {"sum adds values", COUNT_SUM, YEAR, D, 0, 0, "2025-01-01=1.5 2025-01-02=2 2025-01-03", 3.5, "2025-01-02"},
    {"sum without any value", COUNT_SUM, YEAR, D, 0, 0, "2025-01-01", 0, ""},
    {"sum of ever takes undated", COUNT_SUM, NULL, D, 0, 0, "?=4 2025-01-02=2", 6, "2025-01-02"},
    {"min", COUNT_MIN, YEAR, D, 0, 0, "2025-01-01=5 2025-01-02=3 2025-01-03=4", 3, "2025-01-03"},
    {"min takes a recorded zero", COUNT_MIN, YEAR, D, 0, 0, "2025-01-01=5 2025-01-02=0", 0, "2025-01-02"},
    {"min of nothing is missing", COUNT_MIN, YEAR, D, 0, 0, "2025-01-01", NAN, ""},
    {"max", COUNT_MAX, YEAR, D, 0, 0, "2025-01-01=-5 2025-01-02=-3 2025-01-03=-4", -3, "2025-01-03"},
    {"max of ever takes undated", COUNT_MAX, NULL, D, 0, 0, "?=9 2025-01-02=2", 9, "2025-01-02"},
    {"mean", COUNT_MEAN, YEAR, D, 0, 0, "2025-01-01=1 2025-01-02=2 2025-01-03=6 2025-01-04", 3, "2025-01-03"},
    {"mean of nothing is missing", COUNT_MEAN, YEAR, D, 0, 0, "", NAN, ""},
    {"no infinity is a value", COUNT_MAX, YEAR, D, 0, 0, "2025-01-01=1 2025-01-02=inf", 1, "2025-01-01"},

    {"latest value", COUNT_LATEST, YEAR, D, 0, 0, "2025-01-01=9 2025-03-01=4 2025-04-01", 4, "2025-03-01"},
    {"latest of one day: largest", COUNT_LATEST, YEAR, D, 0, 0, "2025-03-01=4:x3 2025-03-01=7:x2 2025-03-01=6:x1", 7, "2025-03-01"},
    {"latest ignores undated", COUNT_LATEST, NULL, D, 0, 0, "?=9", NAN, ""},
    {"earliest value", COUNT_EARLIEST, YEAR, D, 0, 0, "2024-12-01 2025-01-01=9 2025-03-01=10", 9, "2025-01-01"},
    {"earliest of one day: largest", COUNT_EARLIEST, YEAR, D, 0, 0, "2025-01-01=4:x3 2025-01-01=7:x2 2025-02-01=99", 7, "2025-01-01"},

    {"days since the last", COUNT_DAYS_SINCE_LAST, NULL, D, 0, 0, "? 2024-06-01 2025-06-01", 30, "2025-06-01"},
    {"one day ago", COUNT_DAYS_SINCE_LAST, YEAR, D, 0, 0, "2025-06-30", 1, "2025-06-30"},
    {"days since nothing", COUNT_DAYS_SINCE_LAST, NULL, D, 0, 0, "?", NAN, ""},
    {"days since the first", COUNT_DAYS_SINCE_FIRST, NULL, D, 0, 0, "? 2025-06-01 2025-06-20", 30, "2025-06-01"},
    {"age at the last", COUNT_AGE_AT_LAST, NULL, D, 0, 0, "? 2009-12-31 2024-12-31", 74, "2024-12-31"},
    {"age at the first", COUNT_AGE_AT_FIRST, NULL, D, 0, 0, "? 2009-12-31 2010-01-01", 59, "2009-12-31"},
    {"a birthday is an age", COUNT_AGE_AT_FIRST, NULL, D, 0, 0, "2010-01-01", 60, "2010-01-01"},
    {"age at nothing", COUNT_AGE_AT_FIRST, YEAR, D, 0, 0, "? 2010-01-01", NAN, ""},

    {"the day of discharge is none", COUNT_BED_DAYS, YEAR, D, 0, 0, "2025-01-01~2025-01-04", 3, "2025-01-01"},
    {"a spell of one day has none", COUNT_BED_DAYS, YEAR, D, 0, 0, "2025-01-01~2025-01-01", 0, "2025-01-01"},
    {"an open spell reaches up to D", COUNT_BED_DAYS, YEAR, D, 0, 0, "2025-06-21", 10, "2025-06-21"},
    {"a discharge after D", COUNT_BED_DAYS, YEAR, D, 0, 0, "2025-06-21~2025-08-01", 10, "2025-06-21"},
    {"a spell into the window", COUNT_BED_DAYS, YEAR, D, 0, 0, "2024-05-01~2024-07-03", 2, "2024-05-01"},
    {"a spell over by the window", COUNT_BED_DAYS, YEAR, D, 0, 0, "2024-05-01~" YEAR, 0, ""},
    {"a spell over both edges", COUNT_BED_DAYS, "2024-01-01", HALF, 0, 0, "2023-05-01~2024-05-01", 10, "2023-05-01"},
    {"open, in an older window", COUNT_BED_DAYS, "2024-01-01", HALF, 0, 0, "2024-01-10", 1, "2024-01-10"},
    {"a spell as the window ends", COUNT_BED_DAYS, "2024-01-01", HALF, 0, 0, HALF "~2024-01-12", 0, ""},
    {"bed days of two spells", COUNT_BED_DAYS, YEAR, D, 0, 0, "2025-01-01~2025-01-04 2025-02-01~2025-02-02", 4, "2025-02-01"},
    {"an undated spell has none", COUNT_BED_DAYS, NULL, D, 0, 0, "?~2025-01-04", 0, ""},

    {"two within 30 days", COUNT_REPEAT, YEAR, D, 2, 30, "2025-01-01 2025-01-30", 1, "2025-01-30"},
    {"two 30 days apart", COUNT_REPEAT, YEAR, D, 2, 30, "2025-01-01 2025-01-31", 0, "2025-01-31"},
    {"three, after two too early", COUNT_REPEAT, YEAR, D, 3, 30, "2024-08-01 2024-10-01 2025-01-01 2025-01-11 2025-01-30 2025-06-01", 1, "2025-06-01"},
    {"never three", COUNT_REPEAT, YEAR, D, 3, 30, "2025-01-01 2025-01-20 2025-02-10 2025-03-01", 0, "2025-03-01"},
    {"repeats on one day", COUNT_REPEAT, YEAR, D, 2, 1, "2025-01-01 2025-01-01", 1, "2025-01-01"},
    {"repeat ignores undated", COUNT_REPEAT, NULL, D, 2, 30, "? 2025-01-01", 0, "2025-01-01"},
};
/* clang-format on */

/* The part of an event after its mark, or NULL; ends the part before it. */
static char *part(char *event, char mark)
{
    char *at = strchr(event, mark);

    if (at != NULL)
        *at++ = '\0';
    return at;
}

static void add_events(Tiny *tiny, uint32_t person, const char *text)
{
    char *copy = arena_text(tiny->arena, text, strlen(text)), *rest = NULL;

    for (char *e = strtok_r(copy, " ", &rest); e; e = strtok_r(NULL, " ", &rest)) {
        char *code = part(e, ':'), *value = part(e, '='), *end = part(e, '~');
        TinyMore more = {value ? strtod(value, NULL) : 0, 0, end};

        if (value != NULL && more.value == 0)
            more.value = TINY_ZERO;
        tiny_event(tiny, 0, person, code ? code : "x", *e == '?' ? "" : e, more);
    }
}

static void expect_row(const Case *c, Tally *tally, uint32_t person, double want,
                       const char *evidence)
{
    double row[2];
    int32_t day[1];

    feature_row(row, evidence != NULL ? day : NULL, tally, person);
    cr_expect(isnan(want) ? isnan(row[1]) : row[1] == want, "%s: got %.17g, want %.17g",
              c->name, row[1], want);
    if (evidence != NULL)
        cr_expect_eq(day[0], tiny_day(evidence), "%s: evidence", c->name);
}

/* The neighbours prove that a person starts clean and leaves nothing behind. */
static void expect_case(const Case *c, const Tiny *tiny, bool evidence)
{
    FeatureSet *set = feature_set_new(&tiny->plan, &tiny->store, evidence);
    Tally *tally = tally_new(set);

    feature_row((double[2]){0}, NULL, tally, 0);
    expect_row(c, tally, 1, c->want, evidence ? c->evidence : NULL);
    expect_row(c, tally, 2, tiny->plan.features[0].missing, evidence ? "" : NULL);
    tally_free(tally);
    feature_set_free(set);
}

static void run_case(const Case *c)
{
    static const char *const CODES[] = {"x", "x1", "x2", "x2a", "x2b", "x3"};
    Tiny *tiny = tiny_new();
    Feature *feature =
        tiny_feature(tiny, tiny_source(tiny, "gp"), "f", c->count, c->from);

    feature->to = tiny_day(c->to);
    feature->code_chars = feature->repeat_n = c->a;
    feature->repeat_days = c->b;
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        tiny_hit(tiny, feature, CODES[i]);
    for (int p = 0; p < 3; p++)
        tiny_person(tiny, "1950-01-01");
    add_events(tiny, 0, "2025-05-05=77 2025-05-05=78:x2a 2025-05-06~2025-06-30:x3");
    add_events(tiny, 1, c->events);
    tiny_build(tiny);
    expect_case(c, tiny, true);
    expect_case(c, tiny, false);
    tiny_free(tiny);
}

Test(feature, cases)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++)
        run_case(&CASES[c]);
}

/* What one person has, read by name; the same with and without evidence. */
static double value_of(const Tiny *tiny, const char *name, uint32_t person)
{
    uint32_t slot = tiny_slot(tiny, name);
    double got[2];

    for (int evidence = 0; evidence < 2; evidence++) {
        double row[TINY_MOST_SLOTS];
        FeatureSet *set = feature_set_new(&tiny->plan, &tiny->store, evidence);
        Tally *tally = tally_new(set);

        feature_row(row, NULL, tally, person);
        got[evidence] = row[slot];
        tally_free(tally);
        feature_set_free(set);
    }
    cr_expect_eq(memcmp(&got[0], &got[1], sizeof *got), 0, "%s: %g, with evidence %g",
                 name, got[0], got[1]);
    return got[0];
}

Test(feature, declared_default_where_nothing_counts)
{
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "gp");
    Feature *rows = tiny_feature(tiny, source, "rows", COUNT_ROWS, NULL);
    Feature *least = tiny_feature(tiny, source, "least", COUNT_MIN, NULL);

    rows->missing = NAN;
    least->missing = 120;
    tiny_uncoded(tiny, rows);
    tiny_uncoded(tiny, least);
    tiny_person(tiny, "1950-01-01");
    tiny_person(tiny, "1950-01-01");
    tiny_event(tiny, source, 1, NULL, "2025-01-01", (TinyMore){45, 0, NULL});
    tiny_build(tiny);
    cr_expect(isnan(value_of(tiny, "rows", 0)));
    cr_expect_eq(value_of(tiny, "least", 0), 120);
    cr_expect_eq(value_of(tiny, "rows", 1), 1);
    cr_expect_eq(value_of(tiny, "least", 1), 45);
    tiny_free(tiny);
}

Test(feature, conditions_must_all_hold)
{
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "spell");
    Feature *both = tiny_feature(tiny, source, "both", COUNT_ROWS, NULL);
    Feature *one = tiny_feature(tiny, source, "one", COUNT_ROWS, NULL);
    Feature *all = tiny_feature(tiny, source, "all", COUNT_ROWS, NULL);

    both->conditions = 5;
    one->conditions = 4;
    tiny_uncoded(tiny, both);
    tiny_uncoded(tiny, one);
    tiny_uncoded(tiny, all);
    tiny_person(tiny, "1950-01-01");
    for (uint32_t bits = 0; bits < 8; bits++)
        tiny_event(tiny, source, 0, NULL, "2025-01-01", (TinyMore){0, bits, NULL});
    tiny_build(tiny);
    cr_expect_eq(value_of(tiny, "both", 0), 2);
    cr_expect_eq(value_of(tiny, "one", 0), 4);
    cr_expect_eq(value_of(tiny, "all", 0), 8);
    tiny_free(tiny);
}

/* A list's value rules: below 130 for a man, below 120 for a woman, bounds strict. */
static Tiny *low_haemoglobin(void)
{
    Tiny *tiny = tiny_new();
    int sex = tiny_attribute(tiny, "sex", "M F");
    int source = tiny_source(tiny, "gp");
    Feature *low = tiny_feature(tiny, source, "low", COUNT_ROWS, NULL);
    Hit *hit = tiny_hit(tiny, low, "hb");

    hit->sex = 'M';
    hit->below = 130;
    hit = tiny_hit(tiny, low, "hb");
    hit->sex = 'F';
    hit->below = 120;
    for (int p = 0; p < 4; p++)
        tiny_person(tiny, "1950-01-01");
    tiny_set(tiny, 0, sex, 0);
    tiny_set(tiny, 1, sex, 1);
    tiny_set(tiny, 2, sex, 2); /* a word that the config does not name; 3 has none */
    return tiny;
}

Test(feature, hits_ask_for_sex_and_bounds)
{
    static const struct {
        double value;
        double man, woman;
    } ROWS[] = {{119, 1, 1}, {120, 1, 0}, {129.9, 1, 0}, {130, 0, 0}, {0, 0, 0}};

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Tiny *tiny = low_haemoglobin();

        for (uint32_t p = 0; p < 4; p++)
            tiny_event(tiny, 0, p, "hb", "2025-01-01",
                       (TinyMore){ROWS[r].value, 0, NULL});
        tiny_build(tiny);
        cr_expect_eq(value_of(tiny, "low", 0), ROWS[r].man, "man, %g", ROWS[r].value);
        cr_expect_eq(value_of(tiny, "low", 1), ROWS[r].woman, "woman, %g", ROWS[r].value);
        cr_expect_eq(value_of(tiny, "low", 2), 0);
        cr_expect_eq(value_of(tiny, "low", 3), 0);
        tiny_free(tiny);
    }
}

Test(feature, an_event_counts_once_however_many_lines_match)
{
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "gp");
    Feature *rows = tiny_feature(tiny, source, "rows", COUNT_ROWS, NULL);
    Feature *sum = tiny_feature(tiny, source, "sum", COUNT_SUM, NULL);

    tiny_hit(tiny, rows, "x")->above = 10;
    tiny_hit(tiny, rows, "x")->below = 100;
    tiny_hit(tiny, sum, "x")->above = 10;
    tiny_hit(tiny, sum, "x");
    tiny_person(tiny, "1950-01-01");
    tiny_event(tiny, source, 0, "x", "2025-01-01", (TinyMore){50, 0, NULL});
    tiny_event(tiny, source, 0, "x", "2025-01-02", (TinyMore){5, 0, NULL});
    tiny_event(tiny, source, 0, "x", "2025-01-03", (TinyMore){0, 0, NULL});
    tiny_build(tiny);
    cr_expect_eq(value_of(tiny, "rows", 0), 2);
    cr_expect_eq(value_of(tiny, "sum", 0), 55);
    tiny_free(tiny);
}

/* One code is counted by its bits, the others go through lists. */
Test(feature, rows_of_codes_counted_in_two_ways_add_up)
{
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "gp");
    Feature *rows = tiny_feature(tiny, source, "rows", COUNT_ROWS, NULL);
    uint32_t person = tiny_person(tiny, "1950-01-01");

    tiny_hit(tiny, rows, "x");
    tiny_hit(tiny, rows, "y")->above = 5;
    tiny_hit(tiny, rows, "z");
    tiny_hit(tiny, rows, "z");
    tiny_event(tiny, source, person, "x", "2025-01-01", (TinyMore){0, 0, NULL});
    tiny_event(tiny, source, person, "x", "2025-01-02", (TinyMore){0, 0, NULL});
    tiny_event(tiny, source, person, "y", "2025-01-03", (TinyMore){6, 0, NULL});
    tiny_event(tiny, source, person, "y", "2025-01-04", (TinyMore){5, 0, NULL});
    tiny_event(tiny, source, person, "z", "2025-01-05", (TinyMore){0, 0, NULL});
    tiny_build(tiny);
    cr_expect_eq(value_of(tiny, "rows", person), 4);
    tiny_free(tiny);
}

Test(feature, coded_and_uncoded_features_share_a_source)
{
    Tiny *tiny = tiny_new();
    int gp = tiny_source(tiny, "gp"), other = tiny_source(tiny, "other");
    Feature *x = tiny_feature(tiny, gp, "x", COUNT_ROWS, NULL);
    Feature *y = tiny_feature(tiny, gp, "y", COUNT_ROWS, NULL);
    Feature *any = tiny_feature(tiny, gp, "any", COUNT_CODES, NULL);
    Feature *contacts = tiny_feature(tiny, other, "contacts", COUNT_ROWS, NULL);

    any->code_chars = 1;
    tiny_hit(tiny, x, "a1");
    tiny_hit(tiny, x, "a2");
    tiny_hit(tiny, y, "a2");
    tiny_uncoded(tiny, any);
    tiny_uncoded(tiny, contacts);
    tiny_person(tiny, "1950-01-01");
    tiny_event(tiny, gp, 0, "a1", "2025-01-01", (TinyMore){0});
    tiny_event(tiny, gp, 0, "a2", "2025-01-02", (TinyMore){0});
    tiny_event(tiny, gp, 0, "b1", "2025-01-03", (TinyMore){0});
    tiny_event(tiny, gp, 0, NULL, "2025-01-04", (TinyMore){0});
    tiny_event(tiny, other, 0, NULL, "2025-01-04", (TinyMore){0});
    tiny_build(tiny);
    cr_expect_eq(value_of(tiny, "x", 0), 2);
    cr_expect_eq(value_of(tiny, "y", 0), 1);
    cr_expect_eq(value_of(tiny, "any", 0), 2, "a and b; an event without a code is none");
    cr_expect_eq(value_of(tiny, "contacts", 0), 1);
    tiny_free(tiny);
}

Test(feature, two_features_with_the_same_first_characters_do_not_mix)
{
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "rx");
    Feature *year = tiny_feature(tiny, source, "year", COUNT_CODES, "2024-07-01");
    Feature *month = tiny_feature(tiny, source, "month", COUNT_CODES, "2025-06-01");

    year->code_chars = month->code_chars = 3;
    tiny_uncoded(tiny, year);
    tiny_uncoded(tiny, month);
    tiny_person(tiny, "1950-01-01");
    tiny_person(tiny, "1950-01-01");
    for (uint32_t p = 0; p < 2; p++) {
        tiny_event(tiny, source, p, "0401A", "2025-01-02", (TinyMore){0});
        tiny_event(tiny, source, p, "0401B", "2025-06-02", (TinyMore){0});
        tiny_event(tiny, source, p, "0501B", "2025-06-02", (TinyMore){0});
        tiny_event(tiny, source, p, "0403A", "2025-06-03", (TinyMore){0});
    }
    tiny_build(tiny);
    for (uint32_t p = 0; p < 2; p++) {
        cr_expect_eq(value_of(tiny, "year", p), 2);
        cr_expect_eq(value_of(tiny, "month", p), 2);
    }
    tiny_free(tiny);
}

/* More windows and counts than a code has room for without a list. */
Test(feature, a_code_of_many_features)
{
    static const char *const FROM[] = {NULL, "2020-07-01", "2024-07-01", "2025-06-01"};
    static char names[80][8];
    Tiny *tiny = tiny_new();
    int source = tiny_source(tiny, "gp");

    for (int f = 0; f < 60; f++) {
        static const Count COUNTS[] = {COUNT_EXISTS, COUNT_ROWS, COUNT_DATES};

        snprintf(names[f], sizeof names[f], "f%d", f);
        tiny_hit(tiny,
                 tiny_feature(tiny, source, names[f], COUNTS[f % 3], FROM[f / 3 % 4]),
                 "x");
    }
    tiny_person(tiny, "1950-01-01");
    tiny_event(tiny, source, 0, "x", "", (TinyMore){0});
    tiny_event(tiny, source, 0, "x", "2010-01-01", (TinyMore){0});
    tiny_event(tiny, source, 0, "x", "2022-01-01", (TinyMore){0});
    tiny_event(tiny, source, 0, "x", "2025-06-15", (TinyMore){0});
    tiny_event(tiny, source, 0, "x", "2025-06-15", (TinyMore){0});
    tiny_build(tiny);
    for (int f = 0; f < 60; f++) {
        static const double WANT[4][3] = {{1, 5, 3}, {1, 3, 2}, {1, 2, 1}, {1, 2, 1}};

        cr_expect_eq(value_of(tiny, names[f], 0), WANT[f / 3 % 4][f % 3], "%s", names[f]);
    }
    tiny_free(tiny);
}
