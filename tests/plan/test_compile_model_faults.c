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

/* ---- models and their tables --------------------------------------------- */

static const Fault MODELS[] = {
    {{"models/index.yaml", "kind: index", "kind: indx"},
     "models/index.yaml:4:7: there is no kind of model \"indx\"\n"
     "    hint: did you mean \"index\"?"},
    {{"models/index.yaml", "version: \"1\"\n", ""},
     "models/index.yaml:1:1: \"version\" is missing"},
    {{"models/index.yaml", "licence: none\n", ""},
     "models/index.yaml:1:1: \"licence\" is missing"},
    {{"models/index.yaml", "licence: none", "license: none"},
     "models/index.yaml:6:1: unknown key \"license\"\n"
     "    hint: did you mean \"licence\"?\n"
     "models/index.yaml:1:1: \"licence\" is missing"},
    {{"models/index.yaml", "purpose: direct-care",
      "purpose: [direct-care, commissioning]"},
     "models/index.yaml:7:10: model \"efi\" is for commissioning, but source \"gp\" "
     "may only be used for direct-care\n"
     "    hint: it is used through \"efi.anaemia\""},
    {{"models/points.yaml", "purpose: [direct-care, commissioning]",
      "purpose: commissioning"},
     "models/points.yaml:7:10: model \"risk_points\" is not for direct-care, the "
     "purpose of this run\n"
     "cohorts.yaml:21:14: cohort \"everyone\" is for direct-care, but uses model "
     "\"risk_points\", which is only for commissioning"},
    {{"models/points.yaml", "feature: admissions", "feature: deficits_seen"},
     "models/points.yaml:7:10: model \"risk_points\" is for commissioning, but source "
     "\"gp\" may only be used for direct-care\n"
     "    hint: it is used through \"efi.anaemia\""},
    {{"models/index.yaml", "age >= 65\"", "ag >= 65\""},
     "models/index.yaml:9:19: unknown name \"ag\"\n"
     "    hint: did you mean \"age\"?"},
    {{"models/index.yaml", "otherwise: under 65", "otherwis: under 65"},
     "models/index.yaml:9:31: unknown key \"otherwis\"\n"
     "    hint: did you mean \"otherwise\"?\n"
     "models/index.yaml:9:11: \"otherwise\" is missing"},
    {{"models/index.yaml", "upto: 0.25", "below: 0.5"},
     "models/index.yaml:16:5: band \"mild\" ends before or where \"fit\" does\n"
     "    hint: write bands in ascending order of risk"},
    {{"models/index.yaml", "below: 0.5", "upto: 0.25"},
     "models/index.yaml:16:5: band \"mild\" ends before or where \"fit\" does\n"
     "    hint: write bands in ascending order of risk"},
    {{"models/index.yaml", "band: mild, below: 0.5", "band: mild"},
     "models/index.yaml:16:5: band \"mild\" needs upto or below: only the last has no "
     "bound"},
    {{"models/index.yaml", "band: severe,", "band: severe, upto: 1,"},
     "models/index.yaml:17:5: the last band, \"severe\", must have no bound\n"
     "    hint: scores above it would be in no band"},
    {{"models/index.yaml", "band: severe,", "band: mild,"},
     "models/index.yaml:17:12: the band \"mild\" is here twice\n"
     "cohorts.yaml:12:25: \"severe\" is none of fit, mild, mild"},
    {{"models/index.yaml", "upto: 0.25,", "upto: 0.25, below: 0.3,"},
     "models/index.yaml:15:5: band \"fit\" has more than one of upto, below and top"},
    {{"models/index.yaml", "family: efi", "family: icf"},
     "models/index.yaml:12:14: there is no family \"icf\"\n"
     "    hint: did you mean \"icd\"?"},
    {{"models/index.yaml", "feature: frail_or_old", "feature: frail_or_odl"},
     "models/index.yaml:13:15: unknown name \"frail_or_odl\"\n"
     "    hint: did you mean \"frail_or_old\"?"},
    {{"models/index.yaml", "{feature: frail_or_old}",
      "{feature: frail_or_old}\n"
      "  - {feature: frail_or_old}"},
     "models/index.yaml:14:5: the term \"frail_or_old\" is here twice, first on line "
     "13\n"
     "    hint: if both are meant, give one an \"id\" of its own"},
    {{"models/index.yaml", "{feature: frail_or_old}", "{feature: sex}"},
     "models/index.yaml:13:15: \"sex\" is a word and has no value\n"
     "    hint: write as in when: 'sex == \"word\"'"},
    {{"models/index.yaml", "{feature: frail_or_old}", "{feture: frail_or_old}"},
     "models/index.yaml:13:5: a term says what it is about\n"
     "    hint: give one of feature, value, when, family, levels, table, "
     "coefficients, group_cap"},
    {{"models/index.yaml", "{feature: frail_or_old}", "{feature: frail_or_old, cap: 3}"},
     "models/index.yaml:13:34: \"cap\" is only for models of kind points"},
    {{"models/risk.yaml", "top: 5 %", "top: 0.5 %"},
     "models/risk.yaml:28:5: band \"very_high\" must be smaller than \"high\"\n"
     "    hint: write bands in ascending order of risk, the smallest top last"},
    {{"models/risk.yaml", "top: 5 %", "upto: 5"},
     "models/risk.yaml:27:5: bands go by cut-off or by rank: \"high\" does not go "
     "with top\n"
     "models/risk.yaml:28:5: band \"very_high\" must be smaller than \"high\"\n"
     "    hint: write bands in ascending order of risk, the smallest top last"},
    {{"models/risk.yaml", "{band: low}", "{band: low, top: 50 %}"},
     "models/risk.yaml:26:5: the first band, \"low\", must have no top\n"
     "    hint: it holds everyone whom no other band takes"},
    {{"models/risk.yaml", "band: high, top: 5 %", "band: high"},
     "models/risk.yaml:27:5: band \"high\" needs top: only the first has none\n"
     "models/risk.yaml:28:5: band \"very_high\" must be smaller than \"high\"\n"
     "    hint: write bands in ascending order of risk, the smallest top last"},
    {{"models/points.yaml", "weight: 1.5", "weight: 1.5x"},
     "models/points.yaml:13:35: \"1.5x\" is not a decimal number\n"
     "    hint: weights are added exactly: write digits, at most 9 of them after the "
     "point"},
    {{"models/points.yaml", "weight: 1.5, cap: 6", "cap: 6"},
     "models/points.yaml:13:5: \"weight\" is missing"},
    {{"models/points.yaml", "weight: 1.5", "weight: 0.1234567891"},
     "models/points.yaml:13:35: \"0.1234567891\" is not a decimal number\n"
     "    hint: weights are added exactly: write digits, at most 9 of them after the "
     "point"},
    {{"models/points.yaml", "cap: 6", "cap: 0"},
     "models/points.yaml:13:45: a cap must be above 0"},
    {{"models/points.yaml", "{below: 50, points: 0}, {upto: 59",
      "{below: 60, points: 0}, {upto: 59"},
     "models/points.yaml:14:52: this step ends before or where the one above it does"},
    {{"models/points.yaml", "{points: 4.25}", "{below: 70, points: 4.25}"},
     "models/points.yaml:14:75: the last step must have no bound"},
    {{"models/points.yaml", "if: icd.dementia", "if: icd.dementa"},
     "models/points.yaml:18:10: no term of this model is called \"icd.dementa\"\n"
     "    hint: did you mean \"icd.dementia\"?"},
    {{"models/points.yaml", "zero: [icd.fracture,", "zero: [icd.dementia,"},
     "models/points.yaml:18:31: a term cannot zero itself"},
    {{"models/points.yaml", "weights: {list: conditions}", "weights: {list: deficits}"},
     "models/points.yaml:12:35: list \"deficits\" has no weights"},
    {{"models/points.yaml", "{family: icd, weights: {list: conditions}}",
      "{family: efi, weights: {file: ../weights.csv, key: key, weight: point}}"},
     "weights.csv:1: there is no column \"point\"\n"
     "    hint: did you mean \"points\"?"},
    {{"models/points.yaml", "ceiling: 50", "ceiling: 0"},
     "models/points.yaml:20:10: the ceiling is not above the floor"},
    {{"models/risk.yaml", "link: logit", "link: logist"},
     "models/risk.yaml:11:7: \"link\" cannot be \"logist\"\n"
     "    hint: did you mean \"logit\"?"},
    {{"models/risk.yaml", "missing: zero", "missing: impute"},
     "models/risk.yaml:18:5: \"coefficients\" say nothing to impute\n"
     "    hint: coalesce() in derived features, or write the terms out\n"
     "models/risk.yaml:19:5: term \"pressure\" can be missing and has no \"impute\"\n"
     "    hint: add the value to take in its place\n"
     "models/risk.yaml:20:5: term \"substances_log\" can be missing and has no "
     "\"impute\"\n"
     "    hint: add the value to take in its place"},
    {{"models/risk.yaml", "min: 60, max: 250", "min: 60, max: 25"},
     "models/risk.yaml:19:66: max is below min"},
    {{"models/risk.yaml", "centre: 120,", "impute: 120,"},
     "models/risk.yaml:19:47: \"impute\" has no effect in this model\n"
     "    hint: add \"missing: impute\" to the model"},
    {{"models/risk.yaml", "ln(1 + substances)", "log(1 + substances)"},
     "models/risk.yaml:20:14: unknown function \"log\""},
    {{"models/risk.yaml", "\"efi.band >= mild\"", "\"efi.band >= midl\""},
     "models/risk.yaml:21:25: \"midl\" is none of fit, mild, severe\n"
     "    hint: did you mean \"mild\"?"},
    {{"models/risk.yaml", "\"1\": 0.3", "one: 0.3"},
     "models/risk.yaml:22:29: \"imd\" is a number and cannot be \"one\""},
    {{"models/risk.yaml", "levels: imd", "levels: idm"},
     "models/risk.yaml:22:14: unknown name \"idm\"\n"
     "    hint: did you mean \"imd\"?"},
    {{"models/risk.yaml", "../regions.csv", "../region.csv"},
     "region.csv: could not open: No such file or directory\n"
     "    hint: it is named in models/risk.yaml, line 23"},
    {{"models/risk.yaml", "by: sex", "by: sax"},
     "models/risk.yaml:23:59: unknown name \"sax\"\n"
     "    hint: did you mean \"sex\"?"},
    {{"models/risk.yaml", "key: sex", "key: sax"},
     "regions.csv:1: there is no column \"sax\"\n"
     "    hint: did you mean \"sex\"?"},
    {{"models/risk.yaml", "factors: imd", "factors: idm"},
     "models/risk.yaml:18:41: unknown name \"idm\"\n"
     "    hint: did you mean \"imd\"?\n"
     "glm.csv:7:1: unknown name \"imd5\"\n"
     "    hint: did you mean \"imd\"?"},
    {{"models/risk.yaml", "factors: imd", "factors: imd, references: imd"},
     "models/risk.yaml:18:58: \"references\" need a level for each factor\n"
     "    hint: write references: {smoking: never}"},
    {{"models/risk.yaml", "factors: imd", "factors: imd, references: {age: \"40\"}"},
     "models/risk.yaml:18:59: \"age\" has no levels\n"
     "    hint: add it to \"factors\""},
    {{"models/risk.yaml", "factors: imd", "factors: imd, references: {sex: Z}"},
     "models/risk.yaml:18:64: attribute \"sex\" is never \"Z\"\n"
     "    hint: did you mean \"M\"?"},
    {{"models/risk.yaml", "link: logit",
      "link: logit\n"
      "intercept: 2"},
     "glm.csv:2:13: the model has a second intercept"},
    {{"models/risk.yaml", "efi.score * 0.5", "risk.score * 0.5"},
     "models/risk.yaml:1:1: \"risk\" needs itself: risk -> risk"},
    {{"models/risk.yaml", "efi.score * 0.5", "efi.scores * 0.5"},
     "models/risk.yaml:16:10: unknown name \"efi.scores\"\n"
     "    hint: did you mean \"efi.score\"?"},
    {{"glm.csv", "sexM,", "sexX,"},
     "glm.csv:5:1: attribute \"sex\" is never \"X\"\n"
     "    hint: did you mean \"M\"?"},
    {{"glm.csv", "age,", "ages,"},
     "glm.csv:3:1: unknown name \"ages\"\n"
     "    hint: did you mean \"age\"?"},
    {{"glm.csv", "I(age^2),", "I(agee^2),"},
     "glm.csv:4: unknown name \"agee\"\n"
     "    hint: did you mean \"age\"?"},
    {{"glm.csv", "imd5,0.5", "imd5,x"}, "glm.csv:7:6: \"x\" is not a number"},
    {{"weights.csv", "falls,2,", "fall,2,"},
     "models/risk.yaml:24:5: weights.csv has no weight for \"efi.falls\"\n"
     "weights.csv:3:1: family \"efi\" has no category \"fall\"\n"
     "    hint: did you mean \"falls\"?"},
    {{"weights.csv", "falls,2,", "falls,2x,"}, "weights.csv:3:7: \"2x\" is not a number"},
    {{"weights.csv", "falls,2,", "anaemia,2,"},
     "weights.csv:3:1: \"anaemia\" is here twice\n"
     "models/risk.yaml:24:5: weights.csv has no weight for \"efi.falls\""},
};

Test(compile_model_faults, models)
{
    CHECK(MODELS);
}

/* ---- segments and cohorts ------------------------------------------------ */

static const Fault COHORTS[] = {
    {{"cohorts.yaml", "risk.band in (high,", "risk.band in (hihg,"},
     "cohorts.yaml:4:62: \"hihg\" is none of low, high, very_high\n"
     "    hint: did you mean \"high\"?"},
    {{"cohorts.yaml", "{segment: rest, label: Everyone else}",
      "{segment: rest, when: care_home}"},
     "cohorts.yaml:5:29: the last segment takes everyone else and has no \"when\"\n"
     "    hint: add a segment without \"when\" after it"},
    {{"cohorts.yaml", "label: High risk, when: \"risk.band in (high, very_high)\"",
      "label: High risk"},
     "cohorts.yaml:4:7: segment \"high\" has no \"when\": only the last takes "
     "everyone else"},
    {{"cohorts.yaml", "segment: rest", "segment: high"},
     "cohorts.yaml:5:17: the segment \"high\" is here twice"},
    {{"cohorts.yaml", "per: pcn", "per: pnc"},
     "cohorts.yaml:11:10: there is no grouping \"pnc\"\n"
     "    hint: did you mean \"pcn\"?"},
    {{"cohorts.yaml", "id: everyone", "id: review"},
     "cohorts.yaml:18:9: the cohort \"review\" is here twice, first on line 7"},
    {{"cohorts.yaml", "risk.score desc", "risk.score down"},
     "cohorts.yaml:13:13: \"down\" is not a way to order\n"
     "    hint: write asc or desc behind the name"},
    {{"cohorts.yaml", "risk.score desc", "risk.scor desc"},
     "cohorts.yaml:13:13: unknown name \"risk.scor\"\n"
     "    hint: did you mean \"risk.score\"?"},
    {{"cohorts.yaml", "efi.band desc", "sex"},
     "cohorts.yaml:13:30: \"sex\" is a word and has no order"},
    {{"cohorts.yaml", "keep: 60", "keep: 40"},
     "cohorts.yaml:15:11: \"keep\" is less than \"capacity\""},
    {{"cohorts.yaml", "keep: 60", "keep: 2 %"},
     "cohorts.yaml:15:11: \"keep\" and \"capacity\" are both numbers or both shares"},
    {{"cohorts.yaml", "capacity: 1 %", "capacity: 0 %"},
     "cohorts.yaml:25:15: \"capacity\" must be above 0 %\n"
     "    hint: leave it out where there is none"},
    {{"cohorts.yaml", "capacity: 1 %", "capacity: 1 %\n    keep: 0.0 %"},
     "cohorts.yaml:26:11: \"keep\" must be above 0 %\n"
     "    hint: leave it out where there is none"},
    {{"cohorts.yaml", "capacity: 50", "capacity: 0"},
     "cohorts.yaml:14:15: \"capacity\" must be a whole number from 1 to 100000000, "
     "not \"0\"\n"
     "cohorts.yaml:15:11: \"keep\" is less than \"capacity\""},
    {{"cohorts.yaml", "show: [risk, efi]", "show: [risk, eif]"},
     "cohorts.yaml:16:18: there is no model \"eif\"\n"
     "    hint: did you mean \"efi\"?"},
    {{"cohorts.yaml", "show: [risk, efi]", "show: [risk, risk]"},
     "cohorts.yaml:16:18: the model \"risk\" is here twice"},
    {{"cohorts.yaml", "most: 3", "most: 9"},
     "cohorts.yaml:17:33: \"most\" must be a whole number from 0 to 5, not \"9\""},
    {{"cohorts.yaml", "\"true\"", "\"age\""},
     "cohorts.yaml:23:13: expected yes or no, this is a number\n"
     "    hint: compare it with something, as in name > 0"},
    {{"cohorts.yaml", "    where: \"true\"\n", ""},
     "cohorts.yaml:18:5: \"where\" is missing"},
    {{"cohorts.yaml",
      "purpose: direct-care\n"
      "    per: all",
      "purpose: commissioning\n"
      "    per: all"},
     "cohorts.yaml:21:14: cohort \"everyone\" is not for direct-care, the purpose of "
     "this run"},
    {{"cohorts.yaml",
      "purpose: direct-care\n"
      "    per: pcn",
      "purpose: [direct-care, commissioning]\n"
      "    per: pcn"},
     "cohorts.yaml:10:14: cohort \"review\" is for commissioning, but source \"gp\" "
     "may only be used for direct-care\n"
     "    hint: it is used through \"efi.anaemia\"\n"
     "cohorts.yaml:10:14: cohort \"review\" is for commissioning, but uses model "
     "\"efi\", which is only for direct-care\n"
     "cohorts.yaml:10:14: cohort \"review\" is for commissioning, but uses model "
     "\"risk\", which is only for direct-care"},
    {{"cohorts.yaml", "title: Everyone\n", "titel: Everyone\n"},
     "cohorts.yaml:19:5: unknown key \"titel\"\n"
     "    hint: did you mean \"title\"?\n"
     "cohorts.yaml:18:5: \"title\" is missing"},
};

Test(compile_model_faults, cohorts)
{
    CHECK(COHORTS);
}
