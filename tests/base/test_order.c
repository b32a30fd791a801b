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

static int keyed_order(const void *left, const void *right)
{
    const Keyed *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* The first digits tell random numbers apart, and hardly those of a cluster, of which
 * many have their last digits in another order. */
Test(order, many_are_sorted_whatever_their_digits)
{
    enum { N = 3000 };
    static const uint64_t MASKS[] = {UINT64_MAX,
                                     UINT64_MAX << 32,
                                     UINT64_C(0xff00ff00ff00ff00),
                                     0xffff,
                                     UINT64_C(0x30000000fff),
                                     UINT64_C(0x3f00000000000003),
                                     0,
                                     UINT64_C(0xff00000000000fff)};

    for (size_t m = 0; m < sizeof MASKS / sizeof *MASKS; m++)
        for (int clusters = 0; clusters < 2; clusters++) {
            Keyed *got = mem_alloc(N, sizeof *got, "numbers");
            Keyed *want = mem_alloc(N, sizeof *want, "numbers");
            uint64_t state = 1;

            for (uint32_t i = 0; i < N; i++) {
                state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                got[i] = (Keyed){(state ^ state >> 29) & MASKS[m], i};
                if (clusters &&
                    i % 5 > 0) /* all but their last digit like the one before */
                    got[i].key = (got[i - 1].key & ~UINT64_C(0xff)) | (got[i].key & 0xff);
                want[i] = got[i];
            }
            qsort(want, N, sizeof *want, keyed_order);
            got = order_sort(got, N);
            for (uint32_t i = 0; i < N; i++) {
                cr_assert_eq(got[i].key, want[i].key, "mask %zu, place %u", m, i);
                cr_assert_eq(got[i].item, want[i].item, "mask %zu, place %u", m, i);
            }
            free(want);
            free(got);
        }
}

Test(order, nothing_is_sorted_too)
{
    free(order_sort(mem_alloc(0, sizeof(Keyed), "nothing"), 0));
}
