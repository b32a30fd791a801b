/*
 * reason.c - which features made a score high, in plain words.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/reason.h"

/* ---- the list ------------------------------------------------------------ */

static int32_t slot_day(const Plan *plan, uint32_t slot, const int32_t *evidence);

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b; /* DAY_UNKNOWN is before every day */
}

static int32_t rule_day(const Plan *plan, const Rule *rule, const int32_t *evidence)
{
    int32_t day = DAY_UNKNOWN;
    size_t n;
    const uint32_t *slots = rule_slots(rule, &n);

    for (size_t s = 0; s < n; s++)
        day = later(day, slot_day(plan, slots[s], evidence));
    return day;
}

static int32_t term_day(const Plan *plan, const Term *term, const int32_t *evidence)
{
    return term->value != NULL ? rule_day(plan, term->value, evidence)
                               : slot_day(plan, term->slot, evidence);
}

/* The latest event behind a slot. Slots only read earlier ones, so this ends. */
static int32_t slot_day(const Plan *plan, uint32_t slot, const int32_t *evidence)
{
    const Slot *of = &plan->slots[slot];
    int32_t day = DAY_UNKNOWN;

    switch (of->kind) {
    case SLOT_FEATURE:
        return evidence[of->index];
    case SLOT_DERIVED:
        return rule_day(plan, plan->derived[of->index].rule, evidence);
    case SLOT_SCORE:
    case SLOT_BAND:
        for (int t = 0; t < plan->models[of->index].n_terms; t++)
            day = later(day, term_day(plan, &plan->models[of->index].terms[t], evidence));
        return day;
    default:
        return DAY_UNKNOWN;
    }
}

static bool goes_before(const Share *a, const Share *b)
{
    return a->amount > b->amount || (a->amount == b->amount && a->term < b->term);
}

/* Keeps the `most` shares that raised the score most, in order. */
static int keep_share(Share *kept, int n, int most, const Share *share)
{
    int at = n < most ? n : most - 1;

    if (!(share->amount > 0) || (n == most && !goes_before(share, &kept[at])))
        return n;
    for (; at > 0 && goes_before(share, &kept[at - 1]); at--)
        kept[at] = kept[at - 1];
    kept[at] = *share;
    return n < most ? n + 1 : most;
}

int reason_list(Reason *reasons, int most, const Plan *plan, int model,
                const Visit *visit)
{
    const Model *of = &plan->models[model];
    const double *row = visit_row(visit);
    const int32_t *evidence = visit_evidence(visit);
    int room = of->most_shares > 0 ? of->most_shares : of->n_terms, n = 0, n_shares;
    Share *shares;

    if (most <= 0 || visit_outcome(visit, model) != 0)
        return 0;
    shares = mem_alloc((size_t)room, sizeof *shares, "shares");
    n_shares = of->kind->shares(of, row, shares);
    /* Sorted within the array itself: what is kept never overtakes what is read. */
    for (int s = 0; s < n_shares; s++) {
        Share share = shares[s];

        n = keep_share(shares, n, most, &share);
    }
    for (int r = 0; r < n; r++) {
        const Share *share = &shares[r];

        reasons[r] = (Reason){
            .model = model,
            .term = share->term,
            .slot = share->slot,
            .value = row[share->slot],
            .amount = share->amount,
            .day = term_day(plan, &of->terms[share->term], evidence),
        };
    }
    free(shares);
    return n;
}

/* ---- in words ------------------------------------------------------------ */

static void month_text(char text[16], int32_t day)
{
    static const char NAMES[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int year, month, day_of_month;

    if (day == DAY_UNKNOWN) {
        snprintf(text, 16, "date unknown");
        return;
    }
    day_split(day, &year, &month, &day_of_month);
    snprintf(text, 16, "%s %d", NAMES[month - 1], year);
}

/* A word, yes or no, or a number with at most two digits after the point. */
static void value_text(char text[64], const Slot *slot, double value)
{
    size_t len;

    if (isnan(value)) {
        snprintf(text, 64, "not recorded");
    } else if (slot->type == RULE_WORD && slot->words != NULL) {
        snprintf(text, 64, "%s",
                 value < slot->words->n ? slot->words->word[(int)value] : "other");
    } else if (slot->type == RULE_YESNO) {
        snprintf(text, 64, "%s", value != 0 ? "yes" : "no");
    } else if (fabs(value) >= 1e15) {
        snprintf(text, 64, "%g", value);
    } else {
        len = (size_t)snprintf(text, 64, "%.2f", value);
        while (text[len - 1] == '0')
            text[--len] = '\0';
        if (text[len - 1] == '.')
            text[--len] = '\0';
    }
}

/* Text that is cut at a whole UTF-8 character when it is full. */
typedef struct Line {
    char *text;
    size_t len, room;
} Line;

static void line_add(Line *line, const char *text, size_t len)
{
    size_t left = line->room - line->len - 1;

    if (len > left) {
        len = left;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
        line->room = line->len + len + 1; /* nothing is added behind a cut */
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
    line->text[line->len] = '\0';
}

static void line_say(Line *line, const char *say, const char *value, const char *date)
{
    while (*say != '\0') {
        size_t len = strcspn(say, "{");

        line_add(line, say, len);
        say += len;
        if (strncmp(say, "{value}", 7) == 0) {
            line_add(line, value, strlen(value));
            say += 7;
        } else if (strncmp(say, "{date}", 6) == 0) {
            line_add(line, date, strlen(date));
            say += 6;
        } else if (*say == '{') {
            line_add(line, say++, 1);
        }
    }
}

/* What a reason is called, and how the config wants it said. */
static const char *slot_say(const Plan *plan, const Slot *slot)
{
    if (slot->kind == SLOT_FEATURE)
        return plan->features[slot->index].say;
    return slot->kind == SLOT_DERIVED ? plan->derived[slot->index].say : NULL;
}

/* True where the label says it all: something is there. */
static bool is_plain(const Plan *plan, const Term *term, const Reason *reason)
{
    const Slot *slot = &plan->slots[reason->slot];

    if (term->value != NULL && rule_type(term->value) == RULE_YESNO)
        return true;
    if (reason->value == 0)
        return false;
    return slot->type == RULE_YESNO ||
           (slot->kind == SLOT_FEATURE &&
            (plan->features[slot->index].count == COUNT_EXISTS ||
             plan->features[slot->index].count == COUNT_REPEAT));
}

const char *reason_label(const Plan *plan, const Reason *reason)
{
    const Term *term = &plan->models[reason->model].terms[reason->term];

    return term->label != NULL ? term->label : plan->slots[reason->slot].label;
}

void reason_text(char text[REASON_TEXT], const Plan *plan, const Reason *reason)
{
    const Term *term = &plan->models[reason->model].terms[reason->term];
    const Slot *slot = &plan->slots[reason->slot];
    const char *label = reason_label(plan, reason);
    const char *say = term->say != NULL ? term->say : slot_say(plan, slot);
    bool has_day = reason->day != DAY_UNKNOWN;
    Line line = {text, 0, REASON_TEXT};
    char value[64], date[16], tail[128] = "";

    value_text(value, slot, reason->value);
    month_text(date, reason->day);
    text[0] = '\0';
    if (say != NULL) {
        line_say(&line, say, value, date);
        return;
    }
    if (!is_plain(plan, term, reason))
        snprintf(tail, sizeof tail, has_day ? ": %s (latest %s)" : ": %s", value, date);
    else if (has_day)
        snprintf(tail, sizeof tail, " (%s)", date);
    line_add(&line, label, strlen(label));
    line_add(&line, tail, strlen(tail));
}
