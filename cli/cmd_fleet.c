/* cmd_fleet.c - pptrace fleet: ask the recordings of many hosts that were pushed. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/scratch.h"
#include "fleet/fleet.h"
#include "verdict/verdict.h"

enum { OPT_PASSWORD_FILE = 256, STATUS_FOUND = 1, STATUS_TROUBLE = 2 };

#define PATIENCE_NS 5000000000

static const struct command_option fleet_options[] = {
	{"from", 'f', "URL",
		"the server and its database, http[s]://[USER@]HOST[:PORT][/DATABASE]; else PPTRACE_URL",
		'f'},
	{"password-file", 0, "FILE",
		"read the password from FILE, mode 0600; else from PPTRACE_PASSWORD or PPTRACE_URL",
		OPT_PASSWORD_FILE},
	{"output", 'o', "FILE", "file to write (default: HOST.db for pull, run.db for merge)", 'o'},
	{"format", 'T', "FORMAT",
		"query: a format of ClickHouse's (PrettyCompact on a terminal, else TabSeparatedWithNames; CSVWithNames, JSON...); pictures: svg, png, pdf, dot or txt",
		'T'},
	{"width", 'w', "N", "width of a picture", 'w'},
	{NULL, 0, NULL, NULL, 0},
};

static int fleet_main(int argc, char **argv);

const struct command cmd_fleet = {
	.name = "fleet",
	.usage = "list [RUN]|diagnose|waits|timeline|tree|merge RUN|why|pull RUN HOST|query SQL",
	.summary =
		"work on pushed recordings: find deadlocks across hosts, draw pictures, fetch files, run SQL",
	.options = fleet_options,
	.examples = {{"pptrace fleet --from http://db.example:8123/traces diagnose 4711",
			     "say what is stuck across the hosts of a run"},
		{"pptrace fleet pull 4711 node3 -o node3.db",
			"write the recording of one host into a file"}},
	.run = fleet_main,
};

struct fleet {
	struct server *server;
	const char *output, *format, *width;
	char **operands;
	int n;
};

static void add_status(struct buf *b, const struct fleet_host *h)
{
	if (!h->whole)
		buf_adds(b, "incomplete");
	else if (!h->complete)
		buf_adds(b, "still being written, or interrupted");
	else if (h->exit_signal > 0)
		buf_addf(b, "signal %d", h->exit_signal);
	else if (h->exit_code >= 0)
		buf_addf(b, "status %d", h->exit_code);
	else
		buf_adds(b, "ended");
	if (h->lost)
		buf_addf(b, ", %llu events lost", (unsigned long long)h->lost);
}

/* A text in a column of that width. */
static void add_cell(struct buf *b, const char *text, size_t width)
{
	size_t start = b->len;

	buf_add_printable(b, text, strlen(text));
	for (size_t n = b->len - start; n < width; n++)
		buf_addc(b, ' ');
}

static int list(struct fleet *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT, out = BUF_INIT;
	struct fleet_hosts hosts;

	if (fleet_hosts(f->server, f->n ? f->operands[0] : NULL, &hosts, &why) < 0)
		die("fleet: %s", why.data);
	buf_adds(&out,
		"run                  host                 recording         duration  ended\n");
	for (size_t i = 0; i < hosts.n; i++) {
		const struct fleet_host *h = &hosts.list[i];
		_cleanup_buf_ struct buf duration = BUF_INIT;

		buf_add_duration(&duration, h->duration_ns);
		add_cell(&out, h->run, 20);
		buf_addc(&out, ' ');
		add_cell(&out, h->host, 20);
		buf_addc(&out, ' ');
		add_cell(&out, h->trace_id, 17);
		buf_addc(&out, ' ');
		add_cell(&out, duration.data, 9);
		buf_addc(&out, ' ');
		add_status(&out, h);
		buf_addc(&out, '\n');
	}
	(void)fwrite(out.data, 1, out.len, stdout);
	fleet_hosts_done(&hosts);
	return 0;
}

/* ---- diagnose ---- */

/* Clocks that do not agree. */
static void note_clocks(const struct fleet_hosts *hosts, const struct fleet_graph *g)
{
	const int64_t worth_telling_ns = 10000000;

	for (size_t i = 0; i < hosts->n; i++) {
		const struct fleet_cut *cut = &g->cuts[i];
		_cleanup_buf_ struct buf time = BUF_INIT;

		if (llabs(cut->ahead_ns) >= worth_telling_ns) {
			buf_add_duration(&time, llabs(cut->ahead_ns));
			note("the clock of %s is %s %s that of %s, as messages between them tell: its times are corrected",
				hosts->list[i].label, time.data,
				cut->ahead_ns > 0 ? "ahead of" : "behind", hosts->list[0].label);
		}
		buf_reset(&time);
		buf_add_duration(&time, cut->stepped_ns);
		if (cut->stepped_ns >= worth_telling_ns)
			note("%s: its clock was set by %s while it was recorded",
				hosts->list[i].label, time.data);
	}
}

/* Of a run of which some hosts have ended: up to when the others are known. */
static void note_open(const struct fleet_hosts *hosts)
{
	bool any_ended = false;

	for (size_t i = 0; i < hosts->n; i++)
		any_ended = any_ended || hosts->list[i].complete;
	for (size_t i = 0; any_ended && i < hosts->n; i++) {
		const struct fleet_host *h = &hosts->list[i];
		_cleanup_buf_ struct buf time = BUF_INIT;

		if (h->complete || !h->whole)
			continue;
		buf_add_duration(&time, h->duration_ns);
		note("%s: its recording was not closed, and ends %s after its start: pptrace still records there, or was killed",
			h->label, time.data);
	}
}

/* What of the hosts' recordings is not as one would want it, before anybody trusts what they say together. */
static void note_hosts(const struct fleet_hosts *hosts, const struct fleet_graph *g)
{
	for (size_t i = 0; i < hosts->n; i++) {
		const struct fleet_host *h = &hosts->list[i];

		if (!h->whole)
			note("%s: a push is in progress or was interrupted: the recording is incomplete",
				h->label);
		else if (h->lost)
			note("%s: %llu events were lost", h->label, (unsigned long long)h->lost);
	}
	note_open(hosts);
	note_clocks(hosts, g);
	if (g->n_doubtful)
		note("%zu addresses belong to several connections (networks that reuse the same addresses?); they were not matched",
			g->n_doubtful);
	if (g->n_apart)
		note("%zu connection%s on which threads wait: no recording of the run has the other side (another host, or NAT between them); whoever is there can go on",
			g->n_apart, g->n_apart == 1 ? "" : "s");
}

static void add_findings(struct buf *out, sqlite3 *db, const struct findings *fs, bool *ret_found)
{
	for (size_t i = 0; i < fs->n; i++) {
		buf_adds(out, out->len ? "\n" : "");
		verdict_text(out, db, &fs->list[i], say_color(stdout));
		*ret_found = *ret_found || strcmp(fs->list[i].severity, "info") != 0;
	}
}

static int diagnose(struct fleet *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT, out = BUF_INIT;
	struct findings across = {0}, mpi = {0}, own = {0};
	struct fleet_hosts hosts;
	struct fleet_graph g = {0};
	bool found = false;

	if (fleet_hosts(f->server, f->operands[0], &hosts, &why) < 0 ||
		fleet_load(f->server, &hosts, FLEET_VERDICT, &g, &why) < 0 ||
		fleet_stuck(f->server, &g, &across, &why) < 0 ||
		fleet_mpi(f->server, &g, &mpi, &why) < 0 ||
		fleet_findings(f->server, &g, &own, &why) < 0)
		die("fleet: %s", why.data);
	note_hosts(&hosts, &g);
	add_findings(&out, g.db, &across, &found);
	add_findings(&out, g.db, &mpi, &found);
	add_findings(&out, g.db, &own, &found);
	if (!out.len)
		buf_adds(&out, "nothing found\n");
	(void)fwrite(out.data, 1, out.len, stdout);
	detail("%zu hosts, %zu connections between them", hosts.n, g.n_joined);
	findings_free(&across);
	findings_free(&mpi);
	findings_free(&own);
	fleet_graph_done(&g);
	fleet_hosts_done(&hosts);
	return found ? STATUS_FOUND : 0;
}

/* ---- pull ---- */

/* The host that is called that, or whose recording has that number. */
static const struct fleet_host *find_host(const struct fleet_hosts *hosts, const char *name)
{
	_cleanup_nearest_ struct nearest n = {.typed = name};
	const struct fleet_host *found = NULL;

	for (size_t i = 0; i < hosts->n; i++) {
		const struct fleet_host *h = &hosts->list[i];

		nearest_try(&n, h->label);
		if (strcmp(h->label, name) != 0 && strcmp(h->trace_id, name) != 0)
			continue;
		found = h;
	}
	if (!found)
		options_unknown("fleet: the run has no host that is called", name, n.best,
			"'pptrace fleet list RUN' lists them");
	return found;
}

static int pull(struct fleet *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_free_ char *path = NULL;
	const struct fleet_host *h;
	struct fleet_hosts hosts;

	if (fleet_hosts(f->server, f->operands[0], &hosts, &why) < 0)
		die("fleet: %s", why.data);
	h = find_host(&hosts, f->operands[1]);
	if (!h) {
		fleet_hosts_done(&hosts);
		return STATUS_TROUBLE;
	}
	path = f->output ? xstrdup(f->output) : xasprintf("%s.db", h->label);
	for (char *c = path; !f->output && *c; c++)
		if (*c == '/')
			*c = '-';
	if (!h->whole)
		note("a push is in progress or was interrupted: the recording is incomplete");
	if (fleet_pull(f->server, h, path, &why) < 0)
		die("fleet: %s", why.data);
	note("%s: the recording of %s; next: pptrace diagnose %s", path, h->label, path);
	fleet_hosts_done(&hosts);
	return 0;
}

/* ---- merge ---- */

static int merge(struct fleet *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *path = f->output ? f->output : "run.db";
	struct fleet_hosts hosts;
	struct fleet_graph g = {0};

	if (fleet_hosts(f->server, f->operands[0], &hosts, &why) < 0 ||
		fleet_load(f->server, &hosts, FLEET_CUT, &g, &why) < 0 ||
		fleet_save(&g, path, &why) < 0)
		die("fleet: %s", why.data);
	note_hosts(&hosts, &g);
	note("%s: the merged recording of %zu host%s; next: pptrace waits %s", path, hosts.n,
		hosts.n == 1 ? "" : "s", path);
	fleet_graph_done(&g);
	fleet_hosts_done(&hosts);
	return 0;
}

/* ---- waits, tree, timeline ---- */

/* What is fetched goes into a file that nobody else sees, and the command of that name draws it. */
static int draw(struct fleet *f, const char *name, bool past)
{
	const struct command *c = commands_find(name);
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct fleet_hosts hosts;
	struct fleet_graph g = {0};
	const char *file = scratch_file("run.db");
	const char *names[] = {"-T", f->format, "-o", f->output, "-w", f->width};
	char *argv[10] = {(char *)name};
	int argc = 1;

	if (fleet_hosts(f->server, f->operands[0], &hosts, &why) < 0 ||
		fleet_load(f->server, &hosts, past ? FLEET_WHOLE : FLEET_CUT, &g, &why) < 0 ||
		(past && fleet_past(f->server, &g, &why) < 0) || fleet_save(&g, file, &why) < 0)
		die("fleet: %s", why.data);
	note_hosts(&hosts, &g);
	fleet_graph_done(&g);
	fleet_hosts_done(&hosts);
	for (size_t i = 0; i < ARRAY_SIZE(names); i += 2)
		if (names[i + 1]) {
			argv[argc++] = (char *)names[i];
			argv[argc++] = (char *)names[i + 1];
		}
	argv[argc++] = (char *)file;
	optind = 0;
	return c->run(argc, argv);
}

static int draw_waits(struct fleet *f)
{
	return draw(f, "waits", false);
}

static int draw_tree(struct fleet *f)
{
	return draw(f, "tree", true);
}

static int draw_timeline(struct fleet *f)
{
	return draw(f, "timeline", true);
}

/* ---- why ---- */

/* What each thread of a host waited for when its recording was sent last, and who of the whole run could end that. */
static int why_host(struct fleet *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT, out = BUF_INIT;
	const struct fleet_host *h;
	struct fleet_hosts hosts;
	struct fleet_graph g = {0};

	if (fleet_hosts(f->server, f->operands[0], &hosts, &why) < 0)
		die("fleet: %s", why.data);
	h = find_host(&hosts, f->operands[1]);
	if (!h) {
		fleet_hosts_done(&hosts);
		return STATUS_TROUBLE;
	}
	/* Of one that has ended: before somebody ended it. */
	if (fleet_load(f->server, &hosts, h->complete ? FLEET_CUT : FLEET_WHOLE, &g, &why) < 0)
		die("fleet: %s", why.data);
	note_hosts(&hosts, &g);
	if (h->complete)
		note("its recording has ended: these are the waits at its end");
	buf_addf(&out, "%s, ", h->label);
	buf_add_duration(&out, h->duration_ns);
	buf_adds(&out, " after its start\n");
	fleet_waits(&g, (size_t)(h - hosts.list), &out, &why);
	if (why.len)
		die("fleet: %s", why.data);
	(void)fwrite(out.data, 1, out.len, stdout);
	fleet_graph_done(&g);
	fleet_hosts_done(&hosts);
	return 0;
}

/* ---- query ---- */

/* What comes is made printable for a terminal, line by line; the layout is the server's. */
struct printing {
	struct buf line;
	bool printable;
};

static int print_piece(void *arg, const char *data, size_t len)
{
	struct printing *p = arg;
	_cleanup_buf_ struct buf out = BUF_INIT;

	for (size_t i = 0; p->printable && i < len; i++) {
		if (data[i] != '\n') {
			buf_addc(&p->line, data[i]);
			continue;
		}
		buf_add_printable(&out, p->line.data, p->line.len);
		buf_addc(&out, '\n');
		buf_reset(&p->line);
	}
	if (p->printable)
		(void)fwrite(out.data, 1, out.len, stdout);
	else
		(void)fwrite(data, 1, len, stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

static int query(struct fleet *f)
{
	struct printing p = {.line = BUF_INIT, .printable = isatty(STDOUT_FILENO) == 1};
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *format = f->format     ? f->format
			     : p.printable ? "PrettyCompactNoEscapes"
					   : "TabSeparatedWithNames";

	for (const char *c = format; *c; c++)
		if (!((*c | 32) >= 'a' && (*c | 32) <= 'z') && !(*c >= '0' && *c <= '9'))
			die("fleet: %s is not the name of a format", format);
	if (server_query(f->server, f->operands[0], format, print_piece, &p, &why) < 0)
		die("fleet: %s", why.data);
	buf_done(&p.line);
	return 0;
}

/* ---- Which ---- */

static const struct {
	const char *name;
	int (*run)(struct fleet *f);
	int least, most; /* operands */
	const char *usage;
} actions[] = {
	{"list", list, 0, 1, "list [RUN]"},
	{"diagnose", diagnose, 1, 1, "diagnose RUN"},
	{"pull", pull, 2, 2, "pull RUN HOST"},
	{"merge", merge, 1, 1, "merge RUN"},
	{"timeline", draw_timeline, 1, 1, "timeline RUN"},
	{"tree", draw_tree, 1, 1, "tree RUN"},
	{"waits", draw_waits, 1, 1, "waits RUN"},
	{"why", why_host, 2, 2, "why RUN HOST"},
	{"query", query, 1, 1, "query SQL"},
};

static int act(struct fleet *f, const char *name)
{
	_cleanup_nearest_ struct nearest n = {.typed = name};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		nearest_try(&n, actions[i].name);
		if (strcmp(actions[i].name, name) != 0)
			continue;
		if (f->n >= actions[i].least && f->n <= actions[i].most)
			return actions[i].run(f);
		warn("usage: pptrace fleet %s", actions[i].usage);
		return COMMAND_USAGE;
	}
	options_unknown("fleet: unknown action", name, n.best,
		"it can list, diagnose, draw waits, timeline and tree, say why, pull, merge and query");
	return COMMAND_USAGE;
}

static int fleet_main(int argc, char **argv)
{
	const char *from = NULL, *password_file = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct fleet f = {0};
	int status;

	say_set_status(STATUS_TROUBLE);
	for (int id; (id = options_next(&cmd_fleet, argc, argv)) != OPTIONS_END;) {
		if (id == 'f')
			from = optarg;
		else if (id == 'o')
			f.output = optarg;
		else if (id == 'T')
			f.format = optarg;
		else if (id == 'w')
			f.width = optarg;
		else if (id == OPT_PASSWORD_FILE)
			password_file = optarg;
		else
			return COMMAND_USAGE;
	}
	if (optind == argc) {
		warn("fleet: say what to do: list, diagnose, waits, timeline, tree, why, pull, merge or query");
		return COMMAND_USAGE;
	}
	if (server_open(&f.server, from, password_file, PATIENCE_NS, &why) < 0)
		die("fleet: %s", why.data);
	f.operands = argv + optind + 1;
	f.n = argc - optind - 1;
	status = act(&f, argv[optind]);
	server_close(f.server);
	return status;
}
