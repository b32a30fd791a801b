#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "loaders/row.h"
#include "tests/support/plans.h"

static Cell cell(const char *word)
{
    return (Cell){
        *word == '\0' ? CELL_NULL : CELL_TEXT, (uint32_t)strlen(word), {.text = word}};
}

/* Reads a row of "a|b|c" in the order of the source's columns. */
static void split(Cell *cells, char *room, const char *row)
{
    int c = 0;

    strcpy(room, row);
    for (char *at = room, *next; at != NULL; at = next) {
        next = strchr(at, '|');
        if (next != NULL)
            *next++ = '\0';
        cells[c++] = cell(at);
    }
}

/* ICD-9 beside ICD-10, as a row says; a number, a word and a yes/no to ask for. */
static Plan *make_plan(Arena *arena)
{
    static const char *const FROM[] = {"09", "10"};
    static const System TO[] = {SYSTEM_ICD9, SYSTEM_ICD10};
    static const char *const ANY[] = {"2*", "81"}, *const YES[] = {"true"},
                             *const ONE[] = {"1.0"};
    static Condition conditions[] = {
        {.attribute = 0, .n_words = 2},
        {.attribute = 1, .above = 2, .below = 5, .least = 0, .most = INFINITY},
        {.attribute = 2, .n_words = 1},
        {.attribute = -1, .above = -INFINITY, .below = INFINITY, .least = 1, .most = 3},
        {.attribute = 1, .n_words = 1},
    };
    static const Field FIELDS[] = {
        FIELD_PERSON, FIELD_DATE, FIELD_END,       FIELD_SYSTEM,    FIELD_CODE,
        FIELD_VALUE,  FIELD_KEY,  FIELD_ATTRIBUTE, FIELD_ATTRIBUTE, FIELD_ATTRIBUTE};
    Plan *plan = plans_small(arena, NULL, "");
    Source *source = plans_source(plan, "gp");

    conditions[0].words = (const char **)ANY;
    conditions[2].words = (const char **)YES;
    conditions[4].words = (const char **)ONE;
    source->n_columns = 10;
    source->columns = arena_alloc(arena, 10, sizeof *source->columns);
    for (int c = 0; c < 10; c++)
        source->columns[c] = (Column){.field = FIELDS[c], .index = c - 7};
    source->n_systems = 2;
    source->system_from = (const char **)FROM;
    source->system_to = (System *)TO;
    source->system = SYSTEM_NONE;
    source->attributes = arena_alloc(arena, 3, sizeof *source->attributes);
    source->attributes[0].type = RULE_WORD;
    source->attributes[1].type = RULE_NUMBER;
    source->attributes[2].type = RULE_YESNO;
    source->n_attributes = 3;
    source->conditions = conditions;
    source->n_conditions = 5;
    source->is_unique = true;
    return plan;
}

static const struct {
    const char *row;
    RowFate want;
    uint32_t conditions;
    const char *code;
} CASES[] = {
    {"7|2025-01-01||10|i21.9x||k|21|3|yes", ROW_KEPT, 7, "I219"},
    {"7|2025-01-01||09|410||k|81|5|no", ROW_KEPT, 1, "410"},
    {"7|2025-01-01||icd10|A00|2|k|12|2|", ROW_KEPT, 8, "A00"},
    {"7|2025-01-01||10|-|3|k||1|", ROW_KEPT, 24, ""},
    {"7|2025-01-01|||||k|||", ROW_KEPT, 0, ""},
    {"7|1900-01-01|9999-12-31||||k|||", ROW_KEPT, 0, ""},
    {"|2025-01-01|||||k|||", ROW_NO_PERSON, 0, ""},
    {"seven|2025-01-01|||||k|||", ROW_NO_PERSON, 0, ""},
    {"7|2025-02-29|||||k|||", ROW_BAD_DATE, 0, ""},
    {"7|2025-01-01|soon||||k|||", ROW_BAD_DATE, 0, ""},
    {"7|2025-01-01||11|A00||k|||", ROW_BAD_CODE, 0, ""},
    {"7|2025-01-01|||A00||k|||", ROW_BAD_CODE, 0, ""},
    {"7|2025-01-01||||x|k|||", ROW_BAD_VALUE, 0, ""},
    {"7|2025-01-01|||||k||many|", ROW_BAD_VALUE, 0, ""},
    {"7|2025-01-01|||||k|||perhaps", ROW_BAD_VALUE, 0, ""},
    {"7|2025-01-02|2025-01-01||||k|||", ROW_BAD_END, 0, ""},
    {"7||2025-01-01||||k|||", ROW_KEPT, 0, ""},
};

Test(row, an_event_has_a_fate_and_conditions)
{
    Arena *arena = arena_new();
    Plan *plan = make_plan(arena);
    const RowMap *map = rowmap_new(plan, plans_source(plan, "gp"), arena);
    RowScratch *scratch = row_scratch_new();
    Dict *dict = dict_new(plan, map->source);

    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        Cell cells[10];
        char room[128], code[CODE_TEXT] = "";
        EventRow row;
        RowFate got;

        split(cells, room, CASES[c].row);
        got = row_event(&row, map, cells, dict, scratch);
        cr_expect_eq(got, CASES[c].want, "%s: %s", CASES[c].row, row_fate_word[got]);
        if (got != ROW_KEPT)
            continue;
        if (row.code != DICT_NO_CODE)
            code_text(code, dict_entry(dict, row.code)->code);
        cr_expect_str_eq(code, CASES[c].code, "%s", CASES[c].row);
        cr_expect_eq(row.conditions, CASES[c].conditions, "%s: %x", CASES[c].row,
                     row.conditions);
        cr_expect_eq(row.id, 7);
    }
    dict_free(dict);
    row_scratch_free(scratch);
    arena_free(arena);
}

/* Without a column for it, the key is the whole row. */
Test(row, keys_are_the_key_or_the_whole_row)
{
    Arena *arena = arena_new();
    Plan *plan = make_plan(arena);
    Source *source = plans_source(plan, "gp");
    RowScratch *scratch = row_scratch_new();
    Dict *dict = dict_new(plan, source);
    static const char *const ROWS[] = {"7|2025-01-01|||||k|||", "7|2025-01-01|||||k|2||",
                                       "7|2025-01-01|||||l|||"};

    for (int whole = 0; whole < 2; whole++) {
        uint64_t key[3];

        source->columns[6].field = whole ? FIELD_TYPE : FIELD_KEY;
        for (int r = 0; r < 3; r++) {
            Cell cells[10];
            char room[128];
            EventRow row;

            split(cells, room, ROWS[r]);
            cr_assert_eq(
                row_event(&row, rowmap_new(plan, source, arena), cells, dict, scratch),
                ROW_KEPT);
            key[r] = row.key;
        }
        cr_expect_eq(key[0] == key[1], !whole);
        cr_expect_neq(key[0], key[2]);
    }
    dict_free(dict);
    row_scratch_free(scratch);
    arena_free(arena);
}

Test(row, a_text_of_blanks_is_nobody)
{
    Arena *arena = arena_new();
    Plan *plan = make_plan(arena);
    Source *source = plans_source(plan, "gp");
    const RowMap *map = rowmap_new(plan, source, arena);
    RowScratch *scratch = row_scratch_new();
    Dict *dict = dict_new(plan, source);
    EventRow row;

    source->text_person = true;
    for (int blank = 0; blank < 2; blank++) {
        Cell cells[10];
        char room[128];

        split(cells, room, blank ? "   |2025-01-01|||||k|||" : "a |2025-01-01|||||k|||");
        cr_expect_eq(row_event(&row, map, cells, dict, scratch),
                     blank ? ROW_NO_PERSON : ROW_KEPT);
    }
    dict_free(dict);
    row_scratch_free(scratch);
    arena_free(arena);
}

/* SHA-256 of "abc" is published in FIPS 180-4's examples: ba7816bf 8f01cfea 414140de ...
 */
Test(row, text_ids_become_pseudonyms)
{
    RowScratch *scratch = row_scratch_new();
    uint64_t check;

    for (int round = 0; round < 2; round++) {
        cr_expect_eq(row_text_id(&check, scratch, "abc", 3), 0x3a7816bf8f01cfea);
        cr_expect_eq(check, 0x414140de5dae2223);
    }
    cr_expect_neq(row_text_id(&check, scratch, "abd", 3), 0x3a7816bf8f01cfea);
    cr_expect_geq(row_text_id(&check, scratch, "abd", 3), 0);
    row_scratch_free(scratch);
    row_scratch_free(NULL);
}

Test(row, people_have_attributes)
{
    Arena *arena = arena_new();
    Plan *plan = plans_small(arena, NULL, "");
    const RowMap *map = rowmap_new(plan, plan->people, arena);
    RowScratch *scratch = row_scratch_new();
    double attribute[2];
    PersonRow row;
    Cell cells[6];
    char room[128];

    split(cells, room, "7|1950-01-01|9999-12-31|yes|2|4");
    cr_assert_eq(row_person(&row, attribute, map, cells, scratch), ROW_KEPT);
    cr_expect_eq(row.death, DAY_UNKNOWN);
    cr_expect(row.is_test);
    cr_expect_eq(attribute[0], 1); /* F */
    cr_expect_eq(attribute[1], 4);
    cr_expect_null(row.practice);
    split(cells, room, "7||||X|");
    cr_assert_eq(row_person(&row, attribute, map, cells, scratch), ROW_KEPT);
    cr_expect_eq(row.birth, DAY_UNKNOWN);
    cr_expect_eq(attribute[0], 2); /* something else */
    cr_expect(isnan(attribute[1]));
    split(cells, room, "7|||maybe|X|");
    cr_expect_eq(row_person(&row, attribute, map, cells, scratch), ROW_BAD_VALUE);
    split(cells, room, "7||||X|low");
    cr_expect_eq(row_person(&row, attribute, map, cells, scratch), ROW_BAD_VALUE);
    row_scratch_free(scratch);
    arena_free(arena);
}
