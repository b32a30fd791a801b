/*
 * care.c - outpatients, community and mental health contacts, social care.
 */
#include "engine/synth/maker.h"

typedef struct Contacts {
    Random random;
    int32_t from;
} Contacts;

/* The factor on a curve that is the person's own. */
typedef double (*Factor)(const Maker *maker, int32_t day);

static double frailty_of(const Maker *maker, int32_t day)
{
    (void)day;
    return frailty_factor(&maker->person, maker->world->settings.contact_frailty);
}

static double mind_of(const Maker *maker, int32_t day)
{
    const World *world = maker->world;
    bool is_ill = has_condition(&maker->person, world->mental_illness, day);

    return world->slope[SLOPE_MENTAL_HEALTH][maker->person.imd_decile] *
           (is_ill ? world->settings.mental_health_condition : 1);
}

/* Draws the days of a year at a time; calls add for each. */
static void contacts_of(Maker *maker, Contacts *contacts, Curve curve, Factor factor,
                        void (*add)(Maker *, Random *, int32_t day))
{
    const Person *person = &maker->person;

    for (int32_t start = contacts->from; start < person->gp_until; start += 365) {
        int32_t end = earlier(start + 365, person->gp_until);
        double rate =
            world_curve(maker->world, curve, person->sex, age_on(person, start)) *
            factor(maker, start);
        int n = random_count(&contacts->random, rate * (end - start) / 365);

        while (n-- > 0)
            add(maker, &contacts->random, random_day(&contacts->random, start, end));
    }
}

static void outpatient_add(Maker *maker, Random *random, int32_t day)
{
    int32_t *row = row_add(maker, TABLE_OUTPATIENT, day);

    row[0] = pool_draw(&maker->world->list[LIST_OUTPATIENT_SPECIALTY], random);
    row[1] = pool_draw(&maker->world->list[LIST_ATTENDED], random);
}

static void community_add(Maker *maker, Random *random, int32_t day)
{
    List list = age_on(&maker->person, day) < 18 ? LIST_CHILD_TEAM : LIST_COMMUNITY_TEAM;

    row_add(maker, TABLE_COMMUNITY, day)[0] =
        pool_draw(&maker->world->list[list], random);
}

static void mental_add(Maker *maker, Random *random, int32_t day)
{
    row_add(maker, TABLE_MENTAL, day)[0] =
        pool_draw(&maker->world->list[LIST_MENTAL_HEALTH_TEAM], random);
}

/* Older people with a memory problem are seen by teams of their own. */
static void memory_make(Maker *maker, Contacts *contacts)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    int32_t from = later(later(person->onset[world->memory], contacts->from),
                         person->birth + (int32_t)(65 * 365.25));
    int n;

    if (from >= person->gp_until)
        return;
    n = random_count(&contacts->random,
                     world->settings.memory_contact * (person->gp_until - from) / 365.25);
    while (n-- > 0) {
        int32_t day = random_day(&contacts->random, from, person->gp_until);

        row_add(maker, TABLE_MENTAL, day)[0] =
            pool_draw(&world->list[LIST_MEMORY_TEAM], &contacts->random);
    }
}

/* One package from start to end; cost in hundredths of a pound a week. */
static void package_add(Maker *maker, Random *random, List list, const int32_t dates[2],
                        double mean_cost)
{
    int32_t *row = row_add(maker, TABLE_SOCIAL, dates[0]);

    row[0] = dates[1] >= maker->person.gp_until
                 ? (maker->person.death < maker->world->as_of ? maker->person.death
                                                              : DAY_UNKNOWN)
                 : dates[1];
    row[1] = pool_draw(&maker->world->list[list], random);
    row[2] = (int32_t)(100 * mean_cost * (0.5 + random_share(random)));
}

static void social_make(Maker *maker, Contacts *contacts)
{
    const World *world = maker->world;
    const Settings *settings = &world->settings;
    const Person *person = &maker->person;
    int32_t needs = later(person->onset[world->care_requirement], contacts->from);
    int32_t moves = later(person->onset[world->care_home], contacts->from);
    bool has_package = random_share(&contacts->random) < settings->home_care_share;
    int32_t home[2] = {needs, moves == DAY_LAST
                                  ? needs + (int32_t)random_wait(&contacts->random, 700)
                                  : moves};

    if (has_package && needs < person->gp_until && needs < home[1])
        package_add(maker, &contacts->random, LIST_HOME_PACKAGE, home,
                    settings->home_cost);
    if (moves < person->gp_until && age_on(person, moves) >= 65)
        package_add(maker, &contacts->random, LIST_CARE_HOME_PACKAGE,
                    (int32_t[2]){moves, DAY_LAST}, settings->residential_cost);
}

void care_make(Maker *maker)
{
    const World *world = maker->world;
    Contacts contacts = {
        .random = random_start(world->seed, maker->person.number, DRAW_CARE),
        .from = later(
            maker->person.birth,
            day_minus_months(world->as_of, 12 * (int)world->settings.contact_years))};

    contacts_of(maker, &contacts, CURVE_OUTPATIENT, frailty_of, outpatient_add);
    contacts_of(maker, &contacts, CURVE_COMMUNITY, frailty_of, community_add);
    contacts_of(maker, &contacts, CURVE_MENTAL_HEALTH, mind_of, mental_add);
    memory_make(maker, &contacts);
    social_make(maker, &contacts);
}
