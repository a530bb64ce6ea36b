/* init.c - the class whose initialisation a Java thread waits for, and the thread that initialises it. */
/* SPDX-License-Identifier: MIT */
/*
 * One thread runs a class's static initialiser, and all others that need the class wait meanwhile: on the monitor of an
 * array of no length that the class's mirror alone refers to, or on a monitor of the virtual machine's own. The thread
 * that waits notes the class, in older releases only on its stack. What is found so is a class if it says itself that a
 * Java thread initialises it; and, where there is the array, if its mirror refers to that.
 */
#include "tracer/runtime/hotspot/hotspot.h"

#include <stdio.h>

#include "schema/locks.h"

/* The class that is looked for. */
struct search {
	struct hotspot *h;
	const struct hotspot_threads *all;
	const struct hotspot_thread *thread;
	uint64_t lock; /* the array; 0: it waits for none */
};

static const struct hotspot_thread *thread_at(const struct search *s, uint64_t addr)
{
	for (size_t i = 0; addr && i < s->all->n; i++)
		if (s->all->list[i].addr == addr)
			return &s->all->list[i];
	return NULL;
}

/* Says whether an object refers to the array. */
static bool refers_to_lock(const struct search *s, uint64_t mirror)
{
	enum {
		MAX_MIRROR = 160
	}; /* the fields of java.lang.Class, without the static ones behind them */
	uint64_t step = s->h->narrow_oops ? 4 : 8;

	for (uint64_t at = 8; mirror && at < MAX_MIRROR; at += step)
		if (hotspot_oop(s->h, mirror + at) == s->lock)
			return true;
	return false;
}

/* Returns the thread that initialises the class at an address; NULL: there is no such class, or nobody does. */
static const struct hotspot_thread *initialiser(const struct search *s, uint64_t klass)
{
	const struct hotspot_vm *vm = &s->h->vm;
	const struct hotspot_thread *by;
	uint8_t state = 0;

	if (!klass || klass & 7)
		return NULL;
	by = thread_at(s, hotspot_u64(s->h, klass, vm->klass_init_thread));
	if (!by || by == s->thread ||
		!memory_cached(&s->h->memory, klass + vm->klass_init_state, &state, 1) ||
		state != (uint8_t)vm->c_initialising)
		return NULL;
	return !s->lock || refers_to_lock(s,
				   hotspot_u64(s->h, hotspot_u64(s->h, klass, vm->klass_mirror), 0))
		       ? by
		       : NULL;
}

/* Looks for the address of such a class in memory. Returns it, or 0. */
static uint64_t search_words(const struct search *s, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += 8) {
		uint64_t klass = hotspot_u64(s->h, at, 0);

		if (initialiser(s, klass))
			return klass;
	}
	return 0;
}

bool hotspot_initialisation(struct hotspot *h, const struct hotspot_threads *all,
	const struct hotspot_thread *t, uint64_t lock, struct runtime_wait *w)
{
	enum { MAX_THREAD = 4096, STACK = 4096 };
	const struct search s = {h, all, t, lock};
	const struct hotspot_vm *vm = &h->vm;
	uint64_t size = vm->size_thread < MAX_THREAD ? vm->size_thread : MAX_THREAD;
	const struct hotspot_thread *by;
	const struct hotspot_class *class;
	uint64_t klass, sp;

	if (vm->klass_init_thread == HOTSPOT_NONE || vm->klass_init_state == HOTSPOT_NONE ||
		vm->c_initialising == HOTSPOT_NONE)
		return false;
	klass = search_words(&s, t->addr, t->addr + size);
	sp = lock && !klass && vm->thread_anchor != HOTSPOT_NONE
		     ? hotspot_u64(h, t->addr + vm->thread_anchor, vm->anchor_sp)
		     : 0;
	if (sp > STACK)
		klass = search_words(&s, (sp - STACK) & ~(uint64_t)7, sp);
	by = klass ? initialiser(&s, klass) : NULL;
	class = klass ? hotspot_class(h, klass) : NULL;
	if (!by || !by->task || !class->name[0])
		return false;
	w->reason = WAIT_LOCK;
	w->kind = LOCK_OBJECT;
	w->object = klass;
	w->target = by->task->tid;
	(void)snprintf(w->type, sizeof w->type, LOCK_TYPE_CLASS);
	(void)snprintf(w->name, sizeof w->name, "%.95s", class->name);
	return true;
}
