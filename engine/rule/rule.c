/*
 * rule.c - the words of a slot, and the evaluation of compiled expressions.
 *
 * A rule is an array of steps on a stack whose depth was proved when it was parsed.
 * Every step is evaluated: there is nothing to skip that would cost more than the branch
 * around it. One row is evaluated by itself, many side by side: apply() says what an
 * operator does for both, `in` and `not in` excepted.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/sums.h"
#include "engine/rule/rule_code.h"

int words_index(Words *words, const char *word, Arena *arena)
{
    for (int i = 0; i < words->n; i++) {
        if (strcmp(words->word[i], word) == 0)
            return i;
    }
    if (!words->is_open)
        return -1;
    if (words->n == words->room) {
        int room = words->room > 0 ? 2 * words->room : 8;

        words->word = arena_grow(arena, words->word, (size_t)words->n, (size_t)room,
                                 sizeof *words->word);
        words->room = room;
    }
    words->word[words->n] = arena_text(arena, word, strlen(word));
    return words->n++;
}

/* Yes is above 0; both no and missing are not. */
static inline bool is_yes(double value)
{
    return value > 0;
}

/* What has no finite value (a division by zero, a logarithm of 0) is missing. */
static inline double finite_or_missing(double value)
{
    return isfinite(value) ? value : NAN;
}

/* pow, fmin and fmax of C can lose a NaN; here missing stays missing. */
static inline double apply_known(OpCode code, double a, double b)
{
    if (isnan(a) || isnan(b))
        return NAN;
    switch (code) {
    case OP_POW:
        return finite_or_missing(pow(a, b));
    case OP_MIN:
        return a < b ? a : b;
    default: /* OP_MAX */
        return a > b ? a : b;
    }
}

static bool is_among(double value, const double *members, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (value == members[i])
            return true;
    }
    return false;
}

/* One after the other, since the last bit hangs on the order. */
static double sum_slots(const double *row, const uint32_t *slots, uint32_t n)
{
    double sum = row[slots[0]];

    for (uint32_t i = 1; i < n; i++)
        sum += row[slots[i]];
    return sum;
}

static double count_slots(const double *row, const uint32_t *slots, uint32_t n)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++)
        count += is_yes(row[slots[i]]);
    return count;
}

/* The operators that have data. */
static double apply_many(const Rule *rule, const RuleStep *step, const double *row,
                         double a)
{
    switch ((OpCode)step->code) {
    case OP_IN:
        return is_among(a, &rule->numbers[step->at[1]], step->at[2]);
    case OP_NOT_IN:
        return !isnan(a) && !is_among(a, &rule->numbers[step->at[1]], step->at[2]);
    case OP_SUM:
        return sum_slots(row, &rule->args[step->at[1]], step->at[2]);
    case OP_TALLY:
        return sum_all(&row[rule->args[step->at[1]]], (int)step->at[2]);
    default: /* OP_COUNT */
        return count_slots(row, &rule->args[step->at[1]], step->at[2]);
    }
}

/* The others. An operand that an operator has not is any number. */
static inline double apply(OpCode code, double a, double b, double c)
{
    switch (code) {
    case OP_NOT:
        return !is_yes(a);
    case OP_NEG:
        return -a;
    case OP_ABS:
        return fabs(a);
    case OP_LN:
        return finite_or_missing(log(a));
    case OP_EXP:
        return finite_or_missing(exp(a));
    case OP_SQRT:
        return sqrt(a);
    case OP_FLOOR:
        return floor(a);
    case OP_IS_MISSING:
        return isnan(a);
    case OP_IS_RECORDED:
        return !isnan(a);
    case OP_AND:
        return is_yes(a) && is_yes(b);
    case OP_OR:
        return is_yes(a) || is_yes(b);
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a < b || a > b;
    case OP_LT:
        return a < b;
    case OP_LE:
        return a <= b;
    case OP_GT:
        return a > b;
    case OP_GE:
        return a >= b;
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_MUL:
        return a * b;
    case OP_DIV:
        return finite_or_missing(a / b);
    case OP_POW:
    case OP_MIN:
    case OP_MAX:
        return apply_known(code, a, b);
    case OP_COALESCE:
        return isnan(a) ? b : a;
    default: /* OP_IF */
        return is_yes(a) ? b : c;
    }
}

/* ---- one row ------------------------------------------------------------- */

static inline double take_step(const Rule *rule, const RuleStep *step,
                               const double *const *base)
{
    double a = base[step->from[0]][step->at[0]];

    if (op_has_data((OpCode)step->code))
        return apply_many(rule, step, base[IN_ROW], a);
    return apply((OpCode)step->code, a, base[step->from[1]][step->at[1]],
                 base[step->from[2]][step->at[2]]);
}

/* The value as it is. Many a rule is one comparison, which needs no stack. */
static double evaluate(const Rule *rule, const double *row)
{
    double stack[RULE_STACK];
    const double *const base[] = {
        [ON_STACK] = stack, [IN_ROW] = row, [IN_NUMBERS] = rule->numbers};

    if (rule->n_steps == 1)
        return take_step(rule, rule->steps, base);
    for (const RuleStep *step = rule->steps; step < rule->steps + rule->n_steps; step++)
        stack[step->to] = take_step(rule, step, base);
    return base[rule->result][rule->result_at];
}

/* ---- rows side by side --------------------------------------------------- */

/* Rows are taken four by four: where some are missing from the last four, the first row
 * takes their place. */
enum { AT_ONCE = 4 };

typedef struct Rows {
    const Rule *rule;
    const double *const *row;
    int n; /* a multiple of AT_ONCE */
    const double *filled[RULE_LANES];
    double stack[RULE_STACK][RULE_LANES];
} Rows;

static void rows_begin(Rows *rows, const Rule *rule, const double *const *row, int n)
{
    assert(n > 0 && n <= RULE_LANES);
    rows->rule = rule;
    rows->n = (n + AT_ONCE - 1) / AT_ONCE * AT_ONCE;
    rows->row = row;
    if (n == rows->n)
        return;
    for (int l = 0; l < rows->n; l++)
        rows->filled[l] = row[l < n ? l : 0];
    rows->row = rows->filled;
}

/* The operand of all rows: where it stands, or copied to room. */
static const double *fetch(const Rows *rows, Base base, uint32_t at, double *room)
{
    if (base == ON_STACK)
        return rows->stack[at];
    if (base == IN_NUMBERS) {
        double number = rows->rule->numbers[at];

        for (int l = 0; l < RULE_LANES; l++)
            room[l] = number;
        return room;
    }
    for (int q = 0; q < rows->n; q += AT_ONCE)
        for (int l = q; l < q + AT_ONCE; l++)
            room[l] = rows->row[l][at];
    return room;
}

/* One loop for each operator, so that nothing is decided row by row. */
#define EACH(CODE)                                                                       \
    case CODE:                                                                           \
        for (int q = 0; q < n; q += AT_ONCE)                                             \
            for (int l = q; l < q + AT_ONCE; l++)                                        \
                to[l] = apply(CODE, a[l], b[l], 0);                                      \
        return

static void apply_each(OpCode code, const double *restrict a, const double *restrict b,
                       double *restrict to, int n)
{
    switch (code) {
        EACH(OP_NOT);
        EACH(OP_NEG);
        EACH(OP_ABS);
        EACH(OP_LN);
        EACH(OP_EXP);
        EACH(OP_SQRT);
        EACH(OP_FLOOR);
        EACH(OP_IS_MISSING);
        EACH(OP_IS_RECORDED);
        EACH(OP_AND);
        EACH(OP_OR);
        EACH(OP_EQ);
        EACH(OP_NE);
        EACH(OP_LT);
        EACH(OP_LE);
        EACH(OP_GT);
        EACH(OP_GE);
        EACH(OP_ADD);
        EACH(OP_SUB);
        EACH(OP_MUL);
        EACH(OP_DIV);
        EACH(OP_POW);
        EACH(OP_MIN);
        EACH(OP_MAX);
        EACH(OP_COALESCE);
    default:
        assert(false); /* has data, or three operands */
    }
}
#undef EACH

static void apply_if(const Rows *rows, const RuleStep *step, double *to)
{
    double room[3][RULE_LANES];
    const double *a = fetch(rows, step->from[0], step->at[0], room[0]);
    const double *b = fetch(rows, step->from[1], step->at[1], room[1]);
    const double *c = fetch(rows, step->from[2], step->at[2], room[2]);

    for (int l = 0; l < rows->n; l++)
        to[l] = apply(OP_IF, a[l], b[l], c[l]);
}

/* Member by member, for all rows. */
static void find_members(const Rows *rows, const RuleStep *step, double *to)
{
    const double *members = &rows->rule->numbers[step->at[1]];
    double room[RULE_LANES];
    const double *a = fetch(rows, step->from[0], step->at[0], room);

    for (int l = 0; l < rows->n; l++)
        to[l] = 0;
    for (uint32_t m = 0; m < step->at[2]; m++)
        for (int l = 0; l < rows->n; l++)
            to[l] = a[l] == members[m] ? 1 : to[l];
    for (int l = 0; step->code == OP_NOT_IN && l < rows->n; l++)
        to[l] = isnan(a[l]) ? 0 : 1 - to[l];
}

static void apply_data(const Rows *rows, const RuleStep *step, double *to)
{
    if (step->code == OP_IN || step->code == OP_NOT_IN)
        find_members(rows, step, to);
    else
        for (int l = 0; l < rows->n; l++)
            to[l] = apply_many(rows->rule, step, rows->row[l], 0);
}

static void take_rows(Rows *rows, const RuleStep *step)
{
    OpCode code = (OpCode)step->code;
    double to[RULE_LANES], room_a[RULE_LANES], room_b[RULE_LANES];

    if (code == OP_IF) {
        apply_if(rows, step, to);
    } else if (op_has_data(code)) {
        apply_data(rows, step, to);
    } else {
        const double *a = fetch(rows, step->from[0], step->at[0], room_a);
        const double *b = fetch(rows, step->from[1], step->at[1], room_b);

        apply_each(code, a, b, to, rows->n);
    }
    memcpy(rows->stack[step->to], to, sizeof to);
}

/* The values as they are; room is for those that do not stand on the stack. */
static const double *evaluate_rows(Rows *rows, double *room)
{
    const Rule *rule = rows->rule;

    for (const RuleStep *step = rule->steps; step < rule->steps + rule->n_steps; step++)
        take_rows(rows, step);
    return fetch(rows, rule->result, rule->result_at, room);
}

void rule_numbers(const Rule *rule, const double *const *row, int n, double *value)
{
    Rows rows;
    double room[RULE_LANES];
    const double *values;

    rows_begin(&rows, rule, row, n);
    values = evaluate_rows(&rows, room);
    for (int l = 0; l < n; l++)
        value[l] = rule->want == RULE_YESNO ? is_yes(values[l]) : values[l];
}

uint32_t rule_holds_for(const Rule *rule, const double *const *row, int n)
{
    Rows rows;
    double room[RULE_LANES];
    const double *values;
    uint32_t bits = 0;

    rows_begin(&rows, rule, row, n);
    values = evaluate_rows(&rows, room);
    for (int l = 0; l < n; l++)
        bits |= (uint32_t)is_yes(values[l]) << l;
    return bits;
}

/* ---- what callers ask ---------------------------------------------------- */

double rule_number(const Rule *rule, const double *row)
{
    double value = evaluate(rule, row);

    return rule->want == RULE_YESNO ? is_yes(value) : value;
}

bool rule_holds(const Rule *rule, const double *row)
{
    return is_yes(evaluate(rule, row));
}

RuleType rule_type(const Rule *rule)
{
    return rule->type;
}

/* A slot, a choice (if, coalesce) or arithmetic last: it may be missing. */
bool rule_is_certain(const Rule *rule)
{
    OpCode last;

    if (rule->want == RULE_YESNO)
        return true;
    if (rule->n_steps == 0)
        return false;
    last = (OpCode)rule->steps[rule->n_steps - 1].code;
    return last == OP_NOT || last == OP_IS_MISSING || last == OP_IS_RECORDED ||
           (last >= OP_AND && last <= OP_GE) || last == OP_IN || last == OP_NOT_IN;
}

const uint32_t *rule_slots(const Rule *rule, size_t *n)
{
    *n = rule->n_slots;
    return rule->slots;
}

const char *rule_text(const Rule *rule)
{
    return rule->text;
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void collect_slots(Rule *rule, Arena *arena)
{
    size_t n = 0;

    rule->slots = arena_alloc(arena, (size_t)rule->n_ops, sizeof *rule->slots);
    for (int i = 0; i < rule->n_ops; i++) {
        if (rule->ops[i].code == OP_SLOT)
            rule->slots[n++] = rule->ops[i].arg;
    }
    if (n > 0)
        qsort(rule->slots, n, sizeof *rule->slots, compare_slots);
    for (size_t i = 0; i < n; i++) {
        if (rule->n_slots == 0 || rule->slots[rule->n_slots - 1] != rule->slots[i])
            rule->slots[rule->n_slots++] = rule->slots[i];
    }
}

const Rule *rule_compile(const char *text, Where where, RuleType want, const Scope *scope,
                         Err *err)
{
    Rule *rule = arena_alloc(scope->arena, 1, sizeof *rule);

    rule->text = arena_text(scope->arena, text, strlen(text));
    rule->want = want;
    if (rule_parse(rule, where, scope, err) != 0)
        return NULL;
    collect_slots(rule, scope->arena);
    rule_lay_out(rule, scope->arena);
    return rule;
}
