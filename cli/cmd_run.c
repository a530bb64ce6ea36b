/* cmd_run.c - pptrace run: record a command. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "cli/common/extent.h"
#include "cli/common/loop.h"
#include "cli/common/options.h"
#include "cli/common/outlive.h"
#include "cli/common/say.h"
#include "cli/common/share.h"
#include "tracer/target/limits.h"
#include "tracer/target/target.h"
#include "tracer/tracer.h"
#include "tracer/target/user.h"

enum {
	STATUS_DEADLOCK = 124, /* or the time limit, as of timeout(1) */
	STATUS_FAILED = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	DEFAULT_DATA = 32,
	MOST_DATA = 1 << 20
};

#define DEFAULT_WATCH_NS 1000000000

enum {
	OPT_BACKEND = 256,
	OPT_LOCKS,
	OPT_MPI,
	OPT_DATA,
	OPT_SCHED,
	OPT_STACKS,
	OPT_WATCH,
	OPT_ON_DEADLOCK,
	OPT_UNTIL,
	OPT_TIMEOUT,
	OPT_OVERFLOW,
	OPT_DUMP,
	OPT_RING,
	OPT_USER,
	OPT_PUSH
};

static const struct command_option run_options[] = {
	{"output", 'o', "FILE", "recording to write; an older one is kept as FILE.old (pptrace.db)",
		'o'},
	{"backend", 0, "WHAT",
		"ebpf, shim, or auto (the default: ebpf, else shim where eBPF is not permitted)",
		OPT_BACKEND},
	{"locks", 0, "HOW",
		"shim, uprobe, futex, off, or auto (the default: shim, else futex where the program cannot be preloaded)",
		OPT_LOCKS},
	{"mpi", 0, "HOW",
		"record calls of MPI: on, off, or auto (the default: if the command is mpirun or the like, or was started by it)",
		OPT_MPI},
	{"data", 0, "BYTES", "bytes to keep of each pipe read and write; 0 keeps none (32)",
		OPT_DATA},
	{"sched", 0, NULL, "also record when each thread ran on a processor", OPT_SCHED},
	{"stacks", 0, NULL, "also record up to 8 callers of each lock acquisition", OPT_STACKS},
	EXTENT_OPTIONS,
	{"watch", 0, "TIME",
		"look for deadlocks once a wait has lasted this long; 0: never (default: 1s)",
		OPT_WATCH},
	{"all", 'a', NULL, "also report idle sets: event loops, servers, services", 'a'},
	{"on-deadlock", 0, "DO",
		"report (default), stop or kill: what to do on a deadlock; kill exits with status 124",
		OPT_ON_DEADLOCK},
	{"until", 0, "WHO",
		"stop recording when all descendants have exited (all, default) or when the command has (main)",
		OPT_UNTIL},
	{"user", 0, "NAME",
		"as root: run the command as that user; under sudo the file belongs to the invoking user",
		OPT_USER},
	{"timeout", 0, "TIME",
		"end the command after this time (30s, 5m): report what each thread waits for, send SIGTERM, then SIGKILL 5 s later; exit status 124",
		OPT_TIMEOUT},
	{"overflow", 0, "DO",
		"when a ring is full, block the locking thread for up to 1 s (wait, default) or drop records (drop)",
		OPT_OVERFLOW},
	{"ring", 0, "MIB", "size of the kernel ring buffer", OPT_RING},
	{"push", 0, "[=live]",
		"push the finished recording to the ClickHouse server in PPTRACE_URL; live: also every 2 s (see push)",
		OPT_PUSH},
	{"dump-records", 0, "FILE", "also write every record as text, to debug pptrace itself",
		OPT_DUMP},
	{NULL, 0, NULL, NULL, 0},
};

static int run_main(int argc, char **argv);

const struct command cmd_run = {
	.name = "run",
	.usage = "[OPTIONS] [--] COMMAND [ARGUMENTS]",
	.summary = "run a command and record what its processes and threads do",
	.options = run_options,
	.examples = {{"pptrace run make -j4", "record a build to pptrace.db"},
		{"pptrace run --on-deadlock=kill --timeout 5m ./test",
			"end a test that deadlocks or does not finish, and say why"}},
	.run = run_main,
	.stops_at_operand = true,
};

/* What the command line says. */
struct run {
	struct tracer_config tracer;
	struct loop_config loop;
	const char *dump_path, *user_name;
	struct user user;
	enum share_mode share;
	int backend, locks, mpi, on_deadlock, until, overflow;
};

static const char *const backend_words[] = {"auto", "ebpf", "shim", NULL};
static const char *const locks_words[] = {"auto", "shim", "uprobe", "futex", "off", NULL};
static const char *const mpi_words[] = {"auto", "on", "off", NULL};
static const char *const until_words[] = {"all", "main", NULL};
static const char *const overflow_words[] = {"wait", "drop", NULL};

static bool parse_number(const char *name, uint64_t least, uint64_t most, uint64_t *ret)
{
	if (!options_number(name, optarg, ret))
		return false;
	if (*ret < least || *ret > most) {
		warn("%s takes a number from %llu to %llu", name, (unsigned long long)least,
			(unsigned long long)most);
		return false;
	}
	return true;
}

static bool parse_option(struct run *r, int id)
{
	uint64_t n;

	switch (id) {
	case 'o':
		r->tracer.path = optarg;
		return true;
	case OPT_BACKEND:
		return options_word("--backend", optarg, backend_words, &r->backend);
	case OPT_LOCKS:
		return options_word("--locks", optarg, locks_words, &r->locks);
	case OPT_MPI:
		return options_word("--mpi", optarg, mpi_words, &r->mpi);
	case OPT_DATA:
		if (!parse_number("--data", 0, MOST_DATA, &n))
			return false;
		r->tracer.data_bytes = (unsigned)n;
		return true;
	case OPT_SCHED:
		r->tracer.sched = true;
		return true;
	case OPT_STACKS:
		r->tracer.stacks = true;
		return true;
	case OPT_WATCH:
		return options_duration("--watch", optarg, &r->tracer.watch_ns);
	case 'a':
		r->tracer.all = true;
		return true;
	case OPT_ON_DEADLOCK:
		return options_word("--on-deadlock", optarg, loop_deadlock_words, &r->on_deadlock);
	case OPT_UNTIL:
		return options_word("--until", optarg, until_words, &r->until);
	case OPT_TIMEOUT:
		return options_duration("--timeout", optarg, &r->loop.timeout_ns);
	case OPT_OVERFLOW:
		return options_word("--overflow", optarg, overflow_words, &r->overflow);
	case OPT_RING:
		if (!parse_number("--ring", 1, 1024, &n))
			return false;
		r->tracer.ring_bytes = (size_t)n << 20;
		return true;
	case OPT_USER:
		r->user_name = optarg;
		return true;
	case OPT_PUSH:
		r->tracer.peers = true;
		return share_option("run", optarg, &r->share);
	case OPT_DUMP:
		r->dump_path = optarg;
		return true;
	default:
		return extent_option(&r->tracer, id, optarg);
	}
}

static bool parse(struct run *r, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_run, argc, argv)) != OPTIONS_END;)
		if (!parse_option(r, id))
			return false;
	if (optind >= argc) {
		warn("run: no command given");
		return false;
	}
	if (r->tracer.stacks && r->locks > LOCKS_MODE_SHIM) {
		warn("run: --stacks needs the preload library, which --locks=%s leaves out",
			locks_words[r->locks]);
		return false;
	}
	r->tracer.argv = argv + optind;
	r->tracer.backend = (enum tracer_backend)r->backend;
	r->tracer.locks = (enum locks_mode)r->locks;
	r->tracer.mpi = (enum mpi_mode)r->mpi;
	r->tracer.drop = r->overflow == 1;
	r->tracer.quiet = say_is_quiet();
	r->loop.until_main = r->until == 1;
	r->loop.all = r->tracer.all;
	r->loop.on_deadlock = (enum on_deadlock)r->on_deadlock;
	return true;
}

/* The options as trace.options keeps them. */
static char *options_json(const struct run *r)
{
	_cleanup_buf_ struct buf extent = BUF_INIT;

	extent_json(&extent, &r->tracer);
	return xasprintf(
		"{\"backend\":\"%s\",\"locks\":\"%s\",\"data\":%u,\"sched\":%s,\"stacks\":%s,"
		"\"watch_ns\":%lld,\"on_deadlock\":\"%s\",\"until\":\"%s\",\"timeout_ns\":%lld,"
		"\"overflow\":\"%s\",%s}",
		backend_words[r->backend], locks_words[r->locks], r->tracer.data_bytes,
		r->tracer.sched ? "true" : "false", r->tracer.stacks ? "true" : "false",
		(long long)r->tracer.watch_ns, loop_deadlock_words[r->on_deadlock],
		until_words[r->until], (long long)r->loop.timeout_ns, overflow_words[r->overflow],
		extent.data);
}

static void add_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_addf(b, "%s%llu %s", b->len ? ", " : "", (unsigned long long)n, n == 1 ? one : many);
}

/* "3 processes, 5 threads, 812 events in 1.20 s: pptrace.db; 1 error; next: pptrace diagnose" */
static void print_summary(const struct run *r, const struct tracer_summary *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT, found = BUF_INIT;
	bool is_default = !strcmp(r->tracer.path, "pptrace.db");

	add_count(&text, s->processes, "process", "processes");
	add_count(&text, s->threads, "thread", "threads");
	add_count(&text, s->records, "event", "events");
	buf_adds(&text, " in ");
	buf_add_duration(&text, s->duration_ns);
	buf_addf(&text, ": %s", r->tracer.path);
	if (s->lost)
		buf_addf(&text, "; %llu events were lost: the recording has gaps",
			(unsigned long long)s->lost);
	extent_summary(&text, s);
	if (s->errors)
		add_count(&found, s->errors, "error", "errors");
	if (s->warnings)
		add_count(&found, s->warnings, "warning", "warnings");
	if (found.len)
		buf_addf(&text, "; %s found", found.data);
	buf_addf(&text, "; next: pptrace %s%s%s", found.len ? "diagnose" : "timeline",
		is_default ? "" : " ", is_default ? "" : r->tracer.path);
	note("%s", text.data);
	if (s->skipped)
		detail("%llu invalid records were skipped", (unsigned long long)s->skipped);
}

static int exec_failed(struct run *r, int error)
{
	if (error == -ENOENT && !strchr(r->tracer.argv[0], '/'))
		warn("%s: command not found", *r->tracer.argv[0] ? r->tracer.argv[0] : "''");
	else
		warn("cannot execute %s: %s", r->tracer.argv[0], strerror(-error));
	return error == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static void print_lines(const char *lines, void (*print)(const char *fmt, ...))
{
	size_t len;

	for (; *lines; lines += len + (lines[len] != '\0')) {
		len = strcspn(lines, "\n");
		if (len)
			print("%.*s", (int)len, lines);
	}
}

/* Starts the command under the tracer. Returns 0, or the status with which pptrace exits. */
static int start(struct run *r, struct tracer *t, struct target *target)
{
	_cleanup_buf_ struct buf extra = BUF_INIT;
	char **env;
	int rc = tracer_environment(t, &extra);

	if (rc < 0) {
		warn("cannot prepare the environment of the command: %s", strerror(-rc));
		return STATUS_FAILED;
	}
	if (r->tracer.user)
		user_environment(r->tracer.user, &extra);
	env = target_env(environ, extra.data, extra.len);
	rc = target_start(target, r->tracer.program, r->tracer.argv, env, r->tracer.user);
	target_env_free(env);
	if (rc < 0) {
		warn("cannot start the command: %s%s", strerror(-rc),
			rc == -EMFILE ? " (ulimit -n)" : "");
		return STATUS_FAILED;
	}
	loop_settle();
	loop_let_go();
	rc = tracer_adopt(t, target->pid);
	if (rc < 0) {
		warn("cannot trace the command: %s", strerror(-rc));
		return STATUS_FAILED;
	}
	rc = target_go(target);
	return rc < 0 ? exec_failed(r, rc) : 0;
}

static int status_of(const struct target *target, const struct loop_result *result)
{
	if (result->was_deadlock || result->timed_out)
		return STATUS_DEADLOCK;
	if (!target->ended)
		return result->interrupted ? loop_die_of(result->signal) : STATUS_FAILED;
	if (WIFSIGNALED(target->status))
		return loop_die_of(WTERMSIG(target->status));
	return WEXITSTATUS(target->status);
}

static int record(struct run *r)
{
	_cleanup_buf_ struct buf notes = BUF_INIT, why = BUF_INIT;
	struct target target = TARGET_INIT;
	struct tracer_outcome outcome;
	struct tracer_summary summary;
	struct loop_result result = {0};
	struct tracer *t;
	int status;

	if (tracer_open(&r->tracer, &t, &notes, &why) < 0) {
		warn("%s", why.data);
		return STATUS_FAILED;
	}
	print_lines(notes.data, note);
	share_begin(r->share, r->tracer.path);
	status = start(r, t, &target);
	r->loop.target = &target;
	if (status == 0) {
		outlive_begin(t, &target);
		loop_run(t, &r->loop, &result);
	}
	target_done(&target);
	(void)target_reap(&target);
	outcome = (struct tracer_outcome){target.ended, target.status};
	if (!target.ended)
		outlive_end();
	if (tracer_close(t, &outcome, &summary, &why) < 0) {
		if (!result.is_broken)
			warn("the recording is not complete: %s", why.data);
	} else if (status == 0) {
		print_summary(r, &summary);
	}
	outlive_end();
	user_hand_over(r->tracer.path);
	share_end(r->share, r->tracer.path);
	return status ? status : status_of(&target, &result);
}

/* Finds the user of --user. Returns false after a message. */
static bool find_user(struct run *r)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (!r->user_name)
		return true;
	if (geteuid() != 0) {
		warn("run: only root can run a command as another user (--user)");
		return false;
	}
	if (user_find(r->user_name, &r->user, &why) < 0) {
		warn("run: %s", why.data);
		return false;
	}
	r->tracer.user = &r->user;
	return true;
}

static int run_main(int argc, char **argv)
{
	struct run r = {.tracer = {.path = "pptrace.db",
				.data_bytes = DEFAULT_DATA,
				.max_bytes = EXTENT_MAX_BYTES,
				.watch_ns = DEFAULT_WATCH_NS}};
	_cleanup_free_ char *program = NULL, *options = NULL;
	int rc;

	if (!parse(&r, argc, argv))
		return COMMAND_USAGE;
	if (!find_user(&r))
		return STATUS_FAILED;
	limits_raise();
	rc = target_find(r.tracer.argv[0], &program);
	if (rc < 0)
		return exec_failed(&r, rc);
	options = options_json(&r);
	r.tracer.program = program;
	r.tracer.options = options;
	if (r.dump_path) {
		r.tracer.dump = fopen(r.dump_path, "we");
		if (!r.tracer.dump)
			die("cannot open %s:", r.dump_path);
	}
	rc = record(&r);
	if (r.tracer.dump)
		(void)fclose(r.tracer.dump);
	user_done(&r.user);
	return rc;
}
