/*
 * people.h - who is in the run: semantics section 2.
 *
 * In:  rows of the people, registrations, practices and opt-outs sources, as workers
 *      took them in, in any order.
 * Out: the people of the run and their area in the store, the reason of everyone else,
 *      and the index by which rows of events find their person.
 *
 * Rules where sources are not clean:
 *
 *   - rows of the people source that say the same of a person are merged; a person of
 *     whom they say different things is not in the run (EXCLUDED_CONFLICT);
 *   - of several registrations on D the latest start wins, then the one that lasts
 *     longest, then the lowest practice code; the person is counted as ambiguous;
 *   - a registration without a start began before D; an opt-out holds whatever its date;
 *   - an opt-out of somebody who is not in the people source is no fault.
 */
#ifndef ENGINE_STORE_PEOPLE_H
#define ENGINE_STORE_PEOPLE_H

#include "engine/base/names.h"
#include "engine/store/area.h"
#include "engine/store/ids.h"

typedef struct PersonKept {
    int64_t id;
    uint64_t check;
    int32_t birth, death;
    int32_t practice; /* number in the intake's names; NAMES_NONE = none */
    bool is_test;
} PersonKept;

typedef struct RegistrationKept {
    int64_t id;
    int32_t start, end;
    int32_t practice;
} RegistrationKept;

typedef struct OptOutKept {
    int64_t id;
    int opt_out; /* index into Population.opt_outs */
} OptOutKept;

/* What one worker has taken in. */
typedef struct Intake {
    PersonKept *people;
    double *attributes; /* row by row */
    size_t n_people, room_people;
    RegistrationKept *registrations;
    size_t n_registrations, room_registrations;
    OptOutKept *opt_outs;
    size_t n_opt_outs, room_opt_outs;
    Practice *practices;
    size_t n_practices, room_practices;
    Names *names; /* practice codes of people and registrations */
    Arena *arena; /* texts of practices */
} Intake;

void intake_build(Intake *intake);
void intake_free(Intake *intake);

/* Everyone in the people source, as rows of events are checked against them. */
typedef struct People {
    Ids ids;
    uint64_t *refused; /* by Source.number so many words, a bit for each person who
                          opted out of its rows; NULL = nobody */
    size_t refused_words;
    uint64_t refused_sources; /* a bit for each of which somebody opted out: rows of most
                                 need not be looked at any further */
} People;

static inline bool people_refuses(const People *people, uint32_t person, int source)
{
    size_t word = (size_t)source * people->refused_words + person / 64;

    return (people->refused_sources >> source & 1) != 0 &&
           (people->refused[word] >> person % 64 & 1) != 0;
}

/*
 * Fills people and, of the store: people, attributes, area, exclusions, numbers; moves
 * rows to their final fate in store->counts. Empties the intakes.
 */
int people_build(Store *store, People *people, const Plan *plan, Intake *intakes,
                 int n_intakes, Err *err);
void people_free(People *people);

/* How many people there are, and opt-outs that change nothing, in the log. */
void people_log(const Store *store, const Plan *plan);

#endif
