/*
 * steps.c - see steps.h.
 */
#include "models/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/reads.h"

/* ---- one step ------------------------------------------------------------ */

static void score_model(const Model *model, double *row, uint8_t *outcome)
{
    double score = NAN;
    int why = 0, band;

    for (int r = 1; r < model->n_reasons && why == 0; r++) {
        const ModelReason *reason = &model->reasons[r];

        if (reason->is_eligibility && reason->when != NULL &&
            !rule_holds(reason->when, row))
            why = r;
    }
    if (why == 0)
        score = model->kind->score(model, row, &why);
    *outcome = (uint8_t)why;
    row[model->score_slot] = score;
    band = model_band(model, score);
    row[model->band_slot] = band < 0 ? NAN : band;
}

void step_take(const Plan *plan, const Step *step, double *row, uint8_t *outcome)
{
    const Derived *derived;

    if (step->is_model) {
        score_model(&plan->models[step->index], row, &outcome[step->index]);
        return;
    }
    derived = &plan->derived[step->index];
    row[derived->slot] = rule_number(derived->rule, row);
}

/* ---- who reads what ------------------------------------------------------ */

/* A step whose slots are being looked at. */
typedef struct Reader {
    Steps *steps;
    const int *step_of; /* by slot: the step that fills it; -1 = none */
    size_t step;
} Reader;

static uint64_t *words_of(const Steps *steps, size_t feature)
{
    return steps->set_off + feature * steps->n_words;
}

static bool has_bit(const uint64_t *words, size_t bit)
{
    return (words[bit / 64] >> bit % 64 & 1) != 0;
}

static void set_bit(uint64_t *words, size_t bit)
{
    words[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* What sets off a step sets off those that read what it fills. */
static void follow(Reader *reader, size_t step)
{
    Steps *steps = reader->steps;

    if (has_bit(steps->always, step))
        set_bit(steps->always, reader->step);
    for (int f = 0; f < steps->plan->n_features; f++)
        if (has_bit(words_of(steps, (size_t)f), step))
            set_bit(words_of(steps, (size_t)f), reader->step);
}

static void read_slot(void *context, uint32_t number)
{
    Reader *reader = context;
    const Slot *slot = &reader->steps->plan->slots[number];

    if (slot->kind == SLOT_FEATURE)
        set_bit(words_of(reader->steps, (size_t)slot->index), reader->step);
    else if (reader->step_of[number] >= 0)
        follow(reader, (size_t)reader->step_of[number]);
    else
        set_bit(reader->steps->always, reader->step);
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

        if (!has_bit(steps->always, (size_t)s))
            step_take(plan, step, steps->untouched, steps->outcome);
        steps->first = slot < steps->first ? slot : steps->first;
    }
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

/* ---- a person ------------------------------------------------------------ */

static void find_due(uint64_t *due, const Steps *steps, const Tally *tally)
{
    uint32_t n;
    const uint32_t *touched = tally_touched(tally, &n);

    memcpy(due, steps->always, steps->n_words * sizeof *due);
    for (uint32_t t = 0; t < n; t++) {
        const uint64_t *words = words_of(steps, touched[t]);

        for (size_t w = 0; w < steps->n_words; w++)
            due[w] |= words[w];
    }
}

void steps_take(const Steps *steps, const Tally *tally, double *row, uint8_t *outcome,
                uint64_t *due)
{
    const Plan *plan = steps->plan;
    uint32_t first = steps->first;

    memcpy(row + first, steps->untouched + first, (plan->n_slots - first) * sizeof *row);
    memcpy(outcome, steps->outcome, (size_t)plan->n_models);
    find_due(due, steps, tally);
    for (size_t w = 0; w < steps->n_words; w++)
        for (uint64_t bits = due[w]; bits != 0; bits &= bits - 1)
            step_take(plan, &plan->steps[w * 64 + (size_t)__builtin_ctzll(bits)], row,
                      outcome);
}
