/* configs/schema.json and the compiler know the same keys, and the same words of them. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "engine/plan/compile.h"

static json_t *read_schema(void)
{
    json_error_t error;
    json_t *schema =
        json_load_file("configs/schema.json", JSON_REJECT_DUPLICATES, &error);

    cr_assert(schema != NULL, "line %d: %s", error.line, error.text);
    return schema;
}

static bool is_key(const Keys *keys, const char *key)
{
    for (int k = 0; k < keys->n; k++) {
        if (strcmp(keys->keys[k], key) == 0)
            return true;
    }
    return false;
}

Test(compile_schema, every_document_has_the_same_keys_there)
{
    json_t *schema = read_schema(), *defs = json_object_get(schema, "$defs");

    for (int d = 0; d < N_DOCUMENTS; d++) {
        const Keys *keys = &compile_keys[d];
        json_t *document = json_object_get(defs, keys->name), *unused;
        json_t *properties = json_object_get(document, "properties");
        const char *key;

        cr_assert(properties != NULL, "no $defs/%s", keys->name);
        cr_expect(json_is_false(json_object_get(document, "additionalProperties")), "%s",
                  keys->name);
        for (int k = 0; k < keys->n; k++)
            cr_expect(json_object_get(properties, keys->keys[k]) != NULL,
                      "%s: \"%s\" is not in the schema", keys->name, keys->keys[k]);
        json_object_foreach(properties, key, unused) cr_expect(
            is_key(keys, key), "%s: the compiler does not know \"%s\"", keys->name, key);
    }
    json_decref(schema);
}

Test(compile_schema, what_is_required_is_a_key)
{
    json_t *schema = read_schema(), *defs = json_object_get(schema, "$defs");

    for (int d = 0; d < N_DOCUMENTS; d++) {
        json_t *document = json_object_get(defs, compile_keys[d].name), *word;
        size_t i;

        json_array_foreach(json_object_get(document, "required"), i, word)
            cr_expect(is_key(&compile_keys[d], json_string_value(word)), "%s: %s",
                      compile_keys[d].name, json_string_value(word));
    }
    json_decref(schema);
}

/* Follows every $ref of a value, however deep. */
static void check_refs(json_t *defs, json_t *value)
{
    const char *ref = json_string_value(json_object_get(value, "$ref")), *key;
    json_t *item;
    size_t i;

    if (ref != NULL) {
        cr_expect(strncmp(ref, "#/$defs/", 8) == 0, "%s", ref);
        cr_expect(json_object_get(defs, ref + 8) != NULL, "%s leads nowhere", ref);
    }
    json_object_foreach(value, key, item) check_refs(defs, item);
    json_array_foreach(value, i, item) check_refs(defs, item);
}

Test(compile_schema, every_reference_leads_somewhere)
{
    json_t *schema = read_schema();

    cr_expect_str_eq(json_string_value(json_object_get(schema, "$schema")),
                     "https://json-schema.org/draft/2020-12/schema");
    check_refs(json_object_get(schema, "$defs"), schema);
    json_decref(schema);
}
