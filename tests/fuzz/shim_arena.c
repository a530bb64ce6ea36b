/* shim_arena.c - a program that runs wild may write anything into the arena. */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schema/record.h"
#include "tracer/shim/private.h"

enum { RINGS = 3, CHUNKS = 4, USED_SLOTS = 64 };

/* Reads all of a record, so that a sanitizer sees a wrong size. */
static void look(void *arg, const struct rec_head *rec)
{
	uint64_t *sum = arg;

	if (rec->size < sizeof *rec || rec->size % 8 || rec->kind >= REC_KIND_END)
		abort();
	for (size_t i = 0; i < rec->size / 8; i++)
		*sum += ((const uint64_t *)(const void *)rec)[i];
}

/* The input is cut into writes of (where, 8 bytes) over the rings, the chunk rows and the first slots of each chunk. */
static void scribble(struct shim_arena *a, const uint8_t *data, size_t size)
{
	for (; size >= 11; data += 11, size -= 11) {
		uint32_t where = (uint32_t)data[0] << 8 | data[1];
		uint64_t *to, word;

		memcpy(&word, data + 3, sizeof word);
		switch (data[2] % 3) {
		case 0:
			to = (uint64_t *)shim_arena_ring(a, where % RINGS) + where / RINGS % 16;
			break;
		case 1:
			to = (uint64_t *)shim_arena_chunk(a, where % CHUNKS) + where / CHUNKS % 2;
			break;
		default:
			to = (uint64_t *)(a->base + a->data_at +
					  where % CHUNKS * (uint64_t)ARENA_CHUNK_BYTES) +
			     where / CHUNKS % (USED_SLOTS * ARENA_SLOT_WORDS);
			break;
		}
		*to = word;
	}
}

/* The arena's file, mapped once for all inputs, and empty again; it is never given back. */
static char *file_of_zeros(uint64_t bytes, int *ret_fd)
{
	static int fd = -1;
	static char *memory;

	if (!memory) {
		fd = memfd_create("arena", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
			abort();
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED)
			abort();
	}
	memset(memory, 0, bytes);
	*ret_fd = fd;
	return memory;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shim_drain d = {.clock = {.tsc = false}};
	uint64_t bytes = shim_arena_layout(&d.arena, RINGS, CHUNKS), sum = 0;
	int fd;
	char *memory = file_of_zeros(bytes, &fd);

	shim_arena_init(&d.arena, memory);
	d.arena.fd = fd;
	shim_drain_init(&d, false, UINT64_MAX);
	/* Half of a real ring to begin with. */
	for (uint32_t i = 0; i < RINGS; i++) {
		struct arena_ring *r = shim_arena_ring(&d.arena, i);

		r->owner = (uint64_t)(i + 1) << 32 | (i + 1);
		r->first = i + 1;
		r->head = USED_SLOTS;
		shim_arena_chunk(&d.arena, i)->owner = i + 1;
		r->state = ARENA_RING_LIVE;
	}
	scribble(&d.arena, data, size / 2);
	shim_drain_poll(&d, look, &sum);
	scribble(&d.arena, data + size / 2, size - size / 2);
	shim_drain_poll(&d, look, &sum);
	shim_drain_done(&d);
	return 0;
}
