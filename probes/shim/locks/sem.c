/* sem.c - semaphores. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/sync.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <time.h>

REAL(sem_init)
REAL(sem_destroy)
REAL(sem_open)
REAL(sem_wait)
REAL(sem_trywait)
REAL(sem_timedwait)
REAL(sem_clockwait)
REAL(sem_post)

/* glibc's semaphore on 64-bit machines: value in the low half of a word, then whether it is shared. */
static unsigned sem_value(const sem_t *s)
{
	return __atomic_load_n((const unsigned *)s, __ATOMIC_RELAXED);
}

static inline void sem_sight(const sem_t *s)
{
	if (unlikely(((const int *)s)[2]) && object_is_new(s))
		object_init(s, LOCK_SEM, 0, true, sem_value(s), 0, NULL);
}

static inline unsigned sem_aux(unsigned value, bool is_try)
{
	return (value < 127 ? value : 127) << 1 | is_try;
}

static inline void sem_taken(const sem_t *s, bool is_try, uint64_t site)
{
	struct ring_entry e = ring_begin();

	if (e.slot)
		ring_end(e, shim_now(), ADDR(s),
			RING_KIND(ARENA_TAKE, LOCK_SEM, sem_aux(sem_value(s), is_try)), site);
}

WRAPPER(sem_init) sem_init;
int sem_init(sem_t *s, int pshared, unsigned value)
{
	int rc = real_sem_init()(s, pshared, value);

	if (rc == 0) {
		object_is_new(s);
		object_init(s, LOCK_SEM, 0, pshared, value, SITE, NULL);
	}
	return rc;
}

WRAPPER(sem_destroy) sem_destroy;
int sem_destroy(sem_t *s)
{
	int rc = real_sem_destroy()(s);

	if (rc == 0)
		object_destroy(s, LOCK_SEM);
	return rc;
}

WRAPPER(sem_open) sem_open;
sem_t *sem_open(const char *name, int flags, ...)
{
	unsigned mode = 0, value = 0;
	va_list ap;
	sem_t *s;

	va_start(ap, flags);
	if (flags & O_CREAT) {
		mode = va_arg(ap, unsigned);
		value = va_arg(ap, unsigned);
	}
	va_end(ap);
	s = real_sem_open()(name, flags, mode, value);
	if (s != SEM_FAILED) {
		int keep = errno;

		object_is_new(s);
		object_init(s, LOCK_SEM, 0, true, sem_value(s), SITE, name);
		errno = keep;
	}
	return s;
}

WRAPPER(sem_wait) sem_wait;
int sem_wait(sem_t *s)
{
	struct sync_call call = {.op = SYNC_SEM_WAIT, .addr = ADDR(s), .site = SITE};
	int rc, keep = errno;

	if (pthread_testcancel)
		pthread_testcancel();
	rc = real_sem_trywait()(s);
	if (likely(rc == 0)) {
		sem_sight(s);
		sem_taken(s, false, SITE);
		return 0;
	}
	errno = keep;
	sem_sight(s);
	SYNC_CALL(&call, rc, real_sem_wait()(s));
	sync_end(&call, rc < 0 ? errno : 0, sem_value(s));
	return rc;
}

WRAPPER(sem_trywait) sem_trywait;
int sem_trywait(sem_t *s)
{
	int rc = real_sem_trywait()(s);

	sem_sight(s);
	if (rc == 0) {
		sem_taken(s, true, SITE);
	} else {
		struct sync_call call = {.op = SYNC_SEM_TRYWAIT, .addr = ADDR(s), .site = SITE};

		sync_end(&call, errno, sem_value(s));
	}
	return rc;
}

/* A time that is refused is refused before the semaphore is looked at. */
static bool time_is_valid(const struct timespec *t)
{
	return t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

static bool take_at_once(sem_t *s, const struct timespec *until)
{
	int keep = errno;
	bool ok = time_is_valid(until) && real_sem_trywait()(s) == 0;

	errno = keep;
	return ok;
}

WRAPPER(sem_timedwait) sem_timedwait;
int sem_timedwait(sem_t *restrict s, const struct timespec *restrict until)
{
	struct sync_call call = {.op = SYNC_SEM_WAIT, .timed = true, .addr = ADDR(s), .site = SITE};
	int rc;

	sem_sight(s);
	if (take_at_once(s, until)) {
		sem_taken(s, false, SITE);
		return 0;
	}
	SYNC_CALL(&call, rc, real_sem_timedwait()(s, until));
	sync_end(&call, rc < 0 ? errno : 0, sem_value(s));
	return rc;
}

WRAPPER(sem_clockwait) sem_clockwait;
int sem_clockwait(sem_t *restrict s, clockid_t clock, const struct timespec *restrict until)
{
	struct sync_call call = {.op = SYNC_SEM_WAIT, .timed = true, .addr = ADDR(s), .site = SITE};
	int rc;

	sem_sight(s);
	if ((clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) && take_at_once(s, until)) {
		sem_taken(s, false, SITE);
		return 0;
	}
	SYNC_CALL(&call, rc, real_sem_clockwait()(s, clock, until));
	sync_end(&call, rc < 0 ? errno : 0, sem_value(s));
	return rc;
}

/* A thread that is let through may free the semaphore: nothing of it is touched after the call. */
WRAPPER(sem_post) sem_post;
int sem_post(sem_t *s)
{
	struct ring_entry e;
	unsigned value = sem_value(s);
	uint64_t ts;
	int rc;

	sem_sight(s);
	e = ring_begin();
	ts = e.slot ? shim_now_early() : 0;
	rc = real_sem_post()(s);
	ring_end(e, ts, ADDR(s), RING_KIND(ARENA_POST, LOCK_SEM, sem_aux(value + (rc == 0), 0)),
		SITE);
	return rc;
}
