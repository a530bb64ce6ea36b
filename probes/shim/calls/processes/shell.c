/* shell.c - system, popen and pclose: children that the C library makes by itself. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <paths.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/report.h"
#include "probes/shim/calls/stdio.h"
#include "probes/shim/calls/wait.h"

REAL(system)
REAL(popen)
REAL(pclose)

/* ---- system: rebuilt from calls that are seen ---- */

static struct {
	bool locked;
	unsigned
		running; /* calls at this moment; the first one in and the last one out turn the signals */
	struct sigaction intr, quit;
} shells;

static void shells_lock(void)
{
	while (__atomic_exchange_n(&shells.locked, true, __ATOMIC_ACQUIRE))
		sys0(SYS_sched_yield);
}

static void shells_unlock(void)
{
	__atomic_store_n(&shells.locked, false, __ATOMIC_RELEASE);
}

static void shells_enter(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	shells_lock();
	if (shells.running++ == 0) {
		sigaction(SIGINT, &ignore, &shells.intr);
		sigaction(SIGQUIT, &ignore, &shells.quit);
	}
	shells_unlock();
}

static void shells_leave(void)
{
	shells_lock();
	if (--shells.running == 0) {
		sigaction(SIGINT, &shells.intr, NULL);
		sigaction(SIGQUIT, &shells.quit, NULL);
	}
	shells_unlock();
}

struct shell {
	pid_t pid;
	sigset_t mask;
};

/* A thread that is cancelled meanwhile takes the shell with it. */
static void shell_cancelled(void *arg)
{
	struct shell *s = arg;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	shells_leave();
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

static int run_shell(const char *command)
{
	char *const argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
	struct shell s = {.pid = 0};
	posix_spawnattr_t attr;
	sigset_t block, reset;
	int status = -1, rc;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	shells_enter();
	sigprocmask(SIG_BLOCK, &block, &s.mask);
	sigemptyset(&reset);
	if (shells.intr.sa_handler != SIG_IGN)
		sigaddset(&reset, SIGINT);
	if (shells.quit.sa_handler != SIG_IGN)
		sigaddset(&reset, SIGQUIT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &s.mask);
	posix_spawnattr_setsigdefault(&attr, &reset);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(&s.pid, _PATH_BSHELL, NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (rc == 0) {
		pthread_cleanup_push(shell_cancelled, &s);
		while (waitpid(s.pid, &status, 0) < 0 && errno == EINTR)
			;
		pthread_cleanup_pop(0);
	} else {
		status = W_EXITCODE(127, 0);
	}
	shells_leave();
	sigprocmask(SIG_SETMASK, &s.mask, NULL);
	if (rc)
		errno = rc;
	return status;
}

WRAPPER(system) system;
int system(const char *command)
{
	if (!shim_everything())
		return real_system()(command);
	if (!command)
		return run_shell("exit 0") == 0;
	return run_shell(command);
}

/* ---- popen ---- */

/* Behind glibc's FILE, its table and the lock of the list comes the child's number. */
enum { STREAM_BYTES = 216 + 8, STREAMS = 64 };

static struct {
	FILE *stream;
	pid_t pid;
} streams[STREAMS];

static pid_t child_of(FILE *f)
{
	pid_t pid;
	siginfo_t info;

	memcpy(&pid, (const char *)f + STREAM_BYTES, sizeof pid);
	memset(&info, 0, sizeof info);
	/* Is that a child of this process? It is not reaped by asking. */
	return pid > 0 && sys6(SYS_waitid, P_PID, pid, SYS_ARG(&info), WEXITED | WNOHANG | WNOWAIT,
				  0, 0) == 0
		       ? pid
		       : 0;
}

WRAPPER(popen) popen;
FILE *popen(const char *command, const char *mode)
{
	struct spawn_call call;
	pid_t child;
	FILE *f;

	report_spawn(&call);
	f = real_popen()(command, mode);
	if (!shim_everything())
		return f;
	if (f)
		stdio_watch_stream(f);
	child = f ? child_of(f) : 0;
	if (!child) {
		report_child(&call, 0, 0);
		return f;
	}
	/* The pipe was there before the child, whose own records may be later than the fork and earlier than now. */
	report_end_at(fileno(f), END_CREATE, call.fork.ts);
	report_child(&call, child, 0);
	for (unsigned i = 0; i < STREAMS; i++) {
		FILE *none = NULL;

		if (__atomic_compare_exchange_n(&streams[i].stream, &none, f, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			streams[i].pid = child;
			break;
		}
	}
	return f;
}

static pid_t forget(FILE *f)
{
	for (unsigned i = 0; i < STREAMS; i++)
		if (streams[i].stream == f) {
			pid_t pid = streams[i].pid;

			__atomic_store_n(&streams[i].stream, NULL, __ATOMIC_RELAXED);
			return pid;
		}
	return 0;
}

WRAPPER(pclose) pclose;
int pclose(FILE *f)
{
	struct rec_WAIT_BEGIN w;
	struct pipe_fd p;
	pid_t child;
	int rc;

	if (!shim_everything())
		return real_pclose()(f);
	child = forget(f);
	fflush(f);
	p = pipe_of(fileno(f));
	if (p.kind)
		report_close(fileno(f), &p, END_CLOSE_CALL);
	wait_init(&w, SYS_wait4, WAIT_CHILD);
	w.arg0 = w.peer = (uint64_t)child;
	RECORD(WAIT_BEGIN, &w);
	rc = real_pclose()(f);
	wait_end();
	if (rc != -1 && child) {
		struct rec_REAP r;

		memset(&r, 0, sizeof r);
		r.child_pid = (uint64_t)child;
		r.status = (uint64_t)(unsigned)rc;
		RECORD(REAP, &r);
	}
	return rc;
}
