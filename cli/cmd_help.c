/* cmd_help.c - pptrace help: the commands, for people, for the man page and for the shell. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/common/options.h"
#include "cli/common/say.h"

enum { OPT_COMPLETION = 256, OPT_MAN };

static const struct command_option options[] = {
	{"completion", 0, "SHELL", "print a completion script: bash, zsh or fish", OPT_COMPLETION},
	{"man", 0, NULL, "print the commands in the form of the man page", OPT_MAN},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "list the commands, or describe one",
	.options = options,
	.examples = {{"pptrace help run", "describe a command"},
		{"pptrace help --completion=bash > ~/.local/share/bash-completion/completions/pptrace",
			"let bash complete commands and options"}},
	.run = run,
};

void help_print(FILE *f)
{
	const struct command *c;

	(void)fprintf(f, "usage: pptrace COMMAND [OPTIONS] [ARGUMENTS]\n\n"
			 "Trace a parallel program, see what it did, and why it is stuck.\n\n"
			 "commands:\n");
	for (size_t pos = 0; (c = commands_next(&pos));)
		(void)fprintf(f, "  %-10s %s\n", c->name, c->summary);
	(void)fprintf(f, "\n'pptrace COMMAND --help' describes a command;"
			 " 'pptrace run PROGRAM...' records a program.\n");
}

/* Text for roff: a dash is a minus, a backslash is itself, a quote does not enclose an argument, no line begins with a dot. */
static void print_roff(const char *s)
{
	if (*s == '.' || *s == '\'')
		(void)printf("\\&");
	for (; *s; s++) {
		if (*s == '-')
			(void)printf("\\-");
		else if (*s == '\\')
			(void)printf("\\e");
		else if (*s == '"')
			(void)printf("\\(dq");
		else
			(void)putchar(*s);
	}
}

static void print_man_options(const struct command_option *list, const struct command_option *hide)
{
	for (const struct command_option *o = list; o && o->name; o++) {
		bool hidden = false;

		for (const struct command_option *h = hide; h && h->name; h++)
			hidden = hidden || !strcmp(h->name, o->name);
		if (hidden)
			continue;
		(void)printf(".TP\n");
		if (o->letter)
			(void)printf("\\fB\\-%c\\fR, ", o->letter);
		(void)printf("\\fB\\-\\-");
		print_roff(o->name);
		(void)printf("\\fR");
		if (o->arg) {
			(void)printf(*o->arg == '[' ? "\\fI" : "=\\fI");
			print_roff(o->arg);
			(void)printf("\\fR");
		}
		(void)printf("\n");
		print_roff(o->help);
		(void)printf("\n");
	}
}

static void print_man_examples(const struct command *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->examples) && c->examples[i].line; i++) {
		(void)printf(i ? ".TP\n.B " : ".PP\nFor example:\n.TP\n.B ");
		print_roff(c->examples[i].line);
		(void)printf("\n");
		print_roff(c->examples[i].what);
		(void)printf("\n");
	}
}

static void print_man(void)
{
	const struct command *c;

	for (size_t pos = 0; (c = commands_next(&pos));) {
		(void)printf(".SS \"pptrace %s ", c->name);
		print_roff(c->usage);
		(void)printf("\"\n");
		print_roff(c->summary);
		(void)printf(".\n");
		print_man_options(c->options, NULL);
		print_man_examples(c);
	}
	(void)printf(".SS \"Options of every command\"\n");
	print_man_options(options_common, NULL);
}

static int help_one(const char *name)
{
	const struct command *c = commands_find(name);

	if (!c) {
		_cleanup_free_ char *nearest = commands_nearest(name);

		options_unknown(
			"help: there is no command", name, nearest, "'pptrace help' lists them");
		return 2;
	}
	options_help(stdout, c);
	return 0;
}

static int run(int argc, char **argv)
{
	int shell;

	for (int id; (id = options_next(&cmd_help, argc, argv)) != OPTIONS_END;) {
		if (id == OPT_COMPLETION &&
			options_word("--completion", optarg, completion_shells, &shell)) {
			completion_print(shell);
			return 0;
		}
		if (id != OPT_MAN)
			return COMMAND_USAGE;
		print_man();
		return 0;
	}
	if (argc - optind > 1) {
		warn("help: only one command can be given");
		return COMMAND_USAGE;
	}
	if (argc > optind)
		return help_one(argv[optind]);
	help_print(stdout);
	return 0;
}
