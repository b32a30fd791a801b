/*
 * tables.c - what is published about a run: how it went, its models and its groups.
 *
 * One table after the other, each with its columns and the rows that fill them. The
 * columns are those of sql/20_results.sql without run_id, which an output adds where it
 * holds more than one run.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/kinds.h"

/* ---- values -------------------------------------------------------------- */

static void put(Writer *writer, const Cell *cell)
{
    const ResultTable *table = writer->table;

    writer->put(writer, &table->columns[writer->column], cell);
    writer->column = writer->column + 1 == table->n_columns ? 0 : writer->column + 1;
}

void put_int(Writer *writer, int64_t value)
{
    put(writer, &(Cell){.number = value});
}

void put_real(Writer *writer, double value)
{
    put(writer, &(Cell){.is_null = isnan(value), .real = value});
}

void put_text(Writer *writer, const char *text)
{
    put(writer, &(Cell){.is_null = text == NULL, .text = text});
}

void put_texts(Writer *writer, const char *const *texts, int n)
{
    put(writer, &(Cell){.texts = texts, .n = n});
}

void put_reals(Writer *writer, const double *values, int n)
{
    put(writer, &(Cell){.reals = values, .n = n});
}

void put_numbers(Writer *writer, const int32_t *values, int n)
{
    put(writer, &(Cell){.numbers = values, .n = n});
}

void put_count(Writer *writer, uint64_t value)
{
    put_int(writer, (int64_t)value);
}

void put_null(Writer *writer)
{
    put(writer, &(Cell){.is_null = true});
}

/* A number of the config where 0 means that it is not given. */
static void put_given(Writer *writer, double value)
{
    put_real(writer, value == 0 ? NAN : value);
}

void real_text(char text[REAL_TEXT], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, REAL_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
    if (isinf(value))
        snprintf(text, REAL_TEXT, "%s", value > 0 ? "Infinity" : "-Infinity");
}

/* ---- the run ------------------------------------------------------------- */

static const ResultColumn run_columns[] = {
    COL(status, TEXT),      COL(title, TEXT),           COL(purpose, TEXT),
    COL(as_of, DATE),       COL(people, INT8),          COL(known, INT8),
    COL(config_hash, TEXT), COL(program_version, TEXT), VOL(snapshot, TEXT),
    VOL(started_by, TEXT),  VOL(started_at, TIME)};

static const char *purpose_of(const Plan *plan)
{
    for (int i = 0; i < plan->n_purposes; i++)
        if (plan->purpose >> i & 1)
            return plan->purposes[i];
    return NULL;
}

static void run_write(Writer *writer, const Made *made)
{
    const Store *store = made->results->store;
    bool has_snapshot = store->snapshot != NULL && store->snapshot[0] != '\0';

    put_text(writer, made->info->is_shadow ? "shadow" : "published");
    put_text(writer, made->plan->title);
    put_text(writer, purpose_of(made->plan));
    put_int(writer, made->plan->as_of);
    put_count(writer, store->n_people);
    put_count(writer, store->n_known);
    put_text(writer, made->plan->hash);
    put_text(writer, made->info->version);
    put_text(writer, has_snapshot ? store->snapshot : NULL);
    put_text(writer, made->info->started_by);
    put_int(writer, made->info->started);
}
static TABLE(run);

static const ResultColumn run_stage_columns[] = {
    VOL(stage_no, INT2),       VOL(stage, TEXT),
    VOL(wall_seconds, FLOAT8), VOL(cpu_seconds, FLOAT8),
    VOL(rows, INT8),           VOL(bytes, INT8),
    VOL(peak_bytes, INT8),     VOL(server_cpu_seconds, FLOAT8)};

static void run_stage_write(Writer *writer, const Made *made)
{
    for (int s = 0; s < made->info->n_stages; s++) {
        const StageTime *stage = &made->info->stages[s];

        put_int(writer, s);
        put_text(writer, stage->stage);
        put_real(writer, stage->wall);
        put_real(writer, stage->cpu);
        put_count(writer, stage->rows);
        put_count(writer, stage->bytes);
        put_count(writer, stage->peak_bytes);
        put_real(writer, stage->server_cpu);
    }
}
static TABLE(run_stage);

static const ResultColumn run_source_columns[] = {
    COL(source_no, INT2), COL(source, TEXT), COL(role, TEXT),     COL(rows, INT8),
    COL(newest, DATE),    VOL(bytes, INT8),  VOL(seconds, FLOAT8)};

static void run_source_write(Writer *writer, const Made *made)
{
    static const char *const ROLE[] = {"people", "registrations", "practices", "opt-outs",
                                       "events"};

    for (int s = 0; s < made->plan->n_sources; s++) {
        const SourceCount *count = &made->results->store->counts[s];

        put_int(writer, s);
        put_text(writer, made->plan->sources[s].name);
        put_text(writer, ROLE[made->plan->sources[s].role]);
        put_count(writer, count->rows);
        if (made->plan->sources[s].role != ROLE_EVENTS || count->latest == DAY_UNKNOWN)
            put_null(writer);
        else
            put_int(writer, count->latest);
        put_count(writer, count->bytes);
        put_real(writer, count->seconds);
    }
}
static TABLE(run_source);

static const ResultColumn run_source_fate_columns[] = {
    COL(source, TEXT), COL(fate_no, INT2), COL(fate, TEXT), COL(is_reject, YESNO),
    COL(rows, INT8)};

static void run_source_fate_write(Writer *writer, const Made *made)
{
    for (int s = 0; s < made->plan->n_sources; s++)
        for (int f = 0; f < N_ROW_FATES; f++) {
            put_text(writer, made->plan->sources[s].name);
            put_int(writer, f);
            put_text(writer, row_fate_word[f]);
            put_int(writer, f >= ROW_NO_PERSON);
            put_count(writer, made->results->store->counts[s].fate[f]);
        }
}
static TABLE(run_source_fate);

static const ResultColumn run_exclusion_columns[] = {
    COL(exclusion_no, INT2), COL(reason, TEXT), COL(people, INT8)};

static void run_exclusion_write(Writer *writer, const Made *made)
{
    for (int e = EXCLUDED_NOT + 1; e < made->results->store->n_exclusions; e++) {
        put_int(writer, e);
        put_text(writer, exclusion_text(made->plan, e));
        put_count(writer, made->results->store->excluded[e]);
    }
}
static TABLE(run_exclusion);

static const ResultColumn run_list_columns[] = {
    COL(list, TEXT),        COL(version, TEXT), COL(title, TEXT),   COL(source, TEXT),
    COL(terminology, TEXT), COL(licence, TEXT), COL(entries, INT4), COL(rows, INT8)};

static void run_list_write(Writer *writer, const Made *made)
{
    for (int l = 0; l < made->plan->n_lists; l++) {
        const CodeList *list = &made->plan->lists[l];

        put_text(writer, list->id);
        put_text(writer, list->version);
        put_text(writer, list->title);
        put_text(writer, list->source);
        put_text(writer, list->terminology);
        put_text(writer, list->licence);
        put_int(writer, list->n_entries);
        put_count(writer, made->results->store->list_people[l]);
    }
}
static TABLE(run_list);

static const ResultColumn run_gate_columns[] = {
    COL(gate_no, INT2), COL(gate, TEXT),     COL(subject, TEXT), COL(value, FLOAT8),
    COL(limit, FLOAT8), COL(severity, TEXT), COL(state, TEXT)};

static void run_gate_write(Writer *writer, const Made *made)
{
    for (int i = 0; i < made->gates->n; i++) {
        const GateResult *result = &made->gates->results[i];

        put_int(writer, i);
        put_text(writer, result->gate->id);
        put_text(writer, result->subject);
        put_real(writer, result->value);
        put_real(writer, result->gate->limit);
        put_text(writer, result->gate->severity == SEVERITY_STOP ? "stop" : "warn");
        put_text(writer, gate_state_word(result->state));
    }
}
static TABLE(run_gate);

/* ---- models -------------------------------------------------------------- */

static const ResultColumn run_model_columns[] = {
    COL(model_no, INT2),     COL(model, TEXT),
    COL(version, TEXT),      COL(title, TEXT),
    COL(kind, TEXT),         COL(source, TEXT),
    COL(licence, TEXT),      COL(outcome, TEXT),
    COL(horizon, TEXT),      COL(is_illustrative, YESNO),
    COL(decimals, INT2),     COL(scored, INT8),
    COL(mean_score, FLOAT8), COL(clamped, INT8),
    COL(imputed, INT8)};

static void run_model_write(Writer *writer, const Made *made)
{
    for (int m = 0; m < made->plan->n_models; m++) {
        const Model *model = &made->plan->models[m];

        put_int(writer, m);
        put_text(writer, model->id);
        put_text(writer, model->version);
        put_text(writer, model->title);
        put_text(writer, model->kind->name);
        put_text(writer, model->source);
        put_text(writer, model->licence);
        put_text(writer, model->outcome);
        put_text(writer, model->horizon);
        put_int(writer, model->is_illustrative);
        put_int(writer, model->decimals);
        put_count(writer, made->counts->scored[m]);
        put_real(writer, made->counts->mean[m]);
        put_count(writer, made->counts->clamped[m]);
        put_count(writer, made->counts->imputed[m]);
    }
}
static TABLE(run_model);

static const ResultColumn run_input_columns[] = {
    COL(model_no, INT2),      COL(input_no, INT2),      COL(input, TEXT),
    COL(clamped_below, INT8), COL(clamped_above, INT8), COL(imputed, INT8)};

static void run_input_write(Writer *writer, const Made *made)
{
    for (int m = 0; m < made->plan->n_models; m++)
        for (int i = 0; i < made->plan->models[m].n_replaceable; i++) {
            const InputCount *count = &made->results->scores->replaced[m][i];

            put_int(writer, m);
            put_int(writer, i);
            put_text(writer, made->plan->models[m].replaceable[i].label);
            put_count(writer, count->below);
            put_count(writer, count->above);
            put_count(writer, count->imputed);
        }
}
static TABLE(run_input);

static const ResultColumn run_band_columns[] = {
    COL(model_no, INT2), COL(band_no, INT2), COL(band, TEXT),    COL(label, TEXT),
    COL(meaning, TEXT),  COL(upto, FLOAT8),  COL(below, FLOAT8), COL(share, FLOAT8)};

static void run_band_write(Writer *writer, const Made *made)
{
    for (int m = 0; m < made->plan->n_models; m++)
        for (int b = 0; b < made->plan->models[m].n_bands; b++) {
            const Band *band = &made->plan->models[m].bands[b];
            bool is_cut = !made->plan->models[m].is_by_rank && !isinf(band->bound);

            put_int(writer, m);
            put_int(writer, b);
            put_text(writer, band->id);
            put_text(writer, band->label);
            put_text(writer, band->meaning);
            put_real(writer, is_cut && band->is_upto ? band->bound : NAN);
            put_real(writer, is_cut && !band->is_upto ? band->bound : NAN);
            put_given(writer, band->share);
        }
}
static TABLE(run_band);

static const ResultColumn run_outcome_columns[] = {
    COL(model_no, INT2), COL(outcome_no, INT2), COL(outcome, TEXT),
    COL(is_eligibility, YESNO)};

const char *outcome_text(const Model *model, int outcome)
{
    return outcome == 0 ? "scored" : model->reasons[outcome].text;
}

static void run_outcome_write(Writer *writer, const Made *made)
{
    for (int m = 0; m < made->plan->n_models; m++)
        for (int r = 0; r < made->plan->models[m].n_reasons; r++) {
            const ModelReason *reason = &made->plan->models[m].reasons[r];

            put_int(writer, m);
            put_int(writer, r);
            put_text(writer, outcome_text(&made->plan->models[m], r));
            put_int(writer, reason->is_eligibility);
        }
}
static TABLE(run_outcome);

/* ---- groups -------------------------------------------------------------- */

static const ResultColumn run_grouping_columns[] = {
    COL(grouping_no, INT2), COL(grouping, TEXT), COL(title, TEXT)};

static void run_grouping_write(Writer *writer, const Made *made)
{
    for (int g = 0; g < made->plan->n_groupings; g++) {
        put_int(writer, g);
        put_text(writer, made->plan->groupings[g].id);
        put_text(writer, made->plan->groupings[g].title);
    }
}
static TABLE(run_grouping);

static const ResultColumn run_group_columns[] = {COL(grouping, TEXT), COL(code, TEXT),
                                                 COL(name, TEXT), COL(people, INT8)};

static void run_group_write(Writer *writer, const Made *made)
{
    const Area *area = &made->results->store->area;

    for (int g = 0; g < area->n_groupings; g++)
        for (uint32_t k = 0; k <= area->n_groups[g]; k++) {
            bool is_none = k == area->n_groups[g];

            put_text(writer, made->plan->groupings[g].id);
            put_text(writer, group_code(made->results->store, g, k));
            put_text(writer, is_none ? NULL : area->groups[g][k].name);
            put_count(writer, made->counts->people[g][k]);
        }
}
static TABLE(run_group);

static const ResultColumn run_practice_columns[] = {
    COL(practice_code, TEXT), COL(grouping, TEXT), COL(group_code, TEXT)};

static void run_practice_write(Writer *writer, const Made *made)
{
    const Area *area = &made->results->store->area;

    for (uint32_t p = 0; p < area->n_groups[GROUPING_PRACTICE]; p++)
        for (int g = 0; g < area->n_groupings; g++) {
            put_text(writer, area->groups[GROUPING_PRACTICE][p].code);
            put_text(writer, made->plan->groupings[g].id);
            put_text(writer, group_code(made->results->store, g, area->group_of[g][p]));
        }
}
static TABLE(run_practice);

static const ResultColumn run_segment_columns[] = {COL(segment_no, INT2),
                                                   COL(segment, TEXT), COL(label, TEXT)};

static void run_segment_write(Writer *writer, const Made *made)
{
    for (int s = 0; s < made->plan->n_segments; s++) {
        put_int(writer, s);
        put_text(writer, made->plan->segments[s].id);
        put_text(writer, made->plan->segments[s].label);
    }
}
static TABLE(run_segment);

static const ResultColumn run_cohort_columns[] = {
    COL(cohort_no, INT2),        COL(cohort, TEXT),   COL(title, TEXT),
    COL(service, TEXT),          COL(grouping, TEXT), COL(capacity, INT4),
    COL(capacity_share, FLOAT8), COL(keep, INT4),     COL(keep_share, FLOAT8),
    COL(members, INT8)};

static void put_places(Writer *writer, uint32_t number, uint32_t none)
{
    if (number == none || number > INT32_MAX)
        put_null(writer);
    else
        put_int(writer, number);
}

static uint64_t members_of(const Counts *counts, int cohort)
{
    uint64_t members = 0;

    for (uint32_t l = 0; l < counts->n_lists; l++)
        if (counts->lists[l].cohort == cohort)
            members += counts->lists[l].members;
    return members;
}

static void run_cohort_write(Writer *writer, const Made *made)
{
    for (int c = 0; c < made->plan->n_cohorts; c++) {
        const Cohort *cohort = &made->plan->cohorts[c];

        put_int(writer, c);
        put_text(writer, cohort->id);
        put_text(writer, cohort->title);
        put_text(writer, cohort->service);
        put_text(writer, made->plan->groupings[cohort->grouping].id);
        put_places(writer, cohort->capacity, UINT32_MAX);
        put_given(writer, cohort->capacity_share);
        put_places(writer, cohort->keep, 0);
        put_given(writer, cohort->keep_share);
        put_count(writer, members_of(made->counts, c));
    }
}
static TABLE(run_cohort);

const ResultTable *const result_tables[] = {
    &run,           &run_stage,         &run_source,       &run_source_fate,
    &run_exclusion, &run_list,          &run_gate,         &run_model,
    &run_input,     &run_band,          &run_outcome,      &run_grouping,
    &run_group,     &run_practice,      &run_segment,      &run_cohort,
    &run_count,     &run_segment_count, &run_cohort_count, &run_public_count};
const int n_result_tables = sizeof result_tables / sizeof *result_tables;
