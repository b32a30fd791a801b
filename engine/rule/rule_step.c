/*
 * rule_step.c - a parsed expression laid out for evaluation.
 *
 * Ops are postfix and push every operand before they use it. Here the stack is gone
 * through once, so that each operator becomes one step that takes its operands from where
 * they are: `age >= 65` is one step and not three.
 */
#include "engine/rule/rule_code.h"

typedef struct Place {
    Base base;
    uint32_t at;
} Place;

static int count_operands(OpCode code)
{
    if (code >= OP_SUM)
        return 0;
    if (code <= OP_IS_RECORDED || code == OP_IN || code == OP_NOT_IN)
        return 1;
    return code == OP_IF ? 3 : 2;
}

/* Operands that a step has not are the first number: reading one does no harm. */
static RuleStep step_of(OpCode code, uint32_t number, const Op *op, const Place *operands)
{
    RuleStep step = {.code = (uint8_t)code, .from = {IN_NUMBERS, IN_NUMBERS, IN_NUMBERS}};

    for (int i = 0; i < count_operands(code); i++) {
        step.from[i] = (uint8_t)operands[i].base;
        step.at[i] = operands[i].at;
    }
    if (op_has_data(code)) {
        step.at[1] = number + 1;
        step.at[2] = op->arg;
    }
    return step;
}

void rule_lay_out(Rule *rule, Arena *arena)
{
    size_t n_ops = (size_t)rule->n_ops;
    Place stack[RULE_STACK];
    uint32_t n = 0;

    rule->steps = arena_alloc(arena, n_ops, sizeof *rule->steps);
    rule->numbers = arena_alloc(arena, n_ops, sizeof *rule->numbers);
    rule->args = arena_alloc(arena, n_ops, sizeof *rule->args);
    for (uint32_t i = 0; i < n_ops; i++) {
        rule->numbers[i] = rule->ops[i].number;
        rule->args[i] = rule->ops[i].arg;
    }
    for (uint32_t i = 0; i < n_ops; i++) {
        const Op *op = &rule->ops[i];

        if (op->code == OP_NUMBER) {
            stack[n++] = (Place){IN_NUMBERS, i};
        } else if (op->code == OP_SLOT) {
            stack[n++] = (Place){IN_ROW, op->arg};
        } else {
            RuleStep *step = &rule->steps[rule->n_steps++];

            n -= (uint32_t)count_operands(op->code);
            *step = step_of(op->code, i, op, &stack[n]);
            step->to = (uint8_t)n;
            stack[n] = (Place){ON_STACK, n};
            n++;
            i += op_has_data(op->code) ? op->arg : 0;
        }
    }
    rule->result = stack[0].base;
    rule->result_at = stack[0].at;
}
