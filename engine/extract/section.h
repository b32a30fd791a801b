/*
 * section.h - a piece of bytes as it lies in a file of the extract: compressed where that
 * pays, and with a checksum; and numbers packed into as many bits as they need.
 *
 * Sections are little-endian, as the machines are that this runs on. Level 1 of zlib: a
 * section is read far more often than it is written, and higher levels gain little on
 * columns of small numbers. Taking such numbers out of zlib's codes one by one costs some
 * ten times what taking them out of their bits does; so they are packed first, and zlib
 * is left for what it halves: long runs.
 */
#ifndef ENGINE_EXTRACT_SECTION_H
#define ENGINE_EXTRACT_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An entry of a chunk's directory, as it lies in the file. */
typedef struct Section {
    uint64_t offset; /* in the file */
    uint32_t bytes;  /* of the piece itself */
    uint32_t stored; /* in the file */
    uint32_t crc;    /* of what is stored: CRC-32 as in gzip */
    uint32_t is_packed;
} Section;

/* Bytes that grow. */
typedef struct Buffer {
    uint8_t *bytes;
    size_t n, room;
} Buffer;

/* Room for n bytes more, which are counted as used. Good until the next call. */
uint8_t *buffer_add(Buffer *buffer, size_t n);
void buffer_free(Buffer *buffer);

/* One worker's compressor and decompressor. */
typedef struct Packer Packer;
Packer *packer_new(void);
void packer_free(Packer *packer); /* NULL is accepted */

/* Appends the bytes to out, and says where. Compressed only if most bytes or fewer are
 * left. */
Section section_put(Buffer *out, Packer *packer, const void *bytes, size_t n,
                    size_t most);

/* Whether a file of that length can hold the section, and the section so many bytes: to
 * be asked before room is made for what a damaged directory says. */
bool section_is_possible(const Section *section, size_t file_bytes);

/* The bytes of a section of a file that is held in memory; out must have room for
 * section->bytes. False if they are not what was written. */
bool section_get(void *out, Packer *packer, const Section *section, const uint8_t *file,
                 size_t file_bytes);

/* Numbers of so many bits each (at most 32), one behind the other. BITS_SLACK bytes
 * behind their last may be read, and are zero when they are written. */
enum { BITS_SLACK = 8 };
static inline size_t bits_bytes(size_t n, int bits)
{
    return (n * (size_t)bits + 7) / 8;
}
int bits_needed(uint32_t most);
void bits_put(uint8_t *out, const uint32_t *numbers, size_t n, int bits);
void bits_get(uint32_t *numbers, const uint8_t *packed, size_t n, int bits);

/* 64-bit numbers as eight planes of bytes, first the lowest of all, and back: columns of
 * small or similar numbers are then mostly long runs. */
void planes_put(uint8_t *out, const uint64_t *numbers, size_t n);
void planes_get(uint64_t *numbers, const uint8_t *planes, size_t n);

#endif
