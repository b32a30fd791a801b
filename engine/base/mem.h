/*
 * mem.h - two ways to hold memory, by how long a thing lives.
 *
 * Arena: many small things that are released together (the plan; one worker's
 * scratch). mem_alloc: a large array released by its owner's _free.
 *
 * Neither returns NULL. Out of memory names the array and ends the program with
 * ERR_MEMORY; nothing is visible to readers before the last transaction, so that
 * is safe at any moment.
 */
#ifndef ENGINE_BASE_MEM_H
#define ENGINE_BASE_MEM_H

#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena); /* NULL is accepted */

/* Zeroed, aligned for any type, good until arena_free. count may be 0. */
void *arena_alloc(Arena *arena, size_t count, size_t size);
/* A copy of len bytes with a closing NUL. */
char *arena_text(Arena *arena, const char *text, size_t len);
/* printf into the arena. */
char *arena_format(Arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A larger copy of an array that grows inside an arena; the old one is left. */
void *arena_grow(Arena *arena, const void *old, size_t old_count, size_t count,
                 size_t size);

/* Zeroed array of count x size bytes, released with free(). what names it in the
 * message when there is no room ("events of gp_event"). */
void *mem_alloc(size_t count, size_t size, const char *what);
/* The same, from the beginning of a cache line (64 bytes) on. */
void *mem_lines(size_t count, size_t size, const char *what);
/* realloc with the same promise; new room is not zeroed. */
void *mem_grow(void *old, size_t count, size_t size, const char *what);

/* Largest resident set of this process so far, in bytes (getrusage). */
size_t mem_peak_bytes(void);

/* Before a function that only fetches into the cache. A compiler sees no effect in it,
 * and drops calls of it that it has not put in line by then. */
#define FETCHES_ONLY __attribute__((always_inline))

#endif
