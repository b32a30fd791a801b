/*
 * main.c - command line in, exit code out.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/commands.h"
#include "engine/options.h"

/* Threads that wait are to sleep: by default they spin for a while, on processors that a
 * server on this machine could use. OpenMP reads this before main() begins, so the
 * program starts itself again; where it cannot, it goes on as it is. */
static void wait_asleep(char **argv)
{
    static const char POLICY[] = "OMP_WAIT_POLICY";
    char program[PATH_MAX]; /* its own path, so that ps shows its name */
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    if (getenv(POLICY) != NULL || len <= 0 || setenv(POLICY, "passive", 0) != 0)
        return;
    program[len] = '\0';
    execv(program, argv);
}

int main(int argc, char **argv)
{
    Options options;
    Err err = {0};

    wait_asleep(argv);
    options_parse(&options, commands, argc, argv);
    log_open(options.is_json ? LOG_JSON : LOG_TEXT,
             options.is_quiet ? LOG_WARN : LOG_INFO);
    if (options.command->function(&options, &err) != 0) {
        log_progress_end();
        fprintf(stderr, "%s\n", err.text);
        if (err_left_out(&err) > 0)
            fprintf(stderr, "and %d more\n", err_left_out(&err));
    }
    options_free(&options);
    return (int)err.kind;
}
