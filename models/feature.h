/*
 * feature.h - a person's events -> the features of their row.
 *
 * In:  the plan's features and the store's events.
 * Out: one number for each feature; on request the day of the event behind it.
 *
 * One pass over the events of a person and source fills every feature of the source.
 * What all threads share is a FeatureSet; what a thread fills is its Tally.
 *
 * What counts:
 *   - dated events with from <= day < to. `bed_days` also takes spells that began
 *     before `from` and reach into the window;
 *   - undated ones only where the window is `ever`, and only for exists, rows, codes,
 *     sum, min, max and mean: the other counts need to know when;
 *   - for sum, min, max, mean, latest and earliest only events that have a value. Of
 *     several values on the same day `latest` and `earliest` take the largest;
 *   - an event once for each feature, however many lines of its lists match it.
 * bed_days adds, for each spell, the days from admission up to the day before
 * discharge (so 0 for a spell of one day); an open spell reaches up to D. repeat is 1
 * when n events lie within m days in a row, else 0: two events m days apart do not.
 */
#ifndef MODELS_FEATURE_H
#define MODELS_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/plan/plan.h"
#include "engine/store/store.h"
#include "models/lanes.h"

typedef struct FeatureSet FeatureSet;
typedef struct Tally Tally;

/* Borrows the plan and the store; read-only once made. Without evidence `exists` is
 * counted several times faster. Cost: the codes and hits of the store, once. */
FeatureSet *feature_set_new(const Plan *plan, const Store *store, bool evidence);
/* Without evidence, and only of the features whose slots are marked; the others are as
 * where nothing counts. */
FeatureSet *feature_set_of(const Plan *plan, const Store *store, const bool *slots);
void feature_set_free(FeatureSet *set); /* NULL is accepted */
/* By feature: its value where nothing counts. */
const double *feature_set_untouched(const FeatureSet *set);

/* The scratch of one thread; borrows the set. */
Tally *tally_new(const FeatureSet *set);
void tally_free(Tally *tally); /* NULL is accepted */

/*
 * Fills the feature slots of a person's row, and nothing else. evidence may be NULL, and
 * must be where the set has none; else it gets, by feature index, the day of the latest
 * event counted (for earliest, days_since_first and age_at_first, of the first), or
 * DAY_UNKNOWN. Cost: the person's events and the number of features copied; nothing grows
 * with the size of the store.
 */
void feature_row(double *row, int32_t *evidence, Tally *tally, uint32_t person);
/* The same for the people from .. from + n - 1, in lanes that were cleared with the
 * values of the set and in which nobody else writes features: what the people before have
 * touched is put back, not all copied. evidence is of the first lane. */
void feature_lanes(Lanes *lanes, int32_t *evidence, Tally *tally, uint32_t from, int n);

#endif
