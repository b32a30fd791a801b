/*
 * rule.h - the one expression language: derived features, eligibility, terms,
 * segments and cohorts.
 *
 *     efi.band in (moderate, severe) and not care_home
 *     coalesce(days_since_last_fall, 9999) < 180 or falls >= 2
 *     (age / 10) ^ 3 - 421.5 ; ln(max(bmi, 10)) ; sex == "F"
 *
 * Lowest first: or; and; not; comparisons (== = != <> < <= > >=, in (...), not in
 * (...), is missing, is not missing); + -; * /; unary -; ^ (right to left). Functions:
 * min max (two or more), abs ln exp sqrt floor, coalesce (two or more),
 * if(condition, then, else); sum(FAMILY.*) adds the features of a family, and
 * count(FAMILY.*) says how many of them are above 0. Literals: numbers, "text", true,
 * false, missing, and bare words where a band or a text attribute is compared. Bands
 * compare by their order.
 *
 * Types are checked once: yes/no, number, and word (a band or a text attribute).
 * A yes/no is a number too where arithmetic needs one (true is 1).
 *
 * Missing (NaN) is a value of its own: a comparison with it is false, arithmetic with
 * it gives missing; so do ln and sqrt outside their domain and a division by zero.
 * `not` of a false comparison is true, missing or not.
 */
#ifndef ENGINE_RULE_RULE_H
#define ENGINE_RULE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

typedef enum RuleType { RULE_NUMBER, RULE_YESNO, RULE_WORD } RuleType;

/* The words a slot of type RULE_WORD can hold; its value is the index in here.
 * is_open: new words may be added while compiling (text attributes; the loader
 * gives every other text the number n_words, "something else"). Bands are closed
 * and is_ordered. */
typedef struct Words {
    const char **word;
    int n, room;
    bool is_open, is_ordered;
} Words;

/* The index of the word, adding it to an open list; -1 when a closed one lacks it. */
int words_index(Words *words, const char *word, Arena *arena);

/* What a name in an expression stands for. */
typedef struct RuleName {
    const char *name;
    RuleType type;
    uint32_t slot;      /* place in the row of values */
    Words *words;       /* RULE_WORD only */
    bool *is_used;      /* set when a rule uses the name; may be NULL */
    const char *family; /* a feature of this family: sum(FAMILY.*) reads it; or NULL */
} RuleName;

/* The names an expression may use. Names are compared whole ("efi.band"). */
typedef struct Scope {
    const RuleName *names;
    size_t n_names;
    Arena *arena;
} Scope;

typedef struct Rule Rule;

/*
 * Parses and type-checks. where is the place of the text's first byte in its file,
 * so that reports point into it. want is the type asked for. NULL after a report:
 * an unknown name gives the nearest one as the hint.
 */
const Rule *rule_compile(const char *text, Where where, RuleType want, const Scope *scope,
                         Err *err);

/* The value for one row: yes/no is 1 or 0; missing is NaN (never for yes/no).
 * Any thread; no allocation. */
double rule_number(const Rule *rule, const double *row);
bool rule_holds(const Rule *rule, const double *row);

/* The same for n rows side by side, each step for all of them before the next: at least
 * one, and at most RULE_LANES. */
enum { RULE_LANES = 16 };
void rule_numbers(const Rule *rule, const double *const *rows, int n, double *value);
/* Bit l: it holds for rows[l]. */
uint32_t rule_holds_for(const Rule *rule, const double *const *rows, int n);

/* What the expression is by itself: yes/no also where a number was asked for. */
RuleType rule_type(const Rule *rule);
/* Whether it is 1 or 0 whatever the row: a comparison, a test or their logic. */
bool rule_is_certain(const Rule *rule);
/* The slots a rule reads, each once, ascending. */
const uint32_t *rule_slots(const Rule *rule, size_t *n);
/* The text it was compiled from. */
const char *rule_text(const Rule *rule);

#endif
