/*
 * calibration.h - a map from what a model says to what was observed.
 *
 *     map: [[0, 0.004], [0.1, 0.07], [1, 0.61]]                 pairs of from and to
 *     map: {file: isotonic.csv, from: predicted, to: observed}  columns of a CSV file
 *
 * Points rise in `from` and never fall in `to`, so that no two people change places.
 * Between two points the map is a straight line; outside them it has no value.
 */
#ifndef MODELS_CALIBRATION_H
#define MODELS_CALIBRATION_H

#include "engine/config/config.h"

typedef struct Calibration {
    int n; /* 0 = no map */
    double *from, *to;
} Calibration;

/* Reports every point that is none, or that makes the map fall. */
int calibration_read(Calibration *map, const Node *node, Arena *arena, Err *err);

/* NaN for a value outside the points. The map has at least two. */
double calibration_value(const Calibration *map, double value);

#endif
