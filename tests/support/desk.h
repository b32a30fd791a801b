/*
 * desk.h - publishing to a database of the throwaway server, and looking at what is
 * there: for tests of publishing and of sql/.
 */
#ifndef TESTS_SUPPORT_DESK_H
#define TESTS_SUPPORT_DESK_H

#include "engine/db/db.h"
#include "engine/publish/publish.h"
#include "tests/support/town.h"

/* Every test has a database of its own, with the results schema. For TestSuite. */
void desk_open(void);
void desk_close(void);
extern char database[64]; /* its conninfo */

Db *session(void);
/* The first value of the first row, or ""; good for seven more calls. */
const char *ask(Db *db, const char *sql);
/* The words of the server's refusal, or "" when it does not refuse. */
const char *refusal(Db *db, const char *sql);

/* People 0 and 1 of P1, 2 of P3, 3 of P4; all but 1 on the list where there is one. */
Town *four(void);
RunInfo info_of(int connections);
int publish_with(Town *town, const RunInfo *info, Err *err);
int publish(Town *town, Err *err);
/* Publishes four(), and returns the number of the run. */
const char *publish_four(Db *db);
/* Everything that readers see, as one line. */
const char *seen(Db *db);
/* The same text without the blanks at the ends of its lines. */
char *trimmed(char *text);

#endif
