/*
 * rule.c - the words of a slot, and the evaluation of compiled expressions.
 *
 * A rule is an array of postfix steps on a stack whose depth was proved when it was
 * parsed. Every step is evaluated: there is nothing to skip that would cost more than
 * the branch around it.
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

static inline double apply_one(OpCode code, double a)
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
    default: /* OP_IS_RECORDED */
        return !isnan(a);
    }
}

/* pow, fmin and fmax of C can lose a NaN; here missing stays missing. */
static inline double apply_two_known(OpCode code, double a, double b)
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

static inline double apply_two(OpCode code, double a, double b)
{
    switch (code) {
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
    case OP_COALESCE:
        return isnan(a) ? b : a;
    default:
        return apply_two_known(code, a, b);
    }
}

static inline bool is_among(double value, const Op *members, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (value == members[i].number)
            return true;
    }
    return false;
}

/* The value left on the stack, as it is. */
static double evaluate(const Rule *rule, const double *row)
{
    double stack[RULE_STACK];
    double *top = stack; /* one above the last value */

    for (const Op *op = rule->ops; op < rule->ops + rule->n_ops; op++) {
        if (op->code == OP_NUMBER) {
            *top++ = op->number;
        } else if (op->code == OP_SLOT) {
            *top++ = row[op->arg];
        } else if (op->code <= OP_IS_RECORDED) {
            top[-1] = apply_one(op->code, top[-1]);
        } else if (op->code <= OP_COALESCE) {
            top--;
            top[-1] = apply_two(op->code, top[-1], top[0]);
        } else if (op->code == OP_IF) {
            top -= 2;
            top[-1] = is_yes(top[-1]) ? top[0] : top[1];
        } else { /* OP_IN, OP_NOT_IN */
            bool found = is_among(top[-1], op + 1, op->arg);

            top[-1] = !isnan(top[-1]) && found == (op->code == OP_IN);
            op += op->arg;
        }
    }
    return stack[0];
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
    return rule;
}
