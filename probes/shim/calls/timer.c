/* timer.c - timers that are armed. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "probes/shim/shim.h"

REAL(alarm)
REAL(setitimer)
REAL(timer_create)
REAL(timer_delete)
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

/* What timers were made with, of as many as programs have; handlers may arm what others make meanwhile. */
static struct made {
	uintptr_t id; /* + 1; 0: nobody's */
	clockid_t clock;
	int signo;
} made[256];

/* Returns the place of a timer, or one for it if it is new; NULL: there is none left, or none of it. */
static struct made *made_find(timer_t timer, bool is_new)
{
	uintptr_t id = (uintptr_t)timer + 1;

	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		if (__atomic_load_n(&made[i].id, __ATOMIC_ACQUIRE) == id)
			return &made[i];
	for (size_t i = 0; is_new && i < sizeof made / sizeof *made; i++) {
		uintptr_t nobody = 0;

		if (__atomic_compare_exchange_n(
			    &made[i].id, &nobody, id, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return &made[i];
	}
	return NULL;
}

/* The signal that a timer sends; that of SIGEV_THREAD is the library's own, as the kernel has it. */
static int signal_of(const struct sigevent *event)
{
	enum { LIBRARY_TIMER = 32 };

	if (!event)
		return SIGALRM;
	return event->sigev_notify == SIGEV_NONE     ? 0
	       : event->sigev_notify == SIGEV_THREAD ? LIBRARY_TIMER
						     : event->sigev_signo;
}

WRAPPER(timer_create) timer_create;
int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict ret)
{
	int rc = real_timer_create()(clock, event, ret);
	struct made *m = rc == 0 && shim_everything() ? made_find(*ret, true) : NULL;

	if (m) {
		m->clock = clock;
		m->signo = signal_of(event);
	}
	return rc;
}

WRAPPER(timer_delete) timer_delete;
int timer_delete(timer_t id)
{
	int rc = real_timer_delete()(id);
	struct made *m;

	if (rc != 0 || !shim_everything())
		return rc;
	armed(TIMER_POSIX, (uint64_t)(uintptr_t)id, 0, 0, 0);
	m = made_find(id, false);
	if (m)
		__atomic_store_n(&m->id, 0, __ATOMIC_RELEASE);
	return rc;
}

WRAPPER(timer_settime) timer_settime;
int timer_settime(timer_t id, int flags, const struct itimerspec *restrict new,
	struct itimerspec *restrict old)
{
	int rc = real_timer_settime()(id, flags, new, old);
	const struct made *m = rc == 0 && shim_everything() ? made_find(id, false) : NULL;

	if (rc == 0 && shim_everything())
		armed(TIMER_POSIX, (uint64_t)(uintptr_t)id, m ? m->signo : SIGALRM,
			from_now(m ? m->clock : CLOCK_REALTIME, &new->it_value,
				flags & TIMER_ABSTIME),
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
