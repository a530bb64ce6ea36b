/* shm.h - a process waits for a semaphore in a file that others could map. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SEMAPHORES_SHM_H
#define TESTS_CORPUS_SEMAPHORES_SHM_H

#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The file lies where the program runs: the corpus removes that folder. */
static inline int wait_for_partner(bool unlink_first)
{
	sem_t *ready;
	int fd;

	fd = open("partners", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		exit(1);
	ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	sem_init(ready, 1, 0);
	if (unlink_first)
		unlink("partners");
	return sem_wait(ready);
}

#endif
