/*
 * copy_array.c - numeric arrays in COPY BINARY: see copy.h.
 *
 * Dimensions, whether there are nulls, type of the elements; then for each dimension
 * its length and lower bound; then the elements as columns are written, each with its
 * length. Written for many small arrays: one pass, and room is asked for once.
 */
#include <endian.h>
#include <math.h>
#include <string.h>

#include "engine/db/copy.h"

enum { HEADER_BYTES = 20, EMPTY_BYTES = 12 };
enum { INT2_OID = 21, INT4_OID = 23, FLOAT8_OID = 701 };

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

/* Starts an array of n elements that take so many bytes with their lengths. */
static uint8_t *start(Copy *copy, uint32_t type, int n, size_t bytes)
{
    uint8_t *at = copy_value(copy, n > 0 ? HEADER_BYTES + bytes : EMPTY_BYTES);

    at = put32(at, n > 0);
    at = put32(at, 1); /* there may be nulls: the server looks for itself */
    at = put32(at, type);
    if (n > 0) {
        at = put32(at, (uint32_t)n);
        at = put32(at, 1);
    }
    return at;
}

void copy_float8s(Copy *copy, const double *values, int n)
{
    size_t present = 0;
    uint8_t *at;

    for (int i = 0; i < n; i++)
        present += !isnan(values[i]);
    at = start(copy, FLOAT8_OID, n, 4 * (size_t)n + 8 * present);
    for (int i = 0; i < n; i++) {
        uint64_t bits;

        if (isnan(values[i])) {
            at = put32(at, UINT32_MAX);
            continue;
        }
        at = put32(at, 8);
        memcpy(&bits, &values[i], sizeof bits);
        bits = htobe64(bits);
        memcpy(at, &bits, sizeof bits);
        at += sizeof bits;
    }
}

static size_t count_present(const int32_t *values, int n)
{
    size_t present = 0;

    for (int i = 0; i < n; i++)
        present += values[i] != ARRAY_NULL;
    return present;
}

void copy_int2s(Copy *copy, const int32_t *values, int n)
{
    uint8_t *at = start(copy, INT2_OID, n, 4 * (size_t)n + 2 * count_present(values, n));

    for (int i = 0; i < n; i++) {
        uint16_t bits = htobe16((uint16_t)values[i]);

        if (values[i] == ARRAY_NULL) {
            at = put32(at, UINT32_MAX);
            continue;
        }
        at = put32(at, 2);
        memcpy(at, &bits, sizeof bits);
        at += sizeof bits;
    }
}

void copy_int4s(Copy *copy, const int32_t *values, int n)
{
    uint8_t *at = start(copy, INT4_OID, n, 4 * (size_t)n + 4 * count_present(values, n));

    for (int i = 0; i < n; i++) {
        if (values[i] == ARRAY_NULL) {
            at = put32(at, UINT32_MAX);
            continue;
        }
        at = put32(at, 4);
        at = put32(at, (uint32_t)values[i]);
    }
}
