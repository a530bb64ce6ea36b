/* c11.c - the locks of <threads.h>, which are pthread's with other names and results. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/lock.h"
#include "probes/shim/locks/sync.h"

#include <threads.h>
#include <time.h>

REAL(mtx_init)
REAL(mtx_destroy)
REAL(mtx_lock)
REAL(mtx_trylock)
REAL(mtx_timedlock)
REAL(mtx_unlock)
REAL(cnd_init)
REAL(cnd_destroy)
REAL(cnd_wait)
REAL(cnd_timedwait)
REAL(cnd_signal)
REAL(cnd_broadcast)

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t is a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t is a pthread_cond_t");

static unsigned mtx_aux(mtx_t *m)
{
	return arena_aux(LOCK_TYPE_OF_KIND((unsigned)((pthread_mutex_t *)m)->__data.__kind & 3));
}

static int error_of(int rc)
{
	switch (rc) {
	case thrd_success:
		return 0;
	case thrd_busy:
		return EBUSY;
	case thrd_timedout:
		return ETIMEDOUT;
	case thrd_nomem:
		return ENOMEM;
	default:
		return EINVAL;
	}
}

WRAPPER(mtx_init) mtx_init;
int mtx_init(mtx_t *m, int type)
{
	int rc = real_mtx_init()(m, type);

	if (rc == thrd_success)
		object_init(m, LOCK_MUTEX, mtx_aux(m), false, 0, SITE, NULL);
	return rc;
}

WRAPPER(mtx_destroy) mtx_destroy;
void mtx_destroy(mtx_t *m)
{
	real_mtx_destroy()(m);
	object_destroy(m, LOCK_MUTEX);
}

WRAPPER(mtx_lock) mtx_lock;
int mtx_lock(mtx_t *m)
{
	unsigned aux = mtx_aux(m);
	int rc = real_mtx_trylock()(m);

	if (rc == thrd_busy) {
		lock_request(m, LOCK_MUTEX, aux, SITE);
		rc = real_mtx_lock()(m);
		lock_acquired(m, LOCK_MUTEX, aux, error_of(rc), SITE);
		return rc;
	}
	lock_acquire(m, LOCK_MUTEX, aux, false, error_of(rc), SITE);
	return rc;
}

WRAPPER(mtx_trylock) mtx_trylock;
int mtx_trylock(mtx_t *m)
{
	int rc = real_mtx_trylock()(m);

	lock_acquire(m, LOCK_MUTEX, mtx_aux(m) | ARENA_AUX_TRY, false, error_of(rc), SITE);
	return rc;
}

WRAPPER(mtx_timedlock) mtx_timedlock;
int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
	unsigned aux = mtx_aux(m) | ARENA_AUX_TIMED;
	int rc = real_mtx_trylock()(m);

	if (rc == thrd_busy) {
		lock_request(m, LOCK_MUTEX, aux, SITE);
		rc = real_mtx_timedlock()(m, until);
		lock_acquired(m, LOCK_MUTEX, aux, error_of(rc), SITE);
		return rc;
	}
	lock_acquire(m, LOCK_MUTEX, aux, false, error_of(rc), SITE);
	return rc;
}

WRAPPER(mtx_unlock) mtx_unlock;
int mtx_unlock(mtx_t *m)
{
	int rc;

	LOCK_UNLOCK(m, LOCK_MUTEX, rc, real_mtx_unlock()(m), error_of(rc));
	return rc;
}

WRAPPER(cnd_init) cnd_init;
int cnd_init(cnd_t *c)
{
	int rc = real_cnd_init()(c);

	if (rc == thrd_success)
		object_init(c, LOCK_COND, 0, false, 0, SITE, NULL);
	return rc;
}

WRAPPER(cnd_destroy) cnd_destroy;
void cnd_destroy(cnd_t *c)
{
	real_cnd_destroy()(c);
	object_destroy(c, LOCK_COND);
}

WRAPPER(cnd_wait) cnd_wait;
int cnd_wait(cnd_t *c, mtx_t *m)
{
	struct sync_call call = {
		.op = SYNC_COND_WAIT, .addr = ADDR(c), .mutex = ADDR(m), .site = SITE};
	int rc;

	SYNC_CALL(&call, rc, real_cnd_wait()(c, m));
	sync_end(&call, error_of(rc), 0);
	return rc;
}

WRAPPER(cnd_timedwait) cnd_timedwait;
int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until)
{
	struct sync_call call = {.op = SYNC_COND_WAIT,
		.timed = true,
		.addr = ADDR(c),
		.mutex = ADDR(m),
		.site = SITE};
	int rc;

	SYNC_CALL(&call, rc, real_cnd_timedwait()(c, m, until));
	sync_end(&call, error_of(rc), 0);
	return rc;
}

static void record_wake(unsigned op, const cnd_t *c, uint64_t site)
{
	const pthread_cond_t *p = (const pthread_cond_t *)c;
	struct sync_call call = {.op = op, .addr = ADDR(c), .site = site};

	sync_end(&call, 0, __atomic_load_n(&p->__data.__wrefs, __ATOMIC_RELAXED) >> 3);
}

WRAPPER(cnd_signal) cnd_signal;
int cnd_signal(cnd_t *c)
{
	record_wake(SYNC_COND_SIGNAL, c, SITE);
	return real_cnd_signal()(c);
}

WRAPPER(cnd_broadcast) cnd_broadcast;
int cnd_broadcast(cnd_t *c)
{
	record_wake(SYNC_COND_BROADCAST, c, SITE);
	return real_cnd_broadcast()(c);
}
