/*
 * health.c - conditions, their codes, measured values and medicines -> World.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/synth/sheet.h"

static const char *const ROLE_NAMES[N_ROLES] = {
    "emergency_child", "emergency_adult", "emergency_old", "elective",
    "maternity",       "other",           "frailty",
};

static void conditions_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "conditions.csv", err);

    if (sheet.n_rows > MOST_CONDITIONS) {
        err_add(err, ERR_CONFIG, (Where){sheet.path, 0, 0}, "more than %d conditions",
                MOST_CONDITIONS);
        return;
    }
    world->n_conditions = sheet.n_rows;
    world->conditions =
        arena_alloc(world->arena, (size_t)sheet.n_rows, sizeof *world->conditions);
    for (int r = 0; r < sheet.n_rows; r++) {
        Condition *condition = &world->conditions[r];
        double ratio = sheet_number(&sheet, r, "imd_ratio");

        condition->id = sheet_text(&sheet, r, "condition");
        condition->is_deficit = *sheet_text(&sheet, r, "efi_deficit") != '\0';
        condition->is_chronic = sheet_whole(&sheet, r, "chronic", 1) == 1;
        condition->loading = sheet_number(&sheet, r, "loading");
        condition->sex_factor[0] = sheet_number(&sheet, r, "male");
        condition->sex_factor[1] = sheet_number(&sheet, r, "female");
        condition->review = sheet_number(&sheet, r, "review");
        condition->coded = sheet_number(&sheet, r, "coded");
        for (int d = 1; d <= 10; d++) /* a straight line whose mean is 1 */
            condition->imd_factor[d] = 2 * (1 + (ratio - 1) * (10 - d) / 9) / (1 + ratio);
        for (int d = 0; d < N_DECADES; d++) {
            char column[16];

            snprintf(column, sizeof column, "age_%d", 10 * d);
            condition->share[d] = sheet_number(&sheet, r, column) / 100;
            if (d > 0 && condition->share[d] < condition->share[d - 1])
                err_add(err, ERR_CONFIG, (Where){sheet.path, (uint64_t)r + 2, 0},
                        "%s is below the share ten years before", column);
        }
    }
}

/* The number of a condition, or -1 for an empty word. */
static int condition_of(const World *world, const Sheet *sheet, int row,
                        const char *column)
{
    const char *id = sheet_text(sheet, row, column);

    if (*id == '\0')
        return -1;
    for (int c = 0; c < world->n_conditions; c++)
        if (strcmp(world->conditions[c].id, id) == 0)
            return c;
    err_add(sheet->err, ERR_CONFIG, (Where){sheet->path, (uint64_t)row + 2, 0},
            "unknown condition \"%s\"", id);
    return -1;
}

static void condition_codes_read(World *world, const char *dir, Err *err)
{
    Sheet gp = sheet_read(world->arena, dir, "gp_codes.csv", err);
    Sheet diagnoses = sheet_read(world->arena, dir, "diagnoses.csv", err);
    const int32_t *snomed = snomeds_of(world, &gp);
    const int32_t *icd = words_of(world, &diagnoses, "icd10");

    for (int r = 0; r < gp.n_rows; r++)
        condition_of(world, &gp, r, "condition");
    for (int r = 0; r < diagnoses.n_rows; r++)
        condition_of(world, &diagnoses, r, "condition");
    for (int c = 0; c < world->n_conditions; c++) {
        Condition *condition = &world->conditions[c];

        condition->gp = pool_of(
            world, &gp, &(Choice){"condition", condition->id, NULL, NULL, snomed});
        condition->coded_icd =
            pool_of(world, &diagnoses,
                    &(Choice){"condition", condition->id, "role", "coded", icd});
        condition->acute_icd =
            pool_of(world, &diagnoses,
                    &(Choice){"condition", condition->id, "role", "acute", icd});
    }
    for (int role = 0; role < N_ROLES; role++)
        world->role[role] = pool_of(world, &diagnoses,
                                    &(Choice){"role", ROLE_NAMES[role], NULL, NULL, icd});
}

static int32_t hundredths(const Sheet *sheet, int row, const char *column)
{
    return (int32_t)lround(100 * sheet_number(sheet, row, column));
}

/* The smallest difference of a value with so many decimals, in hundredths. */
static int32_t step_of(const Sheet *sheet, int row)
{
    static const int32_t steps[] = {100, 10, 1};

    return steps[sheet_whole(sheet, row, "decimals", 2)];
}

static void tests_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "tests.csv", err);
    const int32_t *code = snomeds_of(world, &sheet);

    world->n_tests = sheet.n_rows;
    world->tests = arena_alloc(world->arena, (size_t)sheet.n_rows, sizeof *world->tests);
    for (int r = 0; r < sheet.n_rows; r++) {
        const char *sex = sheet_text(&sheet, r, "sex");

        world->tests[r] = (Test){
            code[r],
            condition_of(world, &sheet, r, "condition"),
            condition_of(world, &sheet, r, "only_with"),
            *sex == '\0' ? -1 : *sex == 'F',
            sheet_whole(&sheet, r, "min_age", AGE_MOST),
            sheet_number(&sheet, r, "rate"),
            sheet_number(&sheet, r, "raised_share"),
            {hundredths(&sheet, r, "normal_low"), hundredths(&sheet, r, "normal_high")},
            {hundredths(&sheet, r, "raised_low"), hundredths(&sheet, r, "raised_high")},
            step_of(&sheet, r)};
        if (world->tests[r].condition < 0)
            err_add(err, ERR_CONFIG, (Where){sheet.path, (uint64_t)r + 2, 0},
                    "a test needs the condition that it shows");
    }
}

static void background_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "background.csv", err);
    const int32_t *code = snomeds_of(world, &sheet);
    int32_t *row = arena_alloc(world->arena, (size_t)sheet.n_rows, sizeof *row);

    world->n_background = sheet.n_rows;
    world->background =
        arena_alloc(world->arena, (size_t)sheet.n_rows, sizeof *world->background);
    for (int r = 0; r < sheet.n_rows; r++) {
        row[r] = r;
        world->background[r].code = code[r];
        if (*sheet_text(&sheet, r, "low") == '\0')
            continue;
        world->background[r].low = hundredths(&sheet, r, "low");
        world->background[r].high = hundredths(&sheet, r, "high");
        world->background[r].step = step_of(&sheet, r);
    }
    world->background_pool =
        pool_of(world, &sheet, &(Choice){NULL, NULL, NULL, NULL, row});
}

static void medicines_read(World *world, const char *dir, Err *err)
{
    Sheet sheet = sheet_read(world->arena, dir, "medicines.csv", err);
    Sheet uses = sheet_read(world->arena, dir, "medicine_use.csv", err);
    const int32_t *word = words_of(world, &sheet, "bnf_code");

    world->medicines =
        arena_alloc(world->arena, (size_t)uses.n_rows, sizeof *world->medicines);
    for (int r = 0; r < uses.n_rows; r++) {
        const char *group = sheet_text(&uses, r, "medicine_group");
        Medicine *medicine = &world->medicines[world->n_medicines];

        if (r > 0 && strcmp(group, sheet_text(&uses, r - 1, "medicine_group")) == 0)
            medicine--;
        else
            world->n_medicines++;
        if (medicine->n_uses == 0)
            medicine->words = pool_of(
                world, &sheet, &(Choice){"medicine_group", group, NULL, NULL, word});
        if (medicine->n_uses == MOST_USES || medicine->words.n == 0) {
            err_add(err, ERR_CONFIG, (Where){uses.path, (uint64_t)r + 2, 0},
                    "\"%s\" has no medicine, or more than %d uses", group, MOST_USES);
            return;
        }
        medicine->condition[medicine->n_uses] =
            condition_of(world, &uses, r, "condition");
        medicine->share[medicine->n_uses++] = sheet_number(&uses, r, "share");
    }
    world->acute =
        pool_of(world, &sheet, &(Choice){"medicine_group", "acute", NULL, NULL, word});
}

static int condition_named(const World *world, const char *id, Err *err)
{
    for (int c = 0; c < world->n_conditions; c++)
        if (strcmp(world->conditions[c].id, id) == 0)
            return c;
    err_add(err, ERR_CONFIG, (Where){"conditions.csv", 0, 0}, "no condition \"%s\"", id);
    return 0;
}

void health_read(World *world, const char *dir, Err *err)
{
    conditions_read(world, dir, err);
    condition_codes_read(world, dir, err);
    tests_read(world, dir, err);
    background_read(world, dir, err);
    medicines_read(world, dir, err);
    if (world->n_conditions == 0) /* reported already */
        return;
    world->care_home = condition_named(world, "care-home", err);
    world->care_requirement = condition_named(world, "care-requirement", err);
    world->memory = condition_named(world, "cognitive-problems", err);
    world->mental_illness = condition_named(world, "severe-mental-illness", err);
}
