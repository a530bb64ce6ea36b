/* crossed.c - a preload library whose functions call each other by name, as those of some libraries do. */
/* SPDX-License-Identifier: MIT */
/*
 * Of two functions that do the same, the first calls the second, or with -DREVERSED the second the first. At the end
 * the library prints which of its functions were called. Only tests/e2e/shim/names.sh uses it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

static char called[1024];

static void used(const char *name)
{
	char word[64];

	(void)snprintf(word, sizeof word, " %s ", name);
	if (!strstr(called, word) && strlen(called) + strlen(word) < sizeof called)
		strcat(called, word);
}

__attribute__((destructor)) static void end(void)
{
	static char sorted[sizeof called];
	char *words[64], *save = NULL;
	int n = 0;

	for (char *w = strtok_r(called, " ", &save); w && n < 64; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	for (int i = 0; i < n; i++) {
		int least = i;

		for (int k = i; k < n; k++)
			least = strcmp(words[k], words[least]) < 0 ? k : least;
		strcat(strcat(sorted, " "), words[least]);
		words[least] = words[i];
	}
	(void)dprintf(1, "called%s\n", sorted);
}

/*
 * The functions have names of their own here, because the headers declare some of the real ones with other parameters
 * (open with "..."); what the loader sees is the real name.
 */
#define DECLARE(type, a, params) type my_##a params __asm__(#a);

/* Function a calls the other if it leads, and the next of its own name if not. */
#define DEFINE(leads, type, a, params, args, other)                                                \
	type my_##a params                                                                         \
	{                                                                                          \
		static __typeof__(&my_##a) next;                                                   \
                                                                                                   \
		used(#a);                                                                          \
		if (leads)                                                                         \
			return my_##other;                                                         \
		if (!next)                                                                         \
			next = (__typeof__(next))dlsym(RTLD_NEXT, #a);                             \
		return next args;                                                                  \
	}

#ifdef REVERSED
enum { FIRST_LEADS = 0 };
#else
enum { FIRST_LEADS = 1 };
#endif

#define PAIR(type, a, b, params, args)                                                             \
	DECLARE(type, a, params)                                                                   \
	DECLARE(type, b, params)                                                                   \
	DEFINE(FIRST_LEADS, type, a, params, args, b args)                                         \
	DEFINE(!FIRST_LEADS, type, b, params, args, a args)

typedef void handler_function(int signo);

PAIR(int, open, open64, (const char *path, int flags, mode_t mode), (path, flags, mode))
PAIR(int, openat, openat64, (int dir, const char *path, int flags, mode_t mode),
	(dir, path, flags, mode))
PAIR(int, creat, creat64, (const char *path, mode_t mode), (path, mode))
PAIR(int, __open_2, __open64_2, (const char *path, int flags), (path, flags))
PAIR(int, __openat_2, __openat64_2, (int dir, const char *path, int flags), (dir, path, flags))
PAIR(void *, fopen, fopen64, (const char *path, const char *mode), (path, mode))
PAIR(int, fcntl, fcntl64, (int fd, int cmd, void *arg), (fd, cmd, arg))
PAIR(int, lockf, lockf64, (int fd, int cmd, off_t n), (fd, cmd, n))
PAIR(ssize_t, sendfile, sendfile64, (int out, int in, off_t *at, size_t n), (out, in, at, n))
PAIR(handler_function *, sysv_signal, __sysv_signal, (int signo, handler_function *handler),
	(signo, handler))

/* Those that differ in their parameters. */
#define UNLIKE(type, a, a_params, a_args, b_for_a, b, b_params, b_args, a_for_b)                   \
	DECLARE(type, a, a_params)                                                                 \
	DECLARE(type, b, b_params)                                                                 \
	DEFINE(FIRST_LEADS, type, a, a_params, a_args, b b_for_a)                                  \
	DEFINE(!FIRST_LEADS, type, b, b_params, b_args, a a_for_b)

UNLIKE(ssize_t, __read_chk, (int fd, void *buf, size_t n, size_t size), (fd, buf, n, size),
	(fd, buf, n), read, (int fd, void *buf, size_t n), (fd, buf, n), (fd, buf, n, n))
UNLIKE(ssize_t, __recv_chk, (int fd, void *buf, size_t n, size_t size, int flags),
	(fd, buf, n, size, flags), (fd, buf, n, flags), recv,
	(int fd, void *buf, size_t n, int flags), (fd, buf, n, flags), (fd, buf, n, n, flags))
UNLIKE(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options),
	(pid, status, options, NULL), wait4, (pid_t pid, int *status, int options, void *usage),
	(pid, status, options, usage), (pid, status, options))
UNLIKE(pid_t, wait, (int *status), (status), (status, 0, NULL), wait3,
	(int *status, int options, void *usage), (status, options, usage), (status))
