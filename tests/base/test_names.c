/* Words to numbers and back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/names.h"

Test(names, numbers_follow_the_order_of_adding)
{
    Names *names = names_new();

    cr_expect_eq(names_add(names, "pcn", 3), 0);
    cr_expect_eq(names_add(names, "locality", 8), 1);
    cr_expect_eq(names_add(names, "pcn", 3), 0);
    cr_expect_eq(names_add(names, "", 0), 2);
    cr_expect_eq(names_count(names), 3);
    cr_expect_eq(names_find(names, "locality", 8), 1);
    cr_expect_eq(names_find(names, "local", 5), NAMES_NONE);
    cr_expect_eq(names_find(names, "", 0), 2);
    cr_expect_str_eq(names_word(names, 1), "locality");
    cr_expect_str_eq(names_word(names, 2), "");
    names_free(names);
    names_free(NULL);
}

Test(names, words_may_hold_any_byte)
{
    Names *names = names_new();

    cr_expect_eq(names_add(names, "a\0b", 3), 0);
    cr_expect_eq(names_add(names, "a\0c", 3), 1);
    cr_expect_eq(names_add(names, "a", 1), 2);
    cr_expect_eq(names_find(names, "a\0c", 3), 1);
    names_free(names);
}

Test(names, many_words)
{
    Names *names = names_new();
    char word[16];

    for (int i = 0; i < 100000; i++)
        cr_assert_eq(names_add(names, word, (size_t)sprintf(word, "w%d", i)), i);
    for (int i = 0; i < 100000; i++) {
        size_t len = (size_t)sprintf(word, "w%d", i);

        cr_assert_eq(names_find(names, word, len), i);
        cr_assert_str_eq(names_word(names, i), word);
    }
    cr_expect_eq(names_find(names, "w100000", 7), NAMES_NONE);
    names_free(names);
}
