/* cpython_join.c - Python's library by its files and functions, and threads whose end another waits for. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/cpython.h"

#include <stdio.h>
#include <string.h>

/* The standard library; what is installed beside it is somebody's program. */
bool cpython_is_library(const char *file)
{
	return !strncmp(file, "<frozen", 7) ||
	       (strstr(file, "/lib/python") && !strstr(file, "/site-packages/") &&
		       !strstr(file, "/dist-packages/"));
}

/* "queue" of "/usr/lib/python3.11/queue.py"; of a package "asyncio.locks", or "logging". */
void cpython_module(const char *file, char *ret, size_t size)
{
	const char *base = strrchr(file, '/'), *folder = base, *dot;
	size_t len;

	base = base ? base + 1 : file;
	dot = strrchr(base, '.');
	len = dot ? (size_t)(dot - base) : strlen(base);
	while (folder && folder > file && folder[-1] != '/')
		folder--;
	if (folder && folder < base && !strcmp(base, "__init__.py"))
		(void)snprintf(ret, size, "%.*s", (int)(base - 1 - folder), folder);
	else if (folder && strncmp(folder, "python", 6) != 0 && !strncmp(file, "/", 1))
		(void)snprintf(
			ret, size, "%.*s.%.*s", (int)(base - 1 - folder), folder, (int)len, base);
	else
		(void)snprintf(ret, size, "%.*s", (int)len, base);
}

/* Says whether a frame is Thread.join, whatever class the program has made of Thread; before 3.11 the name has no class. */
bool cpython_is_join(const struct cpython_frame *f)
{
	char module[32];

	cpython_module(f->code->file, module, sizeof module);
	return f->code->is_library && !strcmp(module, "threading") &&
	       (!strcmp(f->code->name, "Thread.join") || !strcmp(f->code->name, "join"));
}

/* ---- Threads that the end of the program waits for ---- */

/* Says whether a frame is threading._shutdown, which joins all threads but daemons when the main thread has ended. */
bool cpython_is_shutdown(const struct cpython_frame *f)
{
	char module[32];

	cpython_module(f->code->file, module, sizeof module);
	return f->code->is_library && !strcmp(module, "threading") &&
	       !strcmp(f->code->name, "_shutdown");
}

/* The search for the thread that is joined there. */
struct joined {
	struct cpython *c;
	uint64_t address; /* of the semaphore that is waited for */
	uint64_t found;
	unsigned n;
};

/* True and False are ints, whose type is called bool. */
static bool is_true(struct cpython *c, uint64_t object)
{
	enum { DIGIT = 24 };

	return !strcmp(cpython_type(c, object), "bool") && memory_u32(&c->memory, object + DIGIT);
}

/*
 * A Thread of threading._active. Up to 3.12 it has the lock that is waited for; from 3.13 on the interpreter has a
 * list of its own: which one of several it waits for is not known.
 */
static bool visit_active(void *arg, uint64_t key, uint64_t thread)
{
	struct joined *j = arg;

	(void)key;
	if (j->c->layout->minor < 13) {
		if (!cpython_waits_for(
			    j->c, cpython_attribute(j->c, thread, "_tstate_lock"), j->address))
			return true;
		j->found = thread;
		j->n = 1;
		return false;
	}
	if (is_true(j->c, cpython_attribute(j->c, thread, "_daemonic")) ||
		!strcmp(cpython_type(j->c, thread), "_MainThread"))
		return true;
	j->found = thread;
	j->n++;
	return true;
}

static bool visit_module(void *arg, uint64_t key, uint64_t value)
{
	struct joined *j = arg;

	if (strcmp(cpython_name(j->c, key), "_active") != 0)
		return true;
	(void)cpython_dict(j->c, value, visit_active, j);
	return false;
}

/* Returns the Thread whose end the main thread waits for before the program ends, or 0. */
uint64_t cpython_joined(struct cpython *c, const struct cpython_frame *f, uint64_t address)
{
	struct joined j = {.c = c, .address = address};

	(void)cpython_dict(
		c, cpython_pointer(c, f->addr, c->layout->frame_globals), visit_module, &j);
	return j.n == 1 ? j.found : 0;
}
