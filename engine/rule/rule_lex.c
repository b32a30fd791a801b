/*
 * rule_lex.c - an expression's text cut into numbers, names, quoted words and marks.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/rule/rule_code.h"

Where rule_place(const Lexer *lexer, size_t at)
{
    Where where = lexer->where;

    if (where.column > 0)
        where.column += (uint32_t)at;
    return where;
}

static bool is_name_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

static Token token_of(Lexer *lexer, TokenKind kind, size_t start, size_t end)
{
    Token token = {kind, lexer->text + start, end - start, start, 0};

    lexer->at = end;
    return token;
}

/* name, name.part, name.* */
static Token lex_name(Lexer *lexer)
{
    const char *text = lexer->text;
    size_t start = lexer->at, end = start;

    while (is_name_byte(text[end]))
        end++;
    while (text[end] == '.') {
        if (text[end + 1] == '*') {
            Token token = token_of(lexer, TOKEN_FAMILY, start, end);

            lexer->at = end + 2;
            return token;
        }
        if (!is_name_byte(text[end + 1]))
            break;
        end++;
        while (is_name_byte(text[end]))
            end++;
    }
    return token_of(lexer, TOKEN_NAME, start, end);
}

static Token lex_number(Lexer *lexer)
{
    const char *text = lexer->text;
    size_t start = lexer->at, end = start;
    Token token;

    while (is_name_byte(text[end]) || text[end] == '.' ||
           ((text[end] == '+' || text[end] == '-') && tolower(text[end - 1]) == 'e'))
        end++;
    token = token_of(lexer, TOKEN_NUMBER, start, end);
    if (!text_double(&token.number, token.text, token.len)) {
        err_add(lexer->err, ERR_CONFIG, rule_place(lexer, start),
                "\"%.*s\" is not a number", (int)token.len, token.text);
        token.kind = TOKEN_BAD;
    }
    return token;
}

static Token lex_text(Lexer *lexer)
{
    size_t start = lexer->at;
    char quote = lexer->text[start];
    const char *end = strchr(lexer->text + start + 1, quote);
    Token token;

    if (end == NULL) {
        err_add(lexer->err, ERR_CONFIG, rule_place(lexer, start),
                "the quote is not closed");
        return token_of(lexer, TOKEN_BAD, start, strlen(lexer->text));
    }
    token = token_of(lexer, TOKEN_TEXT, start + 1, (size_t)(end - lexer->text));
    token.at = start;
    lexer->at++;
    return token;
}

static void hint_mark(Lexer *lexer, char byte)
{
    if (byte == '&')
        err_hint(lexer->err, "write \"and\"");
    else if (byte == '|')
        err_hint(lexer->err, "write \"or\"");
    else if (byte == '!')
        err_hint(lexer->err, "write \"not\"");
}

static Token lex_mark(Lexer *lexer)
{
    static const char *const TWO[] = {"==", "!=", "<>", "<=", ">="};
    size_t start = lexer->at;
    char byte = lexer->text[start];

    for (size_t i = 0; i < sizeof TWO / sizeof *TWO; i++) {
        if (strncmp(lexer->text + start, TWO[i], 2) == 0)
            return token_of(lexer, TOKEN_MARK, start, start + 2);
    }
    if (strchr("=<>+-*/^(),", byte) != NULL)
        return token_of(lexer, TOKEN_MARK, start, start + 1);
    if (byte > ' ' && byte <= '~')
        err_add(lexer->err, ERR_CONFIG, rule_place(lexer, start), "unexpected \"%c\"",
                byte);
    else
        err_add(lexer->err, ERR_CONFIG, rule_place(lexer, start),
                "unexpected character (byte 0x%02X)", (unsigned)(unsigned char)byte);
    hint_mark(lexer, byte);
    return token_of(lexer, TOKEN_BAD, start, start + 1);
}

Token rule_next(Lexer *lexer)
{
    char byte;

    while (strchr(" \t\r\n", lexer->text[lexer->at]) != NULL &&
           lexer->text[lexer->at] != '\0')
        lexer->at++;
    byte = lexer->text[lexer->at];
    if (byte == '\0')
        return token_of(lexer, TOKEN_END, lexer->at, lexer->at);
    if (isdigit((unsigned char)byte) || byte == '.')
        return lex_number(lexer);
    if (isalpha((unsigned char)byte) || byte == '_')
        return lex_name(lexer);
    if (byte == '"' || byte == '\'')
        return lex_text(lexer);
    return lex_mark(lexer);
}
