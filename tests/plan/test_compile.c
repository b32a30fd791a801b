/* The config of tests/data/plan as it is: what the stages after it will read. */
#include <math.h>

#include "tests/plan/compile_world.h"

static const Change AS_IT_IS = {NULL, NULL, NULL};

static const Source *source_of(const Plan *plan, const char *name)
{
    for (int s = 0; s < plan->n_sources; s++) {
        if (strcmp(plan->sources[s].name, name) == 0)
            return &plan->sources[s];
    }
    return NULL;
}

static const Feature *feature_of(const Plan *plan, const char *id)
{
    for (int f = 0; f < plan->n_features; f++) {
        if (strcmp(plan->features[f].id, id) == 0)
            return &plan->features[f];
    }
    cr_assert_fail("no feature %s", id);
    return NULL;
}

static const Slot *slot_of(const Plan *plan, const char *name)
{
    for (uint32_t s = 0; s < plan->n_slots; s++) {
        if (strcmp(plan->slots[s].name, name) == 0)
            return &plan->slots[s];
    }
    cr_assert_fail("no slot %s", name);
    return NULL;
}

static const char *columns_of(const Source *source, char *text, size_t room)
{
    text[0] = '\0';
    for (int i = 0; i < source->n_columns; i++)
        snprintf(text + strlen(text), room - strlen(text), "%s%s", i > 0 ? " " : "",
                 source->columns[i].name);
    return text;
}

Test(compile, a_good_config_has_no_report)
{
    World world;

    world_compile(&world, AS_IT_IS);
    cr_expect_str_eq(world.err.text, "");
    cr_assert(world.rc == 0 && world.err.n_reports == 0);
    cr_expect_str_eq(world.plan.path, "run.yaml");
    cr_expect_str_eq(world.plan.title, "Plan tests");
    cr_expect_eq(world.plan.keep_runs, 30);
    cr_expect(world.plan.memory_bytes == UINT64_C(2) << 30);
    cr_expect(world.plan.as_of == day_of(2024, 2, 29));
    cr_expect(world.plan.n_purposes == 2 && world.plan.purpose == 1);
    cr_assert(world.plan.n_warnings == 2);
    cr_expect_str_eq(
        world.plan.warnings[0],
        "cohorts.yaml:13:13: cohort \"review\" is ordered by \"risk\", which is "
        "illustrative");
    cr_expect_str_eq(world.plan.warnings[1],
                     "sources.yaml:28:5: source \"spare\" is not read: nothing uses it");
    world_free(&world);
}

Test(compile, the_loader_is_asked_for_what_is_used_only)
{
    static const struct {
        const char *source, *columns;
        int number, n_conditions, n_uncoded;
        bool code, value, end, undated;
        int year;
    } WANT[] = {
        {"people", "id born died sex imd care_home", -1, 0, 0, 0, 0, 0, 0, 0},
        {"registrations", "id practice from_day to_day", -1, 0, 0, 0, 0, 0, 0, 0},
        {"practices", "code name pcn pcn_name locality", -1, 0, 0, 0, 0, 0, 0, 0},
        {"opt_outs", "id type", -1, 0, 0, 0, 0, 0, 0, 0},
        {"gp", "id day code number", 0, 1, 0, 1, 1, 0, 1, 1},
        {"spell", "id admitted discharged spell method position planned", 1, 4, 3, 0, 0,
         1, 0, 2022},
        {"diagnosis", "id day code system", 2, 0, 1, 1, 0, 0, 0, 2022},
    };
    World world;
    char text[256];

    world_compile(&world, AS_IT_IS);
    cr_assert(world.plan.n_sources == sizeof WANT / sizeof *WANT);
    for (int i = 0; i < world.plan.n_sources; i++) {
        const Source *source = &world.plan.sources[i];
        int year, month, day;

        cr_expect_str_eq(source->name, WANT[i].source);
        cr_expect_str_eq(columns_of(source, text, sizeof text), WANT[i].columns);
        cr_expect(source->number == WANT[i].number, "%s", source->name);
        cr_expect(source->n_conditions == WANT[i].n_conditions, "%s", source->name);
        cr_expect(source->n_uncoded == WANT[i].n_uncoded, "%s", source->name);
        cr_expect(source->needs_code == WANT[i].code, "%s", source->name);
        cr_expect(source->keeps_value == WANT[i].value, "%s", source->name);
        cr_expect(source->keeps_end == WANT[i].end, "%s", source->name);
        cr_expect(source->wants_undated == WANT[i].undated, "%s", source->name);
        day_split(source->oldest, &year, &month, &day);
        cr_expect(WANT[i].year == 0 || year == WANT[i].year, "%s: %d", source->name,
                  year);
    }
    world_free(&world);
}

Test(compile, sources_say_where_they_lie_and_what_is_allowed)
{
    World world;
    const Source *spell, *people;

    world_compile(&world, AS_IT_IS);
    spell = source_of(&world.plan, "spell");
    people = world.plan.people;
    cr_expect_str_eq(people->table, "s.person");
    cr_expect_str_eq(people->kind->name, "postgres");
    cr_expect(people->purposes == 3 && people->n_sentinels == 6);
    cr_expect(people->max_rejected == 0.04);
    cr_expect_str_eq(spell->kind->name, "csv");
    cr_expect_str_eq(spell->files, "data/spell*.csv.gz");
    cr_expect_str_eq(spell->date_format, "YYYYMMDD");
    cr_expect(!spell->text_person && spell->is_unique && spell->max_rejected == 0.02);
    cr_expect(spell->n_sentinels == 1 && spell->sentinels[0] == day_of(1900, 1, 1));
    cr_expect(source_of(&world.plan, "spare") == NULL);
    cr_expect(world.plan.people == &world.plan.sources[0]);
    cr_expect(world.plan.opt_out_rows == &world.plan.sources[3]);
    cr_expect(world.plan.opt_out_rows->max_rejected == 0, "whatever others may have");
    cr_expect(world.plan.gates[0].source == 4);
    cr_expect(world.plan.gates[0].limit == 14 && world.plan.gates[1].limit == 0.2);
    cr_expect(world.plan.gates[0].severity == SEVERITY_STOP);
    cr_expect(world.plan.gates[1].source == -1);
    world_free(&world);
}

Test(compile, the_population_is_an_area_less_opt_outs)
{
    World world;
    const Population *population;

    world_compile(&world, AS_IT_IS);
    population = &world.plan.population;
    cr_assert(world.plan.n_groupings == 4 && population->n_opt_outs == 2);
    cr_expect_str_eq(world.plan.groupings[2].title, "PCN");
    cr_expect_str_eq(world.plan.groupings[3].id, "locality");
    cr_expect(population->area_grouping == 3 && population->n_area == 2);
    cr_expect_str_eq(population->area[1], "South");
    cr_expect(population->opt_outs[0].removes_person);
    cr_expect(population->opt_outs[1].sources == 2, "spare is gone, spell is number 1");
    cr_expect_str_eq(population->opt_outs[1].label, "national");
    world_free(&world);
}

Test(compile, opt_outs_may_have_rejects_of_their_own)
{
    World world;

    world_compile(&world, (Change){"sources.yaml", "table: s.opt_out",
                                   "table: s.opt_out\n  max_rejected: 1 %"});
    cr_expect(world.plan.opt_out_rows->max_rejected == 0.01);
    world_free(&world);
}

Test(compile, lists_match_as_they_say_or_as_the_systems_of_their_lines_do)
{
    static const struct {
        const char *match;
        bool is_prefix;
    } CASES[] = {{"", true}, {"\n  match: prefix", true}, {"\n  match: exact", false}};

    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        char to[64];
        World world;

        snprintf(to, sizeof to, "weight: weight%s", CASES[c].match);
        world_compile(&world, (Change){"lists.yaml", "weight: weight", to});
        cr_assert_eq(world.rc, 0, "%s", world.err.text);
        for (int e = 0; e < 3; e++)
            cr_expect_eq(world.plan.lists[2].entries[e].is_prefix, CASES[c].is_prefix,
                         "%s", to);
        world_free(&world);
    }
}

Test(compile, windows_are_days_before_the_run)
{
    static const struct {
        const char *id, *text;
        int from[3], to[3];
        bool ever;
        Count count;
        double missing;
    } WANT[] = {
        {"efi.anaemia", "ever", {1, 1, 1}, {2024, 2, 29}, true, COUNT_EXISTS, 0},
        {"icd.dementia", "2 years", {2022, 2, 28}, {2024, 2, 29}, false, COUNT_EXISTS, 0},
        {"admissions", "12 months", {2023, 2, 28}, {2024, 2, 29}, false, COUNT_ROWS, 0},
        {"long_stays",
         "2 years to 12 months ago",
         {2022, 2, 28},
         {2023, 2, 28},
         false,
         COUNT_BED_DAYS,
         0},
        {"readmitted", "4 weeks", {2024, 2, 1}, {2024, 2, 29}, false, COUNT_REPEAT, 0},
        {"pressure", "3 years", {2021, 2, 28}, {2024, 2, 29}, false, COUNT_LATEST, NAN},
        {"substances", "10 days", {2024, 2, 19}, {2024, 2, 29}, false, COUNT_CODES, 1},
    };
    World world;

    world_compile(&world, AS_IT_IS);
    for (size_t i = 0; i < sizeof WANT / sizeof *WANT; i++) {
        const Feature *feature = feature_of(&world.plan, WANT[i].id);
        const int *from = WANT[i].from, *to = WANT[i].to;

        cr_expect_str_eq(feature->window_text, WANT[i].text);
        cr_expect(feature->from == day_of(from[0], from[1], from[2]), "%s", WANT[i].id);
        cr_expect(feature->to == day_of(to[0], to[1], to[2]), "%s", WANT[i].id);
        cr_expect(feature->is_ever == WANT[i].ever, "%s", WANT[i].id);
        cr_expect(feature->count == WANT[i].count, "%s", WANT[i].id);
        cr_expect(isnan(WANT[i].missing) ? isnan(feature->missing)
                                         : feature->missing == WANT[i].missing,
                  "%s", WANT[i].id);
        cr_expect(feature->is_used && feature->source >= 0, "%s", WANT[i].id);
    }
    world_free(&world);
}

Test(compile, conditions_are_shared_within_a_source)
{
    World world;
    const Source *spell;

    world_compile(&world, AS_IT_IS);
    spell = source_of(&world.plan, "spell");
    cr_assert(spell->n_conditions == 4);
    cr_expect_str_eq(spell->conditions[0].words[0], "2*");
    cr_expect(spell->conditions[1].least == 1 && spell->conditions[1].below == 4);
    cr_expect(spell->conditions[1].most == INFINITY && spell->conditions[1].n_words == 0);
    cr_expect_str_eq(spell->conditions[2].words[0], "true");
    cr_expect_str_eq(spell->conditions[3].words[1], "2");
    cr_expect(feature_of(&world.plan, "admissions")->conditions == 1);
    cr_expect(feature_of(&world.plan, "long_stays")->conditions == 7);
    cr_expect(feature_of(&world.plan, "readmitted")->conditions == 8);
    cr_expect(feature_of(&world.plan, "readmitted")->repeat_n == 3);
    cr_expect(feature_of(&world.plan, "readmitted")->repeat_days == 28);
    cr_expect(feature_of(&world.plan, "substances")->code_chars == 3);
    world_free(&world);
}

/* The hits of a code, as "feature>above sex" words. */
static const char *hits_of(const World *world, const char *source, System system,
                           const char *text, char *out)
{
    const Plan *plan = &world->plan;
    Hit hits[8];
    Code code;
    int n;

    out[0] = '\0';
    cr_assert(code_of_text(&code, system, text, strlen(text)) == CODE_OK);
    n = matcher_find(source_of(plan, source)->matcher, code, hits, 8);
    for (int i = 0; i < n; i++)
        sprintf(out + strlen(out), "%s%s", i > 0 ? " " : "",
                plan->features[hits[i].feature].id);
    return out;
}

Test(compile, codes_lead_to_features)
{
    World world;
    char text[256];

    world_compile(&world, AS_IT_IS);
    cr_expect_str_eq(hits_of(&world, "gp", SYSTEM_SNOMED, "3978000", text),
                     "efi.anaemia");
    cr_expect_str_eq(hits_of(&world, "gp", SYSTEM_SNOMED, "391002003", text),
                     "efi.falls");
    cr_expect_str_eq(hits_of(&world, "gp", SYSTEM_SNOMED, "314462001", text),
                     "efi.high_pressure efi.high_pressure pressure pressure");
    cr_expect_str_eq(hits_of(&world, "diagnosis", SYSTEM_ICD10, "F01.2", text),
                     "icd.dementia");
    cr_expect_str_eq(hits_of(&world, "diagnosis", SYSTEM_ICD9, "F012", text), "");
    cr_expect(world.plan.sex_attribute == 0);
    world_free(&world);
}

Test(compile, slots_have_types_and_the_unused_are_marked)
{
    static const struct {
        const char *name;
        SlotKind kind;
        RuleType type;
        bool is_used;
    } WANT[] = {
        {"age", SLOT_AGE, RULE_NUMBER, true},
        {"sex", SLOT_ATTRIBUTE, RULE_WORD, true},
        {"care_home", SLOT_ATTRIBUTE, RULE_YESNO, true},
        {"unused", SLOT_ATTRIBUTE, RULE_WORD, false},
        {"efi.falls", SLOT_FEATURE, RULE_YESNO, true},
        {"admissions", SLOT_FEATURE, RULE_NUMBER, true},
        {"readmitted", SLOT_FEATURE, RULE_YESNO, true},
        {"frail_or_old", SLOT_DERIVED, RULE_YESNO, true},
        {"deficits_seen", SLOT_DERIVED, RULE_NUMBER, true},
        {"efi.score", SLOT_SCORE, RULE_NUMBER, true},
        {"efi.band", SLOT_BAND, RULE_WORD, true},
    };
    World world;

    world_compile(&world, AS_IT_IS);
    for (size_t i = 0; i < sizeof WANT / sizeof *WANT; i++) {
        const Slot *slot = slot_of(&world.plan, WANT[i].name);

        cr_expect(slot->kind == WANT[i].kind, "%s", WANT[i].name);
        cr_expect(slot->type == WANT[i].type, "%s", WANT[i].name);
        cr_expect(slot->is_used == WANT[i].is_used, "%s", WANT[i].name);
    }
    cr_expect_str_eq(slot_of(&world.plan, "care_home")->label, "Care home");
    cr_expect(slot_of(&world.plan, "sex")->words->n == 2);
    cr_expect(slot_of(&world.plan, "efi.band")->words->is_ordered);
    world_free(&world);
}

Test(compile, steps_come_after_what_they_read)
{
    World world;
    char text[256] = "";

    world_compile(&world, AS_IT_IS);
    for (int i = 0; i < world.plan.n_steps; i++) {
        Step step = world.plan.steps[i];

        sprintf(text + strlen(text), " %s",
                step.is_model ? world.plan.models[step.index].id
                              : world.plan.derived[step.index].id);
    }
    cr_expect_str_eq(text, " deficits_seen frail_or_old efi risk_points risk");
    world_free(&world);
}

Test(compile, cohorts_and_segments)
{
    World world;
    const Cohort *review, *everyone;

    world_compile(&world, AS_IT_IS);
    cr_assert(world.plan.n_cohorts == 2 && world.plan.n_segments == 2);
    cr_expect_str_eq(world.plan.segments_title, "Needs");
    cr_expect(world.plan.segments[0].when != NULL);
    cr_expect(world.plan.segments[1].when == NULL);
    review = &world.plan.cohorts[0];
    everyone = &world.plan.cohorts[1];
    cr_expect(review->grouping == 2 && everyone->grouping == GROUPING_ALL);
    cr_expect(review->capacity == 50 && review->keep == 60);
    cr_assert(review->n_order == 3);
    cr_expect(review->order[0].slot == world.plan.models[2].score_slot);
    cr_expect(review->order[1].is_descending && !review->order[2].is_descending);
    cr_expect(review->n_show == 2 && review->show[0] == 2 && review->show[1] == 0);
    cr_expect(review->n_explain == 1 && review->n_most_reasons == 3);
    cr_expect(everyone->capacity == UINT32_MAX && everyone->capacity_share == 0.01);
    cr_expect(everyone->n_explain == 1 && everyone->explain[0] == 1);
    cr_expect(everyone->n_most_reasons == 5);
    world_free(&world);
}

Test(compile, the_hash_is_of_every_byte_and_name)
{
    static const Change CHANGES[] = {
        {"run.yaml", "Plan tests", "Plan test"},
        {"sources.yaml", "s.spare", "s.spar"},
        {"deficits.csv", "High", "high"},
        {"weights.csv", "Anaemia on", "Anaemia"},
        {"glm.csv", "0.25", "0.250"},
        {"models/risk.yaml", "made up", "made"},
        {"cohorts.yaml", "Team", "A team"},
    };
    World first, again;

    world_compile(&first, AS_IT_IS);
    world_compile(&again, AS_IT_IS);
    cr_expect(strlen(first.plan.hash) == 64);
    cr_expect_str_eq(first.plan.hash, again.plan.hash);
    world_free(&again);
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        world_compile(&again, CHANGES[i]);
        cr_expect(again.rc == 0, "%s", again.err.text);
        cr_expect_str_neq(first.plan.hash, again.plan.hash, "%s", CHANGES[i].file);
        world_free(&again);
    }
    world_free(&first);
}

Test(compile, the_hash_does_not_hang_on_where_one_stands)
{
    Arena *arena = arena_new();
    Plan here, there;
    Err err = {0};
    int32_t day = day_of(2024, 2, 29);

    cr_assert(plan_compile(&here, "tests/data/plan/run.yaml", day, world_kinds(), arena,
                           &err) == 0,
              "%s", err.text);
    cr_assert(chdir("tests/data") == 0);
    cr_assert(plan_compile(&there, "plan/run.yaml", day, world_kinds(), arena, &err) ==
              0);
    cr_expect_str_eq(here.hash, there.hash);
    arena_free(arena);
}

Test(compile, goes_on_after_a_fault)
{
    Change change = {"features.yaml", "features:\n",
                     "feature: 1\nfeatures:\n  - {id: a}\n  - {id: b, label: B}\n"};
    World world;

    world_compile(&world, change);
    cr_expect(world.rc == -1 && world.err.n_reports == 8, "%d", world.err.n_reports);
    cr_expect_str_eq(world.err.text,
                     "features.yaml:1:1: unknown key \"feature\"\n"
                     "    hint: did you mean \"features\"?\n"
                     "features.yaml:3:5: \"label\" is missing\n"
                     "features.yaml:3:5: \"source\" is missing\n"
                     "features.yaml:3:5: \"window\" is missing\n"
                     "    hint: write as in window: 12 months, or window: ever\n"
                     "features.yaml:3:5: \"count\" is missing\n"
                     "features.yaml:4:5: \"source\" is missing\n"
                     "features.yaml:4:5: \"window\" is missing\n"
                     "    hint: write as in window: 12 months, or window: ever\n"
                     "features.yaml:4:5: \"count\" is missing");
    world_free(&world);
}

/* Registers count from the day they began: a day of the calendar is a start, too. */
Test(compile, windows_since_a_day)
{
    static const struct {
        const char *window, *text;
        int to[3];
    } CASES[] = {
        {"window: 2020-05-05\n", "since 2020-05-05", {2024, 2, 29}},
        {"window: {from: 2020-05-05}\n", "since 2020-05-05", {2024, 2, 29}},
        {"window: {from: 2020-05-05, to: 1 year}\n",
         "2020-05-05 to 1 year ago",
         {2023, 2, 28}},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        World world;
        const Feature *feature;

        world_compile(&world,
                      (Change){"features.yaml", "window: 10 days\n", CASES[i].window});
        cr_assert(world.rc == 0, "%s", world.err.text);
        feature = feature_of(&world.plan, "substances");
        cr_expect_str_eq(feature->window_text, CASES[i].text);
        cr_expect(feature->from == day_of(2020, 5, 5) && !feature->is_ever);
        cr_expect(feature->to == day_of(CASES[i].to[0], CASES[i].to[1], CASES[i].to[2]));
        world_free(&world);
    }
}

/* What ships must compile. */
Test(compile, the_shipped_config)
{
    Arena *arena = arena_new();
    Plan plan;
    Err err = {0};

    cr_expect(plan_compile(&plan, "configs/run.yaml", day_of(2026, 4, 1), world_kinds(),
                           arena, &err) == 0,
              "%s", err.text);
    cr_expect(err.n_reports == 0);
    arena_free(arena);
}

Test(compile, a_file_that_is_not_there)
{
    Arena *arena = arena_new();
    Plan plan;
    Err err = {0};

    cr_expect(plan_compile(&plan, "nowhere/run.yaml", 0, world_kinds(), arena, &err) ==
              -1);
    cr_expect_str_eq(err.text,
                     "nowhere/run.yaml: could not open: No such file or directory");
    arena_free(arena);
}
