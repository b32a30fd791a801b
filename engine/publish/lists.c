#include "engine/publish/lists.h"

#include <stdlib.h>
#include <string.h>

#include "engine/publish/kinds.h"
#include "engine/publish/show.h"

static const char SIZES[] = "select group_code, coalesce(group_name, ''), "
                            "count(*) filter (where movement <> 'left'), count(*) filter "
                            "(where movement = 'new'), "
                            "count(*) filter (where movement = 'left') "
                            "from stratify.current_cohort_member where cohort = $1 "
                            "group by 1, 2 order by 1";
static const Show SIZES_SHOW[] = {{"GROUP", 8, 0},
                                  {"NAME", 40, SCOLS_FL_TRUNC},
                                  {"PEOPLE", 8, SCOLS_FL_RIGHT},
                                  {"NEW", 6, SCOLS_FL_RIGHT},
                                  {"LEFT", 6, SCOLS_FL_RIGHT}};

static const char MEMBERS[] =
    "select rank, person_id, age, practice_code, moved, scores, reasons "
    "from stratify.current_list where cohort = $1 and group_code = $2 "
    "order by rank nulls last, person_id";
static const Show MEMBERS_SHOW[] = {
    {"RANK", 4, SCOLS_FL_RIGHT},  {"PERSON", 19, SCOLS_FL_RIGHT},
    {"AGE", 3, SCOLS_FL_RIGHT},   {"GP", 6, 0},
    {"MOVED", 10, SCOLS_FL_WRAP}, {"SCORES", 24, SCOLS_FL_WRAP},
    {"WHY", 48, SCOLS_FL_WRAP}};

/* What the marks behind scores mean: said where the query has a row. */
static const struct {
    const char *sql, *text;
} NOTES[] = {
    {"select from stratify.current_cohort_member m "
     "join stratify.public_model p on m.scores ? p.model "
     "where m.cohort = $1 and m.group_code = $2 and p.is_illustrative limit 1",
     "~ an illustrative model, fitted on made-up people: not for decisions about real "
     "ones\n"},
    {"select from stratify.current_cohort_member m, jsonb_each(m.scores) s "
     "where m.cohort = $1 and m.group_code = $2 and s.value ? 'flag' limit 1",
     "* an input was out of range (clamped) or not recorded (imputed): the column flag "
     "of\n  stratify.current_score says which\n"},
};

static const char RUNS[] =
    "select run_id, case when is_current then 'current' else status end, as_of, "
    "to_char(published_at, 'YYYY-MM-DD HH24:MI'), left(config_hash, 12), title "
    "from stratify.public_run order by run_id desc";
static const Show RUNS_SHOW[] = {
    {"RUN", 5, SCOLS_FL_RIGHT}, {"STATE", 9, 0},   {"AS OF", 10, 0},
    {"PUBLISHED", 16, 0},       {"CONFIG", 12, 0}, {"TITLE", 30, SCOLS_FL_TRUNC}};

static const char TITLE[] =
    "select concat(c.title, ' - ' || c.service, ', ' || $2, ' ' || nullif(g.name, "
    "g.code), "
    "'; as of ' || r.as_of, ', run ' || r.run_id) "
    "from stratify.public_run r join stratify.run_cohort c using (run_id) "
    "left join stratify.run_group g "
    "on g.run_id = r.run_id and g.grouping = c.grouping and g.code = $2 "
    "where r.is_current and c.cohort = $1";
/* One row where the reader sees nobody, whatever is published. */
static const char NO_AREA[] =
    "select where row_security_active('stratify.cohort_member') "
    "and not exists (select from stratify.reader_area)";
static const char GROUPING[] = "select coalesce($1, max(grouping) filter "
                               "(where grouping = 'locality'), 'all') "
                               "from stratify.public_count";
/* Code and name, a word below the other, and the width of the longest. */
static const char GROUPS[] =
    "select group_code, replace(name, ' ', E'\\n'), "
    "(select max(length(word)) from unnest(string_to_array(name, ' ')) word) "
    "from (select *, case when group_code = '' then 'in none' "
    "else concat_ws(' ', group_code, nullif(group_name, group_code)) end as name "
    "from stratify.public_count where grouping = $1 and measure = 'registered') g "
    "order by count_no";
enum { LABEL_WIDTH = 44, NUMBER_WIDTH = 8 };
/* A long label goes on in a second line. */
static const char STRATA[] =
    "select first_no, regexp_replace(concat(case measure when 'registered' then "
    "'Registered' when 'segment' then 'segment: ' else item || ': ' end, label, "
    "case when is_illustrative then ' ~' end), '^(?=.{45})(.{1,44}) ', '\\1' || E'\\n  "
    "'), "
    "group_code, coalesce(people::text, '*') "
    "from (select *, sum(coalesce(people, 1)) over stratum as total, "
    "min(count_no) over stratum as first_no from stratify.public_count "
    "where grouping = $1 and measure in ('registered', 'segment', 'model') "
    "window stratum as (partition by measure, item, part)) counted "
    "left join stratify.public_model m on m.model = item "
    "where total > 0 "
    "order by case measure when 'registered' then 0 when 'segment' then 1 else 2 end, "
    "first_no, count_no";

/* A session on results that are there. */
static int open_results(Db **db, const char *conninfo, Err *err)
{
    PGresult *result = NULL;
    int rc = -1;

    if (db_open(db, conninfo, "list", err) != 0 || results_installed(*db, err) != 0)
        goto done;
    result =
        db_query(*db, "select from stratify.public_run where is_current", 0, NULL, err);
    if (!result)
        goto done;
    if (PQntuples(result) == 0) {
        err_add(err, ERR_USAGE, (Where){0}, "nothing has been published yet");
        err_hint(err, "`stratify run` publishes the first run");
        goto done;
    }
    rc = 0;
done:
    PQclear(result);
    return rc;
}

static int no_cohort(Db *db, const char *cohort, Err *err)
{
    PGresult *result =
        db_query(db,
                 "select coalesce(string_agg(cohort, ', ' order by cohort_no), "
                 "'none') from stratify.run_cohort "
                 "join stratify.current_run using (run_id)",
                 0, NULL, err);

    if (!result)
        return -1;
    err_add(err, ERR_USAGE, (Where){0}, "the current run has no cohort \"%s\"", cohort);
    err_hint(err, "its cohorts: %s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return -1;
}

/* Why there is no row to show; where nothing is wrong the title stands alone. */
static int explain_none(FILE *file, Db *db, const char *title,
                        const char *const params[2], Err *err)
{
    PGresult *result = db_query(db, NO_AREA, 0, NULL, err);
    int rc = -1;

    if (!result)
        return -1;
    if (PQntuples(result) > 0) {
        err_add(err, ERR_USAGE, (Where){0}, "no list is open to you");
        err_hint(err, "stratify.reader_area names who sees which: docs/results.md");
    } else if (params[1]) {
        err_add(err, ERR_USAGE, (Where){0}, "cohort \"%s\" has no list for group \"%s\"",
                params[0], params[1]);
        err_hint(err, "`stratify list %s` shows its lists", params[0]);
    } else {
        fprintf(file, "%s\nyou see nobody on its lists\n", title);
        rc = 0;
    }
    PQclear(result);
    return rc;
}

static int print_notes(FILE *file, Db *db, const char *const params[2], Err *err)
{
    for (size_t i = 0; i < sizeof NOTES / sizeof *NOTES; i++) {
        PGresult *result = db_query(db, NOTES[i].sql, 2, params, err);

        if (!result)
            return -1;
        if (PQntuples(result) > 0)
            fputs(NOTES[i].text, file);
        PQclear(result);
    }
    return 0;
}

static int print_cohort(FILE *file, Db *db, const char *title,
                        const char *const params[2], Err *err)
{
    const Query members = {MEMBERS, params, 2, title}, sizes = {SIZES, params, 1, title};
    int n = params[1] ? show_query(file, db, members, MEMBERS_SHOW, err)
                      : show_query(file, db, sizes, SIZES_SHOW, err);

    if (n == 0)
        return explain_none(file, db, title, params, err);
    if (n > 0 && params[1])
        return print_notes(file, db, params, err);
    return n < 0 ? -1 : 0;
}

int lists_cohort(FILE *file, const char *conninfo, const char *cohort, const char *group,
                 Err *err)
{
    const char *params[] = {cohort, group};
    PGresult *title = NULL;
    Db *db = NULL;
    int rc = -1;

    if (open_results(&db, conninfo, err) != 0 ||
        !(title = db_query(db, TITLE, 2, params, err)))
        goto done;
    if (PQntuples(title) == 0)
        rc = no_cohort(db, cohort, err);
    else
        rc = print_cohort(file, db, PQgetvalue(title, 0, 0), params, err);
done:
    PQclear(title);
    db_close(db);
    return rc;
}

int lists_runs(FILE *file, const char *conninfo, Err *err)
{
    Db *db = NULL;
    int rc = -1, n;

    if (db_open(&db, conninfo, "list", err) != 0 || results_installed(db, err) != 0)
        goto done;
    n = show_query(file, db, (Query){RUNS, NULL, 0, NULL}, RUNS_SHOW, err);
    if (n == 0)
        fputs("no run has been published yet\n", file);
    rc = n < 0 ? -1 : 0;
done:
    db_close(db);
    return rc;
}

/* Groups side by side in one table: from first to before end. */
typedef struct Block {
    const PGresult *groups;
    int first, end;
} Block;

/* As many groups as fit a line, at least one. */
static Block block_at(const PGresult *groups, int first)
{
    Block block = {groups, first, first};
    int width = LABEL_WIDTH;

    while (block.end < PQntuples(groups)) {
        int longest = atoi(PQgetvalue(groups, block.end, 2));

        width += 1 + (longest < NUMBER_WIDTH ? NUMBER_WIDTH : longest);
        if (width > SHOW_WIDTH && block.end > first)
            break;
        block.end++;
    }
    return block;
}

/* The place of a group in the block, or -1. */
static int block_find(Block block, const char *code)
{
    for (int g = block.first; g < block.end; g++)
        if (strcmp(PQgetvalue(block.groups, g, 0), code) == 0)
            return g - block.first;
    return -1;
}

/* The names of groups stand in the first line. */
static struct libscols_table *strata_table(FILE *file, Block block)
{
    static const Show label = {"", 0, SCOLS_FL_WRAP},
                      number = {"", NUMBER_WIDTH, SCOLS_FL_RIGHT | SCOLS_FL_WRAP};
    int n = block.end - block.first + 1;
    Show *show = mem_alloc((size_t)n, sizeof *show, "columns of strata");
    struct libscols_table *table;
    struct libscols_line *line;

    show[0] = label;
    for (int i = 1; i < n; i++)
        show[i] = number;
    table = show_table(file, show, n);
    scols_table_enable_noheadings(table, 1);
    line = scols_table_new_line(table, NULL);
    for (int i = 1; i < n; i++)
        scols_line_set_data(line, (size_t)i,
                            PQgetvalue(block.groups, block.first + i - 1, 1));
    free(show);
    return table;
}

/* Strata come stratum by stratum; a stratum that a group lacks shows 0. */
static void strata_fill(struct libscols_table *table, Block block, const PGresult *strata)
{
    struct libscols_line *line = NULL;
    const char *stratum = "";

    for (int row = 0; row < PQntuples(strata); row++) {
        int group = block_find(block, PQgetvalue(strata, row, 2));

        if (strcmp(stratum, PQgetvalue(strata, row, 0)) != 0) {
            stratum = PQgetvalue(strata, row, 0);
            line = scols_table_new_line(table, NULL);
            scols_line_set_data(line, 0, PQgetvalue(strata, row, 1));
            for (int i = 1; i <= block.end - block.first; i++)
                scols_line_set_data(line, (size_t)i, "0");
        }
        if (group >= 0)
            scols_line_set_data(line, (size_t)group + 1, PQgetvalue(strata, row, 3));
    }
}

/* One table below the other until every group has been in one. */
static void print_strata(FILE *file, const PGresult *groups, const PGresult *strata)
{
    for (Block block = block_at(groups, 0); block.first < block.end;
         block = block_at(groups, block.end)) {
        struct libscols_table *table = strata_table(file, block);

        if (block.first > 0)
            fputc('\n', file);
        strata_fill(table, block, strata);
        scols_print_table(table);
        scols_unref_table(table);
    }
}

static void no_grouping(Db *db, const char *grouping, Err *err)
{
    PGresult *result =
        db_query(db,
                 "select string_agg(grouping, ', ' order by first_no) from "
                 "(select grouping, min(count_no) as first_no "
                 "from stratify.public_count group by grouping) g",
                 0, NULL, err);

    if (!result)
        return;
    err_add(err, ERR_USAGE, (Where){0}, "nothing is published by \"%s\"", grouping);
    err_hint(err, "the current run has: %s", PQgetvalue(result, 0, 0));
    PQclear(result);
}

int lists_strata(FILE *file, const char *conninfo, const char *grouping, Err *err)
{
    PGresult *chosen = NULL, *groups = NULL, *strata = NULL;
    const char *param;
    Db *db = NULL;
    int rc = -1;

    if (open_results(&db, conninfo, err) != 0 ||
        !(chosen = db_query(db, GROUPING, 1, &grouping, err)))
        goto done;
    param = PQgetvalue(chosen, 0, 0);
    if (!(groups = db_query(db, GROUPS, 1, &param, err)) ||
        !(strata = db_query(db, STRATA, 1, &param, err)))
        goto done;
    if (PQntuples(groups) == 0) {
        no_grouping(db, param, err);
        goto done;
    }
    fprintf(
        file,
        "People by %s (fewer than 8: *; others rounded to 5; ~: an illustrative model)\n",
        param);
    print_strata(file, groups, strata);
    rc = 0;
done:
    PQclear(strata);
    PQclear(groups);
    PQclear(chosen);
    db_close(db);
    return rc;
}
