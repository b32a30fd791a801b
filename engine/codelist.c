#include "engine/codelist.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/text.h"
#include "engine/publish/small.h"
#include "loaders/kinds.h"
#include "models/kinds.h"

/* ---- tables -------------------------------------------------------------- */

struct libscols_table *codelist_table(const char *const *headings, int n)
{
    struct libscols_table *table = scols_new_table();

    scols_table_set_stream(table, stdout);
    /* Codes and reasons are never cut, however wide the terminal is. */
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    for (int c = 0; c < n; c++) {
        bool is_number = headings[c][0] == '>';

        scols_table_new_column(table, headings[c] + is_number, 0,
                               is_number ? SCOLS_FL_RIGHT : 0);
    }
    return table;
}

void codelist_cell(struct libscols_line *line, int column, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    scols_line_set_data(line, (size_t)column, text);
}

void codelist_print(struct libscols_table *table)
{
    if (scols_table_get_nlines(table) > 0) {
        scols_print_table(table);
        fputc('\n', stdout);
    }
    scols_unref_table(table);
}

void codelist_people(struct libscols_line *line, int column, uint64_t people)
{
    int64_t shown = small_number(people);

    if (shown == SMALL_HIDDEN)
        codelist_cell(line, column, "*");
    else
        codelist_cell(line, column, "%lld", (long long)shown);
}

/* ---- lists --------------------------------------------------------------- */

/* One --column MEANING=NAME. */
static int set_column(ListColumns *columns, const char *text, Arena *arena, Err *err)
{
    const struct {
        const char *meaning;
        const char **column;
    } MEANINGS[] = {
        {"code", &columns->code},         {"system", &columns->system},
        {"category", &columns->category}, {"label", &columns->label},
        {"weight", &columns->weight},     {"gt", &columns->above},
        {"lt", &columns->below},          {"sex", &columns->sex},
    };
    const char *equals = strchr(text, '=');

    for (size_t m = 0; equals != NULL && m < sizeof MEANINGS / sizeof *MEANINGS; m++) {
        size_t len = strlen(MEANINGS[m].meaning);

        if (len == (size_t)(equals - text) &&
            memcmp(text, MEANINGS[m].meaning, len) == 0) {
            *MEANINGS[m].column = arena_text(arena, equals + 1, strlen(equals + 1));
            return 0;
        }
    }
    err_add(err, ERR_USAGE, (Where){0}, "--column takes MEANING=NAME, not \"%s\"", text);
    err_hint(err, "meanings: code, system, category, label, weight, gt, lt, sex");
    return -1;
}

static int set_system(ListColumns *columns, const char *word, Err *err)
{
    System system = word != NULL ? system_of(word) : SYSTEM_NONE;

    columns->constant_system = system;
    if (word != NULL && system == SYSTEM_NONE)
        return err_add(err, ERR_USAGE, (Where){0}, "there is no coding system \"%s\"",
                       word);
    if (word == NULL && columns->system == NULL) {
        err_add(err, ERR_USAGE, (Where){0}, "what coding system are the codes of?");
        err_hint(err, "give --system icd10, or --column system=NAME where lines differ; "
                      "or -c CONFIG, which knows the list");
        return -1;
    }
    return 0;
}

int codelist_read(CodeList *list, const char *path, const Options *options, Arena *arena,
                  Err *err)
{
    ListColumns columns = {.code = "code"};

    for (int c = 0; c < options->n_columns; c++)
        if (set_column(&columns, options->columns[c], arena, err) != 0)
            return -1;
    if (access(path, R_OK) != 0) /* before anything is asked about it */
        return err_add(err, ERR_CONFIG, (Where){path, 0, 0}, "could not open: %s",
                       strerror(errno));
    if (set_system(&columns, options->system, err) != 0)
        return -1;
    *list = (CodeList){.id = path};
    return codes_read(list, &columns, path, arena, err);
}

int codelist_plan(Plan *plan, const char *path, const Options *options,
                  const char *const swap[2], Arena *arena, Err *err)
{
    PlanRequest request = {.path = path,
                           .as_of = options->as_of,
                           .kinds = {source_kinds, model_kinds},
                           .list_from = swap[0],
                           .list_to = swap[1]};

    return plan_compile_request(plan, &request, arena, err);
}

/* ---- the command --------------------------------------------------------- */

int codelist(const Options *options, Err *err)
{
    static const struct {
        const char *word;
        int least, most; /* arguments behind it */
        int (*function)(const Options *options, Arena *arena, Err *err);
    } WORDS[] = {{"check", 0, 1, codelist_check},
                 {"diff", 2, 2, codelist_diff},
                 {"stats", 0, 1, codelist_stats}};
    const char *word = options->args[0];
    int n = options->n_args - 1, rc;

    for (size_t w = 0; w < sizeof WORDS / sizeof *WORDS; w++) {
        Arena *arena;

        if (strcmp(word, WORDS[w].word) != 0)
            continue;
        if (n < WORDS[w].least || n > WORDS[w].most)
            return err_add(err, ERR_USAGE, (Where){0},
                           "codelist %s takes %s; see `stratify codelist --help`", word,
                           WORDS[w].least > 0 ? "two files" : "at most one argument");
        arena = arena_new();
        rc = WORDS[w].function(options, arena, err);
        arena_free(arena);
        return rc;
    }
    err_add(err, ERR_USAGE, (Where){0}, "codelist cannot \"%s\"", word);
    err_hint(err, "it can check, diff and stats");
    return -1;
}
