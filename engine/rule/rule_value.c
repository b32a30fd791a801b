/*
 * rule_value.c - what stands between the operators of an expression: literals, names,
 * functions and brackets.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/rule/rule_code.h"

/* ---- names ------------------------------------------------------------- */

const RuleName *parse_find_name(const Parser *p, const Token *token)
{
    for (size_t i = 0; i < p->scope->n_names; i++) {
        const RuleName *name = &p->scope->names[i];

        if (strncmp(name->name, token->text, token->len) == 0 &&
            name->name[token->len] == '\0')
            return name;
    }
    return NULL;
}

/* "hfrs.band" where "hfrs.score" is a name: bands have one only if there are some. */
static bool lacks_bands(const Parser *p, const char *word)
{
    const char *dot = strchr(word, '.');
    Token score = {.text = ""};

    if (dot == NULL || strcmp(dot, ".band") != 0)
        return false;
    score.text = arena_format(p->scope->arena, "%.*s.score", (int)(dot - word), word);
    score.len = strlen(score.text);
    return parse_find_name(p, &score) != NULL;
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
    err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at), "unknown %s \"%s\"", what,
            word);
    if (lacks_bands(p, word))
        err_hint(p->err, "this model has no bands; add \"bands:\" to it");
    else if (nearest != NULL)
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
    const RuleName *name = parse_find_name(p, &p->token);

    if (name == NULL)
        return report_unknown(p, "name", false);
    use_name(name);
    out->type = name->type;
    out->words = name->words;
    if (parse_emit(p, OP_SLOT, name->slot, 0) != 0)
        return -1;
    return parse_advance(p);
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
    return err_add(p->err, ERR_CONFIG, parse_place(p, at),
                   "%s takes %d%s value%s, not %d", function->name, function->least,
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
        return parse_need_yesno(p, &operand);
    if (parse_need_number(p, &operand) != 0)
        return -1;
    *yesno = *yesno && operand.type == RULE_YESNO;
    if (function->most == ANY_NUMBER && i > 0)
        return parse_emit(p, function->code, 0, 0);
    return 0;
}

/* The token looked at is the bracket. */
static int parse_call(Parser *p, const struct Function *function, Operand *out)
{
    bool yesno = function->code == OP_COALESCE || function->code == OP_IF;
    int n = 0;

    do {
        if (parse_advance(p) != 0 || parse_argument(p, function, n, &yesno) != 0)
            return -1;
        n++;
    } while (parse_is_mark(p, ","));
    if (!parse_is_mark(p, ")"))
        return parse_expected(p, "\",\" or \")\"");
    if (check_count(p, function, n, out->at) != 0)
        return -1;
    out->type = yesno ? RULE_YESNO : RULE_NUMBER;
    if (function->most != ANY_NUMBER && parse_emit(p, function->code, 0, 0) != 0)
        return -1;
    return parse_advance(p);
}

/* sum(family.*) and count(family.*): the members follow the op as its data. The token
 * looked at is the bracket. */
static int parse_family(Parser *p, OpCode code, Operand *out)
{
    int at = p->rule->n_ops;
    bool is_run = true; /* all yes or no, in slots that follow one another */

    if (parse_advance(p) != 0)
        return -1;
    if (p->token.kind != TOKEN_FAMILY)
        return parse_expected(p, "a family, as in efi.*");
    if (parse_emit(p, code, 0, 0) != 0)
        return -1;
    for (size_t i = 0; i < p->scope->n_names; i++) {
        const RuleName *name = &p->scope->names[i];

        if (name->family == NULL || strlen(name->family) != p->token.len ||
            memcmp(name->family, p->token.text, p->token.len) != 0)
            continue;
        use_name(name);
        is_run = is_run && name->type == RULE_YESNO &&
                 (p->rule->ops[at].arg == 0 ||
                  name->slot == p->rule->ops[p->rule->n_ops - 1].arg + 1);
        parse_push(p, (Op){OP_SLOT, name->slot, 0});
        p->rule->ops[at].arg++;
    }
    if (p->rule->ops[at].arg == 0)
        return report_unknown(p, "family", true);
    if (code == OP_SUM && is_run)
        p->rule->ops[at].code = OP_TALLY;
    out->type = RULE_NUMBER;
    return parse_advance(p) != 0 ? -1 : parse_mark(p, ")");
}

static int parse_function(Parser *p, const Token *name, Operand *out)
{
    const char *words[N_FUNCTIONS + 2] = {"sum", "count"};
    const char *nearest, *word;

    if (parse_token_is(name, TOKEN_NAME, "sum"))
        return parse_family(p, OP_SUM, out);
    if (parse_token_is(name, TOKEN_NAME, "count"))
        return parse_family(p, OP_COUNT, out);
    for (int i = 0; i < N_FUNCTIONS; i++) {
        if (parse_token_is(name, TOKEN_NAME, FUNCTIONS[i].name))
            return parse_call(p, &FUNCTIONS[i], out);
        words[i + 2] = FUNCTIONS[i].name;
    }
    word = arena_text(p->scope->arena, name->text, name->len);
    err_add(p->err, ERR_CONFIG, parse_place(p, name->at), "unknown function \"%s\"",
            word);
    nearest = text_nearest(word, words, N_FUNCTIONS + 2);
    if (nearest != NULL)
        err_hint(p->err, "did you mean \"%s\"?", nearest);
    return -1;
}

/* ---- operands ---------------------------------------------------------- */

static int parse_literal(Parser *p, Operand *out, RuleType type, double value)
{
    out->type = type;
    if (parse_emit(p, OP_NUMBER, 0, value) != 0)
        return -1;
    return parse_advance(p);
}

static bool is_keyword(const Token *token)
{
    static const char *const WORDS[] = {"and", "or", "not", "in", "is"};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (parse_token_is(token, TOKEN_NAME, WORDS[i]))
            return true;
    }
    return false;
}

static int parse_named(Parser *p, Operand *out)
{
    Token name = p->token;
    Parser before = *p;

    if (is_keyword(&name))
        return parse_expected(p, "a value");
    if (parse_is_word(p, "true") || parse_is_word(p, "false"))
        return parse_literal(p, out, RULE_YESNO, parse_is_word(p, "true"));
    if (parse_is_word(p, "missing"))
        return parse_literal(p, out, RULE_NUMBER, NAN);
    if (parse_advance(p) != 0)
        return -1;
    if (parse_is_mark(p, "("))
        return parse_function(p, &name, out);
    *p = before;
    return parse_name(p, out);
}

int parse_primary(Parser *p, Operand *out)
{
    *out = (Operand){RULE_NUMBER, NULL, p->token.at};
    switch (p->token.kind) {
    case TOKEN_NUMBER:
        return parse_literal(p, out, RULE_NUMBER, p->token.number);
    case TOKEN_NAME:
        return parse_named(p, out);
    case TOKEN_TEXT:
        err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
                "text can only stand on the right of a comparison with a word");
        err_hint(p->err, "write name == \"%.*s\"", (int)p->token.len, p->token.text);
        return -1;
    case TOKEN_FAMILY:
        err_add(p->err, ERR_CONFIG, parse_place(p, p->token.at),
                "a family can only stand in sum(%.*s.*) or count(%.*s.*)",
                (int)p->token.len, p->token.text, (int)p->token.len, p->token.text);
        return -1;
    default:
        break;
    }
    if (!parse_is_mark(p, "("))
        return parse_expected(p, "a value");
    if (parse_advance(p) != 0 || parse_or(p, out) != 0)
        return -1;
    return parse_mark(p, ")");
}
