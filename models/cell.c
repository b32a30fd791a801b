/*
 * cell.c - what a feature counts in a cell, event by event, and what that comes to.
 */
#include <math.h>

#include "models/tally.h"

static const Feature *asked_feature(const Counting *c)
{
    const FeatureSet *set = c->tally->set;

    return &set->plan->features[set->feature_of_cell[c->rest->at]];
}

static void count_value(const Counting *c)
{
    Count count = asked_feature(c)->count;
    double value = c->events->value != NULL ? c->events->value[c->event.at] : NAN;
    int32_t day = c->event.day;
    bool is_first, takes;
    Cell *cell;

    if (!isfinite(value))
        return;
    cell = touch(c->lane, c->rest);
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

static void count_bed_days(const Counting *c)
{
    const Feature *asked = asked_feature(c);
    int32_t day = c->event.day, first = day > asked->from ? day : asked->from;
    int32_t end = c->events->end != NULL ? c->events->end[c->event.at] : DAY_UNKNOWN;
    Cell *cell;

    if (end == DAY_UNKNOWN)
        end = c->tally->set->plan->as_of;
    if (day < asked->from && end <= asked->from)
        return; /* over before the window began */
    if (end > asked->to)
        end = asked->to;
    cell = touch(c->lane, c->rest);
    cell->n++;
    cell->day = day;
    if (end > first)
        cell->number += end - first;
}

/* The room is a ring of the last n days. */
static void count_repeat(const Counting *c)
{
    const Feature *asked = asked_feature(c);
    uint32_t *ring = &c->tally->room[c->rest->room];
    uint32_t n = (uint32_t)asked->repeat_n;
    int32_t day = c->event.day;
    Cell *cell = touch(c->lane, c->rest);

    ring[cell->n % n] = (uint32_t)day;
    cell->n++;
    cell->day = day;
    if (cell->n >= n && day - (int32_t)ring[cell->n % n] < asked->repeat_days)
        cell->number = 1;
}

void cell_count(const Counting *c)
{
    int32_t day = c->event.day;
    Cell *cell;

    switch (asked_feature(c)->count) {
    case COUNT_DATES:
        cell = touch(c->lane, c->rest);
        cell->n += cell->n == 0 || cell->day != day;
        cell->day = day;
        break;
    case COUNT_DAYS_SINCE_FIRST:
    case COUNT_AGE_AT_FIRST:
        cell = touch(c->lane, c->rest);
        if (cell->n++ == 0)
            cell->day = day;
        break;
    case COUNT_BED_DAYS:
        count_bed_days(c);
        break;
    case COUNT_REPEAT:
        count_repeat(c);
        break;
    default:
        count_value(c);
    }
}

double cell_value(const Cell *cell, Count count, int32_t as_of, int32_t birth)
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
    case COUNT_AGE_AT_LAST:
    case COUNT_AGE_AT_FIRST:
        return day_age(birth, cell->day);
    default:
        return cell->number;
    }
}
