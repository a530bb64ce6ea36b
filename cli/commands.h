/* commands.h - the table of subcommands. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "base/command.h"

#define COMMAND(name) extern const struct command cmd_##name;
#include "cli/commands.def"
#undef COMMAND

/* Walks the commands in help's order: *pos starts at 0; returns NULL at the end. */
const struct command *commands_next(size_t *pos);

/* Returns the command of that name, or NULL. */
const struct command *commands_find(const char *name);

/* Returns the command whose name is nearest to what was typed, or NULL if none is near. */
const struct command *commands_nearest(const char *typed);

#endif
