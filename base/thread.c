/* thread.c - start a thread that leaves signals to the main one. */
/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
	sigset_t blocked, old;
	int rc;

	(void)sigfillset(&blocked);
	(void)sigdelset(&blocked, SIGBUS);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &old);
	rc = pthread_create(ret, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}
