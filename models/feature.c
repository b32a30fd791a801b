/*
 * feature.c - a person's events -> the features of their row.
 *
 * The inner loop runs once for every stored event and feature it counts for, hundreds of
 * millions of times in a run, so what it touches is kept small: 4 bytes for a hit, 16 for
 * what a feature asks for and 16 for what it has counted so far. All three stay in the
 * first cache. Only the features that a person's events touched are finished and
 * cleared; the others keep what `missing` gives them.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/feature.h"

/* What a feature asks of an event. */
typedef struct Counter {
    int32_t from, to;
    uint32_t conditions;
    uint8_t count; /* Count */
    bool is_plain; /* nothing but how many and the last day is kept */
    bool takes_undated;
} Counter;

/* What a feature has counted of the person so far. */
typedef struct Cell {
    double number; /* sum, least, most ..., by count */
    uint32_t n;    /* events, days or codes; 0 = not touched */
    int32_t day;   /* see feature_row() */
} Cell;

/* Room in Tally.room for the counts that remember more than a Cell holds. */
typedef struct Room {
    size_t first;
    const uint32_t *group; /* COUNT_CODES: from a code of the source to its group */
} Room;

/* A hit in 4 bytes: the feature and whether bounds or sex must be looked at. */
enum { HIT_ASKS = 1, HIT_SHIFT = 1 };

typedef struct HitList {
    const Hit *hits;
    uint32_t *brief;
} HitList;

typedef struct SourceSet {
    const Events *events;
    HitList coded, uncoded;
    uint32_t n_uncoded;
} SourceSet;

/* Codes of a source that are equal in their first characters have one number. */
typedef struct Groups {
    int source, chars;
    uint32_t *group;
    uint32_t n;
    struct Groups *next;
} Groups;

struct FeatureSet {
    const Plan *plan;
    const Store *store;
    Counter *counters; /* by feature */
    Room *rooms;       /* by feature */
    double *untouched; /* by feature: the value where nothing counts */
    SourceSet *sources;
    Groups *groups;
    size_t n_room;
};

struct Tally {
    const FeatureSet *set;
    Cell *cells;       /* by feature */
    uint32_t *touched; /* features with a count, in the order of their first event */
    uint32_t n_touched;
    uint32_t *room;
    uint32_t mark; /* of this person in the rooms of COUNT_CODES */
    char sex;
};

/* ---- the set ------------------------------------------------------------- */

static bool count_takes_undated(Count count)
{
    return count == COUNT_EXISTS || count == COUNT_ROWS || count == COUNT_CODES ||
           (count >= COUNT_SUM && count <= COUNT_MEAN);
}

static Counter counter_of(const Feature *feature)
{
    Count count = feature->count;

    return (Counter){
        /* Of a spell the other end is looked at, too: count_bed_days(). */
        .from = count == COUNT_BED_DAYS ? DAY_FIRST : feature->from,
        .to = feature->to,
        .conditions = feature->conditions,
        .count = (uint8_t)count,
        .is_plain = count == COUNT_EXISTS || count == COUNT_ROWS ||
                    count == COUNT_DAYS_SINCE_LAST,
        .takes_undated = feature->is_ever && count_takes_undated(count),
    };
}

static bool hit_asks(const Hit *hit)
{
    return hit->sex != 0 || hit->above > -INFINITY || hit->below < INFINITY;
}

static HitList hit_list(const Hit *hits, size_t n)
{
    HitList list = {hits, mem_alloc(n, sizeof *list.brief, "hits")};

    for (size_t h = 0; h < n; h++)
        list.brief[h] =
            hits[h].feature << HIT_SHIFT | (hit_asks(&hits[h]) ? HIT_ASKS : 0);
    return list;
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

static void set_source(SourceSet *to, const Source *source, const Events *events)
{
    size_t n_hits = events->hit_start != NULL ? events->hit_start[events->n_codes] : 0;

    assert(events->n == 0 || events->day != NULL);
    to->events = events;
    to->coded = hit_list(events->hits, n_hits);
    to->uncoded = hit_list(source->uncoded, (size_t)source->n_uncoded);
    to->n_uncoded = (uint32_t)source->n_uncoded;
}

FeatureSet *feature_set_new(const Plan *plan, const Store *store)
{
    FeatureSet *set = mem_alloc(1, sizeof *set, "features");
    size_t n = (size_t)plan->n_features;

    set->plan = plan;
    set->store = store;
    set->counters = mem_alloc(n, sizeof *set->counters, "features");
    set->rooms = mem_alloc(n, sizeof *set->rooms, "features");
    set->untouched = mem_alloc(n, sizeof *set->untouched, "features");
    set->sources =
        mem_alloc((size_t)plan->n_event_sources, sizeof *set->sources, "sources");
    for (int f = 0; f < plan->n_features; f++) {
        assert(plan->features[f].slot == plan->features[0].slot + (uint32_t)f);
        set->counters[f] = counter_of(&plan->features[f]);
        set->untouched[f] = plan->features[f].missing;
        set_room(set, f);
    }
    for (int s = 0; s < plan->n_event_sources; s++)
        set_source(&set->sources[s], plan_events(plan, s), &store->events[s]);
    return set;
}

void feature_set_free(FeatureSet *set)
{
    if (set == NULL)
        return;
    for (int s = 0; s < set->plan->n_event_sources; s++) {
        free(set->sources[s].coded.brief);
        free(set->sources[s].uncoded.brief);
    }
    while (set->groups != NULL) {
        Groups *next = set->groups->next;

        free(set->groups->group);
        free(set->groups);
        set->groups = next;
    }
    free(set->sources);
    free(set->untouched);
    free(set->rooms);
    free(set->counters);
    free(set);
}

/* ---- the tally ----------------------------------------------------------- */

static const Cell EMPTY_CELL = {0.0, 0, DAY_UNKNOWN};

Tally *tally_new(const FeatureSet *set)
{
    Tally *tally = mem_alloc(1, sizeof *tally, "tally");
    size_t n = (size_t)set->plan->n_features;

    tally->set = set;
    tally->cells = mem_alloc(n, sizeof *tally->cells, "tally");
    tally->touched = mem_alloc(n + 1, sizeof *tally->touched, "tally");
    tally->room = mem_alloc(set->n_room, sizeof *tally->room, "tally");
    for (size_t f = 0; f < n; f++)
        tally->cells[f] = EMPTY_CELL;
    return tally;
}

void tally_free(Tally *tally)
{
    if (tally == NULL)
        return;
    free(tally->room);
    free(tally->touched);
    free(tally->cells);
    free(tally);
}

static inline Cell *touch(Tally *tally, uint32_t feature)
{
    Cell *cell = &tally->cells[feature];

    /* Without a branch: written each time, kept the first time. */
    tally->touched[tally->n_touched] = feature;
    tally->n_touched += cell->n == 0;
    return cell;
}

static void count_value(Tally *tally, uint32_t feature, int32_t day, double value)
{
    Count count = (Count)tally->set->counters[feature].count;
    bool is_first, takes;
    Cell *cell;

    if (!isfinite(value))
        return;
    cell = touch(tally, feature);
    is_first = cell->n++ == 0;
    switch (count) {
    case COUNT_MIN:
        takes = is_first || value < cell->number;
        break;
    case COUNT_MAX:
        takes = is_first || value > cell->number;
        break;
    case COUNT_LATEST:
        takes = is_first || day > cell->day || value > cell->number;
        break;
    case COUNT_EARLIEST:
        takes = is_first || (day == cell->day && value > cell->number);
        break;
    default: /* COUNT_SUM, COUNT_MEAN: in the order of the store, which is total */
        cell->number += value;
        takes = false;
    }
    if (takes)
        cell->number = value;
    if (is_first || count != COUNT_EARLIEST)
        cell->day = day;
}

static void count_code(Tally *tally, uint32_t feature, int32_t day, uint32_t code)
{
    const Room *room = &tally->set->rooms[feature];
    uint32_t *mark;
    Cell *cell;

    if (code == CODE_NONE)
        return;
    cell = touch(tally, feature);
    mark = &tally->room[room->first + room->group[code]];
    cell->n += *mark != tally->mark;
    cell->day = day;
    *mark = tally->mark;
}

static void count_bed_days(Tally *tally, uint32_t feature, int32_t day, int32_t end)
{
    const Feature *asked = &tally->set->plan->features[feature];
    int32_t first = day > asked->from ? day : asked->from;
    Cell *cell;

    if (end == DAY_UNKNOWN)
        end = tally->set->plan->as_of;
    if (day < asked->from && end <= asked->from)
        return; /* over before the window began */
    if (end > asked->to)
        end = asked->to;
    cell = touch(tally, feature);
    cell->n++;
    cell->day = day;
    if (end > first)
        cell->number += end - first;
}

/* The room is a ring of the last n days. */
static void count_repeat(Tally *tally, uint32_t feature, int32_t day)
{
    const Feature *asked = &tally->set->plan->features[feature];
    uint32_t *ring = &tally->room[tally->set->rooms[feature].first];
    uint32_t n = (uint32_t)asked->repeat_n;
    Cell *cell = touch(tally, feature);

    ring[cell->n % n] = (uint32_t)day;
    cell->n++;
    cell->day = day;
    if (cell->n >= n && day - (int32_t)ring[cell->n % n] < asked->repeat_days)
        cell->number = 1;
}

/* The counts that keep more than how many and the last day. */
static void count_other(Tally *tally, uint32_t feature, const Events *events, uint64_t e)
{
    int32_t day = events->day[e];
    Cell *cell;

    switch ((Count)tally->set->counters[feature].count) {
    case COUNT_CODES:
        count_code(tally, feature, day, events->code ? events->code[e] : CODE_NONE);
        break;
    case COUNT_DATES:
        cell = touch(tally, feature);
        cell->n += cell->n == 0 || cell->day != day;
        cell->day = day;
        break;
    case COUNT_DAYS_SINCE_FIRST:
        cell = touch(tally, feature);
        if (cell->n++ == 0)
            cell->day = day;
        break;
    case COUNT_BED_DAYS:
        count_bed_days(tally, feature, day, events->end ? events->end[e] : DAY_UNKNOWN);
        break;
    case COUNT_REPEAT:
        count_repeat(tally, feature, day);
        break;
    default:
        count_value(tally, feature, day, events->value ? events->value[e] : NAN);
    }
}

static bool hit_holds(const Hit *hit, char sex, double value)
{
    if (hit->sex != 0 && hit->sex != sex)
        return false;
    if (hit->above == -INFINITY && hit->below == INFINITY)
        return true;
    return value > hit->above && value < hit->below; /* false without a value */
}

static inline bool counter_takes(const Counter *counter, int32_t day, uint32_t conditions)
{
    if ((conditions & counter->conditions) != counter->conditions)
        return false;
    if (day == DAY_UNKNOWN)
        return counter->takes_undated;
    return day >= counter->from && day < counter->to;
}

/* Counts one event for the features of hits [from, to). Several hits of a feature
 * stand together, and the first that holds counts. */
static inline void count_event(Tally *tally, const HitList *list, uint32_t from,
                               uint32_t to, uint64_t e, const Events *events)
{
    const Counter *counters = tally->set->counters;
    uint32_t conditions = events->conditions != NULL ? events->conditions[e] : 0;
    int32_t day = events->day[e];
    uint32_t counted = UINT32_MAX;

    for (uint32_t h = from; h < to; h++) {
        uint32_t feature = list->brief[h] >> HIT_SHIFT;
        const Counter *counter = &counters[feature];

        if (feature == counted || !counter_takes(counter, day, conditions))
            continue;
        if ((list->brief[h] & HIT_ASKS) &&
            !hit_holds(&list->hits[h], tally->sex,
                       events->value ? events->value[e] : NAN))
            continue;
        counted = feature;
        if (counter->is_plain) {
            Cell *cell = touch(tally, feature);

            cell->n++;
            cell->day = day;
        } else {
            count_other(tally, feature, events, e);
        }
    }
}

static void count_source(Tally *tally, const SourceSet *source, uint32_t person)
{
    const Events *events = source->events;
    uint64_t last;

    if (events->n == 0)
        return;
    last = events->start[person + 1];
    for (uint64_t e = events->start[person]; e < last; e++) {
        uint32_t code = events->code != NULL ? events->code[e] : CODE_NONE;

        if (code != CODE_NONE)
            count_event(tally, &source->coded, events->hit_start[code],
                        events->hit_start[code + 1], e, events);
        if (source->n_uncoded > 0)
            count_event(tally, &source->uncoded, 0, source->n_uncoded, e, events);
    }
}

static double cell_value(const Cell *cell, Count count, int32_t as_of)
{
    switch (count) {
    case COUNT_EXISTS:
        return 1;
    case COUNT_ROWS:
    case COUNT_DATES:
    case COUNT_CODES:
        return cell->n;
    case COUNT_MEAN:
        return cell->number / cell->n;
    case COUNT_DAYS_SINCE_LAST:
    case COUNT_DAYS_SINCE_FIRST:
        return as_of - cell->day;
    default:
        return cell->number;
    }
}

/* A mark that no person before has left in the rooms. */
static void next_mark(Tally *tally)
{
    if (++tally->mark == 0) {
        memset(tally->room, 0, tally->set->n_room * sizeof *tally->room);
        tally->mark = 1;
    }
}

/* The person's sex as the lists write it, or 0. */
static char sex_of(const FeatureSet *set, uint32_t person)
{
    int attribute = set->plan->sex_attribute;
    const double *column = attribute < 0 ? NULL : set->store->attribute[attribute];
    const Words *words;

    if (column == NULL || isnan(column[person]))
        return 0;
    words = set->plan->people->attributes[attribute].words;
    return column[person] < words->n ? words->word[(int)column[person]][0] : 0;
}

void feature_row(double *row, int32_t *evidence, Tally *tally, uint32_t person)
{
    const FeatureSet *set = tally->set;
    const Plan *plan = set->plan;
    size_t n = (size_t)plan->n_features;

    if (n == 0)
        return;
    row += plan->features[0].slot;
    memcpy(row, set->untouched, n * sizeof *row);
    for (size_t f = 0; evidence != NULL && f < n; f++)
        evidence[f] = DAY_UNKNOWN;
    next_mark(tally);
    tally->sex = sex_of(set, person);
    for (int s = 0; s < plan->n_event_sources; s++)
        count_source(tally, &set->sources[s], person);
    for (uint32_t t = 0; t < tally->n_touched; t++) {
        uint32_t feature = tally->touched[t];
        Cell *cell = &tally->cells[feature];

        row[feature] = cell_value(cell, plan->features[feature].count, plan->as_of);
        if (evidence != NULL)
            evidence[feature] = cell->day;
        *cell = EMPTY_CELL;
    }
    tally->n_touched = 0;
}
