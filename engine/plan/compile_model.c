/*
 * compile_model.c - models: what they say of themselves, bands, eligibility, policies.
 * Terms are read in compile_terms.c, and what is left by the kind.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

enum { MOST_BANDS = 100, MOST_MODELS = 100, MOST_ELIGIBLE = 50 };

/* ---- kinds ------------------------------------------------------------- */

static Document document_of(const ModelKind *kind)
{
    static const struct {
        const char *name;
        Document document;
    } KINDS[] = {{"index", DOC_MODEL_INDEX},
                 {"points", DOC_MODEL_POINTS},
                 {"regression", DOC_MODEL_REGRESSION},
                 {"ensemble", DOC_MODEL_ENSEMBLE},
                 {"recalibrated", DOC_MODEL_RECALIBRATED}};

    for (size_t i = 0; kind != NULL && i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(kind->name, KINDS[i].name) == 0)
            return KINDS[i].document;
    }
    return DOC_MODEL_TREES;
}

static bool is_of_models(Document document)
{
    return document == DOC_MODEL_ENSEMBLE || document == DOC_MODEL_RECALIBRATED;
}

static const ModelKind *find_kind(Compiler *c, const Node *node)
{
    const ModelKind *const *kinds = c->kinds.models;
    const char *word = NULL, *known[16];
    size_t n = 0;

    if (config_need_word(&word, node, "kind", c->err) != 0 || word == NULL)
        return NULL;
    for (; kinds[n] != NULL && n < sizeof known / sizeof *known; n++) {
        known[n] = kinds[n]->name;
        if (strcmp(known[n], word) == 0)
            return kinds[n];
    }
    err_add(c->err, ERR_CONFIG, compile_where(node, "kind"),
            "there is no kind of model \"%s\"", word);
    compile_hint(c, word, known, n);
    return NULL;
}

/* ---- bands ------------------------------------------------------------- */

static void read_bound(Compiler *c, Band *band, const Node *node)
{
    const Node *upto = config_get(node, "upto"), *below = config_get(node, "below");
    const Node *top = config_get(node, "top");

    band->bound = INFINITY;
    if ((upto != NULL) + (below != NULL) + (top != NULL) > 1)
        err_add(c->err, ERR_CONFIG, node->where,
                "band \"%s\" has more than one of upto, below and top", band->id);
    band->is_upto = upto != NULL;
    config_number(&band->bound, node, upto != NULL ? "upto" : "below", c->err);
    if (top == NULL)
        return;
    compile_share(c, &band->share, top);
    if (band->share <= 0 || band->share >= 1)
        err_add(c->err, ERR_CONFIG, top->where,
                "the top of band \"%s\" must be between 0 %% and 100 %%", band->id);
}

static void read_band(Compiler *c, Model *model, const Node *node)
{
    Band band = {.where = node->where, .bound = INFINITY};

    if (!compile_only(c, node, DOC_BAND))
        return;
    config_need_word(&band.id, node, "band", c->err);
    if (band.id == NULL)
        return;
    compile_is_name(c, band.id, compile_where(node, "band"));
    for (int b = 0; b < model->n_bands; b++) {
        if (strcmp(model->bands[b].id, band.id) == 0)
            err_add(c->err, ERR_CONFIG, compile_where(node, "band"),
                    "the band \"%s\" is here twice", band.id);
    }
    band.label = band.id;
    config_word(&band.label, node, "label", c->err);
    config_word(&band.meaning, node, "meaning", c->err);
    read_bound(c, &band, node);
    model->is_by_rank |= config_get(node, "top") != NULL;
    *COMPILE_ADD(c, model->bands, model->n_bands) = band;
}

/* Cut-offs rise, and only the last band has none. */
static void check_cut_offs(Compiler *c, const Model *model)
{
    for (int b = 0; b < model->n_bands; b++) {
        const Band *band = &model->bands[b], *before = b > 0 ? band - 1 : band;
        bool is_last = b == model->n_bands - 1;

        if (is_last && isfinite(band->bound)) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "the last band, \"%s\", must have no bound", band->id);
            err_hint(c->err, "scores above it would be in no band");
        } else if (!is_last && !isfinite(band->bound)) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "band \"%s\" needs upto or below: only the last has no bound",
                    band->id);
        } else if (b > 0 && isfinite(before->bound) &&
                   (band->bound < before->bound ||
                    (band->bound == before->bound &&
                     (before->is_upto || !band->is_upto)))) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "band \"%s\" ends before or where \"%s\" does", band->id, before->id);
            err_hint(c->err, "write bands in ascending order of risk");
        }
    }
}

/* Shares shrink towards the highest band, and only the first has none. */
static void check_shares(Compiler *c, const Model *model)
{
    for (int b = 0; b < model->n_bands; b++) {
        const Band *band = &model->bands[b];
        bool has_top = band->share > 0;

        if (isfinite(band->bound)) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "bands go by cut-off or by rank: \"%s\" does not go with top",
                    band->id);
        } else if (b == 0 && has_top) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "the first band, \"%s\", must have no top", band->id);
            err_hint(c->err, "it holds everyone whom no other band takes");
        } else if (b > 0 && !has_top) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "band \"%s\" needs top: only the first has none", band->id);
        } else if (b > 1 && band->share >= band[-1].share) {
            err_add(c->err, ERR_CONFIG, band->where,
                    "band \"%s\" must be smaller than \"%s\"", band->id, band[-1].id);
            err_hint(c->err, "write bands in ascending order of risk, the smallest top "
                             "last");
        }
    }
}

static void read_bands(Compiler *c, Model *model, const Node *node)
{
    const Node *bands = config_get(node, "bands");
    int before = c->err->n_reports;

    if (bands == NULL)
        return;
    if (bands->kind != NODE_LIST || bands->n > MOST_BANDS) {
        err_add(c->err, ERR_CONFIG, bands->where,
                "\"bands\" must be a list of at most %d bands", MOST_BANDS);
        return;
    }
    for (int i = 0; i < bands->n; i++)
        read_band(c, model, bands->items[i]);
    if (c->err->n_reports > before)
        return;
    if (model->is_by_rank)
        check_shares(c, model);
    else
        check_cut_offs(c, model);
}

int model_band(const Model *model, double score)
{
    if (isnan(score) || model->is_by_rank)
        return -1;
    for (int b = 0; b < model->n_bands; b++) {
        const Band *band = &model->bands[b];

        if (band->is_upto ? score <= band->bound : score < band->bound)
            return b;
    }
    return model->n_bands - 1; /* infinity, or no bands at all */
}

/* ---- heads: what other parts may name ---------------------------------- */

static void read_words(Compiler *c, Model *model, const Node *node)
{
    config_need_word(&model->version, node, "version", c->err);
    config_need_word(&model->title, node, "title", c->err);
    config_need_word(&model->source, node, "source", c->err);
    config_need_word(&model->licence, node, "licence", c->err);
    config_word(&model->purpose_text, node, "about", c->err);
    config_word(&model->limits, node, "limits", c->err);
    model->notice = model->limits; /* shown with the score unless there is a notice */
    config_word(&model->notice, node, "notice", c->err);
    config_word(&model->outcome, node, "outcome", c->err);
    config_word(&model->horizon, node, "horizon", c->err);
    config_yesno(&model->is_illustrative, node, "illustrative", c->err);
}

static void read_model_purposes(Compiler *c, Model *model, const Node *node)
{
    Plan *plan = c->plan;
    int before = c->err->n_reports;

    model->purposes = compile_purposes(c, node, "purpose");
    if (c->err->n_reports == before && plan->purpose != 0 &&
        (model->purposes & plan->purpose) == 0)
        err_add(c->err, ERR_CONFIG, compile_where(node, "purpose"),
                "model \"%s\" is not for %s, the purpose of this run", model->id,
                compile_purpose_words(c, plan->purpose));
}

static void read_head(Compiler *c, const Node *node)
{
    Plan *plan = c->plan;
    const ModelKind *kind = find_kind(c, node);
    const char *id = NULL;
    int n = plan->n_models;
    Model *model;

    config_need_word(&id, node, "model", c->err);
    if (id == NULL)
        return;
    compile_is_name(c, id, compile_where(node, "model"));
    for (int m = 0; m < plan->n_models; m++) {
        if (strcmp(plan->models[m].id, id) != 0)
            continue;
        err_add(c->err, ERR_CONFIG, compile_where(node, "model"),
                "the model \"%s\" is here twice, first in %s", id,
                plan->models[m].where.name);
        return;
    }
    if (kind != NULL)
        compile_only(c, node, document_of(kind));
    *COMPILE_ADD(c, c->models, n) = node;
    model = COMPILE_ADD(c, plan->models, plan->n_models);
    *model = (Model){.id = id,
                     .version = "",
                     .title = id,
                     .source = "",
                     .licence = "",
                     .where = node->where,
                     .kind = kind,
                     .decimals = -1,
                     .scale = 1,
                     .denominator = NAN,
                     .baseline = NAN,
                     .floor = -INFINITY,
                     .ceiling = INFINITY,
                     .multiply = 1};
    read_words(c, model, node);
    read_model_purposes(c, model, node);
    read_bands(c, model, node);
}

void compile_model_heads(Compiler *c, const Node *run)
{
    int n;
    const Node **documents = compile_documents(c, &n, run, "models");

    if (n > MOST_MODELS) {
        err_add(c->err, ERR_CONFIG, compile_where(run, "models"), "more than %d models",
                MOST_MODELS);
        return;
    }
    for (int i = 0; i < n; i++) {
        if (documents[i]->kind == NODE_MAP)
            read_head(c, documents[i]);
        else
            err_add(c->err, ERR_CONFIG, documents[i]->where, "a model must be a map");
    }
}

int compile_model_find(Compiler *c, const Node *word)
{
    const Plan *plan = c->plan;
    const char **known = arena_alloc(c->arena, (size_t)plan->n_models, sizeof *known);

    for (int m = 0; m < plan->n_models; m++) {
        known[m] = plan->models[m].id;
        if (strcmp(known[m], word->word) == 0)
            return m;
    }
    err_add(c->err, ERR_CONFIG, word->where, "there is no model \"%s\"", word->word);
    compile_hint(c, word->word, known, (size_t)plan->n_models);
    return -1;
}

/* ---- eligibility and policies ------------------------------------------ */

static void add_reason(Compiler *c, Model *model, ModelReason reason)
{
    *COMPILE_ADD(c, model->reasons, model->n_reasons) = reason;
}

static void read_eligible(Compiler *c, Model *model, const Node *node)
{
    ModelReason reason = {.is_eligibility = true};

    if (!compile_only(c, node, DOC_ELIGIBLE))
        return;
    config_need_word(&reason.text, node, "otherwise", c->err);
    if (config_get(node, "when") == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"when\" is missing");
    else
        reason.when = compile_rule(c, config_get(node, "when"), RULE_YESNO);
    if (reason.text != NULL && reason.when != NULL)
        add_reason(c, model, reason);
}

static void read_eligibility(Compiler *c, Model *model, const Node *node)
{
    const Node *eligible = config_get(node, "eligible");

    add_reason(c, model, (ModelReason){.text = "scored"});
    if (eligible == NULL)
        return;
    if (eligible->kind == NODE_MAP) {
        read_eligible(c, model, eligible);
        return;
    }
    if (eligible->kind != NODE_LIST || eligible->n > MOST_ELIGIBLE) {
        err_add(c->err, ERR_CONFIG, eligible->where,
                "\"eligible\" must be a list of at most %d rules", MOST_ELIGIBLE);
        return;
    }
    for (int i = 0; i < eligible->n; i++)
        read_eligible(c, model, eligible->items[i]);
}

/* The place of a word in a list of them; `fallback` where it is absent or unknown. */
static int read_choice(Compiler *c, const Node *node, const char *key,
                       const char *const *words, int n)
{
    const char *word = NULL;

    config_word(&word, node, key, c->err);
    for (int i = 0; word != NULL && i < n; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    if (word != NULL) {
        err_add(c->err, ERR_CONFIG, compile_where(node, key), "\"%s\" cannot be \"%s\"",
                key, word);
        compile_hint(c, word, words, (size_t)n);
    }
    return 0;
}

static void read_policies(Compiler *c, Model *model, const Node *node)
{
    static const char *const MISSING[] = {[MISSING_NOT_SCORED] = "not_scored",
                                          [MISSING_ZERO] = "zero",
                                          [MISSING_IMPUTE] = "impute"};
    static const char *const RANGE[] = {
        [RANGE_NOT_SCORED] = "not_scored", [RANGE_CLAMP] = "clamp"};

    model->missing = (MissingPolicy)read_choice(c, node, "missing", MISSING, 3);
    model->range = (RangePolicy)read_choice(c, node, "range", RANGE, 2);
    config_number(&model->floor, node, "floor", c->err);
    config_number(&model->ceiling, node, "ceiling", c->err);
    config_number(&model->multiply, node, "multiply", c->err);
    if (model->floor >= model->ceiling)
        err_add(c->err, ERR_CONFIG, compile_where(node, "ceiling"),
                "the ceiling is not above the floor");
    if (model->multiply <= 0)
        err_add(c->err, ERR_CONFIG, compile_where(node, "multiply"),
                "\"multiply\" must be above 0");
}

static void read_regression(Compiler *c, Model *model, const Node *node)
{
    static const char *const LINKS[] = {[LINK_IDENTITY] = "identity",
                                        [LINK_LOGIT] = "logit",
                                        [LINK_LOG] = "log",
                                        [LINK_CLOGLOG] = "cloglog",
                                        [LINK_COX] = "cox"};
    const Node *offset = config_get(node, "offset");

    if (config_get(node, "link") == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"link\" is missing");
    model->link = (Link)read_choice(c, node, "link", LINKS, 5);
    model->intercept = model->link == LINK_COX ? 0 : NAN;
    config_number(&model->intercept, node, "intercept", c->err);
    config_number(&model->baseline, node, "baseline", c->err);
    if (offset != NULL)
        model->offset = compile_rule(c, offset, RULE_NUMBER);
}

/* ---- the whole --------------------------------------------------------- */

static int digits_of(int64_t scale)
{
    int n = 0;

    for (; scale >= 10; scale /= 10)
        n++;
    return n;
}

static void read_decimals(Compiler *c, Model *model, const Node *node)
{
    bool is_points = document_of(model->kind) == DOC_MODEL_POINTS;
    long decimals = is_points ? digits_of(model->scale) : 3;

    config_int(&decimals, node, "decimals", 0, 9, c->err);
    model->decimals = (int)decimals;
}

/* A model written by another program is part of the config and of its hash. */
static void read_trees(Compiler *c, Model *model, const Node *node)
{
    const Node *file = config_get(node, "file");

    config_number(&model->multiply, node, "multiply", c->err);
    if (file != NULL && file->kind == NODE_WORD)
        compile_hash(c, file);
}

static void compile_model(Compiler *c, Model *model, const Node *node)
{
    Document document = document_of(model->kind);
    int before = c->err->n_reports;

    read_eligibility(c, model, node);
    if (document == DOC_MODEL_TREES) {
        read_trees(c, model, node);
    } else if (is_of_models(document)) {
        read_policies(c, model, node);
        compile_ensemble(c, node);
    } else {
        read_policies(c, model, node);
        config_number(&model->denominator, node, "denominator", c->err);
        if (document == DOC_MODEL_REGRESSION)
            read_regression(c, model, node);
        compile_terms(c, model, node);
    }
    read_decimals(c, model, node);
    /* What is read of a model with faults would only bring up more of them. */
    if (c->err->n_reports == before && model->kind->compile != NULL)
        model->kind->compile(model, c->plan, node, c->arena, c->err);
}

/* Members come before what is made of them. A circle is left to compile_order(). */
static void compile_in_turn(Compiler *c, int number, bool *is_begun)
{
    Model *model = &c->plan->models[number];
    int member;

    if (is_begun[number] || model->kind == NULL)
        return;
    is_begun[number] = true;
    for (int i = 0; is_of_models(document_of(model->kind)) &&
                    (member = compile_member(c, c->models[number], i)) != MEMBER_END;
         i++) {
        if (member != MEMBER_UNKNOWN)
            compile_in_turn(c, member, is_begun);
    }
    compile_model(c, model, c->models[number]);
}

void compile_models(Compiler *c)
{
    int n = c->plan->n_models;
    bool *is_begun = arena_alloc(c->arena, (size_t)n, sizeof *is_begun);

    for (int m = 0; m < n; m++)
        compile_in_turn(c, m, is_begun);
}
