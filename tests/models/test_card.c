#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/card.h"
#include "models/kinds.h"
#include "tests/support/tiny.h"

static const char *PURPOSES[] = {"commissioning", "direct-care"};

static void expect_card(Tiny *tiny, int model, const char *want)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    card_write(out, &tiny->plan, model);
    fclose(out);
    cr_expect_str_eq(text, want);
    free(text);
}

static Tiny *example(void)
{
    Tiny *tiny = tiny_new();
    int gp, spell;
    Feature *admissions, *codes;

    tiny->plan.purposes = PURPOSES;
    tiny->plan.n_purposes = 2;
    tiny_attribute(tiny, "imd", NULL);
    gp = tiny_source(tiny, "gp_event");
    spell = tiny_source(tiny, "hospital_spell");
    tiny_feature(tiny, gp, "falls", COUNT_EXISTS, NULL);
    admissions = tiny_feature(tiny, spell, "admissions", COUNT_ROWS, "2024-07-01");
    admissions->window_text = "12 months";
    codes = tiny_feature(tiny, gp, "medicines", COUNT_CODES, "2024-07-01");
    codes->code_chars = 9;
    codes->window_text = "12 months";
    tiny_derived(tiny, "many", RULE_YESNO, "medicines >= 5");
    return tiny;
}

Test(card, index_with_bands_by_cut_off)
{
    static Band bands[] = {
        {.id = "fit", .label = "Fit", .bound = 0.12, .is_upto = true},
        {.id = "mild", .label = "Mild | early", .bound = 0.24, .meaning = "slowing up"},
        {.id = "severe", .label = "Severe", .bound = INFINITY},
    };
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "efi", &kind_index);

    model->title = "Frailty index";
    model->version = "1.0";
    model->purposes = 3;
    model->purpose_text = "Finds frail people.";
    model->limits = "A screen, not a diagnosis.";
    model->source = "A paper.";
    model->licence = "facts";
    model->denominator = 36;
    model->bands = bands;
    model->n_bands = 3;
    model->reasons = arena_alloc(tiny->arena, 2, sizeof *model->reasons);
    model->reasons[1] =
        (ModelReason){"under 65", true, tiny_rule(tiny, RULE_YESNO, "age >= 65")};
    model->n_reasons = 2;
    tiny_term(tiny, model, "falls", 1)->label = "Falls";
    tiny_term(tiny, model, "many", 1)->label = "Five or more medicines";
    cr_assert_eq(tiny_compile(tiny, model), 0);
    expect_card(
        tiny, 0,
        "# Frailty index\n\n`efi` version 1.0, for commissioning, direct-care\n"
        "\nFinds frail people.\n"
        "\n## Who it applies to\n\n"
        "Everyone in the run of whom all of this is true:\n\n"
        "- `age >= 65` (others are counted as \"under 65\")\n"
        "\n## What comes out\n\n"
        "The score is the share of 36 deficits that are present.\n"
        "\nA person without a value that it needs is not scored, and is counted.\n"
        "\n| Band | Score | Meaning |\n|---|---|---|\n"
        "| Fit | up to 0.12 |  |\n"
        "| Mild \\| early | above 0.12, below 0.24 | slowing up |\n"
        "| Severe | from 0.24 |  |\n"
        "\n## What goes in\n\n"
        "| Input | What is counted | From | Window | Adds |\n"
        "|---|---|---|---|---|\n"
        "| Falls | recorded or not | gp_event | ever | 1 |\n"
        "| Five or more medicines | `medicines >= 5` |  |  | 1 |\n"
        "\n## Limits\n\nA screen, not a diagnosis.\n"
        "\n## Source\n\nA paper.\n"
        "\n## Licence\n\nfacts\n");
    tiny_free(tiny);
}

Test(card, illustrative_regression_with_bands_by_rank)
{
    static Band bands[] = {{.id = "low", .label = "Low"},
                           {.id = "high", .label = "High", .share = 0.05},
                           {.id = "top", .label = "Top", .share = 0.005}};
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "risk", &kind_regression);
    Term *term;

    model->title = "Admission";
    model->purposes = 2;
    model->is_illustrative = true;
    model->outcome = "emergency admission";
    model->horizon = "12 months";
    model->link = LINK_LOGIT;
    model->intercept = -4.4;
    model->multiply = 100;
    model->range = RANGE_CLAMP;
    model->missing = MISSING_ZERO;
    model->bands = bands;
    model->n_bands = 3;
    model->is_by_rank = true;
    term = tiny_term(tiny, model, "age", 0.03);
    term->label = "Age";
    term->centre = 65;
    term->least = 18;
    term->most = 110;
    tiny_term(tiny, model, "ln(1 + admissions)", 0.5)->label = "Admissions";
    tiny_term(tiny, model, "imd", -0.25)->label = "Deprivation";
    cr_assert_eq(tiny_compile(tiny, model), 0);
    expect_card(
        tiny, 0,
        "# Admission\n\n`risk` version 1, for direct-care\n"
        "\n> **Illustrative.** Fitted on made-up people: it shows how the program works "
        "and must\n> not be used for decisions about real ones.\n"
        "\n## Who it applies to\n\nEveryone in the run.\n"
        "\n## What comes out\n\nPredicts emergency admission, horizon 12 months.\n\n"
        "Each input adds its weight times its value to a sum that starts at -4.4; the "
        "score is 1 / (1 + exp(-sum)). It is shown in percent.\n"
        "\nA value that is not recorded counts as 0, and the score is flagged as "
        "imputed. "
        "A value outside the range of the model is moved to its nearest end, and the "
        "score is flagged as clamped.\n"
        "\n| Band | Score |\n|---|---|\n"
        "| Low | everyone else |\n"
        "| High | top 5 % of everyone scored, without the bands above |\n"
        "| Top | top 0.5 % of everyone scored |\n"
        "\n## What goes in\n\n"
        "| Input | What is counted | From | Window | Adds |\n|---|---|---|---|---|\n"
        "| Age | years completed | person | on the day of the run | 0.03, after taking "
        "away 65, made for 18 to 110 |\n"
        "| Admissions | `ln(1 + admissions)` |  |  | 0.5 |\n"
        "| Deprivation | as recorded | person |  | -0.25 |\n");
    tiny_free(tiny);
}

Test(card, a_declared_value_stands_beside_its_input)
{
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "risk", &kind_regression);
    char *text = NULL;
    size_t len;
    FILE *out;

    model->missing = MISSING_IMPUTE;
    tiny_term(tiny, model, "imd", -0.25)->impute = 5.5;
    tiny_term(tiny, model, "age", 1)->impute = NAN; /* is never missing */
    cr_assert_eq(tiny_compile(tiny, model), 0);
    out = open_memstream(&text, &len);
    card_write(out, &tiny->plan, 0);
    fclose(out);
    cr_expect(strstr(text,
                     "A value that is not recorded is replaced by the one that the "
                     "model declares, and the score is flagged as imputed.") != NULL);
    cr_expect(strstr(text, "| -0.25, 5.5 where not recorded |\n") != NULL);
    cr_expect(strstr(text, "| on the day of the run | 1 |\n") != NULL);
    free(text);
    tiny_free(tiny);
}

Test(card, points_with_caps_steps_and_hierarchy)
{
    static double bound[] = {50, 59, INFINITY};
    static bool upto[] = {false, true, false};
    static int64_t points[] = {0, 5, 40};
    static int64_t group_cap[] = {0, 60};
    static uint32_t zeroed_by[] = {0};
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "score", &kind_points);
    Term *term;

    model->title = "Score";
    model->scale = 10;
    model->floor = 0;
    model->ceiling = 50;
    model->group_cap = group_cap;
    term = tiny_term(tiny, model, "admissions", 1.5);
    term->cap = 60;
    term->label = "Admissions";
    term = tiny_term(tiny, model, "falls", 2);
    term->group = 1;
    term->zeroed_by = zeroed_by;
    term->n_zeroed_by = 1;
    term = tiny_term(tiny, model, "age", 0);
    term->n_steps = 3;
    term->step_bound = bound;
    term->step_upto = upto;
    term->step_points = points;
    tiny_term(tiny, model, "medicines", 1);
    cr_assert_eq(tiny_compile(tiny, model), 0);
    expect_card(
        tiny, 0,
        "# Score\n\n`score` version 1\n"
        "\n## Who it applies to\n\nEveryone in the run.\n"
        "\n## What comes out\n\n"
        "The score is the sum of the points of its inputs. It is never below 0. It is "
        "never above 50.\n"
        "\nA person without a value that it needs is not scored, and is counted.\n"
        "\n## What goes in\n\n"
        "| Input | What is counted | From | Window | Adds |\n|---|---|---|---|---|\n"
        "| Admissions | how many | hospital_spell | 12 months | 1.5, at most 6 |\n"
        "| falls | recorded or not | gp_event | ever | 2, with others of its group at "
        "most 6, not beside Admissions |\n"
        "| age | years completed | person | on the day of the run | below 50: 0; up to "
        "59: 0.5; above: 4 |\n"
        "| medicines | how many different codes, by their first 9 characters | gp_event "
        "| "
        "12 months | 1 |\n");
    tiny_free(tiny);
}

Test(card, list_of_all_models)
{
    Tiny *tiny = example();
    Model *model = tiny_model(tiny, "efi", &kind_index);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    tiny_term(tiny, model, "falls", 1);
    model->title = "Electronic Frailty Index";
    model->version = "1.0";
    model = tiny_model(tiny, "admission_12m", &kind_regression);
    model->title = "Admission";
    card_list(out, &tiny->plan);
    fclose(out);
    cr_expect_str_eq(
        text, "MODEL         VERSION KIND       INPUTS BANDS TITLE\n"
              "efi           1.0     index           1     0 Electronic Frailty Index\n"
              "admission_12m 1       regression      0     0 Admission\n");
    free(text);
    tiny_free(tiny);
}
