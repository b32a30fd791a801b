/*
 * gate.h - quality gates: is this run good enough to be seen?
 *
 *     fresh              days between the newest row of a source and the as-of date
 *     rows_change        change of the rows of a source against the last published run
 *     population_change  the same of the people of the run
 *     rejected           rejected rows of a source, as a share of its rows
 *     list_change        change of the rows that a code list matched
 *     missing_practices  practices with people in the last run and with none in this
 *     score_drift        change of the mean score of a model
 *
 * Without a source `fresh` looks at every source of events, rows_change and rejected at
 * every source. A value above the limit warns or stops the run, as the config says. A
 * change is a share of what there was; where there was no earlier run, or not of the same
 * version, the state is "not compared".
 */
#ifndef ENGINE_PUBLISH_GATE_H
#define ENGINE_PUBLISH_GATE_H

#include "engine/publish/reconcile.h"
#include "engine/strata/previous.h"

typedef enum GateState { GATE_PASS, GATE_WARN, GATE_STOP, GATE_NOT_COMPARED } GateState;

typedef struct GateResult {
    const Gate *gate;
    const char *subject; /* source, list or model; "" for the whole run */
    double value;        /* NaN where there is nothing to compare with */
    GateState state;
    char found[160]; /* what the value came of, in words; "" = it says it all */
} GateResult;

typedef struct GateResults {
    GateResult *results;
    int n, room;
} GateResults;

/* Logs what warns. ERR_GATE, with every gate that stops, when one does. */
int gates_check(GateResults *gates, const Results *results, const Counts *counts,
                const PreviousRun *previous, Err *err);
void gates_free(GateResults *gates);

/* What can be checked; NULL past the last. The same words as plan_gate_word(). */
const char *gate_word(int number);
/* "pass", "warn", "stop", "not compared". */
const char *gate_state_word(GateState state);

#endif
