/* Expressions: values with everything recorded or missing, and every message. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine/rule/rule.h"

enum { N_SLOTS = 26 };

static Words band_words = {(const char *[]){"fit", "mild", "moderate", "severe"}, 4, 4,
                           false, true};

/* A small world; slots 4, 9, 15 and 24 are never recorded. The families lab and gap do
 * not stand together; sign and lost are yes or no. */
typedef struct World {
    Arena *arena;
    Words sex;
    RuleName names[N_SLOTS];
    bool used[N_SLOTS];
    Scope scope;
    Err err;
} World;

static const double ROW[N_SLOTS] = {70, 3,   1,   0,   NAN, 2, 1, 0, 2, NAN, 5, 0,  0.1,
                                    4,  0.2, NAN, 0.3, 1,   0, 1, 1, 0, 1,   1, NAN};

static World *world_new(void)
{
    Arena *arena = arena_new();
    World *world = arena_alloc(arena, 1, sizeof *world);
    const RuleName names[N_SLOTS] = {
        {"age", RULE_NUMBER, 0, NULL, NULL, NULL},
        {"falls", RULE_NUMBER, 1, NULL, NULL, NULL},
        {"care_home", RULE_YESNO, 2, NULL, NULL, NULL},
        {"carer", RULE_YESNO, 3, NULL, NULL, NULL},
        {"bmi", RULE_NUMBER, 4, NULL, NULL, NULL},
        {"efi.band", RULE_WORD, 5, &band_words, NULL, NULL},
        {"sex", RULE_WORD, 6, &world->sex, NULL, NULL},
        {"efi.anaemia", RULE_YESNO, 7, NULL, NULL, "efi"},
        {"efi.falls", RULE_NUMBER, 8, NULL, NULL, "efi"},
        {"gone", RULE_YESNO, 9, NULL, NULL, NULL},
        {"efi.score", RULE_NUMBER, 10, NULL, NULL, NULL},
        {"hfrs.f00", RULE_YESNO, 11, NULL, NULL, "hfrs"},
        {"lab.one", RULE_NUMBER, 12, NULL, NULL, "lab"},
        {"gap.one", RULE_NUMBER, 13, NULL, NULL, "gap"},
        {"lab.two", RULE_NUMBER, 14, NULL, NULL, "lab"},
        {"gap.two", RULE_NUMBER, 15, NULL, NULL, "gap"},
        {"lab.three", RULE_NUMBER, 16, NULL, NULL, "lab"},
        {"sign.one", RULE_YESNO, 17, NULL, NULL, "sign"},
        {"sign.two", RULE_YESNO, 18, NULL, NULL, "sign"},
        {"sign.three", RULE_YESNO, 19, NULL, NULL, "sign"},
        {"sign.four", RULE_YESNO, 20, NULL, NULL, "sign"},
        {"sign.five", RULE_YESNO, 21, NULL, NULL, "sign"},
        {"sign.six", RULE_YESNO, 22, NULL, NULL, "sign"},
        {"lost.one", RULE_YESNO, 23, NULL, NULL, "lost"},
        {"lost.two", RULE_YESNO, 24, NULL, NULL, "lost"},
        {"hfrs.score", RULE_NUMBER, 25, NULL, NULL, NULL},
    };

    world->arena = arena;
    world->sex.is_open = true;
    words_index(&world->sex, "M", arena);
    words_index(&world->sex, "F", arena);
    memcpy(world->names, names, sizeof names);
    for (int i = 0; i < N_SLOTS; i++)
        world->names[i].is_used = &world->used[i];
    world->scope = (Scope){world->names, N_SLOTS, arena};
    return world;
}

static const Rule *compile(World *world, const char *text, RuleType want)
{
    Where where = {"test.yaml", 7, 10};

    return rule_compile(text, where, want, &world->scope, &world->err);
}

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

static const struct {
    const char *text;
    double want;
} NUMBERS[] = {
    {"1 + 2 * 3", 7},
    {"(1 + 2) * 3", 9},
    {"7 - 2 - 1", 4},
    {"8 / 4 / 2", 1},
    {"-2 ^ 2", -4},
    {"2 ^ 3 ^ 2", 512},
    {"2 ^ -1", 0.5},
    {"--3", 3},
    {"1.5e1 + 0.25", 15.25},
    {"(age/10)^3 - 343", 0},
    {"age", 70},
    {"bmi", NAN},
    {"bmi + 1", NAN},
    {"0 * bmi", NAN},
    {"bmi ^ 0", NAN},
    {"1 ^ bmi", NAN},
    {"1 / 0", NAN},
    {"0 / 0", NAN},
    {"0 ^ -2", NAN},
    {"(-1) ^ 0.5", NAN},
    {"ln(0)", NAN},
    {"ln(-1)", NAN},
    {"ln(exp(1))", 1},
    {"exp(1000)", NAN},
    {"sqrt(-1)", NAN},
    {"sqrt(16)", 4},
    {"abs(-3) + abs(3)", 6},
    {"floor(-1.5)", -2},
    {"min(3, 1, 2)", 1},
    {"max(3, 1, 2, 8)", 8},
    {"min(3, bmi)", NAN},
    {"max(bmi, 3)", NAN},
    {"coalesce(bmi, 4)", 4},
    {"coalesce(bmi, gone, 5)", 5},
    {"coalesce(bmi, bmi)", NAN},
    {"coalesce(age, 4)", 70},
    {"if(age >= 70, 1, 2)", 1},
    {"if(bmi > 30, 1, 2)", 2},
    {"if(gone, 1, 2)", 2},
    {"if(age > 80, 1, missing)", NAN},
    {"if(care_home, if(carer, 1, 2), 3)", 2},
    {"care_home + carer + 1", 2},
    {"true + true", 2},
    {"gone + 0", NAN},
    {"gone", NAN},
    {"gone and true", 0},
    {"age > 60", 1},
    {"sum(efi.*)", 2},
    {"count(efi.*)", 1},
    {"sum(efi.*) / 36 + count(hfrs.*)", 2.0 / 36},
    {"sum(lab.*)", 0.1 + 0.2 + 0.3}, /* 0.6 in another order */
    {"sum(lab.*) * 1", (0.1 + 0.2) + 0.3},
    {"1 + sum(lab.*)", 1 + ((0.1 + 0.2) + 0.3)},
    {"sum(gap.*)", NAN},
    {"sum(sign.*)", 4},
    {"1 + sum(sign.*) * 10 - count(sign.*)", 37},
    {"sum(lost.*)", NAN},
    {"coalesce(sum(gap.*), 7)", 7},
    {"count(gap.*)", 1},
    {"count(lab.*) - count(gap.*) * sum(efi.*)", 1},
    {"min(count(lab.*), if(falls in (2, 3), sum(lab.*), 9), -bmi)", NAN},
    {"if(count(gap.*) > 1 or age in (70, 71), falls - sum(efi.*), age)", 1},
    {"-(1 - (2 - (3 - (falls - sum(efi.*)))))", -1},
    {"2*(age-60)", 20},
    {"1-2", -1},
};

Test(rule, numbers)
{
    World *world = world_new();

    for (size_t c = 0; c < sizeof NUMBERS / sizeof *NUMBERS; c++) {
        const Rule *rule = compile(world, NUMBERS[c].text, RULE_NUMBER);

        cr_assert(rule != NULL, "%s: %s", NUMBERS[c].text, world->err.text);
        cr_expect(same(rule_number(rule, ROW), NUMBERS[c].want), "%s: got %.17g, want %g",
                  NUMBERS[c].text, rule_number(rule, ROW), NUMBERS[c].want);
    }
    cr_expect(world->err.n_reports == 0);
    arena_free(world->arena);
}

static const struct {
    const char *text;
    bool want;
} CHOICES[] = {
    {"true", true},
    {"false", false},
    {"care_home", true},
    {"gone", false},
    {"not gone", true},
    {"gone is missing", true},
    {"bmi is missing", true},
    {"bmi is not missing", false},
    {"age is missing", false},
    {"bmi > 30", false},
    {"bmi <= 30", false},
    {"bmi == 30", false},
    {"bmi != 30", false},
    {"not bmi > 30", true},
    {"not (bmi > 30)", true},
    {"gone == true", false},
    {"gone == false", false},
    {"carer == false", true},
    {"age == 70", true},
    {"age = 70", true},
    {"age <> 70", false},
    {"age != 71", true},
    {"age in (69, 70)", true},
    {"age in (-70, 1)", false},
    {"age not in (69, 71)", true},
    {"bmi in (1, 2)", false},
    {"bmi not in (1, 2)", false},
    {"not bmi in (1, 2)", true},
    {"age + 1 in (71)", true},
    {"efi.band in (moderate, severe) and not care_home", false},
    {"efi.band in (moderate, severe) and care_home", true},
    {"efi.band == moderate", true},
    {"efi.band == \"moderate\"", true},
    {"efi.band >= mild", true},
    {"efi.band < moderate", false},
    {"efi.band <= moderate", true},
    {"efi.band not in (fit, severe)", true},
    {"efi.band is missing", false},
    {"sex == \"F\"", true},
    {"sex == F", true},
    {"sex == 'M'", false},
    {"sex != M", true},
    {"sex in (M, U, \"not known\")", false},
    {"true or false and false", true},
    {"(true or false) and false", false},
    {"not false and false", false},
    {"not not true", true},
    {"not age == 70 or carer", false},
    {"falls >= 2 or coalesce(bmi, 9999) < 180", true},
    {"coalesce(gone, true)", true},
    {"if(age > 60, care_home, carer)", true},
    {"min(care_home, carer) == 0", true},
    {"count(efi.*) >= 1", true},
    {"sum(gap.*) > 0", false},
    {"not sum(gap.*) > 0", true},
    {"sum(gap.*) is missing and count(gap.*) is not missing", true},
    {"gone or bmi > 1 or age not in (1, 70) or falls in (3)", true},
    {"not (gone and care_home) and not (carer or gone)", true},
    {"age > 60\n  and falls > 2", true},
};

Test(rule, choices)
{
    World *world = world_new();

    for (size_t c = 0; c < sizeof CHOICES / sizeof *CHOICES; c++) {
        const Rule *rule = compile(world, CHOICES[c].text, RULE_YESNO);

        cr_assert(rule != NULL, "%s: %s", CHOICES[c].text, world->err.text);
        cr_expect(rule_holds(rule, ROW) == CHOICES[c].want, "%s", CHOICES[c].text);
        cr_expect(rule_number(rule, ROW) == CHOICES[c].want, "%s", CHOICES[c].text);
    }
    arena_free(world->arena);
}

/* However many rows there are, each has the value that it has by itself. */
static void expect_side_by_side(const Rule *rule)
{
    double rows[RULE_LANES][N_SLOTS], value[RULE_LANES];
    const double *row[RULE_LANES];

    for (int l = 0; l < RULE_LANES; l++) {
        for (int s = 0; s < N_SLOTS; s++)
            rows[l][s] = l > 0 && (l + s) % 5 == 0 ? NAN : ROW[s] + (l * s) % 3 - l % 2;
        row[l] = rows[l];
    }
    for (int n = 1; n <= RULE_LANES; n++) {
        uint32_t holds = rule_holds_for(rule, row, n);

        rule_numbers(rule, row, n, value);
        cr_expect_eq(holds >> (n - 1) >> 1, 0, "%s: of nobody", rule_text(rule));
        for (int l = 0; l < n; l++) {
            cr_expect(same(value[l], rule_number(rule, rows[l])), "%s: row %d of %d",
                      rule_text(rule), l, n);
            cr_expect_eq(holds >> l & 1, rule_holds(rule, rows[l]), "%s: row %d of %d",
                         rule_text(rule), l, n);
        }
    }
}

Test(rule, rows_side_by_side)
{
    World *world = world_new();

    for (size_t c = 0; c < sizeof NUMBERS / sizeof *NUMBERS; c++)
        expect_side_by_side(compile(world, NUMBERS[c].text, RULE_NUMBER));
    for (size_t c = 0; c < sizeof CHOICES / sizeof *CHOICES; c++)
        expect_side_by_side(compile(world, CHOICES[c].text, RULE_YESNO));
    arena_free(world->arena);
}

static const struct {
    const char *text;
    RuleType want;
    const char *report;
} FAULTS[] = {
    {"", RULE_NUMBER, "test.yaml:7:10: the expression is empty"},
    {"1 +", RULE_NUMBER, "test.yaml:7:13: expected a value, the expression ends here"},
    {"1 2", RULE_NUMBER, "test.yaml:7:12: expected an operator, found \"2\""},
    {"(1", RULE_NUMBER, "test.yaml:7:12: expected \")\", the expression ends here"},
    {"flals > 2", RULE_YESNO,
     "test.yaml:7:10: unknown name \"flals\"\n    hint: did you mean \"falls\"?"},
    {"1 + efi.bnd", RULE_NUMBER,
     "test.yaml:7:14: unknown name \"efi.bnd\"\n    hint: did you mean \"efi.band\"?"},
    {"hfrs.band == high", RULE_YESNO,
     "test.yaml:7:10: unknown name \"hfrs.band\"\n    hint: this model has no bands; add "
     "\"bands:\" to it"},
    {"zzzzzz", RULE_NUMBER, "test.yaml:7:10: unknown name \"zzzzzz\""},
    {"efi.band == modrate", RULE_YESNO,
     "test.yaml:7:22: \"modrate\" is none of fit, mild, moderate, severe\n"
     "    hint: did you mean \"moderate\"?"},
    {"efi.band in (mild, seve)", RULE_YESNO,
     "test.yaml:7:29: \"seve\" is none of fit, mild, moderate, severe"},
    {"efi.band == 2", RULE_YESNO,
     "test.yaml:7:22: expected a word, found the number 2\n    hint: write \"2\""},
    {"sex == age", RULE_YESNO,
     "test.yaml:7:17: a word can only be compared with words, and \"age\" is a name\n"
     "    hint: write \"age\" in quotes if the word is meant"},
    {"sex < M", RULE_YESNO,
     "test.yaml:7:14: these words have no order: only ==, != and in compare them"},
    {"sex + 1", RULE_NUMBER, "test.yaml:7:10: expected a number, this is a word"},
    {"age == sex", RULE_YESNO, "test.yaml:7:17: expected a number, this is a word"},
    {"\"F\" == sex", RULE_YESNO,
     "test.yaml:7:10: text can only stand on the right of a comparison with a word\n"
     "    hint: write name == \"F\""},
    {"efi.*", RULE_NUMBER,
     "test.yaml:7:10: a family can only stand in sum(efi.*) or count(efi.*)"},
    {"sum(age)", RULE_NUMBER,
     "test.yaml:7:14: expected a family, as in efi.*, found \"age\""},
    {"sum(hfr.*)", RULE_NUMBER,
     "test.yaml:7:14: unknown family \"hfr\"\n    hint: did you mean \"hfrs\"?"},
    {"age", RULE_YESNO,
     "test.yaml:7:10: expected yes or no, this is a number\n"
     "    hint: compare it with something, as in name > 0"},
    {"sex", RULE_YESNO,
     "test.yaml:7:10: expected yes or no, this is a word\n"
     "    hint: compare it with something, as in name == \"word\""},
    {"care_home and falls", RULE_YESNO,
     "test.yaml:7:24: expected yes or no, this is a number\n"
     "    hint: compare it with something, as in name > 0"},
    {"not falls", RULE_YESNO,
     "test.yaml:7:14: expected yes or no, this is a number\n"
     "    hint: compare it with something, as in name > 0"},
    {"efi.band", RULE_NUMBER, "test.yaml:7:10: expected a number, this is a word"},
    {"age", RULE_WORD, "test.yaml:7:10: expected a band or a text attribute"},
    {"1 < age < 3", RULE_YESNO,
     "test.yaml:7:18: comparisons cannot follow each other\n"
     "    hint: write a < b and b < c"},
    {"age == missing", RULE_YESNO,
     "test.yaml:7:17: a comparison with missing is never true\n"
     "    hint: write \"is missing\" or \"is not missing\""},
    {"age is 3", RULE_YESNO, "test.yaml:7:17: expected \"missing\", found \"3\""},
    {"age not 3", RULE_YESNO, "test.yaml:7:18: expected \"in\", found \"3\""},
    {"age in 3", RULE_YESNO, "test.yaml:7:17: expected \"(\", found \"3\""},
    {"age in (x)", RULE_YESNO, "test.yaml:7:18: expected a number, found \"x\""},
    {"age in (1 2)", RULE_YESNO, "test.yaml:7:20: expected \",\" or \")\", found \"2\""},
    {"min(1)", RULE_NUMBER, "test.yaml:7:10: min takes 2 or more values, not 1"},
    {"abs(1, 2)", RULE_NUMBER, "test.yaml:7:10: abs takes 1 value, not 2"},
    {"if(care_home, 1)", RULE_NUMBER, "test.yaml:7:10: if takes 3 values, not 2"},
    {"if(1, 2, 3)", RULE_NUMBER,
     "test.yaml:7:13: expected yes or no, this is a number\n"
     "    hint: compare it with something, as in name > 0"},
    {"log(3)", RULE_NUMBER, "test.yaml:7:10: unknown function \"log\""},
    {"coalese(1, 2)", RULE_NUMBER,
     "test.yaml:7:10: unknown function \"coalese\"\n"
     "    hint: did you mean \"coalesce\"?"},
    {"1 & 2", RULE_NUMBER, "test.yaml:7:12: unexpected \"&\"\n    hint: write \"and\""},
    {"!care_home", RULE_YESNO,
     "test.yaml:7:10: unexpected \"!\"\n    hint: write \"not\""},
    {"age \xc3\xa9", RULE_NUMBER, "test.yaml:7:14: unexpected character (byte 0xC3)"},
    {"12months", RULE_NUMBER, "test.yaml:7:10: \"12months\" is not a number"},
    {"1.2.3", RULE_NUMBER, "test.yaml:7:10: \"1.2.3\" is not a number"},
    {"sex == \"F", RULE_YESNO, "test.yaml:7:17: the quote is not closed"},
    {"and 3", RULE_YESNO, "test.yaml:7:10: expected a value, found \"and\""},
};

Test(rule, faults)
{
    for (size_t c = 0; c < sizeof FAULTS / sizeof *FAULTS; c++) {
        World *world = world_new();
        const Rule *rule = compile(world, FAULTS[c].text, FAULTS[c].want);

        cr_expect(rule == NULL, "%s", FAULTS[c].text);
        cr_expect_str_eq(world->err.text, FAULTS[c].report, "%s: got\n%s\nwant\n%s",
                         FAULTS[c].text, world->err.text, FAULTS[c].report);
        cr_expect(world->err.n_reports == 1, "%s", FAULTS[c].text);
        arena_free(world->arena);
    }
}

static void fill(char *text, const char *part, int n)
{
    text[0] = '\0';
    for (int i = 0; i < n; i++)
        strcat(text, part);
}

Test(rule, refuses_what_is_nested_too_deeply)
{
    const char *const parts[] = {"(", "-", "not ", "1 ^ ", "1 + (", "abs("};

    for (size_t c = 0; c < sizeof parts / sizeof *parts; c++) {
        World *world = world_new();
        char text[8192];

        fill(text, parts[c], 1000);
        cr_expect(compile(world, text, RULE_NUMBER) == NULL);
        cr_expect(strstr(world->err.text,
                         "the expression is too deeply nested\n"
                         "    hint: write it as several derived") != NULL,
                  "%s: %s", parts[c], world->err.text);
        arena_free(world->arena);
    }
}

Test(rule, long_but_flat_is_fine)
{
    World *world = world_new();
    char text[8192] = "0";
    const Rule *rule;

    fill(text + 1, " + 1", 1500);
    rule = compile(world, text, RULE_NUMBER);
    cr_assert(rule != NULL, "%s", world->err.text);
    cr_expect(rule_number(rule, ROW) == 1500);
    arena_free(world->arena);
}

Test(rule, tells_its_slots_type_and_text)
{
    World *world = world_new();
    const Rule *rule = compile(world, "sum(efi.*) + age + age > bmi", RULE_NUMBER);
    const uint32_t want[] = {0, 4, 7, 8};
    const uint32_t *slots;
    size_t n;

    cr_assert(rule != NULL);
    slots = rule_slots(rule, &n);
    cr_assert(n == 4);
    cr_expect(memcmp(slots, want, sizeof want) == 0);
    cr_expect(rule_type(rule) == RULE_YESNO);
    cr_expect_str_eq(rule_text(rule), "sum(efi.*) + age + age > bmi");
    for (int i = 0; i < N_SLOTS; i++)
        cr_expect(world->used[i] == (i == 0 || i == 4 || i == 7 || i == 8), "%d", i);
    arena_free(world->arena);
}

/* Never missing: what compares, tests or decides, but not what takes a yes or no over. */
Test(rule, tells_what_is_never_missing)
{
    static const struct {
        const char *text;
        bool is_certain;
    } CASES[] = {
        {"falls > 2", true},
        {"not gone", true},
        {"gone and carer", true},
        {"gone is missing", true},
        {"gone", false},
        {"efi.band in (mild, severe)", true},
        {"sex not in (F)", true},
        {"sex == \"F\"", true},
        {"coalesce(gone, carer)", false},
        {"falls + 1", false},
        {"age", false},
        {"if(carer, gone, care_home)", false},
        {"age in (1, 2, 3)", true},
    };

    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        World *world = world_new();
        const Rule *rule = compile(world, CASES[c].text, RULE_NUMBER);

        cr_assert(rule != NULL, "%s", world->err.text);
        cr_expect_eq(rule_is_certain(rule), CASES[c].is_certain, "%s", CASES[c].text);
        arena_free(world->arena);
    }
}

Test(rule, adds_words_to_an_open_list_only)
{
    World *world = world_new();

    cr_assert(compile(world, "sex in (I, \"not known\", F)", RULE_YESNO) != NULL);
    cr_expect(world->sex.n == 4);
    cr_expect_str_eq(world->sex.word[2], "I");
    cr_expect_str_eq(world->sex.word[3], "not known");
    cr_expect(words_index(&world->sex, "F", world->arena) == 1);
    cr_expect(words_index(&band_words, "frail", world->arena) == -1);
    arena_free(world->arena);
}

Test(rule, a_place_without_a_column_stays_without)
{
    World *world = world_new();
    Where where = {"glm.csv", 3, 0};

    cr_expect(rule_compile("1 + x", where, RULE_NUMBER, &world->scope, &world->err) ==
              NULL);
    cr_expect_str_eq(world->err.text, "glm.csv:3: unknown name \"x\"");
    arena_free(world->arena);
}
