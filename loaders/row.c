/*
 * row.c - rows about people, practices and opt-outs; see row.h.
 */
#include "loaders/row.h"

#include <assert.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "loaders/row_field.h"

struct RowScratch {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    /* Rows of one person often follow each other. */
    char last[128];
    size_t last_len;
    int64_t last_id;
    uint64_t last_check;
    char room[CELL_ROOM]; /* a practice code that is a number */
};

/* The stretch around the day of the run. */
static void find_usual_days(RowMap *map)
{
    const Source *source = map->source;

    map->usual_from = DAY_FIRST;
    map->usual_to = DAY_LAST + 1;
    for (int s = 0; s < source->n_sentinels; s++) {
        int32_t day = source->sentinels[s];

        if (day < map->plan->as_of && day >= map->usual_from)
            map->usual_from = day + 1;
        if (day >= map->plan->as_of && day < map->usual_to)
            map->usual_to = day;
    }
}

const RowMap *rowmap_new(const Plan *plan, const Source *source, Arena *arena)
{
    RowMap *map = arena_alloc(arena, 1, sizeof *map);

    map->plan = plan;
    map->source = source;
    map->attribute_at =
        arena_alloc(arena, (size_t)source->n_attributes, sizeof *map->attribute_at);
    for (int a = 0; a < source->n_attributes; a++)
        map->attribute_at[a] = -1;
    for (int f = 0; f <= FIELD_NAME; f++)
        map->at[f] = -1;
    for (int g = 0; g < MOST_GROUPINGS; g++)
        map->group_at[g] = map->group_name_at[g] = -1;
    for (int c = 0; c < source->n_columns; c++) {
        const Column *column = &source->columns[c];

        if (column->field == FIELD_ATTRIBUTE)
            map->attribute_at[column->index] = c;
        else if (column->field == FIELD_GROUPING)
            map->group_at[column->index] = c;
        else if (column->field == FIELD_NAME && column->index >= 0)
            map->group_name_at[column->index] = c;
        else
            map->at[column->field] = c;
    }
    find_usual_days(map);
    return map;
}

RowScratch *row_scratch_new(void)
{
    RowScratch *scratch = mem_alloc(1, sizeof *scratch, "scratch");

    scratch->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    scratch->context = EVP_MD_CTX_new();
    assert(scratch->sha256 != NULL && scratch->context != NULL);
    return scratch;
}

void row_scratch_free(RowScratch *scratch)
{
    if (scratch == NULL)
        return;
    EVP_MD_CTX_free(scratch->context);
    EVP_MD_free(scratch->sha256);
    free(scratch);
}

static uint64_t first_bytes(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

int64_t row_text_id(uint64_t *check, RowScratch *scratch, const char *text, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool is_last = len == scratch->last_len && scratch->last_len > 0 &&
                   memcmp(text, scratch->last, len) == 0;

    if (!is_last) {
        int done = EVP_DigestInit_ex2(scratch->context, scratch->sha256, NULL) == 1 &&
                   EVP_DigestUpdate(scratch->context, text, len) == 1 &&
                   EVP_DigestFinal_ex(scratch->context, digest, NULL) == 1;

        assert(done);
        scratch->last_len = len <= sizeof scratch->last ? len : 0;
        memcpy(scratch->last, text, scratch->last_len);
        scratch->last_id = (int64_t)(first_bytes(digest) & INT64_MAX);
        scratch->last_check = first_bytes(digest + 8);
    }
    *check = scratch->last_check;
    return scratch->last_id;
}

/* ---- fields that several roles have ------------------------------------ */

static RowFate get_practice(const char **text, uint32_t *len, const RowMap *map,
                            const Cell *cells, char room[CELL_ROOM])
{
    const Cell *cell = field(map, cells, FIELD_PRACTICE);
    Cell as_text;

    *text = NULL;
    *len = 0;
    if (cell->type == CELL_NULL)
        return ROW_KEPT;
    as_text = cell_text(cell, room);
    if (!text_is_utf8(as_text.as.text, as_text.len))
        return ROW_BAD_VALUE;
    *text = as_text.as.text;
    *len = as_text.len;
    return ROW_KEPT;
}

static double word_number(const Attribute *attribute, Cell text)
{
    const Words *words = attribute->words;

    for (int w = 0; w < words->n; w++)
        if (cell_is(text, words->word[w]))
            return w;
    return words->n;
}

bool row_attribute(double *value, const Attribute *attribute, const Cell *cell)
{
    char room[CELL_ROOM];
    Cell meant = cell_meant(cell, attribute, room);
    bool yes;

    *value = NAN;
    if (meant.type == CELL_NULL)
        return true;
    switch (attribute->type) {
    case RULE_NUMBER:
        return cell_number(value, &meant);
    case RULE_YESNO:
        if (!cell_yesno(&yes, &meant))
            return false;
        *value = yes;
        return true;
    case RULE_WORD:
        *value = word_number(attribute, cell_text(&meant, room));
        return true;
    }
    return false;
}

/* ---- people ------------------------------------------------------------ */

RowFate row_person(PersonRow *row, double *attribute, const RowMap *map,
                   const Cell *cells, RowScratch *scratch)
{
    const Cell *test = field(map, cells, FIELD_TEST);
    const Source *source = map->source;

    *row = (PersonRow){0};
    if (!get_person(&row->id, &row->check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (!get_day(&row->birth, map, cells, FIELD_BIRTH) ||
        !get_day(&row->death, map, cells, FIELD_DEATH))
        return ROW_BAD_DATE;
    if (test->type != CELL_NULL && !cell_yesno(&row->is_test, test))
        return ROW_BAD_VALUE;
    for (int a = 0; a < source->n_attributes; a++) {
        attribute[a] = NAN;
        if (map->attribute_at[a] >= 0 &&
            !row_attribute(&attribute[a], &source->attributes[a],
                           &cells[map->attribute_at[a]]))
            return ROW_BAD_VALUE;
    }
    return get_practice(&row->practice, &row->practice_len, map, cells, scratch->room);
}

RowFate row_registration(RegistrationRow *row, const RowMap *map, const Cell *cells,
                         RowScratch *scratch)
{
    int32_t as_of = map->plan->as_of;
    uint64_t check;
    RowFate fate;

    *row = (RegistrationRow){0};
    if (!get_person(&row->id, &check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (!get_day(&row->start, map, cells, FIELD_START) ||
        !get_day(&row->end, map, cells, FIELD_END))
        return ROW_BAD_DATE;
    fate = get_practice(&row->practice, &row->practice_len, map, cells, scratch->room);
    if (fate != ROW_KEPT)
        return fate;
    if (row->practice == NULL)
        return ROW_BAD_VALUE;
    if (row->end != DAY_UNKNOWN && row->start != DAY_UNKNOWN && row->end < row->start)
        return ROW_BAD_END;
    if (row->start > as_of)
        return ROW_LATER;
    return row->end != DAY_UNKNOWN && row->end <= as_of ? ROW_OUTSIDE : ROW_KEPT;
}

/* A text into the arena; NULL where there is none. */
static bool keep_text(const char **out, const Cell *cells, int at, Arena *arena)
{
    char room[CELL_ROOM];
    Cell text;

    *out = NULL;
    if (at < 0 || cells[at].type == CELL_NULL)
        return true;
    text = cell_text(&cells[at], room);
    if (!text_is_utf8(text.as.text, text.len))
        return false;
    *out = arena_text(arena, text.as.text, text.len);
    return true;
}

RowFate row_practice(Practice *row, const RowMap *map, const Cell *cells, Arena *arena)
{
    *row = (Practice){0};
    if (!keep_text(&row->code, cells, map->at[FIELD_PRACTICE], arena) ||
        row->code == NULL || !keep_text(&row->name, cells, map->at[FIELD_NAME], arena))
        return ROW_BAD_VALUE;
    for (int g = 0; g < MOST_GROUPINGS; g++)
        if (!keep_text(&row->group[g], cells, map->group_at[g], arena) ||
            !keep_text(&row->group_name[g], cells, map->group_name_at[g], arena))
            return ROW_BAD_VALUE;
    return ROW_KEPT;
}

RowFate row_opt_out(OptOutKept *row, const RowMap *map, const Cell *cells,
                    RowScratch *scratch)
{
    const Population *population = &map->plan->population;
    const Cell *type = field(map, cells, FIELD_TYPE);
    char room[CELL_ROOM];
    uint64_t check;

    *row = (OptOutKept){.opt_out = -1};
    if (!get_person(&row->id, &check, map, cells, scratch))
        return ROW_NO_PERSON;
    if (type->type == CELL_NULL)
        return ROW_BAD_VALUE;
    for (int o = 0; o < population->n_opt_outs && row->opt_out < 0; o++)
        if (cell_is(cell_text(type, room), population->opt_outs[o].type))
            row->opt_out = o;
    return row->opt_out < 0 ? ROW_UNLISTED : ROW_KEPT;
}
