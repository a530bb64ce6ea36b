/* open.c - locks that are held now, also by those who can no longer release them. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

/* More locks than these left taken by threads that have ended: the oldest are forgotten. */
enum { MAX_ABANDONED = 10000 };

static void free_abandoned(struct model *m, struct abandoned *a)
{
	*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	a->hold.lock->abandoned--;
	model_lock_unref(m, a->hold.lock);
	m->n_abandoned--;
	free(a);
}

struct abandoned *model_abandoned_add(
	struct model *m, const struct hold *hold, int64_t thread_id, int64_t process_id)
{
	struct abandoned *a = xcalloc(1, sizeof *a);

	while (m->n_abandoned >= MAX_ABANDONED) {
		struct abandoned *oldest = m->abandoned;

		while (oldest->next)
			oldest = oldest->next;
		free_abandoned(m, oldest);
	}
	a->hold = *hold;
	a->thread_id = thread_id;
	a->process_id = process_id;
	hold->lock->refs++;
	hold->lock->abandoned++;
	a->link = &m->abandoned;
	a->next = m->abandoned;
	if (a->next)
		a->next->link = &a->next;
	m->abandoned = a;
	m->n_abandoned++;
	return a;
}

void model_abandoned_drop(struct model *m, struct lock *lock, bool all, int64_t ts)
{
	struct abandoned *next;

	for (struct abandoned *a = m->abandoned; a && lock->abandoned; a = next) {
		next = a->next;
		if (a->hold.lock != lock || (!all && a->hold.mode == LOCK_MODE_S))
			continue;
		if (a->hold.row)
			model_hold_complete(m, &a->hold, a->thread_id, ts);
		free_abandoned(m, a);
	}
}

/*
 * The memory of a process is gone. What a thread left taken while its process
 * went on stays on record, and so does a copy after fork that somebody wanted.
 */
void model_abandoned_forget(struct model *m, const struct proc *p)
{
	struct abandoned *next;

	for (struct abandoned *a = m->abandoned; a; a = next) {
		next = a->next;
		if (a->hold.lock->proc == p && a->forked && !a->hold.lock->wanted)
			free_abandoned(m, a);
	}
}

void model_abandoned_done(struct model *m)
{
	while (m->abandoned)
		free_abandoned(m, m->abandoned);
}

static void write_open(struct model *m, const struct hold *h, int64_t thread_id, int64_t process_id)
{
	store_put(m->store, STORE_LOCK_OPEN,
		&(struct row_lock_open){.lock_id = h->lock->id,
			.thread_id = thread_id,
			.process_id = process_id,
			.mode = names_lock_mode(h->mode),
			.depth = h->depth,
			.acquire_ns = h->acquire,
			.site_id = h->site,
			.stack_id = h->stack ? h->stack : STORE_NULL});
}

/* The owner that was read from a lock's memory when a thread blocked on it. */
static void write_inferred(struct model *m, const struct thread *t, const struct wait *w)
{
	const struct proc *p = w->lock->proc;

	store_put(m->store, STORE_LOCK_OPEN,
		&(struct row_lock_open){.lock_id = w->lock->id,
			.thread_id = w->target_thread,
			.process_id = p ? p->id : t->proc->id,
			.mode = "x",
			.depth = 1,
			.acquire_ns = w->start,
			.site_id = STORE_NULL,
			.inferred = 1,
			.stack_id = STORE_NULL});
}

void model_open_flush(struct model *m)
{
	size_t n = 0;

	if (m->has_open)
		(void)store_exec(m->store, "DELETE FROM lock_open");
	for (const struct thread *t = m->all_threads; t; t = t->next) {
		const struct wait *w = &t->wait;

		for (size_t i = 0; i < t->n_held; i++, n++) {
			const struct hold *h = &t->held[i];
			int64_t process;

			write_open(m, h, t->id, t->proc->id);
			for (size_t pos = 0; h->lock->kind == LOCK_FILE &&
					     model_lock_next_share(h->lock, t->id, &pos, &process);)
				write_open(m, h, t->id, process);
		}
		if (w->open && w->owner_inferred && w->lock && w->target_thread != STORE_NULL &&
			w->lock->inferred != m->flushes + 1) {
			w->lock->inferred = m->flushes + 1;
			write_inferred(m, t, w);
			n++;
		}
	}
	for (const struct abandoned *a = m->abandoned; a; a = a->next, n++)
		write_open(m, &a->hold, a->thread_id, a->process_id);
	m->flushes++;
	m->has_open = n != 0;
}

void model_holds_abandon(struct model *m, struct thread *t)
{
	model_holds_flush(m, t);
	while (t->n_held) {
		struct hold *h = &t->held[t->n_held - 1];
		/*
		 * The memory goes with the process: what it alone could reach is no longer of
		 * interest, unless another ended the thread in a wait that may have been forever.
		 */
		bool gone = t->proc->ended && t->end >= t->proc->end && !h->lock->pshared &&
			    t->by_other != 1;

		if (!gone && !h->lock->dead && h->lock->kind != LOCK_FILE)
			(void)model_abandoned_add(m, h, t->id, t->proc->id);
		model_hold_drop(m, t, h, t->end);
	}
}
