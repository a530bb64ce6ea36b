/* thread.c - threads: created, named, ended, joined, detached. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/sync.h"

#include <limits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <threads.h>
#include <time.h>

#include "probes/shim/sys.h"
#include "probes/shim/task.h"
#include "probes/shim/stack.h"

REAL(pthread_create)
REAL(pthread_exit)
REAL(pthread_join)
REAL(pthread_tryjoin_np)
REAL(pthread_timedjoin_np)
REAL(pthread_clockjoin_np)
REAL(pthread_detach)
REAL(pthread_setname_np)
REAL(pthread_key_create)
REAL(pthread_setspecific)
REAL(thrd_create)
REAL(thrd_exit)
REAL(thrd_join)
REAL(thrd_detach)

/* ---- What a new thread is to run ---- */

/*
 * The new thread finds its function in a cell of this table and frees it at once. If all are in use the thread is
 * created as usual, and only its entry function is not recorded.
 */
struct cell {
	bool used;
	union {
		void *(*posix)(void *);
		int (*c11)(void *);
	} run;
	void *arg;
	uint32_t tid; /* of the thread that used it last */
};
static struct cell cells[256];

static struct cell *cell_take(void)
{
	for (unsigned i = 0; i < sizeof cells / sizeof *cells; i++)
		if (!__atomic_load_n(&cells[i].used, __ATOMIC_RELAXED) &&
			!__atomic_exchange_n(&cells[i].used, true, __ATOMIC_ACQUIRE))
			return &cells[i];
	return NULL;
}

static void cell_free(struct cell *c)
{
	__atomic_store_n(&c->used, false, __ATOMIC_RELEASE);
}

/* ---- pthread_t and tid ---- */

static void record_handle(pthread_t thread, uint32_t tid)
{
	struct {
		struct rec_head head;
		struct arena_handle h;
	} r;

	memset(&r, 0, sizeof r);
	r.h.handle = (uint64_t)thread;
	r.h.tid = tid;
	ring_record(&r.head, ARENA_KIND_HANDLE, sizeof r);
}

/* The first thing that a new thread does. */
static void announce(struct cell *cell, uint64_t entry)
{
	struct rec_THREAD_ENTRY r;

	cell->tid = shim_tid();
	record_handle(pthread_self(), cell->tid);
	cell_free(cell);
	memset(&r, 0, sizeof r);
	r.entry = entry;
	RECORD(THREAD_ENTRY, &r);
}

static void ended(void)
{
	struct rec_EXIT r;

	memset(&r, 0, sizeof r);
	RECORD(EXIT, &r);
}

/*
 * What a thread does last is to destroy its thread-local data, in several rounds if need be. By then it may still hold
 * locks, and wait for others: it has ended in the last of the rounds.
 */
static pthread_key_t last_round;
static bool has_last_round;

static void destroy(void *round)
{
	uintptr_t n = (uintptr_t)round;

	if (n >= PTHREAD_DESTRUCTOR_ITERATIONS ||
		real_pthread_setspecific()(last_round, (void *)(n + 1)) != 0)
		ended();
}

static void make_last_round(void)
{
	static int begun;

	if (!shim_everything() || __atomic_exchange_n(&begun, 1, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&has_last_round, real_pthread_key_create()(&last_round, destroy) == 0,
		__ATOMIC_RELEASE);
}

/* A cleanup handler. */
static void exit_thread(void *unused)
{
	(void)unused;
	if (!__atomic_load_n(&has_last_round, __ATOMIC_ACQUIRE) ||
		real_pthread_setspecific()(last_round, (void *)1) != 0)
		ended();
}

static void *run_posix(void *arg)
{
	struct cell c = *(struct cell *)arg;
	void *ret;

	announce(arg, (uint64_t)(uintptr_t)c.run.posix);
	stack_thread();
	if (!shim_everything())
		return c.run.posix(c.arg);
	pthread_cleanup_push(exit_thread, NULL);
	ret = c.run.posix(c.arg);
	pthread_cleanup_pop(1);
	return ret;
}

static int run_c11(void *arg)
{
	struct cell c = *(struct cell *)arg;
	int ret;

	announce(arg, (uint64_t)(uintptr_t)c.run.c11);
	stack_thread();
	if (!shim_everything())
		return c.run.c11(c.arg);
	pthread_cleanup_push(exit_thread, NULL);
	ret = c.run.c11(c.arg);
	pthread_cleanup_pop(1);
	return ret;
}

/* ---- Creating ---- */

/* A thread that is being made. */
struct making {
	struct sync_call call;
	struct ring_pending fork;
	struct cell *cell;
};

/* Nobody announces the main thread, and others may join it: it is recorded when it makes its first thread. */
static void announce_main(void)
{
	static int recorded; /* pid; a forked child has another main thread */
	int pid = (int)shim_pid();

	if (recorded == pid || (int)shim_tid() != pid)
		return;
	recorded = pid;
	record_handle(pthread_self(), (uint32_t)pid);
}

static void making_begin(struct making *m, uint64_t site)
{
	*m = (struct making){.call = {.op = SYNC_CREATE, .site = site}};
	m->cell = shim_active() ? cell_take() : NULL;
	if (!m->cell)
		return;
	m->call.site = site_outside(site);
	announce_main();
	make_last_round();
	if (shim_everything())
		ring_record_begin(&m->fork, sizeof(struct rec_FORK));
	m->call.start = shim_now_early();
}

/* Its number is gone from its descriptor already if it was quick to end; then the cell still has it. */
static void making_end(struct making *m, int rc, pthread_t thread, uint64_t entry)
{
	struct rec_FORK r;
	uint32_t tid = 0;

	if (rc == 0) {
		tid = thread_tid(thread);
		if (!tid)
			tid = m->cell->tid;
		m->call.target = (uint64_t)thread;
	} else {
		cell_free(m->cell);
	}
	if (m->fork.thread) {
		memset(&r, 0, sizeof r);
		r.child_pid = r.child_ns_pid = r.parent_pid = shim_pid();
		r.child_tid = r.child_ns_tid = tid;
		r.flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES | CLONE_FS;
		r.entry = entry;
		sys2(SYS_prctl, PR_GET_NAME, r.comm);
		ring_record_end(&m->fork, &r.head, REC_FORK, tid != 0);
	}
	if (tid)
		record_handle(thread, tid);
	sync_end(&m->call, rc, 0);
}

WRAPPER(pthread_create) pthread_create;
int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
	void *(*run)(void *), void *restrict arg)
{
	struct making m;
	int rc;

	making_begin(&m, SITE);
	if (!m.cell)
		return real_pthread_create()(thread, attr, run, arg);
	m.cell->run.posix = run;
	m.cell->arg = arg;
	rc = real_pthread_create()(thread, attr, run_posix, m.cell);
	making_end(&m, rc, rc == 0 ? *thread : 0, (uint64_t)(uintptr_t)run);
	return rc;
}

WRAPPER(thrd_create) thrd_create;
int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
	struct making m;
	int rc;

	making_begin(&m, SITE);
	if (!m.cell)
		return real_thrd_create()(thread, run, arg);
	m.cell->run.c11 = run;
	m.cell->arg = arg;
	rc = real_thrd_create()(thread, run_c11, m.cell);
	making_end(&m, rc == thrd_success ? 0 : EAGAIN, rc == thrd_success ? *thread : 0,
		(uint64_t)(uintptr_t)run);
	return rc;
}

/* ---- Ending ---- */

/* Other threads record it by a cleanup handler around what they run. */
static void main_thread_ends(void)
{
	if (shim_everything() && shim_pid() == shim_tid())
		exit_thread(NULL);
}

WRAPPER(pthread_exit) pthread_exit;
void pthread_exit(void *ret)
{
	main_thread_ends();
	real_pthread_exit()(ret);
	__builtin_unreachable();
}

WRAPPER(thrd_exit) thrd_exit;
void thrd_exit(int ret)
{
	main_thread_ends();
	real_thrd_exit()(ret);
	__builtin_unreachable();
}

/* ---- Joining ---- */

WRAPPER(pthread_join) pthread_join;
int pthread_join(pthread_t thread, void **ret)
{
	struct sync_call call = {.op = SYNC_JOIN, .target = (uint64_t)thread, .site = SITE};
	int rc;

	call.passes = shim_everything() && !thread_tid(thread);
	SYNC_CALL(&call, rc, real_pthread_join()(thread, ret));
	sync_end(&call, rc, 0);
	return rc;
}

WRAPPER(pthread_tryjoin_np) pthread_tryjoin_np;
int pthread_tryjoin_np(pthread_t thread, void **ret)
{
	struct sync_call call = {.op = SYNC_JOIN, .target = (uint64_t)thread, .site = SITE};
	int rc = real_pthread_tryjoin_np()(thread, ret);

	sync_end(&call, rc, 0);
	return rc;
}

WRAPPER(pthread_timedjoin_np) pthread_timedjoin_np;
int pthread_timedjoin_np(pthread_t thread, void **ret, const struct timespec *until)
{
	struct sync_call call = {
		.op = SYNC_JOIN, .timed = until != NULL, .target = (uint64_t)thread, .site = SITE};
	int rc;

	SYNC_CALL(&call, rc, real_pthread_timedjoin_np()(thread, ret, until));
	sync_end(&call, rc, 0);
	return rc;
}

WRAPPER(pthread_clockjoin_np) pthread_clockjoin_np;
int pthread_clockjoin_np(
	pthread_t thread, void **ret, clockid_t clock, const struct timespec *until)
{
	struct sync_call call = {
		.op = SYNC_JOIN, .timed = until != NULL, .target = (uint64_t)thread, .site = SITE};
	int rc;

	SYNC_CALL(&call, rc, real_pthread_clockjoin_np()(thread, ret, clock, until));
	sync_end(&call, rc, 0);
	return rc;
}

WRAPPER(thrd_join) thrd_join;
int thrd_join(thrd_t thread, int *ret)
{
	struct sync_call call = {.op = SYNC_JOIN, .target = (uint64_t)thread, .site = SITE};
	int rc;

	SYNC_CALL(&call, rc, real_thrd_join()(thread, ret));
	sync_end(&call, rc == thrd_success ? 0 : EINVAL, 0);
	return rc;
}

WRAPPER(pthread_detach) pthread_detach;
int pthread_detach(pthread_t thread)
{
	struct sync_call call = {.op = SYNC_DETACH, .target = (uint64_t)thread, .site = SITE};
	int rc = real_pthread_detach()(thread);

	sync_end(&call, rc, 0);
	return rc;
}

WRAPPER(thrd_detach) thrd_detach;
int thrd_detach(thrd_t thread)
{
	struct sync_call call = {.op = SYNC_DETACH, .target = (uint64_t)thread, .site = SITE};
	int rc = real_thrd_detach()(thread);

	sync_end(&call, rc == thrd_success ? 0 : EINVAL, 0);
	return rc;
}

WRAPPER(pthread_setname_np) pthread_setname_np;
int pthread_setname_np(pthread_t thread, const char *name)
{
	int rc = real_pthread_setname_np()(thread, name);
	struct rec_COMM r;

	if (rc || !shim_active())
		return rc;
	memset(&r, 0, sizeof r);
	if (!pthread_equal(thread, pthread_self())) {
		r.head.tid = thread_tid(thread);
		r.head.pid = shim_pid();
		if (!r.head.tid)
			return rc;
	}
	memcpy(r.comm, name, strnlen(name, sizeof r.comm - 1));
	RECORD(COMM, &r);
	return rc;
}
