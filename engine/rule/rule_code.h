/*
 * rule_code.h - a compiled expression: as it is parsed, postfix for a small stack, and
 * as it is evaluated, one step for each operator. Shared by the rule*.c only;
 * compile_names.c looks for names with the lexer.
 */
#ifndef ENGINE_RULE_RULE_CODE_H
#define ENGINE_RULE_RULE_CODE_H

#include "engine/rule/rule.h"

/* The groups matter: one operand, then two, then those that stand alone. */
typedef enum OpCode {
    OP_NUMBER, /* push Op.number */
    OP_SLOT,   /* push row[Op.arg] */

    OP_NOT,
    OP_NEG,
    OP_ABS,
    OP_LN,
    OP_EXP,
    OP_SQRT,
    OP_FLOOR,
    OP_IS_MISSING,
    OP_IS_RECORDED,

    OP_AND,
    OP_OR,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_POW,
    OP_MIN,
    OP_MAX,
    OP_COALESCE,

    OP_IN,     /* the next Op.arg ops hold the numbers to compare with */
    OP_NOT_IN, /* likewise */
    OP_IF,     /* condition, then, else */
    OP_SUM,    /* push the sum of the slots that the next Op.arg ops hold */
    OP_TALLY,  /* likewise, where all of them are yes or no and follow one another */
    OP_COUNT   /* push how many of them are above 0 */
} OpCode;

/* Whether the next Op.arg ops are its data. */
static inline bool op_has_data(OpCode code)
{
    return code == OP_IN || code == OP_NOT_IN || code >= OP_SUM;
}

typedef struct Op {
    OpCode code;
    uint32_t arg;
    double number;
} Op;

enum {
    RULE_STACK = 64,  /* values that wait while a rule is evaluated */
    RULE_NESTING = 60 /* brackets, signs and powers within each other */
};

/* Where an operand stands while a rule is evaluated. */
typedef enum Base { ON_STACK, IN_ROW, IN_NUMBERS } Base;

/* An operator that knows where its operands are, so that no step is spent on pushing
 * slots and numbers. What follows an op as its data starts at number at[1] and is at[2]
 * long. */
typedef struct RuleStep {
    uint8_t code;    /* OpCode */
    uint8_t to;      /* place on the stack of the result */
    uint8_t from[3]; /* Base of each operand, IN_NUMBERS where there is none */
    uint32_t at[3];  /* and its place there */
} RuleStep;

struct Rule {
    const char *text;
    RuleType type; /* of the expression itself */
    RuleType want; /* what the caller asked for */
    Op *ops;       /* as parsed */
    int n_ops;
    RuleStep *steps;
    int n_steps;
    Base result; /* where the value stands after the steps */
    uint32_t result_at;
    double *numbers; /* Op.number by op */
    uint32_t *args;  /* Op.arg by op */
    uint32_t *slots;
    size_t n_slots;
};

/* ---- words of an expression -------------------------------------------- */

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_TEXT,   /* in quotes; text and len are what stands between them */
    TOKEN_NAME,   /* also keywords */
    TOKEN_FAMILY, /* name.*; text and len are the name */
    TOKEN_MARK,   /* an operator, a bracket or a comma */
    TOKEN_BAD     /* reported */
} TokenKind;

typedef struct Token {
    TokenKind kind;
    const char *text;
    size_t len;
    size_t at; /* offset of its first byte in the expression */
    double number;
} Token;

typedef struct Lexer {
    const char *text;
    size_t at; /* the next byte to read */
    Where where;
    Err *err;
} Lexer;

/* The next token; reports a byte, number or quote that cannot be one. */
Token rule_next(Lexer *lexer);
/* The place of an offset in the expression. */
Where rule_place(const Lexer *lexer, size_t at);

/* ---- steps ------------------------------------------------------------- */

/* Fills steps, numbers and args from the ops. */
void rule_lay_out(Rule *rule, Arena *arena);

/* ---- parsing ----------------------------------------------------------- */

typedef struct Parser {
    Lexer lexer;
    Token token; /* the one looked at */
    const Scope *scope;
    Err *err;
    Rule *rule;
    int room;    /* of rule->ops */
    int waiting; /* values on the stack at this point */
    int nesting;
} Parser;

/* What an operand is. */
typedef struct Operand {
    RuleType type;
    Words *words; /* RULE_WORD */
    size_t at;    /* where it starts */
} Operand;

/* Fills the rule's type and ops from its text. */
int rule_parse(Rule *rule, Where where, const Scope *scope, Err *err);

/* The loosest level, and the tightest: a literal, name, function or bracket. */
int parse_or(Parser *p, Operand *out);
int parse_primary(Parser *p, Operand *out);

/* Looks at the next token. */
int parse_advance(Parser *p);
bool parse_token_is(const Token *token, TokenKind kind, const char *text);
bool parse_is_mark(const Parser *p, const char *mark);
bool parse_is_word(const Parser *p, const char *word);
Where parse_place(const Parser *p, size_t at);
/* Reports "expected X, found Y" at the token looked at. */
int parse_expected(Parser *p, const char *what);
/* Goes past a mark that must be there. */
int parse_mark(Parser *p, const char *mark);
/* Adds an op as the data of one before it. */
void parse_push(Parser *p, Op op);
/* Adds an op; the only place where the stack can become too deep. */
int parse_emit(Parser *p, OpCode code, uint32_t arg, double number);
int parse_need_number(Parser *p, const Operand *operand);
int parse_need_yesno(Parser *p, const Operand *operand);
const RuleName *parse_find_name(const Parser *p, const Token *token);

#endif
