/* Any bytes at all as a CSV file of a source: every row is read as an event, or the file
 * is refused with a report. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/store/pile.h"
#include "loaders/kinds.h"
#include "loaders/row.h"

static Condition condition = {
    .attribute = 0, .above = 1, .below = INFINITY, .least = -INFINITY, .most = INFINITY};
static Attribute attribute = {.id = "n", .type = RULE_NUMBER};
static Column columns[] = {{.name = "id", .field = FIELD_PERSON},
                           {.name = "date", .field = FIELD_DATE},
                           {.name = "code", .field = FIELD_CODE},
                           {.name = "n", .field = FIELD_ATTRIBUTE}};
static char path[64];
static Source source = {.name = "fuzz",
                        .role = ROLE_EVENTS,
                        .kind = &kind_csv,
                        .files = path,
                        .date_format = "YYYY-MM-DD",
                        .columns = columns,
                        .n_columns = 4,
                        .text_person = true,
                        .system = SYSTEM_ICD10,
                        .attributes = &attribute,
                        .n_attributes = 1,
                        .conditions = &condition,
                        .n_conditions = 1,
                        .is_unique = true};
static Plan plan = {.sources = &source, .n_sources = 1, .n_event_sources = 1};

static void read_file(Err *err)
{
    const Reader *reader = source_reader(&source);
    Access access = {.plan = &plan, .source = &source, .arena = arena_new()};
    const RowMap *map = rowmap_new(&plan, &source, access.arena);
    RowScratch *scratch = row_scratch_new();
    Dict *dict = dict_new(&plan, &source);
    Slice slice = {0};
    Cell cells[4];
    EventRow row;
    uint64_t bytes = 0;
    void *stream = NULL;
    int found = NEXT_FAILED;

    if (reader->find(&access, NULL, err) == 0 &&
        reader->open(&stream, &access, &slice, NULL, err) == 0)
        while ((found = reader->next(stream, cells, &bytes, err)) > 0)
            if (found == NEXT_ROW)
                (void)row_event(&row, map, cells, dict, scratch);
    if ((found == NEXT_FAILED) != (err->n_reports > 0))
        abort();
    reader->close(stream);
    dict_free(dict);
    row_scratch_free(scratch);
    arena_free(access.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char HEADER[] = "id,date,code,n\n";
    int file = memfd_create("fuzz", 0);
    Err err = {0};
    bool has_header = len > 0 && data[0] % 4 > 0; /* else the bytes bring their own */

    if (file < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if ((!has_header || write(file, HEADER, sizeof HEADER - 1) > 0) &&
        (len < 2 || write(file, data + 1, len - 1) > 0))
        read_file(&err);
    close(file);
    return 0;
}
