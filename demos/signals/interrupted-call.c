/* interrupted-call.c - a signal handler interrupts a read. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <signal.h>
#include <sys/wait.h>

static void on_signal(int signo)
{
	(void)signo;
}

int main(int argc, char **argv)
{
	bool fixed = false;
	double delay = 0.1;
	struct demo_option options[] = {
		{"--delay", "seconds before the signal is sent", .seconds = &delay},
		{"--fixed", "let the kernel restart the call (SA_RESTART)", .flag = &fixed},
		{0},
	};
	struct sigaction action = {.sa_handler = on_signal};
	char c = '?';
	int fd[2];
	pid_t pid;
	ssize_t n;

	demo_options(argc, argv, "", options);
	action.sa_flags = fixed ? SA_RESTART : 0;
	sigaction(SIGUSR1, &action, NULL);
	if (pipe(fd) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		demo_sleep(delay);
		kill(getppid(), SIGUSR1);
		demo_sleep(delay);
		_exit(write(fd[1], "x", 1) == 1 ? 0 : 1);
	}
	n = read(fd[0], &c, 1);
	if (n < 0)
		printf("read: %s\n", strerror(errno));
	else
		printf("read %c\n", c);
	waitpid(pid, NULL, 0);
	return 0;
}
