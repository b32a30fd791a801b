/*
 * dict.c - see dict.h.
 */
#include "engine/store/dict.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a table from 16 bytes to a number --------------------------------- */

enum { FIRST_BITS = 8 };

/* Room for 2^bits slots, all empty. */
static void table_build(Table *table, int bits)
{
    *table = (Table){.mask = (UINT64_C(1) << bits) - 1, .shift = 64 - bits};
    table->slots = mem_alloc(table->mask + 1, sizeof *table->slots, "codes met");
}

static void table_double(Table *table)
{
    Table old = *table;

    table_build(table, 64 - old.shift + 1);
    table->n = old.n;
    for (uint64_t i = 0; i <= old.mask; i++)
        if ((old.slots[i].key.high | old.slots[i].key.low) != 0)
            *table_find(table, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

/* The key must not be in the table. At most a quarter of the slots are taken: few codes
 * make up most rows, and the first look should find them. */
static void table_add(Table *table, Code key, uint32_t number)
{
    if (4 * ++table->n > table->mask)
        table_double(table);
    *table_find(table, key) = (TableSlot){key, number};
}

/* ---- codes ------------------------------------------------------------- */

/* What all hits of an entry ask for, taken together. */
static void sum_up(DictEntry *entry, const Dict *dict)
{
    int32_t least = DAY_LAST, most = DAY_UNKNOWN;

    entry->is_plain = true;
    entry->latest_only = !dict->source->is_unique;
    for (uint32_t h = 0; h < entry->n_hits; h++) {
        const Hit *hit = &dict->hits[entry->first_hit + h];
        const Feature *feature = &dict->plan->features[hit->feature];
        int32_t from = feature->is_ever ? DAY_UNKNOWN : feature->from;
        bool has_bounds = hit->above != -INFINITY || hit->below != INFINITY;

        least = from < least ? from : least;
        most = feature->to > most ? feature->to : most;
        entry->is_plain &=
            feature->conditions == 0 && !has_bounds && feature->count != COUNT_BED_DAYS;
        entry->latest_only &= !has_bounds && (feature->count == COUNT_EXISTS ||
                                              feature->count == COUNT_CODES ||
                                              feature->count == COUNT_DAYS_SINCE_LAST);
    }
    entry->from = least;
    entry->span = most > least ? (uint32_t)most - (uint32_t)least : 0;
    /* Windows with a gap between them are looked at one by one. */
    for (uint32_t h = 0; h < entry->n_hits && entry->is_plain; h++) {
        const Feature *feature =
            &dict->plan->features[dict->hits[entry->first_hit + h].feature];

        if ((feature->is_ever ? DAY_UNKNOWN : feature->from) == least &&
            feature->to == most)
            return;
    }
    entry->is_plain = entry->n_hits == 0;
}

static void room_for_hits(Dict *dict, uint32_t n)
{
    if (dict->n_hits + n <= dict->room_hits)
        return;
    dict->room_hits = 2 * dict->room_hits + n + 64;
    dict->hits = mem_grow(dict->hits, dict->room_hits, sizeof *dict->hits, "hits");
}

/* Without a matcher features ask for how many codes, not for which. */
static void look_up(Dict *dict, DictEntry *entry)
{
    const Source *source = dict->source;
    uint32_t n_uncoded = (uint32_t)source->n_uncoded;
    int n = 0;

    if (source->needs_code && source->matcher != NULL && code_system(entry->code) != 0) {
        n = matcher_find(source->matcher, entry->code, NULL, 0);
        room_for_hits(dict, (uint32_t)n);
        matcher_find(source->matcher, entry->code, dict->hits + dict->n_hits, n);
    }
    room_for_hits(dict, (uint32_t)n + n_uncoded);
    if (n_uncoded > 0)
        memcpy(dict->hits + dict->n_hits + n, source->uncoded,
               n_uncoded * sizeof *dict->hits);
    entry->first_hit = dict->n_hits;
    entry->n_hits = (uint32_t)n + n_uncoded;
    dict->n_hits += entry->n_hits;
    sum_up(entry, dict);
}

static uint32_t add_entry(Dict *dict, Code code)
{
    DictEntry entry = {.code = code, .label = DICT_UNKNOWN};

    look_up(dict, &entry);
    if (dict->n_entries == dict->room_entries) {
        dict->room_entries = 2 * dict->room_entries + 64;
        dict->entries =
            mem_grow(dict->entries, dict->room_entries, sizeof entry, "codes met");
    }
    dict->entries[dict->n_entries] = entry;
    return dict->n_entries++;
}

Dict *dict_new(const Plan *plan, const Source *source)
{
    Dict *dict = mem_alloc(1, sizeof *dict, "codes met");

    dict->plan = plan;
    dict->source = source;
    table_build(&dict->by_code, FIRST_BITS);
    table_build(&dict->by_spelling, FIRST_BITS);
    table_build(&dict->by_label, FIRST_BITS);
    add_entry(dict, (Code){0, 0}); /* DICT_NO_CODE */
    return dict;
}

void dict_free(Dict *dict)
{
    if (dict == NULL)
        return;
    free(dict->by_code.slots);
    free(dict->by_spelling.slots);
    free(dict->by_label.slots);
    free(dict->entries);
    free(dict->hits);
    free(dict->labels);
    free(dict);
}

uint32_t dict_find(Dict *dict, Code code)
{
    TableSlot *slot;
    uint32_t entry;

    if (!dict->source->needs_code)
        return DICT_NO_CODE;
    slot = table_find(&dict->by_code, code);
    if (code_equal(slot->key, code))
        return slot->number;
    entry = add_entry(dict, code);
    table_add(&dict->by_code, code, entry);
    return entry;
}

void dict_remember(Dict *dict, Code spelling, uint32_t entry)
{
    table_add(&dict->by_spelling, spelling, entry);
}

uint32_t dict_label(Dict *dict, uint32_t entry, uint32_t conditions)
{
    const Code key = {(uint64_t)entry << 32 | conditions, 1};
    TableSlot *slot = table_find(&dict->by_label, key);
    uint32_t label = slot->number;

    if (!code_equal(slot->key, key)) {
        label = dict->n_labels++;
        assert(label < LABEL_MASK);
        table_add(&dict->by_label, key, label);
        if (label == dict->room_labels) {
            dict->room_labels = 2 * dict->room_labels + 64;
            dict->labels = mem_grow(dict->labels, dict->room_labels, sizeof *dict->labels,
                                    "codes met");
        }
        dict->labels[label] = (Label){entry, conditions};
    }
    dict->entries[entry].conditions = conditions;
    dict->entries[entry].label = label;
    return label;
}

/* ---- labels of several dictionaries ------------------------------------ */

static int code_order(Code a, Code b)
{
    System of_a = code_system(a), of_b = code_system(b);

    if (of_a != of_b)
        return of_a < of_b ? -1 : 1;
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

static int ranked_order(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    int order = b->has_code - a->has_code;

    if (order == 0)
        order = code_order(a->code, b->code);
    return order != 0 ? order
                      : (a->conditions > b->conditions) - (a->conditions < b->conditions);
}

static Ranked ranked_of(const Dict *dict, Label label)
{
    const DictEntry *entry = dict_entry(dict, label.entry);

    return (Ranked){entry->code, label.entry != DICT_NO_CODE, entry->latest_only,
                    label.conditions};
}

static uint32_t rank_of(const Ranked *ranked, uint32_t n, Ranked label)
{
    const Ranked *at = bsearch(&label, ranked, n, sizeof label, ranked_order);

    assert(at != NULL);
    return (uint32_t)(at - ranked);
}

Ranked *dicts_merge(uint32_t *n_ranked, uint32_t **rank, Dict *const *dicts, int n_dicts)
{
    Ranked *ranked = NULL;
    uint32_t n = 0, kept = 0;

    for (int d = 0; d < n_dicts; d++) {
        ranked =
            mem_grow(ranked, (size_t)n + dicts[d]->n_labels, sizeof *ranked, "codes met");
        for (uint32_t l = 0; l < dicts[d]->n_labels; l++)
            ranked[n++] = ranked_of(dicts[d], dicts[d]->labels[l]);
    }
    if (n > 0)
        qsort(ranked, n, sizeof *ranked, ranked_order);
    for (uint32_t r = 0; r < n; r++)
        if (kept == 0 || ranked_order(&ranked[r], &ranked[kept - 1]) != 0)
            ranked[kept++] = ranked[r];
    for (int d = 0; d < n_dicts; d++) {
        rank[d] = mem_alloc(dicts[d]->n_labels, sizeof **rank, "codes met");
        for (uint32_t l = 0; l < dicts[d]->n_labels; l++)
            rank[d][l] = rank_of(ranked, kept, ranked_of(dicts[d], dicts[d]->labels[l]));
    }
    *n_ranked = kept;
    return ranked;
}
