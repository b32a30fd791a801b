/*
 * Any text at all: rule_compile() accepts it or says why not, and what it accepts can be
 * evaluated with everything recorded and with nothing. The first byte picks the type.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rule/rule.h"

static Words bands = {(const char *[]){"fit", "mild", "severe"}, 3, 3, false, true};

static void evaluate(const Rule *rule, RuleType want)
{
    static const double ROWS[2][5] = {{70, 1, 2, 1, 3}, {NAN, NAN, NAN, NAN, NAN}};

    for (int i = 0; i < 2; i++) {
        double value = rule_number(rule, ROWS[i]);

        if (want == RULE_YESNO && value != (rule_holds(rule, ROWS[i]) ? 1.0 : 0.0))
            abort(); /* yes/no is never missing, and both ways of asking agree */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Arena *arena = arena_new();
    Words sex = {NULL, 0, 0, true, false};
    const RuleName names[] = {
        {"age", RULE_NUMBER, 0, NULL, NULL, NULL},
        {"home", RULE_YESNO, 1, NULL, NULL, NULL},
        {"efi.band", RULE_WORD, 2, &bands, NULL, NULL},
        {"sex", RULE_WORD, 3, &sex, NULL, NULL},
        {"efi.falls", RULE_NUMBER, 4, NULL, NULL, "efi"},
    };
    Scope scope = {names, 5, arena};
    RuleType want = len > 0 ? (RuleType)(data[0] % 3) : RULE_NUMBER;
    char *text =
        arena_text(arena, len > 0 ? (const char *)data + 1 : "", len > 0 ? len - 1 : 0);
    Err err = {0};
    const Rule *rule = rule_compile(text, (Where){"fuzz", 1, 1}, want, &scope, &err);

    if ((rule != NULL) != (err.n_reports == 0))
        abort(); /* a failure without a report, or a report without a failure */
    if (rule != NULL)
        evaluate(rule, want);
    arena_free(arena);
    return 0;
}
