/*
 * order.c - see order.h.
 */
#include "engine/base/order.h"

#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/mem.h"

enum { DIGITS = 8, BUCKETS = 256 };

static unsigned digit(uint64_t key, int d)
{
    return (unsigned)(key >> (8 * d)) & (BUCKETS - 1);
}

/* One stable pass; false where all entries share the digit. */
static bool sort_digit(Keyed *to, const Keyed *from, uint32_t n, int d)
{
    uint32_t start[BUCKETS] = {0};
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        start[digit(from[i].key, d)]++;
    if (n == 0 || start[digit(from[0].key, d)] == n)
        return false;
    for (int b = 0; b < BUCKETS; b++) {
        uint32_t count = start[b];

        start[b] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < n; i++)
        to[start[digit(from[i].key, d)]++] = from[i];
    return true;
}

Keyed *order_sort(Keyed *entries, uint32_t n)
{
    Keyed *other = mem_alloc(n, sizeof *other, "entries to sort");

    for (int d = 0; d < DIGITS; d++) {
        if (sort_digit(other, entries, n, d)) {
            Keyed *swap = entries;

            entries = other;
            other = swap;
        }
    }
    free(other);
    return entries;
}
