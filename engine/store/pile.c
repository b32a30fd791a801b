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
    *pile = (Pile){.plan = plan, .source = source, .dict = dict_new(plan, source)};
}

void pile_drop_part(Pile *pile, uint32_t part)
{
    if (part >= pile->n_parts)
        return;
    while (pile->parts[part] != NULL) {
        Batch *batch = pile->parts[part];

        pile->parts[part] = batch->next;
        free(batch);
    }
}

void pile_free(Pile *pile)
{
    for (uint32_t part = 0; part < pile->n_parts; part++)
        pile_drop_part(pile, part);
    free(pile->parts);
    dict_free(pile->dict);
    *pile = (Pile){0};
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

/* One piece of memory, the widest columns first. */
static void add_batch(Pile *pile, uint32_t part)
{
    const Source *source = pile->source;
    const Batch *before = pile->parts[part];
    uint32_t room = before == NULL ? FIRST_BATCH : 2 * before->room;
    Batch *batch;
    char *at;

    room = room > LAST_BATCH ? LAST_BATCH : room;
    batch = mem_grow(NULL, 1, sizeof *batch + (size_t)room * event_loading_bytes(source),
                     "events as they arrive");
    *batch = (Batch){.next = pile->parts[part], .room = room};
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
    pile->parts[part] = batch;
    pile->bytes += sizeof *batch + (uint64_t)room * event_loading_bytes(source);
}

static void add_part(Pile *pile, uint32_t part)
{
    uint32_t n = 2 * part + 16;

    pile->parts = mem_grow(pile->parts, n, sizeof(Batch *), "events as they arrive");
    memset(pile->parts + pile->n_parts, 0, (n - pile->n_parts) * sizeof(Batch *));
    pile->n_parts = n;
}

static void add_event(Pile *pile, uint32_t person, const EventRow *row)
{
    const DictEntry *entry = dict_entry(pile->dict, row->code);
    uint32_t part = person / PART_PEOPLE, label = entry->label, i;
    Batch *batch;

    if (label == DICT_UNKNOWN || entry->conditions != row->conditions)
        label = dict_label(pile->dict, row->code, row->conditions);
    if (part >= pile->n_parts)
        add_part(pile, part);
    batch = pile->parts[part];
    if (batch == NULL || batch->n == batch->room) {
        add_batch(pile, part);
        batch = pile->parts[part];
    }
    i = batch->n++;
    batch->event[i] = packed_event(person, row->day, label);
    /* What nobody asks for must not tell events apart. */
    if (batch->value != NULL)
        batch->value[i] = entry->latest_only ? NAN : row->value;
    if (batch->key != NULL)
        batch->key[i] = row->key;
    if (batch->end != NULL)
        batch->end[i] =
            row->end < pile->plan->as_of && !entry->latest_only ? row->end : DAY_UNKNOWN;
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
static RowFate ask_features(const Pile *pile, const EventRow *row)
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
    if (slot->refuses && (people->refused[slot->person] >> pile->source->number & 1) != 0)
        return ROW_OPTED_OUT;
    return ROW_KEPT;
}

RowFate pile_offer(Pile *pile, const People *people, const EventRow *row)
{
    const IdSlot *slot = ids_find(&people->ids, row->id);
    RowFate fate = pile_admits(pile, people, slot, row->day);

    return fate == ROW_KEPT ? pile_keep(pile, slot->person, row) : fate;
}
