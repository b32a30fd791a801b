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
    cr_expect_str_eq(text, "People to watch - Team, B\n"
                           "RANK PERSON AGE GP     MOVED SCORES                   WHY\n"
                           "   1    102  75 P3     new   risk 0 low ~\n"
                           "~ an illustrative model, fitted on made-up people: not for "
                           "decisions about real ones\n");
    free(text);
    text = strata("pcn");
    cr_expect_not_null(strstr(text, "\nrisk: low ~ "), "%s", text);
    cr_expect_null(strstr(text, "segment: rest ~"), "%s", text);
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
