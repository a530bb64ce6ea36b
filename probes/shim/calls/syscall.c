/* syscall.c - what programs ask of the kernel through syscall(). */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/filter.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/report.h"
#include "probes/shim/calls/wait.h"
#include "schema/compat.h"

REAL(syscall)

/*
 * Calls that the library stands in front of by their name go the same way by
 * their number. syscall() is not a place where a thread can be cancelled, though
 * most of those functions are.
 */
#define AS(call)                                                                                   \
	__extension__({                                                                            \
		int cancel_, keep_;                                                                \
		long rc_;                                                                          \
                                                                                                   \
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_);                          \
		rc_ = (long)(call);                                                                \
		keep_ = errno;                                                                     \
		pthread_setcancelstate(cancel_, NULL);                                             \
		errno = keep_;                                                                     \
		rc_;                                                                               \
	})
#define PTR(n) ((void *)a[n])
#define INT(n) ((int)a[n])
#define LEN(n) ((size_t)a[n])

/* ---- Futexes ---- */

/* Reads a word that may not be there: a change of the signal mask that cannot be says so, if it gets that far. */
static bool read_word(const void *addr, uint32_t *ret)
{
	const int no_way = 99;

	if (sys4(SYS_rt_sigprocmask, no_way, ADDR(addr) & ~7ull, 0, 8) != -EINVAL)
		return false;
	*ret = __atomic_load_n((const uint32_t *)addr, __ATOMIC_RELAXED);
	return true;
}

static bool futex_waits(const long a[6])
{
	uint32_t word;

	if (a[0] & 3 || !read_word(PTR(0), &word))
		return false;
	switch (a[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		return word == (uint32_t)a[2];
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return word & FUTEX_TID_MASK;
	default:
		return false;
	}
}

static long futex(const long a[6])
{
	struct rec_WAIT_BEGIN r;
	long rc;

	if (!futex_waits(a))
		return real_syscall()(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
	wait_init(&r, SYS_futex, WAIT_FUTEX);
	r.arg0 = (uint64_t)a[0];
	r.arg1 = (uint64_t)a[1];
	r.arg2 = (uint64_t)a[2];
	r.timed = a[3] != 0;
	if (!(a[1] & FUTEX_PRIVATE_FLAG))
		object_place(PTR(0), &r.dev, &r.inode, &r.offset);
	RECORD(WAIT_BEGIN, &r);
	rc = real_syscall()(SYS_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
	wait_end();
	return rc;
}

/* ---- Children ---- */

/* A child on this very memory cannot be made so: the calls would share a stack. */
static long fork_like(long nr, const long a[6], uint64_t flags)
{
	struct spawn_call call;
	long rc;

	if (flags & (CLONE_VM | CLONE_THREAD))
		return real_syscall()(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	report_spawn(&call);
	rc = real_syscall()(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (rc)
		report_child(&call, (pid_t)rc, flags);
	return rc;
}

/* ---- All of them ---- */

/* Says whether nr is one of those; *ret is its answer then. */
static bool descriptors(long nr, const long a[6], long *ret)
{
	switch (nr) {
	case SYS_read:
		*ret = AS(read(INT(0), PTR(1), LEN(2)));
		return true;
	case SYS_write:
		*ret = AS(write(INT(0), PTR(1), LEN(2)));
		return true;
	case SYS_readv:
		*ret = AS(readv(INT(0), PTR(1), INT(2)));
		return true;
	case SYS_writev:
		*ret = AS(writev(INT(0), PTR(1), INT(2)));
		return true;
	case SYS_splice:
		*ret = AS(splice(INT(0), PTR(1), INT(2), PTR(3), LEN(4), (unsigned)a[5]));
		return true;
	case SYS_tee:
		*ret = AS(tee(INT(0), INT(1), LEN(2), (unsigned)a[3]));
		return true;
	case SYS_vmsplice:
		*ret = AS(vmsplice(INT(0), PTR(1), LEN(2), (unsigned)a[3]));
		return true;
	case SYS_sendfile:
		*ret = AS(sendfile(INT(0), INT(1), PTR(2), LEN(3)));
		return true;
	case SYS_sendto:
		*ret = AS(sendto(INT(0), PTR(1), LEN(2), INT(3), PTR(4), (socklen_t)a[5]));
		return true;
	case SYS_recvfrom:
		*ret = AS(recvfrom(INT(0), PTR(1), LEN(2), INT(3), PTR(4), PTR(5)));
		return true;
	case SYS_pipe2:
		*ret = AS(pipe2(PTR(0), INT(1)));
		return true;
	case SYS_socketpair:
		*ret = AS(socketpair(INT(0), INT(1), INT(2), PTR(3)));
		return true;
	case SYS_dup:
		*ret = AS(dup(INT(0)));
		return true;
	case SYS_dup3:
		*ret = AS(dup3(INT(0), INT(1), INT(2)));
		return true;
	case SYS_close:
		*ret = AS(close(INT(0)));
		return true;
	case SYS_close_range:
		*ret = AS(close_range((unsigned)a[0], (unsigned)a[1], INT(2)));
		return true;
	case SYS_pidfd_getfd:
		*ret = AS(pidfd_getfd(INT(0), INT(1), (unsigned)a[2]));
		return true;
	case SYS_openat:
		*ret = AS(openat(INT(0), PTR(1), INT(2), (mode_t)a[3]));
		return true;
#ifdef SYS_open
	case SYS_open:
		*ret = AS(open(PTR(0), INT(1), (mode_t)a[2]));
		return true;
	case SYS_pipe:
		*ret = AS(pipe(PTR(0)));
		return true;
	case SYS_dup2:
		*ret = AS(dup2(INT(0), INT(1)));
		return true;
#endif
	default:
		return false;
	}
}

static bool processes(long nr, const long a[6], long *ret)
{
	switch (nr) {
	case SYS_futex:
		*ret = futex(a);
		return true;
	case SYS_clone:
		*ret = fork_like(nr, a, (uint64_t)a[0]);
		return true;
#ifdef SYS_fork
	case SYS_fork:
		*ret = fork_like(nr, a, SIGCHLD);
		return true;
#endif
	case SYS_execve:
		*ret = AS(execve(PTR(0), PTR(1), PTR(2)));
		return true;
	case SYS_exit_group:
		_exit(INT(0));
	case SYS_wait4:
		*ret = AS(wait4((pid_t)a[0], PTR(1), INT(2), PTR(3)));
		return true;
	case SYS_waitid:
		/* The function has no place for the resources that were used. */
		if (a[4])
			return false;
		*ret = AS(waitid((idtype_t)a[0], (id_t)a[1], PTR(2), INT(3)));
		return true;
	case SYS_kill:
		*ret = AS(kill((pid_t)a[0], INT(1)));
		return true;
	case SYS_tgkill:
		*ret = AS(tgkill((pid_t)a[0], (pid_t)a[1], INT(2)));
		return true;
	default:
		return false;
	}
}

#ifdef SYS_io_uring_setup
/* A library of its own (liburing) makes the call itself: then the tracer finds the descriptor. */
static long uring_setup(const long a[6])
{
	struct rec_URING r;
	long fd = real_syscall()(SYS_io_uring_setup, a[0], a[1]);

	if (fd >= 0 && shim_everything()) {
		memset(&r, 0, sizeof r);
		r.fd = (uint64_t)fd;
		RECORD(URING, &r);
	}
	return fd;
}
#endif

WRAPPER(syscall) syscall;
long syscall(long nr, ...)
{
	long a[6], ret;
	va_list ap;

	/* As many as a call can have: the C library's own function reads as many, whatever it is given. */
	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_prctl)
		return prctl((int)a[0], a[1], a[2], a[3], a[4]);
	if (nr == SYS_seccomp) {
		if (a[0] == SECCOMP_SET_MODE_STRICT)
			filter_comes(SECCOMP_MODE_STRICT, NULL);
		else if (a[0] == SECCOMP_SET_MODE_FILTER)
			filter_comes(SECCOMP_MODE_FILTER, PTR(2));
#ifdef SYS_io_uring_setup
	} else if (nr == SYS_io_uring_setup) {
		return uring_setup(a);
#endif
	} else if (shim_everything() && (descriptors(nr, a, &ret) || processes(nr, a, &ret))) {
		return ret;
	}
	return real_syscall()(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
