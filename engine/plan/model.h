/*
 * model.h - a model of the plan: its terms, policies and bands, and what its kind does.
 */
#ifndef ENGINE_PLAN_MODEL_H
#define ENGINE_PLAN_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"
#include "engine/config/config.h"
#include "engine/rule/rule.h"

typedef struct Plan Plan;
typedef struct Model Model;

/* ---- kinds ------------------------------------------------------------- */

/* What a model adds to a score: for reasons. */
typedef struct Share {
    uint32_t slot; /* the row's value that did it */
    double amount; /* in the model's own units */
    int term;      /* index into Model.terms */
} Share;

/* What a model's policies did to an input of a person: bits, since a declared value may
 * itself be out of range. */
enum { INPUT_BELOW = 1, INPUT_ABOVE = 2, INPUT_MISSING = 4 };

/* The arithmetic of a model. All but compile are called from many threads and keep
 * nothing. */
typedef struct ModelKind {
    const char *name; /* the word after `kind:` */
    /* Reads what the common compiler left alone (node), fills model->own from the
     * arena, and checks. NULL where there is nothing to do. */
    int (*compile)(Model *model, const Plan *plan, const Node *node, Arena *arena,
                   Err *err);
    /* The scores of n people, at most RULE_LANES, whose rows stand side by side: NaN with
     * why[] an index into model->reasons, else why[] is 0. */
    void (*score)(const Model *model, const double *const *rows, int n, double *score,
                  int *why);
    /* Fills at most n_terms shares (or model->most_shares where it is set), in the
     * order of terms, and returns how many; those of amount 0 may be left out. For an
     * additive model they and the intercept add up to the score on the linear scale. */
    int (*shares)(const Model *model, const double *row, Share *shares);
    /* INPUT_ bits of one of model->replaceable for a person who has a score. NULL where
     * the kind replaces nothing. */
    int (*replaced)(const Model *model, int input, const double *row);
} ModelKind;

/* ---- models ------------------------------------------------------------ */

/* One summand. Which members count depends on the kind; see models/kind_*.c. */
typedef struct Term {
    const char *id;    /* stable name for explanations */
    const char *label; /* plain words */
    Where where;
    uint32_t slot;     /* of the feature, when value is a plain one; else the first
                          slot that the expression reads */
    const Rule *value; /* NULL: the slot itself */
    const char *say;
    double weight;      /* regression, and index and points for shares */
    int64_t points;     /* index, points: weight x Model.scale, exactly */
    int64_t cap;        /* points: most (in scaled points) for value x points; 0 = none */
    int n_steps;        /* banded numbers: points of the first step that holds */
    double *step_bound; /* INFINITY on the last */
    bool *step_upto;    /* value <= bound, else value < bound */
    int64_t *step_points;
    double *step_weight;
    int n_zeroed_by;     /* hierarchy: this term counts 0 when one of these is > 0 */
    uint32_t *zeroed_by; /* term numbers */
    int group;           /* terms with the same group share group_cap; 0 = none */
    double centre;       /* subtracted from the value */
    double least, most;  /* the range the model was made for; -INF, INF = any */
    double impute;       /* MISSING_IMPUTE: stands in where there is no value */
} Term;

typedef enum MissingPolicy {
    MISSING_NOT_SCORED,
    MISSING_ZERO,
    MISSING_IMPUTE
} MissingPolicy;
typedef enum RangePolicy { RANGE_NOT_SCORED, RANGE_CLAMP } RangePolicy;

/* An input that these policies may replace: clamped to the end of its range, or imputed
 * where it has no value. Who had one is flagged and counted: see models/flag.h. */
typedef struct Replaceable {
    const char *label;
    int term; /* -1 = the map of an ensemble */
} Replaceable;

typedef enum Link { LINK_IDENTITY, LINK_LOGIT, LINK_LOG, LINK_CLOGLOG, LINK_COX } Link;

typedef struct Band {
    const char *id, *label;
    double bound; /* INFINITY on the last of ascending cut-offs */
    bool is_upto; /* score <= bound, else score < bound */
    double share; /* bands by rank: top share of everyone scored, 0..1; 0 = cut-off */
    const char *meaning; /* what it suggests to do, in plain words; or NULL */
    Where where;
} Band;

/* Why a model has no score for a person. Number 0 is "scored". */
typedef struct ModelReason {
    const char *text;
    bool is_eligibility; /* not applicable; else could not be scored */
    const Rule *when;    /* eligibility: the person is left out unless this holds */
} ModelReason;

struct Model {
    const char *id, *version, *title;
    const char *source, *licence, *purpose_text, *outcome, *horizon, *notice;
    const char *limits; /* what it cannot tell; purpose_text is what it is for */
    uint32_t purposes;
    bool is_illustrative; /* fitted on made-up people: said wherever it is shown */
    Where where;
    const ModelKind *kind;

    ModelReason *reasons;
    int n_reasons; /* with number 0 */

    Term *terms;
    int n_terms;
    int n_shared;    /* terms of an ensemble's members, behind its own, which only shares
                        name */
    int most_shares; /* 0 = n_terms */
    int64_t scale;   /* points: 10^decimals */
    double denominator; /* index */
    double intercept;
    Link link;
    double baseline; /* Cox: survivor at the horizon */
    const Rule *offset;
    int64_t *group_cap; /* points: by Term.group, in scaled points */
    int n_groups;
    double floor, ceiling; /* of the total; -INF, INF = none */
    MissingPolicy missing;
    RangePolicy range;
    Replaceable *replaceable; /* filled by the kind */
    int n_replaceable;
    double multiply; /* the score as shown: 100 for a percentage; default 1 */
    void *own;       /* what the kind needs beside this */

    Band *bands; /* in ascending order of risk; n_bands may be 0 */
    int n_bands;
    bool is_by_rank; /* bands are shares of everyone scored */
    int decimals;    /* digits after the point where a person reads the score */
    uint32_t score_slot, band_slot;
};

#endif
