/*
 * test_section.c - numbers in bits and planes, and sections of a file.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/extract/section.h"

static uint32_t noise(uint32_t i)
{
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)((x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9) >> 32);
}

Test(section, numbers_of_every_width_come_back)
{
    for (int bits = 0; bits <= 32; bits++)
        for (size_t n = 0; n < 70; n += 23) {
            uint32_t in[70], out[70];
            uint8_t packed[70 * 4 + BITS_SLACK + 1];
            size_t bytes = bits_bytes(n, bits);

            memset(packed, 0xa5, sizeof packed);
            for (uint32_t i = 0; i < n; i++)
                in[i] = bits == 0 ? 0 : noise(i) >> (32 - bits);
            bits_put(packed, in, n, bits);
            cr_expect(packed[bytes + BITS_SLACK] == 0xa5, "%d bits: too far", bits);
            bits_get(out, packed, n, bits);
            cr_expect(memcmp(in, out, n * sizeof *in) == 0, "%d bits, %zu numbers", bits,
                      n);
        }
}

Test(section, bits_needed)
{
    static const struct {
        uint32_t most;
        int bits;
    } CASES[] = {{0, 0}, {1, 1},   {2, 2},   {3, 2},
                 {4, 3}, {255, 8}, {256, 9}, {UINT32_MAX, 32}};

    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++)
        cr_expect_eq(bits_needed(CASES[c].most), CASES[c].bits, "%u", CASES[c].most);
}

Test(section, planes_come_back)
{
    uint64_t in[33], out[33];
    uint8_t planes[33 * 8];

    for (uint32_t i = 0; i < 33; i++)
        in[i] = (uint64_t)noise(i) << 32 | noise(i + 100);
    planes_put(planes, in, 33);
    planes_get(out, planes, 33);
    cr_expect(memcmp(in, out, sizeof in) == 0);
}

/* One row is one piece of bytes; a new kind of bytes adds a row. */
static const struct {
    const char *name;
    size_t n;
    bool is_noise;
    uint32_t is_packed;
} PIECES[] = {
    {"nothing", 0, false, 0},
    {"a few bytes", 40, false, 0},
    {"a run", 100000, false, 1},
    {"noise", 100000, true, 0},
};

Test(section, what_was_put_comes_back_or_is_refused)
{
    Packer *packer = packer_new();

    for (size_t p = 0; p < sizeof PIECES / sizeof *PIECES; p++) {
        size_t n = PIECES[p].n;
        uint8_t *in = calloc(n + 1, 1), *out = calloc(n + 1, 1);
        Buffer file = {0};
        Section section;

        for (uint32_t i = 0; i < n && PIECES[p].is_noise; i++)
            in[i] = (uint8_t)noise(i);
        buffer_add(&file, 3);
        section = section_put(&file, packer, in, n, n / 2);
        cr_expect_eq(section.is_packed, PIECES[p].is_packed, "%s", PIECES[p].name);
        cr_expect(section_get(out, packer, &section, file.bytes, file.n), "%s",
                  PIECES[p].name);
        cr_expect(memcmp(in, out, n) == 0, "%s", PIECES[p].name);
        cr_expect(n == 0 || !section_get(out, packer, &section, file.bytes, file.n - 1),
                  "%s: cut off", PIECES[p].name);
        for (size_t i = 3; i < file.n; i += 1 + file.n / 50) {
            file.bytes[i] ^= 1;
            cr_expect(!section_get(out, packer, &section, file.bytes, file.n),
                      "%s: byte %zu", PIECES[p].name, i);
            file.bytes[i] ^= 1;
        }
        buffer_free(&file);
        free(in);
        free(out);
    }
    packer_free(packer);
}

/* What no bytes of that number can come from is refused before room is made for it. */
Test(section, more_than_bytes_can_hold_is_not_possible)
{
    const struct {
        Section section;
        bool is_possible;
    } CASES[] = {
        {{.offset = 10, .bytes = 90, .stored = 90}, true},
        {{.offset = 10, .bytes = 91, .stored = 90}, false},
        {{.offset = 11, .bytes = 90, .stored = 90}, false},
        {{.offset = 101, .bytes = 0, .stored = 0}, false},
        {{.offset = 10, .bytes = 90 * 1032, .stored = 90, .is_packed = 1}, true},
        {{.offset = 10, .bytes = 91 * 1032, .stored = 90, .is_packed = 1}, false},
        {{.offset = 10, .bytes = UINT32_MAX, .stored = 90, .is_packed = 1}, false},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        cr_expect_eq(section_is_possible(&CASES[i].section, 100), CASES[i].is_possible,
                     "case %zu", i);
}
