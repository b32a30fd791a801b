/* What a person reads when something is wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/err.h"

/* One row is one form of a place. */
static const struct {
    Where where;
    const char *want;
} PLACES[] = {
    {{"a.yaml", 14, 11}, "a.yaml:14:11: unknown feature \"x\""},
    {{"a.yaml", 14, 0}, "a.yaml:14: unknown feature \"x\""},
    {{"a.yaml", 0, 7}, "a.yaml: unknown feature \"x\""},
    {{NULL, 14, 11}, "unknown feature \"x\""},
};

Test(err, a_report_starts_with_its_place)
{
    for (size_t c = 0; c < sizeof PLACES / sizeof *PLACES; c++) {
        Err err = {0};

        cr_expect_eq(
            err_add(&err, ERR_CONFIG, PLACES[c].where, "unknown feature \"%s\"", "x"),
            -1);
        cr_expect_str_eq(err.text, PLACES[c].want);
        cr_expect_eq(err.n_reports, 1);
        cr_expect_eq(err.kind, ERR_CONFIG);
    }
}

Test(err, hints_stand_under_their_report)
{
    Err err = {0};

    err_hint(&err, "nothing to hint at yet");
    err_add(&err, ERR_DATA, (Where){"a", 1, 0}, "one");
    err_hint(&err, "did you mean \"%s\"?", "two");
    err_add(&err, ERR_CONFIG, (Where){"a", 2, 0}, "three");
    cr_expect_str_eq(err.text, "a:1: one\n    hint: did you mean \"two\"?\na:2: three");
    cr_expect_eq(err.kind, ERR_DATA, "the kind is that of the first report");
    cr_expect_eq(err_left_out(&err), 0, "a hint is no report");
    cr_expect_eq(err.n_reports, 2);
}

Test(err, a_report_is_one_line)
{
    Err err = {0};

    err_add(&err, ERR_SOURCE, (Where){0}, "could not connect:\n\tno\033[31m route");
    cr_expect_str_eq(err.text, "could not connect:  no [31m route");
}

Test(err, what_comes_after_twenty_reports_is_counted)
{
    Err err = {0};

    for (int i = 1; i <= 25; i++) {
        err_add(&err, ERR_CONFIG, (Where){"a", (uint64_t)i, 0}, "wrong");
        err_hint(&err, "h%d", i);
    }
    cr_expect_eq(err.n_reports, 25);
    cr_expect_eq(err_left_out(&err), 5);
    cr_expect(strstr(err.text, "a:20: wrong\n    hint: h20") != NULL);
    cr_expect(strstr(err.text, "a:21") == NULL);
    cr_expect(strstr(err.text, "h21") == NULL, "a hint goes with its report");
}

Test(err, a_full_text_keeps_whole_reports_only)
{
    Err err = {0};
    char word[901];

    memset(word, 'x', 900);
    word[900] = '\0';
    for (int i = 0; i < 12; i++)
        err_add(&err, ERR_CONFIG, (Where){0}, "%d%s", i, word);
    err_add(&err, ERR_CONFIG, (Where){0}, "short");
    err_hint(&err, "lost");
    cr_expect_eq(err.n_reports, 13);
    cr_expect(strlen(err.text) < sizeof err.text);
    cr_expect_str_eq(err.text + strlen(err.text) - 3, "xxx");
    cr_expect(strstr(err.text, "lost") == NULL);
}

Test(err, a_long_report_is_cut_between_characters)
{
    Err err = {0};
    char word[2001];

    for (int i = 0; i < 2000; i += 2)
        memcpy(word + i, "\xc3\xa9", 2); /* e with acute accent */
    word[2000] = '\0';
    err_add(&err, ERR_CONFIG, (Where){0}, ".%s", word);
    cr_expect_eq(strlen(err.text), 1 + 2 * 498 + 3);
    cr_expect_str_eq(err.text + strlen(err.text) - 5, "\xc3\xa9...");
}

Test(err, join_follows_the_order_of_the_work)
{
    Err err = {0}, parts[3] = {{0}, {0}, {0}};

    cr_expect_eq(err_join(&err, parts, 3), 0);
    err_add(&parts[2], ERR_DATA, (Where){"c", 3, 0}, "third");
    err_add(&parts[1], ERR_SOURCE, (Where){"b", 1, 0}, "first");
    err_hint(&parts[1], "mend it");
    err_add(&parts[1], ERR_SOURCE, (Where){"b", 2, 0}, "second");
    cr_expect_eq(err_join(&err, parts, 3), -1);
    cr_expect_str_eq(err.text, "b:1: first\n    hint: mend it\nb:2: second\nc:3: third");
    cr_expect_eq(err.n_reports, 3);
    cr_expect_eq(err.kind, ERR_SOURCE);
    err_clear(&err);
    cr_expect_eq(err.n_reports, 0);
    cr_expect_eq(err.kind, ERR_NONE);
    cr_expect_str_eq(err.text, "");
}

Test(err, join_counts_what_it_does_not_keep)
{
    Err err = {0}, parts[2] = {{0}, {0}};

    for (int i = 0; i < 2 * 15; i++)
        err_add(&parts[i / 15], ERR_DATA, (Where){0}, "r%d", i);
    err_join(&err, parts, 2);
    cr_expect_eq(err.n_reports, 30);
    cr_expect(strstr(err.text, "r19") != NULL);
    cr_expect(strstr(err.text, "r20") == NULL);
}
