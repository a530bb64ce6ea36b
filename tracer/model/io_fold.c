/* io_fold.c - a thread that reads or writes one pipe again and again gets one row for many calls. */
/* SPDX-License-Identifier: MIT */
/*
 * As with holds of locks (locks/fold.c): the first ones have a row each, and a few in each window of time after that. Beyond
 * that, short calls that moved something share a row if they are of one pipe by one thread. The bytes themselves are
 * not kept then. Where the kernel has put calls together already (probes/ebpf/fold.h), that is their row.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"

enum { PLACES = 16 }; /* a power of two; two for each kind of call */

/* Whoever had to wait takes longer. */
static const int64_t short_ns = 10000;

struct io_folds {
	struct singles singles;
	struct row_pipe_io *places; /* PLACES of them, count 0: none; NULL: not needed yet */
};

static void write_fold(struct model *m, struct row_pipe_io *row)
{
	if (row->count == 1)
		row->count = STORE_NULL;
	store_put(m->store, STORE_PIPE_IO, row);
	row->count = 0;
}

static bool is_equal(const struct row_pipe_io *a, const struct row_pipe_io *b)
{
	return a->pipe_id == b->pipe_id && a->fd == b->fd && a->call == b->call &&
	       a->side == b->side && a->op == b->op;
}

/* Returns the place of equal calls, or else the better one to give to them: an empty one, or that whose last call is longer ago. */
static struct row_pipe_io *place_of(struct row_pipe_io *places, const struct row_pipe_io *row)
{
	uint64_t at = hash_mix((uint64_t)row->pipe_id, (uint64_t)row->fd,
			      (uint64_t)(uintptr_t)row->call) %
		      PLACES;
	struct row_pipe_io *a = &places[at], *b = &places[at ^ 1];

	if (b->count && is_equal(b, row))
		return b;
	if (!a->count || is_equal(a, row))
		return a;
	return !b->count || b->end_ns < a->end_ns ? b : a;
}

static void add(struct model *m, struct thread *t, const struct row_pipe_io *row)
{
	struct io_folds *folds = t->io_folds;
	struct row_pipe_io *f;

	if (!folds->places)
		folds->places = xcalloc(PLACES, sizeof *folds->places);
	f = place_of(folds->places, row);
	if (f->count && (!is_equal(f, row) || row->end_ns - f->start_ns > LOCK_FOLD_NS))
		write_fold(m, f);
	if (!f->count) {
		*f = *row;
		f->data = NULL;
		f->data_len = 0;
		f->requested = f->bytes = f->count = 0;
	}
	f->end_ns = row->end_ns;
	f->requested += row->requested;
	f->bytes += row->bytes;
	f->count++;
	model_folding_enter(m, t);
}

void model_io_put(struct model *m, struct thread *t, const struct row_pipe_io *row)
{
	int64_t took = row->end_ns - row->start_ns;
	/* A probe may have been lied to: sums must not overflow. */
	bool is_short = took >= 0 && took < short_ns && row->bytes > 0 && row->bytes < INT32_MAX &&
			row->requested >= 0 && row->requested < INT32_MAX;

	if (!m->config.keep_all && is_short && row->count == STORE_NULL) {
		if (!t->io_folds)
			t->io_folds = xcalloc(1, sizeof *t->io_folds);
		if (!model_is_single(&t->io_folds->singles, row->end_ns)) {
			add(m, t, row);
			return;
		}
	}
	store_put(m->store, STORE_PIPE_IO, row);
}

bool model_io_folds_write(struct model *m, const struct thread *t, int64_t before)
{
	bool left = false;

	for (size_t i = 0; t->io_folds && t->io_folds->places && i < PLACES; i++) {
		struct row_pipe_io *f = &t->io_folds->places[i];

		if (f->count && f->start_ns < before)
			write_fold(m, f);
		left |= f->count != 0;
	}
	return left;
}

void model_io_folds_free(struct thread *t)
{
	if (!t->io_folds)
		return;
	free(t->io_folds->places);
	free(t->io_folds);
	t->io_folds = NULL;
}
