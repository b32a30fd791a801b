#include "engine/commands.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/codelist.h"
#include "engine/extract/folder.h"
#include "engine/publish/diff.h"
#include "engine/publish/lists.h"
#include "engine/publish/publish.h"
#include "engine/run.h"
#include "engine/synth/synth.h"
#include "loaders/extract.h"
#include "loaders/kinds.h"
#include "loaders/load.h"
#include "models/card.h"
#include "models/kinds.h"

/* Where `make install` puts what comes with the program. */
#define SHARE STRATIFY_PREFIX "/share/stratify"

static int init(const Options *options, Err *err)
{
    if (publish_init(options->conninfo, options->visibility_map, err) != 0)
        return -1;
    log_line(LOG_INFO, "stage=init schema=stratify");
    return 0;
}

static int compile(Plan *plan, const Options *options, Arena *arena, Err *err)
{
    Kinds kinds = {source_kinds, model_kinds};

    return plan_compile(plan, options->config, options->as_of, kinds, arena, err);
}

static int check(const Options *options, Err *err)
{
    LoadOptions how = {.conninfo = options->conninfo, .connections = 1};
    Arena *arena = arena_new();
    Plan plan = {0};
    int rc = compile(&plan, options, arena, err);

    if (rc == 0 && options_want_database(options))
        rc = load_check(&plan, &how, err);
    for (int i = 0; rc == 0 && i < plan.n_warnings; i++)
        log_reports(LOG_WARN, plan.warnings[i], 0);
    if (rc == 0)
        log_line(LOG_INFO,
                 "stage=check sources=%d lists=%d features=%d models=%d cohorts=%d "
                 "config=%.12s",
                 plan.n_sources, plan.n_lists, plan.n_features, plan.n_models,
                 plan.n_cohorts, plan.hash);
    arena_free(arena);
    return rc;
}

static int find_model(const Plan *plan, const char *name, Err *err)
{
    const char **names =
        mem_alloc((size_t)plan->n_models, sizeof *names, "names of models");
    const char *nearest;
    int found = -1;

    for (int m = 0; m < plan->n_models; m++) {
        names[m] = plan->models[m].id;
        if (strcmp(names[m], name) == 0)
            found = m;
    }
    if (found < 0) {
        err_add(err, ERR_USAGE, (Where){plan->path, 0, 0}, "there is no model \"%s\"",
                name);
        nearest = text_nearest(name, names, (size_t)plan->n_models);
        if (nearest)
            err_hint(err, "did you mean \"%s\"?", nearest);
    }
    free(names);
    return found;
}

static int models(const Options *options, Err *err)
{
    Arena *arena = arena_new();
    Plan plan = {0};
    int rc = compile(&plan, options, arena, err), model;

    if (rc == 0 && options->n_args == 0) {
        card_list(stdout, &plan);
    } else if (rc == 0) {
        model = find_model(&plan, options->args[0], err);
        rc = model < 0 ? -1 : 0;
        if (rc == 0)
            card_write(stdout, &plan, model);
    }
    arena_free(arena);
    return rc;
}

static int list(const Options *options, Err *err)
{
    if (options->n_args == 0)
        return lists_strata(stdout, options->conninfo, options->group, err);
    return lists_cohort(stdout, options->conninfo, options->args[0], options->group, err);
}

static int runs(const Options *options, Err *err)
{
    return lists_runs(stdout, options->conninfo, err);
}

static int diff(const Options *options, Err *err)
{
    const char *const both[2] = {options->args[0], options->args[1]};

    return diff_runs(stdout, options->conninfo, both, options->out, err);
}

static int publish(const Options *options, Err *err)
{
    const char *word = options->args[0];
    int64_t number;

    if (!text_int64(&number, word, strlen(word)))
        return err_add(
            err, ERR_USAGE, (Where){0},
            "publish takes the number of a run, not \"%s\"; see `stratify runs`", word);
    if (publish_switch(options->conninfo, number, err) != 0)
        return -1;
    printf("run %s is the current one\n", word);
    return 0;
}

static int synth(const Options *options, Err *err)
{
    SynthOptions how = {.people = options->people,
                        .seed = options->seed,
                        .as_of = options->as_of,
                        .conninfo = options->out ? NULL : options->conninfo,
                        .connections = options->connections,
                        .out = options->out,
                        .data_dir = access("configs/synth", R_OK) == 0 ? "configs/synth"
                                                                       : SHARE
                                        "/configs/synth",
                        .replace = options->replace};

    if (options->threads)
        omp_set_num_threads(options->threads);
    if (synth_dirt_parse(&how.dirt, options->dirt, err) != 0)
        return -1;
    return synth_run(&how, err);
}

static int extract(const Options *options, Err *err)
{
    ExtractOptions how = {options->extract, options->conninfo,
                          options->connections ? options->connections
                                               : omp_get_num_procs()};
    Arena *arena;
    Plan plan = {0};
    int rc;

    if (options->delete != NULL)
        return folder_delete(options->delete, err);
    if (options->extract == NULL)
        return err_add(err, ERR_USAGE, (Where){0},
                       "extract needs --extract DIR, or --delete DIR");
    arena = arena_new();
    rc = compile(&plan, options, arena, err);
    if (rc == 0)
        rc = extract_make(&plan, &how, err);
    arena_free(arena);
    return rc;
}

const Command commands[] = {
    {"init", "", "install the results schema",
     "Installs schema stratify: tables, views, roles and comments. Running it\n"
     "again changes nothing. With --visibility-map a superuser also lets those who\n"
     "make runs see which pages of a table nobody has written to: `extract` is then\n"
     "brought up to date without a look at every row.\n"
     "\n"
     "  stratify init -d results\n"
     "  stratify init -d results -U postgres --visibility-map",
     OPTIONS_CONNECTION | OPTIONS_INIT, 0, 0, init},
    {"check", "", "prove that a config is sound, and fits the tables",
     "Compiles a config and reports up to 20 faults with file, line and column.\n"
     "With a connection it also proves that every mapped table, column and type is\n"
     "there. Reads no row of data.\n"
     "\n"
     "  stratify check -c configs/run.yaml\n"
     "  stratify check -c configs/run.yaml -d sid",
     OPTIONS_CONNECTION | OPTIONS_CONFIG | OPTIONS_AS_OF, 0, 0, check},
    {"run", "", "score, rank, stratify and publish",
     "Reads one snapshot, and publishes in one transaction or not at all.\n"
     "\n"
     "  stratify run -c configs/run.yaml --dry-run        SQL, windows, memory\n"
     "  stratify run -c configs/run.yaml --as-of 2026-04-01\n"
     "  stratify run -c new.yaml --shadow                 beside the current run\n"
     "  stratify run -c configs/run.yaml --out results/   gzip CSV, no database",
     OPTIONS_CONNECTION | OPTIONS_CONFIG | OPTIONS_AS_OF | OPTIONS_RUN, 0, 0, run},
    {"extract", "", "keep a copy of all mapped records, for re-runs",
     "Makes the engine's own copy of all mapped records, or brings it up to date:\n"
     "only what has changed is read again. `stratify run --extract DIR` then reads\n"
     "it in place of the tables. It is patient data at rest: for its owner only,\n"
     "and deleted by one command.\n"
     "\n"
     "  stratify extract -c configs/run.yaml --extract DIR\n"
     "  stratify run -c new.yaml --extract DIR --shadow\n"
     "  stratify extract --delete DIR",
     OPTIONS_CONNECTION | OPTIONS_CONFIG | OPTIONS_AS_OF | OPTIONS_EXTRACT, 0, 0,
     extract},
    {"list", "[COHORT]", "read a published list, or who is in which stratum",
     "  stratify list                                     strata by locality\n"
     "  stratify list anticipatory_care --group U12345    one PCN's list",
     OPTIONS_CONNECTION | OPTIONS_LIST, 0, 1, list},
    {"runs", "", "list the runs that are kept", "The current run is marked.",
     OPTIONS_CONNECTION, 0, 0, runs},
    {"diff", "RUN RUN", "what another run says differently, person by person",
     "Compares two runs that are kept: people whose score, band or rank changes,\n"
     "and who joins or leaves each list, and by which model. Counts are exact: for\n"
     "those who may read the tables.\n"
     "\n"
     "  stratify diff 12 13                        a shadow run and the current\n"
     "  stratify diff 12 13 --out changes.csv.gz   with a row a person",
     OPTIONS_CONNECTION | OPTIONS_DIFF, 2, 2, diff},
    {"publish", "RUN", "make an earlier run the current one",
     "Readers see it from the next statement on. Nothing is computed again.",
     OPTIONS_CONNECTION, 1, 1, publish},
    {"models", "[NAME]", "the models of a config, or the card of one",
     "A card says what a model is for, whom it applies to, what goes in, its\n"
     "bands, source, licence and limits.",
     OPTIONS_CONFIG | OPTIONS_AS_OF, 0, 1, models},
    {"codelist", "check|diff|stats [FILE...]", "check, compare and measure code lists",
     "check looks for wrong codes, and says where codes are repeated or stand in\n"
     "several lists. diff compares two files or two configs; with -c, or two\n"
     "configs, and a connection or an extract it counts the people whom the change\n"
     "touches. stats says which codes are never met, and how often rows match\n"
     "beside the last published run.\n"
     "\n"
     "  stratify codelist check -c configs/run.yaml\n"
     "  stratify codelist check new.csv --column code=icd --system icd10\n"
     "  stratify codelist diff old.csv new.csv -c configs/run.yaml -d sid\n"
     "  stratify codelist diff old/run.yaml new/run.yaml -d sid\n"
     "  stratify codelist stats -c configs/run.yaml -d sid\n"
     "  stratify codelist stats hfrs -d sid               the codes never met\n"
     "  stratify codelist stats -c configs/run.yaml --extract /srv/stratify/extract",
     OPTIONS_CONNECTION | OPTIONS_CONFIG | OPTIONS_AS_OF | OPTIONS_CODES, 1, 3, codelist},
    {"synth", "", "make up a population to try things on",
     "Fills schema sid with made-up people of Sussex: real practices, list sizes\n"
     "and deprivation; conditions, events and admissions that hang together; and\n"
     "the dirt of real data in known amounts. The same seed gives the same rows.\n"
     "\n"
     "  stratify synth --people 20000 -d sid\n"
     "  stratify synth --people 3000 --dirt none --out feed/",
     OPTIONS_CONNECTION | OPTIONS_AS_OF | OPTIONS_SYNTH, 0, 0, synth},
    {0},
};
