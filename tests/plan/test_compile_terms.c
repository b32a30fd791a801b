/*
 * Terms in every form: what they add up to for one made-up person, worked out by hand,
 * and how missing values come through.
 */
#include <math.h>

#include "tests/plan/compile_world.h"

static const Change AS_IT_IS = {NULL, NULL, NULL};

static const Model *model_of(const Plan *plan, const char *id)
{
    for (int m = 0; m < plan->n_models; m++) {
        if (strcmp(plan->models[m].id, id) == 0)
            return &plan->models[m];
    }
    cr_assert_fail("no model %s", id);
    return NULL;
}

static const Term *term_of(const Model *model, const char *id)
{
    for (int t = 0; t < model->n_terms; t++) {
        if (strcmp(model->terms[t].id, id) == 0)
            return &model->terms[t];
    }
    cr_assert_fail("no term %s", id);
    return NULL;
}

/* A row with one slot set; everything else is missing. */
typedef struct Setting {
    const char *name;
    double value;
} Setting;

static void fill_row(double *row, const Plan *plan, const Setting *settings, int n)
{
    for (uint32_t s = 0; s < plan->n_slots; s++) {
        row[s] = NAN;
        for (int i = 0; i < n; i++) {
            if (strcmp(plan->slots[s].name, settings[i].name) == 0)
                row[s] = settings[i].value;
        }
    }
}

static double value_of(const Term *term, const double *row)
{
    return term->value != NULL ? rule_number(term->value, row) : row[term->slot];
}

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

Test(compile_terms, points_are_whole_numbers_of_the_smallest_decimal)
{
    World world;
    const Model *model;

    world_compile(&world, AS_IT_IS);
    model = model_of(&world.plan, "risk_points");
    cr_assert(model->n_terms == 6);
    cr_expect(model->scale == 100, "4.25 has two digits after the point");
    cr_expect(term_of(model, "icd.dementia")->points == 710);
    cr_expect(term_of(model, "icd.fracture")->points == 140);
    cr_expect(term_of(model, "icd.fracture")->weight == 1.4);
    cr_expect(term_of(model, "admissions")->points == 150);
    cr_expect(term_of(model, "admissions")->cap == 600);
    cr_expect(term_of(model, "home")->points == 200);
    cr_expect(model->floor == 0 && model->ceiling == 50 && model->decimals == 2);
    world_free(&world);
}

Test(compile_terms, steps_groups_and_hierarchy)
{
    World world;
    const Model *model;
    const Term *age;

    world_compile(&world, AS_IT_IS);
    model = model_of(&world.plan, "risk_points");
    age = term_of(model, "age");
    cr_assert(age->n_steps == 3);
    cr_expect(age->step_bound[0] == 50 && !age->step_upto[0]);
    cr_expect(age->step_bound[1] == 59 && age->step_upto[1]);
    cr_expect(age->step_bound[2] == INFINITY);
    cr_expect(age->step_points[1] == 100 && age->step_points[2] == 425);
    cr_assert(model->n_groups == 1);
    cr_expect(model->group_cap[1] == 300);
    cr_expect(term_of(model, "home")->group == 1 && age->group == 0);
    cr_expect(term_of(model, "stays")->group == 1);
    cr_assert(term_of(model, "home")->n_zeroed_by == 1);
    cr_expect(term_of(model, "home")->zeroed_by[0] == 0);
    cr_expect(term_of(model, "icd.fracture")->n_zeroed_by == 1);
    cr_expect(term_of(model, "icd.dementia")->n_zeroed_by == 0);
    world_free(&world);
}

Test(compile_terms, an_index_counts_each_item_once)
{
    World world;
    const Model *model;

    world_compile(&world, AS_IT_IS);
    model = model_of(&world.plan, "efi");
    cr_assert(model->n_terms == 4);
    cr_expect(model->scale == 1 && model->denominator == 4);
    for (int t = 0; t < model->n_terms; t++)
        cr_expect(model->terms[t].points == 1 && model->terms[t].weight == 1);
    cr_expect_str_eq(model->terms[1].label, "High blood pressure");
    cr_expect_str_eq(model->terms[3].id, "frail_or_old");
    cr_assert(model->n_reasons == 2);
    cr_expect_str_eq(model->reasons[0].text, "scored");
    cr_expect_str_eq(model->reasons[1].text, "under 65");
    cr_expect(model->reasons[1].is_eligibility && model->reasons[1].when != NULL);
    cr_assert(model->n_bands == 3);
    cr_expect(model_band(model, 0.25) == 0 && model_band(model, 0.5) == 2);
    cr_expect(model_band(model, 0.2500001) == 1 && model_band(model, NAN) == -1);
    cr_expect(model_band(model, -INFINITY) == 0 && model_band(model, INFINITY) == 2);
    world_free(&world);
}

/* Categories of a family may have windows of their own, in entries far apart. */
Test(compile_terms, a_family_in_two_entries)
{
    Change change = {"features.yaml", "    count: rows\n",
                     "    count: rows\n"
                     "  - {family: icd, lists: conditions, source: diagnosis,\n"
                     "     window: 1 year, count: exists, categories: fracture}\n"};
    World world;
    const Model *model;

    world_compile(&world, change);
    cr_expect_str_eq(world.err.text,
                     "features.yaml:19:5: the name \"icd.fracture\" is taken\n"
                     "    hint: it is first used in features.yaml, line 7\n"
                     "models/points.yaml:12:5: the term \"icd.fracture\" is here twice, "
                     "first on line 12\n"
                     "    hint: if both are meant, give one an \"id\" of its own");
    world_free(&world);
    change.from = "    source: diagnosis\n    window: 2 years\n    count: exists\n"
                  "  - id: admissions\n";
    change.to = "    source: diagnosis\n    window: 2 years\n    count: exists\n"
                "    categories: dementia\n"
                "  - {id: deaths, label: x, source: gp, window: ever, count: dates}\n"
                "  - {family: icd, lists: conditions, source: diagnosis,\n"
                "     window: 1 year, count: exists, categories: fracture}\n"
                "  - id: admissions\n";
    world_compile(&world, change);
    cr_expect_str_eq(world.err.text,
                     "features.yaml:13:5: nothing uses the feature \"deaths\"\n    hint: "
                     "remove it, or use it in a model, a segment or a cohort");
    model = model_of(&world.plan, "risk_points");
    cr_assert(model->n_terms == 6);
    cr_expect_str_eq(model->terms[1].id, "icd.fracture");
    cr_expect(model->terms[1].points == 140);
    world_free(&world);
}

/* Aged 80, a man (word 0), IMD decile 5, two admissions, three codes. */
static const Setting MAN[] = {{"age", 80},       {"sex", 0},
                              {"imd", 5},        {"admissions", 2},
                              {"substances", 3}, {"pressure", 140},
                              {"efi.falls", 1},  {"efi.anaemia", 0},
                              {"efi.band", 1},   {"efi.high_pressure", 1}};
enum { N_MAN = sizeof MAN / sizeof *MAN };

static const struct {
    const char *id;
    double weight, value, missing; /* of the man, and of someone with nothing recorded */
} RISK[] = {
    {"age", 0.04, 80, NAN},
    {"I(age^2)", 0.001, 6400, NAN},
    {"sexM", 0.25, 1, NAN},
    {"sexM:imd", -0.02, 5, NAN},
    {"imd5", 0.5, 1, NAN},
    {"log1p(admissions)", 0.3, 1.0986122886681098, NAN},
    {"pressure", 0.02, 140, NAN},
    {"substances_log", -0.1, 1.3862943611198906, NAN},
    {"frail", 0.75, 1, 0},
    {"imd=1", 0.3, NAN, NAN}, /* decile 5 is neither level and there is no default */
    {"imd=2", 0.2, 0, 0},
    {"sex=M", 0.5, 1, 0},
    {"sex=F", -0.25, 0, 0},
    {"sex=other", 0.125, 0, 1}, /* a default is for no word, too */
    {"efi.anaemia", 1.25, 0, NAN},
    {"efi.high_pressure", 0.5, 1, NAN},
    {"efi.falls", 2, 1, NAN},
};

Test(compile_terms, a_regression_from_names_of_r_levels_and_tables)
{
    World world;
    const Model *model;
    double man[64], nothing[64];

    world_compile(&world, AS_IT_IS);
    cr_assert(world.plan.n_slots <= 64);
    model = model_of(&world.plan, "risk");
    fill_row(man, &world.plan, MAN, N_MAN);
    fill_row(nothing, &world.plan, NULL, 0);
    cr_assert(model->n_terms == sizeof RISK / sizeof *RISK, "%d", model->n_terms);
    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];

        cr_expect_str_eq(term->id, RISK[t].id);
        cr_expect(term->weight == RISK[t].weight, "%s: %.17g", term->id, term->weight);
        cr_expect(same(value_of(term, man), RISK[t].value), "%s: %.17g", term->id,
                  value_of(term, man));
        cr_expect(same(value_of(term, nothing), RISK[t].missing), "%s: %.17g", term->id,
                  value_of(term, nothing));
    }
    world_free(&world);
}

Test(compile_terms, a_regression_has_a_link_an_offset_and_limits)
{
    World world;
    const Model *model;
    const Term *pressure;
    Setting score = {"efi.score", 0.5};
    double row[64];

    world_compile(&world, AS_IT_IS);
    model = model_of(&world.plan, "risk");
    pressure = term_of(model, "pressure");
    cr_expect(model->link == LINK_LOGIT && model->intercept == -3.5);
    cr_expect(model->multiply == 100 && model->decimals == 1);
    cr_expect(model->missing == MISSING_ZERO && model->range == RANGE_CLAMP);
    cr_expect(model->is_illustrative && model->is_by_rank);
    cr_expect(pressure->centre == 120 && pressure->least == 60);
    cr_expect(pressure->most == 250);
    cr_expect_str_eq(pressure->label, "Latest blood pressure");
    cr_expect_str_eq(term_of(model, "sex=other")->label, "Sex: other");
    cr_expect_str_eq(term_of(model, "efi.anaemia")->label, "Anaemia on record");
    cr_expect_str_eq(term_of(model, "efi.falls")->label, "falls");
    fill_row(row, &world.plan, &score, 1);
    cr_expect(rule_number(model->offset, row) == 0.25);
    cr_expect(model->n_bands == 3 && model->bands[2].share == 0.005);
    cr_expect(model_band(model, 50) == -1);
    world_free(&world);
}

/* One line of the table of coefficients changed: what its name means then. */
static const struct {
    const char *name;
    double value;
} NAMES[] = {
    {"imd:sexM", 5},
    {"sexF", 0},
    {"sex[T.M]", 1},
    {"C(sex)[T.M]", 1},
    {"C(imd)[T.5]", 1},
    {"efi.bandmild", 1},
    {"pmin(age, 75)", 75},
    {"pmax(age, 90)", 90},
    {"log(age)", 4.3820266346738812},
    {"np.log(age)", 4.3820266346738812},
    {"I(age ** 2)", 6400},
    {"I((age - 60)/10)", 2},
    {"sqrt(admissions)", 1.4142135623730951},
    {"efi.fallsTRUE", 1},
    {"age:admissions:efi.falls", 160},
    {"`admissions`", 2},
};

Test(compile_terms, names_of_r_and_statsmodels)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        World world;
        const Term *term;
        double row[64], value;
        char line[128];

        snprintf(line, sizeof line, "\"%s\",0.25", NAMES[i].name);
        world_compile(&world, (Change){"glm.csv", "sexM,0.25", line});
        cr_assert(world.rc == 0, "%s: %s", NAMES[i].name, world.err.text);
        fill_row(row, &world.plan, MAN, N_MAN);
        term = term_of(model_of(&world.plan, "risk"), NAMES[i].name);
        value = value_of(term, row);
        cr_expect(fabs(value - NAMES[i].value) < 1e-12, "%s: %.17g", NAMES[i].name,
                  value);
        world_free(&world);
    }
}

/* With a reference, levels that neither it nor a term names are out of range. */
static const struct {
    const char *slot;
    double level;
    const char *term;
    double value;
} LEVELS[] = {
    {"imd", 5, "imd5", 1}, {"imd", 1, "imd5", 0}, {"imd", 2, "imd5", NAN},
    {"sex", 0, "sexM", 1}, {"sex", 1, "sexM", 0}, {"sex", 2, "sexM", NAN},
};

Test(compile_terms, a_reference_leaves_no_level_unknown)
{
    World world;

    world_compile(&world, (Change){"models/risk.yaml", "factors: imd",
                                   "factors: imd, references: {imd: \"1\", sex: F}"});
    cr_assert(world.rc == 0, "%s", world.err.text);
    for (size_t i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++) {
        Setting level = {LEVELS[i].slot, LEVELS[i].level};
        double row[64], value;

        fill_row(row, &world.plan, &level, 1);
        value = value_of(term_of(model_of(&world.plan, "risk"), LEVELS[i].term), row);
        cr_expect(same(value, LEVELS[i].value), "%s %g: %g", LEVELS[i].slot,
                  LEVELS[i].level, value);
    }
    world_free(&world);
}

Test(compile_terms, what_may_be_missing_has_something_in_its_place)
{
    World world;
    const Model *model;

    world_compile(&world,
                  (Change){"models/index.yaml", "denominator: 4\nitems:\n",
                           "denominator: 4\nmissing: impute\nitems:\n"
                           "  - {feature: pressure, steps: [{upto: 140, points: 0}, "
                           "{points: 0.5}], impute: 120}\n"
                           "  - {feature: admissions}\n  - {when: care_home}\n"});
    cr_expect_str_eq(world.err.text,
                     "models/index.yaml:17:5: term \"frail_or_old\" can be missing and "
                     "has no \"impute\"\n    hint: add the value to take in its place");
    model = model_of(&world.plan, "efi");
    cr_expect(model->terms[0].impute == 120 && isnan(model->terms[1].impute));
    cr_expect(model->scale == 10 && model->terms[0].step_points[1] == 5);
    world_free(&world);
}
