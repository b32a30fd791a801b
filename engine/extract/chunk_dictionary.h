/*
 * chunk_dictionary.h - the different values of a column whose rows are being collected,
 * each with a number: from 1, in the order in which they were met. For chunk_write.c.
 *
 * A dictionary is of numbers or of texts, and stays so when it is cleared.
 */
#ifndef ENGINE_EXTRACT_CHUNK_DICTIONARY_H
#define ENGINE_EXTRACT_CHUNK_DICTIONARY_H

#include "engine/extract/section.h"

typedef struct Dictionary {
    uint32_t n, room; /* values, with 0, which is "missing" */
    uint64_t *number; /* by value; of a text its hash */
    uint32_t *end;    /* by value, of a text */
    Buffer text;
    uint32_t *slots; /* hash table of values; 0 = empty */
    uint32_t mask;
    uint32_t last; /* values often repeat from row to row */
} Dictionary;

void dictionary_build(Dictionary *dictionary);
void dictionary_clear(Dictionary *dictionary); /* keeps its memory */
void dictionary_free(Dictionary *dictionary);

/* The number of the value, which is added if it is new. */
uint32_t dictionary_add_number(Dictionary *dictionary, uint64_t number);
uint32_t dictionary_add_text(Dictionary *dictionary, const char *text, uint32_t len);
/* The text of a value, not terminated. Borrowed until the next one is added. */
const char *dictionary_text(const Dictionary *dictionary, uint32_t value, uint32_t *len);

/* to[value] is its number in the file: the most frequent first, since small numbers
 * compress best; of equals the one met first. index is the values of rows. Released with
 * free(). */
uint32_t *dictionary_rank(const Dictionary *dictionary, const uint32_t *index,
                          uint32_t n_rows);

#endif
