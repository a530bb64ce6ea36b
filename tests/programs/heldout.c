/* heldout.c - programs that nobody had in mind when the verdict was written, one for each name: stuck forever, or only at rest. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/programs/cases.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem, taken;
static int ends[2];
static bool ready;
static pid_t child;

typedef void *thread_function(void *);

static pthread_t start(thread_function *f, void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, f, arg) != 0)
		exit(1);
	return t;
}

static void make_pipe(void)
{
	if (pipe(ends) < 0)
		exit(1);
}

static void rest(void)
{
	struct timespec left = {1, 0};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void read_one(void)
{
	char c;

	while (read(ends[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void write_one(void)
{
	if (write(ends[1], "x", 1) != 1)
		exit(1);
}

/* Computes without a call that anybody could record. */
static void compute(void)
{
	struct timespec now, begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec * 10 + now.tv_nsec / 100000000 <
		begin.tv_sec * 10 + begin.tv_nsec / 100000000 + 10);
}

/* ---- Stuck ---- */

static void initialise(void);

static void *call_once_too(void *arg)
{
	pthread_once(&once, initialise);
	return arg;
}

static void initialise(void)
{
	pthread_join(start(call_once_too, NULL), NULL);
}

/* The first call of all that could be recorded is the one that gets stuck. */
static void once_joins(void)
{
	pthread_once(&once, initialise);
}

/* Shells catch SIGCHLD; this one has no child that could send it. */
static void shell_reads_parent(void)
{
	char command[64];

	make_pipe();
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	(void)snprintf(command, sizeof command, "read x <&%d; :", ends[0]);
	(void)!system(command);
}

static void shell_opens_fifo(void)
{
	if (mkfifo("heldout.fifo", 0600) < 0 && errno != EEXIST)
		exit(1);
	(void)!system("cat <heldout.fifo; :");
}

static void *hold_rw(void *arg)
{
	pthread_rwlock_wrlock(&rw);
	sem_post(&taken);
	pthread_mutex_lock(&a);
	return arg;
}

static void *read_rw(void *arg)
{
	pthread_rwlock_rdlock(&rw);
	sem_post(&sem);
	return arg;
}

static void *wait_sem(void *arg)
{
	sem_wait(&sem);
	return arg;
}

static void *join_it(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

static void five_hops(void)
{
	pthread_t waiter;

	pthread_mutex_lock(&a);
	(void)start(hold_rw, NULL);
	sem_wait(&taken);
	(void)start(read_rw, NULL);
	waiter = start(wait_sem, NULL);
	pthread_join(start(join_it, &waiter), NULL);
}

static void *write_under_lock(void *arg)
{
	pthread_mutex_lock(&a);
	write_one();
	return arg;
}

/* A file lock, a child, a pipe, a thread and a mutex. */
static void four_resources(void)
{
	int fd = open("heldout.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600), up[2];

	make_pipe();
	if (fd < 0 || pipe(up) < 0)
		exit(1);
	switch (fork()) {
	case -1:
		exit(1);
	case 0:
		close(ends[1]);
		close(fd);
		fd = open("heldout.lock", O_RDWR);
		flock(fd, LOCK_EX);
		(void)!write(up[1], "x", 1);
		read_one();
		_exit(0);
	}
	(void)!read(up[0], &(char){0}, 1);
	pthread_mutex_lock(&a);
	(void)start(write_under_lock, NULL);
	flock(fd, LOCK_EX);
}

static void flock_of_waiter(void)
{
	int fd = open("heldout.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	flock(fd, LOCK_EX);
	if (fork() == 0) {
		close(fd);
		flock(open("heldout.lock", O_RDWR), LOCK_EX);
		_exit(0);
	}
	wait(NULL);
}

static void group_reads_parent(void)
{
	pid_t pid;

	make_pipe();
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		read_one();
		_exit(0);
	}
	setpgid(pid, pid);
	waitpid(-pid, NULL, 0);
}

/* The owner has ended, and nobody has waited for it yet. */
static void zombie_owner(void)
{
	pthread_mutex_t *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	siginfo_t info;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(shared, &attr);
	child = fork();
	if (child == 0) {
		pthread_mutex_lock(shared);
		_exit(0);
	}
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	pthread_mutex_lock(shared);
}

/* Makes a timer, and arms it unless it shall ring in 0 seconds. */
static void make_timer(struct sigevent *event, time_t seconds)
{
	struct itimerspec once = {.it_value = {.tv_sec = seconds}};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, event, &timer) != 0)
		exit(1);
	timer_settime(timer, 0, &once, NULL);
}

static void lock_twice(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&a);
}

static void signal_cond(union sigval value)
{
	(void)value;
	pthread_mutex_lock(&a);
	ready = true;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&a);
}

/* The function of the timer can do much, but not release what another thread holds. */
static void timer_and_lock(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = signal_cond};

	make_timer(&event, 3600);
	lock_twice();
}

/* The signal would end the program, but the timer is not armed. */
static void idle_timer_and_lock(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};

	make_timer(&event, 0);
	lock_twice();
}

/* ---- At rest ---- */

static void wait_for_cond(void)
{
	pthread_mutex_lock(&a);
	while (!ready)
		pthread_cond_wait(&cond, &a);
	pthread_mutex_unlock(&a);
}

static void timer_signals(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = signal_cond};

	make_timer(&event, 2);
	wait_for_cond();
}

/* The first child is stopped while it reads, and finds what was written meanwhile when it goes on. */
static void stopped_reader(void)
{
	int up[2];
	char c;

	make_pipe();
	if (pipe(up) < 0)
		exit(1);
	child = fork();
	if (child == 0) {
		(void)!write(ends[1], "x", 1);
		(void)!read(up[0], &c, 1);
		(void)!write(ends[1], "x", 1);
		_exit(0);
	}
	read_one();
	rest();
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	if (fork() == 0) {
		close(ends[1]);
		rest();
		rest();
		kill(child, SIGCONT);
		_exit(0);
	}
	close(ends[1]);
	(void)!write(up[1], "x", 1);
	read_one();
	while (wait(NULL) > 0)
		;
}

static void *wait_for_timer(void *set)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	int signo;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	make_timer(&event, 2);
	sigwait(set, &signo);
	signal_cond((union sigval){0});
	return NULL;
}

static void timer_of_thread(void)
{
	sigset_t set;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	t = start(wait_for_timer, &set);
	wait_for_cond();
	pthread_join(t, NULL);
}

static void *signal_late(void *arg)
{
	rest();
	pthread_mutex_lock(&a);
	ready = true;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&a);
	return arg;
}

static void post(int signo)
{
	(void)signo;
	sem_post(&sem);
}

/* The handler posts on top of the wait for the condition, and the mutex is held afterwards all the same. */
static void handler_posts(void)
{
	struct itimerval every = {{0, 200000}, {0, 200000}};
	struct sigaction act = {.sa_handler = post, .sa_flags = SA_RESTART};
	pthread_t other;

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	other = start(signal_late, NULL);
	pthread_mutex_lock(&a);
	while (!ready)
		pthread_cond_wait(&cond, &a);
	pthread_mutex_unlock(&a);
	pthread_join(other, NULL);
}

static void unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static void *wait_cancelled(void *arg)
{
	pthread_mutex_lock(&a);
	sem_post(&taken);
	pthread_cleanup_push(unlock, &a);
	for (;;)
		pthread_cond_wait(&cond, &a);
	pthread_cleanup_pop(1);
	return arg;
}

/* Unwinding a cancelled thread calls pthread_once before the wait is over. */
static void cancelled(void)
{
	pthread_t t = start(wait_cancelled, NULL);

	sem_wait(&taken);
	rest();
	pthread_cancel(t);
	pthread_join(t, NULL);
}

static void child_computes(void)
{
	make_pipe();
	if (fork() == 0) {
		compute();
		write_one();
		_exit(0);
	}
	read_one();
	wait(NULL);
}

static void kill_child(int signo)
{
	(void)signo;
	kill(child, SIGKILL);
}

/* A deadlock, but for a handler that ends it. */
static void alarm_kills_child(void)
{
	signal(SIGALRM, kill_child);
	make_pipe();
	child = fork();
	if (child == 0) {
		close(ends[1]);
		read_one();
		_exit(0);
	}
	alarm(1);
	waitpid(child, NULL, 0);
}

static int post_in_same_memory(void *arg)
{
	struct timespec one = {1, 0};

	syscall(SYS_nanosleep, &one, NULL);
	sem_post(&sem);
	syscall(SYS_exit, 0);
	return arg != NULL;
}

static int write_to_same_file(void *arg)
{
	struct timespec one = {1, 0};

	syscall(SYS_nanosleep, &one, NULL);
	syscall(SYS_write, ends[1], "x", 1);
	syscall(SYS_exit, 0);
	return arg != NULL;
}

static char stack[65536] __attribute__((aligned(16)));

static void shared_memory(void)
{
	if (clone(post_in_same_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL) < 0)
		exit(1);
	sem_wait(&sem);
	wait(NULL);
}

static void shared_files(void)
{
	make_pipe();
	if (clone(write_to_same_file, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL) < 0)
		exit(1);
	read_one();
	wait(NULL);
}

static void limited_socket(void)
{
	struct timeval limit = {1, 0};
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		exit(1);
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void)!recv(ends[0], &c, 1, 0);
}

static const struct named_case cases[] = {
	{"once-joins", once_joins},
	{"shell-reads-parent", shell_reads_parent},
	{"shell-opens-fifo", shell_opens_fifo},
	{"five-hops", five_hops},
	{"four-resources", four_resources},
	{"flock-of-waiter", flock_of_waiter},
	{"group-reads-parent", group_reads_parent},
	{"zombie-owner", zombie_owner},
	{"timer-and-lock", timer_and_lock},
	{"idle-timer-and-lock", idle_timer_and_lock},
	{"timer-signals", timer_signals},
	{"timer-of-thread", timer_of_thread},
	{"stopped-reader", stopped_reader},
	{"handler-posts", handler_posts},
	{"cancelled", cancelled},
	{"child-computes", child_computes},
	{"alarm-kills-child", alarm_kills_child},
	{"shared-memory", shared_memory},
	{"shared-files", shared_files},
	{"limited-socket", limited_socket},
};

int main(int argc, char **argv)
{
	sem_init(&sem, 0, 0);
	sem_init(&taken, 0, 0);
	return CASES_RUN(cases, argc, argv) == 0 ? 7 : 2;
}
