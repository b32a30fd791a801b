/*
 * kind_recalibrated.c - a model as it is, brought to what was observed here.
 *
 *     of: {model: parr30, version: "1.0"}
 *     intercept: -0.31             # logit(p) = intercept + slope x logit(of)
 *     slope: 0.87
 *
 * or with a table, fitted by isotonic regression:
 *
 *     of: {model: parr30, version: "1.0"}
 *     map: {file: isotonic.csv, from: predicted, to: observed}
 *
 * It is a model with an id, a version and a card of its own, and the model that it
 * starts from stays what it was. `scale: score` with `link: logit` or a map turns
 * points into a probability. The order of people is never turned round.
 */
#include "models/ensemble.h"

static int check_slope(const EnsembleReader *reader, const Node *node, double slope)
{
    bool is_linear =
        config_get(node, "slope") != NULL || config_get(node, "intercept") != NULL;

    if (!is_linear && config_get(node, "map") == NULL)
        return err_add(reader->err, ERR_CONFIG, node->where,
                       "a recalibration needs \"slope\" and \"intercept\", or \"map\"");
    if (slope <= 0)
        return err_add(reader->err, ERR_CONFIG, config_get(node, "slope")->where,
                       "the slope must be above 0: a recalibration keeps the order of "
                       "people");
    if (is_linear && reader->own->scale == SCALE_PROBABILITY)
        return err_add(reader->err, ERR_CONFIG, config_get(node, "scale")->where,
                       "slope and intercept go with the scale logit or score");
    return 0;
}

static int recalibrated_compile(Model *model, const Plan *plan, const Node *node,
                                Arena *arena, Err *err)
{
    EnsembleReader reader = ensemble_start(model, plan, arena, err);
    const Node *of = config_get(node, "of");
    bool is_linear =
        config_get(node, "slope") != NULL || config_get(node, "intercept") != NULL;
    double slope = 1;

    if (of == NULL || of->kind != NODE_MAP) {
        err_add(err, ERR_CONFIG, of != NULL ? of->where : node->where,
                "\"of\" must say which model is recalibrated");
        err_hint(err, "write it as in of: {model: parr30, version: \"1.0\"}");
        return -1;
    }
    /* A map alone takes the probability as it is, to the last bit. */
    if (ensemble_scale(&reader, node, is_linear ? SCALE_LOGIT : SCALE_PROBABILITY) != 0 ||
        config_number(&slope, node, "slope", err) != 0 ||
        check_slope(&reader, node, slope) != 0 ||
        ensemble_member(&reader, of, slope) != 0)
        return -1;
    return ensemble_finish(&reader, node);
}

const ModelKind kind_recalibrated = {"recalibrated", recalibrated_compile, ensemble_score,
                                     ensemble_shares, ensemble_replaced};
