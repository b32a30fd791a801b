/*
 * dirt.c - the faults of real data, planted in known numbers.
 *
 * A row gets at most one fault, so that the counts are those a run finds. Draws are made
 * whether or not a fault is switched on: turning one off moves no other.
 */
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/synth/maker.h"

static const char *const NAMES[N_DIRTS] = {
    "sentinel_dates",
    "null_dates",
    "padded_icd10",
    "dotted_icd10",
    "lower_icd10",
    "unknown_codes",
    "orphans",
    "duplicates",
    "overlapping_registrations",
    "practices_without_pcn",
    "split_pcns",
    "late_deaths",
    "early_events",
    "opt_outs",
    "test_patients",
    "backward_spells",
};

const char *synth_dirt_name(Dirt dirt)
{
    return NAMES[dirt];
}

static int refuse_word(const char *word, size_t len, Err *err)
{
    char text[64];
    const char *near;

    snprintf(text, sizeof text, "%.*s", (int)len, word);
    near = text_nearest(text, NAMES, N_DIRTS);
    err_add(err, ERR_USAGE, (Where){"--dirt", 0, 0}, "unknown kind of dirt \"%s\"", text);
    if (near != NULL)
        err_hint(err, "did you mean \"%s\"?", near);
    return -1;
}

int synth_dirt_parse(uint32_t *dirt, const char *list, Err *err)
{
    if (strcmp(list, "all") == 0 || strcmp(list, "none") == 0) {
        *dirt = *list == 'a' ? DIRT_ALL : 0;
        return 0;
    }
    *dirt = *list == '-' ? DIRT_ALL : 0;
    while (true) {
        size_t minus = *list == '-', len = strcspn(list, ",");
        int d = 0;

        while (d < N_DIRTS && (strlen(NAMES[d]) != len - minus ||
                               strncmp(NAMES[d], list + minus, len - minus) != 0))
            d++;
        if (d == N_DIRTS)
            return refuse_word(list, len, err);
        if (minus)
            *dirt &= ~(1U << d);
        else
            *dirt |= 1U << d;
        if (list[len] == '\0')
            return 0;
        list += len + 1;
    }
}

/* ---- one row ----------------------------------------------------------- */

typedef struct Spoiler {
    Maker *maker;
    Random random;
    double u; /* of the row at hand: below the sum of the shares so far, or not */
} Spoiler;

/* True if this fault falls on the row at hand. */
static bool falls(Spoiler *spoiler, Dirt dirt, Table table)
{
    const World *world = spoiler->maker->world;
    double share = world->settings.dirt[dirt], u = spoiler->u;

    spoiler->u -= share;
    if (u < 0 || u >= share || !world_has_dirt(world, dirt))
        return false;
    spoiler->maker->dirt[dirt][table]++;
    return true;
}

static int32_t *row_at(const Maker *maker, Table table, uint32_t i)
{
    return maker->rows[table].at + (size_t)i * (size_t)table_width(table);
}

/* A second row like row i; the fields of the new one. */
static int32_t *row_again(Maker *maker, Table table, uint32_t i)
{
    int width = table_width(table);
    int32_t *fields = row_add(maker, table, 0);

    memcpy(fields - ROW_FIELD, row_at(maker, table, i), (size_t)width * sizeof *fields);
    return fields;
}

/* Orphans have numbers that no person has. */
static void orphan_add(Maker *maker, Table table, uint32_t i)
{
    int32_t *fields = row_again(maker, table, i);

    fields[ROW_PERSON - ROW_FIELD] += (int32_t)maker->world->people;
}

static void spoil_gp(Spoiler *spoiler, uint32_t i)
{
    Maker *maker = spoiler->maker;
    const World *world = maker->world;
    int32_t *row = row_at(maker, TABLE_GP, i);
    int32_t sentinels[] = {day_of(1900, 1, 1), day_of(1800, 1, 1), day_of(1801, 1, 1)};
    uint32_t draw = random_below(&spoiler->random, 300);

    if (falls(spoiler, DIRT_SENTINEL_DATES, TABLE_GP))
        row[ROW_DAY] = sentinels[draw % 3];
    if (falls(spoiler, DIRT_NULL_DATES, TABLE_GP))
        row[ROW_DAY] = DAY_UNKNOWN;
    if (falls(spoiler, DIRT_UNKNOWN_CODES, TABLE_GP))
        row[ROW_FIELD] =
            world->first_bad_snomed + (int32_t)(draw % world->list[LIST_BAD_SNOMED].n);
    if (falls(spoiler, DIRT_EARLY_EVENTS, TABLE_GP))
        row[ROW_DAY] = maker->person.birth - 1 - (int32_t)draw;
    if (falls(spoiler, DIRT_ORPHANS, TABLE_GP))
        orphan_add(maker, TABLE_GP, i);
    if (falls(spoiler, DIRT_DUPLICATES, TABLE_GP))
        row_again(maker, TABLE_GP, i);
}

static void spoil_prescription(Spoiler *spoiler, uint32_t i)
{
    Maker *maker = spoiler->maker;

    if (falls(spoiler, DIRT_UNKNOWN_CODES, TABLE_PRESCRIPTION))
        row_at(maker, TABLE_PRESCRIPTION, i)[ROW_FIELD] =
            pool_draw(&maker->world->list[LIST_BAD_BNF], &spoiler->random);
    if (falls(spoiler, DIRT_ORPHANS, TABLE_PRESCRIPTION))
        orphan_add(maker, TABLE_PRESCRIPTION, i);
}

static void spoil_spell(Spoiler *spoiler, uint32_t i)
{
    Maker *maker = spoiler->maker;
    int32_t *row = row_at(maker, TABLE_SPELL, i);
    int32_t back = 1 + (int32_t)random_below(&spoiler->random, 5);

    if (row[ROW_FIELD + 1] != DAY_UNKNOWN &&
        falls(spoiler, DIRT_BACKWARD_SPELLS, TABLE_SPELL))
        row[ROW_FIELD + 1] = row[ROW_FIELD + 2] = row[ROW_DAY] - back;
    if (falls(spoiler, DIRT_ORPHANS, TABLE_SPELL))
        orphan_add(maker, TABLE_SPELL, i);
}

static void spoil_diagnosis(Spoiler *spoiler, uint32_t i)
{
    Maker *maker = spoiler->maker;
    int32_t *field = row_at(maker, TABLE_DIAGNOSIS, i) + ROW_FIELD;
    bool is_short = strlen(maker->world->word[field[3]]) == 3;

    if (is_short && falls(spoiler, DIRT_PADDED_ICD10, TABLE_DIAGNOSIS))
        field[4] = FORM_PADDED;
    if (!is_short && falls(spoiler, DIRT_DOTTED_ICD10, TABLE_DIAGNOSIS))
        field[4] = FORM_DOTTED;
    if (falls(spoiler, DIRT_LOWER_ICD10, TABLE_DIAGNOSIS))
        field[4] = FORM_LOWER;
    if (falls(spoiler, DIRT_UNKNOWN_CODES, TABLE_DIAGNOSIS))
        field[3] = pool_draw(&maker->world->list[LIST_BAD_ICD10], &spoiler->random);
    if (falls(spoiler, DIRT_DUPLICATES, TABLE_DIAGNOSIS))
        row_again(maker, TABLE_DIAGNOSIS, i);
}

static void spoil_ae(Spoiler *spoiler, uint32_t i)
{
    if (falls(spoiler, DIRT_ORPHANS, TABLE_AE))
        orphan_add(spoiler->maker, TABLE_AE, i);
    if (falls(spoiler, DIRT_DUPLICATES, TABLE_AE))
        row_again(spoiler->maker, TABLE_AE, i);
}

static void spoil_rows(Spoiler *spoiler, Table table, uint32_t from,
                       void (*spoil)(Spoiler *, uint32_t))
{
    uint32_t n = spoiler->maker->rows[table].n; /* not those added on the way */

    for (uint32_t i = from; i < n; i++) {
        spoiler->u = random_share(&spoiler->random);
        spoil(spoiler, i);
    }
}

/* ---- one person -------------------------------------------------------- */

/* A second practice beside the present one, begun in the last two years. */
static void overlap_add(Maker *maker, Random *random)
{
    const World *world = maker->world;
    const Person *person = &maker->person;
    int32_t last = maker->rows[TABLE_REGISTRATION]
                       .at[(size_t)(maker->rows[TABLE_REGISTRATION].n - 1) *
                               (size_t)table_width(TABLE_REGISTRATION) +
                           ROW_DAY];
    int32_t from = later(later(person->birth, last), world->as_of - 730);
    const Practice *other =
        &world->practices[random_below(random, (uint32_t)world->n_practices)];
    int32_t *row;

    row = row_add(maker, TABLE_REGISTRATION,
                  from < world->as_of ? random_day(random, from, world->as_of) : from);
    row[0] = other->code;
    row[1] = DAY_UNKNOWN;
}

/* The death was learnt of late: the record went on. */
static void late_events_add(Spoiler *spoiler)
{
    Maker *maker = spoiler->maker;
    const World *world = maker->world;
    int32_t from = maker->person.death + 1;
    int32_t to = earlier(from + 90, world->as_of);
    uint32_t n = 1 + random_below(&spoiler->random, 3);

    for (; n > 0 && from < to; n--) {
        int32_t *row = row_add(maker, TABLE_GP, random_day(&spoiler->random, from, to));

        row[0] =
            world->background[pool_draw(&world->background_pool, &spoiler->random)].code;
        row[1] = NO_VALUE;
        maker->dirt[DIRT_LATE_DEATHS][TABLE_GP]++;
    }
}

static void spoil_person(Spoiler *spoiler, const uint32_t before[N_TABLES])
{
    Maker *maker = spoiler->maker;
    const World *world = maker->world;
    const Person *person = &maker->person;
    Random *random = &spoiler->random;
    bool is_dead = person->death < world->as_of;

    spoiler->u = random_share(random);
    if (falls(spoiler, DIRT_TEST_PATIENTS, TABLE_PERSON))
        row_at(maker, TABLE_PERSON, before[TABLE_PERSON])[ROW_FIELD + 7] = 1;
    spoiler->u = random_share(random);
    if (!is_dead && falls(spoiler, DIRT_OVERLAPPING_REGISTRATIONS, TABLE_REGISTRATION))
        overlap_add(maker, random);
    spoiler->u = random_share(random);
    if (falls(spoiler, DIRT_OPT_OUTS, TABLE_OPT_OUT))
        row_add(maker, TABLE_OPT_OUT,
                random_day(random, later(person->birth, world->as_of - 2500),
                           world->as_of))[0] =
            pool_draw(&world->list[LIST_OPT_OUT], random);
    if (is_dead && random_share(random) < world->settings.dirt[DIRT_LATE_DEATHS] &&
        world_has_dirt(world, DIRT_LATE_DEATHS))
        late_events_add(spoiler);
}

/* Each kind of row has draws of its own, so that what is switched off in one table
 * moves nothing in another. */
void dirt_person(Maker *maker, const uint32_t before[N_TABLES])
{
    static const struct {
        Table table;
        void (*spoil)(Spoiler *, uint32_t);
    } spoils[] = {{TABLE_GP, spoil_gp},
                  {TABLE_PRESCRIPTION, spoil_prescription},
                  {TABLE_SPELL, spoil_spell},
                  {TABLE_DIAGNOSIS, spoil_diagnosis},
                  {TABLE_AE, spoil_ae}};
    const World *world = maker->world;
    Spoiler spoiler = {.maker = maker};

    for (size_t s = 0; s < sizeof spoils / sizeof *spoils; s++) {
        spoiler.random = random_start(world->seed, maker->person.number,
                                      DRAW_DIRT + (uint32_t)spoils[s].table);
        spoil_rows(&spoiler, spoils[s].table, before[spoils[s].table], spoils[s].spoil);
    }
    spoiler.random = random_start(world->seed, maker->person.number, DRAW_DIRT);
    spoil_person(&spoiler, before);
}
