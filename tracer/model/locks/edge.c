/* edge.c - in which order threads take locks. */
/* SPDX-License-Identifier: MIT */
/*
 * Whenever a thread takes a lock, or waits for it, while it holds others, there
 * is an edge from each of those to it. Edges are summed by thread and place. A
 * gate is a lock that was held each time before the first of the two was
 * taken: threads that pass through the same gate cannot block each other.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

#include <inttypes.h>

/* A thread with more edges writes them and starts over. */
enum { MAX_EDGES = 1024 };

struct edge {
	int64_t from, to, from_site, to_site, first, last, count, row;
	int64_t gates[MAX_NESTING];
	unsigned n_gates;
	uint8_t from_mode, to_mode;
	bool tried, dirty;
};

/* Collects the locks that exclude others and were taken before held[i]. */
static unsigned gates_before(const struct thread *t, size_t i, int64_t gates[MAX_NESTING])
{
	unsigned n = 0;

	for (size_t k = 0; k < i && n < MAX_NESTING; k++) {
		if (t->held[k].mode == LOCK_MODE_X && t->held[k].lock != t->held[i].lock)
			gates[n++] = t->held[k].lock->id;
	}
	return n;
}

static void keep_common(struct edge *e, const int64_t gates[MAX_NESTING], unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < e->n_gates; i++) {
		bool found = false;

		for (unsigned k = 0; k < n && !found; k++)
			found = gates[k] == e->gates[i];
		if (found)
			e->gates[kept++] = e->gates[i];
	}
	e->n_gates = kept;
}

static void add_edge(struct model *m, struct thread *t, size_t i, const struct edge *like)
{
	uint64_t sites = hash_mix((uint64_t)like->from_site, (uint64_t)like->to_site,
		(uint64_t)like->from_mode << 8 | like->to_mode);
	uint64_t key = hash_mix((uint64_t)like->from, (uint64_t)like->to, sites);
	struct edge *e = hash_get(&t->edges, key);
	int64_t gates[MAX_NESTING];
	unsigned n;

	if (e) {
		e->count += like->count;
		e->last = like->last;
		e->tried &= like->tried;
		e->dirty = true;
		if (e->n_gates) {
			n = gates_before(t, i, gates);
			keep_common(e, gates, n);
		}
		return;
	}
	if (t->edges.len >= MAX_EDGES)
		model_edges_flush(m, t, true);
	e = xmalloc(sizeof *e);
	*e = *like;
	e->n_gates = gates_before(t, i, e->gates);
	(void)hash_set(&t->edges, key, e);
}

void model_edges(struct model *m, struct thread *t, struct lock *to, uint8_t mode, int64_t site,
	bool tried, int64_t ts, int64_t times)
{
	size_t first = t->n_held > MAX_NESTING ? t->n_held - MAX_NESTING : 0;

	for (size_t i = first; i < t->n_held; i++) {
		const struct hold *h = &t->held[i];

		if (h->lock == to)
			continue;
		add_edge(m, t, i,
			&(struct edge){.from = h->lock->id,
				.to = to->id,
				.from_site = h->site,
				.to_site = site,
				.first = ts,
				.last = ts,
				.count = times,
				.from_mode = h->mode,
				.to_mode = mode,
				.tried = tried,
				.dirty = true});
	}
}

static void write_edge(struct model *m, const struct thread *t, struct edge *e)
{
	_cleanup_buf_ struct buf gates = BUF_INIT;
	struct row_lock_edge row = {.id = e->row,
		.from_lock_id = e->from,
		.to_lock_id = e->to,
		.thread_id = t->id,
		.from_site_id = e->from_site,
		.to_site_id = e->to_site,
		.first_ns = e->first,
		.last_ns = e->last,
		.count = e->count,
		.tried = e->tried,
		.from_mode = names_lock_mode(e->from_mode),
		.to_mode = names_lock_mode(e->to_mode)};

	buf_addc(&gates, '[');
	for (unsigned i = 0; i < e->n_gates; i++)
		buf_addf(&gates, "%s%" PRId64, i ? "," : "", e->gates[i]);
	buf_addc(&gates, ']');
	row.gates = gates.data;
	e->dirty = false;
	store_write_numbered(m->store, STORE_LOCK_EDGE, &row, &e->row);
}

void model_edges_free(struct thread *t)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&t->edges, &pos));)
		free(slot->value);
	hash_done(&t->edges);
}

void model_edges_flush(struct model *m, struct thread *t, bool free_all)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&t->edges, &pos));) {
		struct edge *e = slot->value;

		if (e->dirty)
			write_edge(m, t, e);
	}
	if (free_all)
		model_edges_free(t);
}
