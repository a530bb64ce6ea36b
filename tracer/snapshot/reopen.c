/* reopen.c - find out whether a program could open or take the descriptors of another process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include "base/arch.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/snapshot/private.h"

enum {
	FILE_MAX = 64 << 20,  /* larger files are not read */
	SCRIPT_MAX = 1 << 20, /* nor are larger scripts */
	SCRIPTS = 4, /* so many arguments are tried as scripts, the program's name included */
	NEAR = FILE_WORDS_KEPT /* "/fd" stands no further behind "/proc/%" in a format, nor a call behind its number */
};

/* What is found in a file. */
enum word { WHOLE = 1, PROC = 2, FD = 4, TAKES = 8 };

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
	} codes[] = {ARCH_CODES_438};
	const char *end = data + len;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const char *p = data;

		while ((p = memmem(p, (size_t)(end - p), codes[i].number, codes[i].n_number))) {
			size_t left = (size_t)(end - p);

			if (has(p, left < NEAR ? left : NEAR, codes[i].call, codes[i].n_call))
				return true;
			p += codes[i].n_number;
		}
	}
	return false;
}

/* "/proc/%d/fd/%d", or the strings "/proc/" and "/fd/" to be put together. */
static unsigned program_words(const char *data, size_t len, unsigned found)
{
	static const char format[] = "/proc/%";
	const char *end = data + len, *p = data;
	bool whole = false;

	(void)found;
	while ((p = memmem(p, (size_t)(end - p), format, sizeof format - 1))) {
		size_t left = (size_t)(end - p);

		whole |= has(p, strnlen(p, left < NEAR ? left : NEAR), "/fd", 3);
		p += sizeof format - 1;
	}
	return (whole ? WHOLE : 0) |
	       (has(data, len, "\0pidfd_getfd", sizeof "\0pidfd_getfd") || calls_getfd(data, len)
			       ? TAKES
			       : 0) |
	       (has(data, len, "\0/proc/", sizeof "\0/proc/") ? PROC : 0) |
	       (has(data, len, "\0/fd/", sizeof "\0/fd/") ? FD : 0);
}

static unsigned text_words(const char *data, size_t len, unsigned found)
{
	(void)found;
	return (has(data, len, "pidfd_getfd", 11) ? TAKES : 0) |
	       (has(data, len, "/proc/", 6) ? PROC : 0) | (has(data, len, "/fd", 3) ? FD : 0);
}

/* What that comes to: REOPENS_... */
static unsigned ways(unsigned words)
{
	return (words & WHOLE || (words & PROC && words & FD) ? REOPENS_BY_PATH : 0) |
	       (words & TAKES ? REOPENS_BY_TAKING : 0);
}

static unsigned file_names(const char *path, off_t most, struct hash *seen, file_look *look)
{
	_cleanup_close_ int fd = authority_open(path, most);

	return ways(file_words(fd, look, look == text_words, seen));
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
