/* signals.h - main joins a thread that polls a signalfd. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGNALS_H
#define TESTS_CORPUS_SIGNALS_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void *poll_signals(void *arg)
{
	struct signalfd_siginfo info;
	struct pollfd set = {.fd = *(int *)arg, .events = POLLIN};

	(void)poll(&set, 1, -1);
	(void)read(set.fd, &info, sizeof info);
	return NULL;
}

static int join_until(int signo)
{
	sigset_t set;
	pthread_t t;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, signo);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	pthread_create(&t, NULL, poll_signals, &fd);
	return pthread_join(t, NULL);
}

#endif
