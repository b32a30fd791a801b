/*
 * run.c - the whole program on one page. Data moves down run_stages() only.
 */
#include "engine/run.h"

#include <math.h>
#include <omp.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/metrics.h"
#include "engine/publish/publish.h"
#include "engine/stopwatch.h"
#include "loaders/kinds.h"
#include "loaders/load.h"
#include "models/kinds.h"

/* What the stages make, in the order of making. */
typedef struct Run {
    Plan plan;
    Publication *publication;
    Store store;
    Scores scores;
    Strata strata;
    Matches matches;
    Cohorts cohorts;
    Stopwatch watch;
    const char *account; /* that it runs under */
} Run;

static LoadOptions load_options(const Options *options)
{
    return (LoadOptions){.conninfo = options->conninfo,
                         .connections = options->connections,
                         .extract = options->extract};
}

/* Who runs the program; in USER stands whatever the caller wants. */
static const char *own_account(Arena *arena)
{
    const struct passwd *own = getpwuid(geteuid());

    return own != NULL ? arena_text(arena, own->pw_name, strlen(own->pw_name))
                       : arena_format(arena, "%u", (unsigned)geteuid());
}

static RunInfo run_info(const Run *made, const Options *options)
{
    return (RunInfo){.conninfo = options->out ? NULL : options->conninfo,
                     .out = options->out,
                     .connections = options->connections,
                     .is_shadow = options->shadow,
                     .keep_runs = (int)made->plan.keep_runs,
                     .version = STRATIFY_VERSION,
                     .started_by = made->account,
                     .started = time(NULL),
                     .stages = made->watch.stages,
                     .n_stages = made->watch.n};
}

static uint64_t count_rows(const Run *made, uint64_t *bytes)
{
    uint64_t rows = 0;

    *bytes = 0;
    for (int i = 0; i < made->plan.n_sources; i++) {
        rows += made->store.counts[i].rows;
        *bytes += made->store.counts[i].bytes;
    }
    return rows;
}

static int load(Run *made, const Options *options, Err *err)
{
    LoadOptions how = load_options(options);
    uint64_t rows, bytes;

    if (load_store(&made->store, &made->plan, &how, err) != 0)
        return -1;
    people_log(&made->store, &made->plan);
    rows = count_rows(made, &bytes);
    stopwatch_lap(&made->watch, "load", rows, bytes, made->store.server_cpu);
    return 0;
}

static int run_stages(Run *made, const Options *options, Err *err)
{
    RunInfo info = run_info(made, options);
    Results results = {&made->plan,   &made->store,   &made->scores,
                       &made->strata, &made->matches, &made->cohorts};
    const PreviousRun *previous;
    double preparing; /* of the server, on the session that publishes too */
    uint32_t people;

    if (publish_open(&made->publication, &made->plan, &info, err) != 0)
        return -1;
    preparing = publication_server_cpu(made->publication);
    stopwatch_lap(&made->watch, "prepare", 0, 0, preparing);
    if (load(made, options, err) != 0)
        return -1;
    people = made->store.n_people;
    score_people(&made->scores, &made->matches, &made->plan, &made->store);
    input_counts_log(made->scores.replaced, &made->plan);
    stopwatch_lap(&made->watch, "score", people, 0, NAN);
    strata_band(&made->scores, &made->plan, &made->store);
    score_match(&made->matches, &made->plan, &made->store, &made->scores);
    previous = publication_previous(made->publication);
    cohorts_build(&made->cohorts, &results, previous);
    store_drop_events(&made->store, &made->plan);
    stopwatch_lap(&made->watch, "select", made->cohorts.n_members, 0, NAN);
    strata_build(&made->strata, &made->scores, &made->plan, &made->store);
    stopwatch_lap(&made->watch, "rank", people, 0, NAN);
    info.n_stages = made->watch.n;
    if (publish_all(made->publication, &results, &info, err) != 0)
        return -1;
    stopwatch_lap(&made->watch, "publish", people, 0,
                  publication_server_cpu(made->publication) - preparing);
    return 0;
}

static void run_free(Run *made)
{
    publish_close(made->publication);
    cohorts_free(&made->cohorts);
    matches_free(&made->matches);
    strata_free(&made->strata);
    scores_free(&made->scores);
    store_free(&made->store, &made->plan);
}

int run(const Options *options, Err *err)
{
    Arena *arena = arena_new();
    Kinds kinds = {source_kinds, model_kinds};
    LoadOptions how = load_options(options);
    Run made = {.account = own_account(arena)};
    int rc = -1;

    if (options->threads)
        omp_set_num_threads(options->threads);
    stopwatch_start(&made.watch);
    if (plan_compile(&made.plan, options->config, options->as_of, kinds, arena, err) != 0)
        goto done;
    if (options->metrics && metrics_check(options->metrics, err) != 0)
        goto done;
    if (made.plan.n_warnings)
        log_line(LOG_INFO, "warnings=%d hint=\"stratify check shows them\"",
                 made.plan.n_warnings);
    stopwatch_lap(&made.watch, "compile", 0, 0, NAN);
    if (options->dry_run)
        rc = load_describe(&made.plan, &how, stdout, err);
    else
        rc = run_stages(&made, options, err);
    if (rc == 0 && !options->dry_run && isatty(fileno(stdout)))
        stopwatch_print(&made.watch, stdout);
    if (options->metrics && !options->dry_run)
        metrics_write(options->metrics,
                      &(Measured){&made.plan, &made.store, &made.scores, &made.watch,
                                  rc == 0, options->shadow});
done:
    run_free(&made);
    arena_free(arena);
    return rc;
}
