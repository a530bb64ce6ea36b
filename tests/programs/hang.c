/* hang.c - threads that get stuck, one way for each name. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/programs/cases.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t meet;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t sem_a, sem_b;
static pthread_t threads[4];
static int pipe_fd[2];

typedef void *thread_function(void *);

static void start(thread_function *f, int i)
{
	if (pthread_create(&threads[i], NULL, f, NULL) != 0)
		exit(1);
}

static void join(int i)
{
	pthread_join(threads[i], NULL);
}

static void *a_then_b(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&b);
	return arg;
}

static void *b_then_a(void *arg)
{
	pthread_mutex_lock(&b);
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&a);
	return arg;
}

static void abba(void)
{
	start(a_then_b, 0);
	start(b_then_a, 1);
	join(0);
}

/* The main thread goes on working. */
static void abba_partial(void)
{
	start(a_then_b, 0);
	start(b_then_a, 1);
	for (;;)
		usleep(20000);
}

static void on_signal(int signo)
{
	(void)signo;
}

/* A profiling timer counts processor time, which stands still. */
static void abba_profiled(void)
{
	struct itimerval every = {{0, 10000}, {0, 10000}};

	signal(SIGPROF, on_signal);
	setitimer(ITIMER_PROF, &every, NULL);
	abba();
}

static void leave(int signo)
{
	(void)signo;
	_exit(3);
}

/* It ends when it is asked to. */
static void abba_until_term(void)
{
	signal(SIGTERM, leave);
	abba();
}

/* A handler runs now and then: what it will finally do cannot be known. */
static void abba_alarm(void)
{
	struct itimerval every = {{0, 200000}, {0, 200000}};

	signal(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &every, NULL);
	abba();
}

/* A timer interrupts the wait again and again; its handler has never ended it so far. */
static void abba_ticking(void)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct itimerval tick = {{0, 20000}, {0, 20000}};

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	start(a_then_b, 0);
	b_then_a(NULL);
}

static void self(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&a);
}

static void lock_in_handler(int signo)
{
	(void)signo;
	pthread_mutex_lock(&a);
}

static void handler_lock(void)
{
	signal(SIGUSR1, lock_in_handler);
	pthread_mutex_lock(&a);
	raise(SIGUSR1);
}

static void rwlock_upgrade(void)
{
	pthread_rwlock_rdlock(&rw);
	pthread_rwlock_wrlock(&rw);
}

static void *write_rw(void *arg)
{
	pthread_rwlock_wrlock(&rw);
	return arg;
}

static void *read_holding_a(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_barrier_wait(&meet);
	pthread_rwlock_rdlock(&rw);
	return arg;
}

/* Main reads and wants the mutex of one who wants to read behind a writer who waits for main. */
static void writer_behind_reader(void)
{
	pthread_rwlockattr_t attr;
	struct timespec soon;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&rw, &attr);
	pthread_rwlock_rdlock(&rw);
	start(write_rw, 0);
	/* The writer is queued as soon as another reader is refused. */
	do {
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += soon.tv_nsec < 999000000 ? 1000000 : 0;
		if (pthread_rwlock_timedrdlock(&rw, &soon) != 0)
			break;
		pthread_rwlock_unlock(&rw);
	} while (true);
	start(read_holding_a, 1);
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&a);
}

static void *sem_a_then_b(void *arg)
{
	sem_wait(&sem_a);
	sem_post(&sem_a);
	sem_wait(&sem_a);
	pthread_barrier_wait(&meet);
	sem_wait(&sem_b);
	return arg;
}

static void *sem_b_then_a(void *arg)
{
	sem_wait(&sem_b);
	sem_post(&sem_b);
	sem_wait(&sem_b);
	pthread_barrier_wait(&meet);
	sem_wait(&sem_a);
	return arg;
}

static void semaphores_crossed(void)
{
	sem_init(&sem_a, 0, 1);
	sem_init(&sem_b, 0, 1);
	start(sem_a_then_b, 0);
	start(sem_b_then_a, 1);
	join(0);
}

static void *wait_cond(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_cond_wait(&cond, &a);
	pthread_mutex_unlock(&a);
	return arg;
}

static void cond_early(void)
{
	pthread_cond_signal(&cond);
	start(wait_cond, 0);
	join(0);
}

static void *arrive(void *arg)
{
	pthread_barrier_wait(&meet);
	return arg;
}

static void barrier_short(void)
{
	pthread_barrier_init(&meet, NULL, 3);
	start(arrive, 0);
	start(arrive, 1);
	join(0);
	join(1);
}

static void *join_first(void *arg)
{
	pthread_barrier_wait(&meet);
	join(0);
	return arg;
}

static void *join_second(void *arg)
{
	pthread_barrier_wait(&meet);
	join(1);
	return arg;
}

static void joins_crossed(void)
{
	pthread_barrier_init(&meet, NULL, 3);
	start(join_second, 0);
	start(join_first, 1);
	pthread_barrier_wait(&meet);
	for (;;)
		usleep(20000);
}

static void *join_main(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

static void join_through_another(void)
{
	pthread_t me = pthread_self();

	pthread_create(&threads[0], NULL, join_main, &me);
	join(0);
}

static void initialise(void)
{
	pthread_once(&once, initialise);
}

static void once_recursive(void)
{
	pthread_once(&once, initialise);
}

static void *read_holding_mutex(void *arg)
{
	char c;

	pthread_mutex_lock(&a);
	pthread_barrier_wait(&meet);
	if (read(pipe_fd[0], &c, 1) != 1)
		exit(1);
	pthread_mutex_unlock(&a);
	return arg;
}

static void mutex_across_pipe(void)
{
	if (pipe(pipe_fd) < 0)
		exit(1);
	start(read_holding_mutex, 0);
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&a);
	if (write(pipe_fd[1], "x", 1) != 1)
		exit(1);
}

static void *lock_and_leave(void *arg)
{
	pthread_mutex_lock(&a);
	return arg;
}

static void owner_ended(void)
{
	start(lock_and_leave, 0);
	join(0);
	pthread_mutex_lock(&a);
}

/* The child has a copy of the lock, held by its only thread. */
static void fork_self(void)
{
	pthread_mutex_lock(&a);
	if (fork() == 0)
		pthread_mutex_lock(&a);
	wait(NULL);
}

static const struct named_case cases[] = {
	{"abba", abba},
	{"abba-partial", abba_partial},
	{"abba-profiled", abba_profiled},
	{"abba-until-term", abba_until_term},
	{"abba-alarm", abba_alarm},
	{"abba-ticking", abba_ticking},
	{"self", self},
	{"handler-lock", handler_lock},
	{"rwlock-upgrade", rwlock_upgrade},
	{"writer-behind-reader", writer_behind_reader},
	{"semaphores-crossed", semaphores_crossed},
	{"cond-early", cond_early},
	{"barrier-short", barrier_short},
	{"joins-crossed", joins_crossed},
	{"join-through-another", join_through_another},
	{"once-recursive", once_recursive},
	{"mutex-across-pipe", mutex_across_pipe},
	{"owner-ended", owner_ended},
	{"fork-self", fork_self},
};

int main(int argc, char **argv)
{
	pthread_barrier_init(&meet, NULL, 2);
	return CASES_RUN(cases, argc, argv);
}
