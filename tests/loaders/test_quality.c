#include <criterion/criterion.h>

#include "loaders/quality.h"

Test(quality, a_share_of_rejects_is_a_limit)
{
    Source sources[] = {
        {.name = "people",
         .role = ROLE_PEOPLE,
         .max_rejected = 0.1,
         .where = {"s", 1, 1}},
        {.name = "gp", .role = ROLE_EVENTS, .max_rejected = 0, .where = {"s", 2, 1}}};
    Plan plan = {.sources = sources, .n_sources = 2};
    SourceCount counts[2] = {{.rows = 100}, {.rows = 10}};
    Err err = {0};

    counts[0].fate[ROW_BAD_DATE] = 7;
    counts[0].fate[ROW_BAD_VALUE] = 3;
    counts[0].fate[ROW_DUPLICATE] = 50; /* no fault */
    cr_expect_eq(quality_rejected(&counts[0]), 10);
    cr_expect_eq(quality_check(&plan, counts, ROLE_PEOPLE, ROLE_OPT_OUTS, &err), 0);
    counts[0].fate[ROW_BAD_VALUE] = 4;
    counts[1].fate[ROW_ORPHAN] = 1;
    cr_expect_eq(quality_check(&plan, counts, ROLE_PEOPLE, ROLE_OPT_OUTS, &err), -1);
    cr_expect_str_eq(err.text,
                     "s:1:1: source \"people\": 11 of 100 rows are rejected, more "
                     "than max_rejected (10 %): 7 bad date, 4 bad value");
    err_clear(&err);
    cr_expect_eq(quality_check(&plan, counts, ROLE_EVENTS, ROLE_EVENTS, &err), -1);
    cr_expect_str_eq(err.text,
                     "s:2:1: source \"gp\": 1 of 10 rows are rejected, more than "
                     "max_rejected (0 %): 1 orphan");
}

Test(quality, counts_of_workers_add_up)
{
    SourceCount sum = {.latest = DAY_UNKNOWN},
                one = {.rows = 3, .bytes = 5, .latest = -7};

    one.fate[ROW_KEPT] = 2;
    one.seconds = 0.5;
    quality_add(&sum, &one);
    one.latest = -9;
    quality_add(&sum, &one);
    cr_expect_eq(sum.rows, 6);
    cr_expect_eq(sum.bytes, 10);
    cr_expect_eq(sum.latest, -7);
    cr_expect_eq(sum.fate[ROW_KEPT], 4);
    cr_expect_eq(sum.seconds, 1);
}
