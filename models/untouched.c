/*
 * untouched.c - see untouched.h.
 */
#include "models/untouched.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/reads.h"
#include "models/step.h"

/* ---- who reads what ------------------------------------------------------ */

/* A step whose slots are being looked at. */
typedef struct Reader {
    Untouched *untouched;
    const int *step_of; /* by slot: the step that fills it; -1 = none */
    size_t step;
} Reader;

static uint64_t *words_of(const Untouched *untouched, size_t feature)
{
    return untouched->set_off + feature * untouched->n_words;
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
    Untouched *untouched = reader->untouched;

    if (has_bit(untouched->always, step))
        set_bit(untouched->always, reader->step);
    for (int f = 0; f < untouched->plan->n_features; f++)
        if (has_bit(words_of(untouched, (size_t)f), step))
            set_bit(words_of(untouched, (size_t)f), reader->step);
}

static void read_slot(void *context, uint32_t number)
{
    Reader *reader = context;
    const Slot *slot = &reader->untouched->plan->slots[number];

    if (slot->kind == SLOT_FEATURE)
        set_bit(words_of(reader->untouched, (size_t)slot->index), reader->step);
    else if (reader->step_of[number] >= 0)
        follow(reader, (size_t)reader->step_of[number]);
    else
        set_bit(reader->untouched->always, reader->step);
}

/* Steps come after what they read. */
static void find_readers(Untouched *untouched)
{
    const Plan *plan = untouched->plan;
    int *step_of = mem_alloc(plan->n_slots, sizeof *step_of, "steps");
    Reader reader = {untouched, step_of, 0};

    for (uint32_t s = 0; s < plan->n_slots; s++)
        step_of[s] = -1;
    for (int s = 0; s < plan->n_steps; s++) {
        const Step *step = &plan->steps[s];
        const Derived *derived = &plan->derived[step->index];
        const Model *model = &plan->models[step->index];

        reader.step = (size_t)s;
        if (step->is_model) {
            model_each_slot(model, read_slot, &reader);
            step_of[model->score_slot] = step_of[model->band_slot] = s;
        } else {
            rule_each_slot(derived->rule, read_slot, &reader);
            step_of[derived->slot] = s;
        }
    }
    free(step_of);
}

/* ---- the values ---------------------------------------------------------- */

static void fill_row(Untouched *untouched, const FeatureSet *set)
{
    const Plan *plan = untouched->plan;
    const double *features = feature_set_untouched(set);

    for (uint32_t s = 0; s < plan->n_slots; s++)
        untouched->row[s] = NAN;
    for (int f = 0; f < plan->n_features; f++)
        untouched->row[plan->features[f].slot] = features[f];
    untouched->first = plan->n_slots;
    for (int s = 0; s < plan->n_steps; s++) {
        const Step *step = &plan->steps[s];
        uint32_t slot = step->is_model ? plan->models[step->index].score_slot
                                       : plan->derived[step->index].slot;

        if (!has_bit(untouched->always, (size_t)s))
            step_take(plan, step, untouched->row, untouched->outcome);
        untouched->first = slot < untouched->first ? slot : untouched->first;
    }
}

Untouched *untouched_new(const Plan *plan, const FeatureSet *set)
{
    Untouched *untouched = mem_alloc(1, sizeof *untouched, "steps");
    size_t n_words = ((size_t)plan->n_steps + 63) / 64;

    *untouched = (Untouched){
        .plan = plan,
        .row = mem_alloc(plan->n_slots, sizeof *untouched->row, "row"),
        .outcome =
            mem_alloc((size_t)plan->n_models, sizeof *untouched->outcome, "outcomes"),
        .n_words = n_words,
        .always = mem_alloc(n_words, sizeof *untouched->always, "steps"),
        .set_off = mem_alloc((size_t)plan->n_features * n_words,
                             sizeof *untouched->set_off, "steps"),
    };
    find_readers(untouched);
    fill_row(untouched, set);
    return untouched;
}

void untouched_free(Untouched *untouched)
{
    if (untouched == NULL)
        return;
    free(untouched->row);
    free(untouched->outcome);
    free(untouched->always);
    free(untouched->set_off);
    free(untouched);
}

/* ---- a person ------------------------------------------------------------ */

static void find_due(uint64_t *due, const Untouched *untouched, const Tally *tally)
{
    uint32_t n;
    const uint32_t *touched = tally_touched(tally, &n);

    memcpy(due, untouched->always, untouched->n_words * sizeof *due);
    for (uint32_t t = 0; t < n; t++) {
        const uint64_t *words = words_of(untouched, touched[t]);

        for (size_t w = 0; w < untouched->n_words; w++)
            due[w] |= words[w];
    }
}

void untouched_steps(const Untouched *untouched, const Tally *tally, double *row,
                     uint8_t *outcome, uint64_t *due)
{
    const Plan *plan = untouched->plan;
    uint32_t first = untouched->first;

    memcpy(row + first, untouched->row + first, (plan->n_slots - first) * sizeof *row);
    memcpy(outcome, untouched->outcome, (size_t)plan->n_models);
    find_due(due, untouched, tally);
    for (size_t w = 0; w < untouched->n_words; w++)
        for (uint64_t bits = due[w]; bits != 0; bits &= bits - 1)
            step_take(plan, &plan->steps[w * 64 + (size_t)__builtin_ctzll(bits)], row,
                      outcome);
}
