/*
 * person.c - who somebody is: place, age, frailty, conditions, death, registrations.
 *
 * Frailty is one hidden normal number. A condition is there if a second one, correlated
 * with it, is beyond what the published share of people of that age, sex and deprivation
 * allows. So shares come out as published, conditions come together in the same people,
 * and as shares grow with age, each onset has a date.
 */
#include <math.h>

#include "engine/synth/maker.h"

static const double YEAR = 365.25;

/* Numbers are dealt out over the list of cells in equal steps, so that list sizes are
 * those published, scaled; the prime keeps neighbours apart. */
static const Cell *cell_of(const World *world, uint32_t number)
{
    uint64_t place = (uint64_t)number * 2654435761U % world->people;
    uint64_t total = world->cells[world->n_cells - 1].upto;
    uint64_t at = (uint64_t)(((double)place + 0.5) / world->people * (double)total);
    int low = 0, high = world->n_cells;

    while (low + 1 < high) {
        int middle = (low + high) / 2;

        if (world->cells[middle - 1].upto <= at)
            low = middle;
        else
            high = middle;
    }
    return &world->cells[low];
}

static void who(Maker *maker, uint32_t number, Random *random)
{
    const World *world = maker->world;
    const Cell *cell = cell_of(world, number);
    Person *person = &maker->person;
    int years = cell->age_from;

    *person = (Person){.number = number,
                       .practice = &world->practices[cell->practice],
                       .sex = cell->sex,
                       .sex_word = cell->sex};
    years += cell->age_from >= 95 ? (int)random_wait(random, 1.6)
                                  : (int)random_below(random, 5);
    if (years > AGE_MOST)
        years = AGE_MOST;
    person->birth = day_minus_months(world->as_of, 12 * years) - 1 -
                    (int32_t)random_below(random, 364);
    if (random_share(random) < world->settings.sex_not_known)
        person->sex_word = 2 + (int)random_below(random, 2);
    person->lsoa = pool_draw(&person->practice->lsoas, random);
    person->imd_decile = world->lsoas[person->lsoa].imd_decile;
}

/* Each year before and after the as-of date has its own chance. */
static int32_t death_of(const World *world, const Person *person, Random *random)
{
    int32_t from = day_minus_months(world->as_of, 12);

    while (from < world->outcome_end) {
        int32_t to = day_minus_months(from, -12);
        double rate = world_curve(world, CURVE_DEATH, person->sex, age_on(person, from)) *
                      world->slope[SLOPE_DEATH][person->imd_decile] *
                      frailty_factor(person, world->settings.death_frailty);
        bool dies = random_share(random) < 1 - exp(-rate);
        int32_t day = random_day(random, from, to);

        if (dies && day > person->birth)
            return day;
        from = to;
    }
    return DAY_LAST;
}

/* The age at which the share of people with the condition passes u, or -1. */
static double onset_age(const Condition *condition, double u, const Person *person)
{
    double factor =
        condition->sex_factor[person->sex] * condition->imd_factor[person->imd_decile];

    if (u < condition->share[0] * factor)
        return 0;
    for (int d = 1; d < N_DECADES; d++) {
        double below = condition->share[d - 1] * factor;
        double upto = condition->share[d] * factor;

        if (u < upto)
            return 10 * (d - 1 + (u - below) / (upto - below));
    }
    return -1;
}

static void conditions_make(Maker *maker, Random *random)
{
    const World *world = maker->world;
    Person *person = &maker->person;

    for (int c = 0; c < world->n_conditions; c++) {
        const Condition *condition = &world->conditions[c];
        double own = random_normal(random), rest = random_share(random);
        double normal = condition->loading * person->frailty +
                        sqrt(1 - condition->loading * condition->loading) * own;
        double age = onset_age(condition, 0.5 * erfc(normal / sqrt(2)), person);
        int32_t day = person->birth + 1 + (int32_t)(age * YEAR + rest * 180);

        if (age < 0 || day >= world->outcome_end || day >= person->death)
            day = DAY_LAST;
        person->onset[c] = day;
    }
}

static void registrations_make(Maker *maker, Random *random)
{
    const World *world = maker->world;
    const Settings *settings = &world->settings;
    const Person *person = &maker->person;
    int32_t start = world->as_of - 30 -
                    (int32_t)random_wait(random, settings->registered_years * YEAR);
    int32_t end = person->death == DAY_LAST ? DAY_UNKNOWN : person->death + 7;
    double moved = random_share(random), left = random_share(random);
    const Practice *other =
        &world->practices[random_below(random, (uint32_t)world->n_practices)];
    int32_t *row;

    if (start < person->birth)
        start = person->birth;
    if (left < settings->left_share && person->death == DAY_LAST &&
        world->as_of - start > 200)
        end = random_day(random, world->as_of - 180, world->as_of);
    else if (person->death >= world->as_of)
        end = DAY_UNKNOWN; /* the data are those of the as-of date */
    if (moved < settings->moved_within_area && start - person->birth > 400) {
        row = row_add(maker, TABLE_REGISTRATION,
                      random_day(random, later(person->birth, start - 5500), start - 1));
        row[0] = other->code;
        row[1] = start;
    }
    row = row_add(maker, TABLE_REGISTRATION, start);
    row[0] = person->practice->code;
    row[1] = end;
}

void person_make(Maker *maker, uint32_t number)
{
    const World *world = maker->world;
    Person *person = &maker->person;
    Random random = random_start(world->seed, number, DRAW_WHO);
    Random life = random_start(world->seed, number, DRAW_LIFE);
    int32_t *row;

    who(maker, number, &random);
    person->frailty = random_normal(&life);
    person->death = death_of(world, person, &life);
    person->gp_until = earlier(world->as_of, person->death);
    conditions_make(maker, &life);
    row = row_add(maker, TABLE_PERSON, person->birth);
    row[0] = world->list[LIST_SEX].item[person->sex_word];
    row[1] = pool_draw(&world->list[LIST_ETHNIC], &random);
    row[2] = world->lsoas[person->lsoa].code;
    row[3] = person->imd_decile;
    row[4] = world->list[LIST_IMD_VINTAGE].item[0];
    row[5] = has_condition(person, world->care_home, world->as_of) &&
             age_on(person, world->as_of) >= 65;
    row[6] = person->death == DAY_LAST ? DAY_UNKNOWN : person->death;
    row[7] = 0;
    registrations_make(maker, &random);
}

/* ---- what it comes to -------------------------------------------------- */

static void count_frailty(Maker *maker)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    int deficits = maker->n_medicines >= 5, chronic = 0;
    int age = age_on(person, world->as_of);

    for (int c = 0; c < world->n_conditions; c++)
        if (has_condition(person, c, world->as_of)) {
            deficits += world->conditions[c].is_deficit;
            chronic += world->conditions[c].is_chronic;
        }
    maker->count[COUNT_ALIVE]++;
    maker->count[COUNT_MULTIMORBID] += chronic >= 2;
    if (age >= 75) {
        maker->count[COUNT_ALIVE_75]++;
        maker->count[COUNT_MULTIMORBID_75] += chronic >= 2;
    }
    if (age >= 65) {
        maker->count[COUNT_ALIVE_65]++;
        maker->count[deficits < 5    ? COUNT_FIT
                     : deficits < 9  ? COUNT_MILD
                     : deficits < 13 ? COUNT_MODERATE
                                     : COUNT_SEVERE]++;
    }
}

void person_count(Maker *maker)
{
    const Person *person = &maker->person;
    int32_t as_of = maker->world->as_of;

    maker->count[COUNT_PEOPLE]++;
    if (person->death < as_of)
        maker->count[COUNT_DEATHS]++;
    else
        count_frailty(maker);
}
