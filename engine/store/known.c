/*
 * known.c - see known.h.
 */
#include "engine/store/known.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/order.h"

/* ---- one for each row -------------------------------------------------- */

/* The rows of the people source, numbered through all intakes. */
typedef struct Rows {
    const Intake *intakes;
    const Seen *seen;
    size_t n_attributes;
} Rows;

typedef struct Place {
    int intake;
    uint32_t row;
} Place;

static Place find_place(const Intake *intakes, uint32_t number)
{
    Place place = {0, number};

    while (place.row >= intakes[place.intake].n_people)
        place.row -= (uint32_t)intakes[place.intake++].n_people;
    return place;
}

static Known known_of(const Rows *rows, Place place)
{
    const Intake *intake = &rows->intakes[place.intake];
    const PersonKept *row = &intake->people[place.row];
    const uint32_t *rank = rows->seen->rank[place.intake];

    return (Known){.id = row->id,
                   .check = row->check,
                   .attributes = intake->attributes + place.row * rows->n_attributes,
                   .birth = row->birth,
                   .death = row->death,
                   .practice =
                       row->practice == NAMES_NONE ? UINT32_MAX : rank[row->practice],
                   .start = DAY_UNKNOWN,
                   .opt_out = -1,
                   .is_test = row->is_test};
}

/* A handful at a time, so that memory is waited for once for all. */
static void gather_few(Known *known, const Keyed *entries, uint32_t n, const Rows *rows)
{
    Place places[AHEAD];

    for (uint32_t e = 0; e < n; e++) {
        places[e] = find_place(rows->intakes, entries[e].item);
        __builtin_prefetch(&rows->intakes[places[e].intake].people[places[e].row]);
    }
    for (uint32_t e = 0; e < n; e++)
        known[e] = known_of(rows, places[e]);
}

static Keyed *sort_rows(uint32_t *n, const Intake *intakes, int n_intakes)
{
    uint32_t at = 0;
    Keyed *entries;

    *n = 0;
    for (int i = 0; i < n_intakes; i++)
        *n += (uint32_t)intakes[i].n_people;
    entries = mem_alloc(*n, sizeof *entries, "people");
    for (int i = 0; i < n_intakes; i++)
        for (size_t p = 0; p < intakes[i].n_people; p++, at++)
            entries[at] = (Keyed){order_key_signed(intakes[i].people[p].id), at};
    return order_sort(entries, *n);
}

void known_gather(Known *known, const Intake *intakes, const Seen *seen,
                  const Source *source)
{
    const Rows rows = {intakes, seen, (size_t)source->n_attributes};
    uint32_t n;
    Keyed *entries = sort_rows(&n, intakes, seen->n_intakes);

#pragma omp parallel for
    for (uint32_t at = 0; at < n; at += AHEAD)
        gather_few(known + at, entries + at, n - at < AHEAD ? n - at : AHEAD, &rows);
    free(entries);
}

/* ---- one for each person ----------------------------------------------- */

static bool says_the_same(const Known *a, const Known *b, int n_attributes)
{
    if (a->birth != b->birth || a->death != b->death || a->is_test != b->is_test ||
        a->practice != b->practice)
        return false;
    for (int i = 0; i < n_attributes; i++)
        if (a->attributes[i] != b->attributes[i] &&
            !(isnan(a->attributes[i]) && isnan(b->attributes[i])))
            return false;
    return true;
}

int known_merge(Known *known, uint32_t *n, SourceCount *count, const Source *source,
                Err *err)
{
    uint32_t kept = 0, next;

    for (uint32_t k = 0; k < *n; k = next) {
        Known first = known[k];

        for (next = k + 1; next < *n && known[next].id == first.id; next++) {
            if (first.check != known[next].check)
                return err_add(err, ERR_DATA, source->where,
                               "source \"%s\": two different people have the same "
                               "pseudonym",
                               source->name);
            first.is_conflict |=
                !says_the_same(&first, &known[next], source->n_attributes);
        }
        for (uint32_t row = first.is_conflict ? k : k + 1; row < next; row++)
            change_fate(count, first.is_conflict ? ROW_CONFLICT : ROW_DUPLICATE);
        known[kept++] = first;
    }
    *n = kept;
    return 0;
}
