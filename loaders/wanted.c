/*
 * wanted.c - see wanted.h.
 */
#include "loaders/wanted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Starts of plainly written codes: a letter and two digits, or chapter and section. */
enum { LETTER_STARTS = 2600, BNF_CHAPTERS = 23, BNF_STARTS = 100 * BNF_CHAPTERS };
enum { START_TEXT = 8 };

typedef struct Builder {
    const Access *access;
    const Source *source;
    Wanted *wanted;
    int32_t from[MOST_STAGES + 1]; /* by stage, and behind the last */
    int n_from;
    Code *codes; /* integers: as the matcher has them */
    size_t n_codes;
    char (*starts)[START_TEXT]; /* texts: all there are, wanted or not */
    size_t n_starts;
    int32_t *oldest;        /* by code or start: the first day that a window wants */
    int32_t oldest_uncoded; /* of features that ask for no code */
} Builder;

static const Feature *feature_of(const Builder *b, const Hit *hit)
{
    return &b->access->plan->features[hit->feature];
}

/* ---- when -------------------------------------------------------------- */

static bool counts_bed_days(const Builder *b)
{
    const Plan *plan = b->access->plan;

    for (int f = 0; f < plan->n_features; f++)
        if (plan->features[f].source == b->source->number &&
            plan->features[f].count == COUNT_BED_DAYS)
            return true;
    return false;
}

static void set_days(Builder *b)
{
    int date = source_at(b->source, FIELD_DATE);

    b->wanted->by_end = source_at(b->source, FIELD_END) >= 0 && counts_bed_days(b);
    b->wanted->has_days =
        b->source->role == ROLE_EVENTS && date >= 0 && b->access->type[date] == CELL_DAY;
}

/* Keeps the days ascending, each once; of too many the earliest but one is left out. */
static void add_from(Builder *b, int32_t day)
{
    int at = b->n_from;

    while (at > 0 && b->from[at - 1] > day)
        at--;
    if (at > 0 && b->from[at - 1] == day)
        return;
    memmove(&b->from[at + 1], &b->from[at], (size_t)(b->n_from - at) * sizeof *b->from);
    b->from[at] = day;
    if (++b->n_from > MOST_STAGES) {
        b->n_from--;
        memmove(&b->from[1], &b->from[2], (size_t)(b->n_from - 1) * sizeof *b->from);
    }
}

static void add_hits(Builder *b, const Hit *hits, size_t n)
{
    for (size_t h = 0; h < n; h++)
        add_from(b, feature_of(b, &hits[h])->from);
}

/* A spell that reaches into a window may have begun long before it. */
static void cut_time(Builder *b)
{
    const Matcher *matcher = b->source->matcher;
    size_t n_keys = matcher == NULL ? 0 : matcher_n_keys(matcher);

    for (size_t k = 0; k < n_keys; k++) {
        MatcherKey key = matcher_key(matcher, k);

        add_hits(b, key.hits, key.n_hits);
    }
    add_hits(b, b->source->uncoded, (size_t)b->source->n_uncoded);
    if (b->n_from == 0 || !b->wanted->has_days || b->wanted->by_end) {
        b->from[0] = DAY_FIRST;
        b->n_from = 1;
    }
    b->from[b->n_from] = INT32_MAX; /* every window begins before it */
}

/* ---- what -------------------------------------------------------------- */

static int32_t oldest_of(const Builder *b, const MatcherKey *key)
{
    int32_t oldest = INT32_MAX;

    for (uint32_t h = 0; h < key->n_hits; h++)
        if (feature_of(b, &key->hits[h])->from < oldest)
            oldest = feature_of(b, &key->hits[h])->from;
    return oldest;
}

/* False where a list has beginnings of codes: an integer has none. */
static bool list_integers(Builder *b)
{
    Arena *arena = b->access->arena;
    size_t n = 0, n_keys = matcher_n_keys(b->source->matcher);

    b->codes = arena_alloc(arena, n_keys, sizeof *b->codes);
    b->oldest = arena_alloc(arena, n_keys, sizeof *b->oldest);
    for (; n < n_keys; n++) {
        MatcherKey key = matcher_key(b->source->matcher, n);

        if (key.is_prefix)
            return false;
        b->codes[n] = key.code;
        b->oldest[n] = oldest_of(b, &key);
    }
    b->n_codes = n;
    return n > 0;
}

static void make_starts(Builder *b)
{
    bool is_bnf = b->source->system == SYSTEM_BNF;

    b->n_starts = is_bnf ? BNF_STARTS : LETTER_STARTS;
    b->wanted->n_chars = is_bnf ? 4 : 3;
    b->starts = arena_alloc(b->access->arena, b->n_starts, sizeof *b->starts);
    b->oldest = arena_alloc(b->access->arena, b->n_starts, sizeof *b->oldest);
    for (size_t i = 0; i < b->n_starts; i++) {
        unsigned tens = (unsigned)(i / 100), rest = (unsigned)(i % 100);

        if (is_bnf)
            snprintf(b->starts[i], START_TEXT, "%02u%02u", (tens + 1) % 100, rest);
        else
            snprintf(b->starts[i], START_TEXT, "%c%02u", 'A' + (int)(tens % 26), rest);
        b->oldest[i] = INT32_MAX;
    }
}

/* Codes that a key matches start as it does, and its starts as far as they go. */
static void mark_starts(Builder *b, const MatcherKey *key)
{
    int32_t oldest = oldest_of(b, key);
    char text[CODE_TEXT];
    size_t len;

    code_text(text, key->code);
    len = strlen(text);
    if (len > (size_t)b->wanted->n_chars)
        len = (size_t)b->wanted->n_chars;
    for (size_t i = 0; i < b->n_starts; i++)
        if (memcmp(b->starts[i], text, len) == 0 && oldest < b->oldest[i])
            b->oldest[i] = oldest;
}

static bool list_starts(Builder *b)
{
    System system = b->source->system;

    if (system != SYSTEM_ICD10 && system != SYSTEM_OPCS4 && system != SYSTEM_BNF)
        return false;
    make_starts(b);
    for (size_t k = 0; k < matcher_n_keys(b->source->matcher); k++) {
        MatcherKey key = matcher_key(b->source->matcher, k);

        mark_starts(b, &key);
    }
    return true;
}

/* Whether codes can be told apart before they are sent. */
static bool list_codes(Builder *b)
{
    const Source *source = b->source;
    int at = source_at(source, FIELD_CODE);

    if (source->role != ROLE_EVENTS || !source->needs_code || source->matcher == NULL ||
        at < 0 || source_at(source, FIELD_SYSTEM) >= 0)
        return false;
    b->wanted->is_integer = b->access->is_integer[at];
    if (!b->wanted->is_integer)
        return b->access->type[at] == CELL_TEXT && list_starts(b);
    return (source->system == SYSTEM_SNOMED || source->system == SYSTEM_DMD) &&
           list_integers(b);
}

/* ---- values ------------------------------------------------------------ */

/* As a key's hits want it: if all of them have a bound on the same side, or both. */
static Bound bound_of(const MatcherKey *key)
{
    Bound bound = {key->code, INFINITY, -INFINITY};

    for (uint32_t h = 0; h < key->n_hits; h++) {
        const Hit *hit = &key->hits[h];

        bound.least = hit->above < bound.least ? hit->above : bound.least;
        bound.most = hit->below > bound.most ? hit->below : bound.most;
    }
    return bound;
}

/* Only of a column that arrives as a number: texts are read by the program alone. */
static void list_bounds(Builder *b)
{
    const Matcher *matcher = b->source->matcher;
    int at = source_at(b->source, FIELD_VALUE);
    Bound *bounds = arena_alloc(b->access->arena, b->n_codes, sizeof *bounds);
    size_t n = 0;

    if (at < 0 || (b->access->type[at] != CELL_FLOAT && b->access->type[at] != CELL_INT))
        return;
    for (size_t k = 0; k < b->n_codes; k++) {
        MatcherKey key = matcher_key(matcher, k);
        Bound bound = bound_of(&key);

        if (bound.least > -INFINITY || bound.most < INFINITY)
            bounds[n++] = bound;
    }
    b->wanted->bounds = bounds;
    b->wanted->n_bounds = n;
}

/* ---- stages ------------------------------------------------------------ */

/* A test that leaves out little of what the last stage wants is not worth its price, nor
 * is one of starts that leaves out little of all. */
static void test_integers(Builder *b, Stage *stage, int32_t until)
{
    Code *codes = arena_alloc(b->access->arena, b->n_codes, sizeof *codes);

    for (size_t i = 0; i < b->n_codes; i++)
        if (b->oldest[i] < until)
            codes[stage->n_codes++] = b->codes[i];
    stage->codes = codes;
    stage->has_test = true;
    if (2 * stage->n_codes > b->n_codes) {
        stage->codes = b->codes;
        stage->n_codes = b->n_codes;
    }
}

static void test_starts(Builder *b, Stage *stage, int32_t until)
{
    const char **starts = arena_alloc(b->access->arena, b->n_starts, sizeof *starts);
    size_t n = 0;

    for (size_t i = 0; i < b->n_starts; i++)
        if (b->oldest[i] >= until)
            starts[n++] = b->starts[i];
    if (2 * n <= b->n_starts)
        return;
    stage->has_test = true;
    stage->starts = starts;
    stage->n_starts = n;
}

static void add_stage(Builder *b, int number, bool has_codes)
{
    Wanted *wanted = b->wanted;
    int32_t until = b->from[number + 1];
    Stage stage = {.from = b->from[number]};
    const Stage *before = wanted->n_stages == 0 ? NULL : wanted_last(wanted);

    if (has_codes && b->oldest_uncoded >= until) {
        if (wanted->is_integer)
            test_integers(b, &stage, until);
        else if (until < INT32_MAX)
            test_starts(b, &stage, until);
    }
    if (before == NULL || before->has_test != stage.has_test ||
        before->n_codes != stage.n_codes || before->n_starts != stage.n_starts)
        wanted->stages[wanted->n_stages++] = stage;
}

const Wanted *wanted_new(const Access *access, bool by_code)
{
    Builder b = {.access = access, .source = access->source, .oldest_uncoded = INT32_MAX};
    bool has_codes;

    b.wanted = arena_alloc(access->arena, 1, sizeof *b.wanted);
    set_days(&b);
    cut_time(&b);
    has_codes = by_code && list_codes(&b);
    for (int u = 0; u < b.source->n_uncoded; u++)
        if (feature_of(&b, &b.source->uncoded[u])->from < b.oldest_uncoded)
            b.oldest_uncoded = feature_of(&b, &b.source->uncoded[u])->from;
    for (int f = 0; f < b.n_from; f++)
        add_stage(&b, f, has_codes);
    if (has_codes && b.wanted->is_integer && b.source->n_uncoded == 0)
        list_bounds(&b);
    return b.wanted;
}

/* ---- asking ------------------------------------------------------------ */

int wanted_day_stage(const Wanted *wanted, const Cell *date)
{
    int stage = wanted->n_stages - 1;

    if (date->type != CELL_DAY)
        return 0;
    while (stage > 0 && date->as.day < wanted->stages[stage].from)
        stage--;
    return stage;
}

/* Of codes, and of bounds, which begin with one. */
static int code_order(const void *left, const void *right)
{
    int64_t a = (int64_t)((const Code *)left)->high,
            b = (int64_t)((const Code *)right)->high;

    return (a > b) - (a < b);
}

static int start_order(const void *left, const void *right)
{
    return strcmp(left, *(const char *const *)right);
}

const Bound *wanted_bound(const Wanted *wanted, const Cell *code)
{
    const Bound wants = {.code = {(uint64_t)code->as.number, 0}};

    if (code->type != CELL_INT || wanted->n_bounds == 0)
        return NULL;
    return bsearch(&wants, wanted->bounds, wanted->n_bounds, sizeof wants, code_order);
}

/* To the server NaN is the largest number there is. */
bool bound_takes(const Bound *bound, const Cell *value)
{
    double number;

    if (value->type == CELL_NULL)
        return false;
    number = value->type == CELL_INT ? (double)value->as.number : value->as.real;
    if (isnan(number))
        return bound->most == INFINITY;
    return number >= bound->least && number <= bound->most;
}

static bool passes(const Wanted *wanted, const Stage *stage, const Cell *code)
{
    char start[START_TEXT] = "";

    if (!stage->has_test)
        return true;
    if (wanted->is_integer) {
        const Code wants = {(uint64_t)code->as.number, 0};

        return code->type == CELL_INT && bsearch(&wants, stage->codes, stage->n_codes,
                                                 sizeof wants, code_order) != NULL;
    }
    if (code->type != CELL_TEXT || (int)code->len < wanted->n_chars)
        return true;
    memcpy(start, code->as.text, (size_t)wanted->n_chars);
    return bsearch(start, stage->starts, stage->n_starts, sizeof *stage->starts,
                   start_order) == NULL;
}

int wanted_code_stage(const Wanted *wanted, const Cell *code)
{
    int stage = 0;

    while (stage < wanted->n_stages && !passes(wanted, &wanted->stages[stage], code))
        stage++;
    return stage;
}
