/*
 * main.c - command line in, exit code out.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/commands.h"
#include "engine/options.h"

/* What libraries read before main() begins. Threads that wait are to sleep: by default
 * they spin for a while, on processors that a server on this machine could use. Large
 * arrays are to lie in large pages, where the system gives them on request: they are read
 * in no order, and a processor remembers where few small pages are. */
static const struct {
    const char *name, *value;
} SETTINGS[] = {{"OMP_WAIT_POLICY", "passive"},
                {"GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"}};

/* The program starts itself again with those that nobody has made; where it cannot, it
 * goes on as it is. */
static void apply_settings(char **argv)
{
    char program[PATH_MAX]; /* its own path, so that ps shows its name */
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    int n_made = 0;

    for (size_t s = 0; s < sizeof SETTINGS / sizeof *SETTINGS; s++)
        if (getenv(SETTINGS[s].name) == NULL)
            n_made += setenv(SETTINGS[s].name, SETTINGS[s].value, 0) == 0;
    if (n_made == 0 || len <= 0)
        return;
    program[len] = '\0';
    execv(program, argv);
}

/* Rows that arrive wake a thread, which would take the processor from the server at each
 * few of them. Scheduled as a batch it waits for its turn and finds many. Another policy
 * is somebody's choice, and stays. */
static void yield_to_server(void)
{
    const struct sched_param none = {0};

    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
}

/* What was printed may still lie in the buffer, or a part before it was lost, whose errno
 * nobody kept. A reader who has gone, as `head` does, has seen enough. */
static int flush_output(Err *err)
{
    struct pollfd output = {.fd = STDOUT_FILENO};

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (poll(&output, 1, 0) == 1 && output.revents & POLLERR)
        return 0;
    return err_add(err, ERR_SOURCE, (Where){"stdout", 0, 0}, "could not write: %s",
                   errno ? strerror(errno) : "a part of it is lost");
}

/* Where the default config is not, as outside of a checkout, it is to be named. */
static void hint_config(const Options *options, Err *err)
{
    size_t len = strlen(options->config);

    if (!options->has_config && strncmp(err->text, options->config, len) == 0 &&
        access(options->config, F_OK) != 0)
        err_hint(err, "name the config with -c FILE, or in STRATIFY_CONFIG");
}

static void report(const Err *err)
{
    char more[64];

    log_progress_end();
    log_reports(LOG_ERROR, err->text, (int)err->kind);
    snprintf(more, sizeof more, "and %d more", err_left_out(err));
    if (err_left_out(err) > 0)
        log_reports(LOG_ERROR, more, (int)err->kind);
}

int main(int argc, char **argv)
{
    Options options;
    Err err = {0};
    int rc;

    apply_settings(argv);
    yield_to_server();
    options_parse(&options, commands, argc, argv);
    log_open(options.is_json ? LOG_JSON : LOG_TEXT,
             options.is_quiet ? LOG_WARN : LOG_INFO);
    rc = options.command->function(&options, &err);
    rc |= flush_output(&err);
    if (rc != 0) {
        hint_config(&options, &err);
        report(&err);
    }
    options_free(&options);
    return (int)err.kind;
}
