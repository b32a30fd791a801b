/*
 * kinds.c - the kinds of model, and what they share.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/sums.h"
#include "models/kinds.h"

const ModelKind *const model_kinds[] = {
    &kind_index,        &kind_points, &kind_regression, &kind_trees, &kind_ensemble,
    &kind_recalibrated, NULL,
};

/* Scores.outcome is one byte. The last number is kept for the overflow. */
enum { MOST_REASONS = 255 };

/* More than any count: the largest value that is multiplied by exact weights. */
static const double MOST_COUNT = 4294967296.0;

uint8_t reason_add(Model *model, const char *text, Arena *arena)
{
    int n = model->n_reasons;

    assert(n > 0); /* number 0 is "scored" */
    if (n >= MOST_REASONS - 1)
        text = "an input cannot be used";
    for (int r = 1; r < n; r++)
        if (!model->reasons[r].is_eligibility &&
            strcmp(model->reasons[r].text, text) == 0)
            return (uint8_t)r;
    model->reasons = arena_grow(arena, model->reasons, (size_t)n, (size_t)n + 1,
                                sizeof *model->reasons);
    model->reasons[n] = (ModelReason){.text = text};
    model->n_reasons = n + 1;
    return (uint8_t)n;
}

static uint8_t term_reason(Model *model, const Term *term, const char *what, Arena *arena)
{
    return reason_add(model, arena_format(arena, "\"%s\" %s", term->label, what), arena);
}

/* Age, yes/no expressions and features whose default is a number always have a value. */
static bool term_can_miss(const Plan *plan, const Term *term)
{
    const Slot *slot = &plan->slots[term->slot];

    if (term->value != NULL)
        return !rule_is_certain(term->value);
    switch (slot->kind) {
    case SLOT_AGE:
        return false;
    case SLOT_FEATURE:
        return isnan(plan->features[slot->index].missing);
    case SLOT_DERIVED:
        return !rule_is_certain(plan->derived[slot->index].rule);
    default:
        return true;
    }
}

static bool count_is_whole(const Feature *feature)
{
    switch (feature->count) {
    case COUNT_SUM:
    case COUNT_MIN:
    case COUNT_MAX:
    case COUNT_MEAN:
    case COUNT_LATEST:
    case COUNT_EARLIEST:
        return false;
    default:
        return isnan(feature->missing) || exact_fits(feature->missing);
    }
}

static bool term_can_be_fraction(const Plan *plan, const Term *term)
{
    const Slot *slot = &plan->slots[term->slot];

    if (term->n_steps > 0)
        return false; /* steps take any number */
    if (term->value != NULL)
        return rule_type(term->value) == RULE_NUMBER;
    switch (slot->kind) {
    case SLOT_AGE:
        return false;
    case SLOT_FEATURE:
        return !count_is_whole(&plan->features[slot->index]);
    default:
        return slot->type == RULE_NUMBER;
    }
}

/* What takes the place of a missing value; NaN where there is no score without one. */
static double stand_in(const Model *model, const Term *term)
{
    switch (model->missing) {
    case MISSING_ZERO:
        return 0;
    case MISSING_IMPUTE:
        return term->impute;
    default:
        return NAN;
    }
}

static bool term_has_range(const Term *term)
{
    return term->least > -INFINITY || term->most < INFINITY;
}

static QuickTerm prepare_term(Model *model, const Plan *plan, const Term *term,
                              bool is_exact, Arena *arena)
{
    bool can_miss = term_can_miss(plan, term);
    bool is_fraction = is_exact && term_can_be_fraction(plan, term);
    QuickTerm quick = {
        .is_plain = term->value == NULL && term->n_steps == 0 && !can_miss &&
                    !is_fraction && !term_has_range(term) && term->cap == 0 &&
                    term->n_zeroed_by == 0 && term->group == 0,
        .slot = term->slot,
        .points = term->points,
        .weight = term->weight,
        .centre = term->centre,
    };

    if (can_miss && isnan(stand_in(model, term)))
        quick.missing = term_reason(model, term, "has no value", arena);
    if (term_has_range(term) && model->range == RANGE_NOT_SCORED)
        quick.range = term_reason(model, term, "is out of range", arena);
    if (is_fraction)
        quick.fraction = term_reason(model, term, "is not a whole number", arena);
    return quick;
}

static bool is_replaceable(const Model *model, const Plan *plan, const Term *term)
{
    return (term_can_miss(plan, term) && !isnan(stand_in(model, term))) ||
           (term_has_range(term) && model->range == RANGE_CLAMP);
}

/* Whether a slot is 1, 0 or, of a derived feature, missing. */
static bool slot_is_yesno(const Plan *plan, uint32_t number)
{
    const Slot *slot = &plan->slots[number];
    double missing;

    if (slot->type != RULE_YESNO)
        return false;
    if (slot->kind != SLOT_FEATURE)
        return slot->kind == SLOT_DERIVED;
    missing = plan->features[slot->index].missing;
    return missing == 0 || missing == 1;
}

static int by_slot(const void *left, const void *right)
{
    const Term *a = *(const Term *const *)left, *b = *(const Term *const *)right;

    return (a->slot > b->slot) - (a->slot < b->slot);
}

/* Terms that look at slots side by side become one run. */
static void lay_out_runs(Quick *own, const Term **terms, int n, Arena *arena)
{
    double *points = arena_alloc(arena, (size_t)n, sizeof *points);

    if (n > 0)
        qsort(terms, (size_t)n, sizeof *terms, by_slot);
    own->plain = arena_alloc(arena, (size_t)n, sizeof *own->plain);
    for (int t = 0; t < n; t++) {
        PlainRun *run = &own->plain[own->n_plain - (own->n_plain > 0)];

        points[t] = (double)terms[t]->points;
        if (own->n_plain == 0 || terms[t]->slot != run->slot + (uint32_t)run->n)
            own->plain[own->n_plain++] = (PlainRun){terms[t]->slot, 1, &points[t]};
        else
            run->n++;
    }
}

static void split_terms(Quick *own, const Model *model, const Plan *plan, Arena *arena)
{
    size_t n = (size_t)model->n_terms;
    const Term **plain = arena_alloc(arena, n, sizeof *plain);
    int n_plain = 0;

    own->rest = arena_alloc(arena, n, sizeof *own->rest);
    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];

        if (own->terms[t].is_plain && slot_is_yesno(plan, term->slot))
            plain[n_plain++] = term;
        else
            own->rest[own->n_rest++] = t;
    }
    lay_out_runs(own, plain, n_plain, arena);
}

/* Whole numbers below 2^53, as exact_check() has made sure. */
static int64_t plain_points_of(const Quick *own, const double *row)
{
    double total = 0;

    for (int r = 0; r < own->n_plain; r++)
        total +=
            sum_points(&row[own->plain[r].slot], own->plain[r].points, own->plain[r].n);
    return (int64_t)total;
}

void plain_points(const Quick *own, const Scoring *of, int64_t *total)
{
    for (int l = 0; l < of->n; l++) {
        total[l] = plain_points_of(own, of->rows[l]);
        of->why[l] = 0;
    }
}

Quick *terms_prepare(Model *model, const Plan *plan, bool is_exact, Arena *arena)
{
    size_t n = (size_t)model->n_terms;
    Quick *own = arena_alloc(arena, 1, sizeof *own);

    own->terms = arena_alloc(arena, n, sizeof *own->terms);
    model->replaceable = arena_alloc(arena, n, sizeof *model->replaceable);
    model->n_replaceable = 0;
    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];

        own->terms[t] = prepare_term(model, plan, term, is_exact, arena);
        if (is_replaceable(model, plan, term))
            model->replaceable[model->n_replaceable++] = (Replaceable){term->label, t};
    }
    split_terms(own, model, plan, arena);
    model->own = own;
    return own;
}

static double term_input(const Term *term, const double *row)
{
    return term->value != NULL ? rule_number(term->value, row) : row[term->slot];
}

/* The value under the policies, and what they did to it; NaN = they allow no score. */
static double under_policies(const Model *model, const Term *term, double value,
                             int *done)
{
    *done = 0;
    if (isnan(value)) {
        value = stand_in(model, term);
        if (isnan(value))
            return NAN;
        *done = INPUT_MISSING;
    }
    if (value >= term->least && value <= term->most)
        return value;
    if (model->range != RANGE_CLAMP)
        return NAN;
    *done |= value < term->least ? INPUT_BELOW : INPUT_ABOVE;
    return value < term->least ? term->least : term->most;
}

/* The value of a term whose input is known. */
static inline double term_usable(const Model *model, int number, double input, int *why)
{
    const Term *term = &model->terms[number];
    const QuickTerm *quick = &((const Quick *)model->own)->terms[number];
    double value;
    int done;

    if (input >= term->least && input <= term->most)
        return input;
    value = under_policies(model, term, input, &done);
    if (!isnan(value))
        return value;
    if (*why == 0)
        *why = isnan(input) && done == 0 ? quick->missing : quick->range;
    assert(*why != 0);
    return NAN;
}

double term_value(const Model *model, int number, const double *row, int *why)
{
    return term_usable(model, number, term_input(&model->terms[number], row), why);
}

static bool all_within(const double *value, int n, double least, double most)
{
    bool is_within = true;

    for (int l = 0; l < n; l++)
        is_within &= (int)(value[l] >= least) & (int)(value[l] <= most);
    return is_within;
}

void term_values(const Model *model, int number, const Scoring *of, double *value)
{
    const Term *term = &model->terms[number];

    if (term->value != NULL)
        rule_numbers(term->value, of->rows, of->n, value);
    else
        for (int l = 0; l < of->n; l++)
            value[l] = of->rows[l][term->slot];
    if (all_within(value, of->n, term->least, term->most)) /* as nearly always */
        return;
    for (int l = 0; l < of->n; l++)
        value[l] = term_usable(model, number, value[l], &of->why[l]);
}

int term_replaced(const Model *model, int input, const double *row)
{
    const Term *term = &model->terms[model->replaceable[input].term];
    int done;

    under_policies(model, term, term_input(term, row), &done);
    return done;
}

bool term_is_zeroed(const Model *model, const Term *term, const double *row)
{
    for (int z = 0; z < term->n_zeroed_by; z++) {
        if (term_input(&model->terms[term->zeroed_by[z]], row) > 0)
            return true;
    }
    return false;
}

int term_step(const Term *term, double value)
{
    for (int s = 0; s < term->n_steps; s++)
        if (term->step_upto[s] ? value <= term->step_bound[s]
                               : value < term->step_bound[s])
            return s;
    return -1;
}

int exact_check(const Model *model, Err *err)
{
    double most = 0;
    int rc = 0;

    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];

        most += fabs((double)term->points) * MOST_COUNT;
        for (int s = 0; s < term->n_steps; s++)
            most += fabs((double)term->step_points[s]);
    }
    if (most >= (double)INT64_MAX) {
        rc =
            err_add(err, ERR_CONFIG, model->where,
                    "the weights of model \"%s\" are too large, or too long, to be added "
                    "exactly",
                    model->id);
        err_hint(err, "write weights with fewer digits after the point");
    }
    return rc;
}

bool exact_fits(double value)
{
    return fabs(value) < MOST_COUNT && value == trunc(value);
}

double link_value(const Model *model, double lp)
{
    switch (model->link) {
    case LINK_LOGIT:
        return 1 / (1 + exp(-lp));
    case LINK_LOG:
        return exp(lp);
    case LINK_CLOGLOG:
        return -expm1(-exp(lp));
    case LINK_COX: /* by expm1 and log, so that small risks keep their digits */
        return -expm1(exp(lp) * log(model->baseline));
    default:
        return lp;
    }
}

double total_score(const Model *model, double total)
{
    if (total < model->floor)
        total = model->floor;
    if (total > model->ceiling)
        total = model->ceiling;
    return total * model->multiply;
}

const char *model_path(const Node *node, const char *file, Arena *arena)
{
    const char *slash = strrchr(node->where.name, '/');

    if (*file == '/' || slash == NULL)
        return file;
    return arena_format(arena, "%.*s/%s", (int)(slash - node->where.name),
                        node->where.name, file);
}
