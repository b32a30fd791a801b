#include "engine/base/order.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "engine/base/mem.h"

static Keyed *numbers(const int64_t *number, uint32_t n)
{
    Keyed *entries = mem_alloc(n, sizeof *entries, "numbers");

    for (uint32_t i = 0; i < n; i++)
        entries[i] = (Keyed){order_key_signed(number[i]), i};
    return order_sort(entries, n);
}

Test(order, ascends_with_the_sign)
{
    static const int64_t NUMBERS[] = {5, -1, INT64_MAX, 0, INT64_MIN, 256, -257};
    static const uint32_t WANT[] = {4, 6, 1, 3, 0, 5, 2};
    Keyed *entries = numbers(NUMBERS, 7);

    for (int i = 0; i < 7; i++)
        cr_expect_eq(entries[i].item, WANT[i], "place %d", i);
    free(entries);
}

Test(order, equal_keys_stay_as_they_came)
{
    static const int64_t NUMBERS[] = {7, 3, 7, 3, 7};
    static const uint32_t WANT[] = {1, 3, 0, 2, 4};
    Keyed *entries = numbers(NUMBERS, 5);

    for (int i = 0; i < 5; i++)
        cr_expect_eq(entries[i].item, WANT[i], "place %d", i);
    free(entries);
}

/* Of any length, and both nearly in order and not. */
Test(order, few_are_sorted_as_many_are)
{
    enum { MOST = 400 };

    for (uint32_t n = 0; n < MOST; n++)
        for (uint64_t step = 1; step < 4; step++) {
            Keyed few[MOST], other[MOST];
            Keyed *many = mem_alloc(n, sizeof *many, "numbers");

            for (uint32_t i = 0; i < n; i++)
                many[i] = few[i] =
                    (Keyed){(i * step * step) % 53 + i / 7 * (step % 3), i};
            many = order_sort(many, n);
            order_sort_few(few, other, n);
            for (uint32_t i = 0; i < n; i++) {
                cr_assert_eq(few[i].key, many[i].key, "place %u of %u", i, n);
                cr_assert_eq(few[i].item, many[i].item, "place %u of %u", i, n);
            }
            free(many);
        }
}

Test(order, nothing_is_sorted_too)
{
    free(order_sort(mem_alloc(0, sizeof(Keyed), "nothing"), 0));
}
