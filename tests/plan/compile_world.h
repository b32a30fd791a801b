/*
 * compile_world.h - the config of tests/data/plan, compiled as it is or with one thing
 * changed, in a folder of its own so that reports name files as a person would.
 */
#ifndef TESTS_PLAN_COMPILE_WORLD_H
#define TESTS_PLAN_COMPILE_WORLD_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/plan/plan.h"

static const char *const world_files[] = {
    "run.yaml",         "sources.yaml",   "lists.yaml",        "deficits.csv",
    "values.csv",       "conditions.csv", "weights.csv",       "glm.csv",
    "regions.csv",      "features.yaml",  "models/index.yaml", "models/points.yaml",
    "models/risk.yaml", "cohorts.yaml"};
enum { WORLD_FILES = sizeof world_files / sizeof *world_files };

/* One change to one file; file NULL changes nothing. */
typedef struct Change {
    const char *file, *from, *to;
} Change;

typedef struct World {
    Arena *arena;
    Plan plan;
    Err err;
    int rc;
} World;

static inline char *world_read(const char *name)
{
    char path[256], *text = calloc(1, 1 << 16);
    FILE *file;
    size_t n;

    snprintf(path, sizeof path, "tests/data/plan/%s", name);
    file = fopen(path, "rb");
    cr_assert(file != NULL, "%s", path);
    n = fread(text, 1, (1 << 16) - 1, file);
    cr_assert(n > 0);
    fclose(file);
    return text;
}

static inline void world_write(const char *name, const char *text, const Change *change)
{
    FILE *file = fopen(name, "wb");
    const char *at = NULL;

    cr_assert(file != NULL, "%s", name);
    if (change->file != NULL && strcmp(change->file, name) == 0) {
        at = strstr(text, change->from);
        cr_assert(at != NULL, "%s: \"%s\" is not there", name, change->from);
    }
    if (at != NULL)
        fprintf(file, "%.*s%s%s", (int)(at - text), text, change->to,
                at + strlen(change->from));
    else
        fputs(text, file);
    fclose(file);
}

/* The kinds do nothing, so that what is tested is the compiler alone. */
static inline Kinds world_kinds(void)
{
    static const SourceKind postgres = {"postgres", NULL, NULL},
                            csv = {"csv", NULL, NULL};
    static const SourceKind *const sources[] = {&postgres, &csv, NULL};
    static const ModelKind index = {"index", NULL, NULL, NULL, NULL},
                           points = {"points", NULL, NULL, NULL, NULL},
                           regression = {"regression", NULL, NULL, NULL, NULL},
                           trees = {"trees", NULL, NULL, NULL, NULL};
    static const ModelKind *const models[] = {&index, &points, &regression, &trees, NULL};

    return (Kinds){sources, models};
}

/* As of 2024-02-29. Call from the root of the repository, and return there. */
static inline void world_compile(World *world, Change change)
{
    char *texts[WORLD_FILES], folder[] = "/tmp/stratify-plan-XXXXXX", root[4096];

    for (int i = 0; i < WORLD_FILES; i++)
        texts[i] = world_read(world_files[i]);
    cr_assert(getcwd(root, sizeof root) != NULL && mkdtemp(folder) != NULL);
    cr_assert(chdir(folder) == 0 && mkdir("models", 0700) == 0);
    for (int i = 0; i < WORLD_FILES; i++) {
        world_write(world_files[i], texts[i], &change);
        free(texts[i]);
    }
    *world = (World){.arena = arena_new()};
    world->rc = plan_compile(&world->plan, "run.yaml", day_of(2024, 2, 29), world_kinds(),
                             world->arena, &world->err);
    for (int i = 0; i < WORLD_FILES; i++)
        unlink(world_files[i]);
    rmdir("models");
    cr_assert(chdir(root) == 0);
    rmdir(folder);
}

static inline void world_free(World *world)
{
    arena_free(world->arena);
}

#endif
