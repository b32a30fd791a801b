/*
 * feature.c - people's events -> the features of their rows.
 *
 * The events of some people are counted source by source, so that the inner loop goes
 * through an array and knows where it ends. Only the features that events touched are
 * finished and cleared; the others keep what `missing` gives them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/tally.h"

/* ---- the tally ----------------------------------------------------------- */

static const Cell EMPTY_CELL = {0.0, 0, DAY_UNKNOWN};

/* Each array is one block, of which the first lane has the beginning. */
Tally *tally_new(const FeatureSet *set)
{
    Tally *tally = mem_alloc(1, sizeof *tally, "tally");
    size_t n_words = (set->n_bits + 63) / 64, n_rows = (size_t)set->n_bits + 1,
           n_cells = set->n_cells, n_touched = n_cells + 1;
    uint64_t *bits = mem_alloc(MOST_LANES * n_words + 1, sizeof *bits, "tally");
    uint32_t *rows = mem_alloc(MOST_LANES * n_rows, sizeof *rows, "tally");
    Cell *cells = mem_alloc(MOST_LANES * n_cells, sizeof *cells, "tally");
    uint32_t *touched = mem_alloc(MOST_LANES * n_touched, sizeof *touched, "tally");

    tally->set = set;
    tally->n_words = n_words;
    tally->room = mem_alloc(set->n_room, sizeof *tally->room, "tally");
    tally->spare =
        mem_alloc((size_t)set->plan->n_features, sizeof *tally->spare, "tally");
    for (size_t c = 0; c < MOST_LANES * n_cells; c++)
        cells[c] = EMPTY_CELL;
    for (size_t l = 0; l < MOST_LANES; l++)
        tally->lanes[l] = (Counted){.bits = bits + l * n_words,
                                    .rows = rows + l * n_rows,
                                    .cells = cells + l * n_cells,
                                    .touched = touched + l * n_touched};
    return tally;
}

void tally_free(Tally *tally)
{
    if (tally == NULL)
        return;
    free(tally->step);
    free(tally->spare);
    free(tally->room);
    free(tally->lanes[0].touched);
    free(tally->lanes[0].cells);
    free(tally->lanes[0].rows);
    free(tally->lanes[0].bits);
    free(tally);
}

/* ---- one event for one feature ------------------------------------------- */

static inline void count_code(const Counting *c)
{
    Cell *cell = touch(c->lane, c->rest);
    uint32_t *mark = &c->tally->room[c->rest->room];

    cell->n += *mark != c->lane->mark;
    cell->day = c->event.day;
    *mark = c->lane->mark;
}

static inline void count_once(const Counting *c)
{
    Counted *lane = c->lane;
    const Rest *rest = c->rest;

    if (rest->way == WAY_CODE) {
        count_code(c);
    } else if (rest->way == WAY_BIT) {
        lane->bits[rest->at / 64] |= UINT64_C(1) << rest->at % 64;
        lane->rows[rest->room]++;
    } else if (rest->way == WAY_PLAIN) {
        Cell *cell = touch(lane, rest);

        cell->n++;
        cell->day = c->event.day;
    } else {
        cell_count(c);
    }
}

/* ---- one event for all features ------------------------------------------ */

static bool hit_holds(const Hit *hit, char sex, double value)
{
    if (hit->sex != 0 && hit->sex != sex)
        return false;
    if (hit->above == -INFINITY && hit->below == INFINITY)
        return true;
    return value > hit->above && value < hit->below; /* false without a value */
}

static inline bool window_has(const Window *window, Event event)
{
    bool is_in = (uint32_t)event.day - (uint32_t)window->from < window->span;

    if (!event.has_conditions)
        return is_in;
    return is_in & ((event.conditions & window->conditions) == window->conditions);
}

/* Counts an event for a list. Of several hits of a feature the first that holds counts.
 */
static inline void count_rest(Tally *tally, Counted *lane, const Rest *rest,
                              const Events *events, Event event)
{
    const Hit *counted = NULL; /* the last that asked and held */

    for (;; rest++) {
        bool takes = window_has(&rest->window, event);

        if (takes && rest->asks) {
            takes = (counted == NULL || counted->feature != rest->hit->feature) &&
                    hit_holds(rest->hit, lane->sex,
                              events->value != NULL ? events->value[event.at] : NAN);
            counted = takes ? rest->hit : counted;
        }
        if (takes)
            count_once(&(Counting){tally, lane, rest, events, event});
        if (rest->is_last)
            break;
    }
}

/* Without a branch: whether an event is in a window cannot be foreseen. */
static inline void count_window(const FeatureSet *set, Counted *lane,
                                const CodeWork *work, int w, Event event)
{
    bool is_in = window_has(&set->windows[work->window[w]], event);

    lane->bits[work->word[w]] |= work->bits[w] & -(uint64_t)is_in;
    lane->rows[work->rows[w]] += is_in;
}

/* What an event is to do. */
typedef struct Work {
    const SourceSet *source;
    const CodeWork *code;
    int n_windows;
} Work;

static inline void count_work(Tally *tally, Counted *lane, const Work *work, Event event)
{
    const SourceSet *source = work->source;

    for (int w = 0; w < work->n_windows; w++)
        count_window(tally->set, lane, work->code, w, event);
    if (work->code->rest != 0)
        count_rest(tally, lane, &source->rest[work->code->rest], source->events, event);
}

/* ---- the events of some people ------------------------------------------- */

/* Whose the events are, as steps from lane to lane: a loop over the events of one person
 * would end where nobody foresees it. People without events make a step longer. */
static const uint8_t *find_steps(Tally *tally, const uint64_t *start, int n)
{
    size_t n_events = start[n] - start[0];

    if (n_events >= tally->step_room) {
        tally->step_room = 2 * n_events + 64;
        tally->step = mem_grow(tally->step, tally->step_room, 1, "tally");
    }
    memset(tally->step, 0, n_events + 1);
    for (int l = 1; l < n; l++)
        tally->step[start[l] - start[0]]++;
    return tally->step;
}

/* The events of some people in one source. */
typedef struct Stretch {
    const SourceSet *source;
    uint64_t from, to;
    const uint8_t *step;
} Stretch;

/* What a source has. It is a constant wherever events are counted, so that the loop over
 * them has nothing in it that is not needed. */
typedef struct Shape {
    int n_windows;
    bool has_conditions;
} Shape;

static inline Event event_of(const Events *events, uint64_t e, Shape shape)
{
    return (Event){e, events->day[e], shape.has_conditions,
                   shape.has_conditions ? events->conditions[e] : 0};
}

/* What their codes do. */
__attribute__((always_inline)) static inline void
count_coded(Tally *tally, const Stretch *stretch, Shape shape)
{
    const SourceSet *source = stretch->source;
    const Events *events = source->events;
    const uint32_t *code = events->code;
    const CodeWork *codes = source->codes;
    const uint8_t *step = stretch->step;
    Counted *lane = tally->lanes;

    for (uint64_t e = stretch->from, to = stretch->to; e < to; e++) {
        lane += *step++;
        if (code[e] != CODE_NONE)
            count_work(tally, lane, &(Work){source, &codes[code[e]], shape.n_windows},
                       event_of(events, e, shape));
    }
}

/* What every one of them does. */
__attribute__((always_inline)) static inline void
count_every(Tally *tally, const Stretch *stretch, Shape shape)
{
    const SourceSet *source = stretch->source;
    Counted *lane = tally->lanes;

    for (uint64_t e = stretch->from; e < stretch->to; e++) {
        lane += stretch->step[e - stretch->from];
        count_work(tally, lane, &(Work){source, &source->uncoded, shape.n_windows},
                   event_of(source->events, e, shape));
    }
}

static void count_codes(Tally *tally, const Stretch *stretch)
{
    if (stretch->source->events->conditions != NULL)
        count_coded(tally, stretch, (Shape){CODE_WINDOWS, true});
    else if (stretch->source->n_windows == 0)
        count_coded(tally, stretch, (Shape){0, false});
    else if (stretch->source->n_windows == 1)
        count_coded(tally, stretch, (Shape){1, false});
    else
        count_coded(tally, stretch, (Shape){CODE_WINDOWS, false});
}

static void count_all(Tally *tally, const Stretch *stretch)
{
    if (stretch->source->events->conditions != NULL)
        count_every(tally, stretch, (Shape){CODE_WINDOWS, true});
    else
        count_every(tally, stretch, (Shape){CODE_WINDOWS, false});
}

static void count_source(Tally *tally, const SourceSet *source, uint32_t from, int n)
{
    const Events *events = source->events;
    Stretch stretch = {.source = source};

    if (events->n == 0 || !(source->counts_codes || source->counts_every))
        return;
    stretch.from = events->start[from];
    stretch.to = events->start[from + (uint32_t)n];
    stretch.step = find_steps(tally, &events->start[from], n);
    if (source->counts_codes)
        count_codes(tally, &stretch);
    if (source->counts_every)
        count_all(tally, &stretch);
}

/* A mark that no person before has left in the rooms. */
static uint32_t next_mark(Tally *tally)
{
    if (++tally->mark == 0) {
        memset(tally->room, 0, (size_t)tally->set->n_room * sizeof *tally->room);
        tally->mark = 1;
    }
    return tally->mark;
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

static void count_people(Tally *tally, uint32_t from, int n)
{
    const FeatureSet *set = tally->set;

    for (int l = 0; l < n; l++) {
        tally->lanes[l].n_touched = 0;
        tally->lanes[l].mark = next_mark(tally);
        tally->lanes[l].sex = sex_of(set, from + (uint32_t)l);
    }
    for (int s = 0; s < set->plan->n_event_sources; s++)
        count_source(tally, &set->sources[s], from, n);
}

/* ---- rows ---------------------------------------------------------------- */

/* Where the features of a person go; evidence may be NULL. */
typedef struct Out {
    double *row; /* from the first feature on */
    int32_t *evidence;
    uint32_t *touched, n_touched;
    int32_t birth;
} Out;

/* Fills and clears. */
static void finish_bits(Out *out, const Tally *tally, const Counted *lane)
{
    for (size_t w = 0; w < tally->n_words; w++) {
        for (uint64_t bits = lane->bits[w]; bits != 0; bits &= bits - 1) {
            size_t bit = w * 64 + (size_t)__builtin_ctzll(bits);
            uint32_t rows = lane->rows[bit], feature = tally->set->feature_of_bit[bit];

            out->row[feature] = rows + (rows == 0); /* `exists` counts no rows */
            out->touched[out->n_touched++] = feature;
            lane->rows[bit] = 0;
        }
        lane->bits[w] = 0;
    }
}

static void finish_cells(Out *out, const Tally *tally, const Counted *lane)
{
    const FeatureSet *set = tally->set;
    const Plan *plan = set->plan;

    for (uint32_t t = 0; t < lane->n_touched; t++) {
        Cell *cell = &lane->cells[lane->touched[t]];
        uint32_t feature = set->feature_of_cell[lane->touched[t]];

        out->row[feature] =
            cell_value(cell, plan->features[feature].count, plan->as_of, out->birth);
        if (out->evidence != NULL)
            out->evidence[feature] = cell->day;
        out->touched[out->n_touched++] = feature;
        *cell = EMPTY_CELL;
    }
}

static void finish(Out *out, const Tally *tally, int l)
{
    if (out->evidence != NULL)
        for (int f = 0; f < tally->set->plan->n_features; f++)
            out->evidence[f] = DAY_UNKNOWN;
    finish_bits(out, tally, &tally->lanes[l]);
    finish_cells(out, tally, &tally->lanes[l]);
}

void feature_row(double *row, int32_t *evidence, Tally *tally, uint32_t person)
{
    const FeatureSet *set = tally->set;
    Out out = {.evidence = evidence,
               .touched = tally->spare,
               .birth = set->store->birth[person]};

    if (set->plan->n_features == 0)
        return;
    out.row = row + set->plan->features[0].slot;
    memcpy(out.row, set->untouched, (size_t)set->plan->n_features * sizeof *row);
    count_people(tally, person, 1);
    finish(&out, tally, 0);
}

/* What the person before has left in the lane. */
static void put_back(double *row, const FeatureSet *set, const Lanes *lanes, int l)
{
    for (uint32_t t = 0; t < lanes->n_touched[l]; t++)
        row[lanes->touched[l][t]] = set->untouched[lanes->touched[l][t]];
}

void feature_lanes(Lanes *lanes, int32_t *evidence, Tally *tally, uint32_t from, int n)
{
    const FeatureSet *set = tally->set;

    lanes->n = n;
    if (set->plan->n_features == 0)
        return;
    count_people(tally, from, n);
    for (int l = 0; l < n; l++) {
        Out out = {.row = lanes->row[l] + set->plan->features[0].slot,
                   .evidence = l == 0 ? evidence : NULL,
                   .touched = lanes->touched[l],
                   .birth = set->store->birth[from + (uint32_t)l]};

        put_back(out.row, set, lanes, l);
        finish(&out, tally, l);
        lanes->n_touched[l] = out.n_touched;
    }
}
