/* flood_forks.c - fills its ring while pptrace is stopped, then has children: births and ends must not be lost. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, LOCKS = 1000000 };

/* usage: flood_forks PID: of whoever reads the ring */
int main(int argc, char **argv)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pid_t reader = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	int status, right = 0;

	if (reader <= 1 || kill(reader, SIGSTOP) < 0)
		return 1;
	for (int i = 0; i < LOCKS; i++) {
		(void)pthread_mutex_lock(&mutex);
		(void)pthread_mutex_unlock(&mutex);
	}
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(3);
		right += pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			 WEXITSTATUS(status) == 3;
	}
	(void)kill(reader, SIGCONT);
	(void)printf("%d\n", right);
	return right == CHILDREN ? 0 : 1;
}
