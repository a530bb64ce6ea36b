/* cost.c - what recording costs on this machine, measured. */
/* SPDX-License-Identifier: MIT */
#include "tracer/doctor/cost.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/shim/shim.h"
#include "tracer/source.h"
#include "tracer/target/target.h"

/* Tells the child that pptrace started it for measuring. */
#define COST_CHILD "PPTRACE_COST_CHILD"

enum { CALLS = 100000, ROUND_TRIPS = 20000, LOCKS = 2000, REPEATS = 5 };

/* Processor time: what else the machine does is not to be counted. */
static uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Each returns nanoseconds for one operation. */
static double time_calls(void)
{
	uint64_t start = cpu_ns();

	for (int i = 0; i < CALLS; i++)
		(void)syscall(SYS_getppid);
	return (double)(cpu_ns() - start) / CALLS;
}

static double time_pipe(void)
{
	char block[64] = {0};
	uint64_t start;
	int fds[2];

	if (pipe(fds) < 0)
		return 0;
	start = cpu_ns();
	for (int i = 0; i < ROUND_TRIPS; i++)
		if (write(fds[1], block, sizeof block) < 0 || read(fds[0], block, sizeof block) < 0)
			break;
	(void)close(fds[0]);
	(void)close(fds[1]);
	return (double)(cpu_ns() - start) / ROUND_TRIPS;
}

static double time_locks(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	uint64_t start = cpu_ns();

	for (int i = 0; i < LOCKS; i++) {
		(void)pthread_mutex_lock(&m);
		(void)pthread_mutex_unlock(&m);
	}
	return (double)(cpu_ns() - start) / LOCKS;
}

/* The least of several: disturbances only make it longer. */
static double least(double (*measure)(void))
{
	double best = 0;

	for (int i = 0; i < REPEATS; i++) {
		double t = measure();

		if (i == 0 || t < best)
			best = t;
	}
	return best;
}

static void drop_record(void *arg, const struct rec_head *rec)
{
	(void)rec;
	(*(uint64_t *)arg)++;
}

/* Runs measure in a child that is traced by s (NULL: not traced) and returns its result. */
static double in_child(struct source *s, double (*measure)(void))
{
	double *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double result = 0;
	uint64_t records = 0, until;
	int go[2];
	pid_t pid;

	if (shared == MAP_FAILED || pipe2(go, O_CLOEXEC) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		char c;

		(void)close(go[1]);
		if (read(go[0], &c, 1) == 1)
			*shared = least(measure);
		_exit(0);
	}
	(void)close(go[0]);
	if (pid > 0 && (!s || s->adopt(s, pid) == 0))
		(void)!write(go[1], "", 1);
	(void)close(go[1]);
	while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) {
		if (s)
			(void)s->poll(s, drop_record, &records, &until);
		(void)usleep(1000);
	}
	result = *shared;
	(void)munmap(shared, sizeof *shared);
	return result;
}

/* Attaches eBPF alone. Returns it, or NULL. */
static struct source *attach(enum locks_mode locks)
{
	struct source_config config = {.locks = locks, .quiet = true};
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct source *s = source_ebpf();

	return s->available(&why) == 0 && s->attach(s, &config, &why) == 0 ? s : NULL;
}

/* Nanoseconds of an operation: natively, before and after it was traced, and traced. 0: could not be measured. */
struct cost {
	double before, traced, after;
};

static void add(struct buf *text, const char *what, const struct cost *c)
{
	double native = c->before < c->after ? c->before : c->after, more = c->traced - native;
	double varies = c->before < c->after ? c->after - c->before : c->before - c->after;

	buf_addf(text, "  %-58s ", what);
	if (native <= 0 || c->traced <= 0)
		buf_adds(text, "not measured\n");
	else if (more < 1 || more <= varies)
		buf_addf(text, "%6.0f ns natively, no measurable difference\n", native);
	else
		buf_addf(text, "%6.0f ns natively, %+.0f ns\n", native, more);
}

static void measure_events(struct buf *text)
{
	struct cost calls = {.before = least(time_calls)};
	struct cost pipes = {.before = in_child(NULL, time_pipe)};
	double begun = (double)clock_now(), attached;
	struct source *s = attach(LOCKS_MODE_FUTEX);

	if (!s)
		return;
	attached = (double)clock_now();
	calls.traced = least(time_calls);
	pipes.traced = in_child(s, time_pipe);
	buf_addf(
		text, "  %-58s %6.0f ms\n", "loading and attaching eBPF", (attached - begun) / 1e6);
	begun = (double)clock_now();
	s->detach(s);
	buf_addf(text, "  %-58s %6.0f ms\n", "detaching", ((double)clock_now() - begun) / 1e6);
	calls.after = least(time_calls);
	pipes.after = in_child(NULL, time_pipe);
	add(text, "a system call of a program that is not traced, meanwhile", &calls);
	add(text, "a write and a read of 64 bytes through a traced pipe", &pipes);
}

static void measure_uprobes(struct buf *text)
{
	struct cost locks = {.before = in_child(NULL, time_locks)};
	struct source *s = attach(LOCKS_MODE_UPROBE);

	if (!s)
		return;
	locks.traced = in_child(s, time_locks);
	s->detach(s);
	locks.after = in_child(NULL, time_locks);
	add(text, "a lock and an unlock through uprobes (--locks=uprobe)", &locks);
}

/* Runs pptrace itself with the library preloaded; it answers with what cost_child prints. */
static double in_preloaded(struct source *s, const struct buf *extra)
{
	char *argv[] = {"pptrace", "doctor", NULL};
	char **env = target_env(environ, extra->data, extra->len);
	double result = 0;
	uint64_t records = 0, until;
	char text[64] = "";
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		(void)dup2(out[1], STDOUT_FILENO);
		(void)execve("/proc/self/exe", argv, env);
		_exit(1);
	}
	(void)close(out[1]);
	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
		(void)s->poll(s, drop_record, &records, &until);
		(void)usleep(1000);
	}
	if (read(out[0], text, sizeof text - 1) > 0)
		result = strtod(text, NULL);
	(void)close(out[0]);
	target_env_free(env);
	return result;
}

static void measure_shim(struct buf *text)
{
	_cleanup_buf_ struct buf why = BUF_INIT, extra = BUF_INIT;
	_cleanup_free_ char *arena = arena_make(geteuid()), *library = preload_library();
	struct source_config config = {.locks = LOCKS_MODE_SHIM,
		.quiet = true,
		.arena_dir = arena,
		.owner = geteuid(),
		.shim_path = library};
	static const char what[] = "a lock and an unlock through the preload library";
	struct source *s = source_shim();
	struct cost locks = {.before = in_child(NULL, time_locks)};

	/* Into a program with privileges of its own (setcap) nothing is preloaded, and pptrace is the one to be measured. */
	if (getauxval(AT_SECURE))
		buf_addf(text, "  %-58s not measured: pptrace has privileges of its own\n", what);
	else if (arena && library && s->available(&why) == 0 && s->attach(s, &config, &why) == 0) {
		(void)s->environment(s, &extra);
		buf_addf(&extra, "LD_PRELOAD=%s", library);
		buf_add(&extra, "", 1);
		buf_adds(&extra, COST_CHILD "=1");
		buf_add(&extra, "", 1);
		locks.traced = in_preloaded(s, &extra);
		s->detach(s);
		locks.after = in_child(NULL, time_locks);
		add(text, what, &locks);
	}
	arena_remove(arena);
}

bool cost_child(void)
{
	if (!getenv(COST_CHILD))
		return false;
	(void)dprintf(STDOUT_FILENO, "%.1f\n", least(time_locks));
	return true;
}

void cost_measure(struct buf *text)
{
	measure_events(text);
	measure_uprobes(text);
	measure_shim(text);
}
