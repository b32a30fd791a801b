/*
 * feature_set.h - how the features of a run lie in memory while events are counted.
 * Shared by feature_set.c, which makes it, and feature.c, which counts.
 *
 * The inner loop runs once for every stored event, hundreds of millions of times in a
 * run, and which event comes next cannot be foreseen. So a code leads to 32 bytes that
 * say what to do for `exists` and `rows` without a branch: if the day is in a window, set
 * some bits, and add one to a count. Two such windows fit; all else goes through a list.
 */
#ifndef MODELS_FEATURE_SET_H
#define MODELS_FEATURE_SET_H

#include "models/feature.h"

/* What a feature asks of an event. */
typedef struct Counter {
    int32_t from, to;
    uint32_t conditions;
    uint8_t count; /* Count */
    bool is_plain; /* only how many and the last day are kept */
    bool takes_undated;
} Counter;

/* Room in a tally for the counts that remember more than a number. */
typedef struct Room {
    size_t first;
    const uint32_t *group; /* COUNT_CODES: from a code of the source to its group */
} Room;

/* What several features ask of an event alike: from <= day < from + span. */
typedef struct Window {
    int32_t from;
    uint32_t span, conditions;
} Window;

/* What an event of a code does, for up to two windows. */
enum { CODE_WINDOWS = 2 };
typedef struct CodeWork {
    uint64_t bits[CODE_WINDOWS];   /* to set in `word`, if the event is in the window */
    uint16_t window[CODE_WINDOWS]; /* 0 = nothing to do */
    uint16_t word[CODE_WINDOWS];
    uint16_t rows[CODE_WINDOWS]; /* bit of the feature that counts rows; or n_bits */
    uint32_t rest;               /* first of SourceSet.rest; 0 = no list */
} CodeWork;

/* A hit for a list. Lists end with the feature REST_END; hits of one
 * feature stand together. */
#define REST_END UINT32_MAX
typedef struct Rest {
    uint32_t feature;
    bool asks;      /* for bounds or sex, or other hits of the feature follow */
    const Hit *hit; /* of the store or the plan */
} Rest;

typedef struct SourceSet {
    const Events *events;
    CodeWork *codes;
    Rest *rest;
    uint32_t n_rest, uncoded; /* uncoded: first of rest for every event; 0 = none */
    int n_windows;            /* the most that a code has */
    bool is_counted;          /* some feature counts its events */
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
    Counter *counters; /* by feature */
    Room *rooms;       /* by feature */
    size_t n_room;
    double *untouched; /* by feature: the value where nothing counts */
    SourceSet *sources;
    Groups *groups;
    Window *windows; /* [0] holds nothing */
    int n_windows;
    uint16_t *window_of; /* by feature; 0 = always through a list */
    uint16_t *bit_of;    /* by feature with a window */
    uint32_t *feature_of_bit;
    uint16_t n_bits;
};

#endif
