/*
 * kind_ensemble.c - other models weighed together.
 *
 *     scale: logit                 # what is added: probability, logit or score
 *     members:
 *       - {model: admission_12m, version: "1.0", weight: 0.6}
 *       - {model: trees_12m, version: "3", weight: 0.4}
 *     intercept: -0.1              # on that scale; 0 unless given
 *     link: logit                  # of the sum; the scale `logit` has it by itself
 *     map: {file: isotonic.csv, from: predicted, to: observed}   # see calibration.h
 *     range: clamp                 # outside the map: its nearest end; else not scored
 *
 * sum = intercept + sum of weight x score, in the order of the members; the score is
 * the map of the link of the sum. Whoever a member has no score for has none here.
 */
#include <math.h>

#include "models/ensemble.h"

static int read_members(EnsembleReader *reader, const Node *node)
{
    const Node *members = config_get(node, "members");
    int rc = 0;

    if (members == NULL || members->kind != NODE_LIST || members->n == 0)
        return err_add(reader->err, ERR_CONFIG,
                       members != NULL ? members->where : node->where,
                       "an ensemble needs a list of \"members\"");
    for (int i = 0; i < members->n; i++) {
        const Node *member = members->items[i];
        double weight = NAN;

        if (config_number(&weight, member, "weight", reader->err) != 0)
            rc = -1;
        else if (isnan(weight))
            rc = err_add(reader->err, ERR_CONFIG, member->where, "\"weight\" is missing");
        else if (ensemble_member(reader, member, weight) != 0)
            rc = -1;
    }
    return rc;
}

static int ensemble_compile(Model *model, const Plan *plan, const Node *node,
                            Arena *arena, Err *err)
{
    EnsembleReader reader = ensemble_start(model, plan, arena, err);

    if (config_get(node, "scale") == NULL) {
        err_add(err, ERR_CONFIG, node->where, "\"scale\" is missing");
        err_hint(err, "what is added: probability, logit or score");
        return -1;
    }
    if (ensemble_scale(&reader, node, SCALE_PROBABILITY) != 0 ||
        read_members(&reader, node) != 0)
        return -1;
    return ensemble_finish(&reader, node);
}

const ModelKind kind_ensemble = {"ensemble", ensemble_compile, ensemble_score,
                                 ensemble_shares, ensemble_replaced};
