/*
 * test_manifest.c - a manifest comes back as it was written, or not at all.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/extract/manifest.h"

static Manifest example(void)
{
    static ManifestFile files[] = {
        {"000001-04-00000-0.stratum", {.rows = 12, .bytes = 345, .head = {1, 2, 255}}},
        {"000002-04-00001-0.stratum", {.rows = 0, .bad_rows = 3, .bytes = 99}}};
    static Piece pieces[] = {
        {.first = 0, .last = 64, .files = files, .n_files = 1},
        {.file = "feed/gp.csv.gz", .digest = "00ff", .files = files + 1, .n_files = 1}};
    static ExtractColumn columns[] = {{"event_date", 4, false, false},
                                      {"caf\u00e9 \"x\"", 1, true, true}};
    static ExtractSource sources[] = {{.place = "postgres table sid.gp",
                                       .state = "16384 file 16390",
                                       .has_persons = true,
                                       .columns = columns,
                                       .n_columns = 2,
                                       .pieces = pieces,
                                       .n_pieces = 2},
                                      {.place = "postgres query select 1"},
                                      {.place = "postgres table sid.gp"}};

    return (Manifest){.generation = 7,
                      .server = "7300 1 5",
                      .xmin = UINT64_C(0xfedcba9876543210),
                      .log_after = 17,
                      .snapshot = "0000-1",
                      .people = "000001-people.stratum",
                      .n_people = 42,
                      .people_digest = "ab",
                      .opt_outs = "cd",
                      .sources = sources,
                      .n_sources = 3};
}

Test(manifest, comes_back)
{
    Manifest in = example(), out;
    Arena *arena = arena_new();
    char *text = manifest_text(&in), *again;
    Err err = {0};

    cr_assert_eq(manifest_parse(&out, "m", text, strlen(text), arena, &err), 0, "%s",
                 err.text);
    cr_expect_eq(out.xmin, in.xmin);
    cr_expect_eq(out.log_after, in.log_after);
    cr_expect_eq(out.sources[0].pieces[1].files[0].chunk.bad_rows, 3);
    cr_expect_eq(out.sources[0].pieces[0].files[0].chunk.head[2], 255);
    cr_expect_null(out.sources[1].state);
    again = manifest_text(&out);
    cr_expect_str_eq(text, again);
    cr_expect(manifest_has(&out, "000002-04-00001-0.stratum"));
    cr_expect(manifest_has(&out, "000001-people.stratum"));
    cr_expect(!manifest_has(&out, "000002-04-00000-0.stratum"));
    cr_expect_eq(manifest_source(&out, "postgres table sid.gp", NULL), &out.sources[0]);
    cr_expect_eq(source_rows(&out.sources[0]), 12);
    cr_expect_eq(manifest_source(&out, "postgres table sid.gp", &out.sources[0]),
                 &out.sources[2]);
    cr_expect_null(manifest_source(&out, "postgres table sid.gp", &out.sources[2]));
    cr_expect_null(manifest_source(&out, "postgres table sid", NULL));
    free(text);
    free(again);
    arena_free(arena);
}

Test(manifest, no_other_byte_is_taken)
{
    Manifest in = example(), out;
    char *text = manifest_text(&in);
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at++) {
        Arena *arena = arena_new();
        Err err = {0};

        text[at] ^= 1;
        cr_expect_eq(manifest_parse(&out, "m", text, len, arena, &err), -1, "byte %zu",
                     at);
        cr_expect_eq(err.kind, ERR_DATA, "byte %zu", at);
        text[at] ^= 1;
        cr_expect_eq(manifest_parse(&out, "m", text, at, arena, &err), -1, "cut at %zu",
                     at);
        arena_free(arena);
    }
    free(text);
}

/* A manifest that is whole, but not one of this program. */
static void expect_refused(const Manifest *in, const char *what)
{
    char *text = manifest_text(in);
    Arena *arena = arena_new();
    Manifest out;
    Err err = {0};

    cr_expect_eq(manifest_parse(&out, "m", text, strlen(text), arena, &err), -1, "%s",
                 what);
    arena_free(arena);
    free(text);
}

Test(manifest, names_stay_in_the_folder)
{
    Manifest in = example();

    in.people = "../people.stratum";
    expect_refused(&in, "a path as the list of people");
    in = example();
    in.sources[0].pieces[0].files[0].name = "/etc/x.stratum";
    expect_refused(&in, "a path as a chunk");
    in.sources[0].pieces[0].files[0].name = "passwd";
    expect_refused(&in, "a file of another kind");
}

Test(manifest, hex)
{
    Arena *arena = arena_new();
    uint8_t in[] = {0, 0x9a, 0xff}, out[3];

    cr_expect_str_eq(hex_text(arena, in, 3), "009aff");
    cr_expect(hex_bytes(out, 3, "009aff") && memcmp(in, out, 3) == 0);
    cr_expect(!hex_bytes(out, 3, "009af"));
    cr_expect(!hex_bytes(out, 3, "009afF"));
    cr_expect(!hex_bytes(out, 3, NULL));
    arena_free(arena);
}
