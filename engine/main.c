/*
 * main.c - command line in, exit code out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "engine/commands.h"
#include "engine/options.h"

int main(int argc, char **argv)
{
    Options options;
    Err err = {0};

    options_parse(&options, commands, argc, argv);
    log_open(options.is_json ? LOG_JSON : LOG_TEXT,
             options.is_quiet ? LOG_WARN : LOG_INFO);
    if (options.command->function(&options, &err) != 0) {
        log_progress_end();
        fprintf(stderr, "%s\n", err.text);
    }
    options_free(&options);
    return (int)err.kind;
}
