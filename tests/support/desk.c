/*
 * desk.c - see desk.h.
 */
#include "tests/support/desk.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Every test has a database of its own on the throwaway server. */
char database[64];

const char *ask(Db *db, const char *sql)
{
    static char text[8][4096];
    static int turn;
    Err err = {0};
    PGresult *result = db_query(db, sql, 0, NULL, &err);
    char *out = text[turn++ % 8];

    cr_assert_not_null(result, "%s", err.text);
    snprintf(out, sizeof text[0], "%s",
             PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return out;
}

Db *session(void)
{
    Db *db;
    Err err = {0};

    cr_assert_eq(db_open(&db, database, "test", &err), 0, "%s", err.text);
    return db;
}

/* The words of the server's refusal, or "" when it does not refuse. */
const char *refusal(Db *db, const char *sql)
{
    static char text[512];
    PGresult *result = PQexec(db_conn(db), sql);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    snprintf(text, sizeof text, "%s", words == NULL ? "" : words);
    PQclear(result);
    return text;
}

void desk_open(void)
{
    char name[40], sql[80];
    Db *db;
    Err err = {0};

    snprintf(name, sizeof name, "publish_%d", (int)getpid());
    snprintf(sql, sizeof sql, "create database %s", name);
    cr_assert_eq(db_open(&db, "", "test", &err), 0, "%s", err.text);
    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
    db_close(db);
    snprintf(database, sizeof database, "dbname=%s", name);
    cr_assert_eq(publish_init(database, false, &err), 0, "%s", err.text);
}

void desk_close(void)
{
    char sql[120];
    Db *db;
    Err err = {0};

    snprintf(sql, sizeof sql, "drop database %s with (force)",
             database + strlen("dbname="));
    if (db_open(&db, "", "test", &err) == 0)
        db_exec(db, sql, &err);
    db_close(db);
}

/* People 0 and 1 of P1, 2 of P3, 3 of P4; all but 1 on the list where there is one. */
Town *four(void)
{
    static const uint16_t PRACTICE[4] = {0, 0, 2, 3};
    Town *town = town_new(4);

    for (int i = 0; i < 4; i++) {
        town->store.practice[i] = PRACTICE[i];
        town->scores.score[TOWN_RISK][i] = 0.2 * i;
        town->scores.score[TOWN_COUNT][i] = i / 3.0;
        town->matches.cohort[i] = i != 1;
    }
    town->scores.score[TOWN_RISK][0] = NAN;
    town->scores.outcome[TOWN_RISK][0] = 2;
    return town;
}

RunInfo info_of(int connections)
{
    static const StageTime stages[] = {{"load", 1.5, 1.25, 100, 5000, 1 << 20, 0.75}};

    return (RunInfo){.conninfo = database,
                     .connections = connections,
                     .version = "1.0",
                     .started_by = "test",
                     .started = 1760000000,
                     .stages = stages,
                     .n_stages = 1};
}

int publish_with(Town *town, const RunInfo *info, Err *err)
{
    Publication *publication;
    int rc = publish_open(&publication, &town->plan, info, err);

    if (rc != 0)
        return rc;
    town_previous(town, publication_previous(publication));
    town_build(town);
    rc = publish_all(publication, &town->results, info, err);
    publish_close(publication);
    return rc;
}

int publish(Town *town, Err *err)
{
    RunInfo info = info_of(2);

    return publish_with(town, &info, err);
}

/* Publishes four(), and returns the number of the run. */
const char *publish_four(Db *db)
{
    Town *town = four();
    Err err = {0};

    cr_assert_eq(publish(town, &err), 0, "%s", err.text);
    town_free(town);
    return ask(db, "select run_id from stratify.current_run");
}

/* Everything that readers see, as one line. */
const char *seen(Db *db)
{
    return ask(db, "select concat_ws(' / ', "
                   "(select string_agg(p::text, ' ' order by person_id) "
                   " from stratify.current_person p), "
                   "(select string_agg(s::text, ' ' order by model, person_id) "
                   " from stratify.current_score s), "
                   "(select string_agg(m::text, ' ' order by cohort, group_code, rank) "
                   " from stratify.current_cohort_member m))");
}

char *trimmed(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '\n')
            while (to > text && to[-1] == ' ')
                to--;
        *to++ = *from;
    }
    *to = '\0';
    return text;
}
