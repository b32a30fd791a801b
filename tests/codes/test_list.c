/* Code lists: what is kept, merged and refused. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/codes/codes.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const ListColumns ALL = {.code = "code",
                                .system = "system",
                                .category = "cat",
                                .label = "label",
                                .weight = "weight",
                                .above = "gt",
                                .below = "lt",
                                .sex = "sex",
                                .match = MATCH_EXACT};
static const ListColumns ICD = {.code = "code",
                                .constant_system = SYSTEM_ICD10,
                                .category = "cat",
                                .match = MATCH_PREFIX};

static int parse(CodeList *list, ListColumns columns, const char *text, Arena *arena,
                 Err *err)
{
    return codes_parse(list, &columns, "t", text, strlen(text), arena, err);
}

Test(list, entries_and_categories)
{
    Arena *arena = arena_new();
    CodeList list = {0};
    Err err = {0};
    const ListEntry *entry;
    char text[CODE_TEXT];

    cr_assert_eq(parse(&list, ALL,
                       "code,system,cat,label,weight,gt,lt,sex\n"
                       "195967001,SNOMED,Heart-failure,Heart failure,1.90,,,\n"
                       "H33,READ2,2nd  one,,-2,0,11.5,f\n"
                       ",SNOMED,x,y,1,,,\n"
                       "I10X,ICD10,Heart-failure,Other words,1.9,,60,M\n",
                       arena, &err),
                 0, "%s", err.text);
    cr_assert_eq(list.n_entries, 3);
    cr_assert_eq(list.n_categories, 2);
    cr_expect_eq(list.n_empty, 1);
    cr_expect(list.has_weight && list.has_bounds);
    cr_expect_str_eq(list.categories[0].id, "Heart-failure");
    cr_expect_str_eq(list.categories[0].name, "heart_failure");
    cr_expect_str_eq(list.categories[0].label, "Heart failure", "the first label wins");
    cr_expect_eq(list.categories[0].weight, 19);
    cr_expect_eq(list.categories[0].decimals, 1);
    cr_expect_eq(list.categories[0].where.line, 2);
    cr_expect_eq(list.categories[0].where.column, 18);
    cr_expect_str_eq(list.categories[1].name, "2nd_one");
    cr_expect_str_eq(list.categories[1].label, "2nd  one", "the id where there is none");
    cr_expect_eq(list.categories[1].weight, -2);

    entry = &list.entries[1];
    code_text(text, entry->code);
    cr_expect_str_eq(text, "H33..");
    cr_expect(!entry->is_prefix);
    cr_expect_eq(entry->above, 0);
    cr_expect_eq(entry->below, 11.5);
    cr_expect_eq(entry->sex, 'F');
    cr_expect_eq(entry->line, 3);
    cr_expect_eq(list.entries[0].above, -INFINITY);
    cr_expect_eq(list.entries[0].below, INFINITY);
    cr_expect_eq(list.entries[0].sex, 0);
    code_text(text, list.entries[2].code);
    cr_expect_str_eq(text, "I10", "the filler is no part of a code");
    arena_free(arena);
}

Test(list, the_same_line_twice_is_merged)
{
    Arena *arena = arena_new();
    CodeList list = {0};
    Err err = {0};

    cr_assert_eq(parse(&list, ICD,
                       "code,cat\nI10,a\nI10X,a\ni10,a\n"
                       "I10,b\n" /* a record may count for several */
                       "J45,a\n",
                       arena, &err),
                 0, "%s", err.text);
    cr_expect_eq(list.n_entries, 3);
    cr_expect_eq(list.n_repeats, 2);
    arena_free(arena);
}

Test(list, other_bounds_are_another_entry)
{
    Arena *arena = arena_new();
    CodeList list = {0};
    Err err = {0};

    cr_assert_eq(parse(&list, ALL,
                       "code,system,cat,label,weight,gt,lt,sex\n"
                       "195967001,SNOMED,a,,1,0,60,\n"
                       "195967001,SNOMED,a,,1,0,,\n"
                       "195967001,SNOMED,a,,1,0,60,F\n"
                       "195967001,SNOMED,a,,1,-0,60.0,\n",
                       arena, &err),
                 0, "%s", err.text);
    cr_expect_eq(list.n_entries, 3);
    cr_expect_eq(list.n_repeats, 1);
    arena_free(arena);
}

Test(list, each_code_a_category)
{
    static const ListColumns OWN = {.code = "icd",
                                    .constant_system = SYSTEM_ICD10,
                                    .category = "code",
                                    .weight = "weight",
                                    .match = MATCH_PREFIX};
    Arena *arena = arena_new();
    CodeList list = {0};
    Err err = {0};

    cr_assert_eq(parse(&list, OWN, "icd,weight\nF05,3.2\nE87,2.3\n", arena, &err), 0,
                 "%s", err.text);
    cr_assert_eq(list.n_categories, 2);
    cr_expect_str_eq(list.categories[0].id, "F05");
    cr_expect_str_eq(list.categories[0].name, "f05");
    cr_expect_eq(list.categories[1].weight, 23);
    cr_expect(list.entries[0].is_prefix);
    arena_free(arena);
}

Test(list, without_categories_there_is_one)
{
    static const ListColumns PLAIN = {
        .code = "code", .constant_system = SYSTEM_CTV3, .match = MATCH_PREFIX};
    Arena *arena = arena_new();
    CodeList list = {.title = "Falls"};
    Err err = {0};
    char text[CODE_TEXT];

    cr_assert_eq(parse(&list, PLAIN, "code\nH33..\n", arena, &err), 0, "%s", err.text);
    cr_assert_eq(list.n_categories, 1);
    cr_expect_str_eq(list.categories[0].id, "");
    cr_expect_str_eq(list.categories[0].label, "Falls");
    code_text(text, list.entries[0].code);
    cr_expect_str_eq(text, "H33", "a prefix has no padding");
    arena_free(arena);
}

/* One row is what the list says, and the system of a line, and how the line matches. */
Test(list, each_line_matches_as_its_system_does)
{
    static const struct {
        Match match;
        const char *system, *code;
        bool is_prefix;
    } LINES[] = {
        {MATCH_BY_SYSTEM, "ICD10", "F05", true},
        {MATCH_BY_SYSTEM, "ICD9", "290", true},
        {MATCH_BY_SYSTEM, "OPCS4", "W37", true},
        {MATCH_BY_SYSTEM, "BNF", "0403", true},
        {MATCH_BY_SYSTEM, "READ2", "H33..", false},
        {MATCH_BY_SYSTEM, "SNOMED", "195967001", false},
        {MATCH_EXACT, "ICD10", "F05", false},
        {MATCH_PREFIX, "READ2", "H33..", true},
        {MATCH_PREFIX, "SNOMED", "195967001", false},
    };

    for (size_t l = 0; l < sizeof LINES / sizeof *LINES; l++) {
        Arena *arena = arena_new();
        ListColumns columns = {
            .code = "code", .system = "system", .match = LINES[l].match};
        const char *text =
            arena_format(arena, "system,code\n%s,%s\n", LINES[l].system, LINES[l].code);
        CodeList list = {0};
        Err err = {0};

        cr_assert_eq(parse(&list, columns, text, arena, &err), 0, "%s", err.text);
        cr_expect_eq(list.entries[0].is_prefix, LINES[l].is_prefix, "%s",
                     LINES[l].system);
        arena_free(arena);
    }
}

Test(list, lines_left_out_and_kept)
{
    static const char TEXT[] = "code,cat,flags,use\n"
                               "I10,a,,1\n"
                               "I11,a,admin; suspect-map,1\n"
                               "I12,a,suspect-map-not,1\n"
                               "I13,a,,0\n"
                               "I14,a,,2\n"
                               "not even a code,a,suspect-map,0\n";
    ListRule rules[] = {{"flags", "nobody", "", false, 0},
                        {"flags", "suspect-map", "", false, 0},
                        {"flags", "admin", "", true, 0},
                        {"use", "2", "", true, 0}};
    const char *keep_column[] = {"use", "use"}, *keep_word[] = {"1", "2"};
    ListColumns columns = ICD;
    Arena *arena = arena_new();
    CodeList list = {0};
    Err err = {0};

    columns.n_rules = 4;
    columns.rules = rules;
    columns.n_keep = 2;
    columns.keep_column = keep_column;
    columns.keep_word = keep_word;
    cr_assert_eq(parse(&list, columns, TEXT, arena, &err), 0, "%s", err.text);
    cr_expect_eq(list.n_entries, 3);
    cr_expect_eq(list.n_excluded, 3);
    cr_expect_eq(list.entries[2].line, 6);
    cr_expect_eq(list.n_suspect, 1, "a line that is left out is not doubted as well");
    for (int r = 0; r < 4; r++)
        cr_expect_eq(list.rules[r].n_lines, ((int[]){0, 2, 0, 1})[r], "rule %d", r);
    cr_expect_eq(rules[1].n_lines, 0, "counted in the list only");
    arena_free(arena);
}

/* One row is one fault; the report is compared in full. */
static const struct {
    const ListColumns *columns;
    const char *text, *want;
} FAULTS[] = {
    {&ICD, "kode,kat\nI10,a\n",
     "t:1: there is no column \"code\"\n"
     "    hint: did you mean \"kode\"?\n"
     "t:1: there is no column \"cat\"\n"
     "    hint: did you mean \"kat\"?"},
    {&ICD, "code,cat\n", "t: there is no code in it"},
    {&ICD, "code,cat\n,a\n", "t: there is no code in it"},
    {&ICD, "code,cat\nI10,\n", "t:2:5: the category is empty"},
    {&ICD, "code,cat\n110,a\nI10,a\nI1O,a\n",
     "t:2:1: \"110\" is no ICD-10 code: it needs a letter, a digit, then 1 to 5 more"},
    {&ICD, "code,cat\nI10,Heart failure\nI11,heart-failure\n",
     "t:3:5: category \"heart-failure\" and \"Heart failure\" of line 2 are both named "
     "\"heart_failure\""},
    {&ALL,
     "code,system,cat,label,weight,gt,lt,sex\n"
     "195967002,SNOMED,a,,1,,,\n"
     "12345,SNOMED,a,,1,,,\n"
     "19.5,SNOMED,a,,1,,,\n"
     "H33..0,READ2,a,,1,,,\n"
     "\"a,b\",CTV3,a,,1,,,\n"
     "0A,BNF,a,,1,,,\n"
     "I1,ICD10,a,,1,,,\n"
     "W371A,OPCS4,a,,1,,,\n"
     "X50,ICD9,a,,1,,,\n",
     "t:2:1: \"195967002\" is no SNOMED CT code: its check digit is wrong\n"
     "t:3:1: \"12345\" is no SNOMED CT code: it needs 6 to 18 digits\n"
     "t:4:1: \"19.5\" is no SNOMED CT code: it needs 6 to 18 digits\n"
     "t:5:1: \"H33..0\" is no Read v2 code: it needs up to 5 letters or digits, then "
     "dots\n"
     "t:6:1: \"a,b\" is no CTV3 code: it needs up to 5 letters or digits, then dots\n"
     "t:7:1: \"0A\" is no BNF code: it needs 7 digits, then up to 8 letters or digits\n"
     "t:8:1: \"I1\" is no ICD-10 code: it needs a letter, a digit, then 1 to 5 more\n"
     "t:9:1: \"W371A\" is no OPCS-4 code: it needs a letter and 2 or 3 digits\n"
     "t:10:1: \"X50\" is no ICD-9 code: it needs 3 to 6 digits, the first may be E or V"},
    {&ALL,
     "code,system,cat,label,weight,gt,lt,sex\n"
     "195967001,OXMIS,a,,1,,,\n"
     "195967001,SNOMED,a,,1e3,,,\n"
     "195967001,SNOMED,b,,1,x,,\n"
     "195967001,SNOMED,b,,1,5,3,\n"
     "195967001,SNOMED,b,,1,,,male\n",
     "t:2:11: \"OXMIS\" is no coding system that is known here\n"
     "t:3:21: \"1e3\" is not a decimal number, as a weight must be\n"
     "t:4:23: \"x\" is not a number\n"
     "t:5:23: no value is above 5 and below 3\n"
     "t:6:25: \"male\" is not one letter, as a sex is here"},
    {&ALL,
     "code,system,cat,label,weight,gt,lt,sex\n"
     "195967001,SNOMED,a,,1.5,,,\n"
     "22298006,SNOMED,a,,1.50,,,\n"
     "73211009,SNOMED,a,,15,,,\n",
     "t:4:20: category \"a\" has the weight 15 here and another on line 2"},
    {&(const ListColumns){
         .code = "code", .constant_system = SYSTEM_ICD10, .weight = "weight"},
     "code,weight\nI10,1\n",
     "t:1: a weight belongs to a category, and no column holds one"},
};

Test(list, faults)
{
    for (size_t c = 0; c < COUNT(FAULTS); c++) {
        Arena *arena = arena_new();
        CodeList list = {0};
        Err err = {0};

        cr_expect_eq(parse(&list, *FAULTS[c].columns, FAULTS[c].text, arena, &err), -1);
        cr_expect_str_eq(err.text, FAULTS[c].want, "case %zu: got\n%s", c, err.text);
        cr_expect_eq(err.kind, ERR_CONFIG);
        arena_free(arena);
    }
}

Test(list, nothing_kept_is_a_fault_with_a_hint)
{
    ListRule rule = {"cat", "a", "", false, 0};
    ListColumns columns = ICD;
    Arena *arena = arena_new();
    CodeList list = {0};
    Err err = {0};

    columns.n_rules = 1;
    columns.rules = &rule;
    cr_expect_eq(parse(&list, columns, "code,cat\nI10,a\nI11,a\n", arena, &err), -1);
    cr_expect_str_eq(err.text, "t: there is no code in it\n"
                               "    hint: \"exclude\" and \"keep\" leave out 2 lines");
    arena_free(arena);
}

Test(list, the_shipped_lists)
{
    static const ListColumns EFI = {.code = "code",
                                    .system = "code_system",
                                    .category = "deficit_id",
                                    .label = "deficit_name"};
    static const ListColumns HFRS = {.code = "code",
                                     .constant_system = SYSTEM_ICD10,
                                     .category = "code",
                                     .label = "label",
                                     .weight = "weight",
                                     .match = MATCH_PREFIX};
    Arena *arena = arena_new();
    CodeList efi = {0}, hfrs = {0};
    Err err = {0};

    cr_expect_eq(codes_read(&efi, &EFI, "configs/codelists/efi_codes.csv", arena, &err),
                 0, "%s", err.text);
    cr_expect_eq(efi.n_categories, 35);
    cr_expect_eq(codes_read(&hfrs, &HFRS, "configs/codelists/hfrs.csv", arena, &err), 0,
                 "%s", err.text);
    cr_expect_eq(hfrs.n_entries, 109);
    cr_expect_str_eq(hfrs.file, "configs/codelists/hfrs.csv");
    arena_free(arena);
}
