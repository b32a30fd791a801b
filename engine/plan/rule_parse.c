/*
 * rule_parse.c - expressions: from text to typed postfix steps, in one pass.
 *
 * Recursive descent, one function for each level of precedence. The first fault ends
 * the parse: what follows it would only be guesses.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/rule_code.h"

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

static int parse_or(Parser *p, Operand *out);
static int parse_unary(Parser *p, Operand *out);

/* ---- tokens ------------------------------------------------------------ */

static int advance(Parser *p)
{
    p->token = rule_next(&p->lexer);
    return p->token.kind == TOKEN_BAD ? -1 : 0;
}

static bool token_is(const Token *token, TokenKind kind, const char *text)
{
    return token->kind == kind && token->len == strlen(text) &&
           memcmp(token->text, text, token->len) == 0;
}

static bool is_mark(const Parser *p, const char *mark)
{
    return token_is(&p->token, TOKEN_MARK, mark);
}

static bool is_word(const Parser *p, const char *word)
{
    return token_is(&p->token, TOKEN_NAME, word);
}

static Where place(const Parser *p, size_t at)
{
    return rule_place(&p->lexer, at);
}

/* "expected X, found Y" at the token looked at. */
static int report_expected(Parser *p, const char *what)
{
    const Token *token = &p->token;

    if (token->kind == TOKEN_END)
        return err_add(p->err, ERR_CONFIG, place(p, token->at),
                       "expected %s, the expression ends here", what);
    return err_add(p->err, ERR_CONFIG, place(p, token->at), "expected %s, found \"%.*s\"",
                   what, (int)token->len, token->text);
}

static int expect_mark(Parser *p, const char *mark)
{
    char what[8] = {'"', mark[0], '"', '\0'};

    return is_mark(p, mark) ? advance(p) : report_expected(p, what);
}

/* ---- steps ------------------------------------------------------------- */

static int stack_use(OpCode code)
{
    if (code == OP_NUMBER || code == OP_SLOT)
        return 1;
    if (code == OP_IF)
        return -2;
    return code >= OP_AND && code <= OP_COALESCE ? -1 : 0;
}

static void push_op(Parser *p, Op op)
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

/* The only place where the stack can become too deep. */
static int emit(Parser *p, OpCode code, uint32_t arg, double number)
{
    p->waiting += stack_use(code);
    if (p->waiting > RULE_STACK) {
        err_add(p->err, ERR_CONFIG, place(p, p->token.at),
                "the expression is too deeply nested");
        err_hint(p->err, "write it as several derived features");
        return -1;
    }
    push_op(p, (Op){code, arg, number});
    return 0;
}

/* ---- types ------------------------------------------------------------- */

static int need_number(Parser *p, const Operand *operand)
{
    if (operand->type != RULE_WORD)
        return 0;
    return err_add(p->err, ERR_CONFIG, place(p, operand->at),
                   "expected a number, this is a word");
}

static int need_yesno(Parser *p, const Operand *operand)
{
    if (operand->type == RULE_YESNO)
        return 0;
    err_add(p->err, ERR_CONFIG, place(p, operand->at), "expected yes or no, this is %s",
            operand->type == RULE_WORD ? "a word" : "a number");
    err_hint(p->err, "compare it with something, as in %s",
             operand->type == RULE_WORD ? "name == \"word\"" : "name > 0");
    return -1;
}

/* ---- names ------------------------------------------------------------- */

static const RuleName *find_name(const Parser *p, const Token *token)
{
    for (size_t i = 0; i < p->scope->n_names; i++) {
        const RuleName *name = &p->scope->names[i];

        if (strncmp(name->name, token->text, token->len) == 0 &&
            name->name[token->len] == '\0')
            return name;
    }
    return NULL;
}

static int report_unknown(Parser *p, const char *what, bool families)
{
    Arena *arena = p->scope->arena;
    const char *word = arena_text(arena, p->token.text, p->token.len);
    const char **known = arena_alloc(arena, p->scope->n_names, sizeof *known);
    const char *nearest;
    size_t n = 0;

    for (size_t i = 0; i < p->scope->n_names; i++) {
        const RuleName *name = &p->scope->names[i];
        const char *candidate = families ? name->family : name->name;

        if (candidate != NULL)
            known[n++] = candidate;
    }
    nearest = text_nearest(word, known, n);
    err_add(p->err, ERR_CONFIG, place(p, p->token.at), "unknown %s \"%s\"", what, word);
    if (nearest != NULL)
        err_hint(p->err, "did you mean \"%s\"?", nearest);
    return -1;
}

static void use_name(const RuleName *name)
{
    if (name->is_used != NULL)
        *name->is_used = true;
}

static int parse_name(Parser *p, Operand *out)
{
    const RuleName *name = find_name(p, &p->token);

    if (name == NULL)
        return report_unknown(p, "name", false);
    use_name(name);
    out->type = name->type;
    out->words = name->words;
    if (emit(p, OP_SLOT, name->slot, 0) != 0)
        return -1;
    return advance(p);
}

/* ---- functions --------------------------------------------------------- */

enum { ANY_NUMBER = 1000 };

static const struct Function {
    const char *name;
    OpCode code;
    int least, most;
} FUNCTIONS[] = {
    {"min", OP_MIN, 2, ANY_NUMBER},
    {"max", OP_MAX, 2, ANY_NUMBER},
    {"abs", OP_ABS, 1, 1},
    {"ln", OP_LN, 1, 1},
    {"exp", OP_EXP, 1, 1},
    {"sqrt", OP_SQRT, 1, 1},
    {"floor", OP_FLOOR, 1, 1},
    {"coalesce", OP_COALESCE, 2, ANY_NUMBER},
    {"if", OP_IF, 3, 3},
};
enum { N_FUNCTIONS = sizeof FUNCTIONS / sizeof *FUNCTIONS };

static int check_count(Parser *p, const struct Function *function, int n, size_t at)
{
    if (n >= function->least && n <= function->most)
        return 0;
    return err_add(p->err, ERR_CONFIG, place(p, at), "%s takes %d%s value%s, not %d",
                   function->name, function->least,
                   function->most == ANY_NUMBER ? " or more" : "",
                   function->least == 1 ? "" : "s", n);
}

/* One argument; those of min, max and coalesce are folded in pairs as they come. */
static int parse_argument(Parser *p, const struct Function *function, int i, bool *yesno)
{
    Operand operand;

    if (parse_or(p, &operand) != 0)
        return -1;
    if (function->code == OP_IF && i == 0)
        return need_yesno(p, &operand);
    if (need_number(p, &operand) != 0)
        return -1;
    *yesno = *yesno && operand.type == RULE_YESNO;
    if (function->most == ANY_NUMBER && i > 0)
        return emit(p, function->code, 0, 0);
    return 0;
}

/* The token looked at is the bracket. */
static int parse_call(Parser *p, const struct Function *function, Operand *out)
{
    bool yesno = function->code == OP_COALESCE || function->code == OP_IF;
    int n = 0;

    do {
        if (advance(p) != 0 || parse_argument(p, function, n, &yesno) != 0)
            return -1;
        n++;
    } while (is_mark(p, ","));
    if (!is_mark(p, ")"))
        return report_expected(p, "\",\" or \")\"");
    if (check_count(p, function, n, out->at) != 0)
        return -1;
    out->type = yesno ? RULE_YESNO : RULE_NUMBER;
    if (function->most != ANY_NUMBER && emit(p, function->code, 0, 0) != 0)
        return -1;
    return advance(p);
}

/* One member of a family; of count(), whether it is above 0. */
static int emit_member(Parser *p, const RuleName *name, bool is_count, bool is_first)
{
    use_name(name);
    if (emit(p, OP_SLOT, name->slot, 0) != 0)
        return -1;
    if (is_count && (emit(p, OP_NUMBER, 0, 0) != 0 || emit(p, OP_GT, 0, 0) != 0))
        return -1;
    return is_first ? 0 : emit(p, OP_ADD, 0, 0);
}

/* sum(family.*) and count(family.*); the token looked at is the bracket. */
static int parse_family(Parser *p, bool is_count, Operand *out)
{
    int n = 0;

    if (advance(p) != 0)
        return -1;
    if (p->token.kind != TOKEN_FAMILY)
        return report_expected(p, "a family, as in efi.*");
    for (size_t i = 0; i < p->scope->n_names; i++) {
        const RuleName *name = &p->scope->names[i];

        if (name->family == NULL || strlen(name->family) != p->token.len ||
            memcmp(name->family, p->token.text, p->token.len) != 0)
            continue;
        if (emit_member(p, name, is_count, n++ == 0) != 0)
            return -1;
    }
    if (n == 0)
        return report_unknown(p, "family", true);
    out->type = RULE_NUMBER;
    return advance(p) != 0 ? -1 : expect_mark(p, ")");
}

static int parse_function(Parser *p, const Token *name, Operand *out)
{
    const char *words[N_FUNCTIONS + 2] = {"sum", "count"};
    const char *nearest, *word;

    if (token_is(name, TOKEN_NAME, "sum") || token_is(name, TOKEN_NAME, "count"))
        return parse_family(p, name->len == 5, out);
    for (int i = 0; i < N_FUNCTIONS; i++) {
        if (token_is(name, TOKEN_NAME, FUNCTIONS[i].name))
            return parse_call(p, &FUNCTIONS[i], out);
        words[i + 2] = FUNCTIONS[i].name;
    }
    word = arena_text(p->scope->arena, name->text, name->len);
    err_add(p->err, ERR_CONFIG, place(p, name->at), "unknown function \"%s\"", word);
    nearest = text_nearest(word, words, N_FUNCTIONS + 2);
    if (nearest != NULL)
        err_hint(p->err, "did you mean \"%s\"?", nearest);
    return -1;
}

/* ---- operands ---------------------------------------------------------- */

static int parse_literal(Parser *p, Operand *out, RuleType type, double value)
{
    out->type = type;
    if (emit(p, OP_NUMBER, 0, value) != 0)
        return -1;
    return advance(p);
}

static bool is_keyword(const Token *token)
{
    static const char *const WORDS[] = {"and", "or", "not", "in", "is"};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (token_is(token, TOKEN_NAME, WORDS[i]))
            return true;
    }
    return false;
}

static int parse_named(Parser *p, Operand *out)
{
    Token name = p->token;
    Parser before = *p;

    if (is_keyword(&name))
        return report_expected(p, "a value");
    if (is_word(p, "true") || is_word(p, "false"))
        return parse_literal(p, out, RULE_YESNO, is_word(p, "true"));
    if (is_word(p, "missing"))
        return parse_literal(p, out, RULE_NUMBER, NAN);
    if (advance(p) != 0)
        return -1;
    if (is_mark(p, "("))
        return parse_function(p, &name, out);
    *p = before;
    return parse_name(p, out);
}

static int parse_primary(Parser *p, Operand *out)
{
    *out = (Operand){RULE_NUMBER, NULL, p->token.at};
    switch (p->token.kind) {
    case TOKEN_NUMBER:
        return parse_literal(p, out, RULE_NUMBER, p->token.number);
    case TOKEN_NAME:
        return parse_named(p, out);
    case TOKEN_TEXT:
        err_add(p->err, ERR_CONFIG, place(p, p->token.at),
                "text can only stand on the right of a comparison with a word");
        err_hint(p->err, "write name == \"%.*s\"", (int)p->token.len, p->token.text);
        return -1;
    case TOKEN_FAMILY:
        err_add(p->err, ERR_CONFIG, place(p, p->token.at),
                "a family can only stand in sum(%.*s.*) or count(%.*s.*)",
                (int)p->token.len, p->token.text, (int)p->token.len, p->token.text);
        return -1;
    default:
        break;
    }
    if (!is_mark(p, "("))
        return report_expected(p, "a value");
    if (advance(p) != 0 || parse_or(p, out) != 0)
        return -1;
    return expect_mark(p, ")");
}

/* Right to left: 2 ^ 3 ^ 2 is 2 ^ 9, and 2 ^ -1 is a half. */
static int parse_power(Parser *p, Operand *out)
{
    Operand exponent;

    if (parse_primary(p, out) != 0)
        return -1;
    if (!is_mark(p, "^"))
        return 0;
    if (need_number(p, out) != 0 || advance(p) != 0 || parse_unary(p, &exponent) != 0 ||
        need_number(p, &exponent) != 0)
        return -1;
    out->type = RULE_NUMBER;
    return emit(p, OP_POW, 0, 0);
}

static int parse_sign(Parser *p, Operand *out)
{
    size_t at = p->token.at;

    if (!is_mark(p, "-"))
        return parse_power(p, out);
    if (advance(p) != 0 || parse_unary(p, out) != 0 || need_number(p, out) != 0)
        return -1;
    *out = (Operand){RULE_NUMBER, NULL, at};
    return emit(p, OP_NEG, 0, 0);
}

/* Every way into a deeper level leads through here or through parse_not. */
static int enter(Parser *p)
{
    if (p->nesting++ < RULE_NESTING)
        return 0;
    err_add(p->err, ERR_CONFIG, place(p, p->token.at),
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
        if (is_mark(p, operators[i].mark))
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
        if (need_number(p, out) != 0 || advance(p) != 0 || tighter(p, &right) != 0 ||
            need_number(p, &right) != 0 || emit(p, found->code, 0, 0) != 0)
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
    err_add(p->err, ERR_CONFIG, place(p, p->token.at), "\"%s\" is none of %s", word,
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
        err_add(p->err, ERR_CONFIG, place(p, p->token.at),
                "expected a word, found the number %s", word);
        err_hint(p->err, "write \"%s\"", word);
        return -1;
    }
    if (p->token.kind != TOKEN_TEXT && p->token.kind != TOKEN_NAME)
        return report_expected(p, "a word");
    if (p->token.kind == TOKEN_NAME && find_name(p, &p->token) != NULL) {
        err_add(p->err, ERR_CONFIG, place(p, p->token.at),
                "a word can only be compared with words, and \"%s\" is a name", word);
        err_hint(p->err, "write \"%s\" in quotes if the word is meant", word);
        return -1;
    }
    index = words_index(words, word, p->scope->arena);
    if (index < 0)
        return report_word(p, words, word);
    *value = index;
    return advance(p);
}

static int parse_member_number(Parser *p, double *value)
{
    double sign = 1;

    if (is_mark(p, "-")) {
        sign = -1;
        if (advance(p) != 0)
            return -1;
    }
    if (p->token.kind != TOKEN_NUMBER)
        return report_expected(p, "a number");
    *value = sign * p->token.number;
    return advance(p);
}

/* in (a, b): the members follow the step as its data. */
static int parse_members(Parser *p, const Operand *left, OpCode code)
{
    int at = p->rule->n_ops;

    if (emit(p, code, 0, 0) != 0)
        return -1;
    if (!is_mark(p, "("))
        return report_expected(p, "\"(\"");
    do {
        double value = 0;

        if (advance(p) != 0 ||
            (left->type == RULE_WORD ? parse_word(p, left->words, &value)
                                     : parse_member_number(p, &value)) != 0)
            return -1;
        push_op(p, (Op){OP_NUMBER, 0, value});
        p->rule->ops[at].arg++;
    } while (is_mark(p, ","));
    return is_mark(p, ")") ? advance(p) : report_expected(p, "\",\" or \")\"");
}

/* is missing, is not missing */
static int parse_is(Parser *p)
{
    OpCode code = OP_IS_MISSING;

    if (advance(p) != 0)
        return -1;
    if (is_word(p, "not")) {
        code = OP_IS_RECORDED;
        if (advance(p) != 0)
            return -1;
    }
    if (!is_word(p, "missing"))
        return report_expected(p, "\"missing\"");
    return emit(p, code, 0, 0) != 0 ? -1 : advance(p);
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
        return err_add(p->err, ERR_CONFIG, place(p, at),
                       "these words have no order: only ==, != and in compare them");
    if (parse_word(p, left->words, &value) != 0 || emit(p, OP_NUMBER, 0, value) != 0)
        return -1;
    return emit(p, code, 0, 0);
}

static int compare_with_number(Parser *p, OpCode code)
{
    Operand right;
    bool is_literal = is_word(p, "missing");

    if (is_literal) {
        err_add(p->err, ERR_CONFIG, place(p, p->token.at),
                "a comparison with missing is never true");
        err_hint(p->err, "write \"is missing\" or \"is not missing\"");
        return -1;
    }
    if (parse_sum(p, &right) != 0 || need_number(p, &right) != 0)
        return -1;
    return emit(p, code, 0, 0);
}

static int parse_operator(Parser *p, const Operand *left, const Operator *found)
{
    size_t at = p->token.at;

    if (advance(p) != 0)
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
    if (is_word(p, "is"))
        return parse_is(p);
    if (is_word(p, "in"))
        return advance(p) != 0 ? -1 : parse_members(p, left, OP_IN);
    if (is_word(p, "not")) {
        if (advance(p) != 0)
            return -1;
        if (!is_word(p, "in"))
            return report_expected(p, "\"in\"");
        return advance(p) != 0 ? -1 : parse_members(p, left, OP_NOT_IN);
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
    err_add(p->err, ERR_CONFIG, place(p, p->token.at),
            "comparisons cannot follow each other");
    err_hint(p->err, "write a < b and b < c");
    return -1;
}

/* ---- not, and, or ------------------------------------------------------ */

static int parse_not(Parser *p, Operand *out)
{
    size_t at = p->token.at;

    if (!is_word(p, "not"))
        return parse_comparison(p, out);
    if (enter(p) != 0 || advance(p) != 0 || parse_not(p, out) != 0 ||
        need_yesno(p, out) != 0)
        return -1;
    p->nesting--;
    *out = (Operand){RULE_YESNO, NULL, at};
    return emit(p, OP_NOT, 0, 0);
}

static int parse_logic(Parser *p, Operand *out, const Operator *one, ParseLevel *tighter)
{
    Operand right;

    if (tighter(p, out) != 0)
        return -1;
    while (is_word(p, one->mark)) {
        if (need_yesno(p, out) != 0 || advance(p) != 0 || tighter(p, &right) != 0 ||
            need_yesno(p, &right) != 0 || emit(p, one->code, 0, 0) != 0)
            return -1;
    }
    return 0;
}

static int parse_and(Parser *p, Operand *out)
{
    static const Operator AND = {"and", OP_AND};

    return parse_logic(p, out, &AND, parse_not);
}

static int parse_or(Parser *p, Operand *out)
{
    static const Operator OR = {"or", OP_OR};

    return parse_logic(p, out, &OR, parse_and);
}

/* ---- the whole --------------------------------------------------------- */

static int check_want(Parser *p, const Operand *operand)
{
    if (p->rule->want == RULE_YESNO)
        return need_yesno(p, operand);
    if (p->rule->want == RULE_NUMBER)
        return need_number(p, operand);
    if (operand->type == RULE_WORD)
        return 0;
    return err_add(p->err, ERR_CONFIG, place(p, operand->at),
                   "expected a band or a text attribute");
}

int rule_parse(Rule *rule, Where where, const Scope *scope, Err *err)
{
    Parser p = {
        .lexer = {rule->text, 0, where, err}, .scope = scope, .err = err, .rule = rule};
    Operand whole;

    if (advance(&p) != 0)
        return -1;
    if (p.token.kind == TOKEN_END)
        return err_add(err, ERR_CONFIG, where, "the expression is empty");
    if (parse_or(&p, &whole) != 0)
        return -1;
    if (p.token.kind != TOKEN_END)
        return report_expected(&p, "an operator");
    rule->type = whole.type;
    return check_want(&p, &whole);
}
