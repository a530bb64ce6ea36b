/* cmd_help.c - pptrace help: the commands, for people, for the man page and for the shell. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/common/options.h"
#include "cli/common/say.h"

enum { OPT_COMPLETION = 256, OPT_MAN };

static const struct command_option options[] = {
	{"completion", 0, "SHELL", "print a completion script: bash", OPT_COMPLETION},
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

static const char *const shells[] = {"bash", NULL};

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

/* Text for roff: a dash is a minus, a backslash is itself, no line begins with a dot. */
static void print_roff(const char *s)
{
	if (*s == '.' || *s == '\'')
		(void)printf("\\&");
	for (; *s; s++) {
		if (*s == '-')
			(void)printf("\\-");
		else if (*s == '\\')
			(void)printf("\\e");
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

static void print_words(const struct command_option *list)
{
	for (const struct command_option *o = list; o && o->name; o++)
		(void)printf(" --%s%s", o->name, o->arg && *o->arg != '[' ? "=" : "");
}

/*
 * Options of the command, names of demos, questions and commands where they
 * fit; files everywhere. After "run", the rest is a command line of its own.
 */
static const char bash_begin[] =
	"# bash completion for pptrace, made by 'pptrace help --completion=bash'.\n"
	"_pptrace()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words= i\n"
	"\tCOMPREPLY=()\n";
static const char bash_end[] =
	"\tif [ \"$command\" = run ] && declare -F _command_offset >/dev/null; then\n"
	"\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t\tif [[ ${COMP_WORDS[i]} != -* && ${COMP_WORDS[i - 1]} != -o ]]; then\n"
	"\t\t\t\t_command_offset $i\n"
	"\t\t\t\treturn\n"
	"\t\t\tfi\n"
	"\t\tdone\n"
	"\tfi\n"
	"\tif [[ $cur == -* ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	"\t\t[[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $command in\n"
	"\texplain)\n"
	"\t\twords=$(pptrace explain 2>/dev/null | awk '/^(error|warning|info) / { print $2 }')\n"
	"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
	"\tdemo | query | help)\n"
	"\t\twords=$(pptrace \"$command\" 2>/dev/null | awk '/^  [a-z]/ { print $1 }')\n"
	"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
	"\trun) COMPREPLY=($(compgen -c -- \"$cur\")) ;;\n"
	"\tesac\n"
	"\tCOMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	"}\n"
	"complete -o filenames -F _pptrace pptrace\n";

static void print_bash(void)
{
	const struct command *c;

	(void)fputs(bash_begin, stdout);
	(void)printf("\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"");
	for (size_t pos = 0; (c = commands_next(&pos));)
		(void)printf("%s ", c->name);
	(void)printf("--help --version\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $command in\n");
	for (size_t pos = 0; (c = commands_next(&pos));) {
		(void)printf("\t%s) words=\"", c->name);
		print_words(c->options);
		print_words(options_common);
		(void)printf("\" ;;\n");
	}
	(void)printf("\tesac\n");
	(void)fputs(bash_end, stdout);
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
		if (id == OPT_COMPLETION && options_word("--completion", optarg, shells, &shell)) {
			print_bash();
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
