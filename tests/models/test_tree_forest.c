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

/* ---- changed files ------------------------------------------------------------------
 */

static char *read_text(const char *folder, const char *file, size_t *len)
{
    char path[256];
    char *text = mem_alloc(1 << 17, 1, "a test file");
    FILE *from;

    snprintf(path, sizeof path, TREES "%s/%s", folder, file);
    from = fopen(path, "rb");
    cr_assert(from != NULL, "%s", path);
    *len = fread(text, 1, (1 << 17) - 1, from);
    fclose(from);
    return text;
}

/* The text with the first `old` behind `after` replaced. */
static char *changed(const char *text, const char *after, const char *old,
                     const char *new)
{
    const char *at = strstr(text, after);
    char *out = mem_alloc(strlen(text) + strlen(new) + 1, 1, "a test file");

    cr_assert(at != NULL, "%s", after);
    at = strstr(at, old);
    cr_assert(at != NULL, "%s", old);
    memcpy(out, text, (size_t)(at - text));
    strcat(strcpy(out + (at - text), new), at + strlen(old));
    return out;
}

static void parse_changed(Forest *forest, const char *folder, const char *file,
                          const char *const change[3], Arena *arena, Err *err)
{
    size_t len;
    char *text = read_text(folder, file, &len);
    char *other = changed(text, change[0], change[1], change[2]);
    int rc = forest_parse(forest, "m", other, strlen(other), arena, err);

    cr_expect_eq(rc != 0, err->n_reports != 0);
    free(other);
    free(text);
}

/* Layouts of versions that no example is of: the same model written otherwise. */
Test(tree_forest, layouts_of_other_versions)
{
    static const struct {
        const char *name, *folder, *file, *change[3];
    } ROWS[] = {
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

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest, same;
        FILE *inputs = open_inputs(ROWS[r].folder, "none");
        double x[MOST_COLUMNS], got[4], want[4];
        char name[64];

        snprintf(name, sizeof name, "%s", ROWS[r].file);
        parse_changed(&forest, ROWS[r].folder, name, ROWS[r].change, arena, &err);
        cr_assert_eq(err.n_reports, 0, "%s: %s", ROWS[r].name, err.text);
        *strrchr(name, '.') = '\0';
        read_example(&same, ROWS[r].folder, name, strrchr(ROWS[r].file, '.') + 1, arena);
        cr_expect_eq(forest.n_rounds, same.n_rounds, "%s", ROWS[r].name);
        while (csv_numbers(inputs, 0, x) == 14) {
            forest_margin(&forest, x, got);
            forest_margin(&same, x, want);
            for (int k = 0; k < same.n_outputs; k++)
                cr_expect(got[k] == want[k], "%s", ROWS[r].name);
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
Test(tree_forest, objectives)
{
    static const struct {
        const char *folder, *file, *change[3];
        double margin, want;
    } ROWS[] = {
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
        {LGBM,
         "poisson.txt",
         {"", "=poisson", "=cross_entropy"},
         0.25,
         0.5621765008857981},
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

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest;
        double got;

        parse_changed(&forest, ROWS[r].folder, ROWS[r].file, ROWS[r].change, arena, &err);
        cr_assert_eq(err.n_reports, 0, "%s", err.text);
        got = forest_output(&forest, &ROWS[r].margin, 0);
        cr_expect(fabs(got - ROWS[r].want) <= 1e-7, "%s: %.17g, want %.17g",
                  ROWS[r].change[2], got, ROWS[r].want);
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

/* ---- refusals ------------------------------------------------------------------------
 */

#define LOGISTIC XGB1, "binary_logistic.json"
#define LGBM_NAN LGBM, "binary_missing_nan.txt"
#define LGBM_CAT LGBM, "categorical.txt"
#define LGBM_LIN LGBM, "linear_tree.txt"
#define SAVE_HINT                                                                        \
    "\n    hint: save it with the library that trained it: XGBoost "                     \
    "save_model(\"m.json\"), LightGBM save_model(\"m.txt\")"

static const struct {
    const char *folder, *file, *change[3], *want;
} FAULTS[] = {
    {LOGISTIC,
     {"", "[1,7,4]", "[4,0,0]"},
     "m: written by XGBoost 4.0.0; 1.0 to 3.4 are known here\n    hint: load it with "
     "that "
     "version and ask for a newer release of this program; other versions lay models out "
     "differently"},
    {LOGISTIC,
     {"", "[1,7,4]", "[3,5,0]"},
     "m: written by XGBoost 3.5.0; 1.0 to 3.4 are known here\n    hint: load it with "
     "that "
     "version and ask for a newer release of this program; other versions lay models out "
     "differently"},
    {LOGISTIC, {"", "[1,7,4]", "[1,7]"}, "m: \"version\" does not have three numbers"},
    {LOGISTIC, {"", "\"version\"", "\"edition\""}, "m: the file has no \"version\""},
    {LOGISTIC, {"", "\"learner\"", "\"pupil\""}, "m: the file has no \"learner\""},
    {LOGISTIC, {"", "binary:logistic", "my:own"}, "m: objective \"my:own\" is not known"},
    {XGB1,
     "multi_softprob.json",
     {"", "multi:softprob", "reg:quantileerror"},
     "m: objective \"reg:quantileerror\" of 3 outputs is not known"},
    {LOGISTIC,
     {"", "\"gbtree\"}", "\"gbforest\"}"},
     "m: booster \"gbforest\" is not known"},
    {LOGISTIC,
     {"", "\"5E-1\"", "\"[5E-1,1]\""},
     "m: \"base_score\" is \"[5E-1,1]\" for 1 outputs"},
    {LOGISTIC,
     {"", "\"5E-1\"", "\"half\""},
     "m: \"base_score\" is \"half\" for 1 outputs"},
    {XGB1,
     "count_poisson.json",
     {"", "\"5E-1\"", "\"-5E-1\""},
     "m: \"base_score\" is \"-5E-1\" for \"count:poisson\""},
    {LOGISTIC, {"", "\"age\",", ""}, "m: \"feature_names\" has 13 names for 14 features"},
    {LOGISTIC,
     {"\"learner_model_param\"", "\"num_feature\":\"14\"", "\"num_feature\":\"0\""},
     "m: a model of 0 features; 1 to 4096 can be scored"},
    {LOGISTIC,
     {"", "\"num_class\":\"0\"", "\"num_class\":\"1000\""},
     "m: a model of 1000 outputs; 1 to 256 can be scored"},
    {LOGISTIC,
     {"", "\"num_class\":\"0\"", "\"num_class\":\"many\""},
     "m: \"num_class\" of learner_model_param is not a whole number"},
    {LOGISTIC,
     {"", "\"tree_info\":[0,0,0]", "\"tree_info\":[0,0]"},
     "m: \"tree_info\" speaks of 2 trees, but there are 3"},
    {LOGISTIC,
     {"", "\"tree_info\":[0,0,0]", "\"tree_info\":[0,1,0]"},
     "m: tree 1 adds to an output that is not there"},
    {LOGISTIC, {"", "\"id\":1", "\"id\":2"}, "m: tree 1 has the id 2"},
    {LOGISTIC,
     {"", "\"left_children\":[1,", "\"left_children\":[0,"},
     "m: tree 0 leads to node 0 twice"},
    {LOGISTIC,
     {"", "\"left_children\":[1,3,", "\"left_children\":[1,2,"},
     "m: tree 0 leads to node 2 twice"},
    {LOGISTIC,
     {"\"id\":1", "\"right_children\":[2,", "\"right_children\":[21,"},
     "m: tree 1 leads to node 21, but has 21 nodes"},
    {LOGISTIC,
     {"\"id\":1", "\"right_children\":[2,", "\"right_children\":[-1,"},
     "m: tree 1 leads to node -1, but has 21 nodes"},
    {LOGISTIC,
     {"", "\"split_indices\":[6,", "\"split_indices\":[14,"},
     "m: tree 0 asks for feature 14, but the model has 14"},
    {LOGISTIC,
     {"", "\"split_indices\":[6,", "\"split_indices\":[-1,"},
     "m: tree 0 asks for feature -1, but the model has 14"},
    {LOGISTIC,
     {"", "\"split_indices\":[6,", "\"split_indices\":["},
     "m: \"split_indices\" of tree 0 has 20 entries for 21 nodes"},
    {LOGISTIC,
     {"", "\"split_indices\":[6,", "\"split_indices\":[\"six\","},
     "m: \"split_indices\" of tree 0 is not a list of numbers"},
    {LOGISTIC,
     {"", "\"split_indices\"", "\"indices\""},
     "m: tree 0 has no \"split_indices\""},
    {LOGISTIC,
     {"", "2.1538463E-1,4.632E1", "NaN,4.632E1"},
     "m: leaf 6 of tree 0 is not a number"},
    {LOGISTIC,
     {"", "2.1538463E-1,4.632E1", "Infinity,4.632E1"},
     "m: leaf 6 of tree 0 is not a number"},
    {LOGISTIC,
     {"", "\"num_nodes\":\"21\"", "\"num_nodes\":\"0\""},
     "m: tree 0 has no nodes"},
    {LOGISTIC,
     {"\"id\":0", "\"size_leaf_vector\":\"0\"", "\"size_leaf_vector\":\"3\""},
     "m: tree 0 has leaves of 3 numbers for 1 outputs"},
    {LOGISTIC,
     {"", "\"split_type\":[0", "\"split_type\":[1"},
     "m: node 0 of tree 0 has no categories"},
    {LOGISTIC,
     {"", "\"learner\":{", "\"learner\":["},
     "m:1: not JSON: ']' expected near ':'"},
    {XGB1,
     "categorical_partition.json",
     {"", "\"categories_nodes\":[2,3]", "\"categories_nodes\":[1,3]"},
     "m: tree 0 has categories for a node that is not categorical"},
    {XGB1,
     "categorical_partition.json",
     {"", "\"categories_nodes\":[2,3]", "\"categories_nodes\":[2]"},
     "m: the category lists of tree 0 differ in length"},
    {XGB1,
     "categorical_partition.json",
     {"", "\"categories_sizes\":[12,12]", "\"categories_sizes\":[12,13]"},
     "m: a category set of tree 0 is beyond its list"},
    {XGB1,
     "categorical_partition.json",
     {"", "\"categories\":[0,3,", "\"categories\":[0,-3,"},
     "m: tree 0 has a category that is not in 0 to 65535"},
    {XGB1,
     "gblinear.json",
     {"", "\"weights\":[", "\"weights\":[1,"},
     "m: gblinear has 16 weights; 14 features and 1 outputs need 15"},
    {XGB1,
     "dart.json",
     {"", "[1E0,8.333333E-1,8.333333E-1]", "[1]"},
     "m: \"weight_drop\" speaks of 1 trees, but there are 3"},
    {XGB1,
     "dart.json",
     {"", "\"weight_drop\"", "\"weight\""},
     "m: gradient_booster has no \"weight_drop\""},
    {XGB3,
     "binary_logistic.json",
     {"", "\"iteration_indptr\":[0,1,2,3]", "\"iteration_indptr\":[0,1,2]"},
     "m: \"iteration_indptr\" does not end at 3"},
    {XGB1,
     "multi_softprob.json",
     {"", "\"num_parallel_tree\":\"1\"", "\"num_parallel_tree\":\"2\""},
     "m: 9 trees are not whole rounds of 6"},
    {XGB3,
     "multi_output_tree.json",
     {"", "\"right_children\":[2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,0,",
      "\"right_children\":[2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,16,"},
     "m: leaf 15 of tree 0 has no numbers"},
    {LGBM_NAN,
     {"", "version=v4", "version=v5"},
     "m:2: written in LightGBM's format \"v5\"; v2, v3 and v4 are known here"},
    {LGBM_NAN,
     {"", "=binary sigmoid:1", "=anomaly"},
     "m:7: objective \"anomaly\" is not known"},
    {LGBM_NAN,
     {"", "sigmoid:1", "sigmoid:-1"},
     "m:7: the sigmoid parameter is not above 0"},
    {LGBM_NAN,
     {"", "sigmoid:1", "tanh:1"},
     "m:7: objective word \"tanh:1\" is not known"},
    {LGBM_NAN,
     {"", "label_index=0", "label_shift=0"},
     "m:5: \"label_shift\" is not known here"},
    {LGBM_NAN, {"", "label_index=0", "num_class=1"}, "m:5: \"num_class\" is there twice"},
    {LGBM_NAN,
     {"", "max_feature_idx=13", "max_feature_idx=12"},
     "m:8: \"feature_names\" has 14 names for 13 features"},
    {LGBM_NAN,
     {"", "max_feature_idx=13", "max_feature_idx=x"},
     "m:6: \"max_feature_idx\" is not a whole number"},
    {LGBM_NAN, {"", "Tree=1", "Tree=2"}, "m:31: tree 1 is out of its place"},
    {LGBM_NAN, {"", "end of trees", "end of"}, "m:69: \"end of\" is not known here"},
    {LGBM_NAN,
     {"", "num_leaves=12", "num_leaves=0"},
     "m:12: tree 0 has 0 leaves and 0 category sets"},
    {LGBM_NAN,
     {"", "num_leaves=12", "num_leaves=11"},
     "m:21: \"leaf_value\" has 12 numbers, not 11"},
    {LGBM_NAN,
     {"", "left_child=", "left_child=x"},
     "m:19: \"x6\" of \"left_child\" is not a number"},
    {LGBM_NAN,
     {"", "left_child=6 ", "left_child=0 "},
     "m:12: tree 0 leads to node 0 twice"},
    {LGBM_NAN,
     {"", "left_child=6 ", "left_child=-13 "},
     "m:12: tree 0 leads to node 23, but has 23 nodes"},
    {LGBM_NAN,
     {"", "split_feature=0 ", "split_feature=14 "},
     "m:12: tree 0 asks for feature 14, but the model has 14"},
    {LGBM_NAN,
     {"", "decision_type=2", "decision_type=16"},
     "m:12: decision type 16 is not known"},
    {LGBM_NAN,
     {"", "decision_type=2", "decision_type=12"},
     "m:12: decision type 12 is not known"},
    {LGBM_NAN,
     {"", "decision_type=2", "decision_type=1"},
     "m:12: split 0 of tree 0 has no categories"},
    {LGBM_NAN,
     {"", "threshold=", "threshhold="},
     "m:17: \"threshhold\" is not known here"},
    {LGBM_CAT,
     {"", "cat_boundaries=0 1 2", "cat_boundaries=0 3 2"},
     "m:12: \"cat_boundaries\" does not rise from 0"},
    {LGBM_CAT,
     {"", "cat_threshold=123364 4178", "cat_threshold=123364"},
     "m:28: \"cat_threshold\" has 1 numbers, not 2"},
    {LGBM_CAT,
     {"", "cat_threshold=123364", "cat_threshold=4294967296"},
     "m:12: \"cat_threshold\" is not of 32 bits"},
    {LGBM_LIN,
     {"", "is_linear=1", "is_linear=2"},
     "m:12: \"is_linear\" is neither 0 nor 1"},
    {LGBM_LIN,
     {"Tree=1", "leaf_features=0 ", "leaf_features=99 "},
     "m:35: tree 1 asks for feature 99, but the model has 14"},
    {LGBM_LIN,
     {"Tree=1", "num_features=1 1", "num_features=1 2"},
     "m:53: \"leaf_features\" has 8 numbers, not 9"},
    {LGBM,
     "multiclass_softmax.txt",
     {"", "num_tree_per_iteration=3", "num_tree_per_iteration=4"},
     "m:183: 9 trees are not whole rounds of 4"},
};

Test(tree_forest, what_is_not_known_is_refused)
{
    for (size_t r = 0; r < sizeof FAULTS / sizeof *FAULTS; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest;

        parse_changed(&forest, FAULTS[r].folder, FAULTS[r].file, FAULTS[r].change, arena,
                      &err);
        cr_expect_str_eq(err.text, FAULTS[r].want, "got  %s\nwant %s", err.text,
                         FAULTS[r].want);
        arena_free(arena);
    }
}

Test(tree_forest, files_that_are_no_models)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {
        {"", "m: an empty file" SAVE_HINT},
        {"age,sex\n", "m: not a model file of XGBoost or LightGBM" SAVE_HINT},
        {"\x80\x04\x95",
         "m: a Python pickle, which runs code when it is opened" SAVE_HINT},
        {"\x1f\x8b\x08", "m: compressed: an R or joblib object, perhaps" SAVE_HINT},
        {"<?xml version=\"1.0\"?>", "m: XML: PMML, perhaps" SAVE_HINT},
        {"booster[0]:\n", "m: a dump for reading, which lacks the base score" SAVE_HINT},
        {"[{}]", "m: a dump for reading, which lacks the base score" SAVE_HINT},
        {"binf\x01", "m: XGBoost's old binary format" SAVE_HINT},
        {"{}", "m: the file has no \"learner\""},
        {"{\"learner\":1}", "m: \"learner\" of the file is not a map"},
        {"tree\n", "m:1: the file ends before \"end of trees\""},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest;

        cr_expect_eq(
            forest_parse(&forest, "m", ROWS[r].text, strlen(ROWS[r].text), arena, &err),
            -1);
        cr_expect_str_eq(err.text, ROWS[r].want, "%s", err.text);
        arena_free(arena);
    }
}

Test(tree_forest, a_file_that_is_not_there)
{
    Arena *arena = arena_new();
    Err err = {0};
    Forest forest;

    cr_expect_eq(forest_read(&forest, "tests/data/trees/none.json", arena, &err), -1);
    cr_expect_str_eq(err.text,
                     "tests/data/trees/none.json: could not open: No such file or "
                     "directory");
    arena_free(arena);
}

/* UBJSON lengths that promise more than there is, and types that are no values. */
Test(tree_forest, broken_ubjson)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *want;
    } ROWS[] = {
        {"{i\x01x", 4, "m: not UBJSON at byte 4: the file ends too early"},
        {"{i\x09x", 4, "m: not UBJSON at byte 3: a key beyond the end"},
        {"{i\x01xSL\x7f\xff\xff\xff\xff\xff\xff\xff", 14,
         "m: not UBJSON at byte 14: a length beyond the end"},
        {"{i\x01x[#L\x7f\xff\xff\xff\xff\xff\xff\xff", 15,
         "m: not UBJSON at byte 15: a count beyond the end"},
        {"{i\x01x[$D#i\x7f........", 16,
         "m: not UBJSON at byte 10: a count beyond the end"},
        {"{i\x01x[$Z#i\x01}", 11,
         "m: not UBJSON at byte 7: a typed list without a number type or a count"},
        {"{i\x01xSi\x01\xff}", 9, "m: not UBJSON at byte 8: text that is not UTF-8"},
        {"{i\x01xHi\x01"
         "1}",
         9, "m: not UBJSON at byte 5: a value of an unknown type"},
        {"{i\x01xTi\x01xT}", 10, "m: not UBJSON at byte 8: a key that is there twice"},
        {"{i\x01xT}}", 7, "m: not UBJSON at byte 6: bytes after the end"},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        Arena *arena = arena_new();
        Err err = {0};
        Forest forest;

        cr_expect_eq(forest_parse(&forest, "m", ROWS[r].bytes, ROWS[r].len, arena, &err),
                     -1);
        cr_expect_str_eq(err.text, ROWS[r].want, "%zu: %s", r, err.text);
        arena_free(arena);
    }
}

/* Cut anywhere, a file is refused with one report and nothing else happens. */
Test(tree_forest, cut_off_files, .timeout = 120)
{
    static const struct {
        const char *folder, *file;
        size_t step;
    } ROWS[] = {
        {XGB3, "categorical_partition.ubj", 7},
        {XGB1, "categorical_partition.json", 61},
        {LGBM, "categorical.txt", 31},
        {LGBM, "linear_tree.txt", 31},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        size_t len, end;
        char *text = read_text(ROWS[r].folder, ROWS[r].file, &len);
        const char *trees = strstr(text, "end of trees");

        /* What follows the trees of LightGBM is not needed. */
        end = ROWS[r].folder[0] == 'l' ? (size_t)(trees - text) : len;
        for (size_t cut = 0; cut < end; cut += ROWS[r].step) {
            Arena *arena = arena_new();
            Err err = {0};
            Forest forest;

            cr_expect_eq(forest_parse(&forest, "m", text, cut, arena, &err), -1);
            cr_expect_eq(err.n_reports, 1, "%s cut at %zu: %s", ROWS[r].file, cut,
                         err.text);
            arena_free(arena);
        }
        free(text);
    }
}
