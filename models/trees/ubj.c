/*
 * tree_ubj.c - UBJSON as XGBoost writes it, into the same tree of values as JSON.
 *
 * Markers are single bytes, numbers are big-endian, and every length is checked against
 * the bytes that are left before anything is made of it. An item takes a byte at least,
 * so no short file asks for much memory.
 */
#include <string.h>

#include "models/trees/read.h"

enum { DEEPEST = 64 };

typedef struct Ubj {
    TreeReader *reader;
    const unsigned char *bytes;
    size_t len, at;
    int depth;
} Ubj;

static json_t *value_of(Ubj *ubj, int marker);

static json_t *refuse(Ubj *ubj, const char *what)
{
    tree_refuse(ubj->reader, 0, "not UBJSON at byte %zu: %s", ubj->at, what);
    return NULL;
}

static size_t left(const Ubj *ubj)
{
    return ubj->len - ubj->at;
}

/* The next byte, or -1 at the end. */
static int next(Ubj *ubj)
{
    return ubj->at < ubj->len ? ubj->bytes[ubj->at++] : -1;
}

static int peek(const Ubj *ubj)
{
    return ubj->at < ubj->len ? ubj->bytes[ubj->at] : -1;
}

/* Bytes of a number of the type; 0 for anything else. */
static size_t width_of(int marker)
{
    switch (marker) {
    case 'i':
    case 'U':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static double from_bits(int marker, uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float single;
    double number;

    switch (marker) {
    case 'i':
        return (int8_t)bits;
    case 'I':
        return (int16_t)bits;
    case 'l':
        return (int32_t)half;
    case 'L':
        return (double)(int64_t)bits;
    case 'd':
        memcpy(&single, &half, sizeof single);
        return (double)single;
    case 'D':
        memcpy(&number, &bits, sizeof number);
        return number;
    default:
        return (double)bits; /* U */
    }
}

static bool number(double *out, Ubj *ubj, int marker)
{
    size_t width = width_of(marker);
    uint64_t bits = 0;

    if (width == 0 || left(ubj) < width)
        return false;
    for (size_t i = 0; i < width; i++)
        bits = bits << 8 | ubj->bytes[ubj->at++];
    *out = from_bits(marker, bits);
    return true;
}

/* NaN and infinity as tree_json_parse gives them. */
static json_t *json_of(double value)
{
    if (isnan(value))
        return json_null();
    if (isinf(value))
        return json_real(value > 0 ? 1e300 : -1e300);
    return json_real(value);
}

/* A length: a whole number of any type, at most the bytes left. */
static bool length(size_t *out, Ubj *ubj)
{
    double value;
    int marker = next(ubj);

    if (marker == 'd' || marker == 'D' || !number(&value, ubj, marker) || value < 0 ||
        value > (double)left(ubj))
        return false;
    *out = (size_t)value;
    return true;
}

static bool text(const char **out, size_t *n, Ubj *ubj)
{
    if (!length(n, ubj))
        return false;
    *out = (const char *)ubj->bytes + ubj->at;
    ubj->at += *n;
    return true;
}

static json_t *string_of(Ubj *ubj)
{
    const char *start;
    size_t n;
    json_t *value;

    if (!text(&start, &n, ubj))
        return refuse(ubj, "a length beyond the end");
    value = json_stringn(start, n);
    return value != NULL ? value : refuse(ubj, "text that is not UTF-8");
}

/* The head of a list or map: `$` type and `#` count, either may be absent. */
typedef struct Head {
    int type; /* 0 = each item has its own marker */
    bool has_count;
    size_t count;
} Head;

static bool head(Head *out, Ubj *ubj)
{
    *out = (Head){0};
    if (peek(ubj) == '$') {
        next(ubj);
        out->type = next(ubj);
        if (width_of(out->type) == 0 || peek(ubj) != '#')
            return refuse(ubj, "a typed list without a number type or a count") != NULL;
    }
    if (peek(ubj) == '#') {
        next(ubj);
        out->has_count = true;
        if (!length(&out->count, ubj) ||
            (out->type != 0 && out->count > left(ubj) / width_of(out->type)))
            return refuse(ubj, "a count beyond the end") != NULL;
    }
    return true;
}

/* True after the last item; without a count the closing byte is taken. */
static bool is_over(Ubj *ubj, const Head *items, size_t n, int closing)
{
    if (items->has_count)
        return n == items->count;
    if (peek(ubj) != closing)
        return false;
    next(ubj);
    return true;
}

static json_t *list_of(Ubj *ubj)
{
    json_t *list;
    Head items;

    if (!head(&items, ubj))
        return NULL;
    list = json_array();
    for (size_t n = 0; !is_over(ubj, &items, n, ']'); n++) {
        json_t *item = value_of(ubj, items.type != 0 ? items.type : next(ubj));

        if (item == NULL || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static int add_member(json_t *map, Ubj *ubj)
{
    const char *start;
    char key[256];
    size_t n;
    json_t *value;

    if (!text(&start, &n, ubj) || n >= sizeof key || memchr(start, '\0', n) != NULL) {
        refuse(ubj, "a key beyond the end");
        return -1;
    }
    memcpy(key, start, n);
    key[n] = '\0';
    if (json_object_get(map, key) != NULL) {
        refuse(ubj, "a key that is there twice");
        return -1;
    }
    value = value_of(ubj, next(ubj));
    if (value == NULL)
        return -1;
    if (json_object_set_new(map, key, value) != 0) {
        refuse(ubj, "a key that is not UTF-8");
        return -1;
    }
    return 0;
}

static json_t *map_of(Ubj *ubj)
{
    json_t *map;
    Head items;

    if (!head(&items, ubj))
        return NULL;
    if (items.type != 0)
        return refuse(ubj, "a map of one type");
    map = json_object();
    for (size_t n = 0; !is_over(ubj, &items, n, '}'); n++) {
        if (add_member(map, ubj) != 0) {
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

static json_t *nested_of(Ubj *ubj, int marker)
{
    json_t *value;

    if (ubj->depth == DEEPEST)
        return refuse(ubj, "nested too deeply");
    ubj->depth++;
    value = marker == '[' ? list_of(ubj) : map_of(ubj);
    ubj->depth--;
    return value;
}

static json_t *value_of(Ubj *ubj, int marker)
{
    double value;

    switch (marker) {
    case '{':
    case '[':
        return nested_of(ubj, marker);
    case 'S':
        return string_of(ubj);
    case 'T':
        return json_true();
    case 'F':
        return json_false();
    case 'Z':
        return json_null();
    case -1:
        return refuse(ubj, "the file ends too early");
    default:
        if (width_of(marker) == 0)
            return refuse(ubj, "a value of an unknown type");
        if (!number(&value, ubj, marker))
            return refuse(ubj, "the file ends too early");
        return json_of(value);
    }
}

json_t *tree_ubj_parse(TreeReader *reader, const char *bytes, size_t len)
{
    Ubj ubj = {.reader = reader, .bytes = (const unsigned char *)bytes, .len = len};
    json_t *root = value_of(&ubj, next(&ubj));

    if (root != NULL && ubj.at != len) {
        refuse(&ubj, "bytes after the end");
        json_decref(root);
        return NULL;
    }
    return root;
}
