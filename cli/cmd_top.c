/* cmd_top.c - pptrace top: a live view of what threads wait for. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <sqlite3.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/pids.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "cli/top/top.h"

enum { OPT_ONCE = 256, WIDTH = 100, HEIGHT = 40 };

#define INTERVAL_NS 1000000000
#define INTERVAL_LEAST_NS 100000000

static const struct command_option options[] = {
	{"pid", 'p', "PID,...", "running processes and their descendants, not a recording", 'p'},
	{"delay", 'd', "TIME", "between two looks (1s)", 'd'},
	{"once", 0, NULL, "print one look as text, and end", OPT_ONCE},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_top = {
	.name = "top",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary =
		"watch what each thread waits for: of a recording that grows, or of running processes",
	.options = options,
	.examples = {{"pptrace top",
			     "watch the recording that pptrace run is making in pptrace.db"},
		{"pptrace top -p 4711", "watch a running process that is not recorded"}},
	.run = run,
};

struct top_args {
	struct pids pids;
	int64_t delay_ns;
	bool once;
};

static bool parse(struct top_args *a, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_top, argc, argv)) != OPTIONS_END;) {
		if (id == OPT_ONCE)
			a->once = true;
		else if (id == 'd' ? !options_duration("--delay", optarg, &a->delay_ns)
				   : id != 'p' || !pids_add(&a->pids, optarg))
			return false;
	}
	if (a->delay_ns < INTERVAL_LEAST_NS)
		a->delay_ns = INTERVAL_LEAST_NS;
	if (a->pids.n && optind < argc) {
		warn("top: either -p or a recording");
		return false;
	}
	return true;
}

static void print_line(void *arg, enum top_kind kind, const char *line)
{
	(void)arg;
	(void)kind;
	(void)printf("%s\n", line);
}

static int print_once(struct top_source *src, const char *title)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct top_view view = {.order = TOP_BY_WAIT};
	struct top_look look;
	const char *columns = getenv("COLUMNS"), *lines = getenv("LINES");
	size_t width = columns && atoi(columns) > 0 ? (size_t)atoi(columns) : WIDTH;
	size_t height = lines && atoi(lines) > 0 ? (size_t)atoi(lines) : HEIGHT;
	int rc = top_look(src, &look, &why);

	if (rc == 0)
		top_lines(&look, &view, title, width, height, print_line, NULL);
	else
		warn("top: %s", why.data);
	top_look_done(&look);
	return rc ? 1 : 0;
}

static int watch(const struct top_args *a, const char *path)
{
	struct top_source src = {.path = path, .pids = a->pids.list, .n_pids = a->pids.n};
	int status;

	if (path)
		src.db = trace_open(path);
	if (!a->once && (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1))
		die("top: standard input and output are no terminal; --once prints one look");
	status = a->once ? print_once(&src, path ? path : "")
			 : top_screen(&src, path ? path : "", a->delay_ns);
	(void)sqlite3_close(src.db);
	return status;
}

static int run(int argc, char **argv)
{
	struct top_args a = {.delay_ns = INTERVAL_NS};
	const char *path = NULL;
	int status = COMMAND_USAGE;

	if (parse(&a, argc, argv) &&
		(a.pids.n || (path = trace_operand("top", argc - optind, argv + optind))))
		status = watch(&a, path);
	pids_done(&a.pids);
	return status;
}
