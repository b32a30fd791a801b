/*
 * log.h - what the program is doing, for people and for machines.
 *
 * One line of key=value pairs per stage on stderr; a progress bar instead while
 * stderr is a terminal. Never a person's data.
 *
 *     2026-11-22T02:00:04Z level=info stage=load source=gp_event rows=30012345 ms=3312
 */
#ifndef ENGINE_BASE_LOG_H
#define ENGINE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum LogForm { LOG_TEXT, LOG_JSON } LogForm;
typedef enum LogLevel { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;

/* Once, at the start of main(). colour and bar follow the terminal and NO_COLOR. */
void log_open(LogForm form, LogLevel most);

/* One line; pairs is printf text of the form `stage=load rows=12`. */
void log_line(LogLevel level, const char *pairs, ...)
    __attribute__((format(printf, 2, 3)));

/* Reports as err.h collects them. Text has them as they are, for people; JSON a line for
 * each: its message, its hint if it has one, and the exit code if it is not 0. */
void log_reports(LogLevel level, const char *reports, int exit_code);

/* Progress of one long piece of work. On a terminal a bar with rate and time left,
 * redrawn at most ten times a second; elsewhere a line every 30 seconds. Safe to
 * call from many threads. total 0 = unknown. */
void log_progress(const char *stage, uint64_t done, uint64_t total, const char *unit);
/* Ends the bar, if there is one. */
void log_progress_end(void);

/* Seconds on the monotonic clock, and CPU seconds of this process. */
double log_clock(void);
double log_cpu(void);

#endif
