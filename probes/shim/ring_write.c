/* ring_write.c - a record is written into a thread's ring. */
/* SPDX-License-Identifier: MIT */
/*
 * Records of the kinds of events.def. Those of uncontended locks, the hot path, are one slot each, and are written by
 * ring_begin and ring_end of shim.h without a call.
 */
#include "probes/shim/ring.h"

#include <string.h>

/* Fills one slot behind the first with 22 bytes of payload. */
static void put_payload(uint64_t *slot, uint64_t tag, const char *data, size_t len)
{
	uint64_t w[ARENA_SLOT_WORDS] = {0, 0, 0};

	if (likely(len >= ARENA_PAYLOAD))
		memcpy(w, data, ARENA_PAYLOAD);
	else
		memcpy(w, data, len);
	slot[0] = w[0];
	slot[1] = w[1];
	slot[2] = w[2] | (tag & ~((uint64_t)ARENA_TAG_HEAD << 48));
}

void ring_fill(
	struct ring_local *t, uint64_t n, uint64_t ts, unsigned kind, const char *from, size_t len)
{
	unsigned aux = kind >> 16;
	uint64_t tag, *slot;

	for (size_t done = 0, i = 1; done < len; done += ARENA_PAYLOAD, i++) {
		slot = ring_slot(t, n + i, &tag);
		if (!slot)
			return;
		put_payload(slot, tag, from + done, len - done);
	}
	slot = ring_slot(t, n, &tag);
	if (!slot)
		return;
	slot[0] = ts;
	slot[1] = len | (uint64_t)(kind & 0xffff) << 16 |
		  (uint64_t)RING_KIND(ARENA_RAW, 0, aux) << 48;
	__atomic_store_n(&slot[2], tag, __ATOMIC_RELEASE);
}

size_t ring_slots(size_t len)
{
	return 1 + (len + ARENA_PAYLOAD - 1) / ARENA_PAYLOAD;
}

void ring_write(struct rec_head *rec, unsigned kind, size_t size)
{
	struct ring_local *t = &ring_local;
	const char *from = (const char *)(rec + 1);
	size_t len = size - sizeof *rec;
	uint64_t n;

	/* Fields are words: what is 0 at the end is left off, first by the word. */
	for (uint64_t word; len >= sizeof word; len -= sizeof word) {
		memcpy(&word, from + len - sizeof word, sizeof word);
		if (word)
			break;
	}
	while (len && from[len - 1] == 0)
		len--;
	if (unlikely(t->task) && !rec->pid)
		rec->pid = rec->tid = t->task;
	if (rec->pid) {
		/* Task numbers are the end of the head. */
		from = (const char *)&rec->pid;
		len += 8;
		kind |= ARENA_AUX_TASK << 16;
	}
	if (!ring_has_room(t) && !ring_make_room())
		return;
	n = ring_reserve(t->head, ring_slots(len));
	ring_fill(t, n, rec->ts ? rec->ts : shim_now(), kind, from, len);
}
