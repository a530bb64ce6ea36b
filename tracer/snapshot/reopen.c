/* reopen.c - find out whether a program could open the descriptors of another process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"

enum {
	FILE_MAX = 64 << 20,  /* larger files are not read */
	SCRIPT_MAX = 1 << 20, /* nor are larger scripts */
	PIECE = 1 << 18,      /* so much is read at once */
	KNOWN_MAX = 4096,     /* so many files are remembered */
	SCRIPTS = 4, /* so many arguments are tried as scripts, the program's name included */
	NEAR = 24    /* "/fd" stands no further behind "/proc/%" in a format */
};

/* What has been found in a file so far. */
struct words {
	bool whole, proc, fd;
};

static bool has(const char *data, size_t len, const char *word, size_t n)
{
	return memmem(data, len, word, n) != NULL;
}

/* "/proc/%d/fd/%d", or the strings "/proc/" and "/fd/" to be put together. */
static void program_words(const char *data, size_t len, struct words *w)
{
	static const char format[] = "/proc/%";
	const char *end = data + len, *p = data;

	while ((p = memmem(p, (size_t)(end - p), format, sizeof format - 1))) {
		size_t left = (size_t)(end - p);

		w->whole |= has(p, strnlen(p, left < NEAR ? left : NEAR), "/fd", 3);
		p += sizeof format - 1;
	}
	w->proc |= has(data, len, "\0/proc/", sizeof "\0/proc/");
	w->fd |= has(data, len, "\0/fd/", sizeof "\0/fd/");
}

static void text_words(const char *data, size_t len, struct words *w)
{
	w->proc |= has(data, len, "/proc/", 6);
	w->fd |= has(data, len, "/fd", 3);
}

/* Reads piece by piece (what is mapped could be cut short meanwhile), each with the end of the one before. */
static bool search(int fd, void (*look)(const char *data, size_t len, struct words *w))
{
	_cleanup_free_ char *data = xmalloc(PIECE + NEAR);
	struct words w = {false};
	size_t kept = 0;
	ssize_t n;

	while (!w.whole && !(w.proc && w.fd) && (n = read(fd, data + kept, PIECE)) > 0) {
		size_t len = kept + (size_t)n;

		look(data, len, &w);
		kept = len < NEAR ? len : NEAR;
		memmove(data, data + len - kept, kept);
	}
	return w.whole || (w.proc && w.fd);
}

/* Asks about the bytes of a file; what is known of it already is not read again. */
static bool file_names(const char *path, off_t most, struct hash *seen,
	void (*look)(const char *data, size_t len, struct words *w))
{
	struct stat st;
	_cleanup_close_ int fd = authority_open(path, most);
	uintptr_t known;
	uint64_t key;
	bool found;

	if (fd < 0 || fstat(fd, &st) < 0 || !st.st_size)
		return false;
	key = hash_mix(hash_mix(st.st_dev, st.st_ino, (uint64_t)st.st_mtim.tv_sec),
		(uint64_t)st.st_size, look == text_words);
	known = (uintptr_t)hash_get(seen, key);
	if (known)
		return known == 2;
	found = search(fd, look);
	if (seen->len >= KNOWN_MAX)
		hash_done(seen);
	(void)hash_set(seen, key, (void *)(uintptr_t)(1 + found));
	return found;
}

bool reopen_named(pid_t pid, const char *argv, size_t n, struct hash *seen)
{
	_cleanup_free_ char *exe = xasprintf("/proc/%d/exe", (int)pid);
	const char *end = n ? argv + n : argv;

	if (file_names(exe, FILE_MAX, seen, program_words))
		return true;
	for (int i = 0; argv < end; i++) {
		size_t len = strnlen(argv, (size_t)(end - argv));

		if (has(argv, len, "/proc/", 6) && has(argv, len, "/fd", 3))
			return true;
		if (i > 0 && i < SCRIPTS && len && argv[0] != '-') {
			_cleanup_free_ char *path = xasprintf("/proc/%d/%s/%.*s", (int)pid,
				argv[0] == '/' ? "root" : "cwd", (int)len, argv);

			if (file_names(path, SCRIPT_MAX, seen, text_words))
				return true;
		}
		argv += len + 1;
	}
	return false;
}
