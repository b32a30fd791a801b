#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/store/people.h"
#include "tests/support/plans.h"

typedef struct Registered {
    const char *practice, *start, *end; /* end "" = open */
} Registered;

/* Which of several registrations on 2025-07-01 holds, whatever their order. */
static const struct {
    const char *name;
    Registered rows[3];
    int n;
    const char *want;
    uint64_t n_ambiguous;
} CASES[] = {
    {"one", {{"P2", "2001-01-01", ""}}, 1, "P2", 0},
    {"twice the same", {{"P2", "2001-01-01", ""}, {"P2", "2001-01-01", ""}}, 2, "P2", 0},
    {"latest start",
     {{"P1", "2001-01-01", ""},
      {"P3", "2002-01-01", "2025-07-02"},
      {"P2", "2000-01-01", ""}},
     3,
     "P3",
     1},
    {"longest",
     {{"P1", "2001-01-01", "2030-01-01"}, {"P3", "2001-01-01", ""}},
     2,
     "P3",
     1},
    {"lowest code", {{"P3", "2001-01-01", ""}, {"P2", "2001-01-01", ""}}, 2, "P2", 1},
};

static void add_person(Intake *intake, int64_t id, uint64_t check)
{
    PersonKept *people = realloc(intake->people, (intake->n_people + 1) * sizeof *people);

    people[intake->n_people] = (PersonKept){.id = id,
                                            .check = check,
                                            .birth = -10000,
                                            .death = DAY_UNKNOWN,
                                            .practice = NAMES_NONE};
    intake->people = people;
    intake->n_people++;
    intake->attributes =
        realloc(intake->attributes, 2 * intake->n_people * sizeof *intake->attributes);
    intake->attributes[2 * intake->n_people - 2] = 1;
    intake->attributes[2 * intake->n_people - 1] = 2;
}

static void add_registration(Intake *intake, int64_t id, Registered row)
{
    size_t n = intake->n_registrations++;

    intake->registrations =
        realloc(intake->registrations, (n + 1) * sizeof *intake->registrations);
    intake->registrations[n] = (RegistrationKept){
        id, plans_day(row.start), *row.end == '\0' ? DAY_LAST : plans_day(row.end),
        names_add(intake->names, row.practice, strlen(row.practice))};
}

Test(people, one_registration_holds)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++)
        for (int turn = 0; turn < 3; turn++) {
            Arena *arena = arena_new();
            Plan *plan = plans_small(arena, NULL, "");
            Store store = {.texts = arena_new()};
            People people = {0};
            Intake intakes[2];
            Err err = {0};

            plan->practices = NULL;
            store.counts = calloc((size_t)plan->n_sources, sizeof *store.counts);
            store.events = calloc(3, sizeof *store.events);
            intake_build(&intakes[0]);
            intake_build(&intakes[1]);
            add_person(&intakes[1], 7, 0);
            for (int r = 0; r < CASES[c].n; r++)
                add_registration(&intakes[(r + turn) % 2], 7,
                                 CASES[c].rows[(r + turn) % CASES[c].n]);
            cr_assert_eq(people_build(&store, &people, plan, intakes, 2, &err), 0);
            cr_assert_eq(store.n_people, 1);
            cr_expect_str_eq(store.area.groups[GROUPING_PRACTICE][store.practice[0]].code,
                             CASES[c].want, "%s", CASES[c].name);
            cr_expect_eq(store.n_ambiguous, CASES[c].n_ambiguous, "%s", CASES[c].name);
            cr_expect_eq(store.area.n_groups[GROUPING_PRACTICE], 1);
            people_free(&people);
            store_free(&store, plan);
            arena_free(arena);
        }
}

/* Everyone, without registrations or a practices source; with room for what is counted.
 */
static void be_of_one_practice(Plan *plan, Store *store)
{
    plan->practices = plan->registrations = NULL;
    plan->population.practice = "ALL";
    store->counts = calloc((size_t)plan->n_sources, sizeof *store->counts);
    store->events = calloc(3, sizeof *store->events);
}

/* Rows of one person, by their births; in whatever order they come. */
Test(people, rows_that_contradict_are_counted_alike_in_any_order)
{
    static const struct {
        int32_t birth[3];
        uint64_t kept, duplicate, conflict;
    } ROWS[] = {{{1, 1, 1}, 1, 2, 0},
                {{1, 1, 2}, 0, 0, 3},
                {{1, 2, 1}, 0, 0, 3},
                {{2, 1, 1}, 0, 0, 3},
                {{1, 2, 3}, 0, 0, 3}};

    for (size_t c = 0; c < sizeof ROWS / sizeof *ROWS; c++) {
        Arena *arena = arena_new();
        Plan *plan = plans_small(arena, NULL, "");
        Store store = {.texts = arena_new()};
        People people = {0};
        SourceCount *count;
        Intake intake;
        Err err = {0};

        be_of_one_practice(plan, &store);
        count = &store.counts[plan->people - plan->sources];
        count->fate[ROW_KEPT] = 3;
        intake_build(&intake);
        for (int r = 0; r < 3; r++) {
            add_person(&intake, 7, 0);
            intake.people[r].birth += ROWS[c].birth[r];
        }
        cr_assert_eq(people_build(&store, &people, plan, &intake, 1, &err), 0);
        cr_expect_eq(store.n_people, ROWS[c].kept, "%zu", c);
        cr_expect_eq(count->fate[ROW_KEPT], ROWS[c].kept, "%zu", c);
        cr_expect_eq(count->fate[ROW_DUPLICATE], ROWS[c].duplicate, "%zu", c);
        cr_expect_eq(count->fate[ROW_CONFLICT], ROWS[c].conflict, "%zu", c);
        people_free(&people);
        store_free(&store, plan);
        arena_free(arena);
    }
}

Test(people, two_texts_of_one_pseudonym_are_a_fault)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, NULL, "");
    Store store = {.texts = arena_new()};
    People people = {0};
    Intake intake;
    Err err = {0};

    store.counts = calloc((size_t)plan->n_sources, sizeof *store.counts);
    intake_build(&intake);
    add_person(&intake, 7, 1);
    add_person(&intake, 7, 2);
    cr_expect_eq(people_build(&store, &people, plan, &intake, 1, &err), -1);
    cr_expect_str_eq(err.text,
                     "sources.yaml:3:1: source \"people\": two different people "
                     "have the same pseudonym");
    people_free(&people);
    store_free(&store, plan);
    arena_free(arena);
}

Test(people, everyone_may_be_of_one_practice)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, NULL, "");
    Store store = {.texts = arena_new()};
    People people = {0};
    Intake intake;
    Err err = {0};

    be_of_one_practice(plan, &store);
    intake_build(&intake);
    add_person(&intake, 9, 0);
    add_person(&intake, 8, 0);
    cr_assert_eq(people_build(&store, &people, plan, &intake, 1, &err), 0);
    cr_assert_eq(store.n_people, 2);
    cr_expect_eq(store.person[0], 8);
    cr_expect_eq(ids_find(&people.ids, 9)->person, 1);
    cr_expect_str_eq(store.area.groups[GROUPING_PRACTICE][0].code, "ALL");
    cr_expect_eq(store.area.groups[GROUPING_PRACTICE][0].n_people, 2);
    cr_expect_eq(store.area.n_groups[2], 0);
    cr_expect_eq(store_group(&store, 2, 0), GROUP_NONE);
    people_free(&people);
    store_free(&store, plan);
    arena_free(arena);
}
