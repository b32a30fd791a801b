/*
 * section.c - see section.h.
 */
#include "engine/extract/section.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers lie as they are held");

struct Packer {
    z_stream deflate, inflate;
};

uint8_t *buffer_add(Buffer *buffer, size_t n)
{
    uint8_t *at;

    if (buffer->n + n > buffer->room) {
        buffer->room = 2 * (buffer->n + n);
        buffer->bytes = mem_grow(buffer->bytes, buffer->room, 1, "the extract");
    }
    at = buffer->bytes + buffer->n;
    buffer->n += n;
    return at;
}

void buffer_free(Buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (Buffer){0};
}

Packer *packer_new(void)
{
    Packer *packer = mem_alloc(1, sizeof *packer, "compression");
    int made = deflateInit2(&packer->deflate, 1, Z_DEFLATED, -MAX_WBITS, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK &&
               inflateInit2(&packer->inflate, -MAX_WBITS) == Z_OK;

    assert(made);
    return packer;
}

void packer_free(Packer *packer)
{
    if (packer == NULL)
        return;
    deflateEnd(&packer->deflate);
    inflateEnd(&packer->inflate);
    free(packer);
}

/* Compresses to the end of the buffer. 0 if that is not shorter than most. */
static size_t pack(Buffer *out, Packer *packer, const void *bytes, size_t n, size_t most)
{
    z_stream *stream = &packer->deflate;
    size_t start = out->n;

    deflateReset(stream);
    stream->next_in = (Bytef *)bytes;
    stream->avail_in = (uInt)n;
    stream->next_out = buffer_add(out, most);
    stream->avail_out = (uInt)most;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) {
        out->n = start;
        return 0;
    }
    out->n = start + stream->total_out;
    return stream->total_out;
}

Section section_put(Buffer *out, Packer *packer, const void *bytes, size_t n, size_t most)
{
    Section section = {.offset = out->n, .bytes = (uint32_t)n};
    size_t packed = 0;

    assert(n <= UINT32_MAX / 2);
    if (n >= 64)
        packed = pack(out, packer, bytes, n, most);
    if (packed == 0 && n > 0)
        memcpy(buffer_add(out, n), bytes, n);
    section.is_packed = packed > 0;
    section.stored = (uint32_t)(packed > 0 ? packed : n);
    section.crc =
        (uint32_t)crc32(crc32(0, NULL, 0), out->bytes + section.offset, section.stored);
    return section;
}

bool section_is_possible(const Section *section, size_t file_bytes)
{
    enum { MOST_FROM_ONE = 1032 }; /* bytes that deflate makes of one */

    if (section->offset > file_bytes || section->stored > file_bytes - section->offset)
        return false;
    return section->is_packed ? section->bytes / MOST_FROM_ONE <= section->stored
                              : section->bytes == section->stored;
}

bool section_get(void *out, Packer *packer, const Section *section, const uint8_t *file,
                 size_t file_bytes)
{
    z_stream *stream = &packer->inflate;
    const uint8_t *stored = file + section->offset;

    if (!section_is_possible(section, file_bytes) ||
        crc32(crc32(0, NULL, 0), stored, section->stored) != section->crc)
        return false;
    if (!section->is_packed) {
        if (section->bytes > 0)
            memcpy(out, stored, section->bytes);
        return true;
    }
    inflateReset(stream);
    stream->next_in = (Bytef *)stored;
    stream->avail_in = section->stored;
    stream->next_out = out;
    stream->avail_out = section->bytes;
    return inflate(stream, Z_FINISH) == Z_STREAM_END && stream->avail_out == 0 &&
           stream->avail_in == 0;
}

int bits_needed(uint32_t most)
{
    return most == 0 ? 0 : 32 - __builtin_clz(most);
}

void bits_put(uint8_t *out, const uint32_t *numbers, size_t n, int bits)
{
    memset(out, 0, bits_bytes(n, bits) + BITS_SLACK);
    for (size_t i = 0; i < n; i++) {
        size_t at = i * (size_t)bits;
        uint64_t word;

        memcpy(&word, out + at / 8, sizeof word);
        word |= (uint64_t)numbers[i] << at % 8;
        memcpy(out + at / 8, &word, sizeof word);
    }
}

void bits_get(uint32_t *numbers, const uint8_t *packed, size_t n, int bits)
{
    const uint64_t mask = (UINT64_C(1) << bits) - 1;

    for (size_t i = 0; i < n; i++) {
        size_t at = i * (size_t)bits;
        uint64_t word;

        memcpy(&word, packed + at / 8, sizeof word);
        numbers[i] = (uint32_t)(word >> at % 8 & mask);
    }
}

void planes_put(uint8_t *out, const uint64_t *numbers, size_t n)
{
    for (int p = 0; p < 8; p++)
        for (size_t i = 0; i < n; i++)
            out[(size_t)p * n + i] = (uint8_t)(numbers[i] >> (8 * p));
}

void planes_get(uint64_t *numbers, const uint8_t *planes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        numbers[i] = planes[i];
    for (int p = 1; p < 8; p++)
        for (size_t i = 0; i < n; i++)
            numbers[i] |= (uint64_t)planes[(size_t)p * n + i] << (8 * p);
}
