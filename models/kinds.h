/*
 * kinds.h - the kinds of model, and what they share: reasons for no score, and the
 * value of a term under the model's policies.
 */
#ifndef MODELS_KINDS_H
#define MODELS_KINDS_H

#include "engine/plan/plan.h"

/* NULL-terminated; the word after `kind:` picks one. */
extern const ModelKind *const model_kinds[];

extern const ModelKind kind_index, kind_points, kind_regression, kind_trees,
    kind_ensemble, kind_recalibrated;

/*
 * The number of a reason why a person could not be scored, added to the model unless it
 * is there. When a model has as many as fit into Scores.outcome, further ones are
 * counted under "an input cannot be used".
 */
uint8_t reason_add(Model *model, const char *text, Arena *arena);

/* A term as the kinds walk over it. The numbers are indexes into Model.reasons, 0 where
 * there can be no such reason. */
typedef struct QuickTerm {
    bool is_plain; /* a slot that always has a usable value, times a weight: no policy,
                      step, cap or hierarchy to look at */
    uint8_t missing, range, fraction;
    uint32_t slot;
    int64_t points;
    double weight, centre;
} QuickTerm;

/* Terms of index and points that are yes or no, and nothing else to look at, whose slots
 * follow one another. */
typedef struct PlainRun {
    uint32_t slot; /* the first */
    int n;
    const double *points;
} PlainRun;

/* Model.own of index, points and regression. */
typedef struct Quick {
    QuickTerm *terms; /* by term */
    /* Index and points add whole numbers, in any order: plain terms by slot, then the
     * others. */
    PlainRun *plain;
    int n_plain;
    int *rest; /* numbers of the other terms, in their order */
    int n_rest;
    uint8_t offset;     /* regression: the offset has no value */
    uint8_t not_finite; /* regression: the sum or its link is beyond any number */
} Quick;

/* Fills Model.own and Model.replaceable. is_exact: weights are multiplied exactly, so
 * that a value with a fraction has no score. */
Quick *terms_prepare(Model *model, const Plan *plan, bool is_exact, Arena *arena);

/*
 * The value of a term after the model's policies for missing and out-of-range inputs;
 * NaN with *why set, unless it is set already, where they say that there is no score. Any
 * thread.
 */
double term_value(const Model *model, int number, const double *row, int *why);

/* People who are being scored, side by side: see ModelKind.score. */
typedef struct Scoring {
    const double *const *rows;
    int n;
    int *why;
} Scoring;
/* What the plain terms of index and points add up to, in scaled points, with all why[] 0:
 * what a sum begins with. */
void plain_points(const Quick *own, const Scoring *of, int64_t *total);
/* The values of a term for all of them: see term_value(). */
void term_values(const Model *model, int number, const Scoring *of, double *value);

/* ModelKind.replaced of index, points and regression. */
int term_replaced(const Model *model, int input, const double *row);

/* True if the hierarchy makes the term count 0. Looks at what was recorded, so that a
 * condition that is suppressed itself still suppresses another. */
bool term_is_zeroed(const Model *model, const Term *term, const double *row);

/* The step of a banded number: the first whose bound takes it; -1 if none does. */
int term_step(const Term *term, double value);

/* Refuses weights whose exact total might not fit into 64 bits. */
int exact_check(const Model *model, Err *err);
/* True for a whole number of the size that exact_check() allows for. */
bool exact_fits(double value);

/* From the linear predictor to the scale of the score, by the model's link. */
double link_value(const Model *model, double lp);

/* The score of a total: within floor and ceiling, times `multiply`. */
double total_score(const Model *model, double total);

/* A file named in a config, as seen from the working directory. */
const char *model_path(const Node *node, const char *file, Arena *arena);

#endif
