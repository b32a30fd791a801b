/*
 * list_compare.h - what changed between two versions of a code list, and which codes
 * stand in more than one place.
 *
 * A code is the same when its text, its coding system and its way of matching are. What
 * it means is its category with the weight, the bounds on a value, and the sex.
 */
#ifndef ENGINE_CODES_LIST_COMPARE_H
#define ENGINE_CODES_LIST_COMPARE_H

#include "engine/codes/codes.h"

/* A line of a list with its category. */
typedef struct ListLine {
    const ListEntry *entry;
    const Category *category;
} ListLine;

/* The lines of a list by code, and for one code by meaning. Borrows the list. */
ListLine *list_lines(const CodeList *list, Arena *arena);
/* How many lines from this one on have its code. */
int list_same_code(const ListLine *lines, int n);
/* "falls, above 0, below 60, sex F, weight 1.9". */
const char *list_meaning(const ListLine *line, Arena *arena);

typedef enum ChangeKind {
    CHANGE_ADDED,
    CHANGE_REMOVED,
    CHANGE_MEANING,
    N_CHANGES
} ChangeKind;

/* One code whose lines differ. */
typedef struct ListChange {
    ChangeKind kind;
    const ListLine *before, *after; /* all of its lines in each version */
    int n_before, n_after;
} ListChange;

typedef struct ListDiff {
    ListChange *changes; /* in the order of codes */
    int n, n_of[N_CHANGES];
} ListDiff;

/* Either list may be empty. Everything is in the arena. */
void list_diff(ListDiff *diff, const CodeList *before, const CodeList *after,
               Arena *arena);

/* A code that stands in two lists, by its first line in each. */
typedef struct ListCommon {
    ListLine a, b;
} ListCommon;

/* How many codes stand in both lists, and where, in the order of codes. */
int list_in_common(ListCommon **common, const CodeList *a, const CodeList *b,
                   Arena *arena);
/* Codes that stand in two or more categories of the list: one record counts for each. */
int list_in_categories(const CodeList *list);

#endif
