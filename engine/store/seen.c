/*
 * seen.c - see seen.h.
 */
#include "engine/store/seen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int text_order(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void collect(Seen *seen, const Intake *intakes, const char *fixed)
{
    size_t n = 0;

    for (int i = 0; i < seen->n_intakes; i++)
        n += (size_t)names_count(intakes[i].names);
    seen->code = mem_alloc(n + 1, sizeof *seen->code, "practices");
    n = 0;
    for (int i = 0; i < seen->n_intakes; i++)
        for (int32_t w = 0; w < names_count(intakes[i].names); w++)
            seen->code[n++] = names_word(intakes[i].names, w);
    if (fixed != NULL || n == 0)
        seen->code[n++] = fixed ? fixed : "";
    qsort(seen->code, n, sizeof *seen->code, text_order);
    for (size_t s = 0; s < n; s++)
        if (seen->n == 0 || strcmp(seen->code[s], seen->code[seen->n - 1]) != 0)
            seen->code[seen->n++] = seen->code[s];
}

void seen_build(Seen *seen, const Intake *intakes, int n_intakes, const char *fixed)
{
    *seen = (Seen){.n_intakes = n_intakes};
    collect(seen, intakes, fixed);
    seen->rank = mem_alloc((size_t)n_intakes, sizeof *seen->rank, "practices");
    for (int i = 0; i < n_intakes; i++) {
        int32_t n_words = names_count(intakes[i].names);

        seen->rank[i] = mem_alloc((size_t)n_words, sizeof **seen->rank, "practices");
        for (int32_t w = 0; w < n_words; w++)
            seen->rank[i][w] = seen_find(seen, names_word(intakes[i].names, w));
    }
}

void seen_free(Seen *seen)
{
    for (int i = 0; seen->rank != NULL && i < seen->n_intakes; i++)
        free(seen->rank[i]);
    free(seen->rank);
    free(seen->code);
    *seen = (Seen){0};
}

uint32_t seen_find(const Seen *seen, const char *code)
{
    const char **at = bsearch(&code, seen->code, seen->n, sizeof code, text_order);

    assert(at != NULL);
    return (uint32_t)(at - seen->code);
}
