/*
 * codelist_diff.c - two versions of a list, or of all lists of two configs.
 */
#include <stdio.h>
#include <string.h>

#include "engine/codelist.h"
#include "engine/codelist_affected.h"

typedef struct Diff {
    const Options *options;
    Arena *arena;
    ListPair *pairs;
    int n;
    Plan plan[2]; /* before and after, where there is a config */
    bool has_plans;
} Diff;

static const CodeList NO_LIST = {.id = ""};

/* ---- what is compared ---------------------------------------------------- */

static void add_pair(Diff *diff, const char *id, const CodeList *before,
                     const CodeList *after)
{
    ListPair *pair;

    diff->pairs = arena_grow(diff->arena, diff->pairs, (size_t)diff->n,
                             (size_t)diff->n + 1, sizeof *diff->pairs);
    pair = &diff->pairs[diff->n++];
    pair->id = id;
    pair->before = before != NULL ? before : &NO_LIST;
    pair->after = after != NULL ? after : &NO_LIST;
    list_diff(&pair->diff, pair->before, pair->after, diff->arena);
}

static const CodeList *find_list(const Plan *plan, const char *id)
{
    for (int l = 0; l < plan->n_lists; l++)
        if (strcmp(plan->lists[l].id, id) == 0)
            return &plan->lists[l];
    return NULL;
}

static bool is_config(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int compare_configs(Diff *diff, Err *err)
{
    static const char *const AS_IT_IS[2] = {NULL, NULL};

    for (int side = 0; side < 2; side++)
        if (codelist_plan(&diff->plan[side], diff->options->args[1 + side], diff->options,
                          AS_IT_IS, diff->arena, err) != 0)
            return -1;
    diff->has_plans = true;
    for (int l = 0; l < diff->plan[0].n_lists; l++) {
        const CodeList *list = &diff->plan[0].lists[l];

        add_pair(diff, list->id, list, find_list(&diff->plan[1], list->id));
    }
    for (int l = 0; l < diff->plan[1].n_lists; l++) {
        const CodeList *list = &diff->plan[1].lists[l];

        if (find_list(&diff->plan[0], list->id) == NULL)
            add_pair(diff, list->id, NULL, list);
    }
    return 0;
}

/* The config with the one file, then with the other, wherever it names either. */
static int compare_in_config(Diff *diff, Err *err)
{
    const Options *options = diff->options;

    for (int side = 0; side < 2; side++) {
        const char *swap[2] = {options->args[2 - side], options->args[1 + side]};

        if (codelist_plan(&diff->plan[side], options->config, options, swap, diff->arena,
                          err) != 0)
            return -1;
    }
    diff->has_plans = true;
    for (int l = 0; l < diff->plan[0].n_lists; l++) {
        const CodeList *before = &diff->plan[0].lists[l];
        const CodeList *after = &diff->plan[1].lists[l];

        if (strcmp(before->file, after->file) != 0)
            add_pair(diff, before->id, before, after);
    }
    if (diff->n > 0)
        return 0;
    err_add(err, ERR_USAGE, (Where){options->config, 0, 0},
            "no list is read from \"%s\" or \"%s\"", options->args[1], options->args[2]);
    err_hint(err, "one of the two must be a file of the config; or leave out -c and say "
                  "--column and --system");
    return -1;
}

static int compare_files(Diff *diff, Err *err)
{
    CodeList *lists = arena_alloc(diff->arena, 2, sizeof *lists);

    for (int side = 0; side < 2; side++)
        if (codelist_read(&lists[side], diff->options->args[1 + side], diff->options,
                          diff->arena, err) != 0)
            return -1;
    add_pair(diff, lists[1].id, &lists[0], &lists[1]);
    return 0;
}

/* ---- what is shown ------------------------------------------------------- */

static const char *meanings(const ListLine *lines, int n, Arena *arena)
{
    const char *text = "";

    for (int i = 0; i < n; i++)
        text = arena_format(arena, "%s%s%s", text, i > 0 ? "; " : "",
                            list_meaning(&lines[i], arena));
    return text;
}

static void print_changes(const Diff *diff)
{
    static const char *const HEADINGS[] = {"LIST",   "",       "CODE",
                                           "SYSTEM", "BEFORE", "AFTER"};
    static const char *const WORDS[] = {[CHANGE_ADDED] = "added",
                                        [CHANGE_REMOVED] = "removed",
                                        [CHANGE_MEANING] = "changed"};
    struct libscols_table *table = codelist_table(HEADINGS, 6);

    for (int p = 0; p < diff->n; p++)
        for (int c = 0; c < diff->pairs[p].diff.n; c++) {
            const ListChange *change = &diff->pairs[p].diff.changes[c];
            const ListEntry *entry =
                (change->n_before > 0 ? change->before : change->after)->entry;
            struct libscols_line *line = scols_table_new_line(table, NULL);
            char code[CODE_TEXT];

            code_text(code, entry->code);
            codelist_cell(line, 0, "%s", diff->pairs[p].id);
            codelist_cell(line, 1, "%s", WORDS[change->kind]);
            codelist_cell(line, 2, "%s%s", code, entry->is_prefix ? "*" : "");
            codelist_cell(line, 3, "%s", system_word(code_system(entry->code)));
            codelist_cell(line, 4, "%s",
                          meanings(change->before, change->n_before, diff->arena));
            codelist_cell(line, 5, "%s",
                          meanings(change->after, change->n_after, diff->arena));
        }
    codelist_print(table);
}

/* Without a database nobody is counted: the column is left out. */
static void print_sums(const Diff *diff, bool has_people)
{
    static const char *const HEADINGS[] = {"LIST",      ">ADDED",    ">REMOVED",
                                           ">CHANGED",  ">PEOPLE +", ">PEOPLE -",
                                           ">PEOPLE ~", ">PEOPLE"};
    static const ChangeKind KINDS[] = {CHANGE_ADDED, CHANGE_REMOVED, CHANGE_MEANING,
                                       N_CHANGES};
    struct libscols_table *table = codelist_table(HEADINGS, has_people ? 8 : 4);

    for (int p = 0; p < diff->n; p++) {
        const ListPair *pair = &diff->pairs[p];
        struct libscols_line *line;

        if (diff->n > 1 && pair->diff.n == 0)
            continue;
        line = scols_table_new_line(table, NULL);
        codelist_cell(line, 0, "%s", pair->id);
        for (int k = 0; k < N_CHANGES; k++)
            codelist_cell(line, 1 + k, "%d", pair->diff.n_of[k]);
        for (int k = 0; has_people && k < 4; k++)
            if (pair->is_counted)
                codelist_people(line, 4 + k, affected_count(pair, KINDS[k]));
            else
                codelist_cell(line, 4 + k, "not used");
    }
    if (scols_table_get_nlines(table) == 0)
        puts("no code is added, removed or changed");
    else if (has_people)
        puts("People with a record that a feature counts (1 to 7: *; others rounded to "
             "5)");
    codelist_print(table);
}

static int count_people(Diff *diff, Err *err)
{
    LoadOptions how = {.conninfo = diff->options->conninfo,
                       .connections = diff->options->connections,
                       .extract = diff->options->extract};

    for (int side = 0; side < 2; side++)
        if (affected_find(diff->pairs, diff->n, &diff->plan[side], side == 1, &how,
                          err) != 0)
            return -1;
    return 0;
}

int codelist_diff(const Options *options, Arena *arena, Err *err)
{
    Diff diff = {.options = options, .arena = arena};
    bool has_people;
    int rc;

    if (is_config(options->args[1]) && is_config(options->args[2]))
        rc = compare_configs(&diff, err);
    else if (options->has_config)
        rc = compare_in_config(&diff, err);
    else
        rc = compare_files(&diff, err);
    has_people =
        diff.has_plans && (options_want_database(options) || options->extract != NULL);
    if (rc == 0 && has_people)
        rc = count_people(&diff, err);
    if (rc == 0) {
        print_changes(&diff);
        print_sums(&diff, has_people);
    }
    for (int p = 0; p < diff.n; p++)
        affected_free(&diff.pairs[p]);
    return rc;
}
