/* copied.c - a chunk that lies ready is copied rather than touched. */
/* SPDX-License-Identifier: MIT */
/*
 * The first touch of each page of a mapping costs a page fault, in a virtual machine without hardware page tables more
 * than it takes to write the page full: a reader that pays it for each new page falls behind, so that ever more pages are
 * taken. What a chunk holds is read out of the file instead, the first few times that it is used; one that is used
 * again and again is touched in the end.
 */
#include "tracer/shim/private.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum { COPIED_USES = 4 };

static bool read_chunk(const struct shim_arena *a, uint32_t c, uint64_t *to)
{
	off_t at = (off_t)(a->data_at + (uint64_t)c * ARENA_CHUNK_BYTES);

	return pread(a->fd, to, ARENA_CHUNK_BYTES, at) == ARENA_CHUNK_BYTES;
}

static uint64_t *tag_of(uint64_t *slots, size_t i)
{
	return &slots[i * ARENA_SLOT_WORDS + ARENA_SLOT_WORDS - 1];
}

/*
 * A copy is not made in the order in which slots are written: only a slot whose tag was there before the copy began is
 * whole in it. So the chunk is read twice, and what was not committed the first time is left to the mapping.
 */
static bool copy_committed(const struct shim_arena *a, uint32_t c, uint64_t *to)
{
	uint8_t committed[ARENA_CHUNK_SLOTS];

	if (!read_chunk(a, c, to))
		return false;
	for (size_t i = 0; i < ARENA_CHUNK_SLOTS; i++)
		committed[i] = (*tag_of(to, i) >> 48 & 0x7fff) == a->gen[c];
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!read_chunk(a, c, to))
		return false;
	for (size_t i = 0; i < ARENA_CHUNK_SLOTS; i++)
		if (!committed[i])
			*tag_of(to, i) = 0;
	return true;
}

void shim_chunk_copy(struct shim_arena *a, uint32_t c, bool ready)
{
	struct shim_copy *k = &a->copies[c % SHIM_COPIES];

	k->of = 0;
	if (!ready || a->fd < 0 || a->gen[c] > COPIED_USES)
		return;
	if (!k->slots)
		k->slots = xmalloc(ARENA_CHUNK_BYTES);
	if (copy_committed(a, c, k->slots))
		k->of = c + 1;
}

const uint64_t *shim_chunk_slots(const struct shim_arena *a, uint32_t c)
{
	const struct shim_copy *k = &a->copies[c % SHIM_COPIES];

	return k->of == c + 1 ? k->slots : shim_arena_data(a, c);
}

const uint64_t *shim_chunk_slot(const struct shim_arena *a, uint32_t c, uint64_t n)
{
	const struct shim_copy *k = &a->copies[c % SHIM_COPIES];
	uint64_t i = n % ARENA_CHUNK_SLOTS;

	if (k->of == c + 1 && (*tag_of(k->slots, i) >> 48 & 0x7fff) == a->gen[c])
		return k->slots + i * ARENA_SLOT_WORDS;
	return shim_arena_data(a, c) + i * ARENA_SLOT_WORDS;
}
