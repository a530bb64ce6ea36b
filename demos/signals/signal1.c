/* signal1.c - print a line for each signal that arrives. */
/* SPDX-License-Identifier: MIT */
/* Try: 10 --sender --count 3 --delay 0.2 */
#include "../demo.h"

#include <signal.h>
#include <sys/wait.h>

static volatile sig_atomic_t left; /* 0: endless */

/*
 * printf is allowed in this handler only because the program is in pause()
 * whenever the handler runs, and never itself inside printf.
 */
static void on_signal(int signo)
{
	printf("Got signal %d at %f\n", signo, demo_time());
	if (left && --left == 0)
		_exit(0);
}

/* Sends the signals from a process of its own. */
static void sender(int signo, long count, double delay)
{
	pid_t target = getppid();

	for (long i = 0; i < count; i++) {
		demo_sleep(delay);
		if (kill(target, signo) < 0)
			break; /* it is gone */
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	double delay = 1;
	long count = 0;
	bool has_sender = false;
	struct demo_option options[] = {
		{"--count", "signals before it ends (unlimited)", .number = &count},
		{"--sender", "start a process that sends them (else: use kill)",
			.flag = &has_sender},
		{"--delay", "before each signal that it sends (1)", .seconds = &delay},
		{0},
	};
	int first = demo_options(argc, argv, "[SIGNAL]", options);
	int signo = first < argc ? atoi(argv[first]) : SIGUSR1;
	struct sigaction action = {.sa_handler = on_signal};

	setlinebuf(stdout);
	left = (sig_atomic_t)count;
	if (sigaction(signo, &action, NULL) < 0) {
		fprintf(stderr, "no handler can be set for signal %d\n", signo);
		return 2;
	}
	if (!has_sender)
		fprintf(stderr, "send it signals with 'kill -%d %d'; Ctrl-C ends it\n", signo,
			(int)getpid());
	if (has_sender && fork() == 0)
		sender(signo, count, delay);
	for (;;)
		pause();
}
