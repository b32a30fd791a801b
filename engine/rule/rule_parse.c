/*
 * rule_parse.c - expressions: from text to typed postfix ops, in one pass.
 *
 * Recursive descent, one function for each level of precedence. The first fault ends
 * the parse: what follows it would only be guesses. Values are read in rule_value.c.
 */
#include <string.h>

#include "engine/base/text.h"
#include "engine/rule/rule_code.h"

static int parse_unary(Parser *p, Operand *out);

/* ---- tokens ------------------------------------------------------------ */

int parse_advance(Parser *p)
{
    p->token = rule_next(&p->lexer);
    return p->token.kind == TOKEN_BAD ? -1 : 0;
}

bool parse_token_is(const Token *token, TokenKind kind, const char *text)
{
    return token->kind == kind && token->len == strlen(text) &&
           memcmp(token->text, text, token->len) == 0;
}

bool parse_is_mark(const Parser *p, const char *mark)
{
    return parse_token_is(&p->token, TOKEN_MARK, mark);
}

bool parse_is_word(const Parser *p, const char *word)
{
    return parse_token_is(&p->token, TOKEN_NAME, word);
}

Where parse_place(const Parser *p, size_t at)
{
    return rule_place(&p->lexer, at);
}

/* "expected X, found Y" at the token looked at. */
int parse_expected(Parser *p, const char *what)
{
    const Token *token = &p->token;

    if (token->kind == TOKEN_END)
        return err_add(p->err, ERR_CONFIG, parse_place(p, token->at),
                       "expected %s, the expression ends here", what);
    return err_add(p->err, ERR_CONFIG, parse_place(p, token->at),
                   "expected %s, found \"%.*s\"", what, (int)token->len, token->text);
}

int parse_mark(Parser *p, const char *mark)
{
    char what[8] = {'"', mark[0], '"', '\0'};

    return parse_is_mark(p, mark) ? parse_advance(p) : parse_expected(p, what);
}

/* ---- ops --------------------------------------------------------------- */

static int stack_use(OpCode code)
{
    if (code == OP_NUMBER || code == OP_SLOT || code >= OP_SUM)
        return 1;
    if (code == OP_IF)
        return -2;
    return code >= OP_AND && code <= OP_COALESCE ? -1 : 0;
}

void parse_push(Parser *p, Op op)
{
    Rule *rule = p->rule;

    if (rule->n_ops == p->room) {
        int room = p->room > 0 ? 2 * p->room : 8;

        rule->ops = arena_grow(p->scope->arena, rule->ops, (size_t)rule->n_ops,
                               (size_t)room, sizeof *rule->ops);
        p->room = room;
    }
    rule->ops[rule->n_ops++] = op;
}

int parse_emit(Parser *p, OpCode code, uint32_t arg, double number)
{
    p->waiting += stack_use(code);
    if (p->waiting > RULE_STACK) {
        err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
                "the expression is too deeply nested");
        err_hint(p->err, "write it as several derived features");
        return -1;
    }
    parse_push(p, (Op){code, arg, number});
    return 0;
}

/* ---- types ------------------------------------------------------------- */

int parse_need_number(Parser *p, const Operand *operand)
{
    if (operand->type != RULE_WORD)
        return 0;
    return err_add(p->err, ERR_CONFIG, parse_place(p, operand->at),
                   "expected a number, this is a word");
}

int parse_need_yesno(Parser *p, const Operand *operand)
{
    if (operand->type == RULE_YESNO)
        return 0;
    err_add(p->err, ERR_CONFIG, parse_place(p, operand->at),
            "expected yes or no, this is %s",
            operand->type == RULE_WORD ? "a word" : "a number");
    err_hint(p->err, "compare it with something, as in %s",
             operand->type == RULE_WORD ? "name == \"word\"" : "name > 0");
    return -1;
}

/* ---- signs and powers -------------------------------------------------- */

/* Right to left: 2 ^ 3 ^ 2 is 2 ^ 9, and 2 ^ -1 is a half. */
static int parse_power(Parser *p, Operand *out)
{
    Operand exponent;

    if (parse_primary(p, out) != 0)
        return -1;
    if (!parse_is_mark(p, "^"))
        return 0;
    if (parse_need_number(p, out) != 0 || parse_advance(p) != 0 ||
        parse_unary(p, &exponent) != 0 || parse_need_number(p, &exponent) != 0)
        return -1;
    out->type = RULE_NUMBER;
    return parse_emit(p, OP_POW, 0, 0);
}

static int parse_sign(Parser *p, Operand *out)
{
    size_t at = p->token.at;

    if (!parse_is_mark(p, "-"))
        return parse_power(p, out);
    if (parse_advance(p) != 0 || parse_unary(p, out) != 0 ||
        parse_need_number(p, out) != 0)
        return -1;
    *out = (Operand){RULE_NUMBER, NULL, at};
    return parse_emit(p, OP_NEG, 0, 0);
}

/* Every way into a deeper level leads through here or through parse_not. */
static int enter(Parser *p)
{
    if (p->nesting++ < RULE_NESTING)
        return 0;
    err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
            "the expression is too deeply nested");
    err_hint(p->err, "write it as several derived features");
    return -1;
}

static int parse_unary(Parser *p, Operand *out)
{
    if (enter(p) != 0 || parse_sign(p, out) != 0)
        return -1;
    p->nesting--;
    return 0;
}

/* ---- operators --------------------------------------------------------- */

typedef struct Operator {
    const char *mark;
    OpCode code;
} Operator;

static const Operator *find_operator(const Parser *p, const Operator *operators, int n)
{
    for (int i = 0; i < n; i++) {
        if (parse_is_mark(p, operators[i].mark))
            return &operators[i];
    }
    return NULL;
}

typedef int ParseLevel(Parser *p, Operand *out);

static int parse_arithmetic(Parser *p, Operand *out, const Operator *two,
                            ParseLevel *tighter)
{
    const Operator *found;
    Operand right;

    if (tighter(p, out) != 0)
        return -1;
    while ((found = find_operator(p, two, 2)) != NULL) {
        if (parse_need_number(p, out) != 0 || parse_advance(p) != 0 ||
            tighter(p, &right) != 0 || parse_need_number(p, &right) != 0 ||
            parse_emit(p, found->code, 0, 0) != 0)
            return -1;
        out->type = RULE_NUMBER;
    }
    return 0;
}

static int parse_product(Parser *p, Operand *out)
{
    static const Operator TWO[] = {{"*", OP_MUL}, {"/", OP_DIV}};

    return parse_arithmetic(p, out, TWO, parse_unary);
}

static int parse_sum(Parser *p, Operand *out)
{
    static const Operator TWO[] = {{"+", OP_ADD}, {"-", OP_SUB}};

    return parse_arithmetic(p, out, TWO, parse_product);
}

/* ---- comparisons ------------------------------------------------------- */

/* Names the words of a closed list, since there are few. */
static int report_word(Parser *p, const Words *words, const char *word)
{
    const char *nearest = text_nearest(word, words->word, (size_t)words->n);
    const char *list = "";

    for (int i = 0; i < words->n; i++)
        list = arena_format(p->scope->arena, "%s%s%s", list, i > 0 ? ", " : "",
                            words->word[i]);
    err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at), "\"%s\" is none of %s", word,
            list);
    if (nearest != NULL)
        err_hint(p->err, "did you mean \"%s\"?", nearest);
    return -1;
}

/* A word to compare with: in quotes, or bare where it is not also a name. */
static int parse_word(Parser *p, Words *words, double *value)
{
    const char *word = arena_text(p->scope->arena, p->token.text, p->token.len);
    int index;

    if (p->token.kind == TOKEN_NUMBER) {
        err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
                "expected a word, found the number %s", word);
        err_hint(p->err, "write \"%s\"", word);
        return -1;
    }
    if (p->token.kind != TOKEN_TEXT && p->token.kind != TOKEN_NAME)
        return parse_expected(p, "a word");
    if (p->token.kind == TOKEN_NAME && parse_find_name(p, &p->token) != NULL) {
        err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
                "a word can only be compared with words, and \"%s\" is a name", word);
        err_hint(p->err, "write \"%s\" in quotes if the word is meant", word);
        return -1;
    }
    index = words_index(words, word, p->scope->arena);
    if (index < 0)
        return report_word(p, words, word);
    *value = index;
    return parse_advance(p);
}

static int parse_member_number(Parser *p, double *value)
{
    double sign = 1;

    if (parse_is_mark(p, "-")) {
        sign = -1;
        if (parse_advance(p) != 0)
            return -1;
    }
    if (p->token.kind != TOKEN_NUMBER)
        return parse_expected(p, "a number");
    *value = sign * p->token.number;
    return parse_advance(p);
}

/* in (a, b): the members follow the op as its data. */
static int parse_members(Parser *p, const Operand *left, OpCode code)
{
    int at = p->rule->n_ops;

    if (parse_emit(p, code, 0, 0) != 0)
        return -1;
    if (!parse_is_mark(p, "("))
        return parse_expected(p, "\"(\"");
    do {
        double value = 0;

        if (parse_advance(p) != 0 ||
            (left->type == RULE_WORD ? parse_word(p, left->words, &value)
                                     : parse_member_number(p, &value)) != 0)
            return -1;
        parse_push(p, (Op){OP_NUMBER, 0, value});
        p->rule->ops[at].arg++;
    } while (parse_is_mark(p, ","));
    return parse_is_mark(p, ")") ? parse_advance(p) : parse_expected(p, "\",\" or \")\"");
}

/* is missing, is not missing */
static int parse_is(Parser *p)
{
    OpCode code = OP_IS_MISSING;

    if (parse_advance(p) != 0)
        return -1;
    if (parse_is_word(p, "not")) {
        code = OP_IS_RECORDED;
        if (parse_advance(p) != 0)
            return -1;
    }
    if (!parse_is_word(p, "missing"))
        return parse_expected(p, "\"missing\"");
    return parse_emit(p, code, 0, 0) != 0 ? -1 : parse_advance(p);
}

static const Operator COMPARISONS[] = {
    {"==", OP_EQ}, {"=", OP_EQ},  {"!=", OP_NE}, {"<>", OP_NE},
    {"<=", OP_LE}, {">=", OP_GE}, {"<", OP_LT},  {">", OP_GT},
};
enum { N_COMPARISONS = sizeof COMPARISONS / sizeof *COMPARISONS };

static int compare_with_word(Parser *p, const Operand *left, OpCode code, size_t at)
{
    double value;

    if (code != OP_EQ && code != OP_NE && !left->words->is_ordered)
        return err_add(p->err, ERR_CONFIG, parse_place(p, at),
                       "these words have no order: only ==, != and in compare them");
    if (parse_word(p, left->words, &value) != 0 ||
        parse_emit(p, OP_NUMBER, 0, value) != 0)
        return -1;
    return parse_emit(p, code, 0, 0);
}

static int compare_with_number(Parser *p, OpCode code)
{
    Operand right;
    bool is_literal = parse_is_word(p, "missing");

    if (is_literal) {
        err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
                "a comparison with missing is never true");
        err_hint(p->err, "write \"is missing\" or \"is not missing\"");
        return -1;
    }
    if (parse_sum(p, &right) != 0 || parse_need_number(p, &right) != 0)
        return -1;
    return parse_emit(p, code, 0, 0);
}

static int parse_operator(Parser *p, const Operand *left, const Operator *found)
{
    size_t at = p->token.at;

    if (parse_advance(p) != 0)
        return -1;
    return left->type == RULE_WORD ? compare_with_word(p, left, found->code, at)
                                   : compare_with_number(p, found->code);
}

/* What follows the left side; `*done` says whether there was a comparison. */
static int parse_rest(Parser *p, const Operand *left, bool *done)
{
    const Operator *found = find_operator(p, COMPARISONS, N_COMPARISONS);

    *done = true;
    if (found != NULL)
        return parse_operator(p, left, found);
    if (parse_is_word(p, "is"))
        return parse_is(p);
    if (parse_is_word(p, "in"))
        return parse_advance(p) != 0 ? -1 : parse_members(p, left, OP_IN);
    if (parse_is_word(p, "not")) {
        if (parse_advance(p) != 0)
            return -1;
        if (!parse_is_word(p, "in"))
            return parse_expected(p, "\"in\"");
        return parse_advance(p) != 0 ? -1 : parse_members(p, left, OP_NOT_IN);
    }
    *done = false;
    return 0;
}

static int parse_comparison(Parser *p, Operand *out)
{
    bool done;

    if (parse_sum(p, out) != 0 || parse_rest(p, out, &done) != 0)
        return -1;
    if (!done)
        return 0;
    out->type = RULE_YESNO;
    if (find_operator(p, COMPARISONS, N_COMPARISONS) == NULL)
        return 0;
    err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
            "comparisons cannot follow each other");
    err_hint(p->err, "write a < b and b < c");
    return -1;
}

/* ---- not, and, or ------------------------------------------------------ */

static int parse_not(Parser *p, Operand *out)
{
    size_t at = p->token.at;

    if (!parse_is_word(p, "not"))
        return parse_comparison(p, out);
    if (enter(p) != 0 || parse_advance(p) != 0 || parse_not(p, out) != 0 ||
        parse_need_yesno(p, out) != 0)
        return -1;
    p->nesting--;
    *out = (Operand){RULE_YESNO, NULL, at};
    return parse_emit(p, OP_NOT, 0, 0);
}

static int parse_logic(Parser *p, Operand *out, const Operator *one, ParseLevel *tighter)
{
    Operand right;

    if (tighter(p, out) != 0)
        return -1;
    while (parse_is_word(p, one->mark)) {
        if (parse_need_yesno(p, out) != 0 || parse_advance(p) != 0 ||
            tighter(p, &right) != 0 || parse_need_yesno(p, &right) != 0 ||
            parse_emit(p, one->code, 0, 0) != 0)
            return -1;
    }
    return 0;
}

static int parse_and(Parser *p, Operand *out)
{
    static const Operator AND = {"and", OP_AND};

    return parse_logic(p, out, &AND, parse_not);
}

int parse_or(Parser *p, Operand *out)
{
    static const Operator OR = {"or", OP_OR};

    return parse_logic(p, out, &OR, parse_and);
}

/* ---- the whole --------------------------------------------------------- */

static int check_want(Parser *p, const Operand *operand)
{
    if (p->rule->want == RULE_YESNO)
        return parse_need_yesno(p, operand);
    if (p->rule->want == RULE_NUMBER)
        return parse_need_number(p, operand);
    if (operand->type == RULE_WORD)
        return 0;
    return err_add(p->err, ERR_CONFIG, parse_place(p, operand->at),
                   "expected a band or a text attribute");
}

int rule_parse(Rule *rule, Where where, const Scope *scope, Err *err)
{
    Parser p = {
        .lexer = {rule->text, 0, where, err}, .scope = scope, .err = err, .rule = rule};
    Operand whole;

    if (parse_advance(&p) != 0)
        return -1;
    if (p.token.kind == TOKEN_END)
        return err_add(err, ERR_CONFIG, where, "the expression is empty");
    if (parse_or(&p, &whole) != 0)
        return -1;
    if (p.token.kind != TOKEN_END)
        return parse_expected(&p, "an operator");
    rule->type = whole.type;
    return check_want(&p, &whole);
}
