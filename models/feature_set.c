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

/* An unknown day is the smallest, so what takes it simply begins there. Of a spell the
 * other end is looked at, too. */
static Window window_of(const Feature *feature)
{
    int32_t from = feature->count == COUNT_BED_DAYS ? DAY_FIRST : feature->from;

    if (feature->is_ever && count_takes_undated(feature->count))
        from = DAY_UNKNOWN;
    return (Window){
        .from = from,
        .span = from < feature->to ? (uint32_t)feature->to - (uint32_t)from : 0,
        .conditions = feature->conditions,
    };
}

static Way way_of(Count count)
{
    switch (count) {
    case COUNT_EXISTS:
    case COUNT_ROWS:
    case COUNT_DAYS_SINCE_LAST:
    case COUNT_AGE_AT_LAST:
        return WAY_PLAIN;
    case COUNT_CODES:
        return WAY_CODE;
    default:
        return WAY_OTHER;
    }
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

/* Room in a tally for the counts that remember more than a number. */
static void set_room(FeatureSet *set, int number)
{
    const Feature *feature = &set->plan->features[number];

    assert(set->n_room <= UINT32_MAX);
    set->room[number] = (uint32_t)set->n_room;
    if (feature->count == COUNT_CODES)
        set->n_room += groups_find(set, feature->source, feature->code_chars)->n;
    else if (feature->count == COUNT_REPEAT)
        set->n_room += (size_t)feature->repeat_n;
}

/* ---- windows and bits ----------------------------------------------------------------
 */

static bool window_equal(const Window *a, const Window *b)
{
    return a->from == b->from && a->span == b->span && a->conditions == b->conditions;
}

static bool counts_by_bit(const Feature *feature)
{
    return (feature->count == COUNT_EXISTS || feature->count == COUNT_ROWS) &&
           feature->from < feature->to;
}

static void set_window(FeatureSet *set, int f)
{
    Window window = window_of(&set->plan->features[f]);
    int w = 1;

    while (w < set->n_windows && !window_equal(&set->windows[w], &window))
        w++;
    if (w == set->n_windows)
        set->windows[set->n_windows++] = window;
    set->window_of[f] = (uint16_t)w;
}

/* `exists` and `rows` are counted by bits, as far as there are numbers for them. */
static void set_windows(FeatureSet *set)
{
    for (int f = 0; f < set->plan->n_features && f < UINT16_MAX - 1; f++)
        if (counts_by_bit(&set->plan->features[f]))
            set_window(set, f);
}

/* Numbers the bits window by window, so that features of one window share words. */
static void set_numbers(FeatureSet *set)
{
    int n = set->plan->n_features;

    for (int w = 1; w < set->n_windows; w++)
        for (int f = 0; f < n; f++)
            if (set->window_of[f] == w) {
                set->at[f] = set->n_bits;
                set->feature_of_bit[set->n_bits++] = (uint32_t)f;
            }
    for (int f = 0; f < n; f++)
        if (set->window_of[f] == 0) {
            set->at[f] = set->n_cells;
            set->feature_of_cell[set->n_cells++] = (uint32_t)f;
        }
}

/* ---- by code ------------------------------------------------------------- */

/* True if the feature is now counted by the code's work. */
static bool work_add(CodeWork *work, const FeatureSet *set, uint32_t feature)
{
    bool is_rows = set->plan->features[feature].count == COUNT_ROWS;
    uint16_t window = set->window_of[feature], bit = (uint16_t)set->at[feature];
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

/* A range of hits, and the code that they are for; CODE_NONE = every event. */
typedef struct Hits {
    const Hit *hit;
    uint32_t from, to, code;
    bool is_every; /* hits that ask for no code */
} Hits;

static bool hit_asks(const Hits *hits, uint32_t h)
{
    const Hit *hit = &hits->hit[h];

    return hit->sex != 0 || hit->above > -INFINITY || hit->below < INFINITY ||
           (h > hits->from && hit[-1].feature == hit->feature) ||
           (h + 1 < hits->to && hit[1].feature == hit->feature);
}

static Rest rest_of(FeatureSet *set, const Hits *hits, uint32_t h)
{
    uint32_t number = hits->hit[h].feature, room = set->room[number];
    const Feature *feature = &set->plan->features[number];
    Way way = set->window_of[number] != 0 ? WAY_BIT : way_of(feature->count);

    if (way == WAY_CODE)
        room += groups_find(set, feature->source, feature->code_chars)->group[hits->code];
    if (way == WAY_BIT)
        room = feature->count == COUNT_ROWS ? set->at[number] : set->n_bits;
    return (Rest){
        .window = window_of(feature),
        .at = set->at[number],
        .room = room,
        .way = (uint8_t)way,
        .asks = hit_asks(hits, h),
        .hit = &hits->hit[h],
    };
}

/* Different codes are counted code by code, also where every code counts. */
static bool is_here(const FeatureSet *set, const Hits *hits, uint32_t h)
{
    const Feature *feature = &set->plan->features[hits->hit[h].feature];

    if (!is_wanted(set, hits->hit[h].feature))
        return false;
    return !hits->is_every ||
           (feature->count == COUNT_CODES) == (hits->code != CODE_NONE);
}

/* Turns hits into work, and what does not go into it into the list of the source. */
static void add_work(SourceSet *source, CodeWork *work, FeatureSet *set, const Hits *hits)
{
    bool is_code = hits->code != CODE_NONE;

    for (uint32_t h = hits->from; h < hits->to; h++) {
        if (!is_here(set, hits, h))
            continue;
        source->counts_codes |= is_code;
        source->counts_every |= !is_code;
        if (hit_asks(hits, h) || !work_add(work, set, hits->hit[h].feature))
            source->rest[source->n_rest++] = rest_of(set, hits, h);
    }
}

static CodeWork no_work(const FeatureSet *set)
{
    CodeWork work = {.rest = 0};

    for (int w = 0; w < CODE_WINDOWS; w++)
        work.rows[w] = (uint16_t)set->n_bits;
    return work;
}

/* The list is what has been added since `first`. */
static void end_work(SourceSet *source, CodeWork *work, uint32_t first)
{
    if (source->n_rest > first) {
        work->rest = first;
        source->rest[source->n_rest - 1].is_last = true;
    }
    for (int w = 0; w < CODE_WINDOWS && work->window[w] != 0; w++)
        source->n_windows = source->n_windows > w ? source->n_windows : w + 1;
}

/* How many features count the different codes of every event. */
static uint32_t count_every_code(const FeatureSet *set, const Hits *every)
{
    uint32_t n = 0;

    for (uint32_t h = every->from; h < every->to; h++)
        n += set->plan->features[every->hit[h].feature].count == COUNT_CODES;
    return n;
}

static void set_source(FeatureSet *set, SourceSet *to, const Source *source,
                       const Events *events)
{
    size_t n_hits = events->hit_start != NULL ? events->hit_start[events->n_codes] : 0;
    Hits every = {source->uncoded, 0, (uint32_t)source->n_uncoded, CODE_NONE, true};
    uint32_t n_every_code = count_every_code(set, &every);

    assert(events->n == 0 || events->day != NULL);
    to->events = events;
    to->codes = mem_alloc(events->n_codes, sizeof *to->codes, "codes");
    to->rest = mem_alloc(1 + n_hits + every.to + (size_t)events->n_codes * n_every_code,
                         sizeof *to->rest, "hits");
    to->n_rest = 1; /* number 0 is no list */
    to->uncoded = no_work(set);
    add_work(to, &to->uncoded, set, &every);
    end_work(to, &to->uncoded, 1);
    for (uint32_t c = 0; c < events->n_codes; c++) {
        uint32_t first = to->n_rest;

        to->codes[c] = no_work(set);
        if (n_hits > 0)
            add_work(to, &to->codes[c], set,
                     &(Hits){events->hits, events->hit_start[c], events->hit_start[c + 1],
                             c, false});
        every.code = c;
        if (n_every_code > 0)
            add_work(to, &to->codes[c], set, &every);
        end_work(to, &to->codes[c], first);
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
    set->room = mem_alloc(n, sizeof *set->room, "features");
    set->untouched = mem_alloc(n, sizeof *set->untouched, "features");
    set->windows = mem_alloc(n + 1, sizeof *set->windows, "windows");
    set->n_windows = 1;
    set->window_of = mem_alloc(n, sizeof *set->window_of, "windows");
    set->at = mem_alloc(n, sizeof *set->at, "features");
    set->feature_of_bit = mem_alloc(n, sizeof *set->feature_of_bit, "features");
    set->feature_of_cell = mem_alloc(n, sizeof *set->feature_of_cell, "features");
    set->sources = mem_alloc(n_sources, sizeof *set->sources, "sources");
    for (int f = 0; f < plan->n_features; f++) {
        assert(plan->features[f].slot == plan->features[0].slot + (uint32_t)f);
        set->untouched[f] = plan->features[f].missing;
        set_room(set, f);
    }
    if (!evidence) /* a bit has no day */
        set_windows(set);
    set_numbers(set);
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
    free(set->feature_of_cell);
    free(set->feature_of_bit);
    free(set->at);
    free(set->window_of);
    free(set->windows);
    free(set->untouched);
    free(set->room);
    free(set);
}

const double *feature_set_untouched(const FeatureSet *set)
{
    return set->untouched;
}
