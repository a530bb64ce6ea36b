/* queue_master_term.c - the first process of a service waits for its worker, which takes orders from a named queue, until SIGTERM comes. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all: stuck
 * source: mq_overview(7); services that fork workers (postgres, nginx) end them when they are told to end
 */
#include <signal.h>

#include "workers.h"

static pid_t worker;

static void on_term(int signo)
{
	(void)signo;
	(void)kill(worker, SIGTERM);
	(void)mq_unlink(queue_name);
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART};

	worker = begin_worker();
	return sigaction(SIGTERM, &action, NULL) || wait(NULL) != worker;
}
