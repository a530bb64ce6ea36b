/* commands.h - the subcommands. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "base/command.h"

#define COMMAND(name) extern const struct command cmd_##name;
#include "cli/commands.def"
#undef COMMAND

/* Tells which commands there are, in help's order; the list is borrowed for good. The help command, itself one of them, reads it too. */
void commands_set(const struct command *const *list, size_t n);

/* Walks the commands in help's order: *pos starts at 0; returns NULL at the end. */
const struct command *commands_next(size_t *pos);

/* Returns the command of that name, or NULL. */
const struct command *commands_find(const char *name);

/* Returns the command whose name is nearest to what was typed, or NULL if none is near. */
const struct command *commands_nearest(const char *typed);

#endif
