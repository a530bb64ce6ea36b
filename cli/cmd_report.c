/* cmd_report.c - pptrace report: one HTML page that shows everything. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/command.h"
#include "cli/options.h"
#include "cli/picture.h"
#include "cli/say.h"
#include "viewer/load.h"
#include "viewer/page.h"

static const struct command_option options[] = {
	{"output", 'o', "FILE",
		"write to FILE (default: pptrace-report.html); - is standard output", 'o'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_report = {
	.name = "report",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "write one HTML page with the verdict, all pictures and tables",
	.options = options,
	.run = run,
};

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "report", .format = "html"};
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	struct trace *t;
	const char *path;
	sqlite3 *db;

	for (int id; (id = options_next(&cmd_report, argc, argv)) != OPTIONS_END;) {
		if (id != 'o')
			return COMMAND_USAGE;
		pic.output = optarg;
	}
	path = picture_file("report", argc - optind, argv + optind);
	if (!path)
		return COMMAND_USAGE;
	t = picture_load(path, &db);
	if (page_make(t, db, &out, &why) != 0)
		die("%s", why.data);
	picture_write(&pic, out.data, out.len);
	trace_free(t);
	(void)sqlite3_close(db);
	return 0;
}
