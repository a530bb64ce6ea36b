/* cmd_diagnose.c - pptrace diagnose: what is wrong in a recording, and why. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/filter.h"
#include "cli/common/options.h"
#include "cli/common/rule.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/db.h"
#include "schema/query.h"
#include "verdict/ci/ci.h"
#include "verdict/json.h"
#include "verdict/verdict.h"
#include "viewer/load/load.h"
#include "viewer/path/path.h"

enum { OPT_JSON = 256, OPT_AT, OPT_FAIL_ON, STATUS_FOUND = 1, STATUS_TROUBLE = 2 };

static const struct command_option options[] = {
	{"format", 'T', "FORMAT",
		"text (default), json, or what CI services read: sarif, junit, github (annotations)",
		'T'},
	{"json", 'j', NULL, "the same as --format=json", OPT_JSON},
	{"rule", 'r', "RULE", "only this rule ('pptrace explain' lists them); may be repeated",
		'r'},
	{"at", 0, "TIME", "as of this time after the start (2, 1.5s, 300ms) instead of the end",
		OPT_AT},
	{"all", 'a', NULL, "include idle sets: event loops, servers, services", 'a'},
	{"fail-on", 0, "SEVERITY",
		"exit with 1 if there is a finding of this severity or above: error, warning (default), info, never",
		OPT_FAIL_ON},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_diagnose = {
	.name = "diagnose",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "say what is wrong: deadlocks, leaked pipe ends, zombies and more",
	.options = options,
	.examples =
		{{"pptrace diagnose --fail-on=error && echo fine",
			 "print what is wrong, and let the exit status say whether it is an error"},
			{"pptrace diagnose --format=sarif > pptrace.sarif",
				"write the findings for code scanning"}},
	.run = run,
};

static const char *const severities[] = {"error", "warning", "info", "never", NULL};
enum { FAIL_WARNING = 1, FAIL_NEVER = 3 };

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_JUNIT, FORMAT_GITHUB };
static const char *const formats[] = {"text", "json", "sarif", "junit", "github", NULL};

struct diagnose {
	const char *path;
	const char *rules[RULE_COUNT + 1]; /* none: all; NULL after the last */
	size_t n_rules;
	int64_t at_ns;
	int fail_on; /* index into severities */
	int format;  /* index into formats */
	bool all;
};

static bool is_wanted(const struct diagnose *d, const struct finding *f)
{
	bool wanted = !d->n_rules;

	for (size_t i = 0; i < d->n_rules; i++)
		wanted = wanted || !strcmp(d->rules[i], f->rule);
	return wanted;
}

/* Remembers a rule, once. Returns false after a message. */
static bool add_rule(struct diagnose *d, const char *name)
{
	const char *rule = verdict_rule(name);

	if (!rule) {
		rule_unknown(name);
		return false;
	}
	for (size_t i = 0; i < d->n_rules; i++)
		if (d->rules[i] == rule)
			return true;
	d->rules[d->n_rules++] = rule;
	return true;
}

static int severity_of(const struct finding *f)
{
	int i = 0;

	while (i < FAIL_NEVER && strcmp(severities[i], f->severity) != 0)
		i++;
	return i;
}

/*
 * What was stored when the recording was closed; computed again if it was never
 * closed, or for what is not stored.
 */
static int find(const struct diagnose *d, sqlite3 *db, struct findings *ret, struct buf *why)
{
	bool stored = query_number(db, "SELECT complete FROM trace", 0, 0, why) == 1;

	if (why->len)
		return -EIO;
	if (stored && d->at_ns == INT64_MAX && !d->all)
		return verdict_load(db, ret, why);
	return verdict_all(db, d->at_ns, d->n_rules == 1 ? d->rules[0] : NULL, d->all, ret, why);
}

/* Findings are ordered: each heading is printed once, before the first of its kind. */
static const char *heading(const struct finding *f)
{
	if (!strcmp(f->rule, "deadlock"))
		return "Deadlock";
	if (!strcmp(f->severity, "error"))
		return "Errors";
	if (!strcmp(f->rule, "stuck"))
		return "Stuck, unless something happens that the recording cannot predict";
	if (!strcmp(f->rule, "lock-order"))
		return "Possible deadlocks that did not happen this time";
	return !strcmp(f->severity, "warning") ? "Warnings" : "Worth knowing";
}

/* Beyond this number, findings of one kind that are only worth knowing are counted, not listed one by one. */
enum { INFOS_TOLD = 2 };

/* Says how many findings of the rule of fs->list[i], an info, are wanted; *ret_nth: which of them it is, from 0. */
static size_t count_alike(
	const struct diagnose *d, const struct findings *fs, size_t i, size_t *ret_nth)
{
	size_t n = 0;

	*ret_nth = 0;
	for (size_t k = 0; k < fs->n; k++) {
		if (strcmp(fs->list[k].rule, fs->list[i].rule) != 0 || !is_wanted(d, &fs->list[k]))
			continue;
		*ret_nth += k < i;
		n++;
	}
	return n;
}

/* Prints a finding; of many infos of one rule, the first says how many there are and stands for all. */
static void print_finding(const struct diagnose *d, sqlite3 *db, const struct findings *fs,
	size_t i, bool color, struct buf *out)
{
	const struct finding *f = &fs->list[i];
	size_t nth = 0, n = 0;

	if (!strcmp(f->severity, "info") && !say_is_verbose() && !d->n_rules)
		n = count_alike(d, fs, i, &nth);
	if (n <= INFOS_TOLD) {
		verdict_text(out, db, f, color);
		if (say_is_verbose())
			verdict_stacks(out, db, f);
		return;
	}
	if (nth)
		return;
	buf_addf(out, "info: %s: %zu findings, the first: ", f->rule, n);
	buf_add_printable(out, f->summary, strlen(f->summary));
	buf_addf(out, "\n  all of them: pptrace diagnose --rule=%s\n", f->rule);
}

/* Where the time went; of a recording that cannot be drawn, nothing more is said here. */
static void add_path(struct buf *out, sqlite3 *db)
{
	_cleanup_free_ char *why = NULL, *more = NULL;
	struct trace *t = trace_load(db, &why);
	struct path *p = t ? path_new(t, db, &more) : NULL;
	size_t before = out->len + 1;

	if (p) {
		buf_addc(out, '\n');
		path_sentence(out, p);
		buf_adds(out, out->len > before ? "\n" : "");
	}
	path_free(p);
	trace_free(t);
}

/* What the verdict could not judge of those who waited when somebody outside interrupted or killed the command. */
static void add_unjudged(struct buf *out, sqlite3 *db, struct buf *why)
{
	int64_t at_ns = INT64_MAX;
	struct interruption in;

	if (verdict_interrupted(db, &in, why) > 0)
		at_ns = in.at_ns - VERDICT_BEFORE_SIGNAL_NS;
	(void)verdict_unjudged(db, at_ns, out, why);
}

/* That nothing was found does not prove that all is well: what of some process could not be seen, or judged, is said too. */
static void add_none(struct buf *out, sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT, unjudged = BUF_INIT;
	bool first = true;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db,
		"SELECT j.value FROM trace, json_each(iif(json_valid(blind_spots), blind_spots, '[]')) j"
		" WHERE j.value GLOB '*process [0-9]*'",
		&stmt, &why);

	buf_adds(out, "nothing found\n");
	for (; !rc && query_step(stmt, &why) > 0; first = false) {
		buf_adds(out, first ? "Not examined:\n  " : "  ");
		buf_add_printable(out, query_text(stmt, 0), strlen(query_text(stmt, 0)));
		buf_addc(out, '\n');
	}
	add_unjudged(&unjudged, db, &why);
	if (unjudged.len)
		buf_addf(out, "%s%s", first ? "Not examined:\n" : "", unjudged.data);
}

static void print_text(const struct diagnose *d, sqlite3 *db, const struct findings *fs)
{
	static const char *const order[] = {"Deadlock", "Errors",
		"Stuck, unless something happens that the recording cannot predict",
		"Possible deadlocks that did not happen this time", "Warnings", "Worth knowing"};
	_cleanup_buf_ struct buf out = BUF_INIT;
	bool color = say_color(stdout);

	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		bool first = true;

		for (size_t i = 0; i < fs->n; i++) {
			const struct finding *f = &fs->list[i];
			_cleanup_buf_ struct buf text = BUF_INIT;

			if (!is_wanted(d, f) || strcmp(heading(f), order[k]) != 0)
				continue;
			print_finding(d, db, fs, i, color, &text);
			if (!text.len)
				continue;
			if (first)
				buf_addf(&out, "%s%s\n", out.len ? "\n" : "", order[k]);
			if (first)
				for (size_t n = strlen(order[k]); n; n--)
					buf_addc(&out, '=');
			buf_addc(&out, '\n');
			first = false;
			buf_adds(&out, text.data);
		}
	}
	if (!out.len)
		add_none(&out, db);
	if (say_is_verbose())
		add_path(&out, db);
	(void)fwrite(out.data, 1, out.len, stdout);
}

static void print_json(const struct diagnose *d, sqlite3 *db, const struct findings *fs)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	bool first = true;

	buf_adds(&out, "{\"file\":");
	buf_add_json(&out, d->path, strlen(d->path));
	buf_adds(&out, ",\"trace\":");
	verdict_json_trace(&out, db, &why);
	if (why.len)
		die("%s: %s", d->path, why.data);
	buf_adds(&out, ",\"findings\":[");
	for (size_t i = 0; i < fs->n; i++) {
		if (!is_wanted(d, &fs->list[i]))
			continue;
		buf_adds(&out, first ? "\n" : ",\n");
		first = false;
		verdict_json(&out, db, &fs->list[i]);
	}
	buf_adds(&out, "\n]}\n");
	(void)fwrite(out.data, 1, out.len, stdout);
}

static bool fails(const void *arg, const struct finding *f)
{
	const struct diagnose *d = arg;

	return d->fail_on != FAIL_NEVER && severity_of(f) <= d->fail_on;
}

/* For a service: only what was asked for, with paths as seen from here. */
static void print_ci(const struct diagnose *d, sqlite3 *db, const struct findings *fs)
{
	static void (*const print[])(struct buf *, const struct ci_input *) = {
		[FORMAT_SARIF] = ci_sarif, [FORMAT_JUNIT] = ci_junit, [FORMAT_GITHUB] = ci_github};
	_cleanup_free_ struct finding *wanted = xcalloc(fs->n + 1, sizeof *wanted);
	_cleanup_free_ char *here = getcwd(NULL, 0);
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct findings some = {wanted, 0};
	struct ci_input in = {.db = db,
		.findings = &some,
		.base = here,
		.version = PPTRACE_VERSION,
		.rules = d->n_rules ? d->rules : NULL,
		.fails = fails,
		.arg = d};

	for (size_t i = 0; i < fs->n; i++)
		if (is_wanted(d, &fs->list[i]))
			wanted[some.n++] = fs->list[i];
	print[d->format](&out, &in);
	(void)fwrite(out.data, 1, out.len, stdout);
}

static void print(const struct diagnose *d, sqlite3 *db, const struct findings *fs)
{
	if (d->format == FORMAT_TEXT)
		print_text(d, db, fs);
	else if (d->format == FORMAT_JSON)
		print_json(d, db, fs);
	else
		print_ci(d, db, fs);
}

/* Returns false after a message. */
static bool parse(struct diagnose *d, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_diagnose, argc, argv)) != OPTIONS_END;) {
		switch (id) {
		case OPT_JSON:
			d->format = FORMAT_JSON;
			break;
		case 'T':
			if (!options_word("--format", optarg, formats, &d->format))
				return false;
			break;
		case 'r':
			if (!add_rule(d, optarg))
				return false;
			break;
		case OPT_AT:
			if (!options_duration("--at", optarg, &d->at_ns))
				return false;
			break;
		case 'a':
			d->all = true;
			break;
		case OPT_FAIL_ON:
			if (!options_word("--fail-on", optarg, severities, &d->fail_on))
				return false;
			break;
		default:
			return false;
		}
	}
	d->path = trace_operand("diagnose", argc - optind, argv + optind);
	return d->path != NULL;
}

static int run(int argc, char **argv)
{
	struct diagnose d = {.at_ns = INT64_MAX, .fail_on = FAIL_WARNING};
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings fs = {0};
	bool failed = false;
	sqlite3 *db;

	say_set_status(STATUS_TROUBLE);
	if (!parse(&d, argc, argv))
		return COMMAND_USAGE;
	db = trace_open(d.path);
	filter_check_time(db, "diagnose", "--at", d.at_ns);
	if (find(&d, db, &fs, &why) != 0)
		die("%s: %s", d.path, why.data);
	print(&d, db, &fs);
	for (size_t i = 0; i < fs.n; i++)
		failed = failed || (is_wanted(&d, &fs.list[i]) && fails(&d, &fs.list[i]));
	findings_free(&fs);
	db_close(db);
	return failed ? STATUS_FOUND : 0;
}
