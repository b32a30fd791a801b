/*
 * log.c - lines for people and machines, and the one bar.
 *
 * The state is the terminal's: there is one stderr, so there is one of it, under one
 * lock. A line is written in one piece, after the bar has been wiped.
 */
#include "engine/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/err.h"
#include "engine/base/text.h"

enum { LONGEST_LINE = 4096, BAR_MARKS = 20 };
#define BAR_SECONDS  0.1
#define LINE_SECONDS 30.0

static struct {
    pthread_mutex_t lock;
    LogForm form;
    LogLevel most;
    bool has_colour, has_bar;
    bool is_drawn;    /* the bar stands on the terminal now */
    char stage[64];   /* what is in progress; "" = nothing */
    double start, at; /* of the stage, and of its last bar or line */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .most = LOG_INFO};

/* ---- one line ---------------------------------------------------------- */

/* Text that is cut, not overrun, when it is full. */
typedef struct Line {
    size_t len;
    char text[LONGEST_LINE * 3]; /* every byte may need a backslash */
} Line;

static void put(Line *line, const char *text, size_t len)
{
    size_t room = sizeof line->text - 1 - line->len;

    if (len > room)
        len = room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_word(Line *line, const char *word)
{
    put(line, word, strlen(word));
}

/* One JSON string; what is not ASCII is left as it is. */
static void put_json(Line *line, const char *text, size_t len)
{
    put_word(line, "\"");
    for (size_t i = 0; i < len; i++) {
        char escape[8];

        if (text[i] == '"' || text[i] == '\\')
            put(line, (char[]){'\\', text[i]}, 2);
        else if ((unsigned char)text[i] < ' ')
            put(line, escape,
                (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)text[i]));
        else
            put(line, &text[i], 1);
    }
    put_word(line, "\"");
}

/* The value of a pair, from its first byte to the blank after it; quotes and the
 * backslashes in them are taken off into value. Returns the bytes read. */
static size_t take_value(char *value, size_t *len, const char *text)
{
    bool is_quoted = text[0] == '"';
    size_t at = is_quoted;

    *len = 0;
    while (text[at] != '\0' && text[at] != (is_quoted ? '"' : ' ')) {
        if (is_quoted && text[at] == '\\' && text[at + 1] != '\0')
            at++;
        value[(*len)++] = text[at++];
    }
    return at + (text[at] == '"');
}

/* A number or a yes/no is written bare. */
static void put_json_value(Line *line, const char *value, size_t len, bool is_quoted)
{
    double number;
    bool is_bare = text_double(&number, value, len) && value[0] != '+';

    is_bare |= (len == 4 && memcmp(value, "true", 4) == 0) ||
               (len == 5 && memcmp(value, "false", 5) == 0);
    if (is_bare && !is_quoted)
        put(line, value, len);
    else
        put_json(line, value, len);
}

/* `stage=load text="two words"` as members of an object. A word without '=' is the
 * member "text". */
static void put_pairs_json(Line *line, const char *pairs)
{
    char value[LONGEST_LINE];

    while (*(pairs += strspn(pairs, " ")) != '\0') {
        size_t key = strcspn(pairs, "= "), len;
        bool has_key = pairs[key] == '=';
        const char *from = has_key ? pairs + key + 1 : pairs;

        put_word(line, ",");
        put_json(line, has_key ? pairs : "text", has_key ? key : 4);
        put_word(line, ":");
        pairs = from + take_value(value, &len, from);
        put_json_value(line, value, len, *from == '"');
    }
}

static void put_time(Line *line)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    put(line, text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc));
}

static const char *const WORD[] = {"error", "warn", "info", "debug"};

/* Up to the level; what follows are members, each behind its comma. */
static void begin_json(Line *line, LogLevel level)
{
    put_word(line, "{\"time\":\"");
    put_time(line);
    put_word(line, "\",\"level\":\"");
    put_word(line, WORD[level]);
    put_word(line, "\"");
}

static void make_line(Line *line, LogLevel level, const char *pairs)
{
    static const char *const COLOUR[] = {"\033[31m", "\033[33m", "\033[32m", "\033[2m"};

    if (state.form == LOG_JSON) {
        begin_json(line, level);
        put_pairs_json(line, pairs);
        put_word(line, "}");
    } else {
        put_time(line);
        put_word(line, " level=");
        put_word(line, state.has_colour ? COLOUR[level] : "");
        put_word(line, WORD[level]);
        put_word(line, state.has_colour ? "\033[0m " : " ");
        put_word(line, pairs);
    }
    line->text[line->len++] = '\n'; /* put() leaves room for it */
}

/* A lost log line is no reason to stop a run. */
static void write_all(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, text, len);

        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static void wipe_bar(void)
{
    if (state.is_drawn)
        write_all("\r\033[K", 4);
    state.is_drawn = false;
}

static void write_line(LogLevel level, const char *pairs)
{
    Line line = {.len = 0};

    make_line(&line, level, pairs);
    wipe_bar();
    write_all(line.text, line.len);
}

void log_open(LogForm form, LogLevel most)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool is_terminal = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;

    pthread_mutex_lock(&state.lock);
    state.form = form;
    state.most = most;
    state.has_bar = is_terminal && form == LOG_TEXT;
    state.has_colour = state.has_bar && (no_colour == NULL || *no_colour == '\0');
    pthread_mutex_unlock(&state.lock);
}

void log_line(LogLevel level, const char *pairs, ...)
{
    char text[LONGEST_LINE];
    va_list args;

    va_start(args, pairs);
    vsnprintf(text, sizeof text, pairs, args);
    va_end(args);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' '; /* a line stays a line */
    }
    pthread_mutex_lock(&state.lock);
    if (level <= state.most)
        write_line(level, text);
    pthread_mutex_unlock(&state.lock);
}

/* ---- reports ----------------------------------------------------------- */

/* One report of len bytes, which ends with its hints. */
static void write_report_json(LogLevel level, const char *text, size_t len, int exit_code)
{
    size_t message = strcspn(text, "\n");
    size_t hint = message + strlen("\n" ERR_HINT);
    Line line = {.len = 0};
    char code[32] = "";

    begin_json(&line, level);
    put_word(&line, ",\"message\":");
    put_json(&line, text, message);
    if (hint < len) {
        put_word(&line, ",\"hint\":");
        put_json(&line, text + hint, len - hint);
    }
    if (exit_code != 0)
        snprintf(code, sizeof code, ",\"exit_code\":%d", exit_code);
    put_word(&line, code);
    put_word(&line, "}\n");
    write_all(line.text, line.len);
}

void log_reports(LogLevel level, const char *reports, int exit_code)
{
    pthread_mutex_lock(&state.lock);
    wipe_bar();
    if (state.form == LOG_TEXT)
        dprintf(STDERR_FILENO, "%s\n", reports);
    for (size_t len; state.form == LOG_JSON && *reports != '\0'; reports += len) {
        len = err_report_length(reports);
        write_report_json(level, reports, len, exit_code);
        len += reports[len] == '\n';
    }
    pthread_mutex_unlock(&state.lock);
}

/* ---- progress ---------------------------------------------------------- */

double log_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double log_cpu(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

/* 1234567 is "1.2 M": a bar is read at a glance. */
static void short_count(char text[16], double count)
{
    static const char UNIT[] = {' ', 'k', 'M', 'G', 'T'};
    size_t unit = 0;

    while (count >= 999.5 && unit + 1 < sizeof UNIT) {
        count /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(text, 16, "%.0f", count);
    else
        snprintf(text, 16, count < 99.95 ? "%.1f %c" : "%.0f %c", count, UNIT[unit]);
}

static int terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

/* "load [######--------------]  30 %  12.1 M rows  1.2 M/s  24 s left" */
static void draw_bar(uint64_t done, uint64_t total, const char *unit, double seconds)
{
    char line[256], marks[BAR_MARKS + 1], count[16], rate[16];
    double share = total > 0 ? (double)done / (double)total : 0;
    int width = terminal_width() - 1, len;

    share = share > 1 ? 1 : share;
    for (int i = 0; i < BAR_MARKS; i++)
        marks[i] = i < (int)(share * BAR_MARKS) ? '#' : '-';
    marks[BAR_MARKS] = '\0';
    short_count(count, (double)done);
    short_count(rate, seconds > 0 ? (double)done / seconds : 0);
    len = snprintf(line, sizeof line, "\r\033[K%s ", state.stage);
    if (total > 0)
        len += snprintf(line + len, sizeof line - (size_t)len, "[%s] %3.0f %%  ", marks,
                        share * 100);
    len += snprintf(line + len, sizeof line - (size_t)len, "%s %.16s  %s/s", count, unit,
                    rate);
    if (share > 0 && share < 1)
        len += snprintf(line + len, sizeof line - (size_t)len, "  %.0f s left",
                        seconds / share - seconds);
    if (len > width + 4) /* a bar that wraps cannot be wiped */
        len = width + 4;
    write_all(line, (size_t)len);
    state.is_drawn = true;
}

static void progress_line(uint64_t done, uint64_t total, const char *unit, double seconds)
{
    char pairs[256];
    int len = snprintf(pairs, sizeof pairs, "stage=%s done=%llu", state.stage,
                       (unsigned long long)done);

    if (total > 0)
        len += snprintf(pairs + len, sizeof pairs - (size_t)len, " total=%llu",
                        (unsigned long long)total);
    snprintf(pairs + len, sizeof pairs - (size_t)len, " unit=%.16s seconds=%.0f", unit,
             seconds);
    if (state.most >= LOG_INFO)
        write_line(LOG_INFO, pairs);
}

void log_progress(const char *stage, uint64_t done, uint64_t total, const char *unit)
{
    double now = log_clock();

    if (pthread_mutex_trylock(&state.lock) != 0)
        return; /* another worker is drawing */
    if (strncmp(state.stage, stage, sizeof state.stage - 1) != 0) {
        snprintf(state.stage, sizeof state.stage, "%s", stage);
        state.start = state.at = now;
    }
    if (now - state.at >= (state.has_bar ? BAR_SECONDS : LINE_SECONDS)) {
        state.at = now;
        if (state.has_bar && state.most >= LOG_INFO)
            draw_bar(done, total, unit, now - state.start);
        else if (!state.has_bar)
            progress_line(done, total, unit, now - state.start);
    }
    pthread_mutex_unlock(&state.lock);
}

void log_progress_end(void)
{
    pthread_mutex_lock(&state.lock);
    wipe_bar();
    state.stage[0] = '\0';
    pthread_mutex_unlock(&state.lock);
}
