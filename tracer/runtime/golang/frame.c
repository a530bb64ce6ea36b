/* frame.c - the stacks of goroutines. */
/* SPDX-License-Identifier: MIT */
/*
 * Go keeps frame pointers on x86-64: %rbp points to that of the caller, above
 * which the return address lies. A goroutine that does not run has its registers
 * in g.sched, and its stack is its own memory.
 */
#include "tracer/runtime/golang/golang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

void golang_frames(struct golang *go, struct goroutine *g)
{
	uint64_t pc = g->pc, bp = g->bp, low = g->sp, at[2];

	g->n_frames = 0;
	while (pc && g->n_frames < GOLANG_FRAMES && bp >= low && bp >= g->stack_low &&
		bp < g->stack_high && bp % 8 == 0) {
		g->frames[g->n_frames++] = (struct golang_frame){pc, low, bp};
		if (!memory_cached(&go->memory, bp, at, sizeof at))
			return;
		low = bp + sizeof at;
		pc = at[1];
		bp = at[0];
	}
	/* The function that the goroutine began with has nothing above it. */
	if (pc && g->n_frames && g->n_frames < GOLANG_FRAMES && !bp)
		g->frames[g->n_frames++] = (struct golang_frame){pc, low, low};
}

/* "/usr/lib/go-1.19/src/" of "/usr/lib/go-1.19/src/runtime/proc.go"; empty where paths were trimmed. */
static void note_root(struct golang *go, const char *file)
{
	const char *tail = file ? strstr(file, "/runtime/") : NULL;

	if (tail)
		(void)snprintf(go->root, sizeof go->root, "%.*s", (int)(tail + 1 - file), file);
}

/* Packages of the standard library have no dot in the first part of their path, nor are they main. */
static bool is_standard(const struct golang *go, const char *function, const char *file)
{
	if (go->root[0] && file && file[0] == '/')
		return !strncmp(file, go->root, strlen(go->root));
	return strncmp(function, "main.", 5) != 0 &&
	       memchr(function, '.', strcspn(function, "/")) == NULL;
}

const struct golang_place *golang_place(struct golang *go, uint64_t pc)
{
	const struct runtime_process *p = go->process;
	static const struct golang_place nowhere = {.n = 0};
	struct golang_place *place = hash_get(&go->places, pc);
	struct symbol list[GOLANG_INLINED];

	if (place)
		return place;
	if (++go->n_places > GOLANG_PLACES)
		return &nowhere;
	place = xcalloc(1, sizeof *place);
	(void)hash_set(&go->places, pc, place);
	place->n = symbols_inlined(p->symbols, p->key, pc, true, list, GOLANG_INLINED);
	place->compiled = symbols_function(p->symbols, p->key, pc, true);
	place->start = place->compiled ? golang_symbol(go, place->compiled) : 0;
	for (size_t i = 0; i < place->n; i++) {
		const char *function = list[i].function ? list[i].function : "?";

		if (!go->root[0] && !strncmp(function, "runtime.", 8))
			note_root(go, list[i].file);
		place->list[i].function = function;
		place->list[i].file = list[i].file ? list[i].file : "?";
		place->list[i].line = list[i].line;
		place->list[i].is_library = is_standard(go, function, list[i].file);
	}
	return place;
}

bool golang_is_named(const char *function, const char *wanted)
{
	size_t len = strlen(function), n = strlen(wanted);

	return len >= n && !strcmp(function + len - n, wanted);
}

bool golang_is_frame_of(struct golang *go, const struct golang_frame *f, const char *function)
{
	const struct golang_place *place = golang_place(go, f->pc);

	return place->n && golang_is_named(place->list[place->n - 1].function, function);
}

bool golang_is_function(struct golang *go, uint64_t addr)
{
	const struct runtime_process *p = go->process;
	const void *known = hash_get(&go->called, addr);
	const char *function;

	if (known)
		return known == go;
	if (++go->n_places > GOLANG_PLACES || !p)
		return false;
	function = symbols_function(p->symbols, p->key, addr, false);
	known = function && golang_symbol(go, function) == addr ? (void *)go : &go->places;
	(void)hash_set(&go->called, addr, (void *)(uintptr_t)known);
	return known == go;
}

size_t golang_show_frames(
	struct golang *go, const struct goroutine *g, struct runtime_frame *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_frames; i++) {
		const struct golang_place *place = golang_place(go, g->frames[i].pc);

		for (size_t k = 0; k < place->n && n < max; k++) {
			/* What calls the function of a go statement. */
			if (!strncmp(place->list[k].function, "runtime.goexit", 14))
				return n;
			ret[n++] = (struct runtime_frame){.function = place->list[k].function,
				.file = place->list[k].file,
				.line = place->list[k].line,
				.is_library = place->list[k].is_library};
		}
	}
	return n;
}
