/*
 * compile_people.c - who is in a run: practices and their groupings, the area, opt-outs.
 */
#include <string.h>

#include "engine/plan/compile.h"

/* ---- practices and the area -------------------------------------------- */

static void read_grouping(Compiler *c, Source *source, const char *id, const Node *map)
{
    Plan *plan = c->plan;
    Grouping *grouping;
    const char *column = id, *name = NULL;
    int number;

    if (!compile_only(c, map, DOC_GROUPING))
        return;
    if (plan->n_groupings == MOST_GROUPINGS) {
        err_add(c->err, ERR_CONFIG, map->where, "more than %d groupings",
                MOST_GROUPINGS - 2);
        return;
    }
    number = plan->n_groupings;
    grouping = COMPILE_ADD(c, plan->groupings, plan->n_groupings);
    *grouping = (Grouping){id, id};
    config_word(&grouping->title, map, "title", c->err);
    config_word(&column, map, "column", c->err);
    config_word(&name, map, "name", c->err);
    source_add_column(
        c, source,
        (Column){column, FIELD_GROUPING, number, compile_where(map, "column")});
    if (name != NULL)
        source_add_column(c, source,
                          (Column){name, FIELD_NAME, number, compile_where(map, "name")});
}

void compile_groupings(Compiler *c, Source *practices, const Node *node)
{
    const Node *map = config_get(node, "groupings");

    if (map == NULL)
        return;
    if (map->kind != NODE_MAP) {
        err_add(c->err, ERR_CONFIG, map->where, "\"groupings\" must be a map");
        return;
    }
    for (int i = 0; i < map->n; i++) {
        const char *id = map->keys[i];

        compile_is_name(c, id, map->key_where[i]);
        if (strcmp(id, "all") == 0 || strcmp(id, "practice") == 0)
            err_add(c->err, ERR_CONFIG, map->key_where[i],
                    "the grouping \"%s\" is always there", id);
        else
            read_grouping(c, practices, id, map->items[i]);
    }
}

void compile_area(Compiler *c, const Node *sources)
{
    Plan *plan = c->plan;
    Population *population = &plan->population;
    const Node *area = config_get(sources, "area");
    const char *known[MOST_GROUPINGS];
    const Node **words;
    int n = 0;

    if (area == NULL)
        return;
    if (area->kind != NODE_MAP || area->n != 1) {
        err_add(c->err, ERR_CONFIG, area->where,
                "\"area\" names one grouping and the groups to keep");
        err_hint(c->err, "write it as in area: {locality: [...]}");
        return;
    }
    if (config_get(sources, "practices") == NULL)
        err_add(c->err, ERR_CONFIG, area->where, "\"area\" needs \"practices\"");
    config_words(&words, &n, area, area->keys[0], c->arena, c->err);
    population->area = arena_alloc(c->arena, (size_t)n, sizeof(const char *));
    for (int i = 0; i < n; i++)
        population->area[population->n_area++] = words[i]->word;
    for (int g = 1; g < plan->n_groupings; g++) {
        known[g - 1] = plan->groupings[g].id;
        if (strcmp(known[g - 1], area->keys[0]) == 0)
            population->area_grouping = g;
    }
    if (population->area_grouping != 0)
        return;
    err_add(c->err, ERR_CONFIG, area->key_where[0], "there is no grouping \"%s\"",
            area->keys[0]);
    compile_hint(c, area->keys[0], known, (size_t)plan->n_groupings - 1);
}

/* Where people get their practice from: one of three. */
void compile_practice(Compiler *c, const Node *sources)
{
    const Node *people = config_get(sources, "people");
    bool registered = config_get(sources, "registrations") != NULL;
    bool by_column = people != NULL && config_get(people, "columns") != NULL &&
                     config_get(config_get(people, "columns"), "practice") != NULL;
    bool fixed = config_get(sources, "practice") != NULL;

    config_word(&c->plan->population.practice, sources, "practice", c->err);
    if (registered + by_column + fixed == 1)
        return;
    err_add(c->err, ERR_CONFIG, sources->where,
            registered + by_column + fixed == 0
                ? "nothing says which practice a person belongs to"
                : "more than one thing says which practice a person belongs to");
    err_hint(c->err, "give one of \"registrations\", a column \"practice\" of people, or "
                     "\"practice: NAME\" for everyone");
}

/* ---- opt-outs ---------------------------------------------------------- */

static void read_removes(Compiler *c, OptOut *opt_out, const Node *map)
{
    const Node **words;
    int n = 0;

    if (config_get(map, "removes") == NULL)
        err_add(c->err, ERR_CONFIG, map->where, "\"removes\" is missing");
    config_words(&words, &n, map, "removes", c->arena, c->err);
    for (int i = 0; i < n; i++) {
        int number;

        if (strcmp(words[i]->word, "person") == 0) {
            opt_out->removes_person = true;
            continue;
        }
        number = compile_event_source(c, words[i]->word, words[i]->where);
        if (number >= 0)
            opt_out->sources |= UINT64_C(1) << number;
    }
}

static void read_opt_out(Compiler *c, const Node *map)
{
    Population *population = &c->plan->population;
    OptOut *opt_out;
    const char *type = NULL;

    if (!compile_only(c, map, DOC_OPT_OUT))
        return;
    config_need_word(&type, map, "type", c->err);
    if (type == NULL)
        return;
    for (int i = 0; i < population->n_opt_outs; i++) {
        if (strcmp(population->opt_outs[i].type, type) == 0)
            err_add(c->err, ERR_CONFIG, compile_where(map, "type"),
                    "the opt-out \"%s\" is here twice", type);
    }
    if (population->n_opt_outs == MOST_OPT_OUTS) {
        err_add(c->err, ERR_CONFIG, map->where, "more than %d types of opt-out",
                MOST_OPT_OUTS);
        return;
    }
    opt_out = COMPILE_ADD(c, population->opt_outs, population->n_opt_outs);
    *opt_out = (OptOut){.type = type, .label = type};
    config_word(&opt_out->label, map, "label", c->err);
    read_removes(c, opt_out, map);
}

void compile_policy(Compiler *c, const Node *sources)
{
    const Node *opt_outs = config_get(sources, "opt_outs");
    const Node *policy = opt_outs != NULL ? config_get(opt_outs, "policy") : NULL;

    if (opt_outs == NULL || opt_outs->kind != NODE_MAP)
        return;
    if (policy == NULL || policy->kind != NODE_LIST || policy->n == 0) {
        err_add(c->err, ERR_CONFIG, compile_where(opt_outs, "policy"),
                "opt-outs need a policy: a list of what each type removes");
        return;
    }
    for (int i = 0; i < policy->n; i++)
        read_opt_out(c, policy->items[i]);
}
