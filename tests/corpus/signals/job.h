/* job.h - a master and a worker: each reads what the other writes, and neither has been asked for anything. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGNALS_JOB_H
#define TESTS_CORPUS_SIGNALS_JOB_H

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int jobs[2], results[2];

static inline void give_job(int signo)
{
	(void)signo;
	(void)!write(jobs[1], "j", 1);
}

/* on_hup: the master's handler, or SIG_DFL. */
static inline int serve(void (*on_hup)(int signo))
{
	struct sigaction act = {.sa_handler = on_hup, .sa_flags = SA_RESTART};
	char byte;

	if (pipe(jobs) < 0 || pipe(results) < 0)
		exit(1);
	if (fork() == 0) {
		close(jobs[1]);
		close(results[0]);
		while (read(jobs[0], &byte, 1) == 1)
			(void)!write(results[1], "r", 1);
		_exit(0);
	}
	close(jobs[0]);
	close(results[1]);
	sigaction(SIGHUP, &act, NULL);
	return read(results[0], &byte, 1) != 1;
}

#endif
