#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "models/kinds.h"
#include "models/reason.h"
#include "tests/support/tiny.h"

/* A person with falls (Mar 2025), three admissions (latest May 2025) and no dementia. */
static Tiny *example(void)
{
    Tiny *tiny = tiny_new();
    int gp, spell;
    Feature *falls, *dementia, *rows;

    tiny_attribute(tiny, "smoking", "never current");
    gp = tiny_source(tiny, "gp");
    spell = tiny_source(tiny, "spell");
    falls = tiny_feature(tiny, gp, "falls", COUNT_EXISTS, NULL);
    dementia = tiny_feature(tiny, gp, "dementia", COUNT_EXISTS, NULL);
    rows = tiny_feature(tiny, spell, "admissions", COUNT_ROWS, "2024-07-01");
    falls->label = "Falls";
    rows->label = "Emergency admissions in the last year";
    tiny_hit(tiny, falls, "fall");
    tiny_hit(tiny, dementia, "dem");
    tiny_uncoded(tiny, rows);
    tiny_derived(tiny, "frail", RULE_YESNO, "falls and admissions >= 2");
    tiny_person(tiny, "1943-01-01");
    tiny_set(tiny, 0, 0, 1);
    tiny_event(tiny, gp, 0, "fall", "2019-03-09", (TinyMore){0});
    tiny_event(tiny, gp, 0, "fall", "2025-03-09", (TinyMore){0});
    tiny_event(tiny, spell, 0, NULL, "2024-09-09", (TinyMore){0});
    tiny_event(tiny, spell, 0, NULL, "2025-01-09", (TinyMore){0});
    tiny_event(tiny, spell, 0, NULL, "2025-05-09", (TinyMore){0});
    return tiny;
}

static int reasons_of(Reason *reasons, int most, Tiny *tiny, int model)
{
    Visit *visit = visit_new(&tiny->plan);
    int n;

    visit_person(visit, &tiny->plan, &tiny->store, 0, true);
    n = reason_list(reasons, most, &tiny->plan, model, visit);
    visit_free(visit);
    return n;
}

static void expect_texts(Tiny *tiny, int model, const char *const *want, int n_want)
{
    Reason reasons[10];
    int n = reasons_of(reasons, 10, tiny, model);
    char text[REASON_TEXT];

    cr_expect_eq(n, n_want, "%d reasons", n);
    for (int r = 0; r < n && r < n_want; r++) {
        reason_text(text, &tiny->plan, &reasons[r]);
        cr_expect_str_eq(text, want[r]);
    }
}

Test(reason, largest_first_with_value_and_month)
{
    static const char *const WANT[] = {
        "Emergency admissions in the last year: 3 (latest May 2025)",
        "Age: 82",
        "Falls (Mar 2025)",
    };
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "risk", &kind_regression);

    tiny_term(tiny, model, "age", 0.05)->centre = 65;
    tiny_term(tiny, model, "falls", 0.4);
    tiny_term(tiny, model, "dementia", 0.9);
    tiny_term(tiny, model, "admissions", 0.5);
    tiny_term(tiny, model, "smoking", -1);
    model->terms[0].label = "Age";
    model->terms[1].label = "Falls";
    model->terms[3].label = "Emergency admissions in the last year";
    cr_assert_eq(tiny_compile(tiny, model), 0);
    tiny_build(tiny);
    expect_texts(tiny, 0, WANT, 3);
    tiny_free(tiny);
}

Test(reason, most_and_ties_by_term)
{
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "points", &kind_points);
    Reason reasons[2];

    tiny_term(tiny, model, "smoking", 1);
    tiny_term(tiny, model, "falls", 2);
    tiny_term(tiny, model, "frail", 2);
    tiny_term(tiny, model, "admissions", 2);
    cr_assert_eq(tiny_compile(tiny, model), 0);
    tiny_build(tiny);
    cr_assert_eq(reasons_of(reasons, 2, tiny, 0), 2);
    cr_expect_eq(reasons[0].term, 3);
    cr_expect_eq(reasons[0].amount, 6);
    cr_expect_eq(reasons[0].value, 3);
    cr_expect_eq(reasons[0].slot, tiny_slot(tiny, "admissions"));
    cr_expect_eq(reasons[0].day, tiny_day("2025-05-09"));
    cr_expect_eq(reasons[1].term, 1);
    cr_expect_eq(reasons_of(reasons, 1, tiny, 0), 1);
    cr_expect_eq(reasons[0].term, 3);
    cr_expect_eq(reasons_of(reasons, 0, tiny, 0), 0);
    tiny_free(tiny);
}

Test(reason, evidence_goes_through_expressions_and_models)
{
    static const char *const WANT[] = {
        "points.score: 3 (latest Mar 2025)",
        "frail (May 2025)",
        "Smoker",
        "admissions + 0 * falls: 3 (latest May 2025)",
    };
    Tiny *tiny = example();
    Model *points = tiny_model(tiny, "points", &kind_points), *model;

    tiny_term(tiny, points, "falls", 3);
    cr_assert_eq(tiny_compile(tiny, points), 0);
    model = tiny_model(tiny, "risk", &kind_regression);
    tiny_term(tiny, model, "points.score", 2);
    tiny_term(tiny, model, "frail", 5);
    tiny_term(tiny, model, "smoking == \"current\"", 4)->label = "Smoker";
    tiny_term(tiny, model, "admissions + 0 * falls", 1)->slot =
        tiny_slot(tiny, "admissions");
    cr_assert_eq(tiny_compile(tiny, model), 0);
    tiny_build(tiny);
    expect_texts(tiny, 1, WANT, 4);
    tiny_free(tiny);
}

Test(reason, say_fills_in_value_and_date)
{
    static const struct {
        const char *say, *want;
    } ROWS[] = {
        {"{value} admissions (latest {date})", "3 admissions (latest May 2025)"},
        {"{date}", "May 2025"},
        {"no mark", "no mark"},
        {"{other} {value", "{other} {value"},
        {"{{value}}", "{3}"},
        {"", ""},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Tiny *tiny = example();
        Model *model = tiny_model(tiny, "risk", &kind_regression);

        tiny->plan.features[2].say = ROWS[r].say;
        tiny_term(tiny, model, "admissions", 1);
        cr_assert_eq(tiny_compile(tiny, model), 0);
        tiny_build(tiny);
        expect_texts(tiny, 0, &ROWS[r].want, 1);
        tiny_free(tiny);
    }
}

Test(reason, a_term_has_its_own_words)
{
    static const char *const WANT[] = {"often admitted"};
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "risk", &kind_regression);

    tiny->plan.features[2].say = "{value} admissions";
    tiny_term(tiny, model, "admissions", 1)->say = "often admitted";
    cr_assert_eq(tiny_compile(tiny, model), 0);
    tiny_build(tiny);
    expect_texts(tiny, 0, WANT, 1);
    tiny_free(tiny);
}

Test(reason, numbers_and_words_are_written_for_people)
{
    static const struct {
        double value;
        const char *want;
    } ROWS[] = {{3, "v: 3"},     {31.25, "v: 31.25"},     {31.4999, "v: 31.5"},
                {0, "v: 0"},     {-2, "v: -2"},           {1e20, "v: 1e+20"},
                {100, "v: 100"}, {NAN, "v: not recorded"}};
    Tiny *tiny = tiny_new();
    Model *model;
    Reason reason = {.day = DAY_UNKNOWN};
    char text[REASON_TEXT];

    tiny_attribute(tiny, "v", NULL);
    tiny_attribute(tiny, "smoking", "never current");
    model = tiny_model(tiny, "risk", &kind_regression);
    tiny_term(tiny, model, "v", 1);
    tiny_term(tiny, model, "smoking", 1);
    reason.slot = 1;
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        reason.value = ROWS[r].value;
        reason_text(text, &tiny->plan, &reason);
        cr_expect_str_eq(text, ROWS[r].want);
    }
    reason.slot = 2;
    reason.term = 1;
    reason.value = 1;
    reason_text(text, &tiny->plan, &reason);
    cr_expect_str_eq(text, "smoking: current");
    reason.value = 2;
    reason_text(text, &tiny->plan, &reason);
    cr_expect_str_eq(text, "smoking: other");
    tiny_free(tiny);
}

/* 199 bytes fit; a letter of two bytes that would be cut in half is left out. */
Test(reason, cut_at_a_whole_letter)
{
    Tiny *tiny = tiny_new();
    Reason reason = {.day = DAY_UNKNOWN, .slot = 0, .value = 80};
    Model *model = tiny_model(tiny, "risk", &kind_regression);
    char label[400], text[REASON_TEXT];

    memset(label, 'a', sizeof label);
    memcpy(label + 198, "\xc3\xa9", 2);
    label[399] = '\0';
    tiny_term(tiny, model, "age", 1)->label = label;
    reason_text(text, &tiny->plan, &reason);
    cr_expect_eq(strlen(text), 198);
    cr_expect_eq(text[197], 'a');
    tiny_free(tiny);
}

Test(reason, none_without_a_score)
{
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "risk", &kind_regression);
    Reason reasons[5];

    tiny_term(tiny, model, "admissions", 1)->most = 2;
    cr_assert_eq(tiny_compile(tiny, model), 0);
    tiny_build(tiny);
    cr_expect_eq(reasons_of(reasons, 5, tiny, 0), 0);
    tiny_free(tiny);
}
