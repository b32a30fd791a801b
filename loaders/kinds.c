/*
 * kinds.c - see kinds.h. A new kind of source adds its line here.
 */
#include "loaders/kinds.h"

const SourceKind *const source_kinds[] = {
    &kind_postgres,
    &kind_csv,
    NULL,
};

void slices_add(Slices *slices, Slice slice)
{
    if (slices->n == slices->room) {
        slices->room = 2 * slices->room + 64;
        slices->slice =
            mem_grow(slices->slice, (size_t)slices->room, sizeof slice, "slices");
    }
    slices->slice[slices->n++] = slice;
}
