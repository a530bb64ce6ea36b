/* signal-storm.c - a hundred signals are sent, and far fewer arrive. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <signal.h>
#include <sys/wait.h>

static volatile sig_atomic_t got = 0;

static void on_signal(int signo)
{
	(void)signo;
	got++;
}

/* Counts signals until it is told to stop. */
static void count(int signo, int ready, int stop)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigset_t set;
	char c;

	sigaction(signo, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(ready, "x", 1) != 1 || read(stop, &c, 1) != 1)
		_exit(1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("got %d\n", (int)got);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	bool fixed = false;
	long times = 100;
	struct demo_option options[] = {
		{"--count", "number of signals", .number = &times},
		{"--fixed", "use a signal that queues", .flag = &fixed},
		{0},
	};
	int ready[2], stop[2], signo;
	pid_t pid;
	char c;

	demo_options(argc, argv, "", options);
	signo = fixed ? SIGRTMIN : SIGUSR1;
	if (pipe(ready) < 0 || pipe(stop) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0)
		count(signo, ready[1], stop[0]);
	if (read(ready[0], &c, 1) != 1)
		demo_die("read");
	for (long i = 0; i < times; i++)
		if (sigqueue(pid, signo, (union sigval){.sival_int = (int)i}) < 0)
			demo_die("sigqueue");
	printf("sent %ld\n", times);
	fflush(stdout);
	if (write(stop[1], "x", 1) != 1)
		demo_die("write");
	waitpid(pid, NULL, 0);
	return 0;
}
