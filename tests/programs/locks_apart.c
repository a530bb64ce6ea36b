/* locks_apart.c - locks after the process has cut itself off: descriptors, root, user; in children; before SIGKILL. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void lock(int times)
{
	for (int i = 0; i < times; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
}

static void *thread(void *arg)
{
	lock(10);
	return arg;
}

static void threads(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL) == 0)
		pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "user") != 0)
		lock(10);
	if (!strcmp(how, "closed")) {
		closefrom(0);
		lock(10);
		threads();
	} else if (!strcmp(how, "user")) {
		if (chroot("/var/empty") && chroot("/usr/share"))
			return 2;
		if (setgid(65534) || setuid(65534))
			return 2;
		lock(10);
		threads();
	} else if (!strcmp(how, "fork")) {
		pid_t p = fork();

		lock(10);
		if (p == 0)
			_exit(0);
		waitpid(p, NULL, 0);
	} else if (!strcmp(how, "rawfork")) {
		long p = syscall(SYS_fork);

		lock(10);
		if (p == 0)
			_exit(0);
		waitpid((pid_t)p, NULL, 0);
	} else if (!strcmp(how, "forkthread")) {
		pid_t p = fork();

		if (p == 0) {
			threads();
			_exit(0);
		}
		lock(10);
		waitpid(p, NULL, 0);
	} else if (!strcmp(how, "vfork")) {
		pid_t p = vfork();

		if (p == 0)
			_exit(0);
		lock(10);
		waitpid(p, NULL, 0);
	} else if (!strcmp(how, "killed")) {
		lock(10);
		kill(getpid(), SIGKILL);
	} else if (!strcmp(how, "many")) {
		lock(atoi(argv[2]));
	} else if (!strcmp(how, "exec")) {
		execl(argv[0], argv[0], "closed", (char *)NULL);
	}
	return 0;
}
