/* wait.c - waits for time and signals, and what all waits have in common. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/wait.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"

REAL(nanosleep)
REAL(clock_nanosleep)
REAL(usleep)
REAL(sleep)
REAL(thrd_sleep)
REAL(pause)
REAL(sigsuspend)
REAL(sigwait)
REAL(sigwaitinfo)
REAL(sigtimedwait)

void wait_init(struct rec_WAIT_BEGIN *r, long nr, unsigned reason)
{
	memset(r, 0, sizeof *r);
	r->syscall = (uint64_t)nr;
	r->reason = reason;
	r->state = 1;
	sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &r->sigmask, 8);
}

void wait_end(void)
{
	struct rec_WAIT_END r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	RECORD(WAIT_END, &r);
	errno = keep;
}

void wait_cancelled(void *unused)
{
	(void)unused;
	wait_end();
}

/* ---- Time ---- */

static void begin_sleep(struct rec_WAIT_BEGIN *r, long nr)
{
	wait_init(r, nr, WAIT_SLEEP);
	r->timed = 1;
}

WRAPPER(nanosleep) nanosleep;
int nanosleep(const struct timespec *t, struct timespec *left)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_nanosleep()(t, left);
	begin_sleep(&r, SYS_nanosleep);
	WAIT_CALL(&r, rc, real_nanosleep()(t, left));
	return rc;
}

WRAPPER(clock_nanosleep) clock_nanosleep;
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *left)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_clock_nanosleep()(clock, flags, t, left);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_clock_nanosleep()(clock, flags, t, left));
	return rc;
}

WRAPPER(usleep) usleep;
int usleep(useconds_t us)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_usleep()(us);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_usleep()(us));
	return rc;
}

WRAPPER(sleep) sleep;
unsigned sleep(unsigned s)
{
	struct rec_WAIT_BEGIN r;
	unsigned rc;

	if (!shim_everything())
		return real_sleep()(s);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_sleep()(s));
	return rc;
}

WRAPPER(thrd_sleep) thrd_sleep;
int thrd_sleep(const struct timespec *t, struct timespec *left)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_thrd_sleep()(t, left);
	begin_sleep(&r, SYS_clock_nanosleep);
	WAIT_CALL(&r, rc, real_thrd_sleep()(t, left));
	return rc;
}

/* ---- Signals ---- */

WRAPPER(pause) pause;
int pause(void)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_pause()();
	wait_init(&r, SYS_rt_sigsuspend, WAIT_SIGNAL);
	WAIT_CALL(&r, rc, real_pause()());
	return rc;
}

WRAPPER(sigsuspend) sigsuspend;
int sigsuspend(const sigset_t *mask)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigsuspend()(mask);
	wait_init(&r, SYS_rt_sigsuspend, WAIT_SIGNAL);
	memcpy(&r.sigmask, mask, sizeof r.sigmask);
	WAIT_CALL(&r, rc, real_sigsuspend()(mask));
	return rc;
}

/* A signal that a wait takes runs no handler: it is recorded here. */
static void taken(int signo, int code)
{
	struct rec_SIG_DELIVER r;
	int keep = errno;

	memset(&r, 0, sizeof r);
	r.signo = (uint64_t)signo;
	r.code = (uint64_t)(int64_t)code;
	r.syscall = SYS_rt_sigtimedwait;
	RECORD(SIG_DELIVER, &r);
	errno = keep;
}

static void begin_sigwait(struct rec_WAIT_BEGIN *r, const sigset_t *set, bool timed)
{
	uint64_t bits;

	memcpy(&bits, set, sizeof bits);
	wait_init(r, SYS_rt_sigtimedwait, WAIT_SIGNAL);
	r->arg0 = ADDR(set);
	r->sigmask &= ~bits;
	memcpy(r->words, &bits, sizeof bits);
	r->words_valid = sizeof bits;
	r->timed = timed;
}

WRAPPER(sigwait) sigwait;
int sigwait(const sigset_t *restrict set, int *restrict sig)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigwait()(set, sig);
	begin_sigwait(&r, set, false);
	WAIT_CALL(&r, rc, real_sigwait()(set, sig));
	if (rc == 0)
		taken(*sig, 0);
	return rc;
}

WRAPPER(sigwaitinfo) sigwaitinfo;
int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigwaitinfo()(set, info);
	begin_sigwait(&r, set, false);
	WAIT_CALL(&r, rc, real_sigwaitinfo()(set, info));
	if (rc > 0)
		taken(rc, info ? info->si_code : 0);
	return rc;
}

WRAPPER(sigtimedwait) sigtimedwait;
int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
	const struct timespec *restrict timeout)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything())
		return real_sigtimedwait()(set, info, timeout);
	begin_sigwait(&r, set, timeout != NULL);
	WAIT_CALL(&r, rc, real_sigtimedwait()(set, info, timeout));
	if (rc > 0)
		taken(rc, info ? info->si_code : 0);
	return rc;
}
