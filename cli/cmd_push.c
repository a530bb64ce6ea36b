/* cmd_push.c - pptrace push: send recordings into ClickHouse. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "fleet/fleet.h"

enum { OPT_RUN = 256, OPT_CLUSTER, OPT_PASSWORD_FILE, OPT_RETRY, OPT_FOLLOW, STATUS_USAGE = 2 };

#define DEFAULT_PATIENCE_NS 30000000000

static const struct command_option push_options[] = {
	{"to", 't', "URL",
		"the server and its database, http[s]://[USER@]HOST[:PORT][/DATABASE]; else PPTRACE_URL (database: pptrace)",
		't'},
	{"run", 0, "NAME",
		"run to add the recordings to (default: PPTRACE_RUN; else the job ID from Slurm, MPI, GitHub or GitLab; else a run of its own)",
		OPT_RUN},
	{"cluster", 0, "NAME",
		"make missing tables on all servers of this cluster of the server's (default: PPTRACE_CLUSTER; else on the server alone)",
		OPT_CLUSTER},
	{"password-file", 0, "FILE",
		"read the password from FILE, mode 0600; else from PPTRACE_PASSWORD or PPTRACE_URL",
		OPT_PASSWORD_FILE},
	{"retry", 0, "TIME", "keep retrying after transient failures for TIME (30s)", OPT_RETRY},
	{"follow", 0, NULL, "push new rows every 2 s until the recording is closed", OPT_FOLLOW},
	{NULL, 0, NULL, NULL, 0},
};

static int push_main(int argc, char **argv);

const struct command cmd_push = {
	.name = "push",
	.usage = "[OPTIONS] [TRACE.db...]",
	.summary = "send recordings to ClickHouse, where many hosts form one run",
	.options = push_options,
	.examples = {{"pptrace push --to http://db.example:8123/traces --run nightly-42",
			     "send pptrace.db as a part of that run"},
		{"pptrace push node1.db node2.db",
			"send several to the server in PPTRACE_URL (keeps the password out of ps)"}},
	.run = push_main,
};

static void report(const struct push *p, const char *path, const struct server *s,
	const struct push_counts *n, uint64_t ns)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (n->was_there) {
		note("%s: already pushed completely, as part of run %s", path, push_run(p));
		return;
	}
	buf_addf(&text, "%s: %llu rows in ", path, (unsigned long long)n->rows);
	buf_add_duration(&text, (long long)ns);
	buf_addf(&text, " to %s/%s, run %s", server_name(s), server_database(s), push_run(p));
	if (n->retries)
		buf_addf(&text, "; %llu request%s sent again", (unsigned long long)n->retries,
			n->retries == 1 ? " was" : "s were");
	if (!n->complete)
		buf_adds(&text,
			"; the recording is still being written, or is incomplete: push it again when it is closed");
	note("%s", text.data);
	detail("%llu bytes of rows, %.0f rows a second", (unsigned long long)n->bytes,
		ns ? (double)n->rows * 1e9 / (double)ns : 0.0);
}

/* So long a round is waited for, and at most so long for a recording to begin, piece by piece. */
enum { PIECES = 40, BEGIN_PIECES = 200 };
static const struct timespec piece = {.tv_nsec = 50000000};

/* Pushes what is new until the recording is closed, or whoever makes it is gone. */
static int follow(struct push *p, struct push_counts *counts, struct buf *why)
{
	pid_t parent = getppid();
	bool last = false;
	int rc;

	for (;;) {
		rc = push_round(p, counts, why);
		if (rc || counts->complete || last)
			return rc;
		for (int i = 0; i < PIECES && getppid() == parent && !push_is_closed(p); i++)
			(void)nanosleep(&piece, NULL);
		last = getppid() != parent;
	}
}

/* Returns false after a message. */
static bool push_one(struct server *s, const char *path, const char *run, bool grows)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct push_counts counts = {0};
	uint64_t start = clock_now();
	struct push *p = NULL;
	int rc = push_open(&p, s, path, run, &why);

	for (int i = 0; grows && rc == -ENODATA && i < BEGIN_PIECES; i++) {
		(void)nanosleep(&piece, NULL);
		buf_reset(&why);
		rc = push_open(&p, s, path, run, &why);
	}
	if (!rc)
		rc = grows ? follow(p, &counts, &why) : push_round(p, &counts, &why);
	/* The reason mostly names the file. */
	if (rc && why.len && strstr(why.data, path))
		warn("push: %s", why.data);
	else if (rc)
		warn("push: %s: %s", path, why.data);
	else
		report(p, path, s, &counts, clock_now() - start);
	push_close(p);
	return rc == 0;
}

static int push_main(int argc, char **argv)
{
	const char *to = NULL, *run = NULL, *password_file = NULL;
	const char *cluster = getenv("PPTRACE_CLUSTER");
	_cleanup_buf_ struct buf why = BUF_INIT;
	int64_t patience_ns = DEFAULT_PATIENCE_NS;
	struct server *s = NULL;
	bool good = true, grows = false;

	for (int id; (id = options_next(&cmd_push, argc, argv)) != OPTIONS_END;) {
		if (id == 't')
			to = optarg;
		else if (id == OPT_RUN)
			run = optarg;
		else if (id == OPT_CLUSTER)
			cluster = optarg;
		else if (id == OPT_PASSWORD_FILE)
			password_file = optarg;
		else if (id == OPT_FOLLOW)
			grows = true;
		else if (id != OPT_RETRY || !options_duration("--retry", optarg, &patience_ns))
			return COMMAND_USAGE;
	}
	if (grows && argc - optind > 1) {
		warn("push: --follow takes one recording");
		return COMMAND_USAGE;
	}
	if (server_open(&s, to, password_file, patience_ns, &why) < 0 ||
		(cluster && server_set_cluster(s, cluster, &why) < 0)) {
		warn("push: %s", why.data);
		server_close(s);
		return STATUS_USAGE;
	}
	if (optind == argc)
		good = push_one(s, "pptrace.db", run, grows);
	for (int i = optind; i < argc; i++)
		good = push_one(s, argv[i], run, grows) && good;
	server_close(s);
	return good ? 0 : 1;
}
