/*
 * tree_bind.h - a model file and the features of a person brought together.
 */
#ifndef MODELS_TREE_BIND_H
#define MODELS_TREE_BIND_H

#include "engine/plan/plan.h"
#include "models/trees/forest.h"

/* From the value of a term to the code the file knows it by. */
typedef struct Input {
    const double *code; /* by index of the slot's word; NaN = no category; or NULL */
    int n_codes;
    const double *number; /* the value's place in here is its code; or NULL */
    int n_numbers;
    int unknown; /* reason: a category that the model was not trained with */
} Input;

/* Model.own of trees. */
typedef struct Trees {
    Forest forest;
    Input *inputs; /* by feature, beside Model.terms */
    double missing_value;
    int output;      /* class */
    int file_rounds; /* Forest.n_rounds before `rounds: best` */
    bool is_margin;
    int not_finite; /* reason */
} Trees;

/* Reads the model file and every word of the node; fills Model.own and Model.terms, one
 * term for each feature of the file. Marks the slots it reads as used. */
int trees_bind(Model *model, const Plan *plan, const Node *node, Arena *arena, Err *err);

#endif
