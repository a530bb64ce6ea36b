/* reach.c - which goroutines nobody can wake any more, because nobody who might has what they wait for. */
/* SPDX-License-Identifier: MIT */
/*
 * A channel, wait group or condition can be used only by who has its address. As the garbage collector does, what can be reached is
 * followed through memory: from the program's variables and from what counts on the stacks of goroutines that may go
 * on (stackmap.c), whatever word looks like a pointer into the heap. A goroutine of which others hold what it waits for may go on, too, and its
 * stack counts from then on; one that waits for a mutex may if its owner may. Those that are left wait for what only they
 * themselves have. Words that are no pointers only make fewer of them.
 *
 * Goroutines, the semaphores' table and what stands in its queues lead to everything that is waited for: they are
 * not followed. The runtime itself knows of memory by its addresses, free or used: of variables only those words count
 * that the garbage collector takes for pointers, of a P (a processor, of GOMAXPROCS) only its timers, of a goroutine
 * not where its stack ends. An M (a thread) has nothing of the program.
 */
#include "tracer/runtime/golang/golang.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	MAX_OBJECTS = 200000,
	MAX_BYTES = 64 << 20, /* that are looked through; of a larger program nothing is said */
	MAX_CASES = 1000,     /* of one select */
	CHUNK = 4096,
	MAX_PROCESSORS = 4096,
	MAX_MACHINES = 10000,
	G_WORDS = 128,    /* of a goroutine's structure, at most */
	TIMERS_SIZE = 64, /* in a P: a slice, in a structure from 1.23 on */
	SEMTABLE_SIZE = 251 * 64
};

struct reach {
	struct golang *go;
	struct golang_heap heap;
	struct hash marked;     /* objects by address, and goroutines, which are not followed */
	struct hash processors; /* objects that have a P: where it is */
	uint64_t *todo;         /* objects that are still to be looked through */
	size_t n_todo, cap_todo;
	uint64_t bytes; /* that have been looked through */
	bool failed;
};

/* The span that an address lies in, or NULL. */
static const struct golang_span *span_of(const struct reach *r, uint64_t addr)
{
	return golang_heap_span(&r->heap, addr);
}

/* A word that was found: if it points into the heap, the object there is reached. */
static void mark(struct reach *r, uint64_t word)
{
	const struct golang_span *s = span_of(r, word);
	uint64_t object;

	if (!s || r->failed)
		return;
	object = golang_heap_object(s, word);
	if (hash_get(&r->marked, object))
		return;
	(void)hash_set(&r->marked, object, r);
	if (!s->has_pointers)
		return;
	if (r->n_todo >= MAX_OBJECTS) {
		r->failed = true;
		return;
	}
	ARRAY_GROW(r->todo, r->n_todo, r->cap_todo);
	r->todo[r->n_todo++] = object;
}

/* Which words are pointers: a bit for each, from an address on. */
struct mask {
	uint64_t start, bits, n;
};

/* Clears those of some words that are no pointers. */
static void keep_pointers(
	struct reach *r, const struct mask *mask, uint64_t at, uint64_t *words, size_t n)
{
	uint8_t bytes[CHUNK / 64 + 2] = {0};
	uint64_t first = (at - mask->start) / 8;

	if (first + n > mask->n || !memory_cached(&r->go->memory, mask->bits + first / 8, bytes,
					   (size_t)((first + n + 7) / 8 - first / 8))) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t bit = first % 8 + i;

		if (!(bytes[bit / 8] >> bit % 8 & 1))
			words[i] = 0;
	}
}

/* Looks through memory for pointers. mask: NULL: each word may be one. */
static void scan(struct reach *r, uint64_t from, uint64_t to, const struct mask *mask)
{
	uint64_t words[CHUNK / 8];

	if (to < from || to - from > MAX_BYTES - r->bytes) {
		r->failed = true;
		return;
	}
	r->bytes += to - from;
	for (uint64_t at = from; at < to && !r->failed; at += CHUNK) {
		size_t len = to - at < CHUNK ? (size_t)(to - at) : CHUNK;

		if (!memory_read(&r->go->memory, at, words, len)) {
			r->failed = true;
			return;
		}
		if (mask)
			keep_pointers(r, mask, at, words, len / 8);
		for (size_t i = 0; i < len / 8; i++)
			mark(r, words[i]);
	}
}

static void scan_objects(struct reach *r)
{
	uint64_t timers = r->go->layout.p_timers;

	while (r->n_todo && !r->failed) {
		uint64_t object = r->todo[--r->n_todo];
		uint64_t end = object + span_of(r, object)->size;
		uint64_t p = (uint64_t)(uintptr_t)hash_get(&r->processors, object);

		if (p && timers < end - p) {
			object = p + timers;
			end = end - object < TIMERS_SIZE ? end : object + TIMERS_SIZE;
		}
		scan(r, object, end, NULL);
	}
}

/* From Go 1.22 on a large object begins behind a word in its place that says its type. */
static void find_processors(struct reach *r)
{
	struct golang *go = r->go;
	uint64_t array = golang_u64(go, go->allp, 0), n = golang_u64(go, go->allp, 8);

	for (uint64_t i = 0; i < n && i < MAX_PROCESSORS; i++) {
		uint64_t p = golang_u64(go, array, 8 * i);
		const struct golang_span *s = span_of(r, p);

		if (s)
			(void)hash_set(
				&r->processors, golang_heap_object(s, p), (void *)(uintptr_t)p);
	}
}

/* The mask that the runtime has made for its variables between two addresses (bitvector{n int32; bytedata *uint8}). */
static bool mask_of(
	struct golang *go, uint64_t member, uint64_t from, uint64_t to, struct mask *ret)
{
	uint64_t vector = go->module + member;

	if (!go->module || member == GOLANG_NONE)
		return false;
	*ret = (struct mask){from, golang_u64(go, vector, 8), golang_u32(go, vector, 0)};
	return ret->bits && ret->n == (to - from) / 8;
}

/* The program's variables, but for the table of semaphores. */
static void scan_variables(struct reach *r)
{
	struct golang *go = r->go;
	uint64_t data = golang_symbol(go, "runtime.data"), bss = golang_symbol(go, "runtime.bss");
	uint64_t end = golang_symbol(go, "runtime.edata"),
		 bss_end = golang_symbol(go, "runtime.ebss");
	struct mask data_mask, bss_mask, *mask;

	if (!data || !bss) {
		r->failed = true;
		return;
	}
	mask = mask_of(go, go->layout.module_data_mask, data, end, &data_mask) ? &data_mask : NULL;
	scan(r, data, end, mask);
	mask = mask_of(go, go->layout.module_bss_mask, bss, bss_end, &bss_mask) ? &bss_mask : NULL;
	if (go->semtable >= bss && go->semtable < bss_end) {
		scan(r, bss, go->semtable, mask);
		bss = go->semtable + SEMTABLE_SIZE;
	}
	scan(r, bss, bss_end, mask);
}

/* Says whether a goroutine waits for what only somebody who has its address can give, or nobody: an empty select, a nil channel. */
static bool is_candidate(const struct golang *go, const struct goroutine *g)
{
	const char *reason = g->reason < GOLANG_REASONS ? go->reasons[g->reason] : "";

	if (g->status != GO_WAITING || g->is_system)
		return false;
	if (!strncmp(reason, "chan ", 5) || !strncmp(reason, "select", 6))
		return true;
	return g->object && (!strncmp(reason, "sema", 4) || !strncmp(reason, "sync.", 5));
}

/* What does not lie in the heap is a variable: anybody can use it. */
static bool is_reached(const struct reach *r, uint64_t addr)
{
	const struct golang_span *s = span_of(r, addr);

	return !s || hash_get(&r->marked, golang_heap_object(s, addr));
}

/* Says whether somebody who may go on has what a goroutine waits for. */
static bool may_go_on(struct reach *r, const struct goroutine *g)
{
	const struct golang_layout *l = &r->go->layout;
	uint64_t sudog;

	if (g->owner)
		return !r->go->list[g->owner - 1].is_lost;
	if (g->object)
		return is_reached(r, g->object);
	sudog = golang_u64(r->go, g->addr, l->g_waiting);
	for (unsigned i = 0; sudog; i++, sudog = golang_u64(r->go, sudog, l->sudog_link))
		if (i == MAX_CASES || is_reached(r, golang_u64(r->go, sudog, l->sudog_channel)))
			return true;
	return false;
}

static void mark_word(void *arg, uint64_t word)
{
	mark(arg, word);
}

/* What the runtime keeps of a goroutine. Behind its stack there may be any object. */
static void scan_goroutine(struct reach *r, const struct goroutine *g)
{
	const struct golang_span *s = span_of(r, g->addr);
	uint64_t words[G_WORDS];
	uint64_t size = s && s->size < sizeof words ? s->size : sizeof words;

	if (!s)
		return;
	if (!memory_cached(&r->go->memory, golang_heap_object(s, g->addr), words, (size_t)size))
		r->failed = true;
	for (size_t i = 0; !r->failed && i < size / 8; i++)
		if (words[i] != g->stack_high)
			mark(r, words[i]);
}

/* A goroutine that may go on: what its stack and its own structure have is reached. */
static void take(struct reach *r, struct goroutine *g)
{
	uint64_t low = g->status == GO_WAITING ? g->sp : g->stack_low;

	g->is_lost = false;
	if (low < g->stack_low || low > g->stack_high) {
		r->failed = true;
		return;
	}
	if (g->status != GO_WAITING || !golang_stack(r->go, g, mark_word, r))
		scan(r, low, g->stack_high, NULL);
	scan_goroutine(r, g);
	scan_objects(r);
}

/* What is not to be followed counts as seen. */
static void pass_by(struct reach *r, uint64_t addr)
{
	const struct golang_span *s = span_of(r, addr);

	if (s)
		(void)hash_set(&r->marked, golang_heap_object(s, addr), r);
}

/* Those that have ended are kept, to be used again; they have their stacks. */
static void pass_by_runtime(struct reach *r)
{
	struct golang *go = r->go;
	uint64_t array = golang_u64(go, go->allgs, 0), n = golang_u64(go, go->allgs, 8);
	uint64_t m = golang_u64(go, go->allm, 0);

	for (uint64_t i = 0; i < n && i < 4 * GOLANG_GOROUTINES; i++)
		pass_by(r, golang_u64(go, array, 8 * i));
	for (unsigned i = 0; m && i < MAX_MACHINES; i++, m = golang_u64(go, m, go->layout.m_next))
		pass_by(r, m);
}

static void find_lost(struct reach *r)
{
	struct golang *go = r->go;
	bool any = true;

	for (size_t i = 0; i < go->n; i++) {
		go->list[i].is_lost = is_candidate(go, &go->list[i]);
		pass_by(r, go->list[i].sudog);
	}
	pass_by_runtime(r);
	find_processors(r);
	scan_variables(r);
	scan_objects(r);
	for (size_t i = 0; i < go->n; i++)
		if (!go->list[i].is_lost)
			take(r, &go->list[i]);
	while (any && !r->failed) {
		any = false;
		for (size_t i = 0; i < go->n; i++) {
			if (!go->list[i].is_lost || !may_go_on(r, &go->list[i]))
				continue;
			take(r, &go->list[i]);
			any = true;
		}
	}
}

bool golang_has_candidates(const struct golang *go)
{
	for (size_t i = 0; go->has_spans && i < go->n; i++)
		if (is_candidate(go, &go->list[i]))
			return true;
	return false;
}

void golang_reach(struct golang *go)
{
	struct reach r = {.go = go};

	if (!golang_has_candidates(go))
		return;
	r.failed = !golang_heap_read(go, &r.heap);
	if (!r.failed)
		find_lost(&r);
	for (size_t i = 0; i < go->n; i++) {
		go->list[i].is_lost = go->list[i].is_lost && !r.failed;
		if (go->list[i].is_lost && !go->lost)
			go->lost = (uint32_t)i + 1;
	}
	golang_heap_done(&r.heap);
	free(r.todo);
	hash_done(&r.marked);
	hash_done(&r.processors);
}
