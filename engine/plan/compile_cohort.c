/*
 * compile_cohort.c - segments, cohorts and quality gates.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

enum { MOST_SEGMENTS = 200, MOST_REASONS = 5, MOST_GATES = 200 };

/* ---- documents --------------------------------------------------------- */

static void read_segments_head(Compiler *c, const Node *node)
{
    const Node *rules;

    if (c->segments != NULL) {
        err_add(c->err, ERR_CONFIG, node->where, "there are segments already");
        return;
    }
    if (!compile_only(c, node, DOC_SEGMENTS))
        return;
    rules = config_get(node, "rules");
    if (rules == NULL || rules->kind != NODE_LIST || rules->n == 0 ||
        rules->n > MOST_SEGMENTS) {
        err_add(c->err, ERR_CONFIG, compile_where(node, "rules"),
                "segments need a list of 1 to %d \"rules\"", MOST_SEGMENTS);
        return;
    }
    config_word(&c->plan->segments_title, node, "title", c->err);
    c->segments = node;
}

static void read_cohort_head(Compiler *c, const Node *node)
{
    Plan *plan = c->plan;
    Cohort cohort = {.where = node->where};
    int n = plan->n_cohorts;

    if (!compile_only(c, node, DOC_COHORT))
        return;
    config_need_word(&cohort.id, node, "id", c->err);
    config_need_word(&cohort.title, node, "title", c->err);
    config_need_word(&cohort.service, node, "service", c->err);
    if (cohort.id == NULL)
        return;
    compile_is_name(c, cohort.id, compile_where(node, "id"));
    for (int i = 0; i < n; i++) {
        if (strcmp(plan->cohorts[i].id, cohort.id) == 0)
            err_add(c->err, ERR_CONFIG, compile_where(node, "id"),
                    "the cohort \"%s\" is here twice, first on line %llu", cohort.id,
                    (unsigned long long)plan->cohorts[i].where.line);
    }
    *COMPILE_ADD(c, c->cohorts, n) = node;
    *COMPILE_ADD(c, plan->cohorts, plan->n_cohorts) = cohort;
}

void compile_cohort_heads(Compiler *c, const Node *run)
{
    int n;
    const Node **documents = compile_documents(c, &n, run, "cohorts");

    for (int i = 0; i < n; i++) {
        const Node *segments = config_get(documents[i], "segments");
        const Node *cohorts = config_get(documents[i], "cohorts");

        if (!compile_only(c, documents[i], DOC_COHORTS))
            continue;
        if (segments != NULL)
            read_segments_head(c, segments);
        if (cohorts != NULL && cohorts->kind != NODE_LIST)
            err_add(c->err, ERR_CONFIG, cohorts->where, "\"cohorts\" must be a list");
        for (int k = 0; cohorts != NULL && cohorts->kind == NODE_LIST && k < cohorts->n;
             k++)
            read_cohort_head(c, cohorts->items[k]);
    }
    if (c->plan->n_cohorts > MOST_COHORTS)
        err_add(c->err, ERR_CONFIG, c->plan->cohorts[MOST_COHORTS].where,
                "more than %d cohorts", MOST_COHORTS);
}

/* ---- segments ---------------------------------------------------------- */

static void read_segment(Compiler *c, const Node *node, bool is_last)
{
    Plan *plan = c->plan;
    Segment segment = {.where = node->where};
    const Node *when = config_get(node, "when");

    if (!compile_only(c, node, DOC_SEGMENT))
        return;
    config_need_word(&segment.id, node, "segment", c->err);
    if (segment.id == NULL)
        return;
    compile_is_name(c, segment.id, compile_where(node, "segment"));
    for (int s = 0; s < plan->n_segments; s++) {
        if (strcmp(plan->segments[s].id, segment.id) == 0)
            err_add(c->err, ERR_CONFIG, compile_where(node, "segment"),
                    "the segment \"%s\" is here twice", segment.id);
    }
    segment.label = segment.id;
    config_word(&segment.label, node, "label", c->err);
    if (when != NULL)
        segment.when = compile_rule(c, when, RULE_YESNO);
    if (when == NULL && !is_last)
        err_add(c->err, ERR_CONFIG, node->where,
                "segment \"%s\" has no \"when\": only the last takes everyone else",
                segment.id);
    if (when != NULL && is_last) {
        err_add(c->err, ERR_CONFIG, when->where,
                "the last segment takes everyone else and has no \"when\"");
        err_hint(c->err, "add a segment without \"when\" after it");
    }
    *COMPILE_ADD(c, plan->segments, plan->n_segments) = segment;
}

/* ---- cohorts ----------------------------------------------------------- */

static void read_grouping(Compiler *c, Cohort *cohort, const Node *node)
{
    const Plan *plan = c->plan;
    const char *known[MOST_GROUPINGS], *word = NULL;

    if (config_need_word(&word, node, "per", c->err) != 0 || word == NULL)
        return;
    for (int g = 0; g < plan->n_groupings; g++) {
        known[g] = plan->groupings[g].id;
        if (strcmp(known[g], word) != 0)
            continue;
        cohort->grouping = g;
        return;
    }
    err_add(c->err, ERR_CONFIG, compile_where(node, "per"), "there is no grouping \"%s\"",
            word);
    compile_hint(c, word, known, (size_t)plan->n_groupings);
}

static void warn_illustrative(Compiler *c, const Cohort *cohort, const Slot *slot,
                              Where where)
{
    bool is_model = slot->kind == SLOT_SCORE || slot->kind == SLOT_BAND;
    const Model *model = is_model ? &c->plan->models[slot->index] : NULL;

    if (model != NULL && model->is_illustrative)
        compile_warn(c, where,
                     "cohort \"%s\" is ordered by \"%s\", which is illustrative",
                     cohort->id, model->id);
}

/* "efi.score desc"; ascending where nothing is said, as in SQL. */
static void read_order_by(Compiler *c, Cohort *cohort, const Node *word)
{
    size_t len = strcspn(word->word, " ");
    const char *way = word->word + len + strspn(word->word + len, " ");
    const RuleName *name =
        compile_need_name(c, arena_text(c->arena, word->word, len), word->where);
    OrderBy order = {.is_descending = strcmp(way, "desc") == 0};

    if (!order.is_descending && strcmp(way, "asc") != 0 && *way != '\0') {
        err_add(c->err, ERR_CONFIG, word->where, "\"%s\" is not a way to order", way);
        err_hint(c->err, "write asc or desc behind the name");
    }
    if (name == NULL)
        return;
    if (name->type == RULE_WORD && !name->words->is_ordered)
        err_add(c->err, ERR_CONFIG, word->where, "\"%s\" is a word and has no order",
                name->name);
    warn_illustrative(c, cohort, &c->plan->slots[name->slot], word->where);
    order.slot = name->slot;
    *COMPILE_ADD(c, cohort->order, cohort->n_order) = order;
}

static void read_order(Compiler *c, Cohort *cohort, const Node *node)
{
    const Node **words;
    int n = 0;

    if (config_get(node, "order") == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"order\" is missing");
    config_words(&words, &n, node, "order", c->arena, c->err);
    for (int i = 0; i < n; i++)
        read_order_by(c, cohort, words[i]);
}

/* 0 stands for one that is not given: a list of nobody would be one of everyone. */
static bool read_part(Compiler *c, double *share, const Node *word, const char *key)
{
    if (!compile_share(c, share, word))
        return false;
    if (*share > 0)
        return true;
    err_add(c->err, ERR_CONFIG, word->where, "\"%s\" must be above 0 %%", key);
    err_hint(c->err, "leave it out where there is none");
    return false;
}

/* A number of people, or a share of the group's list. */
static bool read_size(Compiler *c, uint32_t *size, double *share, const Node *node,
                      const char *key)
{
    const Node *word = config_get(node, key);
    long number = 0;

    if (word == NULL)
        return false;
    if (word->kind == NODE_WORD && strchr(word->word, '%') != NULL)
        return read_part(c, share, word, key);
    if (config_int(&number, node, key, 1, 100000000, c->err) != 0)
        return false;
    *size = (uint32_t)number;
    return true;
}

static void read_capacity(Compiler *c, Cohort *cohort, const Node *node)
{
    const Node *keep = config_get(node, "keep");

    cohort->capacity = UINT32_MAX;
    read_size(c, &cohort->capacity, &cohort->capacity_share, node, "capacity");
    if (!read_size(c, &cohort->keep, &cohort->keep_share, node, "keep"))
        return;
    if (config_get(node, "capacity") == NULL)
        err_add(c->err, ERR_CONFIG, keep->where, "\"keep\" needs a \"capacity\"");
    else if ((cohort->keep_share > 0) != (cohort->capacity_share > 0))
        err_add(c->err, ERR_CONFIG, keep->where,
                "\"keep\" and \"capacity\" are both numbers or both shares");
    else if (cohort->keep_share > 0 ? cohort->keep_share < cohort->capacity_share
                                    : cohort->keep < cohort->capacity)
        err_add(c->err, ERR_CONFIG, keep->where, "\"keep\" is less than \"capacity\"");
}

/* Indexes of the models a key names. */
static int *read_models(Compiler *c, int *n_found, const Node *node, const char *key)
{
    const Node **words;
    int *found = NULL;
    int n = 0;

    config_words(&words, &n, node, key, c->arena, c->err);
    for (int i = 0; i < n; i++) {
        int model = compile_model_find(c, words[i]);

        for (int k = 0; k < *n_found; k++) {
            if (found[k] == model)
                err_add(c->err, ERR_CONFIG, words[i]->where,
                        "the model \"%s\" is here twice", words[i]->word);
        }
        if (model >= 0)
            *COMPILE_ADD(c, found, *n_found) = model;
    }
    return found;
}

static void read_reasons(Compiler *c, Cohort *cohort, const Node *node)
{
    const Node *reasons = config_get(node, "reasons");
    long most = MOST_REASONS;

    cohort->explain = cohort->show;
    cohort->n_explain = cohort->n_show;
    if (reasons != NULL && compile_only(c, reasons, DOC_REASONS)) {
        config_int(&most, reasons, "most", 0, MOST_REASONS, c->err);
        if (config_get(reasons, "from") != NULL) {
            cohort->n_explain = 0;
            cohort->explain = read_models(c, &cohort->n_explain, reasons, "from");
        }
    }
    cohort->n_most_reasons = (int)most;
}

static void read_cohort_purposes(Compiler *c, Cohort *cohort, const Node *node)
{
    int before = c->err->n_reports;

    cohort->purposes = compile_purposes(c, node, "purpose");
    if (c->err->n_reports == before && c->plan->purpose != 0 &&
        (cohort->purposes & c->plan->purpose) == 0)
        err_add(c->err, ERR_CONFIG, compile_where(node, "purpose"),
                "cohort \"%s\" is not for %s, the purpose of this run", cohort->id,
                compile_purpose_words(c, c->plan->purpose));
}

static void read_cohort(Compiler *c, Cohort *cohort, const Node *node)
{
    const Node *where = config_get(node, "where");

    read_cohort_purposes(c, cohort, node);
    read_grouping(c, cohort, node);
    if (where == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"where\" is missing");
    else
        cohort->when = compile_rule(c, where, RULE_YESNO);
    read_order(c, cohort, node);
    read_capacity(c, cohort, node);
    cohort->show = read_models(c, &cohort->n_show, node, "show");
    read_reasons(c, cohort, node);
}

void compile_cohorts(Compiler *c)
{
    const Node *rules = c->segments != NULL ? config_get(c->segments, "rules") : NULL;

    for (int i = 0; rules != NULL && i < rules->n; i++)
        read_segment(c, rules->items[i], i == rules->n - 1);
    for (int i = 0; i < c->plan->n_cohorts; i++)
        read_cohort(c, &c->plan->cohorts[i], c->cohorts[i]);
}

/* ---- gates ------------------------------------------------------------- */

/* What engine/publish/gate.c can look at. */
static const struct Look {
    const char *id;
    bool takes_source, is_share, is_of_events;
} LOOKS[] = {
    {"fresh", true, false, true},
    {"rows_change", true, true, false},
    {"population_change", false, true, false},
    {"rejected", true, true, false},
    {"list_change", false, true, false},
    {"missing_practices", false, false, false},
    {"score_drift", false, true, false},
};
enum { N_LOOKS = sizeof LOOKS / sizeof *LOOKS };

const char *plan_gate_word(int number)
{
    return number < N_LOOKS ? LOOKS[number].id : NULL;
}

static const struct Look *find_look(Compiler *c, Gate *gate, const Node *node)
{
    const char *known[N_LOOKS];

    if (config_need_word(&gate->id, node, "gate", c->err) != 0 || gate->id == NULL)
        return NULL;
    for (int i = 0; i < N_LOOKS; i++) {
        known[i] = LOOKS[i].id;
        if (strcmp(known[i], gate->id) == 0)
            return &LOOKS[i];
    }
    err_add(c->err, ERR_CONFIG, compile_where(node, "gate"), "there is no gate \"%s\"",
            gate->id);
    compile_hint(c, gate->id, known, N_LOOKS);
    return NULL;
}

static void read_limit(Compiler *c, Gate *gate, const struct Look *look, const Node *node)
{
    const Node *limit = config_get(node, "limit");

    if (limit == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"limit\" is missing");
    else if (look->is_share)
        compile_share(c, &gate->limit, limit);
    else
        config_number(&gate->limit, node, "limit", c->err);
    if (gate->limit < 0)
        err_add(c->err, ERR_CONFIG, limit->where, "a limit is not below 0");
}

static void read_gate_source(Compiler *c, Gate *gate, const struct Look *look,
                             const Node *node)
{
    const char *word = NULL;
    Where where = compile_where(node, "source");

    config_word(&word, node, "source", c->err);
    if (word == NULL)
        return;
    if (!look->takes_source) {
        err_add(c->err, ERR_CONFIG, where, "gate \"%s\" is not about a source", gate->id);
        return;
    }
    gate->source = compile_any_source(c, word, where);
    if (!look->is_of_events || gate->source < 0 ||
        c->plan->sources[gate->source].role == ROLE_EVENTS)
        return;
    err_add(c->err, ERR_CONFIG, where, "gate \"%s\" needs days, and \"%s\" has no events",
            gate->id, word);
    err_hint(c->err, "gate \"rows_change\" takes any source");
}

static void read_gate(Compiler *c, const Node *node)
{
    Gate gate = {.where = node->where, .source = -1};
    const struct Look *look;
    const char *severity = NULL;

    if (!compile_only(c, node, DOC_GATE))
        return;
    look = find_look(c, &gate, node);
    config_need_word(&severity, node, "severity", c->err);
    if (severity != NULL && strcmp(severity, "stop") == 0)
        gate.severity = SEVERITY_STOP;
    else if (severity != NULL && strcmp(severity, "warn") != 0)
        err_add(c->err, ERR_CONFIG, compile_where(node, "severity"),
                "a severity is warn or stop, not \"%s\"", severity);
    if (look == NULL)
        return;
    read_limit(c, &gate, look, node);
    read_gate_source(c, &gate, look, node);
    *COMPILE_ADD(c, c->plan->gates, c->plan->n_gates) = gate;
}

void compile_gates(Compiler *c, const Node *run)
{
    const Node *gates = config_get(run, "gates");

    if (gates == NULL)
        return;
    if (gates->kind != NODE_LIST || gates->n > MOST_GATES) {
        err_add(c->err, ERR_CONFIG, gates->where, "\"gates\" must be a list");
        return;
    }
    for (int i = 0; i < gates->n; i++)
        read_gate(c, gates->items[i]);
}
