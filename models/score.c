/*
 * score.c - every person, every model, one visit.
 *
 * Features and scores of a few people are computed in one visit: their rows are used by
 * every model and rule and forgotten, so that a million people need sixteen rows a thread
 * and not one row each.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/reads.h"
#include "models/score.h"
#include "models/steps.h"

struct Visit {
    FeatureSet *set;    /* shared by all threads of a run, as is what follows */
    Steps *steps;       /* NULL where no step is taken */
    bool is_own;        /* both are released with the visit */
    const Store *store; /* that the set was made for */
    Tally *tally;
    Lanes *lanes;
    int32_t *evidence; /* by feature, of the first lane */
};

/* ---- a visit ------------------------------------------------------------- */

Visit *visit_new(const Plan *plan)
{
    Visit *visit = mem_alloc(1, sizeof *visit, "visit");

    visit->lanes = lanes_new(plan);
    visit->evidence =
        mem_alloc((size_t)plan->n_features, sizeof *visit->evidence, "evidence");
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
    free(visit->evidence);
    lanes_free(visit->lanes);
    free(visit);
}

/* steps may be NULL: no step will be taken. */
static void visit_share(Visit *visit, const Plan *plan, FeatureSet *set, Steps *steps,
                        const Store *store)
{
    visit_drop_shared(visit);
    lanes_clear(visit->lanes, plan, feature_set_untouched(set));
    visit->set = set;
    visit->steps = steps;
    visit->store = store;
    visit->tally = tally_new(set);
}

/* Age and attributes. */
static void fill_people(Lanes *lanes, const Plan *plan, const Store *store, uint32_t from,
                        int n)
{
    uint32_t slot = plan->age_slot;

    for (int l = 0; l < n; l++)
        lanes->row[l][slot] = day_age(store->birth[from + (uint32_t)l], plan->as_of);
    for (int a = 0; a < plan->people->n_attributes; a++) {
        const double *column = store->attribute[a];

        slot++;
        for (int l = 0; l < n; l++)
            lanes->row[l][slot] = column != NULL ? column[from + (uint32_t)l] : NAN;
    }
}

/* Fills the rows of the people from .. from + n - 1 with what the steps read. */
static void fill_rows(Visit *visit, const Plan *plan, uint32_t from, int n,
                      int32_t *evidence)
{
    fill_people(visit->lanes, plan, visit->store, from, n);
    feature_lanes(visit->lanes, evidence, visit->tally, from, n);
}

void visit_person(Visit *visit, const Plan *plan, const Store *store, uint32_t person,
                  bool evidence)
{
    if (visit->tally == NULL || visit->store != store) {
        FeatureSet *set = feature_set_new(plan, store, true);

        visit_share(visit, plan, set, steps_new(plan, set), store);
        visit->is_own = true;
    }
    fill_rows(visit, plan, person, 1, evidence ? visit->evidence : NULL);
    steps_take(visit->steps, visit->lanes);
}

const double *visit_row(const Visit *visit)
{
    return visit->lanes->row[0];
}

const int32_t *visit_evidence(const Visit *visit)
{
    return visit->evidence;
}

int visit_outcome(const Visit *visit, int model)
{
    return visit->lanes->outcome[model][0];
}

static void set_bands(double *row, const Plan *plan, const Scores *scores,
                      uint32_t person)
{
    for (int m = 0; m < plan->n_models; m++) {
        int band = scores->band[m][person];

        row[plan->models[m].score_slot] = scores->score[m][person];
        row[plan->models[m].band_slot] = band < 0 ? NAN : band;
    }
}

void visit_set_bands(Visit *visit, const Plan *plan, const Scores *scores,
                     uint32_t person)
{
    set_bands(visit->lanes->row[0], plan, scores, person);
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

/* The first that holds, by lane. */
static void match_segments(uint8_t *segment, const Plan *plan, const Lanes *lanes)
{
    uint32_t open = (UINT32_C(1) << lanes->n) - 1; /* lanes without one */

    memset(segment, 0, (size_t)lanes->n);
    for (int s = 0; s < plan->n_segments && open != 0; s++) {
        const Rule *when = plan->segments[s].when;
        uint32_t holds =
            when == NULL ? open : rule_holds_for(when, lanes_rows(lanes), lanes->n);

        for (uint32_t in = holds & open; in != 0; in &= in - 1)
            segment[__builtin_ctz(in)] = (uint8_t)s;
        open &= ~holds;
    }
}

/* Of the cohorts asked for, by lane. */
static void match_cohorts(uint64_t *bits, const Plan *plan, const Lanes *lanes,
                          uint64_t asked)
{
    for (int c = 0; c < plan->n_cohorts; c++) {
        const Rule *when = plan->cohorts[c].when;
        uint32_t holds;

        if ((asked >> c & 1) == 0)
            continue;
        holds =
            when == NULL ? UINT32_MAX : rule_holds_for(when, lanes_rows(lanes), lanes->n);
        for (int l = 0; l < lanes->n; l++)
            bits[l] = (bits[l] & ~(UINT64_C(1) << c)) | (uint64_t)(holds >> l & 1) << c;
    }
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

/* Model by model, so that what is written lies side by side. */
static void scores_keep(Scores *scores, const Lanes *lanes, const Plan *plan,
                        uint32_t from)
{
    for (int m = 0; m < plan->n_models; m++) {
        const Model *model = &plan->models[m];
        double *score = &scores->score[m][from];
        int8_t *band_of = &scores->band[m][from];

        memcpy(&scores->outcome[m][from], lanes->outcome[m], (size_t)lanes->n);
        for (int l = 0; l < lanes->n; l++) {
            double band = lanes->row[l][model->band_slot];

            score[l] = lanes->row[l][model->score_slot];
            band_of[l] = isnan(band) ? -1 : (int8_t)band;
        }
    }
}

static void flags_keep(Scores *scores, const Lanes *lanes, Flagger *flagger,
                       uint32_t from)
{
    for (int l = 0; l < lanes->n; l++) {
        flagger_person(flagger, lanes, l);
        for (int m = 0; m < scores->n_models; m++)
            if (scores->flag[m] != NULL)
                scores->flag[m][from + (uint32_t)l] = flagger->flag[m];
    }
}

/* How many of the people from here on are taken side by side. */
static int lanes_from(const Store *store, uint32_t from)
{
    uint32_t left = store->n_people - from;

    return left < MOST_LANES ? (int)left : MOST_LANES;
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

        visit_share(visit, plan, set, steps, store);
#pragma omp for schedule(dynamic, 64)
        for (uint32_t from = 0; from < store->n_people; from += MOST_LANES) {
            fill_rows(visit, plan, from, lanes_from(store, from), NULL);
            steps_take(steps, visit->lanes);
            scores_keep(scores, visit->lanes, plan, from);
            if (flags_any(flags))
                flags_keep(scores, visit->lanes, flagger, from);
            if (matches != NULL) {
                match_segments(&matches->segment[from], plan, visit->lanes);
                match_cohorts(&matches->cohort[from], plan, visit->lanes, UINT64_MAX);
            }
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

/* Fills the rows with what the rules read, from the scores and the people's events. */
static void visit_late(Visit *visit, const Late *late, const Plan *plan,
                       const Scores *scores, uint32_t from)
{
    fill_rows(visit, plan, from, lanes_from(visit->store, from), NULL);
    for (int l = 0; l < visit->lanes->n; l++)
        set_bands(visit->lanes->row[l], plan, scores, from + (uint32_t)l);
    steps_derive(visit->lanes, plan, late->slots);
}

static void match_late(Matches *matches, const Late *late, const Plan *plan,
                       const Store *store, const Scores *scores)
{
    FeatureSet *set = feature_set_of(plan, store, late->slots);

#pragma omp parallel
    {
        Visit *visit = visit_new(plan);

        visit_share(visit, plan, set, NULL, store);
#pragma omp for schedule(dynamic, 64)
        for (uint32_t from = 0; from < store->n_people; from += MOST_LANES) {
            visit_late(visit, late, plan, scores, from);
            if (late->segments)
                match_segments(&matches->segment[from], plan, visit->lanes);
            match_cohorts(&matches->cohort[from], plan, visit->lanes, late->cohorts);
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
