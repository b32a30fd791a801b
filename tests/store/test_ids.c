#include <criterion/criterion.h>

#include "engine/store/ids.h"

Test(ids, every_id_is_found_and_no_other)
{
    Ids ids;
    enum { N = 5000 };

    /* Dense, sparse, negative and the ends of the range. */
    ids_build(&ids, 3 * N + 2);
    for (int64_t i = 0; i < N; i++) {
        ids_add(&ids, i, (uint32_t)i, -1);
        ids_add(&ids, -1 - i, ID_OUTSIDE, 0);
        ids_add(&ids, (i + 1) << 40, (uint32_t)i, 7);
    }
    ids_add(&ids, INT64_MAX, ID_DEAD, 42);
    ids_add(&ids, INT64_MIN, ID_OPTED_OUT, 0);
    for (int64_t i = 0; i < N; i++) {
        cr_assert_eq(ids_find(&ids, i)->person, i);
        cr_assert_eq(ids_find(&ids, -1 - i)->person, ID_OUTSIDE);
        cr_assert_eq(ids_find(&ids, (i + 1) << 40)->limit, 7);
        cr_assert_eq(ids_find(&ids, ((i + 1) << 40) + 1)->person, ID_ABSENT);
    }
    cr_expect_eq(ids_find(&ids, INT64_MAX)->limit, 42);
    cr_expect_eq(ids_find(&ids, INT64_MIN)->person, ID_OPTED_OUT);
    cr_expect_eq(ids_find(&ids, N)->person, ID_ABSENT);
    ids_free(&ids);
}

Test(ids, nobody_is_found_among_nobody)
{
    Ids ids;

    ids_build(&ids, 0);
    cr_expect_eq(ids_find(&ids, 0)->person, ID_ABSENT);
    ids_free(&ids);
    ids_free(&ids);
}
