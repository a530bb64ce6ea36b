/* cmd_locks.c - pptrace locks: draw the order of locks and contention. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <sqlite3.h>

#include "base/command.h"
#include "base/mem.h"
#include "cli/options.h"
#include "cli/picture.h"
#include "cli/say.h"
#include "viewer/load.h"
#include "viewer/relations.h"
#include "viewer/sketch.h"

enum { OPT_WIDTH = 256 };

static const struct command_option options[] = {
	PICTURE_OPTIONS,
	{"width", 'w', "COLUMNS", "width of the text format (default: the terminal's)", OPT_WIDTH},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_locks = {
	.name = "locks",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "draw in which order locks are taken and how much they are fought over",
	.options = options,
	.run = run,
};

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "locks"};
	_cleanup_free_ char *why = NULL;
	struct sketch *sk;
	struct trace *t;
	const char *path;
	sqlite3 *db;

	for (int id; (id = options_next(&cmd_locks, argc, argv)) != OPTIONS_END;) {
		if (id == OPTIONS_ERROR)
			return COMMAND_USAGE;
		if (id == OPT_WIDTH ? !picture_set_width(&pic, optarg)
				    : !picture_option(&pic, id, optarg))
			return COMMAND_USAGE;
	}
	path = picture_file("locks", argc - optind, argv + optind);
	if (!path)
		return COMMAND_USAGE;
	picture_settle(&pic);
	t = picture_load(path, &db);
	sk = locks_sketch(t, db, &why);
	if (!sk)
		die("cannot read %s: %s", path, why);
	picture_sketch(&pic, sk);
	sketch_free(sk);
	trace_free(t);
	(void)sqlite3_close(db);
	return 0;
}
