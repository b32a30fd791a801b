#include <criterion/criterion.h>

#include "engine/store/store.h"

Test(store, finds_a_person)
{
    int64_t people[] = {-5, 0, 7, 1000};
    Store store = {.n_people = 4, .person = people};

    for (uint32_t p = 0; p < 4; p++)
        cr_expect_eq(store_find(&store, people[p]), p);
    cr_expect_eq(store_find(&store, 8), UINT32_MAX);
    cr_expect_eq(store_find(&store, INT64_MIN), UINT32_MAX);
    cr_expect_eq(store_find(&store, INT64_MAX), UINT32_MAX);
    store.n_people = 0;
    cr_expect_eq(store_find(&store, 7), UINT32_MAX);
}

Test(store, every_fate_and_exclusion_has_words)
{
    OptOut opt_outs[] = {{.label = "said no"}};
    Plan plan = {.population = {.opt_outs = opt_outs, .n_opt_outs = 1}};

    for (int f = 0; f < N_ROW_FATES; f++)
        cr_expect_not_null(row_fate_word[f], "fate %d", f);
    for (int x = 0; x < EXCLUDED_OPT_OUT; x++)
        cr_expect_not_null(exclusion_text(&plan, x), "exclusion %d", x);
    cr_expect_str_eq(exclusion_text(&plan, EXCLUDED_DEAD),
                     "dead at the start of the run");
    cr_expect_str_eq(exclusion_text(&plan, EXCLUDED_OPT_OUT), "said no");
}
