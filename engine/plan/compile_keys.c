/*
 * compile_keys.c - every key that a config may hold. configs/schema.json says the same
 * to editors; tests/plan/test_compile_schema.c holds the two together.
 */
#include "engine/plan/compile.h"

#define KEYS(...)                                                                        \
    (const char *const[])                                                                \
    {                                                                                    \
        __VA_ARGS__                                                                      \
    }
#define KEY_COUNT(...)                                                                   \
    ((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))
#define DOCUMENT(name, ...)                                                              \
    {                                                                                    \
        name, KEYS(__VA_ARGS__), KEY_COUNT(__VA_ARGS__)                                  \
    }

/* Where rows lie, of every source. */
#define PLACE_KEYS                                                                       \
    "kind", "table", "query", "files", "columns", "purposes", "person_as",               \
        "date_format", "sentinel_dates", "max_rejected"

/* What every model says of itself. */
#define MODEL_KEYS                                                                       \
    "model", "version", "title", "kind", "source", "licence", "purpose", "about",        \
        "limits", "notice", "outcome", "horizon", "illustrative", "eligible",            \
        "decimals", "bands"

/* How a model with terms treats its inputs. */
#define TERM_MODEL_KEYS "missing", "range", "floor", "ceiling", "multiply"

const Keys compile_keys[N_DOCUMENTS] = {
    [DOC_RUN] = DOCUMENT("run", "stratify", "title", "purpose", "sources", "code_lists",
                         "features", "models", "cohorts", "memory", "max_rejected",
                         "schema", "keep_runs", "gates"),
    [DOC_GATE] = DOCUMENT("gate", "gate", "source", "limit", "severity"),

    [DOC_SOURCES] = DOCUMENT("sources", "sentinel_dates", "people", "registrations",
                             "practices", "area", "practice", "opt_outs", "events"),
    [DOC_PEOPLE] = DOCUMENT("people", PLACE_KEYS, "attributes"),
    [DOC_PEOPLE_COLUMNS] = DOCUMENT("people_columns", "person", "birth_date",
                                    "death_date", "test_patient", "practice"),
    [DOC_REGISTRATIONS] = DOCUMENT("registrations", PLACE_KEYS),
    [DOC_REGISTRATION_COLUMNS] =
        DOCUMENT("registration_columns", "person", "practice", "start", "end"),
    [DOC_PRACTICES] = DOCUMENT("practices", PLACE_KEYS, "groupings"),
    [DOC_PRACTICE_COLUMNS] = DOCUMENT("practice_columns", "practice", "name"),
    [DOC_GROUPING] = DOCUMENT("grouping", "column", "name", "title"),
    [DOC_OPT_OUTS] = DOCUMENT("opt_outs", PLACE_KEYS, "policy"),
    [DOC_OPT_OUT_COLUMNS] = DOCUMENT("opt_out_columns", "person", "type", "date"),
    [DOC_OPT_OUT] = DOCUMENT("opt_out", "type", "label", "removes"),
    [DOC_EVENT] =
        DOCUMENT("event", PLACE_KEYS, "attributes", "system", "systems", "unique"),
    [DOC_EVENT_COLUMNS] = DOCUMENT("event_columns", "person", "date", "end", "code",
                                   "system", "value", "key"),
    [DOC_ATTRIBUTE] = DOCUMENT("attribute", "column", "type", "values"),

    [DOC_CODE_LIST] =
        DOCUMENT("code_list", "file", "title", "source", "version", "terminology",
                 "licence", "code", "system", "category", "label", "weight", "gt", "lt",
                 "sex", "match", "exclude", "keep", "suspect"),
    [DOC_LIST_SYSTEM] = DOCUMENT("list_system", "column"),
    [DOC_LIST_LINES] = DOCUMENT("list_lines", "column", "word", "reason"),

    [DOC_FEATURES] = DOCUMENT("features", "features", "derived"),
    [DOC_FEATURE] = DOCUMENT("feature", "id", "label", "say", "source", "where", "window",
                             "count", "missing"),
    [DOC_FAMILY] = DOCUMENT("family", "family", "lists", "categories", "say", "source",
                            "where", "window", "count", "missing"),
    [DOC_WINDOW] = DOCUMENT("window", "from", "to"),
    [DOC_COUNT_CODES] = DOCUMENT("count_codes", "codes"),
    [DOC_COUNT_REPEAT] = DOCUMENT("count_repeat", "repeat", "within"),
    [DOC_RANGE] = DOCUMENT("range", "gt", "ge", "lt", "le"),
    [DOC_DERIVED] = DOCUMENT("derived", "id", "label", "say", "value"),

    [DOC_MODEL_INDEX] =
        DOCUMENT("model_index", MODEL_KEYS, TERM_MODEL_KEYS, "denominator", "items"),
    [DOC_MODEL_POINTS] =
        DOCUMENT("model_points", MODEL_KEYS, TERM_MODEL_KEYS, "terms", "hierarchy"),
    [DOC_MODEL_REGRESSION] = DOCUMENT("model_regression", MODEL_KEYS, TERM_MODEL_KEYS,
                                      "terms", "link", "intercept", "baseline", "offset"),
    [DOC_MODEL_TREES] =
        DOCUMENT("model_trees", MODEL_KEYS, "multiply", "file", "format", "features",
                 "output", "rounds", "missing_value", "link", "class", "intercept"),
    [DOC_MODEL_ENSEMBLE] =
        DOCUMENT("model_ensemble", MODEL_KEYS, "range", "floor", "ceiling", "multiply",
                 "scale", "members", "intercept", "link", "map"),
    [DOC_MODEL_RECALIBRATED] =
        DOCUMENT("model_recalibrated", MODEL_KEYS, "range", "floor", "ceiling",
                 "multiply", "scale", "of", "slope", "intercept", "link", "map"),
    [DOC_MODEL_MEMBER] = DOCUMENT("model_member", "model", "version", "weight"),
    [DOC_MODEL_OF] = DOCUMENT("model_of", "model", "version"),
    [DOC_MODEL_MAP] = DOCUMENT("model_map", "file", "from", "to"),
    [DOC_ELIGIBLE] = DOCUMENT("eligible", "when", "otherwise"),
    [DOC_BAND] = DOCUMENT("band", "band", "upto", "below", "top", "label", "meaning"),
    [DOC_HIERARCHY] = DOCUMENT("hierarchy", "if", "zero"),

    [DOC_TERM_FEATURE] = DOCUMENT("term_feature", "feature", "weight", "cap", "steps",
                                  "id", "label", "say", "centre", "min", "max", "impute"),
    [DOC_TERM_VALUE] = DOCUMENT("term_value", "value", "weight", "cap", "steps", "id",
                                "label", "say", "centre", "min", "max", "impute"),
    [DOC_TERM_WHEN] =
        DOCUMENT("term_when", "when", "weight", "cap", "id", "label", "say"),
    [DOC_TERM_FAMILY] =
        DOCUMENT("term_family", "family", "weight", "weights", "cap", "say"),
    [DOC_TERM_LEVELS] = DOCUMENT("term_levels", "levels", "weights", "default", "label"),
    [DOC_TERM_TABLE] =
        DOCUMENT("term_table", "table", "key", "weight", "by", "default", "label"),
    [DOC_TERM_COEFFICIENTS] = DOCUMENT("term_coefficients", "coefficients", "term",
                                       "estimate", "label", "factors", "references"),
    [DOC_TERM_GROUP] = DOCUMENT("term_group", "group_cap", "terms"),
    [DOC_WEIGHTS_LIST] = DOCUMENT("weights_list", "list"),
    [DOC_WEIGHTS_FILE] = DOCUMENT("weights_file", "file", "key", "weight", "label"),
    [DOC_STEP] = DOCUMENT("step", "below", "upto", "points", "weight"),

    [DOC_COHORTS] = DOCUMENT("cohorts", "segments", "cohorts"),
    [DOC_SEGMENTS] = DOCUMENT("segments", "title", "rules"),
    [DOC_SEGMENT] = DOCUMENT("segment", "segment", "label", "when"),
    [DOC_COHORT] = DOCUMENT("cohort", "id", "title", "service", "purpose", "per", "where",
                            "order", "capacity", "keep", "show", "reasons"),
    [DOC_REASONS] = DOCUMENT("reasons", "from", "most"),
};
