/* sem_opened_later.c - two processes wait for each other's semaphores; a program that does not map the named one will post it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: sem_overview(7); the healthy twin of sem_named.c
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	sem_t *own, *named;
	char name[64];

	(void)snprintf(name, sizeof name, "/pptrace-corpus-%d", (int)getpid());
	if (fork() == 0) {
		sleep(60);
		named = sem_open(name, 0);
		return named == SEM_FAILED || sem_post(named);
	}
	own = mmap(NULL, sizeof *own, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	named = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	if (own == MAP_FAILED || named == SEM_FAILED || sem_init(own, 1, 0))
		return 1;
	if (fork() == 0)
		return sem_wait(named) || sem_post(own);
	return sem_wait(own) || sem_unlink(name) || wait(NULL) < 0;
}
