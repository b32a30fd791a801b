/*
 * score.c - every person, every model, one visit.
 *
 * Features and scores of a person are computed in one visit: the row is used by every
 * model and rule and forgotten, so that a million people need one row per thread and
 * not one row each.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/plan/reads.h"
#include "models/score.h"
#include "models/steps.h"

struct Visit {
    FeatureSet *set;    /* shared by all threads of a run, as is what follows */
    Steps *steps;       /* NULL where no step is taken */
    bool is_own;        /* both are released with the visit */
    const Store *store; /* that the set was made for */
    Tally *tally;
    uint64_t *due; /* see steps_take() */
    double *row;
    int32_t *evidence; /* by feature */
    uint8_t *outcome;  /* by model */
};

/* ---- a visit ------------------------------------------------------------- */

Visit *visit_new(const Plan *plan)
{
    Visit *visit = mem_alloc(1, sizeof *visit, "visit");
    size_t n_features = (size_t)plan->n_features;

    visit->row = mem_alloc(plan->n_slots, sizeof *visit->row, "row");
    visit->evidence = mem_alloc(n_features, sizeof *visit->evidence, "evidence");
    visit->outcome =
        mem_alloc((size_t)plan->n_models, sizeof *visit->outcome, "outcomes");
    visit->due =
        mem_alloc(((size_t)plan->n_steps + 63) / 64, sizeof *visit->due, "steps");
    return visit;
}

static void visit_drop_shared(Visit *visit)
{
    tally_free(visit->tally);
    visit->tally = NULL;
    if (visit->is_own) {
        steps_free(visit->steps);
        feature_set_free(visit->set);
    }
    visit->is_own = false;
}

void visit_free(Visit *visit)
{
    if (visit == NULL)
        return;
    visit_drop_shared(visit);
    free(visit->due);
    free(visit->outcome);
    free(visit->evidence);
    free(visit->row);
    free(visit);
}

/* steps may be NULL: no step will be taken. */
static void visit_share(Visit *visit, FeatureSet *set, Steps *steps, const Store *store)
{
    visit_drop_shared(visit);
    visit->set = set;
    visit->steps = steps;
    visit->store = store;
    visit->tally = tally_new(set);
}

static void fill_person(double *row, const Plan *plan, const Store *store,
                        uint32_t person)
{
    uint32_t slot = plan->age_slot;

    row[slot++] = day_age(store->birth[person], plan->as_of);
    for (int a = 0; a < plan->people->n_attributes; a++) {
        const double *column = store->attribute[a];

        row[slot++] = column != NULL ? column[person] : NAN;
    }
}

void visit_person(Visit *visit, const Plan *plan, const Store *store, uint32_t person,
                  bool evidence)
{
    if (visit->tally == NULL || visit->store != store) {
        FeatureSet *set = feature_set_new(plan, store, true);

        visit_share(visit, set, steps_new(plan, set), store);
        visit->is_own = true;
    }
    fill_person(visit->row, plan, store, person);
    feature_row(visit->row, evidence ? visit->evidence : NULL, visit->tally, person);
    steps_take(visit->steps, visit->tally, visit->row, visit->outcome, visit->due);
}

const double *visit_row(const Visit *visit)
{
    return visit->row;
}

const int32_t *visit_evidence(const Visit *visit)
{
    return visit->evidence;
}

int visit_outcome(const Visit *visit, int model)
{
    return visit->outcome[model];
}

void visit_set_bands(Visit *visit, const Plan *plan, const Scores *scores,
                     uint32_t person)
{
    for (int m = 0; m < plan->n_models; m++) {
        int band = scores->band[m][person];

        visit->row[plan->models[m].score_slot] = scores->score[m][person];
        visit->row[plan->models[m].band_slot] = band < 0 ? NAN : band;
    }
}

/* ---- rules --------------------------------------------------------------- */

static void matches_alloc(Matches *matches, uint32_t n_people)
{
    matches->segment = mem_alloc(n_people, sizeof *matches->segment, "segments");
    matches->cohort = mem_alloc(n_people, sizeof *matches->cohort, "cohorts");
}

void matches_free(Matches *matches)
{
    free(matches->segment);
    free(matches->cohort);
    *matches = (Matches){0};
}

static uint8_t match_segment(const Plan *plan, const double *row)
{
    for (int s = 0; s < plan->n_segments; s++)
        if (plan->segments[s].when == NULL || rule_holds(plan->segments[s].when, row))
            return (uint8_t)s;
    return 0;
}

/* Of the cohorts asked for. */
static uint64_t match_cohorts(const Plan *plan, const double *row, uint64_t asked)
{
    uint64_t bits = 0;

    for (int c = 0; c < plan->n_cohorts; c++) {
        const Rule *when = plan->cohorts[c].when;

        if ((asked >> c & 1) != 0 && (when == NULL || rule_holds(when, row)))
            bits |= UINT64_C(1) << c;
    }
    return bits;
}

/* ---- everyone ------------------------------------------------------------ */

static void scores_alloc(Scores *scores, const Plan *plan, const Flags *flags,
                         uint32_t n_people)
{
    size_t n_models = (size_t)plan->n_models;

    scores->n_models = plan->n_models;
    scores->n_people = n_people;
    scores->score = mem_alloc(n_models, sizeof *scores->score, "scores");
    scores->outcome = mem_alloc(n_models, sizeof *scores->outcome, "outcomes");
    scores->band = mem_alloc(n_models, sizeof *scores->band, "bands");
    scores->flag = mem_alloc(n_models, sizeof *scores->flag, "flags");
    scores->replaced = input_counts_new(plan);
    for (size_t m = 0; m < n_models; m++) {
        scores->score[m] = mem_alloc(n_people, sizeof **scores->score, "scores");
        scores->outcome[m] = mem_alloc(n_people, sizeof **scores->outcome, "outcomes");
        scores->band[m] = mem_alloc(n_people, sizeof **scores->band, "bands");
        if (flags_possible(flags, (int)m))
            scores->flag[m] = mem_alloc(n_people, sizeof **scores->flag, "flags");
    }
}

static void scores_keep(Scores *scores, const Visit *visit, Flagger *flagger,
                        const Plan *plan, uint32_t person)
{
    flagger_person(flagger, visit->row, visit->outcome);
    for (int m = 0; m < plan->n_models; m++) {
        const Model *model = &plan->models[m];
        double band = visit->row[model->band_slot];

        scores->score[m][person] = visit->row[model->score_slot];
        scores->outcome[m][person] = visit->outcome[m];
        scores->band[m][person] = isnan(band) ? -1 : (int8_t)band;
        if (scores->flag[m] != NULL)
            scores->flag[m][person] = flagger->flag[m];
    }
}

static void matches_keep(Matches *matches, const double *row, const Plan *plan,
                         uint32_t person)
{
    matches->segment[person] = match_segment(plan, row);
    matches->cohort[person] = match_cohorts(plan, row, UINT64_MAX);
}

void score_people(Scores *scores, Matches *matches, const Plan *plan, const Store *store)
{
    FeatureSet *set = feature_set_new(plan, store, false);
    Steps *steps = steps_new(plan, set);
    Flags *flags = flags_new(plan);

    scores_alloc(scores, plan, flags, store->n_people);
    if (matches != NULL)
        matches_alloc(matches, store->n_people);
#pragma omp parallel
    {
        Visit *visit = visit_new(plan);
        Flagger *flagger = flagger_new(flags);

        visit_share(visit, set, steps, store);
#pragma omp for schedule(dynamic, 1024)
        for (uint32_t person = 0; person < store->n_people; person++) {
            visit_person(visit, plan, store, person, false);
            scores_keep(scores, visit, flagger, plan, person);
            if (matches != NULL)
                matches_keep(matches, visit->row, plan, person);
        }
#pragma omp critical(replaced_inputs)
        input_counts_add(scores->replaced, flagger->counts, plan);
        flagger_free(flagger);
        visit_free(visit);
    }
    flags_free(flags);
    steps_free(steps);
    feature_set_free(set);
}

void scores_free(Scores *scores)
{
    for (int m = 0; m < scores->n_models; m++) {
        free(scores->score[m]);
        free(scores->outcome[m]);
        free(scores->band[m]);
        free(scores->flag[m]);
    }
    free(scores->score);
    free(scores->outcome);
    free(scores->band);
    free(scores->flag);
    input_counts_free(scores->replaced);
    *scores = (Scores){0};
}

/* ---- rules that read a band by rank -------------------------------------- */

/* What the second visit is for. */
typedef struct Late {
    bool segments;
    uint64_t cohorts;
    bool *slots; /* what these rules read, also through derived features */
} Late;

/* What a rule is asked about. */
typedef struct Asked {
    const Plan *plan;
    bool is_late;
} Asked;

static void ask_slot(void *context, uint32_t number)
{
    Asked *asked = context;
    const Slot *slot = &asked->plan->slots[number];

    asked->is_late |=
        slot->kind == SLOT_BAND && asked->plan->models[slot->index].is_by_rank;
}

/* Not through derived features: they cannot read a band by rank. */
static bool rule_is_late(const Plan *plan, const Rule *rule)
{
    Asked asked = {plan, false};

    rule_each_slot(rule, ask_slot, &asked);
    return asked.is_late;
}

static void mark_slot(void *context, uint32_t number)
{
    Late *late = context;

    late->slots[number] = true;
}

static void late_read(Late *late, const Rule *rule)
{
    rule_each_slot(rule, mark_slot, late);
}

/* Which rules wait for a band by rank, and what they read. One segment that waits is
 * enough for all of them, since the first that holds counts. */
static void late_find(Late *late, const Plan *plan)
{
    *late = (Late){.slots = mem_alloc(plan->n_slots, sizeof *late->slots, "slots")};
    for (int s = 0; s < plan->n_segments; s++)
        late->segments |= rule_is_late(plan, plan->segments[s].when);
    for (int s = 0; late->segments && s < plan->n_segments; s++)
        late_read(late, plan->segments[s].when);
    for (int c = 0; c < plan->n_cohorts; c++)
        if (rule_is_late(plan, plan->cohorts[c].when)) {
            late->cohorts |= UINT64_C(1) << c;
            late_read(late, plan->cohorts[c].when);
        }
    for (int s = plan->n_steps - 1; s >= 0; s--) { /* what is read stands before */
        const Derived *derived = &plan->derived[plan->steps[s].index];

        if (!plan->steps[s].is_model && late->slots[derived->slot])
            late_read(late, derived->rule);
    }
}

/* Fills the row with what the rules read, from the scores and the person's events. */
static void visit_late(Visit *visit, const Late *late, const Plan *plan,
                       const Scores *scores, uint32_t person)
{
    fill_person(visit->row, plan, visit->store, person);
    feature_row(visit->row, NULL, visit->tally, person);
    visit_set_bands(visit, plan, scores, person);
    for (int s = 0; s < plan->n_steps; s++) {
        const Derived *derived = &plan->derived[plan->steps[s].index];

        if (!plan->steps[s].is_model && late->slots[derived->slot])
            visit->row[derived->slot] = rule_number(derived->rule, visit->row);
    }
}

static void match_late(Matches *matches, const Late *late, const Plan *plan,
                       const Store *store, const Scores *scores)
{
    FeatureSet *set = feature_set_of(plan, store, late->slots);

#pragma omp parallel
    {
        Visit *visit = visit_new(plan);

        visit_share(visit, set, NULL, store);
#pragma omp for schedule(dynamic, 1024)
        for (uint32_t person = 0; person < store->n_people; person++) {
            uint64_t *cohort = &matches->cohort[person];

            visit_late(visit, late, plan, scores, person);
            if (late->segments)
                matches->segment[person] = match_segment(plan, visit->row);
            *cohort &= ~late->cohorts;
            *cohort |= match_cohorts(plan, visit->row, late->cohorts);
        }
        visit_free(visit);
    }
    feature_set_free(set);
}

void score_match(Matches *matches, const Plan *plan, const Store *store,
                 const Scores *scores)
{
    Late late;

    late_find(&late, plan);
    if (late.segments || late.cohorts != 0)
        match_late(matches, &late, plan, store, scores);
    free(late.slots);
}
