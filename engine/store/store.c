/*
 * store.c - see store.h.
 */
#include "engine/store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/store/pile.h"

const char *const row_fate_word[N_ROW_FATES] = {
    [ROW_KEPT] = "kept",
    [ROW_UNLISTED] = "unlisted",
    [ROW_OUTSIDE] = "outside",
    [ROW_LATER] = "later",
    [ROW_OPTED_OUT] = "opted out",
    [ROW_DUPLICATE] = "duplicate",
    [ROW_NO_PERSON] = "no person",
    [ROW_ORPHAN] = "orphan",
    [ROW_BAD_DATE] = "bad date",
    [ROW_BAD_CODE] = "bad code",
    [ROW_BAD_VALUE] = "bad value",
    [ROW_BEFORE_BIRTH] = "before birth",
    [ROW_AFTER_DEATH] = "after death",
    [ROW_BAD_END] = "ends before it starts",
    [ROW_CONFLICT] = "contradicts another row",
};

uint32_t store_find(const Store *store, int64_t person)
{
    uint32_t low = 0, high = store->n_people;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (store->person[middle] < person)
            low = middle + 1;
        else
            high = middle;
    }
    return low < store->n_people && store->person[low] == person ? low : UINT32_MAX;
}

static uint64_t events_bytes(const Events *events, const Source *source,
                             uint32_t n_people)
{
    uint64_t n_hits = events->hit_start == NULL ? 0 : events->hit_start[events->n_codes];

    return events->n * event_stored_bytes(source) +
           ((uint64_t)n_people + 1) * sizeof *events->start +
           events->n_codes * (sizeof *events->codes + sizeof *events->code_rows +
                              sizeof *events->hit_start) +
           n_hits * sizeof *events->hits;
}

uint64_t store_bytes(const Store *store, const Plan *plan)
{
    uint64_t bytes = 0, per_person = sizeof *store->person + sizeof *store->birth +
                                     sizeof *store->practice;

    for (int a = 0; store->attribute != NULL && a < plan->people->n_attributes; a++)
        per_person += store->attribute[a] == NULL ? 0 : sizeof(double);
    for (int g = 0; g < store->area.n_groupings; g++)
        bytes += store->area.n_groups[g] * sizeof(Group);
    for (int s = 0; store->events != NULL && s < plan->n_event_sources; s++)
        bytes += events_bytes(&store->events[s], plan_events(plan, s), store->n_people);
    bytes += store->n_others * (sizeof *store->other + sizeof *store->other_why);
    return bytes + store->n_people * per_person;
}

static void events_free(Events *events)
{
    free(events->start);
    free(events->day);
    free(events->code);
    free(events->conditions);
    free(events->value);
    free(events->end);
    free(events->codes);
    free(events->code_rows);
    free(events->hit_start);
    free(events->hits);
}

void store_drop_events(Store *store, const Plan *plan)
{
    for (int s = 0; store->events != NULL && s < plan->n_event_sources; s++) {
        events_free(&store->events[s]);
        store->events[s] = (Events){0};
    }
}

void store_free(Store *store, const Plan *plan)
{
    for (int a = 0; store->attribute != NULL && a < plan->people->n_attributes; a++)
        free(store->attribute[a]);
    free(store->attribute);
    store_drop_events(store, plan);
    free(store->events);
    for (int g = 0; g < MOST_GROUPINGS; g++) {
        free(store->area.groups[g]);
        free(store->area.group_of[g]);
    }
    free(store->person);
    free(store->birth);
    free(store->practice);
    free(store->counts);
    free(store->excluded);
    free(store->other);
    free(store->other_why);
    free(store->list_people);
    arena_free(store->texts);
    *store = (Store){0};
}

const char *exclusion_text(const Plan *plan, int exclusion)
{
    static const char *const TEXT[EXCLUDED_OPT_OUT] = {
        [EXCLUDED_NOT] = "in the run",
        [EXCLUDED_TEST] = "test patient",
        [EXCLUDED_NO_BIRTH] = "no date of birth",
        [EXCLUDED_NOT_BORN] = "born after the start of the run",
        [EXCLUDED_DEAD] = "dead at the start of the run",
        [EXCLUDED_UNREGISTERED] = "not registered anywhere",
        [EXCLUDED_ELSEWHERE] = "registered outside the area",
        [EXCLUDED_CONFLICT] = "records contradict each other",
    };

    if (exclusion < EXCLUDED_OPT_OUT)
        return TEXT[exclusion];
    assert(exclusion - EXCLUDED_OPT_OUT < plan->population.n_opt_outs);
    return plan->population.opt_outs[exclusion - EXCLUDED_OPT_OUT].label;
}
