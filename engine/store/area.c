/*
 * area.c - see area.h.
 */
#include "engine/store/area.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* NULL before every text. */
static int text_order(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int practice_order(const void *left, const void *right)
{
    const Practice *a = left, *b = right;
    int order = strcmp(a->code, b->code);

    if (order == 0)
        order = text_order(a->name, b->name);
    for (int g = 0; g < MOST_GROUPINGS && order == 0; g++) {
        order = text_order(a->group[g], b->group[g]);
        if (order == 0)
            order = text_order(a->group_name[g], b->group_name[g]);
    }
    return order;
}

uint32_t practices_merge(Practice *practices, uint32_t n, SourceCount *count)
{
    uint32_t kept = 0;

    if (n > 0)
        qsort(practices, n, sizeof *practices, practice_order);
    for (uint32_t i = 0; i < n; i++) {
        const Practice *last = kept == 0 ? NULL : &practices[kept - 1];

        if (last == NULL || strcmp(last->code, practices[i].code) != 0)
            practices[kept++] = practices[i];
        else if (practice_order(&practices[i - 1], &practices[i]) == 0)
            change_fate(count, ROW_DUPLICATE);
        else
            change_fate(count, ROW_CONFLICT);
    }
    return kept;
}

static int code_order(const void *code, const void *practice)
{
    return strcmp(code, ((const Practice *)practice)->code);
}

uint32_t practices_find(const Practice *practices, uint32_t n, const char *code)
{
    const Practice *found =
        n == 0 ? NULL : bsearch(code, practices, n, sizeof *practices, code_order);

    return found == NULL ? UINT32_MAX : (uint32_t)(found - practices);
}

bool practice_is_in(const Practice *practice, const Plan *plan)
{
    const Population *population = &plan->population;
    const char *group = population->area_grouping == GROUPING_PRACTICE
                            ? practice->code
                            : practice->group[population->area_grouping];

    if (population->n_area == 0)
        return true;
    for (int i = 0; i < population->n_area && group != NULL; i++)
        if (strcmp(population->area[i], group) == 0)
            return true;
    return false;
}

/* A practice's group of one grouping. */
typedef struct Belonging {
    const char *code, *name;
    uint32_t practice;
} Belonging;

static int belonging_order(const void *left, const void *right)
{
    const Belonging *a = left, *b = right;
    int order = strcmp(a->code, b->code);

    return order != 0 ? order : (a->practice > b->practice) - (a->practice < b->practice);
}

static const char *keep_text(Arena *texts, const char *text)
{
    return arena_text(texts, text, strlen(text));
}

/* Fills the groups of one grouping from n belongings. */
static void build_groups(Area *area, int grouping, Belonging *all, uint32_t n,
                         Arena *texts)
{
    Group *groups = mem_alloc(n, sizeof *groups, "groups");
    uint32_t n_groups = 0;

    if (n > 0)
        qsort(all, n, sizeof *all, belonging_order);
    for (uint32_t i = 0; i < n; i++) {
        Group *group = n_groups == 0 ? NULL : &groups[n_groups - 1];

        if (group == NULL || strcmp(group->code, all[i].code) != 0) {
            group = &groups[n_groups++];
            group->code = group->name = keep_text(texts, all[i].code);
        }
        if (group->name == group->code && all[i].name != NULL)
            group->name = keep_text(texts, all[i].name);
        area->group_of[grouping][all[i].practice] = (uint16_t)(n_groups - 1);
    }
    area->groups[grouping] = groups;
    area->n_groups[grouping] = n_groups;
}

void area_build(Area *area, const Practice *practices, uint32_t n, const Plan *plan,
                Arena *texts)
{
    Belonging *all = mem_alloc(n, sizeof *all, "groups");

    assert(n < GROUP_NONE && plan->n_groupings <= MOST_GROUPINGS);
    *area = (Area){.n_groupings = plan->n_groupings};
    for (int g = 0; g < plan->n_groupings; g++) {
        uint32_t n_in = 0;

        area->group_of[g] = mem_alloc(n, sizeof *area->group_of[g], "groups");
        for (uint32_t p = 0; p < n; p++) {
            Belonging *one = &all[n_in];

            one->practice = p;
            one->code = practices[p].group[g];
            one->name = practices[p].group_name[g];
            if (g == GROUPING_ALL)
                one->code = "all", one->name = plan->groupings[g].title;
            if (g == GROUPING_PRACTICE)
                one->code = practices[p].code, one->name = practices[p].name;
            area->group_of[g][p] = GROUP_NONE;
            n_in += one->code != NULL;
        }
        build_groups(area, g, all, n_in, texts);
    }
    free(all);
}

void area_count(Area *area, const uint16_t *practice, uint32_t n_people)
{
    uint32_t n_practices = area->n_groups[GROUPING_PRACTICE];
    uint32_t *n = mem_alloc(n_practices, sizeof *n, "people of practices");

    for (uint32_t person = 0; person < n_people; person++)
        n[practice[person]]++;
    for (int g = 0; g < area->n_groupings; g++)
        for (uint32_t p = 0; p < n_practices; p++) {
            uint16_t group = area->group_of[g][p];

            if (group != GROUP_NONE)
                area->groups[g][group].n_people += n[p];
        }
    free(n);
}
