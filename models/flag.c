/*
 * flag.c - see flag.h.
 */
#include "models/flag.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"

/* A model that can have a flag. */
typedef struct Flagged {
    int model;
    const int *parts; /* models whose scores it is made from */
    int n_parts;
} Flagged;

struct Flags {
    const Plan *plan;
    Arena *arena;
    Flagged *flagged; /* parts before what is made of them */
    int n;
    bool *is_possible; /* by model */
};

const char *flag_text(int flag)
{
    static const char *const WORDS[] = {NULL, "clamped", "imputed",
                                        "clamped and imputed"};

    return WORDS[flag];
}

/* ---- who can have one ---------------------------------------------------- */

static void find_in_rule(bool *is_part, const Plan *plan, const Rule *rule);

static void find_in_slot(bool *is_part, const Plan *plan, uint32_t number)
{
    const Slot *slot = &plan->slots[number];

    if (slot->kind == SLOT_SCORE || slot->kind == SLOT_BAND)
        is_part[slot->index] = true;
    else if (slot->kind == SLOT_DERIVED)
        find_in_rule(is_part, plan, plan->derived[slot->index].rule);
}

static void find_in_rule(bool *is_part, const Plan *plan, const Rule *rule)
{
    size_t n;
    const uint32_t *slots = rule_slots(rule, &n);

    for (size_t i = 0; i < n; i++)
        find_in_slot(is_part, plan, slots[i]);
}

/* Also through derived features. Whom a model is for is not what it is made from. */
static void find_parts(bool *is_part, const Plan *plan, const Model *model)
{
    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];

        if (term->value != NULL)
            find_in_rule(is_part, plan, term->value);
        else
            find_in_slot(is_part, plan, term->slot);
    }
    if (model->offset != NULL)
        find_in_rule(is_part, plan, model->offset);
}

/* Only parts that can have a flag are kept. */
static void add_model(Flags *flags, int number)
{
    const Plan *plan = flags->plan;
    size_t n_models = (size_t)plan->n_models;
    bool *is_part = arena_alloc(flags->arena, n_models, sizeof *is_part);
    int *parts = arena_alloc(flags->arena, n_models, sizeof *parts), n = 0;

    find_parts(is_part, plan, &plan->models[number]);
    for (int m = 0; m < plan->n_models; m++)
        if (is_part[m] && flags->is_possible[m])
            parts[n++] = m;
    if (n == 0 && plan->models[number].n_replaceable == 0)
        return;
    flags->flagged[flags->n++] = (Flagged){number, parts, n};
    flags->is_possible[number] = true;
}

Flags *flags_new(const Plan *plan)
{
    Arena *arena = arena_new();
    Flags *flags = arena_alloc(arena, 1, sizeof *flags);
    size_t n_models = (size_t)plan->n_models;

    *flags =
        (Flags){.plan = plan,
                .arena = arena,
                .flagged = arena_alloc(arena, n_models, sizeof *flags->flagged),
                .is_possible = arena_alloc(arena, n_models, sizeof *flags->is_possible)};
    for (int s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].is_model)
            add_model(flags, plan->steps[s].index);
    return flags;
}

void flags_free(Flags *flags)
{
    if (flags != NULL)
        arena_free(flags->arena);
}

bool flags_possible(const Flags *flags, int model)
{
    return flags->is_possible[model];
}

bool flags_any(const Flags *flags)
{
    return flags->n > 0;
}

/* ---- counts -------------------------------------------------------------- */

InputCount **input_counts_new(const Plan *plan)
{
    size_t n_models = (size_t)plan->n_models, n = 0;
    InputCount **counts = mem_alloc(n_models + 1, sizeof *counts, "counts of inputs");
    InputCount *block;

    for (size_t m = 0; m < n_models; m++)
        n += (size_t)plan->models[m].n_replaceable;
    block = mem_alloc(n, sizeof *block, "counts of inputs");
    counts[0] = block; /* also without any model */
    for (size_t m = 0; m < n_models; m++) {
        counts[m] = block;
        block += plan->models[m].n_replaceable;
    }
    return counts;
}

void input_counts_add(InputCount **to, InputCount *const *counts, const Plan *plan)
{
    for (int m = 0; m < plan->n_models; m++)
        for (int i = 0; i < plan->models[m].n_replaceable; i++) {
            to[m][i].below += counts[m][i].below;
            to[m][i].above += counts[m][i].above;
            to[m][i].imputed += counts[m][i].imputed;
        }
}

void input_counts_free(InputCount **counts)
{
    if (counts != NULL)
        free(counts[0]);
    free(counts);
}

/* In the quotes that a log line needs around words. */
static const char *quoted(Arena *arena, const char *text)
{
    char *to = arena_alloc(arena, 2 * strlen(text) + 3, 1), *at = to;

    *at++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *at++ = '\\';
        *at++ = *text;
    }
    *at = '"';
    return to;
}

void input_counts_log(InputCount *const *counts, const Plan *plan)
{
    Arena *arena = arena_new();

    for (int m = 0; m < plan->n_models; m++)
        for (int i = 0; i < plan->models[m].n_replaceable; i++) {
            const InputCount *count = &counts[m][i];

            if (count->below + count->above + count->imputed > 0)
                log_line(LOG_INFO,
                         "stage=score model=%s input=%s clamped_below=%" PRIu64
                         " clamped_above=%" PRIu64 " imputed=%" PRIu64,
                         plan->models[m].id,
                         quoted(arena, plan->models[m].replaceable[i].label),
                         count->below, count->above, count->imputed);
        }
    arena_free(arena);
}

/* ---- one person ---------------------------------------------------------- */

Flagger *flagger_new(const Flags *flags)
{
    Flagger *flagger = mem_alloc(1, sizeof *flagger, "flags of a person");

    flagger->flags = flags;
    flagger->flag = mem_alloc((size_t)flags->plan->n_models, sizeof *flagger->flag,
                              "flags of a person");
    flagger->counts = input_counts_new(flags->plan);
    return flagger;
}

void flagger_free(Flagger *flagger)
{
    if (flagger == NULL)
        return;
    input_counts_free(flagger->counts);
    free(flagger->flag);
    free(flagger);
}

/* What the policies of the model itself did. */
static int flag_inputs(const Model *model, InputCount *counts, const double *row)
{
    int flag = 0;

    for (int i = 0; i < model->n_replaceable; i++) {
        int done = model->kind->replaced(model, i, row);

        counts[i].below += (done & INPUT_BELOW) != 0;
        counts[i].above += (done & INPUT_ABOVE) != 0;
        counts[i].imputed += (done & INPUT_MISSING) != 0;
        if (done & (INPUT_BELOW | INPUT_ABOVE))
            flag |= FLAG_CLAMPED;
        if (done & INPUT_MISSING)
            flag |= FLAG_IMPUTED;
    }
    return flag;
}

void flagger_person(Flagger *flagger, const Lanes *lanes, int lane)
{
    const Flags *flags = flagger->flags;

    for (int i = 0; i < flags->n; i++) {
        const Flagged *flagged = &flags->flagged[i];
        int m = flagged->model, flag = 0;

        if (lanes->outcome[m][lane] == 0) {
            flag = flag_inputs(&flags->plan->models[m], flagger->counts[m],
                               lanes->row[lane]);
            for (int p = 0; p < flagged->n_parts; p++)
                flag |= flagger->flag[flagged->parts[p]];
        }
        flagger->flag[m] = (uint8_t)flag;
    }
}
