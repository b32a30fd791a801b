/* Any bytes as a code list: codes_parse() accepts them or says why not, and each entry
 * it accepts is found again. The first byte picks what is asked of the columns. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/codes/codes.h"

static ListColumns columns_of(uint8_t choice)
{
    ListColumns columns = {.code = "c"};

    if (choice & 1)
        columns.system = "s";
    else
        columns.constant_system = (System)(choice / 32 + 1);
    columns.match = choice & 2 ? MATCH_PREFIX : MATCH_BY_SYSTEM;
    if (choice & 4)
        columns.category = choice & 8 ? "code" : "k";
    if (choice & 16) {
        columns.weight = columns.category == NULL ? NULL : "w";
        columns.label = "l";
        columns.above = "a";
        columns.below = "b";
        columns.sex = "x";
    }
    return columns;
}

static void check_list(const CodeList *list, Arena *arena)
{
    Matcher *matcher = matcher_new(arena);
    Hit hit;

    if (list->n_entries == 0 || list->n_categories == 0)
        abort();
    for (int i = 0; i < list->n_entries; i++)
        matcher_add(matcher, &list->entries[i], (uint32_t)list->entries[i].category);
    matcher_build(matcher);
    for (int i = 0; i < list->n_entries; i++) {
        const ListEntry *entry = &list->entries[i];
        char text[CODE_TEXT];
        Code again;

        if (entry->category < 0 || entry->category >= list->n_categories ||
            matcher_find(matcher, entry->code, &hit, 1) < 1)
            abort();
        code_text(text, entry->code);
        if (code_of_text(&again, code_system(entry->code), text, strlen(text)) != CODE_OK)
            abort();
        if (!entry->is_prefix && !code_equal(again, entry->code))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Arena *arena = arena_new();
    CodeList list = {0};
    ListColumns columns = columns_of(len > 0 ? data[0] : 0);
    Err err = {0};
    int rc = codes_parse(&list, &columns, "fuzz", (const char *)data + (len > 0),
                         len - (len > 0), arena, &err);

    if ((rc == 0) != (err.n_reports == 0) || (rc == 0) != (err.text[0] == '\0'))
        abort(); /* a failure without a report, or a report without a failure */
    if (rc == 0)
        check_list(&list, arena);
    arena_free(arena);
    return 0;
}
