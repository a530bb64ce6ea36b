/* file.c - open files whose names come from a program. */
/* SPDX-License-Identifier: MIT */
#include "schema/compat.h"
#include "tracer/authority/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/authority/private.h"

/* What the kernel makes up while it is read: reading it may block, have effects, or reveal the reader's secrets. */
static bool is_made_up(int place)
{
	static const long systems[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
		SECURITYFS_MAGIC, BPF_FS_MAGIC, CGROUP2_SUPER_MAGIC};
	struct statfs fs;

	if (fstatfs(place, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (fs.f_type == systems[i])
			return true;
	return false;
}

/* Opens what a descriptor only points to (O_PATH), once it is known to be harmless. */
static int open_place(int place, int64_t most)
{
	char again[32];
	struct stat st;
	int fd;

	if (fstat(place, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > most || is_made_up(place))
		return -EACCES;
	(void)snprintf(again, sizeof again, "/proc/self/fd/%d", place);
	/* access(2) checks as the real user, without added privileges. */
	if (authority_is_elevated() && access(again, R_OK) < 0)
		return -EACCES;
	fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int authority_open(const char *path, int64_t most)
{
	_cleanup_close_ int place = open(path, O_PATH | O_CLOEXEC);

	return place < 0 ? -errno : open_place(place, most);
}

int authority_open_inside(pid_t pid, const char *path, int64_t most)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	_cleanup_free_ char *name = xasprintf("/proc/%d/root", (int)pid);
	_cleanup_close_ int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC), place = -1;

	if (root < 0)
		return -errno;
	place = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
	return place < 0 ? -errno : open_place(place, most);
}
