/*
 * facts.c - figures, places and words of configs/synth -> World.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/day.h"
#include "engine/base/text.h"
#include "engine/synth/sheet.h"
#include "engine/synth/world.h"

static const char *const CURVE_NAMES[N_CURVES] = {
    "death",
    "emergency",
    "emergency_zero_day",
    "emergency_days",
    "elective",
    "elective_days",
    "maternity",
    "ae",
    "gp",
    "tests",
    "acute",
    "outpatient",
    "community",
    "mental_health",
    "frailty_codes",
    "other_codes",
};

static const char *const SLOPE_NAMES[N_SLOPES] = {"emergency", "ae", "death",
                                                  "mental_health"};

static const char *const LIST_NAMES[N_LISTS] = {
    "sex",
    "ethnic",
    "imd_vintage",
    "emergency_method",
    "elective_method",
    "maternity_method",
    "specialty_child",
    "specialty_adult",
    "specialty_old",
    "specialty_elective",
    "specialty_maternity",
    "destination_home",
    "destination_care_home",
    "destination_death",
    "ae_department",
    "ae_department_major",
    "ae_home_disposal",
    "ae_admitted_disposal",
    "ae_home_acuity",
    "ae_admitted_acuity",
    "outpatient_specialty",
    "attended",
    "community_team",
    "child_team",
    "mental_health_team",
    "memory_team",
    "home_package",
    "care_home_package",
    "opt_out",
    "bad_snomed",
    "bad_icd10",
    "bad_bnf",
};

#define SETTING(name)                                                                    \
    {                                                                                    \
#name, offsetof(Settings, name)                                                  \
    }
static const struct {
    const char *name;
    size_t at;
} SETTING_NAMES[] = {
    SETTING(gp_years),
    SETTING(prescription_years),
    SETTING(hospital_years),
    SETTING(ae_years),
    SETTING(contact_years),
    SETTING(outcome_years),
    SETTING(emergency_frailty),
    SETTING(death_frailty),
    SETTING(gp_frailty),
    SETTING(ae_frailty),
    SETTING(contact_frailty),
    SETTING(coding_frailty),
    SETTING(past_use),
    SETTING(past_use_most),
    SETTING(emergency_level),
    SETTING(emergency_own_condition),
    SETTING(emergency_before_death),
    SETTING(death_in_hospital),
    SETTING(day_case),
    SETTING(second_episode),
    SETTING(third_episode),
    SETTING(delay_share),
    SETTING(delay_days),
    SETTING(gp_level),
    SETTING(tests_level),
    SETTING(acute_level),
    SETTING(two_month_issue),
    SETTING(missed_issue),
    SETTING(usual_medicine),
    SETTING(mental_health_condition),
    SETTING(memory_contact),
    SETTING(home_care_share),
    SETTING(residential_cost),
    SETTING(home_cost),
    SETTING(moved_within_area),
    SETTING(registered_years),
    SETTING(left_share),
    SETTING(sex_not_known),
};

/* ---- figures ----------------------------------------------------------- */

/* Points in the order of age -> a value for each year, straight lines between. */
static void curves_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "curves.csv", err);

    for (int r = 0; r < sheet.n_rows; r++) {
        int curve = sheet_one_of(&sheet, r, "measure", CURVE_NAMES, N_CURVES);
        const char *sex = sheet_text(&sheet, r, "sex");
        int age = sheet_whole(&sheet, r, "age", AGE_MOST);
        double value = sheet_number(&sheet, r, "value");
        bool goes_on =
            r > 0 && age > 0 &&
            strcmp(sheet_text(&sheet, r - 1, "measure"), CURVE_NAMES[curve]) == 0 &&
            strcmp(sheet_text(&sheet, r - 1, "sex"), sex) == 0;
        int before = goes_on ? sheet_whole(&sheet, r - 1, "age", AGE_MOST) : 0;
        double from = goes_on ? sheet_number(&sheet, r - 1, "value") : value;

        for (int a = before; a <= AGE_MOST; a++) {
            double share = a >= age ? 1 : (double)(a - before) / (age - before);

            for (int s = 0; s < 2; s++)
                if (*sex == '\0' || *sex == "MF"[s])
                    world->curve[curve][s][a] = from + share * (value - from);
        }
    }
}

static void figures_read(World *world, const char *dir, Err *err)
{
    Sheet slopes = sheet_read(world->arena, dir, "slopes.csv", err);
    Sheet settings = sheet_read(world->arena, dir, "settings.csv", err);
    Sheet targets = sheet_read(world->arena, dir, "targets.csv", err);
    size_t n_found = 0;

    for (int r = 0; r < slopes.n_rows; r++)
        world->slope[sheet_one_of(&slopes, r, "measure", SLOPE_NAMES, N_SLOPES)]
                    [sheet_whole(&slopes, r, "imd_decile", 10)] =
            sheet_number(&slopes, r, "factor");
    for (int r = 0; r < settings.n_rows; r++) {
        const char *name = sheet_text(&settings, r, "setting");
        double value = sheet_number(&settings, r, "value");

        for (size_t s = 0; s < sizeof SETTING_NAMES / sizeof *SETTING_NAMES; s++)
            if (strcmp(SETTING_NAMES[s].name, name) == 0) {
                *(double *)((char *)&world->settings + SETTING_NAMES[s].at) = value;
                n_found++;
            }
        for (int d = 0; d < N_DIRTS; d++)
            if (strncmp(name, "dirt_", 5) == 0 &&
                strcmp(name + 5, synth_dirt_name((Dirt)d)) == 0)
                world->settings.dirt[d] = value;
    }
    if (settings.n_rows > 0 && n_found != sizeof SETTING_NAMES / sizeof *SETTING_NAMES)
        err_add(err, ERR_CONFIG, (Where){settings.path, 0, 0},
                "%zu of %zu settings are there", n_found,
                sizeof SETTING_NAMES / sizeof *SETTING_NAMES);
    world->n_targets = targets.n_rows;
    world->targets =
        arena_alloc(world->arena, (size_t)targets.n_rows, sizeof *world->targets);
    for (int r = 0; r < targets.n_rows; r++)
        world->targets[r] = (Target){sheet_text(&targets, r, "measure"),
                                     sheet_number(&targets, r, "target"),
                                     sheet_number(&targets, r, "tolerance")};
}

/* ---- places ------------------------------------------------------------ */

/* LSOAs of the practice's PCN (of its locality where it has none), the nearer in
 * deprivation the likelier. */
static Pool lsoas_of(World *world, const Sheet *lsoas, const Practice *practice)
{
    const char *column = practice->pcn == NO_WORD ? "locality" : "pcn_code";
    int32_t want = practice->pcn == NO_WORD ? practice->locality : practice->pcn;
    Pool pool = {0};
    double sum = 0;

    pool.item = arena_alloc(world->arena, (size_t)lsoas->n_rows, sizeof *pool.item);
    pool.upto = arena_alloc(world->arena, (size_t)lsoas->n_rows, sizeof *pool.upto);
    for (int r = 0; r < lsoas->n_rows; r++) {
        int away = abs(world->lsoas[r].imd_decile - practice->imd_decile);

        if (word_of(world, sheet_text(lsoas, r, column)) != want)
            continue;
        sum += exp(-away / 3.0);
        pool.item[pool.n] = r;
        pool.upto[pool.n++] = sum;
    }
    return pool;
}

/* Without that switch a PCN lies where its first practice does. */
static void mend_locality(World *world, Practice *practices, int n)
{
    Practice *last = &practices[n];

    for (int p = 0; p < n; p++) {
        if (last->pcn == NO_WORD || practices[p].pcn != last->pcn ||
            practices[p].locality == last->locality)
            continue;
        if (world_has_dirt(world, DIRT_SPLIT_PCNS))
            world->practice_dirt[DIRT_SPLIT_PCNS]++;
        else
            last->locality = practices[p].locality;
        return;
    }
}

static void practices_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "practices.csv", err);
    Sheet lsoas = sheet_read(world->arena, dir, "lsoa.csv", err);
    Sheet words = sheet_read(world->arena, dir, "words.csv", err);
    const int32_t *provider = words_of(world, &words, "word");

    world->lsoas = arena_alloc(world->arena, (size_t)lsoas.n_rows, sizeof *world->lsoas);
    world->n_lsoas = lsoas.n_rows;
    for (int r = 0; r < lsoas.n_rows; r++)
        world->lsoas[r] = (Lsoa){word_of(world, sheet_text(&lsoas, r, "lsoa")),
                                 sheet_whole(&lsoas, r, "imd_decile", 10)};
    world->practices =
        arena_alloc(world->arena, (size_t)sheet.n_rows, sizeof *world->practices);
    for (int r = 0; r < sheet.n_rows; r++) {
        Practice *practice = &world->practices[world->n_practices];
        Pool *providers = arena_alloc(world->arena, 1, sizeof *providers);
        const char *list =
            arena_format(world->arena, "provider:%s", sheet_text(&sheet, r, "place"));

        *practice = (Practice){word_of(world, sheet_text(&sheet, r, "practice_code")),
                               word_of(world, sheet_text(&sheet, r, "practice_name")),
                               word_of(world, sheet_text(&sheet, r, "pcn_code")),
                               word_of(world, sheet_text(&sheet, r, "pcn_name")),
                               word_of(world, sheet_text(&sheet, r, "locality")),
                               word_of(world, sheet_text(&sheet, r, "place")),
                               word_of(world, sheet_text(&sheet, r, "icb_code")),
                               sheet_whole(&sheet, r, "imd_decile", 10),
                               {0},
                               providers};
        if (practice->pcn == NO_WORD &&
            !world_has_dirt(world, DIRT_PRACTICES_WITHOUT_PCN))
            continue;
        world->practice_dirt[DIRT_PRACTICES_WITHOUT_PCN] += practice->pcn == NO_WORD;
        mend_locality(world, world->practices, world->n_practices);
        *providers =
            pool_of(world, &words, &(Choice){"list", list, NULL, NULL, provider});
        practice->lsoas = lsoas_of(world, &lsoas, practice);
        world->n_practices++;
    }
}

static void cells_read(World *world, const char *dir, Err *err)
{
    static const char *const sexes[] = {"M", "F"};
    Sheet sheet = sheet_read(world->arena, dir, "practice_age_sex.csv", err);
    uint64_t sum = 0;

    world->cells = arena_alloc(world->arena, (size_t)sheet.n_rows, sizeof *world->cells);
    for (int r = 0; r < sheet.n_rows; r++) {
        int32_t code = word_of(world, sheet_text(&sheet, r, "practice_code"));
        int p = 0;

        while (p < world->n_practices && world->practices[p].code != code)
            p++;
        if (p == world->n_practices) /* left out by a switch */
            continue;
        sum += (uint64_t)sheet_whole(&sheet, r, "patients", 1000000);
        world->cells[world->n_cells++] =
            (Cell){(uint32_t)p, sheet_one_of(&sheet, r, "sex", sexes, 2),
                   sheet_whole(&sheet, r, "age_from", AGE_MOST), sum};
    }
    if (sum == 0 && err->n_reports == 0)
        err_add(err, ERR_CONFIG, (Where){sheet.path, 0, 0}, "no patients");
}

/* ---- the whole --------------------------------------------------------- */

static void words_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "words.csv", err);
    const int32_t *word = words_of(world, &sheet, "word");

    for (int l = 0; l < N_LISTS; l++) {
        world->list[l] =
            pool_of(world, &sheet, &(Choice){"list", LIST_NAMES[l], NULL, NULL, word});
        if (world->list[l].n == 0 && sheet.n_rows > 0)
            err_add(err, ERR_CONFIG, (Where){sheet.path, 0, 0}, "no list \"%s\"",
                    LIST_NAMES[l]);
    }
    world->first_bad_snomed = (int32_t)world->n_snomed;
    for (uint32_t i = 0; i < world->list[LIST_BAD_SNOMED].n; i++) {
        int32_t *item = &world->list[LIST_BAD_SNOMED].item[i];

        *item = snomed_add(world, names_word(world->names, *item));
    }
}

/* The words themselves, once no more are added. */
static void words_list(World *world, const char *const *tables, int n_tables)
{
    int32_t n;

    for (int d = 0; d < N_DIRTS; d++)
        world->dirt_word[d] = word_of(world, synth_dirt_name((Dirt)d));
    world->table_word =
        arena_alloc(world->arena, (size_t)n_tables, sizeof *world->table_word);
    for (int t = 0; t < n_tables; t++)
        world->table_word[t] = word_of(world, tables[t]);
    n = names_count(world->names);

    world->word = arena_alloc(world->arena, (size_t)n, sizeof *world->word);
    for (int32_t w = 0; w < n; w++)
        world->word[w] = names_word(world->names, w);
}

int world_build(World *world, const SynthOptions *options, const char *const *tables,
                int n_tables, Err *err)
{
    const char *dir = options->data_dir == NULL ? "configs/synth" : options->data_dir;

    *world = (World){.arena = arena_new(),
                     .people = options->people,
                     .seed = options->seed,
                     .as_of = options->as_of,
                     .dirt = options->dirt,
                     .names = names_new()};
    figures_read(world, dir, err);
    curves_read(world, dir, err);
    practices_read(world, dir, err);
    cells_read(world, dir, err);
    health_read(world, dir, err);
    words_read(world, dir, err);
    words_list(world, tables, n_tables);
    if (err->n_reports > 0)
        return -1;
    world->outcome_end =
        day_minus_months(world->as_of, -12 * (int)world->settings.outcome_years);
    return 0;
}

void world_free(World *world)
{
    names_free(world->names);
    arena_free(world->arena);
    *world = (World){0};
}
