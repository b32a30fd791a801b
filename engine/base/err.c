/*
 * err.c - reports are collected as text, because that is all anyone does with them.
 *
 * The text holds the first reports whole and none of the others: once one is left
 * out, so is everything after it. A report is a line that does not start with the
 * indent of a hint, so the number kept can be read off the text.
 */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = 4, LONGEST_REPORT = 1000 };

static int kept(const Err *err)
{
    int n = err->text[0] != '\0';

    for (const char *at = strchr(err->text, '\n'); at != NULL; at = strchr(at + 1, '\n'))
        n += strncmp(at + 1, ERR_HINT, INDENT) != 0;
    return n;
}

/* One line of at most LONGEST_REPORT bytes: the words of a library or a server may
 * hold line breaks, and a config may hold anything. */
static void tidy(char *text)
{
    size_t len = strlen(text);

    if (len > LONGEST_REPORT) {
        len = LONGEST_REPORT - 3;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a character */
        memcpy(text + len, "...", 4);
    }
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    }
}

/* False if there is no room for all of it; the text is then as it was. */
static bool append(Err *err, const char *text, size_t len)
{
    size_t used = strlen(err->text);
    bool is_first = used == 0;

    if (used + !is_first + len >= sizeof err->text)
        return false;
    if (!is_first)
        err->text[used++] = '\n';
    memcpy(err->text + used, text, len);
    err->text[used + len] = '\0';
    return true;
}

static void count(Err *err, ErrKind kind)
{
    if (err->n_reports++ == 0)
        err->kind = kind;
}

static int write_place(char *text, size_t room, Where where)
{
    int len = 0;

    if (where.name == NULL)
        return 0;
    len += snprintf(text, room, "%.400s:", where.name);
    if (where.line > 0)
        len += snprintf(text + len, room - (size_t)len,
                        "%llu:", (unsigned long long)where.line);
    if (where.line > 0 && where.column > 0)
        len += snprintf(text + len, room - (size_t)len, "%u:", where.column);
    text[len++] = ' ';
    return len;
}

int err_add(Err *err, ErrKind kind, Where where, const char *format, ...)
{
    char line[LONGEST_REPORT + 1024];
    int n_kept = kept(err), len;
    va_list args;

    if (n_kept == err->n_reports && n_kept < ERR_MOST_REPORTS) {
        len = write_place(line, sizeof line, where);
        va_start(args, format);
        vsnprintf(line + len, sizeof line - (size_t)len, format, args);
        va_end(args);
        tidy(line);
        append(err, line, strlen(line));
    }
    count(err, kind);
    return -1;
}

void err_hint(Err *err, const char *format, ...)
{
    char line[LONGEST_REPORT + 1024];
    int len = snprintf(line, sizeof line, "%s", ERR_HINT);
    va_list args;

    if (err->n_reports == 0 || kept(err) != err->n_reports)
        return; /* the report it belongs to was left out */
    va_start(args, format);
    vsnprintf(line + len, sizeof line - (size_t)len, format, args);
    va_end(args);
    tidy(line);
    append(err, line, strlen(line));
}

size_t err_report_length(const char *text)
{
    const char *end = strchr(text, '\n');

    while (end != NULL && strncmp(end + 1, ERR_HINT, INDENT) == 0)
        end = strchr(end + 1, '\n');
    return end == NULL ? strlen(text) : (size_t)(end - text);
}

static void join_one(Err *err, const Err *other)
{
    const char *at = other->text;
    int n_kept = kept(other);

    for (int i = 0; i < n_kept; i++) {
        size_t len = err_report_length(at);
        int n = kept(err);

        if (n == err->n_reports && n < ERR_MOST_REPORTS)
            append(err, at, len);
        count(err, other->kind);
        at += len + (at[len] == '\n');
    }
    for (int i = n_kept; i < other->n_reports; i++)
        count(err, other->kind);
}

int err_join(Err *err, const Err *others, int n)
{
    int before = err->n_reports;

    for (int i = 0; i < n; i++)
        join_one(err, &others[i]);
    return err->n_reports > before ? -1 : 0;
}

int err_left_out(const Err *err)
{
    return err->n_reports - kept(err);
}

void err_clear(Err *err)
{
    err->kind = ERR_NONE;
    err->n_reports = 0;
    err->text[0] = '\0';
}
