/* cpython_lock.c - what a Python thread waits for, as its program calls it. */
/* SPDX-License-Identifier: MIT */
/*
 * A thread that waits sleeps on a semaphore. If the program's own code called
 * acquire, the lock object with that semaphore is sought among the variables of
 * the frame. If a library did (Queue.get, Condition.wait, Thread.join), what
 * the program knows is the object whose method it called: the first variable
 * (self) of the outermost of those library frames. But a library that joins a thread
 * (Queue.close, Process.join) waits for that thread, whatever was called; and an import that
 * another thread has begun is known by its module.
 */
#include "tracer/runtime/cpython.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "schema/locks.h"

/* ---- Words ---- */

#define SIMPLE_QUEUE "_queue.SimpleQueue"

/* The name by which the program knows a type. */
static const char *public_name(const char *type)
{
	return !strcmp(type, SIMPLE_QUEUE) ? "queue.SimpleQueue" : type;
}

/* Says whether a frame is Thread.start, which waits for an event: that the thread has begun. */
static bool is_thread_start(const struct cpython_frame *f)
{
	char module[32];

	cpython_module(f->code->file, module, sizeof module);
	return f->code->is_library && !strcmp(module, "threading") &&
	       (!strcmp(f->code->name, "Thread.start") || !strcmp(f->code->name, "start"));
}

/* Says whether a frame is that of a thread of a ThreadPoolExecutor that has nothing to do: its queue is the pool's own. */
static bool is_pool_worker(const struct cpython_frame *f)
{
	return cpython_is_in(f, "/concurrent/futures/thread.py", "_worker");
}

/* Says whether a frame is that of the work of such a thread: behind it stands only the thread's own. */
static bool is_work_item(const struct cpython_frame *f)
{
	return cpython_is_in(f, "/concurrent/futures/thread.py", "run");
}

/* Returns the name of a function that waits for several futures, if a frame is of one, or NULL. */
static const char *futures_call(const struct cpython_frame *f)
{
	return cpython_is_in(f, "/concurrent/futures/_base.py", "wait")           ? "wait"
	       : cpython_is_in(f, "/concurrent/futures/_base.py", "as_completed") ? "as_completed"
										  : NULL;
}

/* Says whether a frame waits until all that was put into a queue is done. */
static bool is_queue_join(const struct cpython_frame *f)
{
	return cpython_is_in(f, "/queue.py", "join") ||
	       cpython_is_in(f, "/multiprocessing/queues.py", "join");
}

/* Returns the first variable of a frame: self, in a method. */
static uint64_t first_variable(struct cpython *c, const struct cpython_frame *f)
{
	return cpython_pointer(c, f->addr, c->layout->frame_locals);
}

/* Says whether a frame is a method, whose first variable is called self. */
static bool is_method(struct cpython *c, const struct cpython_frame *f)
{
	uint64_t names = cpython_pointer(c, f->code_addr, c->layout->code_locals);
	uint64_t key =
		names ? memory_pointer(&c->memory, names + (uint64_t)c->layout->tuple_items) : 0;

	return key && !strcmp(cpython_name(c, key), "self") &&
	       !cpython_is_plain(cpython_type(c, first_variable(c, f)));
}

/* A server of multiprocessing takes and gives back the locks of its clients, whose objects they are, and calls their methods. */
static bool is_server(const struct cpython_frame *f)
{
	char module[32];

	cpython_module(f->code->file, module, sizeof module);
	return f->code->is_library && !strcmp(module, "multiprocessing.managers");
}

/* Returns which of n library frames tells what is waited for: a join, or the outermost that is a method of an object. */
static size_t telling_frame(struct cpython *c, const struct cpython_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cpython_is_join(&frames[i]) || futures_call(&frames[i]))
			return i;
	for (size_t i = 1; i < n; i++)
		if (is_thread_start(&frames[i]) || is_work_item(&frames[i]) ||
			is_server(&frames[i])) {
			n = i;
			break;
		}
	for (size_t i = n; i > 0; i--)
		if (is_method(c, &frames[i - 1]))
			return i - 1;
	while (n > 1 && cpython_is_plain(cpython_type(c, first_variable(c, &frames[n - 1]))))
		n--;
	return n - 1;
}

/* Returns the _ModuleLock that one of n library frames waits for, because another thread imports the module, or 0. */
static uint64_t module_lock(struct cpython *c, const struct cpython_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t self = first_variable(c, &frames[i]);

		if (!strcmp(frames[i].code->file, "<frozen importlib._bootstrap>") &&
			!strcmp(cpython_type(c, self), "_ModuleLock"))
			return self;
	}
	return 0;
}

static pid_t thread_of(const struct cpython_idents *idents, uint64_t ident)
{
	return ident ? (pid_t)(uintptr_t)hash_get(&idents->tids, ident) : 0;
}

static void name_module_lock(struct cpython *c, uint64_t object,
	const struct cpython_idents *idents, struct runtime_lock *ret)
{
	uint64_t owner = cpython_attribute(c, object, "owner"), ident;

	ret->object = object;
	(void)snprintf(ret->type, sizeof ret->type, LOCK_TYPE_IMPORT);
	(void)cpython_string(c, cpython_attribute(c, object, "name"), ret->name, sizeof ret->name);
	if (owner && cpython_int(c, owner, &ident))
		ret->owner = thread_of(idents, ident);
}

/* The thread that has an RLock. */
static pid_t rlock_owner(struct cpython *c, uint64_t object, const struct cpython_idents *idents)
{
	int at = c->layout->minor >= 14 ? MUTEX_IN_LOCK + 8 : RLOCK_OWNER;

	return thread_of(idents, memory_pointer(&c->memory, object + (uint64_t)at));
}

static bool is_rlock(struct cpython *c, uint64_t object)
{
	return !strcmp(cpython_type(c, object), "_thread.RLock");
}

static void name_object(struct cpython *c, const struct cpython_frame *library, uint64_t object,
	struct runtime_lock *ret)
{
	const char *type = public_name(cpython_type(c, object));
	char module[32];

	cpython_module(library->code->file, module, sizeof module);
	if (cpython_is_join(library) || cpython_is_shutdown(library))
		(void)snprintf(ret->type, sizeof ret->type, "threading.Thread");
	else if (is_pool_worker(library))
		(void)snprintf(
			ret->type, sizeof ret->type, "concurrent.futures.ThreadPoolExecutor");
	else if (futures_call(library))
		(void)snprintf(ret->type, sizeof ret->type, "concurrent.futures.%s",
			futures_call(library));
	else if (cpython_is_plain(type))
		return;
	else if (!strncmp(module, "futures.", 8))
		(void)snprintf(ret->type, sizeof ret->type, "concurrent.futures.%.28s", type);
	else if (strchr(type, '.'))
		(void)snprintf(ret->type, sizeof ret->type, "%s", type);
	else
		(void)snprintf(ret->type, sizeof ret->type, "%.15s.%.25s%s", module, type,
			is_queue_join(library) ? ".join" : "");
}

/* threading.Lock is the function that makes a _thread.lock: people know it by that name. */
static void name_lock(struct cpython *c, uint64_t object, const struct cpython_idents *idents,
	struct runtime_lock *ret)
{
	bool has_owner = is_rlock(c, object);
	const char *type = cpython_type(c, object);

	if (!strcmp(type, SIMPLE_QUEUE)) {
		(void)snprintf(ret->type, sizeof ret->type, "%s", public_name(type));
		return;
	}
	if (cpython_is_shared(type)) {
		(void)snprintf(ret->type, sizeof ret->type, "multiprocessing.%.25s", type);
		return;
	}
	(void)snprintf(ret->type, sizeof ret->type, "threading.%s", has_owner ? "RLock" : "Lock");
	if (has_owner)
		ret->owner = rlock_owner(c, object, idents);
}

/* An RLock that the library has in an object of its own has an owner as well: "StreamHandler.lock". */
static void note_library_lock(struct cpython *c, const struct cpython_frame *f, uint64_t address,
	const struct cpython_idents *idents, struct runtime_lock *ret)
{
	struct cpython_search s = {.address = address, .is_near = true};

	if (!cpython_search(c, f, &s) || !is_rlock(c, s.found))
		return;
	name_lock(c, s.found, idents, ret);
	ret->object = s.found;
	if (!strncmp(s.name, "self.", 5))
		(void)snprintf(ret->name, sizeof ret->name, "%s%.40s",
			cpython_type(c, first_variable(c, f)), s.name + 4);
	else
		(void)snprintf(ret->name, sizeof ret->name, "%s", s.name);
}

/* ---- The answer ---- */

/* Names an object as the frame does that waits; a variable that may be a parameter, as whoever made the object calls it. */
static bool search_name(
	struct cpython *c, const struct cpython_stack *stack, size_t own, struct cpython_search *s)
{
	struct cpython_search outer;

	if (own == stack->n || !cpython_search(c, &stack->frames[own], s))
		return false;
	outer = (struct cpython_search){.object = s->found};
	if (!strpbrk(s->name, ".[") &&
		cpython_search_outward(c, stack->frames + own, stack->n_all - own, &outer))
		memcpy(s->name, outer.name, sizeof s->name);
	return true;
}

void cpython_lock(struct cpython *c, const struct cpython_stack *stack, uint64_t address,
	const struct cpython_idents *idents, struct runtime_lock *ret)
{
	const struct cpython_frame *frames = stack->frames;
	struct cpython_search s = {.address = address};
	size_t n = stack->n;
	uint64_t import;
	size_t own = 0;

	if (!address || !n)
		return;
	ret->address = address;
	while (own < n && frames[own].code->is_library && !(own == 0 && is_server(&frames[0])))
		own++;
	import = module_lock(c, frames, own);
	if (import) {
		name_module_lock(c, import, idents, ret);
		return;
	}
	if (own) {
		const struct cpython_frame *library = &frames[telling_frame(c, frames, own)];

		s.object = cpython_is_shutdown(library) ? cpython_joined(c, library, address)
							: first_variable(c, library);
		if (!s.object)
			return;
		name_object(c, library, s.object, ret);
		if (!ret->type[0])
			return;
	}
	if (!search_name(c, stack, own, &s)) {
		s.found = s.object;
		s.name[0] = '\0';
	}
	(void)snprintf(ret->name, sizeof ret->name, "%s", s.name);
	ret->object = s.found;
	if (!strcmp(ret->type, "threading.Thread"))
		(void)cpython_string(
			c, cpython_attribute(c, s.object, "_name"), ret->name, sizeof ret->name);
	else if (own)
		note_library_lock(c, &frames[0], address, idents, ret);
	else if (s.found)
		name_lock(c, s.found, idents, ret);
}

/* ---- The global lock ---- */

/* struct _gil_runtime_state, the same from 3.2 to 3.14 (Include/internal/pycore_gil.h); behind these its condition. */
enum { GIL_HOLDER = 8, GIL_LOCKED = 16, GIL_CONDITION = 32 };

/* Where a condition of glibc has the words that its waiters sleep on: from 2.25 on the last two, from 2.41 on the first. */
static const uint64_t condition_words[] = {40, 44, 32, 36};

pid_t cpython_gil(struct cpython *c, uint64_t address, const struct cpython_idents *idents,
	const struct tasks *tasks, struct runtime_wait *wait)
{
	for (size_t i = 0; address && i < ARRAY_SIZE(condition_words); i++) {
		uint64_t gil = address - condition_words[i] - GIL_CONDITION;
		uint64_t holder = memory_pointer(&c->memory, gil + GIL_HOLDER);
		pid_t tid = holder ? (pid_t)(uintptr_t)hash_get(&idents->states, holder) : 0;
		const struct task *task = tid ? tasks_find(tasks, tid) : NULL;

		if (!task || memory_u32(&c->memory, gil + GIL_LOCKED) != 1)
			continue;
		*wait = (struct runtime_wait){.reason = WAIT_LOCK,
			.kind = LOCK_OBJECT,
			.object = gil,
			.target = task->tid,
			.name = "GIL",
			.type = LOCK_TYPE_GIL};
		return tid;
	}
	return 0;
}

/* The thread that a threading.Thread is, by the number that it has noted of itself. */
static pid_t tid_of(struct cpython *c, uint64_t object, const struct tasks *tasks)
{
	uint64_t number = object ? cpython_attribute(c, object, "_native_id") : 0;
	const struct task *task;
	uint64_t tid;

	if (!number || !cpython_int(c, number, &tid) || tid > INT32_MAX)
		return 0;
	task = tasks_find(tasks, (pid_t)tid);
	return task ? task->tid : 0;
}

void cpython_wait(struct cpython *c, const struct runtime_lock *lock, const struct tasks *tasks,
	struct runtime_wait *ret)
{
	bool is_join = !strcmp(lock->type, "threading.Thread");
	const struct task *owner = lock->owner > 0 ? tasks_find(tasks, lock->owner) : NULL;

	*ret = (struct runtime_wait){.reason = WAIT_NONE};
	if (is_join) {
		ret->target = tid_of(c, lock->object, tasks);
		ret->reason = ret->target ? WAIT_JOIN : WAIT_NONE;
	} else if (owner && lock->object) {
		*ret = (struct runtime_wait){.reason = WAIT_LOCK,
			.kind = LOCK_OBJECT,
			.object = lock->object,
			.target = owner->tid};
		memcpy(ret->name, lock->name, sizeof ret->name);
		memcpy(ret->type, lock->type, sizeof lock->type);
	}
}

/*
 * Says whether a frame is one with which threading starts a thread, or multiprocessing a process.
 * Before 3.11 the names have no class.
 */
static bool is_start(const struct cpython_frame *f, const char *file)
{
	static const char *const names[] = {"_bootstrap", "_bootstrap_inner", "run"};
	const char *path = f->code->file, *name = strrchr(f->code->name, '.');
	size_t len = strlen(path), n = strlen(file);

	if (!f->code->is_library || len < n || strcmp(path + len - n, file) != 0)
		return false;
	name = name ? name + 1 : f->code->name;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

uint64_t cpython_thread_object(struct cpython *c, const struct cpython_frame *frames, size_t *n)
{
	uint64_t object;

	if (!*n || !is_start(&frames[*n - 1], "/threading.py"))
		return 0;
	object = first_variable(c, &frames[*n - 1]);
	while (*n && is_start(&frames[*n - 1], "/threading.py"))
		(*n)--;
	return object;
}

size_t cpython_own_frames(const struct cpython_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_start(&frames[i], "/multiprocessing/process.py"))
			return i;
	return n;
}
