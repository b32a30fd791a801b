/*
 * order.h - sorting things by a number, stable: many at once with a radix sort, in time
 * that grows with the number of things alone; or a few, often.
 */
#ifndef ENGINE_BASE_ORDER_H
#define ENGINE_BASE_ORDER_H

#include <stdint.h>

typedef struct Keyed {
    uint64_t key;
    uint32_t item;
} Keyed;

/* Puts n entries in ascending order of key; equal keys stay as they came. Needs as much
 * memory again while it works. Returns the sorted array, which takes the place of
 * `entries`: release it with free(). */
Keyed *order_sort(Keyed *entries, uint32_t n);

/* The same for a few, in place: by insertion, long runs by merging. `other` is room for n
 * entries. Cheap where they are nearly in order. */
void order_sort_few(Keyed *entries, Keyed *other, uint32_t n);

/* A key that grows as the number does. */
static inline uint64_t order_key_signed(int64_t number)
{
    return (uint64_t)number ^ UINT64_C(1) << 63;
}

#endif
