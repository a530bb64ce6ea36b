/* fold.c - a thread that takes one lock again and again at one place gets one row for many holds. */
/* SPDX-License-Identifier: MIT */
/*
 * A loop around trylock writes millions of rows that say the same. Only rows
 * are saved: lock_stat, lock_edge and lane count every hold as it comes.
 *
 * A thread's first short holds have a row each, and a few in each window of time after that
 * (folding.c), unless the source has put them together already. Beyond that, equal ones (lock, mode, places) of one window
 * share a row. It never spans a moment at which a thread began to want the lock.
 *
 * Rows are written in the order of their ends, late by LOCK_FOLD_NS at most
 * (schema/locks.h): those who search lock_hold by time allow for that.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"

enum { SLOTS = 64 }; /* a power of two; two for each lock and place */

/* Longer ones have a row each. */
static const int64_t short_ns = 10000;

/* Equal holds; count 0: none. */
struct fold {
	int64_t lock_id, site, release_site, stack;
	int64_t first, last; /* the first acquisition, the last release */
	int64_t held, count;
	uint32_t wanted; /* of the lock, when the first was added */
	uint8_t mode;
};

struct folds {
	struct singles singles;
	struct fold *slots; /* SLOTS of them; NULL: not needed yet */
};

static void write_fold(struct model *m, const struct thread *t, struct fold *f)
{
	bool many = f->count > 1;

	*(struct row_lock_hold *)store_room(m->store, STORE_LOCK_HOLD) =
		(struct row_lock_hold){.lock_id = f->lock_id,
			.thread_id = t->id,
			.mode = f->mode == LOCK_MODE_S ? "s" : NULL,
			.request_ns = STORE_NULL,
			.acquire_ns = f->first,
			.release_ns = f->last,
			.site_id = f->site,
			.release_site_id = f->release_site,
			.stack_id = f->stack ? f->stack : STORE_NULL,
			.count = many ? f->count : STORE_NULL,
			.held_ns = many ? f->held : STORE_NULL};
	if (many)
		m->folded += f->count;
	f->count = 0;
}

static bool is_equal(const struct fold *f, const struct holds *h)
{
	return f->count && f->lock_id == h->lock->id && f->site == h->site &&
	       f->release_site == h->release_site && f->stack == h->stack && f->mode == h->mode &&
	       f->wanted == h->lock->wanted_count;
}

/* Returns the slot of equal holds, or else the better one to give to these: an empty one, or that whose last hold is longer ago. */
static struct fold *slot_of(struct fold *slots, const struct holds *h)
{
	uint64_t at =
		hash_mix((uint64_t)h->lock->id, (uint64_t)h->site, (uint64_t)h->release_site) %
		SLOTS;
	struct fold *a = &slots[at], *b = &slots[at ^ 1];

	if (is_equal(b, h))
		return b;
	if (!a->count || is_equal(a, h))
		return a;
	return !b->count || b->last < a->last ? b : a;
}

static struct folds *folds_of(struct thread *t)
{
	if (!t->folds)
		t->folds = xcalloc(1, sizeof *t->folds);
	return t->folds;
}

void model_fold_several(struct model *m, struct thread *t, const struct holds *h)
{
	struct folds *folds = folds_of(t);
	struct fold *f;

	if (!folds->slots)
		folds->slots = xcalloc(SLOTS, sizeof *folds->slots);
	f = slot_of(folds->slots, h);
	if (f->count && (!is_equal(f, h) || h->last - f->first > LOCK_FOLD_NS))
		write_fold(m, t, f);
	if (!f->count)
		*f = (struct fold){.lock_id = h->lock->id,
			.site = h->site,
			.release_site = h->release_site,
			.stack = h->stack,
			.first = h->first,
			.wanted = h->lock->wanted_count,
			.mode = h->mode};
	f->last = h->last;
	f->held += h->held;
	f->count += h->count;
	model_folding_enter(m, t);
}

bool model_fold(struct model *m, struct thread *t, const struct hold *h, int64_t release,
	int64_t release_site)
{
	int64_t held = release - h->acquire;

	if (m->config.keep_all || h->row || h->request != STORE_NULL || held < 0 ||
		held >= short_ns || h->lock->kind == LOCK_FILE)
		return false;
	if (model_is_single(&folds_of(t)->singles, release) || h->lock->wanting)
		return false;
	model_fold_several(m, t,
		&(struct holds){.lock = h->lock,
			.first = h->acquire,
			.last = release,
			.held = held,
			.longest = held,
			.count = 1,
			.site = h->site,
			.release_site = release_site,
			.stack = h->stack,
			.mode = h->mode});
	return true;
}

bool model_folds_write(struct model *m, const struct thread *t, int64_t before)
{
	bool left = false;

	for (size_t i = 0; t->folds && t->folds->slots && i < SLOTS; i++) {
		struct fold *f = &t->folds->slots[i];

		if (f->count && f->first < before)
			write_fold(m, t, f);
		left |= f->count != 0;
	}
	return left;
}

void model_folds_free(struct thread *t)
{
	if (!t->folds)
		return;
	free(t->folds->slots);
	free(t->folds);
	t->folds = NULL;
}
