/* reopen.c - find out whether a program could open or take the descriptors of another process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"

enum {
	FILE_MAX = 64 << 20,  /* larger files are not read */
	SCRIPT_MAX = 1 << 20, /* nor are larger scripts */
	PIECE = 1 << 18,      /* so much is read at once */
	KNOWN_MAX = 4096,     /* so many files are remembered */
	SCRIPTS = 4, /* so many arguments are tried as scripts, the program's name included */
	NEAR = 24 /* "/fd" stands no further behind "/proc/%" in a format, nor a call behind its number */
};

/* What has been found in a file so far. */
struct words {
	bool whole, proc, fd, takes;
};

static bool has(const char *data, size_t len, const char *word, size_t n)
{
	return memmem(data, len, word, n) != NULL;
}

/* Says whether there is code that makes the system call pidfd_getfd by its number, itself or through syscall(2). */
static bool calls_getfd(const char *data, size_t len)
{
	static const struct {
		const char *number;
		size_t n_number;
		const char *call;
		size_t n_call;
	} ways[] = {ARCH_CODES_438};
	const char *end = data + len;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *p = data;

		while ((p = memmem(p, (size_t)(end - p), ways[i].number, ways[i].n_number))) {
			size_t left = (size_t)(end - p);

			if (has(p, left < NEAR ? left : NEAR, ways[i].call, ways[i].n_call))
				return true;
			p += ways[i].n_number;
		}
	}
	return false;
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
	w->takes |=
		has(data, len, "\0pidfd_getfd", sizeof "\0pidfd_getfd") || calls_getfd(data, len);
	w->proc |= has(data, len, "\0/proc/", sizeof "\0/proc/");
	w->fd |= has(data, len, "\0/fd/", sizeof "\0/fd/");
}

static void text_words(const char *data, size_t len, struct words *w)
{
	w->takes |= has(data, len, "pidfd_getfd", 11);
	w->proc |= has(data, len, "/proc/", 6);
	w->fd |= has(data, len, "/fd", 3);
}

/* Reads piece by piece (what is mapped could be cut short meanwhile), each with the end of the one before. */
static unsigned search(int fd, void (*look)(const char *data, size_t len, struct words *w))
{
	_cleanup_free_ char *data = xmalloc(PIECE + NEAR);
	struct words w = {false};
	size_t kept = 0;
	ssize_t n;

	while ((n = read(fd, data + kept, PIECE)) > 0) {
		size_t len = kept + (size_t)n;

		look(data, len, &w);
		kept = len < NEAR ? len : NEAR;
		memmove(data, data + len - kept, kept);
	}
	return (w.whole || (w.proc && w.fd) ? REOPENS_BY_PATH : 0) |
	       (w.takes ? REOPENS_BY_TAKING : 0);
}

/* Asks about the bytes of a file; what is known of it already is not read again. */
static unsigned file_names(const char *path, off_t most, struct hash *seen,
	void (*look)(const char *data, size_t len, struct words *w))
{
	struct stat st;
	_cleanup_close_ int fd = authority_open(path, most);
	uintptr_t known;
	uint64_t key;
	unsigned found;

	if (fd < 0 || fstat(fd, &st) < 0 || !st.st_size)
		return 0;
	key = hash_mix(hash_mix(st.st_dev, st.st_ino, (uint64_t)st.st_mtim.tv_sec),
		(uint64_t)st.st_size, look == text_words);
	known = (uintptr_t)hash_get(seen, key);
	if (known)
		return (unsigned)known - 1;
	found = search(fd, look);
	if (seen->len >= KNOWN_MAX)
		hash_done(seen);
	(void)hash_set(seen, key, (void *)((uintptr_t)found + 1));
	return found;
}

unsigned reopen_named(pid_t pid, const char *argv, size_t n, struct hash *seen)
{
	_cleanup_free_ char *exe = xasprintf("/proc/%d/exe", (int)pid);
	const char *end = n ? argv + n : argv;
	unsigned found = file_names(exe, FILE_MAX, seen, program_words);

	for (int i = 0; argv < end; i++) {
		size_t len = strnlen(argv, (size_t)(end - argv));

		if (has(argv, len, "/proc/", 6) && has(argv, len, "/fd", 3))
			found |= REOPENS_BY_PATH;
		if (has(argv, len, "pidfd_getfd", 11))
			found |= REOPENS_BY_TAKING;
		if (i > 0 && i < SCRIPTS && len && argv[0] != '-') {
			_cleanup_free_ char *path = xasprintf("/proc/%d/%s/%.*s", (int)pid,
				argv[0] == '/' ? "root" : "cwd", (int)len, argv);

			found |= file_names(path, SCRIPT_MAX, seen, text_words);
		}
		argv += len + 1;
	}
	return found;
}
