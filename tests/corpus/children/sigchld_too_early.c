/* sigchld_too_early.c - the handler of SIGCHLD reaps the only child between the test whether it has ended and sigsuspend. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the glibc manual, "Remembering a Signal": the race of pause(3)
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_child(int signo)
{
	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		ended = 1;
}

int main(void)
{
	sigset_t none;

	signal(SIGCHLD, on_child);
	sigemptyset(&none);
	if (fork() == 0)
		_exit(0);
	/* The test came before; so late is the wait. */
	while (!ended)
		usleep(1000);
	sigsuspend(&none);
	return 0;
}
