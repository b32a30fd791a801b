/*
 * feature_set.c - lays out the features of a run for counting.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "models/feature_set.h"

/* ---- by feature ---------------------------------------------------------- */

static bool count_takes_undated(Count count)
{
    return count == COUNT_EXISTS || count == COUNT_ROWS || count == COUNT_CODES ||
           (count >= COUNT_SUM && count <= COUNT_MEAN);
}

static Counter counter_of(const Feature *feature)
{
    Count count = feature->count;

    return (Counter){
        /* Of a spell the other end is looked at, too. */
        .from = count == COUNT_BED_DAYS ? DAY_FIRST : feature->from,
        .to = feature->to,
        .conditions = feature->conditions,
        .count = (uint8_t)count,
        .is_plain = count == COUNT_EXISTS || count == COUNT_ROWS ||
                    count == COUNT_DAYS_SINCE_LAST || count == COUNT_AGE_AT_LAST,
        .takes_undated = feature->is_ever && count_takes_undated(count),
    };
}

/* Codes are stored in ascending order, so those with the same start stand together. */
static const Groups *groups_find(FeatureSet *set, int source, int chars)
{
    const Events *events = &set->store->events[source];
    Groups *groups;
    Code last = {0, 0};

    for (groups = set->groups; groups != NULL; groups = groups->next)
        if (groups->source == source && groups->chars == chars)
            return groups;
    groups = mem_alloc(1, sizeof *groups, "code groups");
    groups->source = source;
    groups->chars = chars;
    groups->group = mem_alloc(events->n_codes, sizeof *groups->group, "code groups");
    for (uint32_t c = 0; c < events->n_codes; c++) {
        Code code = chars > 0 ? code_cut(events->codes[c], chars) : events->codes[c];

        if (c == 0 || !code_equal(code, last))
            groups->n++;
        groups->group[c] = groups->n - 1;
        last = code;
    }
    groups->next = set->groups;
    set->groups = groups;
    return groups;
}

static void set_room(FeatureSet *set, int number)
{
    const Feature *feature = &set->plan->features[number];
    Room *room = &set->rooms[number];

    room->first = set->n_room;
    if (feature->count == COUNT_CODES) {
        const Groups *groups = groups_find(set, feature->source, feature->code_chars);

        room->group = groups->group;
        set->n_room += groups->n;
    } else if (feature->count == COUNT_REPEAT) {
        set->n_room += (size_t)feature->repeat_n;
    }
}

/* ---- windows and bits ----------------------------------------------------------------
 */

/* An unknown day is the smallest, so `ever` simply begins there. */
static Window window_of(const Feature *feature)
{
    int32_t from = feature->is_ever ? DAY_UNKNOWN : feature->from;

    return (Window){from, (uint32_t)feature->to - (uint32_t)from, feature->conditions};
}

static bool window_equal(const Window *a, const Window *b)
{
    return a->from == b->from && a->span == b->span && a->conditions == b->conditions;
}

static bool counts_by_bit(const Feature *feature)
{
    return (feature->count == COUNT_EXISTS || feature->count == COUNT_ROWS) &&
           feature->from < feature->to;
}

/* Numbers the bits window by window, so that features of one window share words. */
static void set_bits(FeatureSet *set)
{
    const Plan *plan = set->plan;

    for (int f = 0; f < plan->n_features; f++) {
        const Feature *feature = &plan->features[f];
        Window window = window_of(feature);
        int w = 1;

        if (!counts_by_bit(feature) || f >= UINT16_MAX - 1)
            continue;
        while (w < set->n_windows && !window_equal(&set->windows[w], &window))
            w++;
        if (w == set->n_windows)
            set->windows[set->n_windows++] = window;
        set->window_of[f] = (uint16_t)w;
    }
    for (int w = 1; w < set->n_windows; w++)
        for (int f = 0; f < plan->n_features; f++)
            if (set->window_of[f] == w) {
                set->feature_of_bit[set->n_bits] = (uint32_t)f;
                set->bit_of[f] = (uint16_t)set->n_bits++;
            }
}

/* ---- by code ------------------------------------------------------------- */

static bool hit_asks(const Hit *hits, uint32_t h, uint32_t from, uint32_t to)
{
    const Hit *hit = &hits[h];

    return hit->sex != 0 || hit->above > -INFINITY || hit->below < INFINITY ||
           (h > from && hits[h - 1].feature == hit->feature) ||
           (h + 1 < to && hits[h + 1].feature == hit->feature);
}

/* True if the feature is now counted by the code's work. */
static bool work_add(CodeWork *work, const FeatureSet *set, uint32_t feature)
{
    bool is_rows = set->plan->features[feature].count == COUNT_ROWS;
    uint16_t window = set->window_of[feature], bit = set->bit_of[feature];
    uint16_t word = bit / 64;

    for (int w = 0; window != 0 && w < CODE_WINDOWS; w++) {
        bool is_free = work->window[w] == 0;

        if (!is_free && (work->window[w] != window || work->word[w] != word))
            continue;
        if (is_rows && work->rows[w] != set->n_bits)
            continue;
        work->window[w] = window;
        work->word[w] = word;
        work->bits[w] |= UINT64_C(1) << bit % 64;
        if (is_rows)
            work->rows[w] = bit;
        return true;
    }
    return false;
}

static bool is_wanted(const FeatureSet *set, uint32_t feature)
{
    return set->slots == NULL || set->slots[set->plan->features[feature].slot];
}

/* Turns a range of hits into work and a list; returns the list, 0 if it is empty. work
 * NULL: all into the list. */
static uint32_t add_work(SourceSet *source, CodeWork *work, const FeatureSet *set,
                         const Hit *hits, const uint32_t range[2])
{
    uint32_t first = source->n_rest;

    for (uint32_t h = range[0]; h < range[1]; h++) {
        bool asks = hit_asks(hits, h, range[0], range[1]);

        if (!is_wanted(set, hits[h].feature))
            continue;
        source->is_counted = true;
        if (work != NULL && !asks && work_add(work, set, hits[h].feature))
            continue;
        source->rest[source->n_rest++] = (Rest){hits[h].feature, asks, &hits[h]};
    }
    if (source->n_rest == first)
        return 0;
    source->rest[source->n_rest++] = (Rest){.feature = REST_END};
    return first;
}

static void set_source(FeatureSet *set, SourceSet *to, const Source *source,
                       const Events *events)
{
    size_t n_hits = events->hit_start != NULL ? events->hit_start[events->n_codes] : 0;
    uint32_t uncoded[2] = {0, (uint32_t)source->n_uncoded};

    assert(events->n == 0 || events->day != NULL);
    to->events = events;
    to->codes = mem_alloc(events->n_codes, sizeof *to->codes, "codes");
    to->rest = mem_alloc(2 + n_hits + events->n_codes + (size_t)source->n_uncoded,
                         sizeof *to->rest, "hits");
    to->n_rest = 1; /* number 0 is no list */
    to->uncoded = add_work(to, NULL, set, source->uncoded, uncoded);
    for (uint32_t c = 0; n_hits > 0 && c < events->n_codes; c++) {
        const uint32_t *range = &events->hit_start[c];

        CodeWork *work = &to->codes[c];

        for (int w = 0; w < CODE_WINDOWS; w++)
            work->rows[w] = set->n_bits;
        work->rest = add_work(to, work, set, events->hits, range);
        for (int w = 0; w < CODE_WINDOWS; w++)
            if (work->window[w] != 0 && to->n_windows <= w)
                to->n_windows = w + 1;
    }
}

static FeatureSet *set_make(const Plan *plan, const Store *store, const bool *slots,
                            bool evidence)
{
    FeatureSet *set = mem_alloc(1, sizeof *set, "features");
    size_t n = (size_t)plan->n_features, n_sources = (size_t)plan->n_event_sources;

    set->plan = plan;
    set->store = store;
    set->slots = slots;
    set->counters = mem_alloc(n, sizeof *set->counters, "features");
    set->rooms = mem_alloc(n, sizeof *set->rooms, "features");
    set->untouched = mem_alloc(n, sizeof *set->untouched, "features");
    set->windows = mem_alloc(n + 1, sizeof *set->windows, "windows");
    set->n_windows = 1;
    set->window_of = mem_alloc(n, sizeof *set->window_of, "windows");
    set->bit_of = mem_alloc(n, sizeof *set->bit_of, "bits");
    set->feature_of_bit = mem_alloc(n, sizeof *set->feature_of_bit, "bits");
    set->sources = mem_alloc(n_sources, sizeof *set->sources, "sources");
    for (int f = 0; f < plan->n_features; f++) {
        assert(plan->features[f].slot == plan->features[0].slot + (uint32_t)f);
        set->counters[f] = counter_of(&plan->features[f]);
        set->untouched[f] = plan->features[f].missing;
        set_room(set, f);
    }
    if (!evidence) /* a bit has no day */
        set_bits(set);
    for (int s = 0; s < plan->n_event_sources; s++)
        set_source(set, &set->sources[s], plan_events(plan, s), &store->events[s]);
    return set;
}

FeatureSet *feature_set_new(const Plan *plan, const Store *store, bool evidence)
{
    return set_make(plan, store, NULL, evidence);
}

FeatureSet *feature_set_of(const Plan *plan, const Store *store, const bool *slots)
{
    return set_make(plan, store, slots, false);
}

void feature_set_free(FeatureSet *set)
{
    if (set == NULL)
        return;
    for (int s = 0; s < set->plan->n_event_sources; s++) {
        free(set->sources[s].codes);
        free(set->sources[s].rest);
    }
    while (set->groups != NULL) {
        Groups *next = set->groups->next;

        free(set->groups->group);
        free(set->groups);
        set->groups = next;
    }
    free(set->sources);
    free(set->feature_of_bit);
    free(set->bit_of);
    free(set->window_of);
    free(set->windows);
    free(set->untouched);
    free(set->rooms);
    free(set->counters);
    free(set);
}

const double *feature_set_untouched(const FeatureSet *set)
{
    return set->untouched;
}
