/*
 * feature_set.h - how the features of a run lie in memory while events are counted.
 * Shared by feature_set.c, which makes it, and feature.c and cell.c, which count.
 *
 * The inner loop runs once for every stored event, hundreds of millions of times in a
 * run, and which event comes next cannot be foreseen. So a code leads to 32 bytes that
 * say what to do for `exists` and `rows` without a branch: if the day is in a window, set
 * some bits, and add one to a count. Two such windows fit; all else goes through a list.
 */
#ifndef MODELS_FEATURE_SET_H
#define MODELS_FEATURE_SET_H

#include "models/feature.h"

/* What features ask of an event: from <= day < from + span, and the conditions. An
 * unknown day is before all others. */
typedef struct Window {
    int32_t from;
    uint32_t span, conditions;
} Window;

/* What an event does, for up to two windows. */
enum { CODE_WINDOWS = 2 };
typedef struct CodeWork {
    uint64_t bits[CODE_WINDOWS];   /* to set in `word`, if the event is in the window */
    uint16_t window[CODE_WINDOWS]; /* 0 = nothing to do */
    uint16_t word[CODE_WINDOWS];
    uint16_t rows[CODE_WINDOWS]; /* bit of the feature that counts rows; or n_bits */
    uint32_t rest;               /* first of SourceSet.rest; 0 = no list */
} CodeWork;

/* How a feature counts. */
typedef enum Way {
    WAY_BIT,   /* `exists` and `rows` without evidence: bits, and counts beside them */
    WAY_PLAIN, /* a cell, of which only how many and the last day are kept */
    WAY_CODE,  /* COUNT_CODES */
    WAY_OTHER
} Way;

/* A hit for a list, with all that is looked at of its feature. Hits of one feature stand
 * together. */
typedef struct Rest {
    Window window;
    uint32_t at;    /* the feature's bit or cell */
    uint32_t room;  /* in the tally, for the counts that remember more than a number;
                       WAY_CODE: of the code's group; WAY_BIT: see CodeWork.rows */
    uint8_t way;    /* Way */
    bool asks;      /* for bounds or sex, or there are other hits of the feature */
    bool is_last;   /* of the list */
    const Hit *hit; /* of the store or the plan */
} Rest;

typedef struct SourceSet {
    const Events *events;
    CodeWork *codes;  /* by code */
    CodeWork uncoded; /* what every event does, whatever its code */
    Rest *rest;
    uint32_t n_rest;
    int n_windows;     /* the most that any of these has */
    bool counts_codes; /* some feature counts events of certain codes */
    bool counts_every; /* some feature counts every event */
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
    const bool *slots; /* of the features that are counted; NULL = all */
    uint32_t *room;    /* by feature: the first of its room in a tally */
    size_t n_room;
    double *untouched; /* by feature: the value where nothing counts */
    SourceSet *sources;
    Groups *groups;
    Window *windows; /* [0] holds nothing */
    int n_windows;
    uint16_t *window_of; /* by feature; 0 = counted in a cell, else by a bit */
    uint32_t *at;        /* by feature: its bit or cell */
    uint32_t *feature_of_bit, *feature_of_cell;
    uint32_t n_bits, n_cells;
};

#endif
