/* Arenas, and how a run ends that does not fit. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

Test(mem, an_arena_gives_zeroed_aligned_room)
{
    Arena *arena = arena_new();

    for (size_t size = 0; size < 5000; size += 7) {
        unsigned char *room = arena_alloc(arena, size, 1);

        cr_assert(room != NULL);
        cr_assert_eq((uintptr_t)room % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            cr_assert_eq(room[i], 0);
        memset(room, 0xff, size); /* the next one must not see this */
    }
    cr_expect(arena_alloc(arena, 10, 1 << 20) != NULL, "larger than any block");
    arena_free(arena);
    arena_free(NULL);
}

Test(mem, an_arena_keeps_text)
{
    Arena *arena = arena_new();

    cr_expect_str_eq(arena_text(arena, "falls", 3), "fal");
    cr_expect_str_eq(arena_text(arena, NULL, 0), "");
    cr_expect_str_eq(arena_format(arena, "%s.%d", "efi", 36), "efi.36");
    arena_free(arena);
}

Test(mem, growing_copies_what_was_there)
{
    Arena *arena = arena_new();
    const int few[] = {1, 2, 3};
    int *more = arena_grow(arena, few, 3, 5, sizeof *more);
    const int want[] = {1, 2, 3, 0, 0};

    cr_expect_arr_eq(more, want, sizeof want);
    cr_expect(arena_grow(arena, NULL, 0, 4, sizeof *more) != NULL);
    arena_free(arena);
}

Test(mem, a_large_array_grows)
{
    uint32_t *array = mem_alloc(3, sizeof *array, "numbers");

    cr_expect_eq(array[2], 0);
    array[2] = 7;
    array = mem_grow(array, 1000, sizeof *array, "numbers");
    cr_expect_eq(array[2], 7);
    free(array);
    free(mem_alloc(0, 8, "nothing"));
    cr_expect(mem_peak_bytes() > 100000);
}

Test(mem, no_room_ends_the_run, .exit_code = ERR_MEMORY)
{
    mem_alloc(SIZE_MAX / 4, 8, "events of gp_event");
}

Test(mem, no_room_in_an_arena_ends_the_run, .exit_code = ERR_MEMORY)
{
    arena_alloc(arena_new(), SIZE_MAX / 4, 2);
}
