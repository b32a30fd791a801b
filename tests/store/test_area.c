#include <criterion/criterion.h>
#include <stdlib.h>

#include "engine/store/area.h"

static Grouping groupings[] = {{"all", "Everyone"},
                               {"practice", "Practice"},
                               {"pcn", "PCN"},
                               {"locality", "Locality"}};

static Practice practice(const char *code, const char *name, const char *pcn,
                         const char *locality)
{
    return (Practice){.code = code, .name = name, .group = {NULL, NULL, pcn, locality}};
}

Test(area, rows_of_a_practice_are_merged)
{
    Practice rows[] = {
        practice("B", "b", "N1", NULL),  practice("A", "a", "N2", "L"),
        practice("B", "b", "N1", NULL), /* the same again */
        practice("A", "a", "N1", "L"),  /* contradicts: the first by text stays */
        practice("C", NULL, NULL, NULL),
    };
    SourceCount count = {.fate = {[ROW_KEPT] = 5}};
    uint32_t n = practices_merge(rows, 5, &count);

    cr_assert_eq(n, 3);
    cr_expect_str_eq(rows[0].group[2], "N1");
    cr_expect_eq(count.fate[ROW_KEPT], 3);
    cr_expect_eq(count.fate[ROW_DUPLICATE], 1);
    cr_expect_eq(count.fate[ROW_CONFLICT], 1);
    cr_expect_eq(practices_find(rows, n, "B"), 1);
    cr_expect_eq(practices_find(rows, n, "D"), UINT32_MAX);
    cr_expect_eq(practices_find(rows, 0, "B"), UINT32_MAX);
}

/* A practice without a PCN, a PCN across two localities, a PCN with a name. */
Test(area, groups_are_in_the_order_of_their_codes)
{
    Arena *arena = arena_new();
    Plan plan = {.groupings = groupings, .n_groupings = 4};
    Practice rows[] = {
        practice("A", "Alpha", "N2", "L1"), practice("B", NULL, "N1", "L2"),
        practice("C", "Gamma", "N2", "L2"), practice("D", "Delta", NULL, "L1")};
    const uint16_t people[] = {0, 0, 2, 3, 2};
    Area area;

    rows[2].group_name[2] = "North";
    area_build(&area, rows, 4, &plan, arena);
    area_count(&area, people, 5);
    cr_assert_eq(area.n_groups[GROUPING_ALL], 1);
    cr_expect_str_eq(area.groups[0][0].name, "Everyone");
    cr_expect_eq(area.groups[0][0].n_people, 5);
    cr_assert_eq(area.n_groups[GROUPING_PRACTICE], 4);
    cr_expect_str_eq(area.groups[1][1].name, "B");
    cr_expect_eq(area.groups[1][1].n_people, 0);
    cr_assert_eq(area.n_groups[2], 2);
    cr_expect_str_eq(area.groups[2][0].code, "N1");
    cr_expect_str_eq(area.groups[2][1].name, "North");
    cr_expect_eq(area.groups[2][1].n_people, 4);
    cr_expect_eq(area.group_of[2][0], 1);
    cr_expect_eq(area.group_of[2][1], 0);
    cr_expect_eq(area.group_of[2][3], GROUP_NONE);
    cr_expect_eq(area.groups[3][0].n_people, 3);
    for (int g = 0; g < 4; g++) {
        free(area.groups[g]);
        free(area.group_of[g]);
    }
    arena_free(arena);
}

Test(area, the_config_keeps_some)
{
    const char *keep[] = {"L1", "L9"};
    Plan plan = {.population = {.n_area = 2, .area_grouping = 3, .area = keep}};
    Practice in = practice("A", NULL, NULL, "L1"), out = practice("B", NULL, NULL, "L2");
    Practice none = practice("L1", NULL, NULL, NULL);

    cr_expect(practice_is_in(&in, &plan));
    cr_expect_not(practice_is_in(&out, &plan));
    cr_expect_not(practice_is_in(&none, &plan));
    plan.population.area_grouping = GROUPING_PRACTICE;
    cr_expect(practice_is_in(&none, &plan));
    plan.population.n_area = 0;
    cr_expect(practice_is_in(&out, &plan));
}
