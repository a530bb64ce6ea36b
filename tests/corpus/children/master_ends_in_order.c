/* master_ends_in_order.c - a worker waits for its master's word, who waits for the worker until SIGTERM has him give it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: the pipe by which Apache's prefork MPM tells its children to end (ap_mpm_pod_signal)
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int pod[2];

static void on_term(int signo)
{
	(void)signo;
	(void)!write(pod[1], "!", 1);
}

int main(void)
{
	struct sigaction act = {.sa_handler = on_term, .sa_flags = SA_RESTART};
	char word;

	if (pipe(pod) != 0)
		return 1;
	if (fork() == 0) {
		close(pod[1]);
		(void)!read(pod[0], &word, 1);
		_exit(0);
	}
	close(pod[0]);
	sigaction(SIGTERM, &act, NULL);
	wait(NULL);
	return 0;
}
