/*
 * people.c - what is published of people: how many are where, who they are and what the
 * models say of them, and who is on the lists. See tables.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/db/copy.h"
#include "engine/publish/kinds.h"

#define COLUMNS(columns) columns, sizeof columns / sizeof *columns

/* ---- counts -------------------------------------------------------------- */

static const ResultColumn run_count_columns[] = {
    COL(model_no, INT2),   COL(grouping, TEXT), COL(group_code, TEXT),
    COL(outcome_no, INT2), COL(band_no, INT2),  COL(people, INT8)};

static void model_count_write(Writer *writer, const Made *made, int m, int g)
{
    const Counts *counts = made->counts;
    const uint64_t *cells = counts->model[m * counts->n_groupings + g];
    uint32_t parts = (uint32_t)model_parts(&made->plan->models[m]);

    for (uint32_t k = 0; k <= made->results->store->area.n_groups[g]; k++)
        for (uint32_t p = 0; p < parts; p++) {
            int outcome, band;

            model_part_split(&made->plan->models[m], (int)p, &outcome, &band);
            put_int(writer, m);
            put_text(writer, made->plan->groupings[g].id);
            put_text(writer, group_code(made->results->store, g, k));
            put_int(writer, outcome);
            put_int(writer, band);
            put_count(writer, cells[k * parts + p]);
        }
}

static void run_count_write(Writer *writer, const Made *made)
{
    for (int m = 0; m < made->counts->n_models; m++)
        for (int g = 0; g < made->counts->n_groupings; g++)
            model_count_write(writer, made, m, g);
}
TABLE(run_count);

static const ResultColumn run_segment_count_columns[] = {
    COL(segment_no, INT2), COL(grouping, TEXT), COL(group_code, TEXT), COL(people, INT8)};

static void run_segment_count_write(Writer *writer, const Made *made)
{
    const Counts *counts = made->counts;

    for (int s = 0; s < counts->n_segments; s++)
        for (int g = 0; g < counts->n_groupings; g++)
            for (uint32_t k = 0; k <= made->results->store->area.n_groups[g]; k++) {
                put_int(writer, s);
                put_text(writer, made->plan->groupings[g].id);
                put_text(writer, group_code(made->results->store, g, k));
                put_count(writer, counts->segment[g][(int)k * counts->n_segments + s]);
            }
}
TABLE(run_segment_count);

static const ResultColumn run_cohort_count_columns[] = {
    COL(cohort, TEXT),  COL(group_code, TEXT), COL(registered, INT8), COL(eligible, INT8),
    COL(members, INT8), COL(new, INT8),        COL(continuing, INT8), COL(leavers, INT8)};

static void run_cohort_count_write(Writer *writer, const Made *made)
{
    for (uint32_t l = 0; l < made->counts->n_lists; l++) {
        const ListCount *list = &made->counts->lists[l];
        const Cohort *cohort = &made->plan->cohorts[list->cohort];

        put_text(writer, cohort->id);
        put_text(writer, group_code(made->results->store, cohort->grouping, list->group));
        put_count(writer, list->registered);
        put_count(writer, list->eligible);
        put_count(writer, list->members);
        put_count(writer, list->fresh);
        put_count(writer, list->continuing);
        put_count(writer, list->leavers);
    }
}
TABLE(run_cohort_count);

static const ResultColumn run_public_count_columns[] = {
    COL(count_no, INT4), COL(measure, TEXT),    COL(item, TEXT),   COL(part, TEXT),
    COL(grouping, TEXT), COL(group_code, TEXT), COL(people, INT8), COL(is_hidden, YESNO)};

static void run_public_count_write(Writer *writer, const Made *made)
{
    for (uint32_t i = 0; i < made->public_counts->n; i++) {
        const PublicCount *row = &made->public_counts->rows[i];

        put_int(writer, i);
        put_text(writer, row->measure);
        put_text(writer, row->item);
        put_text(writer, row->part);
        put_text(writer, row->grouping);
        put_text(writer, row->group);
        if (row->people == SMALL_HIDDEN)
            put_null(writer);
        else
            put_int(writer, row->people);
        put_int(writer, row->people == SMALL_HIDDEN);
    }
}
TABLE(run_public_count);

static const char *practice_code(const Store *store, uint32_t person)
{
    return group_code(store, GROUPING_PRACTICE, store->practice[person]);
}

static void put_age(Writer *writer, const Made *made, uint32_t person)
{
    put_int(writer, day_age(made->results->store->birth[person], made->plan->as_of));
}

static void put_segment(Writer *writer, const Made *made, uint32_t person)
{
    if (made->plan->n_segments == 0)
        put_null(writer);
    else
        put_int(writer, made->results->matches->segment[person]);
}

static uint64_t count_people(const Made *made)
{
    return made->results->store->n_people;
}

/* ---- person -------------------------------------------------------------- */

static const ResultColumn person_columns[] = {
    COL(person_id, INT8),  COL(practice_code, TEXT), COL(age, INT2),
    COL(segment_no, INT2), COL(score, FLOAT8S),      COL(outcome, INT2S),
    COL(band, INT2S),      COL(rank, INT4S),         COL(flag, INT2S)};

enum { FIXED_COLUMNS = 4 }; /* before the models */

static void put_person(Writer *writer, const Made *made, uint32_t person)
{
    put_int(writer, made->results->store->person[person]);
    put_text(writer, practice_code(made->results->store, person));
    put_age(writer, made, person);
    put_segment(writer, made, person);
}

/* Room for what the models say of one person. */
typedef struct Row {
    double *score;
    int32_t *outcome, *band, *rank, *flag;
    bool has_flag;
} Row;

static Row row_new(Arena *arena, const Made *made)
{
    size_t n = (size_t)made->plan->n_models;
    size_t ranks = n * (size_t)made->results->strata->n_groupings;

    return (Row){arena_alloc(arena, n, sizeof(double)),
                 arena_alloc(arena, n, sizeof(int32_t)),
                 arena_alloc(arena, n, sizeof(int32_t)),
                 arena_alloc(arena, ranks, sizeof(int32_t)),
                 arena_alloc(arena, n, sizeof(int32_t)),
                 false};
}

static void row_fill(Row *row, const Results *results, uint32_t person)
{
    const Scores *scores = results->scores;
    const Strata *strata = results->strata;

    row->has_flag = false;
    for (int m = 0; m < scores->n_models; m++) {
        int band = scores->band[m][person];

        row->flag[m] = scores_flag(scores, m, person);
        row->has_flag |= row->flag[m] != 0;
        row->score[m] = scores->score[m][person];
        row->outcome[m] = scores->outcome[m][person];
        row->band[m] = band < 0 ? ARRAY_NULL : band;
    }
    for (int i = 0; i < strata->n_models * strata->n_groupings; i++) {
        uint32_t rank = strata->rank[i][person];

        row->rank[i] = rank == 0 ? ARRAY_NULL : (int32_t)rank;
    }
}

static void person_rows(Writer *writer, const Made *made, uint64_t from, uint64_t to)
{
    int n = made->plan->n_models;
    Arena *arena = arena_new();
    Row row = row_new(arena, made);

    for (uint32_t i = (uint32_t)from; i < to; i++) {
        put_person(writer, made, i);
        row_fill(&row, made->results, i);
        put_reals(writer, row.score, n);
        put_numbers(writer, row.outcome, n);
        put_numbers(writer, row.band, n);
        put_numbers(writer, row.rank, n * made->results->strata->n_groupings);
        if (row.has_flag) /* few have one: the others pay nothing for the column */
            put_numbers(writer, row.flag, n);
        else
            put_null(writer);
    }
    arena_free(arena);
}

const PeopleTable person_table = {
    {"person", COLUMNS(person_columns), NULL}, count_people, person_rows};

/* The columns of one model. Returns the place after them. */
static int add_model_columns(ResultColumn *columns, int at, const Made *made, int m,
                             Arena *arena)
{
    const char *model = made->plan->models[m].id;

    columns[at++] =
        (ResultColumn){arena_format(arena, "%s_score", model), CELL_FLOAT8, false};
    columns[at++] =
        (ResultColumn){arena_format(arena, "%s_outcome", model), CELL_TEXT, false};
    columns[at++] =
        (ResultColumn){arena_format(arena, "%s_band", model), CELL_TEXT, false};
    columns[at++] =
        (ResultColumn){arena_format(arena, "%s_flag", model), CELL_TEXT, false};
    for (int g = 0; g < made->results->strata->n_groupings; g++)
        columns[at++] = (ResultColumn){
            arena_format(arena, "%s_rank_%s", model, made->plan->groupings[g].id),
            CELL_INT4, false};
    return at;
}

static void put_model(Writer *writer, const Made *made, int m, uint32_t i)
{
    const Model *model = &made->plan->models[m];
    const Scores *scores = made->results->scores;
    int outcome = scores->outcome[m][i], band = scores->band[m][i];

    put_real(writer, scores->score[m][i]);
    put_text(writer, outcome_text(model, outcome));
    put_text(writer, band < 0 ? NULL : model->bands[band].id);
    put_text(writer, flag_text(scores_flag(scores, m, i)));
    for (int g = 0; g < made->results->strata->n_groupings; g++) {
        uint32_t rank = strata_rank(made->results->strata, m, g, i);

        if (rank == 0)
            put_null(writer);
        else
            put_int(writer, rank);
    }
}

static void person_file_rows(Writer *writer, const Made *made, uint64_t from, uint64_t to)
{
    for (uint32_t i = (uint32_t)from; i < to; i++) {
        put_person(writer, made, i);
        for (int m = 0; m < made->plan->n_models; m++)
            put_model(writer, made, m, i);
    }
}

PeopleTable person_file_table(const Made *made, Arena *arena)
{
    int n =
        FIXED_COLUMNS + made->plan->n_models * (4 + made->results->strata->n_groupings);
    ResultColumn *columns = arena_alloc(arena, (size_t)n, sizeof *columns);
    int at = 0;

    while (at < FIXED_COLUMNS) {
        columns[at] = person_columns[at];
        at++;
    }
    for (int m = 0; m < made->plan->n_models; m++)
        at = add_model_columns(columns, at, made, m, arena);
    return (PeopleTable){{"person", columns, n, NULL}, count_people, person_file_rows};
}

/* ---- cohort_member -------------------------------------------------------- */

static const ResultColumn cohort_member_columns[] = {
    COL(cohort, TEXT),        COL(group_code, TEXT), COL(rank, INT4),
    COL(person_id, INT8),     COL(movement, TEXT),   COL(left_reason, TEXT),
    COL(practice_code, TEXT), COL(age, INT2),        COL(segment_no, INT2),
    COL(scores, JSON),        COL(reasons, TEXTS),   COL(explanation, JSON)};

static uint64_t count_members(const Made *made)
{
    return made->results->cohorts->n_members;
}

/* Names of models and bands are identifiers of the config, so they need no escapes. */
static void write_score(FILE *file, const Model *model, const Scores *scores, int m,
                        uint32_t person)
{
    int band = scores->band[m][person];
    const char *flag = flag_text(scores_flag(scores, m, person));
    char score[REAL_TEXT];

    real_text(score, scores->score[m][person]);
    fprintf(file, "\"%s\": {\"score\": %s", model->id,
            isnan(scores->score[m][person]) ? "null" : score);
    if (band >= 0)
        fprintf(file, ", \"band\": \"%s\"", model->bands[band].id);
    if (flag != NULL)
        fprintf(file, ", \"flag\": \"%s\"", flag);
    fputc('}', file);
}

static void put_scores(Writer *writer, const Made *made, const Member *member)
{
    const Cohort *cohort = &made->plan->cohorts[member->cohort];
    char *json = NULL;
    size_t len;
    FILE *file = open_memstream(&json, &len);

    fputc('{', file);
    for (int i = 0; i < cohort->n_show; i++) {
        int m = cohort->show[i];

        fputs(i == 0 ? "" : ", ", file);
        write_score(file, &made->plan->models[m], made->results->scores, m,
                    member->person);
    }
    fputc('}', file);
    fclose(file);
    put_text(writer, json);
    free(json);
}

static void put_reasons(Writer *writer, const Made *made, const Member *member)
{
    char text[MOST_REASONS][REASON_TEXT];
    const char *texts[MOST_REASONS];

    for (int r = 0; r < member->n_reasons; r++) {
        reason_text(text[r], made->plan, &member->reasons[r]);
        texts[r] = text[r];
    }
    put_texts(writer, texts, member->n_reasons);
}

/* Labels are texts of the config. */
static void write_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        if ((unsigned char)*text < ' ')
            fprintf(file, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, file);
    }
    fputc('"', file);
}

/* JSON has no number that is missing or beyond any other. */
static void write_number(FILE *file, double number)
{
    if (isfinite(number))
        fprintf(file, "%.15g", number);
    else
        fputs("null", file);
}

static void write_value(FILE *file, const Slot *slot, double value)
{
    bool is_word = slot->type == RULE_WORD && slot->words != NULL;

    if (isnan(value) || (is_word && value >= slot->words->n))
        fputs("null", file);
    else if (is_word)
        write_quoted(file, slot->words->word[(int)value]);
    else if (slot->type == RULE_YESNO)
        fputs(value != 0 ? "true" : "false", file);
    else
        write_number(file, value);
}

static void write_reason(FILE *file, const Plan *plan, const Reason *reason)
{
    const Slot *slot = &plan->slots[reason->slot];
    char day[DAY_TEXT];

    fprintf(file, "{\"model\": \"%s\", \"feature\": \"%s\", \"label\": ",
            plan->models[reason->model].id, slot->name);
    write_quoted(file, reason_label(plan, reason));
    fputs(", \"value\": ", file);
    write_value(file, slot, reason->value);
    fputs(", \"contribution\": ", file);
    write_number(file, reason->amount);
    if (reason->day != DAY_UNKNOWN) {
        day_format(day, reason->day);
        fprintf(file, ", \"latest\": \"%s\"", day);
    }
    fputc('}', file);
}

static void put_explanation(Writer *writer, const Plan *plan, const Member *member)
{
    char *json = NULL;
    size_t len;
    FILE *file;

    if (member->movement == MOVED_LEFT) {
        put_null(writer);
        return;
    }
    file = open_memstream(&json, &len);
    fputc('[', file);
    for (int r = 0; r < member->n_explained; r++) {
        fputs(r == 0 ? "" : ", ", file);
        write_reason(file, plan, &member->explained[r]);
    }
    fputc(']', file);
    fclose(file);
    put_text(writer, json);
    free(json);
}

/* What is known of someone who is on the list, or still in its group. Of those who
 * moved or are not in the run nothing more is said. */
static void put_known(Writer *writer, const Made *made, const Member *member)
{
    bool is_here = member->person != UINT32_MAX && member->why != LEFT_MOVED;

    if (!is_here) {
        put_null(writer);
        put_null(writer);
        put_null(writer);
        put_null(writer);
    } else {
        put_text(writer, practice_code(made->results->store, member->person));
        put_age(writer, made, member->person);
        put_segment(writer, made, member->person);
        put_scores(writer, made, member);
    }
}

static void cohort_member_rows(Writer *writer, const Made *made, uint64_t from,
                               uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        const Member *member = &made->results->cohorts->members[i];
        const Cohort *cohort = &made->plan->cohorts[member->cohort];

        put_text(writer, cohort->id);
        put_text(writer,
                 group_code(made->results->store, cohort->grouping, member->group));
        put_int(writer, member->rank);
        put_int(writer, member->person_id);
        put_text(writer, movement_word(member->movement));
        put_text(writer, left_why_text(member->why));
        put_known(writer, made, member);
        put_reasons(writer, made, member);
        put_explanation(writer, made->plan, member);
    }
}

const PeopleTable member_table = {{"cohort_member", COLUMNS(cohort_member_columns), NULL},
                                  count_members,
                                  cohort_member_rows};
