/*
 * mem.c - the arena is a list of zeroed blocks that grow as it does; an array too
 * large for a block has a block of its own.
 */
#include "engine/base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/err.h"
#include "engine/base/log.h"

enum { FIRST_BLOCK = 4096, LAST_BLOCK = 1 << 20, ALIGN = _Alignof(max_align_t) };

typedef struct Block {
    struct Block *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
} Block;

struct Arena {
    Block *blocks; /* the first is the one in use */
    size_t next_size;
};

/* Other threads may be at work, so nothing is tidied up: see mem.h. */
static _Noreturn void out_of_memory(const char *what, size_t count, size_t size)
{
    char text[256];

    snprintf(text, sizeof text, "out of memory: no room for %s (%zu x %zu bytes)", what,
             count, size);
    log_reports(LOG_ERROR, text, ERR_MEMORY);
    _exit(ERR_MEMORY);
}

static size_t bytes_of(size_t count, size_t size, const char *what)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX / 2)
        out_of_memory(what, count, size);
    return bytes;
}

/* The events of a person lie in a row, but rows arrive for anybody: with pages of 4 KiB
 * the processor spends much of its time on finding pages. Where the system gives large
 * pages to those who ask, this asks; elsewhere it changes nothing. */
static void ask_large_pages(void *array, size_t bytes)
{
    const size_t large = (size_t)8 << 20;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)array + page - 1) / page * page;

    if (bytes >= large)
        madvise((void *)from, (uintptr_t)array + bytes - from, MADV_HUGEPAGE);
}

void *mem_alloc(size_t count, size_t size, const char *what)
{
    size_t bytes = bytes_of(count, size, what);
    void *array = calloc(bytes > 0 ? bytes : 1, 1);

    if (array == NULL)
        out_of_memory(what, count, size);
    ask_large_pages(array, bytes);
    return array;
}

void *mem_lines(size_t count, size_t size, const char *what)
{
    const size_t line = 64;
    size_t bytes = (bytes_of(count, size, what) + line - 1) / line * line;
    void *array = aligned_alloc(line, bytes > 0 ? bytes : line);

    if (array == NULL)
        out_of_memory(what, count, size);
    ask_large_pages(array, bytes);
    return memset(array, 0, bytes);
}

void *mem_grow(void *old, size_t count, size_t size, const char *what)
{
    size_t bytes = bytes_of(count, size, what);
    void *array = realloc(old, bytes > 0 ? bytes : 1);

    if (array == NULL)
        out_of_memory(what, count, size);
    ask_large_pages(array, bytes);
    return array;
}

size_t mem_peak_bytes(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (size_t)usage.ru_maxrss * 1024;
}

Arena *arena_new(void)
{
    Arena *arena = mem_alloc(1, sizeof *arena, "an arena");

    arena->next_size = FIRST_BLOCK;
    return arena;
}

void arena_free(Arena *arena)
{
    if (arena == NULL)
        return;
    for (Block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

/* A block with room for so many bytes. A large one goes behind the block in use,
 * whose rest would be lost otherwise. */
static Block *add_block(Arena *arena, size_t bytes)
{
    bool is_large = bytes > arena->next_size / 4;
    size_t size = is_large ? bytes : arena->next_size;
    Block *block = mem_alloc(1, sizeof *block + size, "an arena");

    block->size = size;
    if (is_large && arena->blocks != NULL) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
        return block;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    if (arena->next_size < LAST_BLOCK)
        arena->next_size *= 2;
    return block;
}

void *arena_alloc(Arena *arena, size_t count, size_t size)
{
    size_t bytes = (bytes_of(count, size, "an arena") + ALIGN - 1) / ALIGN * ALIGN;
    Block *block = arena->blocks;
    void *result;

    if (block == NULL || block->size - block->used < bytes)
        block = add_block(arena, bytes);
    result = block->bytes + block->used;
    block->used += bytes;
    return result;
}

char *arena_text(Arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1, 1);

    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = arena_alloc(arena, (size_t)(len > 0 ? len : 0) + 1, 1);
    va_start(args, format);
    vsnprintf(text, (size_t)(len > 0 ? len : 0) + 1, format, args);
    va_end(args);
    return text;
}

void *arena_grow(Arena *arena, const void *old, size_t old_count, size_t count,
                 size_t size)
{
    void *array = arena_alloc(arena, count, size);

    if (old != NULL && old_count > 0)
        memcpy(array, old, (old_count < count ? old_count : count) * size);
    return array;
}
