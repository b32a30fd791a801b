/*
 * compile_ensemble.c - models made of other models: their keys, the file of their map,
 * and which models come first. The kind reads the rest.
 */
#include <string.h>

#include "engine/plan/compile.h"

/* The map of a member, one after the other; NULL after the last. */
static const Node *member_at(const Node *node, int i)
{
    const Node *of = config_get(node, "of"), *members = config_get(node, "members");

    if (of != NULL)
        return i == 0 ? of : NULL;
    if (members == NULL || members->kind != NODE_LIST || i >= members->n)
        return NULL;
    return members->items[i];
}

int compile_member(const Compiler *c, const Node *node, int i)
{
    const Node *member = member_at(node, i);
    const Node *id = member != NULL ? config_get(member, "model") : NULL;

    if (member == NULL)
        return MEMBER_END;
    for (int m = 0; id != NULL && id->kind == NODE_WORD && m < c->plan->n_models; m++) {
        if (strcmp(c->plan->models[m].id, id->word) == 0)
            return m;
    }
    return MEMBER_UNKNOWN;
}

void compile_ensemble(Compiler *c, const Node *node)
{
    Document document = config_get(node, "of") != NULL ? DOC_MODEL_OF : DOC_MODEL_MEMBER;
    const Node *map = config_get(node, "map"), *file, *member;

    for (int i = 0; (member = member_at(node, i)) != NULL; i++)
        compile_only(c, member, document);
    if (map == NULL || map->kind != NODE_MAP || !compile_only(c, map, DOC_MODEL_MAP))
        return;
    file = config_get(map, "file");
    if (file != NULL && file->kind == NODE_WORD)
        compile_hash(c, file);
}
