#include "tests/models/trees_data.h"

#define XGB1 "xgboost-1.7.4"
#define XGB2 "xgboost-1.7.4-debian"
#define XGB3 "xgboost-3.4.1"
#define LGBM "lightgbm-4.6.0"

/* ---- the libraries' own numbers -----------------------------------------------------
 */

static const struct {
    const char *folder, *name, *ending, *version;
    int n_rounds, best_rounds;
} EXAMPLES[] = {
    {XGB1, "binary_logistic", "json", "XGBoost 1.7.4", 3, 3},
    {XGB1, "binary_logistic", "ubj", "XGBoost 1.7.4", 3, 3},
    {XGB1, "binary_logistic_base0.07", "json", "XGBoost 1.7.4", 3, 3},
    {XGB1, "categorical_partition", "json", "XGBoost 1.7.4", 3, 3},
    {XGB1, "categorical_partition", "ubj", "XGBoost 1.7.4", 3, 3},
    {XGB1, "count_poisson", "json", "XGBoost 1.7.4", 3, 3},
    {XGB1, "dart", "json", "XGBoost 1.7.4", 3, 3},
    {XGB1, "early_stopped", "json", "XGBoost 1.7.4", 13, 8},
    {XGB1, "gblinear", "json", "XGBoost 1.7.4", 1, 0},
    {XGB1, "multi_softprob", "json", "XGBoost 1.7.4", 3, 3},
    {XGB1, "multi_softprob", "ubj", "XGBoost 1.7.4", 3, 3},
    {XGB2, "random_forest", "json", "XGBoost 1.7.4", 1, 0},
    {XGB2, "random_forest_multi", "json", "XGBoost 1.7.4", 2, 0},
    {XGB2, "tweedie", "json", "XGBoost 1.7.4", 3, 0},
    {XGB2, "cox", "json", "XGBoost 1.7.4", 3, 0},
    {XGB2, "aft", "json", "XGBoost 1.7.4", 3, 0},
    {XGB2, "hinge", "json", "XGBoost 1.7.4", 3, 0},
    {XGB2, "logitraw", "json", "XGBoost 1.7.4", 3, 0},
    {XGB2, "dart_base0.07", "json", "XGBoost 1.7.4", 5, 0},
    {XGB2, "gblinear_multi", "json", "XGBoost 1.7.4", 1, 0},
    {XGB3, "binary_logistic", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "binary_logistic", "ubj", "XGBoost 3.4.1", 3, 0},
    {XGB3, "binary_logistic_base0.07", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "categorical_partition", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "categorical_partition", "ubj", "XGBoost 3.4.1", 3, 0},
    {XGB3, "count_poisson", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "dart", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "early_stopped", "json", "XGBoost 3.4.1", 7, 2},
    {XGB3, "gblinear", "json", "XGBoost 3.4.1", 1, 0},
    {XGB3, "multi_output_tree", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "multi_softprob", "json", "XGBoost 3.4.1", 3, 0},
    {XGB3, "multi_softprob", "ubj", "XGBoost 3.4.1", 3, 0},
    {LGBM, "binary_missing_nan", "txt", "LightGBM v4", 3, 0},
    {LGBM, "binary_zero_as_missing", "txt", "LightGBM v4", 3, 0},
    {LGBM, "categorical", "txt", "LightGBM v4", 3, 0},
    {LGBM, "dart", "txt", "LightGBM v4", 3, 0},
    {LGBM, "linear_tree", "txt", "LightGBM v4", 3, 0},
    {LGBM, "multiclass_softmax", "txt", "LightGBM v4", 3, 0},
    {LGBM, "poisson", "txt", "LightGBM v4", 3, 0},
    {LGBM, "random_forest", "txt", "LightGBM v4", 3, 0},
    {LGBM, "stump_only", "txt", "LightGBM v4", 1, 0},
};
enum { N_EXAMPLES = sizeof EXAMPLES / sizeof *EXAMPLES };

static bool same_margin(const Forest *forest, double got, double want)
{
    if (forest->library == LIBRARY_XGBOOST)
        return (float)got == (float)want; /* to the last bit */
    return fabs(got - want) <= 1e-12 * fabs(want);
}

static bool same_prediction(const Forest *forest, double got, double want)
{
    double most = forest->library == LIBRARY_XGBOOST ? 2e-6 : 1e-12;

    return fabs(got - want) <= most * fabs(want);
}

static void check_row(const Forest *forest, const char *name, int row, const double *x,
                      const double *want)
{
    double margin[FOREST_MOST_OUTPUTS];

    forest_margin(forest, x, margin);
    for (int k = 0; k < forest->n_outputs; k++) {
        double prediction = forest_output(forest, margin, k);

        cr_expect(same_margin(forest, margin[k], want[k]),
                  "%s %s, row %d: margin %.17g, want %.17g", forest->version, name, row,
                  margin[k], want[k]);
        cr_expect(same_prediction(forest, prediction, want[forest->n_outputs + k]),
                  "%s %s, row %d: prediction %.17g, want %.17g", forest->version, name,
                  row, prediction, want[forest->n_outputs + k]);
    }
}

Test(tree_forest, the_libraries_own_numbers)
{
    for (int e = 0; e < N_EXAMPLES; e++) {
        Arena *arena = arena_new();
        double x[MOST_COLUMNS], want[MOST_COLUMNS];
        FILE *inputs = open_inputs(EXAMPLES[e].folder, EXAMPLES[e].name);
        FILE *expected =
            open_beside(EXAMPLES[e].folder, EXAMPLES[e].name, "expected.csv");
        Forest forest;
        int rows = 0;

        read_example(&forest, EXAMPLES[e].folder, EXAMPLES[e].name, EXAMPLES[e].ending,
                     arena);
        cr_expect_str_eq(forest.version, EXAMPLES[e].version);
        cr_expect_eq(forest.n_rounds, EXAMPLES[e].n_rounds, "%s", EXAMPLES[e].name);
        cr_expect_eq(forest.best_rounds, EXAMPLES[e].best_rounds, "%s", EXAMPLES[e].name);
        cr_assert_eq(forest.n_features, 14);
        cr_expect_str_eq(forest.feature[13],
                         strcmp(EXAMPLES[e].folder, XGB2) == 0 ? "f13" : "smoking_cat");
        while (csv_numbers(inputs, 0, x) == forest.n_features &&
               csv_numbers(expected, 1, want) >= 2 * forest.n_outputs)
            check_row(&forest, EXAMPLES[e].name, ++rows, x, want);
        cr_expect_eq(rows, EXAMPLE_ROWS, "%s", EXAMPLES[e].name);
        fclose(expected);
        fclose(inputs);
        arena_free(arena);
    }
}

Test(tree_forest, the_best_rounds_only)
{
    static const char *const FOLDERS[] = {XGB1, XGB3};

    for (int f = 0; f < 2; f++) {
        Arena *arena = arena_new();
        FILE *inputs = open_inputs(FOLDERS[f], "early_stopped");
        FILE *expected = open_beside(FOLDERS[f], "early_stopped", "expected.csv");
        double x[MOST_COLUMNS], want[MOST_COLUMNS], margin;
        Forest forest;

        read_example(&forest, FOLDERS[f], "early_stopped", "json", arena);
        forest_cut(&forest, forest.best_rounds);
        while (csv_numbers(inputs, 0, x) == 14 && csv_numbers(expected, 1, want) == 3) {
            forest_margin(&forest, x, &margin);
            cr_expect(
                same_prediction(&forest, forest_output(&forest, &margin, 0), want[2]));
        }
        fclose(expected);
        fclose(inputs);
        arena_free(arena);
    }
}

/* ---- other versions ------------------------------------------------------------------
 */

/* Layouts of versions that no example is of: the same model written otherwise. */
static const struct Layout {
    const char *name, *folder, *file, *change[3];
} LAYOUTS[] = {
    {"a base score by itself",
     XGB3,
     "binary_logistic.json",
     {"", "\"[1.55E-1]\"", "\"1.55E-1\""}},
    {"default directions as true and false",
     XGB1,
     "binary_logistic.json",
     {"", "\"default_left\":[0,0,0,0,0,0,0,1",
      "\"default_left\":[false,false,false,"
      "false,false,false,false,true"}},
    {"no split types",
     XGB1,
     "binary_logistic.json",
     {"\"id\":2", "\"split_type\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],", ""}},
    {"a newer file of an old version",
     XGB1,
     "binary_logistic.json",
     {"", "\"version\":[1,7,4]", "\"version\":[1,0,2]"}},
    {"dart weights beside the model",
     XGB3,
     "dart.json",
     {"", ",\"weight_drop\":[1E0,8.333333E-1,8.333333E-1]},",
      "},\"weight_drop\":[1E0,8.333333E-1,8.333333E-1],"}},
    {"rounds by their count",
     XGB3,
     "multi_softprob.json",
     {"", "\"iteration_indptr\":[0,3,6,9],", ""}},
    {"a file with blanks around", XGB3, "binary_logistic.json", {"", "{", " \n{"}},
    {"an older LightGBM",
     LGBM,
     "binary_missing_nan.txt",
     {"", "version=v4", "version=v3"}},
    {"line ends of Windows",
     LGBM,
     "binary_missing_nan.txt",
     {"", "version=v4\n", "version=v4\r\n"}},
};

Test(tree_forest, layouts_of_other_versions)
{
    for (size_t r = 0; r < sizeof LAYOUTS / sizeof *LAYOUTS; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest, same;
        FILE *inputs = open_inputs(LAYOUTS[r].folder, "none");
        double x[MOST_COLUMNS], got[4], want[4];
        char name[64];

        snprintf(name, sizeof name, "%s", LAYOUTS[r].file);
        parse_changed(&forest, LAYOUTS[r].folder, name, LAYOUTS[r].change, arena, &err);
        cr_assert_eq(err.n_reports, 0, "%s: %s", LAYOUTS[r].name, err.text);
        *strrchr(name, '.') = '\0';
        read_example(&same, LAYOUTS[r].folder, name, strrchr(LAYOUTS[r].file, '.') + 1,
                     arena);
        cr_expect_eq(forest.n_rounds, same.n_rounds, "%s", LAYOUTS[r].name);
        while (csv_numbers(inputs, 0, x) == 14) {
            forest_margin(&forest, x, got);
            forest_margin(&same, x, want);
            for (int k = 0; k < same.n_outputs; k++)
                cr_expect(got[k] == want[k], "%s", LAYOUTS[r].name);
        }
        fclose(inputs);
        arena_free(arena);
    }
}

/* dart of up to 3.2: the booster has the name, and its trees lie one floor down. */
Test(tree_forest, dart_weights_are_used_wherever_they_are)
{
    Arena *arena = arena_new();
    Forest with, without;
    Err err = {0};
    double x[14] = {85, 1, 30, 2, 3, 8, 9, 4, 25, 11, 50, 100, 3, 1}, a, b;

    read_example(&with, XGB1, "dart", "json", arena);
    cr_expect_eq(with.trees[1].weight, 8.333333e-1f);
    parse_changed(&without, XGB1, "dart.json",
                  (const char *const[]){"", "[1E0,8.333333E-1,8.333333E-1]", "[1,1,1]"},
                  arena, &err);
    cr_assert_eq(err.n_reports, 0, "%s", err.text);
    forest_margin(&with, x, &a);
    forest_margin(&without, x, &b);
    cr_expect(a != b);
    arena_free(arena);
}

/* What a prediction is made of, by objective: a margin of 0.25 or so. */
static const struct Objective {
    const char *folder, *file, *change[3];
    double margin, want;
} OBJECTIVES[] = {
    {XGB1,
     "binary_logistic.json",
     {"", "binary:logistic", "binary:logitraw"},
     0.25,
     0.25},
    {XGB1,
     "binary_logistic.json",
     {"", "binary:logistic", "reg:logistic"},
     0.25,
     0.5621765008857981},
    {XGB1, "binary_logistic.json", {"", "binary:logistic", "binary:hinge"}, 0.25, 1},
    {XGB1, "binary_logistic.json", {"", "binary:logistic", "binary:hinge"}, 0, 0},
    {XGB1,
     "binary_logistic.json",
     {"", "binary:logistic", "reg:gamma"},
     0.25,
     1.2840254166877414},
    {XGB1,
     "binary_logistic.json",
     {"", "binary:logistic", "survival:cox"},
     0.25,
     1.2840254166877414},
    {XGB1, "binary_logistic.json", {"", "binary:logistic", "rank:ndcg"}, 0.25, 0.25},
    {LGBM,
     "poisson.txt",
     {"", "=poisson", "=tweedie tweedie_variance_power:1.5"},
     0.25,
     1.2840254166877414},
    {LGBM, "poisson.txt", {"", "=poisson", "=regression sqrt"}, -0.25, -0.0625},
    {LGBM, "poisson.txt", {"", "=poisson", "=cross_entropy"}, 0.25, 0.5621765008857981},
    {LGBM,
     "poisson.txt",
     {"", "=poisson", "=cross_entropy_lambda"},
     0.25,
     0.8259394198788435},
    {LGBM,
     "poisson.txt",
     {"", "=poisson", "=binary sigmoid:2"},
     0.25,
     0.6224593312018546},
    {LGBM, "poisson.txt", {"", "=poisson", "=quantile alpha:0.9"}, 0.25, 0.25},
    {LGBM, "poisson.txt", {"", "objective=poisson\n", ""}, 0.25, 0.25},
};

Test(tree_forest, objectives)
{
    for (size_t r = 0; r < sizeof OBJECTIVES / sizeof *OBJECTIVES; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest;
        double got;

        parse_changed(&forest, OBJECTIVES[r].folder, OBJECTIVES[r].file,
                      OBJECTIVES[r].change, arena, &err);
        cr_assert_eq(err.n_reports, 0, "%s", err.text);
        got = forest_output(&forest, &OBJECTIVES[r].margin, 0);
        cr_expect(fabs(got - OBJECTIVES[r].want) <= 1e-7, "%s: %.17g, want %.17g",
                  OBJECTIVES[r].change[2], got, OBJECTIVES[r].want);
        arena_free(arena);
    }
}

/* base_score is on the scale of predictions: in single precision, as the library. */
Test(tree_forest, base_scores)
{
    static const struct {
        const char *objective, *base;
        float want;
    } ROWS[] = {
        {"binary:logistic", "7E-2", -2.58668947f},
        {"binary:logistic", "0", -13.8155107f},
        {"binary:logitraw", "1.4E-1", 0.14f},
        {"count:poisson", "[2.5]", 0.916290760f},
        {"reg:squarederror", "0.500000", 0.5f},
        {"survival:aft", "5E-1", -0.693147182f},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        size_t len;
        char *text = read_text(XGB1, "binary_logistic.json", &len), *one, *two;
        Err err = {0};
        Forest forest;

        one = changed(text, "", "\"5E-1\"", arena_format(arena, "\"%s\"", ROWS[r].base));
        two = changed(one, "\"objective\"", "binary:logistic", ROWS[r].objective);
        cr_assert_eq(forest_parse(&forest, "m", two, strlen(two), arena, &err), 0, "%s",
                     err.text);
        cr_expect(fabs(forest.offset[0] - (double)ROWS[r].want) <=
                      2e-7 * fabs((double)ROWS[r].want),
                  "%s of %s: %.9g", ROWS[r].objective, ROWS[r].base, forest.offset[0]);
        free(two);
        free(one);
        free(text);
        arena_free(arena);
    }
}

/* Sides of categories: XGBoost sends the set {0, 3, ...} right, LightGBM left. */
Test(tree_forest, categories_that_were_never_seen)
{
    static const double STRANGE[] = {-1, -0.5, 16777216, 4e9, 1e300, -1e300, INFINITY};
    Arena *arena = arena_new();
    Forest xgboost, lightgbm;

    read_example(&xgboost, XGB1, "categorical_partition", "json", arena);
    read_example(&lightgbm, LGBM, "categorical", "txt", arena);
    for (uint32_t i = 0; i < xgboost.n_nodes; i++) {
        const TreeNode *node = &xgboost.nodes[i];

        if (!(node->test & NODE_CATEGORY))
            continue;
        for (size_t s = 0; s < sizeof STRANGE / sizeof *STRANGE; s++)
            cr_expect(!forest_goes_right(&xgboost, node, STRANGE[s]));
    }
    for (uint32_t i = 0; i < lightgbm.n_nodes; i++) {
        const TreeNode *node = &lightgbm.nodes[i];

        if (!(node->test & NODE_CATEGORY))
            continue;
        cr_expect(forest_goes_right(&lightgbm, node, NAN));
        cr_expect_eq(forest_goes_right(&lightgbm, node, -0.5),
                     forest_goes_right(&lightgbm, node, 0));
        cr_expect_eq(forest_goes_right(&lightgbm, node, 3.7),
                     forest_goes_right(&lightgbm, node, 3));
        for (size_t s = 2; s < sizeof STRANGE / sizeof *STRANGE; s++)
            cr_expect(forest_goes_right(&lightgbm, node, STRANGE[s]));
        cr_expect(forest_goes_right(&lightgbm, node, -1));
    }
    arena_free(arena);
}

/* The categories a file names, whatever it was written by. */
Test(tree_forest, names_of_categories)
{
    static const char NONE[] = "{\"type\":9,\"values\":[]}";
    Arena *arena = arena_new();
    Forest forest;
    Err err = {0};
    char enc[1024] = "\"enc\":[";

    parse_changed(&forest, LGBM, "categorical.txt",
                  (const char *const[]){"", "pandas_categorical:null",
                                        "pandas_categorical:[[\"a\", \"b\"], [10, 5]]"},
                  arena, &err);
    cr_assert_eq(err.n_reports, 0, "%s", err.text);
    cr_expect_eq(forest.categories[0].n, 0);
    cr_expect_eq(forest.categories[12].n, 2);
    cr_expect_str_eq(forest.categories[12].name[1], "b");
    cr_expect_eq(forest.categories[13].number[1], 5);
    parse_changed(&forest, LGBM, "categorical.txt",
                  (const char *const[]){"", "pandas_categorical:null",
                                        "pandas_categorical:[[\"a\"]]"},
                  arena, &err);
    cr_expect_eq(forest.categories[12].n, -1);
    for (int i = 0; i < 13; i++)
        strcat(strcat(enc, NONE), ",");
    strcat(enc, "{\"offsets\":[0,2,5],\"values\":[110,111,121,101,115]}],");
    parse_changed(&forest, XGB3, "categorical_partition.json",
                  (const char *const[]){"", "\"enc\":[],", enc}, arena, &err);
    cr_assert_eq(err.n_reports, 0, "%s", err.text);
    cr_expect_eq(forest.categories[13].n, 2);
    cr_expect_str_eq(forest.categories[13].name[0], "no");
    cr_expect_str_eq(forest.categories[13].name[1], "yes");
    arena_free(arena);
}
