/*
 * order.c - see order.h.
 */
#include "engine/base/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

enum { DIGITS = 8, BUCKETS = 256, FEW = 24 };

/* ---- a few ------------------------------------------------------------- */

static void insert_each(Keyed *entries, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        Keyed entry = entries[i];
        uint32_t at = i;

        for (; at > 0 && entry.key < entries[at - 1].key; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* from[0 .. middle) and from[middle .. n) are in order. */
static void merge_two(Keyed *to, const Keyed *from, uint32_t middle, uint32_t n)
{
    const Keyed *a = from, *b = from + middle;

    if (middle == n || a[middle - 1].key <= b->key) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    while (a < from + middle && b < from + n) {
        bool is_second = b->key < a->key;

        *to++ = is_second ? *b : *a;
        a += !is_second;
        b += is_second;
    }
    memcpy(to, a, (size_t)(from + middle - a) * sizeof *to);
    to += from + middle - a;
    memcpy(to, b, (size_t)(from + n - b) * sizeof *to);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void order_sort_few(Keyed *entries, Keyed *other, uint32_t n)
{
    Keyed *from = entries, *to = other;

    for (uint32_t at = 0; at < n; at += FEW)
        insert_each(entries + at, least(FEW, n - at));
    for (uint32_t width = FEW; width < n; width *= 2) {
        Keyed *swap = from;

        for (uint32_t at = 0; at < n; at += 2 * width)
            merge_two(to + at, from + at, least(width, n - at), least(2 * width, n - at));
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, n * sizeof *entries);
}

/* ---- many -------------------------------------------------------------- */

static unsigned digit(uint64_t key, int d)
{
    return (unsigned)(key >> (8 * d)) & (BUCKETS - 1);
}

/* How many entries have each digit: the passes do not change that. */
static void count_digits(uint32_t count[DIGITS][BUCKETS], const Keyed *entries,
                         uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (int d = 0; d < DIGITS; d++)
            count[d][digit(entries[i].key, d)]++;
}

/* One stable pass; false where all entries share the digit. */
static bool sort_digit(Keyed *to, const Keyed *from, uint32_t n, int d, uint32_t *start)
{
    uint32_t sum = 0;

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

/* The digits from here on tell most entries apart, if they do not depend on each other:
 * numbers that were drawn at random need few of them. */
static int last_digit(uint32_t count[DIGITS][BUCKETS], uint32_t n)
{
    uint64_t groups = 1;
    int d = DIGITS;

    while (d > 0 && groups / 4 < n) {
        uint32_t kinds = 0;

        d--;
        for (int b = 0; b < BUCKETS; b++)
            kinds += count[d][b] > 0;
        groups *= kinds;
    }
    return d;
}

/* Entries that are in order but for the digits before d. */
static void sort_rest(Keyed *entries, Keyed *other, uint32_t n, int d)
{
    for (uint32_t i = 0, next; i < n && d > 0; i = next) {
        bool is_sorted = true;

        for (next = i + 1;
             next < n && (entries[next].key ^ entries[i].key) >> (8 * d) == 0; next++)
            is_sorted &= entries[next - 1].key <= entries[next].key;
        if (!is_sorted)
            order_sort_few(entries + i, other, next - i);
    }
}

Keyed *order_sort(Keyed *entries, uint32_t n)
{
    Keyed *other = mem_alloc(n, sizeof *other, "entries to sort");
    uint32_t count[DIGITS][BUCKETS] = {0};
    int last;

    count_digits(count, entries, n);
    last = last_digit(count, n);
    for (int d = last; d < DIGITS; d++) {
        if (sort_digit(other, entries, n, d, count[d])) {
            Keyed *swap = entries;

            entries = other;
            other = swap;
        }
    }
    sort_rest(entries, other, n, last);
    free(other);
    return entries;
}
