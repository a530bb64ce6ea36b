/* series.c - equal holds that a thread adds up by itself, read while it does. */
/* SPDX-License-Identifier: MIT */
/*
 * A series (schema/arena.h) is the one record that changes after it was committed. It is handed over piece by piece: the
 * holds that have been added since the last time, as soon as the last of them is over, and the one that goes on when it
 * is too long to be added, so that its release will be a record of its own. So what others do to the lock meanwhile
 * finds it held, or not, as it was.
 */
#include "tracer/shim/private.h"

/* The words of the second and third slot. */
struct sums {
	uint64_t count, held, give_site, last, since;
};

static void read_words(const uint64_t *slots, struct sums *ret)
{
	ret->count = __atomic_load_n(&slots[3], __ATOMIC_RELAXED);
	ret->held = __atomic_load_n(&slots[4], __ATOMIC_RELAXED);
	ret->give_site = __atomic_load_n(&slots[5], __ATOMIC_RELAXED);
	ret->last = __atomic_load_n(&slots[6], __ATOMIC_RELAXED);
	ret->since = __atomic_load_n(&slots[7], __ATOMIC_RELAXED);
}

static bool is_busy(const struct shim_arena *a, const struct shim_ring *r)
{
	return !r->dead &&
	       __atomic_load_n(&shim_arena_ring(a, r->number)->series_busy, __ATOMIC_ACQUIRE);
}

/* Reads what belongs together; false: the thread is changing it. Each change alters a word, so that two equal looks are of one state. */
static bool read_sums(const struct shim_arena *a, const struct shim_ring *r, const uint64_t *slots,
	struct sums *ret)
{
	bool busy = is_busy(a, r);
	struct sums before;

	read_words(slots, &before);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	read_words(slots, ret);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !busy && !is_busy(a, r) && before.count == ret->count && before.held == ret->held &&
	       before.give_site == ret->give_site && before.last == ret->last &&
	       before.since == ret->since;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What has been added since the last time, if that is possible at all. */
static struct shim_fold added(const struct shim_series *told, const uint64_t *slots,
	const struct sums *s, uint64_t latest)
{
	struct shim_fold f = {.slot = ARENA_ACQUIRE,
		.take = __atomic_load_n(&slots[1], __ATOMIC_RELAXED),
		.take_site = __atomic_load_n(&slots[2], __ATOMIC_RELAXED),
		.give_site = s->give_site,
		.first = told->count ? told->last : __atomic_load_n(&slots[0], __ATOMIC_RELAXED),
		.last = s->last,
		.n_slots = ARENA_SERIES_SLOTS};

	if ((uint32_t)s->count <= told->count || s->held < told->held || f.last < f.first ||
		f.last > latest + SHIM_FUTURE_RAW)
		return f;
	f.held = s->held - told->held;
	f.longest = least(s->count >> 32, f.held);
	if (f.held <= f.last - f.first)
		f.count = (uint32_t)s->count - told->count;
	return f;
}

/* A hold that has lasted so long will not be added any more: twice as long, for a thread that is about to release it. */
static uint64_t too_long(const struct shim_drain *d)
{
	return 2 * shim_short_raw(d);
}

enum shim_next shim_series_next(
	struct shim_drain *d, struct shim_ring *r, bool impatient, uint64_t *floor_raw)
{
	/* Never of a copy (copied.c), which was made before the last change. */
	const uint64_t *slots = shim_arena_data(&d->arena, r->chunk - 1) +
				r->tail % ARENA_CHUNK_SLOTS * ARENA_SLOT_WORDS;
	bool is_over = r->dead || r->head > r->tail + ARENA_SERIES_SLOTS;
	struct shim_series *told = &r->series;
	struct sums s;

	if (r->tail % ARENA_CHUNK_SLOTS > ARENA_CHUNK_SLOTS - ARENA_SERIES_SLOTS)
		return SHIM_REST;
	if (read_sums(&d->arena, r, slots, &s)) {
		r->hole = 0;
	} else if (!impatient) {
		/* It has got so far at least. */
		if (s.last > r->last && s.last <= d->latest)
			r->last = s.last;
		return SHIM_HOLE;
	}
	told->fold = added(told, slots, &s, d->latest);
	if (told->fold.count) {
		r->next = s.last;
		return SHIM_RECORD;
	}
	told->next_since = s.since;
	if (s.since && s.since != told->since && s.since <= d->latest + SHIM_FUTURE_RAW) {
		r->next = s.since;
		if (is_over || s.since + too_long(d) <= d->latest)
			return SHIM_RECORD;
		if (s.since <= *floor_raw)
			*floor_raw = s.since - 1;
	}
	return is_over ? SHIM_REST : SHIM_EMPTY;
}

/* The hold that goes on, as the record that it is no more: of an acquisition. */
static struct shim_slot as_acquire(const struct shim_series *s)
{
	return (struct shim_slot){.ts = s->next_since,
		.addr = s->fold.take & ARENA_ADDR_MASK,
		.site = s->fold.take_site & ARENA_ADDR_MASK,
		.slot = ARENA_ACQUIRE,
		.lock = s->fold.take >> 48 & 15,
		.aux = (unsigned)(s->fold.take >> 56)};
}

bool shim_series_take(struct shim_drain *d, struct shim_ring *r, source_emit *emit, void *arg)
{
	struct shim_series *s = &r->series;

	if (!s->at_tail)
		return false;
	d->lost_holes += r->unwritten;
	r->unwritten = 0;
	r->last = r->next;
	if (!(r->pid || !d->expand.tasks)) {
		d->lost_unidentified += s->fold.count ? s->fold.count : 1;
	} else if (s->fold.count) {
		shim_expand_fold(&d->expand, r, &s->fold, d->until, emit, arg);
	} else {
		struct shim_slot slot = as_acquire(s);

		shim_expand(&d->expand, r, &slot, d->until, emit, arg);
	}
	if (s->fold.count) {
		s->count += s->fold.count;
		s->held += s->fold.held;
		s->last = s->fold.last;
	} else {
		s->since = s->next_since;
	}
	return true;
}

unsigned shim_series_idle(const struct shim_ring *r)
{
	return r->series.at_tail && r->head == r->tail + ARENA_SERIES_SLOTS ? ARENA_SERIES_SLOTS
									    : 0;
}
