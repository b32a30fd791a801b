/*
 * text.h - strict numbers and words, and the nearest name for hints.
 *
 * Every parser takes the whole text of len bytes: blanks, signs where none belong,
 * and trailing bytes make it fail. Locale plays no part.
 */
#ifndef ENGINE_BASE_TEXT_H
#define ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole decimal number with an optional minus. False on anything else. */
bool text_int64(int64_t *value, const char *text, size_t len);

/* Decimal number as in JSON, plus a leading '+'; no NaN, infinity or hex.
 * Correctly rounded (strtod). */
bool text_double(double *value, const char *text, size_t len);

/* A decimal number as mantissa x 10^-decimals, exactly; at most 9 decimals and
 * |mantissa| < 10^15. "1.90" gives 190, 2. */
bool text_decimal(int64_t *mantissa, int *decimals, const char *text, size_t len);

/* True for an identifier of configs: [a-z][a-z0-9_]*, at most 63 bytes. */
bool text_is_name(const char *text);

/* True for well-formed UTF-8: what PostgreSQL and JSON take. */
bool text_is_utf8(const char *text, size_t len);

/* The candidate most like the word (edit distance at most 1/3 of its length,
 * at least 1), or NULL. Ties: the first. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);

#endif
