/* reopen.c - find out whether a program could open or take the descriptors of another process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include "base/arch.h"
#include "base/file_words.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/snapshot/private.h"

#include <ctype.h>
#include <unistd.h>

enum {
	FILE_MAX = 64 << 20,  /* larger files are not read */
	SCRIPT_MAX = 1 << 20, /* nor are larger scripts */
	SCRIPTS = 4, /* so many arguments are tried as scripts, the program's name included */
	NEAR = FILE_WORDS_KEPT /* "/fd" stands no further behind "/proc/%" in a format, nor a call behind its number */
};

/* What is found in a file. */
enum word { WHOLE = 1, PROC = 2, FD = 4, TAKES = 8, KILLS = 16 };

static bool has(const char *data, size_t len, const char *word, size_t n)
{
	return memmem(data, len, word, n) != NULL;
}

/*
 * Says whether there is code that makes the system call pidfd_getfd by its number, itself or through syscall(2). The second
 * byte of all these codes is the same, and rare: memchr(3) for it takes a tenth of the time of memmem(3) for each of them.
 */
static bool calls_getfd(const char *data, size_t len)
{
	static const struct {
		const char *number;
		size_t n_number;
		const char *call;
		size_t n_call;
	} codes[] = {ARCH_CODES_438};
	const char *end = data + len, *p = data;

	while (p < end && (p = memchr(p + 1, codes[0].number[1], (size_t)(end - p) - 1))) {
		const char *code = p - 1;
		size_t left = (size_t)(end - code);

		for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
			if (left >= codes[i].n_number &&
				!memcmp(code, codes[i].number, codes[i].n_number) &&
				has(code, left < NEAR ? left : NEAR, codes[i].call,
					codes[i].n_call))
				return true;
	}
	return false;
}

/* Names of functions that send a signal to another process, with the NULs around them as in a table of symbols. */
static bool names_kill(const char *data, size_t len)
{
#define NAMES(name) has(data, len, "\0" name, sizeof "\0" name)
	return NAMES("kill") || NAMES("killpg") || NAMES("sigqueue") || NAMES("tgkill") ||
	       NAMES("pidfd_send_signal") || NAMES("syscall.Kill");
#undef NAMES
}

/* What stands behind a "/proc/": a format with "/fd" in it, or the end of the string, in front of which another one ended. */
static unsigned proc_words(const char *data, const char *p, size_t left)
{
	unsigned found = 0;

	if (*p == '%' && has(p, strnlen(p, left < NEAR ? left : NEAR), "/fd", 3))
		found |= WHOLE;
	if (!*p && p - data > 6 && !p[-7])
		found |= PROC;
	return found;
}

/* "/proc/%d/fd/%d", or the strings "/proc/" and "/fd/" to be put together. */
static unsigned program_words(const char *data, size_t len, unsigned found)
{
	const char *end = data + len, *p = data;

	/* Not the whole format: memmem(3) has a hash of the last two bytes, and that of "/%" is common in code. */
	while ((p = memmem(p, (size_t)(end - p), "/proc/", 6)) && (p += 6) < end)
		found |= proc_words(data, p, (size_t)(end - p));
	if (!(found & FD) && has(data, len, "\0/fd/", sizeof "\0/fd/"))
		found |= FD;
	if (!(found & TAKES) &&
		(has(data, len, "\0pidfd_getfd", sizeof "\0pidfd_getfd") || calls_getfd(data, len)))
		found |= TAKES;
	if (!(found & KILLS) && names_kill(data, len))
		found |= KILLS;
	return found;
}

/* Scripts send signals by commands and methods of many names: kill, pkill, terminate, send_signal. */
static bool says_kill(const char *data, size_t len)
{
	return has(data, len, "kill", 4) || has(data, len, "terminate", 9) ||
	       has(data, len, "send_signal", 11);
}

static unsigned text_words(const char *data, size_t len, unsigned found)
{
	(void)found;
	return (has(data, len, "pidfd_getfd", 11) ? TAKES : 0) |
	       (has(data, len, "/proc/", 6) ? PROC : 0) | (has(data, len, "/fd", 3) ? FD : 0) |
	       (says_kill(data, len) ? KILLS : 0);
}

/* What that comes to: REOPENS_..., ENDS_OTHERS */
static unsigned ways(unsigned words)
{
	return (words & KILLS ? ENDS_OTHERS : 0) |
	       (words & WHOLE || (words & PROC && words & FD) ? REOPENS_BY_PATH : 0) |
	       (words & TAKES ? REOPENS_BY_TAKING : 0);
}

/*
 * Says whether a file is a program that does what a text tells it, by its name: the text then says whether it sends signals.
 * timeout(1) sends them to none but what it has started.
 */
static bool is_told_by_text(const char *exe)
{
	static const char *const stems[] = {"sh", "bash", "dash", "ksh", "zsh", "mksh", "busybox",
		"python", "pypy", "perl", "ruby", "node", "timeout"};
	char path[4096] = "";
	const char *base = readlink(exe, path, sizeof path - 1) > 0 ? strrchr(path, '/') : NULL;

	for (size_t i = 0; base && i < ARRAY_SIZE(stems); i++) {
		size_t n = strlen(stems[i]);

		if (!strncmp(base + 1, stems[i], n) && !isalpha((unsigned char)base[1 + n]))
			return true;
	}
	return false;
}

/* Whose program it is, and what is known of files. */
struct naming {
	struct authority *authority;
	pid_t pid;
	struct hash *seen;
};

/*
 * Adds what a file names; false: it is not there, or the process is none that pptrace may look at. Most files were read
 * before: of these only what stat(2) says is asked, by which they are known again.
 */
static bool file_names(
	const struct naming *n, const char *path, off_t most, file_look *look, unsigned *found)
{
	_cleanup_close_ int fd = -1;
	unsigned words = 0;
	int known = file_words_known(path, look == text_words, n->seen, &words);

	if (known < 0 || (!known && !authority_covers(n->authority, n->pid)))
		return false;
	if (!known) {
		fd = authority_open(path, most);
		words = file_words(fd, look, look == text_words, n->seen);
	}
	*found |= ways(words);
	return true;
}

unsigned reopen_named(
	struct authority *authority, pid_t pid, const char *argv, size_t n, struct hash *seen)
{
	const struct naming naming = {authority, pid, seen};
	_cleanup_free_ char *exe = xasprintf("/proc/%d/exe", (int)pid);
	const char *end = n ? argv + n : argv;
	unsigned found = 0;

	/* Nothing more will come of a program that has ended by now. */
	if (!file_names(&naming, exe, FILE_MAX, program_words, &found))
		return 0;
	if (is_told_by_text(exe))
		found &= ~ENDS_OTHERS;
	for (int i = 0; argv < end; i++) {
		size_t len = strnlen(argv, (size_t)(end - argv));

		if (has(argv, len, "/proc/", 6) && has(argv, len, "/fd", 3))
			found |= REOPENS_BY_PATH;
		if (has(argv, len, "pidfd_getfd", 11))
			found |= REOPENS_BY_TAKING;
		if (i > 0 && says_kill(argv, len))
			found |= ENDS_OTHERS;
		if (i > 0 && i < SCRIPTS && len && argv[0] != '-') {
			_cleanup_free_ char *path = xasprintf("/proc/%d/%s/%.*s", (int)pid,
				argv[0] == '/' ? "root" : "cwd", (int)len, argv);

			(void)file_names(&naming, path, SCRIPT_MAX, text_words, &found);
		}
		argv += len + 1;
	}
	return found;
}
