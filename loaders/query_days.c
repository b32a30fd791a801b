/*
 * query_days.c - see query_days.h.
 */
#include "loaders/query_days.h"

#include <ctype.h>
#include <string.h>

enum { SINCE, UNTIL, N_WORDS };
static const char *const WORDS[N_WORDS] = {":since", ":until"};

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The word that stands at a place of the query, or N_WORDS; "::since" is a cast. */
static int word_at(const char *query, const char *at)
{
    for (int w = 0; *at == ':' && w < N_WORDS; w++) {
        size_t len = strlen(WORDS[w]);

        if (strncmp(at, WORDS[w], len) == 0 && !is_letter(at[len]) &&
            (at == query || at[-1] != ':'))
            return w;
    }
    return N_WORDS;
}

const char *query_with_days(const Access *access)
{
    const char *query = access->source->query, *from = query, *text = "";
    char days[N_WORDS][DAY_TEXT] = {"-infinity", "infinity"};

    if (!access->is_whole && access->source->oldest > DAY_FIRST)
        day_format(days[SINCE], access->source->oldest);
    if (!access->is_whole)
        day_format(days[UNTIL], access->plan->as_of);
    for (const char *at = query; *at != '\0'; at++) {
        int word = word_at(query, at);

        if (word == N_WORDS)
            continue;
        text = arena_format(access->arena, "%s%.*sdate '%s'", text, (int)(at - from),
                            from, days[word]);
        from = at + strlen(WORDS[word]);
    }
    return arena_format(access->arena, "%s%s", text, from);
}
