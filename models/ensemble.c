#include "models/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

static const char *const SCALES[] = {[SCALE_PROBABILITY] = "probability",
                                     [SCALE_LOGIT] = "logit",
                                     [SCALE_SCORE] = "score"};
static const char *const LINKS[] = {[LINK_IDENTITY] = "identity",
                                    [LINK_LOGIT] = "logit",
                                    [LINK_LOG] = "log",
                                    [LINK_CLOGLOG] = "cloglog"};
/* Weights that add up to 1 but for the digits they are written with. */
static const double ROUNDING = 1e-9;

/* ---- reading ------------------------------------------------------------- */

/* Number of a word of the config; fallback where it is absent; -1 after a report. */
static int choose(const Node *node, const char *key, const char *const *words, int n,
                  int fallback, Err *err)
{
    const char *word = NULL, *nearest;

    if (config_word(&word, node, key, err) != 0)
        return -1;
    if (word == NULL)
        return fallback;
    for (int i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    err_add(err, ERR_CONFIG, config_get(node, key)->where, "\"%s\" cannot be \"%s\"", key,
            word);
    nearest = text_nearest(word, words, (size_t)n);
    if (nearest != NULL)
        err_hint(err, "did you mean \"%s\"?", nearest);
    return -1;
}

EnsembleReader ensemble_start(Model *model, const Plan *plan, Arena *arena, Err *err)
{
    Ensemble *own = arena_alloc(arena, 1, sizeof *own);

    model->own = own;
    model->terms = NULL;
    model->n_terms = model->n_shared = 0;
    return (EnsembleReader){model, own, plan, arena, err};
}

int ensemble_scale(EnsembleReader *reader, const Node *node, Scale fallback)
{
    int scale = choose(node, "scale", SCALES, 3, (int)fallback, reader->err);

    if (scale >= 0)
        reader->own->scale = (Scale)scale;
    return scale >= 0 ? 0 : -1;
}

static const Model *find_model(const EnsembleReader *reader, const Node *word)
{
    const Plan *plan = reader->plan;
    const char **known =
        arena_alloc(reader->arena, (size_t)plan->n_models, sizeof *known);
    const char *nearest;

    for (int m = 0; m < plan->n_models; m++) {
        known[m] = plan->models[m].id;
        if (strcmp(known[m], word->word) == 0)
            return &plan->models[m];
    }
    err_add(reader->err, ERR_CONFIG, word->where, "there is no model \"%s\"", word->word);
    nearest = text_nearest(word->word, known, (size_t)plan->n_models);
    if (nearest != NULL)
        err_hint(reader->err, "did you mean \"%s\"?", nearest);
    return NULL;
}

/* What the config can tell; the rest shows when people are scored. */
static bool may_be_probability(const Model *model)
{
    if (model->kind == &kind_index || model->kind == &kind_points)
        return false;
    return model->kind != &kind_regression ||
           (model->link != LINK_IDENTITY && model->link != LINK_LOG);
}

static int check_member(const EnsembleReader *reader, const Model *member,
                        const char *version, const Node *node)
{
    Err *err = reader->err;

    if (strcmp(member->version, version) != 0) {
        err_add(err, ERR_CONFIG, config_get(node, "version")->where,
                "model \"%s\" has version \"%s\", not \"%s\"", member->id,
                member->version, version);
        err_hint(err, "what was fitted to one version does not hold for another: fit it "
                      "again");
        return -1;
    }
    if (reader->own->scale != SCALE_SCORE && !may_be_probability(member)) {
        err_add(err, ERR_CONFIG, node->where, "the score of \"%s\" is no probability",
                member->id);
        err_hint(err, "use the scale \"score\", with a link or a map to a probability");
        return -1;
    }
    for (int t = 0; t < reader->own->n; t++)
        if (reader->own->members[t].model == member)
            return err_add(err, ERR_CONFIG, node->where, "model \"%s\" is here twice",
                           member->id);
    return 0;
}

int ensemble_member(EnsembleReader *reader, const Node *node, double weight)
{
    Ensemble *own = reader->own;
    const char *id = NULL, *version = NULL;
    const Model *member;
    size_t n = (size_t)own->n;

    if (config_need_word(&id, node, "model", reader->err) != 0 ||
        config_need_word(&version, node, "version", reader->err) != 0)
        return -1;
    member = find_model(reader, config_get(node, "model"));
    if (member == NULL || check_member(reader, member, version, node) != 0)
        return -1;
    own->members =
        arena_grow(reader->arena, own->members, n, n + 1, sizeof *own->members);
    own->members[own->n++] = (Member){.model = member, .weight = weight};
    return 0;
}

/* ---- terms --------------------------------------------------------------- */

static bool is_same_input(const Term *a, const Term *b)
{
    if (a->value == NULL || b->value == NULL)
        return a->value == b->value && a->slot == b->slot;
    return strcmp(rule_text(a->value), rule_text(b->value)) == 0;
}

/* The ensemble's number for a term of a member, which it copies if it is new. */
static int share_term(Model *model, const Term *term)
{
    int first = model->n_terms, last = first + model->n_shared;

    for (int t = first; t < last; t++)
        if (is_same_input(&model->terms[t], term))
            return t;
    model->terms[last] = *term;
    model->n_shared++;
    return last;
}

static void make_terms(EnsembleReader *reader)
{
    Model *model = reader->model;
    Ensemble *own = reader->own;
    size_t n = (size_t)own->n;

    for (int m = 0; m < own->n; m++)
        n += (size_t)(own->members[m].model->n_terms + own->members[m].model->n_shared);
    model->terms = arena_alloc(reader->arena, n, sizeof *model->terms);
    model->n_terms = own->n;
    for (int m = 0; m < own->n; m++) {
        Member *member = &own->members[m];
        const Model *of = member->model;
        int n_of = of->n_terms + of->n_shared;

        model->terms[m] = (Term){.id = of->id,
                                 .label = of->title,
                                 .where = model->where,
                                 .slot = of->score_slot,
                                 .weight = member->weight,
                                 .least = -INFINITY,
                                 .most = INFINITY};
        member->term = arena_alloc(reader->arena, (size_t)n_of, sizeof *member->term);
        for (int t = of->n_shared > 0 ? of->n_terms : 0; t < n_of; t++)
            member->term[t] = share_term(model, &of->terms[t]);
        member->no_score = reason_add(
            model, arena_format(reader->arena, "\"%s\" has no score", of->title),
            reader->arena);
        if (own->scale != SCALE_SCORE)
            member->off_scale = reason_add(
                model,
                arena_format(reader->arena, "\"%s\" is not between 0 and 1", of->title),
                reader->arena);
    }
    model->most_shares = model->n_shared;
}

/* ---- the rest ------------------------------------------------------------ */

static int read_link(EnsembleReader *reader, const Node *node)
{
    Link fallback = reader->own->scale == SCALE_LOGIT ? LINK_LOGIT : LINK_IDENTITY;
    int link = choose(node, "link", LINKS, 4, (int)fallback, reader->err);

    if (link < 0)
        return -1;
    reader->model->link = (Link)link;
    if (reader->own->scale == SCALE_PROBABILITY && link != LINK_IDENTITY)
        return err_add(reader->err, ERR_CONFIG, config_get(node, "link")->where,
                       "a sum of probabilities has no link");
    return 0;
}

/* So that the sum is a probability again. */
static int check_weights(const EnsembleReader *reader)
{
    double total = reader->model->intercept;
    bool is_negative = total < 0;

    for (int m = 0; m < reader->own->n; m++) {
        total += reader->own->members[m].weight;
        is_negative |= reader->own->members[m].weight < 0;
    }
    if (reader->own->scale != SCALE_PROBABILITY ||
        (!is_negative && total <= 1 + ROUNDING))
        return 0;
    err_add(reader->err, ERR_CONFIG, reader->model->where,
            "weights of probabilities must not be below 0 or add up to more than 1");
    err_hint(reader->err, "other weights go with the scale \"logit\"");
    return -1;
}

int ensemble_finish(EnsembleReader *reader, const Node *node)
{
    Model *model = reader->model;
    const Node *map = config_get(node, "map");

    model->intercept = 0;
    if (config_number(&model->intercept, node, "intercept", reader->err) != 0 ||
        read_link(reader, node) != 0 || check_weights(reader) != 0)
        return -1;
    if (map != NULL &&
        calibration_read(&reader->own->map, map, reader->arena, reader->err) != 0)
        return -1;
    make_terms(reader);
    if (map != NULL && model->range == RANGE_NOT_SCORED)
        reader->own->outside =
            reason_add(model, "the result is outside the calibration", reader->arena);
    if (map != NULL && model->range == RANGE_CLAMP) {
        model->replaceable = arena_alloc(reader->arena, 1, sizeof *model->replaceable);
        model->replaceable[0] = (Replaceable){"Score before the table", -1};
        model->n_replaceable = 1;
    }
    reader->own->not_finite =
        reason_add(model, "the result is beyond any number", reader->arena);
    return 0;
}

/* ---- the arithmetic ------------------------------------------------------ */

/* NaN where the score is not on the scale. */
static double on_scale(const Ensemble *own, const Member *member, double score)
{
    double p = score / member->model->multiply;

    switch (own->scale) {
    case SCALE_PROBABILITY:
        return p >= 0 && p <= 1 ? p : NAN;
    case SCALE_LOGIT:
        return p > 0 && p < 1 ? log(p) - log1p(-p) : NAN;
    default:
        return score;
    }
}

static double calibrated(const Model *model, double value, int *why)
{
    const Ensemble *own = model->own;
    const Calibration *map = &own->map;

    if (map->n == 0)
        return value;
    if (model->range == RANGE_CLAMP)
        value = fmin(fmax(value, map->from[0]), map->from[map->n - 1]);
    value = calibration_value(map, value);
    if (isnan(value))
        *why = own->outside;
    return value;
}

/* What goes into the map; NaN with *why set where there is no score. */
static double before_map(const Model *model, const double *row, int *why)
{
    const Ensemble *own = model->own;
    double sum = model->intercept, value;

    *why = 0;
    for (int m = 0; m < own->n; m++) {
        const Member *member = &own->members[m];
        double score_of = row[member->model->score_slot];

        value = on_scale(own, member, score_of);
        if (isnan(value)) {
            *why = isnan(score_of) ? member->no_score : member->off_scale;
            return NAN;
        }
        sum += member->weight * value;
    }
    value = link_value(model, sum);
    if (isfinite(value))
        return value;
    *why = own->not_finite;
    return NAN;
}

void ensemble_score(const Model *model, const double *const *rows, int n, double *score,
                    int *why)
{
    for (int l = 0; l < n; l++) {
        double sum = before_map(model, rows[l], &why[l]);

        if (why[l] == 0)
            sum = calibrated(model, sum, &why[l]);
        score[l] = why[l] != 0 ? NAN : total_score(model, sum);
    }
}

int ensemble_replaced(const Model *model, int input, const double *row)
{
    const Calibration *map = &((const Ensemble *)model->own)->map;
    int why;
    double value = before_map(model, row, &why);

    (void)input; /* the map is the only one */
    if (value < map->from[0])
        return INPUT_BELOW;
    return value > map->from[map->n - 1] ? INPUT_ABOVE : 0;
}

static int most_shares(const Ensemble *own)
{
    int most = 0;

    for (int m = 0; m < own->n; m++) {
        const Model *of = own->members[m].model;
        int n = of->most_shares > 0 ? of->most_shares : of->n_terms;

        most = n > most ? n : most;
    }
    return most;
}

int ensemble_shares(const Model *model, const double *row, Share *shares)
{
    const Ensemble *own = model->own;
    int first = model->n_terms, n = 0;
    Share *room = mem_alloc((size_t)most_shares(own), sizeof *room, "shares");
    double *amount = mem_alloc((size_t)model->n_shared, sizeof *amount, "shares");

    for (int m = 0; m < own->n; m++) {
        const Member *member = &own->members[m];
        int n_of = member->model->kind->shares(member->model, row, room);

        for (int s = 0; s < n_of; s++)
            amount[member->term[room[s].term] - first] += member->weight * room[s].amount;
    }
    for (int t = 0; t < model->n_shared; t++)
        if (amount[t] != 0)
            shares[n++] = (Share){model->terms[first + t].slot, amount[t], first + t};
    free(amount);
    free(room);
    return n;
}
