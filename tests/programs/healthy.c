/* healthy.c - programs that look stuck and are not, one for each name; each rests for a while and ends. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/programs/cases.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t meet;
static pthread_t threads[8];
static sem_t sem;
static bool stop;
static int items;

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

static void rest(void)
{
	struct timespec left = {0, 700000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

static void *post(void *arg)
{
	rest();
	sem_post(&sem);
	return arg;
}

/* Each time it is posted by a thread that did not exist when it was taken. */
static void new_poster(void)
{
	sem_init(&sem, 0, 1);
	for (int i = 0; i < 2; i++) {
		sem_wait(&sem);
		start(post, 0);
		sem_wait(&sem);
		join(0);
		sem_post(&sem);
	}
}

static void *hold_for_a_while(void *arg)
{
	pthread_mutex_lock(&a);
	rest();
	pthread_mutex_unlock(&a);
	return arg;
}

/* One thread waits on while the owner changes. */
static void owner_changes(void)
{
	for (int i = 0; i < 4; i++)
		start(hold_for_a_while, i);
	for (int i = 0; i < 4; i++)
		join(i);
}

static void child_stopped(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, WUNTRACED);
	if (fork() == 0) {
		rest();
		kill(pid, SIGCONT);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	wait(NULL);
}

static void alarm_kills(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_mutex_lock(&a);
		alarm(1);
		pthread_mutex_lock(&a);
	}
	waitpid(pid, NULL, 0);
}

static void timed_lock(void)
{
	struct timespec until;

	pthread_mutex_lock(&a);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	if (pthread_mutex_timedlock(&a, &until) != ETIMEDOUT)
		exit(1);
	pthread_mutex_unlock(&a);
}

static void *try_b_then_a(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&b);
		if (pthread_mutex_trylock(&a) == 0)
			break;
		pthread_mutex_unlock(&b);
		usleep(1000);
	}
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

static void try_and_back_off(void)
{
	start(try_b_then_a, 0);
	for (int i = 0; i < 20; i++) {
		pthread_mutex_lock(&a);
		pthread_mutex_lock(&b);
		sched_yield();
		pthread_mutex_unlock(&b);
		pthread_mutex_unlock(&a);
	}
	join(0);
}

static void recursive(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&m, &attr);
	for (int i = 0; i < 3; i++)
		pthread_mutex_lock(&m);
	rest();
	for (int i = 0; i < 3; i++)
		pthread_mutex_unlock(&m);
	pthread_mutex_destroy(&m);
}

static void *consume(void *arg)
{
	pthread_mutex_lock(&a);
	while (!stop) {
		while (!items && !stop)
			pthread_cond_wait(&cond, &a);
		if (items)
			items--;
	}
	pthread_mutex_unlock(&a);
	return arg;
}

static void queue(void)
{
	start(consume, 0);
	start(consume, 1);
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&a);
		items++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&a);
		usleep(1000);
	}
	rest();
	pthread_mutex_lock(&a);
	stop = true;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&a);
	join(0);
	join(1);
}

/* Workers at rest, when the process ends. */
static void pool_at_exit(void)
{
	for (int i = 0; i < 4; i++)
		start(consume, i);
	rest();
}

static void lock_both(pthread_mutex_t *x, pthread_mutex_t *y)
{
	pthread_mutex_lock(x);
	pthread_mutex_lock(y);
	pthread_mutex_unlock(y);
	pthread_mutex_unlock(x);
}

static void *gated_ab(void *arg)
{
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&gate);
	lock_both(&a, &b);
	pthread_mutex_unlock(&gate);
	return arg;
}

static void *gated_ba(void *arg)
{
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&gate);
	lock_both(&b, &a);
	pthread_mutex_unlock(&gate);
	return arg;
}

static void gate_lock(void)
{
	start(gated_ab, 0);
	start(gated_ba, 1);
	join(0);
	join(1);
}

static void one_thread(void)
{
	lock_both(&a, &b);
	lock_both(&b, &a);
}

static void *just_ab(void *arg)
{
	lock_both(&a, &b);
	return arg;
}

static void *just_ba(void *arg)
{
	lock_both(&b, &a);
	return arg;
}

static void join_between(void)
{
	start(just_ab, 0);
	join(0);
	start(just_ba, 1);
	join(1);
}

static void on_signal(int signo)
{
	(void)signo;
	_exit(0);
}

/* Waits for the signal that a child sends. */
static void paused(void)
{
	sigset_t set, none;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, on_signal);
	if (fork() == 0) {
		rest();
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	sigemptyset(&none);
	sigsuspend(&none);
}

static void *join_and_exit(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	rest();
	exit(0);
}

/* The main thread ends first; another one ends the process. */
static void main_thread_leaves(void)
{
	static pthread_t me;

	me = pthread_self();
	pthread_create(&threads[0], NULL, join_and_exit, &me);
	pthread_exit(NULL);
}

/* A lock of the program's own, whose words look like a mutex of the C library. */
static struct {
	int word; /* 0 free, 1 taken, 2 with waiters */
	int count;
	int last_taker; /* where a mutex has its owner */
	int users, kind;
} own;

static void *hold_own(void *arg)
{
	__atomic_store_n(&own.word, 2, __ATOMIC_SEQ_CST);
	pthread_barrier_wait(&meet);
	rest();
	__atomic_store_n(&own.word, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &own.word, FUTEX_WAKE_PRIVATE, 1);
	return arg;
}

static void *want_own(void *arg)
{
	pthread_barrier_wait(&meet);
	while (__atomic_load_n(&own.word, __ATOMIC_SEQ_CST) == 2)
		syscall(SYS_futex, &own.word, FUTEX_WAIT_PRIVATE, 2, NULL);
	return arg;
}

/* The main thread joins one that waits for a lock which the main thread had before. */
static void own_lock(void)
{
	own.last_taker = (int)syscall(SYS_gettid);
	start(hold_own, 0);
	start(want_own, 1);
	join(1);
	join(0);
}

static int file;

static void lock_file(short type)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET};

	if (fcntl(file, F_SETLKW, &l) < 0)
		exit(1);
}

static void *mutex_then_file(void *arg)
{
	pthread_mutex_lock(&a);
	lock_file(F_WRLCK);
	lock_file(F_UNLCK);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&meet);
	return arg;
}

static void *file_then_mutex(void *arg)
{
	pthread_barrier_wait(&meet);
	lock_file(F_WRLCK);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	lock_file(F_UNLCK);
	return arg;
}

/* A mutex and a POSIX lock in opposite orders: of one process's threads none waits for the file. */
static void file_between_threads(void)
{
	FILE *f = tmpfile();

	if (!f)
		exit(1);
	file = fileno(f);
	start(mutex_then_file, 0);
	start(file_then_mutex, 1);
	join(1);
	join(0);
	fclose(f);
}

static const struct named_case cases[] = {
	{"new-poster", new_poster},
	{"owner-changes", owner_changes},
	{"child-stopped", child_stopped},
	{"alarm-kills", alarm_kills},
	{"timed-lock", timed_lock},
	{"try-and-back-off", try_and_back_off},
	{"recursive", recursive},
	{"queue", queue},
	{"pool-at-exit", pool_at_exit},
	{"gate-lock", gate_lock},
	{"one-thread", one_thread},
	{"join-between", join_between},
	{"paused", paused},
	{"main-thread-leaves", main_thread_leaves},
	{"own-lock", own_lock},
	{"file-between-threads", file_between_threads},
};

int main(int argc, char **argv)
{
	pthread_barrier_init(&meet, NULL, 2);
	return CASES_RUN(cases, argc, argv);
}
