/* mappers.c - which processes share memory, or have an io_uring; what they call themselves. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/snapshot/private.h"

static bool maps_it(pid_t pid, uint64_t dev, uint64_t inode)
{
	struct snap_process p = {.live = pid};
	bool maps = false;

	maps_load(&p);
	for (size_t i = 0; i < p.n_maps; i++)
		maps |= p.maps[i].dev == dev && p.maps[i].inode == inode;
	maps_done(&p);
	return maps;
}

/* A process that has the file open may yet map it. */
static bool has_it_open(pid_t pid, uint64_t dev, uint64_t inode)
{
	char path[32];
	bool open = false;
	struct dirent *e;
	struct stat st;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && !open && (e = readdir(dir)) != NULL)
		open = isdigit((unsigned char)e->d_name[0]) &&
		       fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		       st.st_dev == dev && st.st_ino == inode;
	if (dir)
		(void)closedir(dir);
	return open;
}

size_t snapshot_mappers(uint64_t dev, uint64_t inode, pid_t **ret)
{
	DIR *proc = opendir("/proc");
	pid_t *list = NULL;
	size_t n = 0, cap = 0;

	for (pid_t pid; (pid = proc_next(proc));) {
		if (pid == getpid() || (!maps_it(pid, dev, inode) && !has_it_open(pid, dev, inode)))
			continue;
		ARRAY_GROW(list, n, cap);
		list[n++] = pid;
	}
	if (proc)
		(void)closedir(proc);
	*ret = list;
	return n;
}

int snapshot_uring(pid_t pid)
{
	char path[32], link[64];
	struct dirent *e;
	int found = -1;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && found < 0 && (e = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof link - 1);

		link[n > 0 ? n : 0] = '\0';
		if (!strcmp(link, "anon_inode:[io_uring]"))
			found = atoi(e->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

bool snapshot_title(pid_t pid, char *ret, size_t size)
{
	char path[32];
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	n = proc_read(path, ret, size);
	if (n <= 0)
		return false;
	n = (ssize_t)strnlen(ret, (size_t)n);
	memset(ret + n, 0, size - (size_t)n);
	return n > 0;
}
