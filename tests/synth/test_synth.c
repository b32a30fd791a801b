#include "engine/synth/synth.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/day.h"
#include "engine/db/db.h"

/* A database and a folder for each test, since they run side by side. */
static char database[64], folder[64];

static Db *session(const char *conninfo)
{
    Db *db;
    Err err = {0};

    cr_assert_eq(db_open(&db, conninfo, "test", &err), 0, "%s", err.text);
    return db;
}

static void set_up(void)
{
    Db *db = session("");
    Err err = {0};
    char sql[96];

    snprintf(database, sizeof database, "dbname=synth_%d", (int)getpid());
    snprintf(sql, sizeof sql, "create database synth_%d", (int)getpid());
    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
    db_close(db);
    snprintf(folder, sizeof folder, "/tmp/stratify-synth-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

static SynthOptions options_for(uint32_t people)
{
    return (SynthOptions){.people = people,
                          .seed = 11,
                          .as_of = day_of(2026, 4, 1),
                          .connections = 2,
                          .dirt = DIRT_ALL};
}

static void run(SynthOptions options)
{
    Err err = {0};

    cr_assert_eq(synth_run(&options, &err), 0, "%s", err.text);
}

static double ask(Db *db, const char *sql)
{
    Err err = {0};
    PGresult *result = db_query(db, sql, 0, NULL, &err);
    double value;

    cr_assert_not_null(result, "%s", err.text);
    value = atof(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

/* A sum over the bytes of every file of the folder, names included. */
static uint64_t sum_of_files(const char *dir, size_t *n_files)
{
    glob_t found;
    char pattern[128], bytes[65536];
    uint64_t sum = 14695981039346656037U;

    snprintf(pattern, sizeof pattern, "%s/*.csv.gz", dir);
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
    *n_files = found.gl_pathc;
    for (size_t f = 0; f < found.gl_pathc; f++) {
        gzFile file = gzopen(found.gl_pathv[f], "rb");
        int n;

        for (const char *c = strrchr(found.gl_pathv[f], '/'); *c != '\0'; c++)
            sum = (sum ^ (uint64_t)*c) * 1099511628211U;
        while ((n = gzread(file, bytes, sizeof bytes)) > 0)
            for (int i = 0; i < n; i++)
                sum = (sum ^ (uint8_t)bytes[i]) * 1099511628211U;
        gzclose(file);
    }
    globfree(&found);
    return sum;
}

TestSuite(synth, .init = set_up, .fini = tear_down, .timeout = 240);

Test(synth, the_same_files_for_1_and_4_workers_and_others_for_another_seed)
{
    SynthOptions options = options_for(2500);
    char dir[3][96];
    uint64_t sum[3];
    size_t n[3];

    for (int i = 0; i < 3; i++) {
        snprintf(dir[i], sizeof dir[i], "%s/%d", folder, i);
        options.out = dir[i];
        options.connections = i == 0 ? 1 : 4;
        options.seed = i == 2 ? 12 : 11;
        run(options);
        sum[i] = sum_of_files(dir[i], &n[i]);
    }
    cr_expect_geq(n[0], 15);
    cr_expect_eq(n[0], n[1]);
    cr_expect_eq(sum[0], sum[1]);
    cr_expect_neq(sum[0], sum[2]);
}

Test(synth, the_same_tables_for_1_and_4_connections)
{
    static const char *sum =
        "select sum(('x' || substr(md5(t::text), 1, 12))::bit(48)::bigint) / 1e6"
        " from (select * from sid.gp_event union all"
        " select person_id, discharge_date, spell_id, position(admission_method in '2')"
        " from sid.hospital_spell union all"
        " select person_id, diagnosis_date, episode_id, length(icd10_code)"
        " from sid.diagnosis) as t";
    SynthOptions options = options_for(1500);
    double one, four;
    Db *db = session(database);

    options.conninfo = database;
    options.connections = 1;
    run(options);
    one = ask(db, sum);
    options.connections = 4;
    options.replace = true;
    run(options);
    four = ask(db, sum);
    cr_expect_eq(one, four, "%f %f", one, four);
    cr_expect_gt(one, 0);
    db_close(db);
}

Test(synth, a_filled_schema_is_refused_without_replace)
{
    SynthOptions options = options_for(200);
    Err err = {0};

    options.conninfo = database;
    run(options);
    cr_expect_eq(synth_run(&options, &err), -1);
    cr_expect_eq(err.kind, ERR_USAGE);
    cr_expect_str_eq(err.text, "database: schema sid is there already\n"
                               "    hint: --replace drops its tables and fills them "
                               "anew");
}

Test(synth, what_cannot_be_is_refused)
{
    SynthOptions options = options_for(99);
    Err few = {0}, none = {0};

    cr_expect_eq(synth_run(&options, &few), -1);
    cr_expect_str_eq(few.text, "--people: not within 100 to 5000000", "%s", few.text);
    options = options_for(200);
    options.data_dir = folder;
    cr_expect_eq(synth_run(&options, &none), -1);
    cr_expect_eq(none.kind, ERR_CONFIG);
    cr_expect_not_null(strstr(none.text, "/slopes.csv: could not open: No such file"));
}

/* Each kind of dirt, counted again from the rows themselves. Codes are counted by what
 * a real one cannot look like. */
static const struct {
    Dirt dirt;
    const char *source, *again;
} DIRTS[] = {
    {DIRT_SENTINEL_DATES, "gp_event",
     "select count(*) from sid.gp_event"
     " where event_date in ('1800-01-01', '1801-01-01', '1900-01-01')"},
    {DIRT_NULL_DATES, "gp_event",
     "select count(*) from sid.gp_event where event_date is null"},
    {DIRT_PADDED_ICD10, "diagnosis",
     "select count(*) from sid.diagnosis where icd10_code ~ '^[A-Z][0-9]{2}X$'"},
    {DIRT_DOTTED_ICD10, "diagnosis",
     "select count(*) from sid.diagnosis where icd10_code ~ '^[A-Z][0-9]{2}[.][0-9]$'"},
    {DIRT_LOWER_ICD10, "diagnosis",
     "select count(*) from sid.diagnosis where icd10_code ~ '^[a-z]'"},
    {DIRT_UNKNOWN_CODES, "diagnosis",
     "select count(*) from sid.diagnosis where upper(replace(icd10_code, '.', ''))"
     " !~ '^[A-Z][0-9]{2}[0-9]?X?$'"},
    {DIRT_UNKNOWN_CODES, "gp_event",
     "select count(*) from sid.gp_event"
     " where snomed_code in (999999999, 12345678, 99999999999999999)"},
    {DIRT_UNKNOWN_CODES, "prescription",
     "select count(*) from sid.prescription"
     " where bnf_code !~ '^(0[1-9]|1[0-5])[0-9]{4}[0-9A-Z]{3}$'"},
    {DIRT_ORPHANS, "gp_event",
     "select count(*) from sid.gp_event as e where not exists"
     " (select from sid.person as p where p.person_id = e.person_id)"},
    {DIRT_ORPHANS, "hospital_spell",
     "select count(*) from sid.hospital_spell as e where not exists"
     " (select from sid.person as p where p.person_id = e.person_id)"},
    {DIRT_DUPLICATES, "diagnosis",
     "select count(*) - count(distinct (episode_id, position)) from sid.diagnosis"},
    {DIRT_OVERLAPPING_REGISTRATIONS, "registration",
     "select count(*) from sid.registration as a join sid.registration as b"
     " on a.person_id = b.person_id and a.ctid <> b.ctid"
     " and a.start_date <= b.start_date and (a.start_date, a.ctid) < (b.start_date, "
     "b.ctid)"
     " and coalesce(a.end_date, 'infinity') > b.start_date"},
    {DIRT_PRACTICES_WITHOUT_PCN, "practice",
     "select count(*) from sid.practice where pcn_code is null"},
    {DIRT_SPLIT_PCNS, "practice",
     "select count(*) from (select from sid.practice where pcn_code is not null"
     " group by pcn_code having count(distinct locality) > 1) as s"},
    {DIRT_LATE_DEATHS, "gp_event",
     "select count(*) from sid.gp_event join sid.person using (person_id)"
     " where event_date > death_date"},
    {DIRT_EARLY_EVENTS, "gp_event",
     "select count(*) from sid.gp_event join sid.person using (person_id)"
     " where event_date < birth_date and event_date not in"
     " ('1800-01-01', '1801-01-01', '1900-01-01')"},
    {DIRT_OPT_OUTS, "opt_out", "select count(*) from sid.opt_out"},
    {DIRT_TEST_PATIENTS, "person",
     "select count(*) from sid.person where is_test_patient"},
    {DIRT_BACKWARD_SPELLS, "hospital_spell",
     "select count(*) from sid.hospital_spell where discharge_date < admission_date"},
};

static void check_dirt(Db *db, bool is_on)
{
    for (size_t d = 0; d < sizeof DIRTS / sizeof *DIRTS; d++) {
        const char *name = synth_dirt_name(DIRTS[d].dirt);
        char sql[256];
        double said, found = ask(db, DIRTS[d].again);

        snprintf(sql, sizeof sql,
                 "select coalesce(sum(rows), 0) from sid.synth_dirt"
                 " where kind = '%s' and source = '%s'",
                 name, DIRTS[d].source);
        said = ask(db, sql);
        cr_expect_eq(said, found, "%s of %s: said %.0f, found %.0f", name,
                     DIRTS[d].source, said, found);
        cr_expect(is_on ? said > 0 : said == 0, "%s of %s: %.0f", name, DIRTS[d].source,
                  said);
    }
}

Test(synth, dirt_is_there_in_the_numbers_it_says_or_not_at_all)
{
    SynthOptions options = options_for(20000);
    Db *db = session(database);
    double with, without, added;

    options.conninfo = database;
    run(options);
    check_dirt(db, true);
    with = ask(db, "select count(*) from sid.gp_event");
    added = ask(db, "select sum(rows) from sid.synth_dirt where source = 'gp_event'"
                    " and kind in ('orphans', 'duplicates', 'late_deaths')");
    options.dirt = 1U << DIRT_PRACTICES_WITHOUT_PCN | 1U << DIRT_SPLIT_PCNS;
    options.replace = true;
    run(options);
    without = ask(db, "select count(*) from sid.gp_event");
    cr_expect_eq(with - added, without, "%.0f - %.0f = %.0f", with, added, without);
    options.people = 3000;
    options.dirt = 0;
    run(options);
    check_dirt(db, false);
    db_close(db);
}

/* Figures of the place, and within what of them the rows must be. */
static const struct {
    const char *what, *sql;
    double want, within;
} MARGINS[] = {
    {"people", "select count(*) from sid.person", 20000, 0},
    {"65 and over", "select avg((birth_date <= '1961-04-01')::int) from sid.person",
     0.222, 0.01},
    {"women", "select avg((sex = 'F')::int) from sid.person", 0.507, 0.02},
    {"largest PCN of 1,823,204",
     "select max(n) from (select count(*) as n from sid.registration"
     " join sid.practice using (practice_code) where end_date is null"
     " and pcn_code is not null group by pcn_code) as s",
     900, 300},
    {"GP events a person", "select count(*) / 2e4 from sid.gp_event", 60, 8},
    {"items a person-year", "select sum(items) / 6e4 from sid.prescription", 25, 4},
    {"items a person-year at 75 and over",
     "select sum(items) / 3.0 / (select count(*) from sid.person"
     " where birth_date <= '1951-04-01') from sid.prescription join sid.person"
     " using (person_id) where birth_date <= '1951-04-01'",
     60, 20},
    {"A&E attendances a person-year",
     "select count(*) / 2e4 from sid.ae_attendance"
     " where arrival_date >= '2025-04-01' and arrival_date < '2026-04-01'",
     0.43, 0.06},
    {"emergencies a person-year before",
     "select count(*) / 2e4 from sid.hospital_spell where admission_method like '2%'"
     " and admission_date >= '2025-04-01' and admission_date < '2026-04-01'",
     0.095, 0.02},
    {"emergencies a person-year after",
     "select count(*) / 2e4 from sid.hospital_spell where admission_method like '2%'"
     " and admission_date >= '2026-04-01' and admission_date < '2027-04-01'",
     0.095, 0.02},
    {"deaths a person-year",
     "select count(*) / 4e4 from sid.person where death_date is not null", 0.009, 0.002},
    {"diagnoses an episode",
     "select count(*)::numeric / (select count(*) from sid.hospital_episode)"
     " from sid.diagnosis",
     5, 0.8},
    {"most episodes of a spell", "select max(episode_order) from sid.hospital_episode", 3,
     0},
    {"zero-day emergencies",
     "select avg((discharge_date <= admission_date)::int) from sid.hospital_spell"
     " where admission_method like '2%'",
     0.31, 0.05},
    {"rows of GP and medicines after the as-of date",
     "select (select count(*) from sid.gp_event where event_date >= '2026-04-01')"
     " + (select count(*) from sid.prescription where issue_date >= '2026-04-01')",
     0, 0},
    {"spells after the death, without dirt",
     "select count(*) from sid.hospital_spell join sid.person using (person_id)"
     " where admission_date > death_date or discharge_date > death_date",
     0, 0},
    {"heap in the order of time",
     "select corr(n, event_date - '2000-01-01') from (select event_date,"
     " row_number() over (order by ctid) as n from sid.gp_event"
     " where event_date > '2014-05-01') as e",
     1, 0.01},
};

/* A model can only be tried on outcomes that depend on something. */
static void check_outcomes(Db *db)
{
    static const char *share =
        "select avg(y) from (select (exists (select from sid.hospital_spell as h"
        " where h.person_id = p.person_id and admission_method like '2%%'"
        " and admission_date >= '2026-04-01'))::int as y from sid.person as p"
        " where coalesce(death_date, 'infinity') >= '2026-04-01' and %s) as s";
    static const char *who[] = {
        "birth_date > '1986-04-01'", "birth_date <= '1946-04-01'",
        "not exists (select from sid.hospital_spell as h where h.person_id = p.person_id"
        " and admission_method like '2%' and admission_date >= '2025-04-01'"
        " and admission_date < '2026-04-01')",
        "exists (select from sid.hospital_spell as h where h.person_id = p.person_id"
        " and admission_method like '2%' and admission_date >= '2025-04-01'"
        " and admission_date < '2026-04-01')"};
    double rate[4];

    for (int i = 0; i < 4; i++) {
        char sql[1024];

        snprintf(sql, sizeof sql, share, who[i]);
        rate[i] = ask(db, sql);
    }
    cr_expect_gt(rate[1], 3.5 * rate[0], "%g at 80 and over, %g under 40", rate[1],
                 rate[0]);
    cr_expect_gt(rate[3], 2.5 * rate[2], "%g after an admission, %g without", rate[3],
                 rate[2]);
}

Test(synth, rows_come_near_the_published_figures_and_outcomes_depend)
{
    SynthOptions options = options_for(20000);
    Db *db = session(database);

    options.conninfo = database;
    run(options);
    for (size_t m = 0; m < sizeof MARGINS / sizeof *MARGINS; m++) {
        double got = ask(db, MARGINS[m].sql);

        cr_expect(fabs(got - MARGINS[m].want) <= MARGINS[m].within,
                  "%s: %g, want %g within %g", MARGINS[m].what, got, MARGINS[m].want,
                  MARGINS[m].within);
    }
    check_outcomes(db);
    db_close(db);
}
