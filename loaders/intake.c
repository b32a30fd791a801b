/*
 * intake.c - see intake.h.
 */
#include "loaders/intake.h"

/* Room for one thing more. */
static void *room_for(void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    *room = 2 * *room + 64;
    return mem_grow(array, *room, size, "people");
}

static int32_t number_of(Intake *intake, const char *practice, uint32_t len)
{
    return practice == NULL ? NAMES_NONE : names_add(intake->names, practice, len);
}

static RowFate take_person(Intake *intake, const RowMap *map, const Cell *cells,
                           RowScratch *scratch)
{
    size_t n_attributes = (size_t)map->source->n_attributes, before = intake->room_people;
    PersonRow row;
    RowFate fate;

    intake->people = room_for(intake->people, intake->n_people, &intake->room_people,
                              sizeof *intake->people);
    if (intake->room_people != before)
        intake->attributes =
            mem_grow(intake->attributes, intake->room_people * n_attributes,
                     sizeof *intake->attributes, "people");
    fate = row_person(&row, intake->attributes + intake->n_people * n_attributes, map,
                      cells, scratch);
    if (fate == ROW_KEPT)
        intake->people[intake->n_people++] =
            (PersonKept){row.id,
                         row.check,
                         row.birth,
                         row.death,
                         number_of(intake, row.practice, row.practice_len),
                         row.is_test};
    return fate;
}

static RowFate take_registration(Intake *intake, const RowMap *map, const Cell *cells,
                                 RowScratch *scratch)
{
    RegistrationRow row;
    RowFate fate = row_registration(&row, map, cells, scratch);

    if (fate != ROW_KEPT)
        return fate;
    intake->registrations =
        room_for(intake->registrations, intake->n_registrations,
                 &intake->room_registrations, sizeof *intake->registrations);
    intake->registrations[intake->n_registrations++] =
        (RegistrationKept){row.id, row.start, row.end == DAY_UNKNOWN ? DAY_LAST : row.end,
                           number_of(intake, row.practice, row.practice_len)};
    return fate;
}

static RowFate take_opt_out(Intake *intake, const RowMap *map, const Cell *cells,
                            RowScratch *scratch)
{
    OptOutKept row;
    RowFate fate = row_opt_out(&row, map, cells, scratch);

    if (fate != ROW_KEPT)
        return fate;
    intake->opt_outs = room_for(intake->opt_outs, intake->n_opt_outs,
                                &intake->room_opt_outs, sizeof row);
    intake->opt_outs[intake->n_opt_outs++] = row;
    return fate;
}

static RowFate take_practice(Intake *intake, const RowMap *map, const Cell *cells)
{
    Practice row;
    RowFate fate = row_practice(&row, map, cells, intake->arena);

    if (fate != ROW_KEPT)
        return fate;
    intake->practices = room_for(intake->practices, intake->n_practices,
                                 &intake->room_practices, sizeof row);
    intake->practices[intake->n_practices++] = row;
    return fate;
}

RowFate intake_row(Intake *intake, const RowMap *map, const Cell *cells,
                   RowScratch *scratch)
{
    switch (map->source->role) {
    case ROLE_PEOPLE:
        return take_person(intake, map, cells, scratch);
    case ROLE_REGISTRATIONS:
        return take_registration(intake, map, cells, scratch);
    case ROLE_OPT_OUTS:
        return take_opt_out(intake, map, cells, scratch);
    default:
        return take_practice(intake, map, cells);
    }
}
