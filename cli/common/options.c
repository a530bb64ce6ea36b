/* options.c - parse a command's options and print its help, both from its row. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/common/say.h"

enum { OPT_COLOR = 1000, MAX_OPTIONS = 64 };

const struct command_option options_common[] = {
	{"color", 0, "WHEN", "colours: auto (default), always, never", OPT_COLOR},
	{"quiet", 'q', NULL, "print only errors and warnings", 'q'},
	{"verbose", 'v', NULL, "print more detail", 'v'},
	{"help", 'h', NULL, "show this help", 'h'},
	{NULL, 0, NULL, NULL, 0},
};

/* A command's options as getopt_long wants them. */
struct parser {
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 + 2 * MAX_OPTIONS + 1];
	size_t n, s;
};

static bool has_name(const struct parser *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->longs[i].name, name))
			return true;
	return false;
}

static void add_options(struct parser *p, const struct command_option *list)
{
	for (const struct command_option *o = list; o && o->name; o++) {
		if (p->n == MAX_OPTIONS || has_name(p, o->name))
			continue;
		p->longs[p->n++] = (struct option){o->name,
			!o->arg          ? no_argument
			: *o->arg == '[' ? optional_argument
					 : required_argument,
			NULL, o->id};
		if (o->letter && !strchr(p->shorts, o->letter)) {
			p->shorts[p->s++] = o->letter;
			if (o->arg)
				p->shorts[p->s++] = ':';
		}
	}
}

static const struct command_option *find_option(const struct command *cmd, int id)
{
	const struct command_option *const lists[] = {cmd->options, options_common};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct command_option *o = lists[i]; o && o->name; o++)
			if (o->id == id || (o->letter && o->letter == id))
				return o;
	return NULL;
}

/* A letter of the command line may differ from the id in its row. */
static int id_of_letter(const struct command *cmd, int got)
{
	const struct command_option *o = got < 256 ? find_option(cmd, got) : NULL;

	return o ? o->id : got;
}

void options_unknown(const char *what, const char *word, const char *nearest, const char *list)
{
	if (nearest)
		warn("%s '%s'; did you mean '%s'?", what, word, nearest);
	else
		warn("%s '%s'; %s", what, word, list);
}

/* A long option that does not exist, or is the beginning of several. */
static void refuse_word(const struct command *cmd, const char *word)
{
	const struct command_option *const lists[] = {cmd->options, options_common};
	_cleanup_free_ char *typed = xstrndup(word, strcspn(word, "="));
	_cleanup_free_ char *what = xasprintf("%s: unknown or ambiguous option", cmd->name);
	_cleanup_free_ char *list = xasprintf("'pptrace %s --help' lists them", cmd->name);
	_cleanup_nearest_ struct nearest n = {.typed = typed};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct command_option *o = lists[i]; o && o->name; o++) {
			_cleanup_free_ char *name = xasprintf("--%s", o->name);

			nearest_try(&n, name);
		}
	options_unknown(what, typed, n.best, list);
}

/* A letter that no option has: perhaps the first one of an option that has another letter, or none. */
static void refuse_letter(const struct command *cmd, int letter)
{
	for (const struct command_option *o = cmd->options; o && o->name; o++)
		if (*o->name == letter) {
			warn("%s: unknown option -%c; did you mean --%s?", cmd->name, letter,
				o->name);
			return;
		}
	warn("%s: unknown option -%c", cmd->name, letter);
}

static int refuse(const struct command *cmd, int kind, char **argv)
{
	const char *word = argv[optind - 1];
	const struct command_option *o = kind == ':' ? find_option(cmd, optopt) : NULL;

	if (o)
		warn("%s: option --%s needs %s", cmd->name, o->name, o->arg);
	else if (optopt && optopt < 256 && (!word || word[1] != '-'))
		refuse_letter(cmd, optopt);
	else if (optopt)
		warn("%s: option %s takes no argument", cmd->name, word);
	else
		refuse_word(cmd, word ? word : "");
	return OPTIONS_ERROR;
}

/* A variable that is not set makes an empty word; no file has that name. */
static bool is_empty_name(const struct command_option *o)
{
	return o->arg && optarg && !*optarg &&
	       (!strcmp(o->arg, "FILE") || !strcmp(o->arg, "DIR") || !strcmp(o->arg, "PATH"));
}

static int refuse_empty(const struct command *cmd, const struct command_option *o)
{
	warn("%s: option --%s needs %s, not an empty name", cmd->name, o->name, o->arg);
	return OPTIONS_ERROR;
}

int options_next(const struct command *cmd, int argc, char **argv)
{
	/* "+": what follows the first operand belongs to the traced command; ":" tells a missing argument apart. */
	struct parser p = {.shorts = "+:", .s = 2};
	int id;

	add_options(&p, cmd->options);
	add_options(&p, options_common);
	opterr = 0;
	id = getopt_long(
		argc, argv, cmd->stops_at_operand ? p.shorts : p.shorts + 1, p.longs, NULL);
	if (id == -1)
		return OPTIONS_END;
	if (id == '?' || id == ':')
		return refuse(cmd, id, argv);
	id = id_of_letter(cmd, id);
	for (const struct command_option *o = cmd->options; o && o->name; o++)
		if (o->id == id)
			return is_empty_name(o) ? refuse_empty(cmd, o) : id;
	if (id == 'h') {
		options_help(stdout, cmd);
		say_flush();
		exit(0);
	}
	if (id == 'q')
		say_set_quiet(true);
	else if (id == 'v')
		say_set_verbose(true);
	else if (id == OPT_COLOR && !say_set_color(optarg)) {
		warn("%s: --color takes auto, always or never, not %s", cmd->name, optarg);
		return OPTIONS_ERROR;
	}
	return options_next(cmd, argc, argv);
}

void options_usage(FILE *f, const struct command *cmd)
{
	(void)fprintf(f, "usage: pptrace %s%s%s\n", cmd->name, *cmd->usage ? " " : "", cmd->usage);
}

/* A help text right of its option: lines are broken between words. */
static void help_text(FILE *f, const char *text)
{
	enum { LEFT = 33, WIDTH = 66 };

	while (strlen(text) > WIDTH) {
		int n = WIDTH;

		while (n > 0 && text[n] != ' ')
			n--;
		if (!n)
			break;
		(void)fprintf(f, "%.*s\n%*s", n, text, LEFT, "");
		text += n + 1;
	}
	(void)fprintf(f, "%s\n", text);
}

static void help_list(FILE *f, const struct command_option *list, const struct command_option *hide)
{
	for (const struct command_option *o = list; o && o->name; o++) {
		_cleanup_buf_ struct buf left = BUF_INIT;
		bool hidden = false;

		for (const struct command_option *h = hide; h && h->name; h++)
			hidden = hidden || !strcmp(h->name, o->name);
		if (hidden)
			continue;
		if (o->letter)
			buf_addf(&left, "-%c, ", o->letter);
		else
			buf_adds(&left, "    ");
		buf_addf(&left, "--%s", o->name);
		if (o->arg)
			buf_addf(&left, *o->arg == '[' ? "%s" : "=%s", o->arg);
		(void)fprintf(f, "  %-30s ", left.data);
		help_text(f, o->help);
	}
}

static void help_examples(FILE *f, const struct command *cmd)
{
	(void)fprintf(f, "\nexamples:\n");
	for (size_t i = 0; i < ARRAY_SIZE(cmd->examples) && cmd->examples[i].line; i++)
		(void)fprintf(f, "  %s\n      %s\n", cmd->examples[i].line, cmd->examples[i].what);
}

void options_help(FILE *f, const struct command *cmd)
{
	options_usage(f, cmd);
	(void)fprintf(f, "\n%c%s.\n\noptions:\n", toupper((unsigned char)cmd->summary[0]),
		cmd->summary + 1);
	help_list(f, cmd->options, NULL);
	help_list(f, options_common, cmd->options);
	help_examples(f, cmd);
}

bool options_number(const char *what, const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno) {
		warn("%s takes a whole number, not '%s'", what, text);
		return false;
	}
	*ret = v;
	return true;
}

bool options_duration(const char *what, const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"µs", 1e3}, {"ns", 1},
		{"m", 60e9}, {"min", 60e9}, {"h", 3600e9}};
	char *end;
	double v = strtod(text, &end);

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (end == text || strcmp(end, units[i].unit) != 0)
			continue;
		if (!(v >= 0) || v * units[i].ns > 9e18)
			break;
		*ret_ns = (int64_t)llround(v * units[i].ns);
		return true;
	}
	warn("%s takes a time such as 1.5, 300ms or 2m, not '%s'", what, text);
	return false;
}

bool options_size(const char *what, const char *text, int64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	double v, bytes = 1;
	char *end;

	v = strtod(text, &end);
	unit = end > text && *end ? strchr(units, *end & ~0x20) : NULL;
	for (const char *u = units; unit && u <= unit; u++)
		bytes *= 1024;
	if (unit)
		end += 1 + (end[1] == 'B' || end[1] == 'b');
	if (end == text || *end || !(v >= 0) || v * bytes > 9e18) {
		warn("%s takes a size such as 500M or 2G, not '%s'", what, text);
		return false;
	}
	*ret = (int64_t)(v * bytes);
	return true;
}

bool options_word(const char *what, const char *text, const char *const *words, int *ret)
{
	_cleanup_nearest_ struct nearest n = {.typed = text};
	_cleanup_buf_ struct buf all = BUF_INIT;

	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*ret = i;
			return true;
		}
		nearest_try(&n, words[i]);
		buf_addf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	warn("%s takes one of %s, not '%s'%s%s%s", what, all.data, text,
		n.best ? "; did you mean '" : "", n.best ? n.best : "", n.best ? "'?" : "");
	return false;
}
