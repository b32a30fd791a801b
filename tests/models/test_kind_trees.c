#include "engine/config/config.h"
#include "models/card.h"
#include "models/kinds.h"
#include "models/score.h"
#include "tests/models/trees_data.h"
#include "tests/support/tiny.h"

#define XGB1 "xgboost-1.7.4"
#define XGB3 "xgboost-3.4.1"
#define LGBM "lightgbm-4.6.0"

static const char *const FEATURES[] = {
    "age",      "sex_male",         "imd_score",    "n_emerg_12m", "n_ae_12m",
    "n_gp_12m", "n_meds",           "ltc_count",    "bmi",         "hb",
    "egfr",     "days_since_emerg", "ethnic_group", "smoking_cat"};
enum { N = 14 };

/* ---- models ---------------------------------------------------------------------------
 */

/* A plan with a slot for each feature, and a model from the words of a config, which
 * stands in tests/data/trees. */
typedef struct Case {
    Tiny *tiny;
    Model *model;
    int rc;
} Case;

static void compile(Case *c, const char *yaml)
{
    Node *node;

    c->model = tiny_model(c->tiny, "risk", &kind_trees);
    c->model->where = (Where){TREES "risk.yaml", 1, 1};
    cr_assert_eq(config_parse(&node, TREES "risk.yaml", yaml, strlen(yaml),
                              c->tiny->arena, &c->tiny->err),
                 0, "%s", c->tiny->err.text);
    c->rc =
        kind_trees.compile(c->model, &c->tiny->plan, node, c->tiny->arena, &c->tiny->err);
    cr_expect_eq(c->rc != 0, c->tiny->err.n_reports != 0);
}

static Case case_of(const char *yaml)
{
    Case c = {.tiny = tiny_new()};

    for (int i = 1; i < N; i++) /* age has a slot already */
        tiny_attribute(c.tiny, FEATURES[i], NULL);
    compile(&c, yaml);
    return c;
}

static Case good_case(const char *yaml)
{
    Case c = case_of(yaml);

    cr_assert_eq(c.rc, 0, "%s", c.tiny->err.text);
    return c;
}

static double score(const Case *c, const double *row)
{
    int why = -1;
    double got = model_score(c->model, row, &why);

    cr_assert_eq(isnan(got), why != 0);
    return got;
}

/* ---- what is scored
 * ---------------------------------------------------------------------- */

static const struct {
    const char *yaml, *folder, *name;
    int column; /* of the expected file, the first margin being 0 */
} SCORES[] = {
    {"file: xgboost-1.7.4/binary_logistic.json", XGB1, "binary_logistic", 1},
    {"{file: xgboost-3.4.1/binary_logistic.ubj, output: probability}", XGB3,
     "binary_logistic", 1},
    {"{file: xgboost-3.4.1/binary_logistic.ubj, output: margin}", XGB3, "binary_logistic",
     0},
    {"{file: xgboost-1.7.4/early_stopped.json, rounds: all}", XGB1, "early_stopped", 1},
    {"{file: xgboost-1.7.4/early_stopped.json, rounds: best}", XGB1, "early_stopped", 2},
    {"{file: xgboost-3.4.1/early_stopped.json, rounds: best}", XGB3, "early_stopped", 2},
    {"{file: xgboost-3.4.1/multi_softprob.json, class: 2, output: probability}", XGB3,
     "multi_softprob", 5},
    {"{file: xgboost-3.4.1/multi_output_tree.json, class: 1}", XGB3, "multi_output_tree",
     3},
    {"{file: lightgbm-4.6.0/multiclass_softmax.txt, class: 0}", LGBM,
     "multiclass_softmax", 3},
    {"{file: lightgbm-4.6.0/random_forest.txt, output: probability}", LGBM,
     "random_forest", 1},
    {"{file: lightgbm-4.6.0/poisson.txt, output: prediction}", LGBM, "poisson", 1},
};

Test(kind_trees, scores_are_the_librarys)
{
    for (size_t r = 0; r < sizeof SCORES / sizeof *SCORES; r++) {
        Case c = good_case(SCORES[r].yaml);
        FILE *inputs = open_inputs(SCORES[r].folder, SCORES[r].name);
        FILE *expected = open_beside(SCORES[r].folder, SCORES[r].name, "expected.csv");
        double row[MOST_COLUMNS], want[MOST_COLUMNS];
        int rows = 0;

        for (; csv_numbers(inputs, 0, row) == N; rows++) {
            double got = score(&c, row);

            cr_assert(csv_numbers(expected, 1, want) > SCORES[r].column);
            cr_expect(fabs(got - want[SCORES[r].column]) <=
                          2e-6 * fabs(want[SCORES[r].column]),
                      "%s, row %d: %.17g, want %.17g", SCORES[r].yaml, rows + 1, got,
                      want[SCORES[r].column]);
        }
        cr_expect_eq(rows, EXAMPLE_ROWS);
        fclose(expected);
        fclose(inputs);
        tiny_free(c.tiny);
    }
}

Test(kind_trees, every_feature_is_a_term_and_is_used)
{
    Case c = good_case("file: xgboost-1.7.4/binary_logistic.json");

    cr_assert_eq(c.model->n_terms, N);
    for (int i = 0; i < N; i++) {
        cr_expect_str_eq(c.model->terms[i].id, FEATURES[i]);
        cr_expect_eq(c.model->terms[i].slot, (uint32_t)i);
        cr_expect_null(c.model->terms[i].value);
        cr_expect(c.tiny->plan.slots[i].is_used);
    }
    cr_expect_str_eq(c.model->terms[0].label, "Age");
    cr_expect(!c.tiny->plan.slots[c.model->score_slot].is_used);
    tiny_free(c.tiny);
}

static const struct {
    const char *yaml, *want;
} CARDS[] = {
    {"file: xgboost-1.7.4/binary_logistic.json",
     "prediction of a tree model: a file of XGBoost 1.7.4, objective `binary:logistic`. "
     "All of its 3 rounds are used: 3 trees."},
    {"{file: xgboost-1.7.4/early_stopped.json, rounds: all}",
     "All of its 13 rounds are used, also those after the best 8: 13 trees."},
    {"{file: xgboost-1.7.4/early_stopped.json, rounds: best, output: margin}",
     "margin of a tree model: a file of XGBoost 1.7.4, objective `binary:logistic`. Of "
     "its 13 rounds the first 8 are used, up to the best one: 8 trees."},
    {"{file: xgboost-3.4.1/multi_softprob.json, class: 2}",
     "Of its 3 outputs it is number 2, from 0. All of its 3 rounds are used: 9 trees."},
    {"file: xgboost-3.4.1/gblinear.json", "prediction of a linear model: a file of "
                                          "XGBoost 3.4.1, objective `binary:logistic`."},
    {"file: lightgbm-4.6.0/poisson.txt",
     "LightGBM v4, objective `poisson`. All of its 3 rounds are used: 3 trees."},
};

Test(kind_trees, the_card_says_what_of_the_file_is_used)
{
    for (size_t r = 0; r < sizeof CARDS / sizeof *CARDS; r++) {
        Case c = good_case(CARDS[r].yaml);
        char *text = NULL;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        card_write(out, &c.tiny->plan, 0);
        fclose(out);
        cr_expect(strstr(text, CARDS[r].want) != NULL, "%s: %s", CARDS[r].yaml, text);
        cr_expect(strstr(text, "not recorded goes the way that the file gives") != NULL);
        free(text);
        tiny_free(c.tiny);
    }
}

/* The file decides what a missing value does: nothing is imputed, nobody is flagged. */
Test(kind_trees, a_missing_value_is_not_replaced)
{
    Case c = good_case("file: xgboost-1.7.4/binary_logistic.json");
    Scores scores = {0};

    tiny_person(c.tiny, "1950-01-01");
    for (int i = 0; i < N - 1; i++)
        tiny_set(c.tiny, 0, i, NAN);
    tiny_build(c.tiny);
    score_people(&scores, NULL, &c.tiny->plan, &c.tiny->store);
    cr_expect_eq(scores.outcome[0][0], 0);
    cr_expect_eq(c.model->n_replaceable, 0);
    cr_expect_eq(scores_flag(&scores, 0, 0), 0);
    scores_free(&scores);
    tiny_free(c.tiny);
}

Test(kind_trees, what_missing_was_written_as)
{
    Case plain = good_case("file: xgboost-1.7.4/binary_logistic.json");
    Case coded =
        good_case("{file: xgboost-1.7.4/binary_logistic.json, missing_value: -999}");
    double missing[20], minus[20];

    for (int i = 0; i < N; i++) {
        missing[i] = NAN;
        minus[i] = -999;
    }
    cr_expect_eq(score(&plain, missing), score(&coded, minus));
    cr_expect_neq(score(&plain, missing), score(&plain, minus));
    tiny_free(coded.tiny);
    tiny_free(plain.tiny);
}

Test(kind_trees, features_by_other_names)
{
    Case same = good_case("file: xgboost-1.7.4/binary_logistic.json");
    Case other = {.tiny = tiny_new()};
    double row[20] = {80, 1, 30, 2, 1, 8, 9, 4, 22, 11, 60, 40, 3, 1};
    double mapped[20];

    for (int i = 1; i < N; i++) {
        if (strcmp(FEATURES[i], "n_meds") == 0)
            tiny_attribute(other.tiny, "medicines", NULL);
        else if (strcmp(FEATURES[i], "sex_male") == 0)
            tiny_attribute(other.tiny, "sex", "F M");
        else
            tiny_attribute(other.tiny, FEATURES[i], NULL);
    }
    compile(&other,
            "file: xgboost-1.7.4/binary_logistic.json\n"
            "features:\n"
            "  n_meds: medicines\n"
            "  sex_male: sex == M\n"
            "  egfr: {value: egfr / 1, label: Kidney function, say: \"eGFR {value}\"}\n");
    cr_assert_eq(other.rc, 0, "%s", other.tiny->err.text);
    memcpy(mapped, row, sizeof row); /* word 1 of sex is M */
    cr_expect_eq(score(&same, row), score(&other, mapped));
    cr_expect_str_eq(other.model->terms[6].label, "medicines");
    cr_expect_not_null(other.model->terms[1].value);
    cr_expect_eq(other.model->terms[1].slot, 1);
    cr_expect_str_eq(other.model->terms[10].label, "Kidney function");
    cr_expect_str_eq(other.model->terms[10].say, "eGFR {value}");
    tiny_free(other.tiny);
    tiny_free(same.tiny);
}

/* ---- categories
 * ------------------------------------------------------------------------- */

Test(kind_trees, words_become_codes)
{
    Case same = good_case("file: lightgbm-4.6.0/categorical.txt");
    Case words = {.tiny = tiny_new()};
    double row[20] = {90, 0, 10, 0, 1, 8, 3, 1, 22, 11, 60, 40, 3, 0};
    int why = 0;

    for (int i = 1; i < N; i++)
        tiny_attribute(words.tiny, FEATURES[i], i == 13 ? "current ex never" : NULL);
    compile(&words, "file: lightgbm-4.6.0/categorical.txt\n"
                    "features:\n"
                    "  smoking_cat: {value: smoking_cat, codes: {never: 0, ex: 1}}\n");
    cr_assert_eq(words.rc, 0, "%s", words.tiny->err.text);
    for (int code = 0; code < 2; code++) {
        double got, want;

        row[13] = code;
        want = score(&same, row);
        row[13] = 2 - code; /* never is word 2, ex is word 1 */
        got = score(&words, row);
        cr_expect_eq(got, want);
    }
    row[13] = NAN; /* not recorded is missing, and goes the trained way */
    cr_expect_eq(score(&words, row), score(&same, row));
    row[13] = 0; /* current: the model was trained without it */
    cr_expect(isnan(model_score(words.model, row, &why)));
    cr_expect_str_eq(words.model->reasons[why].text,
                     "\"smoking_cat\" has a category that the model does not");
    row[13] = 3; /* a word that came with the data */
    cr_expect(isnan(model_score(words.model, row, &why)));
    tiny_free(words.tiny);
    tiny_free(same.tiny);
}

/* ---- shares
 * ---------------------------------------------------------------------------------- */

Test(kind_trees, shares_and_the_intercept_are_the_margin)
{
    Case c = good_case("{file: lightgbm-4.6.0/categorical.txt, output: margin}");
    FILE *inputs = open_inputs(LGBM, "categorical");
    double row[MOST_COLUMNS];
    Share shares[N];

    cr_expect_eq(c.model->most_shares, N);
    while (csv_numbers(inputs, 0, row) == N) {
        double sum = c.model->intercept, want = score(&c, row);
        int n = kind_trees.shares(c.model, row, shares);

        for (int i = 0; i < n; i++) {
            sum += shares[i].amount;
            cr_expect(i == 0 || shares[i].term > shares[i - 1].term);
            cr_expect_eq(shares[i].slot, c.model->terms[shares[i].term].slot);
        }
        cr_expect(fabs(sum - want) <= 1e-9 * fabs(want), "%.17g, want %.17g", sum, want);
    }
    fclose(inputs);
    tiny_free(c.tiny);
}

/* ---- refusals
 * ------------------------------------------------------------------------------ */

#define AT       "tests/data/trees/risk.yaml:"
#define LOGISTIC "file: xgboost-1.7.4/binary_logistic.json\n"

static const struct {
    const char *yaml, *want;
} FAULTS[] = {
    {"output: margin", AT "1:1: \"file\" is missing"},
    {"file: none.json",
     "tests/data/trees/none.json: could not open: No such file or directory"},
    {LOGISTIC "output: chance", AT "2:9: \"output\" cannot be \"chance\""},
    {LOGISTIC "output: margins",
     AT "2:9: \"output\" cannot be \"margins\"\n    hint: did you mean \"margin\"?"},
    {"file: xgboost-1.7.4/count_poisson.json\noutput: probability",
     AT "2:9: a model with the objective \"count:poisson\" does not give a probability\n"
        "    hint: write \"output: prediction\" or \"output: margin\""},
    {"file: xgboost-1.7.4/multi_softprob.json",
     AT "1:1: the model file has 3 outputs, and \"class\" is missing\n    hint: add the "
        "line \"class: N\" with the one to score, 0 to 2"},
    {"file: xgboost-1.7.4/early_stopped.json",
     AT "1:1: training stopped early: 8 of 13 rounds are the best, and \"rounds\" is "
        "missing\n    hint: scikit-learn's XGBoost predicts with \"rounds: best\", "
        "Booster.predict with \"rounds: all\""},
    {LOGISTIC "rounds: some", AT "2:9: \"rounds\" must be all or best, not \"some\""},
    {"file: lightgbm-4.6.0/dart.txt\nrounds: best",
     AT "2:9: the model file does not say which rounds are the best"},
    {LOGISTIC "missing: zero",
     AT "2:10: \"missing\" has no meaning for trees: the model file decides"},
    {LOGISTIC "features: [age]",
     AT "2:11: \"features\" must be a map of the model file's names"},
    {LOGISTIC "features:\n  n_med: n_meds",
     AT "3:3: unknown key \"n_med\"\n    hint: did you mean \"n_meds\"?"},
    {LOGISTIC "features:\n  n_meds: [1]",
     AT "3:11: a feature is an expression, or a map with \"value\""},
    {LOGISTIC "features:\n  n_meds: n_medz",
     AT "3:11: unknown name \"n_medz\"\n    hint: did you mean \"n_meds\"?"},
    {LOGISTIC "features:\n  n_meds: {value: n_meds, codes: {a: 1}}",
     AT "3:34: \"codes\" belong to words, but the value is a number"},
};

Test(kind_trees, faults_are_found_while_compiling)
{
    for (size_t r = 0; r < sizeof FAULTS / sizeof *FAULTS; r++) {
        Case c = case_of(FAULTS[r].yaml);

        cr_expect_str_eq(c.tiny->err.text, FAULTS[r].want, "got  %s\nwant %s",
                         c.tiny->err.text, FAULTS[r].want);
        tiny_free(c.tiny);
    }
}

Test(kind_trees, a_feature_that_is_no_name_here)
{
    Case c = {.tiny = tiny_new()};

    for (int i = 1; i < N; i++)
        if (strcmp(FEATURES[i], "n_meds") != 0 && strcmp(FEATURES[i], "egfr") != 0)
            tiny_attribute(c.tiny, FEATURES[i], NULL);
    tiny_attribute(c.tiny, "n_med", NULL);
    compile(&c, LOGISTIC);
    cr_expect_str_eq(c.tiny->err.text,
                     AT "1:1: the model file needs \"n_meds\", which is no name here\n"
                        "    hint: did you mean \"n_med\"?\n" AT
                        "1:1: the model file needs \"egfr\", which is no name here\n"
                        "    hint: say under \"features:\" what it is",
                     "%s", c.tiny->err.text);
    tiny_free(c.tiny);
}

Test(kind_trees, a_word_needs_codes)
{
    Case c = {.tiny = tiny_new()};

    for (int i = 1; i < N; i++)
        tiny_attribute(c.tiny, FEATURES[i], i == 13 ? "never ex" : NULL);
    compile(&c, LOGISTIC);
    cr_expect_str_eq(c.tiny->err.text,
                     AT "1:1: \"smoking_cat\" is a number in the model file, but a word "
                        "here\n    hint: give its words numbers under \"codes:\"",
                     "%s", c.tiny->err.text);
    tiny_free(c.tiny);
}
