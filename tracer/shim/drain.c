/* drain.c - hand over what all rings hold, in the order of time. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include "base/clock.h"
#include "base/mem.h"

#define SLACK_NS 50000u           /* between a stamp and its slot being seen */
#define HOLE_MAX_NS 1000000000ull /* a slot that stays empty so long is given up */

enum {
	/* Handed over by one poll at most, so that memory stays bounded; records take 100 bytes and more. */
	POLL_SLOTS_MAX = 200000,
	POLL_SLOTS_MIN = 10000,
	MEMORY_SHARE = 1 << 14, /* one slot per this many bytes of available memory */
	BEAT_SLOTS = 4096
};

static size_t slots_at_once(uint64_t memory)
{
	uint64_t n = memory / MEMORY_SHARE;

	if (!memory)
		return POLL_SLOTS_MAX;
	return n < POLL_SLOTS_MIN   ? POLL_SLOTS_MIN
	       : n > POLL_SLOTS_MAX ? POLL_SLOTS_MAX
				    : (size_t)n;
}

void shim_drain_init(struct shim_drain *d, bool everything, uint64_t memory)
{
	d->at_once = slots_at_once(memory);
	d->rings = xcalloc(d->arena.n_rings, sizeof *d->rings);
	d->open = xcalloc(d->arena.n_rings, sizeof *d->open);
	d->heap = xcalloc(d->arena.n_rings, sizeof *d->heap);
	d->expand.clock = &d->clock;
	d->expand.ns = &d->ns;
	d->expand.tasks = everything ? &d->tasks : NULL;
	d->until = shim_clock_sample(&d->clock).mono;
}

void shim_drain_done(struct shim_drain *d)
{
	for (uint32_t i = 0; i < d->n_touched; i++) {
		free(d->rings[i].pinned);
		free(d->rings[i].late);
	}
	shim_arena_done(&d->arena);
	shim_clock_done(&d->clock);
	shim_expand_done(&d->expand);
	shim_tasks_done(&d->tasks);
	shim_ns_done(&d->ns);
	free(d->rings);
	free(d->open);
	free(d->heap);
	*d = (struct shim_drain){0};
}

/* ---- Records that were begun ---- */

/*
 * Gives up what is reserved and not filled: one slot, and what belongs to it is
 * given up next. A thread that was stopped for a long time, or waits in the call that
 * the record is about, may still fill it.
 */
static void skip_hole(struct shim_drain *d, struct shim_ring *r)
{
	if (r->dead) {
		/* What a thread was doing when it was killed says nothing that its end does not. */
		r->unwritten += !r->in_hole;
	} else {
		shim_ring_pin(r);
		ARRAY_GROW(r->late, r->n_late, r->cap_late);
		r->late[r->n_late++] = (struct shim_late){r->tail, r->chunk, !r->in_hole};
	}
	r->in_hole = true;
	shim_ring_skip(&d->arena, r, 1);
}

/* Hands over what was given up and has been filled since. */
static void take_late(struct shim_drain *d, struct shim_ring *r, source_emit *emit, void *arg)
{
	size_t keep = 0;

	for (size_t i = 0; i < r->n_late; i++) {
		struct shim_ring at = *r;
		struct shim_slot slot;
		unsigned n;

		at.tail = r->late[i].slot;
		at.chunk = r->late[i].chunk;
		switch (shim_ring_peek(&d->arena, &at, &slot, &n)) {
		case SHIM_RECORD:
			/* Nor is it known how a series goes on: it is lost. */
			if (slot.slot == ARENA_SERIES)
				d->lost_holes++;
			else
				shim_expand(&d->expand, r, &slot, d->until, emit, arg);
			break;
		case SHIM_REST:
			break;
		case SHIM_EMPTY:
		case SHIM_HOLE:
		case SHIM_BROKEN:
			r->late[keep++] = r->late[i];
			break;
		}
	}
	r->n_late = keep;
}

/*
 * A process without a /proc cannot say in which PID namespace it is. Its numbers
 * are taken for those of here only if it, or its parent, is known by them.
 */
static bool is_numbered_as_here(const struct shim_drain *d, struct shim_ring *r)
{
	if (r->pidns || !d->ns.own || !d->expand.tasks ||
		shim_knows(&d->expand.tasks->known, r->ns_pid) ||
		shim_knows(&d->expand.tasks->known, r->parent))
		return true;
	r->tries++;
	return false;
}

static void look_at_rings(struct shim_drain *d, source_emit *emit, void *arg)
{
	uint64_t waiting = 0;

	for (size_t i = 0; i < d->n_open; i++) {
		struct shim_ring *r = shim_open_ring(d, i);

		if (!r->pid && is_numbered_as_here(d, r))
			shim_ns_resolve(&d->ns, r);
		shim_ring_look(&d->arena, r);
		if (!r->broken)
			waiting += r->head - r->tail - shim_series_idle(r);
		if (r->n_late && (r->pid || !d->expand.tasks))
			take_late(d, r, emit, arg);
	}
	d->waiting = waiting;
}

/* ---- Handing over in the order of time ---- */

static bool heap_before(const struct shim_drain *d, uint32_t a, uint32_t b)
{
	return d->rings[a].next != d->rings[b].next ? d->rings[a].next < d->rings[b].next : a < b;
}

static void heap_down(struct shim_drain *d, size_t i)
{
	uint32_t *h = d->heap, v = h[i];

	for (size_t child; (child = 2 * i + 1) < d->n_heap; i = child) {
		if (child + 1 < d->n_heap && heap_before(d, h[child + 1], h[child]))
			child++;
		if (!heap_before(d, h[child], v))
			break;
		h[i] = h[child];
	}
	h[i] = v;
}

/*
 * Finds the time of the ring's next record. False: it has none now; then
 * *floor_raw is lowered if an older record may still appear.
 */
static bool ring_next(struct shim_drain *d, struct shim_ring *r, uint64_t now, uint64_t *floor_raw)
{
	for (;;) {
		enum shim_next next = shim_ring_time(&d->arena, r, &r->next);

		if (next == SHIM_RECORD && r->series.at_tail)
			next = shim_series_next(
				d, r, r->hole && now - r->hole >= HOLE_MAX_NS, floor_raw);
		if (next == SHIM_RECORD) {
			if (!r->series.at_tail)
				r->hole = 0;
			r->in_hole = false;
			/* An impossible time must not hold up the ring forever. */
			if (r->next > d->latest + SHIM_FUTURE_RAW)
				r->next = r->last;
			return true;
		}
		if (next == SHIM_REST) {
			shim_ring_skip(&d->arena, r, 1);
			continue;
		}
		if (next != SHIM_HOLE) {
			r->hole = 0;
			return false;
		}
		if (!r->hole)
			r->hole = now;
		if (!r->dead && now - r->hole < HOLE_MAX_NS) {
			if (r->last < *floor_raw)
				*floor_raw = r->last;
			return false;
		}
		skip_hole(d, r);
	}
}

/* Hands over several equal holds at the ring's tail as one record, if nothing in another ring comes between them. */
static bool ring_take_fold(
	struct shim_drain *d, struct shim_ring *r, uint64_t limit, source_emit *emit, void *arg)
{
	struct shim_fold f;

	for (size_t i = 1; i < d->n_heap && i <= 2; i++)
		if (d->rings[d->heap[i]].next < limit)
			limit = d->rings[d->heap[i]].next;
	if (!(r->pid || !d->expand.tasks) || !shim_fold(d, r, limit, &f))
		return false;
	d->lost_holes += r->unwritten;
	r->unwritten = 0;
	shim_expand_fold(&d->expand, r, &f, d->until, emit, arg);
	r->last = f.last;
	shim_ring_skip(&d->arena, r, (unsigned)f.n_slots);
	return true;
}

/* Hands over the record at the ring's tail. */
static bool ring_take(struct shim_drain *d, struct shim_ring *r, source_emit *emit, void *arg)
{
	struct shim_slot slot;
	unsigned n;

	switch (shim_ring_peek(&d->arena, r, &slot, &n)) {
	case SHIM_RECORD:
		slot.ts = r->next;
		d->lost_holes += r->unwritten;
		r->unwritten = 0;
		if (r->pid || !d->expand.tasks)
			shim_expand(&d->expand, r, &slot, d->until, emit, arg);
		else
			d->lost_unidentified++;
		r->last = slot.ts;
		shim_ring_skip(&d->arena, r, n);
		return true;
	case SHIM_HOLE:
	case SHIM_REST:
		/* A record that was cut off. */
		skip_hole(d, r);
		return true;
	case SHIM_EMPTY:
		return false;
	case SHIM_BROKEN:
		r->broken = true;
		return false;
	}
	return false;
}

/* Without kernel probes nobody else can tell whose records these are: they wait until that is found out. */
static bool may_hand_over(const struct shim_drain *d, const struct shim_ring *r)
{
	return r->pid || !d->expand.tasks || shim_ns_lost(r);
}

void shim_drain_beat(struct shim_drain *d)
{
	struct arena_head *h = shim_arena_head(&d->arena);

	__atomic_store_n(&h->heartbeat, clock_now(), __ATOMIC_RELAXED);
}

/* Hands over all records up to the raw time horizon, at most d->at_once; returns the raw time up to which nothing is left. */
static uint64_t hand_over(
	struct shim_drain *d, uint64_t horizon, uint64_t now, source_emit *emit, void *arg)
{
	uint64_t floor_raw = horizon;
	size_t n = 0;

	d->n_heap = 0;
	for (size_t i = 0; i < d->n_open; i++)
		if (may_hand_over(d, shim_open_ring(d, i)) &&
			ring_next(d, shim_open_ring(d, i), now, &floor_raw))
			d->heap[d->n_heap++] = d->open[i];
	for (size_t i = d->n_heap / 2; i-- > 0;)
		heap_down(d, i);
	while (d->n_heap) {
		struct shim_ring *r = &d->rings[d->heap[0]];

		/* Nothing overtakes a record that is still being written: what follows from it may lie elsewhere. */
		if (r->next > floor_raw)
			break;
		if (++n > d->at_once)
			return r->next < floor_raw ? r->next : floor_raw;
		if (n % BEAT_SLOTS == 0)
			shim_drain_beat(d);
		/* Who goes on has mostly filled by now what was given up: that comes first. */
		if (r->n_late)
			take_late(d, r, emit, arg);
		if (!(shim_series_take(d, r, emit, arg) ||
			    ring_take_fold(d, r, floor_raw, emit, arg) ||
			    ring_take(d, r, emit, arg)) ||
			!ring_next(d, r, now, &floor_raw))
			d->heap[0] = d->heap[--d->n_heap];
		heap_down(d, 0);
	}
	return floor_raw;
}

/* A writer that found nothing says so in the hint; it may have overlooked what was given back meanwhile. */
static void renew_hint(struct shim_drain *d)
{
	struct arena_head *h = shim_arena_head(&d->arena);

	if (__atomic_load_n(&h->chunk_hint, __ATOMIC_RELAXED) != UINT32_MAX)
		return;
	for (uint32_t i = 0; i < d->arena.n_chunks; i++)
		if (!__atomic_load_n(&shim_arena_chunk(&d->arena, i)->owner, __ATOMIC_RELAXED)) {
			__atomic_store_n(&h->chunk_hint, i, __ATOMIC_RELEASE);
			return;
		}
}

bool shim_drain_poll(struct shim_drain *d, source_emit *emit, void *arg)
{
	struct shim_clock_pair now = shim_clock_sample(&d->clock);
	uint64_t done, until;

	d->latest = now.raw;
	shim_drain_beat(d);
	shim_open_seek(d, now.mono);
	look_at_rings(d, emit, arg);
	if (d->tasks.spawns.len)
		shim_spawns_poll(&d->tasks.spawns, &d->tasks.known, d->until + 1, emit, arg);
	done = hand_over(d, now.raw, now.mono, emit, arg);
	shim_open_retire(d, now.mono);
	renew_hint(d);
	until = shim_clock_mono(&d->clock, done);
	until = until > SLACK_NS ? until - SLACK_NS : 0;
	if (until > d->until)
		d->until = until;
	shim_clock_prune(&d->clock, done);
	return d->n_heap && d->rings[d->heap[0]].next <= done;
}

uint64_t shim_drain_unidentified(const struct shim_drain *d)
{
	return d->lost_unidentified;
}
