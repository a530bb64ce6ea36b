/* cmd_pipes.c - pptrace pipes: draw who writes to whom. */
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

const struct command cmd_pipes = {
	.name = "pipes",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw who writes to whom through pipes, and ends left open",
	.options = options,
	.run = run,
};

static int run(int argc, char **argv)
{
	return picture_command(&cmd_pipes, argc, argv, pipes_sketch);
}
