#include "engine/publish/lists.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/desk.h"

TestSuite(lists, .init = desk_open, .fini = desk_close);

/* What is printed of a cohort; to be freed. */
static char *cohort(const char *id, const char *group, Err *err)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    int rc = lists_cohort(file, database, id, group, err);

    fclose(file);
    cr_expect_eq(rc, err->n_reports > 0 ? -1 : 0);
    return trimmed(text);
}

static char *strata(const char *grouping)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    Err err = {0};

    cr_expect_eq(lists_strata(file, database, grouping, &err), 0, "%s", err.text);
    fclose(file);
    return trimmed(text);
}

static void publish_illustrative(void)
{
    Town *town = four();
    Err err = {0};

    town->plan.models[TOWN_RISK].is_illustrative = true;
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    town_free(town);
}

Test(lists, an_illustrative_model_is_marked)
{
    Err err = {0};
    char *text;

    publish_illustrative();
    text = cohort("watch", "B", &err);
    cr_expect_str_eq(text, "People to watch - Team, B; as of 2025-07-01, run 1\n"
                           "RANK PERSON AGE GP     MOVED SCORES                   WHY\n"
                           "   1    102  75 P3     new   risk 0 Low ~\n"
                           "~ an illustrative model, fitted on made-up people: not for "
                           "decisions about real ones\n");
    free(text);
    text = strata("pcn");
    cr_expect_not_null(strstr(text, "\nrisk: Low ~ "), "%s", text);
    cr_expect_null(strstr(text, "segment: Everyone else ~"), "%s", text);
    free(text);
}

Test(lists, a_model_for_care_has_no_mark)
{
    Db *db = session();
    Err err = {0};
    char *text;

    publish_four(db);
    text = cohort("watch", "B", &err);
    cr_expect_null(strchr(text, '~'), "%s", text);
    free(text);
    db_close(db);
}

Test(lists, the_title_names_group_and_run)
{
    Db *db = session();
    Town *town = four();
    Err err = {0};
    char *text;

    town->store.area.groups[TOWN_PCN][1].name = "Broad Oak";
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    text = cohort("watch", "B", &err);
    cr_expect_eq(
        strstr(text, "People to watch - Team, B Broad Oak; as of 2025-07-01, run 1\n"),
        text, "%s", text);
    free(text);
    text = cohort("watch", NULL, &err);
    cr_expect_eq(strstr(text, "People to watch - Team; as of 2025-07-01, run 1\n"), text,
                 "%s", text);
    free(text);
    town_free(town);
    db_close(db);
}

Test(lists, a_fault_prints_no_title)
{
    static const struct {
        const char *cohort, *group, *text;
    } FAULTS[] = {
        {"watch", "C",
         "cohort \"watch\" has no list for group \"C\"\n"
         "    hint: `stratify list watch` shows its lists"},
        {"wacth", NULL,
         "the current run has no cohort \"wacth\"\n    hint: its cohorts: watch"},
    };
    Db *db = session();

    publish_four(db);
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
        Err err = {0};
        char *text = cohort(FAULTS[i].cohort, FAULTS[i].group, &err);

        cr_expect_str_eq(text, "");
        cr_expect_str_eq(err.text, FAULTS[i].text);
        cr_expect_eq(err.kind, ERR_USAGE);
        free(text);
    }
    db_close(db);
}

Test(lists, who_has_no_area_is_told)
{
    Db *db = session();
    Err err = {0};
    char *text;

    publish_four(db);
    ask(db,
        "do $$ begin create role test_none login in role stratify_care; exception when "
        "duplicate_object then null; end $$");
    strcat(database, " user=test_none");
    text = cohort("watch", NULL, &err);
    cr_expect_str_eq(text, "");
    cr_expect_str_eq(
        err.text, "no list is open to you\n"
                  "    hint: stratify.reader_area names who sees which: docs/results.md");
    free(text);
    ask(db, "insert into stratify.reader_area values ('test_none', 'pcn', 'C')");
    err_clear(&err);
    text = cohort("watch", NULL, &err);
    cr_expect_str_eq(text, "People to watch - Team; as of 2025-07-01, run 1\n"
                           "you see nobody on its lists\n");
    free(text);
    *strchr(database, ' ') = '\0';
    db_close(db);
}

Test(lists, bands_and_segments_are_called_by_their_labels)
{
    Db *db = session();
    char *text;

    publish_four(db);
    text = strata("pcn");
    cr_expect_not_null(strstr(text, "\nsegment: Everyone else "), "%s", text);
    cr_expect_not_null(strstr(text, "\nrisk: High "), "%s", text);
    cr_expect_not_null(strstr(text, "\nrisk: no weight "), "%s", text);
    free(text);
    cr_expect_str_eq(ask(db, "select segment from stratify.current_list limit 1"),
                     "Everyone else");
    db_close(db);
}

/* The label comes again with each table. */
Test(lists, groups_that_do_not_fit_a_line_follow_below)
{
    static const char LONG[] =
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch";
    Town *town = four();
    Err err = {0};
    char *text, *second;

    town->store.area.groups[TOWN_PCN][0].name = LONG;
    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    text = strata("pcn");
    second = strstr(text, "\n\n");
    cr_assert_not_null(second, "%s", text);
    cr_expect(strstr(text, "\nRegistered ") < second, "%s", text);
    cr_expect_not_null(strstr(second, "\nRegistered "), "%s", text);
    cr_expect(strstr(text, LONG) < second, "%s", text);
    cr_expect_not_null(strstr(second, "none"), "%s", text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        cr_expect(strlen(line) <= 120, "%s", line);
    free(text);
    town_free(town);
}
