/* fail_nth.c - a preload library that lets the nth call of a kind fail, in processes called pptrace. */
/* SPDX-License-Identifier: MIT */
/*
 * FAIL_CALL=pwrite64 FAIL_NTH=7: the seventh fails; with FAIL_ALWAYS=1 all from it on. FAIL_COUNT=FILE writes
 * there, at the end, how many there were. Not part of pptrace: only tests/long/faults.sh uses it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static const char *kind;
static long nth;
static int always, ready;
static atomic_long calls;

__attribute__((constructor)) static void begin(void)
{
	const char *n = getenv("FAIL_NTH");

	if (strcmp(program_invocation_short_name, "pptrace") != 0)
		return;
	kind = getenv("FAIL_CALL");
	nth = n ? atol(n) : 0;
	always = getenv("FAIL_ALWAYS") != NULL;
	ready = kind != NULL;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = ready ? getenv("FAIL_COUNT") : NULL;
	FILE *f;

	ready = 0;
	f = path ? fopen(path, "w") : NULL;
	if (f) {
		(void)fprintf(f, "%ld\n", (long)calls);
		(void)fclose(f);
	}
}

static int fails(const char *name)
{
	long n;

	if (!ready || strcmp(kind, name) != 0)
		return 0;
	n = ++calls;
	return nth && (n == nth || (always && n > nth));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(type, name, params, args, error, result)                                              \
	type name params;                                                                          \
	type name params                                                                           \
	{                                                                                          \
		static __typeof__(&name) real;                                                     \
		if (fails(#name)) {                                                                \
			errno = error;                                                             \
			return result;                                                             \
		}                                                                                  \
		if (!real)                                                                         \
			real = REAL(name);                                                         \
		return real args;                                                                  \
	}

/* dlsym may allocate: glibc's own names are asked for. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t n)
{
	return fails("malloc") ? (errno = ENOMEM, NULL) : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails("malloc") ? (errno = ENOMEM, NULL) : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails("malloc") ? (errno = ENOMEM, NULL) : __libc_realloc(p, n);
}

FAIL(void *, mmap, (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o), ENOMEM,
	MAP_FAILED)
FAIL(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), EIO, -1)
FAIL(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), ENOSPC, -1)
FAIL(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n), EIO, -1)
FAIL(ssize_t, pread64, (int fd, void *b, size_t n, off64_t o), (fd, b, n, o), EIO, -1)
FAIL(int, fsync, (int fd), (fd), EIO, -1)
FAIL(int, fdatasync, (int fd), (fd), EIO, -1)
FAIL(int, ftruncate64, (int fd, off64_t n), (fd, n), ENOSPC, -1)
FAIL(pid_t, fork, (void), (), EAGAIN, -1)
FAIL(int, pipe2, (int *fds, int flags), (fds, flags), EMFILE, -1)

int open64(const char *path, int flags, ...);
int open64(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (fails("open"))
		return errno = EMFILE, -1;
	if (!real)
		real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
	return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open64(path, flags, mode);
}
