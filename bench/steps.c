/* steps.c - what recording a lock is made of, step by step: the least that a preload library can cost. */
/* SPDX-License-Identifier: MIT */
/*
 * STEP 0: the calls go through the library, and lock tries first, so that it knows who waits.
 * STEP 1: and takes the time, when the mutex was acquired and when it is released.
 * STEP 2: and writes both down, three words each, into a buffer of the thread's own that nobody reads.
 */
#include "base/arch.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

enum { SLOTS = 2048, WORDS = 3 };

typedef int call(pthread_mutex_t *m);
static call *lock, *trylock, *unlock;

__attribute__((constructor)) static void find(void)
{
	*(void **)&lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	*(void **)&trylock = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
	*(void **)&unlock = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
}

#if STEP >= 1
static __thread volatile uint64_t slots[SLOTS][WORDS];
static __thread uint64_t head;

static inline void note(uint64_t ts, pthread_mutex_t *m, uint64_t what)
{
	volatile uint64_t *slot = slots[STEP >= 2 ? head++ % SLOTS : 0];

	slot[0] = ts;
	if (STEP < 2)
		return;
	slot[1] = (uint64_t)(uintptr_t)m;
	slot[2] = what;
}
#endif

int pthread_mutex_lock(pthread_mutex_t *m)
{
	int rc = trylock(m);

	if (rc == EBUSY)
		rc = lock(m);
#if STEP >= 1
	note(arch_counter(), m, (uint64_t)(uintptr_t)__builtin_return_address(0));
#endif
	return rc;
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
#if STEP >= 1
	note(arch_counter_early(), m, 0);
#endif
	return unlock(m);
}
