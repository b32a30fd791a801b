/*
 * sums.h - sums of whole numbers that come to the same in any order, and so are taken
 * several at a time: none may be beyond 2^53.
 */
#ifndef ENGINE_BASE_SUMS_H
#define ENGINE_BASE_SUMS_H

#include <stdint.h>
#include <string.h>

/* Two numbers in one register, wherever they lie in memory. */
typedef double Pair __attribute__((vector_size(16)));
typedef int64_t PairBits __attribute__((vector_size(16)));

static inline Pair pair_at(const double *value)
{
    Pair pair;

    memcpy(&pair, value, sizeof pair);
    return pair;
}

/* value[0] + ... + value[n - 1]. */
static inline double sum_all(const double *value, int n)
{
    Pair a = {0, 0}, b = {0, 0};
    int i = 0;

    for (; i + 8 <= n; i += 8) {
        a += pair_at(&value[i]) + pair_at(&value[i + 2]);
        b += pair_at(&value[i + 4]) + pair_at(&value[i + 6]);
    }
    for (; i + 2 <= n; i += 2)
        a += pair_at(&value[i]);
    a += b;
    return a[0] + a[1] + (i < n ? value[i] : 0);
}

/* The points of those whose value is above 0; missing is not. */
static inline Pair points_at(const double *value, const double *points)
{
    Pair none = {0, 0};

    return (Pair)((PairBits)(pair_at(value) > none) & (PairBits)pair_at(points));
}

/* The sum of the points of all whose value is above 0. */
static inline double sum_points(const double *value, const double *points, int n)
{
    Pair a = {0, 0}, b = {0, 0};
    int i = 0;

    for (; i + 8 <= n; i += 8) {
        a += points_at(&value[i], &points[i]) + points_at(&value[i + 2], &points[i + 2]);
        b += points_at(&value[i + 4], &points[i + 4]) +
             points_at(&value[i + 6], &points[i + 6]);
    }
    for (; i + 2 <= n; i += 2)
        a += points_at(&value[i], &points[i]);
    a += b;
    return a[0] + a[1] + (i < n ? (value[i] > 0) * points[i] : 0);
}

#endif
