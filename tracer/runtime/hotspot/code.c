/* code.c - compiled Java code: of which method it is, and which methods are inlined there. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/hotspot/hotspot.h"

#include <string.h>

#include "base/mem.h"

enum {
	MAX_HEAPS = 16,
	MAX_BLOCK_STEPS = 4096,
	MAX_PCS = 16384,   /* places of a piece of code that are described */
	MAX_SCOPES = 4096, /* bytes of one description */
	MAX_INLINED = 64,
	MAX_FRAME_WORDS = 1 << 16
};

/* The heap of the code cache that an address lies in: its first and its last address, and its map. */
struct code_heap {
	uint64_t low, high, segments;
	unsigned log2;
};

static bool find_heap(struct hotspot *h, uint64_t pc, struct code_heap *ret)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t heaps = hotspot_u64(h, vm->v_heaps, 0);
	uint64_t list = hotspot_u64(h, heaps, vm->growable_data);
	uint32_t n = hotspot_u32(h, heaps, vm->growable_len);

	for (uint32_t i = 0; i < n && i < MAX_HEAPS; i++) {
		uint64_t heap = hotspot_u64(h, list, 8 * (uint64_t)i);

		if (!heap || vm->heap_memory == HOTSPOT_NONE || vm->heap_segmap == HOTSPOT_NONE)
			return false;
		ret->low = hotspot_u64(h, heap + vm->heap_memory, vm->space_low);
		ret->high = hotspot_u64(h, heap + vm->heap_memory, vm->space_high);
		ret->segments = hotspot_u64(h, heap + vm->heap_segmap, vm->space_low);
		ret->log2 = hotspot_u32(h, heap, vm->heap_log2);
		if (pc >= ret->low && pc < ret->high)
			return ret->log2 >= 3 && ret->log2 < 32;
	}
	return false;
}

/* Returns the CodeBlob that an address lies in, or 0. The map says of each segment how far back the block begins. */
static uint64_t find_blob(struct hotspot *h, uint64_t pc)
{
	const struct hotspot_vm *vm = &h->vm;
	struct code_heap heap;
	uint64_t segment, block;
	uint8_t back = 1;

	if (vm->v_heaps == HOTSPOT_NONE || !find_heap(h, pc, &heap))
		return 0;
	segment = (pc - heap.low) >> heap.log2;
	for (unsigned i = 0; i < MAX_BLOCK_STEPS; i++) {
		if (!memory_cached(&h->memory, heap.segments + segment, &back, 1) || back == 0xff ||
			back > segment)
			return 0;
		if (!back)
			break;
		segment -= back;
	}
	block = heap.low + (segment << heap.log2);
	return back || !(hotspot_u32(h, block, vm->block_used) & 0xff) ||
			       vm->size_block == HOTSPOT_NONE
		       ? 0
		       : block + vm->size_block;
}

/* ---- What was compiled there ---- */

/* Returns where the description of a place begins, or -1. */
static int64_t find_scope(struct hotspot *h, uint64_t blob, uint64_t pc)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t at = blob + hotspot_u32(h, blob, vm->code_pcs);
	uint64_t end = blob + hotspot_u32(h, blob, vm->code_pcs_end);
	uint32_t wanted = (uint32_t)(pc - hotspot_u64(h, blob, vm->blob_code_begin));

	if (vm->size_pc == HOTSPOT_NONE || vm->size_pc < 8 || vm->code_pcs == HOTSPOT_NONE)
		return -1;
	for (unsigned i = 0; i < MAX_PCS && at < end; i++, at += vm->size_pc)
		if (hotspot_u32(h, at, vm->pc_offset) == wanted)
			return (int32_t)hotspot_u32(h, at, vm->pc_scope);
	return -1;
}

/* Reads one description: (place of the caller's, method, bytecode index), and steps to the caller's. */
static bool read_scope(struct hotspot *h, uint64_t blob, int64_t *scope, struct hotspot_frame *ret)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t from = hotspot_u64(h, blob, vm->code_scopes);
	uint8_t bytes[3 * 5];
	struct hotspot_stream s = {.bytes = bytes, .len = sizeof bytes, .excess = h->version >= 20};
	uint32_t caller, method;
	int bci;

	if (*scope <= 0 || !from ||
		!memory_cached(&h->memory, from + (uint64_t)*scope, bytes, sizeof bytes))
		return false;
	caller = hotspot_stream_next(&s);
	method = hotspot_stream_next(&s);
	bci = (int)hotspot_stream_next(&s) - 1; /* InvocationEntryBci */
	ret->method =
		!method ? NULL
			: hotspot_method(
				  h, hotspot_u64(h, blob + hotspot_u32(h, blob, vm->code_metadata),
					     8 * ((uint64_t)method - 1)));
	ret->bci = bci;
	ret->locals = 0;
	*scope = (int32_t)caller;
	return !s.failed && ret->method;
}

static size_t read_scopes(
	struct hotspot *h, uint64_t blob, uint64_t pc, struct hotspot_frame *ret, size_t max)
{
	int64_t scope = find_scope(h, blob, pc);
	size_t n = 0;

	while (n < max && n < MAX_INLINED && read_scope(h, blob, &scope, &ret[n]))
		n++;
	/* A wrapper of a native method, or a place that is not described. */
	if (!n && max) {
		ret[0] = (struct hotspot_frame){
			.method = hotspot_method(h, hotspot_u64(h, blob, h->vm.code_method)),
			.bci = -1};
		n = ret[0].method != NULL;
	}
	return n;
}

uint64_t hotspot_code(
	struct hotspot *h, uint64_t pc, struct hotspot_frame *ret, size_t max, size_t *n)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t blob = find_blob(h, pc);
	uint32_t words = hotspot_u32(h, blob, vm->blob_frame_size);
	char name[16] = "";

	if (!blob || !words || words > MAX_FRAME_WORDS || vm->blob_frame_size == HOTSPOT_NONE)
		return 0;
	if (memory_cached(&h->memory, hotspot_u64(h, blob, vm->blob_name), name, sizeof name) &&
		(!strncmp(name, "nmethod", 8) || !strncmp(name, "native nmethod", 15)) &&
		vm->code_method != HOTSPOT_NONE)
		*n += read_scopes(h, blob, pc, ret, max);
	return 8 * (uint64_t)words;
}
