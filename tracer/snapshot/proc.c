/* proc.c - read files of /proc and memory of processes. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/core/core.h"

enum { SHORT_READ = 3000 };

int proc_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len + 1 < size && (n = read(fd, text + len, size - 1 - len)) != 0) {
		if (n < 0) {
			int rc = -errno;

			(void)close(fd);
			return rc;
		}
		len += (size_t)n;
		/* A file with more content fills about a page at each read: a much shorter read is the end. */
		if (n < SHORT_READ)
			break;
	}
	text[len] = '\0';
	(void)close(fd);
	return (int)len;
}

pid_t proc_next(DIR *proc)
{
	struct dirent *e;

	while (proc && (e = readdir(proc)) != NULL)
		if (atoi(e->d_name) > 0)
			return atoi(e->d_name);
	return 0;
}

uint64_t proc_stat_field(const char *text, int n)
{
	const char *p = strrchr(text, ')');

	if (!p)
		return 0;
	p += 1;
	for (int i = 3; *p && i <= n; i++) {
		p += strspn(p, " ");
		if (i == n)
			return strtoull(p, NULL, 10);
		p += strcspn(p, " ");
	}
	return 0;
}

pid_t proc_leader(pid_t tid)
{
	char path[64], text[4096];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	if (proc_read(path, text, sizeof text) <= 0)
		return tid;
	at = strstr(text, "\nTgid:");
	return at ? (pid_t)atoi(at + 6) : tid;
}

bool proc_memory(const struct snap_process *p, uint64_t addr, void *to, size_t len)
{
	struct iovec local = {to, len}, remote = {(void *)(uintptr_t)addr, len};

	if (p->core)
		return core_read(p->core, addr, to, len);
	return process_vm_readv(p->live, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

struct snap_process *proc_of_thread(const struct snapshot *s, pid_t tid)
{
	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; k < s->processes[i]->n_threads; k++)
			if (s->processes[i]->threads[k].tid == tid)
				return s->processes[i];
	return NULL;
}
