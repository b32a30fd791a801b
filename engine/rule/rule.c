/*
 * rule.c - the words of a slot, and the evaluation of compiled expressions.
 *
 * A rule is an array of steps on a stack whose depth was proved when it was parsed.
 * Every step is evaluated: there is nothing to skip that would cost more than the branch
 * around it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Four sums at once: ones and zeros come to the same in any order. */
static double tally_slots(const double *row, const uint32_t *slots, uint32_t n)
{
    double a = 0, b = 0, c = 0, d = 0;
    uint32_t i = 0;

    for (; i + 4 <= n; i += 4) {
        a += row[slots[i]];
        b += row[slots[i + 1]];
        c += row[slots[i + 2]];
        d += row[slots[i + 3]];
    }
    for (; i < n; i++)
        a += row[slots[i]];
    return a + b + (c + d);
}

static double count_slots(const double *row, const uint32_t *slots, uint32_t n)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++)
        count += is_yes(row[slots[i]]);
    return count;
}

/* The steps that have more than two operands. */
static double apply_many(const Rule *rule, const RuleStep *step,
                         const double *const *base, double a)
{
    const double *row = base[IN_ROW];

    switch ((OpCode)step->code) {
    case OP_IN:
        return is_among(a, &rule->numbers[step->at[1]], step->at[2]);
    case OP_NOT_IN:
        return !isnan(a) && !is_among(a, &rule->numbers[step->at[1]], step->at[2]);
    case OP_SUM:
        return sum_slots(row, &rule->args[step->at[1]], step->at[2]);
    case OP_TALLY:
        return tally_slots(row, &rule->args[step->at[1]], step->at[2]);
    default: /* OP_COUNT */
        return count_slots(row, &rule->args[step->at[1]], step->at[2]);
    }
}

/* The first two operands are at hand; one that a step has not is any number. */
static inline double apply(const Rule *rule, const RuleStep *step,
                           const double *const *base, double a, double b)
{
    switch ((OpCode)step->code) {
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
        return apply_known((OpCode)step->code, a, b);
    case OP_COALESCE:
        return isnan(a) ? b : a;
    case OP_IF:
        return is_yes(a) ? b : base[step->from[2]][step->at[2]];
    default:
        return apply_many(rule, step, base, a);
    }
}

static inline double take_step(const Rule *rule, const RuleStep *step,
                               const double *const *base)
{
    return apply(rule, step, base, base[step->from[0]][step->at[0]],
                 base[step->from[1]][step->at[1]]);
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
