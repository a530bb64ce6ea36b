/* fold.c - equal short holds that lie side by side in a ring are handed over as one record. */
/* SPDX-License-Identifier: MIT */
/*
 * A loop around a lock that nobody else wants fills rings with pairs of slots
 * that differ in their times alone. To take each of them apart, sort it and feed it to the model
 * takes ten times as long as to write it. Here they are added up where they lie.
 */
#include "tracer/shim/private.h"

enum {
	LEAST = 16,     /* fewer holds are handed over one by one */
	SINGLES = 1000, /* and so are the first of a thread */
};

/* In the arena's clock, where the counter runs at 1 to 5 GHz. */
static uint64_t span_raw(const struct shim_drain *d)
{
	return d->clock.tsc ? 1u << 25 : 10000000;
}

/* The slots of one chunk from the ring's tail on, of which none is more than what its writer says. */
struct strip {
	const uint64_t *slot;
	uint64_t n, gen;
};

static struct strip strip_of(struct shim_drain *d, const struct shim_ring *r)
{
	uint64_t at = r->tail % ARENA_CHUNK_SLOTS, left = ARENA_CHUNK_SLOTS - at;
	uint32_t c = r->chunk - 1;

	return (struct strip){shim_chunk_slots(&d->arena, c) + at * ARENA_SLOT_WORDS,
		left < r->head - r->tail ? left : r->head - r->tail, d->arena.gen[c]};
}

/* Copies a slot; false: it is not the begin of a record that is complete. */
static bool copy(const struct strip *s, uint64_t i, uint64_t w[ARENA_SLOT_WORDS])
{
	const uint64_t *slot = s->slot + i * ARENA_SLOT_WORDS;

	w[2] = __atomic_load_n(&slot[2], __ATOMIC_ACQUIRE);
	w[0] = __atomic_load_n(&slot[0], __ATOMIC_RELAXED);
	w[1] = __atomic_load_n(&slot[1], __ATOMIC_RELAXED);
	return w[2] >> 48 == (s->gen | ARENA_TAG_HEAD);
}

static unsigned slot_kind(const uint64_t w[ARENA_SLOT_WORDS])
{
	return w[1] >> 52 & 15;
}

/* Says whether the second of two slots releases what the first has taken. */
static bool is_pair(const uint64_t take[ARENA_SLOT_WORDS], const uint64_t give[ARENA_SLOT_WORDS])
{
	const uint64_t object = ARENA_ADDR_MASK | 15ull << 48;

	return slot_kind(give) == ARENA_RELEASE && (take[1] & object) == (give[1] & object);
}

/* Adds up pairs, or tries in vain, as long as they are like the first. */
static void add_up(
	const struct shim_drain *d, const struct strip *s, uint64_t limit, struct shim_fold *f)
{
	uint64_t take[ARENA_SLOT_WORDS], give[ARENA_SLOT_WORDS], from = f->first;
	unsigned width = f->slot == ARENA_BUSY ? 1 : 2;

	for (uint64_t i = 0; i + width <= s->n; i += width) {
		if (!copy(s, i, take) || take[0] < from || take[0] > limit ||
			take[0] - f->first > span_raw(d) || take[1] != f->take ||
			take[2] != f->take_site)
			return;
		if (width == 1) {
			from = f->last = take[0];
			f->count++;
			continue;
		}
		if (!copy(s, i + 1, give) || give[0] < take[0] || give[0] > limit ||
			give[0] - take[0] >= shim_short_raw(d) || give[1] != f->give ||
			give[2] != f->give_site)
			return;
		from = f->last = give[0];
		f->held += give[0] - take[0];
		if (give[0] - take[0] > f->longest)
			f->longest = give[0] - take[0];
		f->count++;
	}
}

bool shim_fold(struct shim_drain *d, struct shim_ring *r, uint64_t limit, struct shim_fold *ret)
{
	uint64_t take[ARENA_SLOT_WORDS], give[ARENA_SLOT_WORDS] = {0};
	struct strip s;

	if (d->keep_all || r->tail < r->fold_from || r->head - r->tail < 2 * LEAST)
		return false;
	s = strip_of(d, r);
	if (s.n < 2 || !copy(&s, 0, take) || take[0] != r->next)
		return false;
	if (slot_kind(take) != ARENA_BUSY &&
		(slot_kind(take) != ARENA_ACQUIRE || !copy(&s, 1, give) || !is_pair(take, give)))
		return false;
	*ret = (struct shim_fold){.slot = slot_kind(take),
		.take = take[1],
		.take_site = take[2],
		.give = give[1],
		.give_site = give[2],
		.first = take[0],
		.last = take[0]};
	add_up(d, &s, limit, ret);
	ret->n_slots = ret->count * (ret->slot == ARENA_BUSY ? 1 : 2);
	if (ret->count >= LEAST && r->singles >= SINGLES)
		return true;
	/* These are not looked at again. */
	r->fold_from = r->tail + (ret->n_slots ? ret->n_slots : 2);
	r->singles += ret->count < SINGLES ? (unsigned)ret->count : SINGLES;
	return false;
}
