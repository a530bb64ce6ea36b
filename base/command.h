/* command.h - what a subcommand says about itself. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_COMMAND_H
#define BASE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* One option. A list ends with a row whose name is NULL. */
struct command_option {
	const char *name; /* long name without dashes, "output" */
	char letter;      /* short name, or 0 */
	const char *
		arg; /* name of the argument as help shows it, "FILE"; "[=live]" if it may be left out; or NULL */
	const char *help; /* one line */
	int id;           /* what getopt_long returns for it; a letter, or 256 and up */
};

/* A command line, and what it is for. */
struct command_example {
	const char *line, *what;
};

/*
 * One subcommand. Help, the synopsis in the man page and shell completion come
 * from this row. run gets the arguments from the command's name on (argv[0] is
 * the name) and returns the exit status of pptrace, or COMMAND_USAGE after a
 * mistake of the caller's, after which main prints the usage and exits 2 (125
 * for run, whose status otherwise is the target's).
 */
struct command {
	const char *name;
	const char *usage;   /* "[OPTIONS] [--] COMMAND [ARG...]" */
	const char *summary; /* one sentence, without a full stop */
	const struct command_option *options;
	struct command_example examples[3]; /* two at least; the rest is NULL */
	int (*run)(int argc, char **argv);
	bool stops_at_operand; /* options end at the first operand: the rest is a command line of its own */
};

#define COMMAND_USAGE (-1)

#endif
