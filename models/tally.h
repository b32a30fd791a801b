/*
 * tally.h - what has been counted of some people, and the cells of those features that
 * need more than a bit. Shared by feature.c, which goes through the events, and cell.c.
 */
#ifndef MODELS_TALLY_H
#define MODELS_TALLY_H

#include "models/feature_set.h"

/* What a feature has counted of a person so far. */
typedef struct Cell {
    double number; /* sum, least, most ..., by count */
    uint32_t n;    /* events, days or codes; 0 = not touched */
    int32_t day;   /* see feature_row() */
} Cell;

/* What has been counted of the person of a lane. */
typedef struct Counted {
    uint64_t *bits;    /* features that count */
    uint32_t *rows;    /* by bit, and one for nobody */
    Cell *cells;       /* of the other features */
    uint32_t *touched; /* cells in use, each once */
    uint32_t n_touched;
    uint32_t mark; /* in the rooms of COUNT_CODES: of this person */
    char sex;
    char pad[23]; /* to 64 bytes, the step from lane to lane */
} Counted;

struct Tally {
    const FeatureSet *set;
    size_t n_words;
    Counted lanes[MOST_LANES];
    uint32_t *room;
    uint32_t mark;   /* the last one given */
    uint32_t *spare; /* room for features touched */
    uint8_t *step;   /* by event of a source: how many lanes further its person is */
    size_t step_room;
};

/* What is looked at of every event. */
typedef struct Event {
    uint64_t at; /* in the events of its source */
    int32_t day;
    bool has_conditions; /* else no window of the source asks for any */
    uint32_t conditions;
} Event;

/* An event that counts for a feature. */
typedef struct Counting {
    Tally *tally;
    Counted *lane;
    const Rest *rest;
    const Events *events;
    Event event;
} Counting;

/* The cell of the feature, noted as in use. */
static inline Cell *touch(Counted *lane, const Rest *rest)
{
    Cell *cell = &lane->cells[rest->at];

    /* Without a branch: written each time, kept the first time. */
    lane->touched[lane->n_touched] = rest->at;
    lane->n_touched += cell->n == 0;
    return cell;
}

/* Counts an event of WAY_OTHER; feature.c counts the others itself. */
void cell_count(const Counting *c);
/* The value of a cell in use. */
double cell_value(const Cell *cell, Count count, int32_t as_of, int32_t birth);

#endif
