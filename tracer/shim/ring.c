/* ring.c - walk through rings that somebody else writes, trusting nothing. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/mem.h"

/*
 * Each word is read once, into memory of our own, and judged there. A ring
 * whose chain of chunks leads outside the arena, into another ring or in a
 * circle is broken and left alone; whatever else its slots say can only make
 * records that are wrong, which the model survives.
 */

/* Gives a chunk back with a new generation; when they start over, what is left in it is wiped. */
static void chunk_free(struct shim_arena *a, uint32_t i)
{
	struct arena_head *h = shim_arena_head(a);
	struct arena_chunk *c = shim_arena_chunk(a, i);

	if (++a->gen[i] > 0x7fff) {
		a->gen[i] = 1;
		memset(shim_arena_data(a, i), 0, ARENA_CHUNK_BYTES);
	}
	__atomic_store_n(&c->gen, a->gen[i], __ATOMIC_RELAXED);
	__atomic_store_n(&c->next, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&c->owner, 0, __ATOMIC_RELEASE);
	if (__atomic_load_n(&h->chunk_hint, __ATOMIC_RELAXED) > i)
		__atomic_store_n(&h->chunk_hint, i, __ATOMIC_RELEASE);
}

/* Says whether the ring really has chunk c (plus 1), and its memory can be read. */
static bool chunk_is_ours(struct shim_arena *a, const struct shim_ring *r, uint32_t c)
{
	if (c == 0 || c > a->n_chunks ||
		__atomic_load_n(&shim_arena_chunk(a, c - 1)->owner, __ATOMIC_ACQUIRE) !=
			r->number + 1)
		return false;
	if (a->check_populated && !a->populated[c - 1]) {
		/* EINVAL: a kernel before 5.14. Its space was taken before the ring got it; what is not there after all is caught (guard.c). */
		if (madvise(shim_arena_data(a, c - 1), ARENA_CHUNK_BYTES, MADV_POPULATE_READ) < 0 &&
			errno != EINVAL)
			return false;
		a->populated[c - 1] = 1;
	}
	return true;
}

bool shim_ring_is_taken(const struct shim_arena *a, uint32_t number)
{
	const struct arena_ring *row = shim_arena_ring(a, number);

	return __atomic_load_n(&row->owner, __ATOMIC_ACQUIRE) &&
	       __atomic_load_n(&row->state, __ATOMIC_ACQUIRE) == ARENA_RING_LIVE;
}

bool shim_ring_open(struct shim_arena *a, struct shim_ring *r, uint32_t number)
{
	struct arena_ring *row = shim_arena_ring(a, number);
	uint64_t owner = __atomic_load_n(&row->owner, __ATOMIC_ACQUIRE);

	if (!owner || __atomic_load_n(&row->state, __ATOMIC_ACQUIRE) != ARENA_RING_LIVE)
		return false;
	*r = (struct shim_ring){.live = true, .number = number};
	r->ns_pid = (uint32_t)(owner >> 32);
	r->ns_tid = (uint32_t)owner;
	r->image = __atomic_load_n(&row->image, __ATOMIC_RELAXED);
	r->pidns = __atomic_load_n(&row->pidns, __ATOMIC_RELAXED);
	r->born = __atomic_load_n(&row->born, __ATOMIC_RELAXED);
	r->parent = __atomic_load_n(&row->parent, __ATOMIC_RELAXED);
	r->outer = __atomic_load_n(&row->outer, __ATOMIC_RELAXED);
	r->chunk = __atomic_load_n(&row->first, __ATOMIC_RELAXED);
	r->broken = !chunk_is_ours(a, r, r->chunk);
	return true;
}

void shim_ring_look(struct shim_arena *a, struct shim_ring *r)
{
	uint64_t head = __atomic_load_n(&shim_arena_ring(a, r->number)->head, __ATOMIC_ACQUIRE);

	if (head < r->tail || head - r->tail > (uint64_t)a->n_chunks * ARENA_CHUNK_SLOTS)
		r->broken = true;
	else
		r->head = head;
}

/* Copies slot number tail + ahead; the chunk may be one further on. */
static enum shim_next slot_copy(struct shim_arena *a, struct shim_ring *r, unsigned ahead,
	uint64_t w[ARENA_SLOT_WORDS], uint16_t *ret_gen)
{
	uint64_t n = r->tail + ahead;
	uint32_t c = r->chunk;
	const uint64_t *slot;

	if (n >= r->head)
		return SHIM_EMPTY;
	if (n / ARENA_CHUNK_SLOTS != r->tail / ARENA_CHUNK_SLOTS) {
		c = __atomic_load_n(&shim_arena_chunk(a, c - 1)->next, __ATOMIC_ACQUIRE);
		if (c == 0)
			return SHIM_HOLE;
		if (c == r->chunk || !chunk_is_ours(a, r, c))
			return SHIM_BROKEN;
	}
	slot = shim_chunk_slot(a, c - 1, n);
	w[2] = __atomic_load_n(&slot[2], __ATOMIC_ACQUIRE);
	w[0] = __atomic_load_n(&slot[0], __ATOMIC_RELAXED);
	w[1] = __atomic_load_n(&slot[1], __ATOMIC_RELAXED);
	*ret_gen = a->gen[c - 1];
	return (w[2] >> 48 & 0x7fff) == *ret_gen ? SHIM_RECORD : SHIM_HOLE;
}

enum shim_next shim_ring_time(struct shim_arena *a, struct shim_ring *r, uint64_t *ret)
{
	uint64_t w[ARENA_SLOT_WORDS];
	enum shim_next next;
	uint16_t gen;

	if (r->broken)
		return SHIM_BROKEN;
	next = slot_copy(a, r, 0, w, &gen);
	if (next != SHIM_RECORD)
		return next;
	*ret = w[0];
	r->series.at_tail = (w[1] >> 52 & 15) == ARENA_SERIES;
	return w[2] >> 48 & ARENA_TAG_HEAD ? SHIM_RECORD : SHIM_REST;
}

/* Copies the payload of an ARENA_RAW record. */
static enum shim_next copy_payload(
	struct shim_arena *a, struct shim_ring *r, struct shim_slot *s, unsigned n_slots)
{
	for (unsigned i = 1; i < n_slots; i++) {
		uint64_t w[ARENA_SLOT_WORDS];
		uint16_t gen;
		enum shim_next next = slot_copy(a, r, i, w, &gen);

		if (next != SHIM_RECORD)
			return next == SHIM_EMPTY ? SHIM_HOLE : next;
		if (w[2] >> 48 & ARENA_TAG_HEAD)
			return SHIM_REST; /* it was cut off and another begins */
		memcpy(s->payload + (i - 1) * ARENA_PAYLOAD, w, ARENA_PAYLOAD);
	}
	return SHIM_RECORD;
}

enum shim_next shim_ring_peek(
	struct shim_arena *a, struct shim_ring *r, struct shim_slot *ret, unsigned *ret_slots)
{
	uint64_t w[ARENA_SLOT_WORDS];
	enum shim_next next;
	uint16_t gen;

	*ret_slots = 1;
	if (r->broken)
		return SHIM_BROKEN;
	next = slot_copy(a, r, 0, w, &gen);
	if (next != SHIM_RECORD)
		return next;
	if (!(w[2] >> 48 & ARENA_TAG_HEAD))
		return SHIM_REST;
	ret->ts = w[0];
	ret->addr = w[1] & ARENA_ADDR_MASK;
	ret->site = w[2] & ARENA_ADDR_MASK;
	ret->slot = w[1] >> 52 & 15;
	ret->lock = w[1] >> 48 & 15;
	ret->aux = (unsigned)(w[1] >> 56);
	ret->len = 0;
	if (ret->slot != ARENA_RAW)
		return SHIM_RECORD;
	ret->len = w[1] & 0xffff;
	ret->rec_kind = w[1] >> 16 & 0xffff;
	if (ret->len > sizeof ret->payload)
		return SHIM_BROKEN;
	*ret_slots = 1 + (unsigned)((ret->len + ARENA_PAYLOAD - 1) / ARENA_PAYLOAD);
	return copy_payload(a, r, ret, *ret_slots);
}

void shim_ring_pin(struct shim_ring *r)
{
	if (r->n_pinned && r->pinned[r->n_pinned - 1] == r->chunk)
		return;
	ARRAY_GROW(r->pinned, r->n_pinned, r->cap_pinned);
	r->pinned[r->n_pinned++] = r->chunk;
}

void shim_ring_skip(struct shim_arena *a, struct shim_ring *r, unsigned n)
{
	uint64_t before = r->tail / ARENA_CHUNK_SLOTS;

	r->series = (struct shim_series){0};
	r->tail += n;
	if (r->tail / ARENA_CHUNK_SLOTS == before)
		return;
	uint32_t done = r->chunk;
	uint32_t next = __atomic_load_n(&shim_arena_chunk(a, done - 1)->next, __ATOMIC_ACQUIRE);

	/* Reserving goes on only when the next chunk is there. */
	if (next == done || !chunk_is_ours(a, r, next)) {
		r->broken = true;
		return;
	}
	r->chunk = next;
	if (!r->n_pinned || r->pinned[r->n_pinned - 1] != done)
		chunk_free(a, done - 1);
	shim_chunk_copy(a, next - 1,
		r->head >= r->tail / ARENA_CHUNK_SLOTS * ARENA_CHUNK_SLOTS + ARENA_CHUNK_SLOTS);
}

uint64_t shim_ring_close(struct shim_arena *a, struct shim_ring *r, uint64_t *vital)
{
	struct arena_ring *row = shim_arena_ring(a, r->number);
	struct arena_head *h = shim_arena_head(a);
	uint64_t dropped = __atomic_load_n(&row->dropped, __ATOMIC_RELAXED);

	*vital += __atomic_load_n(&row->dropped_vital, __ATOMIC_RELAXED);
	/* By owner, not along the chain: that may be broken. */
	for (uint32_t i = 0; i < a->n_chunks; i++)
		if (__atomic_load_n(&shim_arena_chunk(a, i)->owner, __ATOMIC_RELAXED) ==
			r->number + 1)
			chunk_free(a, i);
	__atomic_store_n(&row->state, ARENA_RING_FREE, __ATOMIC_RELAXED);
	__atomic_store_n(&row->head, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&row->first, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&row->dropped, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&row->dropped_vital, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&row->series_busy, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&row->owner, 0, __ATOMIC_RELEASE);
	if (__atomic_load_n(&h->ring_hint, __ATOMIC_RELAXED) > r->number)
		__atomic_store_n(&h->ring_hint, r->number, __ATOMIC_RELAXED);
	free(r->pinned);
	free(r->late);
	*r = (struct shim_ring){0};
	return dropped;
}
