/* cmd_report.c - pptrace report: one HTML page that shows everything. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/buf.h"
#include "base/command.h"
#include "cli/common/options.h"
#include "cli/common/picture.h"
#include "cli/common/say.h"
#include "viewer/page/page.h"

static const struct command_option options[] = {
	{"output", 'o', "FILE",
		"write to FILE (default: pptrace-report.html); - is standard output", 'o'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_report = {
	.name = "report",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "write one HTML page with the verdict, pictures and tables",
	.options = options,
	.examples = {{"pptrace report", "write the page about pptrace.db"},
		{"pptrace report -o hang.html hang.db", "write the page for another recording"}},
	.run = run,
};

static int run(int argc, char **argv)
{
	struct picture pic = {.name = "report", .format = "html", .is_fixed = true};
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;

	for (int id; (id = options_next(&cmd_report, argc, argv)) != OPTIONS_END;) {
		if (id != 'o')
			return COMMAND_USAGE;
		pic.output = optarg;
	}
	if (!picture_begin(&pic, argc - optind, argv + optind))
		return COMMAND_USAGE;
	if (page_make(pic.trace, pic.db, &out, &why) != 0)
		die("%s", why.data);
	picture_write(&pic, out.data, out.len);
	picture_end(&pic);
	return 0;
}
