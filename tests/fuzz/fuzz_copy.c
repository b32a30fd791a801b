/* Any bytes at all: copy_split() takes them apart without reading past their end. */
#include <stdlib.h>
#include <string.h>

#include "engine/db/copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    CopyValue values[5];
    bool has_header = len > 0 && data[0] % 2 == 0;
    uint8_t *exact;
    int found;

    if (len == 0)
        return 0;
    exact = malloc(len); /* so that a byte too far is seen */
    memcpy(exact, data + 1, len - 1);
    found = copy_split(values, 5, exact, len - 1, &has_header);
    for (int v = 0; v < 5 && found == 1; v++) {
        int64_t whole;
        int32_t day;
        double real;
        bool yes;

        if (values[v].len < -1 || values[v].len > (int64_t)len)
            abort();
        (void)copy_get_int(&whole, values[v]);
        (void)copy_get_float(&real, values[v]);
        (void)copy_get_bool(&yes, values[v]);
        (void)copy_get_date(&day, values[v]);
    }
    free(exact);
    return 0;
}
