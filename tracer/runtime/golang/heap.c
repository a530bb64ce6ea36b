/* heap.c - the objects in the heap of a Go program. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/golang/golang.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
	PAGE_SIZE = 8192, /* of Go's heap */
	IN_USE = 1,       /* mSpanInUse */
	MAX_SPANS = 100000
};

static int by_start(const void *a, const void *b)
{
	const struct golang_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

bool golang_heap_read(struct golang *go, struct golang_heap *h)
{
	const struct golang_layout *l = &go->layout;
	uint64_t list = go->heap + l->heap_spans;
	uint64_t array = golang_u64(go, list, 0), n = golang_u64(go, list, 8);

	*h = (struct golang_heap){.spans = NULL};
	if (!array || n > MAX_SPANS)
		return false;
	h->spans = xcalloc((size_t)n + 1, sizeof *h->spans);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = golang_u64(go, array, 8 * i);
		struct golang_span s = {.start = golang_u64(go, at, l->span_start),
			.size = golang_u64(go, at, l->span_size)};
		uint64_t pages = golang_u64(go, at, l->span_pages);
		uint8_t state = 0, class = 0;

		if (!memory_cached(&go->memory, at + l->span_state, &state, 1) ||
			!memory_cached(&go->memory, at + l->span_class, &class, 1))
			return false;
		if (state != IN_USE || !s.size || pages > UINT32_MAX)
			continue;
		s.end = s.start + pages * PAGE_SIZE;
		s.has_pointers = !(class & 1);
		h->spans[h->n++] = s;
	}
	qsort(h->spans, h->n, sizeof *h->spans, by_start);
	return true;
}

void golang_heap_done(struct golang_heap *h)
{
	free(h->spans);
	*h = (struct golang_heap){.spans = NULL};
}

const struct golang_span *golang_heap_span(const struct golang_heap *h, uint64_t addr)
{
	size_t low = 0, high = h->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr < h->spans[middle].start)
			high = middle;
		else if (addr >= h->spans[middle].end)
			low = middle + 1;
		else
			return &h->spans[middle];
	}
	return NULL;
}

uint64_t golang_heap_object(const struct golang_span *s, uint64_t addr)
{
	return s->start + (addr - s->start) / s->size * s->size;
}
