/* all_locks.c - call every lock function once; exits 1 if one of them answers wrongly. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define MUST(call)                                                                                 \
	do {                                                                                       \
		int rc_ = (call);                                                                  \
		if (rc_) {                                                                         \
			fprintf(stderr, "%s: %d\n", #call, rc_);                                   \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)
#define GIVES(call, want) MUST((call) != (want))

static struct timespec past = {1, 0};
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int turns;

static void mutexes(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;

	MUST(pthread_mutex_lock(&plain));
	GIVES(pthread_mutex_trylock(&plain), EBUSY);
	GIVES(pthread_mutex_timedlock(&plain, &past), ETIMEDOUT);
	GIVES(pthread_mutex_clocklock(&plain, CLOCK_MONOTONIC, &past), ETIMEDOUT);
	MUST(pthread_mutex_unlock(&plain));
	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
	MUST(pthread_mutex_init(&m, &attr));
	MUST(pthread_mutex_lock(&m));
	MUST(pthread_mutex_lock(&m));
	MUST(pthread_mutex_unlock(&m));
	MUST(pthread_mutex_unlock(&m));
	MUST(pthread_mutex_destroy(&m));
	MUST(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	MUST(pthread_mutex_init(&m, &attr));
	GIVES(pthread_mutex_unlock(&m), EPERM);
	MUST(pthread_mutex_lock(&m));
	GIVES(pthread_mutex_lock(&m), EDEADLK);
	MUST(pthread_mutex_unlock(&m));
	MUST(pthread_mutex_destroy(&m));
}

static void *die_holding(void *m)
{
	MUST(pthread_mutex_lock(m));
	return NULL;
}

static void robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t t;

	MUST(m == MAP_FAILED);
	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutex_init(m, &attr));
	MUST(pthread_create(&t, NULL, die_holding, m));
	MUST(pthread_join(t, NULL));
	GIVES(pthread_mutex_lock(m), EOWNERDEAD);
	MUST(pthread_mutex_consistent(m));
	MUST(pthread_mutex_unlock(m));
	MUST(pthread_mutex_destroy(m));
	MUST(munmap(m, 4096));
}

static void rwlocks(void)
{
	pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

	MUST(pthread_rwlock_rdlock(&l));
	MUST(pthread_rwlock_tryrdlock(&l));
	GIVES(pthread_rwlock_trywrlock(&l), EBUSY);
	GIVES(pthread_rwlock_timedwrlock(&l, &past), ETIMEDOUT);
	GIVES(pthread_rwlock_clockwrlock(&l, CLOCK_MONOTONIC, &past), ETIMEDOUT);
	MUST(pthread_rwlock_unlock(&l));
	MUST(pthread_rwlock_unlock(&l));
	MUST(pthread_rwlock_wrlock(&l));
	GIVES(pthread_rwlock_timedrdlock(&l, &past), EDEADLK);
	GIVES(pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, &past), EDEADLK);
	MUST(pthread_rwlock_unlock(&l));
	MUST(pthread_rwlock_destroy(&l));
}

static void spins(void)
{
	pthread_spinlock_t l;

	MUST(pthread_spin_init(&l, PTHREAD_PROCESS_PRIVATE));
	MUST(pthread_spin_lock(&l));
	GIVES(pthread_spin_trylock(&l), EBUSY);
	MUST(pthread_spin_unlock(&l));
	MUST(pthread_spin_destroy(&l));
}

static void semaphores(void)
{
	char name[64];
	sem_t s, *n;

	MUST(sem_init(&s, 0, 1));
	MUST(sem_wait(&s));
	errno = 0;
	GIVES(sem_trywait(&s), -1);
	MUST(errno != EAGAIN);
	GIVES(sem_timedwait(&s, &past), -1);
	MUST(errno != ETIMEDOUT);
	GIVES(sem_clockwait(&s, CLOCK_MONOTONIC, &past), -1);
	MUST(sem_post(&s));
	MUST(sem_destroy(&s));
	snprintf(name, sizeof name, "/pptrace-test-%d", (int)getpid());
	n = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
	MUST(n == SEM_FAILED);
	MUST(sem_unlink(name));
	MUST(sem_wait(n));
	MUST(sem_post(n));
	MUST(sem_close(n));
}

static void *take_turns(void *barrier)
{
	int rc = pthread_barrier_wait(barrier);

	MUST(rc && rc != PTHREAD_BARRIER_SERIAL_THREAD);
	MUST(pthread_mutex_lock(&held));
	turns++;
	MUST(pthread_cond_signal(&cond));
	MUST(pthread_mutex_unlock(&held));
	return NULL;
}

static void threads(void)
{
	pthread_barrier_t barrier;
	pthread_t t[2];

	MUST(pthread_barrier_init(&barrier, NULL, 3));
	MUST(pthread_create(&t[0], NULL, take_turns, &barrier));
	MUST(pthread_create(&t[1], NULL, take_turns, &barrier));
	MUST(pthread_mutex_lock(&held));
	int rc = pthread_barrier_wait(&barrier);

	MUST(rc && rc != PTHREAD_BARRIER_SERIAL_THREAD);
	while (turns < 2)
		MUST(pthread_cond_wait(&cond, &held));
	GIVES(pthread_cond_timedwait(&cond, &held, &past), ETIMEDOUT);
	GIVES(pthread_cond_clockwait(&cond, &held, CLOCK_MONOTONIC, &past), ETIMEDOUT);
	MUST(pthread_cond_broadcast(&cond));
	MUST(pthread_mutex_unlock(&held));
	MUST(pthread_join(t[0], NULL));
	MUST(pthread_join(t[1], NULL));
	MUST(pthread_barrier_destroy(&barrier));
}

static void initialise(void)
{
	turns = 0;
}

static int c11_thread(void *m)
{
	MUST(mtx_lock(m));
	MUST(mtx_unlock(m));
	return 7;
}

static void c11(void)
{
	static once_flag flag = ONCE_FLAG_INIT;
	thrd_t t;
	mtx_t m;
	int rc;

	MUST(mtx_init(&m, mtx_timed));
	MUST(mtx_lock(&m));
	GIVES(mtx_trylock(&m), thrd_busy);
	GIVES(mtx_timedlock(&m, &past), thrd_timedout);
	MUST(mtx_unlock(&m));
	MUST(thrd_create(&t, c11_thread, &m));
	MUST(thrd_join(t, &rc));
	GIVES(rc, 7);
	mtx_destroy(&m);
	call_once(&flag, initialise);
	call_once(&flag, initialise);
}

/* A semaphore wait is cancelled, and the cleanup handlers run. */
static void cancelled(void *p)
{
	*(int *)p = 1;
}

static sem_t never;
static int was_cancelled;

static void *wait_for_ever(void *p)
{
	pthread_cleanup_push(cancelled, &was_cancelled);
	sem_wait(&never);
	pthread_cleanup_pop(0);
	return p;
}

static void cancel(void)
{
	pthread_t t;
	void *ret;

	MUST(sem_init(&never, 0, 0));
	MUST(pthread_create(&t, NULL, wait_for_ever, NULL));
	MUST(pthread_cancel(t));
	MUST(pthread_join(t, &ret));
	MUST(ret != PTHREAD_CANCELED);
	MUST(!was_cancelled);
	MUST(sem_destroy(&never));
}

int main(void)
{
	mutexes();
	robust();
	rwlocks();
	spins();
	semaphores();
	threads();
	MUST(pthread_once(&once, initialise));
	MUST(pthread_once(&once, initialise));
	c11();
	cancel();
	puts("all locks called");
	return 0;
}
