/* cmd_top.c - pptrace top: a live view of what threads wait for. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common/options.h"
#include "cli/common/pids.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "cli/top/top.h"
#include "schema/db.h"

enum { OPT_ONCE = 256, WIDTH = 100, HEIGHT = 40, FIXED_ARGS = 4 };

#define INTERVAL_NS 1000000000
#define INTERVAL_LEAST_NS 100000000

static const struct command_option options[] = {
	{"pid", 'p', "PID,...",
		"watch running processes and their descendants instead of a recording", 'p'},
	{"delay", 'd', "TIME", "time between updates (1s)", 'd'},
	{"output", 'o', "FILE", "recording to write for a new command (pptrace.db)", 'o'},
	{"once", 0, NULL, "print one snapshot as text and exit", OPT_ONCE},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_top = {
	.name = "top",
	.usage = "[OPTIONS] [TRACE.db | -- COMMAND [ARGUMENTS]]",
	.summary =
		"watch what each thread waits for: in a new command, a recording in progress, or running processes",
	.options = options,
	.examples =
		{{"pptrace top -- make -j4",
			 "record a command and watch it; what it writes is shown when you quit"},
			{"pptrace top",
				"watch the recording that pptrace run is making in pptrace.db"},
			{"pptrace top -p 4711", "watch a running process that is not recorded"}},
	.run = run,
};

struct top_args {
	struct pids pids;
	int64_t delay_ns;
	bool once;
	const char *output; /* of a command */
	char **command;     /* NULL: none */
	int n_words;        /* of it */
};

static bool parse(struct top_args *a, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_top, argc, argv)) != OPTIONS_END;) {
		if (id == OPT_ONCE)
			a->once = true;
		else if (id == 'o')
			a->output = optarg;
		else if (id == 'd' ? !options_duration("--delay", optarg, &a->delay_ns)
				   : id != 'p' || !pids_add(&a->pids, optarg))
			return false;
	}
	if (a->delay_ns < INTERVAL_LEAST_NS)
		a->delay_ns = INTERVAL_LEAST_NS;
	if (optind < argc && !strcmp(argv[optind - 1], "--")) {
		a->command = argv + optind;
		a->n_words = argc - optind;
	}
	if (a->pids.n && optind < argc) {
		warn("top: give only one of -p, a recording or a command");
		return false;
	}
	if (a->command ? a->once : a->output != NULL) {
		warn(a->command ? "top: --once cannot be used with a command"
				: "top: -o is for a command, after --");
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

static const char *same_title(void *arg)
{
	return arg;
}

static void need_terminal(void)
{
	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		die("top: standard input and output are not a terminal; use --once");
}

static int watch(const struct top_args *a, char *path)
{
	struct top_source src = {.path = path, .pids = a->pids.list, .n_pids = a->pids.n};
	char *title = path ? path : "";
	int status;

	if (path)
		src.db = trace_open_or(path, "top -p", "top --");
	if (!a->once)
		need_terminal();
	status = a->once ? print_once(&src, title)
			 : top_screen(&src, same_title, title, a->delay_ns);
	db_close(src.db);
	return status;
}

/* pptrace run -o FILE -- COMMAND, as its own main would be called. The caller frees the array. */
static char **run_words(const struct top_args *a, char *path)
{
	static char run_name[] = "run", output[] = "-o", end[] = "--";
	char **words = xcalloc((size_t)a->n_words + FIXED_ARGS + 1, sizeof *words);

	words[0] = run_name;
	words[1] = output;
	words[2] = path;
	words[3] = end;
	for (int i = 0; i < a->n_words; i++)
		words[FIXED_ARGS + i] = a->command[i];
	return words;
}

static int watch_command(const struct top_args *a)
{
	_cleanup_free_ char *path = xstrdup(a->output ? a->output : "pptrace.db");
	_cleanup_free_ char **words = run_words(a, path);
	struct top_command c = {.path = path,
		.record = commands_find("run")->run,
		.argc = a->n_words + FIXED_ARGS,
		.argv = words};
	struct top_source src = {.path = path};
	_cleanup_free_ char *why = NULL;
	int rc;

	need_terminal();
	rc = top_command_start(&c);
	if (rc == 0) {
		if (db_open_read(path, &src.db, &why) < 0)
			die("top: %s", why);
		rc = top_screen(&src, top_command_title, &c, a->delay_ns);
		db_close(src.db);
	} else if (rc != -ENOENT) {
		warn("top: cannot start the command: %s", strerror(-rc));
	}
	return top_command_end(&c);
}

/* As trace_operand; several words may be a command. */
static const char *operand_of(int argc, char **argv)
{
	if (argc <= 1)
		return trace_operand("top", argc, argv);
	warn("top: only one recording can be given; a command stands after --: 'pptrace top -- %s ...'",
		argv[0]);
	return NULL;
}

static int run(int argc, char **argv)
{
	struct top_args a = {.delay_ns = INTERVAL_NS};
	_cleanup_free_ char *path = NULL;
	const char *operand = NULL;
	int status = COMMAND_USAGE;

	if (parse(&a, argc, argv)) {
		if (!a.command && !a.pids.n)
			operand = operand_of(argc - optind, argv + optind);
		if (operand)
			path = xstrdup(operand);
		if (a.command)
			status = watch_command(&a);
		else if (a.pids.n || path)
			status = watch(&a, path);
	}
	pids_done(&a.pids);
	return status;
}
