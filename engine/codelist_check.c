/*
 * codelist_check.c - the lists of a config, or one file: what is in them, what was left
 * out and why, and which codes stand in more than one place. Faults are reported by
 * the reader of lists, with file, line and column.
 */
#include "engine/codelist.h"

#include <stdio.h>

static void print_lists(const CodeList *lists, int n)
{
    static const char *const HEADINGS[] = {
        "LIST",   ">CODES",   ">CATEGORIES",       ">REPEATED", ">LEFT OUT",
        ">EMPTY", ">SUSPECT", ">IN 2+ CATEGORIES", "VERSION"};
    struct libscols_table *table = codelist_table(HEADINGS, 9);

    for (int l = 0; l < n; l++) {
        const CodeList *list = &lists[l];
        struct libscols_line *line = scols_table_new_line(table, NULL);

        codelist_cell(line, 0, "%s", list->id);
        if (list->n_entries == 0) { /* it could not be read: see the faults */
            codelist_cell(line, 1, "-");
            continue;
        }
        codelist_cell(line, 1, "%d", list->n_entries);
        codelist_cell(line, 2, "%d", list->n_categories);
        codelist_cell(line, 3, "%d", list->n_merged);
        codelist_cell(line, 4, "%d", list->n_excluded);
        codelist_cell(line, 5, "%d", list->n_empty);
        codelist_cell(line, 6, "%d", list->n_suspect);
        codelist_cell(line, 7, "%d", list_in_categories(list));
        codelist_cell(line, 8, "%s", list->version != NULL ? list->version : "");
    }
    codelist_print(table);
}

/* ---- what was left out, and what is doubted ------------------------------ */

static void add_rule(struct libscols_table *table, const CodeList *list,
                     const ListRule *rule)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    codelist_cell(line, 0, "%s", list->id);
    codelist_cell(line, 1, "%s", rule->is_suspect ? "suspect" : "left out");
    codelist_cell(line, 2, "%d", rule->n_lines);
    codelist_cell(line, 3, "%s: %s", rule->column, rule->word);
    codelist_cell(line, 4, "%s", rule->reason != NULL ? rule->reason : "");
}

static void print_rules(const CodeList *lists, int n)
{
    static const char *const HEADINGS[] = {"LIST", "", ">LINES", "WHICH", "WHY"};
    struct libscols_table *table = codelist_table(HEADINGS, 5);

    for (int l = 0; l < n; l++) {
        const CodeList *list = &lists[l];
        ListRule unkept = {"keep", "none of its words", "not asked for by the config",
                           false, list->n_excluded};

        for (int r = 0; r < list->n_rules; r++) {
            add_rule(table, list, &list->rules[r]);
            if (!list->rules[r].is_suspect)
                unkept.n_lines -= list->rules[r].n_lines;
        }
        if (unkept.n_lines > 0)
            add_rule(table, list, &unkept);
    }
    codelist_print(table);
}

/* ---- the same code in two places ----------------------------------------- */

static void print_common(const CodeList *lists, int n)
{
    static const char *const HEADINGS[] = {"LIST", "LIST", ">CODES IN BOTH"};
    struct libscols_table *table = codelist_table(HEADINGS, 3);

    for (int a = 0; a < n; a++)
        for (int b = a + 1; b < n; b++) {
            int common = list_in_common(&lists[a], &lists[b]);
            struct libscols_line *line;

            if (common == 0)
                continue;
            line = scols_table_new_line(table, NULL);
            codelist_cell(line, 0, "%s", lists[a].id);
            codelist_cell(line, 1, "%s", lists[b].id);
            codelist_cell(line, 2, "%d", common);
        }
    codelist_print(table);
}

/* One record of such a code counts for each of the categories. */
static void print_categories(const CodeList *list, Arena *arena)
{
    static const char *const HEADINGS[] = {"CODE", "SYSTEM", "CATEGORY", ">LINE"};
    struct libscols_table *table = codelist_table(HEADINGS, 4);
    const ListLine *lines = list_lines(list, arena);
    int same;

    for (int i = 0; i < list->n_entries; i += same) {
        same = list_same_code(&lines[i], list->n_entries - i);
        if (lines[i].category == lines[i + same - 1].category)
            continue;
        for (int k = i; k < i + same; k++) {
            struct libscols_line *line = scols_table_new_line(table, NULL);
            char code[CODE_TEXT];

            code_text(code, lines[k].entry->code);
            codelist_cell(line, 0, "%s", code);
            codelist_cell(line, 1, "%s", system_word(code_system(lines[k].entry->code)));
            codelist_cell(line, 2, "%s", lines[k].category->id);
            codelist_cell(line, 3, "%u", lines[k].entry->line);
        }
    }
    codelist_print(table);
}

int codelist_check(const Options *options, Arena *arena, Err *err)
{
    static const char *const AS_IT_IS[2] = {NULL, NULL};
    CodeList list = {0};
    Plan plan = {0};
    int rc;

    if (options->n_args > 1) {
        rc = codelist_read(&list, options->args[1], options, arena, err);
        print_lists(&list, rc == 0);
        print_categories(&list, arena);
        return rc;
    }
    rc = codelist_plan(&plan, options->config, options, AS_IT_IS, arena, err);
    print_lists(plan.lists, plan.n_lists);
    print_rules(plan.lists, plan.n_lists);
    print_common(plan.lists, plan.n_lists);
    return rc;
}
