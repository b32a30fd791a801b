/*
 * codes.h - clinical codes, code lists, and which features a code counts for.
 *
 * A Code is a fixed 16-byte value: no allocation, cheap to hash, and ordered as
 * its text is. SNOMED CT and dm+d are 64-bit integers, never doubles.
 *
 * Normal forms:
 *   snomed, dmd    6 to 18 digits, no leading zero, Verhoeff check digit right
 *   icd10, icd9,   upper case, only A-Z and 0-9 kept; empty means no code
 *   opcs4          (icd10: the X that fills up "I10X" goes too)
 *   ctv3, read2    as written: case-sensitive, dot-padded to 5 characters;
 *                  read2 of 7 characters (with term code) is cut to 5
 *   bnf            upper case, only A-Z and 0-9 kept; matched by prefix
 *   local          any text of at most 15 bytes, as written
 */
#ifndef ENGINE_CODES_CODES_H
#define ENGINE_CODES_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

typedef enum System {
    SYSTEM_NONE,
    SYSTEM_SNOMED,
    SYSTEM_DMD,
    SYSTEM_ICD10,
    SYSTEM_ICD9,
    SYSTEM_OPCS4,
    SYSTEM_CTV3,
    SYSTEM_READ2,
    SYSTEM_BNF,
    SYSTEM_LOCAL,
    N_SYSTEMS
} System;

/* "snomed", ...; the words of configs. Lists may also write them in capitals and
 * as SNOMEDCT, READ, CTV3. NULL / SYSTEM_NONE where there is none. */
const char *system_word(System system);
System system_of(const char *word);

/* The last byte of `low` is the system; a text code fills the bytes before it,
 * first character in the top byte of `high`; an integer code stands in `high`.
 * Comparing (high, low) as unsigned numbers orders codes of one system. */
typedef struct Code {
    uint64_t high, low;
} Code;

static inline bool code_equal(Code a, Code b)
{
    return a.high == b.high && a.low == b.low;
}

static inline System code_system(Code code)
{
    return (System)(code.low & 0xff);
}

typedef enum CodeFault { CODE_OK, CODE_EMPTY, CODE_BAD } CodeFault;

/* The normal form of a code as a source row writes it. Lenient where the house of
 * a feed differs (dots, blanks, case), strict where a digit may be lost: a SNOMED
 * id needs its length but not its check digit, since real rows hold old ones. */
CodeFault code_of_text(Code *code, System system, const char *text, size_t len);
CodeFault code_of_int(Code *code, System system, int64_t value);
/* Back to text, NUL-terminated. */
enum { CODE_TEXT = 24 };
void code_text(char text[CODE_TEXT], Code code);
/* The first n characters only (n >= 1); integer codes are returned whole. */
Code code_cut(Code code, int n);
/* True if id is 6 to 18 digits and its Verhoeff check digit is right. */
bool snomed_is_valid(int64_t id);

/* Lists are held to more than rows are: what is wrong with a code that code_of_text
 * gave (or, with CODE_BAD, did not), to be put behind it; NULL where nothing is. */
const char *code_complaint(CodeFault fault, System system, Code code, bool is_prefix,
                           Arena *arena);
/* Takes off the dots that pad a Read code, so that it can match longer ones. False
 * for a number, which is always matched whole. */
bool code_make_prefix(Code *code);

/* One line of a code list. */
typedef struct ListEntry {
    Code code;
    bool is_prefix;      /* any code that starts with it; else exact */
    int32_t category;    /* number in the list's categories; 0 where it has none */
    double above, below; /* strict bounds on the row's value; -INF, INF = none */
    char sex;            /* counts only for people of this sex; 0 = all */
    uint32_t line;
} ListEntry;

/* A category of a list: a deficit, a condition, or a code where the list says
 * `category: code`. A list without categories has one, with the id "". */
typedef struct Category {
    const char *id;    /* as in the file */
    const char *name;  /* as part of a feature name: lower case, [a-z0-9_] */
    const char *label; /* plain words; the id where the list has none */
    int64_t weight;    /* mantissa x 10^-decimals; 0 where the list has none */
    int decimals;
    Where where;
} Category;

/* A word by which lines of a list are left out, or doubted, and why. */
typedef struct ListRule {
    const char *column, *word;
    const char *reason;
    bool is_suspect; /* else left out */
    int n_lines;     /* a line counts for the first rule that it meets */
} ListRule;

/* A line that says again what another one said. */
typedef struct ListRepeat {
    int entry; /* number of the entry that it repeats */
    uint32_t line;
} ListRepeat;

typedef struct CodeList {
    const char *id;
    const char *file;
    const char *title, *source, *version, *terminology, *licence;
    Where where; /* of the entry in the config */
    bool has_weight, has_bounds;
    bool is_used;
    ListEntry *entries;
    int n_entries;
    Category *categories;
    int n_categories;
    ListRepeat *repeats; /* lines listed twice with the same meaning: merged */
    int n_repeats;
    int n_excluded;  /* lines left out by `exclude:` and `keep:` */
    int n_suspect;   /* lines that `suspect:` doubts, and that are in it all the same */
    int n_empty;     /* lines without a code */
    ListRule *rules; /* of `exclude:`, then of `suspect:` */
    int n_rules;
} CodeList;

/* By default ICD-10, ICD-9, OPCS-4 and BNF match by prefix and the others exactly, each
 * line as its own system does. Numbers are always whole. */
typedef enum Match { MATCH_BY_SYSTEM, MATCH_EXACT, MATCH_PREFIX } Match;

/* How a list lies in its CSV file: the column names are arguments. */
typedef struct ListColumns {
    const char *code;       /* needed */
    const char *system;     /* column that holds the coding system, or NULL */
    System constant_system; /* where system is NULL */
    const char *category, *label, *weight;
    const char *above, *below, *sex; /* columns gt, lt, sex of value rules */
    Match match;
    /* Lines to leave out, or to doubt: the column has this word, alone or among others
     * with ';' between them. Lines to keep only: each column named has one of its
     * words. */
    int n_rules;
    ListRule *rules;
    int n_keep;
    const char **keep_column, **keep_word;
} ListColumns;

/*
 * Reads a list. Reports a missing column, a code of the wrong format (SNOMED check
 * digit, ICD-10, BNF, CTV3/Read), and a code listed twice with different meanings
 * in the same category; the same line twice is merged and counted.
 */
int codes_read(CodeList *list, const ListColumns *columns, const char *path, Arena *arena,
               Err *err);
/* The same from memory, for tests and fuzzing. */
int codes_parse(CodeList *list, const ListColumns *columns, const char *name,
                const char *text, size_t len, Arena *arena, Err *err);

/* A feature that a code counts for, and under which conditions. */
typedef struct Hit {
    double above, below; /* strict bounds on the row's value; -INF, INF = none */
    uint32_t feature;    /* index into Plan.features */
    char sex;            /* counts only for people of this sex; 0 = all */
} Hit;

/* All lists of one source turned round: from a code to the features it counts
 * for. Read-only once built; any thread may call the _find functions. */
typedef struct Matcher Matcher;

Matcher *matcher_new(Arena *arena);
void matcher_add(Matcher *matcher, const ListEntry *entry, uint32_t feature);
/* Once, after the last add. */
void matcher_build(Matcher *matcher);
/* Fills up to most hits in the order of feature and returns how many there are
 * (which may be more than most). A code that several entries of one feature match
 * with the same conditions gives one hit. Cost: one probe for each length in use. */
int matcher_find(const Matcher *matcher, Code code, Hit *hits, int most);
/* What the lists hold, each code or beginning of codes once, ascending. Borrowed. */
typedef struct MatcherKey {
    Code code;
    bool is_prefix;
    const Hit *hits;
    uint32_t n_hits;
} MatcherKey;
size_t matcher_n_keys(const Matcher *matcher);
MatcherKey matcher_key(const Matcher *matcher, size_t number);

#endif
