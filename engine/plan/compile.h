/*
 * compile.h - what the parts of the compiler share. Nobody outside compile*.c and its
 * tests includes it.
 *
 *     compile.c          the run file, other files, the hash, the order of the work
 *     compile_keys.c     every key that a config may hold
 *     compile_source.c   sources, their columns and attributes
 *     compile_people.c   practices and groupings, the area, opt-outs
 *     compile_list.c     coding systems, code lists
 *     compile_feature.c  features, families, windows, ways to count
 *     compile_where.c    which rows a feature counts: codes and conditions
 *     compile_names.c    slots and scope; derived features
 *     compile_model.c    models, bands, eligibility
 *     compile_terms.c    terms: the forms they can be written in
 *     compile_points.c   exact points, hierarchy
 *     compile_weights.c  terms from families, with weights from lists and tables
 *     compile_levels.c   terms from levels, tables and coefficients of R
 *     compile_ensemble.c models made of other models
 *     compile_cohort.c   segments, cohorts, gates
 *     compile_order.c    cycles, order, what is used, purposes
 *     compile_finish.c   what the loader needs to ask for
 *
 * A function that cannot do its part reports and leaves something harmless behind, so
 * that the next fault can be found in the same go. Whether there was any fault is read
 * off the Err at the end.
 */
#ifndef ENGINE_PLAN_COMPILE_H
#define ENGINE_PLAN_COMPILE_H

#include "engine/config/table.h"
#include "engine/plan/plan.h"

/* ---- keys -------------------------------------------------------------- */

/* The maps a config is made of; each has a $def of the same name in
 * configs/schema.json. */
typedef enum Document {
    DOC_RUN,
    DOC_GATE,
    DOC_SOURCES,
    DOC_PEOPLE,
    DOC_PEOPLE_COLUMNS,
    DOC_REGISTRATIONS,
    DOC_REGISTRATION_COLUMNS,
    DOC_PRACTICES,
    DOC_PRACTICE_COLUMNS,
    DOC_GROUPING,
    DOC_OPT_OUTS,
    DOC_OPT_OUT_COLUMNS,
    DOC_OPT_OUT,
    DOC_EVENT,
    DOC_EVENT_COLUMNS,
    DOC_ATTRIBUTE,
    DOC_CODE_LIST,
    DOC_LIST_SYSTEM,
    DOC_LIST_LINES,
    DOC_FEATURES,
    DOC_FEATURE,
    DOC_FAMILY,
    DOC_WINDOW,
    DOC_COUNT_CODES,
    DOC_COUNT_REPEAT,
    DOC_RANGE,
    DOC_DERIVED,
    DOC_MODEL_INDEX,
    DOC_MODEL_POINTS,
    DOC_MODEL_REGRESSION,
    DOC_MODEL_TREES,
    DOC_MODEL_ENSEMBLE,
    DOC_MODEL_RECALIBRATED,
    DOC_MODEL_MEMBER,
    DOC_MODEL_OF,
    DOC_MODEL_MAP,
    DOC_ELIGIBLE,
    DOC_BAND,
    DOC_HIERARCHY,
    DOC_TERM_FEATURE,
    DOC_TERM_VALUE,
    DOC_TERM_WHEN,
    DOC_TERM_FAMILY,
    DOC_TERM_LEVELS,
    DOC_TERM_TABLE,
    DOC_TERM_COEFFICIENTS,
    DOC_TERM_GROUP,
    DOC_WEIGHTS_LIST,
    DOC_WEIGHTS_FILE,
    DOC_STEP,
    DOC_COHORTS,
    DOC_SEGMENTS,
    DOC_SEGMENT,
    DOC_COHORT,
    DOC_REASONS,
    N_DOCUMENTS
} Document;

typedef struct Keys {
    const char *name; /* in configs/schema.json */
    const char *const *keys;
    int n;
} Keys;

extern const Keys compile_keys[N_DOCUMENTS];

/* ---- the compiler ------------------------------------------------------ */

/* What is known of a feature while compiling only. */
typedef struct FeatureNote {
    Pick *picks;
    int n_picks;
} FeatureNote;

/* An exact decimal number: mantissa x 10^-decimals. */
typedef struct Decimal {
    int64_t mantissa;
    int decimals;
} Decimal;

typedef struct Compiler {
    Plan *plan;
    Kinds kinds;
    Arena *arena;
    Err *err;
    void *digest; /* EVP_MD_CTX */
    const PlanRequest *request;
    size_t base;          /* bytes of the folder of the run file, as part of names */
    double max_rejected;  /* default share of each source */
    FeatureNote *notes;   /* by feature */
    const Node **derived; /* by Plan.derived */
    const Node **models;  /* by Plan.models */
    const Node **cohorts; /* by Plan.cohorts */
    const Node *segments; /* NULL where there are none */
    RuleName *names;      /* everything an expression may name */
    Where *name_where;    /* by name */
    int n_names;
} Compiler;

/* Room for one more element at the end of an array in the arena: its address. The room
 * doubles whenever the number is a power of two. */
void *compile_room(Arena *arena, const void *array, int n, size_t size);
#define COMPILE_ADD(c, array, n)                                                         \
    ((array) = compile_room((c)->arena, (array), (n), sizeof *(array)), &(array)[(n)++])

/* ---- compile.c --------------------------------------------------------- */

/* Refuses keys the document does not have; false also where this is not a map. */
bool compile_only(Compiler *c, const Node *node, Document document);
/* A path as its naming file means it, as seen from the working directory. */
const char *compile_path(Compiler *c, const Node *word);
/* The bytes of a file named in a config, in the hash; NULL after a report. */
const char *compile_bytes(Compiler *c, const char **path, size_t *len, const Node *word);
/* Takes a file of any size into the hash; whoever reads it reports what is wrong. */
void compile_hash(Compiler *c, const Node *word);
/* A file name, a map itself, or a list of both: the maps. Those that could not be
 * read are reported and left out. */
const Node **compile_documents(Compiler *c, int *n, const Node *map, const char *key);

/* "did you mean ...?" where a candidate is near. */
void compile_hint(Compiler *c, const char *word, const char *const *known, size_t n);
/* An identifier of the config; reports one that is not. */
bool compile_is_name(Compiler *c, const char *word, Where where);
/* Where the key stands, or else the map. */
Where compile_where(const Node *map, const char *key);

/* "5 %" as 0.05; a plain 0 is a share as well. False after a report. */
bool compile_share(Compiler *c, double *share, const Node *word);
/* "12 months": *months or *days is set. False after a report. */
bool compile_span(Compiler *c, int *months, int *days, const Node *word);
/* Words of a purpose -> bits of Plan.purposes; unknown ones are reported. */
uint32_t compile_purposes(Compiler *c, const Node *map, const char *key);
const char *compile_purpose_words(Compiler *c, uint32_t purposes);
/* A yes/no, a number or a word by its text; NULL after a report. */
const Rule *compile_rule(Compiler *c, const Node *word, RuleType want);
const Rule *compile_rule_at(Compiler *c, const char *text, Where where, RuleType want);
/* A line for Plan.warnings. */
void compile_warn(Compiler *c, Where where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- the parts, in the order of the work ------------------------------- */

void compile_sources(Compiler *c, const Node *run);
void compile_lists(Compiler *c, const Node *run);
void compile_features(Compiler *c, const Node *run);
void compile_model_heads(Compiler *c, const Node *run); /* ids and bands: the names */
void compile_cohort_heads(Compiler *c, const Node *run);
void compile_names(Compiler *c);
void compile_derived(Compiler *c);
void compile_models(Compiler *c);
void compile_cohorts(Compiler *c);
void compile_gates(Compiler *c, const Node *run);
void compile_order(Compiler *c);
void compile_finish(Compiler *c);

/* ---- what they offer each other ---------------------------------------- */

/* Fills the feature's codes and conditions from its `where:`. */
void compile_where_of(Compiler *c, Feature *feature, FeatureNote *note, const Node *node);
/* Lists, each by "list" or "list/category", that hold the codes of a feature. */
void compile_codes(Compiler *c, Feature *feature, FeatureNote *note, const Node **words,
                   int n);

/* Source.number of an event source by name; -1 after a report. */
int compile_event_source(Compiler *c, const char *name, Where where);
/* Index into Plan.sources; -1 after a report. */
int compile_any_source(Compiler *c, const char *name, Where where);
const Column *source_column(const Source *source, Field field);
void source_add_column(Compiler *c, Source *source, Column column);
/* Of an event source: its coding system, or its rows'. */
void compile_systems(Compiler *c, Source *source, const Node *node);
/* SYSTEM_NONE after a report. */
System compile_system(Compiler *c, const char *word, Where where);

/* Parts of compile_sources(): who is in a run. */
void compile_groupings(Compiler *c, Source *practices, const Node *node);
void compile_practice(Compiler *c, const Node *sources);
void compile_area(Compiler *c, const Node *sources);
void compile_policy(Compiler *c, const Node *sources);

/* Whether a way to count looks at the value, the end or the code of a row. */
bool count_needs(Count count, Field field);

/* Index into Plan.lists; -1 after a report. */
int compile_list_find(Compiler *c, const char *id, Where where);
/* Number of a category by name or id, or -1. */
int list_category(const CodeList *list, const char *word);

/* A CSV file named in a config, in the hash. False after a report. */
bool compile_table(Compiler *c, Table *table, const Node *file);

/* The name in the scope, or NULL. */
const RuleName *compile_find_name(const Compiler *c, const char *name, size_t len);
/* The same, reported with the nearest name. */
const RuleName *compile_need_name(Compiler *c, const char *name, Where where);
/* Index into Plan.models; -1 after a report. */
int compile_model_find(Compiler *c, const Node *word);
/* Of a model made of others: checks the keys of its members and its map. */
void compile_ensemble(Compiler *c, const Node *node);
/* Index into Plan.models of its i-th member. */
int compile_member(const Compiler *c, const Node *node, int i);
enum { MEMBER_UNKNOWN = -1, MEMBER_END = -2 };
/* Indexes of the features of a family; none after a report. */
const int *compile_family(Compiler *c, int *n, const char *family, Where where);

/* Terms while they are written down; their weights become exact points at the end. */
typedef struct Draft {
    Term term;
    Decimal weight, cap;
    Decimal *steps;
} Draft;

typedef struct Terms {
    Compiler *c;
    Model *model;
    Draft *drafts;
    int n;
    int group; /* of the terms now read; 0 = none */
    Decimal *group_caps;
    int n_groups;
    bool is_exact; /* weights are added exactly: index and points */
} Terms;

void compile_terms(Compiler *c, Model *model, const Node *node);
/* A term with everything at its default. */
Draft *terms_add(Terms *terms, Where where, const char *id, const char *label);
/* Weight of a term from text; false after a report. */
bool terms_weight(Terms *terms, Draft *draft, const char *text, Where where);
/* `cap:` of a term. */
void terms_cap(Terms *terms, Draft *draft, const Node *node);
/* False after a report. */
bool terms_decimal(Compiler *c, Decimal *decimal, const char *text, Where where);
double terms_decimal_value(Decimal decimal);
/* After the last term: whole points, and the hierarchy. */
void terms_points(Terms *terms);
void terms_hierarchy(Terms *terms, const Node *node);
void terms_family(Terms *terms, const Node *node);
void terms_levels(Terms *terms, const Node *node);
void terms_table(Terms *terms, const Node *node);
void terms_coefficients(Terms *terms, const Node *node);
/* Expression of a term: value, slot and default label. */
void terms_rule(Terms *terms, Draft *draft, const Rule *rule);

#endif
