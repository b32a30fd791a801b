/*
 * gp.c - the GP record: coded conditions, measured values, everything else, and
 * prescriptions.
 */
#include <string.h>

#include "engine/synth/maker.h"

static void gp_event(Maker *maker, int32_t day, int32_t code, int32_t value)
{
    int32_t *row = row_add(maker, TABLE_GP, day);

    row[0] = code;
    row[1] = value;
    maker->count[COUNT_GP]++;
}

/* A value of low .. high in steps. */
static int32_t value_between(int32_t low, int32_t high, int32_t step, Random *random)
{
    return low +
           step * (int32_t)random_below(random, (uint32_t)((high - low) / step + 1));
}

static void conditions_record(Maker *maker, int32_t from, Random *random)
{
    const World *world = maker->world;
    const Person *person = &maker->person;

    for (int c = 0; c < world->n_conditions; c++) {
        const Condition *condition = &world->conditions[c];
        int32_t start = later(person->onset[c] + 1, from);
        int n;

        if (condition->gp.n == 0 || person->onset[c] >= person->gp_until)
            continue;
        gp_event(maker, person->onset[c], pool_draw(&condition->gp, random), NO_VALUE);
        maker->count[COUNT_GP_LISTED] += condition->is_deficit;
        if (start >= person->gp_until)
            continue;
        n = random_count(random, condition->review * (person->gp_until - start) / 365.25);
        maker->count[COUNT_GP_LISTED] += condition->is_deficit ? (uint64_t)n : 0;
        while (n-- > 0)
            gp_event(maker, random_day(random, start, person->gp_until),
                     pool_draw(&condition->gp, random), NO_VALUE);
    }
}

/* A raised value never stands before the onset of what it shows: by the rules of the
 * eFI one such value sets a deficit for good. */
static void test_record(Maker *maker, const Test *test, int32_t day, Random *random)
{
    bool raised = has_condition(&maker->person, test->condition, day) &&
                  random_share(random) < test->raised_share;
    const int32_t *range = raised ? test->raised : test->normal;

    gp_event(maker, day, test->code,
             value_between(range[0], range[1], test->step, random));
    maker->count[COUNT_GP_LISTED]++;
}

static void tests_record(Maker *maker, int32_t from, Random *random)
{
    const World *world = maker->world;
    const Person *person = &maker->person;

    for (int t = 0; t < world->n_tests; t++) {
        const Test *test = &world->tests[t];
        int32_t start = later(from, person->birth + (int32_t)(test->min_age * 365.25));
        double rate = test->rate * world->settings.tests_level;
        int n;

        if (test->sex >= 0 && test->sex != person->sex)
            continue;
        if (test->only_with >= 0)
            start = later(start, person->onset[test->only_with]);
        if (start >= person->gp_until)
            continue;
        if (test->only_with < 0)
            rate *= world_curve(world, CURVE_TESTS, person->sex,
                                age_on(person, start / 2 + person->gp_until / 2));
        n = random_count(random, rate * (person->gp_until - start) / 365.25);
        while (n-- > 0)
            test_record(maker, test, random_day(random, start, person->gp_until), random);
    }
}

static void background_record(Maker *maker, int32_t from, Random *random)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    double factor =
        world->settings.gp_level * frailty_factor(person, world->settings.gp_frailty);

    for (int32_t start = from; start < person->gp_until; start += 365) {
        int32_t end = earlier(start + 365, person->gp_until);
        double rate = world_curve(world, CURVE_GP, person->sex, age_on(person, start));
        int n = random_count(random, rate * factor * (end - start) / 365);

        while (n-- > 0) {
            const Background *what =
                &world->background[pool_draw(&world->background_pool, random)];
            int32_t day = random_day(random, start, end);

            gp_event(maker, day, what->code,
                     what->step == 0
                         ? NO_VALUE
                         : value_between(what->low, what->high, what->step, random));
        }
    }
}

void gp_make(Maker *maker)
{
    const World *world = maker->world;
    Random random = random_start(world->seed, maker->person.number, DRAW_GP);
    int32_t from =
        later(maker->person.birth,
              day_minus_months(world->as_of, 12 * (int)world->settings.gp_years));

    conditions_record(maker, from, &random);
    tests_record(maker, from, &random);
    background_record(maker, from, &random);
}

/* ---- prescriptions ----------------------------------------------------- */

/* The medicines of the last year, to know polypharmacy. */
typedef struct Course {
    Random random;
    int32_t from, year; /* first day of prescriptions; first of the last year */
    int32_t seen[64];
    int n_seen;
} Course;

static void prescribe(Maker *maker, Course *course, int32_t day, int32_t bnf, int items)
{
    int32_t *row = row_add(maker, TABLE_PRESCRIPTION, day);

    row[0] = bnf;
    row[1] = items;
    maker->count[COUNT_ITEMS] += (uint64_t)items;
    if (day < course->year || course->n_seen == 64)
        return;
    for (int i = 0; i < course->n_seen; i++)
        if (course->seen[i] == bnf)
            return;
    course->seen[course->n_seen++] = bnf;
}

/* Every 28 days, or two months' worth every 56. */
static void repeat_issues(Maker *maker, Course *course, int32_t start, int32_t bnf)
{
    const Settings *settings = &maker->world->settings;
    int items = 1 + (random_share(&course->random) < settings->two_month_issue);
    int32_t day = later(start, course->from) +
                  (int32_t)random_below(&course->random, 28 * (uint32_t)items);

    for (; day < maker->person.gp_until; day += 28 * items)
        if (random_share(&course->random) >= settings->missed_issue)
            prescribe(maker, course, day, bnf, items);
}

static void medicine_course(Maker *maker, Course *course, const Medicine *medicine)
{
    const Person *person = &maker->person;
    double u = random_share(&course->random);
    int32_t bnf = pool_draw(&medicine->words, &course->random);
    int32_t start = DAY_LAST;

    for (int i = 0; i < medicine->n_uses; i++)
        if (u < medicine->share[i])
            start = earlier(start, person->onset[medicine->condition[i]]);
    if (start < person->gp_until)
        repeat_issues(maker, course, start + 14, bnf);
}

/* Most of what somebody is given now and then is the same few things each time. */
static void acute_issues(Maker *maker, Course *course)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    int32_t usual[2] = {pool_draw(&world->acute, &course->random),
                        pool_draw(&world->acute, &course->random)};
    double rate =
        world_curve(world, CURVE_ACUTE, person->sex, age_on(person, person->gp_until)) *
        world->settings.acute_level * frailty_factor(person, world->settings.gp_frailty);
    int n =
        random_count(&course->random, rate * (person->gp_until - course->from) / 365.25);

    while (n-- > 0) {
        int32_t day = random_day(&course->random, course->from, person->gp_until);
        bool is_usual = random_share(&course->random) < world->settings.usual_medicine;
        int32_t bnf = is_usual ? usual[random_below(&course->random, 2)]
                               : pool_draw(&world->acute, &course->random);

        prescribe(maker, course, day, bnf, 1);
    }
}

void medicine_make(Maker *maker)
{
    const World *world = maker->world;
    Course course = {
        .random = random_start(world->seed, maker->person.number, DRAW_MEDICINE),
        .from = later(
            maker->person.birth,
            day_minus_months(world->as_of, 12 * (int)world->settings.prescription_years)),
        .year = day_minus_months(world->as_of, 12)};

    if (course.from < maker->person.gp_until) {
        for (int m = 0; m < world->n_medicines; m++)
            medicine_course(maker, &course, &world->medicines[m]);
        acute_issues(maker, &course);
    }
    maker->n_medicines = course.n_seen;
}
