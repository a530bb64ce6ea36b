/* sigchld_reaped.c - a handler reaps all children that have ended, and the parent waits for one that sleeps. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of sigchld_merged.c
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_child(int signo)
{
	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		ended++;
}

int main(void)
{
	sigset_t set, before;
	siginfo_t info;

	signal(SIGCHLD, on_child);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &before);
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	}
	if (fork() == 0) {
		sleep(60);
		_exit(0);
	}
	while (ended < 3)
		sigsuspend(&before);
	return 0;
}
