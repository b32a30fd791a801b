/*
 * small.c - see small.h.
 */
#include "engine/publish/small.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FEWEST = 8, ROUNDED_TO = 5 };

int64_t small_number(uint64_t people)
{
    if (people > 0 && people < FEWEST)
        return SMALL_HIDDEN;
    return (int64_t)((people + ROUNDED_TO / 2) / ROUNDED_TO * ROUNDED_TO);
}

static void add(PublicCounts *out, PublicCount row, uint64_t people)
{
    if (out->n == out->room) {
        out->room = out->room == 0 ? 1024 : 2 * out->room;
        out->rows = mem_grow(out->rows, out->room, sizeof *out->rows, "public counts");
    }
    row.people = small_number(people);
    out->rows[out->n++] = row;
}

static void add_model(PublicCounts *out, const Results *results, const Counts *counts,
                      int m, PublicCount row)
{
    const Model *model = &results->plan->models[m];
    int parts = model_parts(model);

    row.measure = "model";
    row.item = model->id;
    for (int g = 0; g < counts->n_groupings; g++) {
        const uint64_t *cells = counts->model[m * counts->n_groupings + g];
        uint32_t n_groups = results->store->area.n_groups[g];

        row.grouping = results->plan->groupings[g].id;
        for (uint32_t k = 0; k <= n_groups; k++) {
            if (k == n_groups && counts->people[g][k] == 0)
                continue; /* everyone is in a group */
            row.group = group_code(results->store, g, k);
            for (int p = 0; p < parts; p++) {
                int outcome, band;

                model_part_split(model, p, &outcome, &band);
                row.part =
                    band >= 0 ? model->bands[band].id : model->reasons[outcome].text;
                add(out, row, cells[k * (uint32_t)parts + (uint32_t)p]);
            }
        }
    }
}

/* Registered people, and those of each segment. */
static void add_groups(PublicCounts *out, const Results *results, const Counts *counts,
                       PublicCount row)
{
    for (int g = 0; g < counts->n_groupings; g++) {
        uint32_t n_groups = results->store->area.n_groups[g];

        row.grouping = results->plan->groupings[g].id;
        for (uint32_t k = 0; k <= n_groups; k++) {
            if (k == n_groups && counts->people[g][k] == 0)
                continue;
            row.group = group_code(results->store, g, k);
            row.measure = "registered";
            row.part = "";
            add(out, row, counts->people[g][k]);
            row.measure = "segment";
            for (int s = 0; s < counts->n_segments; s++) {
                row.part = results->plan->segments[s].id;
                add(out, row,
                    counts->segment[g][k * (uint32_t)counts->n_segments + (uint32_t)s]);
            }
        }
    }
}

static void add_list(PublicCounts *out, PublicCount row, const ListCount *list)
{
    row.part = "eligible";
    add(out, row, list->eligible);
    row.part = "members";
    add(out, row, list->members);
    row.part = "new";
    add(out, row, list->fresh);
    row.part = "left";
    add(out, row, list->leavers);
}

static void add_lists(PublicCounts *out, const Results *results, const Counts *counts,
                      PublicCount row)
{
    row.measure = "cohort";
    for (uint32_t l = 0; l < counts->n_lists; l++) {
        const ListCount *list = &counts->lists[l];
        const Cohort *cohort = &results->plan->cohorts[list->cohort];

        if (list->registered == 0 && list->leavers == 0)
            continue;
        row.item = cohort->id;
        row.grouping = results->plan->groupings[cohort->grouping].id;
        row.group = group_code(results->store, cohort->grouping, list->group);
        add_list(out, row, list);
    }
}

static void add_exclusions(PublicCounts *out, const Results *results, PublicCount row)
{
    row.measure = "excluded";
    row.grouping = results->plan->groupings[GROUPING_ALL].id;
    row.group = "";
    for (int e = EXCLUDED_NOT + 1; e < results->store->n_exclusions; e++) {
        row.part = exclusion_text(results->plan, e);
        add(out, row, results->store->excluded[e]);
    }
}

void public_counts_build(PublicCounts *out, const Results *results, const Counts *counts)
{
    PublicCount row = {"", "", "", "", "", 0};

    *out = (PublicCounts){0};
    add_groups(out, results, counts, row);
    for (int m = 0; m < counts->n_models; m++)
        add_model(out, results, counts, m, row);
    add_lists(out, results, counts, row);
    add_exclusions(out, results, row);
}

void public_counts_free(PublicCounts *out)
{
    free(out->rows);
    *out = (PublicCounts){0};
}

int small_scan(const PublicCounts *public_counts, Err *err)
{
    for (uint32_t i = 0; i < public_counts->n; i++) {
        int64_t people = public_counts->rows[i].people;

        if (people == SMALL_HIDDEN || people == 0 ||
            (people > FEWEST && people % ROUNDED_TO == 0))
            continue;
        return err_add(err, ERR_GATE, (Where){"results", 0, 0},
                       "public count %" PRIu32 " of measure \"%s\" is not under "
                       "disclosure control",
                       i + 1, public_counts->rows[i].measure);
    }
    return 0;
}
