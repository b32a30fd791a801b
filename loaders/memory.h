/*
 * memory.h - what a load will need, known before its events are read.
 */
#ifndef LOADERS_MEMORY_H
#define LOADERS_MEMORY_H

#include "loaders/kinds.h"

/* Bytes of the people and their events, by what each source is thought to have; more
 * than it comes to rather than less. Sources must have been split. */
uint64_t memory_expected(const Sources *sources, uint64_t n_people);

enum { MEMORY_TEXT = 32 };
/* "1.5 GiB", in the largest unit that leaves a digit before the point; KiB at least. */
void memory_format(char text[MEMORY_TEXT], uint64_t bytes);

/* Logs it. ERR_MEMORY where it is more than the config's `memory`. */
int memory_check(const Sources *sources, uint64_t n_people, Err *err);

#endif
