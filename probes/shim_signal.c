/* shim_signal.c - signals sent and delivered, and what programs want done with them. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "probes/shim.h"
#include "probes/shim_private.h"
#include "probes/shim_sys.h"
#include "probes/shim_thread.h"

REAL(kill)
REAL(killpg)
REAL(raise)
REAL(abort)
REAL(sigqueue)
REAL(pthread_kill)
REAL(pthread_sigqueue)
REAL(tgkill)
REAL(sigaction)
REAL(alarm)
REAL(setitimer)
REAL(timer_settime)
REAL(timerfd_settime)

/* ---- Sent: recorded first, for the handler may run before the call returns ---- */

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

/* Older C libraries do not have it. */
extern char __libc_single_threaded __attribute__((weak));

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
	if (pid == (pid_t)shim_pid() && (tid ? tid == (pid_t)shim_tid()
					     : (&__libc_single_threaded && __libc_single_threaded)))
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

/* Says whether the signal may be sent at all: what fails is no signal. */
static bool may(long answer)
{
	return answer == 0;
}

WRAPPER(kill) kill;
int kill(pid_t pid, int signo)
{
	/* A group's members are the reader's to find: a negative number stands for it. */
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

/* ---- Delivered ---- */

/*
 * The kernel calls on_signal, which records and calls the program's handler.
 * Whoever asks what is installed gets the program's own, as it was set.
 */
struct disposition {
	void *handler;
	int flags;
};
static struct disposition table[_NSIG];

/*
 * Says whether a system call may have been broken off by this signal: it
 * answers EINTR, or is made again. One that has done what it was asked for,
 * while its thread was on its way back, was not.
 */
static bool interrupts(const void *context)
{
#ifdef __x86_64__
	const ucontext_t *uc = context;
	uint64_t ip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	const uint8_t syscall_code[2] = {0x0f, 0x05};

	return uc->uc_mcontext.gregs[REG_RAX] == -EINTR || ip >> 47 ||
	       !memcmp((const void *)(uintptr_t)ip, syscall_code, sizeof syscall_code);
#else
	(void)context;
	return true;
#endif
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	struct disposition d = table[signo];
	int keep = errno;
	struct rec_SIG_SEND from;
	struct rec_SIG_DELIVER r;

	/* What the kernel or a timer sent, nobody recorded when it was sent. */
	if (info->si_code > 0 || info->si_code == SI_TIMER) {
		memset(&from, 0, sizeof from);
		from.signo = (uint64_t)signo;
		from.code = (uint64_t)(int64_t)info->si_code;
		from.target_pid = shim_pid();
		from.target_tid = shim_tid();
		from.group = 1;
		from.sender = info->si_code == SI_TIMER || signo == SIGALRM || signo == SIGVTALRM ||
					      signo == SIGPROF
				      ? SENDER_TIMER
			      : (signo == SIGINT || signo == SIGQUIT || signo == SIGTSTP ||
					signo == SIGWINCH)
				      ? SENDER_TTY
				      : SENDER_KERNEL;
		RECORD(SIG_SEND, &from);
	}
	memset(&r, 0, sizeof r);
	r.signo = (uint64_t)signo;
	r.code = (uint64_t)(int64_t)info->si_code;
	r.handler = ADDR(d.handler);
	r.flags = (uint64_t)(unsigned)d.flags;
	r.syscall = interrupts(context) ? (uint64_t)-1 : (uint64_t)-2;
	RECORD(SIG_DELIVER, &r);
	errno = keep;
	((void (*)(int, siginfo_t *, void *))d.handler)(signo, info, context);
}

static void record_action(int signo, const struct sigaction *act)
{
	struct rec_SIG_ACTION r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	r.signo = (uint64_t)signo;
	r.handler = ADDR(act->sa_handler);
	r.flags = (uint64_t)(unsigned)act->sa_flags;
	memcpy(&r.mask, &act->sa_mask, sizeof r.mask);
	RECORD(SIG_ACTION, &r);
	errno = keep;
}

WRAPPER(sigaction) sigaction;
int sigaction(int signo, const struct sigaction *restrict act, struct sigaction *restrict old)
{
	struct disposition was;
	struct sigaction mine, before;
	int rc;

	if (!shim_everything() || signo <= 0 || signo >= _NSIG)
		return real_sigaction()(signo, act, old);
	was = table[signo];
	if (act) {
		mine = *act;
		if (act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN) {
			table[signo] = (struct disposition){(void *)act->sa_handler, act->sa_flags};
			mine.sa_sigaction = on_signal;
			mine.sa_flags |= SA_SIGINFO;
		}
	}
	rc = real_sigaction()(signo, act ? &mine : NULL, &before);
	if (rc < 0) {
		table[signo] = was;
		return rc;
	}
	if (act)
		record_action(signo, act);
	if (old) {
		*old = before;
		if (before.sa_sigaction == on_signal) {
			old->sa_handler = (__sighandler_t)was.handler;
			if (!(was.flags & SA_SIGINFO))
				old->sa_flags &= ~SA_SIGINFO;
		}
	}
	return rc;
}

/* signal() of the C library calls its own sigaction. */
static uint64_t interrupting; /* signals for which siginterrupt was asked */

static __sighandler_t set_signal(int signo, __sighandler_t handler, int flags)
{
	struct sigaction act, old;

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	memset(&act, 0, sizeof act);
	act.sa_handler = handler;
	act.sa_flags = flags;
	if (!(flags & SA_NODEFER))
		sigaddset(&act.sa_mask, signo);
	return sigaction(signo, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

REAL(signal)

/* It is deprecated and still called. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
REAL(siginterrupt)
REAL(sysv_signal)

WRAPPER(signal) signal;
__sighandler_t signal(int signo, __sighandler_t handler)
{
	if (!shim_everything() || signo <= 0 || signo >= _NSIG)
		return real_signal()(signo, handler);
	return set_signal(signo, handler, interrupting >> (signo - 1) & 1 ? 0 : SA_RESTART);
}

WRAPPER(sysv_signal) sysv_signal;
__sighandler_t sysv_signal(int signo, __sighandler_t handler)
{
	if (!shim_everything() || signo <= 0 || signo >= _NSIG)
		return real_sysv_signal()(signo, handler);
	return set_signal(signo, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

__sighandler_t __sysv_signal(int signo, __sighandler_t handler);
WRAPPER(__sysv_signal) __sysv_signal;
__sighandler_t __sysv_signal(int signo, __sighandler_t handler)
{
	return sysv_signal(signo, handler);
}

WRAPPER(siginterrupt) siginterrupt;
int siginterrupt(int signo, int on)
{
	int rc = real_siginterrupt()(signo, on);

	if (rc == 0 && signo > 0 && signo < _NSIG) {
		uint64_t bit = 1ull << (signo - 1);

		interrupting = on ? interrupting | bit : interrupting & ~bit;
	}
	return rc;
}

/* ---- Timers ---- */

static uint64_t ns_of(int64_t s, int64_t ns)
{
	return (uint64_t)s * 1000000000u + (uint64_t)ns;
}

static void armed(unsigned which, uint64_t id, int signo, uint64_t value, uint64_t interval)
{
	struct rec_TIMER r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	r.which = which;
	r.timer_id = id;
	r.signo = (uint64_t)signo;
	r.value_ns = value;
	r.interval_ns = value ? interval : 0;
	RECORD(TIMER, &r);
	errno = keep;
}

WRAPPER(alarm) alarm;
unsigned alarm(unsigned s)
{
	if (shim_everything())
		armed(TIMER_REAL, 0, SIGALRM, ns_of(s, 0), 0);
	return real_alarm()(s);
}

WRAPPER(setitimer) setitimer;
int setitimer(__itimer_which_t which, const struct itimerval *restrict new,
	struct itimerval *restrict old)
{
	int rc = real_setitimer()(which, new, old);

	if (rc == 0 && new &&shim_everything())
		armed(which == ITIMER_REAL        ? TIMER_REAL
			: which == ITIMER_VIRTUAL ? TIMER_VIRTUAL
						  : TIMER_PROF,
			0,
			which == ITIMER_REAL      ? SIGALRM
			: which == ITIMER_VIRTUAL ? SIGVTALRM
						  : SIGPROF,
			ns_of(new->it_value.tv_sec, new->it_value.tv_usec * 1000),
			ns_of(new->it_interval.tv_sec, new->it_interval.tv_usec * 1000));
	return rc;
}

/* Until an absolute time, from now on. */
static uint64_t from_now(clockid_t clock, const struct timespec *t, bool absolute)
{
	struct timespec now;
	uint64_t at = ns_of(t->tv_sec, t->tv_nsec), base;

	if (!absolute || at == 0)
		return at;
	clock_gettime(clock, &now);
	base = ns_of(now.tv_sec, now.tv_nsec);
	return at > base ? at - base : 1;
}

WRAPPER(timer_settime) timer_settime;
int timer_settime(timer_t id, int flags, const struct itimerspec *restrict new,
	struct itimerspec *restrict old)
{
	int rc = real_timer_settime()(id, flags, new, old);

	/* Which clock and signal it has is not known here; SIGALRM is the rule. */
	if (rc == 0 && shim_everything())
		armed(TIMER_POSIX, (uint64_t)(uintptr_t)id, SIGALRM,
			from_now(CLOCK_REALTIME, &new->it_value, flags & TIMER_ABSTIME),
			ns_of(new->it_interval.tv_sec, new->it_interval.tv_nsec));
	return rc;
}

WRAPPER(timerfd_settime) timerfd_settime;
int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	int rc = real_timerfd_settime()(fd, flags, new, old);

	if (rc == 0 && shim_everything())
		armed(TIMER_FD, (uint64_t)fd, 0,
			from_now(CLOCK_MONOTONIC, &new->it_value, flags & TFD_TIMER_ABSTIME),
			ns_of(new->it_interval.tv_sec, new->it_interval.tv_nsec));
	return rc;
}
