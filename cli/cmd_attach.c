/* cmd_attach.c - pptrace attach: record processes that are already running. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/cgroup.h"
#include "cli/common/extent.h"
#include "cli/common/loop.h"
#include "cli/common/options.h"
#include "cli/common/pids.h"
#include "cli/common/say.h"
#include "cli/common/share.h"
#include "tracer/attach.h"
#include "tracer/target/limits.h"
#include "tracer/tracer.h"
#include "tracer/target/user.h"

enum { STATUS_DEADLOCK = 124, STATUS_FAILED = 125, DEFAULT_DATA = 32, MOST_DATA = 1 << 20 };

#define DEFAULT_WATCH_NS 1000000000

enum {
	OPT_LOCKS = 256,
	OPT_DATA,
	OPT_SCHED,
	OPT_WATCH,
	OPT_ON_DEADLOCK,
	OPT_DURATION,
	OPT_PUSH,
	OPT_CGROUP,
	OPT_CONTAINER
};

static const struct command_option attach_options[] = {
	{"pid", 'p', "PID", "process to record, with its descendants; may be repeated", 'p'},
	{"cgroup", 0, "PATH", "record all processes in this cgroup", OPT_CGROUP},
	{"container", 0, "NAME",
		"record all processes in this container: name or ID (Docker, Podman, Kubernetes, LXC, nspawn)",
		OPT_CONTAINER},
	{"output", 'o', "FILE", "recording to write; an older one is kept as FILE.old (pptrace.db)",
		'o'},
	{"duration", 0, "TIME",
		"stop recording after this time; 0: when the processes have ended (0)",
		OPT_DURATION},
	{"locks", 0, "HOW", "futex (default), uprobe, off: how locks are recorded", OPT_LOCKS},
	{"data", 0, "BYTES", "bytes to keep of each pipe read and write; 0 keeps none (32)",
		OPT_DATA},
	{"sched", 0, NULL, "also record when each thread ran on a processor", OPT_SCHED},
	EXTENT_OPTIONS,
	{"watch", 0, "TIME",
		"look for deadlocks once a wait has lasted this long; 0: never (default: 1s)",
		OPT_WATCH},
	{"on-deadlock", 0, "DO",
		"report (default), stop or kill: what to do on a deadlock; kill exits with status 124",
		OPT_ON_DEADLOCK},
	{"push", 0, "[=live]",
		"push the finished recording to the ClickHouse server in PPTRACE_URL; live: also every 2 s (see push)",
		OPT_PUSH},
	{NULL, 0, NULL, NULL, 0},
};

static int attach_main(int argc, char **argv);

const struct command cmd_attach = {
	.name = "attach",
	.usage = "[OPTIONS] -p PID...|--cgroup PATH|--container NAME",
	.summary = "record processes that are already running, until they exit or you press Ctrl-C",
	.options = attach_options,
	.examples = {{"pptrace attach -p 4711 --duration 10s",
			     "record ten seconds of a running process"},
		{"pptrace attach -o web.db -p 4711,4712", "record two of them until Ctrl-C"},
		{"pptrace attach --container web", "record what runs in a container"}},
	.run = attach_main,
};

/* What the command line says. */
struct attach_args {
	struct tracer_config tracer;
	struct loop_config loop;
	struct pids pids;
	enum share_mode share;
	int locks, on_deadlock;
};

static const char *const locks_words[] = {"futex", "uprobe", "off", NULL};
static const enum locks_mode locks_modes[] = {LOCKS_MODE_FUTEX, LOCKS_MODE_UPROBE, LOCKS_MODE_OFF};

static bool parse_option(struct attach_args *a, int id)
{
	uint64_t n;

	switch (id) {
	case 'p':
		return pids_add(&a->pids, optarg);
	case OPT_CGROUP:
		return cgroup_add(&a->pids, optarg);
	case OPT_CONTAINER:
		return cgroup_add_container(&a->pids, optarg);
	case 'o':
		a->tracer.path = optarg;
		return true;
	case OPT_DURATION:
		return options_duration("--duration", optarg, &a->loop.duration_ns);
	case OPT_LOCKS:
		return options_word("--locks", optarg, locks_words, &a->locks);
	case OPT_DATA:
		if (!options_number("--data", optarg, &n))
			return false;
		a->tracer.data_bytes = n < MOST_DATA ? (unsigned)n : MOST_DATA;
		return true;
	case OPT_SCHED:
		a->tracer.sched = true;
		return true;
	case OPT_WATCH:
		return options_duration("--watch", optarg, &a->tracer.watch_ns);
	case OPT_ON_DEADLOCK:
		return options_word("--on-deadlock", optarg, loop_deadlock_words, &a->on_deadlock);
	case OPT_PUSH:
		a->tracer.peers = true;
		return share_option("attach", optarg, &a->share);
	default:
		return extent_option(&a->tracer, id, optarg);
	}
}

static bool parse(struct attach_args *a, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_attach, argc, argv)) != OPTIONS_END;)
		if (!parse_option(a, id))
			return false;
	for (int i = optind; i < argc; i++)
		if (!pids_add(&a->pids, argv[i]))
			return false;
	if (!a->pids.n) {
		warn("attach: name the process to record with -p PID, --cgroup PATH or --container NAME");
		return false;
	}
	a->tracer.backend = BACKEND_EBPF;
	a->tracer.may_sample = locks_modes[a->locks] != LOCKS_MODE_UPROBE;
	a->tracer.locks = locks_modes[a->locks];
	a->tracer.quiet = say_is_quiet();
	a->loop.on_deadlock = (enum on_deadlock)a->on_deadlock;
	return true;
}

static void print_summary(const struct attach_args *a, const struct tracer_summary *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	bool is_default = !strcmp(a->tracer.path, "pptrace.db");

	buf_addf(&text, "%llu process%s, %llu thread%s, %llu events in ",
		(unsigned long long)s->processes, s->processes == 1 ? "" : "es",
		(unsigned long long)s->threads, s->threads == 1 ? "" : "s",
		(unsigned long long)s->records);
	buf_add_duration(&text, s->duration_ns);
	buf_addf(&text, ": %s", a->tracer.path);
	if (s->lost)
		buf_addf(&text, "; %llu events were lost: the recording has gaps",
			(unsigned long long)s->lost);
	extent_summary(&text, s);
	if (s->errors || s->warnings)
		buf_addf(&text, "; %llu error%s and %llu warning%s found",
			(unsigned long long)s->errors, s->errors == 1 ? "" : "s",
			(unsigned long long)s->warnings, s->warnings == 1 ? "" : "s");
	buf_addf(&text, "; next: pptrace %s%s%s", s->errors ? "diagnose" : "timeline",
		is_default ? "" : " ", is_default ? "" : a->tracer.path);
	note("%s", text.data);
}

static int record(struct attach_args *a)
{
	_cleanup_buf_ struct buf notes = BUF_INIT, why = BUF_INIT;
	struct tracer_outcome outcome = {.ended = false};
	struct tracer_summary summary;
	struct loop_result result = {0};
	struct tracer *t;
	int rc;

	if (tracer_open(&a->tracer, &t, &notes, &why) < 0) {
		warn("%s", why.data);
		return STATUS_FAILED;
	}
	if (notes.len)
		note("%.*s", (int)strcspn(notes.data, "\n"), notes.data);
	share_begin(a->share, a->tracer.path);
	loop_settle();
	rc = attach_begin(t, a->pids.list, a->pids.n, &why);
	if (rc == 0)
		loop_run(t, &a->loop, &result);
	else
		warn("%s", why.data);
	buf_reset(&why);
	if (tracer_close(t, &outcome, &summary, &why) < 0) {
		if (!result.is_broken)
			warn("the recording is not complete: %s", why.data);
		return STATUS_FAILED;
	}
	user_hand_over(a->tracer.path);
	share_end(a->share, a->tracer.path);
	if (rc < 0)
		return STATUS_FAILED;
	print_summary(a, &summary);
	return result.was_deadlock ? STATUS_DEADLOCK : 0;
}

static int attach_main(int argc, char **argv)
{
	struct attach_args a = {.tracer = {.path = "pptrace.db",
					.data_bytes = DEFAULT_DATA,
					.max_bytes = EXTENT_MAX_BYTES,
					.watch_ns = DEFAULT_WATCH_NS}};
	_cleanup_buf_ struct buf why = BUF_INIT, extent = BUF_INIT;
	_cleanup_free_ char *options = NULL;
	int rc = STATUS_FAILED;

	say_set_status(STATUS_FAILED);
	if (!parse(&a, argc, argv)) {
		pids_done(&a.pids);
		return COMMAND_USAGE;
	}
	limits_raise();
	extent_json(&extent, &a.tracer);
	options = xasprintf("{%s}", extent.data);
	a.tracer.options = options;
	if (attach_check(a.pids.list, a.pids.n, &why) < 0)
		warn("%s", why.data);
	else
		rc = record(&a);
	pids_done(&a.pids);
	return rc;
}
