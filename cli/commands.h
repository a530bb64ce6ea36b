/* commands.h - the subcommands. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: commands.c, pptrace.c (main), then a command: cmd_tree.c is a short one. They record:
 * cmd_run.c, cmd_attach.c, cmd_why.c; watch: cmd_top.c; say: cmd_diagnose.c, cmd_diff.c, cmd_explain.c, cmd_events.c, cmd_query.c, cmd_export.c; draw:
 * cmd_timeline.c, cmd_path.c, cmd_pictures.c, cmd_flame.c, cmd_report.c; many hosts: cmd_push.c, cmd_fleet.c; help: cmd_doctor.c, cmd_demo.c,
 * cmd_help.c (completion.c: for shells).
 */
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

/* Returns the name of the command that is nearest to what was typed, or NULL if none is near; the caller frees it. */
char *commands_nearest(const char *typed);

#endif
