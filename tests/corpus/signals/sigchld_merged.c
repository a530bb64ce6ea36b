/* sigchld_merged.c - two children end while SIGCHLD is blocked: one signal comes, and the parent waits for the second. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the glibc manual, "Merged Signals"; ruby/ruby bug 15661's kind
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_child(int signo)
{
	(void)signo;
	waitpid(-1, NULL, 0);
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
	while (ended < 2)
		sigsuspend(&before);
	return 0;
}
