#include "tests/models/trees_data.h"

#define XGB1 "xgboost-1.7.4"
#define XGB3 "xgboost-3.4.1"
#define LGBM "lightgbm-4.6.0"

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

Test(tree_faults, what_is_not_known_is_refused)
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

Test(tree_faults, files_that_are_no_models)
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

Test(tree_faults, a_file_that_is_not_there)
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
Test(tree_faults, broken_ubjson)
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
Test(tree_faults, cut_off_files, .timeout = 120)
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
