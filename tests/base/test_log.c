/* What stands on stderr: in a file, for a machine, and on a terminal. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"

static char captured[1 << 16];

/* Makes stderr a file; taken() gives back what was written to it since. */
static int redirect(void)
{
    FILE *file = tmpfile();

    cr_assert(file != NULL);
    cr_assert(dup2(fileno(file), STDERR_FILENO) >= 0);
    return fileno(file);
}

static const char *taken(int fd)
{
    ssize_t len = pread(fd, captured, sizeof captured - 1, 0);

    cr_assert(len >= 0);
    captured[len] = '\0';
    return captured;
}

/* "2026-11-22T02:00:04Z", which no test can know. */
static bool starts_with_time(const char *line)
{
    static const char SHAPE[] = "dddd-dd-ddTdd:dd:ddZ";

    for (size_t i = 0; i < sizeof SHAPE - 1; i++) {
        bool is_digit = line[i] >= '0' && line[i] <= '9';

        if (SHAPE[i] == 'd' ? !is_digit : line[i] != SHAPE[i])
            return false;
    }
    return true;
}

Test(log, a_line_of_text)
{
    int fd = redirect();

    log_open(LOG_TEXT, LOG_INFO);
    log_line(LOG_INFO, "stage=load source=%s rows=%d", "gp_event", 12);
    log_line(LOG_DEBUG, "stage=load detail=1");
    log_line(LOG_ERROR, "stage=load text=\"two\nlines\"");
    cr_assert(starts_with_time(taken(fd)), "%s", captured);
    cr_expect(strstr(captured, "Z level=info stage=load source=gp_event rows=12\n"));
    cr_expect(strstr(captured, "Z level=error stage=load text=\"two lines\"\n"));
    cr_expect(strstr(captured, "detail") == NULL, "debug was not asked for");
    cr_expect(strchr(captured, '\033') == NULL, "a file has no colours");
}

Test(log, a_line_of_json)
{
    int fd = redirect();
    const char *rest;

    log_open(LOG_JSON, LOG_DEBUG);
    log_line(LOG_WARN, "stage=load rows=30012345 share=-0.5 ok=true version=\"1\" "
                       "text=\"a \\\"b\\\" c\" empty= plus=+1 odd");
    rest = strstr(taken(fd), "\",\"level\"");
    cr_assert(rest != NULL);
    cr_expect(strncmp(captured, "{\"time\":\"", 9) == 0);
    cr_expect(starts_with_time(captured + 9));
    cr_expect_str_eq(rest, "\",\"level\":\"warn\",\"stage\":\"load\",\"rows\":30012345,"
                           "\"share\":-0.5,\"ok\":true,\"version\":\"1\","
                           "\"text\":\"a \\\"b\\\" c\",\"empty\":\"\",\"plus\":\"+1\","
                           "\"text\":\"odd\"}\n");
}

Test(log, reports_are_for_people_as_text)
{
    int fd = redirect();

    log_open(LOG_TEXT, LOG_WARN);
    log_reports(LOG_ERROR, "a.yaml:1: one\n    hint: do\nb.yaml: two", 3);
    cr_expect_str_eq(taken(fd), "a.yaml:1: one\n    hint: do\nb.yaml: two\n");
}

Test(log, reports_are_a_line_each_as_json)
{
    int fd = redirect();

    log_open(LOG_JSON, LOG_WARN);
    log_reports(LOG_ERROR, "a.yaml:1: no \"x\"\n    hint: do\nb.yaml: two", 3);
    log_reports(LOG_WARN, "c.yaml: three", 0);
    cr_assert(starts_with_time(taken(fd) + 9), "%s", captured);
    cr_expect(strstr(captured,
                     "Z\",\"level\":\"error\",\"message\":\"a.yaml:1: no \\\"x\\\"\","
                     "\"hint\":\"do\",\"exit_code\":3}\n"));
    cr_expect(strstr(captured, "\"message\":\"b.yaml: two\",\"exit_code\":3}\n"));
    cr_expect(strstr(captured, "\"level\":\"warn\",\"message\":\"c.yaml: three\"}\n"));
}

Test(log, a_long_line_is_cut)
{
    int fd = redirect();
    char word[10000];

    memset(word, '"', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    log_open(LOG_TEXT, LOG_INFO);
    log_line(LOG_INFO, "x=%s", word);
    taken(fd);
    cr_expect(strlen(captured) > 4000 && strlen(captured) < 5000);
    cr_expect_eq(captured[strlen(captured) - 1], '\n');
}

Test(log, no_bar_in_a_file)
{
    int fd = redirect();

    log_open(LOG_TEXT, LOG_INFO);
    for (uint64_t i = 0; i < 1000; i++)
        log_progress("load", i, 1000, "rows");
    log_progress_end();
    cr_expect_str_eq(taken(fd), "", "a line comes after thirty seconds, not before");
}

static void *write_lines(void *data)
{
    (void)data;
    for (int i = 0; i < 200; i++) {
        log_line(LOG_INFO, "stage=test i=%03d", i);
        log_progress("test", (uint64_t)i, 200, "lines");
    }
    return NULL;
}

Test(log, lines_of_many_threads_stay_whole)
{
    int fd = redirect(), n = 0;
    pthread_t threads[4];

    log_open(LOG_TEXT, LOG_INFO);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_lines, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    taken(fd);
    for (char *line = strtok(captured, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_assert_eq(strlen(line),
                     strlen("2026-11-22T02:00:04Z level=info stage=test i=000"));
        n++;
    }
    cr_expect_eq(n, 800);
}

/* Makes stderr a terminal of our own and returns its other end. */
static int terminal(const char *term)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert(slave >= 0 && dup2(slave, STDERR_FILENO) >= 0);
    setenv("TERM", term, 1);
    unsetenv("NO_COLOR");
    return master;
}

static void work_a_little(void)
{
    static const struct timespec PAUSE = {0, 120000000};

    log_progress("load", 0, 1000, "rows");
    nanosleep(&PAUSE, NULL);
    log_progress("load", 500, 1000, "rows");
    log_line(LOG_INFO, "stage=load");
    log_progress_end();
}

/* What was written. It may arrive in several pieces, and late: a mark comes after it. */
static void read_terminal(int master)
{
    static const char MARK[] = "<end>";
    struct pollfd ready = {master, POLLIN, 0};
    size_t len = 0;
    char *end = NULL;

    cr_assert_eq(write(STDERR_FILENO, MARK, strlen(MARK)), (ssize_t)strlen(MARK));
    while (end == NULL) {
        ssize_t piece;

        cr_assert_eq(poll(&ready, 1, 60000), 1, "all of it arrives");
        piece = read(master, captured + len, sizeof captured - 1 - len);
        cr_assert(piece > 0);
        len += (size_t)piece;
        captured[len] = '\0';
        end = strstr(captured, MARK);
    }
    *end = '\0';
    cr_assert(end > captured);
}

Test(log, a_bar_on_a_terminal)
{
    int master = terminal("xterm");
    const char *bar, *line;

    log_open(LOG_TEXT, LOG_INFO);
    work_a_little();
    read_terminal(master);
    bar = strstr(captured, "\r\033[Kload [##########----------]  50 %  500 rows");
    line = strstr(captured, "stage=load");
    cr_assert(bar != NULL && line > bar, "%s", captured);
    cr_expect(strstr(bar + 4, "\r\033[K") != NULL, "the bar is wiped before a line");
    cr_expect(strstr(captured, "level=\033[32minfo\033[0m ") != NULL);
}

Test(log, no_colour_where_none_is_wanted)
{
    int master = terminal("xterm");

    setenv("NO_COLOR", "1", 1);
    log_open(LOG_TEXT, LOG_INFO);
    work_a_little();
    read_terminal(master);
    cr_expect(strstr(captured, "level=info stage=load") != NULL);
    cr_expect(strstr(captured, " 50 %") != NULL);
}

Test(log, no_bar_on_a_dumb_terminal)
{
    int master = terminal("dumb");

    log_open(LOG_TEXT, LOG_INFO);
    work_a_little();
    read_terminal(master);
    cr_expect(strchr(captured, '\033') == NULL);
    cr_expect(strchr(captured, '%') == NULL);
}

Test(log, clocks_go_forward)
{
    double wall = log_clock(), cpu = log_cpu();
    volatile int left = 1000000;

    while (left > 0)
        left--;
    cr_expect(log_clock() > wall);
    cr_expect(log_cpu() > cpu);
}
