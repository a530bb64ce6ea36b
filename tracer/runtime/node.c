/* node.c - the threads of Node.js. */
/* SPDX-License-Identifier: MIT */
/*
 * JavaScript runs in the main thread and in Workers; each has an event loop of libuv, in which it waits. What a promise or a
 * callback waits for has no thread, and is not read. The other threads serve them: V8's, the inspector's, libuv's pool. They
 * are known by the functions at the bottom of their stacks, where the program was not stripped of their names. Frames of
 * JavaScript have names (symbols/jit.c) if Node was started with --perf-basic-prof and --interpreted-frames-native-stack.
 */
#include "tracer/runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/runtime/tasks.h"
#include "tracer/symbols/symbols.h"

enum { MAX_FRAMES = 64 };

/* Functions that only threads of the runtime have on their stacks, as the linker or the demangler says. */
static const char *const serving[] = {"PlatformWorkerThread", "DelayedTaskScheduler",
	"InspectorIo::ThreadMain", "StartIoThreadMain", "SignalInspector", "libuv-worker"};

static bool is_program(void *arg, const char *path)
{
	const char *exe = arg, *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !strcmp(path, exe) || !strncmp(base, "libnode.", 8);
}

static bool is_there(const struct runtime_process *p)
{
	char exe[4096];
	uint64_t at;

	return runtime_exe(p, exe, sizeof exe) &&
	       symbols_named(p->symbols, p->key, p->pid, "node_module_register", is_program, exe,
		       &at, NULL);
}

/* What the functions on a stack tell. */
struct stack {
	bool serves, is_worker, is_loop;
};

static void take_frame(struct stack *s, const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(serving); i++)
		s->serves |= strstr(function, serving[i]) != NULL;
	s->is_worker |= strstr(function, "Worker::StartThread") != NULL;
	s->is_loop |= !strcmp(function, "uv_run");
}

static void read_stack(const struct runtime_process *p, pid_t tid, struct stack *s)
{
	struct symbols_frame frames[MAX_FRAMES];
	int n = runtime_unwind(p, tid, frames, MAX_FRAMES);

	for (int i = 0; i < n; i++) {
		const char *function =
			symbols_function(p->symbols, p->key, frames[i].addr, frames[i].is_return);

		if (function)
			take_frame(s, function);
	}
}

static void show_thread(
	const struct runtime_process *p, const struct task *task, runtime_each *each, void *arg)
{
	_cleanup_free_ struct runtime_thread *t = xcalloc(1, sizeof *t);
	struct stack s = {.serves = false};

	t->tid = task->tid;
	read_stack(p, task->tid, &s);
	t->is_housekeeping = task->tid != p->pid && s.serves && !s.is_worker;
	if (s.is_worker)
		(void)snprintf(t->name, sizeof t->name, "Worker");
	if (!t->is_housekeeping && s.is_loop) {
		t->tells_wait = true;
		t->wait.reason = WAIT_POLL;
		(void)snprintf(t->wait.name, sizeof t->wait.name, "event loop");
	}
	each(arg, t);
}

static int threads(const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why)
{
	struct tasks tasks = {0};

	(void)why;
	if (!is_there(p))
		return -ENOENT;
	tasks_read(&tasks, p);
	for (size_t i = 0; i < tasks.n; i++)
		show_thread(p, &tasks.list[i], each, arg);
	tasks_done(&tasks);
	return 0;
}

const struct runtime runtime_node = {.language = "node", .threads = threads, .is_there = is_there};
