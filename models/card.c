/*
 * card.c - a model in words.
 */
#include <libsmartcols/libsmartcols.h>
#include <math.h>
#include <string.h>

#include "models/card.h"
#include "models/ensemble.h"
#include "models/tree_bind.h"

/* ---- small words --------------------------------------------------------- */

static bool is_kind(const Model *model, const char *name)
{
    return strcmp(model->kind->name, name) == 0;
}

/* Text inside a table: on one line, and without the mark that ends a cell. */
static void write_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void write_section(FILE *out, const char *title, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    fprintf(out, "\n## %s\n\n%s\n", title, text);
}

static void write_purposes(FILE *out, const Plan *plan, uint32_t purposes)
{
    const char *before = ", for ";

    for (int p = 0; p < plan->n_purposes; p++) {
        if ((purposes >> p & 1) == 0)
            continue;
        fprintf(out, "%s%s", before, plan->purposes[p]);
        before = ", ";
    }
}

/* ---- what goes in -------------------------------------------------------- */

static const char *const COUNT_WORDS[N_COUNTS] = {
    [COUNT_EXISTS] = "recorded or not",
    [COUNT_ROWS] = "how many",
    [COUNT_DATES] = "on how many days",
    [COUNT_CODES] = "how many different codes",
    [COUNT_SUM] = "sum of the values",
    [COUNT_MIN] = "lowest value",
    [COUNT_MAX] = "highest value",
    [COUNT_MEAN] = "mean value",
    [COUNT_LATEST] = "latest value",
    [COUNT_EARLIEST] = "earliest value",
    [COUNT_DAYS_SINCE_LAST] = "days since the last",
    [COUNT_DAYS_SINCE_FIRST] = "days since the first",
    [COUNT_AGE_AT_LAST] = "age at the last",
    [COUNT_AGE_AT_FIRST] = "age at the first",
    [COUNT_BED_DAYS] = "days in a bed",
    [COUNT_REPEAT] = "repeated or not",
};

static void write_feature(FILE *out, const Plan *plan, const Feature *feature)
{
    const Source *source = plan_events(plan, feature->source);

    write_cell(out, COUNT_WORDS[feature->count]);
    if (feature->count == COUNT_CODES && feature->code_chars > 0)
        fprintf(out, ", by their first %d characters", feature->code_chars);
    if (feature->count == COUNT_REPEAT)
        fprintf(out, ": %d within %d days", feature->repeat_n, feature->repeat_days);
    fprintf(out, " | %s | ", source->name);
    write_cell(out, feature->window_text != NULL ? feature->window_text : "");
}

/* What is counted | from which source | in which window */
static void write_input(FILE *out, const Plan *plan, const Term *term)
{
    const Slot *slot = &plan->slots[term->slot];

    if (term->value != NULL) {
        fputc('`', out);
        write_cell(out, rule_text(term->value));
        fputs("` |  | ", out);
    } else if (slot->kind == SLOT_FEATURE) {
        write_feature(out, plan, &plan->features[slot->index]);
    } else if (slot->kind == SLOT_DERIVED) {
        fputc('`', out);
        write_cell(out, rule_text(plan->derived[slot->index].rule));
        fputs("` |  | ", out);
    } else if (slot->kind == SLOT_AGE) {
        fputs("years completed | person | on the day of the run", out);
    } else if (slot->kind == SLOT_ATTRIBUTE) {
        fputs("as recorded | person | ", out);
    } else {
        fprintf(out, "`%s` | another model | ", slot->name);
    }
}

/* ---- what it adds -------------------------------------------------------- */

static bool is_exact(const Model *model)
{
    return is_kind(model, "index") || is_kind(model, "points");
}

static double exact(const Model *model, int64_t points)
{
    return (double)points / (double)model->scale;
}

static void write_steps(FILE *out, const Model *model, const Term *term)
{
    for (int s = 0; s < term->n_steps; s++) {
        double gives =
            is_exact(model) ? exact(model, term->step_points[s]) : term->step_weight[s];

        if (s > 0)
            fputs("; ", out);
        if (isinf(term->step_bound[s]))
            fprintf(out, "%s: %.10g", s > 0 ? "above" : "any", gives);
        else
            fprintf(out, "%s %.10g: %.10g", term->step_upto[s] ? "up to" : "below",
                    term->step_bound[s], gives);
    }
}

static void write_weight(FILE *out, const Model *model, const Term *term)
{
    double weight = is_exact(model) ? exact(model, term->points) : term->weight;

    if (term->n_steps > 0)
        write_steps(out, model, term);
    else
        fprintf(out, "%.10g", weight);
    if (term->centre != 0)
        fprintf(out, ", after taking away %.10g", term->centre);
    if (term->cap != 0)
        fprintf(out, ", at most %.10g", exact(model, term->cap));
    if (term->group != 0)
        fprintf(out, ", with others of its group at most %.10g",
                exact(model, model->group_cap[term->group]));
    for (int z = 0; z < term->n_zeroed_by; z++) {
        fputs(z == 0 ? ", not beside " : " or ", out);
        write_cell(out, model->terms[term->zeroed_by[z]].label);
    }
    if (model->missing == MISSING_IMPUTE && !isnan(term->impute))
        fprintf(out, ", %.10g where not recorded", term->impute);
    if (term->least > -INFINITY && term->most < INFINITY)
        fprintf(out, ", made for %.10g to %.10g", term->least, term->most);
    else if (term->least > -INFINITY)
        fprintf(out, ", made for %.10g and above", term->least);
    else if (term->most < INFINITY)
        fprintf(out, ", made for up to %.10g", term->most);
}

static void write_inputs(FILE *out, const Plan *plan, const Model *model)
{
    bool has_weights = !is_kind(model, "trees");

    if (model->n_terms == 0)
        return;
    fprintf(out, "\n## What goes in\n\n| Input | What is counted | From | Window |%s\n",
            has_weights ? " Adds |" : "");
    fprintf(out, "|---|---|---|---|%s\n", has_weights ? "---|" : "");
    for (int t = 0; t < model->n_terms; t++) {
        const Term *term = &model->terms[t];

        fputs("| ", out);
        write_cell(out, term->label);
        fputs(" | ", out);
        write_input(out, plan, term);
        if (has_weights) {
            fputs(" | ", out);
            write_weight(out, model, term);
        }
        fputs(" |\n", out);
    }
}

/* ---- what comes out ------------------------------------------------------ */

static void write_regression(FILE *out, const Model *model)
{
    static const char *const LINKS[] = {
        [LINK_IDENTITY] = "sum",         [LINK_LOGIT] = "1 / (1 + exp(-sum))",
        [LINK_LOG] = "exp(sum)",         [LINK_CLOGLOG] = "1 - exp(-exp(sum))",
        [LINK_COX] = "1 - S ^ exp(sum)",
    };

    fprintf(out,
            "Each input adds its weight times its value to a sum that starts at %.10g",
            model->intercept);
    if (model->offset != NULL)
        fprintf(out, " and also holds `%s`", rule_text(model->offset));
    fprintf(out, "; the score is %s", LINKS[model->link]);
    if (model->link == LINK_COX)
        fprintf(out, ", where S = %.10g", model->baseline);
    fputs(".", out);
}

/* The scale, then link and map where there are any. */
static void write_ensemble(FILE *out, const Model *model)
{
    static const char *const SCALES[] = {[SCALE_PROBABILITY] = "probability",
                                         [SCALE_LOGIT] = "log-odds",
                                         [SCALE_SCORE] = "score"};
    static const char *const LINKS[] = {
        [LINK_IDENTITY] = "that sum",
        [LINK_LOGIT] = "1 / (1 + exp(-sum))",
        [LINK_LOG] = "exp(sum)",
        [LINK_CLOGLOG] = "1 - exp(-exp(sum))",
    };
    const Ensemble *own = model->own;

    fprintf(
        out,
        "Each model below adds its weight times its %s to a sum that starts at %.10g; "
        "the score is %s%s.",
        SCALES[own->scale], model->intercept,
        own->map.n > 0 ? "read off a table at " : "", LINKS[model->link]);
    if (own->map.n > 0)
        fprintf(out, " The table has %d points, from %.10g to %.10g; %s.", own->map.n,
                own->map.from[0], own->map.from[own->map.n - 1],
                model->range == RANGE_CLAMP
                    ? "what is outside counts as its nearest end, and the "
                      "score is flagged as clamped"
                    : "what is outside is not scored");
}

/* Who wrote the file, and how much of it is used. */
static void write_trees(FILE *out, const Model *model)
{
    const Trees *trees = model->own;
    const Forest *forest = &trees->forest;
    int best = forest->best_rounds, all = trees->file_rounds;

    fprintf(out, "The score is the %s of a %s model: a file of %s, objective `%s`.",
            trees->is_margin ? "margin" : "prediction",
            forest->weights != NULL ? "linear" : "tree", forest->version,
            forest->objective);
    if (forest->n_outputs > 1)
        fprintf(out, " Of its %d outputs it is number %d, from 0.", forest->n_outputs,
                trees->output);
    if (forest->weights != NULL)
        return;
    if (forest->n_rounds < all)
        fprintf(out, " Of its %d rounds the first %d are used, up to the best one", all,
                forest->n_rounds);
    else if (best != 0 && best < all)
        fprintf(out, " All of its %d rounds are used, also those after the best %d", all,
                best);
    else
        fprintf(out, " All of its %d rounds are used", all);
    fprintf(out, ": %d trees.", forest->n_trees);
}

static void write_arithmetic(FILE *out, const Model *model)
{
    if (is_kind(model, "index"))
        fprintf(out, "The score is the share of %.10g deficits that are present.",
                model->denominator);
    else if (is_kind(model, "points"))
        fputs("The score is the sum of the points of its inputs.", out);
    else if (is_kind(model, "regression"))
        write_regression(out, model);
    else if (is_kind(model, "ensemble") || is_kind(model, "recalibrated"))
        write_ensemble(out, model);
    else
        write_trees(out, model);
    if (model->floor > -INFINITY)
        fprintf(out, " It is never below %.10g.", model->floor);
    if (model->ceiling < INFINITY)
        fprintf(out, " It is never above %.10g.", model->ceiling);
    if (model->multiply == 100)
        fputs(" It is shown in percent.", out);
    else if (model->multiply != 1)
        fprintf(out, " It is shown times %.10g.", model->multiply);
    fputc('\n', out);
}

/* What becomes of inputs that are missing or out of range, and how one sees it. */
static void write_policies(FILE *out, const Model *model)
{
    static const char *const MISSING[] = {
        [MISSING_NOT_SCORED] =
            "A person without a value that it needs is not scored, and is counted.",
        [MISSING_ZERO] = "A value that is not recorded counts as 0, and "
                         "the score is flagged as imputed.",
        [MISSING_IMPUTE] = "A value that is not recorded is replaced by the one that the "
                           "model declares, and the score is flagged as imputed.",
    };
    bool has_range = false;

    for (int t = 0; t < model->n_terms; t++)
        has_range |= model->terms[t].least > -INFINITY || model->terms[t].most < INFINITY;
    fprintf(out, "\n%s",
            is_kind(model, "trees")
                ? "A value that is not recorded goes the way that the file gives it."
                : MISSING[model->missing]);
    if (has_range)
        fputs(
            model->range == RANGE_CLAMP
                ? " A value outside the range of the model is moved to its nearest end, "
                  "and "
                  "the score is flagged as clamped."
                : " A person with a value outside the range of the model is not scored, "
                  "and is counted.",
            out);
    if (is_kind(model, "ensemble") || is_kind(model, "recalibrated"))
        fputs(" A score has the flags of those that it is made from.", out);
    fputc('\n', out);
}

/* The scores that a cut-off band takes: "above 0.12, up to 0.24". */
static void write_cut_off(FILE *out, const Model *model, int number)
{
    const Band *band = &model->bands[number], *before = band - 1;

    if (number == 0 && isinf(band->bound)) {
        fputs("any", out);
        return;
    }
    if (number > 0)
        fprintf(out, "%s %.10g", before->is_upto ? "above" : "from", before->bound);
    if (number > 0 && !isinf(band->bound))
        fputs(", ", out);
    if (!isinf(band->bound))
        fprintf(out, "%s %.10g", band->is_upto ? "up to" : "below", band->bound);
}

static void write_rank(FILE *out, const Model *model, int number)
{
    double top = model->bands[number].share * 100;
    bool is_last = number == model->n_bands - 1;

    if (number == 0)
        fputs("everyone else", out);
    else
        fprintf(out, "top %.10g %% of everyone scored", top);
    if (number > 0 && !is_last)
        fputs(", without the bands above", out);
}

static void write_bands(FILE *out, const Model *model)
{
    bool has_meaning = false;

    if (model->n_bands == 0)
        return;
    for (int b = 0; b < model->n_bands; b++)
        has_meaning |= model->bands[b].meaning != NULL;
    fprintf(out, "\n| Band | Score |%s\n", has_meaning ? " Meaning |" : "");
    fprintf(out, "|---|---|%s\n", has_meaning ? "---|" : "");
    for (int b = 0; b < model->n_bands; b++) {
        fputs("| ", out);
        write_cell(out, model->bands[b].label);
        fputs(" | ", out);
        if (model->is_by_rank)
            write_rank(out, model, b);
        else
            write_cut_off(out, model, b);
        fputs(" |", out);
        if (has_meaning) {
            fputc(' ', out);
            write_cell(out, model->bands[b].meaning ? model->bands[b].meaning : "");
            fputs(" |", out);
        }
        fputc('\n', out);
    }
}

/* ---- the card ------------------------------------------------------------ */

static void write_who(FILE *out, const Model *model)
{
    int n = 0;

    fputs("\n## Who it applies to\n\n", out);
    for (int r = 1; r < model->n_reasons; r++) {
        const ModelReason *reason = &model->reasons[r];

        if (!reason->is_eligibility || reason->when == NULL)
            continue;
        if (n++ == 0)
            fputs("Everyone in the run of whom all of this is true:\n\n", out);
        fprintf(out, "- `%s` (others are counted as \"%s\")\n", rule_text(reason->when),
                reason->text);
    }
    if (n == 0)
        fputs("Everyone in the run.\n", out);
}

void card_write(FILE *out, const Plan *plan, int model)
{
    const Model *of = &plan->models[model];

    fprintf(out, "# %s\n\n`%s` version %s", of->title, of->id, of->version);
    write_purposes(out, plan, of->purposes);
    fputc('\n', out);
    if (of->is_illustrative)
        fputs("\n> **Illustrative.** Fitted on made-up people: it shows how the program "
              "works and must\n> not be used for decisions about real ones.\n",
              out);
    if (of->purpose_text != NULL)
        fprintf(out, "\n%s\n", of->purpose_text);
    write_who(out, of);
    fputs("\n## What comes out\n\n", out);
    if (of->outcome != NULL)
        fprintf(out, "Predicts %s%s%s.\n\n", of->outcome,
                of->horizon != NULL ? ", horizon " : "",
                of->horizon != NULL ? of->horizon : "");
    write_arithmetic(out, of);
    write_policies(out, of);
    write_bands(out, of);
    write_inputs(out, plan, of);
    write_section(out, "Limits", of->limits);
    if (of->notice != of->limits)
        write_section(out, "Notice", of->notice);
    write_section(out, "Source", of->source);
    write_section(out, "Licence", of->licence);
}

/* ---- all models ---------------------------------------------------------- */

void card_list(FILE *out, const Plan *plan)
{
    static const char *const COLUMNS[] = {"MODEL",  "VERSION", "KIND",
                                          "INPUTS", "BANDS",   "TITLE"};
    struct libscols_table *table = scols_new_table();

    scols_table_set_stream(table, out);
    scols_table_enable_maxout(table, 0);
    for (size_t c = 0; c < sizeof COLUMNS / sizeof *COLUMNS; c++)
        scols_table_new_column(table, COLUMNS[c], 0,
                               c == 3 || c == 4 ? SCOLS_FL_RIGHT : 0);
    for (int m = 0; m < plan->n_models; m++) {
        const Model *model = &plan->models[m];
        struct libscols_line *line = scols_table_new_line(table, NULL);
        char inputs[16], bands[16];

        snprintf(inputs, sizeof inputs, "%d", model->n_terms);
        snprintf(bands, sizeof bands, "%d", model->n_bands);
        scols_line_set_data(line, 0, model->id);
        scols_line_set_data(line, 1, model->version);
        scols_line_set_data(line, 2, model->kind->name);
        scols_line_set_data(line, 3, inputs);
        scols_line_set_data(line, 4, bands);
        scols_line_set_data(line, 5, model->title);
    }
    scols_print_table(table);
    scols_unref_table(table);
}
