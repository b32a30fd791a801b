/*
 * tiny.h - a plan and a store of a few people, built by hand for tests of models.
 *
 * Add in this order: people's attributes, sources, features, derived features, models,
 * then people and events, then tiny_build(). As of 2025-07-01. Faults are assertions.
 */
#ifndef TESTS_SUPPORT_TINY_H
#define TESTS_SUPPORT_TINY_H

#include "engine/plan/plan.h"
#include "engine/store/store.h"

enum {
    TINY_MOST_ATTRIBUTES = 16,
    TINY_MOST_SOURCES = 4,
    TINY_MOST_FEATURES = 64,
    TINY_MOST_DERIVED = 16,
    TINY_MOST_MODELS = 8,
    TINY_MOST_TERMS = 64,
    TINY_MOST_SLOTS = 128
};

typedef struct Tiny {
    Arena *arena;
    Err err;
    Plan plan;
    Store store;
    uint32_t room_people;
    RuleName names[TINY_MOST_SLOTS];
    struct TinySource *sources; /* see tiny.c */
} Tiny;

Tiny *tiny_new(void);
void tiny_free(Tiny *tiny);

int32_t tiny_day(const char *text); /* "2025-06-30"; "" or NULL = DAY_UNKNOWN */

/* An attribute of people. words is a list with blanks between ("M F"); NULL = number. */
int tiny_attribute(Tiny *tiny, const char *id, const char *words);
/* An event source whose codes are local text. */
int tiny_source(Tiny *tiny, const char *name);
/* A feature; the window is [from, to), from NULL is `ever`, to NULL is D. The default
 * where nothing counts is 0, or missing where the count has no zero. */
Feature *tiny_feature(Tiny *tiny, int source, const char *id, Count count,
                      const char *from);
/* The feature counts events with the code. The hit may be narrowed by the caller. */
Hit *tiny_hit(Tiny *tiny, const Feature *feature, const char *code);
/* The feature counts every event of its source. */
Hit *tiny_uncoded(Tiny *tiny, const Feature *feature);
Derived *tiny_derived(Tiny *tiny, const char *id, RuleType type, const char *text);
const Rule *tiny_rule(Tiny *tiny, RuleType type, const char *text);
uint32_t tiny_slot(const Tiny *tiny, const char *name);

/* A model without terms: scale 1, denominator 1, no floor, one reason ("scored"). */
Model *tiny_model(Tiny *tiny, const char *id, const ModelKind *kind);
/* A term on a slot, or, where no slot has that name, on an expression. */
Term *tiny_term(Tiny *tiny, Model *model, const char *value, double weight);
/* Runs the kind's compile; 0 or -1 with tiny->err filled. */
int tiny_compile(Tiny *tiny, Model *model);
/* The score of one person: see ModelKind.score. */
double model_score(const Model *model, const double *row, int *why);

uint32_t tiny_person(Tiny *tiny, const char *birth);
void tiny_set(Tiny *tiny, uint32_t person, int attribute, double value);
/* What an event has beside its code and day; {0} has no value and no end. */
typedef struct TinyMore {
    double value; /* 0 = none: use TINY_ZERO for a recorded 0 */
    uint32_t conditions;
    const char *end;
} TinyMore;
#define TINY_ZERO 1e-300
void tiny_event(Tiny *tiny, int source, uint32_t person, const char *code,
                const char *day, TinyMore more);
/* Sorts the events as a store has them. Afterwards nothing may be added. */
void tiny_build(Tiny *tiny);

#endif
