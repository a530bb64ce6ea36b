/* mem.c - memory that cannot run out quietly, and owners that clean up. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

static _Atomic(mem_act *) last_act;
static atomic_bool is_over;

void mem_set_last_act(mem_act *act)
{
	last_act = act;
}

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "pptrace: out of memory\n";
	mem_act *act;

	/* Another thread is about to end the process. */
	while (atomic_exchange(&is_over, true))
		(void)pause();
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		is_over = true;
	act = last_act;
	if (act)
		act();
	_exit(125);
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n ? n : 1, size ? size : 1);

	if (!q)
		out_of_memory();
	return q;
}

char *xstrdup(const char *s)
{
	return s ? xstrndup(s, strlen(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	return s;
}

void mem_cleanup_free(void *pp)
{
	void **p = pp;

	free(*p);
}

void mem_cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

void mem_cleanup_fclose(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}
