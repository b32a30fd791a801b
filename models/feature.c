/*
 * feature.c - a person's events -> the features of their row.
 *
 * Only the features that a person's events touched are finished and cleared; the others
 * keep what `missing` gives them.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/feature_set.h"

/* What a feature has counted of the person so far. */
typedef struct Cell {
    double number; /* sum, least, most ..., by count */
    uint32_t n;    /* events, days or codes; 0 = not touched */
    int32_t day;   /* see feature_row() */
} Cell;

struct Tally {
    const FeatureSet *set;
    Cell *cells;    /* by feature */
    uint64_t *bits; /* features counted by the work of codes; see FeatureSet.bit_of */
    uint32_t *rows; /* by bit, and one for nobody */
    size_t n_words;
    uint32_t *touched; /* features with a cell in use, each once */
    uint32_t n_touched;
    uint32_t *room;
    uint32_t mark; /* of this person in the rooms of COUNT_CODES */
    char sex;
};

/* ---- the tally ----------------------------------------------------------- */

static const Cell EMPTY_CELL = {0.0, 0, DAY_UNKNOWN};

Tally *tally_new(const FeatureSet *set)
{
    Tally *tally = mem_alloc(1, sizeof *tally, "tally");
    size_t n = (size_t)set->plan->n_features;

    tally->set = set;
    tally->cells = mem_alloc(n, sizeof *tally->cells, "tally");
    tally->n_words = (set->n_bits + 63) / 64;
    tally->bits = mem_alloc(tally->n_words + 1, sizeof *tally->bits, "tally");
    tally->rows = mem_alloc((size_t)set->n_bits + 1, sizeof *tally->rows, "tally");
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
    free(tally->rows);
    free(tally->bits);
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
    case COUNT_AGE_AT_FIRST:
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

/* What is looked at of every event. */
typedef struct Event {
    uint64_t at; /* in the events of its source */
    int32_t day;
    uint32_t conditions;
} Event;

/* Counts an event for a list. Of several hits of a feature the first that holds counts.
 */
static void count_rest(Tally *tally, const Rest *rest, const Events *events, Event event)
{
    uint32_t counted = REST_END;

    for (; rest->feature != REST_END; rest++) {
        const Counter *counter = &tally->set->counters[rest->feature];

        if (rest->feature == counted ||
            !counter_takes(counter, event.day, event.conditions))
            continue;
        if (rest->asks && !hit_holds(rest->hit, tally->sex,
                                     events->value ? events->value[event.at] : NAN))
            continue;
        counted = rest->feature;
        if (counter->is_plain) {
            Cell *cell = touch(tally, rest->feature);

            cell->n++;
            cell->day = event.day;
        } else {
            count_other(tally, rest->feature, events, event.at);
        }
    }
}

/* Without a branch: whether an event is in a window cannot be foreseen. */
static inline void count_window(Tally *tally, const CodeWork *work, int w, Event event)
{
    const Window *window = &tally->set->windows[work->window[w]];
    bool is_in = ((uint32_t)event.day - (uint32_t)window->from < window->span) &
                 ((event.conditions & window->conditions) == window->conditions);

    tally->bits[work->word[w]] |= work->bits[w] & -(uint64_t)is_in;
    tally->rows[work->rows[w]] += is_in;
}

static void count_source(Tally *tally, const SourceSet *source, uint32_t person)
{
    const Events *events = source->events;
    uint64_t last;

    if (events->n == 0 || !source->is_counted)
        return;
    last = events->start[person + 1];
    for (uint64_t e = events->start[person]; e < last; e++) {
        uint32_t code = events->code != NULL ? events->code[e] : CODE_NONE;
        const Event event = {e, events->day[e],
                             events->conditions != NULL ? events->conditions[e] : 0};

        if (code != CODE_NONE) {
            const CodeWork *work = &source->codes[code];

            for (int w = 0; w < source->n_windows; w++)
                count_window(tally, work, w, event);
            if (work->rest != 0)
                count_rest(tally, &source->rest[work->rest], events, event);
        }
        if (source->uncoded != 0)
            count_rest(tally, &source->rest[source->uncoded], events, event);
    }
}

static inline double cell_value(const Cell *cell, Count count, int32_t as_of,
                                int32_t birth)
{
    if (count <= COUNT_CODES) /* most: which of them comes next cannot be foreseen */
        return count == COUNT_EXISTS ? 1 : cell->n;
    switch (count) {
    case COUNT_MEAN:
        return cell->number / cell->n;
    case COUNT_DAYS_SINCE_LAST:
    case COUNT_DAYS_SINCE_FIRST:
        return as_of - cell->day;
    case COUNT_AGE_AT_LAST:
    case COUNT_AGE_AT_FIRST:
        return day_age(birth, cell->day);
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

/* What was counted by bits joins what was counted in cells: of one feature some codes may
 * go this way and some that. */
static void finish_bits(Tally *tally)
{
    for (size_t w = 0; w < tally->n_words; w++) {
        for (uint64_t bits = tally->bits[w]; bits != 0; bits &= bits - 1) {
            size_t bit = w * 64 + (size_t)__builtin_ctzll(bits);
            uint32_t rows = tally->rows[bit];
            Cell *cell = touch(tally, tally->set->feature_of_bit[bit]);

            cell->n += rows + (rows == 0); /* `exists` counts no rows */
            tally->rows[bit] = 0;
        }
        tally->bits[w] = 0;
    }
}

static void finish_cells(double *row, int32_t *evidence, Tally *tally, uint32_t person)
{
    const FeatureSet *set = tally->set;
    const Plan *plan = set->plan;

    for (uint32_t t = 0; t < tally->n_touched; t++) {
        uint32_t feature = tally->touched[t];
        Cell *cell = &tally->cells[feature];

        row[feature] = cell_value(cell, plan->features[feature].count, plan->as_of,
                                  set->store->birth[person]);
        if (evidence != NULL)
            evidence[feature] = cell->day;
        *cell = EMPTY_CELL;
    }
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
    tally->n_touched = 0;
    next_mark(tally);
    tally->sex = sex_of(set, person);
    for (int s = 0; s < plan->n_event_sources; s++)
        count_source(tally, &set->sources[s], person);
    finish_bits(tally);
    finish_cells(row, evidence, tally, person);
}

const uint32_t *tally_touched(const Tally *tally, uint32_t *n)
{
    *n = tally->n_touched;
    return tally->touched;
}
