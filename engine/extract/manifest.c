/*
 * manifest.c - see manifest.h.
 */
#include "engine/extract/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/extract/folder.h"

enum { DIGEST_TEXT = 2 * SHA256_BYTES };

const char *hex_text(Arena *arena, const uint8_t *bytes, size_t n)
{
    char *text = arena_alloc(arena, 2 * n + 1, 1);

    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_bytes(uint8_t *bytes, size_t n, const char *text)
{
    if (text == NULL || strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* ---- writing ----------------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

/* A number that may be too large for one of JSON. */
static void set_wide(json_t *object, const char *key, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, number);
    set_text(object, key, text);
}

static json_t *files_json(const Piece *piece, Arena *arena)
{
    json_t *files = json_array();

    for (int f = 0; f < piece->n_files; f++) {
        const ManifestFile *file = &piece->files[f];
        json_t *object = json_object();

        set_text(object, "name", file->name);
        set_number(object, "rows", file->chunk.rows);
        if (file->chunk.bad_rows > 0)
            set_number(object, "bad_rows", file->chunk.bad_rows);
        set_number(object, "bytes", file->chunk.bytes);
        set_text(object, "head", hex_text(arena, file->chunk.head, SHA256_BYTES));
        json_array_append_new(files, object);
    }
    return files;
}

static json_t *pieces_json(const ExtractSource *source, Arena *arena)
{
    json_t *pieces = json_array();

    for (int p = 0; p < source->n_pieces; p++) {
        const Piece *piece = &source->pieces[p];
        json_t *object = json_object();

        if (piece->last > 0) {
            set_number(object, "first_page", piece->first);
            set_number(object, "last_page", piece->last);
        }
        set_text(object, "file", piece->file);
        set_text(object, "digest", piece->digest);
        json_object_set_new(object, "files", files_json(piece, arena));
        json_array_append_new(pieces, object);
    }
    return pieces;
}

static json_t *columns_json(const ExtractSource *source)
{
    json_t *columns = json_array();

    for (int c = 0; c < source->n_columns; c++) {
        const ExtractColumn *column = &source->columns[c];
        json_t *object = json_object();

        set_text(object, "name", column->name);
        set_number(object, "type", column->type);
        json_object_set_new(object, "is_integer", json_boolean(column->is_integer));
        json_object_set_new(object, "may_be_plain", json_boolean(column->may_be_plain));
        json_array_append_new(columns, object);
    }
    return columns;
}

static json_t *source_json(const ExtractSource *source, Arena *arena)
{
    json_t *object = json_object();

    set_text(object, "place", source->place);
    set_text(object, "state", source->state);
    if (source->pages > 0)
        set_number(object, "pages", source->pages);
    json_object_set_new(object, "is_text_person", json_boolean(source->is_text_person));
    json_object_set_new(object, "has_persons", json_boolean(source->has_persons));
    json_object_set_new(object, "columns", columns_json(source));
    json_object_set_new(object, "pieces", pieces_json(source, arena));
    return object;
}

char *manifest_text(const Manifest *manifest)
{
    Arena *arena = arena_new();
    json_t *root = json_object(), *sources = json_array();
    char *dumped, *text;
    uint8_t digest[SHA256_BYTES];
    size_t len;

    set_number(root, "stratify_extract", EXTRACT_FORMAT);
    set_number(root, "generation", (uint64_t)manifest->generation);
    set_text(root, "server", manifest->server);
    set_wide(root, "xmin", manifest->xmin);
    set_wide(root, "log_before", manifest->log_before);
    set_wide(root, "log_after", manifest->log_after);
    set_text(root, "snapshot", manifest->snapshot);
    set_text(root, "people", manifest->people);
    set_number(root, "n_people", manifest->n_people);
    set_text(root, "people_digest", manifest->people_digest);
    set_text(root, "opt_outs", manifest->opt_outs);
    for (int s = 0; s < manifest->n_sources; s++)
        json_array_append_new(sources, source_json(&manifest->sources[s], arena));
    json_object_set_new(root, "sources", sources);
    dumped = json_dumps(root, JSON_INDENT(1));
    json_decref(root);
    len = strlen(dumped);
    text = mem_alloc(len + DIGEST_TEXT + 3, 1, "the extract");
    memcpy(text, dumped, len);
    text[len++] = '\n';
    sha256(digest, text, len);
    memcpy(text + len, hex_text(arena, digest, sizeof digest), DIGEST_TEXT);
    text[len + DIGEST_TEXT] = '\n';
    free(dumped);
    arena_free(arena);
    return text;
}

/* All files are on the disk before the new manifest takes the place of the old one, and
 * so is the folder that names them. */
static int replace(const char *from, const char *to, const char *folder, Err *err)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    if (dir < 0 || fsync(dir) != 0 || rename(from, to) != 0 || fsync(dir) != 0)
        rc = err_add(err, ERR_SOURCE, (Where){to, 0, 0},
                     "could not write the manifest of the extract: %s", strerror(errno));
    if (dir >= 0)
        close(dir);
    return rc;
}

int manifest_write(const Manifest *manifest, const char *folder, Err *err)
{
    Arena *arena = arena_new();
    const char *path = arena_format(arena, "%s/" MANIFEST_NAME, folder);
    const char *new_path = arena_format(arena, "%s.new", path);
    char *text = manifest_text(manifest);
    int rc;

    unlink(new_path);
    rc = file_write(new_path, text, strlen(text), err);
    if (rc == 0)
        rc = replace(new_path, path, folder, err);
    free(text);
    arena_free(arena);
    return rc;
}

/* ---- reading ----------------------------------------------------------- */

/* Reads members of objects; one that is missing or of another type is remembered. */
typedef struct Parse {
    Arena *arena;
    bool is_bad;
} Parse;

static const char *get_text(Parse *parse, const json_t *object, const char *key,
                            bool is_needed)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_string(value))
        return arena_text(parse->arena, json_string_value(value),
                          json_string_length(value));
    parse->is_bad |= value != NULL || is_needed;
    return is_needed ? "" : NULL;
}

/* 0 where it is missing. */
static uint64_t get_number(Parse *parse, const json_t *object, const char *key,
                           uint64_t most)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);

    if (value == NULL)
        return 0;
    if (json_is_integer(value) && number >= 0 && (uint64_t)number <= most)
        return (uint64_t)number;
    parse->is_bad = true;
    return 0;
}

/* As set_wide() wrote it; 0 where it is missing. */
static uint64_t get_wide(Parse *parse, const json_t *object, const char *key)
{
    const char *text = get_text(parse, object, key, false);

    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static bool get_flag(Parse *parse, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    parse->is_bad |= !json_is_boolean(value);
    return json_is_true(value);
}

static const json_t *get_array(Parse *parse, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    parse->is_bad |= !json_is_array(value);
    return value;
}

/* A name in the folder: never one that leads out of it. */
static bool is_file_name(const char *name)
{
    return strstr(name, FILE_SUFFIX) != NULL && strchr(name, '/') == NULL;
}

static void parse_files(Parse *parse, Piece *piece, const json_t *object)
{
    const json_t *files = get_array(parse, object, "files");
    size_t n = json_array_size(files);

    piece->files = arena_alloc(parse->arena, n, sizeof *piece->files);
    piece->n_files = (int)n;
    for (size_t f = 0; f < n; f++) {
        const json_t *item = json_array_get(files, f);
        ManifestFile *file = &piece->files[f];

        file->name = get_text(parse, item, "name", true);
        file->chunk.rows = get_number(parse, item, "rows", CHUNK_MOST_ROWS);
        file->chunk.bad_rows = get_number(parse, item, "bad_rows", INT64_MAX);
        file->chunk.bytes = get_number(parse, item, "bytes", INT64_MAX);
        parse->is_bad |=
            !is_file_name(file->name) || !hex_bytes(file->chunk.head, SHA256_BYTES,
                                                    get_text(parse, item, "head", true));
    }
}

static void parse_pieces(Parse *parse, ExtractSource *source, const json_t *object)
{
    const json_t *pieces = get_array(parse, object, "pieces");
    size_t n = json_array_size(pieces);

    source->pieces = arena_alloc(parse->arena, n, sizeof *source->pieces);
    source->n_pieces = (int)n;
    for (size_t p = 0; p < n; p++) {
        const json_t *item = json_array_get(pieces, p);
        Piece *piece = &source->pieces[p];

        piece->first = (uint32_t)get_number(parse, item, "first_page", UINT32_MAX);
        piece->last = (uint32_t)get_number(parse, item, "last_page", UINT32_MAX);
        piece->file = get_text(parse, item, "file", false);
        piece->digest = get_text(parse, item, "digest", false);
        parse_files(parse, piece, item);
    }
}

static void parse_source(Parse *parse, ExtractSource *source, const json_t *object)
{
    const json_t *columns = get_array(parse, object, "columns");
    size_t n = json_array_size(columns);

    source->place = get_text(parse, object, "place", true);
    source->state = get_text(parse, object, "state", false);
    source->pages = (uint32_t)get_number(parse, object, "pages", UINT32_MAX);
    source->is_text_person = get_flag(parse, object, "is_text_person");
    source->has_persons = get_flag(parse, object, "has_persons");
    source->columns = arena_alloc(parse->arena, n, sizeof *source->columns);
    source->n_columns = (int)n;
    for (size_t c = 0; c < n; c++) {
        const json_t *item = json_array_get(columns, c);

        source->columns[c] = (ExtractColumn){
            get_text(parse, item, "name", true),
            (uint8_t)get_number(parse, item, "type", UINT8_MAX),
            get_flag(parse, item, "is_integer"), get_flag(parse, item, "may_be_plain")};
    }
    parse_pieces(parse, source, object);
}

static void parse_root(Parse *parse, Manifest *manifest, const json_t *root)
{
    const json_t *sources = get_array(parse, root, "sources");
    size_t n = json_array_size(sources);

    manifest->generation = (int64_t)get_number(parse, root, "generation", INT32_MAX);
    manifest->server = get_text(parse, root, "server", false);
    manifest->xmin = get_wide(parse, root, "xmin");
    manifest->log_before = get_wide(parse, root, "log_before");
    manifest->log_after = get_wide(parse, root, "log_after");
    manifest->snapshot = get_text(parse, root, "snapshot", true);
    manifest->people = get_text(parse, root, "people", true);
    manifest->n_people = (uint32_t)get_number(parse, root, "n_people", UINT32_MAX - 16);
    manifest->people_digest = get_text(parse, root, "people_digest", true);
    manifest->opt_outs = get_text(parse, root, "opt_outs", false);
    manifest->sources = arena_alloc(parse->arena, n, sizeof *manifest->sources);
    manifest->n_sources = (int)n;
    parse->is_bad |= !is_file_name(manifest->people);
    for (size_t s = 0; s < n; s++)
        parse_source(parse, &manifest->sources[s], json_array_get(sources, s));
}

/* The document without its last line, if that is the digest of it. */
static bool is_whole(const char *text, size_t len, size_t *document)
{
    uint8_t said[SHA256_BYTES], found[SHA256_BYTES];
    char digest[DIGEST_TEXT + 1] = "";

    if (len < DIGEST_TEXT + 2 || text[len - 1] != '\n')
        return false;
    *document = len - DIGEST_TEXT - 1;
    memcpy(digest, text + *document, DIGEST_TEXT);
    sha256(found, text, *document);
    return hex_bytes(said, sizeof said, digest) && memcmp(said, found, sizeof said) == 0;
}

int manifest_parse(Manifest *manifest, const char *name, const char *text, size_t len,
                   Arena *arena, Err *err)
{
    Parse parse = {.arena = arena};
    const Where where = {name, 0, 0};
    size_t document;
    json_t *root = NULL;
    int64_t format;

    *manifest = (Manifest){0};
    if (is_whole(text, len, &document))
        root = json_loadb(text, document, JSON_REJECT_DUPLICATES, NULL);
    format = json_integer_value(json_object_get(root, "stratify_extract"));
    if (format == EXTRACT_FORMAT)
        parse_root(&parse, manifest, root);
    json_decref(root);
    if (format == EXTRACT_FORMAT && !parse.is_bad)
        return 0;
    if (format == 0 || format == EXTRACT_FORMAT)
        return chunk_damaged(name, err);
    err_add(err, ERR_DATA, where, "the extract is of another version of the program");
    err_hint(err, "delete the extract with `stratify extract --delete DIR` and make it "
                  "again");
    return -1;
}

int manifest_read(Manifest *manifest, const char *folder, Arena *arena, Err *err)
{
    const char *path = arena_format(arena, "%s/" MANIFEST_NAME, folder);
    uint8_t *bytes;
    size_t len;
    int rc;

    if (file_read(&bytes, &len, path, err) != 0)
        return -1;
    rc = manifest_parse(manifest, path, (const char *)bytes, len, arena, err);
    free(bytes);
    return rc;
}

/* ---- looking ----------------------------------------------------------- */

bool manifest_has(const void *own, const char *name)
{
    const Manifest *manifest = own;

    if (strcmp(name, MANIFEST_NAME) == 0 || strcmp(name, manifest->people) == 0)
        return true;
    for (int s = 0; s < manifest->n_sources; s++)
        for (int p = 0; p < manifest->sources[s].n_pieces; p++) {
            const Piece *piece = &manifest->sources[s].pieces[p];

            for (int f = 0; f < piece->n_files; f++)
                if (strcmp(name, piece->files[f].name) == 0)
                    return true;
        }
    return false;
}

const ExtractSource *manifest_source(const Manifest *manifest, const char *place,
                                     const ExtractSource *behind)
{
    int first = behind == NULL ? 0 : (int)(behind - manifest->sources) + 1;

    for (int s = first; s < manifest->n_sources; s++)
        if (strcmp(manifest->sources[s].place, place) == 0)
            return &manifest->sources[s];
    return NULL;
}

uint64_t source_rows(const ExtractSource *source)
{
    uint64_t rows = 0;

    for (int p = 0; p < source->n_pieces; p++)
        for (int f = 0; f < source->pieces[p].n_files; f++)
            rows += source->pieces[p].files[f].chunk.rows;
    return rows;
}
