/*
 * commands.h - what the program can be asked to do.
 */
#ifndef ENGINE_COMMANDS_H
#define ENGINE_COMMANDS_H

#include "engine/options.h"

/* Ends with a row without a name. */
extern const Command commands[];

#endif
