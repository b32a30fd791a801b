/*
 * write.c - see write.h.
 */
#include "engine/synth/write.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/db/copy.h"

/* ---- the tables -------------------------------------------------------- */

/* What a number of a row becomes. */
typedef enum As {
    AS_PERSON,
    AS_DAY,
    AS_WORD,
    AS_SMALL, /* smallint */
    AS_BIG,
    AS_BOOL,
    AS_HUNDREDTHS,
    AS_SNOMED,
    AS_ICD10, /* the field after it is the form */
    AS_SPELL,
    AS_EPISODE /* of the spell in this field; the order is in the next */
} As;

typedef struct Column {
    const char *name;
    As as;
    int at; /* in the row; ROW_DAY, or ROW_FIELD and up */
} Column;

enum { MOST_COLUMNS = 10 };

static const struct Spec {
    const char *name;
    int n_fields;
    bool by_time;
    Column columns[MOST_COLUMNS + 1];
} SPECS[N_TABLES] = {
    [TABLE_PERSON] = {"person",
                      8,
                      false,
                      {{"person_id", AS_PERSON, 0},
                       {"birth_date", AS_DAY, 1},
                       {"sex", AS_WORD, 2},
                       {"ethnic_category", AS_WORD, 3},
                       {"lsoa_code", AS_WORD, 4},
                       {"imd_decile", AS_SMALL, 5},
                       {"imd_vintage", AS_WORD, 6},
                       {"is_care_home", AS_BOOL, 7},
                       {"death_date", AS_DAY, 8},
                       {"is_test_patient", AS_BOOL, 9}}},
    [TABLE_REGISTRATION] = {"registration",
                            2,
                            false,
                            {{"person_id", AS_PERSON, 0},
                             {"practice_code", AS_WORD, 2},
                             {"start_date", AS_DAY, 1},
                             {"end_date", AS_DAY, 3}}},
    [TABLE_PRACTICE] = {"practice",
                        7,
                        false,
                        {{"practice_code", AS_WORD, 2},
                         {"practice_name", AS_WORD, 3},
                         {"pcn_code", AS_WORD, 4},
                         {"pcn_name", AS_WORD, 5},
                         {"locality", AS_WORD, 6},
                         {"place", AS_WORD, 7},
                         {"icb_code", AS_WORD, 8}}},
    [TABLE_OPT_OUT] = {"opt_out",
                       1,
                       false,
                       {{"person_id", AS_PERSON, 0},
                        {"opt_out_type", AS_WORD, 2},
                        {"opt_out_date", AS_DAY, 1}}},
    [TABLE_GP] = {"gp_event",
                  2,
                  true,
                  {{"person_id", AS_PERSON, 0},
                   {"event_date", AS_DAY, 1},
                   {"snomed_code", AS_SNOMED, 2},
                   {"numeric_value", AS_HUNDREDTHS, 3}}},
    [TABLE_PRESCRIPTION] = {"prescription",
                            2,
                            true,
                            {{"person_id", AS_PERSON, 0},
                             {"issue_date", AS_DAY, 1},
                             {"bnf_code", AS_WORD, 2},
                             {"items", AS_SMALL, 3}}},
    [TABLE_SPELL] = {"hospital_spell",
                     7,
                     true,
                     {{"spell_id", AS_SPELL, 2},
                      {"person_id", AS_PERSON, 0},
                      {"admission_date", AS_DAY, 1},
                      {"discharge_date", AS_DAY, 3},
                      {"discharge_ready_date", AS_DAY, 4},
                      {"admission_method", AS_WORD, 5},
                      {"main_specialty", AS_WORD, 6},
                      {"discharge_destination", AS_WORD, 7},
                      {"provider_code", AS_WORD, 8}}},
    [TABLE_EPISODE] = {"hospital_episode",
                       3,
                       true,
                       {{"episode_id", AS_EPISODE, 2},
                        {"spell_id", AS_SPELL, 2},
                        {"person_id", AS_PERSON, 0},
                        {"episode_order", AS_SMALL, 3},
                        {"episode_start", AS_DAY, 1},
                        {"episode_end", AS_DAY, 4}}},
    [TABLE_DIAGNOSIS] = {"diagnosis",
                         5,
                         true,
                         {{"episode_id", AS_EPISODE, 2},
                          {"spell_id", AS_SPELL, 2},
                          {"person_id", AS_PERSON, 0},
                          {"diagnosis_date", AS_DAY, 1},
                          {"position", AS_SMALL, 4},
                          {"icd10_code", AS_ICD10, 5}}},
    [TABLE_AE] = {"ae_attendance",
                  3,
                  true,
                  {{"person_id", AS_PERSON, 0},
                   {"arrival_date", AS_DAY, 1},
                   {"department_type", AS_WORD, 2},
                   {"disposal", AS_WORD, 3},
                   {"acuity", AS_WORD, 4}}},
    [TABLE_OUTPATIENT] = {"outpatient_appointment",
                          2,
                          true,
                          {{"person_id", AS_PERSON, 0},
                           {"appointment_date", AS_DAY, 1},
                           {"specialty", AS_WORD, 2},
                           {"attended", AS_WORD, 3}}},
    [TABLE_COMMUNITY] = {"community_contact",
                         1,
                         true,
                         {{"person_id", AS_PERSON, 0},
                          {"contact_date", AS_DAY, 1},
                          {"team", AS_WORD, 2}}},
    [TABLE_MENTAL] = {"mental_health_contact",
                      1,
                      true,
                      {{"person_id", AS_PERSON, 0},
                       {"contact_date", AS_DAY, 1},
                       {"team", AS_WORD, 2}}},
    [TABLE_SOCIAL] = {"social_care_package",
                      3,
                      true,
                      {{"person_id", AS_PERSON, 0},
                       {"start_date", AS_DAY, 1},
                       {"end_date", AS_DAY, 2},
                       {"package_type", AS_WORD, 3},
                       {"weekly_cost", AS_HUNDREDTHS, 4}}},
    [TABLE_DIRT] = {"synth_dirt",
                    3,
                    false,
                    {{"kind", AS_WORD, 2}, {"source", AS_WORD, 3}, {"rows", AS_BIG, 4}}},
};

int table_width(Table table)
{
    return ROW_FIELD + SPECS[table].n_fields;
}

const char *table_name(Table table)
{
    return SPECS[table].name;
}

bool table_is_by_time(Table table)
{
    return SPECS[table].by_time;
}

/* ---- one row ----------------------------------------------------------- */

/* Where rows go: to the server, to a file, or to both. */
typedef struct Sink {
    const World *world;
    Copy *copy;
    gzFile file;
    char *text;
    size_t n, room;
    bool is_first; /* column of a line */
} Sink;

static void text_add(Sink *sink, const char *text, size_t len)
{
    if (sink->n + len > sink->room) {
        sink->room = 2 * (sink->n + len);
        sink->text = mem_grow(sink->text, sink->room, 1, "lines to write");
    }
    memcpy(sink->text + sink->n, text, len);
    sink->n += len;
}

static void field_add(Sink *sink, const char *text)
{
    if (!sink->is_first)
        text_add(sink, ",", 1);
    sink->is_first = false;
    if (strpbrk(text, ",\"\r\n") == NULL) {
        text_add(sink, text, strlen(text));
        return;
    }
    text_add(sink, "\"", 1);
    for (; *text != '\0'; text++)
        text_add(sink, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    text_add(sink, "\"", 1);
}

static void put_text(Sink *sink, const char *text)
{
    if (sink->copy != NULL)
        copy_text(sink->copy, text);
    if (sink->file != NULL)
        field_add(sink, text == NULL ? "" : text);
}

static void put_int(Sink *sink, int64_t value, bool is_small)
{
    char text[24];

    if (sink->copy != NULL && is_small)
        copy_int2(sink->copy, (int16_t)value);
    else if (sink->copy != NULL)
        copy_int8(sink->copy, value);
    if (sink->file == NULL)
        return;
    snprintf(text, sizeof text, "%lld", (long long)value);
    field_add(sink, text);
}

static void put_day(Sink *sink, int32_t day)
{
    char text[DAY_TEXT] = "";

    if (sink->copy != NULL)
        copy_date(sink->copy, day);
    if (sink->file == NULL)
        return;
    if (day != DAY_UNKNOWN)
        day_format(text, day);
    field_add(sink, text);
}

static void put_hundredths(Sink *sink, int32_t value)
{
    char text[32] = "";

    if (sink->copy != NULL && value == NO_VALUE)
        copy_null(sink->copy);
    else if (sink->copy != NULL)
        copy_float8(sink->copy, value / 100.0);
    if (sink->file == NULL)
        return;
    if (value != NO_VALUE)
        snprintf(text, sizeof text, "%.10g", value / 100.0);
    field_add(sink, text);
}

static void put_bool(Sink *sink, bool value)
{
    if (sink->copy != NULL)
        copy_bool(sink->copy, value);
    if (sink->file != NULL)
        field_add(sink, value ? "t" : "f");
}

static void put_icd10(Sink *sink, const char *code, Form form)
{
    char text[16];
    size_t n = 0;

    for (size_t i = 0; code[i] != '\0' && n + 3 < sizeof text; i++) {
        if (form == FORM_DOTTED && i == 3)
            text[n++] = '.';
        text[n++] = form == FORM_LOWER ? (char)tolower((unsigned char)code[i]) : code[i];
    }
    if (form == FORM_PADDED)
        text[n++] = 'X';
    text[n] = '\0';
    put_text(sink, text);
}

/* A number of 62 bits that no other person of this world has, and that does not tell
 * how people were numbered: each step can be undone. */
static int64_t pseudonym(const World *world, int32_t number)
{
    const uint64_t mask = (1ULL << 62) - 1;
    uint64_t id = ((uint64_t)number + random_mix(world->seed + 1)) & mask;

    id = (id ^ (id >> 31)) * 0xbf58476d1ce4e5b9ULL & mask;
    id = (id ^ (id >> 29)) * 0x94d049bb133111ebULL & mask;
    return (int64_t)((id ^ (id >> 32)) & mask);
}

static void put_column(Sink *sink, const Column *column, const int32_t *row)
{
    const World *world = sink->world;
    int32_t value = row[column->at];
    int64_t spell = ((int64_t)row[ROW_PERSON] + 1) * 256 + value;

    switch (column->as) {
    case AS_PERSON:
        put_int(sink, pseudonym(world, value), false);
        break;
    case AS_DAY:
        put_day(sink, value);
        break;
    case AS_WORD:
        put_text(sink, value == NO_WORD ? NULL : world->word[value]);
        break;
    case AS_SMALL:
        put_int(sink, value, true);
        break;
    case AS_BIG:
        put_int(sink, value, false);
        break;
    case AS_BOOL:
        put_bool(sink, value != 0);
        break;
    case AS_HUNDREDTHS:
        put_hundredths(sink, value);
        break;
    case AS_SNOMED:
        put_int(sink, world->snomed[value], false);
        break;
    case AS_ICD10:
        put_icd10(sink, world->word[value], (Form)row[column->at + 1]);
        break;
    case AS_SPELL:
        put_int(sink, spell, false);
        break;
    case AS_EPISODE:
        put_int(sink, spell * 4 + row[column->at + 1], false);
        break;
    }
}

static void put_row(Sink *sink, const struct Spec *spec, const int32_t *row)
{
    if (sink->copy != NULL)
        copy_row(sink->copy);
    sink->is_first = true;
    for (const Column *column = spec->columns; column->name != NULL; column++)
        put_column(sink, column, row);
    if (sink->file != NULL)
        text_add(sink, "\n", 1);
}

/* ---- one job ----------------------------------------------------------- */

static int flush(Sink *sink, Err *err)
{
    if (sink->file != NULL && sink->n > 0 &&
        gzwrite(sink->file, sink->text, (unsigned)sink->n) != (int)sink->n)
        return err_add(err, ERR_SOURCE, (Where){"--out", 0, 0},
                       "could not write: the disk is full?");
    sink->n = 0;
    return 0;
}

static int sink_open(Sink *sink, const Job *job, Db *db, const char *out, Err *err)
{
    const struct Spec *spec = &SPECS[job->table];
    char sql[512], path[4096];
    size_t n = (size_t)snprintf(sql, sizeof sql, "copy sid.%s (", spec->name);
    int n_columns = 0;

    if (out != NULL) {
        snprintf(path, sizeof path, "%s/%s_%04d.csv.gz", out, spec->name, job->part);
        sink->file = gzopen(path, "wb1");
        if (sink->file == NULL)
            return err_add(err, ERR_SOURCE, (Where){"--out", 0, 0},
                           "could not write a file of %s: %s", spec->name,
                           strerror(errno));
    }
    sink->is_first = true;
    for (const Column *column = spec->columns; column->name != NULL; column++) {
        n += (size_t)snprintf(sql + n, sizeof sql - n, "%s%s",
                              n_columns++ == 0 ? "" : ", ", column->name);
        if (sink->file != NULL)
            field_add(sink, column->name);
    }
    if (sink->file != NULL)
        text_add(sink, "\n", 1);
    snprintf(sql + n, sizeof sql - n, ") from stdin (format binary)");
    return db == NULL ? 0 : copy_begin(&sink->copy, db, sql, n_columns, err);
}

static int sink_close(Sink *sink, int rc, Err *err)
{
    if (rc == 0)
        rc = flush(sink, err);
    if (sink->file != NULL && gzclose(sink->file) != Z_OK && rc == 0)
        rc = err_add(err, ERR_SOURCE, (Where){"--out", 0, 0},
                     "could not write: the disk is full?");
    if (rc != 0)
        copy_abort(sink->copy);
    else if (sink->copy != NULL)
        rc = copy_end(sink->copy, NULL, err);
    free(sink->text);
    return rc;
}

int job_write(const Job *job, const Made *made, Db *db, const char *out, Err *err)
{
    const struct Spec *spec = &SPECS[job->table];
    Sink sink = {.world = made->world};
    int rc = sink_open(&sink, job, db, out, err);

    for (int s = job->from; s < job->to && rc == 0; s++) {
        uint64_t n;
        const int32_t **rows = stripe_rows(&n, made, job->table, s);

        for (uint64_t i = 0; i < n && rc == 0; i++) {
            put_row(&sink, spec, rows[i]);
            if (sink.n >= 65536)
                rc = flush(&sink, err);
            if (sink.copy != NULL && copy_has_failed(sink.copy))
                break;
        }
        free(rows);
    }
    return sink_close(&sink, rc, err);
}
