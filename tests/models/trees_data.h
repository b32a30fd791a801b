/*
 * trees_data.h - the example models of tests/data/trees, read row by row.
 */
#ifndef TESTS_MODELS_TREES_DATA_H
#define TESTS_MODELS_TREES_DATA_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/trees/forest.h"

#define TREES "tests/data/trees/"

enum { MOST_COLUMNS = 24, EXAMPLE_ROWS = 40 };

/* Numbers of one CSV line from a column on; an empty cell is NaN. Returns how many. */
static inline int csv_numbers(FILE *file, int from, double *out)
{
    char line[4096], *at = line;
    int n = 0;

    if (fgets(line, sizeof line, file) == NULL)
        return 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (int column = 0;; column++) {
        size_t len = strcspn(at, ",");
        char end = at[len];

        if (column >= from && n < MOST_COLUMNS)
            out[n++] = len == 0 ? NAN : strtod(at, NULL);
        if (end == '\0')
            return n;
        at += len + 1;
    }
}

/* A CSV file behind its header. */
static inline FILE *csv_open(const char *path)
{
    FILE *file = fopen(path, "r");
    int c;

    if (file != NULL) {
        while ((c = getc(file)) != '\n' && c != EOF)
            ;
    }
    return file;
}

/* The inputs of an example: of its own, or of its folder. */
static inline FILE *open_inputs(const char *folder, const char *name)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, TREES "%s/%s.inputs.csv", folder, name);
    file = csv_open(path);
    if (file == NULL) {
        snprintf(path, sizeof path, TREES "%s/inputs.csv", folder);
        file = csv_open(path);
    }
    cr_assert(file != NULL, "%s", path);
    return file;
}

static inline FILE *open_beside(const char *folder, const char *name, const char *ending)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, TREES "%s/%s.%s", folder, name, ending);
    file = csv_open(path);
    cr_assert(file != NULL, "%s", path);
    return file;
}

static inline void read_example(Forest *forest, const char *folder, const char *name,
                                const char *ending, Arena *arena)
{
    char path[256];
    Err err = {0};

    snprintf(path, sizeof path, TREES "%s/%s.%s", folder, name, ending);
    cr_assert_eq(forest_read(forest, path, arena, &err), 0, "%s", err.text);
    cr_assert_eq(err.n_reports, 0);
}

/* ---- changed files ------------------------------------------------------------------
 */

static inline char *read_text(const char *folder, const char *file, size_t *len)
{
    char path[256];
    char *text = mem_alloc(1 << 17, 1, "a test file");
    FILE *from;

    snprintf(path, sizeof path, TREES "%s/%s", folder, file);
    from = fopen(path, "rb");
    cr_assert(from != NULL, "%s", path);
    *len = fread(text, 1, (1 << 17) - 1, from);
    fclose(from);
    return text;
}

/* The text with the first `old` behind `after` replaced. */
static inline char *changed(const char *text, const char *after, const char *old,
                            const char *new)
{
    const char *at = strstr(text, after);
    char *out = mem_alloc(strlen(text) + strlen(new) + 1, 1, "a test file");

    cr_assert(at != NULL, "%s", after);
    at = strstr(at, old);
    cr_assert(at != NULL, "%s", old);
    memcpy(out, text, (size_t)(at - text));
    strcat(strcpy(out + (at - text), new), at + strlen(old));
    return out;
}

static inline void parse_changed(Forest *forest, const char *folder, const char *file,
                                 const char *const change[3], Arena *arena, Err *err)
{
    size_t len;
    char *text = read_text(folder, file, &len);
    char *other = changed(text, change[0], change[1], change[2]);
    int rc = forest_parse(forest, "m", other, strlen(other), arena, err);

    cr_expect_eq(rc != 0, err->n_reports != 0);
    free(other);
    free(text);
}

#endif
