/*
 * run.h - the night: configs in, published lists out.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/options.h"

/* Everything happens in here, or nothing: see the promises in docs/house.md. */
int run(const Options *options, Err *err);

#endif
