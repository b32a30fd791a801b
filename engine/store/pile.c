/*
 * pile.c - see pile.h.
 */
#include "engine/store/pile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- events ------------------------------------------------------------ */

enum { FIRST_BATCH = 32, LAST_BATCH = 1024 };

void pile_build(Pile *pile, const Plan *plan, const Source *source)
{
    *pile = (Pile){.plan = plan,
                   .source = source,
                   .dict = dict_new(plan, source),
                   .batches = arena_new(),
                   .has_columns =
                       source->keeps_value || source->is_unique || source->keeps_end};
}

void pile_free(Pile *pile)
{
    free(pile->parts);
    arena_free(pile->batches);
    dict_free(pile->dict);
    *pile = (Pile){0};
}

uint64_t pile_n_events(const Pile *pile)
{
    uint64_t n = 0;

    for (uint32_t p = 0; p < pile->n_parts; p++) {
        const Part *part = &pile->parts[p];

        for (const Batch *b = part->newest; b != NULL; b = b->next)
            n += part_n(part, b);
    }
    return n;
}

uint32_t event_stored_bytes(const Source *source)
{
    return 4u + (source->needs_code ? 4u : 0) + (source->n_conditions > 0 ? 4u : 0) +
           (source->keeps_value ? 8u : 0) + (source->keeps_end ? 4u : 0);
}

uint32_t event_loading_bytes(const Source *source)
{
    return 8u + (source->keeps_value ? 8u : 0) + (source->is_unique ? 8u : 0) +
           (source->keeps_end ? 4u : 0);
}

/* One piece of memory, the widest columns first. Out of line, as all is that few rows
 * need: the others go through without a frame of their own. */
__attribute__((noinline)) static void add_batch(Pile *pile, Part *part)
{
    const Source *source = pile->source;
    uint32_t room = part->newest == NULL ? FIRST_BATCH : 2 * part->room;
    Batch *batch;
    char *at;

    room = room > LAST_BATCH ? LAST_BATCH : room;
    batch = arena_alloc(pile->batches, 1,
                        sizeof *batch + (size_t)room * event_loading_bytes(source));
    *batch = (Batch){.next = part->newest, .room = room};
    at = (char *)(batch + 1);
    batch->event = (uint64_t *)at;
    at += room * sizeof *batch->event;
    if (source->keeps_value) {
        batch->value = (double *)at;
        at += room * sizeof *batch->value;
    }
    if (source->is_unique) {
        batch->key = (uint64_t *)at;
        at += room * sizeof *batch->key;
    }
    if (source->keeps_end)
        batch->end = (int32_t *)at;
    *part = (Part){batch, batch->event, 0, room};
    pile->bytes += sizeof *batch + (uint64_t)room * event_loading_bytes(source);
}

__attribute__((noinline)) static void add_parts(Pile *pile, uint32_t part)
{
    uint32_t n = 2 * part + 16;

    pile->parts = mem_grow(pile->parts, n, sizeof *pile->parts, "events as they arrive");
    memset(pile->parts + pile->n_parts, 0, (n - pile->n_parts) * sizeof *pile->parts);
    pile->n_parts = n;
}

/* The part of the person, with room for one event. */
static inline Part *part_of(Pile *pile, uint32_t person)
{
    uint32_t number = person / PART_PEOPLE;
    Part *part;

    if (number >= pile->n_parts)
        add_parts(pile, number);
    part = &pile->parts[number];
    if (part->n == part->room)
        add_batch(pile, part);
    return part;
}

/* What nobody asks for must not tell events apart. */
static void add_columns(Batch *batch, uint32_t i, const EventRow *row,
                        const DictEntry *entry, int32_t as_of)
{
    if (batch->value != NULL)
        batch->value[i] = entry->latest_only ? NAN : row->value;
    if (batch->key != NULL)
        batch->key[i] = row->key;
    if (batch->end != NULL)
        batch->end[i] = row->end < as_of && !entry->latest_only ? row->end : DAY_UNKNOWN;
}

static void add_event(Pile *pile, uint32_t person, const EventRow *row)
{
    const DictEntry *entry = dict_entry(pile->dict, row->code);
    Part *part = part_of(pile, person);
    uint32_t label = entry->label, i = part->n++;

    if (label == DICT_UNKNOWN || entry->conditions != row->conditions)
        label = dict_label(pile->dict, row->code, row->conditions);
    part->event[i] = packed_event(person, row->day, label);
    if (pile->has_columns)
        add_columns(part->newest, i, row, entry, pile->plan->as_of);
}

/* ---- what features can use --------------------------------------------- */

/* Days of a spell count when any part of it lies in the window. */
static bool is_in_window(const Feature *feature, const EventRow *row)
{
    if (row->day == DAY_UNKNOWN)
        return feature->is_ever;
    if (feature->count == COUNT_BED_DAYS)
        return row->day < feature->to &&
               (row->day >= feature->from || row->end == DAY_UNKNOWN ||
                row->end > feature->from);
    return row->day >= feature->from && row->day < feature->to;
}

static bool is_meant(const Feature *feature, const Hit *hit, const EventRow *row)
{
    return (row->conditions & feature->conditions) == feature->conditions &&
           (hit->above == -INFINITY || row->value > hit->above) &&
           (hit->below == INFINITY || row->value < hit->below);
}

/* The fate of a row by what each feature asks for. */
__attribute__((noinline)) static RowFate ask_features(const Pile *pile,
                                                      const EventRow *row)
{
    const Hit *hits = dict_hits(pile->dict, row->code);
    uint32_t n = dict_entry(pile->dict, row->code)->n_hits;
    RowFate fate = ROW_UNLISTED;

    for (uint32_t h = 0; h < n; h++) {
        const Feature *feature = &pile->plan->features[hits[h].feature];

        if (!is_meant(feature, &hits[h], row))
            continue;
        if (is_in_window(feature, row))
            return ROW_KEPT;
        fate = ROW_OUTSIDE;
    }
    return fate;
}

RowFate pile_keep(Pile *pile, uint32_t person, const EventRow *row)
{
    const DictEntry *entry = dict_entry(pile->dict, row->code);
    RowFate fate;

    if (!entry->is_plain)
        fate = ask_features(pile, row);
    else if ((uint32_t)row->day - (uint32_t)entry->from < entry->span)
        fate = ROW_KEPT;
    else
        fate = entry->n_hits == 0 ? ROW_UNLISTED : ROW_OUTSIDE;
    if (fate == ROW_KEPT)
        add_event(pile, person, row);
    return fate;
}

RowFate pile_judge(const Pile *pile, const People *people, const IdSlot *slot,
                   int32_t day)
{
    if (slot->person == ID_ABSENT)
        return ROW_ORPHAN;
    if (slot->person == ID_OPTED_OUT)
        return ROW_OPTED_OUT;
    if (slot->person == ID_DEAD)
        return day > slot->limit ? ROW_AFTER_DEATH : ROW_OUTSIDE;
    if (slot->person == ID_OUTSIDE)
        return ROW_OUTSIDE;
    if (day != DAY_UNKNOWN && day < slot->limit)
        return ROW_BEFORE_BIRTH;
    if (day >= pile->plan->as_of)
        return ROW_LATER;
    if (slot->refuses && people_refuses(people, slot->person, pile->source->number))
        return ROW_OPTED_OUT;
    return ROW_KEPT;
}

RowFate pile_offer(Pile *pile, const People *people, const EventRow *row)
{
    const IdSlot *slot = ids_find(&people->ids, row->id);
    RowFate fate = pile_admits(pile, people, slot, row->day);

    return fate == ROW_KEPT ? pile_keep(pile, slot->person, row) : fate;
}
