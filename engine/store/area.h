/*
 * area.h - practices and what they belong to: geography is data.
 *
 * In:  rows of the practices source, or the practices that people are registered with.
 * Out: the practices of the run's area and, for each grouping, its groups.
 */
#ifndef ENGINE_STORE_AREA_H
#define ENGINE_STORE_AREA_H

#include "engine/store/store.h"

/* Texts are borrowed; NULL = none. By grouping: PCN, locality ... */
typedef struct Practice {
    const char *code, *name;
    const char *group[MOST_GROUPINGS], *group_name[MOST_GROUPINGS];
} Practice;

/*
 * Sorts practices by code and leaves each once. Rows that say the same are merged and
 * counted as duplicates; of those that contradict each other the first in the order of
 * their texts stays, and the others are counted as conflicts. Returns how many stay.
 */
uint32_t practices_merge(Practice *practices, uint32_t n, SourceCount *count);

/* The place of a practice among n in order of their code, or UINT32_MAX. */
uint32_t practices_find(const Practice *practices, uint32_t n, const char *code);

/* True if the config's `area:` keeps the practice. */
bool practice_is_in(const Practice *practice, const Plan *plan);

/*
 * Fills the area from n (less than GROUP_NONE) practices in order of their code, all in
 * the area; a practice's number is its place among them. Texts are copied. A group's
 * name is the first one given in that order, else its code.
 */
void area_build(Area *area, const Practice *practices, uint32_t n, const Plan *plan,
                Arena *texts);

/* Counts the people of every group. */
void area_count(Area *area, const uint16_t *practice, uint32_t n_people);

#endif
