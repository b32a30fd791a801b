/*
 * Numbers by hand, to fifty digits: logit(0.2) = -1.3862943611..., logit(0.35) =
 * -0.6190392084...; -0.1 + 0.6 logit(0.2) + 0.4 logit(0.35) = -1.1793923000344...
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/card.h"
#include "models/kinds.h"
#include "models/reason.h"
#include "tests/support/tiny.h"

/*
 * Two risks (one in percent) that share an input, points, and the model under test.
 * x is in slot 1, y in slot 2, scores in 3, 5 and 7.
 */
enum { X = 1, Y = 2, RISK_A = 3, RISK_B = 5, POINTS = 7, N_SLOTS = 11 };

typedef struct World {
    Tiny *tiny;
    Model *model;
    double row[N_SLOTS];
} World;

static Model *risk_of(Tiny *tiny, const char *id, Link link, double multiply)
{
    Model *model = tiny_model(tiny, id, &kind_regression);

    model->link = link;
    model->multiply = multiply;
    return model;
}

static World world_of(const ModelKind *kind)
{
    World world = {.tiny = tiny_new()};
    Tiny *tiny = world.tiny;
    Model *a, *b, *points;

    tiny_attribute(tiny, "x", NULL);
    tiny_attribute(tiny, "y", NULL);
    a = risk_of(tiny, "a", LINK_LOGIT, 100);
    b = risk_of(tiny, "b", LINK_LOGIT, 1);
    points = tiny_model(tiny, "lace", &kind_points);
    a->title = "Risk A";
    tiny_term(tiny, a, "x", 0.5)->label = "Admissions";
    tiny_term(tiny, a, "y", 1)->label = "Medicines";
    tiny_term(tiny, b, "x", 0.25)->label = "Admissions, too";
    tiny_term(tiny, b, "x * y", 1)->label = "Both";
    tiny_term(tiny, points, "x", 1)->label = "Stay";
    cr_assert_eq(tiny_compile(tiny, a), 0);
    cr_assert_eq(tiny_compile(tiny, b), 0);
    cr_assert_eq(tiny_compile(tiny, points), 0);
    world.model = tiny_model(tiny, "made", kind);
    cr_assert_eq(tiny->plan.n_slots, N_SLOTS);
    world.row[RISK_A] = 20;
    world.row[RISK_B] = 0.35;
    world.row[POINTS] = 7;
    return world;
}

static int compile(World *world, const char *text)
{
    Tiny *tiny = world->tiny;
    Node *node = NULL;

    cr_assert_eq(
        config_parse(&node, "m.yaml", text, strlen(text), tiny->arena, &tiny->err), 0,
        "%s", tiny->err.text);
    world->model->where = node->where;
    return world->model->kind->compile(world->model, &tiny->plan, node, tiny->arena,
                                       &tiny->err);
}

static double score(World *world, int *why)
{
    *why = 0;
    return model_score(world->model, world->row, why);
}

static bool near(double got, double want)
{
    return fabs(got - want) <= 1e-12;
}

#define A_AND_B                                                                          \
    "members:\n"                                                                         \
    "  - {model: a, version: \"1\", weight: 0.6}\n"                                      \
    "  - {model: b, version: \"1\", weight: 0.4}\n"
#define OF_A "of: {model: a, version: \"1\"}\n"
#define MAP  "map: [[0.1, 0.05], [0.2, 0.15], [0.3, 0.28], [0.5, 0.28]]\n"

typedef struct Row {
    const ModelKind *kind;
    const char *config;
    double want;
} Row;

static const Row ROWS[] = {
    {&kind_ensemble, "scale: probability\n" A_AND_B, 0.26},
    {&kind_ensemble, "scale: logit\nintercept: -0.1\n" A_AND_B, 0.23516147989957128},
    {&kind_ensemble, "scale: logit\nlink: identity\nintercept: -0.1\n" A_AND_B,
     -1.1793923000344237},
    /* 0.15 + 0.13 x 0.06 / 0.1, and the same line at 0.2351614799 */
    {&kind_ensemble, "scale: probability\n" A_AND_B MAP, 0.228},
    {&kind_ensemble, "scale: logit\nintercept: -0.1\n" A_AND_B MAP, 0.19570992386944266},
    {&kind_recalibrated, OF_A "intercept: -0.31\nslope: 0.87\n", 0.18004006140954824},
    {&kind_recalibrated, OF_A "slope: 1\n", 0.2},
    {&kind_recalibrated, OF_A MAP, 0.15},
    {&kind_recalibrated, "of: {model: b, version: \"1\"}\n" MAP, 0.28},
    /* points: -3.2 + 0.25 x 7 = -1.45 */
    {&kind_recalibrated,
     "of: {model: lace, version: \"1\"}\nscale: score\nintercept: -3.2\nslope: 0.25\n"
     "link: logit\n",
     0.19000156601531297},
    {&kind_recalibrated,
     "of: {model: lace, version: \"1\"}\nscale: score\nintercept: -3.2\nslope: 0.25\n"
     "link: cloglog\n",
     0.20908935966365473},
    {&kind_recalibrated,
     "of: {model: lace, version: \"1\"}\nscale: score\nintercept: -3.2\nslope: 0.25\n"
     "link: log\n",
     0.23457028809379766},
    {&kind_recalibrated,
     "of: {model: lace, version: \"1\"}\nscale: score\nmap: [[0, 0.02], [8, 0.1]]\n",
     0.09},
};

Test(kind_ensemble, worked_by_hand)
{
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        World world = world_of(ROWS[r].kind);
        int why;
        double got;

        cr_assert_eq(compile(&world, ROWS[r].config), 0, "%s", world.tiny->err.text);
        got = score(&world, &why);
        cr_expect(near(got, ROWS[r].want), "%s: got %.17g, want %.17g", ROWS[r].config,
                  got, ROWS[r].want);
        world.model->multiply = 100;
        cr_expect(near(score(&world, &why) / 100, ROWS[r].want));
        tiny_free(world.tiny);
    }
}

/* At a point of the map its value, to the last bit; between, a line; outside, the
 * policy. */
Test(kind_ensemble, every_side_of_a_map)
{
    static const struct {
        double b, not_scored, clamped;
    } AT[] = {
        {0.0999, NAN, 0.05}, {0.1, 0.05, 0.05}, {0.15, 0.1, 0.1},  {0.2, 0.15, 0.15},
        {0.3, 0.28, 0.28},   {0.4, 0.28, 0.28}, {0.5, 0.28, 0.28}, {0.5001, NAN, 0.28},
    };

    for (int clamp = 0; clamp < 2; clamp++) {
        World world = world_of(&kind_recalibrated);

        world.model->range = clamp ? RANGE_CLAMP : RANGE_NOT_SCORED;
        cr_assert_eq(compile(&world, "of: {model: b, version: \"1\"}\n" MAP), 0);
        for (size_t i = 0; i < sizeof AT / sizeof *AT; i++) {
            double want = clamp ? AT[i].clamped : AT[i].not_scored, got;
            int why;

            world.row[RISK_B] = AT[i].b;
            got = score(&world, &why);
            cr_expect(isnan(want) ? isnan(got) : near(got, want), "at %g: got %.17g",
                      AT[i].b, got);
            if (isnan(want))
                cr_expect_str_eq(world.model->reasons[why].text,
                                 "the result is outside the calibration");
        }
        tiny_free(world.tiny);
    }
}

Test(kind_ensemble, a_table_of_points_from_a_file)
{
    World world = world_of(&kind_recalibrated);
    FILE *file = fopen("/tmp/stratify-map.csv", "w");
    int why;

    fputs("n,predicted,observed\n9,0.1,0.05\n4,0.2,0.15\n8,0.3,0.28\n", file);
    fclose(file);
    cr_assert_eq(compile(&world, "of: {model: b, version: \"1\"}\n"
                                 "map: {file: /tmp/stratify-map.csv, from: predicted, "
                                 "to: observed}\n"),
                 0, "%s", world.tiny->err.text);
    remove("/tmp/stratify-map.csv");
    world.row[RISK_B] = 0.26;
    cr_expect(near(score(&world, &why), 0.228));
    tiny_free(world.tiny);
}

Test(kind_ensemble, why_there_is_no_score)
{
    static const struct {
        double a, b;
        const char *why;
    } AT[] = {
        {NAN, 0.35, "\"Risk A\" has no score"},
        {20, NAN, "\"b\" has no score"},
        {0, 0.35, "\"Risk A\" is not between 0 and 1"},
        {20, 1, "\"b\" is not between 0 and 1"},
    };
    World world = world_of(&kind_ensemble);

    cr_assert_eq(compile(&world, "scale: logit\n" A_AND_B), 0);
    for (size_t i = 0; i < sizeof AT / sizeof *AT; i++) {
        int why;

        world.row[RISK_A] = AT[i].a;
        world.row[RISK_B] = AT[i].b;
        cr_expect(isnan(score(&world, &why)));
        cr_expect_str_eq(world.model->reasons[why].text, AT[i].why);
    }
    tiny_free(world.tiny);
    world = world_of(&kind_ensemble);
    cr_assert_eq(compile(&world, "scale: probability\n" A_AND_B), 0);
    world.row[RISK_A] = 0;
    world.row[RISK_B] = 1;
    cr_expect(near(score(&world, &(int){0}), 0.4), "0 and 1 are probabilities");
    tiny_free(world.tiny);
}

/* Shares of both members, weighed; "x" is one input, whatever its two labels. */
Test(kind_ensemble, shares_are_those_of_the_members)
{
    World world = world_of(&kind_ensemble);
    Share shares[4];
    const Term *terms;
    int n;

    cr_assert_eq(compile(&world, "scale: logit\n" A_AND_B), 0);
    cr_expect_eq(world.model->n_terms, 2);
    cr_expect_eq(world.model->n_shared, 3);
    terms = world.model->terms;
    world.row[X] = 2;
    world.row[Y] = 3;
    n = kind_ensemble.shares(world.model, world.row, shares);
    cr_assert_eq(n, 3);
    cr_expect(near(shares[0].amount, 0.6 * 0.5 * 2 + 0.4 * 0.25 * 2));
    cr_expect(near(shares[1].amount, 0.6 * 1 * 3));
    cr_expect(near(shares[2].amount, 0.4 * 1 * 6));
    cr_expect_str_eq(terms[shares[0].term].label, "Admissions");
    cr_expect_str_eq(terms[shares[2].term].label, "Both");
    cr_expect_eq(shares[0].slot, X);
    tiny_free(world.tiny);
}

/* Scored in turn, and explained by what the members count. */
Test(kind_ensemble, reasons_of_a_person)
{
    static const char *const WANT[] = {"Both: 2", "Medicines: 3", "Admissions: 2"};
    World world = world_of(&kind_ensemble);
    Tiny *tiny = world.tiny;
    Reason reasons[5];
    Visit *visit;
    int n;

    cr_assert_eq(compile(&world, "scale: logit\n" A_AND_B), 0);
    tiny_person(tiny, "1943-01-01");
    tiny_set(tiny, 0, 0, 2);
    tiny_set(tiny, 0, 1, 3);
    tiny_build(tiny);
    visit = visit_new(&tiny->plan);
    visit_person(visit, &tiny->plan, &tiny->store, 0, true);
    /* 0.6 (0.5 x 2 + 3) + 0.4 (0.25 x 2 + 6) = 5 */
    cr_expect(near(visit_row(visit)[world.model->score_slot], 1 / (1 + exp(-5.0))));
    n = reason_list(reasons, 5, &tiny->plan, 3, visit);
    cr_assert_eq(n, 3);
    for (int r = 0; r < n; r++) {
        char text[REASON_TEXT];

        reason_text(text, &tiny->plan, &reasons[r]);
        cr_expect_str_eq(text, WANT[r]);
    }
    visit_free(visit);
    tiny_free(tiny);
}

/* Of an ensemble of an ensemble, too, down to what was counted. */
Test(kind_ensemble, members_may_be_made_of_models)
{
    World world = world_of(&kind_ensemble);
    Model *outer;
    Node *node;
    Share shares[4];
    const char *text = "of: {model: made, version: \"1\"}\nslope: 2\nintercept: 1\n";
    double row[N_SLOTS + 2], inner;
    int n, why;

    cr_assert_eq(compile(&world, "scale: logit\n" A_AND_B), 0);
    outer = tiny_model(world.tiny, "outer", &kind_recalibrated);
    config_parse(&node, "o.yaml", text, strlen(text), world.tiny->arena,
                 &world.tiny->err);
    cr_assert_eq(outer->kind->compile(outer, &world.tiny->plan, node, world.tiny->arena,
                                      &world.tiny->err),
                 0, "%s", world.tiny->err.text);
    world.row[X] = 2;
    inner = score(&world, &why);
    memcpy(row, world.row, sizeof world.row);
    row[world.model->score_slot] = inner;
    cr_expect(near(model_score(outer, row, &why),
                   1 / (1 + exp(-1 - 2 * log(inner / (1 - inner))))));
    n = outer->kind->shares(outer, row, shares);
    cr_assert_eq(n, 1);
    cr_expect(near(shares[0].amount, 2 * (0.6 * 0.5 * 2 + 0.4 * 0.25 * 2)));
    cr_expect_str_eq(outer->terms[shares[0].term].label, "Admissions");
    tiny_free(world.tiny);
}

/* ---- faults -------------------------------------------------------------- */

typedef struct Fault {
    const ModelKind *kind;
    const char *config, *report;
} Fault;

static const Fault FAULTS[] = {
    {&kind_ensemble, A_AND_B,
     "m.yaml:1:1: \"scale\" is missing\n"
     "    hint: what is added: probability, logit or score"},
    {&kind_ensemble, "scale: logits\n" A_AND_B,
     "m.yaml:1:8: \"scale\" cannot be \"logits\"\n    hint: did you mean \"logit\"?"},
    {&kind_ensemble, "scale: logit\n",
     "m.yaml:1:1: an ensemble needs a list of \"members\""},
    {&kind_ensemble, "scale: logit\nmembers: []\n",
     "m.yaml:2:10: an ensemble needs a list of \"members\""},
    {&kind_ensemble, "scale: logit\nmembers:\n  - {model: a, version: \"1\"}\n",
     "m.yaml:3:5: \"weight\" is missing"},
    {&kind_ensemble,
     "scale: logit\nmembers:\n  - {model: lac, version: \"1\", weight: 1}\n"
     "  - {model: b, version: \"2\", weight: 1}\n"
     "  - {model: lace, version: \"1\", weight: 1}\n"
     "  - {model: a, version: \"1\", weight: 1}\n"
     "  - {model: a, version: \"1\", weight: 1}\n",
     "m.yaml:3:13: there is no model \"lac\"\n    hint: did you mean \"lace\"?\n"
     "m.yaml:4:26: model \"b\" has version \"1\", not \"2\"\n"
     "    hint: what was fitted to one version does not hold for another: fit it again\n"
     "m.yaml:5:5: the score of \"lace\" is no probability\n"
     "    hint: use the scale \"score\", with a link or a map to a probability\n"
     "m.yaml:7:5: model \"a\" is here twice"},
    {&kind_ensemble, "scale: probability\nlink: logit\n" A_AND_B,
     "m.yaml:2:7: a sum of probabilities has no link"},
    {&kind_ensemble, "scale: probability\nintercept: 0.01\n" A_AND_B,
     "m.yaml:1:1: weights of probabilities must not be below 0 or add up to more than 1\n"
     "    hint: other weights go with the scale \"logit\""},
    {&kind_recalibrated, "slope: 1\n",
     "m.yaml:1:1: \"of\" must say which model is recalibrated\n"
     "    hint: write it as in of: {model: parr30, version: \"1.0\"}"},
    {&kind_recalibrated, OF_A,
     "m.yaml:1:1: a recalibration needs \"slope\" and \"intercept\", or \"map\""},
    {&kind_recalibrated, OF_A "slope: -0.5\n",
     "m.yaml:2:8: the slope must be above 0: a recalibration keeps the order of people"},
    {&kind_recalibrated, OF_A "slope: 0.5\nscale: probability\n",
     "m.yaml:3:8: slope and intercept go with the scale logit or score"},
    {&kind_recalibrated, OF_A "map: [[0, 0.1], [0.5, 0.4], [1, 0.3]]\n",
     "m.yaml:2:33: the map is not monotone: it falls from \"0.4\" to \"0.3\"\n"
     "    hint: a higher score must never become a lower one; fit it by isotonic "
     "regression"},
    {&kind_recalibrated, OF_A "map: [[0, 0.1], [0.5, 0.4], [0.5, 0.5]]\n",
     "m.yaml:2:30: the points of a map rise: \"0.5\" is not above \"0.5\" before it"},
    {&kind_recalibrated, OF_A "map: [[0, 0.1]]\n",
     "m.yaml:2:6: a map has from 2 to 100000 points, not 1"},
    {&kind_recalibrated, OF_A "map: [[0, 0.1], [1, x]]\n",
     "m.yaml:2:21: \"x\" is not a number"},
    {&kind_recalibrated, OF_A "map: [[0, 0.1], [1]]\n",
     "m.yaml:2:17: a point of a map is written as in [0.1, 0.08]"},
    {&kind_recalibrated, OF_A "map: 3\n",
     "m.yaml:2:6: a map is a list of points, or a file of them\n"
     "    hint: write [[0, 0.01], [1, 0.6]] or {file: NAME, from: COLUMN, to: COLUMN}"},
    {&kind_recalibrated, OF_A "map: {file: none.csv}\n",
     "none.csv: could not open: No such file or directory"},
};

Test(kind_ensemble, what_is_refused)
{
    for (size_t f = 0; f < sizeof FAULTS / sizeof *FAULTS; f++) {
        World world = world_of(FAULTS[f].kind);

        cr_expect_eq(compile(&world, FAULTS[f].config), -1, "%s", FAULTS[f].config);
        cr_expect_str_eq(world.tiny->err.text, FAULTS[f].report, "got\n%s\nwant\n%s",
                         world.tiny->err.text, FAULTS[f].report);
        tiny_free(world.tiny);
    }
}

/* A map in a file is refused at its line and column. */
Test(kind_ensemble, a_file_that_falls)
{
    World world = world_of(&kind_recalibrated);
    FILE *file = fopen("/tmp/stratify-falls.csv", "w");

    fputs("from,to\n0.1,0.05\n0.2,0.15\n0.3,0.1\n", file);
    fclose(file);
    cr_expect_eq(compile(&world, OF_A "map: {file: /tmp/stratify-falls.csv}\n"), -1);
    remove("/tmp/stratify-falls.csv");
    cr_expect_str_eq(
        world.tiny->err.text,
        "/tmp/stratify-falls.csv:4:5: the map is not monotone: it falls from "
        "\"0.15\" to \"0.1\"\n"
        "    hint: a higher score must never become a lower one; fit it by "
        "isotonic regression");
    tiny_free(world.tiny);
}

/* ---- the card ------------------------------------------------------------ */

Test(kind_ensemble, says_what_it_does)
{
    World world = world_of(&kind_ensemble);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    cr_assert_eq(compile(&world, "scale: logit\nintercept: -0.1\n" A_AND_B MAP), 0);
    world.model->source = world.model->licence = "";
    card_write(out, &world.tiny->plan, (int)(world.model - world.tiny->plan.models));
    fclose(out);
    cr_expect(strstr(text, "Each model below adds its weight times its log-odds to a sum "
                           "that starts at -0.1; the score is read off a table at 1 / (1 "
                           "+ exp(-sum)). The table has 4 points, from 0.1 to 0.5; what "
                           "is outside is not scored.\n") != NULL,
              "%s", text);
    cr_expect(strstr(text, "| Risk A | `a.score` | another model |  | 0.6 |\n") != NULL,
              "%s", text);
    cr_expect(strstr(text, "Admissions") == NULL, "inputs of members are on their cards");
    free(text);
    tiny_free(world.tiny);
}
