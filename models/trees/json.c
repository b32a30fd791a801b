/*
 * tree_json.c - XGBoost's JSON made readable for a strict parser, and the members of
 * its maps with their types checked.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "models/trees/read.h"

/* ---- bare words ------------------------------------------------------------ */

/* What stands for a bare word: at most one byte more than the word itself. */
static const struct {
    const char *word, *instead;
} BARE[] = {
    {"NaN", "null"}, {"Infinity", "1e300"}, /* as a float, infinite again */
};

/* Copies the bare word at text, if there is one, and says how long it was. */
static size_t copy_bare(char **out, const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof BARE / sizeof *BARE; i++) {
        size_t n = strlen(BARE[i].word), m = strlen(BARE[i].instead);

        if (len >= n && memcmp(text, BARE[i].word, n) == 0) {
            memcpy(*out, BARE[i].instead, m);
            *out += m;
            return n;
        }
    }
    return 0;
}

/* The text without bare words. out has room for twice the length. */
static size_t without_bare_words(char *out, const char *text, size_t len)
{
    char *end = out;
    bool is_string = false;

    for (size_t i = 0; i < len; i++) {
        size_t n = 0;

        if (is_string && text[i] == '\\' && i + 1 < len) {
            *end++ = text[i++];
        } else if (text[i] == '"') {
            is_string = !is_string;
        } else if (!is_string && (text[i] == 'N' || text[i] == 'I')) {
            n = copy_bare(&end, text + i, len - i);
        }
        if (n > 0)
            i += n - 1;
        else
            *end++ = text[i];
    }
    return (size_t)(end - out);
}

json_t *tree_json_parse(TreeReader *reader, const char *text, size_t len)
{
    char *plain = mem_alloc(len, 2, "a model file");
    json_error_t error;
    size_t n = without_bare_words(plain, text, len);
    json_t *root =
        json_loadb(plain, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);

    free(plain);
    if (root == NULL)
        tree_refuse(reader, error.line > 0 ? (uint64_t)error.line : 0, "not JSON: %s",
                    error.text);
    return root;
}

/* ---- members --------------------------------------------------------------- */

static int need(json_t **out, TreeReader *reader, JsonAt map, const char *key)
{
    *out = json_object_get(map.value, key);
    if (*out == NULL)
        return tree_refuse(reader, 0, "%s has no \"%s\"", map.of, key);
    return 0;
}

static int refuse_type(TreeReader *reader, JsonAt map, const char *key, const char *type)
{
    return tree_refuse(reader, 0, "\"%s\" of %s is not %s", key, map.of, type);
}

int json_need_map(JsonAt *out, TreeReader *reader, JsonAt map, const char *key)
{
    out->of = key;
    if (need(&out->value, reader, map, key) != 0)
        return -1;
    return json_is_object(out->value) ? 0 : refuse_type(reader, map, key, "a map");
}

int json_need_list(JsonAt *out, TreeReader *reader, JsonAt map, const char *key)
{
    out->of = key;
    if (need(&out->value, reader, map, key) != 0)
        return -1;
    return json_is_array(out->value) ? 0 : refuse_type(reader, map, key, "a list");
}

int json_need_word(const char **out, TreeReader *reader, JsonAt map, const char *key)
{
    json_t *value;

    if (need(&value, reader, map, key) != 0)
        return -1;
    if (!json_is_string(value))
        return refuse_type(reader, map, key, "text");
    *out = json_string_value(value);
    return 0;
}

int json_whole(int64_t *out, TreeReader *reader, JsonAt map, const char *key)
{
    json_t *value = json_object_get(map.value, key);
    double number = json_real_value(value);

    if (value == NULL)
        return 0;
    if (json_is_string(value) &&
        text_int64(out, json_string_value(value), json_string_length(value)))
        return 0;
    if (!json_is_real(value) || fabs(number) > 9e15 || number != floor(number))
        return refuse_type(reader, map, key, "a whole number");
    *out = (int64_t)number;
    return 0;
}

static bool number_of(double *out, const json_t *value)
{
    if (json_is_real(value))
        *out = json_real_value(value);
    else if (json_is_boolean(value))
        *out = json_is_true(value);
    else if (json_is_null(value))
        *out = NAN;
    else
        return false;
    return true;
}

int json_numbers(Numbers *out, TreeReader *reader, JsonAt map, const char *key,
                 Arena *arena)
{
    json_t *list = json_object_get(map.value, key);

    *out = (Numbers){0};
    if (list == NULL)
        return 0;
    if (!json_is_array(list))
        return refuse_type(reader, map, key, "a list");
    out->n = json_array_size(list);
    out->at = arena_alloc(arena, out->n, sizeof *out->at);
    for (size_t i = 0; i < out->n; i++) {
        if (!number_of(&out->at[i], json_array_get(list, i)))
            return refuse_type(reader, map, key, "a list of numbers");
    }
    return 0;
}

int json_need_numbers(Numbers *out, TreeReader *reader, JsonAt map, const char *key,
                      Arena *arena)
{
    json_t *list;

    if (need(&list, reader, map, key) != 0)
        return -1;
    return json_numbers(out, reader, map, key, arena);
}
