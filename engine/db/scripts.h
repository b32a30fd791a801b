/*
 * scripts.h - the files of sql/, linked into the program.
 */
#ifndef ENGINE_DB_SCRIPTS_H
#define ENGINE_DB_SCRIPTS_H

#include <stddef.h>

#include "engine/db/db.h"

/* The text of sql/NAME.sql ("20_results"), not NUL-terminated, or NULL. */
const char *db_script(const char *name, size_t *len);

/* Runs the whole file as one string: without a transaction around it, it is one of its
 * own. A fault is reported as sql/NAME.sql:LINE. The name must be a known one. */
int db_run_script(Db *db, const char *name, Err *err);

#endif
