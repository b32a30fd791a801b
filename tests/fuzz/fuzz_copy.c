/* Any bytes at all: they are taken apart without reading past their end. */
#include <stdlib.h>
#include <string.h>

#include "engine/db/copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum { COLUMNS = 5 };
    CopyRow row;
    CopyValue value;
    bool has_header = len > 0 && data[0] % 2 == 0;
    uint8_t *exact;
    int found;

    if (len == 0)
        return 0;
    exact = malloc(len); /* so that a byte too far is seen */
    memcpy(exact, data + 1, len - 1);
    found = copy_begin_row(&row, COLUMNS, exact, len - 1, &has_header);
    for (int v = 0; v < COLUMNS && found == 1 && copy_take(&row, &value); v++) {
        int64_t whole;
        int32_t day;
        double real;
        bool yes;

        if (value.len < -1 || value.len > (int64_t)len)
            abort();
        (void)copy_get_int(&whole, value);
        (void)copy_get_float(&real, value);
        (void)copy_get_bool(&yes, value);
        (void)copy_get_date(&day, value);
    }
    free(exact);
    return 0;
}
