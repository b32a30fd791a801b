/*
 * codelist_check.c - the lists of a config, or one file: what is in them, what was left
 * out and why, and which codes stand in more than one place. Faults are reported by
 * the reader of lists, with file, line and column.
 */
#include "engine/codelist.h"

#include <stdio.h>
#include <string.h>

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
        codelist_cell(line, 3, "%d", list->n_repeats);
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

enum { MOST_NAMED = 10, MOST_NAMED_OF_PAIR = 3 };

static void print_rest(int n, int named)
{
    if (n > named)
        printf("    and %d more\n", n - named);
}

/* Every line that says again what another one said. */
static void print_repeats(const CodeList *lists, int n)
{
    for (int l = 0; l < n; l++) {
        const CodeList *list = &lists[l];
        int r = 0;

        for (; r < list->n_repeats && r < MOST_NAMED; r++) {
            const ListEntry *entry = &list->entries[list->repeats[r].entry];
            char code[CODE_TEXT];

            code_text(code, entry->code);
            printf("%s:%u: \"%s\" is listed twice, first on line %u\n", list->file,
                   list->repeats[r].line, code, entry->line);
        }
        print_rest(list->n_repeats, r);
        if (r > 0)
            fputc('\n', stdout);
    }
}

/* Two lists made from one file name the same lines: those only count. */
static void print_pair(const ListCommon *common, int n, const CodeList *a,
                       const CodeList *b)
{
    bool is_one_file = n > 0 && strcmp(a->file, b->file) == 0;
    int n_apart = 0;

    for (int c = 0; c < n; c++) {
        const ListEntry *in_a = common[c].a.entry, *in_b = common[c].b.entry;
        char code[CODE_TEXT];

        if ((is_one_file && in_a->line == in_b->line) || n_apart++ >= MOST_NAMED_OF_PAIR)
            continue;
        code_text(code, in_a->code);
        printf("%s:%u: \"%s\" is also in %s, %s:%u\n", a->file, in_a->line, code, b->id,
               b->file, in_b->line);
    }
    print_rest(n_apart, n_apart < MOST_NAMED_OF_PAIR ? n_apart : MOST_NAMED_OF_PAIR);
}

/* No fault: one record may mean both. First how many, then where. */
static void print_common(const CodeList *lists, int n, Arena *arena)
{
    static const char *const HEADINGS[] = {"LIST", "LIST", ">CODES IN BOTH"};
    struct libscols_table *table = codelist_table(HEADINGS, 3);
    ListCommon *common;

    for (int a = 0; a < n; a++)
        for (int b = a + 1; b < n; b++) {
            int n_common = list_in_common(&common, &lists[a], &lists[b], arena);
            struct libscols_line *line;

            if (n_common == 0)
                continue;
            line = scols_table_new_line(table, NULL);
            codelist_cell(line, 0, "%s", lists[a].id);
            codelist_cell(line, 1, "%s", lists[b].id);
            codelist_cell(line, 2, "%d", n_common);
        }
    codelist_print(table);
    for (int a = 0; a < n; a++)
        for (int b = a + 1; b < n; b++)
            print_pair(common, list_in_common(&common, &lists[a], &lists[b], arena),
                       &lists[a], &lists[b]);
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
        print_repeats(&list, rc == 0);
        print_categories(&list, arena);
        return rc;
    }
    rc = codelist_plan(&plan, options->config, options, AS_IT_IS, arena, err);
    print_lists(plan.lists, plan.n_lists);
    print_rules(plan.lists, plan.n_lists);
    print_repeats(plan.lists, plan.n_lists);
    print_common(plan.lists, plan.n_lists, arena);
    return rc;
}
