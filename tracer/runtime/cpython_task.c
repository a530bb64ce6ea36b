/* cpython_task.c - the coroutine that an event loop of asyncio waits for. */
/* SPDX-License-Identifier: MIT */
/*
 * A loop runs until the future of run_until_complete is done. If that is a task, it has a coroutine, whose frames it is that
 * somebody wants to see: what they wait for is another coroutine on top of their stack, or the future in the task (fut_waiter). That may be a
 * task again, or gather's, which has a list of tasks (_children). The one that waits for anything else is the innermost.
 *
 * Where a task has its members differs between releases, but not their order (Modules/_asynciomodule.c): fut_waiter, coro, name. The
 * coroutine is known by its type. A coroutine of 3.11 and newer has its frame within itself, which is known by its code.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tracer/runtime/cpython.h"

enum {
	MAX_TASKS = 8,           /* each waiting for the next */
	MAX_COROUTINES = 32,     /* of one task */
	MAX_CHILDREN = 256,      /* of one gather */
	MAX_STACKED = 1000,      /* words of one frame */
	TASK_WORDS = 32,         /* of a task, in which its members lie */
	FRAME_IN_COROUTINE = 64, /* at the earliest */
	FRAME_LATEST = 96,
	FRAME_POINTER = 16, /* up to 3.10: gi_frame */
	LIST_ITEMS = 24
};

/* ---- Coroutines ---- */

static uint64_t frame_of(struct cpython *c, uint64_t coroutine)
{
	if (c->layout->minor < 11)
		return cpython_pointer(c, coroutine, FRAME_POINTER);
	for (uint64_t at = coroutine + FRAME_IN_COROUTINE; at <= coroutine + FRAME_LATEST; at += 8)
		if (!strcmp(cpython_type(c, cpython_pointer(c, at, c->layout->frame_code)), "code"))
			return at;
	return 0;
}

/* What lies on top of the stack of a frame that waits: the coroutine that it awaits; 0: not known. */
static uint64_t awaited(struct cpython *c, const struct cpython_frame *f)
{
	const struct cpython_layout *l = c->layout;
	uint64_t word = memory_pointer(&c->memory, f->addr + (uint64_t)l->frame_instr + 8);

	/* 3.14 has an address there, 3.11 to 3.13 how many words there are. */
	if (l->minor < 11 || (l->minor < 14 && !(uint32_t)word))
		return 0;
	if (l->minor < 14) {
		word = (uint32_t)word < MAX_STACKED
			       ? f->addr + (uint64_t)l->frame_locals + 8 * (uint64_t)(uint32_t)word
			       : 0;
	}
	return word ? cpython_pointer(c, word - 8, 0) : 0;
}

/* ---- Tasks ---- */

struct task_members {
	uint64_t waiter, coroutine, name;
};

static bool read_task(struct cpython *c, uint64_t task, struct task_members *ret)
{
	uint64_t words[TASK_WORDS];
	const char *type = cpython_type(c, task);

	if (strcmp(type, "_asyncio.Task") != 0 ||
		!memory_read(&c->memory, task, words, sizeof words))
		return false;
	for (size_t i = 3; i + 1 < TASK_WORDS; i++) {
		if (words[i] % 8 || words[i] < 4096 ||
			strcmp(cpython_type(c, words[i]), "coroutine") != 0)
			continue;
		*ret = (struct task_members){words[i - 1], words[i], words[i + 1]};
		return true;
	}
	return false;
}

/* The first task of those that gather waits for which is not done: it waits for something itself. */
static uint64_t of_children(struct cpython *c, uint64_t future)
{
	uint64_t list = cpython_attribute(c, future, "_children");
	uint64_t n =
		list ? memory_pointer(&c->memory, list + (uint64_t)c->layout->sized_length) : 0;
	uint64_t items = list ? memory_pointer(&c->memory, list + LIST_ITEMS) : 0;
	struct task_members m;

	if (!list || strcmp(cpython_type(c, list), "list") != 0)
		return 0;
	for (uint64_t i = 0; i < n && i < MAX_CHILDREN; i++) {
		uint64_t task = memory_pointer(&c->memory, items + 8 * i);

		if (read_task(c, task, &m) && m.waiter)
			return task;
	}
	return 0;
}

/* The task that another one waits for by this future, or 0. */
static uint64_t next_task(struct cpython *c, uint64_t waiter)
{
	const char *type = cpython_type(c, waiter);

	return !strcmp(type, "_asyncio.Task")      ? waiter
	       : !strcmp(type, "_GatheringFuture") ? of_children(c, waiter)
						   : 0;
}

/* "Task-2", which newer releases keep as a number until somebody asks. */
static void name_of(struct cpython *c, uint64_t name, char *ret, size_t size)
{
	uint64_t number;

	if (cpython_int(c, name, &number))
		(void)snprintf(ret, size, "Task-%llu", (unsigned long long)number);
	else if (!cpython_string(c, name, ret, size) || !*ret)
		(void)snprintf(ret, size, "without a name");
}

/* "move in task Task-2"; it belongs to c. */
static const char *function_in(
	struct cpython *c, const struct cpython_code *code, uint64_t coroutine, const char *task)
{
	char *text = hash_get(&c->names, coroutine);

	if (text)
		return text;
	text = xasprintf("%s in task %s", code->name, task);
	(void)hash_set(&c->names, coroutine, text);
	return text;
}

/* Fills the frames of a task's coroutine, innermost first. */
static size_t show_task(
	struct cpython *c, const struct task_members *m, struct runtime_frame *ret, size_t max)
{
	struct runtime_frame list[MAX_COROUTINES];
	uint64_t coroutine = m->coroutine, back;
	char name[64];
	size_t n = 0, shown = 0;

	name_of(c, m->name, name, sizeof name);
	while (n < MAX_COROUTINES && coroutine &&
		!strcmp(cpython_type(c, coroutine), "coroutine")) {
		uint64_t at = frame_of(c, coroutine);
		struct cpython_frame f;

		if (!at || !cpython_frame_at(c, at, &f, &back) || !f.code)
			break;
		list[n] = cpython_shown(&f);
		list[n++].function = function_in(c, f.code, coroutine, name);
		coroutine = awaited(c, &f);
	}
	while (n && shown < max)
		ret[shown++] = list[--n];
	return shown;
}

/* ---- The loop ---- */

/* A search for a variable. */
struct variable {
	struct cpython *c;
	uint64_t found;
};

static bool is_future(void *arg, uint64_t key, uint64_t value)
{
	struct variable *v = arg;

	if (strcmp(cpython_name(v->c, key), "future") != 0)
		return true;
	v->found = value;
	return false;
}

/* What the innermost loop runs for, or 0. */
static uint64_t until_complete(struct cpython *c, const struct cpython_frame *frames, size_t n)
{
	struct variable v = {c, 0};

	for (size_t i = 0; i < n && !v.found; i++)
		if (cpython_is_in(&frames[i], "/asyncio/base_events.py", "run_until_complete"))
			(void)cpython_locals(c, &frames[i], is_future, &v);
	return v.found;
}

size_t cpython_tasks(struct cpython *c, const struct cpython_frame *frames, size_t n,
	struct runtime_frame *ret, size_t max)
{
	uint64_t task = n && cpython_is_in(&frames[0], "/selectors.py", "select")
				? until_complete(c, frames, n)
				: 0;
	struct task_members chain[MAX_TASKS];
	size_t n_tasks = 0, shown = 0;

	while (task && n_tasks < MAX_TASKS && read_task(c, task, &chain[n_tasks]))
		task = next_task(c, chain[n_tasks++].waiter);
	while (n_tasks)
		shown += show_task(c, &chain[--n_tasks], ret + shown, max - shown);
	return shown;
}
