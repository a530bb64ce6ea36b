/* arena.c - the private directory in which the preload library keeps its rings. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define PREFIX "pptrace-arena-"

/* Rings in /dev/shm are memory; on a disk they would be written back for nothing. */
static const char *const places[] = {"/dev/shm", "/tmp"};

char *arena_make(uid_t owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *path = xasprintf("%s/" PREFIX "%d-XXXXXX", places[i], (int)getpid());

		if (mkdtemp(path)) {
			if (owner == geteuid() || lchown(path, owner, (gid_t)-1) == 0)
				return path;
			(void)rmdir(path);
		}
		free(path);
	}
	return NULL;
}

void arena_remove(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(path);
}

/* Says whether name is that of an arena whose pptrace has ended. */
static bool is_stale(const char *name)
{
	char *end;
	long pid;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	pid = strtol(name + strlen(PREFIX), &end, 10);
	return pid > 0 && *end == '-' && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

void arena_clean(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		DIR *dir = opendir(places[i]);

		for (struct dirent *e; dir && (e = readdir(dir));) {
			struct stat st;
			_cleanup_free_ char *path = NULL;

			if (!is_stale(e->d_name) ||
				fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
				!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
				continue;
			path = xasprintf("%s/%s", places[i], e->d_name);
			arena_remove(path);
		}
		if (dir)
			(void)closedir(dir);
	}
}
