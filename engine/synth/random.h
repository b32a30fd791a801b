/*
 * random.h - numbers that look random and depend on nothing but a key.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
 * A stream is started from seed, person and purpose, so that no draw of one person or
 * purpose moves the draws of another.
 */
#ifndef ENGINE_SYNTH_RANDOM_H
#define ENGINE_SYNTH_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct Random {
    uint64_t state;
} Random;

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline Random random_start(uint64_t seed, uint32_t person, uint32_t purpose)
{
    uint64_t key = random_mix(seed + 0x9e3779b97f4a7c15ULL);

    key = random_mix(key ^ (((uint64_t)purpose << 32) | person));
    return (Random){key};
}

static inline uint64_t random_next(Random *random)
{
    random->state += 0x9e3779b97f4a7c15ULL;
    return random_mix(random->state);
}

/* 0 <= share < 1 */
static inline double random_share(Random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* 0 .. n-1; n >= 1 */
static inline uint32_t random_below(Random *random, uint32_t n)
{
    return (uint32_t)(((random_next(random) >> 32) * n) >> 32);
}

/* A day of [from, to); from < to. */
static inline int32_t random_day(Random *random, int32_t from, int32_t to)
{
    return from + (int32_t)random_below(random, (uint32_t)(to - from));
}

/* Normal with mean 0 and deviation 1 (Box-Muller, one of the two). */
static inline double random_normal(Random *random)
{
    double radius = sqrt(-2 * log(1 - random_share(random)));

    return radius * cos(6.283185307179586 * random_share(random));
}

/* Exponential. */
static inline double random_wait(Random *random, double mean)
{
    return -mean * log(1 - random_share(random));
}

/* Poisson, at most 255. Large means by their normal limit. */
static inline int random_count(Random *random, double mean)
{
    double floor_of_product = exp(-mean), product = 1;
    int count = 0;

    if (mean > 60) {
        double draw = mean + sqrt(mean) * random_normal(random);

        return draw < 0 ? 0 : draw > 255 ? 255 : (int)(draw + 0.5);
    }
    while ((product *= random_share(random)) > floor_of_product)
        count++;
    return count;
}

#endif
