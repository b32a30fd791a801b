/*
 * compile_order.c - what only the whole can tell: circles, the order of derived features
 * and models, what is used, and whether everyone may use it.
 */
#include "engine/plan/compile.h"
#include "engine/plan/reads.h"

/* ---- order ------------------------------------------------------------- */

typedef enum Mark { MARK_NEW, MARK_OPEN, MARK_DONE } Mark;

/* Derived features come first, then models: one number for both. */
typedef struct Order {
    Compiler *c;
    Mark *marks;
    int *path; /* the steps that are open, outermost first */
    int n_path;
} Order;

static const char *step_name(const Plan *plan, int step)
{
    return step < plan->n_derived ? plan->derived[step].id
                                  : plan->models[step - plan->n_derived].id;
}

static Where step_where(const Plan *plan, int step)
{
    return step < plan->n_derived ? plan->derived[step].where
                                  : plan->models[step - plan->n_derived].where;
}

static void report_circle(Order *order, int step)
{
    Compiler *c = order->c;
    const char *text = NULL;

    for (int i = 0; i < order->n_path; i++) {
        const char *name = step_name(c->plan, order->path[i]);

        if (text != NULL)
            text = arena_format(c->arena, "%s -> %s", text, name);
        else if (order->path[i] == step)
            text = name;
    }
    err_add(c->err, ERR_CONFIG, step_where(c->plan, step),
            "\"%s\" needs itself: %s -> %s", step_name(c->plan, step), text,
            step_name(c->plan, step));
}

static void place_step(Order *order, int step);

static void place_slot(void *context, uint32_t number)
{
    Order *order = context;
    const Plan *plan = order->c->plan;
    const Slot *slot = &plan->slots[number];
    int user = order->path[order->n_path - 1];

    if (slot->kind == SLOT_BAND && plan->models[slot->index].is_by_rank) {
        err_add(order->c->err, ERR_CONFIG, step_where(plan, user),
                "\"%s\" uses \"%s\", which goes by rank and is known only when everyone "
                "is scored",
                step_name(plan, user), slot->name);
        err_hint(order->c->err, "segments and cohorts can use it; here, use \"%s.score\"",
                 plan->models[slot->index].id);
    }
    if (slot->kind == SLOT_DERIVED)
        place_step(order, slot->index);
    else if (slot->kind == SLOT_SCORE || slot->kind == SLOT_BAND)
        place_step(order, plan->n_derived + slot->index);
}

static void place_step(Order *order, int step)
{
    Plan *plan = order->c->plan;
    bool is_model = step >= plan->n_derived;
    int index = is_model ? step - plan->n_derived : step;

    if (order->marks[step] == MARK_DONE)
        return;
    if (order->marks[step] == MARK_OPEN) {
        report_circle(order, step);
        return;
    }
    order->marks[step] = MARK_OPEN;
    order->path[order->n_path++] = step;
    if (is_model)
        model_each_slot(&plan->models[index], place_slot, order);
    else
        rule_each_slot(plan->derived[index].rule, place_slot, order);
    order->n_path--;
    order->marks[step] = MARK_DONE;
    *COMPILE_ADD(order->c, plan->steps, plan->n_steps) = (Step){is_model, index};
}

static void place_all(Compiler *c)
{
    int n = c->plan->n_derived + c->plan->n_models;
    Order order = {.c = c,
                   .marks = arena_alloc(c->arena, (size_t)n, sizeof(Mark)),
                   .path = arena_alloc(c->arena, (size_t)n + 1, sizeof(int))};

    for (int step = 0; step < n; step++)
        place_step(&order, step);
}

/* ---- use --------------------------------------------------------------- */

/* Everything that something can reach through derived features and models. */
typedef struct Reach {
    const Plan *plan;
    bool *seen; /* by slot */
} Reach;

static Reach reach_new(Compiler *c)
{
    return (Reach){c->plan, arena_alloc(c->arena, c->plan->n_slots, sizeof(bool))};
}

static void reach_slot(void *context, uint32_t number)
{
    Reach *reach = context;
    const Slot *slot = &reach->plan->slots[number];

    if (reach->seen[number])
        return;
    reach->seen[number] = true;
    if (slot->kind == SLOT_DERIVED)
        rule_each_slot(reach->plan->derived[slot->index].rule, reach_slot, reach);
    else if (slot->kind == SLOT_SCORE || slot->kind == SLOT_BAND)
        model_each_slot(&reach->plan->models[slot->index], reach_slot, reach);
}

static void reach_cohort(Reach *reach, const Cohort *cohort)
{
    rule_each_slot(cohort->when, reach_slot, reach);
    for (int i = 0; i < cohort->n_order; i++)
        reach_slot(reach, cohort->order[i].slot);
    for (int i = 0; i < cohort->n_show; i++)
        reach_slot(reach, reach->plan->models[cohort->show[i]].score_slot);
    for (int i = 0; i < cohort->n_explain; i++)
        reach_slot(reach, reach->plan->models[cohort->explain[i]].score_slot);
}

static void reach_segments(Reach *reach)
{
    for (int s = 0; s < reach->plan->n_segments; s++)
        rule_each_slot(reach->plan->segments[s].when, reach_slot, reach);
}

static void use_slot(Plan *plan, Slot *slot)
{
    slot->is_used = true;
    if (slot->kind == SLOT_FEATURE)
        plan->features[slot->index].is_used = true;
    else if (slot->kind == SLOT_DERIVED)
        plan->derived[slot->index].is_used = true;
    else if (slot->kind == SLOT_ATTRIBUTE)
        plan->people->attributes[slot->index].is_used = true;
}

/* Every model is scored, so what it reads is used. */
static void mark_used(Compiler *c)
{
    Plan *plan = c->plan;
    Reach reach = reach_new(c);

    for (int m = 0; m < plan->n_models; m++) {
        reach_slot(&reach, plan->models[m].score_slot);
        reach_slot(&reach, plan->models[m].band_slot);
    }
    for (int i = 0; i < plan->n_cohorts; i++)
        reach_cohort(&reach, &plan->cohorts[i]);
    reach_segments(&reach);
    for (uint32_t s = 0; s < plan->n_slots; s++) {
        if (reach.seen[s])
            use_slot(plan, &plan->slots[s]);
    }
}

/* A feature that only an unused derived feature reads goes with that one. */
static void report_unused(Compiler *c)
{
    Plan *plan = c->plan;
    Reach reach = reach_new(c);

    for (int d = 0; d < plan->n_derived; d++)
        rule_each_slot(plan->derived[d].rule, reach_slot, &reach);
    for (uint32_t s = 0; s < plan->n_slots; s++) {
        const Slot *slot = &plan->slots[s];
        bool is_plain =
            slot->kind == SLOT_DERIVED ||
            (slot->kind == SLOT_FEATURE && plan->features[slot->index].family == NULL);

        if (!is_plain || slot->is_used || reach.seen[s])
            continue;
        err_add(c->err, ERR_CONFIG,
                slot->kind == SLOT_DERIVED ? plan->derived[slot->index].where
                                           : plan->features[slot->index].where,
                "nothing uses the feature \"%s\"", slot->name);
        err_hint(c->err, "remove it, or use it in a model, a segment or a cohort");
    }
}

/* ---- purposes ---------------------------------------------------------- */

/* Whoever uses records: a model, a cohort, or the segments. */
typedef struct User {
    const char *text; /* how a message starts */
    uint32_t purposes;
    Where where;
    Reach reach;
} User;

static void check_source(Compiler *c, const User *user, const Source *source,
                         const char *through)
{
    uint32_t refused = user->purposes & ~source->purposes;

    if (refused == 0)
        return;
    err_add(c->err, ERR_CONFIG, user->where,
            "%s for %s, but source \"%s\" may only be used for %s", user->text,
            compile_purpose_words(c, refused), source->name,
            compile_purpose_words(c, source->purposes));
    if (through != NULL)
        err_hint(c->err, "it is used through \"%s\"", through);
}

static void check_features(Compiler *c, const User *user)
{
    const Plan *plan = c->plan;
    uint64_t done = 0;

    for (uint32_t s = 0; s < plan->n_slots; s++) {
        const Slot *slot = &plan->slots[s];
        int source;

        if (slot->kind != SLOT_FEATURE || !user->reach.seen[s])
            continue;
        source = plan->features[slot->index].source;
        if (source < 0 || (done >> source & 1))
            continue;
        done |= UINT64_C(1) << source;
        check_source(c, user, plan_events(plan, source), slot->name);
    }
}

static void check_models(Compiler *c, const User *user, int self)
{
    const Plan *plan = c->plan;

    for (int m = 0; m < plan->n_models; m++) {
        const Model *model = &plan->models[m];
        uint32_t refused = user->purposes & ~model->purposes;

        if (m == self || refused == 0 ||
            (!user->reach.seen[model->score_slot] && !user->reach.seen[model->band_slot]))
            continue;
        err_add(c->err, ERR_CONFIG, user->where,
                "%s for %s, but uses model \"%s\", which is only for %s", user->text,
                compile_purpose_words(c, refused), model->id,
                compile_purpose_words(c, model->purposes));
    }
}

static void check_user(Compiler *c, const User *user, int self)
{
    check_source(c, user, c->plan->people, NULL);
    check_features(c, user);
    check_models(c, user, self);
}

/* People, registrations ... serve everyone in the run. */
static void check_run(Compiler *c)
{
    const Plan *plan = c->plan;

    for (int s = 0; s < plan->n_sources - plan->n_event_sources; s++) {
        if ((plan->sources[s].purposes & plan->purpose) != plan->purpose)
            err_add(c->err, ERR_CONFIG, plan->sources[s].where,
                    "source \"%s\" may not be used for %s, the purpose of this run",
                    plan->sources[s].name, compile_purpose_words(c, plan->purpose));
    }
}

static void check_purposes(Compiler *c)
{
    Plan *plan = c->plan;
    User user;

    check_run(c);
    for (int m = 0; m < plan->n_models; m++) {
        const Model *model = &plan->models[m];

        user =
            (User){arena_format(c->arena, "model \"%s\" is", model->id), model->purposes,
                   compile_where(c->models[m], "purpose"), reach_new(c)};
        reach_slot(&user.reach, model->score_slot);
        check_user(c, &user, m);
    }
    for (int i = 0; i < plan->n_cohorts; i++) {
        const Cohort *cohort = &plan->cohorts[i];

        user = (User){arena_format(c->arena, "cohort \"%s\" is", cohort->id),
                      cohort->purposes, compile_where(c->cohorts[i], "purpose"),
                      reach_new(c)};
        reach_cohort(&user.reach, cohort);
        check_user(c, &user, -1);
    }
    if (plan->n_segments == 0)
        return;
    user = (User){"the segments are", plan->purpose, c->segments->where, reach_new(c)};
    reach_segments(&user.reach);
    check_user(c, &user, -1);
}

/* ---- the whole --------------------------------------------------------- */

/* A part with a fault uses nothing, so what is unused is told only when all is well. */
void compile_order(Compiler *c)
{
    int before = c->err->n_reports;

    place_all(c);
    if (c->err->n_reports > before)
        return; /* a circle has no end */
    mark_used(c);
    check_purposes(c);
    if (c->err->n_reports == 0)
        report_unused(c);
}
