/*
 * config.c - libfyaml's events -> Nodes.
 *
 * The events are used and not its document tree: they carry the place of every
 * word, and duplicate keys, depth and aliases can be judged here, with our own words
 * and places.
 */
#include "engine/config/config.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/names.h"

enum {
    MOST_DEPTH = 64,
    MOST_NODES = 1 << 20 /* an alias counts for all that it stands for */
};

typedef struct Anchor {
    const char *name;
    Node *node;
    size_t n_nodes;
} Anchor;

typedef struct Builder {
    struct fy_parser *parser;
    struct fy_event *event; /* the one in hand */
    const char *text;
    Where last; /* the last place known; an empty value has none of its own */
    size_t n_nodes;
    Anchor *anchors;
    int n_anchors, anchors_room;
    char *scratch; /* the text in hand */
    size_t used, room;
    Arena *arena;
    Err *err;
} Builder;

static Node *build_node(Builder *builder, int depth);

/* Where the event starts; libfyaml counts characters, we count bytes. */
static Where place_of(Builder *builder)
{
    const struct fy_mark *mark = fy_event_start_mark(builder->event);
    size_t start;

    if (mark != NULL) {
        start = mark->input_pos;
        while (start > 0 && builder->text[start - 1] != '\n' &&
               builder->text[start - 1] != '\r')
            start--;
        builder->last.line = (uint64_t)mark->line + 1;
        builder->last.column = (uint32_t)(mark->input_pos - start) + 1;
    }
    return builder->last;
}

/* Takes the next event in hand. False at the end and after a fault in the text. */
static bool next_event(Builder *builder)
{
    fy_parser_event_free(builder->parser, builder->event);
    builder->event = fy_parser_parse(builder->parser);
    return builder->event != NULL;
}

static void append(Builder *builder, const char *text, size_t len)
{
    if (builder->room - builder->used < len) {
        builder->room = (builder->used + len) * 2;
        builder->scratch =
            mem_grow(builder->scratch, builder->room, 1, "text of a config");
    }
    if (len > 0)
        memcpy(builder->scratch + builder->used, text, len);
    builder->used += len;
}

/* A line break in quotes: with the blanks around it one blank, or, where empty lines
 * follow, a line break for each of them. Returns what comes after. */
static const char *append_fold(Builder *builder, const char *at)
{
    int n_breaks = 0;

    while (builder->used > 0 && strchr(" \t", builder->scratch[builder->used - 1]))
        builder->used--;
    for (; *at != '\0' && strchr(" \t\r\n", *at) != NULL; at++)
        n_breaks += *at == '\n' || (*at == '\r' && at[1] != '\n');
    if (n_breaks == 1)
        append(builder, " ", 1);
    for (; n_breaks > 1; n_breaks--)
        append(builder, "\n", 1);
    return at;
}

/* Text in single quotes, from behind the first. libfyaml 0.7.12 gives too many where
 * several follow one another ('a''''b'). */
static void append_quoted(Builder *builder, const char *at)
{
    while (*at != '\0') {
        size_t n = strcspn(at, "'\r\n");

        append(builder, at, n);
        at += n;
        if (at[0] == '\'' && at[1] != '\'')
            return;
        if (at[0] == '\'') {
            append(builder, "'", 1);
            at += 2;
        } else {
            at = append_fold(builder, at);
        }
    }
}

/* Any other text, piece by piece: fy_token_get_text() leaks where there are many. */
static int append_token(Builder *builder, struct fy_token *token)
{
    struct fy_token_iter *iter = fy_token_iter_create(token);
    const struct fy_iter_chunk *chunk = NULL;
    int fault = 0;

    while ((chunk = fy_token_iter_chunk_next(iter, chunk, &fault)) != NULL)
        append(builder, chunk->str, chunk->len);
    fy_token_iter_destroy(iter);
    return fault;
}

/* The token's text in the arena; NULL after a report. */
static const char *take_text(Builder *builder, struct fy_token *token, Where where)
{
    const struct fy_mark *mark = token == NULL ? NULL : fy_token_start_mark(token);

    builder->used = 0;
    if (mark == NULL)
        return "";
    if (fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED) {
        append_quoted(builder, builder->text + mark->input_pos);
    } else if (append_token(builder, token) != 0) {
        err_add(builder->err, ERR_CONFIG, where, "this word cannot be read");
        return NULL;
    }
    if (builder->used > 0 && memchr(builder->scratch, '\0', builder->used) != NULL) {
        err_add(builder->err, ERR_CONFIG, where, "a word holds a zero byte");
        return NULL;
    }
    return arena_text(builder->arena, builder->scratch, builder->used);
}

static void refuse_tag(Builder *builder, Where where)
{
    struct fy_token *tag = fy_event_get_tag_token(builder->event);
    const char *text = tag == NULL ? NULL : take_text(builder, tag, where);

    if (text == NULL)
        return;
    err_add(builder->err, ERR_CONFIG, where, "the tag \"%s\" has no meaning here", text);
    err_hint(builder->err, "leave it out; what a value is follows from its key");
}

/* A block starts at the indent of its first line; its text starts behind that. */
static uint32_t indent_of(const Builder *builder)
{
    const struct fy_mark *mark = fy_event_start_mark(builder->event);

    return mark == NULL ? 0 : (uint32_t)strspn(builder->text + mark->input_pos, " ");
}

static Node *build_word(Builder *builder, Where where)
{
    Node *node = arena_alloc(builder->arena, 1, sizeof *node);
    enum fy_node_style style = fy_event_get_node_style(builder->event);

    if (style == FYNS_LITERAL || style == FYNS_FOLDED)
        where.column += indent_of(builder);
    node->kind = NODE_WORD;
    node->where = where;
    node->is_quoted = style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED ||
                      style == FYNS_LITERAL || style == FYNS_FOLDED;
    node->word = take_text(builder, fy_event_get_token(builder->event), where);
    return node->word == NULL ? NULL : node;
}

static Node *build_alias(Builder *builder, Where where)
{
    const char *name = take_text(builder, fy_event_get_token(builder->event), where);

    if (name == NULL)
        return NULL;
    for (int i = builder->n_anchors - 1; i >= 0; i--) {
        if (strcmp(builder->anchors[i].name, name) == 0) {
            builder->n_nodes += builder->anchors[i].n_nodes;
            return builder->anchors[i].node;
        }
    }
    err_add(builder->err, ERR_CONFIG, where, "no anchor \"&%s\" comes before this", name);
    return NULL;
}

static void add_anchor(Builder *builder, const char *name, Node *node, size_t n_nodes)
{
    if (builder->n_anchors == builder->anchors_room) {
        int room = builder->anchors_room > 0 ? builder->anchors_room * 2 : 8;

        builder->anchors =
            arena_grow(builder->arena, builder->anchors, (size_t)builder->n_anchors,
                       (size_t)room, sizeof *builder->anchors);
        builder->anchors_room = room;
    }
    builder->anchors[builder->n_anchors++] = (Anchor){name, node, n_nodes};
}

/* Room for one more item, and for its key in a map. */
static void make_room(Arena *arena, Node *node, int *room)
{
    size_t n = (size_t)node->n, more = n > 0 ? n * 2 : 4;

    if (node->n < *room)
        return;
    node->items = arena_grow(arena, node->items, n, more, sizeof *node->items);
    if (node->kind == NODE_MAP) {
        node->keys = arena_grow(arena, node->keys, n, more, sizeof *node->keys);
        node->key_where =
            arena_grow(arena, node->key_where, n, more, sizeof *node->key_where);
    }
    *room = (int)more;
}

static Node *build_list(Builder *builder, Where where, int depth)
{
    Node *node = arena_alloc(builder->arena, 1, sizeof *node);
    int room = 0;

    node->kind = NODE_LIST;
    node->where = where;
    while (next_event(builder) && builder->event->type != FYET_SEQUENCE_END) {
        make_room(builder->arena, node, &room);
        node->items[node->n] = build_node(builder, depth + 1);
        if (node->items[node->n++] == NULL)
            return NULL;
    }
    return builder->event == NULL ? NULL : node;
}

/* The key in hand; NULL after a report. */
static const char *take_key(Builder *builder, Where where)
{
    struct fy_event *event = builder->event;
    const char *key;

    if (event->type != FYET_SCALAR) {
        err_add(builder->err, ERR_CONFIG, where, "a key must be a word");
        return NULL;
    }
    refuse_tag(builder, where);
    key = take_text(builder, fy_event_get_token(event), where);
    if (key != NULL && strcmp(key, "<<") == 0 &&
        fy_event_get_node_style(event) == FYNS_PLAIN) {
        err_add(builder->err, ERR_CONFIG, where,
                "the merge key \"<<\" is not understood");
        err_hint(builder->err, "write the keys out; YAML 1.2 has no merge keys");
        return NULL;
    }
    return key;
}

static Node *build_map(Builder *builder, Where where, int depth)
{
    Node *node = arena_alloc(builder->arena, 1, sizeof *node);
    Names *seen = names_new();
    int room = 0;

    node->kind = NODE_MAP;
    node->where = where;
    while (next_event(builder) && builder->event->type != FYET_MAPPING_END) {
        Where key_where = place_of(builder);
        const char *key = take_key(builder, key_where);
        Node *item;
        int number;

        if (key == NULL || !next_event(builder) ||
            (item = build_node(builder, depth + 1)) == NULL) {
            node = NULL;
            break;
        }
        number = names_add(seen, key, strlen(key));
        if (number < node->n) {
            err_add(builder->err, ERR_CONFIG, key_where,
                    "key \"%s\" is here twice, first on line %llu", key,
                    (unsigned long long)node->key_where[number].line);
            continue;
        }
        make_room(builder->arena, node, &room);
        node->items[node->n] = item;
        node->keys[node->n] = key;
        node->key_where[node->n++] = key_where;
    }
    names_free(seen);
    return builder->event == NULL ? NULL : node;
}

/* The value that starts with the event in hand, which afterwards is its last one.
 * NULL where building cannot go on: after a report, or a fault in the text. */
static Node *build_node(Builder *builder, int depth)
{
    Where where = place_of(builder);
    struct fy_token *token = fy_event_get_anchor_token(builder->event);
    const char *anchor = token == NULL ? NULL : take_text(builder, token, where);
    size_t n_before = builder->n_nodes++;
    Node *node;

    if (depth > MOST_DEPTH) {
        err_add(builder->err, ERR_CONFIG, where, "nested more than %d levels deep",
                MOST_DEPTH);
        return NULL;
    }
    refuse_tag(builder, where);
    switch (builder->event->type) {
    case FYET_ALIAS:
        node = build_alias(builder, where);
        break;
    case FYET_SEQUENCE_START:
        node = build_list(builder, where, depth);
        break;
    case FYET_MAPPING_START:
        node = build_map(builder, where, depth);
        break;
    default:
        node = build_word(builder, where);
    }
    if (node != NULL && builder->n_nodes > MOST_NODES) {
        err_add(builder->err, ERR_CONFIG, where, "more than %d values, aliases followed",
                MOST_NODES);
        return NULL;
    }
    if (node != NULL && anchor != NULL)
        add_anchor(builder, anchor, node, builder->n_nodes - n_before);
    return node;
}

/* The only document; NULL after a report, or a fault in the text. */
static Node *build_document(Builder *builder)
{
    Node *root = NULL;

    while (next_event(builder) && builder->event->type != FYET_STREAM_END) {
        if (builder->event->type != FYET_DOCUMENT_START)
            continue;
        if (root != NULL) {
            place_of(builder);
            if (next_event(builder))
                err_add(builder->err, ERR_CONFIG, place_of(builder),
                        "a second document starts here");
            return NULL;
        }
        if (!next_event(builder) || (root = build_node(builder, 1)) == NULL)
            return NULL;
    }
    if (builder->event != NULL && root == NULL)
        err_add(builder->err, ERR_CONFIG, builder->last, "there is nothing in it");
    return root;
}

/* ---- faults in the text ------------------------------------------------ */

/* The first byte of a line (from 1), or the end of the text. */
static const char *line_start(const char *text, uint64_t line)
{
    while (line > 1 && *text != '\0') {
        text += strcspn(text, "\r\n");
        if (*text != '\0')
            text += text[0] == '\r' && text[1] == '\n' ? 2 : 1;
        line--;
    }
    return text;
}

/* The byte of the line at which its n-th character (from 1) starts. */
static uint32_t byte_column(const char *line, int character)
{
    uint32_t at = 0;

    while (character > 1 && line[at] != '\0' && line[at] != '\n') {
        at++;
        while (((unsigned char)line[at] & 0xc0) == 0x80)
            at++;
        character--;
    }
    return at + 1;
}

static bool tab_indents(const char *line)
{
    return line[strspn(line, " ")] == '\t';
}

/* libfyaml reports the first fault and stops. */
static void report_fault(const Builder *builder, struct fy_diag *diag)
{
    void *next = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(diag, &next);
    Where where = builder->last;
    const char *line;

    if (error == NULL) {
        err_add(builder->err, ERR_CONFIG, where, "this is not YAML");
        return;
    }
    if (error->line > 0) {
        where.line = (uint64_t)error->line;
        line = line_start(builder->text, where.line);
        where.column = byte_column(line, error->column);
    }
    err_add(builder->err, ERR_CONFIG, where, "%s", error->msg);
    if (tab_indents(line_start(builder->text, where.line)) ||
        tab_indents(line_start(builder->text, where.line + 1)))
        err_hint(builder->err, "a tab cannot indent; use blanks");
    else if (strcmp(error->msg, "invalid nested block mapping on the same line") == 0)
        err_hint(builder->err, "put a text with \": \" in it into quotes");
}

static int parse(Node **root, Builder *builder, size_t len)
{
    struct fy_diag_cfg quiet = {.level = FYET_ERROR, .module_mask = ~0U};
    struct fy_diag *diag = fy_diag_create(&quiet);
    struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_QUIET |
                                        FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE,
                               .diag = diag};
    int before = builder->err->n_reports;

    if (diag == NULL)
        return err_add(builder->err, ERR_MEMORY, builder->last, "no room to read it");
    fy_diag_set_collect_errors(diag, true);
    builder->parser = fy_parser_create(&cfg);
    if (builder->parser != NULL &&
        fy_parser_set_string(builder->parser, builder->text, len) == 0) {
        *root = build_document(builder);
        if (*root == NULL && builder->err->n_reports == before)
            report_fault(builder, diag);
        fy_parser_event_free(builder->parser, builder->event);
    } else {
        err_add(builder->err, ERR_MEMORY, builder->last, "no room to read it");
    }
    fy_parser_destroy(builder->parser);
    fy_diag_destroy(diag);
    free(builder->scratch);
    return builder->err->n_reports > before ? -1 : 0;
}

int config_parse(Node **root, const char *name, const char *text, size_t len,
                 Arena *arena, Err *err)
{
    Builder builder = {.last = {name, 1, 1}, .arena = arena, .err = err};

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a byte order mark is no part of the first line */
        len -= 3;
    }
    if (config_check_text(name, text, len, err) != 0)
        return -1;
    builder.text = arena_text(arena, text, len);
    return parse(root, &builder, len);
}

int config_read(Node **root, const char *path, Arena *arena, Err *err)
{
    const char *text;
    size_t len;

    if (config_file(&text, &len, path, arena, err) != 0)
        return -1;
    return config_parse(root, path, text, len, arena, err);
}
