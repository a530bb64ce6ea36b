/* cond.c - condition variables, in both versions that glibc has of them. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/sync.h"

#include <time.h>

/*
 * The functions of GLIBC_2.2.5 keep a pointer to the real object in the
 * variable; programs that were linked then must get those. The version script
 * and the .symver lines give each name its two versions.
 */
REAL_AS(pthread_cond_init, "pthread_cond_init", ARCH_LIBC_COND)
REAL_AS(pthread_cond_destroy, "pthread_cond_destroy", ARCH_LIBC_COND)
REAL_AS(pthread_cond_wait, "pthread_cond_wait", ARCH_LIBC_COND)
REAL_AS(pthread_cond_timedwait, "pthread_cond_timedwait", ARCH_LIBC_COND)
REAL_AS(pthread_cond_signal, "pthread_cond_signal", ARCH_LIBC_COND)
REAL_AS(pthread_cond_broadcast, "pthread_cond_broadcast", ARCH_LIBC_COND)
REAL(pthread_cond_clockwait)

#define COND(name) __attribute__((visibility("default"))) __typeof__(pthread_cond_##name)

COND(init) cond_init_new;
COND(destroy) cond_destroy_new;
COND(wait) cond_wait_new;
COND(timedwait) cond_timedwait_new;
COND(signal) cond_signal_new;
COND(broadcast) cond_broadcast_new;

static void cond_sight(const pthread_cond_t *c)
{
	if ((c->__data.__wrefs & 1) && object_is_new(c))
		object_init(c, LOCK_COND, 0, true, 0, 0, NULL);
}

/* How many wait, as the C library counts them. */
static uint64_t waiters(const pthread_cond_t *c)
{
	return __atomic_load_n(&c->__data.__wrefs, __ATOMIC_RELAXED) >> 3;
}

int cond_init_new(pthread_cond_t *restrict c, const pthread_condattr_t *restrict attr)
{
	int rc = real_pthread_cond_init()(c, attr);

	if (rc == 0) {
		object_is_new(c);
		object_init(c, LOCK_COND, 0, c->__data.__wrefs & 1, 0, SITE, NULL);
	}
	return rc;
}

int cond_destroy_new(pthread_cond_t *c)
{
	int rc = real_pthread_cond_destroy()(c);

	if (rc == 0)
		object_destroy(c, LOCK_COND);
	return rc;
}

int cond_wait_new(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
	struct sync_call call = {
		.op = SYNC_COND_WAIT, .addr = ADDR(c), .mutex = ADDR(m), .site = SITE};
	int rc;

	cond_sight(c);
	SYNC_CALL(&call, rc, real_pthread_cond_wait()(c, m));
	sync_end(&call, rc, 0);
	return rc;
}

int cond_timedwait_new(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
	const struct timespec *restrict until)
{
	struct sync_call call = {.op = SYNC_COND_WAIT,
		.timed = true,
		.addr = ADDR(c),
		.mutex = ADDR(m),
		.site = SITE};
	int rc;

	cond_sight(c);
	SYNC_CALL(&call, rc, real_pthread_cond_timedwait()(c, m, until));
	sync_end(&call, rc, 0);
	return rc;
}

WRAPPER(pthread_cond_clockwait) pthread_cond_clockwait;
int pthread_cond_clockwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, clockid_t clock,
	const struct timespec *restrict until)
{
	struct sync_call call = {.op = SYNC_COND_WAIT,
		.timed = true,
		.addr = ADDR(c),
		.mutex = ADDR(m),
		.site = SITE};
	int rc;

	cond_sight(c);
	SYNC_CALL(&call, rc, real_pthread_cond_clockwait()(c, m, clock, until));
	sync_end(&call, rc, 0);
	return rc;
}

/* Recorded before it is made: a thread that it wakes must not seem to wake up first. */
static void record_wake(unsigned op, const pthread_cond_t *c, uint64_t n, uint64_t site)
{
	struct sync_call call = {.op = op, .addr = ADDR(c), .site = site};

	sync_end(&call, 0, n);
}

int cond_signal_new(pthread_cond_t *c)
{
	cond_sight(c);
	record_wake(SYNC_COND_SIGNAL, c, waiters(c), SITE);
	return real_pthread_cond_signal()(c);
}

int cond_broadcast_new(pthread_cond_t *c)
{
	cond_sight(c);
	record_wake(SYNC_COND_BROADCAST, c, waiters(c), SITE);
	return real_pthread_cond_broadcast()(c);
}

#if ARCH_HAS_OLD_COND
#define SYMBOL_NEW(name)                                                                           \
	__asm__(".symver cond_" #name "_new, pthread_cond_" #name "@@" ARCH_LIBC_COND)
#else
#define SYMBOL_NEW(name)                                                                           \
	__asm__(".globl pthread_cond_" #name "\n.type pthread_cond_" #name                         \
		", %function\n.set pthread_cond_" #name ", cond_" #name "_new")
#endif
SYMBOL_NEW(init);
SYMBOL_NEW(destroy);
SYMBOL_NEW(wait);
SYMBOL_NEW(timedwait);
SYMBOL_NEW(signal);
SYMBOL_NEW(broadcast);

#if ARCH_HAS_OLD_COND
/* ---- GLIBC_2.2.5 ---- */

#define OLD(name)                                                                                  \
	static inline __typeof__(&pthread_cond_##name) old_##name(void)                            \
	{                                                                                          \
		static void *cache;                                                                \
		void *p = __atomic_load_n(&cache, __ATOMIC_RELAXED);                               \
                                                                                                   \
		if (!p)                                                                            \
			p = shim_resolve(&cache, "pthread_cond_" #name, "GLIBC_2.2.5");            \
		return (__typeof__(&pthread_cond_##name))p;                                        \
	}
OLD(init)
OLD(destroy)
OLD(wait)
OLD(timedwait)
OLD(signal)
OLD(broadcast)

COND(init) cond_init_old;
COND(destroy) cond_destroy_old;
COND(wait) cond_wait_old;
COND(timedwait) cond_timedwait_old;
COND(signal) cond_signal_old;
COND(broadcast) cond_broadcast_old;

int cond_init_old(pthread_cond_t *restrict c, const pthread_condattr_t *restrict attr)
{
	int rc = old_init()(c, attr);

	if (rc == 0)
		object_init(c, LOCK_COND, 0, false, 0, SITE, NULL);
	return rc;
}

int cond_destroy_old(pthread_cond_t *c)
{
	int rc = old_destroy()(c);

	if (rc == 0)
		object_destroy(c, LOCK_COND);
	return rc;
}

int cond_wait_old(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
	struct sync_call call = {
		.op = SYNC_COND_WAIT, .addr = ADDR(c), .mutex = ADDR(m), .site = SITE};
	int rc;

	SYNC_CALL(&call, rc, old_wait()(c, m));
	sync_end(&call, rc, 0);
	return rc;
}

int cond_timedwait_old(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
	const struct timespec *restrict until)
{
	struct sync_call call = {.op = SYNC_COND_WAIT,
		.timed = true,
		.addr = ADDR(c),
		.mutex = ADDR(m),
		.site = SITE};
	int rc;

	SYNC_CALL(&call, rc, old_timedwait()(c, m, until));
	sync_end(&call, rc, 0);
	return rc;
}

int cond_signal_old(pthread_cond_t *c)
{
	record_wake(SYNC_COND_SIGNAL, c, (uint64_t)-1, SITE);
	return old_signal()(c);
}

int cond_broadcast_old(pthread_cond_t *c)
{
	record_wake(SYNC_COND_BROADCAST, c, (uint64_t)-1, SITE);
	return old_broadcast()(c);
}

#define SYMBOL_OLD(name) __asm__(".symver cond_" #name "_old, pthread_cond_" #name "@GLIBC_2.2.5")
SYMBOL_OLD(init);
SYMBOL_OLD(destroy);
SYMBOL_OLD(wait);
SYMBOL_OLD(timedwait);
SYMBOL_OLD(signal);
SYMBOL_OLD(broadcast);
#endif
