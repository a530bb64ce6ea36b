/* cmd_locks.c - pptrace locks: draw the order of locks and contention. */
/* SPDX-License-Identifier: MIT */
#include "base/command.h"
#include "cli/common/picture.h"
#include "viewer/relations/relations.h"

#include <stddef.h>

static const struct command_option options[] = {
	PICTURE_OPTIONS,
	PICTURE_WIDTH,
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_locks = {
	.name = "locks",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw the order in which locks are taken, and their contention",
	.options = options,
	.run = run,
};

static int run(int argc, char **argv)
{
	return picture_command(&cmd_locks, argc, argv, locks_sketch);
}
