/* reopen.c - find out whether a program could open the descriptors of another process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/reopen.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
	FILE_MAX = 64 << 20,  /* larger files are not read */
	SCRIPT_MAX = 1 << 20, /* nor are larger scripts */
	SCRIPTS = 4, /* so many arguments are tried as scripts, the program's name included */
	NEAR = 24    /* "/fd" stands no further behind "/proc/%" in a format */
};

static bool has(const char *data, size_t len, const char *word, size_t n)
{
	return memmem(data, len, word, n) != NULL;
}

/* "/proc/%d/fd/%d", or the strings "/proc/" and "/fd/" to be put together. */
static bool program_names(const char *data, size_t len)
{
	static const char format[] = "/proc/%";
	const char *end = data + len, *p = data;

	while ((p = memmem(p, (size_t)(end - p), format, sizeof format - 1))) {
		size_t left = (size_t)(end - p);

		if (has(p, strnlen(p, left < NEAR ? left : NEAR), "/fd", 3))
			return true;
		p += sizeof format - 1;
	}
	return has(data, len, "\0/proc/", sizeof "\0/proc/") &&
	       has(data, len, "\0/fd/", sizeof "\0/fd/");
}

static bool text_names(const char *data, size_t len)
{
	return has(data, len, "/proc/", 6) && has(data, len, "/fd", 3);
}

/*
 * Opens a regular file. Anything else is not even touched: to open a FIFO lets
 * those go on who wait for its other side, and to open a device may do anything.
 */
static int open_regular(const char *path)
{
	_cleanup_close_ int place = open(path, O_PATH | O_CLOEXEC);
	char again[32];
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	(void)snprintf(again, sizeof again, "/proc/self/fd/%d", place);
	return open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* Maps the file and asks about its bytes; what is known of it already is not read again. */
static bool file_names(const char *path, off_t most, struct hash *seen,
	bool (*names)(const char *data, size_t len))
{
	_cleanup_close_ int fd = open_regular(path);
	struct stat st;
	uintptr_t known;
	uint64_t key;
	void *data;
	bool found = false;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size ||
		st.st_size > most)
		return false;
	key = hash_mix(hash_mix(st.st_dev, st.st_ino, (uint64_t)st.st_mtim.tv_sec),
		(uint64_t)st.st_size, names == text_names);
	known = (uintptr_t)hash_get(seen, key);
	if (known)
		return known == 2;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data != MAP_FAILED) {
		found = names(data, (size_t)st.st_size);
		(void)munmap(data, (size_t)st.st_size);
	}
	(void)hash_set(seen, key, (void *)(uintptr_t)(1 + found));
	return found;
}

bool reopen_named(pid_t pid, const char *argv, size_t n, struct hash *seen)
{
	_cleanup_free_ char *exe = xasprintf("/proc/%d/exe", (int)pid);
	const char *end = argv + n;

	if (file_names(exe, FILE_MAX, seen, program_names))
		return true;
	for (int i = 0; argv < end; i++) {
		size_t len = strnlen(argv, (size_t)(end - argv));

		if (text_names(argv, len))
			return true;
		if (i > 0 && i < SCRIPTS && len && argv[0] != '-') {
			_cleanup_free_ char *path = xasprintf("/proc/%d/%s/%.*s", (int)pid,
				argv[0] == '/' ? "root" : "cwd", (int)len, argv);

			if (file_names(path, SCRIPT_MAX, seen, text_names))
				return true;
		}
		argv += len + 1;
	}
	return false;
}
