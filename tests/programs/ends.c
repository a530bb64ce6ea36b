/* ends.c - ends of processes and threads that are easily told wrong. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: ends MODE
 *
 * main-leaves: the main thread leaves by pthread_exit, the other one calls exit.
 * worker-exits: a thread calls exit while main waits.
 * clone-parent: a child made with CLONE_PARENT outlives the one that made it.
 * chld-read: reads that return a byte while SIGCHLD arrives.
 * exec: a thread executes a program while others lock and unlock.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static pthread_t main_thread;

static void *join_and_exit(void *unused)
{
	(void)unused;
	check(pthread_join(main_thread, NULL) == 0, "pthread_join");
	exit(5);
	return NULL;
}

static void main_leaves(void)
{
	pthread_t t;

	main_thread = pthread_self();
	check(pthread_create(&t, NULL, join_and_exit, NULL) == 0, "pthread_create");
	pthread_exit(NULL);
}

static void *just_exit(void *unused)
{
	exit(5);
	return unused;
}

static void worker_exits(void)
{
	pthread_t t;

	check(pthread_create(&t, NULL, just_exit, NULL) == 0, "pthread_create");
	for (;;)
		pause();
}

static void clone_parent(void)
{
	int fds[2], status = 0;
	pid_t middle;
	char c;

	check(pipe(fds) == 0, "pipe");
	middle = fork();
	if (middle == 0) {
		if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL) == 0) {
			close(fds[1]);
			_exit(read(fds[0], &c, 1) == 0 ? 5 : 1);
		}
		_exit(0);
	}
	check(waitpid(middle, NULL, 0) == middle, "waitpid");
	close(fds[1]);
	check(wait(&status) > 0, "wait");
	exit(WEXITSTATUS(status));
}

static void on_child(int signo)
{
	(void)signo;
}

static void chld_read(void)
{
	struct sigaction act = {.sa_handler = on_child};
	int fds[2];

	check(pipe(fds) == 0 && sigaction(SIGCHLD, &act, NULL) == 0, "pipe");
	for (int i = 0; i < 20; i++) {
		char c;

		if (fork() == 0)
			_exit(write(fds[1], "x", 1) != 1);
		check(read(fds[0], &c, 1) == 1, "read");
		while (wait(NULL) < 0)
			;
	}
	exit(5);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *lock_for_ever(void *unused)
{
	do {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	} while (!unused);
	return unused;
}

static void *execute(void *unused)
{
	/* The others are locking. */
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
	execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
	return unused;
}

static void exec_beside(void)
{
	pthread_t t;

	check(pthread_create(&t, NULL, lock_for_ever, NULL) == 0, "pthread_create");
	check(pthread_create(&t, NULL, execute, NULL) == 0, "pthread_create");
	lock_for_ever(NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {{"main-leaves", main_leaves}, {"worker-exits", worker_exits},
		{"clone-parent", clone_parent}, {"chld-read", chld_read}, {"exec", exec_beside}};

	for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof *modes; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			modes[i].run();
	return 2;
}
