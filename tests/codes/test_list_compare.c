#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/codes/list_compare.h"

static const ListColumns COLUMNS = {.code = "code",
                                    .constant_system = SYSTEM_ICD10,
                                    .category = "cat",
                                    .weight = "weight",
                                    .above = "gt",
                                    .below = "lt",
                                    .sex = "sex",
                                    .match = MATCH_PREFIX};

#define HEADER "code,cat,weight,gt,lt,sex\n"

static CodeList list_of(const char *text, Arena *arena)
{
    CodeList list = {0};
    Err err = {0};

    if (text == NULL)
        return list;
    text = arena_format(arena, HEADER "%s", text);
    cr_assert_eq(codes_parse(&list, &COLUMNS, "t", text, strlen(text), arena, &err), 0,
                 "%s", err.text);
    return list;
}

/* "+I10: a; ~I11: a -> b" */
static const char *diff_text(const ListDiff *diff, Arena *arena)
{
    const char *all = "";

    for (int c = 0; c < diff->n; c++) {
        const ListChange *change = &diff->changes[c];
        const ListLine *any = change->n_before > 0 ? change->before : change->after;
        char code[CODE_TEXT];

        code_text(code, any->entry->code);
        all = arena_format(arena, "%s%s%c%s:", all, c > 0 ? "; " : "",
                           "+-~"[change->kind], code);
        for (int i = 0; i < change->n_before; i++)
            all = arena_format(arena, "%s %s", all,
                               list_meaning(&change->before[i], arena));
        for (int i = 0; i < change->n_after; i++)
            all = arena_format(arena, "%s > %s", all,
                               list_meaning(&change->after[i], arena));
    }
    return all;
}

static const struct {
    const char *before, *after, *want;
    int n_of[N_CHANGES];
} DIFFS[] = {
    {"I10,a,1,,,\n", "I10,a,1,,,\n", "", {0, 0, 0}},
    {"I10,a,1,,,\nI11,a,1,,,\n", "I11,a,1,,,\nI10,a,1,,,\n", "", {0, 0, 0}},
    {"I10,a,1.0,,,\n", "I10.X,a,1,,,\n", "", {0, 0, 0}},
    {"I10,a,1,,,\n", "I10,a,1,,,\nI11,b,2,,,\n", "+I11: > b, weight 2", {1, 0, 0}},
    {"I10,a,1,,,\nI11,b,2,,,\n", "I11,b,2,,,\n", "-I10: a, weight 1", {0, 1, 0}},
    {"I10,a,1,,,\n", "I10,b,1,,,\n", "~I10: a, weight 1 > b, weight 1", {0, 0, 1}},
    {"I10,a,1.9,,,\n",
     "I10,a,2.35,,,\n",
     "~I10: a, weight 1.9 > a, weight 2.35",
     {0, 0, 1}},
    {"I10,a,0,,,\n",
     "I10,a,-0.05,5,60,F\n",
     "~I10: a > a, above 5, below 60, sex F, weight -0.05",
     {0, 0, 1}},
    /* one more category of a code is a change of its meaning */
    {"I10,a,0,,,\n", "I10,b,0,,,\nI10,a,0,,,\n", "~I10: a > a > b", {0, 0, 1}},
    {"I10,a,0,,,\n",
     "I11,a,0,,,\nI09,a,0,,,\n",
     "+I09: > a; -I10: a; +I11: > a",
     {2, 1, 0}},
    {NULL, "I10,a,0,,,\n", "+I10: > a", {1, 0, 0}},
    {"I10,a,0,,,\n", NULL, "-I10: a", {0, 1, 0}},
    {NULL, NULL, "", {0, 0, 0}},
};

Test(list_compare, two_versions)
{
    for (size_t d = 0; d < sizeof DIFFS / sizeof *DIFFS; d++) {
        Arena *arena = arena_new();
        CodeList before = list_of(DIFFS[d].before, arena);
        CodeList after = list_of(DIFFS[d].after, arena);
        ListDiff diff;

        list_diff(&diff, &before, &after, arena);
        cr_expect_str_eq(diff_text(&diff, arena), DIFFS[d].want, "case %zu: got %s", d,
                         diff_text(&diff, arena));
        cr_expect_arr_eq(diff.n_of, DIFFS[d].n_of, sizeof diff.n_of, "case %zu", d);
        arena_free(arena);
    }
}

/* An exact code and a prefix of the same letters match other rows. */
Test(list_compare, the_way_of_matching_is_part_of_a_code)
{
    static const char TEXT[] = HEADER "I10,a,0,,,\n";
    ListColumns columns = COLUMNS;
    Arena *arena = arena_new();
    CodeList prefix = list_of("I10,a,0,,,\n", arena), exact = {0};
    Err err = {0};
    ListDiff diff;

    columns.match = MATCH_EXACT;
    codes_parse(&exact, &columns, "t", TEXT, strlen(TEXT), arena, &err);
    list_diff(&diff, &prefix, &exact, arena);
    cr_expect_eq(diff.n_of[CHANGE_ADDED], 1);
    cr_expect_eq(diff.n_of[CHANGE_REMOVED], 1);
    arena_free(arena);
}

Test(list_compare, codes_in_several_places)
{
    Arena *arena = arena_new();
    CodeList a = list_of("I10,a,0,,,\nI10,b,0,,,\nI11,a,0,,,\nI11,a,0,5,,\n", arena);
    CodeList b = list_of("I11,x,0,,,\nI12,x,0,,,\nI10,y,0,,,\n", arena);
    CodeList none = {0};
    ListCommon *common;

    cr_expect_eq(list_in_categories(&a), 1, "two rules in one category are no second");
    cr_expect_eq(list_in_categories(&b), 0);
    cr_expect_eq(list_in_common(&common, &b, &a, arena), 2);
    cr_expect_eq(list_in_common(&common, &a, &none, arena), 0);
    cr_assert_eq(list_in_common(&common, &a, &b, arena), 2);
    cr_expect_eq(common[0].a.entry->line, 2, "I10, in the order of codes");
    cr_expect_eq(common[0].b.entry->line, 4);
    cr_expect_eq(common[1].a.entry->line, 4, "I11, by the first of its lines");
    cr_expect_eq(common[1].b.entry->line, 2);
    arena_free(arena);
}
