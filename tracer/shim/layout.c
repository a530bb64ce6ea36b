/* layout.c - where the parts of the arena lie. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

uint64_t shim_arena_layout(struct shim_arena *a, uint32_t n_rings, uint32_t n_chunks)
{
	*a = (struct shim_arena){.n_rings = n_rings, .n_chunks = n_chunks, .fd = -1};
	a->rings_at = align_up(sizeof(struct arena_head), 4096);
	a->chunks_at = align_up(a->rings_at + n_rings * sizeof(struct arena_ring), 64);
	a->data_at = align_up(a->chunks_at + n_chunks * sizeof(struct arena_chunk), 4096);
	a->bytes = a->data_at + (uint64_t)n_chunks * ARENA_CHUNK_BYTES;
	return a->bytes;
}

void shim_arena_init(struct shim_arena *a, char *base)
{
	struct arena_head *h = (struct arena_head *)base;

	a->base = base;
	/* All of the tables is looked at soon: hundreds of page faults become one call, on a kernel from 5.14 on. */
	(void)madvise(base, a->data_at, MADV_POPULATE_WRITE);
	a->gen = xcalloc(a->n_chunks, sizeof *a->gen);
	a->populated = xcalloc(a->n_chunks, 1);
	h->version = ARENA_VERSION;
	h->bytes = a->bytes;
	h->n_rings = a->n_rings;
	h->n_chunks = a->n_chunks;
	h->rings_at = a->rings_at;
	h->chunks_at = a->chunks_at;
	h->data_at = a->data_at;
	for (uint32_t i = 0; i < a->n_chunks; i++) {
		a->gen[i] = 1;
		shim_arena_chunk(a, i)->gen = 1;
	}
	__atomic_store_n(&h->magic, ARENA_MAGIC, __ATOMIC_RELEASE);
}

void shim_arena_done(struct shim_arena *a)
{
	free(a->gen);
	free(a->populated);
	for (size_t i = 0; i < SHIM_COPIES; i++)
		free(a->copies[i].slots);
	*a = (struct shim_arena){0};
}

struct arena_head *shim_arena_head(const struct shim_arena *a)
{
	return (struct arena_head *)a->base;
}

struct arena_ring *shim_arena_ring(const struct shim_arena *a, uint32_t i)
{
	return (struct arena_ring *)(a->base + a->rings_at) + i;
}

struct arena_chunk *shim_arena_chunk(const struct shim_arena *a, uint32_t i)
{
	return (struct arena_chunk *)(a->base + a->chunks_at) + i;
}

uint64_t *shim_arena_data(const struct shim_arena *a, uint32_t i)
{
	return (uint64_t *)(a->base + a->data_at + (uint64_t)i * ARENA_CHUNK_BYTES);
}
