/* daemon.h - a daemon that keeps the pipe to whose end its starter reads. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_PIPES_DAEMON_H
#define TESTS_CORPUS_PIPES_DAEMON_H

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int output[2];

static inline void let_go(int signo)
{
	(void)signo;
	close(output[1]);
}

/* on_usr1: the daemon's handler, or SIG_DFL. */
static inline int read_to_end(void (*on_usr1)(int signo))
{
	char text[64];

	if (pipe(output) < 0)
		exit(1);
	if (fork() == 0) {
		if (fork() == 0) {
			close(output[0]);
			signal(SIGUSR1, on_usr1);
			for (;;)
				pause();
		}
		_exit(write(output[1], "started\n", 8) != 8);
	}
	close(output[1]);
	wait(NULL);
	while (read(output[0], text, sizeof text) > 0)
		;
	return 0;
}

#endif
