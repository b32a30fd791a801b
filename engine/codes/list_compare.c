#include "engine/codes/list_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines in order ------------------------------------------------------ */

static int compare_codes(const ListEntry *a, const ListEntry *b)
{
    System of_a = code_system(a->code), of_b = code_system(b->code);

    if (of_a != of_b)
        return of_a < of_b ? -1 : 1;
    if (a->code.high != b->code.high)
        return a->code.high < b->code.high ? -1 : 1;
    if (a->code.low != b->code.low)
        return a->code.low < b->code.low ? -1 : 1;
    return a->is_prefix - b->is_prefix;
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_meanings(const ListLine *a, const ListLine *b)
{
    int c = strcmp(a->category->id, b->category->id);

    if (c == 0)
        c = compare_numbers(a->entry->above, b->entry->above);
    if (c == 0)
        c = compare_numbers(a->entry->below, b->entry->below);
    if (c == 0)
        c = a->entry->sex - b->entry->sex;
    if (c == 0)
        c = (a->category->weight > b->category->weight) -
            (a->category->weight < b->category->weight);
    return c != 0 ? c : a->category->decimals - b->category->decimals;
}

static int compare_lines(const void *left, const void *right)
{
    const ListLine *a = left, *b = right;
    int c = compare_codes(a->entry, b->entry);

    return c != 0 ? c : compare_meanings(a, b);
}

ListLine *list_lines(const CodeList *list, Arena *arena)
{
    ListLine *lines = arena_alloc(arena, (size_t)list->n_entries, sizeof *lines);

    for (int e = 0; e < list->n_entries; e++) {
        const ListEntry *entry = &list->entries[e];

        lines[e] = (ListLine){entry, &list->categories[entry->category]};
    }
    if (list->n_entries > 0)
        qsort(lines, (size_t)list->n_entries, sizeof *lines, compare_lines);
    return lines;
}

int list_same_code(const ListLine *lines, int n)
{
    int same = 1;

    while (same < n && compare_codes(lines[same].entry, lines[0].entry) == 0)
        same++;
    return same;
}

/* ---- in words ------------------------------------------------------------ */

static const char *weight_text(const Category *category, Arena *arena)
{
    long long whole = category->weight < 0 ? -category->weight : category->weight;
    long long unit = 1;

    for (int d = 0; d < category->decimals; d++)
        unit *= 10;
    if (category->decimals == 0)
        return arena_format(arena, "%lld", (long long)category->weight);
    return arena_format(arena, "%s%lld.%0*lld", category->weight < 0 ? "-" : "",
                        whole / unit, category->decimals, whole % unit);
}

const char *list_meaning(const ListLine *line, Arena *arena)
{
    const ListEntry *entry = line->entry;
    const char *text = line->category->id[0] != '\0' ? line->category->id : "listed";

    if (entry->above > -INFINITY)
        text = arena_format(arena, "%s, above %.10g", text, entry->above);
    if (entry->below < INFINITY)
        text = arena_format(arena, "%s, below %.10g", text, entry->below);
    if (entry->sex != 0)
        text = arena_format(arena, "%s, sex %c", text, entry->sex);
    if (line->category->weight != 0)
        text = arena_format(arena, "%s, weight %s", text,
                            weight_text(line->category, arena));
    return text;
}

/* ---- two versions -------------------------------------------------------- */

static bool is_same(const ListChange *change)
{
    if (change->n_before != change->n_after)
        return false;
    for (int i = 0; i < change->n_before; i++)
        if (compare_meanings(&change->before[i], &change->after[i]) != 0)
            return false;
    return true;
}

void list_diff(ListDiff *diff, const CodeList *before, const CodeList *after,
               Arena *arena)
{
    const ListLine *a = list_lines(before, arena), *b = list_lines(after, arena);
    const ListLine *end_a = a + before->n_entries, *end_b = b + after->n_entries;
    size_t most = (size_t)before->n_entries + (size_t)after->n_entries;

    *diff = (ListDiff){.changes = arena_alloc(arena, most, sizeof *diff->changes)};
    while (a < end_a || b < end_b) {
        int order = a == end_a ? 1 : b == end_b ? -1 : compare_codes(a->entry, b->entry);
        ListChange change = {.before = a, .after = b};

        if (order <= 0)
            change.n_before = list_same_code(a, (int)(end_a - a));
        if (order >= 0)
            change.n_after = list_same_code(b, (int)(end_b - b));
        a += change.n_before;
        b += change.n_after;
        change.kind = order < 0   ? CHANGE_REMOVED
                      : order > 0 ? CHANGE_ADDED
                                  : CHANGE_MEANING;
        if (is_same(&change))
            continue;
        diff->changes[diff->n++] = change;
        diff->n_of[change.kind]++;
    }
}

/* ---- the same code in two places ------------------------------------------- */

int list_in_common(ListCommon **common, const CodeList *a, const CodeList *b,
                   Arena *arena)
{
    const ListLine *at = list_lines(a, arena), *other = list_lines(b, arena);
    int most = a->n_entries < b->n_entries ? a->n_entries : b->n_entries;
    int i = 0, j = 0, n = 0;

    *common = arena_alloc(arena, (size_t)most, sizeof **common);
    while (i < a->n_entries && j < b->n_entries) {
        int order = compare_codes(at[i].entry, other[j].entry);

        if (order == 0)
            (*common)[n++] = (ListCommon){at[i], other[j]};
        if (order <= 0)
            i += list_same_code(&at[i], a->n_entries - i);
        if (order >= 0)
            j += list_same_code(&other[j], b->n_entries - j);
    }
    return n;
}

int list_in_categories(const CodeList *list)
{
    Arena *arena = arena_new();
    const ListLine *lines = list_lines(list, arena);
    int n = 0, same;

    for (int i = 0; i < list->n_entries; i += same) {
        same = list_same_code(&lines[i], list->n_entries - i);
        n += lines[i].category != lines[i + same - 1].category;
    }
    arena_free(arena);
    return n;
}
