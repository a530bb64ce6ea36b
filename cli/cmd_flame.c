/* cmd_flame.c - pptrace flame: a flame graph of how long threads waited. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/buf.h"
#include "base/command.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "cli/common/say.h"
#include "viewer/flame/flame.h"
#include "viewer/load/load.h"

static const struct command_option options[] = {
	{"output", 'o', "FILE", "write to FILE (default: pptrace-flame.svg); - is standard output",
		'o'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_flame = {
	.name = "flame",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw how long threads waited, by their stacks: as an interactive flame graph",
	.options = options,
	.examples = {{"pptrace flame", "write a picture to click through"},
		{"pptrace flame -o waits.svg run.db", "draw another recording"}},
	.run = run,
};

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "flame", .format = "svg", .is_fixed = true};
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	struct flame *flame;

	for (int id; (id = options_next(&cmd_flame, argc, argv)) != OPTIONS_END;) {
		if (id != 'o')
			return COMMAND_USAGE;
		pic.output = optarg;
	}
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	if (flame_load(pic.db, NULL, &flame, &why) != 0)
		die("%s: %s", pic.path, why.data);
	flame_svg(flame, pic.trace->title, &out);
	flame_free(flame);
	picture_write(&pic, out.data, out.len);
	picture_end(&pic);
	return 0;
}
