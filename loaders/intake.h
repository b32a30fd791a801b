/*
 * intake.h - rows of the people, registrations, practices and opt-outs sources, kept
 * until everyone is known.
 */
#ifndef LOADERS_INTAKE_H
#define LOADERS_INTAKE_H

#include "engine/store/people.h"
#include "loaders/row.h"

/* Takes a row of any source but events, unless it has a fault of its own. */
RowFate intake_row(Intake *intake, const RowMap *map, const Cell *cells,
                   RowScratch *scratch);

#endif
