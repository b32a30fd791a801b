/*
 * One fault at a time, and the whole of what is said about it. A fixed bug adds a row.
 */
#include "tests/plan/compile_world.h"

typedef struct Fault {
    Change change;
    const char *report;
} Fault;

static void check(const Fault *faults, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const Fault *fault = &faults[i];
        World world;

        world_compile(&world, fault->change);
        cr_expect(world.rc == -1 && world.err.kind == ERR_CONFIG, "%s: \"%s\"",
                  fault->change.file, fault->change.to);
        cr_expect_str_eq(world.err.text, fault->report, "%s: \"%s\": got\n%s\nwant\n%s",
                         fault->change.file, fault->change.to, world.err.text,
                         fault->report);
        world_free(&world);
    }
}

#define CHECK(faults) check(faults, sizeof(faults) / sizeof *(faults))

/* ---- the run file -------------------------------------------------------- */

static const Fault RUN[] = {
    {{"run.yaml", "stratify: 1", "stratify: 2"},
     "run.yaml:1:11: this program reads format 1, not \"2\""},
    {{"run.yaml", "stratify: 1\n", ""}, "run.yaml:1:1: \"stratify\" is missing"},
    {{"run.yaml", "purpose: direct-care", "purpose: direct_care"},
     "run.yaml:3:10: no source has the purpose \"direct_care\"\n"
     "    hint: did you mean \"direct-care\"?"},
    {{"run.yaml", "purpose: direct-care\n", ""}, "run.yaml:1:1: \"purpose\" is missing"},
    {{"run.yaml", "sources: sources.yaml\n", ""}, "run.yaml:1:1: \"sources\" is missing"},
    {{"run.yaml", "sources: sources.yaml", "sources: source.yaml"},
     "source.yaml: could not open: No such file or directory\n"
     "    hint: it is named in run.yaml, line 4"},
    {{"run.yaml", "memory: 2 GiB", "memory: 2 GB"},
     "run.yaml:12:9: expected an amount of memory, found \"2 GB\"\n"
     "    hint: write it as in 20 GiB; KiB, MiB and TiB are known, too"},
    {{"run.yaml", "max_rejected: 4 %", "max_rejected: 4"},
     "run.yaml:13:15: expected a share from 0 % to 100 %, found \"4\"\n"
     "    hint: write it as in 5 %"},
    {{"run.yaml", "keep_runs: 30", "keep_runs: 0"},
     "run.yaml:18:12: \"keep_runs\" must be a whole number from 1 to 10000, not \"0\""},
    {{"run.yaml", "schema: stratify", "shema: stratify"},
     "run.yaml:14:1: unknown key \"shema\"\n"
     "    hint: did you mean \"schema\"?"},
    {{"run.yaml", "schema: stratify", "schema: results"},
     "run.yaml:14:9: results go to the schema stratify, not \"results\""},
    {{"run.yaml", "  - models/index.yaml\n",
      "  - models/index.yaml\n"
      "  - models/index.yaml\n"},
     "models/index.yaml:1:8: the model \"efi\" is here twice, first in "
     "models/index.yaml"},
    {{"run.yaml", "gate: fresh", "gate: fesh"},
     "run.yaml:16:12: there is no gate \"fesh\"\n"
     "    hint: did you mean \"fresh\"?"},
    {{"run.yaml", "source: gp, limit", "source: gpp, limit"},
     "run.yaml:16:27: there is no source \"gpp\"\n"
     "    hint: did you mean \"gp\"?"},
    {{"run.yaml", "limit: 14,", ""}, "run.yaml:16:5: \"limit\" is missing"},
    {{"run.yaml", "limit: 20 %", "limit: 20"},
     "run.yaml:17:32: expected a share from 0 % to 100 %, found \"20\"\n"
     "    hint: write it as in 5 %"},
    {{"run.yaml", "limit: 14", "limit: -1"}, "run.yaml:16:38: a limit is not below 0"},
    {{"run.yaml", "severity: stop", "severity: halt"},
     "run.yaml:16:52: a severity is warn or stop, not \"halt\""},
    {{"run.yaml", "gate: rows_change,", "gate: score_drift, source: gp,"},
     "run.yaml:17:33: gate \"score_drift\" is not about a source"},
    {{"run.yaml", "source: gp, limit", "source: registrations, limit"},
     "run.yaml:16:27: gate \"fresh\" needs days, and \"registrations\" has no events\n"
     "    hint: gate \"rows_change\" takes any source"},
};

Test(compile_faults, run)
{
    CHECK(RUN);
}

/* ---- sources ------------------------------------------------------------- */

static const Fault SOURCES[] = {
    {{"sources.yaml",
      "people:\n"
      "  table: s.person",
      "people:\n"
      "  kind: postgre\n"
      "  table: s.person"},
     "sources.yaml:2:9: there is no kind of source \"postgre\"\n"
     "    hint: did you mean \"postgres\"?"},
    {{"sources.yaml",
      "  purposes: [direct-care, commissioning]\n"
      "  columns: {person: id, birth",
      "  columns: {person: id, birth"},
     "sources.yaml:2:3: source \"people\" has no \"purposes\": what it may be used "
     "for\n"
     "    hint: add its legal basis, as in purposes: [direct-care]"},
    {{"sources.yaml", "birth_date: born, ", ""},
     "sources.yaml:4:12: \"birth_date\" is missing"},
    {{"sources.yaml", "death_date: died", "death_dat: died"},
     "sources.yaml:4:43: unknown key \"death_dat\"\n"
     "    hint: did you mean \"death_date\"?"},
    {{"sources.yaml", "imd: {column: imd, type: number}",
      "imd: {column: imd, type: numbr}"},
     "sources.yaml:7:30: the type of an attribute is text, number or yes_no, not "
     "\"numbr\"\n"
     "glm.csv:6: expected a number, this is a word"},
    {{"sources.yaml", "care_home: {type: yes_no}",
      "care_home: {type: yes_no, values: {a: yes}}"},
     "sources.yaml:8:43: \"yes\" is not true or false"},
    {{"sources.yaml", "area: {locality:", "area: {localty:"},
     "sources.yaml:19:8: there is no grouping \"localty\"\n"
     "    hint: did you mean \"locality\"?"},
    {{"sources.yaml",
      "registrations:\n"
      "  table: s.registration\n"
      "  columns: {person: id, practice: practice, start: from_day, end: to_day}\n",
      ""},
     "sources.yaml:1:1: nothing says which practice a person belongs to\n"
     "    hint: give one of \"registrations\", a column \"practice\" of people, or "
     "\"practice: NAME\" for everyone"},
    {{"sources.yaml", "area: {locality: [North, South]}",
      "area: {locality: [North, South]}\n"
      "practice: ALL"},
     "sources.yaml:1:1: more than one thing says which practice a person belongs to\n"
     "    hint: give one of \"registrations\", a column \"practice\" of people, or "
     "\"practice: NAME\" for everyone"},
    {{"sources.yaml", "    pcn: {column: pcn, name: pcn_name, title: PCN}",
      "    practice: {column: pcn}"},
     "sources.yaml:17:5: the grouping \"practice\" is always there\n"
     "cohorts.yaml:11:10: there is no grouping \"pcn\""},
    {{"sources.yaml", "removes: [spare, spell]", "removes: [spar, spell]"},
     "sources.yaml:25:34: there is no source \"spar\"\n"
     "    hint: did you mean \"spare\"?"},
    {{"sources.yaml", "removes: [spare, spell]", "removes: [people]"},
     "sources.yaml:25:34: \"people\" is not a source of events"},
    {{"sources.yaml", "type: national,", "type: local,"},
     "sources.yaml:25:14: the opt-out \"local\" is here twice"},
    {{"sources.yaml", "    system: snomed", "    system: snomd"},
     "sources.yaml:35:13: there is no coding system \"snomd\"\n"
     "    hint: did you mean \"snomed\"?"},
    {{"sources.yaml", "    system: snomed\n", ""},
     "sources.yaml:34:44: the coding system of source \"gp\" is missing\n"
     "    hint: add \"system:\" beside \"columns\", as in system: snomed"},
    {{"sources.yaml", "{\"1\": icd10, \"2\": icd9}", "{\"1\": icd10, \"2\": icd99}"},
     "sources.yaml:54:32: there is no coding system \"icd99\"\n"
     "    hint: did you mean \"icd9\"?"},
    {{"sources.yaml", "system: system, value", "value"},
     "sources.yaml:54:14: \"systems\" needs a column \"system\"\n"
     "sources.yaml:53:44: the coding system of source \"diagnosis\" is missing\n"
     "    hint: add \"system:\" beside \"columns\", as in system: snomed"},
    {{"sources.yaml", "sentinel_dates: [1900-01-01]", "sentinel_dates: [1900-02-30]"},
     "sources.yaml:45:22: \"1900-02-30\" is not a date"},
    {{"sources.yaml", "date_format: YYYYMMDD", "date_format: yyyymmdd"},
     "sources.yaml:39:18: \"yyyymmdd\" is not a form of dates\n"
     "    hint: write YYYY-MM-DD, YYYYMMDD or DD/MM/YYYY"},
    {{"sources.yaml", "person_as: integer", "person_as: txt"},
     "sources.yaml:40:16: a person is known by text or integer, not \"txt\""},
    {{"sources.yaml", "person_as: integer", "person_as: text"},
     "sources.yaml:37:5: source \"spell\" knows people by text, but source \"people\" "
     "by integer\n"
     "    hint: write the same \"person_as\" for every source"},
    {{"sources.yaml", "registrations:\n",
      "registrations:\n"
      "  purposes: commissioning\n"},
     "sources.yaml:11:3: source \"registrations\" may not be used for direct-care, "
     "the purpose of this run"},
    {{"sources.yaml", "unique: true", "unique: yes"},
     "sources.yaml:43:13: \"unique\" must be true or false, not \"yes\""},
    {{"sources.yaml", "  spare:\n", "  people:\n"},
     "sources.yaml:27:3: \"people\" is the name of another source\n"
     "sources.yaml:25:34: there is no source \"spare\""},
};

Test(compile_faults, sources)
{
    CHECK(SOURCES);
}

/* ---- code lists ---------------------------------------------------------- */

static const Fault LISTS[] = {
    {{"lists.yaml", "  file: deficits.csv", "  file: deficit.csv"},
     "deficit.csv: could not open: No such file or directory\n"
     "    hint: it is named in lists.yaml, line 2"},
    {{"lists.yaml",
      "  title: Deficits\n"
      "  source: made up\n",
      "  title: Deficits\n"},
     "lists.yaml:2:3: \"source\" is missing"},
    {{"lists.yaml",
      "  system: snomed\n"
      "  category: id\n"
      "  label: name",
      "  system: snommed\n"
      "  category: id\n"
      "  label: name"},
     "lists.yaml:9:11: there is no coding system \"snommed\"\n"
     "    hint: did you mean \"snomed\"?"},
    {{"lists.yaml", "label: name", "label: nme"},
     "deficits.csv:1: there is no column \"nme\"\n"
     "    hint: did you mean \"name\"?"},
    {{"lists.yaml", "label: name",
      "label: name\n"
      "  match: prefx"},
     "lists.yaml:12:10: codes match by prefix or exact, not \"prefx\""},
    {{"lists.yaml", "label: name", "labl: name"},
     "lists.yaml:11:3: unknown key \"labl\"\n"
     "    hint: did you mean \"label\"?"},
    {{"lists.yaml",
      "  category: condition\n"
      "  weight: weight",
      "  category: condition"},
     "models/points.yaml:12:35: list \"conditions\" has no weights"},
    {{"lists.yaml", "label: name",
      "label: name\n"
      "  exclude: [{column: id}]"},
     "lists.yaml:12:13: \"word\" is missing\n"
     "lists.yaml:12:13: \"reason\" is missing"},
};

Test(compile_faults, lists)
{
    CHECK(LISTS);
}

/* ---- features and derived features --------------------------------------- */

static const Fault FEATURES[] = {
    {{"features.yaml", "lists: conditions", "lists: condition"},
     "features.yaml:8:12: there is no code list \"condition\"\n"
     "    hint: did you mean \"conditions\"?\n"
     "models/points.yaml:12:14: there is no family \"icd\""},
    {{"features.yaml",
      "    source: gp\n"
      "    window: ever",
      "    source: gpp\n"
      "    window: ever"},
     "features.yaml:4:13: there is no source \"gpp\"\n"
     "    hint: did you mean \"gp\"?"},
    {{"features.yaml",
      "    window: ever\n"
      "    count: exists",
      "    window: ever\n"
      "    count: exist"},
     "features.yaml:6:12: there is no way to count \"exist\"\n"
     "    hint: did you mean \"exists\"?"},
    {{"features.yaml",
      "    count: exists\n"
      "  - id: admissions",
      "    count: exists\n"
      "    categories: [dementa]\n"
      "  - id: admissions"},
     "features.yaml:12:18: family \"icd\" has no category \"dementa\"\n"
     "    hint: did you mean \"dementia\"?"},
    {{"features.yaml", "  - id: admissions", "  - id: pressure"},
     "features.yaml:31:5: the name \"pressure\" is taken\n"
     "    hint: it is first used in features.yaml, line 12\n"
     "models/points.yaml:13:15: unknown name \"admissions\"\n"
     "glm.csv:8: unknown name \"admissions\""},
    {{"features.yaml", "  - id: admissions", "  - id: missing"},
     "features.yaml:12:5: \"missing\" is a word of expressions and cannot be a name\n"
     "models/points.yaml:13:15: unknown name \"admissions\"\n"
     "glm.csv:8: unknown name \"admissions\""},
    {{"features.yaml", "window: 12 months\n", "window: 12 mnths\n"},
     "features.yaml:17:13: expected a span of time, found \"12 mnths\"\n"
     "    hint: write N days, N weeks, N months or N years"},
    {{"features.yaml", "window: 12 months\n", "window: 0 days\n"},
     "features.yaml:17:13: the window is empty"},
    {{"features.yaml", "{from: 2 years, to: 12 months}", "{from: 1 year, to: 12 months}"},
     "features.yaml:23:13: the window is empty"},
    {{"features.yaml", "{from: 2 years, to: 12 months}", "{to: 12 months}"},
     "features.yaml:23:13: \"from\" is missing"},
    {{"features.yaml", "    window: 10 days\n", ""},
     "features.yaml:37:5: \"window\" is missing\n"
     "    hint: write as in window: 12 months, or window: ever"},
    {{"features.yaml", "where: {method: [\"2*\"]}", "where: {metod: [\"2*\"]}"},
     "features.yaml:16:13: source \"spell\" has no attribute \"metod\"\n"
     "    hint: did you mean \"method\"?"},
    {{"features.yaml", "where: {method: [\"2*\"]}", "where: {method: [\"2*1\"]}"},
     "features.yaml:16:23: \"2*1\": a star can only be the last character"},
    {{"features.yaml", "where: {method: [\"2*\"]}", "where: {codes: deficits}"},
     "features.yaml:16:20: source \"spell\" has no codes\n"
     "    hint: add a column \"code\" to it"},
    {{"features.yaml", "position: {ge: 1, lt: 4}", "position: {ge: 4, lt: 4}"},
     "features.yaml:22:37: no number is within this range"},
    {{"features.yaml", "position: {ge: 1, lt: 4}", "position: {ge: one}"},
     "features.yaml:22:42: \"ge\" must be a number, not \"one\""},
    {{"features.yaml", "position: {ge: 1, lt: 4}", "position: two"},
     "features.yaml:22:37: \"two\" is not a number"},
    {{"features.yaml", "planned: true", "planned: yes"},
     "features.yaml:22:62: \"yes\" is not true or false"},
    {{"features.yaml", "codes: [values/high_pressure,", "codes: [values/high_presure,"},
     "features.yaml:34:21: list \"values\" has no category \"high_presure\"\n"
     "    hint: did you mean \"high_pressure\"?"},
    {{"features.yaml", "codes: [values/high_pressure,", "codes: [conditions,"},
     "features.yaml:34:21: list \"conditions\" has icd10 codes, but the rows of "
     "\"gp\" have snomed codes"},
    {{"features.yaml", "    count: bed_days", "    count: sum"},
     "features.yaml:24:12: \"sum\" needs a column \"value\" of source \"spell\""},
    {{"features.yaml", "    count: latest", "    count: bed_days"},
     "features.yaml:36:12: \"bed_days\" needs a column \"end\" of source \"gp\""},
    {{"features.yaml", "    count: rows\n", "    count: codes\n"},
     "features.yaml:18:12: \"codes\" needs a column \"code\" of source \"spell\""},
    {{"features.yaml", "{repeat: 3, within: 4 weeks}", "{repeat: 3, within: 1 month}"},
     "features.yaml:30:32: a repeat is within a number of days or weeks"},
    {{"features.yaml", "{repeat: 3, within: 4 weeks}", "{repeat: 3}"},
     "features.yaml:30:12: \"within\" is missing"},
    {{"features.yaml", "{repeat: 3, within: 4 weeks}", "repeat"},
     "features.yaml:30:12: there is no way to count \"repeat\"\n"
     "    hint: write as in count: {repeat: 3, within: 30 days}"},
    {{"features.yaml", "{codes: 3}", "{code: 3}"},
     "features.yaml:41:13: unknown key \"code\"\n"
     "    hint: did you mean \"codes\"?"},
    {{"features.yaml", "    count: {repeat: 3, within: 4 weeks}",
      "    count: {repeat: 3, within: 4 weeks}\n"
      "    missing: 2"},
     "features.yaml:31:14: a yes or no is 0 or 1 where nothing counts"},
    {{"features.yaml", "sum(efi.*) + readmitted", "sum(efi.*)"},
     "features.yaml:25:5: nothing uses the feature \"readmitted\"\n"
     "    hint: remove it, or use it in a model, a segment or a cohort"},
    {{"features.yaml", "age > 85\"", "frail_or_old\""},
     "features.yaml:46:35: expected yes or no, this is a number\n"
     "    hint: compare it with something, as in name > 0"},
    {{"features.yaml", "sum(efi.*) + readmitted\"",
      "sum(efi.*) + readmitted + frail_or_old\""},
     "features.yaml:44:5: \"frail_or_old\" needs itself: frail_or_old -> "
     "deficits_seen -> frail_or_old"},
    {{"features.yaml", "sum(efi.*) + readmitted\"", "readmited + sum(efi.*)\""},
     "features.yaml:49:13: unknown name \"readmited\"\n"
     "    hint: did you mean \"readmitted\"?"},
    {{"features.yaml", "derived:\n",
      "derived:\n"
      "  - {id: spare, label: Spare, value: \"age + pressure\"}\n"},
     "features.yaml:44:5: nothing uses the feature \"spare\"\n"
     "    hint: remove it, or use it in a model, a segment or a cohort"},
    {{"features.yaml", "value: \"deficits_seen >= 2 or age > 85\"",
      "value: \"risk.band == high\""},
     "features.yaml:44:5: \"frail_or_old\" uses \"risk.band\", which goes by rank and "
     "is known only when everyone is scored\n"
     "    hint: segments and cohorts can use it; here, use \"risk.score\"\n"
     "features.yaml:44:5: \"frail_or_old\" needs itself: frail_or_old -> risk -> efi "
     "-> frail_or_old"},
    {{"features.yaml",
      "source: diagnosis\n"
      "    window: 10",
      "source: people\n"
      "    window: 10"},
     "features.yaml:39:13: \"people\" is not a source of events"},
    {{"features.yaml", "where: {method: [\"2*\"]}",
      "where: {method: [\"2*\"], position: [1, x]}"},
     "features.yaml:16:43: \"x\" is not a number"},
    {{"features.yaml", "    lists: conditions",
      "    lists: conditions\n"
      "    where: {codes: conditions}"},
     "features.yaml:9:20: the codes of a family are those of its lists"},
};

Test(compile_faults, features)
{
    CHECK(FEATURES);
}

Test(compile_faults, there_are_so_many_types_of_opt_out)
{
    char *to = NULL;
    size_t len;
    FILE *out = open_memstream(&to, &len);
    World world;

    fputs("- {type: national, removes: []}", out);
    for (int i = 2; i <= MOST_OPT_OUTS; i++)
        fprintf(out, "\n    - {type: t%d, removes: []}", i);
    fclose(out);
    world_compile(&world, (Change){"sources.yaml",
                                   "- {type: national, removes: [spare, spell]}", to});
    cr_expect_str_eq(world.err.text, "sources.yaml:88:7: more than 64 types of opt-out");
    world_free(&world);
    free(to);
}
