/*
 * gate.c - see gate.h.
 */
#include "engine/publish/gate.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"

/* What the checks read and where their findings go. */
typedef struct Look {
    GateResults *out;
    const Results *results;
    const Counts *counts;
    const PreviousRun *previous;
    const Gate *gate;
} Look;

/* The words are kept as far as there is room; NULL = none. */
__attribute__((format(printf, 4, 5))) static void
found(Look *look, const char *subject, double value, const char *words, ...)
{
    GateResults *out = look->out;
    GateResult *result;
    GateState state = GATE_PASS;

    if (isnan(value))
        state = GATE_NOT_COMPARED;
    else if (value > look->gate->limit)
        state = look->gate->severity == SEVERITY_STOP ? GATE_STOP : GATE_WARN;
    if (out->n == out->room) {
        out->room = out->room == 0 ? 32 : 2 * out->room;
        out->results =
            mem_grow(out->results, (size_t)out->room, sizeof *out->results, "gates");
    }
    result = &out->results[out->n++];
    *result = (GateResult){look->gate, subject, value, state, ""};
    if (words != NULL) {
        va_list args;

        va_start(args, words);
        vsnprintf(result->found, sizeof result->found, words, args);
        va_end(args);
    }
}

/* How much there is more or less than there was, as a share of what there was. */
static double change(double now, double then)
{
    if (now == then)
        return 0;
    return then == 0 ? INFINITY : fabs(now - then) / fabs(then);
}

#define NOW_AND_THEN "%" PRIu64 " %s, %" PRId64 " before"

/* ---- the checks ----------------------------------------------------------- */

/* Calls check for the gate's source, or for every source of that role or a later one. */
static void each_source(Look *look, Role from, void (*check)(Look *look, int source))
{
    const Plan *plan = look->results->plan;

    if (look->gate->source >= 0) {
        check(look, look->gate->source);
        return;
    }
    for (int s = 0; s < plan->n_sources; s++)
        if (plan->sources[s].role >= from)
            check(look, s);
}

static void fresh_source(Look *look, int source)
{
    int32_t latest = look->results->store->counts[source].latest;
    int32_t as_of = look->results->plan->as_of;

    /* A source without a dated row is as old as can be. */
    found(look, look->results->plan->sources[source].name,
          latest == DAY_UNKNOWN ? INFINITY : (double)as_of - latest, NULL);
}

static void rows_source(Look *look, int source)
{
    int64_t then = look->previous->source_rows[source];
    uint64_t now = look->results->store->counts[source].rows;

    found(look, look->results->plan->sources[source].name,
          then < 0 ? NAN : change((double)now, (double)then), NOW_AND_THEN, now, "rows",
          then);
}

static void rejected_source(Look *look, int source)
{
    const SourceCount *count = &look->results->store->counts[source];
    uint64_t rejects = 0;

    for (int f = ROW_NO_PERSON; f < N_ROW_FATES; f++)
        rejects += count->fate[f];
    found(look, look->results->plan->sources[source].name,
          count->rows == 0 ? 0 : (double)rejects / (double)count->rows,
          "%" PRIu64 " of %" PRIu64 " rows", rejects, count->rows);
}

static void check_fresh(Look *look)
{
    each_source(look, ROLE_EVENTS, fresh_source);
}

static void check_rows(Look *look)
{
    each_source(look, ROLE_PEOPLE, rows_source);
}

static void check_rejected(Look *look)
{
    each_source(look, ROLE_PEOPLE, rejected_source);
}

static void check_population(Look *look)
{
    uint64_t now = look->results->store->n_people, then = look->previous->n_people;

    found(look, "", look->previous->is_found ? change((double)now, (double)then) : NAN,
          NOW_AND_THEN, now, "people", (int64_t)then);
}

static void check_lists(Look *look)
{
    const Plan *plan = look->results->plan;

    for (int l = 0; l < plan->n_lists; l++) {
        int64_t then = look->previous->list_rows[l];
        uint64_t now = look->results->store->list_people[l];

        if (plan->lists[l].is_used)
            found(look, plan->lists[l].id,
                  then < 0 ? NAN : change((double)now, (double)then), NOW_AND_THEN, now,
                  "rows", then);
    }
}

static int compare_code(const void *key, const void *element)
{
    return strcmp(key, ((const Group *)element)->code);
}

static void check_practices(Look *look)
{
    const Area *area = &look->results->store->area;
    const Group *groups = area->groups[GROUPING_PRACTICE];
    char codes[160] = "";
    size_t len = 0;
    int missing = 0;

    for (int i = 0; i < look->previous->n_practices; i++) {
        const Group *now = area->n_groups[GROUPING_PRACTICE] == 0
                               ? NULL
                               : bsearch(look->previous->practices[i], groups,
                                         area->n_groups[GROUPING_PRACTICE],
                                         sizeof *groups, compare_code);

        if (now != NULL && now->n_people > 0)
            continue;
        missing++;
        if (len < sizeof codes)
            len +=
                (size_t)snprintf(codes + len, sizeof codes - len, "%s%s",
                                 missing == 1 ? "" : ", ", look->previous->practices[i]);
    }
    found(look, "", look->previous->is_found ? missing : NAN, "%s", codes);
}

static void check_scores(Look *look)
{
    const Plan *plan = look->results->plan;

    for (int m = 0; m < plan->n_models; m++) {
        double then = look->previous->mean_score[m], now = look->counts->mean[m];

        /* A model that scored people then and nobody now has drifted as far as can be. */
        if (!isnan(then) && isnan(now))
            found(look, plan->models[m].id, INFINITY, "nobody has a score");
        else
            found(look, plan->models[m].id, isnan(then) ? NAN : change(now, then),
                  "mean %.4g, %.4g before", now, then);
    }
}

static const struct Check {
    const char *id;
    void (*check)(Look *look);
    bool is_share;
    const char *unit;
} CHECKS[] = {
    {"fresh", check_fresh, false, "days"},
    {"rows_change", check_rows, true, "%"},
    {"population_change", check_population, true, "%"},
    {"rejected", check_rejected, true, "%"},
    {"list_change", check_lists, true, "%"},
    {"missing_practices", check_practices, false, "practices"},
    {"score_drift", check_scores, true, "%"},
};

enum { N_CHECKS = sizeof CHECKS / sizeof *CHECKS };

const char *gate_word(int number)
{
    return number < N_CHECKS ? CHECKS[number].id : NULL;
}

static const struct Check *find_check(const char *id)
{
    for (int i = 0; i < N_CHECKS; i++)
        if (strcmp(CHECKS[i].id, id) == 0)
            return &CHECKS[i];
    return NULL;
}

/* ---- all of them ---------------------------------------------------------- */

static int report(const GateResult *result, Err *err)
{
    const struct Check *check = find_check(result->gate->id);
    double factor = check->is_share ? 100 : 1;
    const char *colon = result->subject[0] == '\0' ? "" : ": ";
    bool has_words = result->found[0] != '\0';

    if (result->state == GATE_WARN)
        log_line(LOG_WARN,
                 "stage=publish gate=%s subject=\"%s\" value=%g limit=%g found=\"%s\"",
                 result->gate->id, result->subject, result->value, result->gate->limit,
                 result->found);
    if (result->state != GATE_STOP)
        return 0;
    return err_add(err, ERR_GATE, result->gate->where,
                   "gate %s stops the run: %s%s%.4g %s, limit %g %s%s%s%s",
                   result->gate->id, result->subject, colon, factor * result->value,
                   check->unit, factor * result->gate->limit, check->unit,
                   has_words ? " (" : "", result->found, has_words ? ")" : "");
}

int gates_check(GateResults *gates, const Results *results, const Counts *counts,
                const PreviousRun *previous, Err *err)
{
    Look look = {gates, results, counts, previous, NULL};
    int rc = 0;

    *gates = (GateResults){0};
    for (int i = 0; i < results->plan->n_gates; i++) {
        const Gate *gate = &results->plan->gates[i];
        const struct Check *check = find_check(gate->id);

        if (check == NULL)
            return err_add(err, ERR_CONFIG, gate->where, "unknown gate \"%s\"", gate->id);
        look.gate = gate;
        check->check(&look);
    }
    for (int i = 0; i < gates->n; i++)
        rc |= report(&gates->results[i], err);
    if (rc != 0)
        err_hint(err, "the last results stand; mend the source, or change the limit");
    return rc == 0 ? 0 : -1;
}

void gates_free(GateResults *gates)
{
    free(gates->results);
    *gates = (GateResults){0};
}

const char *gate_state_word(GateState state)
{
    static const char *const WORD[] = {"pass", "warn", "stop", "not compared"};

    return WORD[state];
}
