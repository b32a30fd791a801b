/*
 * names.h - a hash table from words to small numbers, in the order of adding.
 *
 * For config-time maps and for words of a source (practice codes, attribute
 * values). Not for the hot path of codes; that is store/dict.h.
 */
#ifndef ENGINE_BASE_NAMES_H
#define ENGINE_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

typedef struct Names Names;

enum { NAMES_NONE = -1 };

Names *names_new(void);
void names_free(Names *names); /* NULL is accepted */

/* The word's number, adding it with the next one if it is new. Copies the word. */
int32_t names_add(Names *names, const char *word, size_t len);
/* The word's number, or NAMES_NONE. */
int32_t names_find(const Names *names, const char *word, size_t len);
int32_t names_count(const Names *names);
/* Borrowed, NUL-terminated, good until the next names_add. */
const char *names_word(const Names *names, int32_t number);

#endif
