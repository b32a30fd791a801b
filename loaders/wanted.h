/*
 * wanted.h - which rows of a source some feature can use, as far as a server can tell by
 * the day, the code and the value before it sends them.
 *
 * Lists look back differently far: medicines of a year, and one medicine ever. So time is
 * cut into stages at the days where windows begin, and each stage has a test of its own
 * for codes: what no window that reaches into it asks for is left out. A row whose day is
 * not known is in the first stage.
 *
 * Integers are tested by the codes that are wanted; what is not among them, is no code of
 * any list. Texts are written in many ways, so they are tested by how the unwanted ones
 * start when they are written plainly: capitals and digits, as "J18" or "0402". Whatever
 * is written otherwise passes, and is looked at when it has arrived. In the last stage
 * texts are not tested: there codes that cannot be read are counted beside those that
 * can.
 *
 * Of an integer that every feature asks for with bounds, rows are wanted whose value is
 * between the widest of them. What is exactly on one is sent, and left to the features.
 *
 * Rows that are left out are not counted anywhere. The extract passes over the same rows
 * (extract_events.c), so that a run from it comes to the same counts.
 */
#ifndef LOADERS_WANTED_H
#define LOADERS_WANTED_H

#include "loaders/kinds.h"

enum { MOST_STAGES = 8 };

typedef struct Stage {
    int32_t from;      /* its first day; of the first stage there is none */
    bool has_test;     /* else rows of any code are wanted */
    const Code *codes; /* integers: only these; ascending */
    size_t n_codes;
    const char **starts; /* texts: all but those that start so; ascending */
    size_t n_starts;
} Stage;

/* A code whose rows are of no use with another value, or without one. */
typedef struct Bound {
    Code code;
    double least, most; /* -INFINITY, INFINITY = no such bound; not both */
} Bound;

struct Wanted {
    bool has_days; /* only days from Source.oldest on, before the run's, and undated ones
                      with wants_undated; */
    bool by_end;   /* and days before, of rows that end from then on or have not ended */
    bool is_integer;
    int n_chars;         /* of a start */
    const Bound *bounds; /* integers; ascending */
    size_t n_bounds;
    Stage stages[MOST_STAGES];
    int n_stages; /* at least 1; each wants what the one before does, and more */
};

/* Of a source whose columns have been found; without by_code only days are told apart. In
 * the access's arena. */
const Wanted *wanted_new(const Access *access, bool by_code);
static inline const Stage *wanted_last(const Wanted *wanted)
{
    return &wanted->stages[wanted->n_stages - 1];
}

/* The stage of a row by its date. */
int wanted_day_stage(const Wanted *wanted, const Cell *date);
/* The first stage in which rows of the code are wanted; n_stages = none. */
int wanted_code_stage(const Wanted *wanted, const Cell *code);
/* The bound of the code; NULL = it has none. */
const Bound *wanted_bound(const Wanted *wanted, const Cell *code);
/* Whether a value is between the bounds, as the server compares. */
bool bound_takes(const Bound *bound, const Cell *value);

#endif
