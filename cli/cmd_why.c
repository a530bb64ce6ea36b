/* cmd_why.c - pptrace why: why are these processes stuck, and what does each thread wait for. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/cgroup.h"
#include "cli/common/options.h"
#include "cli/common/pids.h"
#include "cli/common/say.h"
#include "cli/common/why_list.h"
#include "schema/db.h"
#include "schema/query.h"
#include "tracer/inspect.h"
#include "verdict/json.h"
#include "verdict/verdict.h"

enum { STATUS_STUCK = 1, STATUS_FAILED = 2, OPT_JSON = 256, OPT_ALL, OPT_CGROUP, OPT_CONTAINER };

static const struct command_option why_options[] = {
	{"cgroup", 0, "PATH", "all processes in this cgroup", OPT_CGROUP},
	{"container", 0, "NAME",
		"all processes in this container: name or ID (Docker, Podman, Kubernetes, LXC, nspawn)",
		OPT_CONTAINER},
	{"json", 0, NULL, "findings and waits as JSON", OPT_JSON},
	{"all", 'a', NULL, "show every thread, even those in identical waits, and idle sets",
		OPT_ALL},
	{NULL, 0, NULL, NULL, 0},
};

static int why_main(int argc, char **argv);

const struct command cmd_why = {
	.name = "why",
	.usage = "[OPTIONS] PID...|CORE [PROGRAM]|--cgroup PATH|--container NAME",
	.summary =
		"say why running processes, or the process of a core file, are stuck, and what each thread waits for",
	.options = why_options,
	.examples = {{"pptrace why 4711", "say what each thread of process 4711 waits for"},
		{"pptrace why --json $(pidof server)", "the same for a program to read"}},
	.run = why_main,
};

struct why_args {
	struct pids pids;
	const char *core, *program;
	bool json, all;
};

/* Says whether an operand names a file; process IDs look like 1,2,3: a core with such a name is ./1. */
static bool is_file(const char *text)
{
	return text[strspn(text, "0123456789,")] && (strchr(text, '/') || access(text, F_OK) == 0);
}

static bool is_recording(const char *path)
{
	_cleanup_free_ char *why = NULL;
	sqlite3 *db = NULL;
	bool is = db_open_read(path, &db, &why) == 0;

	db_close(db);
	return is;
}

/* A core, and perhaps the program that it is of. */
static bool parse_core(struct why_args *a, int n, char **operands)
{
	a->core = operands[0];
	a->program = n > 1 ? operands[1] : NULL;
	if (is_recording(a->core)) {
		warn("why: %s is a recording: 'pptrace diagnose %s' says what is wrong in it",
			a->core, a->core);
		return false;
	}
	if (n > 2)
		warn("why: one core at a time");
	return n <= 2;
}

static bool parse(struct why_args *a, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_why, argc, argv)) != OPTIONS_END;) {
		if (id == OPT_JSON)
			a->json = true;
		else if (id == OPT_ALL)
			a->all = true;
		else if (id == OPT_CGROUP
				 ? !cgroup_add(&a->pids, optarg)
				 : id != OPT_CONTAINER || !cgroup_add_container(&a->pids, optarg))
			return false;
	}
	if (optind < argc && is_file(argv[optind]))
		return parse_core(a, argc - optind, argv + optind);
	for (int i = optind; i < argc; i++)
		if (!pids_add(&a->pids, argv[i]))
			return false;
	if (!a->pids.n)
		warn("why: no process ID or core file given");
	return a->pids.n > 0;
}

static int print_json(
	struct inspect *in, const struct findings *found, const struct buf *told, struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	buf_addc(&out, '{');
	if (told->len) {
		buf_adds(&out, "\"core\":");
		buf_add_json(&out, told->data, told->len);
		buf_addc(&out, ',');
	}
	buf_adds(&out, "\"findings\":[");
	for (size_t i = 0; i < found->n; i++) {
		buf_adds(&out, i ? "," : "");
		verdict_json(&out, inspect_db(in), &found->list[i]);
	}
	buf_adds(&out, "],\"blind_spots\":");
	if (query_one(inspect_db(in), "SELECT blind_spots FROM trace", 0, &stmt, why) > 0)
		query_json(&out, stmt, 0, "blind_spots");
	else
		buf_adds(&out, "[]");
	buf_adds(&out, ",\"processes\":");
	if (why_list_json(&out, inspect_db(in), INT64_MAX, why) < 0)
		return -EIO;
	buf_adds(&out, "}\n");
	(void)fwrite(out.data, 1, out.len, stdout);
	return 0;
}

static int print_blind(struct inspect *in, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(inspect_db(in),
		"SELECT j.value FROM trace, json_each(trace.blind_spots) AS j", &stmt, why);

	while (!rc && (rc = query_step(stmt, why)) > 0) {
		note("%s", query_text(stmt, 0));
		rc = 0;
	}
	return rc;
}

/* That nothing was found does not prove that all is well: what was not judged is said too. */
static int add_none(struct buf *out, struct inspect *in, struct buf *why)
{
	_cleanup_buf_ struct buf unjudged = BUF_INIT;
	int rc = verdict_unjudged(inspect_db(in), INT64_MAX, &unjudged, why);

	buf_adds(out, inspect_is_denied(in) ? "Could not determine whether there is a deadlock.\n"
					    : "No deadlock was found.\n");
	if (unjudged.len)
		buf_addf(out, "Not examined:\n%s", unjudged.data);
	buf_adds(out, "What each thread waits for:\n\n");
	return rc;
}

static int print_text(struct inspect *in, const struct findings *found, bool all,
	const struct buf *told, struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	bool colour = say_color(stdout);
	int rc = 0;

	if (told->len)
		buf_addf(&out, "%s\n\n", told->data);
	for (size_t i = 0; i < found->n; i++) {
		verdict_text(&out, inspect_db(in), &found->list[i], colour);
		if (say_is_verbose())
			verdict_stacks(&out, inspect_db(in), &found->list[i]);
		buf_addc(&out, '\n');
	}
	if (!found->n)
		rc = add_none(&out, in, why);
	if (rc < 0 || why_list_text(&out, inspect_db(in), INT64_MAX, all, colour, why) < 0)
		return -EIO;
	(void)fwrite(out.data, 1, out.len, stdout);
	(void)fflush(stdout);
	return print_blind(in, why);
}

static int explain(const struct why_args *a)
{
	_cleanup_buf_ struct buf why = BUF_INIT, told = BUF_INIT;
	struct findings found = {0};
	struct inspect *in;
	int status, rc;

	rc = a->core ? inspect_core(a->core, a->program, &in, &told, &why)
		     : inspect_new(a->pids.list, a->pids.n, &in, &why);
	if (rc < 0) {
		warn("%s", why.data);
		return STATUS_FAILED;
	}
	if (why.len)
		warn("%s", why.data);
	buf_reset(&why);
	status = inspect_is_denied(in) ? STATUS_FAILED : 0;
	if (inspect_verdict(in, a->all, &found, &why) < 0 ||
		(a->json ? print_json(in, &found, &told, &why)
			 : print_text(in, &found, a->all, &told, &why)) < 0) {
		warn("%s", why.data);
		status = STATUS_FAILED;
	}
	for (size_t i = 0; i < found.n; i++)
		if (found.list[i].certain)
			status = STATUS_STUCK;
	findings_free(&found);
	inspect_free(in);
	return status;
}

static int why_main(int argc, char **argv)
{
	struct why_args a = {.json = false};
	int status = COMMAND_USAGE;

	say_set_status(STATUS_FAILED);
	if (parse(&a, argc, argv))
		status = explain(&a);
	pids_done(&a.pids);
	return status;
}
