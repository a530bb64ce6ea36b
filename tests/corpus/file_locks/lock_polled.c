/* lock_polled.c - one process asks for a lock of a file again and again, which another has and keeps: nothing is certain. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all:    lock-contention
 * misses: why (who polls never rests, and a snapshot sees no call that has returned)
 * source: servo/ci-runners#57, Manta-Network/Manta#874 (apt waits for dpkg's lock)
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	char path[] = "/tmp/pptrace-corpus-XXXXXX", byte;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = mkstemp(path), ready[2];
	pid_t keeper;

	if (fd < 0 || pipe(ready))
		return 1;
	unlink(path);
	keeper = fork();
	if (keeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fcntl(fd, F_SETLK, &whole) || write(ready[1], "r", 1) != 1)
			return 1;
		for (;;)
			sleep(60);
	}
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	while (fcntl(fd, F_SETLK, &whole))
		usleep(50000);
	return 0;
}
