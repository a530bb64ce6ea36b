/* open.c - which rings are in use: found, and given back. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALIVE_CHECK_NS 300000000ull
#define SEEK_EVERY_NS 300000000ull /* rings of which nobody has said that they are there */

static bool thread_is_gone(const struct shim_drain *d, const struct shim_ring *r)
{
	/* A pid in an unknown namespace is unusable. */
	if (!r->pid || !r->pidns || !d->ns.own)
		return false;
	return syscall(SYS_tgkill, r->pid, r->tid, 0) < 0 && errno == ESRCH;
}

/* An exec ended the threads of the image before it. */
static void supersede(struct shim_drain *d, const struct shim_ring *young)
{
	for (size_t i = 0; i < d->n_open; i++) {
		struct shim_ring *r = shim_open_ring(d, i);

		if (r->ns_pid == young->ns_pid && r->image != young->image &&
			r->pidns == young->pidns && r->born < young->born)
			r->dead = true;
	}
}

/*
 * Looks through all the places for rings that were taken. There are thousands of them, and mostly nothing is
 * new: the processes count what they take. But they could die between the two, or count wrongly.
 */
void shim_open_seek(struct shim_drain *d, uint64_t now)
{
	uint64_t taken = __atomic_load_n(&shim_arena_head(&d->arena)->taken, __ATOMIC_ACQUIRE);

	if (d->sought_at && taken == d->taken && now - d->sought_at < SEEK_EVERY_NS)
		return;
	d->taken = taken;
	d->sought_at = now;
	for (uint32_t i = 0; i < d->arena.n_rings; i++) {
		struct shim_ring *r = &d->rings[i];

		/* In this order: what is ours of a ring that was never taken is memory that was never touched. */
		if (!shim_ring_is_taken(&d->arena, i) || r->live ||
			!shim_ring_open(&d->arena, r, i))
			continue;
		d->open[d->n_open++] = i;
		if (i >= d->n_touched)
			d->n_touched = i + 1;
		supersede(d, r);
	}
}

static uint64_t count_late(const struct shim_ring *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n_late; i++)
		n += r->late[i].first;
	return n;
}

/* Gives back what a dead thread has left when it has been read. */
static void retire_ring(struct shim_drain *d, struct shim_ring *r, uint64_t now)
{
	uint64_t seen = r->head;

	if (!r->dead && now - r->checked > ALIVE_CHECK_NS) {
		r->checked = now;
		r->dead = thread_is_gone(d, r);
		/* Its last records may have been written after the check. */
		return;
	}
	if (!r->dead || !(r->broken || r->tail >= r->head))
		return;
	shim_ring_look(&d->arena, r);
	if (!r->broken && r->head != seen)
		return;
	d->lost_holes += count_late(r);
	shim_tasks_close(&d->tasks, r);
	d->lost_dropped += shim_ring_close(&d->arena, r, &d->lost_vital);
}

void shim_open_retire(struct shim_drain *d, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_open; i++) {
		retire_ring(d, shim_open_ring(d, i), now);
		if (shim_open_ring(d, i)->live)
			d->open[n++] = d->open[i];
	}
	d->n_open = n;
}

uint64_t shim_drain_interrupted(const struct shim_drain *d)
{
	uint64_t n = d->lost_holes;

	for (size_t i = 0; i < d->n_open; i++)
		n += count_late(shim_open_ring(d, i));
	return n;
}

uint64_t shim_drain_dropped(const struct shim_drain *d)
{
	uint64_t n = d->lost_dropped;

	for (size_t i = 0; i < d->n_open; i++)
		n += __atomic_load_n(
			&shim_arena_ring(&d->arena, d->open[i])->dropped, __ATOMIC_RELAXED);
	return n;
}

uint64_t shim_drain_dropped_vital(const struct shim_drain *d)
{
	uint64_t n = d->lost_vital +
		     __atomic_load_n(&shim_arena_head(&d->arena)->no_ring, __ATOMIC_RELAXED);

	for (size_t i = 0; i < d->n_open; i++)
		n += __atomic_load_n(
			&shim_arena_ring(&d->arena, d->open[i])->dropped_vital, __ATOMIC_RELAXED);
	return n;
}
