/* cpython.c - CPython's interpreters, threads and frames. */
/* SPDX-License-Identifier: MIT */
/*
 * _PyRuntime, which the interpreter exports, leads to the interpreters, these to
 * their thread states, these to frames (cpython_frame.c). Where the members lie differs between
 * releases: cpython_layout.def has what tools/cpython_layout.sh read from the
 * headers of each. From 3.13 on _PyRuntime begins with the sizes of its
 * structures (_Py_DebugOffsets), by which a build of another kind is recognised.
 */
#include "tracer/runtime/cpython.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/script.h"
#include "schema/locks.h"
#include "tracer/symbols/symbols.h"

static const struct cpython_layout layouts[] = {
#define LAYOUT(major, minor, ...) {major, minor, __VA_ARGS__},
#include "tracer/runtime/cpython_layout.def"
#undef LAYOUT
};

enum {
	MAX_INTERPRETERS = 64,
	/* struct pthread of glibc on x86-64: tid, from 2.4 to 2.41 (nptl/descr.h) */
	PTHREAD_TID = 720,
};

/* ---- Which release ---- */

#define ADVICE " (py-spy shows where its threads are)"

static bool is_python_file(void *arg, const char *path)
{
	const char *exe = arg, *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !strcmp(path, exe) || strstr(base, "python") != NULL;
}

/* What every release exports; those before 3.7 have no _PyRuntime. */
static const char before_runtime[] = "PyThread_acquire_lock";

static bool is_named(const struct runtime_process *p, const char *name, const char *exe,
	uint64_t *ret, const char **ret_path)
{
	return symbols_named(p->symbols, p->key, p->pid, name, is_python_file,
		(void *)(uintptr_t)exe, ret, ret_path);
}

static const struct cpython_layout *find_layout(unsigned major, unsigned minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].major == (int)major && layouts[i].minor == (int)minor)
			return &layouts[i];
	return NULL;
}

/* "python3.9", "libpython3.9.so.1.0": the number in a file's name; 0 if there is none. */
static uint32_t version_of_path(const char *path)
{
	const char *base = strrchr(path, '/'), *p;
	unsigned major, minor;

	p = strstr(base ? base : path, "python");
	if (!p || sscanf(p, "python%u.%u", &major, &minor) != 2 || major > 255 || minor > 255)
		return 0;
	return major << 24 | minor << 16;
}

/* _Py_DebugOffsets from 3.13 on: cookie, version, free_threaded, then sizes, the first of which is that of _PyRuntime. */
static bool is_known_build(struct cpython *c, struct buf *why)
{
	uint64_t head[3];

	if (c->layout->minor < 13)
		return true;
	if (!memory_read(&c->memory, c->runtime, head, sizeof head) ||
		memcmp(head, "xdebugpy", 8) != 0) {
		buf_adds(why, "it runs a build of Python that pptrace does not know" ADVICE);
		return false;
	}
	if (head[2]) {
		buf_adds(why,
			"its Python is built for free threading, without the global lock, which pptrace does not support" ADVICE);
		return false;
	}
	return true;
}

/* Finds _PyRuntime and the release. Returns 0, -ENOENT if this is not Python, -ENOTSUP with why. */
static int find_runtime(struct cpython *c, const struct runtime_process *p, struct buf *why)
{
	char exe[4096];
	const char *path = NULL;
	uint64_t at;
	uint32_t version = 0;

	if (!runtime_exe(p, exe, sizeof exe))
		return -ENOENT;
	if (!is_named(p, "_PyRuntime", exe, &c->runtime, &path) &&
		!is_named(p, before_runtime, exe, &at, &path))
		return -ENOENT;
	/* Exported from 3.11 on (Include/pylifecycle.h). */
	if (is_named(p, "Py_Version", exe, &at, NULL))
		version = (uint32_t)memory_pointer(&c->memory, at);
	if (!version)
		version = version_of_path(path);
	if (!version) {
		buf_adds(why, "the version of its Python could not be determined" ADVICE);
		return -ENOTSUP;
	}
	c->layout = find_layout(version >> 24, version >> 16 & 255);
	if (!c->layout) {
		buf_addf(why, "pptrace does not know the memory layout of Python %u.%u" ADVICE,
			version >> 24, version >> 16 & 255);
		return -ENOTSUP;
	}
	return is_known_build(c, why) ? 0 : -ENOTSUP;
}

/* ---- Threads ---- */

/* The kernel's number of a thread; before 3.11 it stands in the C library's own structure. */
static pid_t native_id(struct cpython *c, uint64_t thread, uint64_t ident)
{
	if (c->layout->thread_native_id != -1)
		return (pid_t)memory_pointer(
			&c->memory, thread + (uint64_t)c->layout->thread_native_id);
	return (pid_t)memory_u32(&c->memory, ident + PTHREAD_TID);
}

/* A thread state: its address, and who it is. */
struct state {
	uint64_t addr, ident;
	pid_t tid;
};

static size_t read_states(struct cpython *c, struct state *ret, size_t max)
{
	const struct cpython_layout *l = c->layout;
	uint64_t interp = cpython_pointer(c, c->runtime, l->interpreters_head);
	size_t n = 0;

	for (unsigned i = 0; interp && i < MAX_INTERPRETERS; i++) {
		uint64_t at = cpython_pointer(c, interp, l->interp_threads);

		for (; at && n < max; at = cpython_pointer(c, at, l->thread_next)) {
			ret[n].addr = at;
			ret[n].ident = memory_pointer(&c->memory, at + (uint64_t)l->thread_ident);
			ret[n].tid = native_id(c, at, ret[n].ident);
			n++;
		}
		interp = cpython_pointer(c, interp, l->interp_next);
	}
	return n;
}

/* The futex that a thread sleeps on, or 0. Who wants the global lock is awake for a moment now and then. */
static uint64_t futex_of(const struct runtime_process *p, pid_t tid)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	unsigned tries = p->core ? 1 : 5;
	struct runtime_call call;

	while (!runtime_call_read(p, tid, &call) && --tries)
		(void)nanosleep(&moment, NULL);
	return call.nr == SYS_futex ? call.args[0] : 0;
}

/* What a forked process runs is known from the frames that its parent had. */
static void name_program(const struct cpython_frame *frames, struct runtime_thread *t)
{
	const struct cpython_code *code = t->n_frames ? frames[t->n_frames - 1].code : NULL;
	_cleanup_free_ char *name = NULL;

	if (!code || strcmp(code->name, "<module>") != 0)
		return;
	name = script_name(code->file);
	(void)snprintf(t->program, sizeof t->program, "%.63s", name ? name : "");
}

/* Puts the coroutine that an event loop waits for before the loop's own frames. */
static void show_frames(
	struct cpython *c, const struct cpython_frame *frames, struct runtime_thread *t)
{
	size_t n = t->n_frames, first = cpython_tasks(c, frames, n, t->frames, RUNTIME_MAX_FRAMES);

	for (size_t i = 0; i < n && first + i < RUNTIME_MAX_FRAMES; i++)
		t->frames[first + i] = cpython_shown(&frames[i]);
	t->n_frames = first + n < RUNTIME_MAX_FRAMES ? first + n : RUNTIME_MAX_FRAMES;
}

/* Reads one thread; the texts of its frames are c's. */
static void read_thread(struct cpython *c, const struct state *s,
	const struct cpython_idents *idents, const struct tasks *tasks, struct runtime_thread *t)
{
	const struct task *task = tasks_find(tasks, s->tid);
	struct cpython_frame frames[RUNTIME_MAX_FRAMES];
	struct cpython_stack stack = {.frames = frames};
	uint64_t object, futex;

	/* Python knows the numbers of its own PID namespace. */
	t->tid = task ? task->tid : s->tid;
	t->tells_wait = true;
	stack.n_all = t->n_frames = cpython_frames(c, s->addr, frames, RUNTIME_MAX_FRAMES);
	name_program(frames, t);
	t->n_frames = cpython_own_frames(frames, t->n_frames);
	object = cpython_thread_object(c, frames, &t->n_frames);
	stack.n = t->n_frames;
	show_frames(c, frames, t);
	if (object)
		(void)cpython_string(
			c, cpython_attribute(c, object, "_name"), t->name, sizeof t->name);
	futex = futex_of(c->process, t->tid);
	t->lock.owner = cpython_gil(c, futex, idents, tasks, &t->wait);
	if (t->lock.owner)
		return;
	cpython_lock(c, &stack, futex, idents, &t->lock);
	cpython_wait(c, &t->lock, tasks, &t->wait);
}

/*
 * A thread that waits has slept all the while. Who wants the global lock wakes up now and then, but goes on waiting for
 * as long as the one that has it sleeps.
 */
static bool holds_still(const struct runtime_thread *t, const struct tasks *tasks, pid_t inner)
{
	const struct task *task =
		tasks_find(tasks, !strcmp(t->wait.type, LOCK_TYPE_GIL) ? t->lock.owner : inner);

	return task && task->sleeps;
}

/* Everything is read first and reported afterwards: who waits for whom is true of threads that slept throughout. */
static void show_all(
	struct cpython *c, const struct state *states, size_t n, runtime_each *each, void *arg)
{
	_cleanup_free_ struct runtime_thread *shown = xcalloc(n + 1, sizeof *shown);
	struct cpython_idents idents = {.tids = {0}};
	struct tasks tasks = {0};

	tasks_read(&tasks, c->process);
	for (size_t i = 0; i < n; i++) {
		void *tid = (void *)(uintptr_t)states[i].tid;

		if (states[i].ident && states[i].tid > 0)
			(void)hash_set(&idents.tids, states[i].ident, tid);
		if (states[i].tid > 0)
			(void)hash_set(&idents.states, states[i].addr, tid);
	}
	for (size_t i = 0; i < n; i++)
		if (states[i].tid > 0)
			read_thread(c, &states[i], &idents, &tasks, &shown[i]);
	tasks_settle(&tasks, c->process);
	for (size_t i = 0; i < n; i++) {
		if (!holds_still(&shown[i], &tasks, states[i].tid))
			shown[i].wait = (struct runtime_wait){.reason = WAIT_NONE};
		if (shown[i].tid > 0)
			each(arg, &shown[i]);
	}
	hash_done(&idents.tids);
	hash_done(&idents.states);
	tasks_done(&tasks);
}

static void forget(struct cpython *c)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&c->codes, &pos));) {
		struct cpython_code *code = slot->value;

		free(code->lines);
		free(code);
	}
	hash_done(&c->codes);
	for (size_t pos = 0; (slot = hash_next(&c->types, &pos));)
		free(slot->value);
	hash_done(&c->types);
	for (size_t pos = 0; (slot = hash_next(&c->names, &pos));)
		free(slot->value);
	hash_done(&c->names);
	memory_done(&c->memory);
}

static int threads(const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why)
{
	struct cpython c = {.memory = runtime_memory(p, MEMORY_READS), .process = p};
	_cleanup_free_ struct state *states = NULL;
	size_t n;
	int rc = find_runtime(&c, p, why);

	if (rc)
		return rc;
	/* What threads have in common is read once for all of them. */
	c.memory.keeps = true;
	states = xcalloc(RUNTIME_MAX_THREADS, sizeof *states);
	n = read_states(&c, states, RUNTIME_MAX_THREADS);
	show_all(&c, states, n, each, arg);
	forget(&c);
	return 0;
}

static bool is_there(const struct runtime_process *p)
{
	char exe[4096];
	uint64_t at;

	return runtime_exe(p, exe, sizeof exe) &&
	       (is_named(p, "_PyRuntime", exe, &at, NULL) ||
		       is_named(p, before_runtime, exe, &at, NULL));
}

const struct runtime runtime_cpython = {
	.language = "python", .threads = threads, .is_there = is_there};
