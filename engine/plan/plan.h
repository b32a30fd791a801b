/*
 * plan.h - every decision of a run, checked and resolved before the first row.
 *
 * plan_compile() reads the configs and code lists; what comes after only reads the
 * Plan. All of it lies in one arena. This is the only header of this floor that
 * others need, with model.h, which it includes, beside reads.h (who reads which slots),
 * codes.h (codes), rule.h (expressions) and config.h (documents).
 *
 * The row. Everything known of one person while scoring is one array of doubles,
 * the row; a Slot names a place in it. Missing is NaN, yes/no is 1 and 0, a word is
 * its index in the slot's Words. Slots come in this order: age, person attributes,
 * features, derived features, and for each model its score and its band.
 */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/day.h"
#include "engine/base/err.h"
#include "engine/base/mem.h"
#include "engine/codes/codes.h"
#include "engine/config/config.h"
#include "engine/plan/model.h"
#include "engine/rule/rule.h"

typedef struct Source Source;

/* ---- kinds ------------------------------------------------------------- */

/* Where rows come from. The functions behind it belong to loaders/kinds.h; the
 * compiler only needs the name and the check. */
typedef struct SourceKind {
    const char *name; /* the word after `kind:` */
    int (*check)(const Source *source, Err *err);
    const void *reader; /* loaders/kinds.h knows its type */
} SourceKind;

typedef struct Kinds {
    const SourceKind *const *sources; /* NULL-terminated */
    const ModelKind *const *models;   /* NULL-terminated */
} Kinds;

/* ---- sources ----------------------------------------------------------- */

/* What a source's rows are. A config has at most one of each of the first four. */
typedef enum Role {
    ROLE_PEOPLE,        /* one row a person */
    ROLE_REGISTRATIONS, /* person, practice, start, end */
    ROLE_PRACTICES,     /* practice and its groupings: geography is data */
    ROLE_OPT_OUTS,      /* person, type, date */
    ROLE_EVENTS         /* rows about a person; any number of such sources */
} Role;

/* What a column means. */
typedef enum Field {
    FIELD_PERSON, /* the pseudonym: a 64-bit integer, or text (see Source.text_person) */
    FIELD_DATE,   /* the event; a spell's admission */
    FIELD_END,    /* a spell's discharge; missing = still open */
    FIELD_CODE,
    FIELD_SYSTEM, /* coding system of this row */
    FIELD_VALUE,
    FIELD_KEY,       /* with `unique: true`: rows of a person with the same key are one */
    FIELD_ATTRIBUTE, /* Column.index is the attribute */
    FIELD_BIRTH,
    FIELD_DEATH,
    FIELD_TEST, /* yes/no: a test patient */
    FIELD_PRACTICE,
    FIELD_START,    /* of a registration */
    FIELD_TYPE,     /* of an opt-out */
    FIELD_GROUPING, /* Column.index is the grouping */
    FIELD_NAME      /* Column.index is the grouping named; -1 the practice */
} Field;

typedef struct Column {
    const char *name; /* in the table, query or file header */
    Field field;
    int index;
    Where where;
} Column;

/* A column used in `where:` or in rules. Kept from a row as words or a number. */
typedef struct Attribute {
    const char *id;
    RuleType type;
    Words *words; /* RULE_WORD: every word that the config names */
    int n_values; /* `values:` of the config: as written -> as meant */
    const char **value_from, **value_to;
    bool is_used;
    Where where;
} Attribute;

/* One test on an event's attributes or value; the event keeps one bit for each. */
typedef struct Condition {
    int attribute; /* index into Source.attributes; -1 = the value column */
    int n_words;   /* any of these words; a trailing '*' matches a start */
    const char **words;
    double above, below; /* strict, for numbers; -INF, INF = none */
    double least, most;  /* inclusive, for numbers; -INF, INF = none */
} Condition;

enum { MOST_CONDITIONS = 32 }; /* of one source */

struct Source {
    const char *name; /* id in the config; appears in logs and tables */
    Where where;
    Role role;
    const SourceKind *kind;

    /* Where it lies; the kind's own words. */
    const char *table;       /* postgres: schema.table or view */
    const char *query;       /* postgres: a select, in place of a table */
    const char *files;       /* csv: path or glob, relative to the config that names it */
    const char *date_format; /* csv and text columns: see day_parse_as; NULL = ISO */
    Where place_where;

    Column *columns; /* what is asked for, in this order; unused ones are left out */
    int n_columns;
    bool text_person; /* person ids are text: the pseudonym is the first 63 bits
                         of their SHA-256 */

    System system; /* of every row, where there is no FIELD_SYSTEM */
    int n_systems; /* `systems:` a row's word -> a system; empty = system_of() */
    const char **system_from;
    System *system_to;

    Attribute *attributes;
    int n_attributes;
    Condition *conditions;
    int n_conditions;

    int32_t *sentinels; /* days that mean "unknown" */
    int n_sentinels;
    uint32_t purposes;   /* bits into Plan.purposes */
    double max_rejected; /* share of rows; above it the run stops */
    bool is_unique;      /* FIELD_KEY, or the whole row where there is none */

    /* ROLE_EVENTS: what the features need of it. */
    Matcher *matcher;
    const Hit *uncoded; /* features that ask for no code: every row counts */
    int n_uncoded;
    bool needs_code; /* some feature asks for codes */
    bool keeps_value, keeps_end;
    int32_t oldest;     /* first day any feature wants; DAY_FIRST with `ever` */
    bool wants_undated; /* some feature's window is `ever` */
    int number;         /* among event sources: index into Store.events; else -1 */
};

/* ---- people ------------------------------------------------------------ */

/* A column of the practices table by which people are grouped. Number 0 is
 * everyone and 1 the practice itself; PCN, locality ... follow as configured. */
typedef struct Grouping {
    const char *id;    /* "all", "practice", "pcn" ... */
    const char *title; /* "PCN" */
} Grouping;

enum { GROUPING_ALL = 0, GROUPING_PRACTICE = 1, MOST_GROUPINGS = 8 };

/* What an opt-out of a type does. */
typedef struct OptOut {
    const char *type;
    const char *label;   /* reason in plain words */
    bool removes_person; /* from the whole run; else only from the sources below */
    uint64_t sources;    /* bits of Source.number whose rows are not used */
} OptOut;

/* Who is in the run: semantics section 2. */
typedef struct Population {
    int n_area;        /* `area:` keep practices whose grouping has one of these; */
    int area_grouping; /* no area = every practice of the practices table */
    const char **area;
    OptOut *opt_outs;
    int n_opt_outs;
    const char *practice; /* the practice of everyone where there are no registrations */
} Population;

/* ---- features ---------------------------------------------------------- */

typedef enum Count {
    COUNT_EXISTS,
    COUNT_ROWS,
    COUNT_DATES,
    COUNT_CODES,
    COUNT_SUM,
    COUNT_MIN,
    COUNT_MAX,
    COUNT_MEAN,
    COUNT_LATEST,
    COUNT_EARLIEST,
    COUNT_DAYS_SINCE_LAST,
    COUNT_DAYS_SINCE_FIRST,
    COUNT_AGE_AT_LAST,
    COUNT_AGE_AT_FIRST,
    COUNT_BED_DAYS,
    COUNT_REPEAT,
    N_COUNTS
} Count;

/* A list, or a category of one, whose codes a feature counts. */
typedef struct Pick {
    int list;     /* index into Plan.lists */
    int category; /* -1 = all */
} Pick;

/* A number per person from one source. */
typedef struct Feature {
    const char *id;     /* "emergency_admissions_12m", "efi.falls" */
    const char *label;  /* "Emergency admissions in the last year" */
    const char *say;    /* reason text with {value} and {date}, or NULL: see reason.h */
    const char *family; /* "efi", or NULL */
    const Category *category; /* of the family's list, or NULL */
    Where where;
    int source; /* Source.number */
    uint32_t slot;
    Count count;
    int code_chars; /* COUNT_CODES: the first n characters; 0 = all */
    int repeat_n, repeat_days;
    uint32_t conditions; /* bits an event must have */
    int32_t from, to;    /* from <= day < to */
    bool is_ever;        /* events of unknown date count too */
    bool has_codes;
    const Pick *picks; /* of a used feature: where its codes come from */
    int n_picks;
    double missing; /* the value where no event counts: 0, NaN, or as declared */
    const char *window_text;
    bool is_used;
} Feature;

/* An expression over earlier slots. */
typedef struct Derived {
    const char *id, *label, *say;
    Where where;
    uint32_t slot;
    const Rule *rule;
    bool is_used;
} Derived;

typedef enum SlotKind {
    SLOT_AGE,
    SLOT_ATTRIBUTE, /* index into Plan.people->attributes */
    SLOT_FEATURE,
    SLOT_DERIVED,
    SLOT_SCORE, /* index into Plan.models */
    SLOT_BAND
} SlotKind;

typedef struct Slot {
    const char *name, *label;
    SlotKind kind;
    int index;
    RuleType type;
    Words *words;
    bool is_used;
} Slot;

/* ---- steps ------------------------------------------------------------- */

/* What is computed after the features of a person, in this order. */
typedef struct Step {
    bool is_model;
    int index; /* into derived or models */
} Step;

/* ---- segments, cohorts, gates ------------------------------------------ */

typedef struct Segment {
    const char *id, *label;
    Where where;
    const Rule *when; /* NULL on the last: everyone else */
} Segment;

typedef struct OrderBy {
    uint32_t slot;
    bool is_descending;
} OrderBy;

typedef struct Cohort {
    const char *id, *title, *service;
    Where where;
    uint32_t purposes;
    int grouping; /* `per:` */
    const Rule *when;
    OrderBy *order; /* then person id, ascending */
    int n_order;
    uint32_t capacity;     /* per group; UINT32_MAX = everyone */
    double capacity_share; /* of the registered list of the group; 0 = none */
    uint32_t keep; /* a continuing member stays while ranked within it; 0 = none */
    double keep_share;
    int *show; /* models whose score and band each row carries */
    int n_show;
    int *explain; /* models whose shares make the reasons, in this order */
    int n_explain;
    int n_most_reasons; /* five unless the config says fewer */
} Cohort;

typedef enum Severity { SEVERITY_WARN, SEVERITY_STOP } Severity;

/* A quality gate, checked before publishing: see publish/gate.h. */
typedef struct Gate {
    const char *id; /* one of the words that gate.c knows */
    Where where;
    int source; /* index into Plan.sources, or -1 */
    double limit;
    Severity severity;
} Gate;

/* The words for gates, in the order of docs/configs.md; NULL past the last. */
const char *plan_gate_word(int number);

/* ---- the plan ---------------------------------------------------------- */

struct Plan {
    const char *path, *title;
    char hash[65];         /* SHA-256 over configs and lists, lower-case hex */
    int32_t as_of;         /* D */
    uint64_t memory_bytes; /* most that a run may need; 0 = no limit */
    const char **purposes; /* every purpose a source declares; a set is a bit mask */
    int n_purposes;
    uint32_t purpose; /* of this run */
    long keep_runs;   /* published runs that stay, and as many shadow runs; 0 = all */

    Source *sources; /* people, registrations, practices, opt-outs, then events */
    int n_sources;
    const Source *people, *registrations, *practices, *opt_out_rows; /* NULL if absent */
    int n_event_sources; /* sources[n_sources - n_event_sources ..] */
    /* Every source of the config with all its columns, also what this run leaves out:
     * for the extract, which other configs read. Only place and columns count. */
    Source *mapped;
    int n_mapped;
    Population population;
    Grouping *groupings;
    int n_groupings;
    int sex_attribute; /* index into people->attributes, or -1 */

    CodeList *lists;
    int n_lists;
    Feature *features;
    int n_features;
    Derived *derived;
    int n_derived;
    Slot *slots;
    uint32_t n_slots;
    uint32_t age_slot; /* then n_attributes slots of the people source */
    Model *models;
    int n_models;
    Step *steps;
    int n_steps;

    Segment *segments;
    int n_segments; /* 0 = none */
    const char *segments_title;
    Cohort *cohorts;
    int n_cohorts; /* at most 64 */
    Gate *gates;
    int n_gates;

    const char **warnings; /* things to say that stop nothing; with their place */
    int n_warnings;
};

enum { MOST_COHORTS = 64, MOST_EVENT_SOURCES = 64, MOST_OPT_OUTS = 64 };

/*
 * Reads everything that path names and resolves it for a run as of the day. Goes on
 * after a fault and reports up to ERR_MOST_REPORTS. Needs no database. Everything is
 * in the arena.
 */
int plan_compile(Plan *plan, const char *path, int32_t as_of, Kinds kinds, Arena *arena,
                 Err *err);

/* The same with a code list read from another file wherever the config names the first:
 * for comparing two versions of a list. Both NULL: as the config says. */
typedef struct PlanRequest {
    const char *path;
    int32_t as_of;
    Kinds kinds;
    const char *list_from, *list_to;
} PlanRequest;
int plan_compile_request(Plan *plan, const PlanRequest *request, Arena *arena, Err *err);

/* The event source with that Source.number. */
static inline const Source *plan_events(const Plan *plan, int number)
{
    return &plan->sources[plan->n_sources - plan->n_event_sources + number];
}

/* Number of the band of a score: the first whose bound takes it; -1 for NaN, no bands,
 * or bands by rank. */
int model_band(const Model *model, double score);

#endif
