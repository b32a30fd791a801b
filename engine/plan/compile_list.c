/*
 * compile_list.c - coding systems, code lists by their entries in the config, and tables.
 */
#include <string.h>

#include "engine/plan/compile.h"

/* ---- coding systems ---------------------------------------------------- */

System compile_system(Compiler *c, const char *word, Where where)
{
    const char *known[N_SYSTEMS];
    System system = system_of(word);

    if (system != SYSTEM_NONE)
        return system;
    for (int s = 1; s < N_SYSTEMS; s++)
        known[s - 1] = system_word((System)s);
    err_add(c->err, ERR_CONFIG, where, "there is no coding system \"%s\"", word);
    compile_hint(c, word, known, N_SYSTEMS - 1);
    return SYSTEM_NONE;
}

static void read_row_systems(Compiler *c, Source *source, const Node *map)
{
    if (map->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, map->where,
                "\"systems\" must be a map from a word of the source to a system");
        return;
    }
    source->n_systems = map->n;
    source->system_from = arena_alloc(c->arena, (size_t)map->n, sizeof(const char *));
    source->system_to = arena_alloc(c->arena, (size_t)map->n, sizeof(System));
    for (int i = 0; i < map->n; i++) {
        const char *word = "";

        config_word(&word, map, map->keys[i], c->err);
        source->system_from[i] = map->keys[i];
        source->system_to[i] = compile_system(c, word, map->items[i]->where);
    }
}

void compile_systems(Compiler *c, Source *source, const Node *node)
{
    const Column *column = source_column(source, FIELD_SYSTEM);
    const Column *code = source_column(source, FIELD_CODE);
    const Node *systems = config_get(node, "systems");
    const char *word = NULL;

    config_word(&word, node, "system", c->err);
    if (word != NULL)
        source->system = compile_system(c, word, compile_where(node, "system"));
    if (systems != NULL)
        read_row_systems(c, source, systems);
    if (word != NULL && column != NULL)
        err_add(c->err, ERR_CONFIG, compile_where(node, "system"),
                "either \"system\" or a column for it, not both");
    if (systems != NULL && column == NULL)
        err_add(c->err, ERR_CONFIG, systems->where,
                "\"systems\" needs a column \"system\"");
    if (code != NULL && word == NULL && column == NULL) {
        err_add(c->err, ERR_CONFIG, code->where,
                "the coding system of source \"%s\" is missing", source->name);
        err_hint(c->err, "add \"system:\" beside \"columns\", as in system: snomed");
    }
}

/* ---- code lists -------------------------------------------------------- */

static void read_list_system(Compiler *c, ListColumns *columns, const Node *node)
{
    const Node *system = config_get(node, "system");

    if (system == NULL) {
        err_add(c->err, ERR_CONFIG, node->where, "\"system\" is missing");
        err_hint(c->err,
                 "write system: icd10, or system: {column: NAME} where lines differ");
        return;
    }
    if (system->kind == NODE_MAP) {
        if (compile_only(c, system, DOC_LIST_SYSTEM))
            config_need_word(&columns->system, system, "column", c->err);
        return;
    }
    columns->constant_system =
        compile_system(c, system->kind == NODE_WORD ? system->word : "", system->where);
}

/* exclude:, suspect: and keep: name lines by a column and a word in it. Whoever leaves
 * lines out, or doubts them, says why. */
static bool read_line_rule(Compiler *c, ListRule *rule, const Node *node,
                           bool needs_reason)
{
    if (!compile_only(c, node, DOC_LIST_LINES))
        return false;
    config_need_word(&rule->column, node, "column", c->err);
    config_need_word(&rule->word, node, "word", c->err);
    if (needs_reason)
        config_need_word(&rule->reason, node, "reason", c->err);
    else
        config_word(&rule->reason, node, "reason", c->err);
    return rule->column != NULL && rule->word != NULL;
}

/* The items of a list under a key; none after a report. */
static Node *const *line_rules(Compiler *c, int *n, const Node *node, const char *key)
{
    const Node *list = config_get(node, key);

    *n = 0;
    if (list == NULL)
        return NULL;
    if (list->kind != NODE_LIST) {
        err_add(c->err, ERR_CONFIG, list->where, "\"%s\" must be a list", key);
        return NULL;
    }
    *n = list->n;
    return list->items;
}

static void read_rules(Compiler *c, ListColumns *columns, const Node *node,
                       const char *key)
{
    int n;
    Node *const *items = line_rules(c, &n, node, key);

    for (int i = 0; i < n; i++) {
        ListRule rule = {.is_suspect = strcmp(key, "suspect") == 0};

        if (read_line_rule(c, &rule, items[i], true))
            *COMPILE_ADD(c, columns->rules, columns->n_rules) = rule;
    }
}

static void read_keep(Compiler *c, ListColumns *columns, const Node *node)
{
    int n, n_words = 0;
    Node *const *items = line_rules(c, &n, node, "keep");

    for (int i = 0; i < n; i++) {
        ListRule rule = {0};

        if (!read_line_rule(c, &rule, items[i], false))
            continue;
        *COMPILE_ADD(c, columns->keep_word, n_words) = rule.word;
        *COMPILE_ADD(c, columns->keep_column, columns->n_keep) = rule.column;
    }
}

static void read_match(Compiler *c, ListColumns *columns, const Node *node)
{
    const char *word = NULL;

    config_word(&word, node, "match", c->err);
    if (word == NULL)
        return;
    columns->match = strcmp(word, "prefix") == 0 ? MATCH_PREFIX : MATCH_EXACT;
    if (columns->match == MATCH_EXACT && strcmp(word, "exact") != 0)
        err_add(c->err, ERR_CONFIG, compile_where(node, "match"),
                "codes match by prefix or exact, not \"%s\"", word);
}

static void read_list_columns(Compiler *c, ListColumns *columns, const Node *node)
{
    config_need_word(&columns->code, node, "code", c->err);
    config_word(&columns->category, node, "category", c->err);
    config_word(&columns->label, node, "label", c->err);
    config_word(&columns->weight, node, "weight", c->err);
    config_word(&columns->above, node, "gt", c->err);
    config_word(&columns->below, node, "lt", c->err);
    config_word(&columns->sex, node, "sex", c->err);
    read_list_system(c, columns, node);
    read_match(c, columns, node);
    read_rules(c, columns, node, "exclude");
    read_rules(c, columns, node, "suspect");
    read_keep(c, columns, node);
}

/* Without these nobody can say where a list came from, or use it lawfully. */
static void read_list_words(Compiler *c, CodeList *list, const Node *node)
{
    config_need_word(&list->title, node, "title", c->err);
    config_need_word(&list->source, node, "source", c->err);
    config_need_word(&list->version, node, "version", c->err);
    config_need_word(&list->terminology, node, "terminology", c->err);
    config_need_word(&list->licence, node, "licence", c->err);
}

static void warn_list(Compiler *c, const CodeList *list)
{
    if (list->n_repeats > 0)
        compile_warn(c, list->where, "list \"%s\": %d line%s repeated, counted once",
                     list->id, list->n_repeats, list->n_repeats == 1 ? " is" : "s are");
    if (list->n_excluded > 0)
        compile_warn(c, list->where, "list \"%s\": %d line%s left out by the config",
                     list->id, list->n_excluded, list->n_excluded == 1 ? " is" : "s are");
    if (list->n_suspect > 0)
        compile_warn(c, list->where,
                     "list \"%s\": %d line%s in it and doubted by the config", list->id,
                     list->n_suspect, list->n_suspect == 1 ? " is" : "s are");
}

static void read_list(Compiler *c, const char *id, const Node *node, Where where)
{
    CodeList *list = COMPILE_ADD(c, c->plan->lists, c->plan->n_lists);
    ListColumns columns = {0};
    const Node *file = config_get(node, "file");
    const char *path, *bytes;
    int before = c->err->n_reports;
    size_t len;

    list->id = id;
    list->where = where;
    if (!compile_only(c, node, DOC_CODE_LIST))
        return;
    config_need_word(&list->file, node, "file", c->err);
    read_list_words(c, list, node);
    read_list_columns(c, &columns, node);
    if (list->file == NULL || (bytes = compile_bytes(c, &path, &len, file)) == NULL)
        return;
    list->file = path;
    if (c->err->n_reports == before &&
        codes_parse(list, &columns, path, bytes, len, c->arena, c->err) == 0)
        warn_list(c, list);
}

static void read_lists(Compiler *c, const Node *document)
{
    if (document->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, document->where, "code lists must be a map");
        return;
    }
    for (int i = 0; i < document->n; i++) {
        const char *id = document->keys[i];
        Where where = document->key_where[i];

        compile_is_name(c, id, where);
        for (int l = 0; l < c->plan->n_lists; l++) {
            const CodeList *other = &c->plan->lists[l];

            if (strcmp(other->id, id) == 0)
                err_add(c->err, ERR_CONFIG, where,
                        "the list \"%s\" is here twice, first in %s, line %llu", id,
                        other->where.name, (unsigned long long)other->where.line);
        }
        read_list(c, id, document->items[i], where);
    }
}

void compile_lists(Compiler *c, const Node *run)
{
    int n;
    const Node **documents = compile_documents(c, &n, run, "code_lists");

    for (int i = 0; i < n; i++)
        read_lists(c, documents[i]);
}

int compile_list_find(Compiler *c, const char *id, Where where)
{
    const Plan *plan = c->plan;
    const char **known = arena_alloc(c->arena, (size_t)plan->n_lists, sizeof *known);

    for (int l = 0; l < plan->n_lists; l++) {
        known[l] = plan->lists[l].id;
        if (strcmp(known[l], id) == 0)
            return l;
    }
    err_add(c->err, ERR_CONFIG, where, "there is no code list \"%s\"", id);
    compile_hint(c, id, known, (size_t)plan->n_lists);
    return -1;
}

int list_category(const CodeList *list, const char *word)
{
    for (int k = 0; k < list->n_categories; k++) {
        if (strcmp(list->categories[k].name, word) == 0)
            return k;
    }
    for (int k = 0; k < list->n_categories; k++) {
        if (strcmp(list->categories[k].id, word) == 0)
            return k;
    }
    return -1;
}

/* ---- tables ------------------------------------------------------------ */

bool compile_table(Compiler *c, Table *table, const Node *file)
{
    const char *path, *bytes;
    size_t len;

    if (file->kind != NODE_WORD) {
        err_add(c->err, ERR_CONFIG, file->where, "expected the name of a file");
        return false;
    }
    bytes = compile_bytes(c, &path, &len, file);
    return bytes != NULL && table_parse(table, path, bytes, len, c->arena, c->err) == 0;
}
