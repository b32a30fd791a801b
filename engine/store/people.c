/*
 * people.c - see people.h.
 */
#include "engine/store/people.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "engine/store/known.h"

void intake_build(Intake *intake)
{
    *intake = (Intake){.names = names_new(), .arena = arena_new()};
}

void intake_free(Intake *intake)
{
    free(intake->people);
    free(intake->attributes);
    free(intake->registrations);
    free(intake->opt_outs);
    free(intake->practices);
    names_free(intake->names);
    arena_free(intake->arena);
    *intake = (Intake){0};
}

/* ---- building ---------------------------------------------------------- */

typedef struct Building {
    const Plan *plan;
    Store *store;
    Intake *intakes;
    int n_intakes;
    Known *known; /* ascending by id */
    uint32_t n_known;
    Seen seen;
    uint16_t *place; /* by practice seen: its number in the area, or GROUP_NONE */
    Practice *practices;
    uint32_t n_practices;
} Building;

static SourceCount *count_of(const Building *b, const Source *source)
{
    return &b->store->counts[source - b->plan->sources];
}

/* ---- where they are registered ----------------------------------------- */

/* True if the registration comes before what the person has. */
static bool is_better(const RegistrationKept *row, uint32_t practice, const Known *known)
{
    if (row->start != known->start)
        return row->start > known->start;
    if (row->end != known->end)
        return row->end > known->end;
    return practice < known->practice;
}

static void register_person(Known *known, const RegistrationKept *row, uint32_t practice)
{
    if (known->practice != UINT32_MAX)
        known->is_ambiguous |= known->start != row->start || known->end != row->end ||
                               known->practice != practice;
    if (known->practice == UINT32_MAX || is_better(row, practice, known)) {
        known->start = row->start;
        known->end = row->end;
        known->practice = practice;
    }
}

static void take_few(Building *b, const Ids *ids, const RegistrationKept *rows, size_t n,
                     const uint32_t *rank)
{
    uint32_t known[AHEAD];

    for (size_t r = 0; r < n; r++)
        ids_fetch(ids, rows[r].id);
    for (size_t r = 0; r < n; r++) {
        known[r] = ids_find(ids, rows[r].id)->person;
        if (known[r] == ID_ABSENT)
            change_fate(count_of(b, b->plan->registrations), ROW_ORPHAN);
        else
            __builtin_prefetch(&b->known[known[r]]);
    }
    for (size_t r = 0; r < n; r++)
        if (known[r] != ID_ABSENT)
            register_person(&b->known[known[r]], &rows[r], rank[rows[r].practice]);
}

static void take_registrations(Building *b, const Ids *ids, const Intake *intake,
                               const uint32_t *rank)
{
    size_t n = intake->n_registrations;

    for (size_t r = 0; r < n; r += AHEAD)
        take_few(b, ids, intake->registrations + r, n - r < AHEAD ? n - r : AHEAD, rank);
}

static void register_people(Building *b, const Ids *ids)
{
    const char *fixed = b->plan->population.practice;
    bool is_fixed = b->plan->registrations == NULL;

    for (int c = 0; c < b->plan->people->n_columns; c++)
        is_fixed &= b->plan->people->columns[c].field != FIELD_PRACTICE;
    if (is_fixed) { /* one practice for everyone: the only one seen */
        uint32_t only = seen_find(&b->seen, fixed == NULL ? "" : fixed);

        for (uint32_t k = 0; k < b->n_known; k++)
            b->known[k].practice = only;
        return;
    }
    if (b->plan->registrations == NULL)
        return;
    for (uint32_t k = 0; k < b->n_known; k++)
        b->known[k].practice = UINT32_MAX;
    for (int i = 0; i < b->n_intakes; i++)
        take_registrations(b, ids, &b->intakes[i], b->seen.rank[i]);
    for (uint32_t k = 0; k < b->n_known; k++)
        b->store->n_ambiguous += b->known[k].is_ambiguous;
}

/* ---- the area ---------------------------------------------------------- */

/* The practices source, or the practices that people are registered with. */
static void gather_practices(Building *b)
{
    size_t n = b->seen.n;
    bool *is_used = mem_alloc(b->seen.n, sizeof *is_used, "practices");

    for (int i = 0; i < b->n_intakes; i++)
        n += b->intakes[i].n_practices;
    b->practices = mem_alloc(n, sizeof *b->practices, "practices");
    for (int i = 0; i < b->n_intakes; i++)
        for (size_t p = 0; p < b->intakes[i].n_practices; p++)
            b->practices[b->n_practices++] = b->intakes[i].practices[p];
    for (uint32_t k = 0; k < b->n_known; k++)
        if (b->known[k].practice != UINT32_MAX)
            is_used[b->known[k].practice] = true;
    for (uint32_t s = 0; s < b->seen.n && b->plan->practices == NULL; s++)
        if (is_used[s])
            b->practices[b->n_practices++] = (Practice){.code = b->seen.code[s]};
    if (b->plan->practices != NULL)
        b->n_practices = practices_merge(b->practices, b->n_practices,
                                         count_of(b, b->plan->practices));
    free(is_used);
}

static int build_area(Building *b, Err *err)
{
    uint32_t n = 0;

    gather_practices(b);
    for (uint32_t p = 0; p < b->n_practices; p++) {
        if (practice_is_in(&b->practices[p], b->plan))
            b->practices[n++] = b->practices[p];
        else if (b->plan->practices != NULL)
            change_fate(count_of(b, b->plan->practices), ROW_OUTSIDE);
    }
    b->n_practices = n;
    if (n >= GROUP_NONE)
        return err_add(err, ERR_DATA, b->plan->people->where,
                       "%u practices, more than %d", n, GROUP_NONE - 1);
    area_build(&b->store->area, b->practices, n, b->plan, b->store->texts);
    b->place = mem_alloc(b->seen.n, sizeof *b->place, "practices");
    for (uint32_t s = 0; s < b->seen.n; s++) {
        uint32_t at = practices_find(b->practices, n, b->seen.code[s]);

        b->place[s] = at == UINT32_MAX ? GROUP_NONE : (uint16_t)at;
    }
    return 0;
}

/* ---- opt-outs ---------------------------------------------------------- */

/* Fills the first opt-out that removes a person, and by known person the sources that
 * others refuse; NULL if none does. */
static uint64_t *take_opt_outs(Building *b, const Ids *ids)
{
    uint64_t *refused = mem_alloc(b->n_known, sizeof *refused, "opt-outs"), any = 0;

    for (int i = 0; i < b->n_intakes; i++) {
        const Intake *intake = &b->intakes[i];

        for (size_t o = 0; o < intake->n_opt_outs; o++) {
            int number = intake->opt_outs[o].opt_out;
            const OptOut *opt_out = &b->plan->population.opt_outs[number];
            uint32_t k = ids_find(ids, intake->opt_outs[o].id)->person;

            if (k == ID_ABSENT) {
                change_fate(count_of(b, b->plan->opt_out_rows), ROW_OUTSIDE);
                continue; /* a national list has people from everywhere */
            }
            if (opt_out->removes_person &&
                (b->known[k].opt_out < 0 || number < b->known[k].opt_out))
                b->known[k].opt_out = (int16_t)number;
            refused[k] |= opt_out->sources;
            any |= opt_out->sources;
        }
    }
    if (any != 0)
        return refused;
    free(refused);
    return NULL;
}

/* ---- the run ----------------------------------------------------------- */

static int exclusion_of(const Building *b, const Known *known)
{
    int32_t as_of = b->plan->as_of;

    if (known->is_conflict)
        return EXCLUDED_CONFLICT;
    if (known->is_test)
        return EXCLUDED_TEST;
    if (known->birth == DAY_UNKNOWN)
        return EXCLUDED_NO_BIRTH;
    if (known->birth > as_of)
        return EXCLUDED_NOT_BORN;
    if (known->death != DAY_UNKNOWN && known->death < as_of)
        return EXCLUDED_DEAD;
    if (known->practice == UINT32_MAX)
        return EXCLUDED_UNREGISTERED;
    if (b->place[known->practice] == GROUP_NONE)
        return EXCLUDED_ELSEWHERE;
    return known->opt_out < 0 ? EXCLUDED_NOT : EXCLUDED_OPT_OUT + known->opt_out;
}

static void make_columns(Building *b, uint32_t n)
{
    const Plan *plan = b->plan;
    const Source *source = plan->people;
    Store *store = b->store;

    store->n_people = n;
    store->person = mem_alloc(n, sizeof *store->person, "people");
    store->birth = mem_alloc(n, sizeof *store->birth, "people");
    store->practice = mem_alloc(n, sizeof *store->practice, "people");
    store->attribute =
        mem_alloc((size_t)source->n_attributes, sizeof *store->attribute, "people");
    for (int a = 0; a < source->n_attributes; a++)
        if (source->attributes[a].is_used || a == plan->sex_attribute)
            store->attribute[a] = mem_alloc(n, sizeof **store->attribute, "people");
}

static void put_person(const Building *b, uint32_t person, const Known *known)
{
    Store *store = b->store;

    store->person[person] = known->id;
    store->birth[person] = known->birth;
    store->practice[person] = b->place[known->practice];
    for (int a = 0; a < b->plan->people->n_attributes; a++)
        if (store->attribute[a] != NULL)
            store->attribute[a][person] = known->attributes[a];
}

/* From an index of known people to what rows of events look for. */
static void point_ids(Ids *ids, const IdSlot *slots)
{
#pragma omp parallel for
    for (uint64_t s = 0; s <= ids->mask; s++)
        if (ids->slots[s].person != ID_ABSENT)
            ids->slots[s] = slots[ids->slots[s].person];
}

/* Everyone who is not in the run, and why: people who left a list are looked up here. */
static void put_others(Store *store, const Building *b, const IdSlot *slots)
{
    uint64_t n = b->n_known - store->n_people;

    store->other = mem_alloc(n, sizeof *store->other, "people outside the run");
    store->other_why = mem_alloc(n, sizeof *store->other_why, "people outside the run");
    for (uint32_t k = 0; k < b->n_known; k++) {
        if (slots[k].person <= ID_LAST)
            continue;
        store->other[store->n_others] = b->known[k].id;
        store->other_why[store->n_others++] = (uint8_t)exclusion_of(b, &b->known[k]);
    }
}

static void put_people(const Building *b, const IdSlot *slots)
{
#pragma omp parallel for
    for (uint32_t k = 0; k < b->n_known; k++) {
        if (b->n_known - k > AHEAD)
            __builtin_prefetch(b->known[k + AHEAD].attributes);
        if (slots[k].person <= ID_LAST)
            put_person(b, slots[k].person, &b->known[k]);
    }
}

/* By known person what rows of events look for. Returns how many are in the run. */
static uint32_t number_people(IdSlot *slots, const Building *b, const uint64_t *refused)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < b->n_known; k++) {
        const Known *known = &b->known[k];
        int exclusion = exclusion_of(b, known);
        IdSlot *slot = &slots[k];

        slot->id = known->id;
        slot->person = exclusion == EXCLUDED_NOT       ? n++
                       : exclusion == EXCLUDED_DEAD    ? ID_DEAD
                       : exclusion >= EXCLUDED_OPT_OUT ? ID_OPTED_OUT
                                                       : ID_OUTSIDE;
        slot->limit = slot->person == ID_DEAD ? known->death : known->birth;
        slot->refuses = refused != NULL && refused[k] != 0;
        if (exclusion != EXCLUDED_NOT)
            b->store->excluded[exclusion]++;
    }
    return n;
}

static void put_refusals(People *people, const Building *b, const IdSlot *slots,
                         const uint64_t *refused)
{
    size_t words = (b->store->n_people + 63) / 64;
    int n_sources = b->plan->n_event_sources;

    people->refused_words = words;
    people->refused =
        mem_alloc((size_t)n_sources * words, sizeof *people->refused, "opt-outs");
    for (uint32_t k = 0; k < b->n_known; k++) {
        uint32_t person = slots[k].person;

        if (person > ID_LAST || refused[k] == 0)
            continue;
        people->refused_sources |= refused[k];
        for (int s = 0; s < n_sources; s++)
            people->refused[(size_t)s * words + person / 64] |= (refused[k] >> s & 1)
                                                                << person % 64;
    }
}

static void settle_people(Building *b, People *people, const uint64_t *refused)
{
    IdSlot *slots = mem_alloc(b->n_known, sizeof *slots, "people");
    Store *store = b->store;
    uint32_t n;

    store->n_exclusions = EXCLUDED_OPT_OUT + b->plan->population.n_opt_outs;
    store->excluded =
        mem_alloc((size_t)store->n_exclusions, sizeof *store->excluded, "exclusions");
    n = number_people(slots, b, refused);
    store->n_known = b->n_known;
    make_columns(b, n);
    put_others(store, b, slots);
    put_people(b, slots);
    if (refused != NULL)
        put_refusals(people, b, slots, refused);
    point_ids(&people->ids, slots);
    area_count(&store->area, store->practice, n);
    free(slots);
}

/* From an id to the number of a known person. */
static void index_known(Ids *ids, const Building *b)
{
    ids_build(ids, b->n_known);
    for (uint32_t k = 0; k < b->n_known; k++) {
        if (b->n_known - k > AHEAD)
            ids_fetch(ids, b->known[k + AHEAD].id);
        ids_add(ids, b->known[k].id, k, 0);
    }
}

static int build(Building *b, People *people, Err *err)
{
    uint64_t *refused;
    size_t n = 0;

    for (int i = 0; i < b->n_intakes; i++)
        n += b->intakes[i].n_people;
    if (n > ID_LAST)
        return err_add(err, ERR_DATA, b->plan->people->where,
                       "source \"%s\" has more than %u rows", b->plan->people->name,
                       ID_LAST);
    b->known = mem_alloc(n, sizeof *b->known, "people");
    seen_build(&b->seen, b->intakes, b->n_intakes, b->plan->population.practice);
    b->n_known = (uint32_t)n;
    known_gather(b->known, b->intakes, &b->seen, b->plan->people);
    if (known_merge(b->known, &b->n_known, count_of(b, b->plan->people), b->plan->people,
                    err) != 0)
        return -1;
    index_known(&people->ids, b);
    register_people(b, &people->ids);
    if (build_area(b, err) != 0)
        return -1;
    refused = take_opt_outs(b, &people->ids);
    settle_people(b, people, refused);
    free(refused);
    return 0;
}

int people_build(Store *store, People *people, const Plan *plan, Intake *intakes,
                 int n_intakes, Err *err)
{
    Building b = {
        .plan = plan, .store = store, .intakes = intakes, .n_intakes = n_intakes};
    int rc;

    *people = (People){0};
    rc = build(&b, people, err);
    seen_free(&b.seen);
    for (int i = 0; i < n_intakes; i++)
        intake_free(&intakes[i]);
    free(b.known);
    free(b.place);
    free(b.practices);
    return rc;
}

void people_free(People *people)
{
    ids_free(&people->ids);
    free(people->refused);
    people->refused = NULL;
}

/* A slip in the name of a type, or other pseudonyms, would leave everyone in. */
static void warn_of_opt_outs(const SourceCount *count, const char *source)
{
    uint64_t unlisted = count->fate[ROW_UNLISTED];

    if (unlisted > 0)
        log_line(LOG_WARN,
                 "stage=load source=%s unlisted=%" PRIu64
                 " hint=\"no policy names the type of these rows: they do nothing\"",
                 source, unlisted);
    if (count->rows > unlisted && count->fate[ROW_KEPT] == 0)
        log_line(LOG_WARN,
                 "stage=load source=%s kept=0 outside=%" PRIu64
                 " hint=\"nobody who objects is in the people source\"",
                 source, count->fate[ROW_OUTSIDE]);
}

void people_log(const Store *store, const Plan *plan)
{
    const Source *opt_outs = plan->opt_out_rows;

    log_line(LOG_INFO,
             "stage=load people=%" PRIu32 " known=%" PRIu64 " ambiguous=%" PRIu64,
             store->n_people, store->n_known, store->n_ambiguous);
    if (opt_outs != NULL)
        warn_of_opt_outs(&store->counts[opt_outs - plan->sources], opt_outs->name);
}
