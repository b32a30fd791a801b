/*
 * world.h - what configs/synth says about the place and its people, ready to draw from.
 *
 * Read once, then const: shared by all threads. Everything lies in one arena.
 */
#ifndef ENGINE_SYNTH_WORLD_H
#define ENGINE_SYNTH_WORLD_H

#include "engine/base/mem.h"
#include "engine/base/names.h"
#include "engine/synth/random.h"
#include "engine/synth/synth.h"

enum {
    AGE_MOST = 110,
    MOST_CONDITIONS = 64,
    N_DECADES = 10,
    MOST_USES = 8,
    NO_WORD = -1
};

/* Items with weights. */
typedef struct Pool {
    uint32_t n;
    int32_t *item;
    double *upto; /* running sum of the weights */
} Pool;

typedef enum Curve {
    CURVE_DEATH,
    CURVE_EMERGENCY,
    CURVE_EMERGENCY_ZERO_DAY,
    CURVE_EMERGENCY_DAYS,
    CURVE_ELECTIVE,
    CURVE_ELECTIVE_DAYS,
    CURVE_MATERNITY,
    CURVE_AE,
    CURVE_GP,
    CURVE_TESTS,
    CURVE_ACUTE,
    CURVE_OUTPATIENT,
    CURVE_COMMUNITY,
    CURVE_MENTAL_HEALTH,
    CURVE_FRAILTY_CODES,
    CURVE_OTHER_CODES,
    N_CURVES
} Curve;

typedef enum Slope {
    SLOPE_EMERGENCY,
    SLOPE_AE,
    SLOPE_DEATH,
    SLOPE_MENTAL_HEALTH,
    N_SLOPES
} Slope;

/* settings.csv says what each means. */
typedef struct Settings {
    double gp_years, prescription_years, hospital_years, ae_years, contact_years;
    double outcome_years;
    double emergency_frailty, death_frailty, gp_frailty, ae_frailty, contact_frailty;
    double coding_frailty, past_use, past_use_most;
    double emergency_level, emergency_own_condition, emergency_before_death;
    double death_in_hospital, day_case, second_episode, third_episode;
    double delay_share, delay_days, gp_level, tests_level, acute_level;
    double two_month_issue, missed_issue, usual_medicine, mental_health_condition,
        memory_contact;
    double home_care_share, residential_cost, home_cost;
    double moved_within_area, registered_years, left_share, sex_not_known;
    double dirt[N_DIRTS];
} Settings;

/* Lists of words.csv. */
typedef enum List {
    LIST_SEX,
    LIST_ETHNIC,
    LIST_IMD_VINTAGE,
    LIST_EMERGENCY_METHOD,
    LIST_ELECTIVE_METHOD,
    LIST_MATERNITY_METHOD,
    LIST_SPECIALTY_CHILD,
    LIST_SPECIALTY_ADULT,
    LIST_SPECIALTY_OLD,
    LIST_SPECIALTY_ELECTIVE,
    LIST_SPECIALTY_MATERNITY,
    LIST_DESTINATION_HOME,
    LIST_DESTINATION_CARE_HOME,
    LIST_DESTINATION_DEATH,
    LIST_AE_DEPARTMENT,
    LIST_AE_DEPARTMENT_MAJOR,
    LIST_AE_HOME_DISPOSAL,
    LIST_AE_ADMITTED_DISPOSAL,
    LIST_AE_HOME_ACUITY,
    LIST_AE_ADMITTED_ACUITY,
    LIST_OUTPATIENT_SPECIALTY,
    LIST_ATTENDED,
    LIST_COMMUNITY_TEAM,
    LIST_CHILD_TEAM,
    LIST_MENTAL_HEALTH_TEAM,
    LIST_MEMORY_TEAM,
    LIST_HOME_PACKAGE,
    LIST_CARE_HOME_PACKAGE,
    LIST_OPT_OUT,
    LIST_BAD_SNOMED,
    LIST_BAD_ICD10,
    LIST_BAD_BNF,
    N_LISTS
} List;

/* Roles of diagnoses.csv that belong to no condition. */
typedef enum Role {
    ROLE_EMERGENCY_CHILD,
    ROLE_EMERGENCY_ADULT,
    ROLE_EMERGENCY_OLD,
    ROLE_ELECTIVE,
    ROLE_MATERNITY,
    ROLE_OTHER,
    ROLE_FRAILTY,
    N_ROLES
} Role;

/* Words stand for themselves by their number. */
typedef struct Practice {
    int32_t code, name, pcn, pcn_name, locality, place, icb;
    int imd_decile;
    Pool lsoas; /* numbers of Lsoa */
    const Pool *providers;
} Practice;

typedef struct Lsoa {
    int32_t code;
    int imd_decile;
} Lsoa;

/* Five years of age of one sex at one practice. */
typedef struct Cell {
    uint32_t practice;
    int sex, age_from; /* sex 0 = M, 1 = F */
    uint64_t upto;     /* running sum of patients */
} Cell;

typedef struct Condition {
    const char *id;
    bool is_deficit, is_chronic;
    double loading;            /* correlation with frailty */
    double sex_factor[2];      /* on the share of people who ever have it */
    double imd_factor[11];     /* by decile 1..10 */
    double share[N_DECADES];   /* of people who ever had it, at 0, 10 .. 90 */
    double review, coded;      /* GP codes a year after the first; share in an episode */
    Pool gp;                   /* numbers into World.snomed */
    Pool coded_icd, acute_icd; /* words */
} Condition;

/* A value that a GP record holds, in hundredths. */
typedef struct Test {
    int32_t code; /* into World.snomed */
    int condition, only_with;
    int sex, min_age; /* sex -1 = both */
    double rate, raised_share;
    int32_t normal[2], raised[2], step;
} Test;

typedef struct Background {
    int32_t code;
    int32_t low, high, step; /* hundredths; step 0 = without a value */
} Background;

typedef struct Medicine {
    Pool words;
    int n_uses, condition[MOST_USES];
    double share[MOST_USES];
} Medicine;

/* A figure that the rows should come near. */
typedef struct Target {
    const char *measure;
    double target, tolerance;
} Target;

typedef struct World {
    Arena *arena;
    uint32_t people;
    uint64_t seed;
    int32_t as_of, outcome_end; /* rows of hospitals end before outcome_end */
    uint32_t dirt;
    Settings settings;
    double curve[N_CURVES][2][AGE_MOST + 1];
    double slope[N_SLOPES][11];
    Names *names;
    const char **word;
    Pool list[N_LISTS], role[N_ROLES];
    int n_practices, n_cells, n_conditions, n_tests, n_background, n_medicines;
    int n_targets, n_lsoas;
    Practice *practices;
    Cell *cells;
    Lsoa *lsoas;
    Condition *conditions;
    Test *tests;
    Background *background;
    Pool background_pool; /* numbers of Background */
    Medicine *medicines;
    Pool acute; /* words: medicines outside repeat prescribing */
    Target *targets;
    int64_t *snomed;
    uint32_t n_snomed;
    int32_t first_bad_snomed; /* the codes of LIST_BAD_SNOMED stand last */
    int care_home, care_requirement, memory, mental_illness; /* conditions by name */
    uint64_t practice_dirt[N_DIRTS];         /* the faults that are real */
    int32_t dirt_word[N_DIRTS], *table_word; /* for sid.synth_dirt */
} World;

/* Words that are in no file, as tables[0 .. n_tables - 1], become words too. */
int world_build(World *world, const SynthOptions *options, const char *const *tables,
                int n_tables, Err *err);
void world_free(World *world);

/* One of the pool; NO_WORD if it is empty. */
static inline int32_t pool_draw(const Pool *pool, Random *random)
{
    double at;
    uint32_t low = 0, high = pool->n;

    if (pool->n == 0)
        return NO_WORD;
    at = random_share(random) * pool->upto[pool->n - 1];
    while (low + 1 < high) {
        uint32_t middle = (low + high) / 2;

        if (pool->upto[middle - 1] <= at)
            low = middle;
        else
            high = middle;
    }
    return pool->item[low];
}

/* A rate by age, sex and deprivation. */
static inline double world_curve(const World *world, Curve curve, int sex, int age)
{
    return world->curve[curve][sex == 1][age < 0 ? 0 : age > AGE_MOST ? AGE_MOST : age];
}

static inline bool world_has_dirt(const World *world, Dirt dirt)
{
    return (world->dirt >> dirt & 1) != 0;
}

#endif
