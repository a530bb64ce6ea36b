/* merge.c - put the records of several sources into the order of time. */
/* SPDX-License-Identifier: MIT */
/*
 * Records are kept in runs, each ascending in time. A source's rings are
 * ascending themselves or nearly so, so that a handful of runs holds everything
 * (patience sorting): a new record goes to the run whose last record is the
 * youngest of those not younger than it. Leaving is a merge of the runs through
 * a heap that is ordered by the first record of each.
 */
#include "tracer/merge.h"

#include "base/mem.h"
#include "schema/record.h"

enum { CHUNK_BYTES = 16 * 1024, SPARE_CHUNKS = 512 };

struct entry {
	uint64_t seq; /* in which order records came */
	struct rec_head rec;
};

struct chunk {
	struct chunk *next;
	size_t used;
	char data[CHUNK_BYTES];
};

struct run {
	struct chunk *first, *last;
	size_t read; /* offset in first of the oldest record */
	uint64_t tail_ts;
};

struct merge {
	struct run **runs;
	size_t n_runs, cap_runs;
	struct run *latest; /* took the last record */
	struct run **heap;  /* room for all runs; in use during merge_emit only */
	struct chunk *spare;
	size_t n_spare, bytes;
	uint64_t seq;
};

struct merge *merge_new(void)
{
	return xcalloc(1, sizeof(struct merge));
}

static void free_chunks(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_runs; i++) {
		free_chunks(m->runs[i]->first);
		free(m->runs[i]);
	}
	free_chunks(m->spare);
	free(m->runs);
	free(m->heap);
	free(m);
}

static struct chunk *chunk_new(struct merge *m)
{
	struct chunk *c = m->spare;

	if (c) {
		m->spare = c->next;
		m->n_spare--;
	} else {
		c = xmalloc(sizeof *c);
	}
	c->next = NULL;
	c->used = 0;
	m->bytes += CHUNK_BYTES;
	return c;
}

static void chunk_free(struct merge *m, struct chunk *c)
{
	m->bytes -= CHUNK_BYTES;
	if (m->n_spare == SPARE_CHUNKS) {
		free(c);
		return;
	}
	c->next = m->spare;
	m->spare = c;
	m->n_spare++;
}

static struct entry *run_head(const struct run *r)
{
	return (struct entry *)(r->first->data + r->read);
}

/* Finds or makes the run for a record of time ts. */
static struct run *run_for(struct merge *m, uint64_t ts)
{
	struct run *best = NULL;

	if (m->latest && m->latest->tail_ts <= ts)
		return m->latest;
	for (size_t i = 0; i < m->n_runs; i++) {
		struct run *r = m->runs[i];

		if ((!r->first || r->tail_ts <= ts) && (!best || r->tail_ts > best->tail_ts))
			best = r;
	}
	if (!best) {
		ARRAY_GROW(m->runs, m->n_runs, m->cap_runs);
		m->heap = xreallocarray(m->heap, m->cap_runs, sizeof(struct run *));
		best = xcalloc(1, sizeof *best);
		m->runs[m->n_runs++] = best;
	}
	return best;
}

void merge_add(void *merge, const struct rec_head *rec)
{
	struct merge *m = merge;
	size_t size = sizeof(uint64_t) + rec->size;
	struct run *r = run_for(m, rec->ts);
	struct entry *e;

	if (!r->last || r->last->used + size > CHUNK_BYTES) {
		struct chunk *c = chunk_new(m);

		if (r->last)
			r->last->next = c;
		else
			r->first = c;
		r->last = c;
	}
	e = (struct entry *)(r->last->data + r->last->used);
	e->seq = m->seq++;
	memcpy(&e->rec, rec, rec->size);
	r->last->used += size;
	r->tail_ts = rec->ts;
	m->latest = r;
}

static bool before(const struct run *a, const struct run *b)
{
	const struct entry *x = run_head(a), *y = run_head(b);

	return x->rec.ts != y->rec.ts ? x->rec.ts < y->rec.ts : x->seq < y->seq;
}

static void sift_down(struct run **heap, size_t n, size_t i)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		struct run *r = heap[i];

		if (child + 1 < n && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], r))
			return;
		heap[i] = heap[child];
		heap[child] = r;
	}
}

/* Drops the oldest record of a run; false if it was the last. */
static bool run_pop(struct merge *m, struct run *r)
{
	r->read += sizeof(uint64_t) + run_head(r)->rec.size;
	if (r->read < r->first->used)
		return true;
	struct chunk *done = r->first;

	r->first = done->next;
	r->read = 0;
	if (!r->first)
		r->last = NULL;
	chunk_free(m, done);
	return r->first != NULL;
}

size_t merge_emit(struct merge *m, uint64_t until, source_emit *emit, void *arg)
{
	size_t n = 0, count = 0;

	for (size_t i = 0; i < m->n_runs; i++)
		if (m->runs[i]->first && run_head(m->runs[i])->rec.ts <= until)
			m->heap[n++] = m->runs[i];
	for (size_t i = n / 2; i-- > 0;)
		sift_down(m->heap, n, i);
	while (n) {
		struct run *r = m->heap[0];

		/* Mostly the next record is of the same run: no sifting until it is not. */
		do {
			emit(arg, &run_head(r)->rec);
			count++;
			if (!run_pop(m, r) || run_head(r)->rec.ts > until) {
				m->heap[0] = m->heap[--n];
				break;
			}
		} while ((n < 2 || before(r, m->heap[1])) && (n < 3 || before(r, m->heap[2])));
		sift_down(m->heap, n, 0);
	}
	return count;
}

size_t merge_bytes(const struct merge *m)
{
	return m->bytes;
}
