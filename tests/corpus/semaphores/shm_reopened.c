/* shm_reopened.c - a semaphore in memory without a name is posted by a process that finds its file in another one. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: memfd_create(2), "the file can be reopened through /proc/PID/fd"
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t *mapped(int fd)
{
	sem_t *sem = mmap(NULL, sizeof *sem, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return sem == MAP_FAILED ? NULL : sem;
}

int main(void)
{
	int fd = memfd_create("slot", MFD_CLOEXEC), owner = (int)getpid();
	char path[64];
	sem_t *sem;

	if (fd < 0 || ftruncate(fd, sizeof *sem) || !(sem = mapped(fd)) || sem_init(sem, 1, 0) ||
		munmap(sem, sizeof *sem))
		return 1;
	if (fork() == 0) {
		(void)close(fd);
		sleep(60);
		(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", owner, fd);
		sem = mapped(open(path, O_RDWR));
		return !sem || sem_post(sem);
	}
	sem = mapped(fd);
	return !sem || sem_wait(sem) || wait(NULL) < 0;
}
