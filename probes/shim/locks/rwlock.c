/* rwlock.c - reader-writer locks. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/lock.h"

#include <pthread.h>
#include <time.h>

REAL(pthread_rwlock_init)
REAL(pthread_rwlock_destroy)
REAL(pthread_rwlock_rdlock)
REAL(pthread_rwlock_wrlock)
REAL(pthread_rwlock_tryrdlock)
REAL(pthread_rwlock_trywrlock)
REAL(pthread_rwlock_timedrdlock)
REAL(pthread_rwlock_timedwrlock)
REAL(pthread_rwlock_clockrdlock)
REAL(pthread_rwlock_clockwrlock)
REAL(pthread_rwlock_unlock)

static inline void rwlock_sight(const pthread_rwlock_t *l)
{
	if (unlikely(l->__data.__shared) && object_is_new(l))
		object_init(l, LOCK_RWLOCK, LOCK_NORMAL, true, 0, 0, NULL);
}

/* The C library refuses these before it looks at the lock. */
static bool time_is_valid(clockid_t clock, const struct timespec *t)
{
	return (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) && t->tv_nsec >= 0 &&
	       t->tv_nsec < 1000000000;
}

WRAPPER(pthread_rwlock_init) pthread_rwlock_init;
int pthread_rwlock_init(pthread_rwlock_t *restrict l, const pthread_rwlockattr_t *restrict attr)
{
	int rc = real_pthread_rwlock_init()(l, attr);

	if (rc == 0) {
		object_is_new(l);
		object_init(l, LOCK_RWLOCK, LOCK_NORMAL, l->__data.__shared, 0, SITE, NULL);
	}
	return rc;
}

WRAPPER(pthread_rwlock_destroy) pthread_rwlock_destroy;
int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	int rc = real_pthread_rwlock_destroy()(l);

	if (rc == 0)
		object_destroy(l, LOCK_RWLOCK);
	return rc;
}

WRAPPER(pthread_rwlock_rdlock) pthread_rwlock_rdlock;
int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	unsigned aux = LOCK_NORMAL | ARENA_AUX_SHARED;
	int rc = real_pthread_rwlock_tryrdlock()(l);

	rwlock_sight(l);
	if (unlikely(rc == EBUSY)) {
		lock_request(l, LOCK_RWLOCK, aux, SITE);
		rc = real_pthread_rwlock_rdlock()(l);
		lock_acquired(l, LOCK_RWLOCK, aux, rc, SITE);
		return rc;
	}
	lock_acquire(l, LOCK_RWLOCK, aux, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_wrlock) pthread_rwlock_wrlock;
int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	int rc = real_pthread_rwlock_trywrlock()(l);

	rwlock_sight(l);
	if (unlikely(rc == EBUSY)) {
		lock_request(l, LOCK_RWLOCK, LOCK_NORMAL, SITE);
		rc = real_pthread_rwlock_wrlock()(l);
		lock_acquired(l, LOCK_RWLOCK, LOCK_NORMAL, rc, SITE);
		return rc;
	}
	lock_acquire(l, LOCK_RWLOCK, LOCK_NORMAL, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_tryrdlock) pthread_rwlock_tryrdlock;
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	int rc = real_pthread_rwlock_tryrdlock()(l);

	rwlock_sight(l);
	lock_acquire(l, LOCK_RWLOCK, LOCK_NORMAL | ARENA_AUX_SHARED | ARENA_AUX_TRY,
		l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_trywrlock) pthread_rwlock_trywrlock;
int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	int rc = real_pthread_rwlock_trywrlock()(l);

	rwlock_sight(l);
	lock_acquire(l, LOCK_RWLOCK, LOCK_NORMAL | ARENA_AUX_TRY, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_timedrdlock) pthread_rwlock_timedrdlock;
int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict l, const struct timespec *restrict until)
{
	unsigned aux = LOCK_NORMAL | ARENA_AUX_SHARED | ARENA_AUX_TIMED;
	int rc = time_is_valid(CLOCK_REALTIME, until) ? real_pthread_rwlock_tryrdlock()(l) : EBUSY;

	rwlock_sight(l);
	if (rc == EBUSY) {
		lock_request(l, LOCK_RWLOCK, aux, SITE);
		rc = real_pthread_rwlock_timedrdlock()(l, until);
		lock_acquired(l, LOCK_RWLOCK, aux, rc, SITE);
		return rc;
	}
	lock_acquire(l, LOCK_RWLOCK, aux, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_timedwrlock) pthread_rwlock_timedwrlock;
int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict l, const struct timespec *restrict until)
{
	unsigned aux = LOCK_NORMAL | ARENA_AUX_TIMED;
	int rc = time_is_valid(CLOCK_REALTIME, until) ? real_pthread_rwlock_trywrlock()(l) : EBUSY;

	rwlock_sight(l);
	if (rc == EBUSY) {
		lock_request(l, LOCK_RWLOCK, aux, SITE);
		rc = real_pthread_rwlock_timedwrlock()(l, until);
		lock_acquired(l, LOCK_RWLOCK, aux, rc, SITE);
		return rc;
	}
	lock_acquire(l, LOCK_RWLOCK, aux, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_clockrdlock) pthread_rwlock_clockrdlock;
int pthread_rwlock_clockrdlock(
	pthread_rwlock_t *restrict l, clockid_t clock, const struct timespec *restrict until)
{
	unsigned aux = LOCK_NORMAL | ARENA_AUX_SHARED | ARENA_AUX_TIMED;
	int rc = time_is_valid(clock, until) ? real_pthread_rwlock_tryrdlock()(l) : EBUSY;

	rwlock_sight(l);
	if (rc == EBUSY) {
		lock_request(l, LOCK_RWLOCK, aux, SITE);
		rc = real_pthread_rwlock_clockrdlock()(l, clock, until);
		lock_acquired(l, LOCK_RWLOCK, aux, rc, SITE);
		return rc;
	}
	lock_acquire(l, LOCK_RWLOCK, aux, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_clockwrlock) pthread_rwlock_clockwrlock;
int pthread_rwlock_clockwrlock(
	pthread_rwlock_t *restrict l, clockid_t clock, const struct timespec *restrict until)
{
	unsigned aux = LOCK_NORMAL | ARENA_AUX_TIMED;
	int rc = time_is_valid(clock, until) ? real_pthread_rwlock_trywrlock()(l) : EBUSY;

	rwlock_sight(l);
	if (rc == EBUSY) {
		lock_request(l, LOCK_RWLOCK, aux, SITE);
		rc = real_pthread_rwlock_clockwrlock()(l, clock, until);
		lock_acquired(l, LOCK_RWLOCK, aux, rc, SITE);
		return rc;
	}
	lock_acquire(l, LOCK_RWLOCK, aux, l->__data.__shared, rc, SITE);
	return rc;
}

WRAPPER(pthread_rwlock_unlock) pthread_rwlock_unlock;
int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	int rc;

	LOCK_UNLOCK(l, LOCK_RWLOCK, rc, real_pthread_rwlock_unlock()(l), rc);
	return rc;
}
