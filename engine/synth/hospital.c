/*
 * hospital.c - spells, episodes, diagnoses and A&E attendances, before the as-of date
 * and in the year of outcomes after it.
 *
 * The rate of emergency admission is that of age and deprivation, raised by frailty and
 * by admissions of the year before. So what a model sees before the as-of date tells
 * something about what happens after it, and not everything.
 */
#include <string.h>

#include "engine/synth/maker.h"

enum { MOST_SPELLS = 250, MOST_DIAGNOSES = 20 };

typedef enum Why { WHY_EMERGENCY, WHY_ELECTIVE, WHY_MATERNITY } Why;

typedef struct Stay {
    Why why;
    int32_t admitted, discharged, ready;
    bool ends_in_death;
} Stay;

typedef struct Hospital {
    Random random;
    int32_t until;   /* no admission on this day or after */
    int32_t free_on; /* the day after the last discharge */
    int n_spells;
    int n_emergencies; /* of the year before */
} Hospital;

/* ---- diagnoses --------------------------------------------------------- */

/* The codes of one episode; each once. */
typedef struct Codes {
    int32_t word[MOST_DIAGNOSES];
    int n;
} Codes;

static void code_add(Codes *codes, int32_t word)
{
    if (word == NO_WORD || codes->n == MOST_DIAGNOSES)
        return;
    for (int i = 0; i < codes->n; i++)
        if (codes->word[i] == word)
            return;
    codes->word[codes->n++] = word;
}

/* Why an emergency came: one of the person's own conditions, or what people of that
 * age come with. */
static int32_t emergency_cause(const Maker *maker, Hospital *hospital, int32_t day)
{
    const World *world = maker->world;
    int age = age_on(&maker->person, day), n = 0;
    const Condition *own[MOST_CONDITIONS];
    bool is_own =
        random_share(&hospital->random) < world->settings.emergency_own_condition;

    for (int c = 0; c < world->n_conditions; c++)
        if (world->conditions[c].acute_icd.n > 0 && has_condition(&maker->person, c, day))
            own[n++] = &world->conditions[c];
    if (is_own && n > 0)
        return pool_draw(&own[random_below(&hospital->random, (uint32_t)n)]->acute_icd,
                         &hospital->random);
    return pool_draw(&world->role[age < 16   ? ROLE_EMERGENCY_CHILD
                                  : age < 65 ? ROLE_EMERGENCY_ADULT
                                             : ROLE_EMERGENCY_OLD],
                     &hospital->random);
}

static void codes_draw(Codes *codes, const Maker *maker, Hospital *hospital,
                       const Stay *stay)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    Random *random = &hospital->random;
    int age = age_on(person, stay->admitted), n;

    *codes = (Codes){.n = 0};
    if (stay->why == WHY_EMERGENCY)
        code_add(codes, emergency_cause(maker, hospital, stay->admitted));
    else
        code_add(
            codes,
            pool_draw(
                &world->role[stay->why == WHY_ELECTIVE ? ROLE_ELECTIVE : ROLE_MATERNITY],
                random));
    for (int c = 0; c < world->n_conditions; c++)
        if (has_condition(person, c, stay->admitted) &&
            random_share(random) < world->conditions[c].coded)
            code_add(codes, pool_draw(&world->conditions[c].coded_icd, random));
    n = random_count(random, world_curve(world, CURVE_FRAILTY_CODES, person->sex, age) *
                                 frailty_factor(person, world->settings.coding_frailty) *
                                 (stay->why == WHY_EMERGENCY ? 1 : 0.25));
    while (n-- > 0)
        code_add(codes, pool_draw(&world->role[ROLE_FRAILTY], random));
    n = random_count(random, world_curve(world, CURVE_OTHER_CODES, person->sex, age));
    while (n-- > 0)
        code_add(codes, pool_draw(&world->role[ROLE_OTHER], random));
}

/* dates: the start and the end. */
static void episode_add(Maker *maker, Hospital *hospital, const Stay *stay, int order,
                        const int32_t dates[2])
{
    Codes codes;
    int32_t *row = row_add(maker, TABLE_EPISODE, dates[0]);

    row[0] = hospital->n_spells;
    row[1] = order;
    row[2] = dates[1];
    codes_draw(&codes, maker, hospital, stay);
    for (int i = 0; i < codes.n; i++) {
        row = row_add(maker, TABLE_DIAGNOSIS, dates[0]);
        row[0] = hospital->n_spells;
        row[1] = order;
        row[2] = i + 1;
        row[3] = codes.word[i];
        row[4] = FORM_PLAIN;
    }
    maker->count[COUNT_EPISODES]++;
    maker->count[COUNT_DIAGNOSES] += (uint64_t)codes.n;
}

/* ---- a spell ----------------------------------------------------------- */

static void stay_length(const Maker *maker, Hospital *hospital, Stay *stay)
{
    const World *world = maker->world;
    const Settings *settings = &world->settings;
    int age = age_on(&maker->person, stay->admitted), sex = maker->person.sex;
    Random *random = &hospital->random;
    bool is_short = random_share(random) <
                    (stay->why == WHY_ELECTIVE
                         ? settings->day_case
                         : world_curve(world, CURVE_EMERGENCY_ZERO_DAY, sex, age));
    double mean = stay->why == WHY_EMERGENCY
                      ? world_curve(world, CURVE_EMERGENCY_DAYS, sex, age)
                      : world_curve(world, CURVE_ELECTIVE_DAYS, sex, age);
    /* a product of two exponentials has the long right tail of real stays */
    int32_t days = 1 + (int32_t)random_wait(random, random_wait(random, mean - 0.5));
    bool is_delayed = random_share(random) < settings->delay_share;
    int32_t delay = (int32_t)random_wait(random, settings->delay_days);

    if (is_short)
        days = 0;
    stay->ready = stay->admitted + days;
    if (days >= 5 && is_delayed)
        days += delay;
    stay->discharged = stay->admitted + days;
    if (stay->discharged >= maker->person.death) {
        stay->discharged = maker->person.death;
        stay->ends_in_death = true;
    }
    if (stay->ready > stay->discharged)
        stay->ready = stay->discharged;
    if (stay->discharged >= world->outcome_end)
        stay->discharged = stay->ready = DAY_UNKNOWN; /* still there */
}

static List specialty_list(const Stay *stay, int age)
{
    if (stay->why == WHY_MATERNITY)
        return LIST_SPECIALTY_MATERNITY;
    if (stay->why == WHY_ELECTIVE && age >= 16)
        return LIST_SPECIALTY_ELECTIVE;
    return age < 16   ? LIST_SPECIALTY_CHILD
           : age < 75 ? LIST_SPECIALTY_ADULT
                      : LIST_SPECIALTY_OLD;
}

static void spell_row(Maker *maker, Hospital *hospital, const Stay *stay)
{
    static const List methods[] = {LIST_EMERGENCY_METHOD, LIST_ELECTIVE_METHOD,
                                   LIST_MATERNITY_METHOD};
    const World *world = maker->world;
    const Person *person = &maker->person;
    Random *random = &hospital->random;
    bool at_home = !has_condition(person, world->care_home, stay->admitted);
    int32_t *row = row_add(maker, TABLE_SPELL, stay->admitted);

    row[0] = hospital->n_spells;
    row[1] = stay->discharged;
    row[2] = stay->ready;
    row[3] = pool_draw(&world->list[methods[stay->why]], random);
    row[4] = pool_draw(&world->list[specialty_list(stay, age_on(person, stay->admitted))],
                       random);
    row[5] = pool_draw(&world->list[stay->ends_in_death ? LIST_DESTINATION_DEATH
                                    : at_home           ? LIST_DESTINATION_HOME
                                                        : LIST_DESTINATION_CARE_HOME],
                       random);
    if (stay->discharged == DAY_UNKNOWN)
        row[5] = NO_WORD;
    row[6] = pool_draw(person->practice->providers, random);
}

static void episodes_make(Maker *maker, Hospital *hospital, const Stay *stay)
{
    const Settings *settings = &maker->world->settings;
    Random *random = &hospital->random;
    int32_t end = stay->discharged == DAY_UNKNOWN ? maker->world->outcome_end - 1
                                                  : stay->discharged;
    bool second = random_share(random) < settings->second_episode;
    bool third = random_share(random) < settings->third_episode;
    int n = end - stay->admitted < 2 ? 1 : 1 + second + (second && third);
    int32_t start = stay->admitted;

    for (int i = 1; i <= n; i++) {
        int32_t next = i == n ? end : random_day(random, start, end);
        bool goes_on = i == n && stay->discharged == DAY_UNKNOWN;

        episode_add(maker, hospital, stay, i,
                    (int32_t[2]){start, goes_on ? DAY_UNKNOWN : next});
        start = next;
    }
}

static void ae_add(Maker *maker, int32_t day, bool admitted, Random *random)
{
    const World *world = maker->world;
    int32_t *row = row_add(maker, TABLE_AE, day);

    row[0] = pool_draw(
        &world->list[admitted ? LIST_AE_DEPARTMENT_MAJOR : LIST_AE_DEPARTMENT], random);
    row[1] = pool_draw(
        &world->list[admitted ? LIST_AE_ADMITTED_DISPOSAL : LIST_AE_HOME_DISPOSAL],
        random);
    row[2] = pool_draw(
        &world->list[admitted ? LIST_AE_ADMITTED_ACUITY : LIST_AE_HOME_ACUITY], random);
    if (day < world->as_of && day >= day_minus_months(world->as_of, 12))
        maker->count[COUNT_AE]++;
}

static void count_emergency(Maker *maker, int32_t day)
{
    int age = age_on(&maker->person, day), band;

    if (day >= maker->world->as_of || day < day_minus_months(maker->world->as_of, 12))
        return;
    band = age < 20 ? 0 : age < 38 ? 1 : age < 53 ? 2 : age < 67 ? 3 : 4;
    maker->count[COUNT_EMERGENCY_0 + band]++;
}

static void spell_add(Maker *maker, Hospital *hospital, Why why, int32_t day)
{
    const World *world = maker->world;
    Stay stay = {.why = why, .admitted = day};
    int32_t ae_from = day_minus_months(world->as_of, 12 * (int)world->settings.ae_years);

    if (day < hospital->free_on || hospital->n_spells == MOST_SPELLS)
        return;
    stay_length(maker, hospital, &stay);
    spell_row(maker, hospital, &stay);
    episodes_make(maker, hospital, &stay);
    hospital->n_spells++;
    hospital->free_on = stay.discharged == DAY_UNKNOWN ? DAY_LAST : stay.discharged + 1;
    if (why != WHY_EMERGENCY)
        return;
    count_emergency(maker, day);
    if (day >= ae_from && random_share(&hospital->random) < 0.85)
        ae_add(maker, day, true, &hospital->random);
}

/* ---- a year ------------------------------------------------------------ */

static void sort_days(int32_t *day, int n)
{
    for (int i = 1; i < n; i++) {
        int32_t one = day[i];
        int j = i;

        for (; j > 0 && day[j - 1] > one; j--)
            day[j] = day[j - 1];
        day[j] = one;
    }
}

static double emergency_rate(const Maker *maker, const Hospital *hospital, int age)
{
    const World *world = maker->world;
    const Settings *settings = &world->settings;
    const Person *person = &maker->person;
    double base = world_curve(world, CURVE_EMERGENCY, person->sex, age) *
                  world->slope[SLOPE_EMERGENCY][person->imd_decile] *
                  settings->emergency_level;
    double before = hospital->n_emergencies < settings->past_use_most
                        ? hospital->n_emergencies
                        : settings->past_use_most;

    return base * frailty_factor(person, settings->emergency_frailty) *
           (1 + settings->past_use * before) / (1 + settings->past_use * base);
}

/* Stays are taken in the order of time; one that would overlap is not made. */
static void year_make(Maker *maker, Hospital *hospital, int32_t from, int32_t to)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    Random *random = &hospital->random;
    int age = age_on(person, from / 2 + to / 2);
    double years = (to - from) / 365.25;
    double elective = world_curve(world, CURVE_ELECTIVE, person->sex, age) *
                      frailty_factor(person, world->settings.contact_frailty);
    double maternity = world_curve(world, CURVE_MATERNITY, person->sex, age);
    int n_emergency = random_count(random, emergency_rate(maker, hospital, age) * years);
    int n_elective = random_count(random, elective * years);
    int n_maternity = random_share(random) < maternity * years;
    int n = 0;
    int32_t day[3 * 256]; /* four times the day, and the kind */

    for (int i = 0; i < n_emergency; i++)
        day[n++] = random_day(random, from, to) * 4 + WHY_EMERGENCY;
    for (int i = 0; i < n_elective; i++)
        day[n++] = random_day(random, from, to) * 4 + WHY_ELECTIVE;
    for (int i = 0; i < n_maternity; i++)
        day[n++] = random_day(random, from, to) * 4 + WHY_MATERNITY;
    sort_days(day, n);
    for (int i = 0; i < n; i++)
        spell_add(maker, hospital, (Why)(day[i] & 3), day[i] >> 2);
    hospital->n_emergencies = n_emergency;
}

/* Many die in the days or weeks after an admission. */
static void last_admission(Maker *maker, Hospital *hospital)
{
    const Settings *settings = &maker->world->settings;
    int32_t death = maker->person.death;
    bool admitted = random_share(&hospital->random) < settings->emergency_before_death;
    bool dies_there = random_share(&hospital->random) < settings->death_in_hospital;
    int32_t day = death - 1 - (int32_t)random_below(&hospital->random, 28);
    Stay stay = {.why = WHY_EMERGENCY};

    if (!admitted || day < hospital->free_on || day <= maker->person.birth)
        return;
    stay.admitted = day;
    stay_length(maker, hospital, &stay);
    if (dies_there) {
        stay.discharged = death;
        stay.ready = death;
        stay.ends_in_death = true;
    }
    spell_row(maker, hospital, &stay);
    episodes_make(maker, hospital, &stay);
    hospital->n_spells++;
    count_emergency(maker, day);
}

static void ae_home(Maker *maker, Random *random, int32_t until)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    int32_t from =
        later(person->birth,
              day_minus_months(world->as_of, 12 * (int)world->settings.ae_years));

    for (int32_t start = from; start < until; start += 365) {
        int32_t end = earlier(start + 365, until);
        double rate = world_curve(world, CURVE_AE, person->sex, age_on(person, start)) *
                      world->slope[SLOPE_AE][person->imd_decile] *
                      frailty_factor(person, world->settings.ae_frailty);
        int n = random_count(random, rate * (end - start) / 365);

        while (n-- > 0)
            ae_add(maker, random_day(random, start, end), false, random);
    }
}

void hospital_make(Maker *maker)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    Hospital hospital = {.random =
                             random_start(world->seed, person->number, DRAW_HOSPITAL),
                         .until = earlier(world->outcome_end, person->death),
                         .free_on = person->birth};
    int years = (int)(world->settings.hospital_years + world->settings.outcome_years);

    for (int y = years; y > 0; y--) {
        int32_t from = later(day_minus_months(world->outcome_end, 12 * y), person->birth);
        int32_t to =
            earlier(day_minus_months(world->outcome_end, 12 * (y - 1)), hospital.until);

        if (from < to)
            year_make(maker, &hospital, from, to);
    }
    if (person->death < world->outcome_end)
        last_admission(maker, &hospital);
    ae_home(maker, &hospital.random, hospital.until);
    if (person->birth < world->as_of) { /* person-years of the year before */
        int32_t from = later(person->birth, day_minus_months(world->as_of, 12));
        int age = age_on(person, world->as_of);

        maker->count[COUNT_YEARS_0 + (age < 20   ? 0
                                      : age < 38 ? 1
                                      : age < 53 ? 2
                                      : age < 67 ? 3
                                                 : 4)] +=
            (uint64_t)(person->gp_until > from ? person->gp_until - from : 0);
    }
}
