/*
 * pile.c - see pile.h.
 */
#include "engine/store/pile.h"

#include <math.h>
#include <stdlib.h>

/* ---- codes ------------------------------------------------------------- */

static const Code NO_CODE = {0, 0};

static uint64_t place(const Dict *dict, Code code)
{
    uint64_t hash = (code.high ^ (code.low * UINT64_C(0xff51afd7ed558ccd))) *
                    UINT64_C(0x9e3779b97f4a7c15);

    return (hash ^ hash >> 32) & dict->mask;
}

void dict_build(Dict *dict, const Matcher *matcher)
{
    *dict = (Dict){.matcher = matcher, .mask = 1023};
    dict->slots = mem_alloc(dict->mask + 1, sizeof *dict->slots, "codes met");
}

void dict_free(Dict *dict)
{
    free(dict->slots);
    free(dict->hits);
    free(dict->codes);
    *dict = (Dict){0};
}

static void grow(Dict *dict)
{
    DictEntry *old = dict->slots;
    uint64_t n_old = dict->mask + 1;

    dict->mask = 2 * n_old - 1;
    dict->slots = mem_alloc(2 * n_old, sizeof *dict->slots, "codes met");
    for (uint64_t i = 0; i < n_old; i++) {
        uint64_t at = place(dict, old[i].code);

        if (code_equal(old[i].code, NO_CODE))
            continue;
        while (!code_equal(dict->slots[at].code, NO_CODE))
            at = (at + 1) & dict->mask;
        dict->slots[at] = old[i];
    }
    free(old);
}

static void look_up(Dict *dict, DictEntry *entry)
{
    int most = (int)(dict->room_hits - dict->n_hits), n;

    if (dict->matcher == NULL) /* features ask for how many codes, not for which */
        return;
    n = matcher_find(dict->matcher, entry->code, dict->hits + dict->n_hits, most);
    if (n > most) {
        dict->room_hits = 2 * dict->room_hits + (uint32_t)n;
        dict->hits = mem_grow(dict->hits, dict->room_hits, sizeof *dict->hits, "hits");
        n = matcher_find(dict->matcher, entry->code, dict->hits + dict->n_hits, n);
    }
    entry->first_hit = dict->n_hits;
    entry->n_hits = (uint32_t)n;
    dict->n_hits += (uint32_t)n;
}

DictEntry *dict_find(Dict *dict, Code code)
{
    uint64_t at = place(dict, code);

    while (!code_equal(dict->slots[at].code, code)) {
        if (code_equal(dict->slots[at].code, NO_CODE)) {
            if (2 * ++dict->n > dict->mask) {
                grow(dict);
                at = place(dict, code);
                while (!code_equal(dict->slots[at].code, NO_CODE))
                    at = (at + 1) & dict->mask;
            }
            dict->slots[at] = (DictEntry){.code = code, .number = DICT_UNUSED};
            look_up(dict, &dict->slots[at]);
            break;
        }
        at = (at + 1) & dict->mask;
    }
    return &dict->slots[at];
}

uint32_t dict_use(Dict *dict, DictEntry *entry)
{
    if (entry->number != DICT_UNUSED)
        return entry->number;
    if (dict->n_codes == dict->room_codes) {
        dict->room_codes = 2 * dict->room_codes + 256;
        dict->codes =
            mem_grow(dict->codes, dict->room_codes, sizeof *dict->codes, "codes met");
    }
    dict->codes[dict->n_codes] = entry->code;
    entry->number = dict->n_codes++;
    return entry->number;
}

/* ---- events ------------------------------------------------------------ */

enum { FIRST_BATCH = 1024, LAST_BATCH = 65536 };

void pile_build(Pile *pile, const Plan *plan, const Source *source)
{
    *pile = (Pile){.plan = plan, .source = source};
    if (source->needs_code)
        dict_build(&pile->dict, source->matcher);
}

void batch_free(Batch *batch)
{
    free(batch->person);
    free(batch->day);
    free(batch->code);
    free(batch->conditions);
    free(batch->value);
    free(batch->end);
    free(batch->key);
    free(batch);
}

void pile_free(Pile *pile)
{
    while (pile->batches != NULL) {
        Batch *batch = pile->batches;

        pile->batches = batch->next;
        batch_free(batch);
    }
    dict_free(&pile->dict);
}

uint32_t event_stored_bytes(const Source *source)
{
    return 4u + (source->needs_code ? 4u : 0) + (source->n_conditions > 0 ? 4u : 0) +
           (source->keeps_value ? 8u : 0) + (source->keeps_end ? 4u : 0);
}

uint32_t event_loading_bytes(const Source *source)
{
    return 4u + event_stored_bytes(source) + (source->is_unique ? 8u : 0);
}

static void *column(bool is_kept, uint32_t n, size_t size)
{
    return is_kept ? mem_grow(NULL, n, size, "events as they arrive") : NULL;
}

static void add_batch(Pile *pile)
{
    const Source *source = pile->source;
    Batch *batch = mem_alloc(1, sizeof *batch, "events as they arrive");
    uint32_t room = pile->batches == NULL ? FIRST_BATCH : 2 * pile->batches->room;

    if (room > LAST_BATCH)
        room = LAST_BATCH;
    batch->room = room;
    batch->person = column(true, room, sizeof *batch->person);
    batch->day = column(true, room, sizeof *batch->day);
    batch->code = column(source->needs_code, room, sizeof *batch->code);
    batch->conditions = column(source->n_conditions > 0, room, sizeof *batch->conditions);
    batch->value = column(source->keeps_value, room, sizeof *batch->value);
    batch->end = column(source->keeps_end, room, sizeof *batch->end);
    batch->key = column(source->is_unique, room, sizeof *batch->key);
    batch->next = pile->batches;
    pile->batches = batch;
    pile->bytes += (uint64_t)room * event_loading_bytes(source);
}

static void add_event(Pile *pile, uint32_t person, const EventRow *row, uint32_t code)
{
    Batch *batch = pile->batches;
    uint32_t i;

    if (batch == NULL || batch->n == batch->room) {
        add_batch(pile);
        batch = pile->batches;
    }
    i = batch->n++;
    batch->person[i] = person;
    batch->day[i] = row->day;
    if (batch->code != NULL)
        batch->code[i] = code;
    if (batch->conditions != NULL)
        batch->conditions[i] = row->conditions;
    if (batch->value != NULL)
        batch->value[i] = row->value;
    if (batch->end != NULL)
        batch->end[i] = row->end < pile->plan->as_of ? row->end : DAY_UNKNOWN;
    if (batch->key != NULL)
        batch->key[i] = row->key;
}

/* ---- what features can use --------------------------------------------- */

/* Days of a spell count when any part of it lies in the window. */
static bool is_in_window(const Feature *feature, const EventRow *row)
{
    if (row->day == DAY_UNKNOWN)
        return feature->is_ever;
    if (feature->count == COUNT_BED_DAYS)
        return row->day < feature->to &&
               (row->end == DAY_UNKNOWN || row->end > feature->from);
    return row->day >= feature->from && row->day < feature->to;
}

static bool is_meant(const Feature *feature, const Hit *hit, const EventRow *row)
{
    return (row->conditions & feature->conditions) == feature->conditions &&
           (hit->above == -INFINITY || row->value > hit->above) &&
           (hit->below == INFINITY || row->value < hit->below);
}

/* Whether one of the hits can use the row; lowers *fate to ROW_OUTSIDE where only the
 * window is missed. */
static bool is_wanted(const Pile *pile, const Hit *hits, uint32_t n, const EventRow *row,
                      RowFate *fate)
{
    for (uint32_t h = 0; h < n; h++) {
        const Feature *feature = &pile->plan->features[hits[h].feature];

        if (!is_meant(feature, &hits[h], row))
            continue;
        if (is_in_window(feature, row))
            return true;
        *fate = ROW_OUTSIDE;
    }
    return false;
}

RowFate pile_keep(Pile *pile, uint32_t person, const EventRow *row, DictEntry *entry)
{
    const Source *source = pile->source;
    RowFate fate = ROW_UNLISTED;
    uint32_t code = CODE_NONE;
    bool wanted;

    wanted = entry != NULL && is_wanted(pile, pile->dict.hits + entry->first_hit,
                                        entry->n_hits, row, &fate);
    if (!wanted &&
        !is_wanted(pile, source->uncoded, (uint32_t)source->n_uncoded, row, &fate))
        return fate;
    if (entry != NULL)
        code = dict_use(&pile->dict, entry);
    add_event(pile, person, row, code);
    return ROW_KEPT;
}

RowFate pile_admits(const Pile *pile, const People *people, const IdSlot *slot,
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
    if (people->refused != NULL &&
        (people->refused[slot->person] >> pile->source->number & 1) != 0)
        return ROW_OPTED_OUT;
    return ROW_KEPT;
}

RowFate pile_offer(Pile *pile, const People *people, const EventRow *row)
{
    const IdSlot *slot = ids_find(&people->ids, row->id);
    RowFate fate = pile_admits(pile, people, slot, row->day);
    DictEntry *entry = NULL;

    if (fate != ROW_KEPT)
        return fate;
    if (row->has_code && pile->source->needs_code)
        entry = dict_find(&pile->dict, row->code);
    return pile_keep(pile, slot->person, row, entry);
}
