/* stuck.c - programs that get stuck in one way each, and healthy ones that only look so. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: stuck MODE [FILE...]
 *
 * Prints nothing. The pids of all its processes are those of its process tree;
 * a test knows that it is stuck by what /proc says about its threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
sem_t sem_one, sem_two;
pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t meet;

struct shared {
	pthread_mutex_t a, b;
	pthread_barrier_t meet;
};

static void *second_then_first(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&second);
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&first);
	return NULL;
}

static void *first_then_second(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&meet);
	pthread_mutex_lock(&second);
	return NULL;
}

static void run_two(void *(*one)(void *), void *(*two)(void *))
{
	pthread_t t[2];

	pthread_barrier_init(&meet, NULL, 2);
	pthread_create(&t[0], NULL, one, NULL);
	pthread_create(&t[1], NULL, two, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
}

/* The kernel refuses the second of the two requests; glibc then waits forever on nothing. */
static void mode_pi(char **files)
{
	pthread_mutexattr_t attr;

	(void)files;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&first, &attr);
	pthread_mutex_init(&second, &attr);
	run_two(first_then_second, second_then_first);
}

static void mode_abba(char **files)
{
	(void)files;
	run_two(first_then_second, second_then_first);
}

static void mode_abba_alarm(char **files)
{
	(void)files;
	alarm(3600); /* will end it, in an hour */
	run_two(first_then_second, second_then_first);
}

static void mode_self(char **files)
{
	(void)files;
	pthread_mutex_lock(&first);
	pthread_mutex_lock(&first);
}

static void mode_rwlock(char **files)
{
	(void)files;
	pthread_rwlock_wrlock(&table_lock);
	run_two(first_then_second, second_then_first);
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		exit(1);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void mode_pshared(char **files)
{
	struct shared *s =
		mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	pthread_barrierattr_t battr;
	bool is_child;

	(void)files;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrierattr_init(&battr);
	pthread_barrierattr_setpshared(&battr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->a, &attr);
	pthread_mutex_init(&s->b, &attr);
	pthread_barrier_init(&s->meet, &battr, 2);
	is_child = child() == 0;
	pthread_mutex_lock(is_child ? &s->a : &s->b);
	pthread_barrier_wait(&s->meet);
	pthread_mutex_lock(is_child ? &s->b : &s->a);
}

/* Both read first; each keeps what it would have to say in a buffer of stdio. */
static void mode_pipes(char **files)
{
	int down[2], up[2];
	char byte;
	bool is_child;

	(void)files;
	if (pipe(down) || pipe(up))
		exit(1);
	is_child = child() == 0;
	dup2(is_child ? down[0] : up[0], 0);
	dup2(is_child ? up[1] : down[1], 1);
	close(down[0]);
	close(down[1]);
	close(up[0]);
	close(up[1]);
	printf("a line that stays here\n");
	if (read(0, &byte, 1) < 0)
		exit(1);
}

static void mode_socketpair(char **files)
{
	int fds[2];
	char byte;
	bool is_child;

	(void)files;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	is_child = child() == 0;
	close(fds[is_child]);
	if (recv(fds[!is_child], &byte, 1, 0) < 0)
		exit(1);
}

static void mode_wait_before_read(char **files)
{
	static char big[256 * 1024];
	int fds[2];

	(void)files;
	if (pipe(fds))
		exit(1);
	if (child() == 0) {
		if (write(fds[1], big, sizeof big) < 0)
			exit(1);
		exit(0);
	}
	close(fds[1]);
	wait(NULL);
}

static void mode_own_end(char **files)
{
	int fds[2];
	char byte;

	(void)files;
	if (pipe(fds) || read(fds[0], &byte, 1) < 0)
		exit(1);
}

static void mode_flock(char **files)
{
	int a = open(files[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int fds[2], other, mine;
	bool is_child;
	char byte = 0;

	if (a < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	close(a);
	is_child = child() == 0;
	mine = open(files[is_child], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	other = open(files[!is_child], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	flock(mine, LOCK_EX);
	if (write(fds[is_child], &byte, 1) != 1 || read(fds[is_child], &byte, 1) != 1)
		exit(1);
	flock(other, LOCK_EX);
}

static void lock_whole(int fd)
{
	struct flock l = {.l_type = F_WRLCK};

	fcntl(fd, F_OFD_SETLKW, &l);
}

static void mode_ofd(char **files)
{
	int fds[2], other, mine;
	bool is_child;
	char byte = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	is_child = child() == 0;
	mine = open(files[is_child], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	other = open(files[!is_child], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	lock_whole(mine);
	if (write(fds[is_child], &byte, 1) != 1 || read(fds[is_child], &byte, 1) != 1)
		exit(1);
	lock_whole(other);
}

static void *arrive(void *arg)
{
	pthread_barrier_wait(&meet);
	return arg;
}

static void mode_barrier(char **files)
{
	pthread_t t;

	(void)files;
	pthread_barrier_init(&meet, NULL, 3);
	pthread_create(&t, NULL, arrive, NULL);
	pthread_barrier_wait(&meet);
}

/* posix_spawn does not return before the child has opened what it was told to open. */
static void mode_spawn(char **files)
{
	char *argv[] = {"true", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 5, files[0], O_RDONLY, 0);
	posix_spawn(&pid, "/bin/true", &actions, NULL, argv, argv + 1);
}

/* FIFOs opened in opposite orders. */
static void mode_fifos(char **files)
{
	bool is_child = child() == 0;

	if (open(files[is_child], is_child ? O_RDONLY : O_WRONLY) < 0)
		exit(1);
	if (open(files[!is_child], is_child ? O_WRONLY : O_RDONLY) < 0)
		exit(1);
}

static void once_again(void)
{
	pthread_once(&once, once_again);
}

static void mode_once(char **files)
{
	(void)files;
	pthread_once(&once, once_again);
}

static void *wait_changed(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&first);
	for (;;)
		pthread_cond_wait(&changed, &first);
	return NULL;
}

/* A pool at rest behind a main thread that waits for the terminal or for input from outside. */
static void mode_pool(char **files)
{
	pthread_t t;
	int fds[2];

	(void)files;
	for (int i = 0; i < 4; i++)
		pthread_create(&t, NULL, wait_changed, NULL);
	if (socketpair(AF_INET, SOCK_STREAM, 0, fds) == 0)
		exit(1);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listen(fds[0], 1) == 0)
		accept(fds[0], NULL, NULL);
}

static void mode_threads(char **files)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (int i = atoi(files[0] ? files[0] : "1000"); i > 0; i--)
		pthread_create(&t, &attr, wait_changed, NULL);
	pause();
}

static void mode_sleep(char **files)
{
	(void)files;
	sleep(3600);
}

/* As a program that had other rights: nobody but root may look into it. */
static void mode_guarded(char **files)
{
	prctl(PR_SET_DUMPABLE, 0);
	mode_sleep(files);
}

static void mode_timed(char **files)
{
	struct timespec ts;

	(void)files;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 3600;
	pthread_mutex_lock(&first);
	pthread_mutex_timedlock(&first, &ts);
}

static void on_child(int signo)
{
	(void)signo;
}

/* As shells wait for their children. */
static void mode_sigsuspend(char **files)
{
	sigset_t mask, old;

	(void)files;
	signal(SIGCHLD, on_child);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &old);
	if (child() == 0) {
		sleep(3600);
		exit(0);
	}
	sigsuspend(&old);
}

/* An event loop that waits on its own socketpair, as asyncio does. */
static void mode_event_loop(char **files)
{
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC), fds[2];

	(void)files;
	signal(SIGTERM, on_child);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(1);
	epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event);
	epoll_wait(ep, &event, 1, -1);
}

static void *sem_two_then_one(void *arg)
{
	(void)arg;
	sem_wait(&sem_two);
	pthread_barrier_wait(&meet);
	sem_wait(&sem_one);
	return NULL;
}

static void *sem_one_then_two(void *arg)
{
	(void)arg;
	sem_wait(&sem_one);
	pthread_barrier_wait(&meet);
	sem_wait(&sem_two);
	return NULL;
}

static void mode_semaphores(char **files)
{
	(void)files;
	sem_init(&sem_one, 0, 1);
	sem_init(&sem_two, 0, 1);
	run_two(sem_one_then_two, sem_two_then_one);
}

static void *end_later(void *arg)
{
	(void)arg;
	run_two(first_then_second, second_then_first);
	return NULL;
}

/* The main thread ends, the others go on: /proc shows nothing through it any more. */
static void mode_main_gone(char **files)
{
	pthread_t t;

	(void)files;
	pthread_create(&t, NULL, end_later, NULL);
	pthread_exit(NULL);
}

static const struct mode {
	const char *name;
	void (*run)(char **files);
} modes[] = {{"abba", mode_abba}, {"abba-alarm", mode_abba_alarm}, {"pi", mode_pi},
	{"self", mode_self}, {"rwlock", mode_rwlock}, {"pshared", mode_pshared},
	{"pipes", mode_pipes}, {"socketpair", mode_socketpair},
	{"wait-before-read", mode_wait_before_read}, {"own-end", mode_own_end},
	{"flock", mode_flock}, {"ofd", mode_ofd}, {"barrier", mode_barrier}, {"spawn", mode_spawn},
	{"fifos", mode_fifos}, {"once", mode_once}, {"pool", mode_pool}, {"threads", mode_threads},
	{"sleep", mode_sleep}, {"guarded", mode_guarded}, {"timed", mode_timed},
	{"sigsuspend", mode_sigsuspend}, {"event-loop", mode_event_loop},
	{"semaphores", mode_semaphores}, {"main-gone", mode_main_gone}};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		modes[i].run(argv + 2);
		return 0;
	}
	fprintf(stderr, "usage: stuck MODE [FILE...]\n");
	return 2;
}
