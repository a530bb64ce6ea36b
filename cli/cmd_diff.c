/* cmd_diff.c - pptrace diff: where two runs of one program begin to differ. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/db.h"
#include "viewer/diff/diff.h"

enum { OPT_JSON = 256, STATUS_DIFFERS = 1, STATUS_TROUBLE = 2 };

static const struct command_option options[] = {
	{"json", 'j', NULL, "print one JSON object", OPT_JSON},
	{"all", 'a', NULL, "every thread that differs, not only the first ones", 'a'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_diff = {
	.name = "diff",
	.usage = "[OPTIONS] A.db B.db",
	.summary = "say where two runs of one program, a good and a bad one, begin to differ",
	.options = options,
	.examples = {{"pptrace diff good.db bad.db",
			     "find the first step at which a thread did something else"},
		{"pptrace diff pptrace.db.old pptrace.db", "compare the last two recordings"}},
	.run = run,
};

static int compare(const char *const names[2], bool json, bool all)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	sqlite3 *db[2] = {trace_open(names[0]), trace_open(names[1])};
	struct diff *d = NULL;
	bool differs;

	if (diff_make(db[0], db[1], &d, &why) < 0)
		die("diff: %s", why.data);
	if (json)
		diff_json(&out, d, names);
	else
		diff_text(&out, d, names, all);
	(void)fwrite(out.data, 1, out.len, stdout);
	differs = diff_differs(d);
	diff_free(d);
	db_close(db[0]);
	db_close(db[1]);
	return differs ? STATUS_DIFFERS : 0;
}

static int run(int argc, char **argv)
{
	bool json = false, all = false;

	say_set_status(STATUS_TROUBLE);
	for (int id; (id = options_next(&cmd_diff, argc, argv)) != OPTIONS_END;) {
		if (id == OPT_JSON)
			json = true;
		else if (id == 'a')
			all = true;
		else
			return COMMAND_USAGE;
	}
	if (argc - optind != 2) {
		warn("diff: name two recordings, the good one first");
		return COMMAND_USAGE;
	}
	return compare((const char *const[2]){argv[optind], argv[optind + 1]}, json, all);
}
