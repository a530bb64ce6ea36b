/* lock.c - what a Java thread waits for, and who has it. */
/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine notes the monitor that a thread wants to enter or waits
 * on; java.util.concurrent notes the object for which a thread is parked
 * (Thread.parkBlocker), and of locks the owner (exclusiveOwnerThread). What has
 * no owner can be ended by any thread of the program: Object.wait, conditions,
 * queues, latches. The end of a thread and that of a child process are awaited
 * so too; there the object says whose.
 */
#include "tracer/runtime/hotspot/hotspot.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_LOCK_STACK = 8, ANONYMOUS_OWNER = 1 };

/* The wait that is being looked at. */
struct look {
	struct hotspot *h;
	const struct hotspot_threads *all;
	const struct hotspot_thread *thread;
	const struct hotspot_frame *frames;
	size_t n;
};

static bool is_function(const struct look *l, size_t i, const char *function)
{
	return i < l->n && !strcmp(l->frames[i].method->function, function);
}

/* Returns the index of a frame of the platform above the program's own, or n. */
static size_t find_function(const struct look *l, const char *function)
{
	size_t i = 0;

	while (i < l->n && l->frames[i].method->class->is_library && !is_function(l, i, function))
		i++;
	return is_function(l, i, function) ? i : l->n;
}

static pid_t tid_of(const struct hotspot_thread *t)
{
	return t && t->task ? t->task->tid : 0;
}

/* The thread of a java.lang.Thread; 0: it has none (any more), or is a virtual one. */
static pid_t tid_of_object(const struct look *l, uint64_t object)
{
	uint64_t at = object ? hotspot_field(l->h, object, "eetop") : 0;
	uint64_t addr = at ? hotspot_u64(l->h, at, 0) : 0;

	for (size_t i = 0; addr && i < l->all->n; i++)
		if (l->all->list[i].addr == addr)
			return tid_of(&l->all->list[i]);
	return 0;
}

/* ---- Monitors ---- */

static uint64_t monitor_object(struct hotspot *h, uint64_t monitor)
{
	uint64_t object = hotspot_u64(h, monitor, h->vm.monitor_object);

	/* From 16 on a handle. */
	return h->version >= 16 ? hotspot_u64(h, object, 0) : object;
}

/* Says whether a thread has locked an object that had no monitor yet (lightweight locking). */
static bool has_on_lock_stack(struct hotspot *h, const struct hotspot_thread *t, uint64_t object)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t stack = t->addr + vm->thread_lock_stack, top;

	if (vm->thread_lock_stack == HOTSPOT_NONE || vm->lock_stack_base == HOTSPOT_NONE || !object)
		return false;
	top = t->addr + hotspot_u32(h, stack, vm->lock_stack_top);
	stack += vm->lock_stack_base;
	for (unsigned i = 0; i < MAX_LOCK_STACK && stack < top; i++, stack += 8)
		if (hotspot_u64(h, stack, 0) == object)
			return true;
	return false;
}

/* The owner is a thread; or where on its stack it keeps the lock; or not known to the monitor. */
static pid_t monitor_owner(const struct look *l, uint64_t monitor, uint64_t object)
{
	uint64_t owner = hotspot_u64(l->h, monitor, l->h->vm.monitor_owner);

	for (size_t i = 0; owner && i < l->all->n; i++) {
		const struct hotspot_thread *t = &l->all->list[i];

		if (owner == ANONYMOUS_OWNER ? has_on_lock_stack(l->h, t, object)
					     : owner == t->addr || (owner >= t->stack_low &&
									   owner < t->stack_high))
			return tid_of(t);
	}
	return 0;
}

/* ---- What a program calls it ---- */

/* The search for the variable that has the object, or is what the object belongs to. */
struct search {
	struct hotspot *h;
	uint64_t wanted;
	uint64_t base; /* of the fields: an object, or what has a class's static ones */
	bool is_static, is_part;
	char name[64];
};

static bool compare_value(
	void *arg, const char *name, const char *type, bool is_static, uint32_t offset)
{
	struct search *s = arg;
	uint64_t value;
	const struct hotspot_class *class;

	if (is_static != s->is_static || (type[0] != 'L' && type[0] != '['))
		return true;
	value = hotspot_oop(s->h, s->base + offset);
	if (value && value != s->wanted && !s->is_part) {
		struct search part = {
			.h = s->h, .wanted = s->wanted, .base = value, .is_part = true};

		/* The lock, condition or queue of the platform that the object waited on is a part of. */
		class = hotspot_class_of(s->h, value);
		if (class && class->is_library)
			hotspot_fields(s->h, class, compare_value, &part);
		if (part.name[0])
			value = s->wanted;
	}
	if (value != s->wanted)
		return true;
	(void)snprintf(s->name, sizeof s->name, "%s", name);
	return false;
}

static bool search_fields(
	struct search *s, const struct hotspot_class *class, uint64_t base, bool is_static)
{
	s->base = base;
	s->is_static = is_static;
	for (unsigned i = 0; base && class && !class->is_library && i < 16 && !s->name[0]; i++) {
		hotspot_fields(s->h, class, compare_value, s);
		class = is_static ? NULL : hotspot_class(s->h, class->super);
	}
	return s->name[0] != '\0';
}

/* Finds "Bank.audit" or "this.audit" in the classes and objects whose methods are on the stack. */
static void find_name(const struct look *l, uint64_t object, char *ret, size_t size)
{
	enum { FRAMES = 16 };
	struct search s = {.h = l->h, .wanted = object};

	for (size_t i = 0; object && i < l->n && i < FRAMES; i++) {
		const struct hotspot_frame *f = &l->frames[i];
		const struct hotspot_class *class = f->method->class;
		const char *dot = strrchr(class->name, '.');
		uint64_t self = f->method->is_static ? 0 : hotspot_u64(l->h, f->locals, 0);

		/* What the virtual machine makes of a lambda has no file, and fields that nobody has named. */
		if (class->is_library || !f->method->file[0])
			continue;
		if (self == object)
			(void)snprintf(ret, size, "this");
		else if (search_fields(&s, hotspot_class_of(l->h, self), self, false))
			(void)snprintf(ret, size, "this.%s", s.name);
		else if (search_fields(&s, class, class->mirror, true))
			(void)snprintf(ret, size, "%.30s.%s", dot ? dot + 1 : class->name, s.name);
		else
			continue;
		return;
	}
}

/* "java.util.concurrent.locks.ReentrantLock" of its part ReentrantLock$NonfairSync. */
static void set_type(struct runtime_wait *w, const char *class, bool is_part)
{
	size_t len = is_part ? strcspn(class, "$") : strlen(class);

	len = len < sizeof w->type ? len : sizeof w->type - 1;
	memcpy(w->type, class, len);
	w->type[len] = '\0';
}

/* The workers of the platform's pools, while there is nothing to do. */
static bool is_idle_worker(const struct look *l, struct runtime_wait *w)
{
	static const struct {
		const char *function, *type;
		bool parks; /* only while it is parked there itself */
	} rows[] = {
		{"java.util.concurrent.ThreadPoolExecutor.getTask",
			"java.util.concurrent.ThreadPoolExecutor", false},
		{"java.util.concurrent.ForkJoinPool.awaitWork", "java.util.concurrent.ForkJoinPool",
			false},
		{"java.util.concurrent.ForkJoinPool.runWorker", "java.util.concurrent.ForkJoinPool",
			true},
		{"java.util.TimerThread.mainLoop", "java.util.Timer", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at = find_function(l, rows[i].function);

		if (at == l->n ||
			(rows[i].parks && !is_function(l, at - 1,
						  "java.util.concurrent.locks.LockSupport.park")))
			continue;
		set_type(w, rows[i].type, false);
		return true;
	}
	return false;
}

/* The type by which the program knows a class of the platform that is none of its public ones. */
static const char *public_type(const char *class)
{
	static const char *const rows[][2] = {
		{"java.util.stream.Int", "java.util.stream.IntStream"},
		{"java.util.stream.Long", "java.util.stream.LongStream"},
		{"java.util.stream.Double", "java.util.stream.DoubleStream"},
		{"java.util.stream.", "java.util.stream.Stream"},
		{"jdk.internal.net.http.HttpClient", "java.net.http.HttpClient"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strncmp(class, rows[i][0], strlen(rows[i][0])))
			return rows[i][1];
	return class;
}

/* What the program called: the class of the last frame of the platform before its own. */
static void set_called_type(const struct look *l, struct runtime_wait *w, const char *fallback)
{
	size_t i = 0;

	if (is_idle_worker(l, w))
		return;
	while (i < l->n && l->frames[i].method->class->is_library)
		i++;
	if (find_function(l, "java.util.concurrent.ThreadPoolExecutor.awaitTermination") < i) {
		set_type(w, "java.util.concurrent.ExecutorService.awaitTermination", false);
		return;
	}
	if (i && i < l->n && !is_function(l, i - 1, "java.util.concurrent.locks.LockSupport.park"))
		set_type(w, public_type(l->frames[i - 1].method->class->name), false);
	else
		set_type(w, fallback, false);
}

/* ---- The kinds of waits ---- */

/* Process.waitFor; process: if the object is not on the stack any more, 0. */
static bool waits_for_child(const struct look *l, struct runtime_wait *w)
{
	size_t at = find_function(l, "java.lang.ProcessImpl.waitFor");
	uint64_t self = at < l->n ? hotspot_u64(l->h, l->frames[at].locals, 0) : 0;
	uint64_t pid = self ? hotspot_field(l->h, self, "pid") : 0;

	if (!pid)
		return false;
	w->reason = WAIT_CHILD;
	w->target = (pid_t)hotspot_u32(l->h, pid, 0);
	return true;
}

/* Object.wait; on a Thread, as Thread.join does it, it is for the end of that thread. */
static void waits_on_monitor(const struct look *l, uint64_t object, struct runtime_wait *w)
{
	const struct hotspot_class *class = hotspot_class_of(l->h, object);

	if (class && hotspot_is_a(l->h, class, "java.lang.Thread") &&
		(!l->n || find_function(l, "java.lang.Thread.join") < l->n)) {
		w->target = tid_of_object(l, object);
		w->reason = w->target ? WAIT_JOIN : WAIT_NONE;
		/* Programs that rest until they are told to end join their own thread. */
		if (object != l->thread->object)
			return;
		w->reason = WAIT_COND;
		w->kind = LOCK_OBJECT;
		set_type(w, "java.lang.Thread", false);
		(void)snprintf(w->name, sizeof w->name, "%s", l->thread->name);
		return;
	}
	if (waits_for_child(l, w))
		return;
	w->reason = WAIT_COND;
	w->kind = LOCK_MONITOR;
	if (is_idle_worker(l, w))
		w->kind = LOCK_OBJECT;
	else if (class)
		set_type(w, class->name, false);
}

/*
 * What a thread is parked for may be a node of its own in a list of the object whose method the program called (a Phaser's, a
 * CompletableFuture's): returns that object then.
 */
static uint64_t object_of(const struct look *l, uint64_t blocker)
{
	const struct hotspot_class *part = hotspot_class_of(l->h, blocker), *class;
	size_t i = 0, outer = part ? strcspn(part->name, "$") : 0;
	uint64_t self;

	if (!part || !part->is_library || !part->name[outer])
		return blocker;
	while (i < l->n && l->frames[i].method->class->is_library)
		i++;
	if (!i || l->frames[i - 1].method->is_static)
		return blocker;
	self = hotspot_u64(l->h, l->frames[i - 1].locals, 0);
	class = hotspot_class_of(l->h, self);
	return class && strlen(class->name) == outer && !strncmp(class->name, part->name, outer)
		       ? self
		       : blocker;
}

static void is_parked(const struct look *l, struct runtime_wait *w)
{
	uint64_t blocker = hotspot_field_oop(l->h, l->thread->object, "parkBlocker");
	const struct hotspot_class *class = hotspot_class_of(l->h, blocker);
	bool is_lock =
		hotspot_is_a(l->h, class, "java.util.concurrent.locks.AbstractOwnableSynchronizer");
	uint64_t owner = is_lock ? hotspot_field_oop(l->h, blocker, "exclusiveOwnerThread") : 0;

	if (waits_for_child(l, w))
		return;
	w->kind = LOCK_OBJECT;
	w->target = tid_of_object(l, owner);
	w->object = !blocker ? l->thread->object : w->target ? blocker : object_of(l, blocker);
	w->reason = w->target ? WAIT_LOCK : WAIT_COND;
	if (w->target)
		set_type(w, class->name, true);
	else
		set_called_type(
			l, w, class ? class->name : "java.util.concurrent.locks.LockSupport");
	find_name(l, w->object, w->name, sizeof w->name);
}

void hotspot_wait(struct hotspot *h, const struct hotspot_threads *all,
	const struct hotspot_thread *t, const struct hotspot_frame *frames, size_t n,
	struct runtime_wait *w)
{
	const struct look l = {h, all, t, frames, n};
	uint64_t pending = hotspot_u64(h, t->addr, h->vm.thread_pending);
	uint64_t waiting = hotspot_u64(h, t->addr, h->vm.thread_waiting);
	uint64_t object = monitor_object(h, pending ? pending : waiting);
	const struct hotspot_class *class = hotspot_class_of(h, object);

	*w = (struct runtime_wait){.reason = WAIT_NONE};
	if (!t->task || !t->task->sleeps ||
		hotspot_u32(h, t->addr, h->vm.thread_state) != h->vm.c_blocked)
		return;
	if (pending) {
		w->object = pending;
		w->kind = LOCK_MONITOR;
		w->target = monitor_owner(&l, pending, object);
		w->reason = w->target ? WAIT_LOCK : WAIT_NONE;
		set_type(w, class ? class->name : "java.lang.Object", false);
		find_name(&l, object, w->name, sizeof w->name);
	} else if (class && !strcmp(class->name, "int[]") &&
		   hotspot_initialisation(h, all, t, object, w)) {
		return;
	} else if (waiting) {
		w->object = waiting;
		waits_on_monitor(&l, object, w);
		if (!w->name[0])
			find_name(&l, object, w->name, sizeof w->name);
	} else if (n && !strcmp(frames[0].method->function, "jdk.internal.misc.Unsafe.park")) {
		is_parked(&l, w);
	} else {
		(void)hotspot_initialisation(h, all, t, 0, w);
	}
}

bool hotspot_still_waits(
	struct hotspot *h, const struct hotspot_thread *t, const struct runtime_wait *w)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t anchor = vm->thread_anchor == HOTSPOT_NONE ? vm->thread_state : vm->thread_anchor;
	uint64_t owner = w->object + vm->monitor_owner;

	return w->reason == WAIT_LOCK && w->kind == LOCK_MONITOR &&
	       memory_pointer(&h->memory, t->addr + vm->thread_pending) == w->object &&
	       memory_pointer(&h->memory, owner) == hotspot_u64(h, owner, 0) &&
	       memory_pointer(&h->memory, t->addr + anchor) == hotspot_u64(h, t->addr, anchor);
}
