/* alarm_handler_closes.c - a child reads a pipe whose write end its parent has, who waits for the child until an alarm's handler closes it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: time limits around a helper process, as in many test harnesses
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

static void give_up(int signo)
{
	(void)signo;
	close(ends[1]);
}

int main(void)
{
	struct sigaction act = {.sa_handler = give_up, .sa_flags = SA_RESTART};
	char byte;

	if (pipe(ends) < 0)
		exit(1);
	if (fork() == 0) {
		close(ends[1]);
		_exit((int)read(ends[0], &byte, 1));
	}
	sigaction(SIGALRM, &act, NULL);
	alarm(60);
	wait(NULL);
	return 0;
}
