/*
 * config.h - YAML 1.2 documents that remember the line and column of every word.
 *
 * Built on libfyaml. Scalars stay the text they were written as: 0123, NO and 1.0
 * mean what their place in the config says. Duplicate keys, anchors used before
 * they are defined, and more than one document in a file are reported.
 *
 * An alias gives the anchor's own Node, place included. Tags and merge keys have no
 * meaning here and are refused.
 */
#ifndef ENGINE_CONFIG_CONFIG_H
#define ENGINE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

typedef enum NodeKind { NODE_WORD, NODE_LIST, NODE_MAP } NodeKind;

/* A value of a document. Everything lies in the arena given to config_read. */
typedef struct Node {
    NodeKind kind;
    Where where;      /* of the value's first byte */
    bool is_quoted;   /* NODE_WORD: written in quotes or as a block */
    const char *word; /* NODE_WORD: NUL-terminated UTF-8; "" for an empty value */
    int n;            /* NODE_LIST, NODE_MAP: number of items */
    struct Node **items;
    const char **keys; /* NODE_MAP */
    Where *key_where;  /* NODE_MAP */
} Node;

/* The bytes of a file of at most 16 MiB, with a NUL after them, in the arena. For
 * code lists and hashes as well. */
int config_file(const char **text, size_t *len, const char *path, Arena *arena, Err *err);
/* Reports the first line that is not UTF-8 or holds a zero byte. */
int config_check_text(const char *name, const char *text, size_t len, Err *err);

/* Reads one file. path is kept as written for reports. */
int config_read(Node **root, const char *path, Arena *arena, Err *err);
/* The same from memory: len bytes, reported under name. */
int config_parse(Node **root, const char *name, const char *text, size_t len,
                 Arena *arena, Err *err);

/* The value of a key, or NULL. */
const Node *config_get(const Node *map, const char *key);

/*
 * Typed reading. Each reports under ERR_CONFIG and returns -1 when the value is
 * there but is not what is asked; a missing key gives 0 and leaves *out alone,
 * except in the _need forms, which report it at the map's place.
 */
int config_word(const char **out, const Node *map, const char *key, Err *err);
int config_need_word(const char **out, const Node *map, const char *key, Err *err);
int config_number(double *out, const Node *map, const char *key, Err *err);
int config_int(long *out, const Node *map, const char *key, long least, long most,
               Err *err);
int config_yesno(bool *out, const Node *map, const char *key, Err *err); /* true, false */
/* A word or a list of words, as a list. */
int config_words(const Node ***out, int *n, const Node *map, const char *key,
                 Arena *arena, Err *err);

/* Reports every key of the map that is not among the n known ones, with the
 * nearest name as the hint. Returns -1 if there was any. */
int config_only(const Node *map, const char *const *known, int n, Err *err);

#endif
