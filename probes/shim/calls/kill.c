/* kill.c - signals that are sent: recorded first, for the handler may run before the call returns. */
/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"

REAL(kill)
REAL(killpg)
REAL(raise)
REAL(abort)
REAL(sigqueue)
REAL(pthread_kill)
REAL(pthread_sigqueue)
REAL(tgkill)

/* One line of /proc/PID/status: "SigIgn:\t0000000000001000". */
static uint64_t status_mask(const char *text, const char *name)
{
	const char *p = strstr(text, name);
	uint64_t n = 0;

	if (!p)
		return 0;
	for (p += strlen(name); *p == '\t' || *p == ' ';)
		p++;
	for (;; p++) {
		if (*p >= '0' && *p <= '9')
			n = n << 4 | (uint64_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			n = n << 4 | (uint64_t)(*p - 'a' + 10);
		else
			return n;
	}
}

/* Says whether the C library knows that this process has one thread. Older ones do not know. */
static bool is_single_threaded(void)
{
	static void *cache;
	const char *known = __atomic_load_n(&cache, __ATOMIC_RELAXED);

	if (!known)
		known = shim_resolve(&cache, "__libc_single_threaded", NULL);
	return known && *known;
}

static const uint64_t by_default = 1ull << (SIGCHLD - 1) | 1ull << (SIGCONT - 1) |
				   1ull << (SIGURG - 1) | 1ull << (SIGWINCH - 1);

/* The same for this very thread, or its process, without a look into /proc. */
static unsigned own_prospect(int signo)
{
	uint64_t bit = 1ull << (signo - 1), set = 0;
	void *handler;

	sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	if (set & bit) {
		sys2(SYS_rt_sigpending, &set, 8);
		return signo < SIGRTMIN && set & bit ? SIG_ALREADY_PENDING : SIG_DELIVERED;
	}
	handler = sys_handler(signo);
	return handler == (void *)SIG_IGN || (handler == (void *)SIG_DFL && by_default & bit)
		       ? SIG_IGNORED_
		       : SIG_DELIVERED;
}

/* What will become of a signal, as the target stands now. */
static unsigned prospect(int signo, int64_t pid, int64_t tid)
{
	uint64_t bit = 1ull << (signo - 1), ignored, caught, blocked;
	char buf[2048], path[32] = "/proc/", digits[20];
	unsigned n = sizeof digits;
	long fd, len;

	/* To a process of several threads, another one may have it unblocked: only /proc tells. */
	if (pid == (pid_t)shim_pid() && (tid ? tid == (pid_t)shim_tid() : is_single_threaded()))
		return own_prospect(signo);
	if (pid <= 0 || shim_options.sandboxed)
		return SIG_DELIVERED;
	for (uint64_t id = (uint64_t)(tid ? tid : pid); id; id /= 10)
		digits[--n] = (char)('0' + id % 10);
	memcpy(path + 6, digits + n, sizeof digits - n);
	memcpy(path + 6 + sizeof digits - n, "/status", 8);
	fd = sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	len = fd < 0 ? -1 : sys3(SYS_read, fd, buf, sizeof buf - 1);
	if (fd >= 0)
		sys1(SYS_close, fd);
	if (len <= 0)
		return SIG_DELIVERED;
	buf[len] = '\0';
	ignored = status_mask(buf, "SigIgn:");
	caught = status_mask(buf, "SigCgt:");
	blocked = status_mask(buf, "SigBlk:");
	if (!(blocked & bit) && ((ignored & bit) || (by_default & bit && !(caught & bit))))
		return SIG_IGNORED_;
	if (signo < SIGRTMIN && status_mask(buf, tid ? "SigPnd:" : "ShdPnd:") & bit)
		return SIG_ALREADY_PENDING;
	return SIG_DELIVERED;
}

static void sent(int signo, int code, int64_t pid, int64_t tid)
{
	struct rec_SIG_SEND r;

	if (!shim_everything() || signo <= 0 || signo >= _NSIG)
		return;
	memset(&r, 0, sizeof r);
	r.signo = (uint64_t)signo;
	r.code = (uint64_t)(int64_t)code;
	r.target_pid = (uint64_t)pid;
	r.target_tid = (uint64_t)(tid ? tid : pid);
	r.group = tid == 0;
	r.result = prospect(signo, pid, tid);
	r.sender = SENDER_TASK;
	RECORD(SIG_SEND, &r);
}

/* Says whether the signal may be sent at all: a call that fails sends none. */
static bool may(long answer)
{
	return answer == 0;
}

WRAPPER(kill) kill;
int kill(pid_t pid, int signo)
{
	/* The reader finds a group's members: a negative number stands for it. */
	if (shim_everything() && (pid == (pid_t)shim_pid() || may(sys2(SYS_kill, pid, 0))))
		sent(signo, SI_USER, pid == 0 ? -(int64_t)sys1(SYS_getpgid, 0) : pid, 0);
	return real_kill()(pid, signo);
}

WRAPPER(killpg) killpg;
int killpg(pid_t group, int signo)
{
	if (group < 0)
		return real_killpg()(group, signo);
	return kill(-group, signo);
}

WRAPPER(raise) raise;
int raise(int signo)
{
	if (shim_everything())
		sent(signo, SI_TKILL, shim_pid(), shim_tid());
	return real_raise()(signo);
}

WRAPPER(abort) abort;
void abort(void)
{
	if (shim_everything())
		sent(SIGABRT, SI_TKILL, shim_pid(), shim_tid());
	real_abort()();
	__builtin_unreachable();
}

WRAPPER(sigqueue) sigqueue;
int sigqueue(pid_t pid, int signo, const union sigval value)
{
	if (shim_everything() && may(sys2(SYS_kill, pid, 0)))
		sent(signo, SI_QUEUE, pid, 0);
	return real_sigqueue()(pid, signo, value);
}

WRAPPER(pthread_kill) pthread_kill;
int pthread_kill(pthread_t thread, int signo)
{
	if (shim_everything()) {
		uint32_t tid = thread_tid(thread);

		if (tid)
			sent(signo, SI_TKILL, shim_pid(), tid);
	}
	return real_pthread_kill()(thread, signo);
}

WRAPPER(pthread_sigqueue) pthread_sigqueue;
int pthread_sigqueue(pthread_t thread, int signo, const union sigval value)
{
	if (shim_everything()) {
		uint32_t tid = thread_tid(thread);

		if (tid)
			sent(signo, SI_QUEUE, shim_pid(), tid);
	}
	return real_pthread_sigqueue()(thread, signo, value);
}

WRAPPER(tgkill) tgkill;
int tgkill(pid_t pid, pid_t tid, int signo)
{
	if (shim_everything() && may(sys3(SYS_tgkill, pid, tid, 0)))
		sent(signo, SI_TKILL, pid, tid);
	return real_tgkill()(pid, tid, signo);
}
