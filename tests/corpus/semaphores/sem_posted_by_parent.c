/* sem_posted_by_parent.c - workers wait for a semaphore that a handler of their parent posts, who waits for them meanwhile. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: signal-safety(7): sem_post is what a handler may call
 */
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t *work;

static void on_signal(int signo)
{
	(void)signo;
	sem_post(work);
}

int main(void)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	work = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work == MAP_FAILED || sem_init(work, 1, 0) != 0)
		return 1;
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			while (sem_wait(work) != 0)
				;
			_exit(0);
		}
	sigaction(SIGUSR1, &act, NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}
