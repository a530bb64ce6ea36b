/* mutex.c - mutexes and spin locks. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "probes/shim/locks/lock.h"

REAL(pthread_mutex_init)
REAL(pthread_mutex_destroy)
REAL(pthread_mutex_lock)
REAL(pthread_mutex_trylock)
REAL(pthread_mutex_timedlock)
REAL(pthread_mutex_clocklock)
REAL(pthread_mutex_unlock)
REAL(pthread_spin_init)
REAL(pthread_spin_destroy)
REAL(pthread_spin_lock)
REAL(pthread_spin_trylock)
REAL(pthread_spin_unlock)

/* A bit of the mutex's kind as glibc keeps it: it is shared between processes. */
enum { KIND_SHARED = 128 };

static inline unsigned mutex_kind(const pthread_mutex_t *m)
{
	return (unsigned)__atomic_load_n(&m->__data.__kind, __ATOMIC_RELAXED);
}

static inline unsigned mutex_aux(unsigned kind)
{
	return arena_aux(LOCK_TYPE_OF_KIND(kind));
}

/* A shared mutex may have been initialised by another process. */
static inline void mutex_sight(const pthread_mutex_t *m, unsigned kind)
{
	if (unlikely(kind & KIND_SHARED) && object_is_new(m))
		object_init(m, LOCK_MUTEX, LOCK_TYPE_OF_KIND(kind), true, 0, 0, NULL);
}

WRAPPER(pthread_mutex_init) pthread_mutex_init;
int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	int rc = real_pthread_mutex_init()(m, attr);

	if (rc == 0) {
		unsigned kind = mutex_kind(m);

		object_is_new(m);
		object_init(
			m, LOCK_MUTEX, LOCK_TYPE_OF_KIND(kind), kind & KIND_SHARED, 0, SITE, NULL);
	}
	return rc;
}

WRAPPER(pthread_mutex_destroy) pthread_mutex_destroy;
int pthread_mutex_destroy(pthread_mutex_t *m)
{
	int rc = real_pthread_mutex_destroy()(m);

	if (rc == 0)
		object_destroy(m, LOCK_MUTEX);
	return rc;
}

WRAPPER(pthread_mutex_lock) pthread_mutex_lock;
int pthread_mutex_lock(pthread_mutex_t *m)
{
	unsigned kind = mutex_kind(m), aux = mutex_aux(kind);
	int rc = real_pthread_mutex_trylock()(m);

	mutex_sight(m, kind);
	if (unlikely(rc == EBUSY)) {
		lock_request(m, LOCK_MUTEX, aux, SITE);
		rc = real_pthread_mutex_lock()(m);
		lock_acquired(m, LOCK_MUTEX, aux, rc, SITE);
		return rc;
	}
	lock_acquire(m, LOCK_MUTEX, aux, kind & KIND_SHARED, rc, SITE);
	return rc;
}

WRAPPER(pthread_mutex_trylock) pthread_mutex_trylock;
int pthread_mutex_trylock(pthread_mutex_t *m)
{
	unsigned kind = mutex_kind(m);
	int rc = real_pthread_mutex_trylock()(m);

	mutex_sight(m, kind);
	lock_acquire(m, LOCK_MUTEX, mutex_aux(kind) | ARENA_AUX_TRY, kind & KIND_SHARED, rc, SITE);
	return rc;
}

WRAPPER(pthread_mutex_timedlock) pthread_mutex_timedlock;
int pthread_mutex_timedlock(pthread_mutex_t *restrict m, const struct timespec *restrict until)
{
	unsigned kind = mutex_kind(m), aux = mutex_aux(kind) | ARENA_AUX_TIMED;
	int rc = real_pthread_mutex_trylock()(m);

	mutex_sight(m, kind);
	if (rc == EBUSY) {
		lock_request(m, LOCK_MUTEX, aux, SITE);
		rc = real_pthread_mutex_timedlock()(m, until);
		lock_acquired(m, LOCK_MUTEX, aux, rc, SITE);
		return rc;
	}
	lock_acquire(m, LOCK_MUTEX, aux, kind & KIND_SHARED, rc, SITE);
	return rc;
}

WRAPPER(pthread_mutex_clocklock) pthread_mutex_clocklock;
int pthread_mutex_clocklock(
	pthread_mutex_t *restrict m, clockid_t clock, const struct timespec *restrict until)
{
	unsigned kind = mutex_kind(m), aux = mutex_aux(kind) | ARENA_AUX_TIMED;
	int rc = EBUSY;

	/* Only a call that must wait refuses a wrong clock where it is the C library's own. */
	if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC)
		rc = real_pthread_mutex_trylock()(m);
	mutex_sight(m, kind);
	if (rc == EBUSY) {
		lock_request(m, LOCK_MUTEX, aux, SITE);
		rc = real_pthread_mutex_clocklock()(m, clock, until);
		lock_acquired(m, LOCK_MUTEX, aux, rc, SITE);
		return rc;
	}
	lock_acquire(m, LOCK_MUTEX, aux, kind & KIND_SHARED, rc, SITE);
	return rc;
}

WRAPPER(pthread_mutex_unlock) pthread_mutex_unlock;
int pthread_mutex_unlock(pthread_mutex_t *m)
{
	int rc;

	LOCK_UNLOCK(m, LOCK_MUTEX, rc, real_pthread_mutex_unlock()(m), rc);
	return rc;
}

/* ---- Spin locks: a plain integer, so nothing but the call tells what it is ---- */

WRAPPER(pthread_spin_init) pthread_spin_init;
int pthread_spin_init(pthread_spinlock_t *l, int pshared)
{
	int rc = real_pthread_spin_init()(l, pshared);

	if (rc == 0) {
		object_is_new((const void *)l);
		object_init((const void *)l, LOCK_SPIN, LOCK_NORMAL,
			pshared == PTHREAD_PROCESS_SHARED, 0, SITE, NULL);
	}
	return rc;
}

WRAPPER(pthread_spin_destroy) pthread_spin_destroy;
int pthread_spin_destroy(pthread_spinlock_t *l)
{
	int rc = real_pthread_spin_destroy()(l);

	if (rc == 0)
		object_destroy((const void *)l, LOCK_SPIN);
	return rc;
}

WRAPPER(pthread_spin_lock) pthread_spin_lock;
int pthread_spin_lock(pthread_spinlock_t *l)
{
	int rc = real_pthread_spin_trylock()(l);

	if (rc == EBUSY) {
		lock_request((const void *)l, LOCK_SPIN, LOCK_NORMAL, SITE);
		rc = real_pthread_spin_lock()(l);
		lock_acquired((const void *)l, LOCK_SPIN, LOCK_NORMAL, rc, SITE);
		return rc;
	}
	lock_acquire((const void *)l, LOCK_SPIN, LOCK_NORMAL, true, rc, SITE);
	return rc;
}

WRAPPER(pthread_spin_trylock) pthread_spin_trylock;
int pthread_spin_trylock(pthread_spinlock_t *l)
{
	int rc = real_pthread_spin_trylock()(l);

	lock_acquire((const void *)l, LOCK_SPIN, LOCK_NORMAL | ARENA_AUX_TRY, true, rc, SITE);
	return rc;
}

WRAPPER(pthread_spin_unlock) pthread_spin_unlock;
int pthread_spin_unlock(pthread_spinlock_t *l)
{
	int rc;

	LOCK_UNLOCK((const void *)l, LOCK_SPIN, rc, real_pthread_spin_unlock()(l), rc);
	return rc;
}
