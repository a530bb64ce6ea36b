/* owner.c - which goroutine seems to have what others wait for. */
/* SPDX-License-Identifier: MIT */
/*
 * Each function on the stack of a goroutine is gone through once (code.c), whatever is waited for: what it has done, or is about to do,
 * to some word that is wanted is kept with that word. Most functions change no lock, and are not gone through.
 */
#include "tracer/runtime/golang/golang.h"

#include <stdlib.h>

#include "base/mem.h"

/* What a goroutine has done, or is about to do, to a wanted word. */
struct deed {
	uint32_t goroutine; /* index */
	int locked;         /* how often it has locked it, less how often it has unlocked it */
	int next;           /* what it does to it first, behind where it is now; 0: nothing */
	bool runs_once;     /* it runs the function of the Once with this mutex */
	size_t following;   /* 1 + index of the next one of that word, 0: there is none */
};

struct search {
	struct golang *go;
	struct hash by_word; /* 1 + index of a wanted one */
	struct golang_wanted *list;
	size_t n, cap;
	struct deed *deeds;
	size_t n_deeds, cap_deeds;
	uint32_t goroutine; /* whose stack is looked at */
};

/* Returns what the goroutine that is looked at does to a word, or NULL if nobody wants that. */
static struct deed *deed_of(struct search *s, uint64_t word)
{
	size_t i = (size_t)(uintptr_t)hash_get(&s->by_word, word);
	struct golang_wanted *w = i ? &s->list[i - 1] : NULL;

	if (!w)
		return NULL;
	if (w->last && s->deeds[w->last - 1].goroutine == s->goroutine)
		return &s->deeds[w->last - 1];
	ARRAY_GROW(s->deeds, s->n_deeds, s->cap_deeds);
	s->deeds[s->n_deeds++] = (struct deed){.goroutine = s->goroutine};
	if (w->last)
		s->deeds[w->last - 1].following = s->n_deeds;
	else
		w->first = s->n_deeds;
	w->last = s->n_deeds;
	return &s->deeds[s->n_deeds - 1];
}

static void take_change(void *arg, uint64_t word, int by)
{
	struct deed *deed = deed_of(arg, word);

	if (deed)
		deed->locked += by;
}

static void take_next(void *arg, uint64_t word, int by)
{
	struct deed *deed = deed_of(arg, word);

	if (deed && !deed->next)
		deed->next = by;
}

/* Takes each word of a frame that called the function of a Once, whose mutex lies in it. */
static void take_once(struct search *s, const struct golang_frame *f)
{
	enum { MAX_FRAME = 512 };

	for (uint64_t at = f->low; at < f->high && at < f->low + MAX_FRAME; at += 8) {
		struct deed *deed = deed_of(s, golang_u64(s->go, at, 0));

		if (deed)
			deed->runs_once = true;
	}
}

static bool is_program_frame(struct golang *go, const struct golang_frame *f)
{
	const struct golang_place *place = golang_place(go, f->pc);

	return place->n && !place->list[place->n - 1].is_library;
}

/* Goes through the code of a frame's function, if it may change a lock. */
static void take_code(struct search *s, const struct golang_frame *f, uint64_t tried)
{
	struct golang *go = s->go;

	if (!golang_may_change(go, golang_place(go, f->pc)->start))
		return;
	if (!go->scans) {
		go->is_unsearched = true;
		return;
	}
	go->scans--;
	golang_changes(go, f, tried, take_change, s);
	golang_next_changes(go, f, take_next, s);
}

static void take_stack(struct search *s, const struct goroutine *g)
{
	uint64_t tried = g->tried; /* by the innermost function of the program */

	for (size_t i = 0; i < g->n_frames && !s->go->is_unsearched; i++) {
		const struct golang_frame *f = &g->frames[i];

		if (i && golang_is_frame_of(s->go, f, GOLANG_ONCE) &&
			!golang_is_frame_of(s->go, &g->frames[i - 1], GOLANG_LOCK_SLOW))
			take_once(s, f);
		if (!is_program_frame(s->go, f))
			continue;
		take_code(s, f, tried);
		tried = 0;
	}
}

/* Says whether a goroutine that has what others wait for waits itself for others. */
static bool waits_for_others(const struct goroutine *g)
{
	return g->status == GO_WAITING && (g->sema || g->channel);
}

/*
 * Returns 1 + the index of the only goroutine that seems to have set the word, or 0. Of several readers, all of whom a
 * writer waits for, one that waits itself. Where another one is about to unlock it who has not locked it, it does not belong to who has.
 */
static uint32_t owner_of(const struct search *s, const struct golang_wanted *w)
{
	const struct goroutine *list = s->go->list;
	uint32_t owner = 0;

	for (size_t i = w->first; i; i = s->deeds[i - 1].following) {
		const struct deed *deed = &s->deeds[i - 1];
		const struct goroutine *g = &list[deed->goroutine];

		if (deed->locked <= 0 && !deed->runs_once) {
			/* Unless it wants it first. */
			if (deed->next < 0 && g->wanted != w->word && g->tried != w->word)
				return 0;
			continue;
		}
		if (owner && !w->is_shared)
			return 0;
		if (!owner || !waits_for_others(&list[owner - 1]))
			owner = deed->goroutine + 1;
	}
	return owner;
}

static void note_wanted(struct search *s)
{
	for (size_t i = 0; i < s->go->n; i++) {
		const struct goroutine *g = &s->go->list[i];

		if (!g->wanted || hash_get(&s->by_word, g->wanted))
			continue;
		ARRAY_GROW(s->list, s->n, s->cap);
		s->list[s->n++] = (struct golang_wanted){
			.word = g->wanted, .is_shared = golang_awaits_readers(g)};
		(void)hash_set(&s->by_word, g->wanted, (void *)(uintptr_t)s->n);
	}
}

static void search_stacks(struct search *s)
{
	struct golang *go = s->go;

	for (size_t i = 0; i < go->n && !go->is_unsearched; i++) {
		s->goroutine = (uint32_t)i;
		if (!go->list[i].is_system && !go->list[i].is_torn)
			take_stack(s, &go->list[i]);
	}
	for (size_t i = 0; i < s->n; i++)
		s->list[i].owner = owner_of(s, &s->list[i]);
	golang_closures(go, s->list, s->n);
}

void golang_owners(struct golang *go)
{
	struct search s = {.go = go};

	note_wanted(&s);
	if (s.n)
		search_stacks(&s);
	/* Who was not looked at may have it as well. */
	for (size_t i = 0; i < go->n && !go->is_unsearched; i++) {
		struct goroutine *g = &go->list[i];
		size_t k = (size_t)(uintptr_t)hash_get(&s.by_word, g->wanted);

		g->owner = g->wanted && k ? s.list[k - 1].owner : 0;
	}
	hash_done(&s.by_word);
	free(s.list);
	free(s.deeds);
}
