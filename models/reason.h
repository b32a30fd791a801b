/*
 * reason.h - which features made a score high, in plain words.
 */
#ifndef MODELS_REASON_H
#define MODELS_REASON_H

#include "models/score.h"

typedef struct Reason {
    int model;
    int term;      /* index into Model.terms */
    uint32_t slot; /* what was counted */
    double value;  /* of the slot */
    double amount; /* added to the score, in the model's own units */
    int32_t day;   /* latest supporting event, or DAY_UNKNOWN */
} Reason;

/*
 * The terms that raised the score of the visited person most (amount > 0), largest
 * first, ties by term order. Returns how many were filled, at most `most`. The visit
 * must have been made with evidence.
 */
int reason_list(Reason *reasons, int most, const Plan *plan, int model,
                const Visit *visit);

/*
 * The reason in words: the term's or feature's `say` with {value} and {date} filled in,
 * else its label, with the value where it is a count and the month of the evidence:
 * "Falls (Mar 2025)", "Emergency admissions in the last year: 3 (latest Aug 2026)".
 * NUL-terminated, cut at a whole UTF-8 character.
 */
enum { REASON_TEXT = 200 };
const char *reason_label(const Plan *plan, const Reason *reason);
void reason_text(char text[REASON_TEXT], const Plan *plan, const Reason *reason);

#endif
