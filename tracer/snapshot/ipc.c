/* ipc.c - queues and semaphores that nobody can find who was not given them. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* /proc/sysvipc shows the namespace of who reads it. */
static bool is_our_namespace(pid_t pid)
{
	char path[64], theirs[64], ours[64];
	ssize_t n, m;

	(void)snprintf(path, sizeof path, "/proc/%d/ns/ipc", (int)pid);
	n = readlink(path, theirs, sizeof theirs);
	m = readlink("/proc/self/ns/ipc", ours, sizeof ours);
	return n > 0 && n == m && !memcmp(theirs, ours, (size_t)n);
}

/* Says whether an object of System V was made without a key (IPC_PRIVATE), or cannot be found by it any more. */
static bool is_keyless(pid_t pid, const char *table, int id)
{
	_cleanup_fclose_ FILE *f = is_our_namespace(pid) ? fopen(table, "re") : NULL;
	char line[512];
	long long key;
	int number;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%lld %d", &key, &number) == 2 && number == id)
			return key == 0;
	return false;
}

/* Says whether the name of a POSIX queue is gone. */
static bool is_nameless(pid_t pid, int fd)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
}

bool ipc_is_private(pid_t pid, int64_t nr, uint64_t which)
{
	switch (nr) {
#ifdef SYS_semop
	case SYS_semop:
#endif
	case SYS_semtimedop:
		return is_keyless(pid, "/proc/sysvipc/sem", (int)which);
	case SYS_msgsnd:
	case SYS_msgrcv:
		return is_keyless(pid, "/proc/sysvipc/msg", (int)which);
	case SYS_mq_timedsend:
	case SYS_mq_timedreceive:
		return is_nameless(pid, (int)which);
	default:
		return false;
	}
}
