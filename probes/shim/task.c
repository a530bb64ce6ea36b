/* task.c - numbers of threads and processes. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/task.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "probes/shim/arena.h"
#include "probes/shim/sys.h"

/*
 * glibc keeps the tid in the thread's descriptor, to which pthread_t points;
 * where, the calling thread's own shows.
 */
static size_t tid_offset(void)
{
	static size_t known;
	const char *self = (const char *)pthread_self();
	long tid;

	if (known)
		return known;
	tid = sys0(SYS_gettid);
	for (size_t at = 512; tid > 0 && at < 1024; at += 4)
		if (*(const int *)(self + at) == tid) {
			known = at;
			break;
		}
	return known;
}

uint32_t thread_tid(pthread_t thread)
{
	size_t at = tid_offset();

	return at ? (uint32_t)__atomic_load_n(
			    (const int *)((const char *)thread + at), __ATOMIC_ACQUIRE)
		  : 0;
}

uint32_t shim_tid(void)
{
	long tid = sys0(SYS_gettid);

	return tid > 0 ? (uint32_t)tid : thread_tid(pthread_self());
}

uint32_t shim_pid(void)
{
	struct shim_wiped *w = shim_wiped();
	long pid = sys0(SYS_getpid);

	if (pid > 0)
		return (uint32_t)pid;
	/* A child that is new has its first thread alone. */
	if (w && !w->pid)
		w->pid = shim_tid();
	return w ? w->pid : 0;
}

uint64_t task_pidns(void)
{
	struct stat st;

	return sys4(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0 ? st.st_ino : 0;
}

static uint64_t parse_number(const char **p)
{
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		n = n * 10 + (uint64_t)(**p - '0');
	return n;
}

/* "4711/task/4712" */
uint64_t task_outer(uint64_t pidns)
{
	char link[64];
	const char *p = link;
	struct stat st;
	uint64_t pid;
	long n;

	if (!pidns || pidns == shim_arena->pidns || !shim_arena->proc_dev ||
		sys4(SYS_newfstatat, AT_FDCWD, "/proc", &st, 0) < 0 ||
		st.st_dev != shim_arena->proc_dev)
		return 0;
	n = sys4(SYS_readlinkat, AT_FDCWD, "/proc/thread-self", link, sizeof link - 1);
	if (n <= 0)
		return 0;
	link[n] = '\0';
	pid = parse_number(&p);
	if (strncmp(p, "/task/", 6) != 0)
		return 0;
	p += 6;
	return pid << 32 | parse_number(&p);
}
