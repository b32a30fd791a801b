#include "engine/publish/gate.h"

#include <criterion/criterion.h>
#include <math.h>

#include "tests/support/town.h"

/* Ten people, 200 GP rows of which 3 rejected, newest ten days old; list and scores. The
 * last run had 8 people, 250 rows, 100 rows of the list, a mean count of 4, and people
 * in P1 and in P9. */
static Town *ten(void)
{
    static const char *practices[] = {"P1", "P9"};
    Town *town = town_new(10);
    SourceCount *gp = &town->store.counts[TOWN_GP];

    gp->rows = 200;
    gp->fate[ROW_KEPT] = 197;
    gp->fate[ROW_ORPHAN] = 2;
    gp->fate[ROW_BAD_CODE] = 1;
    gp->latest = day_of(2025, 6, 21);
    town->store.list_people[0] = 120;
    for (int i = 0; i < 10; i++)
        town->scores.score[TOWN_COUNT][i] = 5;
    town->previous.is_found = true;
    town->previous.n_people = 8;
    town->previous.source_rows[TOWN_GP] = 250;
    town->previous.list_rows[0] = 100;
    town->previous.mean_score[TOWN_COUNT] = 4;
    town->previous.practices = practices;
    town->previous.n_practices = 2;
    return town;
}

static GateResults look(Town *town, Gate *gate, int *rc, Err *err)
{
    GateResults gates;
    Counts counts;

    town->plan.gates = gate;
    town->plan.n_gates = 1;
    town_build(town);
    counts_build(&counts, &town->results);
    *rc = gates_check(&gates, &town->results, &counts, &town->previous, err);
    counts_free(&counts);
    return gates;
}

static bool is_in_file(const char *name, const char *word)
{
    FILE *file = fopen(name, "r");
    bool is_there = false;
    char line[4096];

    cr_assert_not_null(file, "%s", name);
    while (!is_there && fgets(line, sizeof line, file) != NULL)
        is_there = strstr(line, word) != NULL;
    fclose(file);
    return is_there;
}

/* One row is a gate, what it finds in which place of its results, and what it says. */
static const struct {
    const char *id;
    double limit;
    int place;
    const char *subject;
    double value;
    const char *said;
} CASES[] = {
    {"fresh", 9, 0, "gp", 10, "gp: 10 days, limit 9 days"},
    {"rows_change", 0.1, TOWN_GP, "gp", 0.2,
     "gp: 20 %, limit 10 % (200 rows, 250 before)"},
    {"population_change", 0.2, 0, "", 0.25, "25 %, limit 20 % (10 people, 8 before)"},
    {"rejected", 0.01, TOWN_GP, "gp", 0.015, "gp: 1.5 %, limit 1 % (3 of 200 rows)"},
    {"list_change", 0.15, 0, "codes", 0.2,
     "codes: 20 %, limit 15 % (120 rows, 100 before)"},
    {"missing_practices", 0, 0, "", 1, "1 practices, limit 0 practices (P9)"},
    {"score_drift", 0.2, 1, "count", 0.25, "count: 25 %, limit 20 % (mean 5, 4 before)"},
};

Test(gate, above_the_limit_stops_the_run)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        Town *town = ten();
        Gate gate = {.id = CASES[c].id,
                     .where = {"run.yaml", 7, 5},
                     .source = -1,
                     .limit = CASES[c].limit,
                     .severity = SEVERITY_STOP};
        Err err = {0};
        int rc;
        GateResults gates = look(town, &gate, &rc, &err);
        const GateResult *result = &gates.results[CASES[c].place];
        const char *want = arena_format(
            town->arena,
            "run.yaml:7:5: gate %s stops the run: %s\n"
            "    hint: the last results stand; mend the source, or change the limit",
            CASES[c].id, CASES[c].said);

        cr_expect_eq(rc, -1, "%s", CASES[c].id);
        cr_expect_eq(err.kind, ERR_GATE);
        cr_expect_str_eq(err.text, want);
        cr_expect_str_eq(result->subject, CASES[c].subject);
        cr_expect_float_eq(result->value, CASES[c].value, 1e-12);
        cr_expect_eq(result->state, GATE_STOP);
        gates_free(&gates);
        town_free(town);
    }
}

/* What a config may ask for, what is checked, and what is written about it, are one list.
 */
Test(gate, every_word_is_known_everywhere)
{
    static const char *const FILES[] = {"docs/configs.md", "configs/schema.json"};
    int n = 0;

    for (; plan_gate_word(n) != NULL && gate_word(n) != NULL; n++) {
        cr_expect_str_eq(gate_word(n), plan_gate_word(n));
        cr_expect_str_eq(gate_word(n), CASES[n].id);
        for (size_t f = 0; f < sizeof FILES / sizeof *FILES; f++)
            cr_expect(is_in_file(FILES[f], gate_word(n)), "%s in %s", gate_word(n),
                      FILES[f]);
    }
    cr_expect_null(plan_gate_word(n));
    cr_expect_null(gate_word(n));
    cr_expect_eq(n, sizeof CASES / sizeof *CASES);
}

Test(gate, at_the_limit_passes_and_above_it_warns)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++)
        for (int is_above = 0; is_above < 2; is_above++) {
            Town *town = ten();
            Gate gate = {.id = CASES[c].id,
                         .source = -1,
                         .limit = is_above ? CASES[c].limit : CASES[c].value,
                         .severity = SEVERITY_WARN};
            Err err = {0};
            int rc;
            GateResults gates = look(town, &gate, &rc, &err);

            cr_expect_eq(rc, 0, "%s: %s", CASES[c].id, err.text);
            cr_expect_eq(gates.results[CASES[c].place].state,
                         is_above ? GATE_WARN : GATE_PASS, "%s", CASES[c].id);
            gates_free(&gates);
            town_free(town);
        }
}

Test(gate, the_first_run_compares_with_nothing)
{
    static const char *const COMPARING[] = {"rows_change", "population_change",
                                            "list_change", "missing_practices",
                                            "score_drift"};

    for (size_t c = 0; c < sizeof COMPARING / sizeof *COMPARING; c++) {
        Town *town = town_new(3);
        Gate gate = {.id = COMPARING[c], .source = -1, .severity = SEVERITY_STOP};
        Err err = {0};
        int rc;
        GateResults gates = look(town, &gate, &rc, &err);

        cr_expect_eq(rc, 0);
        for (int i = 0; i < gates.n; i++) {
            cr_expect(isnan(gates.results[i].value));
            cr_expect_str_eq(gate_state_word(gates.results[i].state), "not compared");
        }
        gates_free(&gates);
        town_free(town);
    }
}

Test(gate, from_nothing_to_something_is_without_bounds)
{
    Town *town = ten();
    Gate gate = {
        .id = "rows_change", .source = TOWN_GP, .limit = 5, .severity = SEVERITY_WARN};
    Err err = {0};
    int rc;
    GateResults gates;

    town->previous.source_rows[TOWN_GP] = 0;
    gates = look(town, &gate, &rc, &err);
    cr_expect_eq(gates.n, 1);
    cr_expect_eq(gates.results[0].value, INFINITY);
    cr_expect_eq(gates.results[0].state, GATE_WARN);
    gates_free(&gates);
    town_free(town);
}

Test(gate, a_source_without_a_dated_row_is_not_fresh)
{
    Town *town = ten();
    Gate gate = {.id = "fresh", .source = -1, .limit = 10000, .severity = SEVERITY_WARN};
    Err err = {0};
    int rc;
    GateResults gates;

    town->store.counts[TOWN_GP].latest = DAY_UNKNOWN;
    gates = look(town, &gate, &rc, &err);
    cr_expect_eq(gates.results[0].state, GATE_WARN);
    gates_free(&gates);
    town_free(town);
}

/* A registrations feed that shrinks is as bad as one of events; days only events have. */
Test(gate, without_a_source_all_are_looked_at)
{
    static const struct {
        const char *id;
        int n;
    } LOOKS[] = {{"rows_change", TOWN_SOURCES}, {"rejected", TOWN_SOURCES}, {"fresh", 1}};

    for (size_t c = 0; c < sizeof LOOKS / sizeof *LOOKS; c++) {
        Town *town = ten();
        Gate gate = {.id = LOOKS[c].id, .source = -1, .limit = 400};
        Err err = {0};
        int rc;
        GateResults gates = look(town, &gate, &rc, &err);

        cr_assert_eq(gates.n, LOOKS[c].n, "%s", LOOKS[c].id);
        for (int i = 0; i < gates.n; i++)
            cr_expect_str_eq(gates.results[i].subject,
                             town->plan.sources[TOWN_SOURCES - gates.n + i].name);
        gates_free(&gates);
        town_free(town);
    }
}

Test(gate, an_unknown_word)
{
    Town *town = ten();
    Gate gate = {.id = "luck", .where = {"run.yaml", 7, 12}, .source = -1};
    Err err = {0};
    int rc;
    GateResults gates = look(town, &gate, &rc, &err);

    cr_expect_eq(rc, -1);
    cr_expect_str_eq(err.text, "run.yaml:7:12: unknown gate \"luck\"");
    gates_free(&gates);
    town_free(town);
}
