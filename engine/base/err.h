/*
 * err.h - what went wrong, where, and what to do about it.
 *
 * A function that can fail takes an Err last, and returns 0 or -1. The function
 * that knows the place reports; those above it release what they own and pass
 * the -1 on. main() prints the text, or logs it (log.h), and exits with the kind.
 *
 * A report is one line, "place: what", lower case, without a full stop. It never
 * carries a person's data: no identifier, date of birth, code or event date.
 */
#ifndef ENGINE_BASE_ERR_H
#define ENGINE_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

/* The value is also the exit code of the program, so that a scheduler can tell
 * "mend the config" from "try again in ten minutes". */
typedef enum ErrKind {
    ERR_NONE = 0,
    ERR_INTERNAL = 1, /* anything else; see the text */
    ERR_USAGE = 2,    /* the command line; do not retry */
    ERR_CONFIG = 3,   /* a config, a code list or a right; do not retry */
    ERR_SOURCE = 4,   /* PostgreSQL or a file cannot be reached; retry */
    ERR_DATA = 5,     /* rows break the source contract; do not retry */
    ERR_PUBLISH = 6,  /* nothing was published, the last results stand; retry */
    ERR_MEMORY = 7,   /* the machine is too small for this run */
    ERR_GATE = 8,     /* a quality gate failed: nothing was published; look */
    ERR_LOCKED = 75   /* another run holds the lock; retry later */
} ErrKind;

/* A place a person can open: a line of a config file, or a row of a source. */
typedef struct Where {
    const char *name; /* file or source name; borrowed, outlives every report */
    uint64_t line;    /* 1-based line or row; 0 = unknown */
    uint32_t column;  /* 1-based byte in the line; 0 = unknown */
} Where;

enum { ERR_MOST_REPORTS = 20 };

/* Start with Err err = {0}. One Err belongs to one thread. */
typedef struct Err {
    ErrKind kind;  /* kind of the first report */
    int n_reports; /* all of them, also those that no longer fitted into text */
    char text[8192];
} Err;

/* Adds one report and returns -1, so that refusing is one line. Reports after
 * ERR_MOST_REPORTS are counted but not kept. where.name may be NULL. */
int err_add(Err *err, ErrKind kind, Where where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds an indented hint to the last report: what to do, only where we know. */
void err_hint(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends the reports of n others in their order, so that the text follows the
 * order of the work and not of the clock. Returns -1 if there was any, else 0. */
int err_join(Err *err, const Err *others, int n);

/* The bytes of the first report of a text, with its hints; each is a line of its own. */
#define ERR_HINT "    hint: "
size_t err_report_length(const char *text);

/* How many reports were counted and not kept. */
int err_left_out(const Err *err);

/* Forgets every report. */
void err_clear(Err *err);

#endif
