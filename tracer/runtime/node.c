/* node.c - the threads of Node.js. */
/* SPDX-License-Identifier: MIT */
/*
 * JavaScript runs in the main thread and in Workers; each has an event loop of libuv, in which it waits. What a promise or a
 * callback waits for has no thread, and is not read. In spawnSync, execSync and their like the loop runs until the child has
 * ended; Atomics.wait waits for whoever has the same memory. Both are seen by the functions on the stack. The other threads serve them: V8's, the inspector's, libuv's pool. They
 * are known by the functions at the bottom of their stacks; where these have no names (Debian's libnode.so), by their own
 * names, which they have from Node 22 on, or by how they wait: that function of libnode.so waits for libuv. Frames of
 * JavaScript are read from V8's memory (v8.c); or have names (symbols/jit.c) if Node was started with --perf-basic-prof and --interpreted-frames-native-stack.
 */
#include "tracer/runtime/runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/locks.h"
#include "tracer/runtime/memory.h"
#include "tracer/runtime/tasks.h"
#include "tracer/runtime/v8.h"
#include "tracer/symbols/symbols.h"

enum { MAX_FRAMES = 64 };

/* Functions that only threads of the runtime have on their stacks, as the linker or the demangler says. */
static const char *const serving[] = {"PlatformWorkerThread", "DelayedTaskScheduler",
	"InspectorIo::ThreadMain", "StartIoThreadMain", "SignalInspector"};

/* What these threads are called, as far as the kernel keeps it: from Node 22 on. */
static const char *const serving_names[] = {
	"V8Worker", "DelayedTaskSche", "SignalInspector", "InspectorIo"};

static bool is_libnode(const char *path)
{
	const char *base = strrchr(path, '/');

	return !strncmp(base ? base + 1 : path, "libnode.", 8);
}

static bool is_program(void *arg, const char *path)
{
	return !strcmp(path, arg) || is_libnode(path);
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
	bool serves, is_worker, is_loop, is_spawn, is_atomic;
};

static void take_frame(struct stack *s, const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(serving); i++)
		s->serves |= strstr(function, serving[i]) != NULL;
	s->is_worker |= strstr(function, "worker::Worker::") != NULL;
	s->is_loop |= !strcmp(function, "uv_run");
	s->is_spawn |= strstr(function, "SyncProcessRunner::") != NULL;
	s->is_atomic |= strstr(function, "FutexEmulation::Wait") != NULL;
}

static bool is_in_libnode(const struct runtime_process *p, const struct symbols_frame *f)
{
	struct symbol symbol;

	return symbols_code(p->symbols, p->key, f->addr, f->is_return, &symbol) && symbol.module &&
	       is_libnode(symbol.module);
}

/*
 * Says whether all that a thread does is to wait, by libuv, in the function of libnode.so that it was started with: it
 * begins nothing before a thread that runs JavaScript tells it to. (libuv's own pool may also do what the program asked for.)
 */
static bool only_waits(
	const struct runtime_process *p, const struct symbols_frame *frames, const int n)
{
	int i = 0, below = 0;

	for (const char *function = ""; i < n && strcmp(function, "uv_cond_wait") != 0 &&
					strcmp(function, "uv_sem_wait") != 0;
		i++) {
		function =
			symbols_function(p->symbols, p->key, frames[i].addr, frames[i].is_return);
		function = function ? function : "";
	}
	for (; i < n && is_in_libnode(p, &frames[i]); i++)
		below++;
	/* What starts a thread, in the C library. */
	for (; i < n && symbols_is_compiled_library(p->symbols, p->key, frames[i].addr); i++)
		;
	return i == n && below == 1;
}

/* A thread, and the texts of its frames. */
struct thread {
	struct runtime_thread told;
	struct v8_text *texts;
};

/* v8 NULL: functions of JavaScript are not known. */
static void read_stack(
	const struct runtime_process *p, struct v8 *v8, struct thread *t, struct stack *s)
{
	struct symbols_frame frames[MAX_FRAMES];
	struct v8_text texts[MAX_FRAMES];
	struct runtime_thread *told = &t->told;
	int n = runtime_unwind(p, told->tid, frames, MAX_FRAMES);

	for (int i = 0; i < n; i++) {
		const char *function =
			symbols_function(p->symbols, p->key, frames[i].addr, frames[i].is_return);

		if (function)
			take_frame(s, function);
	}
	s->serves |= only_waits(p, frames, n);
	told->n_frames = v8 ? v8_frames(v8, frames, n, told->frames, texts, MAX_FRAMES) : 0;
	if (!told->n_frames)
		return;
	t->texts = xcalloc(told->n_frames, sizeof *t->texts);
	memcpy(t->texts, texts, told->n_frames * sizeof *t->texts);
	for (size_t i = 0; i < told->n_frames; i++) {
		told->frames[i].function = t->texts[i].function;
		told->frames[i].file = t->texts[i].file + (told->frames[i].file - texts[i].file);
	}
}

static bool is_any_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* A Worker goes by the name that the program has given it, which its thread has from Node 22 on. */
static const char *worker_name(const char *thread)
{
	static const char *const common[] = {"", "node", "MainThread", "WorkerThread"};

	return is_any_of(thread, common, ARRAY_SIZE(common)) ? "Worker" : thread;
}

/* Returns the only child that a thread has started, or 0. */
static pid_t only_child(const struct runtime_process *p, pid_t tid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	int child, other;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)p->pid, (int)tid);
	f = p->core ? NULL : fopen(path, "re");
	return f && fscanf(f, "%d %d", &child, &other) == 1 && child > 0 ? (pid_t)child : 0;
}

/* What a thread waits for that is not in its event loop, or whose loop runs for one child alone. */
static void read_wait(
	const struct runtime_process *p, pid_t tid, const struct stack *s, struct runtime_wait *w)
{
	struct runtime_call call;

	if (s->is_atomic && runtime_call_read(p, tid, &call) && call.nr == SYS_futex) {
		w->reason = WAIT_COND;
		w->kind = LOCK_OBJECT;
		w->object = call.args[0];
		(void)snprintf(w->type, sizeof w->type, LOCK_TYPE_ATOMICS);
	} else if (s->is_spawn && (w->target = only_child(p, tid)) != 0) {
		w->reason = WAIT_CHILD;
	} else if (s->is_loop && !s->is_atomic) {
		w->reason = WAIT_POLL;
		(void)snprintf(w->name, sizeof w->name, "event loop");
	}
}

static void read_thread(const struct runtime_process *p, struct v8 *v8, const struct task *task,
	struct thread *thread)
{
	struct runtime_thread *t = &thread->told;
	struct stack s = {.serves = false};

	t->tid = task->tid;
	read_stack(p, v8, thread, &s);
	s.serves |= is_any_of(task->name, serving_names, ARRAY_SIZE(serving_names));
	t->is_housekeeping = task->tid != p->pid && s.serves && !s.is_worker;
	if (s.is_worker)
		(void)snprintf(t->name, sizeof t->name, "%s", worker_name(task->name));
	if (!t->is_housekeeping)
		read_wait(p, task->tid, &s, &t->wait);
	t->tells_wait = t->wait.reason != WAIT_NONE;
}

/*
 * Says whether the program listens for a signal by which people tell one what to do (process.on): libuv keeps the handles of
 * all such (uv_signal_t, the same since 1.0) in a tree. Node itself is told to end by some of them, too, but not by that.
 */
static enum hooks read_listeners(const struct runtime_process *p)
{
	enum { SIGNO = 104, LEFT = 112, RIGHT = 120, MAX_DEPTH = 64, MAX_HANDLES = 1000 };
	const uint64_t orders = UINT64_C(1) << SIGHUP | UINT64_C(1) << SIGINT |
				UINT64_C(1) << SIGTERM | UINT64_C(1) << SIGUSR2;
	struct memory memory = runtime_memory(p, 4 * MAX_HANDLES);
	uint64_t todo[MAX_DEPTH], at;
	char exe[4096];
	size_t n = 0;

	if (!runtime_exe(p, exe, sizeof exe) ||
		!symbols_named(
			p->symbols, p->key, p->pid, "uv__signal_tree", is_program, exe, &at, NULL))
		return HOOKS_UNKNOWN;
	todo[n++] = memory_pointer(&memory, at);
	for (unsigned i = 0; n && i < MAX_HANDLES; i++) {
		uint64_t handle = todo[--n];
		uint32_t signo = handle ? memory_u32(&memory, handle + SIGNO) : 0;

		if (signo && signo < 64 && orders >> signo & 1)
			return HOOKS_SOME;
		if (handle && n + 2 <= MAX_DEPTH) {
			todo[n++] = memory_pointer(&memory, handle + LEFT);
			todo[n++] = memory_pointer(&memory, handle + RIGHT);
		}
	}
	return n ? HOOKS_UNKNOWN : HOOKS_NONE;
}

static int threads(const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why)
{
	_cleanup_free_ struct thread *list = NULL;
	struct tasks tasks = {0};
	struct v8 v8;
	char exe[4096];
	bool has_v8;
	enum hooks hooks;

	(void)why;
	if (!is_there(p) || !runtime_exe(p, exe, sizeof exe))
		return -ENOENT;
	has_v8 = v8_open(&v8, p, is_program, exe);
	hooks = read_listeners(p);
	tasks_read(&tasks, p);
	list = xcalloc(tasks.n + 1, sizeof *list);
	for (size_t i = 0; i < tasks.n; i++)
		read_thread(p, has_v8 ? &v8 : NULL, &tasks.list[i], &list[i]);
	tasks_settle(&tasks, p);
	for (size_t i = 0; i < tasks.n; i++) {
		struct runtime_thread *t = &list[i].told;

		/* That it is a loop it has said of itself; what it waits for, and where, is true of one that slept all the while. */
		if (!tasks.list[i].sleeps) {
			t->tells_wait &= t->wait.reason == WAIT_POLL;
			t->n_frames = 0;
		}
		t->hooks = hooks;
		each(arg, t);
		free(list[i].texts);
	}
	tasks_done(&tasks);
	v8_done(&v8);
	return 0;
}

const struct runtime runtime_node = {.language = "node", .threads = threads, .is_there = is_there};
