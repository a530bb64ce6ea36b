/* series.c - how a series begins, and where its holds end. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/series.h"

#include "probes/shim/arena.h"
#include "probes/shim/ring.h"
#include "probes/shim/stack.h"

bool series_release_at(struct ring_series *s, uint64_t site)
{
	if (s->count)
		return false;
	s->give_site = site;
	__atomic_store_n(&s->slots[5], (site & ARENA_ADDR_MASK) | (s->slots[5] & ~ARENA_ADDR_MASK),
		__ATOMIC_RELAXED);
	return true;
}

/* Says whether a series may be begun: somebody reads it, and there is room in one chunk, as far as can be known before it is reserved. */
static bool may_begin(const struct ring_local *t, uint64_t site)
{
	return !stack_is_wanted(site) && ring_has_room(t) && !t->ring->series_busy &&
	       *t->head % ARENA_CHUNK_SLOTS <= ARENA_CHUNK_SLOTS - 2 * ARENA_SERIES_SLOTS &&
	       !(__atomic_load_n(&shim_arena->flags, __ATOMIC_RELAXED) & ARENA_FLAG_SINGLY) &&
	       !__atomic_load_n(&shim_arena->closed, __ATOMIC_RELAXED);
}

/* Fills the slots of a record of one hold that has begun. */
static void fill(uint64_t *slots, uint64_t tag, uint64_t ts, uint64_t what)
{
	uint64_t rest = tag & ~((uint64_t)ARENA_TAG_HEAD << 48);

	slots[0] = ts;
	slots[1] = what;
	slots[3] = slots[4] = slots[6] = 0;
	slots[7] = ts;
	slots[5] = slots[8] = rest;
}

__attribute__((noinline)) bool series_begin(uint64_t what, uint64_t site)
{
	static const char nothing[(ARENA_SERIES_SLOTS - 1) * ARENA_PAYLOAD];
	struct ring_local *t = &ring_local;
	const uint32_t *wanted = object_wanted(what & ARENA_ADDR_MASK);
	uint32_t was_wanted = __atomic_load_n(wanted, __ATOMIC_ACQUIRE);
	uint64_t n, tag, *slots, ts;
	bool late;

	if (!may_begin(t, site))
		return false;
	n = ring_reserve(t->head, ARENA_SERIES_SLOTS);
	slots = ring_slot(t, n, &tag);
	/* Handlers came in between and have used up the chunk. */
	if (!slots || n % ARENA_CHUNK_SLOTS > ARENA_CHUNK_SLOTS - ARENA_SERIES_SLOTS) {
		ring_fill(t, n, shim_now(), ARENA_KIND_NOTHING, nothing, sizeof nothing);
		return false;
	}
	ts = shim_now();
	fill(slots, tag, ts, what);
	/* The reader gives up a record that is not filled for long, and would not see what changes in it then. */
	late = shim_now_early() - ts >= SERIES_SHORT;
	if (late)
		slots[1] = (what & ~(15ull << 52)) | (uint64_t)ARENA_ACQUIRE << 52;
	__atomic_store_n(&slots[2], (site & ARENA_ADDR_MASK) | tag, __ATOMIC_RELEASE);
	if (late)
		return true;
	t->series = (struct ring_series){.what = what,
		.site = site,
		.slots = slots,
		.next = n + ARENA_SERIES_SLOTS,
		.first = ts,
		.since = ts,
		.wanted = wanted,
		.was_wanted = was_wanted,
		.alike = SERIES_LEAST,
		.singles = SERIES_SINGLES};
	return true;
}
