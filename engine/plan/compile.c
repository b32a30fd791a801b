/*
 * compile.c - documents -> Plan: the run file, the files it names, and their hash.
 *
 * The parts run in an order in which each finds what it refers to: sources and lists,
 * features, the names of everything, then what uses names, and at last what only the
 * whole can tell (order, use, purposes).
 */
#include "engine/plan/compile.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/text.h"

/* ---- small things ------------------------------------------------------ */

void *compile_room(Arena *arena, const void *array, int n, size_t size)
{
    size_t count = (size_t)n;

    if ((count & (count - 1)) != 0)
        return (void *)array; /* not a power of two: there is room */
    return arena_grow(arena, array, count, count > 0 ? 2 * count : 1, size);
}

bool compile_only(Compiler *c, const Node *node, Document document)
{
    config_only(node, compile_keys[document].keys, compile_keys[document].n, c->err);
    return node->kind == NODE_MAP;
}

void compile_hint(Compiler *c, const char *word, const char *const *known, size_t n)
{
    const char *nearest = n > 0 ? text_nearest(word, known, n) : NULL;

    if (nearest != NULL)
        err_hint(c->err, "did you mean \"%s\"?", nearest);
}

bool compile_is_name(Compiler *c, const char *word, Where where)
{
    if (text_is_name(word))
        return true;
    err_add(c->err, ERR_CONFIG, where, "\"%s\" cannot be a name", word);
    err_hint(c->err, "names start with a to z; then a to z, 0 to 9 and _, 63 at most");
    return false;
}

Where compile_where(const Node *map, const char *key)
{
    const Node *node = config_get(map, key);

    return node != NULL ? node->where : map->where;
}

void compile_warn(Compiler *c, Where where, const char *format, ...)
{
    Plan *plan = c->plan;
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *COMPILE_ADD(c, plan->warnings, plan->n_warnings) =
        arena_format(c->arena, "%s:%llu:%u: %s", where.name,
                     (unsigned long long)where.line, where.column, text);
}

/* ---- numbers with a unit ----------------------------------------------- */

bool compile_share(Compiler *c, double *share, const Node *word)
{
    const char *text = word->kind == NODE_WORD ? word->word : "";
    size_t len = strlen(text);
    double number = -1;

    if (len > 1 && text[len - 1] == '%') {
        len--;
        while (len > 0 && text[len - 1] == ' ')
            len--;
        if (!text_double(&number, text, len))
            number = -1;
    } else if (strcmp(text, "0") == 0) {
        number = 0;
    }
    if (number < 0 || number > 100) {
        err_add(c->err, ERR_CONFIG, word->where,
                "expected a share from 0 %% to 100 %%, found \"%s\"", text);
        err_hint(c->err, "write it as in 5 %%");
        return false;
    }
    *share = number / 100;
    return true;
}

static bool span_fault(Compiler *c, const Node *word)
{
    err_add(c->err, ERR_CONFIG, word->where, "expected a span of time, found \"%s\"",
            word->kind == NODE_WORD ? word->word : "");
    err_hint(c->err, "write N days, N weeks, N months or N years");
    return false;
}

bool compile_span(Compiler *c, int *months, int *days, const Node *word)
{
    static const struct {
        const char *unit;
        int months, days;
    } UNITS[] = {{"day", 0, 1}, {"week", 0, 7}, {"month", 1, 0}, {"year", 12, 0}};
    enum { MOST = 3000 };
    const char *text = word->kind == NODE_WORD ? word->word : "";
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits + strspn(text + digits, " ");
    int64_t n;

    if (!text_int64(&n, text, digits) || n > 12 * MOST)
        return span_fault(c, word);
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        size_t len = strlen(UNITS[i].unit);

        if (strncmp(unit, UNITS[i].unit, len) != 0 ||
            (strcmp(unit + len, "") != 0 && strcmp(unit + len, "s") != 0))
            continue;
        *months = (int)n * UNITS[i].months;
        *days = (int)n * UNITS[i].days;
        return true;
    }
    return span_fault(c, word);
}

/* ---- purposes ---------------------------------------------------------- */

const char *compile_purpose_words(Compiler *c, uint32_t purposes)
{
    const char *text = "";

    for (int p = 0; p < c->plan->n_purposes; p++) {
        if (purposes >> p & 1)
            text = arena_format(c->arena, "%s%s%s", text, *text != '\0' ? ", " : "",
                                c->plan->purposes[p]);
    }
    return text;
}

uint32_t compile_purposes(Compiler *c, const Node *map, const char *key)
{
    const Plan *plan = c->plan;
    const Node **words;
    uint32_t purposes = 0;
    int n = 0;

    if (config_get(map, key) == NULL) {
        err_add(c->err, ERR_CONFIG, map->where, "\"%s\" is missing", key);
        return 0;
    }
    config_words(&words, &n, map, key, c->arena, c->err);
    for (int i = 0; i < n; i++) {
        uint32_t found = 0;

        for (int p = 0; p < plan->n_purposes; p++) {
            if (strcmp(words[i]->word, plan->purposes[p]) == 0)
                found = UINT32_C(1) << p;
        }
        purposes |= found;
        if (found != 0)
            continue;
        err_add(c->err, ERR_CONFIG, words[i]->where, "no source has the purpose \"%s\"",
                words[i]->word);
        compile_hint(c, words[i]->word, plan->purposes, (size_t)plan->n_purposes);
    }
    return purposes;
}

/* ---- expressions ------------------------------------------------------- */

const Rule *compile_rule_at(Compiler *c, const char *text, Where where, RuleType want)
{
    Scope scope = {c->names, (size_t)c->n_names, c->arena};

    return rule_compile(text, where, want, &scope, c->err);
}

const Rule *compile_rule(Compiler *c, const Node *word, RuleType want)
{
    if (word->kind != NODE_WORD) {
        err_add(c->err, ERR_CONFIG, word->where, "expected an expression");
        return NULL;
    }
    return compile_rule_at(c, word->word, word->where, want);
}

/* ---- files and their hash ---------------------------------------------- */

/* A file is its name, its bytes and their number. */
static void digest_name(Compiler *c, const char *path)
{
    bool is_below = strncmp(path, c->plan->path, c->base) == 0;
    const char *name = is_below ? path + c->base : path;

    EVP_DigestUpdate(c->digest, name, strlen(name) + 1);
}

static void digest_size(Compiler *c, uint64_t size)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(size >> (8 * i));
    EVP_DigestUpdate(c->digest, bytes, sizeof bytes);
}

static void digest_add(Compiler *c, const char *path, const char *bytes, size_t len)
{
    digest_name(c, path);
    EVP_DigestUpdate(c->digest, bytes, len);
    digest_size(c, len);
}

void compile_hash(Compiler *c, const Node *word)
{
    const char *path = compile_path(c, word);
    FILE *file = fopen(path, "rb");
    char bytes[1 << 14];
    uint64_t size = 0;
    size_t n;

    if (file == NULL)
        return;
    digest_name(c, path);
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0) {
        EVP_DigestUpdate(c->digest, bytes, n);
        size += n;
    }
    digest_size(c, size);
    fclose(file);
}

static void digest_end(Compiler *c)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    EVP_DigestFinal_ex(c->digest, bytes, &n);
    for (unsigned i = 0; i < n && 2 * i + 2 < sizeof c->plan->hash; i++)
        snprintf(c->plan->hash + 2 * i, 3, "%02x", bytes[i]);
}

/* "models/" and "../x" as "x": what a person would type. Not through a link, which leads
 * elsewhere. */
static const char *tidy_path(Compiler *c, const char *folder, size_t len,
                             const char *word)
{
    struct stat status;

    while (len > 0 && strncmp(word, "../", 3) == 0) {
        const char *part = arena_text(c->arena, folder, len);
        const char *slash = strrchr(part, '/');
        const char *last = slash != NULL ? slash + 1 : part;

        if (strcmp(last, "..") == 0 || strcmp(last, ".") == 0 || last[0] == '\0' ||
            lstat(part, &status) != 0 || S_ISLNK(status.st_mode))
            break;
        len = slash != NULL ? (size_t)(slash - part) : 0;
        word += 3;
    }
    if (len == 0 && folder[0] != '/')
        return word;
    return arena_format(c->arena, "%.*s/%s", (int)len, folder, word);
}

const char *compile_path(Compiler *c, const Node *word)
{
    const char *slash = strrchr(word->where.name, '/');

    if (word->word[0] == '/' || slash == NULL)
        return word->word;
    return tidy_path(c, word->where.name, (size_t)(slash - word->where.name), word->word);
}

/* Two names of one file. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat status_a, status_b;

    return stat(a, &status_a) == 0 && stat(b, &status_b) == 0 &&
           status_a.st_dev == status_b.st_dev && status_a.st_ino == status_b.st_ino;
}

const char *compile_bytes(Compiler *c, const char **path, size_t *len, const Node *word)
{
    const char *bytes;

    *path = compile_path(c, word);
    if (c->request->list_from != NULL && is_same_file(*path, c->request->list_from))
        *path = c->request->list_to;
    if (config_file(&bytes, len, *path, c->arena, c->err) != 0) {
        err_hint(c->err, "it is named in %s, line %llu", word->where.name,
                 (unsigned long long)word->where.line);
        return NULL;
    }
    digest_add(c, *path, bytes, *len);
    return bytes;
}

static const Node *read_document(Compiler *c, const Node *word)
{
    const char *path, *bytes;
    Node *root;
    size_t len;

    if (word->kind == NODE_MAP)
        return word;
    if (word->kind != NODE_WORD) {
        err_add(c->err, ERR_CONFIG, word->where, "expected the name of a file");
        return NULL;
    }
    bytes = compile_bytes(c, &path, &len, word);
    if (bytes == NULL || config_parse(&root, path, bytes, len, c->arena, c->err) != 0)
        return NULL;
    return root;
}

const Node **compile_documents(Compiler *c, int *n, const Node *map, const char *key)
{
    const Node *node = config_get(map, key);
    const Node **documents = NULL;
    Node *const *items = (Node *const *)&node;
    int n_items = 1;

    *n = 0;
    if (node == NULL)
        return NULL;
    if (node->kind == NODE_LIST) {
        items = node->items;
        n_items = node->n;
    }
    for (int i = 0; i < n_items; i++) {
        const Node *document = read_document(c, items[i]);

        if (document != NULL)
            *COMPILE_ADD(c, documents, *n) = document;
    }
    return documents;
}

/* ---- the run file ------------------------------------------------------ */

static void run_memory(Compiler *c, const Node *run)
{
    static const char *const UNITS[] = {"KiB", "MiB", "GiB", "TiB"};
    const char *text = NULL;
    size_t digits;
    double number;

    config_word(&text, run, "memory", c->err);
    if (text == NULL)
        return;
    digits = strspn(text, "0123456789.");
    for (int u = 0; u < 4; u++) {
        const char *unit = text + digits + strspn(text + digits, " ");

        if (strcmp(unit, UNITS[u]) != 0 || !text_double(&number, text, digits) ||
            number > 1e6)
            continue;
        c->plan->memory_bytes = (uint64_t)(number * pow(1024, u + 1));
        return;
    }
    err_add(c->err, ERR_CONFIG, compile_where(run, "memory"),
            "expected an amount of memory, found \"%s\"", text);
    err_hint(c->err, "write it as in 20 GiB; KiB, MiB and TiB are known, too");
}

static void run_words(Compiler *c, const Node *run)
{
    Plan *plan = c->plan;
    const Node *share = config_get(run, "max_rejected");
    const char *format = NULL, *schema = "stratify";

    config_need_word(&format, run, "stratify", c->err);
    if (format != NULL && strcmp(format, "1") != 0)
        err_add(c->err, ERR_CONFIG, compile_where(run, "stratify"),
                "this program reads format 1, not \"%s\"", format);
    config_word(&plan->title, run, "title", c->err);
    config_word(&schema, run, "schema", c->err);
    if (strcmp(schema, "stratify") != 0)
        err_add(c->err, ERR_CONFIG, compile_where(run, "schema"),
                "results go to the schema stratify, not \"%s\"", schema);
    if (share != NULL)
        compile_share(c, &c->max_rejected, share);
    config_int(&plan->keep_runs, run, "keep_runs", 1, 10000, c->err);
    run_memory(c, run);
}

static void run_purpose(Compiler *c, const Node *run)
{
    const char *word = NULL;

    if (config_need_word(&word, run, "purpose", c->err) == 0 && word != NULL)
        c->plan->purpose = compile_purposes(c, run, "purpose");
}

static void compile_run(Compiler *c, const Node *run)
{
    if (!compile_only(c, run, DOC_RUN))
        return;
    run_words(c, run);
    compile_sources(c, run);
    if (c->plan->people == NULL)
        return; /* without sources every name that follows would be reported */
    run_purpose(c, run);
    compile_lists(c, run);
    compile_features(c, run);
    compile_model_heads(c, run);
    compile_cohort_heads(c, run);
    compile_names(c);
    compile_derived(c);
    compile_models(c);
    compile_cohorts(c);
    compile_gates(c, run);
    compile_order(c);
    if (c->err->n_reports == 0)
        compile_finish(c);
}

int plan_compile_request(Plan *plan, const PlanRequest *request, Arena *arena, Err *err)
{
    Compiler c = {.plan = plan,
                  .kinds = request->kinds,
                  .request = request,
                  .arena = arena,
                  .err = err};
    const char *path = request->path, *slash = strrchr(path, '/'), *bytes;
    int before = err->n_reports;
    Node *run;
    size_t len;

    *plan = (Plan){.path = path,
                   .title = "",
                   .as_of = request->as_of,
                   .sex_attribute = -1,
                   .segments_title = ""};
    c.max_rejected = 0.05;
    c.base = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    c.digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(c.digest, EVP_sha256(), NULL);
    if (config_file(&bytes, &len, path, arena, err) == 0) {
        digest_add(&c, path, bytes, len);
        if (config_parse(&run, path, bytes, len, arena, err) == 0)
            compile_run(&c, run);
    }
    digest_end(&c);
    EVP_MD_CTX_free(c.digest);
    return err->n_reports > before ? -1 : 0;
}

int plan_compile(Plan *plan, const char *path, int32_t as_of, Kinds kinds, Arena *arena,
                 Err *err)
{
    const PlanRequest request = {.path = path, .as_of = as_of, .kinds = kinds};

    return plan_compile_request(plan, &request, arena, err);
}
