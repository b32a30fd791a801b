/*
 * compile_weights.c - a term for each feature of a family, with its weight from one
 * number, from the code list itself or from a table.
 */
#include <string.h>

#include "engine/plan/compile.h"

/* ---- families ---------------------------------------------------------- */

/* Where the weights of a family come from: one number, a list or a table. */
typedef struct Weights {
    const char *number;
    Where where;
    const CodeList *list;
    Table table;
    int key, weight, label; /* columns of the table */
    bool *is_met;           /* by row */
} Weights;

static bool open_weights(Terms *terms, Weights *weights, const Node *map)
{
    Compiler *c = terms->c;
    const char *id = NULL, *key = "", *weight = "", *label = NULL;
    int list;

    if (map->kind == NODE_MAP && config_get(map, "list") != NULL) {
        compile_only(c, map, DOC_WEIGHTS_LIST);
        config_word(&id, map, "list", c->err);
        list = id == NULL ? -1 : compile_list_find(c, id, compile_where(map, "list"));
        weights->list = list < 0 ? NULL : &c->plan->lists[list];
        if (list >= 0 && weights->list->n_entries > 0 && !weights->list->has_weight)
            err_add(c->err, ERR_CONFIG, compile_where(map, "list"),
                    "list \"%s\" has no weights", id);
        return list >= 0 && weights->list->has_weight;
    }
    if (!compile_only(c, map, DOC_WEIGHTS_FILE))
        return false;
    if (config_get(map, "file") == NULL) {
        err_add(c->err, ERR_CONFIG, map->where, "\"file\" or \"list\" is missing");
        return false;
    }
    config_need_word(&key, map, "key", c->err);
    config_need_word(&weight, map, "weight", c->err);
    config_word(&label, map, "label", c->err);
    if (!compile_table(c, &weights->table, config_get(map, "file")))
        return false;
    weights->key = table_column(&weights->table, key, c->err);
    weights->weight = table_column(&weights->table, weight, c->err);
    weights->label =
        label == NULL ? TABLE_NO_COLUMN : table_column(&weights->table, label, c->err);
    weights->is_met =
        arena_alloc(c->arena, (size_t)weights->table.n_rows, sizeof *weights->is_met);
    return weights->key != TABLE_NO_COLUMN && weights->weight != TABLE_NO_COLUMN;
}

static void weigh_from_list(Terms *terms, Draft *draft, const Weights *weights,
                            const Feature *feature)
{
    int k = list_category(weights->list, feature->category->name);

    if (k < 0) {
        err_add(terms->c->err, ERR_CONFIG, draft->term.where,
                "list \"%s\" has no weight for \"%s\"", weights->list->id, feature->id);
        return;
    }
    draft->weight = (Decimal){weights->list->categories[k].weight,
                              weights->list->categories[k].decimals};
    draft->term.weight = terms_decimal_value(draft->weight);
}

static bool is_key(const char *key, const Category *category)
{
    return strcmp(key, category->id) == 0 || strcmp(key, category->name) == 0;
}

static void weigh_from_table(Terms *terms, Draft *draft, Weights *weights,
                             const Feature *feature)
{
    Compiler *c = terms->c;
    const Table *table = &weights->table;
    int n_found = 0;

    for (int r = 0; r < table->n_rows; r++) {
        const char *key = table_field(table, r, weights->key);
        const char *label = table_field(table, r, weights->label);

        if (!is_key(key, feature->category))
            continue;
        weights->is_met[r] = true;
        if (n_found++ > 0)
            err_add(c->err, ERR_CONFIG, table_where(table, r, weights->key),
                    "\"%s\" is here twice", key);
        if (label[0] != '\0')
            draft->term.label = label;
        terms_weight(terms, draft, table_field(table, r, weights->weight),
                     table_where(table, r, weights->weight));
    }
    if (n_found == 0)
        err_add(c->err, ERR_CONFIG, draft->term.where, "%s has no weight for \"%s\"",
                table->name, feature->id);
}

/* Rows for which the family has no feature. */
static void check_rows(Terms *terms, const Weights *weights, const int *features, int n)
{
    Compiler *c = terms->c;
    const Plan *plan = c->plan;
    const Table *table = &weights->table;
    const char **known = arena_alloc(c->arena, (size_t)n, sizeof *known);

    for (int l = 0; l < plan->n_lists; l++) {
        if (plan->lists[l].n_categories == 0)
            return; /* a list that could not be read would be blamed on the table */
    }
    for (int i = 0; i < n; i++)
        known[i] = plan->features[features[i]].category->id;
    for (int r = 0; r < table->n_rows; r++) {
        const char *key = table_field(table, r, weights->key);

        if (weights->is_met[r])
            continue;
        err_add(c->err, ERR_CONFIG, table_where(table, r, weights->key),
                "family \"%s\" has no category \"%s\"",
                plan->features[features[0]].family, key);
        compile_hint(c, key, known, (size_t)n);
    }
}

static void read_family_weight(Terms *terms, Draft *draft, Weights *weights,
                               const Feature *feature)
{
    if (weights->number != NULL)
        terms_weight(terms, draft, weights->number, weights->where);
    else if (weights->list != NULL)
        weigh_from_list(terms, draft, weights, feature);
    else
        weigh_from_table(terms, draft, weights, feature);
}

/* One weight for all, an index's 1, or `weights:`. False after a report. */
static bool find_weights(Terms *terms, Weights *weights, const Node *node)
{
    Compiler *c = terms->c;
    const Node *map = config_get(node, "weights");
    int before = c->err->n_reports;

    weights->where = compile_where(node, "weight");
    config_word(&weights->number, node, "weight", c->err);
    if (map != NULL && weights->number != NULL)
        err_add(c->err, ERR_CONFIG, map->where,
                "either \"weight\" or \"weights\", not both");
    if (map != NULL)
        return open_weights(terms, weights, map);
    if (weights->number == NULL && strcmp(terms->model->kind->name, "index") == 0)
        weights->number = "1";
    if (weights->number == NULL && c->err->n_reports == before)
        err_add(c->err, ERR_CONFIG, node->where, "\"weights\" is missing");
    return weights->number != NULL;
}

void terms_family(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    Weights weights = {.label = TABLE_NO_COLUMN};
    const char *family = NULL;
    const int *features = NULL;
    int n = 0;

    config_word(&family, node, "family", c->err);
    if (family != NULL)
        features = compile_family(c, &n, family, compile_where(node, "family"));
    if (n == 0 || !find_weights(terms, &weights, node))
        return;
    for (int i = 0; i < n; i++) {
        const Feature *feature = &c->plan->features[features[i]];
        Draft *draft = terms_add(terms, node->where, feature->id, feature->label);
        int before = c->err->n_reports;

        draft->term.slot = feature->slot;
        config_word(&draft->term.say, node, "say", c->err);
        terms_cap(terms, draft, node);
        read_family_weight(terms, draft, &weights, feature);
        if (c->err->n_reports > before && weights.number != NULL)
            return; /* the same for every feature */
    }
    if (weights.is_met != NULL)
        check_rows(terms, &weights, features, n);
}
