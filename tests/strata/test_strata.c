#include "engine/strata/strata.h"

#include <criterion/criterion.h>
#include <math.h>

#include "tests/support/town.h"

Test(strata, ranks_of_every_grouping)
{
    static const double SCORE[6] = {0.2, 0.9, NAN, 0.9, 0.4, 0.7};
    static const uint16_t PRACTICE[6] = {0, 1, 0, 2, 3, 1};
    static const uint32_t WANT[TOWN_GROUPINGS][6] = {
        {5, 1, 0, 2, 4, 3}, {1, 1, 0, 1, 1, 2}, {3, 1, 0, 1, 0, 2}};
    Town *town = town_new(6);

    for (int i = 0; i < 6; i++) {
        town->scores.score[TOWN_RISK][i] = SCORE[i];
        town->scores.outcome[TOWN_RISK][i] = isnan(SCORE[i]);
        town->store.practice[i] = PRACTICE[i];
    }
    town_build(town);
    for (int g = 0; g < TOWN_GROUPINGS; g++)
        for (uint32_t i = 0; i < 6; i++)
            cr_expect(strata_rank(&town->strata, TOWN_RISK, g, i) == WANT[g][i],
                      "grouping %d, person %u: got %u", g, i,
                      strata_rank(&town->strata, TOWN_RISK, g, i));
    town_free(town);
}

/* Of 20 scored: the top 10 % are 2, the top 30 % are 6 with those 2; the rest is low. */
Test(strata, bands_by_rank)
{
    Band bands[] = {
        {.id = "low"}, {.id = "high", .share = 0.3}, {.id = "top", .share = 0.1}};
    Town *town = town_new(22);
    Model *model = &town->plan.models[TOWN_RISK];
    int n[3] = {0, 0, 0};

    model->bands = bands;
    model->n_bands = 3;
    model->is_by_rank = true;
    for (int i = 0; i < 22; i++) {
        town->scores.score[TOWN_RISK][i] = i < 20 ? i : NAN;
        town->scores.outcome[TOWN_RISK][i] = i >= 20;
    }
    town_build(town);
    for (int i = 0; i < 20; i++)
        n[town->scores.band[TOWN_RISK][i]]++;
    cr_expect_eq(n[0], 14);
    cr_expect_eq(n[1], 4);
    cr_expect_eq(n[2], 2);
    cr_expect_eq(town->scores.band[TOWN_RISK][19], 2);
    cr_expect_eq(town->scores.band[TOWN_RISK][18], 2);
    cr_expect_eq(town->scores.band[TOWN_RISK][17], 1);
    cr_expect_eq(town->scores.band[TOWN_RISK][14], 1);
    cr_expect_eq(town->scores.band[TOWN_RISK][13], 0);
    cr_expect_eq(town->scores.band[TOWN_RISK][20], -1);
    town_free(town);
}
