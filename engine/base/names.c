/*
 * names.c - open addressing over the words' numbers; the words lie one after the
 * other in one buffer, each with a NUL.
 */
#include "engine/base/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

typedef struct Word {
    size_t at, len; /* in the text */
    uint64_t hash;
} Word;

struct Names {
    char *text;
    size_t text_used, text_room;
    Word *words;
    int32_t n_words, room;
    int32_t *slots; /* number + 1; 0 = free */
    size_t n_slots; /* a power of two, at most half full */
};

/* FNV-1a, with its high half folded in for the low bits that pick the slot. */
static uint64_t hash_of(const char *word, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)word[i]) * 0x100000001b3;
    return hash ^ (hash >> 32);
}

Names *names_new(void)
{
    Names *names = mem_alloc(1, sizeof *names, "names");

    names->n_slots = 32;
    names->slots = mem_alloc(names->n_slots, sizeof *names->slots, "names");
    return names;
}

void names_free(Names *names)
{
    if (names == NULL)
        return;
    free(names->text);
    free(names->words);
    free(names->slots);
    free(names);
}

/* The slot that holds the word, or the free one where it belongs. */
static int32_t *slot_of(const Names *names, const char *word, size_t len, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        int32_t *slot = &names->slots[i & (names->n_slots - 1)];
        const Word *held;

        if (*slot == 0)
            return slot;
        held = &names->words[*slot - 1];
        if (held->hash == hash && held->len == len &&
            (len == 0 || memcmp(names->text + held->at, word, len) == 0))
            return slot;
    }
}

static void double_slots(Names *names)
{
    free(names->slots);
    names->n_slots *= 2;
    names->slots = mem_alloc(names->n_slots, sizeof *names->slots, "names");
    for (int32_t n = 0; n < names->n_words; n++) {
        const Word *word = &names->words[n];

        *slot_of(names, names->text + word->at, word->len, word->hash) = n + 1;
    }
}

static void keep_word(Names *names, const char *word, size_t len, uint64_t hash)
{
    if (names->n_words == names->room) {
        names->room = names->room > 0 ? names->room * 2 : 16;
        names->words =
            mem_grow(names->words, (size_t)names->room, sizeof *names->words, "names");
    }
    if (names->text_room - names->text_used < len + 1) {
        names->text_room = (names->text_used + len + 1) * 2;
        names->text = mem_grow(names->text, names->text_room, 1, "names");
    }
    if (len > 0)
        memcpy(names->text + names->text_used, word, len);
    names->text[names->text_used + len] = '\0';
    names->words[names->n_words++] = (Word){names->text_used, len, hash};
    names->text_used += len + 1;
}

int32_t names_add(Names *names, const char *word, size_t len)
{
    uint64_t hash = hash_of(word, len);
    int32_t *slot = slot_of(names, word, len, hash);

    if (*slot != 0)
        return *slot - 1;
    assert(names->n_words < INT32_MAX / 2);
    *slot = names->n_words + 1;
    keep_word(names, word, len, hash);
    if ((size_t)names->n_words * 2 > names->n_slots)
        double_slots(names);
    return names->n_words - 1;
}

int32_t names_find(const Names *names, const char *word, size_t len)
{
    return *slot_of(names, word, len, hash_of(word, len)) - 1;
}

int32_t names_count(const Names *names)
{
    return names->n_words;
}

const char *names_word(const Names *names, int32_t number)
{
    assert(number >= 0 && number < names->n_words);
    return names->text + names->words[number].at;
}
