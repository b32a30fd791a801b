/*
 * config_get.c - typed reading of Nodes: what a value must be, in the words of who
 * wrote it.
 */
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/config.h"

static const char *kind_word(const Node *node)
{
    return node->kind == NODE_WORD   ? "a word"
           : node->kind == NODE_LIST ? "a list"
                                     : "a map";
}

const Node *config_get(const Node *map, const char *key)
{
    if (map->kind != NODE_MAP)
        return NULL;
    for (int i = 0; i < map->n; i++) {
        if (strcmp(map->keys[i], key) == 0)
            return map->items[i];
    }
    return NULL;
}

/* The word of a key, or NULL: missing (rc stays 0), or reported (rc is -1). */
static const Node *get_word(const Node *map, const char *key, const char *want, int *rc,
                            Err *err)
{
    const Node *node = config_get(map, key);

    if (node == NULL)
        return NULL;
    if (node->kind != NODE_WORD)
        *rc = err_add(err, ERR_CONFIG, node->where, "\"%s\" must be %s, not %s", key,
                      want, kind_word(node));
    else if (node->word[0] == '\0' && !node->is_quoted)
        *rc = err_add(err, ERR_CONFIG, node->where, "\"%s\" is empty", key);
    else
        return node;
    return NULL;
}

int config_word(const char **out, const Node *map, const char *key, Err *err)
{
    int rc = 0;
    const Node *node = get_word(map, key, "a word", &rc, err);

    if (node != NULL)
        *out = node->word;
    return rc;
}

int config_need_word(const char **out, const Node *map, const char *key, Err *err)
{
    if (config_get(map, key) == NULL)
        return err_add(err, ERR_CONFIG, map->where, "\"%s\" is missing", key);
    return config_word(out, map, key, err);
}

int config_number(double *out, const Node *map, const char *key, Err *err)
{
    int rc = 0;
    const Node *node = get_word(map, key, "a number", &rc, err);

    if (node == NULL || text_double(out, node->word, strlen(node->word)))
        return rc;
    return err_add(err, ERR_CONFIG, node->where, "\"%s\" must be a number, not \"%s\"",
                   key, node->word);
}

int config_int(long *out, const Node *map, const char *key, long least, long most,
               Err *err)
{
    int rc = 0;
    const Node *node = get_word(map, key, "a whole number", &rc, err);
    int64_t number;

    if (node == NULL)
        return rc;
    if (!text_int64(&number, node->word, strlen(node->word)) || number < least ||
        number > most)
        return err_add(err, ERR_CONFIG, node->where,
                       "\"%s\" must be a whole number from %ld to %ld, not \"%s\"", key,
                       least, most, node->word);
    *out = (long)number;
    return 0;
}

int config_yesno(bool *out, const Node *map, const char *key, Err *err)
{
    int rc = 0;
    const Node *node = get_word(map, key, "true or false", &rc, err);

    if (node == NULL)
        return rc;
    if (strcmp(node->word, "true") != 0 && strcmp(node->word, "false") != 0)
        return err_add(err, ERR_CONFIG, node->where,
                       "\"%s\" must be true or false, not \"%s\"", key, node->word);
    *out = node->word[0] == 't';
    return 0;
}

int config_words(const Node ***out, int *n, const Node *map, const char *key,
                 Arena *arena, Err *err)
{
    const Node *node = config_get(map, key);
    const Node **words;
    int rc = 0;

    if (node == NULL)
        return 0;
    if (node->kind != NODE_LIST) {
        words = arena_alloc(arena, 1, sizeof *words);
        words[0] = get_word(map, key, "a word or a list of words", &rc, err);
        *out = words;
        *n = rc == 0;
        return rc;
    }
    words = arena_alloc(arena, (size_t)node->n, sizeof *words);
    for (int i = 0; i < node->n; i++) {
        words[i] = node->items[i];
        if (words[i]->kind != NODE_WORD)
            rc = err_add(err, ERR_CONFIG, words[i]->where,
                         "\"%s\" must hold words, not %s", key, kind_word(words[i]));
        else if (words[i]->word[0] == '\0' && !words[i]->is_quoted)
            rc = err_add(err, ERR_CONFIG, words[i]->where, "\"%s\" holds an empty word",
                         key);
    }
    *out = words;
    *n = rc == 0 ? node->n : 0;
    return rc;
}

/* The nearest of the known keys as a hint; all of them where none is near. */
static void hint_keys(const char *key, const char *const *known, int n, Err *err)
{
    const char *nearest = text_nearest(key, known, (size_t)n);
    char all[512];
    int len = 0;

    if (nearest != NULL) {
        err_hint(err, "did you mean \"%s\"?", nearest);
        return;
    }
    all[0] = '\0';
    for (int i = 0; i < n && len < (int)sizeof all; i++)
        len += snprintf(all + len, sizeof all - (size_t)len, "%s%s", i > 0 ? ", " : "",
                        known[i]);
    err_hint(err, "the keys here are: %s", all);
}

int config_only(const Node *map, const char *const *known, int n, Err *err)
{
    int rc = 0;

    if (map->kind != NODE_MAP)
        return err_add(err, ERR_CONFIG, map->where, "this must be a map of keys, not %s",
                       kind_word(map));
    for (int i = 0; i < map->n; i++) {
        bool is_known = false;

        for (int k = 0; k < n; k++)
            is_known |= strcmp(map->keys[i], known[k]) == 0;
        if (is_known)
            continue;
        rc = err_add(err, ERR_CONFIG, map->key_where[i], "unknown key \"%s\"",
                     map->keys[i]);
        hint_keys(map->keys[i], known, n, err);
    }
    return rc;
}
