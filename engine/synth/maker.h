/*
 * maker.h - one person after another, as rows of the tables of schema sid.
 *
 * A block of people is made by one thread: person_make decides who somebody is, the
 * others add that person's rows, and dirt_person spoils a few of them. Rows are kept as
 * small numbers; write.c says what each number becomes in its table.
 */
#ifndef ENGINE_SYNTH_MAKER_H
#define ENGINE_SYNTH_MAKER_H

#include "engine/base/day.h"
#include "engine/synth/world.h"

typedef enum Table {
    TABLE_PERSON,       /* birth: sex ethnic lsoa decile vintage care_home death test */
    TABLE_REGISTRATION, /* start: practice end */
    TABLE_PRACTICE,     /* code name pcn pcn_name locality place icb */
    TABLE_OPT_OUT,      /* date: type */
    TABLE_GP,           /* date: code value */
    TABLE_PRESCRIPTION, /* date: bnf items */
    TABLE_SPELL,        /* admission: key discharge ready method specialty destination
                           provider */
    TABLE_EPISODE,      /* start: key order end */
    TABLE_DIAGNOSIS,    /* date: key order position icd10 form */
    TABLE_AE,           /* arrival: department disposal acuity */
    TABLE_OUTPATIENT,   /* date: specialty attended */
    TABLE_COMMUNITY,    /* date: team */
    TABLE_MENTAL,       /* date: team */
    TABLE_SOCIAL,       /* start: end type cost */
    TABLE_DIRT,         /* kind, source table, rows */
    N_TABLES
} Table;

enum {
    ROW_PERSON, /* number of the person, from 0; beyond World.people: an orphan */
    ROW_DAY,    /* DAY_UNKNOWN is null */
    ROW_FIELD,  /* the first of the fields above */
    MOST_FIELDS = 8,
    NO_VALUE = INT32_MIN
};

/* How an ICD-10 code is written. */
typedef enum Form { FORM_PLAIN, FORM_PADDED, FORM_DOTTED, FORM_LOWER } Form;

/* Rows of one table and one block: width numbers each. */
typedef struct Rows {
    int32_t *at;
    uint32_t n, room;
    uint32_t *stripe; /* after rows_sort: where each stripe of time begins */
} Rows;

typedef struct Person {
    uint32_t number;
    const Practice *practice;
    int sex; /* 0 = M, 1 = F */
    int sex_word, imd_decile;
    int32_t lsoa, birth;
    int32_t death;    /* DAY_LAST: not before the end of the data */
    int32_t gp_until; /* GP events and prescriptions end before this day */
    double frailty;   /* normal with mean 0 and deviation 1 among people of one age */
    int32_t onset[MOST_CONDITIONS]; /* DAY_LAST: never */
} Person;

/* What is counted on the way, to be compared with targets.csv. */
typedef enum Count {
    COUNT_PEOPLE,
    COUNT_ALIVE,
    COUNT_ALIVE_65,
    COUNT_FIT,
    COUNT_MILD,
    COUNT_MODERATE,
    COUNT_SEVERE,
    COUNT_MULTIMORBID,
    COUNT_ALIVE_75,
    COUNT_MULTIMORBID_75,
    COUNT_YEARS_0,
    COUNT_YEARS_20,
    COUNT_YEARS_38,
    COUNT_YEARS_53,
    COUNT_YEARS_67,
    COUNT_EMERGENCY_0,
    COUNT_EMERGENCY_20,
    COUNT_EMERGENCY_38,
    COUNT_EMERGENCY_53,
    COUNT_EMERGENCY_67,
    COUNT_AE,
    COUNT_DEATHS,
    COUNT_GP,
    COUNT_GP_LISTED,
    COUNT_ITEMS,
    COUNT_EPISODES,
    COUNT_DIAGNOSES,
    N_COUNTS
} Count;

typedef struct Maker {
    const World *world;
    Rows *rows; /* N_TABLES of the block */
    Person person;
    int n_medicines; /* different ones in the year before the as-of date */
    uint64_t count[N_COUNTS];
    uint64_t dirt[N_DIRTS][N_TABLES];
} Maker;

/* Purposes of random_start. */
enum { DRAW_WHO, DRAW_LIFE, DRAW_GP, DRAW_MEDICINE, DRAW_HOSPITAL, DRAW_CARE, DRAW_DIRT };

void person_make(Maker *maker, uint32_t number);
void gp_make(Maker *maker);
void medicine_make(Maker *maker);
void hospital_make(Maker *maker);
void care_make(Maker *maker);
/* before[t] is the number of rows of table t before this person's. */
void dirt_person(Maker *maker, const uint32_t before[N_TABLES]);
/* What all of it comes to for this person. */
void person_count(Maker *maker);

/* Numbers of a row of the table, the person and the day among them. */
int table_width(Table table);
const char *table_name(Table table);
/* False: the rows stand in the order of people. */
bool table_is_by_time(Table table);

/* Adds a row; returns its fields, good until the next row of that table. */
int32_t *row_add(Maker *maker, Table table, int32_t day);

/* Completed years on a day, as near as a rate needs it. */
static inline int age_on(const Person *person, int32_t day)
{
    return (int)((day - person->birth) / 365.25);
}

static inline bool has_condition(const Person *person, int condition, int32_t day)
{
    return person->onset[condition] < day;
}

static inline int32_t earlier(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* exp(effect x frailty) with mean 1. */
static inline double frailty_factor(const Person *person, double effect)
{
    return exp(effect * person->frailty - effect * effect / 2);
}

#endif
