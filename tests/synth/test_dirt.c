#include "engine/synth/synth.h"

#include <criterion/criterion.h>
#include <string.h>

/* One row is one form of --dirt; want 0 with a message, or the kinds that are on. */
static const struct {
    const char *list;
    uint32_t want;
    const char *message;
} CASES[] = {
    {"all", DIRT_ALL, ""},
    {"none", 0, ""},
    {"orphans", 1U << DIRT_ORPHANS, ""},
    {"orphans,duplicates", 1U << DIRT_ORPHANS | 1U << DIRT_DUPLICATES, ""},
    {"-split_pcns", DIRT_ALL & ~(1U << DIRT_SPLIT_PCNS), ""},
    {"-orphans,-opt_outs", DIRT_ALL & ~(1U << DIRT_ORPHANS | 1U << DIRT_OPT_OUTS), ""},
    {"orphan", 0,
     "--dirt: unknown kind of dirt \"orphan\"\n    hint: did you mean \"orphans\"?"},
    {"", 0, "--dirt: unknown kind of dirt \"\""},
    {"orphans,", 0, "--dirt: unknown kind of dirt \"\""},
    {"all,orphans", 0, "--dirt: unknown kind of dirt \"all\""},
};

Test(dirt, lists)
{
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        uint32_t got = 0;
        Err err = {0};
        int rc = synth_dirt_parse(&got, CASES[c].list, &err);

        cr_expect_str_eq(err.text, CASES[c].message, "%s: %s", CASES[c].list, err.text);
        cr_expect_eq(rc, *CASES[c].message == '\0' ? 0 : -1, "%s", CASES[c].list);
        if (rc == 0)
            cr_expect_eq(got, CASES[c].want, "%s: %x", CASES[c].list, got);
        else
            cr_expect_eq(err.kind, ERR_USAGE, "%s", CASES[c].list);
    }
}

Test(dirt, every_kind_has_a_name_that_is_read_again)
{
    for (int d = 0; d < N_DIRTS; d++) {
        uint32_t got = 0;
        Err err = {0};

        cr_expect_eq(synth_dirt_parse(&got, synth_dirt_name((Dirt)d), &err), 0);
        cr_expect_eq(got, 1U << d, "%s", synth_dirt_name((Dirt)d));
    }
}
