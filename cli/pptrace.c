/* pptrace.c - main: look a command up and run it. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/common/options.h"
#include "cli/common/say.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { STATUS_USAGE = 2, STATUS_RUN_FAILED = 125 };

static const struct command *const commands[] = {
#define COMMAND(name) &cmd_##name,
#include "cli/commands.def"
#undef COMMAND
};

/*
 * Opens what is missing of the three standard descriptors: no file that pptrace opens may take their numbers. They
 * behave as if they were closed: what is written to them fails, and a program that is started does not have them.
 */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			exit(STATUS_RUN_FAILED);
}

static int run_command(const struct command *c, int argc, char **argv)
{
	bool is_run = !strcmp(c->name, "run");
	int status;

	if (is_run)
		say_set_status(STATUS_RUN_FAILED);
	status = c->run(argc, argv);
	if (status == COMMAND_USAGE) {
		options_usage(stderr, c);
		(void)fprintf(stderr, "'pptrace %s --help' lists the options.\n", c->name);
		status = is_run ? STATUS_RUN_FAILED : STATUS_USAGE;
	}
	say_flush();
	return status;
}

/* Returns the command, or the option that stands alone, nearest to what was typed, or NULL; the caller frees it. */
static char *nearest_to(const char *name)
{
	struct nearest n = {.typed = name};

	if (*name != '-')
		return commands_nearest(name);
	nearest_try(&n, "--help");
	nearest_try(&n, "--version");
	return n.best;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *nearest = NULL;
	const struct command *c;
	const char *name;

	fill_standard_fds();
	commands_set(commands, ARRAY_SIZE(commands));
	/*
	 * Without its count of memory SQLite takes no lock for it: 80,000 in the
	 * shortest recording, each a breakpoint while --locks=uprobe is on.
	 */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	name = argc > 1 ? argv[1] : NULL;
	if (!name) {
		help_print(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		(void)printf("pptrace %s\n", PPTRACE_VERSION);
		say_flush();
		return 0;
	}
	c = commands_find(name);
	if (c)
		return run_command(c, argc - 1, argv + 1);
	if (!strcmp(name, "-h") || !strcmp(name, "--help")) {
		help_print(stdout);
		say_flush();
		return 0;
	}
	nearest = nearest_to(name);
	options_unknown(*name == '-' ? "unknown option" : "unknown command", name, nearest,
		"'pptrace help' lists the commands");
	return STATUS_USAGE;
}
