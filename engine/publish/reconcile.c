/*
 * reconcile.c - see reconcile.h.
 */
#include "engine/publish/reconcile.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const Where RESULTS = {"results", 0, 0};

/* ---- parts --------------------------------------------------------------- */

static int scored_parts(const Model *model)
{
    return model->n_bands > 0 ? model->n_bands : 1;
}

int model_parts(const Model *model)
{
    return scored_parts(model) + model->n_reasons - 1;
}

int model_part(const Model *model, int outcome, int band)
{
    if (outcome > 0)
        return band < 0 && outcome < model->n_reasons ? scored_parts(model) + outcome - 1
                                                      : -1;
    if (model->n_bands == 0)
        return band < 0 ? 0 : -1;
    return band < model->n_bands ? band : -1;
}

void model_part_split(const Model *model, int part, int *outcome, int *band)
{
    bool is_scored = part < scored_parts(model);

    *outcome = is_scored ? 0 : part - scored_parts(model) + 1;
    *band = is_scored && model->n_bands > 0 ? part : -1;
}

const char *group_code(const Store *store, int grouping, uint32_t group)
{
    if (group >= store->area.n_groups[grouping])
        return "";
    return store->area.groups[grouping][group].code;
}

/* ---- counting ------------------------------------------------------------ */

/* The group of a practice; those in none share the place after the last one. */
static uint32_t group_place(const Area *area, int grouping, uint16_t practice)
{
    uint16_t group = area->group_of[grouping][practice];

    return group == GROUP_NONE ? area->n_groups[grouping] : group;
}

/* Groups of every grouping are made of practices: people are counted once by practice
 * and then added up. cells hold n numbers for each practice. */
static uint64_t *add_up(const Area *area, int grouping, const uint64_t *cells, uint32_t n)
{
    uint32_t n_groups = area->n_groups[grouping] + 1;
    uint64_t *sums = mem_alloc((size_t)n_groups * n, sizeof *sums, "counts");

    for (uint32_t p = 0; p < area->n_groups[GROUPING_PRACTICE]; p++) {
        uint64_t *to = sums + (size_t)group_place(area, grouping, (uint16_t)p) * n;

        for (uint32_t i = 0; i < n; i++)
            to[i] += cells[(size_t)p * n + i];
    }
    return sums;
}

static uint64_t *cells_new(const Area *area, uint32_t n)
{
    return mem_alloc((size_t)area->n_groups[GROUPING_PRACTICE] * n, sizeof(uint64_t),
                     "counts by practice");
}

static void count_flags(Counts *counts, const Scores *scores, int m)
{
    for (uint32_t i = 0; scores->flag[m] != NULL && i < scores->n_people; i++) {
        int flag = scores->flag[m][i];

        counts->clamped[m] += (flag & FLAG_CLAMPED) != 0;
        counts->imputed[m] += (flag & FLAG_IMPUTED) != 0;
        counts->flagged_unscored[m] += flag != 0 && scores->outcome[m][i] != 0;
    }
}

static void count_model(Counts *counts, const Results *results, int m)
{
    const Store *store = results->store;
    const Model *model = &results->plan->models[m];
    const Scores *scores = results->scores;
    uint32_t parts = (uint32_t)model_parts(model);
    uint64_t *cells = cells_new(&store->area, parts);
    double sum = 0;

    /* One thread for a model and one order of adding, so that the mean is the same every
     * time. */
    for (uint32_t person = 0; person < store->n_people; person++) {
        int outcome = scores->outcome[m][person];
        int part = model_part(model, outcome, scores->band[m][person]);

        if (part >= 0)
            cells[store->practice[person] * parts + (uint32_t)part]++;
        if (outcome == 0) {
            sum += scores->score[m][person];
            counts->scored[m]++;
        }
    }
    count_flags(counts, scores, m);
    counts->mean[m] = counts->scored[m] > 0 ? sum / (double)counts->scored[m] : NAN;
    for (int g = 0; g < counts->n_groupings; g++)
        counts->model[m * counts->n_groupings + g] =
            add_up(&store->area, g, cells, parts);
    free(cells);
}

static void count_people(Counts *counts, const Results *results)
{
    const Store *store = results->store;
    uint32_t n_segments = (uint32_t)counts->n_segments;
    uint64_t *people = cells_new(&store->area, 1);
    uint64_t *segment = cells_new(&store->area, n_segments);

    for (uint32_t person = 0; person < store->n_people; person++) {
        people[store->practice[person]]++;
        if (n_segments > 0 && results->matches->segment[person] < n_segments)
            segment[store->practice[person] * n_segments +
                    results->matches->segment[person]]++;
    }
    for (int g = 0; g < counts->n_groupings; g++) {
        counts->people[g] = add_up(&store->area, g, people, 1);
        counts->segment[g] = add_up(&store->area, g, segment, n_segments);
    }
    free(people);
    free(segment);
}

/* Lists of one cohort, the place of people in no group last. */
static void start_lists(ListCount *lists, const Results *results, const Counts *counts,
                        int c)
{
    const Store *store = results->store;
    int grouping = results->plan->cohorts[c].grouping;
    uint64_t bit = UINT64_C(1) << c;

    for (uint32_t g = 0; g <= store->area.n_groups[grouping]; g++)
        lists[g] = (ListCount){
            .cohort = c, .group = g, .registered = counts->people[grouping][g]};
    for (uint32_t person = 0; person < store->n_people; person++)
        if (results->matches->cohort[person] & bit)
            lists[group_place(&store->area, grouping, store->practice[person])]
                .eligible++;
}

static void count_member(ListCount *list, const Member *member)
{
    list->members += member->movement != MOVED_LEFT;
    list->fresh += member->movement == MOVED_NEW;
    list->continuing += member->movement == MOVED_CONTINUING;
    list->leavers += member->movement == MOVED_LEFT;
}

static void count_lists(Counts *counts, const Results *results)
{
    const Plan *plan = results->plan;
    const Area *area = &results->store->area;
    uint32_t n = 0, at = 0, first = 0;

    for (int c = 0; c < plan->n_cohorts; c++)
        n += area->n_groups[plan->cohorts[c].grouping] + 1;
    counts->lists = mem_alloc(n, sizeof *counts->lists, "lists");
    counts->n_lists = n;
    for (int c = 0; c < plan->n_cohorts; c++) {
        uint32_t n_groups = area->n_groups[plan->cohorts[c].grouping];

        start_lists(counts->lists + first, results, counts, c);
        for (; at < results->cohorts->n_members &&
               results->cohorts->members[at].cohort == c;
             at++) {
            const Member *member = &results->cohorts->members[at];

            count_member(
                &counts->lists[first +
                               (member->group == GROUP_NONE ? n_groups : member->group)],
                member);
        }
        first += n_groups + 1;
    }
}

void counts_build(Counts *counts, const Results *results)
{
    const Plan *plan = results->plan;
    size_t n_groupings = (size_t)results->store->area.n_groupings;
    size_t n_models = (size_t)plan->n_models;

    *counts = (Counts){.n_models = plan->n_models,
                       .n_groupings = (int)n_groupings,
                       .n_segments = plan->n_segments};
    counts->model = mem_alloc(n_models * n_groupings, sizeof *counts->model, "counts");
    counts->segment = mem_alloc(n_groupings, sizeof *counts->segment, "counts");
    counts->people = mem_alloc(n_groupings, sizeof *counts->people, "counts");
    counts->scored = mem_alloc(n_models, sizeof *counts->scored, "counts");
    counts->mean = mem_alloc(n_models, sizeof *counts->mean, "mean scores");
    counts->clamped = mem_alloc(n_models, sizeof *counts->clamped, "counts");
    counts->imputed = mem_alloc(n_models, sizeof *counts->imputed, "counts");
    counts->flagged_unscored =
        mem_alloc(n_models, sizeof *counts->flagged_unscored, "counts");
#pragma omp parallel for schedule(dynamic, 1)
    for (int m = 0; m < plan->n_models; m++)
        count_model(counts, results, m);
    count_people(counts, results);
    count_lists(counts, results);
}

void counts_free(Counts *counts)
{
    for (int i = 0; counts->model != NULL && i < counts->n_models * counts->n_groupings;
         i++)
        free(counts->model[i]);
    for (int g = 0; counts->segment != NULL && g < counts->n_groupings; g++)
        free(counts->segment[g]);
    for (int g = 0; counts->people != NULL && g < counts->n_groupings; g++)
        free(counts->people[g]);
    free(counts->model);
    free(counts->segment);
    free(counts->people);
    free(counts->lists);
    free(counts->scored);
    free(counts->mean);
    free(counts->clamped);
    free(counts->imputed);
    free(counts->flagged_unscored);
    *counts = (Counts){0};
}

/* ---- does it add up? ------------------------------------------------------ */

static int check_equal(Err *err, const char *what, uint64_t got, uint64_t want)
{
    if (got == want)
        return 0;
    return err_add(err, ERR_GATE, RESULTS,
                   "does not reconcile: %s: %" PRIu64 " of %" PRIu64, what, got, want);
}

static int check_sources(const Results *results, Err *err)
{
    int rc = 0;
    char what[160];

    for (int s = 0; s < results->plan->n_sources; s++) {
        const SourceCount *count = &results->store->counts[s];
        uint64_t sum = 0;

        for (int f = 0; f < N_ROW_FATES; f++)
            sum += count->fate[f];
        snprintf(what, sizeof what, "rows of %.100s", results->plan->sources[s].name);
        rc |= check_equal(err, what, sum, count->rows);
    }
    return rc;
}

static int check_known(const Results *results, Err *err)
{
    const Store *store = results->store;
    uint64_t sum = store->n_people;

    for (int e = EXCLUDED_NOT + 1; e < store->n_exclusions; e++)
        sum += store->excluded[e];
    return check_equal(err, "people in the run and people excluded", sum, store->n_known);
}

/* The people of a grouping as counted here, as the loader counted them, and in all. */
static int check_groups(const Counts *counts, const Results *results, int g, Err *err)
{
    const Area *area = &results->store->area;
    const char *grouping = results->plan->groupings[g].id;
    uint64_t sum = counts->people[g][area->n_groups[g]];
    char what[200];

    for (uint32_t k = 0; k < area->n_groups[g]; k++) {
        sum += counts->people[g][k];
        snprintf(what, sizeof what, "people of %.60s %.60s", grouping,
                 area->groups[g][k].code);
        if (check_equal(err, what, counts->people[g][k], area->groups[g][k].n_people) !=
            0)
            return -1;
    }
    snprintf(what, sizeof what, "people by %.60s", grouping);
    return check_equal(err, what, sum, results->store->n_people);
}

/* n numbers for each group of grouping g must add up to the people of that group. */
static int check_cells(const Counts *counts, const Results *results, int g,
                       const uint64_t *cells, uint32_t n)
{
    uint32_t n_groups = results->store->area.n_groups[g];

    for (uint32_t k = 0; k <= n_groups; k++) {
        uint64_t sum = 0;

        for (uint32_t i = 0; i < n; i++)
            sum += cells[(size_t)k * n + i];
        if (sum != counts->people[g][k])
            return -1;
    }
    return 0;
}

static int check_parts(const Counts *counts, const Results *results, int g, Err *err)
{
    const Plan *plan = results->plan;
    const char *grouping = plan->groupings[g].id;
    int rc = 0;

    for (int m = 0; m < plan->n_models; m++) {
        const uint64_t *cells = counts->model[m * counts->n_groupings + g];

        if (check_cells(counts, results, g, cells,
                        (uint32_t)model_parts(&plan->models[m])) != 0)
            rc = err_add(err, ERR_GATE, RESULTS,
                         "does not reconcile: outcomes of model \"%s\" by %s do not add "
                         "up to the people",
                         plan->models[m].id, grouping);
    }
    if (plan->n_segments > 0 && check_cells(counts, results, g, counts->segment[g],
                                            (uint32_t)plan->n_segments) != 0)
        rc = err_add(err, ERR_GATE, RESULTS,
                     "does not reconcile: segments by %s do not add up to the people",
                     grouping);
    return rc;
}

/* Flags are of people with a score; and who had an input replaced has one. */
static int check_flags(const Counts *counts, const Results *results, Err *err)
{
    const Plan *plan = results->plan;
    int rc = 0;

    for (int m = 0; m < plan->n_models; m++) {
        bool is_whole = counts->flagged_unscored[m] == 0;

        for (int i = 0; i < plan->models[m].n_replaceable; i++) {
            const InputCount *count = &results->scores->replaced[m][i];

            is_whole &= count->below + count->above <= counts->clamped[m] &&
                        count->imputed <= counts->imputed[m];
        }
        if (!is_whole)
            rc = err_add(err, ERR_GATE, RESULTS,
                         "does not reconcile: flags of model \"%s\"", plan->models[m].id);
    }
    return rc;
}

/* The ranks of a practice's people in some grouping. */
typedef struct Tally {
    uint64_t n, sum;
    uint32_t last;
    bool is_odd; /* someone with a score has no rank, or the other way round */
} Tally;

/* People come in any order of groups but are looked at by practice: those of a group with
 * everybody in it would wait for each other. */
static void tally_ranks(Tally *tallies, const Results *results, int m, int g)
{
    const Store *store = results->store;
    const uint16_t *practice = store->practice;
    const double *score = results->scores->score[m];
    uint32_t n_people = store->n_people;

    for (uint32_t person = 0; person < n_people; person++) {
        uint32_t rank = strata_rank(results->strata, m, g, person);
        Tally *tally = &tallies[practice[person]];

        tally->is_odd |= (rank > 0) != !isnan(score[person]);
        tally->n += rank > 0;
        tally->sum += rank;
        tally->last = rank > tally->last ? rank : tally->last;
    }
}

/* Ranks 1..n without gaps: no rank above n, and no rank twice. */
static bool ranks_are_whole(const Results *results, int m, int g)
{
    const Area *area = &results->store->area;
    uint32_t n_practices = area->n_groups[GROUPING_PRACTICE];
    Tally *tallies = mem_alloc(n_practices, sizeof *tallies, "ranks to check");
    Tally *groups = mem_alloc(area->n_groups[g], sizeof *groups, "ranks to check");
    bool is_whole = true;

    tally_ranks(tallies, results, m, g);
    for (uint32_t p = 0; p < n_practices; p++) {
        uint16_t group = area->group_of[g][p];

        if (group == GROUP_NONE) {
            is_whole &= tallies[p].n == 0;
            continue;
        }
        is_whole &= !tallies[p].is_odd;
        groups[group].n += tallies[p].n;
        groups[group].sum += tallies[p].sum;
        if (tallies[p].last > groups[group].last)
            groups[group].last = tallies[p].last;
    }
    for (uint32_t k = 0; k < area->n_groups[g]; k++)
        is_whole &= groups[k].last == groups[k].n &&
                    groups[k].sum == groups[k].n * (groups[k].n + 1) / 2;
    free(tallies);
    free(groups);
    return is_whole;
}

/* By model and grouping, as ranks are. Free with free(). */
static bool *find_whole_ranks(const Results *results)
{
    int n_groupings = results->strata->n_groupings;
    int n = results->plan->n_models * n_groupings;
    bool *is_whole = mem_alloc((size_t)n, sizeof *is_whole, "ranks to check");

#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < n; i++)
        is_whole[i] = ranks_are_whole(results, i / n_groupings, i % n_groupings);
    return is_whole;
}

static int check_ranks(const Results *results, const bool *is_whole, int g, Err *err)
{
    int rc = 0;

    for (int m = 0; m < results->plan->n_models; m++)
        if (!is_whole[m * results->strata->n_groupings + g])
            rc = err_add(err, ERR_GATE, RESULTS,
                         "does not reconcile: ranks of model \"%s\" by %s have gaps",
                         results->plan->models[m].id, results->plan->groupings[g].id);
    return rc;
}

static int check_lists(const Counts *counts, const Results *results, Err *err)
{
    const Member *member = results->cohorts->members;
    const Member *end = member + results->cohorts->n_members;
    int rc = 0;

    for (uint32_t l = 0; l < counts->n_lists; l++) {
        const ListCount *list = &counts->lists[l];
        const Cohort *cohort = &results->plan->cohorts[list->cohort];
        bool is_right = list->members <= list->eligible;

        for (uint64_t rank = 1; rank <= list->members && member < end; rank++, member++)
            is_right &= member->rank == rank && member->movement != MOVED_LEFT;
        for (uint64_t i = 0; i < list->leavers && member < end; i++, member++)
            is_right &= member->rank == 0 && member->movement == MOVED_LEFT;
        if (list->members > cohort_capacity(cohort, (uint32_t)list->registered))
            is_right = false;
        if (!is_right)
            rc = err_add(err, ERR_GATE, RESULTS,
                         "does not reconcile: list of cohort \"%s\" for \"%s\"",
                         cohort->id,
                         group_code(results->store, cohort->grouping, list->group));
    }
    return rc;
}

int reconcile(const Counts *counts, const Results *results, Err *err)
{
    int rc = check_known(results, err) | check_sources(results, err);
    bool *ranks_whole = find_whole_ranks(results);

    for (int g = 0; g < counts->n_groupings; g++) {
        rc |= check_groups(counts, results, g, err);
        rc |= check_parts(counts, results, g, err);
        rc |= check_ranks(results, ranks_whole, g, err);
    }
    free(ranks_whole);
    rc |= check_flags(counts, results, err);
    rc |= check_lists(counts, results, err);
    return rc == 0 ? 0 : -1;
}
