/* fork.c - fork and its relatives. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/report.h"
#include "probes/shim/calls/processes/preload.h"
#include "probes/shim/calls/processes/vfork.h"
#include "probes/shim/calls/wait.h"
#include "schema/compat.h"

REAL(fork)
REAL(_Fork)
REAL(clone)
REAL(openpty)
REAL(login_tty)

/* What standard output holds unwritten is written twice if nobody prevents it. */
static void report_stdio(unsigned when)
{
	struct rec_STDIO r;
	struct pipe_fd p;
	size_t n;

	/* Asked first: a program that records nothing need not map the arena to make children. */
	if (!stdout || !(n = __fpending(stdout)) || !shim_active())
		return;
	p = pipe_of(fileno_unlocked(stdout));
	if (!p.kind)
		return;
	memset(&r, 0, sizeof r);
	r.fd = (uint64_t)fileno_unlocked(stdout);
	r.pending = n;
	r.when = when;
	r.hash = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < n; i++)
		r.hash = (r.hash ^ (unsigned char)stdout->_IO_write_base[i]) * 0x100000001b3ull;
	memcpy(r.data, stdout->_IO_write_base, n < sizeof r.data ? n : sizeof r.data);
	RECORD(STDIO, &r);
}

/* What it calls is found now, once, and not by each child again. */
static void prepare_child(void)
{
	fd_prepare();
	signal_prepare();
	exec_prepare();
	exit_prepare();
}

WRAPPER(fork) fork;
pid_t fork(void)
{
	struct spawn_call call;
	pid_t pid;

	/* The kernel's probes know nothing of buffers: this is recorded beside them as well. */
	report_stdio(STDIO_FORK);
	prepare_child();
	report_spawn(&call);
	pid = real_fork()();
	if (pid)
		report_child(&call, pid, SIGCHLD);
	return pid;
}

WRAPPER(_Fork) _Fork;
pid_t _Fork(void)
{
	struct spawn_call call;
	pid_t pid;

	prepare_child();
	report_spawn(&call);
	pid = real__Fork()();
	if (pid)
		report_child(&call, pid, SIGCHLD);
	return pid;
}

WRAPPER(clone) clone;
int clone(int (*run)(void *), void *stack, int flags, void *arg, ...)
{
	struct spawn_call call = {.on = false};
	pid_t *parent_tid, *child_tid;
	void *tls;
	va_list ap;
	int pid;

	va_start(ap, arg);
	parent_tid = va_arg(ap, pid_t *);
	tls = va_arg(ap, void *);
	child_tid = va_arg(ap, pid_t *);
	va_end(ap);
	if (!(flags & CLONE_VM))
		prepare_child();
	/* A child on this very memory would fill the same slots, unless this thread waits for it. */
	if (!(flags & CLONE_VM) || (flags & CLONE_VFORK))
		report_spawn(&call);
	pid = real_clone()(run, stack, flags, arg, parent_tid, tls, child_tid);
	if (pid > 0 && (flags & (CLONE_VM | CLONE_VFORK | CLONE_THREAD)) == CLONE_VM)
		report_spawn(
			&call); /* afterwards: it is enough that the child is known to be there */
	report_child(&call, pid, (uint64_t)(unsigned)flags);
	return pid;
}

WRAPPER(daemon) daemon;
int daemon(int keep_dir, int keep_files)
{
	/* As the C library does it, whose own calls could not be seen. */
	int fd;

	switch (fork()) {
	case -1:
		return -1;
	case 0:
		break;
	default:
		_exit(0);
	}
	if (setsid() < 0)
		return -1;
	if (!keep_dir && chdir("/") < 0)
		return -1;
	if (keep_files)
		return 0;
	fd = open("/dev/null", O_RDWR);
	if (fd < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0)
			return -1;
	if (fd > 2)
		close(fd);
	return 0;
}

WRAPPER(forkpty) forkpty;
int forkpty(int *ret_master, char *name, const struct termios *modes, const struct winsize *size)
{
	/* As the C library does it, whose own fork could not be seen. */
	int master, slave, error;
	pid_t pid;

	if (real_openpty()(&master, &slave, name, modes, size) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(master);
		if (real_login_tty()(slave))
			_exit(1);
		return 0;
	}
	error = errno;
	close(slave);
	if (pid < 0)
		close(master);
	else
		*ret_master = master;
	errno = error;
	return pid;
}

/* ---- vfork: vfork.S calls these around the system call ---- */

/*
 * The child runs on this thread's memory until it executes or ends, this
 * thread included: what it records names the child.
 */
static __thread struct spawn_call vfork_call;

void shim_vfork_begin(void)
{
	vfork_call.fork.thread = NULL;
	report_spawn(&vfork_call);
}

int shim_vfork_end(long rc)
{
	uint32_t pid = shim_pid();

	if (rc == 0) {
		/* The child records for the parent, which sleeps: the record must not wait for it. */
		struct spawn_call call = vfork_call;

		vfork_call.fork.thread = NULL;
		if (call.fork.thread) {
			report_child(&call, (pid_t)pid, CLONE_VM | CLONE_VFORK | SIGCHLD);
			report_vfork_wait((pid_t)pid, (uint32_t)sys0(SYS_getppid), 0);
		}
		ring_local.task = pid;
		return 0;
	}
	/* Back in the caller of vfork, which may be such a child itself. */
	ring_local.task = ring_local.ring && ring_local.ring->owner >> 32 == pid ? 0 : pid;
	if (rc < 0) {
		report_child(&vfork_call, 0, 0);
		errno = (int)-rc;
		return -1;
	}
	if (shim_everything())
		wait_end();
	return (int)rc;
}
