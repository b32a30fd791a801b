/*
 * options.h - the command line.
 *
 * One command a word, options after it. Connections are named as psql names them: -h is
 * the host, and help is -?. There is no password option: use .pgpass or a service file.
 * A bad command line ends the program with ERR_USAGE and says what to type instead.
 */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

typedef struct Options Options;

/* A command and what it takes. groups are bits of the OPTIONS_ below. */
typedef struct Command {
    const char *name, *args, *summary;
    const char *more; /* what it does, with examples; shown by COMMAND --help */
    unsigned groups;
    int least_args, most_args;
    int (*function)(const Options *options, Err *err);
} Command;

enum {
    OPTIONS_CONNECTION = 1, /* -h -p -U -d */
    OPTIONS_CONFIG = 2,     /* -c */
    OPTIONS_AS_OF = 4,
    OPTIONS_RUN = 8,      /* --dry-run --shadow --out --metrics --threads --connections */
    OPTIONS_SYNTH = 16,   /* --people --seed --dirt --out --replace */
    OPTIONS_LIST = 32,    /* --group */
    OPTIONS_EXTRACT = 64, /* --extract --delete --jobs */
    OPTIONS_CODES = 128,  /* --column --system --extract */
    OPTIONS_DIFF = 256,   /* --out */
    OPTIONS_INIT = 512    /* --visibility-map */
};

struct Options {
    const Command *command;
    const char *args[4];
    int n_args;
    char *conninfo;      /* for libpq; "" = PG* variables and their defaults */
    bool has_connection; /* a connection option was given */
    const char *config;
    bool has_config;        /* -c was given */
    const char *columns[8]; /* MEANING=NAME of a code list */
    int n_columns;
    const char *system;       /* of its codes, or NULL */
    int32_t as_of;            /* today unless given */
    int threads, connections; /* 0 = number of cores */
    bool dry_run, shadow, replace, visibility_map;
    const char *out, *metrics, *group, *dirt, *extract, *delete;
    uint32_t people;
    uint64_t seed;
    bool is_json, is_quiet;
};

/* Fills options, or prints help or a usage fault and ends the program. */
void options_parse(Options *options, const Command *commands, int argc, char **argv);
void options_free(Options *options);

/* Whether a command that can do without a database is to use one: a connection option
 * or one of libpq's variables names it. */
bool options_want_database(const Options *options);

#endif
