/* signal2.c - an alarm every five seconds. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.3 --count 3 */
#include "../demo.h"

#include <signal.h>
#include <sys/time.h>

/* Runs only inside sigsuspend, so that printf is allowed. */
static void on_alarm(int signo)
{
	printf("Got alarm %d at %f\n", signo, demo_time());
}

/* alarm() knows whole seconds only. */
static void set_alarm(double seconds)
{
	struct itimerval timer = {
		.it_value =
			{
				.tv_sec = (time_t)seconds,
				.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6),
			},
	};

	if (timer.it_value.tv_usec == 0)
		alarm((unsigned)seconds);
	else
		setitimer(ITIMER_REAL, &timer, NULL);
}

int main(int argc, char **argv)
{
	double delay = 5;
	long count = 0;
	struct demo_option options[] = {
		{"--delay", "until the alarm (5)", .seconds = &delay},
		{"--count", "how often (endless)", .number = &count},
		{0},
	};
	struct sigaction action = {.sa_handler = on_alarm};
	sigset_t block, before;

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	sigaction(SIGALRM, &action, NULL);
	/* Blocked except while we wait for it: an early alarm cannot slip by. */
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, &before);
	if (!count)
		fprintf(stderr, "Ctrl-C ends it\n");
	for (long i = 0; !count || i < count; i++) {
		printf("Setting at %f\n", demo_time());
		set_alarm(delay);
		sigsuspend(&before);
	}
	return 0;
}
