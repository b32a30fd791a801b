/*
 * scripts.c - see scripts.h. The Makefile makes an object of the files with
 * `ld -r -b binary`, which names their first and last byte after their path.
 */
#include "engine/db/scripts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPTS(each)                                                                    \
    each(00_roles) each(10_source) each(11_source_indexes) each(20_results)              \
        each(30_publish) each(40_read) each(50_diff) each(60_visibility_map)

#define DECLARE(name)                                                                    \
    extern const char _binary_sql_##name##_sql_start[], _binary_sql_##name##_sql_end[];
SCRIPTS(DECLARE)

#define ENTRY(name)                                                                      \
    {#name, "sql/" #name ".sql", _binary_sql_##name##_sql_start,                         \
     _binary_sql_##name##_sql_end},

static const struct Script {
    const char *name, *path, *start, *end;
} ALL[] = {SCRIPTS(ENTRY)};

static const struct Script *find(const char *name)
{
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
        if (strcmp(ALL[i].name, name) == 0)
            return &ALL[i];
    return NULL;
}

const char *db_script(const char *name, size_t *len)
{
    const struct Script *script = find(name);

    if (script == NULL)
        return NULL;
    *len = (size_t)(script->end - script->start);
    return script->start;
}

/* The line of a position that the server counts in characters from 1. */
static Where place_of(const struct Script *script, const char *position)
{
    Where where = {script->path, 1, 0};
    long left = position == NULL ? 0 : strtol(position, NULL, 10) - 1;

    for (const char *at = script->start; at < script->end && left > 0; at++) {
        if (((unsigned char)*at & 0xc0) != 0x80) /* not the middle of a character */
            left--;
        where.line += *at == '\n';
    }
    if (position == NULL)
        where.line = 0;
    return where;
}

int db_run_script(Db *db, const char *name, Err *err)
{
    const struct Script *script = find(name);
    PGresult *result;
    char *text;
    size_t len;
    int rc = 0;

    assert(script != NULL);
    len = (size_t)(script->end - script->start);
    text = mem_alloc(len + 1, 1, "a script");
    memcpy(text, script->start, len);
    result = PQexec(db_conn(db), text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK &&
        PQresultStatus(result) != PGRES_TUPLES_OK &&
        PQresultStatus(result) != PGRES_EMPTY_QUERY)
        rc = db_fail(
            db, result,
            place_of(script, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION)),
            "run it", err);
    PQclear(result);
    free(text);
    return rc;
}
