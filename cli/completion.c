/* completion.c - scripts that let a shell complete pptrace's command lines, made from the rows of the commands. */
/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common/options.h"

/* The words that an option takes are asked of pptrace itself, which names them when it gets another one. --help: it does nothing else. */
#define VALUES(words)                                                                              \
	"pptrace " words                                                                           \
	" --help 2>&1 | sed -n 's/.* takes one of \\(.*\\), not .*/\\1/p' | tr -d ,"

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

/* A text inside single quotes, where some characters need a backslash as well. */
static void print_quoted(const char *s, const char *escaped)
{
	for (; *s; s++) {
		if (*s == '\'')
			(void)fputs("'\\''", stdout);
		else
			(void)printf("%s%c", strchr(escaped, *s) ? "\\" : "", *s);
	}
}

/* ---- bash ---- */

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
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words= option= i\n"
	"\tCOMPREPLY=()\n";
static const char bash_end[] =
	"\tif [ \"$command\" = run ] && declare -F _command_offset >/dev/null; then\n"
	"\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t\tif [[ ${COMP_WORDS[i]} != -* && ${COMP_WORDS[i]} != = && ${COMP_WORDS[i - 1]} != = && ${COMP_WORDS[i - 1]} != -o ]]; then\n"
	"\t\t\t\t_command_offset $i\n"
	"\t\t\t\treturn\n"
	"\t\t\tfi\n"
	"\t\tdone\n"
	"\tfi\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 1]} cur=\n"
	"\telif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\tif [[ $option == --* ]]; then\n"
	"\t\twords=$(" VALUES(
		"\"$command\" \"$option=?\"") ")\n"
					      "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
					      "\t\t[[ -n $words ]] || COMPREPLY=($(compgen -f -- \"$cur\"))\n"
					      "\t\treturn\n"
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

/* ---- zsh ---- */

/* '(-o --output)'{-o+,--output=}'[help]:FILE:_pptrace_value output' */
static void zsh_options(const struct command_option *list)
{
	for (const struct command_option *o = list; o && o->name; o++) {
		if (o->letter)
			(void)printf("\t\t'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name,
				o->letter, o->arg ? "+" : "", o->name,
				o->arg && *o->arg != '[' ? "=" : "");
		else
			(void)printf("\t\t'--%s%s[", o->name, o->arg && *o->arg != '[' ? "=" : "");
		print_quoted(o->help, "[]:\\");
		(void)printf("]");
		if (o->arg)
			(void)printf(":%s:_pptrace_value %s", o->arg, o->name);
		(void)printf("' \\\n");
	}
}

static void print_zsh(void)
{
	const struct command *c;

	(void)fputs(
		"#compdef pptrace\n"
		"# zsh completion for pptrace, made by 'pptrace help --completion=zsh'.\n"
		"_pptrace_value()\n{\n"
		"\tlocal -a values\n"
		"\tvalues=(${=\"$(" VALUES(
			"$pptrace_command \"--$1=?\"") ")\"})\n"
						       "\tif (( $#values )); then compadd -a values; else _files; fi\n}\n"
						       "_pptrace()\n{\n"
						       "\tlocal pptrace_command=$words[2]\n"
						       "\tlocal -a commands\n"
						       "\tcommands=(\n",
		stdout);
	for (size_t pos = 0; (c = commands_next(&pos));) {
		(void)printf("\t\t'%s:", c->name);
		print_quoted(c->summary, ":\\");
		(void)printf("'\n");
	}
	(void)fputs("\t)\n"
		    "\tif (( CURRENT == 2 )); then _describe command commands; return; fi\n"
		    "\tshift words\n"
		    "\t(( CURRENT-- ))\n"
		    "\tcase $pptrace_command in\n",
		stdout);
	for (size_t pos = 0; (c = commands_next(&pos));) {
		(void)printf("\t%s) _arguments -s \\\n", c->name);
		zsh_options(c->options);
		zsh_options(options_common);
		(void)printf("\t\t'%s' ;;\n",
			c->stops_at_operand ? "*::command:_normal" : "*:file:_files");
	}
	(void)fputs("\tesac\n}\n_pptrace \"$@\"\n", stdout);
}

/* ---- fish ---- */

static void fish_options(const char *command, const struct command_option *list)
{
	for (const struct command_option *o = list; o && o->name; o++) {
		(void)printf("complete -c pptrace -n '__fish_seen_subcommand_from %s' -l %s",
			command, o->name);
		if (o->letter)
			(void)printf(" -s %c", o->letter);
		if (o->arg)
			(void)printf(" -r -a '(__pptrace_values %s %s)'", command, o->name);
		(void)printf(" -d '");
		/* fish knows a backslash before a quote, and no quotes that end and begin again. */
		for (const char *s = o->help; *s; s++)
			(void)printf("%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
		(void)printf("'\n");
	}
}

static void print_fish(void)
{
	const struct command *c;

	(void)fputs("# fish completion for pptrace, made by 'pptrace help --completion=fish'.\n"
		    "function __pptrace_values\n"
		    "\t" VALUES("$argv[1] \"--$argv[2]=?\"") " | string split -n ' '\n"
							     "end\n",
		stdout);
	for (size_t pos = 0; (c = commands_next(&pos));)
		(void)printf("complete -c pptrace -f -n __fish_use_subcommand -a %s -d \"%s\"\n",
			c->name, c->summary);
	for (size_t pos = 0; (c = commands_next(&pos));) {
		fish_options(c->name, c->options);
		fish_options(c->name, options_common);
	}
}

void completion_print(int shell)
{
	static void (*const print[])(void) = {print_bash, print_zsh, print_fish};

	print[shell]();
}
