/* exit_status.c - how a process ended that somebody else is to reap, or has reaped. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

/* Reads the status of a zombie: the last field of /proc/PID/stat. */
static bool zombie_status(pid_t pid, int *ret)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char line[1024];
	ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
	char *state, *last;

	if (n <= 0)
		return false;
	line[n] = '\0';
	state = strrchr(line, ')');
	last = strrchr(line, ' ');
	if (!state || state[1] != ' ' || state[2] != 'Z' || !last)
		return false;
	*ret = atoi(last + 1);
	return true;
}

/* As in linux/pidfd.h since Linux 6.15. */
struct pidfd_exit {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status;
};
#define PIDFD_GET _IOWR(0xFF, 11, struct pidfd_exit)
#define PIDFD_EXIT 8u

/*
 * A parent that is killed together with its child may still reap it, and never records it: then only the descriptor
 * knows the status, from Linux 6.15 on.
 */
static bool kept_status(int pidfd, int *ret)
{
	struct pidfd_exit info = {.mask = PIDFD_EXIT};

	if (ioctl(pidfd, PIDFD_GET, &info) < 0 || !(info.mask & PIDFD_EXIT))
		return false;
	*ret = info.status;
	return true;
}

bool exit_status_of(pid_t pid, int pidfd, int *ret)
{
	return zombie_status(pid, ret) || kept_status(pidfd, ret);
}
