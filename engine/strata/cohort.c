/*
 * cohort.c - see cohort.h.
 *
 * For each cohort: candidates are the people who meet its rule, in the order of the
 * cohort within each group. The list of a group is filled up to its capacity, first
 * with continuing members ranked within `keep`, then with the best of the rest, and
 * is then ranked in the order of the cohort. Those of the last published list who are
 * not on it follow as leavers.
 */
#include "engine/strata/cohort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/strata/previous.h"
#include "engine/strata/rank.h"

typedef struct Candidate {
    uint32_t person;
    uint32_t key; /* place of its first order value among all of them */
    uint16_t group;
    bool is_continuing, is_chosen;
} Candidate;

/* The members of the last run that belong to one list. */
typedef struct Earlier {
    const Previous *first;
    uint32_t n;
} Earlier;

/* What is needed while one cohort is built. */
typedef struct Work {
    const Results *results;
    const Cohort *cohort;
    int number;
    Cohorts *out;
    uint32_t room;
    Earlier earlier; /* of the whole cohort, by group and person */
    Candidate *candidates;
    uint32_t n_candidates;
    double *keys; /* n_order values each, ascending is better, INFINITY for missing */
    Visit *visit;
} Work;

/* ---- order ------------------------------------------------------------- */

/* A value to order by. Scores and what is stored of a person are at hand; anything
 * else is computed again by visiting the person. */
static double slot_value(Work *work, uint32_t slot, uint32_t person, bool *is_visited)
{
    const Results *r = work->results;
    const Slot *s = &r->plan->slots[slot];

    if (s->kind == SLOT_SCORE)
        return r->scores->score[s->index][person];
    if (s->kind == SLOT_BAND) {
        int band = r->scores->band[s->index][person];

        return band < 0 ? NAN : band;
    }
    if (s->kind == SLOT_AGE)
        return day_age(r->store->birth[person], r->plan->as_of);
    if (!*is_visited) {
        visit_person(work->visit, r->plan, r->store, person, false);
        visit_set_bands(work->visit, r->plan, r->scores, person);
        *is_visited = true;
    }
    return visit_row(work->visit)[slot];
}

static void fill_keys(Work *work, Candidate *candidate, double *keys)
{
    bool is_visited = false;

    for (int o = 0; o < work->cohort->n_order; o++) {
        const OrderBy *by = &work->cohort->order[o];
        double value = slot_value(work, by->slot, candidate->person, &is_visited);

        if (isnan(value))
            keys[o] = INFINITY; /* people without the value come last, either way */
        else
            keys[o] = by->is_descending ? -value : value;
    }
}

static int compare_candidates(const void *left, const void *right, void *own)
{
    const Work *work = own;
    const Candidate *a = left, *b = right;

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    for (int o = 0; o < work->cohort->n_order; o++) {
        double x = work->keys[a->key + (uint32_t)o], y = work->keys[b->key + (uint32_t)o];

        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a->person > b->person) - (a->person < b->person);
}

/* Everyone who meets the rule and is in a group, best first within each group. */
static void find_candidates(Work *work)
{
    const Results *r = work->results;
    uint64_t bit = UINT64_C(1) << work->number;
    uint32_t n = 0, n_order = (uint32_t)work->cohort->n_order;

    for (uint32_t person = 0; person < r->store->n_people; person++)
        n += (r->matches->cohort[person] & bit) != 0;
    work->candidates = mem_alloc(n, sizeof *work->candidates, "candidates of a cohort");
    work->keys = mem_alloc((size_t)n * n_order, sizeof *work->keys, "order of a cohort");
    work->n_candidates = 0;
    for (uint32_t person = 0; person < r->store->n_people; person++) {
        uint16_t group = store_group(r->store, work->cohort->grouping, person);
        Candidate *candidate = &work->candidates[work->n_candidates];

        if ((r->matches->cohort[person] & bit) == 0 || group == GROUP_NONE)
            continue;
        candidate->person = person;
        candidate->group = group;
        candidate->key = work->n_candidates * n_order;
        fill_keys(work, candidate, work->keys + candidate->key);
        work->n_candidates++;
    }
    qsort_r(work->candidates, work->n_candidates, sizeof *work->candidates,
            compare_candidates, work);
}

/* ---- the last published run -------------------------------------------- */

/* The part of the cohort's earlier members who were in that group. */
static Earlier earlier_of(const Work *work, const char *group)
{
    Earlier part = {work->earlier.first, 0};
    const Previous *end = work->earlier.first + work->earlier.n;

    while (part.first < end && strcmp(part.first->group, group) < 0)
        part.first++;
    while (part.first + part.n < end && strcmp(part.first[part.n].group, group) == 0)
        part.n++;
    return part;
}

static int compare_person(const void *key, const void *element)
{
    int64_t person = *(const int64_t *)key;
    const Previous *previous = element;

    return (person > previous->person_id) - (person < previous->person_id);
}

static bool was_member(Earlier earlier, int64_t person)
{
    return earlier.n > 0 && bsearch(&person, earlier.first, earlier.n,
                                    sizeof *earlier.first, compare_person) != NULL;
}

/* ---- lists ------------------------------------------------------------- */

static Member *add_member(Work *work)
{
    Cohorts *out = work->out;
    Member *member;

    if (out->n_members == work->room) {
        work->room = work->room == 0 ? 1024 : 2 * work->room;
        out->members = mem_grow(out->members, work->room, sizeof *out->members,
                                "members of cohorts");
    }
    member = &out->members[out->n_members++];
    memset(member, 0, sizeof *member);
    member->cohort = work->number;
    return member;
}

uint32_t cohort_capacity(const Cohort *cohort, uint32_t registered)
{
    uint32_t most = cohort->capacity;

    if (cohort->capacity_share > 0 && rank_top(registered, cohort->capacity_share) < most)
        most = rank_top(registered, cohort->capacity_share);
    return most;
}

uint32_t cohort_keep(const Cohort *cohort, uint32_t registered)
{
    uint32_t share = rank_top(registered, cohort->keep_share);

    return cohort->keep > share ? cohort->keep : share;
}

/* Marks who is on the list. candidates are those of one group, best first. */
static void choose(Candidate *candidates, uint32_t n, uint32_t capacity, uint32_t keep)
{
    uint32_t n_chosen = 0;

    for (uint32_t i = 0; i < n && i < keep && n_chosen < capacity; i++) {
        candidates[i].is_chosen = candidates[i].is_continuing;
        n_chosen += candidates[i].is_chosen;
    }
    for (uint32_t i = 0; i < n && n_chosen < capacity; i++) {
        n_chosen += !candidates[i].is_chosen;
        candidates[i].is_chosen = true;
    }
}

static void add_members(Work *work, Candidate *candidates, uint32_t n, Earlier earlier)
{
    const Store *store = work->results->store;
    uint32_t registered, rank = 0;

    if (n == 0)
        return;
    registered = store->area.groups[work->cohort->grouping][candidates[0].group].n_people;
    for (uint32_t i = 0; i < n; i++)
        candidates[i].is_continuing =
            was_member(earlier, store->person[candidates[i].person]);
    choose(candidates, n, cohort_capacity(work->cohort, registered),
           cohort_keep(work->cohort, registered));
    for (uint32_t i = 0; i < n; i++) {
        Member *member;

        if (!candidates[i].is_chosen)
            continue;
        member = add_member(work);
        member->group = candidates[i].group;
        member->rank = ++rank;
        member->person = candidates[i].person;
        member->person_id = store->person[candidates[i].person];
        member->movement = candidates[i].is_continuing ? MOVED_CONTINUING : MOVED_NEW;
    }
}

/* ---- leavers ----------------------------------------------------------- */

/* Why someone who is in the people source is not in the run. */
static LeftWhy why_excluded(const Store *store, int64_t person)
{
    uint64_t low = 0, high = store->n_others;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (store->other[middle] < person)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == store->n_others || store->other[low] != person)
        return LEFT_MOVED;
    if (store->other_why[low] == EXCLUDED_DEAD)
        return LEFT_DIED;
    return store->other_why[low] >= EXCLUDED_OPT_OUT ? LEFT_OPTED_OUT : LEFT_MOVED;
}

static LeftWhy why_left(const Work *work, uint32_t person, int64_t id, uint16_t group)
{
    const Results *r = work->results;

    if (person == UINT32_MAX)
        return why_excluded(r->store, id);
    if (group == GROUP_NONE ||
        store_group(r->store, work->cohort->grouping, person) != group)
        return LEFT_MOVED;
    if ((r->matches->cohort[person] >> work->number & 1) == 0)
        return LEFT_RULE;
    return LEFT_OUTRANKED;
}

static void add_leaver(Work *work, const Previous *previous, uint16_t group)
{
    uint32_t person = store_find(work->results->store, previous->person_id);
    Member *member = add_member(work);

    member->group = group;
    member->person = person;
    member->person_id = previous->person_id;
    member->movement = MOVED_LEFT;
    member->why = why_left(work, person, previous->person_id, group);
}

static int compare_ids(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

/* Those of the group's earlier list who are not among its members from `first` on. */
static void add_leavers(Work *work, Earlier earlier, uint16_t group, uint32_t first)
{
    uint32_t n = work->out->n_members - first;
    int64_t *here = mem_alloc(n, sizeof *here, "members of a list");

    for (uint32_t i = 0; i < n; i++)
        here[i] = work->out->members[first + i].person_id;
    qsort(here, n, sizeof *here, compare_ids);
    for (uint32_t i = 0; i < earlier.n; i++)
        if (n == 0 || bsearch(&earlier.first[i].person_id, here, n, sizeof *here,
                              compare_ids) == NULL)
            add_leaver(work, &earlier.first[i], group);
    free(here);
}

static int compare_member_ids(const void *left, const void *right)
{
    const Member *a = left, *b = right;

    return (a->person_id > b->person_id) - (a->person_id < b->person_id);
}

/* Leavers of groups that are no more; their group is GROUP_NONE. */
static void add_homeless_leavers(Work *work)
{
    const Area *area = &work->results->store->area;
    int grouping = work->cohort->grouping;
    uint32_t first = work->out->n_members, g = 0;

    for (uint32_t i = 0; i < work->earlier.n; i++) {
        const Previous *previous = &work->earlier.first[i];

        while (g < area->n_groups[grouping] &&
               strcmp(area->groups[grouping][g].code, previous->group) < 0)
            g++;
        if (g == area->n_groups[grouping] ||
            strcmp(area->groups[grouping][g].code, previous->group) != 0)
            add_leaver(work, previous, GROUP_NONE);
    }
    if (work->out->n_members > first)
        qsort(work->out->members + first, work->out->n_members - first,
              sizeof *work->out->members, compare_member_ids);
}

/* ---- reasons ----------------------------------------------------------- */

static bool has_reason(const Member *member, const Reason *reason)
{
    for (int i = 0; i < member->n_reasons; i++)
        if (member->reasons[i].slot == reason->slot)
            return true;
    return false;
}

/* What a model has found: its own reasons, and those that the list has not got yet. */
static void add_found(Member *member, const Reason *found, int n, int most)
{
    for (int i = 0; i < n && i < MOST_REASONS; i++)
        member->explained[member->n_explained++] = found[i];
    for (int i = 0; i < n && member->n_reasons < most; i++)
        if (!has_reason(member, &found[i]))
            member->reasons[member->n_reasons++] = found[i];
}

/* The reasons of the cohort's models in their order. */
static void add_reasons(Member *member, const Results *r, Visit *visit)
{
    const Cohort *cohort = &r->plan->cohorts[member->cohort];
    Reason found[2 * MOST_REASONS];
    int most =
        cohort->n_most_reasons < MOST_REASONS ? cohort->n_most_reasons : MOST_REASONS;

    visit_person(visit, r->plan, r->store, member->person, true);
    visit_set_bands(visit, r->plan, r->scores, member->person);
    for (int e = 0; e < cohort->n_explain; e++) {
        int model = cohort->explain[e], n;

        if (r->scores->outcome[model][member->person] != 0)
            continue;
        n = reason_list(found, 2 * MOST_REASONS, r->plan, model, visit);
        add_found(member, found, n, most);
    }
}

static size_t most_explained(const Member *member, const Plan *plan)
{
    return member->movement == MOVED_LEFT
               ? 0
               : (size_t)plan->cohorts[member->cohort].n_explain * MOST_REASONS;
}

/* Gives each member room for what each model may find. */
static void make_room(Cohorts *cohorts, const Plan *plan)
{
    size_t n = 0;

    for (uint32_t i = 0; i < cohorts->n_members; i++)
        n += most_explained(&cohorts->members[i], plan);
    cohorts->explained = mem_alloc(n, sizeof *cohorts->explained, "reasons");
    n = 0;
    for (uint32_t i = 0; i < cohorts->n_members; i++) {
        cohorts->members[i].explained = cohorts->explained + n;
        n += most_explained(&cohorts->members[i], plan);
    }
}

/* Parallel over members: a thread writes to those that it visits. */
static void explain_members(Cohorts *cohorts, const Results *results)
{
#pragma omp parallel
    {
        Visit *visit = visit_new(results->plan);

#pragma omp for schedule(dynamic, 64)
        for (uint32_t i = 0; i < cohorts->n_members; i++)
            if (cohorts->members[i].movement != MOVED_LEFT)
                add_reasons(&cohorts->members[i], results, visit);
        visit_free(visit);
    }
}

/* ---- all of it --------------------------------------------------------- */

static void build_cohort(Work *work)
{
    const Area *area = &work->results->store->area;
    int grouping = work->cohort->grouping;
    uint32_t at = 0;

    find_candidates(work);
    for (uint32_t g = 0; g < area->n_groups[grouping]; g++) {
        Earlier earlier = earlier_of(work, area->groups[grouping][g].code);
        uint32_t first = work->out->n_members, from = at;

        while (at < work->n_candidates && work->candidates[at].group == g)
            at++;
        add_members(work, work->candidates + from, at - from, earlier);
        add_leavers(work, earlier, (uint16_t)g, first);
    }
    add_homeless_leavers(work);
    free(work->candidates);
    free(work->keys);
}

void cohorts_build(Cohorts *cohorts, const Results *results, const PreviousRun *previous)
{
    Work work = {.results = results, .out = cohorts, .visit = visit_new(results->plan)};
    uint32_t at = 0;

    *cohorts = (Cohorts){0};
    for (int c = 0; c < results->plan->n_cohorts; c++) {
        work.cohort = &results->plan->cohorts[c];
        work.number = c;
        work.earlier = (Earlier){previous->members + at, 0};
        while (at < previous->n_members && previous->members[at].cohort == c) {
            work.earlier.n++;
            at++;
        }
        build_cohort(&work);
    }
    make_room(cohorts, results->plan);
    explain_members(cohorts, results);
    visit_free(work.visit);
}

void cohorts_free(Cohorts *cohorts)
{
    free(cohorts->members);
    free(cohorts->explained);
    *cohorts = (Cohorts){0};
}

const char *movement_word(Movement movement)
{
    static const char *const WORD[] = {"new", "continuing", "left"};

    return WORD[movement];
}

const char *left_why_text(LeftWhy why)
{
    static const char *const TEXT[] = {NULL,
                                       "died",
                                       "opted out",
                                       "registered elsewhere",
                                       "no longer meets the rule",
                                       "outranked"};

    return TEXT[why];
}
