/* closure.c - functions that are kept to be called, and unlock what somebody else has locked. */
/* SPDX-License-Identifier: MIT */
/*
 * A mutex may be locked by one goroutine and unlocked by another: by a function that a timer calls (time.AfterFunc), one that was handed on
 * (mu.Unlock as a value), or a deferred one. Such a function value is an object: the address of its code, and behind that what it
 * uses of the variables around it. Where there is one, in the heap or on another goroutine's stack, whose code unlocks the mutex and has not locked it, it is
 * not known who will unlock it: the mutex does not belong to who has locked it. One that only the owner knows, on its stack, is its own.
 * What nothing refers to any more, and lies in the heap still, counts too: that only makes fewer owners.
 */
#include "tracer/runtime/golang/golang.h"

enum {
	MAX_CLOSURE = 64,    /* bytes */
	MAX_BYTES = 16 << 20 /* that are looked through */
};

struct search {
	struct golang *go;
	struct golang_wanted *list;
	struct golang_heap heap;
	struct hash by_object; /* 1 + index of the first wanted one in an object of the heap */
	uint64_t text, text_end;
	uint64_t bytes;
};

/* The object in the heap that an address lies in, or 0. */
static uint64_t object_of(const struct search *s, uint64_t addr)
{
	const struct golang_span *span = golang_heap_span(&s->heap, addr);

	return span ? golang_heap_object(span, addr) : 0;
}

struct look_up {
	uint64_t word;
	bool is_there;
};

static void compare(void *arg, uint64_t word)
{
	struct look_up *l = arg;

	l->is_there |= word == l->word;
}

/* Says whether a word on the stack of a goroutine leads there; true if it is not known which words count. */
static bool has_on_stack(struct golang *go, const struct goroutine *g, uint64_t word)
{
	struct look_up l = {.word = word};

	return !golang_stack(go, g, compare, &l) || l.is_there;
}

/* How a function value changes a word first. */
struct first {
	uint64_t word;
	int by;
};

static void take_first(void *arg, uint64_t word, int by)
{
	struct first *first = arg;

	if (word == first->word && !first->by)
		first->by = by;
}

/* Whether a function value unlocks a word that it has not locked; also where it is not looked at any more. */
static bool unlocks(struct search *s, uint64_t at, uint64_t code, uint64_t word)
{
	struct first first = {.word = word};

	if (!golang_may_change(s->go, code))
		return false;
	if (!s->go->scans) {
		s->go->is_unsearched = true;
		return true;
	}
	s->go->scans--;
	golang_function_changes(s->go, code, at, take_first, &first);
	return first.by < 0;
}

/* A function value: what it unlocks of an object has no owner. holder: on whose stack it lies, or NULL. */
static void take_closure(
	struct search *s, uint64_t at, uint64_t code, size_t wanted, const struct goroutine *holder)
{
	for (struct golang_wanted *w; wanted; wanted = w->next) {
		const struct goroutine *owner;

		w = &s->list[wanted - 1];
		owner = w->owner ? &s->go->list[w->owner - 1] : NULL;
		if (owner && owner != holder && unlocks(s, at, code, w->word) &&
			(holder || !has_on_stack(s->go, owner, at)))
			w->owner = 0;
	}
}

/* Takes what begins at the first of these words for a function value, if it looks like one that uses such an object. */
static void take_words(struct search *s, uint64_t at, const uint64_t *words, size_t n,
	const struct goroutine *holder)
{
	if (words[0] < s->text || words[0] >= s->text_end)
		return;
	for (size_t i = 1; i < n; i++) {
		uint64_t object = object_of(s, words[i]);
		void *wanted = object ? hash_get(&s->by_object, object) : NULL;

		if (!wanted)
			continue;
		if (golang_is_function(s->go, words[0]))
			take_closure(s, at, words[0], (size_t)(uintptr_t)wanted, holder);
		return;
	}
}

static void search_span(struct search *s, const struct golang_span *span)
{
	uint64_t words[MAX_CLOSURE / 8];
	size_t n = (size_t)(span->size / 8);

	for (uint64_t at = span->start; span->end - at >= span->size; at += span->size)
		if (memory_cached(&s->go->memory, at, words, 8 * n))
			take_words(s, at, words, n, NULL);
}

static void search_heap(struct search *s)
{
	for (size_t i = 0; i < s->heap.n && s->bytes < MAX_BYTES; i++) {
		const struct golang_span *span = &s->heap.spans[i];

		if (!span->has_pointers || span->size < 16 || span->size > MAX_CLOSURE)
			continue;
		s->bytes += span->end - span->start;
		search_span(s, span);
	}
}

static void search_stack(struct search *s, const struct goroutine *g)
{
	enum { WORDS = 4, MANY = 512 };
	uint64_t words[MANY];

	for (uint64_t at = (g->sp + 7) & ~UINT64_C(7); at + 8 * WORDS <= g->stack_high;) {
		size_t n = (size_t)((g->stack_high - at) / 8);

		n = n < MANY ? n : MANY;
		s->bytes += 8 * n;
		if (s->bytes >= MAX_BYTES || !memory_cached(&s->go->memory, at, words, 8 * n))
			return;
		for (size_t i = 0; i + WORDS <= n; i++)
			take_words(s, at + 8 * i, words + i, WORDS, g);
		at += 8 * (n - WORDS + 1);
	}
}

/* Notes in which objects that lies which has an owner; false: in none. */
static bool note_objects(struct search *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct golang_wanted *w = &s->list[i];
		uint64_t object = w->owner ? object_of(s, w->word) : 0;

		if (object)
			w->next = (size_t)(uintptr_t)hash_set(
				&s->by_object, object, (void *)(uintptr_t)(i + 1));
	}
	return s->by_object.len != 0;
}

static void search_all(struct search *s)
{
	search_heap(s);
	for (size_t i = 0; i < s->go->n; i++) {
		const struct goroutine *g = &s->go->list[i];

		if (!g->is_system && !g->is_torn && g->status == GO_WAITING &&
			g->sp >= g->stack_low && g->sp < g->stack_high)
			search_stack(s, g);
	}
}

void golang_closures(struct golang *go, struct golang_wanted *list, size_t n)
{
	struct search s = {.go = go,
		.list = list,
		.text = golang_symbol(go, "runtime.text"),
		.text_end = golang_symbol(go, "runtime.etext")};
	bool any = false;

	for (size_t i = 0; i < n && !any; i++)
		any = list[i].owner;
	if (any && golang_heap_read(go, &s.heap) && note_objects(&s, n))
		search_all(&s);
	golang_heap_done(&s.heap);
	hash_done(&s.by_object);
}
