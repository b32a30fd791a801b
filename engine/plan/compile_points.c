/*
 * compile_points.c - decimal numbers that are added exactly, and what takes the place of
 * what.
 *
 * Weights of index and points stay decimal numbers until the last term is read; then the
 * smallest decimal of them all becomes the unit of whole points.
 */
#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/plan/compile.h"

/* ---- decimal numbers --------------------------------------------------- */

bool terms_decimal(Compiler *c, Decimal *decimal, const char *text, Where where)
{
    if (text_decimal(&decimal->mantissa, &decimal->decimals, text, strlen(text)))
        return true;
    err_add(c->err, ERR_CONFIG, where, "\"%s\" is not a decimal number", text);
    err_hint(c->err, "weights are added exactly: write digits, at most 9 of them after "
                     "the point");
    return false;
}

double terms_decimal_value(Decimal decimal)
{
    return (double)decimal.mantissa / pow(10, decimal.decimals);
}

/* ---- exact points ------------------------------------------------------ */

static int most_decimals(const Terms *terms)
{
    int most = 0;

    for (int t = 0; t < terms->n; t++) {
        const Draft *draft = &terms->drafts[t];

        most = draft->weight.decimals > most ? draft->weight.decimals : most;
        most = draft->cap.decimals > most ? draft->cap.decimals : most;
        for (int s = 0; s < draft->term.n_steps; s++)
            most = draft->steps[s].decimals > most ? draft->steps[s].decimals : most;
    }
    for (int g = 0; g < terms->n_groups; g++)
        most =
            terms->group_caps[g].decimals > most ? terms->group_caps[g].decimals : most;
    return most;
}

/* In units of 10^-most; reports what does not fit into 64 bits. */
static int64_t scaled(Terms *terms, Decimal decimal, int most, Where where)
{
    int64_t points = decimal.mantissa;

    for (int i = decimal.decimals; i < most; i++) {
        if (!__builtin_mul_overflow(points, INT64_C(10), &points))
            continue;
        err_add(terms->c->err, ERR_CONFIG, where, "this weight is too large");
        return 0;
    }
    return points;
}

void terms_points(Terms *terms)
{
    Model *model = terms->model;
    int most = most_decimals(terms);

    for (int i = 0; i < most; i++)
        model->scale *= 10;
    for (int t = 0; t < terms->n; t++) {
        Draft *draft = &terms->drafts[t];
        Term *term = &draft->term;

        term->points = scaled(terms, draft->weight, most, term->where);
        term->cap = scaled(terms, draft->cap, most, term->where);
        for (int s = 0; s < term->n_steps; s++)
            term->step_points[s] = scaled(terms, draft->steps[s], most, term->where);
    }
    model->n_groups = terms->n_groups;
    model->group_cap =
        arena_alloc(terms->c->arena, (size_t)terms->n_groups + 1, sizeof(int64_t));
    for (int g = 0; g < terms->n_groups; g++)
        model->group_cap[g + 1] = scaled(terms, terms->group_caps[g], most, model->where);
}

/* ---- hierarchy --------------------------------------------------------- */

static int find_term(Terms *terms, const char *id, Where where)
{
    Compiler *c = terms->c;
    const char **known = arena_alloc(c->arena, (size_t)terms->n, sizeof *known);

    for (int t = 0; t < terms->n; t++) {
        known[t] = terms->drafts[t].term.id;
        if (strcmp(known[t], id) == 0)
            return t;
    }
    err_add(c->err, ERR_CONFIG, where, "no term of this model is called \"%s\"", id);
    compile_hint(c, id, known, (size_t)terms->n);
    return -1;
}

static void read_hierarchy_rule(Terms *terms, const Node *node)
{
    Compiler *c = terms->c;
    const char *id = NULL;
    const Node **words;
    int by, n = 0;

    if (!compile_only(c, node, DOC_HIERARCHY))
        return;
    config_need_word(&id, node, "if", c->err);
    config_words(&words, &n, node, "zero", c->arena, c->err);
    if (config_get(node, "zero") == NULL)
        err_add(c->err, ERR_CONFIG, node->where, "\"zero\" is missing");
    by = id == NULL ? -1 : find_term(terms, id, compile_where(node, "if"));
    for (int i = 0; i < n && by >= 0; i++) {
        int t = find_term(terms, words[i]->word, words[i]->where);
        Term *term = t < 0 ? NULL : &terms->drafts[t].term;

        if (t == by)
            err_add(c->err, ERR_CONFIG, words[i]->where, "a term cannot zero itself");
        else if (t >= 0)
            *COMPILE_ADD(c, term->zeroed_by, term->n_zeroed_by) = (uint32_t)by;
    }
}

void terms_hierarchy(Terms *terms, const Node *node)
{
    const Node *list = config_get(node, "hierarchy");

    if (list == NULL)
        return;
    if (list->kind != NODE_LIST) {
        err_add(terms->c->err, ERR_CONFIG, list->where, "\"hierarchy\" must be a list");
        return;
    }
    for (int i = 0; i < list->n; i++)
        read_hierarchy_rule(terms, list->items[i]);
}
