/* lock.c - what a thread of Ruby waits for. */
/* SPDX-License-Identifier: MIT */
/*
 * A thread notes the mutex that it wants, and keeps a list of those that it has. Who joins a thread stands in a list of that
 * thread, who waits for a child (up to 3.2) in one of the virtual machine. A queue and a condition are the receivers of the C
 * function that the thread sleeps in. All of these sleeps have no end in time if the status says "forever".
 */
#include "tracer/runtime/ruby/ruby.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "schema/locks.h"

enum {
	MAX_LIST = 4096,
	/* struct rb_mutex_struct, thread_sync.c */
	MUTEX_NEXT = 8,
	/* struct rb_monitor, ext/monitor/monitor.c */
	MONITOR_MUTEX = 16,
	/* struct rb_waiting_list, vm_core.h */
	WAITING_THREAD = 8,
	/* struct waitpid_state, process.c of 3.1 */
	CHILD_EC = 16,
	CHILD_PID = 36
};

static bool is_kept_by(struct ruby *r, const struct ruby_thread *t, uint64_t mutex)
{
	uint64_t at = ruby_pointer(r, t->addr, r->layout->thread_keeping);

	for (unsigned i = 0; at && i < MAX_LIST; i++) {
		if (at == mutex)
			return true;
		at = ruby_pointer(r, at, MUTEX_NEXT);
	}
	return false;
}

/* The Monitor that a mutex belongs to: the receiver of its enter or synchronize; 0: it is the program's own. */
static uint64_t monitor_of(struct ruby *r, const struct ruby_thread *t, uint64_t mutex)
{
	char made_as[32];
	uint64_t data;

	for (size_t i = 0; i < t->n_selves; i++)
		if (ruby_typed(r, t->selves[i], made_as, sizeof made_as, &data) &&
			!strcmp(made_as, "monitor") &&
			ruby_pointer(r, data, MONITOR_MUTEX) == mutex)
			return t->selves[i];
	return 0;
}

static void wait_for_mutex(struct ruby *r, const struct ruby_thread *t, uint64_t value,
	uint64_t data, struct runtime_wait *w)
{
	uint64_t monitor = monitor_of(r, t, value);

	w->reason = WAIT_COND; /* unless it is seen who has it */
	w->kind = LOCK_OBJECT;
	w->object = monitor ? monitor : value;
	(void)snprintf(w->type, sizeof w->type, monitor ? "Monitor" : "Thread::Mutex");
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].task && is_kept_by(r, &r->list[i], data)) {
			w->reason = WAIT_LOCK;
			w->target = r->list[i].task->tid;
		}
}

void ruby_joins(struct ruby *r)
{
	struct hash by_addr = {0};

	for (size_t i = 0; i < r->n; i++)
		(void)hash_set(&by_addr, r->list[i].addr, &r->list[i]);
	for (size_t i = 0; i < r->n; i++) {
		uint64_t at = ruby_pointer(r, r->list[i].addr, r->layout->thread_joiners);

		for (unsigned k = 0; at && k < MAX_LIST; k++, at = ruby_pointer(r, at, 0)) {
			struct ruby_thread *t =
				hash_get(&by_addr, ruby_pointer(r, at, WAITING_THREAD));

			if (t)
				t->joined = &r->list[i];
		}
	}
	hash_done(&by_addr);
}

static bool wait_for_join(const struct ruby_thread *t, struct runtime_wait *w)
{
	if (!t->joined || !t->joined->task)
		return false;
	w->reason = WAIT_JOIN;
	w->target = t->joined->task->tid;
	return true;
}

/* The lists of struct rb_vm_struct that who waits for a child stands in: for this one; for any, or any of a group. */
enum { WAITING_PIDS = 0, WAITING_GROUPS = 16 };

static bool wait_for_child(
	struct ruby *r, const struct ruby_thread *t, uint64_t list, struct runtime_wait *w)
{
	uint64_t head = r->vm + (uint64_t)r->layout->vm_children + list;
	uint64_t at = r->layout->vm_children < 0 ? 0 : ruby_pointer(r, head, 0);

	for (unsigned i = 0; at && at != head && i < MAX_LIST; i++, at = ruby_pointer(r, at, 0)) {
		if (ruby_pointer(r, at, CHILD_EC) != t->ec)
			continue;
		w->reason = WAIT_CHILD;
		w->target = (pid_t)memory_u32(&r->memory, at + CHILD_PID);
		return true;
	}
	return false;
}

/* Finds a queue or condition among the receivers of the C functions that the thread is in. */
static bool wait_for_object(struct ruby *r, const struct ruby_thread *t, struct runtime_wait *w)
{
	static const struct {
		const char *made_as, *type;
	} known[] = {{"queue", "Thread::Queue"}, {"sized_queue", "Thread::SizedQueue"},
		{"condvar", "Thread::ConditionVariable"}};
	char made_as[32];
	uint64_t data;

	for (size_t i = 0; i < t->n_selves; i++) {
		if (!ruby_typed(r, t->selves[i], made_as, sizeof made_as, &data))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
			if (strcmp(made_as, known[k].made_as) != 0)
				continue;
			w->reason = WAIT_COND;
			w->kind = LOCK_OBJECT;
			w->object = t->selves[i];
			(void)snprintf(w->type, sizeof w->type, "%s", known[k].type);
			return true;
		}
	}
	return false;
}

static void read_wait(struct ruby *r, const struct ruby_thread *t, struct runtime_wait *w)
{
	uint64_t mutex = ruby_pointer(r, t->addr, r->layout->thread_locking), data;
	char made_as[32];

	*w = (struct runtime_wait){.reason = WAIT_NONE};
	/* What it waits for then is Ruby's global lock: it will get it. */
	if (t->status == RUBY_RUNNABLE) {
		w->reason = WAIT_SLEEP;
		(void)snprintf(w->name, sizeof w->name, "Ruby's global lock");
		return;
	}
	/* The kernel sees what it waits for without the global lock. */
	if (ruby_pointer(r, t->addr, r->layout->thread_blocking)) {
		w->reason = WAIT_POLL;
		return;
	}
	if (wait_for_child(r, t, WAITING_PIDS, w) || wait_for_child(r, t, WAITING_GROUPS, w))
		return;
	if (t->status == RUBY_STOPPED_FOREVER && mutex &&
		ruby_typed(r, mutex, made_as, sizeof made_as, &data) && !strcmp(made_as, "mutex"))
		wait_for_mutex(r, t, mutex, data, w);
	else if (t->status != RUBY_STOPPED_FOREVER ||
		 (!wait_for_join(t, w) && !wait_for_object(r, t, w))) {
		/* Thread#wakeup and signals end it. */
		w->reason = WAIT_SLEEP;
		(void)snprintf(w->name, sizeof w->name, "sleep");
	}
}

void ruby_wait(struct ruby *r, const struct ruby_thread *t, struct runtime_wait *w)
{
	read_wait(r, t, w);
	if (w->kind == LOCK_OBJECT && w->object)
		ruby_name(r, t, w->object, w->name, sizeof w->name);
}
