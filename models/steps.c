/*
 * steps.c - see steps.h.
 */
#include "models/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/reads.h"

/* ---- one step ------------------------------------------------------------ */

/* The people for whom a step is taken. */
typedef struct Asked {
    int n;
    double *row[MOST_LANES];
    uint8_t lane[MOST_LANES];       /* of the row, in outcome */
    uint8_t (*outcome)[MOST_LANES]; /* by model and lane */
} Asked;

static const double *const *asked_rows(const Asked *asked)
{
    return (const double *const *)asked->row;
}

static void derive(const Derived *derived, const Asked *asked)
{
    double value[MOST_LANES];

    rule_numbers(derived->rule, asked_rows(asked), asked->n, value);
    for (int l = 0; l < asked->n; l++)
        asked->row[l][derived->slot] = value[l];
}

static void put_score(const Model *model, double *row, double score)
{
    int band = model_band(model, score);

    row[model->score_slot] = score;
    row[model->band_slot] = band < 0 ? NAN : band;
}

/* Leaves those that the model is for; the others have no score, for that reason. */
static void keep_eligible(Asked *asked, const Plan *plan, int number, int reason)
{
    const Model *model = &plan->models[number];
    uint32_t holds =
        rule_holds_for(model->reasons[reason].when, asked_rows(asked), asked->n);
    int n = 0;

    for (int l = 0; l < asked->n; l++) {
        double *row = asked->row[l];
        uint8_t lane = asked->lane[l];

        if ((holds >> l & 1) == 0) {
            asked->outcome[number][lane] = (uint8_t)reason;
            put_score(model, row, NAN);
            continue;
        }
        asked->row[n] = row;
        asked->lane[n++] = lane;
    }
    asked->n = n;
}

static void score_model(const Plan *plan, int number, Asked *asked)
{
    const Model *model = &plan->models[number];
    double score[MOST_LANES];
    int why[MOST_LANES];

    for (int r = 1; r < model->n_reasons && asked->n > 0; r++)
        if (model->reasons[r].is_eligibility && model->reasons[r].when != NULL)
            keep_eligible(asked, plan, number, r);
    if (asked->n == 0)
        return;
    model->kind->score(model, asked_rows(asked), asked->n, score, why);
    for (int l = 0; l < asked->n; l++) {
        asked->outcome[number][asked->lane[l]] = (uint8_t)why[l];
        put_score(model, asked->row[l], score[l]);
    }
}

/* Fills the step's slots of the rows from those that it reads. */
static void take(const Plan *plan, const Step *step, Asked *asked)
{
    if (asked->n == 0)
        return;
    if (step->is_model)
        score_model(plan, step->index, asked);
    else
        derive(&plan->derived[step->index], asked);
}

/* ---- who reads what ------------------------------------------------------ */

/* A step whose slots are being looked at. */
typedef struct Reader {
    Steps *steps;
    const int *step_of; /* by slot: the step that fills it; -1 = none */
    size_t step;
} Reader;

static uint64_t *set_off_by(const Steps *steps, size_t feature, size_t step)
{
    return &steps->set_off[step / 64 * (size_t)steps->plan->n_features + feature];
}

static bool has_bit(uint64_t word, size_t bit)
{
    return (word >> bit % 64 & 1) != 0;
}

static void set_bit(uint64_t *word, size_t bit)
{
    *word |= UINT64_C(1) << bit % 64;
}

/* What sets off a step sets off those that read what it fills. */
static void follow(Reader *reader, size_t step)
{
    Steps *steps = reader->steps;

    if (has_bit(steps->always[step / 64], step))
        set_bit(&steps->always[reader->step / 64], reader->step);
    for (size_t f = 0; f < (size_t)steps->plan->n_features; f++)
        if (has_bit(*set_off_by(steps, f, step), step))
            set_bit(set_off_by(steps, f, reader->step), reader->step);
}

static void read_slot(void *context, uint32_t number)
{
    Reader *reader = context;
    const Slot *slot = &reader->steps->plan->slots[number];

    if (slot->kind == SLOT_FEATURE)
        set_bit(set_off_by(reader->steps, (size_t)slot->index, reader->step),
                reader->step);
    else if (reader->step_of[number] >= 0)
        follow(reader, (size_t)reader->step_of[number]);
    else
        set_bit(&reader->steps->always[reader->step / 64], reader->step);
}

/* Steps come after what they read. */
static void find_readers(Steps *steps)
{
    const Plan *plan = steps->plan;
    int *step_of = mem_alloc(plan->n_slots, sizeof *step_of, "steps");
    Reader reader = {steps, step_of, 0};

    for (uint32_t s = 0; s < plan->n_slots; s++)
        step_of[s] = -1;
    for (int s = 0; s < plan->n_steps; s++) {
        const Step *step = &plan->steps[s];

        reader.step = (size_t)s;
        if (step->is_model) {
            const Model *model = &plan->models[step->index];

            model_each_slot(model, read_slot, &reader);
            step_of[model->score_slot] = step_of[model->band_slot] = s;
        } else {
            const Derived *derived = &plan->derived[step->index];

            rule_each_slot(derived->rule, read_slot, &reader);
            step_of[derived->slot] = s;
        }
    }
    free(step_of);
}

/* ---- the values ---------------------------------------------------------- */

static void fill_row(Steps *steps, const FeatureSet *set)
{
    const Plan *plan = steps->plan;
    const double *features = feature_set_untouched(set);

    for (uint32_t s = 0; s < plan->n_slots; s++)
        steps->untouched[s] = NAN;
    for (int f = 0; f < plan->n_features; f++)
        steps->untouched[plan->features[f].slot] = features[f];
    steps->first = plan->n_slots;
    for (int s = 0; s < plan->n_steps; s++) {
        const Step *step = &plan->steps[s];
        uint32_t slot = step->is_model ? plan->models[step->index].score_slot
                                       : plan->derived[step->index].slot;

        if (!has_bit(steps->always[s / 64], (size_t)s))
            take(plan, step,
                 &(Asked){.n = 1, .row = {steps->untouched}, .outcome = steps->outcome});
        steps->first = slot < steps->first ? slot : steps->first;
    }
    for (int m = 0; m < plan->n_models; m++)
        memset(steps->outcome[m], steps->outcome[m][0], MOST_LANES);
}

Steps *steps_new(const Plan *plan, const FeatureSet *set)
{
    Steps *steps = mem_alloc(1, sizeof *steps, "steps");
    size_t n_words = ((size_t)plan->n_steps + 63) / 64;

    *steps = (Steps){
        .plan = plan,
        .untouched = mem_alloc(plan->n_slots, sizeof *steps->untouched, "row"),
        .outcome = mem_alloc((size_t)plan->n_models, sizeof *steps->outcome, "outcomes"),
        .n_words = n_words,
        .always = mem_alloc(n_words, sizeof *steps->always, "steps"),
        .set_off = mem_alloc((size_t)plan->n_features * n_words, sizeof *steps->set_off,
                             "steps"),
    };
    find_readers(steps);
    fill_row(steps, set);
    return steps;
}

void steps_free(Steps *steps)
{
    if (steps == NULL)
        return;
    free(steps->untouched);
    free(steps->outcome);
    free(steps->always);
    free(steps->set_off);
    free(steps);
}

/* ---- people -------------------------------------------------------------- */

static void find_due(const Steps *steps, Lanes *lanes, int lane)
{
    const uint32_t *touched = lanes->touched[lane];
    size_t n_features = (size_t)steps->plan->n_features;

    for (size_t w = 0; w < steps->n_words; w++) {
        const uint64_t *set_off = steps->set_off + w * n_features;
        uint64_t word = 0;

        for (uint32_t t = 0; t < lanes->n_touched[lane]; t++)
            word |= set_off[touched[t]];
        lanes->due[w][lane] = word;
    }
}

/* What the steps come to for whom none is due, and who has which to take. */
static void begin(const Steps *steps, Lanes *lanes)
{
    const Plan *plan = steps->plan;

    for (uint32_t s = steps->first; s < plan->n_slots; s++)
        for (int l = 0; l < lanes->n; l++)
            lanes->row[l][s] = steps->untouched[s];
    memcpy(lanes->outcome, steps->outcome,
           (size_t)plan->n_models * sizeof *lanes->outcome);
    for (int l = 0; l < lanes->n; l++)
        find_due(steps, lanes, l);
}

static void ask(Asked *asked, const Lanes *lanes, size_t step)
{
    const uint64_t *due = lanes->due[step / 64];
    int n = 0;

    for (int l = 0; l < lanes->n; l++) { /* without a branch */
        asked->row[n] = lanes->row[l];
        asked->lane[n] = (uint8_t)l;
        n += has_bit(due[l], step);
    }
    asked->n = n;
}

static Asked ask_all(const Lanes *lanes)
{
    Asked all = {.n = lanes->n, .outcome = lanes->outcome};

    for (int l = 0; l < lanes->n; l++) {
        all.row[l] = lanes->row[l];
        all.lane[l] = (uint8_t)l;
    }
    return all;
}

void steps_take(const Steps *steps, Lanes *lanes)
{
    const Plan *plan = steps->plan;
    const Asked all = ask_all(lanes);

    begin(steps, lanes);
    for (int s = 0; s < plan->n_steps; s++) {
        Asked asked = all;

        if (!has_bit(steps->always[s / 64], (size_t)s))
            ask(&asked, lanes, (size_t)s);
        take(plan, &plan->steps[s], &asked);
    }
}

void steps_derive(Lanes *lanes, const Plan *plan, const bool *slots)
{
    const Asked all = ask_all(lanes);

    for (int s = 0; s < plan->n_steps; s++) {
        const Derived *derived = &plan->derived[plan->steps[s].index];

        if (!plan->steps[s].is_model && slots[derived->slot])
            derive(derived, &all);
    }
}
