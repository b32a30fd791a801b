/*
 * codelist.h - `stratify codelist`: code lists looked at by themselves.
 *
 *     check   codes, duplicates, lines left out and doubted, codes in several places
 *     diff    two versions of a list, and how many people the change touches
 *     stats   codes never met, and rows matched against the last published run
 *
 * Prints counts and codes of lists; never a person's data. Counts of people follow
 * small.h.
 */
#ifndef ENGINE_CODELIST_H
#define ENGINE_CODELIST_H

#include <libsmartcols/libsmartcols.h>

#include "engine/codes/list_compare.h"
#include "engine/options.h"
#include "engine/plan/plan.h"

int codelist(const Options *options, Err *err);

/* ---- what the three share ------------------------------------------------ */

int codelist_check(const Options *options, Arena *arena, Err *err);
int codelist_diff(const Options *options, Arena *arena, Err *err);
int codelist_stats(const Options *options, Arena *arena, Err *err);

/* A list that no config describes, as --column and --system say. */
int codelist_read(CodeList *list, const char *path, const Options *options, Arena *arena,
                  Err *err);
/* The config of -c, a list read from `to` wherever it names `from`; both may be NULL. */
int codelist_plan(Plan *plan, const char *path, const Options *options,
                  const char *const swap[2], Arena *arena, Err *err);

/* A table on stdout. A heading that begins with '>' is of a column of numbers. */
struct libscols_table *codelist_table(const char *const *headings, int n);
void codelist_cell(struct libscols_line *line, int column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints it unless it is empty, and releases it. */
void codelist_print(struct libscols_table *table);
/* "*" for a number that small.h hides. */
void codelist_people(struct libscols_line *line, int column, uint64_t people);

#endif
