/* YAML with places, and every fault a config can have before it means anything. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/config/config.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A tree on one line: words with their places, [lists], {maps}. Quoted words end in
 * a q. */
static void write_node(FILE *out, const Node *node)
{
    if (node->kind == NODE_WORD) {
        fprintf(out, "%s%s@%d:%u", node->word, node->is_quoted ? "q" : "",
                (int)node->where.line, node->where.column);
        return;
    }
    fprintf(out, node->kind == NODE_LIST ? "[" : "{");
    for (int i = 0; i < node->n; i++) {
        if (node->kind == NODE_MAP)
            fprintf(out, "%s%s@%d:%u=", i > 0 ? " " : "", node->keys[i],
                    (int)node->key_where[i].line, node->key_where[i].column);
        else
            fprintf(out, "%s", i > 0 ? " " : "");
        write_node(out, node->items[i]);
    }
    fprintf(out, node->kind == NODE_LIST ? "]" : "}");
}

/* One row is one form of YAML. */
static const struct {
    const char *text, *want;
} FORMS[] = {
    {"a: 1", "{a@1:1=1@1:4}"},
    {"a: 1\nb:  x y # no\n", "{a@1:1=1@1:4 b@2:1=x y@2:5}"},
    {"a: 'x: y'\nb: \"p\\tq\"\n", "{a@1:1=x: yq@1:5 b@2:1=p\tqq@2:5}"},
    {"- a\n- - b\n  - c\n- {d: e}\n", "[a@1:3 [b@2:5 c@3:5] {d@4:4=e@4:7}]"},
    {"\xc3\xa9: \xc3\xa9\nb: [\xc3\xa9, x]", "{\xc3\xa9@1:1=\xc3\xa9@1:5 "
                                             "b@2:1=[\xc3\xa9@2:5 x@2:9]}"},
    {"\xef\xbb\xbf"
     "a: 1\r\nb: 2\r\n",
     "{a@1:1=1@1:4 b@2:1=2@2:4}"},
    {"a:\nb: ~\nc: ''", "{a@1:1=@1:1 b@2:1=~@2:4 c@3:1=q@3:5}"},
    {"a: 0123\nb: NO\nc: 1.0", "{a@1:1=0123@1:4 b@2:1=NO@2:4 c@3:1=1.0@3:4}"},
    {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a@1:1=x\ny\nq@2:3 b@4:1=x yq@5:3}"},
    {"a: &k {b: 1}\nc: *k\nd: [*k]",
     "{a@1:1={b@1:8=1@1:11} c@2:1={b@1:8=1@1:11} d@3:1=[{b@1:8=1@1:11}]}"},
    {"a: &k 1\nb: &k 2\nc: *k", "{a@1:1=1@1:7 b@2:1=2@2:7 c@3:1=2@2:7}"},
    {"a: 'x''''y'", "{a@1:1=x''yq@1:5}"}, /* libfyaml gives three quotes */
    {"a: ' p \n \t q\n \r\n\n r '", "{a@1:1= p q\n\nr q@1:5}"},
    {"'''': ''", "{'@1:2=q@1:8}"},
    {"'<<': 1", "{<<@1:2=1@1:7}"},
    {"---\na: 1\n...\n", "{a@2:1=1@2:4}"},
    {"a:\t1", "{a@1:1=1@1:4}"},
    {"word", "word@1:1"},
    {"[]", "[]"},
};

Test(config, forms)
{
    for (size_t c = 0; c < COUNT(FORMS); c++) {
        Arena *arena = arena_new();
        Err err = {0};
        Node *root = NULL;
        char got[1024] = "";
        FILE *out = fmemopen(got, sizeof got, "w");
        int rc =
            config_parse(&root, "t", FORMS[c].text, strlen(FORMS[c].text), arena, &err);

        cr_expect_eq(rc, 0, "case %zu: %s", c, err.text);
        if (rc == 0)
            write_node(out, root);
        fclose(out);
        cr_expect_str_eq(got, FORMS[c].want, "case %zu: got %s", c, got);
        arena_free(arena);
    }
}

/* One row is one fault; the report is compared in full. */
static const struct {
    const char *text, *want;
} FAULTS[] = {
    {"", "t:1:1: there is nothing in it"},
    {"# only this\n", "t:1:1: there is nothing in it"},
    {"---\n", NULL}, /* one empty word: what it should be is for the compiler to say */
    {"a: 1\nb: 2\na: 3\nb: 4\n", "t:3:1: key \"a\" is here twice, first on line 1\n"
                                 "t:4:1: key \"b\" is here twice, first on line 2"},
    {"a: {b: 1, b: 2}", "t:1:11: key \"b\" is here twice, first on line 1"},
    {"a: 1\n---\nb: 2\n", "t:3:1: a second document starts here"},
    {"a: *k\nb: &k 1\n", "t:1:5: no anchor \"&k\" comes before this"},
    {"a: &k\n  b: *k\n", "t:2:7: no anchor \"&k\" comes before this"},
    {"b: &k 1\n<<: *k\n", "t:2:1: the merge key \"<<\" is not understood\n"
                          "    hint: write the keys out; YAML 1.2 has no merge keys"},
    {"a: !!int 3", "t:1:10: the tag \"tag:yaml.org,2002:int\" has no meaning here\n"
                   "    hint: leave it out; what a value is follows from its key"},
    {"? [1]\n: 2\n", "t:1:3: a key must be a word"},
    {"a: \"x\\0y\"", "t:1:5: a word holds a zero byte"},
    {"a: [1, 2\n", "t:2:1: flow sequence without a closing bracket"},
    {"a: \"x\n", "t:1:5: double-quoted scalar without closing quote"},
    {"a: \xff\n", "t:1: this line is not UTF-8 text"},
    {"\xc3\xa9: x: y\n", "t:1:6: invalid nested block mapping on the same line\n"
                         "    hint: put a text with \": \" in it into quotes"},
    {"a: 1\n\tb: 2\n", "t:1:4: invalid multiline plain key\n"
                       "    hint: a tab cannot indent; use blanks"},
    {"a: @x", "t:1:4: plain scalar cannot start with '@'"},
};

Test(config, faults)
{
    for (size_t c = 0; c < COUNT(FAULTS); c++) {
        Arena *arena = arena_new();
        Err err = {0};
        Node *root = NULL;
        int rc =
            config_parse(&root, "t", FAULTS[c].text, strlen(FAULTS[c].text), arena, &err);

        cr_expect_eq(rc, FAULTS[c].want == NULL ? 0 : -1, "case %zu", c);
        cr_expect_str_eq(err.text, FAULTS[c].want == NULL ? "" : FAULTS[c].want,
                         "case %zu: got %s", c, err.text);
        cr_expect_eq(err.kind, FAULTS[c].want == NULL ? ERR_NONE : ERR_CONFIG);
        arena_free(arena);
    }
}

Test(config, a_zero_byte_is_no_text)
{
    Arena *arena = arena_new();
    Err err = {0};
    Node *root = NULL;

    cr_expect_eq(config_parse(&root, "t", "a: 1\nb: \0", 9, arena, &err), -1);
    cr_expect_str_eq(err.text, "t:2: this line is not UTF-8 text");
    arena_free(arena);
}

Test(config, depth_is_limited)
{
    Arena *arena = arena_new();
    Err err = {0};
    Node *root = NULL;
    char text[100000];

    memset(text, '[', sizeof text);
    cr_expect_eq(config_parse(&root, "t", text, sizeof text, arena, &err), -1);
    cr_expect_str_eq(err.text, "t:1:65: nested more than 64 levels deep");
    err_clear(&err);
    memset(text + 64, ']', 64);
    cr_expect_eq(config_parse(&root, "t", text, 128, arena, &err), 0, "%s", err.text);
    arena_free(arena);
}

Test(config, aliases_cannot_explode)
{
    Arena *arena = arena_new();
    Err err = {0};
    Node *root = NULL;
    char text[4096];
    size_t len = (size_t)sprintf(text, "a0: &a0 [x, x, x]\n");

    for (int i = 1; i < 60; i++)
        len +=
            (size_t)sprintf(text + len, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    cr_expect_eq(config_parse(&root, "t", text, len, arena, &err), -1);
    cr_expect(strstr(err.text, ": more than 1048576 values, aliases followed") != NULL,
              "%s", err.text);
    arena_free(arena);
}

/* libfyaml's own way to read such a word leaks; the sanitized run would show it. */
Test(config, a_word_of_many_quotes)
{
    Arena *arena = arena_new();
    Err err = {0};
    Node *root = NULL;
    char text[300], want[100];

    memset(text, '\'', sizeof text);
    memset(want, '\'', sizeof want);
    cr_expect_eq(config_parse(&root, "t", text, 2 + 2 * sizeof want, arena, &err), 0,
                 "%s", err.text);
    cr_expect_eq(strlen(root->word), sizeof want);
    cr_expect(memcmp(root->word, want, sizeof want) == 0);
    arena_free(arena);
}

Test(config, libfyaml_prints_nothing)
{
    char path[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);

    cr_assert(fd >= 0);
    dup2(fd, STDERR_FILENO);
    for (size_t c = 0; c < COUNT(FAULTS); c++) {
        Arena *arena = arena_new();
        Err err = {0};
        Node *root = NULL;

        config_parse(&root, "t", FAULTS[c].text, strlen(FAULTS[c].text), arena, &err);
        arena_free(arena);
    }
    dup2(saved, STDERR_FILENO);
    cr_expect_eq(lseek(fd, 0, SEEK_END), 0);
    close(fd);
    unlink(path);
}

Test(config, files)
{
    char path[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(path);
    Arena *arena = arena_new();
    Err err = {0};
    Node *root = NULL;
    char want[128];

    cr_assert(fd >= 0 && write(fd, "a: 1\nb: x", 9) == 9);
    cr_expect_eq(config_read(&root, path, arena, &err), 0, "%s", err.text);
    cr_expect_str_eq(config_get(root, "b")->word, "x");
    cr_expect_str_eq(config_get(root, "b")->where.name, path);
    cr_assert_eq(ftruncate(fd, (16 << 20) + 1), 0);
    cr_expect_eq(config_read(&root, path, arena, &err), -1);
    snprintf(want, sizeof want, "%s: larger than 16 MiB", path);
    cr_expect_str_eq(err.text, want);
    close(fd);
    unlink(path);
    err_clear(&err);
    cr_expect_eq(config_read(&root, "tests/none.yaml", arena, &err), -1);
    cr_expect_str_eq(err.text,
                     "tests/none.yaml: could not open: No such file or directory");
    err_clear(&err);
    cr_expect_eq(config_read(&root, "tests", arena, &err), -1);
    cr_expect_str_eq(err.text, "tests: could not read: Is a directory");
    arena_free(arena);
}

/* ---- typed reading ----------------------------------------------------- */

static Node *parse(const char *text, Arena *arena)
{
    Err err = {0};
    Node *root = NULL;

    cr_assert_eq(config_parse(&root, "t", text, strlen(text), arena, &err), 0, "%s",
                 err.text);
    return root;
}

typedef struct Values {
    const char *word;
    double number;
    long whole;
    bool yes;
    const Node **words;
    int n_words;
} Values;

static int read_all(Values *values, const Node *map, Arena *arena, Err *err)
{
    int rc = config_word(&values->word, map, "word", err);

    rc |= config_number(&values->number, map, "number", err);
    rc |= config_int(&values->whole, map, "whole", 1, 20, err);
    rc |= config_yesno(&values->yes, map, "yes", err);
    rc |= config_words(&values->words, &values->n_words, map, "words", arena, err);
    return rc;
}

Test(config, values)
{
    Arena *arena = arena_new();
    Values values = {0};
    Err err = {0};

    cr_expect_eq(read_all(&values,
                          parse("{word: x, number: -1.5, whole: 20, yes: true, "
                                "words: [p, 'q', '']}",
                                arena),
                          arena, &err),
                 0, "%s", err.text);
    cr_expect_str_eq(values.word, "x");
    cr_expect_eq(values.number, -1.5);
    cr_expect_eq(values.whole, 20);
    cr_expect(values.yes);
    cr_assert_eq(values.n_words, 3);
    cr_expect_str_eq(values.words[1]->word, "q");
    cr_expect_eq(config_words(&values.words, &values.n_words, parse("words: one", arena),
                              "words", arena, &err),
                 0);
    cr_assert_eq(values.n_words, 1);
    cr_expect_str_eq(values.words[0]->word, "one");
    cr_expect_eq(err.n_reports, 0);
    arena_free(arena);
}

Test(config, a_missing_value_leaves_the_default)
{
    Arena *arena = arena_new();
    Values values = {"w", 2, 3, true, NULL, 4};
    const Node *map = parse("other: 1", arena);
    Err err = {0};

    cr_expect_eq(read_all(&values, map, arena, &err), 0);
    cr_expect_str_eq(values.word, "w");
    cr_expect_eq(values.number, 2);
    cr_expect_eq(values.whole, 3);
    cr_expect(values.yes);
    cr_expect_eq(values.n_words, 4);
    cr_expect_eq(config_need_word(&values.word, map, "word", &err), -1);
    cr_expect_str_eq(err.text, "t:1:1: \"word\" is missing");
    arena_free(arena);
}

static const struct {
    const char *text, *want;
} VALUE_FAULTS[] = {
    {"word: [x]", "t:1:7: \"word\" must be a word, not a list"},
    {"word:", "t:1:1: \"word\" is empty"},
    {"number: 1,5", "t:1:9: \"number\" must be a number, not \"1,5\""},
    {"number: {a: 1}", "t:1:9: \"number\" must be a number, not a map"},
    {"whole: 21", "t:1:8: \"whole\" must be a whole number from 1 to 20, not \"21\""},
    {"whole: 0", "t:1:8: \"whole\" must be a whole number from 1 to 20, not \"0\""},
    {"whole: 1.5", "t:1:8: \"whole\" must be a whole number from 1 to 20, not \"1.5\""},
    {"yes: yes", "t:1:6: \"yes\" must be true or false, not \"yes\""},
    {"yes: [true]", "t:1:6: \"yes\" must be true or false, not a list"},
    {"words: {a: b}", "t:1:8: \"words\" must be a word or a list of words, not a map"},
    {"words: [a, [b]]", "t:1:12: \"words\" must hold words, not a list"},
    {"words:\n  - a\n  -\n", "t:2:5: \"words\" holds an empty word"},
};

Test(config, values_of_the_wrong_kind)
{
    for (size_t c = 0; c < COUNT(VALUE_FAULTS); c++) {
        Arena *arena = arena_new();
        Values values = {0};
        Err err = {0};

        cr_expect_eq(read_all(&values, parse(VALUE_FAULTS[c].text, arena), arena, &err),
                     -1);
        cr_expect_str_eq(err.text, VALUE_FAULTS[c].want, "case %zu: got %s", c, err.text);
        arena_free(arena);
    }
}

Test(config, unknown_keys)
{
    static const char *const KNOWN[] = {"source", "window", "count"};
    Arena *arena = arena_new();
    Err err = {0};

    cr_expect_eq(config_only(parse("{source: a, count: b}", arena), KNOWN, 3, &err), 0);
    cr_expect_eq(err.n_reports, 0);
    cr_expect_eq(
        config_only(parse("source: a\nwindwo: b\nzzz: c", arena), KNOWN, 3, &err), -1);
    cr_expect_str_eq(err.text, "t:2:1: unknown key \"windwo\"\n"
                               "    hint: did you mean \"window\"?\n"
                               "t:3:1: unknown key \"zzz\"\n"
                               "    hint: the keys here are: source, window, count");
    err_clear(&err);
    cr_expect_eq(config_only(parse("[source]", arena), KNOWN, 3, &err), -1);
    cr_expect_str_eq(err.text, "t:1:1: this must be a map of keys, not a list");
    cr_expect(config_get(parse("[source]", arena), "source") == NULL);
    arena_free(arena);
}
