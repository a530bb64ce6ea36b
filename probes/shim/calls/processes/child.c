/* child.c - waits for children. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/kind.h"
#include "probes/shim/calls/wait.h"
#include "schema/compat.h"

REAL(wait)
REAL(wait3)
REAL(wait4)
REAL(waitid)
REAL(waitpid)

/*
 * The call is made once so that it does not wait: a wait is recorded only if
 * there is something to wait for, as the kernel side does.
 */

static void reaped(pid_t pid, int status, int options)
{
	struct rec_REAP r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	r.child_pid = (uint64_t)pid;
	r.status = (uint64_t)(unsigned)status;
	r.options = (uint64_t)(unsigned)options;
	RECORD(REAP, &r);
	errno = keep;
}

/* The next function of the wrapper's own name: another library may stand in front of each of them. */
typedef pid_t wait_function(pid_t pid, int *status, int options, struct rusage *usage);

static pid_t next_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	return real_wait4()(pid, status, options, usage);
}

static pid_t next_wait3(pid_t pid, int *status, int options, struct rusage *usage)
{
	(void)pid;
	return real_wait3()(status, options, usage);
}

static pid_t next_waitpid(pid_t pid, int *status, int options, struct rusage *usage)
{
	(void)usage;
	return real_waitpid()(pid, status, options);
}

/* It has no options: the kernel is asked whether it would wait. */
static pid_t next_wait(pid_t pid, int *status, int options, struct rusage *usage)
{
	siginfo_t info = {0};

	(void)pid;
	(void)usage;
	if ((options & WNOHANG) &&
		sys5(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 &&
		info.si_pid == 0)
		return 0;
	return real_wait()(status);
}

static pid_t wait_child(
	wait_function *next, pid_t pid, int *status, int options, struct rusage *usage)
{
	struct rec_WAIT_BEGIN r;
	int mine = 0;
	pid_t rc;

	if (!shim_everything())
		return next(pid, status, options, usage);
	rc = next(pid, &mine, options | WNOHANG, usage);
	if (rc == 0 && !(options & WNOHANG)) {
		wait_init(&r, SYS_wait4, WAIT_CHILD);
		r.arg0 = (uint64_t)(int64_t)pid;
		r.arg2 = (uint64_t)(unsigned)options;
		r.peer = pid > 0 ? (uint64_t)pid : 0;
		WAIT_CALL(&r, rc, next(pid, &mine, options, usage));
	}
	if (rc > 0) {
		reaped(rc, mine, options);
		if (status)
			*status = mine;
	}
	return rc;
}

WRAPPER(wait4) wait4;
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	return wait_child(next_wait4, pid, status, options, usage);
}

WRAPPER(waitpid) waitpid;
pid_t waitpid(pid_t pid, int *status, int options)
{
	return wait_child(next_waitpid, pid, status, options, NULL);
}

WRAPPER(wait) wait;
pid_t wait(int *status)
{
	return wait_child(next_wait, -1, status, 0, NULL);
}

WRAPPER(wait3) wait3;
pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait_child(next_wait3, -1, status, options, usage);
}

static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return info->si_status << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	case CLD_KILLED:
		return info->si_status;
	case CLD_CONTINUED:
		return 0xffff;
	default:
		return info->si_status << 8 | 0x7f;
	}
}

WRAPPER(waitid) waitid;
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	siginfo_t mine;
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_waitid()(type, id, info, options);
	memset(&mine, 0, sizeof mine);
	rc = real_waitid()(type, id, &mine, options | WNOHANG);
	if (rc == 0 && mine.si_pid == 0 && !(options & WNOHANG)) {
		wait_init(&r, SYS_waitid, WAIT_CHILD);
		r.arg0 = type;
		r.arg1 = id;
		r.arg3 = (uint64_t)(unsigned)options;
		r.peer = type == P_PID ? id : type == P_PIDFD ? fd_process((int)id) : 0;
		WAIT_CALL(&r, rc, real_waitid()(type, id, &mine, options));
	}
	if (rc == 0 && mine.si_pid)
		reaped(mine.si_pid, status_of(&mine), options);
	if (rc == 0 && info)
		*info = mine;
	return rc;
}
