/*
 * Any bytes at all: forest_parse() reads a model or says why not, and what it reads can
 * be scored and explained for people of whom everything or nothing is known.
 */
#include <math.h>
#include <stdlib.h>

#include "models/trees/forest.h"

static void explain(const Forest *forest, const double *x)
{
    static double shares[FOREST_MOST_FEATURES];

    /* Time grows with depth squared, and a short text can make a deep tree. */
    for (int t = 0; t < forest->n_trees; t++)
        if (forest->trees[t].depth > 100)
            return;
    if (forest->has_cover)
        forest_shap(forest, x, forest->n_outputs - 1, shares);
}

static void score(const Forest *forest)
{
    static const double VALUES[] = {NAN, 0, 1, -1, 70.5, 1e300};
    static double x[FOREST_MOST_FEATURES];
    double margin[FOREST_MOST_OUTPUTS];

    for (size_t v = 0; v < sizeof VALUES / sizeof *VALUES; v++) {
        for (int i = 0; i < forest->n_features; i++)
            x[i] = VALUES[v];
        forest_margin(forest, x, margin);
        for (int k = 0; k < forest->n_outputs; k++)
            forest_output(forest, margin, k);
        explain(forest, x);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Arena *arena = arena_new();
    Err err = {0};
    Forest forest;
    int rc = forest_parse(&forest, "fuzz", (const char *)data, len, arena, &err);

    if ((rc == 0) != (err.n_reports == 0))
        abort(); /* a failure without a report, or a report without a failure */
    if (rc == 0)
        score(&forest);
    arena_free(arena);
    return 0;
}
