/* hotspot.c - the threads of a HotSpot virtual machine. */
/* SPDX-License-Identifier: MIT */
/*
 * All that is said of waits is true of one moment: threads that ran while their
 * memory was read are said to wait for nothing. The virtual machine's own
 * threads are told apart from the program's: they take nothing from it that it
 * could wait for.
 */
#include "tracer/runtime/hotspot/hotspot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/symbols/symbols.h"

/* ---- The list of threads ---- */

static void add_thread(
	struct hotspot *h, struct hotspot_threads *all, const struct tasks *tasks, uint64_t addr)
{
	const struct hotspot_vm *vm = &h->vm;
	struct hotspot_thread *t = &all->list[all->n];
	uint64_t object = hotspot_u64(h, addr, vm->thread_object), size;

	*t = (struct hotspot_thread){.addr = addr};
	t->task = tasks_find(
		tasks, (pid_t)hotspot_u32(h, hotspot_u64(h, addr, vm->thread_os), vm->os_tid));
	if (!t->task)
		return;
	/* From 14 on a handle. */
	t->object = h->version >= 14 ? hotspot_u64(h, object, 0) : object;
	t->stack_high = hotspot_u64(h, addr, vm->thread_stack);
	size = hotspot_u64(h, addr, vm->thread_stack_size);
	t->stack_low = size < t->stack_high ? t->stack_high - size : t->stack_high;
	hotspot_string(h, hotspot_field_oop(h, t->object, "name"), t->name, sizeof t->name);
	all->n++;
}

static void read_threads(struct hotspot *h, struct hotspot_threads *all, const struct tasks *tasks)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t list = hotspot_u64(h, vm->v_thread_list, 0), thread;
	uint64_t array = hotspot_u64(h, list, vm->list_threads);
	uint32_t n = hotspot_u32(h, list, vm->list_length);

	all->list = xcalloc(RUNTIME_MAX_THREADS, sizeof *all->list);
	for (uint32_t i = 0; array && i < n && i < RUNTIME_MAX_THREADS; i++)
		if ((thread = hotspot_u64(h, array, 8 * (uint64_t)i)) != 0)
			add_thread(h, all, tasks, thread);
	/* Up to 11 the threads themselves are a list. */
	thread = array ? 0 : hotspot_u64(h, vm->v_first_thread, 0);
	for (uint32_t i = 0; thread && i < RUNTIME_MAX_THREADS; i++) {
		add_thread(h, all, tasks, thread);
		thread = hotspot_u64(h, thread, vm->thread_next);
	}
}

/* ---- Housekeeping ---- */

static bool begins(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(name, list[i], strlen(list[i])))
			return true;
	return false;
}

/* Says whether a Java thread is one of the virtual machine's: those of the group "system" with these names. */
static bool is_own_thread(struct hotspot *h, const struct hotspot_thread *t)
{
	static const char *const names[] = {"Reference Handler", "Finalizer", "Signal Dispatcher",
		"Service Thread", "Monitor Deflation Thread", "C1 CompilerThread",
		"C2 CompilerThread", "JVMCI", "Sweeper thread", "Common-Cleaner",
		"Notification Thread", "Attach Listener", "StringDedup", "Read-Updater",
		"Write-Updater"};
	uint64_t holder = hotspot_field_oop(h, t->object, "holder"); /* from 19 on */
	uint64_t group = hotspot_field_oop(h, holder ? holder : t->object, "group");
	char name[32];

	/* What remains of the main thread when main has returned: it waits for the others. */
	if (!strcmp(t->name, "DestroyJavaVM"))
		return true;
	hotspot_string(h, hotspot_field_oop(h, group, "name"), name, sizeof name);
	return (!strcmp(name, "system") || !strcmp(name, "InnocuousThreadGroup")) &&
	       begins(t->name, names, ARRAY_SIZE(names));
}

static bool is_launcher(void *arg, const char *path)
{
	const char *base = strrchr(path, '/');

	(void)arg;
	return !strcmp(base ? base + 1 : path, "libjli.so");
}

/* A core has no names of threads: those of the virtual machine begin in its library. */
static bool is_begun_by_vm(const struct runtime_process *p, pid_t tid)
{
	enum { MAX_FRAMES = 64 };
	struct symbols_frame frames[MAX_FRAMES];
	int n = runtime_unwind(p, tid, frames, MAX_FRAMES);

	for (int i = n - 1; i >= 0; i--) {
		struct symbol place;
		const char *base;

		if (!symbols_code(p->symbols, p->key, frames[i].addr, frames[i].is_return, &place))
			continue;
		base = strrchr(place.module, '/');
		base = base ? base + 1 : place.module;
		if (!symbols_is_library_file(place.module))
			return !strcmp(base, "libjvm.so");
	}
	return false;
}

/*
 * Says whether a thread that is none of Java's serves the virtual machine: it
 * has one of these names; or it is the launcher's, which waits for the main thread.
 */
static bool is_own_task(const struct runtime_process *p, const struct task *task)
{
	static const char *const names[] = {"VM Thread", "VM Periodic", "G1 ", "GC Thread#",
		"Gang worker#", "Parallel", "ParGC", "Concurrent Mark", "CMS ", "Z", "Shenandoah",
		"Watcher", "Surrogate", "Logging", "StringDedup", "Epsilon"};
	uint64_t at;

	if (p->core && is_begun_by_vm(p, task->tid))
		return true;
	if (task->tid == p->pid)
		return symbols_named(
			p->symbols, p->key, p->pid, "JLI_Launch", is_launcher, NULL, &at, NULL);
	return begins(task->name, names, ARRAY_SIZE(names));
}

/* ---- Reporting ---- */

/*
 * Where a pool runs a lambda of the program, nothing of the stack has a source of the program's but the class that the virtual
 * machine has made of it: that says more than the pool.
 */
static void choose_own(const struct hotspot_frame *frames, struct runtime_thread *ret)
{
	for (size_t i = 0; i < ret->n_frames; i++)
		if (!ret->frames[i].is_library)
			return;
	for (size_t i = 0; i < ret->n_frames; i++)
		if (!frames[i].method->class->is_library) {
			ret->frames[i].is_library = false;
			return;
		}
}

/* Says whether virtual threads run on a thread. */
static bool is_carrier(struct hotspot *h, const struct hotspot_thread *t)
{
	const struct hotspot_class *class = hotspot_class_of(h, t->object);

	return class && !strcmp(class->name, "jdk.internal.misc.CarrierThread");
}

/* Names a carrier by the virtual thread that runs on it, whose frames and waits are seen then; the verdict knows both by what is said behind. */
static void name_carrier(
	struct hotspot *h, const struct hotspot_thread *t, struct runtime_thread *ret)
{
	uint64_t handle = hotspot_u64(h, t->addr, h->vm.thread_virtual);
	uint64_t object = hotspot_u64(h, handle, 0), number;
	char name[40];

	if (!object || object == t->object) {
		(void)snprintf(ret->name, sizeof ret->name, "%.40s" RUNTIME_CARRIER, t->name);
		return;
	}
	hotspot_string(h, hotspot_field_oop(h, object, "name"), name, sizeof name);
	number = hotspot_field(h, object, "tid");
	if (!name[0])
		(void)snprintf(name, sizeof name, "#%llu",
			number ? (unsigned long long)hotspot_u64(h, number, 0) : 0);
	(void)snprintf(ret->name, sizeof ret->name, "%s" RUNTIME_VIRTUAL, name);
}

static void show_java(struct hotspot *h, const struct hotspot_threads *all,
	const struct hotspot_thread *t, struct runtime_thread *ret)
{
	struct hotspot_frame frames[RUNTIME_MAX_FRAMES];

	memset(ret, 0, sizeof *ret);
	ret->tid = t->task->tid;
	ret->is_housekeeping = is_own_thread(h, t);
	ret->tells_wait = true;
	if (!is_carrier(h, t))
		(void)snprintf(ret->name, sizeof ret->name, "%s", t->name);
	else
		name_carrier(h, t, ret);
	(void)snprintf(ret->program, sizeof ret->program, "%s", h->program);
	if (t->task->sleeps)
		ret->n_frames = hotspot_frames(h, t, frames, RUNTIME_MAX_FRAMES);
	for (size_t i = 0; i < ret->n_frames; i++) {
		const struct hotspot_method *m = frames[i].method;

		ret->frames[i] = (struct runtime_frame){.function = m->function,
			.file = m->file[0]     ? m->file
				: m->is_native ? "native"
					       : "?",
			.line = hotspot_line(m, frames[i].bci, h->version),
			.is_library = m->class->is_library || !m->file[0]};
	}
	choose_own(frames, ret);
	if (!ret->is_housekeeping)
		hotspot_wait(h, all, t, frames, ret->n_frames, &ret->wait);
}

static bool is_java(const struct hotspot_threads *all, const struct task *task)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].task == task)
			return true;
	return false;
}

static void forget(struct hotspot *h)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&h->methods, &pos));) {
		struct hotspot_method *m = slot->value;

		free(m->lines);
		free(m);
	}
	hash_done(&h->methods);
	for (size_t pos = 0; (slot = hash_next(&h->classes, &pos));)
		free(slot->value);
	hash_done(&h->classes);
	memory_done(&h->memory);
}

/* Says whether a thread waits for something that no other one in particular has to do, perhaps until it is told to end, or for a child that may be told then. */
static bool any_rests(const struct runtime_thread *shown, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (shown[i].wait.reason == WAIT_COND || shown[i].wait.reason == WAIT_CHILD)
			return true;
	return false;
}

/* Everything is read first and reported afterwards, for threads that did not run meanwhile. */
static void show_all(struct hotspot *h, const struct runtime_process *p, struct tasks *tasks,
	runtime_each *each, void *arg)
{
	struct hotspot_threads all = {0};
	_cleanup_free_ struct runtime_thread *shown = NULL;
	struct runtime_thread own = {.is_housekeeping = true};

	read_threads(h, &all, tasks);
	shown = xcalloc(all.n + 1, sizeof *shown);
	for (size_t i = 0; i < all.n; i++)
		show_java(h, &all, &all.list[i], &shown[i]);
	tasks_settle(tasks, p);
	own.hooks = any_rests(shown, all.n) ? hotspot_hooks(h) : HOOKS_UNKNOWN;
	for (size_t i = 0; i < all.n; i++) {
		shown[i].hooks = own.hooks;
		if (!all.list[i].task->sleeps &&
			!hotspot_still_waits(h, &all.list[i], &shown[i].wait))
			shown[i].wait = (struct runtime_wait){.reason = WAIT_NONE};
		each(arg, &shown[i]);
	}
	for (size_t i = 0; i < tasks->n; i++) {
		own.tid = tasks->list[i].tid;
		if (!is_java(&all, &tasks->list[i]) && is_own_task(p, &tasks->list[i]))
			each(arg, &own);
	}
	free(all.list);
}

static int threads(const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why)
{
	struct hotspot h = {.memory = runtime_memory(p, MEMORY_READS)};
	struct tasks tasks = {0};
	int rc;

	tasks_read(&tasks, p);
	rc = hotspot_vm_open(&h, p, why);
	if (!rc)
		show_all(&h, p, &tasks, each, arg);
	tasks_done(&tasks);
	forget(&h);
	return rc;
}

const struct runtime runtime_hotspot = {.language = "java",
	.threads = threads,
	.is_there = hotspot_is_there,
	.wakes_waiters = true};
