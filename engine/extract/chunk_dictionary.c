/*
 * chunk_dictionary.c - values -> their numbers, by a hash table; see chunk_dictionary.h.
 */
#include "engine/extract/chunk_dictionary.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

enum { FIRST_SLOTS = 1024 };

void dictionary_build(Dictionary *dictionary)
{
    *dictionary = (Dictionary){.mask = FIRST_SLOTS - 1};
    dictionary->slots = mem_alloc(FIRST_SLOTS, sizeof *dictionary->slots, "the extract");
    dictionary_clear(dictionary);
}

void dictionary_clear(Dictionary *dictionary)
{
    dictionary->n = 1;
    dictionary->last = 0;
    dictionary->text.n = 0;
    memset(dictionary->slots, 0,
           ((size_t)dictionary->mask + 1) * sizeof *dictionary->slots);
}

void dictionary_free(Dictionary *dictionary)
{
    free(dictionary->number);
    free(dictionary->end);
    free(dictionary->slots);
    buffer_free(&dictionary->text);
}

static uint64_t mix(uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t hash_text(const char *text, uint32_t len)
{
    uint64_t hash = len;

    for (uint32_t i = 0; i < len; i += 8) {
        uint64_t bits = 0;

        memcpy(&bits, text + i, len - i < 8 ? len - i : 8);
        hash = mix(hash ^ bits);
    }
    return hash;
}

static void grow_slots(Dictionary *dictionary)
{
    dictionary->mask = 4 * (dictionary->mask + 1) - 1;
    free(dictionary->slots);
    dictionary->slots =
        mem_alloc((size_t)dictionary->mask + 1, sizeof *dictionary->slots, "extract");
    for (uint32_t v = 1; v < dictionary->n; v++) {
        uint64_t at = mix(dictionary->number[v]) & dictionary->mask;

        while (dictionary->slots[at] != 0)
            at = (at + 1) & dictionary->mask;
        dictionary->slots[at] = v;
    }
}

const char *dictionary_text(const Dictionary *dictionary, uint32_t value, uint32_t *len)
{
    uint32_t start = value == 1 ? 0 : dictionary->end[value - 1];

    *len = dictionary->end[value] - start;
    return (const char *)dictionary->text.bytes + start;
}

static bool is_value(const Dictionary *dictionary, uint32_t value, uint64_t number,
                     const char *text, uint32_t len)
{
    const char *other;
    uint32_t other_len;

    if (value == 0 || dictionary->number[value] != number)
        return false;
    if (text == NULL)
        return true;
    other = dictionary_text(dictionary, value, &other_len);
    return len == other_len && memcmp(text, other, len) == 0;
}

static uint32_t add_value(Dictionary *dictionary, uint64_t number, const char *text,
                          uint32_t len)
{
    if (dictionary->n >= dictionary->room) {
        dictionary->room = 2 * dictionary->room + 256;
        dictionary->number = mem_grow(dictionary->number, dictionary->room,
                                      sizeof *dictionary->number, "extract");
        if (text != NULL)
            dictionary->end = mem_grow(dictionary->end, dictionary->room,
                                       sizeof *dictionary->end, "extract");
    }
    dictionary->number[dictionary->n] = number;
    if (text != NULL) {
        if (len > 0)
            memcpy(buffer_add(&dictionary->text, len), text, len);
        dictionary->end[dictionary->n] = (uint32_t)dictionary->text.n;
    }
    return dictionary->n++;
}

static uint32_t value_number(Dictionary *dictionary, uint64_t number, const char *text,
                             uint32_t len)
{
    uint64_t at;

    if (is_value(dictionary, dictionary->last, number, text, len))
        return dictionary->last;
    if (2 * dictionary->n > dictionary->mask)
        grow_slots(dictionary);
    at = mix(number) & dictionary->mask;
    while (dictionary->slots[at] != 0) {
        if (is_value(dictionary, dictionary->slots[at], number, text, len))
            return dictionary->last = dictionary->slots[at];
        at = (at + 1) & dictionary->mask;
    }
    return dictionary->last = dictionary->slots[at] =
               add_value(dictionary, number, text, len);
}

uint32_t dictionary_add_number(Dictionary *dictionary, uint64_t number)
{
    return value_number(dictionary, number, NULL, 0);
}

uint32_t dictionary_add_text(Dictionary *dictionary, const char *text, uint32_t len)
{
    return value_number(dictionary, hash_text(text, len), text, len);
}

static int descending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a < b) - (a > b);
}

uint32_t *dictionary_rank(const Dictionary *dictionary, const uint32_t *index,
                          uint32_t n_rows)
{
    uint32_t *to = mem_alloc(dictionary->n, sizeof *to, "the extract");
    uint64_t *key;

    if (dictionary->n - 1 > n_rows / 2) { /* they hardly repeat */
        for (uint32_t v = 0; v < dictionary->n; v++)
            to[v] = v;
        return to;
    }
    key = mem_alloc(dictionary->n, sizeof *key, "the extract");
    for (uint32_t v = 0; v < dictionary->n; v++)
        key[v] = UINT32_MAX - v;
    for (uint32_t i = 0; i < n_rows; i++)
        key[index[i]] += UINT64_C(1) << 32;
    key[0] = UINT64_MAX; /* missing stays 0 */
    qsort(key, dictionary->n, sizeof *key, descending);
    for (uint32_t r = 1; r < dictionary->n; r++)
        to[UINT32_MAX - (uint32_t)key[r]] = r;
    free(key);
    return to;
}
