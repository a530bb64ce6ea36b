/* cmd_waits.c - pptrace waits: draw who waits for whom. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "viewer/load/load.h"
#include "viewer/relations/relations.h"

enum { OPT_AT = 256, OPT_WIDTH };

static const struct command_option options[] = {
	PICTURE_OPTIONS,
	{"at", 0, "TIME",
		"at that moment, 1.5 or 200ms (default: at the deadlock, or before it was interrupted, or when most waited)",
		OPT_AT},
	{"width", 'w', "COLUMNS", "width of the text format (default: the terminal's)", OPT_WIDTH},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_waits = {
	.name = "waits",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw who waits for whom at one moment",
	.options = options,
	.run = run,
};

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "waits"};
	_cleanup_free_ char *why = NULL;
	struct sketch *sk;
	int64_t at = TIME_NEVER;

	for (int id; (id = options_next(&cmd_waits, argc, argv)) != OPTIONS_END;) {
		if (id == OPTIONS_ERROR)
			return COMMAND_USAGE;
		if (id == OPT_WIDTH    ? !picture_set_width(&pic, optarg)
			: id == OPT_AT ? !options_duration("--at", optarg, &at)
				       : !picture_option(&pic, id, optarg))
			return COMMAND_USAGE;
	}
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	sk = waits_sketch(pic.trace, pic.db, at, &why);
	picture_sketch(&pic, sk, why);
	picture_end(&pic);
	return 0;
}
