/* Any bytes at all: config_parse() accepts them or says why not, with a place that is
 * in the text. What it accepts can be walked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/config.h"

/* Aliases make a document larger than its text, so the walk has an end. */
static void walk(const Node *node, int *left)
{
    if (--*left < 0)
        return;
    if (node->where.line == 0 || (node->kind == NODE_WORD && node->word == NULL))
        abort();
    if (node->kind == NODE_WORD && !text_is_utf8(node->word, strlen(node->word)))
        abort();
    for (int i = 0; i<node->n && * left> 0; i++) {
        if (node->kind == NODE_MAP &&
            (node->key_where[i].line == 0 || config_get(node, node->keys[i]) == NULL))
            abort();
        walk(node->items[i], left);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Arena *arena = arena_new();
    Node *root = NULL;
    Err err = {0};
    int rc = config_parse(&root, "fuzz", (const char *)data, len, arena, &err);
    int left = 10000;

    if ((rc == 0) != (err.n_reports == 0) || (rc == 0) != (err.text[0] == '\0'))
        abort(); /* a failure without a report, or a report without a failure */
    if (rc == 0)
        walk(root, &left);
    arena_free(arena);
    return 0;
}
