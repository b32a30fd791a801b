#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "engine/store/group.h"

enum { N_PEOPLE = 300, N_ROWS = 40000, N_PILES = 3 };

/* A source with everything: any code is wanted, by features that ask for none. */
static Feature features[3] = {
    {.count = COUNT_ROWS, .from = DAY_FIRST, .to = 1000, .is_ever = true}};
static Plan plan = {.features = features, .n_features = 1, .as_of = 1000};
static const Hit ANY = {-INFINITY, INFINITY, 0, 0};

static Source source_of_everything(bool is_unique)
{
    return (Source){.name = "everything",
                    .role = ROLE_EVENTS,
                    .uncoded = &ANY,
                    .n_uncoded = 1,
                    .needs_code = true,
                    .keeps_value = true,
                    .keeps_end = true,
                    .n_conditions = 2,
                    .is_unique = is_unique};
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*state >> 33);
}

/* Few different values, so that ties are many. */
static EventRow make_row(Code *code, uint64_t seed)
{
    uint64_t state = seed * 2654435761;
    EventRow row = {.id = next_random(&state) % N_PEOPLE};
    char text[8] = {(char)('A' + next_random(&state) % 20), '1', '\0'};

    row.day =
        next_random(&state) % 9 == 0 ? DAY_UNKNOWN : (int32_t)(next_random(&state) % 50);
    row.end = next_random(&state) % 3 == 0 ? DAY_UNKNOWN : 60;
    *code = (Code){0, 0};
    if (next_random(&state) % 10 > 0)
        code_of_text(code, SYSTEM_LOCAL, text, 2);
    row.conditions = next_random(&state) % 4;
    row.value = next_random(&state) % 4 == 0 ? NAN : next_random(&state) % 3;
    row.key = next_random(&state) % 40;
    return row;
}

/* Rows in an order and shared out by the shift. */
static uint64_t build(Events *events, const Source *source, int shift, int threads)
{
    Pile piles[N_PILES];
    People people = {0};
    uint64_t repeats, kept = 0;

    omp_set_num_threads(threads);
    ids_build(&people.ids, N_PEOPLE);
    for (uint32_t p = 0; p < N_PEOPLE; p++)
        ids_add(&people.ids, p, p, -10000);
    for (int p = 0; p < N_PILES; p++)
        pile_build(&piles[p], &plan, source);
    for (int i = 0; i < N_ROWS; i++) {
        Pile *pile = &piles[(i + shift) / 7 % N_PILES];
        Code code;
        EventRow row = make_row(&code, (uint64_t)((i * 7919 + shift) % N_ROWS));

        if (code.low != 0)
            row.code = dict_find(pile->dict, code);
        kept += pile_offer(pile, &people, &row) == ROW_KEPT;
    }
    repeats = group_build(events, piles, N_PILES, N_PEOPLE);
    ids_free(&people.ids);
    cr_assert(plan.n_features > 1 || kept == N_ROWS);
    return repeats;
}

static void free_events(Events *events)
{
    Store store = {.events = events};
    Plan one = {.n_event_sources = 1};
    Events *copy = malloc(sizeof *copy);

    *copy = *events;
    store.events = copy;
    store_free(&store, &one);
}

static void expect_equal(const Events *a, const Events *b)
{
    cr_assert_eq(a->n, b->n);
    cr_assert_eq(a->n_codes, b->n_codes);
    cr_expect_arr_eq(a->start, b->start, (N_PEOPLE + 1) * sizeof *a->start);
    cr_expect_arr_eq(a->day, b->day, a->n * sizeof *a->day);
    cr_expect_arr_eq(a->code, b->code, a->n * sizeof *a->code);
    cr_expect_arr_eq(a->conditions, b->conditions, a->n * sizeof *a->conditions);
    cr_expect_arr_eq(a->value, b->value, a->n * sizeof *a->value);
    cr_expect_arr_eq(a->end, b->end, a->n * sizeof *a->end);
    cr_expect_arr_eq(a->codes, b->codes, a->n_codes * sizeof *a->codes);
    cr_expect_arr_eq(a->code_rows, b->code_rows, a->n_codes * sizeof *a->code_rows);
}

Test(group, the_same_for_any_order_and_any_number_of_threads)
{
    for (int is_unique = 0; is_unique < 2; is_unique++) {
        Source source = source_of_everything(is_unique == 1);
        Events want, got;
        uint64_t repeats = build(&want, &source, 0, 1);

        cr_expect_eq(want.n + repeats, N_ROWS);
        cr_expect(is_unique ? repeats > 1000 : repeats == 0);
        cr_expect_eq(build(&got, &source, 12345, 7), repeats);
        expect_equal(&want, &got);
        free_events(&got);
        free_events(&want);
    }
}

/* Two events of the same day, code and conditions: by value, missing last, then end. */
static bool are_in_order(const Events *events, uint64_t b, uint64_t e)
{
    double x = events->value[b], y = events->value[e];

    if (isnan(x) != isnan(y))
        return isnan(y);
    return (!isnan(x) && x < y) ||
           ((isnan(x) || x == y) && events->end[b] <= events->end[e]);
}

Test(group, the_order_within_a_person_is_total)
{
    Source source = source_of_everything(false);
    Events events;

    build(&events, &source, 3, 2);
    for (uint32_t p = 0; p < N_PEOPLE; p++)
        for (uint64_t e = events.start[p] + 1; e < events.start[p + 1]; e++) {
            uint64_t b = e - 1;

            cr_assert_leq(events.day[b], events.day[e]);
            if (events.day[b] != events.day[e])
                continue;
            cr_assert_leq(events.code[b], events.code[e]);
            if (events.code[b] != events.code[e])
                continue;
            cr_assert_leq(events.conditions[b], events.conditions[e]);
            if (events.conditions[b] == events.conditions[e])
                cr_assert(are_in_order(&events, b, e));
        }
    cr_expect_eq(events.n_codes, 20);
    for (uint32_t c = 1; c < events.n_codes; c++)
        cr_expect_lt(events.codes[c - 1].high, events.codes[c].high);
    free_events(&events);
}

/* Features that ask whether, how many codes and when last; their windows end on three
 * days, one has a condition, one takes undated events. */
static const Feature LATEST[] = {
    {.count = COUNT_EXISTS, .from = DAY_FIRST, .to = 45, .is_ever = true},
    {.count = COUNT_CODES, .from = 10, .to = 30, .conditions = 2},
    {.count = COUNT_DAYS_SINCE_LAST, .from = 5, .to = 12},
};
static const Hit ANY_OF_LATEST[] = {{-INFINITY, INFINITY, 0, 0},
                                    {-INFINITY, INFINITY, 1, 0},
                                    {-INFINITY, INFINITY, 2, 0}};

/* What a feature knows of a person: the codes, and the latest day (-99 = none). */
typedef struct Known {
    uint32_t codes;
    int32_t latest;
} Known;

static void learn(Known *known, const Feature *feature, int32_t day, uint32_t letter,
                  uint32_t conditions)
{
    bool is_in =
        day == DAY_UNKNOWN ? feature->is_ever : day >= feature->from && day < feature->to;

    if (!is_in || (conditions & feature->conditions) != feature->conditions)
        return;
    known->codes |= UINT32_C(1) << letter;
    if (day > known->latest)
        known->latest = day;
}

/* The code as a letter; the one behind the last is none. */
static uint32_t letter_of(Code code)
{
    return code.low == 0 ? 20 : (uint32_t)(code.high >> 56) - 'A';
}

/* True for the first row of its label and person between two ends of windows: one event
 * stays of them all. Rows that no window takes are not kept. */
static bool is_news(const EventRow *row, uint32_t letter)
{
    static bool said[N_PEOPLE][21][4][3];
    int stretch = (row->day >= 12) + (row->day >= 30);
    bool *is_said = &said[row->id][letter][row->conditions][stretch];

    if (row->day >= 45 || *is_said)
        return false;
    return *is_said = true;
}

Test(group, what_nobody_asks_for_is_not_missed)
{
    static Known want[N_PEOPLE][3], got[N_PEOPLE][3];
    Source source = source_of_everything(false);
    uint64_t n_rows = 0, kept = 0, n_said = 0;
    Events events;

    memcpy(features, LATEST, sizeof LATEST);
    plan.n_features = 3;
    source.uncoded = ANY_OF_LATEST;
    source.n_uncoded = 3;
    for (uint32_t i = 0; i < N_ROWS; i++) {
        Code code;
        EventRow row = make_row(&code, i);

        for (int f = 0; f < 3; f++)
            learn(&want[row.id][f], &LATEST[f], row.day, letter_of(code), row.conditions);
        kept += code.low != 0 && row.day < 45;
        n_said += is_news(&row, letter_of(code));
    }
    build(&events, &source, 5, 2);
    for (uint32_t p = 0; p < N_PEOPLE; p++)
        for (uint64_t e = events.start[p]; e < events.start[p + 1]; e++)
            for (int f = 0; f < 3; f++)
                learn(&got[p][f], &LATEST[f], events.day[e],
                      events.code[e] == CODE_NONE
                          ? 20
                          : letter_of(events.codes[events.code[e]]),
                      events.conditions[e]);
    cr_expect_arr_eq(got, want, sizeof want);
    cr_expect_eq(events.n, n_said);
    cr_expect_lt(events.n, N_ROWS * 9 / 10);
    for (uint32_t c = 0; c < events.n_codes; c++)
        n_rows += events.code_rows[c];
    cr_expect_eq(n_rows, kept); /* lists count rows, also those left out */
    free_events(&events);
}

/* Events of people with 1, 2, 3 ... rows each, so that runs of any length are sorted: as
 * a plain sort has them, with the key that decides which of the repeats stays. */
typedef struct Plain {
    uint32_t person, letter, conditions;
    int32_t day, end;
    double value;
    uint64_t key;
} Plain;

static int plain_order(const void *left, const void *right)
{
    const Plain *a = left, *b = right;
    double x = isnan(a->value) ? INFINITY : a->value;
    double y = isnan(b->value) ? INFINITY : b->value;
    const double A[] = {a->person, a->day, a->letter,     a->conditions,
                        x,         a->end, (double)a->key};
    const double B[] = {b->person, b->day, b->letter,     b->conditions,
                        y,         b->end, (double)b->key};

    for (size_t i = 0; i < sizeof A / sizeof *A; i++)
        if (A[i] != B[i])
            return A[i] < B[i] ? -1 : 1;
    return 0;
}

/* Leaves the first row of a person and key. Returns how many are left. */
static uint32_t plain_repeats(Plain *rows, uint32_t n)
{
    static bool seen[N_PEOPLE][40];
    uint32_t kept = 0;

    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < n; i++)
        if (!seen[rows[i].person][rows[i].key]) {
            seen[rows[i].person][rows[i].key] = true;
            rows[kept++] = rows[i];
        }
    return kept;
}

static Plain plain_row(Pile *pile, const People *people, uint32_t person, uint64_t seed)
{
    Code code;
    EventRow row = make_row(&code, seed);

    row.id = person;
    if (code.low != 0)
        row.code = dict_find(pile->dict, code);
    cr_assert_eq(pile_offer(pile, people, &row), ROW_KEPT);
    return (Plain){person,  letter_of(code), row.conditions, row.day,
                   row.end, row.value,       row.key};
}

static void expect_plain(const Events *events, const Plain *rows, uint32_t n)
{
    cr_assert_eq(events->n, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t code = events->code[i];
        uint32_t letter = code == CODE_NONE ? 20 : letter_of(events->codes[code]);

        cr_assert(i >= events->start[rows[i].person] &&
                  i < events->start[rows[i].person + 1]);
        cr_assert_eq(events->day[i], rows[i].day);
        cr_assert_eq(letter, rows[i].letter);
        cr_assert_eq(events->conditions[i], rows[i].conditions);
        cr_assert(events->value[i] == rows[i].value || isnan(rows[i].value));
        cr_assert_eq(isnan(events->value[i]), isnan(rows[i].value));
        cr_assert_eq(events->end[i], rows[i].end);
    }
}

Test(group, sorts_runs_of_any_length)
{
    static Plain rows[N_PEOPLE * (N_PEOPLE + 1) / 2];
    People people = {0};

    ids_build(&people.ids, N_PEOPLE);
    for (uint32_t p = 0; p < N_PEOPLE; p++)
        ids_add(&people.ids, p, p, -10000);
    for (int is_unique = 0; is_unique < 2; is_unique++) {
        Source source = source_of_everything(is_unique == 1);
        uint32_t n = 0, left;
        Events events;
        Pile pile;

        pile_build(&pile, &plan, &source);
        for (uint32_t p = 0; p < N_PEOPLE; p++)
            for (uint32_t i = 0; i <= p; i++, n++)
                rows[n] = plain_row(&pile, &people, p, n);
        qsort(rows, n, sizeof *rows, plain_order);
        left = is_unique ? plain_repeats(rows, n) : n;
        cr_expect_eq(group_build(&events, &pile, 1, N_PEOPLE), n - left);
        expect_plain(&events, rows, left);
        free_events(&events);
    }
    ids_free(&people.ids);
}

Test(group, nothing_is_a_store_too)
{
    Source source = source_of_everything(true);
    Events events;
    Pile pile;

    pile_build(&pile, &plan, &source);
    cr_expect_eq(group_build(&events, &pile, 1, 0), 0);
    cr_expect_eq(events.n, 0);
    cr_expect_eq(events.start[0], 0);
    cr_expect_eq(events.n_codes, 0);
    free_events(&events);
}
