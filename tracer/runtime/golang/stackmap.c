/* stackmap.c - which words on the stack of a goroutine still count. */
/* SPDX-License-Identifier: MIT */
/*
 * A stack is full of words that no code will read again: a channel that a function has passed on, say. The compiler says
 * for each call which words of the frame count then (runtime._func, FUNCDATA_LocalsPointerMaps and its like), and the
 * garbage collector follows those alone, and variables on the stack to which one of them points. So does this. Where
 * there is no such map (functions in assembly, more frames than are kept), all words count.
 */
#include "tracer/runtime/golang/golang.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	STACK_MAP_INDEX = 1, /* PCDATA_StackMapIndex */
	ARGS_MAPS = 0,       /* FUNCDATA_ArgsPointerMaps */
	LOCALS_MAPS = 1,
	STACK_OBJECTS = 2,
	OBJECT_SIZE = 16, /* of a stackObjectRecord */
	MAX_BITS = 65536,
	MAX_OBJECTS = 1024, /* of one function */
	MAX_STEPS = 100000, /* of a table */
	DEFER_SIZE = 96
};

/* A variable on a stack, that counts if something points to it. */
struct object {
	uint64_t start, end;
	bool seen;
};

struct walk {
	struct golang *go;
	const struct goroutine *g;
	golang_word *mark;
	void *arg;
	struct object *objects;
	size_t n_objects, cap_objects;
	size_t *todo; /* of objects that count and were not looked through */
	size_t n_todo, cap_todo;
};

/* ---- The tables ---- */

/* Finds the description of the function that an address lies in (runtime.findfunc), and where the function begins and ends. */
static uint64_t find_function(
	struct golang *go, uint64_t pc, uint64_t *ret_start, uint64_t *ret_end)
{
	const struct golang_layout *l = &go->layout;
	uint64_t table = golang_u64(go, go->module, l->module_ftab);
	uint64_t n = golang_u64(go, go->module + l->module_ftab, 8), low = 0, high;
	uint64_t text = golang_u64(go, go->module, l->module_text);
	uint64_t functions = golang_u64(go, go->module, l->module_pclntable);

	/* The last entry is the end. */
	if (!table || n < 2 || n > UINT32_MAX || pc < text)
		return 0;
	high = n - 1;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (pc - text < golang_u32(go, table, 8 * middle))
			high = middle;
		else
			low = middle;
	}
	*ret_start = text + golang_u32(go, table, 8 * low);
	*ret_end = text + golang_u32(go, table, 8 * (low + 1));
	if (pc < *ret_start || pc >= *ret_end)
		return 0;
	return functions + golang_u32(go, table, 8 * low + 4);
}

uint64_t golang_function_end(struct golang *go, uint64_t pc)
{
	uint64_t start, end;

	return find_function(go, pc, &start, &end) ? end : 0;
}

static uint32_t number(struct golang *go, uint64_t *at)
{
	uint32_t value = 0;
	uint8_t byte = 0x80;

	for (unsigned shift = 0; byte & 0x80 && shift < 32; shift += 7, ++*at) {
		if (!memory_cached(&go->memory, *at, &byte, 1))
			return 0;
		value |= (uint32_t)(byte & 0x7f) << shift;
	}
	return value;
}

/* What a table of values by addresses says of pc (runtime.pcvalue); -1: nothing. */
static int32_t value_at(struct golang *go, uint32_t offset, uint64_t start, uint64_t pc)
{
	uint64_t at = golang_u64(go, go->module, go->layout.module_pctab) + offset;
	uint32_t value = UINT32_MAX;

	for (unsigned i = 0; offset && i < MAX_STEPS; i++) {
		uint32_t delta = number(go, &at);

		if (!delta && i)
			return -1;
		value += delta & 1 ? ~(delta >> 1) : delta >> 1;
		start += number(go, &at);
		if (pc < start)
			return (int32_t)value;
	}
	return -1;
}

/* Takes one of the bit vectors of a table (struct stackmap); false: there is none. */
static bool take_bits(
	struct golang *go, uint64_t table, int32_t index, uint64_t *ret_bits, uint32_t *ret_n)
{
	uint32_t n = golang_u32(go, table, 0), bits = golang_u32(go, table, 4);

	if (!table || index < 0 || (uint32_t)index >= n || bits > MAX_BITS)
		return false;
	*ret_bits = table + 8 + (uint64_t)index * ((bits + 7) / 8);
	*ret_n = bits;
	return true;
}

static void read_map(struct golang *go, uint64_t pc, struct golang_map *m)
{
	const struct golang_layout *l = &go->layout;
	uint64_t start, end, function = find_function(go, pc - 1, &start, &end);
	uint64_t base = golang_u64(go, go->module, l->module_gofunc), tables, data[3] = {0};
	uint32_t n_tables = golang_u32(go, function, l->func_npcdata);
	uint8_t n_data = 0;
	int32_t index;

	if (!function || !base || n_tables > 64 ||
		!memory_cached(&go->memory, function + l->func_nfuncdata, &n_data, 1))
		return;
	tables = function + l->func_nfuncdata + 1;
	for (uint64_t i = 0; i < n_data && i < ARRAY_SIZE(data); i++) {
		uint32_t offset = golang_u32(go, tables, 4 * (n_tables + i));

		data[i] = offset == UINT32_MAX ? 0 : base + offset;
	}
	index = n_tables > STACK_MAP_INDEX
			? value_at(go, golang_u32(go, tables, 4 * STACK_MAP_INDEX), start, pc - 1)
			: -1;
	/* So far in the function's prologue. */
	index = index == -1 ? 0 : index;
	m->has_args = take_bits(go, data[ARGS_MAPS], index, &m->args, &m->n_args) ||
		      !golang_u32(go, function, l->func_args);
	m->is_known = take_bits(go, data[LOCALS_MAPS], index, &m->locals, &m->n_locals);
	m->objects = data[STACK_OBJECTS];
	m->n_objects = golang_u64(go, m->objects, 0);
	if (m->n_objects > MAX_OBJECTS)
		m->is_known = false;
}

static const struct golang_map *map_of(struct golang *go, uint64_t pc)
{
	static const struct golang_map unknown = {.is_known = false};
	struct golang_map *m = hash_get(&go->maps, pc);

	if (m)
		return m;
	if (++go->n_maps > GOLANG_PLACES)
		return &unknown;
	m = xcalloc(1, sizeof *m);
	(void)hash_set(&go->maps, pc, m);
	read_map(go, pc, m);
	return m;
}

/* ---- Words ---- */

/* A word that counts. If it points into the stack, so does the variable there. */
static void take_word(struct walk *w, uint64_t addr)
{
	uint64_t word = golang_u64(w->go, addr, 0);

	if (word < w->g->stack_low || word >= w->g->stack_high) {
		w->mark(w->arg, word);
		return;
	}
	for (size_t i = 0; i < w->n_objects; i++) {
		struct object *o = &w->objects[i];

		if (o->seen || word < o->start || word >= o->end)
			continue;
		o->seen = true;
		ARRAY_GROW(w->todo, w->n_todo, w->cap_todo);
		w->todo[w->n_todo++] = i;
	}
}

static void take_all(struct walk *w, uint64_t from, uint64_t to)
{
	from = from > w->g->stack_low ? from : w->g->stack_low;
	to = to < w->g->stack_high ? to : w->g->stack_high;
	for (from = (from + 7) & ~UINT64_C(7); from < to && to - from >= 8; from += 8)
		take_word(w, from);
}

static void take_map(struct walk *w, uint64_t from, uint64_t bits, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t addr = from + 8 * (uint64_t)i;
		uint8_t byte = 0;

		(void)memory_cached(&w->go->memory, bits + i / 8, &byte, 1);
		if (byte >> i % 8 & 1 && addr >= w->g->stack_low && addr < w->g->stack_high)
			take_word(w, addr);
	}
}

static void note_objects(struct walk *w, const struct golang_frame *f, const struct golang_map *m)
{
	for (uint64_t i = 0; i < m->n_objects; i++) {
		uint64_t at = m->objects + 8 + OBJECT_SIZE * i;
		int32_t offset = (int32_t)golang_u32(w->go, at, 0);
		int32_t size = (int32_t)golang_u32(w->go, at, 4);
		uint64_t start = (offset < 0 ? f->high : f->high + 16) + (uint64_t)(int64_t)offset;

		if (size <= 0)
			continue;
		ARRAY_GROW(w->objects, w->n_objects, w->cap_objects);
		w->objects[w->n_objects++] =
			(struct object){.start = start, .end = start + (uint64_t)size};
	}
}

/* Local variables lie below the frame pointer, arguments above the return address. */
static void take_frame(struct walk *w, const struct golang_frame *f)
{
	const struct golang_map *m = map_of(w->go, f->pc);
	uint32_t n = m->n_locals;

	if (!m->is_known || 8 * (uint64_t)n > f->high - f->low) {
		take_all(w, f->low, f->high + 16);
		return;
	}
	take_map(w, f->high - 8 * (uint64_t)n, m->locals, n);
	if (m->has_args)
		take_map(w, f->high + 16, m->args, m->n_args);
}

/* Functions that are to be called in the end, of which some lie on the stack. */
static void take_deferred(struct walk *w)
{
	uint64_t at = golang_u64(w->go, w->g->addr, w->go->layout.g_defer);

	if (at >= w->g->stack_low && at < w->g->stack_high)
		take_all(w, at, at + DEFER_SIZE);
}

bool golang_stack(struct golang *go, const struct goroutine *g, golang_word *mark, void *arg)
{
	struct walk w = {.go = go, .g = g, .mark = mark, .arg = arg};
	uint64_t end = g->sp;
	size_t n = g->n_frames;

	/* A panic has left its functions at other places than those of their frames. */
	if (!go->has_maps || !n || golang_u64(go, g->addr, go->layout.g_panic))
		return false;
	for (size_t i = 0; i < n; i++)
		if (g->frames[i].low < g->frames[i].high)
			note_objects(&w, &g->frames[i], map_of(go, g->frames[i].pc));
	for (size_t i = 0; i < n; i++) {
		const struct golang_frame *f = &g->frames[i];
		bool has_args = f->low < f->high && map_of(go, f->pc)->has_args;

		/* The function that it began with has no frame pointer. */
		if (f->low >= f->high)
			break;
		take_frame(&w, f);
		end = f->high + 16;
		/* Arguments of which nothing is known lie in the frame above. */
		if (!has_args && i + 1 < n)
			take_all(&w, end, g->frames[i + 1].high);
	}
	take_all(&w, end, g->stack_high);
	take_deferred(&w);
	while (w.n_todo) {
		const struct object o = w.objects[w.todo[--w.n_todo]];

		take_all(&w, o.start, o.end);
	}
	free(w.objects);
	free(w.todo);
	return true;
}
