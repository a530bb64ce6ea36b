/* ruby.c - the threads of a Ruby program. */
/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine has a list of its ractors, these have lists of their threads. What is seen of them holds of one
 * moment for threads that slept all the while.
 */
#include "tracer/runtime/ruby/ruby.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/script.h"
#include "schema/compat.h"

enum { MAX_RACTORS = 64 };

/* ---- Threads ---- */

static void read_thread(struct ruby *r, uint64_t addr, const struct tasks *tasks)
{
	const struct ruby_layout *l = r->layout;
	struct ruby_thread *t = &r->list[r->n];
	uint64_t native = l->thread_native < 0 ? addr : ruby_pointer(r, addr, l->thread_native);
	uint8_t status = 0;

	/* The rest is 0 since it was allocated: its frames are many pages, of which few are used. */
	t->addr = addr;
	t->ec = ruby_pointer(r, addr, l->thread_ec);
	(void)memory_cached(&r->memory, addr + (uint64_t)l->thread_status, &status, 1);
	t->status = (enum ruby_status)(status & 3);
	if (native)
		t->task = tasks_find(
			tasks, (pid_t)memory_u32(&r->memory, native + (uint64_t)l->native_tid));
	r->n++;
}

/* Follows the threads of one ractor. Returns false if one does not belong to this machine. */
static bool read_ractor(struct ruby *r, uint64_t ractor, const struct tasks *tasks)
{
	const struct ruby_layout *l = r->layout;
	uint64_t head = ractor + (uint64_t)l->ractor_threads, at = ruby_pointer(r, head, 0);

	for (; at && at != head && r->n < RUNTIME_MAX_THREADS; at = ruby_pointer(r, at, 0)) {
		uint64_t addr = at - (uint64_t)l->thread_node;

		if (ruby_pointer(r, addr, l->thread_vm) != r->vm)
			return false;
		read_thread(r, addr, tasks);
	}
	return true;
}

/*
 * The thread that forks is the only one of the child, and its main thread there; up to 3.1 it keeps the number that it
 * had in the parent.
 */
static void find_main(struct ruby *r, const struct tasks *tasks)
{
	struct ruby_thread *lost = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct ruby_thread *t = &r->list[i];

		if (t->task && t->task->tid == r->memory.pid)
			return;
		if (!t->task && lost)
			return;
		if (!t->task)
			lost = t;
	}
	for (size_t i = 0; lost && i < tasks->n; i++)
		if (tasks->list[i].tid == r->memory.pid)
			lost->task = &tasks->list[i];
}

static int read_threads(struct ruby *r, const struct tasks *tasks, struct buf *why)
{
	uint64_t head = r->vm + (uint64_t)r->layout->vm_ractors, at = ruby_pointer(r, head, 0);

	r->list = xcalloc(RUNTIME_MAX_THREADS, sizeof *r->list);
	for (unsigned i = 0; at && at != head && i < MAX_RACTORS; i++, at = ruby_pointer(r, at, 0))
		if (!read_ractor(r, at - (uint64_t)r->layout->ractor_node, tasks)) {
			buf_adds(why,
				"it runs a build of Ruby that pptrace does not know (rbspy shows where its threads are)");
			return -ENOTSUP;
		}
	find_main(r, tasks);
	for (size_t i = 0; i < r->n; i++)
		ruby_frames(r, &r->list[i]);
	ruby_joins(r);
	return 0;
}

static bool is_library(const char *file)
{
	return file[0] == '<' || strstr(file, "/lib/ruby/") != NULL;
}

static void show_thread(struct ruby *r, const struct ruby_thread *t, struct runtime_thread *ret,
	enum hooks hooks, bool is_main)
{
	memset(ret, 0, sizeof *ret);
	ret->tid = t->task->tid;
	if (!is_main)
		(void)ruby_string(r, ruby_pointer(r, t->addr, r->layout->thread_name), ret->name,
			sizeof ret->name);
	for (size_t i = 0; i < t->n_frames; i++) {
		const struct ruby_frame *f = &t->frames[i];

		if (!strcmp(f->label, "<main>")) {
			_cleanup_free_ char *name = script_name(f->file);

			(void)snprintf(
				ret->program, sizeof ret->program, "%.63s", name ? name : "");
		}
		ret->frames[ret->n_frames++] = (struct runtime_frame){.function = f->label,
			.file = f->file,
			.line = f->line,
			.is_library = is_library(f->file)};
	}
	ret->hooks = hooks;
	ret->tells_wait = true;
	ruby_wait(r, t, &ret->wait);
}

/* From 3.2 on the machine's own thread has no name; it waits for events that are to be written into the library's data. */
static bool is_unnamed_timer(const struct ruby *r, const struct task *task)
{
	struct runtime_call call;

	/* The preload library waits by epoll_pwait in its place. */
	return r->data_high && runtime_call_read(r->process, task->tid, &call) &&
	       (call.nr == LIBC_EPOLL_WAIT || call.nr == SYS_epoll_pwait) &&
	       call.args[1] >= r->data_low && call.args[1] < r->data_high;
}

static bool is_timer(const struct ruby *r, const struct task *task)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].task == task)
			return false;
	return !strncmp(task->name, "ruby-timer", 10) || is_unnamed_timer(r, task);
}

/* The machine's own thread is none of the program's. */
static void show_timer(
	const struct ruby *r, const struct tasks *tasks, runtime_each *each, void *arg)
{
	_cleanup_free_ struct runtime_thread *shown = xcalloc(1, sizeof *shown);

	for (size_t i = 0; i < tasks->n; i++) {
		if (!is_timer(r, &tasks->list[i]))
			continue;
		shown->tid = tasks->list[i].tid;
		shown->is_housekeeping = true;
		each(arg, shown);
	}
}

/* Everything is read first and reported afterwards: who waits for whom is true of threads that slept throughout. */
static void show_all(struct ruby *r, struct tasks *tasks, runtime_each *each, void *arg)
{
	_cleanup_free_ struct runtime_thread *shown = xcalloc(r->n + 1, sizeof *shown);
	enum hooks hooks = ruby_traps(r);

	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].task)
			show_thread(r, &r->list[i], &shown[i], hooks,
				r->list[i].task->tid == r->memory.pid);
	tasks_settle(tasks, r->process);
	for (size_t i = 0; i < r->n; i++) {
		if (!r->list[i].task)
			continue;
		if (!r->list[i].task->sleeps)
			shown[i].wait = (struct runtime_wait){.reason = WAIT_NONE};
		each(arg, &shown[i]);
	}
	show_timer(r, tasks, each, arg);
}

static int threads(const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why)
{
	struct ruby r = {.memory = runtime_memory(p, MEMORY_READS), .process = p};
	struct tasks tasks = {0};
	int rc = ruby_find(&r, p, why);

	if (rc == 0) {
		tasks_read(&tasks, p);
		rc = read_threads(&r, &tasks, why);
	}
	if (rc == 0)
		show_all(&r, &tasks, each, arg);
	tasks_done(&tasks);
	memory_done(&r.memory);
	free(r.list);
	return rc;
}

const struct runtime runtime_ruby = {
	.language = "ruby", .threads = threads, .is_there = ruby_is_there};
