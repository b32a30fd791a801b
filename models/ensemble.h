/*
 * ensemble.h - a model made of other models: a weighted sum of their scores, its link,
 * and a calibration. The kinds ensemble and recalibrated fill it and share what follows.
 */
#ifndef MODELS_ENSEMBLE_H
#define MODELS_ENSEMBLE_H

#include "models/calibration.h"
#include "models/kinds.h"

/* What is added. */
typedef enum Scale {
    SCALE_PROBABILITY, /* the score without its `multiply`: 0 to 1 */
    SCALE_LOGIT,       /* ln(p / (1 - p)) of that */
    SCALE_SCORE        /* the score as it stands */
} Scale;

typedef struct Member {
    const Model *model;
    double weight;
    uint8_t no_score, off_scale; /* indexes into Model.reasons */
    int *term;                   /* from a term of its own to the ensemble's */
} Member;

/* Model.own of ensemble and recalibrated. */
typedef struct Ensemble {
    Scale scale;
    Member *members; /* Model.terms has one term for each, and then theirs for reasons */
    int n;
    Calibration map;
    uint8_t outside, not_finite; /* indexes into Model.reasons */
} Ensemble;

/* What reading one needs everywhere. */
typedef struct EnsembleReader {
    Model *model;
    Ensemble *own;
    const Plan *plan;
    Arena *arena;
    Err *err;
} EnsembleReader;

/* Starts Model.own. */
EnsembleReader ensemble_start(Model *model, const Plan *plan, Arena *arena, Err *err);
/* `scale:`; the fallback where it is absent. */
int ensemble_scale(EnsembleReader *reader, const Node *node, Scale fallback);
/* A member from its `model:` and `version:`. The version is named because weights and
 * calibrations belong to what they were fitted to. */
int ensemble_member(EnsembleReader *reader, const Node *node, double weight);
/* After the last member: intercept, link, map and reasons. */
int ensemble_finish(EnsembleReader *reader, const Node *node);

void ensemble_score(const Model *model, const double *const *rows, int n, double *score,
                    int *why);
/* Whether the sum lay outside the map and was clamped. */
int ensemble_replaced(const Model *model, int input, const double *row);
/*
 * The shares of each member, times its weight; those of one input in several members
 * are one. They are on the scale on which the member gives them: of a regression the
 * linear predictor, of trees the margin. So for members with a logit link on the scale
 * `logit` they and the intercepts add up to the sum before link and map, as long as no
 * floor, ceiling or map of a member comes between; on the other scales they only tell
 * what raised the score and which input did so more.
 */
int ensemble_shares(const Model *model, const double *row, Share *shares);

#endif
