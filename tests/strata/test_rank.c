#include "engine/strata/rank.h"

#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

enum { NONE = UINT16_MAX };

/* One row is one rule of rank.h; a new rule or a fixed bug adds a row. */
static const struct {
    const char *name;
    double score[5];
    uint16_t group[5];
    uint32_t want[5];
} CASES[] = {
    {"one group", {5, 9, 7, 1, 3}, {0, 0, 0, 0, 0}, {3, 1, 2, 5, 4}},
    {"ties go by person", {7, 9, 7, 5, 5}, {0, 0, 0, 0, 0}, {2, 1, 3, 4, 5}},
    {"groups do not mix", {5, 9, 7, 1, 3}, {1, 0, 1, 0, 1}, {2, 1, 1, 2, 3}},
    {"no score, no rank", {NAN, 9, NAN, 1, 3}, {0, 0, 0, 0, 0}, {0, 1, 0, 3, 2}},
    {"no group, no rank", {5, 9, 7, 1, 3}, {0, NONE, 0, 0, 0}, {2, 0, 1, 4, 3}},
    {"negative scores", {-1, -9, 0, 2, -1}, {0, 0, 0, 0, 0}, {3, 5, 2, 1, 4}},
    {"the two zeros are one",
     {0.0, -0.0, 0.0, -0.0, 1},
     {0, 0, 0, 0, 0},
     {2, 3, 4, 5, 1}},
    {"infinity is a score",
     {-INFINITY, 3, INFINITY, 1e308, -1e308},
     {0, 0, 0, 0, 0},
     {5, 3, 1, 2, 4}},
    {"nobody has a score", {NAN, NAN, NAN, NAN, NAN}, {0, 1, 0, 1, 0}, {0, 0, 0, 0, 0}},
};

Test(rank, cases)
{
    static const uint16_t practice[5] = {0, 1, 2, 3, 4};

    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        const uint16_t *const group_of[] = {CASES[c].group};
        const uint32_t n_groups[] = {2};
        Groups groups = {5, 1, practice, group_of, n_groups};
        uint32_t got[5];
        uint32_t *rank[] = {got};
        Ranking ranking = {CASES[c].score, rank};

        rank_all(&ranking, 1, &groups);
        for (int i = 0; i < 5; i++)
            cr_expect(got[i] == CASES[c].want[i], "%s: person %d: got %u, want %u",
                      CASES[c].name, i, got[i], CASES[c].want[i]);
    }
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a < b) - (a > b);
}

Test(rank, order_is_that_of_a_plain_sort)
{
    enum { N = 20000 };
    double *score = mem_alloc(N, sizeof *score, "test");
    double *sorted = mem_alloc(N, sizeof *sorted, "test");
    uint32_t *order = mem_alloc(N, sizeof *order, "test");

    srand48(1);
    for (int i = 0; i < N; i++)
        score[i] = i % 3 == 0 ? (double)(lrand48() % 50) - 25
                              : ldexp(drand48() - 0.5, (int)(lrand48() % 40) - 20);
    memcpy(sorted, score, N * sizeof *score);
    qsort(sorted, N, sizeof *sorted, compare_doubles);
    cr_assert_eq(rank_order(order, score, N), N);
    for (int i = 0; i < N; i++) {
        cr_assert(score[order[i]] == sorted[i]);
        cr_assert(i == 0 || sorted[i] != sorted[i - 1] || order[i] > order[i - 1]);
    }
    free(score);
    free(sorted);
    free(order);
}

enum { PEOPLE = 5000, MODELS = 9 };

static void rank_with(int threads, uint32_t out[MODELS][2][PEOPLE],
                      double score[MODELS][PEOPLE], const Groups *groups)
{
    uint32_t *rank[MODELS][2];
    Ranking rankings[MODELS];

    for (int m = 0; m < MODELS; m++) {
        rank[m][0] = out[m][0];
        rank[m][1] = out[m][1];
        rankings[m] = (Ranking){score[m], rank[m]};
    }
    omp_set_num_threads(threads);
    rank_all(rankings, MODELS, groups);
}

Test(rank, one_thread_and_seven_agree)
{
    static double score[MODELS][PEOPLE];
    static uint16_t practice[PEOPLE];
    static uint32_t one[MODELS][2][PEOPLE], seven[MODELS][2][PEOPLE];
    static const uint16_t all[3] = {0, 0, 0}, some[3] = {0, 1, NONE};
    const uint16_t *const group_of[] = {all, some};
    const uint32_t n_groups[] = {1, 2};
    Groups groups = {PEOPLE, 2, practice, group_of, n_groups};

    srand48(2);
    for (int i = 0; i < PEOPLE; i++) {
        practice[i] = (uint16_t)(lrand48() % 3);
        for (int m = 0; m < MODELS; m++)
            score[m][i] = lrand48() % 7 == 0 ? NAN : (double)(lrand48() % 100);
    }
    rank_with(1, one, score, &groups);
    rank_with(7, seven, score, &groups);
    cr_assert(memcmp(one, seven, sizeof one) == 0);
}

Test(rank, the_top_share_is_rounded_up)
{
    static const struct {
        uint32_t n;
        double share;
        uint32_t want;
    } CASE[] = {
        {100, 0.07, 7},   {100, 0.05, 5}, {101, 0.05, 6}, {1, 0.005, 1},
        {0, 0.5, 0},      {10, 0, 0},     {10, 1, 10},    {10, 2, 10},
        {1000, 0.005, 5}, {3, 0.34, 2},   {50, 0.29, 15}, {4000000000U, 0.5, 2000000000U},
    };

    for (size_t c = 0; c < sizeof CASE / sizeof *CASE; c++)
        cr_expect(rank_top(CASE[c].n, CASE[c].share) == CASE[c].want,
                  "top %g of %u: got %u, want %u", CASE[c].share, CASE[c].n,
                  rank_top(CASE[c].n, CASE[c].share), CASE[c].want);
}
