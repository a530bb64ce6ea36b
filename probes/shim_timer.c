/* shim_timer.c - timers that are armed. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "probes/shim.h"

REAL(alarm)
REAL(setitimer)
REAL(timer_settime)
REAL(timerfd_settime)

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
