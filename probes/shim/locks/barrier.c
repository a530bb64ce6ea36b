/* barrier.c - barriers, and initialisers that run once. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/sync.h"

#include <threads.h>

REAL(pthread_barrier_init)
REAL(pthread_barrier_destroy)
REAL(pthread_barrier_wait)
REAL(pthread_once)
REAL(call_once)

/* glibc's barrier: in, current_round, count, shared, out. */
static uint64_t barrier_count(const pthread_barrier_t *b)
{
	return ((const unsigned *)b)[2];
}

WRAPPER(pthread_barrier_init) pthread_barrier_init;
int pthread_barrier_init(
	pthread_barrier_t *restrict b, const pthread_barrierattr_t *restrict attr, unsigned count)
{
	int rc = real_pthread_barrier_init()(b, attr, count);

	if (rc == 0) {
		object_is_new(b);
		object_init(b, LOCK_BARRIER, 0, ((const unsigned *)b)[3], count, SITE, NULL);
	}
	return rc;
}

WRAPPER(pthread_barrier_destroy) pthread_barrier_destroy;
int pthread_barrier_destroy(pthread_barrier_t *b)
{
	int rc = real_pthread_barrier_destroy()(b);

	if (rc == 0)
		object_destroy(b, LOCK_BARRIER);
	return rc;
}

/* Whoever leaves last may destroy it: the count is read before. */
WRAPPER(pthread_barrier_wait) pthread_barrier_wait;
int pthread_barrier_wait(pthread_barrier_t *b)
{
	struct sync_call call = {
		.op = SYNC_BARRIER_WAIT, .addr = ADDR(b), .value = barrier_count(b), .site = SITE};
	int rc;

	if (((const unsigned *)b)[3] && object_is_new(b))
		object_init(b, LOCK_BARRIER, 0, true, call.value, 0, NULL);
	/* The last one to arrive does not wait. */
	call.passes = ((const unsigned *)b)[0] - ((const unsigned *)b)[1] + 1 >= call.value;
	sync_begin(&call);
	rc = real_pthread_barrier_wait()(b);
	sync_end(&call, rc, call.value);
	return rc;
}

/* ---- Once ---- */

/* The initialiser takes no argument, so the thread keeps what it is about; they nest. */
struct once {
	void (*run)(void);
	struct sync_call call, running;
	struct once *outer;
};
static __thread struct once *once_now;

/*
 * An exception passes through once_run, or the thread is cancelled there. Code
 * that cleans up behind itself would need the unwinder's library, which
 * programs in C do without; the unwinder's question what is to be done here is all that is needed. Actions 2: this frame is left.
 */
__attribute__((used)) static int once_left(
	int version, int actions, uint64_t class, void *thrown, void *context)
{
	enum { CLEANUP = 2, GO_ON = 8 };

	(void)version;
	(void)class;
	(void)thrown;
	(void)context;
	if (actions & CLEANUP && once_now) {
		sync_end(&once_now->running, ECANCELED, 0);
		once_now = once_now->outer;
	}
	return GO_ON;
}

__attribute__((noinline)) static void once_run(void)
{
	struct once *o = once_now;

	__asm__ volatile(".cfi_personality 0x1b, once_left");
	o->running = o->call;
	o->running.op = SYNC_ONCE_RUN;
	sync_begin(&o->running);
	o->run();
	sync_end(&o->running, 0, 0);
}

/* Bit 0: somebody is at it, so this thread will wait. */
static bool once_begin(struct once *o, int control)
{
	once_now = o;
	if (control & 1)
		sync_begin(&o->call);
	return control & 1;
}

static void once_end(struct once *o, bool waits, int rc)
{
	if (waits)
		sync_end(&o->call, rc, 0);
	once_now = o->outer;
}

WRAPPER(pthread_once) pthread_once;
int pthread_once(pthread_once_t *control, void (*init)(void))
{
	struct once o = {.run = init,
		.call = {.op = SYNC_ONCE_WAIT, .addr = ADDR(control), .site = SITE},
		.outer = once_now};
	bool waits;
	int rc;

	/* Bit 1: it has been done. */
	if (likely(__atomic_load_n(control, __ATOMIC_ACQUIRE) & 2))
		return real_pthread_once()(control, init);
	waits = once_begin(&o, *control);
	rc = real_pthread_once()(control, once_run);
	once_end(&o, waits, rc);
	return rc;
}

WRAPPER(call_once) call_once;
void call_once(once_flag *flag, void (*init)(void))
{
	struct once o = {.run = init,
		.call = {.op = SYNC_ONCE_WAIT, .addr = ADDR(flag), .site = SITE},
		.outer = once_now};
	bool waits;

	if (__atomic_load_n((int *)flag, __ATOMIC_ACQUIRE) & 2) {
		real_call_once()(flag, init);
		return;
	}
	waits = once_begin(&o, *(int *)flag);
	real_call_once()(flag, once_run);
	once_end(&o, waits, 0);
}
