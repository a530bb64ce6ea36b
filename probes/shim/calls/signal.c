/* signal.c - signals that are delivered, and what programs want done with them. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "probes/shim/shim.h"
#include "probes/shim/calls/report.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"

REAL(sigaction)

/*
 * The kernel calls on_signal, which records and calls the program's handler.
 * A program that asks what is installed gets its own handler, as it was set.
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
	const ucontext_t *uc = context;
	uint64_t pc = ARCH_UC_PC(uc);

	return ARCH_UC_RESULT(uc) == -EINTR || pc >> 47 ||
	       !memcmp((const void *)(uintptr_t)pc, ARCH_CALL_CODE, sizeof ARCH_CALL_CODE - 1);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	struct disposition d = table[signo];
	int keep = errno;
	struct rec_SIG_SEND from;
	struct rec_SIG_DELIVER r;

	/* Nobody recorded the sending of what the kernel or a timer sent. */
	if (info->si_code > 0 || info->si_code == SI_TIMER) {
		memset(&from, 0, sizeof from);
		from.signo = (uint64_t)signo;
		from.code = (uint64_t)(int64_t)info->si_code;
		from.target_pid = shim_pid();
		from.target_tid = shim_tid();
		from.group = 1;
		from.sender = signal_sender(signo, info->si_code);
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

void signal_prepare(void)
{
	(void)real_sigaction();
	(void)real_signal();
}

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
REAL(__sysv_signal)

WRAPPER(__sysv_signal) __sysv_signal;
__sighandler_t __sysv_signal(int signo, __sighandler_t handler)
{
	if (!shim_everything() || signo <= 0 || signo >= _NSIG)
		return real___sysv_signal()(signo, handler);
	return set_signal(signo, handler, (int)(SA_RESETHAND | SA_NODEFER));
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
