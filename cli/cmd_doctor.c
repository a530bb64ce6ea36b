/* cmd_doctor.c - pptrace doctor: what works here, what does not and why, and how to fix it. */
/* SPDX-License-Identifier: MIT */
#include <gvc.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "tracer/doctor/capability.h"
#include "tracer/choose.h"
#include "tracer/doctor/cost.h"
#include "tracer/target/limits.h"
#include "tracer/tracer.h"

enum { OPT_NO_COST = 256 };

static const struct command_option doctor_options[] = {
	{"no-cost", 0, NULL, "do not measure the cost of recording (takes a second or two)",
		OPT_NO_COST},
	{NULL, 0, NULL, NULL, 0},
};

static int doctor_main(int argc, char **argv);

const struct command cmd_doctor = {
	.name = "doctor",
	.usage = "[--no-cost]",
	.summary = "report what works on this machine and what does not, and how to fix it",
	.options = doctor_options,
	.examples = {{"pptrace doctor", "say what works here, and measure what recording costs"},
		{"pptrace doctor --no-cost", "the same without measuring"}},
	.run = doctor_main,
};

static void print_mark(bool ok)
{
	bool colour = say_color(stdout);

	(void)printf("%s%-5s%s ", colour ? (ok ? "\033[32m" : "\033[33m") : "", ok ? "works" : "no",
		colour ? "\033[0m" : "");
}

/* What was said already: one cause has many effects, but one remedy. */
struct said {
	char **list;
	size_t n, cap;
};

static void said_done(struct said *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i]);
	free(s->list);
}

/* Says whether a sentence, or a part of it, was said already. */
static bool was_said(const struct said *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (strstr(text, s->list[i]))
			return true;
	return false;
}

static void print_once(struct said *s, const char *label, const char *text)
{
	if (!text || !*text || was_said(s, text))
		return;
	ARRAY_GROW(s->list, s->n, s->cap);
	s->list[s->n++] = xstrdup(text);
	(void)printf("      %-8s %s\n", label, text);
}

/* "no    uprobe_multi    --locks=uprobe" and, if it does not work, why, what happens instead, what to do, each once. */
static void print_line(struct said *said, bool ok, const char *name, const char *use,
	const char *why, const char *instead, const char *remedy)
{
	print_mark(ok);
	(void)printf("%-28s %s\n", name, use);
	if (ok)
		return;
	print_once(said, "why:", why);
	print_once(said, "instead:", instead);
	print_once(said, "to do:", remedy);
}

static void print_capability(void *arg, const struct capability *c)
{
	_cleanup_buf_ struct buf why = BUF_INIT, remedy = BUF_INIT;
	int rc = c->try(&why, &remedy);

	print_line(arg, rc == 0, c->name, c->use, why.data, c->without, remedy.data);
}

typedef char **list_plugins(GVC_t *gvc, const char *kind, int *ret_n, const char *unused);

/* Says whether Graphviz has a plugin of a kind: "device" writes a format, "layout" places nodes. */
static bool has_plugin(GVC_t *gvc, const char *kind, const char *name)
{
	/* Newer Graphviz has no fourth argument, and takes no notice of one. */
	list_plugins *list = (list_plugins *)(void *)gvPluginList;
	int n = 0;
	char **have = list(gvc, kind, &n, NULL);
	bool found = false;

	for (int i = 0; i < n; i++) {
		found = found || !strcmp(have[i], name);
		free(have[i]);
	}
	free(have);
	return found;
}

/* Says what of pictures Graphviz has plugins for. */
static void print_graphviz(struct said *said)
{
	static const char *const formats[] = {"svg", "png", "pdf"};
	GVC_t *gvc = gvContext();

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_cleanup_free_ char *name = xasprintf("Graphviz: %s", formats[i]);

		print_line(said, has_plugin(gvc, "device", formats[i]), name, "pictures",
			"Graphviz has no plugin for this format", "use another format",
			"install the package graphviz or libgvc6");
	}
	print_line(said, has_plugin(gvc, "layout", "nop2"), "Graphviz: nop2", "pictures",
		"Graphviz has no plugin for fixed node positions (nop2)", "use -T txt",
		"install the package libgvplugin-neato-layout8");
	(void)gvFreeContext(gvc);
}

/* Says what `pptrace run` would use. Returns false if it could not record at all. */
static bool print_choice(const struct said *said)
{
	static const char *const locks[] = {[LOCKS_MODE_SHIM] = "the preload library",
		[LOCKS_MODE_UPROBE] = "uprobes",
		[LOCKS_MODE_FUTEX] = "futex waits: contended locks",
		[LOCKS_MODE_OFF] = "nothing"};
	/* A program like most. pptrace itself may have privileges (setcap), which decides how it would be recorded. */
	struct tracer_config config = {.program = "/bin/sh"};
	_cleanup_buf_ struct buf notes = BUF_INIT, why = BUF_INIT, blind = BUF_INIT;
	struct choice choice;
	int rc = tracer_try(&config, &choice, &notes, &why);

	if (rc == 0)
		(void)printf("\npptrace run records with %s; locks by %s\n", choice.backend,
			locks[choice.locks]);
	else
		(void)printf("\npptrace run cannot record here: %s\n", why.data);
	for (char *rest = notes.data, *line; (line = strsep(&rest, "\n")) && *line;)
		if (!was_said(said, line))
			(void)printf("%s\n", line);
	if (rc == 0) {
		choice_blind_spots(&choice, &blind);
		if (blind.len)
			(void)printf(
				"what such a recording cannot contain (see also the manual):\n");
		for (char *rest = blind.data, *line; (line = strsep(&rest, "\n")) && *line;)
			(void)printf("  %s\n", line);
	}
	choice_done(&choice);
	return rc == 0;
}

static void print_costs(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	cost_measure(&text);
	if (text.len)
		(void)printf("\nmeasured just now:\n%s", text.data);
}

static int doctor_main(int argc, char **argv)
{
	struct said said = {0};
	struct utsname u;
	bool costs = true, can_record;

	if (cost_child())
		return 0;
	for (int id; (id = options_next(&cmd_doctor, argc, argv)) != OPTIONS_END;) {
		if (id != OPT_NO_COST)
			return COMMAND_USAGE;
		costs = false;
	}
	if (optind < argc) {
		warn("doctor takes no arguments");
		return COMMAND_USAGE;
	}
	limits_raise();
	if (uname(&u) == 0)
		(void)printf("pptrace %s on %s %s, %ld processors, %s\n\n", PPTRACE_VERSION,
			u.sysname, u.release, sysconf(_SC_NPROCESSORS_ONLN),
			geteuid() == 0 ? "as root" : "as an ordinary user");
	capability_each(print_capability, &said);
	print_graphviz(&said);
	can_record = print_choice(&said);
	said_done(&said);
	if (costs && can_record)
		print_costs();
	return can_record ? 0 : 1;
}
