#include <criterion/criterion.h>
#include <string.h>

#include "engine/db/scripts.h"

Test(scripts, every_file_is_there)
{
    static const char *const NAMES[] = {"00_roles",   "10_source",  "11_source_indexes",
                                        "20_results", "30_publish", "40_read"};
    size_t len = 0;

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        cr_assert_not_null(db_script(NAMES[i], &len), "%s", NAMES[i]);
        cr_expect_gt(len, 5, "%s", NAMES[i]);
    }
    cr_expect_null(db_script("90_nothing", &len));
}

Test(scripts, a_file_can_be_applied_again_and_names_its_faults)
{
    Db *db = NULL;
    Err err = {0};

    cr_assert_eq(db_open(&db, "", "test", &err), 0, "%s", err.text);
    cr_assert_eq(db_begin(db, &err), 0);
    cr_expect_eq(db_run_script(db, "10_source", &err), 0, "%s", err.text);
    cr_expect_eq(db_run_script(db, "10_source", &err), 0, "%s", err.text);
    cr_assert_eq(db_exec(db, "drop schema sid cascade", &err), 0);
    cr_expect_eq(db_run_script(db, "11_source_indexes", &err), -1);
    cr_expect_eq(err.kind, ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "sql/11_source_indexes.sql"), "%s", err.text);
    cr_expect_not_null(
        strstr(err.text, ": could not run it: schema \"sid\" does not exist"), "%s",
        err.text);
    db_rollback(db);
    db_close(db);
}
