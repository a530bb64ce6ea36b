/* ring_record.c - what the wrappers call to record something; the first record of all tells what the program consists of. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include "probes/shim/modules.h"
#include "probes/shim/ring.h"

static bool modules_done;

__attribute__((noinline, cold)) bool ring_room(void)
{
	if (!ring_make_room())
		return false;
	/* Where everything is recorded, the program's start does it, after its exec. */
	if (!shim_all && !__atomic_exchange_n(&modules_done, true, __ATOMIC_RELAXED))
		modules_record();
	return true;
}

void ring_record(struct rec_head *rec, unsigned kind, size_t size)
{
	if (unlikely(!shim_has_tls()))
		return;
	ring_local.vital = arena_is_vital(kind);
	if (ring_has_room(&ring_local) || ring_room())
		ring_write(rec, kind, size);
	ring_local.vital = false;
}

/* For the library that stands in front of MPI (probes/mpi). */
__attribute__((visibility("default"))) void pptrace_record(
	struct rec_head *rec, unsigned kind, size_t size);
__attribute__((visibility("default"))) void pptrace_record(
	struct rec_head *rec, unsigned kind, size_t size)
{
	ring_record(rec, kind, size);
}

void ring_record_begin(struct ring_pending *p, size_t size)
{
	struct ring_local *t = &ring_local;

	*p = (struct ring_pending){.size = size};
	if (unlikely(!shim_has_tls()))
		return;
	t->vital = true;
	if (!ring_has_room(t) && !ring_room()) {
		t->vital = false;
		return;
	}
	t->vital = false;
	p->thread = t;
	p->first = ring_reserve(t->head, ring_slots(size - sizeof(struct rec_head) + 8));
	p->ts = shim_now();
}

void ring_record_end(struct ring_pending *p, struct rec_head *rec, unsigned kind, bool ok)
{
	size_t len = p->size - sizeof *rec + 8;

	if (!p->thread)
		return;
	if (!ok) {
		kind = ARENA_KIND_NOTHING;
	} else if (!rec->pid) {
		rec->pid = (uint32_t)(p->thread->ring->owner >> 32);
		rec->tid = (uint32_t)p->thread->ring->owner;
	}
	ring_fill(p->thread, p->first, p->ts, kind | ARENA_AUX_TASK << 16, (const char *)&rec->pid,
		len);
	p->thread = NULL;
}
