/* lock.c - what a goroutine waits for, and who seems to have it. */
/* SPDX-License-Identifier: MIT */
/*
 * The runtime says in words why a goroutine waits (waitReasonStrings). Those that
 * wait for a semaphore, which mutexes and wait groups are made of, stand in
 * runtime.semtable: 251 trees of addresses, each with a list of waiters. Whatever
 * any goroutine may bring (a value for a channel) rests on all of them. Of a mutex
 * the goroutine counts whose functions have locked it and not unlocked it
 * (owner.c), if there is exactly one. It is known by the word that it has set:
 *
 *   sync.Mutex, and the same in sync.Once while its function runs   the mutex
 *   sync.RWMutex, for who wants to read or to write                 the mutex that it begins with
 *   the same, for a writer that waits until nobody reads            the count of readers
 *
 * Who waits for a sync.Cond stands in a list in that. Nothing leads from the goroutine to it but its stack: the functions that wait
 * keep its address in their frames.
 */
#include "tracer/runtime/golang/golang.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "schema/locks.h"
#include "tracer/symbols/symbols.h"

enum {
	SEMA_ROOTS = 251, /* semTabSize */
	SEMA_STRIDE = 64, /* each on a cache line of its own */
	MAX_DEPTH = 128,
	SEMA_IN_MUTEX = 4, /* sync.Mutex{state int32; sema uint32} */
	MUTEX_IN_ONCE = 4, /* sync.Once{done uint32; m Mutex} */
	/* sync.RWMutex{w Mutex; writerSem, readerSem uint32; readerCount, readerWait int32} */
	WRITER_SEMA = 8,
	READER_SEMA = 12,
	SEMA_IN_GROUP = 8, /* sync.WaitGroup{state uint64; sema uint32} */
	/* sync.Cond{L Locker; notify{wait, notify uint32; lock uintptr; head, tail *sudog}; checker: its own address} */
	COND_HEAD = 32,
	COND_CHECKER = 48,
	COND_FRAMES = 4,     /* from the innermost on, in which its address lies */
	COND_MAX_FRAME = 512 /* bytes of one that are looked through */
};

/* ---- The semaphores ---- */

/* The search of one tree: nodes still to be looked at, and how many sudogs there may be in all. */
struct tree {
	struct golang *go;
	struct hash *by_addr; /* 1 + index of a goroutine */
	uint64_t todo[MAX_DEPTH];
	size_t n;
	size_t left;
};

static void push(struct tree *t, uint64_t node)
{
	if (node && t->n < MAX_DEPTH)
		t->todo[t->n++] = node;
}

static void take_waiters(struct tree *t, uint64_t sudog, uint64_t sema)
{
	const struct golang_layout *l = &t->go->layout;

	for (; sudog && t->left; t->left--) {
		uintptr_t i = (uintptr_t)hash_get(t->by_addr, golang_u64(t->go, sudog, l->sudog_g));

		if (i) {
			t->go->list[i - 1].sema = sema;
			t->go->list[i - 1].sudog = sudog;
		}
		sudog = golang_u64(t->go, sudog, l->sudog_link);
	}
}

static void walk_tree(struct tree *t, uint64_t root)
{
	const struct golang_layout *l = &t->go->layout;

	t->n = 0;
	push(t, root);
	while (t->n && t->left) {
		uint64_t node = t->todo[--t->n];

		t->left--;
		take_waiters(t, node, golang_u64(t->go, node, l->sudog_elem));
		push(t, golang_u64(t->go, node, l->sudog_prev));
		push(t, golang_u64(t->go, node, l->sudog_next));
	}
}

static void read_semaphores(struct golang *go, struct hash *by_addr)
{
	struct tree t = {.go = go, .by_addr = by_addr, .left = 4 * GOLANG_GOROUTINES};

	for (uint64_t i = 0; i < SEMA_ROOTS; i++)
		walk_tree(
			&t, golang_u64(go, go->semtable + SEMA_STRIDE * i, go->layout.root_treap));
}

/* ---- Objects ---- */

/* Returns the index of the first frame that is, or has inlined, this function, or n_frames. */
static size_t find_function(struct golang *go, const struct goroutine *g, const char *wanted)
{
	for (size_t i = 0; i < g->n_frames; i++) {
		const struct golang_place *place = golang_place(go, g->frames[i].pc);

		for (size_t k = 0; k < place->n; k++)
			if (golang_is_named(place->list[k].function, wanted))
				return i;
	}
	return g->n_frames;
}

/* Finds the object whose semaphore a goroutine waits for, and by which word it is known who has it. */
static void find_object(struct golang *go, struct goroutine *g)
{
	size_t n = g->n_frames;

	if (find_function(go, g, GOLANG_LOCK_SLOW) < n) {
		g->wanted = g->tried = g->object = g->sema - SEMA_IN_MUTEX;
		/* No function of the program has tried. */
		if (find_function(go, g, GOLANG_ONCE) ==
			find_function(go, g, GOLANG_LOCK_SLOW) + 1) {
			g->object -= MUTEX_IN_ONCE;
			g->tried = 0;
		}
	} else if (find_function(go, g, "sync.(*RWMutex).Lock") < n) {
		g->object = g->sema - WRITER_SEMA;
		g->wanted = g->object + GOLANG_READERS;
	} else if (find_function(go, g, "sync.(*RWMutex).RLock") < n) {
		g->wanted = g->object = g->sema - READER_SEMA;
		g->tried = g->object + GOLANG_READERS;
	} else if (find_function(go, g, "sync.(*WaitGroup).Wait") < n) {
		g->object = g->sema - SEMA_IN_GROUP;
	}
}

/* ---- Conditions ---- */

static bool awaits_cond(const struct golang *go, const struct goroutine *g)
{
	return g->status == GO_WAITING && !g->is_system && g->reason < GOLANG_REASONS &&
	       !strcmp(go->reasons[g->reason], "sync.Cond.Wait");
}

/* Notes for all who stand in its list that they wait for a condition; left: how many sudogs there may be in all. */
static void take_list(struct golang *go, const struct hash *by_addr, uint64_t cond, size_t *left)
{
	const struct golang_layout *l = &go->layout;
	uint64_t sudog = golang_u64(go, cond, COND_HEAD);

	for (; sudog && *left; --*left, sudog = golang_u64(go, sudog, l->sudog_next)) {
		uintptr_t i = (uintptr_t)hash_get(by_addr, golang_u64(go, sudog, l->sudog_g));

		if (i && awaits_cond(go, &go->list[i - 1])) {
			go->list[i - 1].object = cond;
			go->list[i - 1].sudog = sudog;
		}
	}
}

/* Looks for the condition that a goroutine waits for in the frames of those functions. */
static void find_cond(
	struct golang *go, const struct hash *by_addr, const struct goroutine *g, size_t *left)
{
	for (size_t i = 0; i < g->n_frames && i < COND_FRAMES; i++) {
		const struct golang_frame *f = &g->frames[i];

		for (uint64_t at = f->low; at < f->high && at < f->low + COND_MAX_FRAME; at += 8) {
			uint64_t cond = golang_u64(go, at, 0);

			if (cond && cond % 8 == 0 &&
				golang_u64(go, cond, COND_CHECKER) == cond + COND_CHECKER)
				take_list(go, by_addr, cond, left);
			if (g->object)
				return;
		}
	}
}

static void find_conds(struct golang *go, const struct hash *by_addr)
{
	size_t left = 4 * GOLANG_GOROUTINES;

	for (size_t i = 0; i < go->n; i++)
		if (awaits_cond(go, &go->list[i]) && !go->list[i].object)
			find_cond(go, by_addr, &go->list[i], &left);
}

void golang_waits(struct golang *go)
{
	struct hash by_addr = {0};

	for (size_t i = 0; i < go->n; i++)
		(void)hash_set(&by_addr, go->list[i].addr, (void *)(uintptr_t)(i + 1));
	read_semaphores(go, &by_addr);
	for (size_t i = 0; i < go->n; i++) {
		if (go->list[i].sema)
			find_object(go, &go->list[i]);
	}
	find_conds(go, &by_addr);
	golang_owners(go);
	hash_done(&by_addr);
}

/* ---- Signals ---- */

/* Whether a type is, or looks like, os.Signal: an interface of two functions (struct interfacetype of type.go, the same since 1.14). */
static bool is_signal_type(struct golang *go, uint64_t type)
{
	enum { KIND = 23, KIND_MASK = 31, KIND_INTERFACE = 20, METHODS = 64 };
	uint8_t kind = 0;

	return type && memory_cached(&go->memory, type + KIND, &kind, 1) &&
	       (kind & KIND_MASK) == KIND_INTERFACE && golang_u64(go, type, METHODS) == 2;
}

/* Says whether a goroutine waits for a channel to which os/signal may send. */
static bool awaits_signal(struct golang *go, const struct goroutine *g)
{
	enum { MAX_CASES = 1000 };
	const struct golang_layout *l = &go->layout;
	uint64_t sudog = golang_u64(go, g->addr, l->g_waiting);

	if (!go->has_signals || l->channel_type == GOLANG_NONE)
		return go->has_signals;
	for (unsigned i = 0; sudog && i < MAX_CASES; i++) {
		uint64_t channel = golang_u64(go, sudog, l->sudog_channel);

		if (is_signal_type(go, golang_u64(go, channel, l->channel_type)))
			return true;
		sudog = golang_u64(go, sudog, l->sudog_link);
	}
	return false;
}

/* ---- Words ---- */

/* "sync.WaitGroup" of "sync.(*WaitGroup).Wait", the last function of the library before the program's own. */
static bool type_of(struct golang *go, const struct goroutine *g, char *ret, size_t size)
{
	struct runtime_frame frames[RUNTIME_MAX_FRAMES];
	size_t n = golang_show_frames(go, g, frames, RUNTIME_MAX_FRAMES), i = 0;
	const char *open, *close;

	while (i < n && frames[i].is_library)
		i++;
	if (!i)
		return false;
	open = strstr(frames[i - 1].function, ".(*");
	close = open ? strchr(open, ')') : NULL;
	if (!close)
		return false;
	(void)snprintf(ret, size, "%.*s.%.*s", (int)(open - frames[i - 1].function),
		frames[i - 1].function, (int)(close - open - 3), open + 3);
	return true;
}

/* "main.audit" of what lies in a variable of the program. */
static void name_of(struct golang *go, uint64_t addr, char *ret, size_t size)
{
	const struct runtime_process *p = go->process;
	_cleanup_free_ char *name = addr ? symbols_data(p->symbols, p->key, addr) : NULL;

	if (name && !strchr(name, '+'))
		(void)snprintf(ret, size, "%s", name);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

void golang_wait(struct golang *go, const struct goroutine *g, struct runtime_wait *w)
{
	const char *reason = g->reason < GOLANG_REASONS ? go->reasons[g->reason] : "";
	bool is_channel = begins(reason, "chan "), is_select = begins(reason, "select");

	*w = (struct runtime_wait){.reason = WAIT_NONE};
	if (g->status != GO_WAITING || g->is_torn)
		return;
	(void)snprintf(w->name, sizeof w->name, "%s", reason);
	w->reason = begins(reason, "sleep") ? WAIT_SLEEP : WAIT_FILE;
	if (g->polls)
		golang_poll_wait(g, w);
	if (g->answerer) {
		w->reason = WAIT_PIPE_READ;
		w->object = (uint64_t)g->asks;
		w->target = go->list[g->answerer - 1].tid;
		return;
	}
	if (!is_channel && !is_select && !begins(reason, "sema") && !begins(reason, "sync."))
		return;
	w->name[0] = '\0';
	if ((is_channel || is_select) && awaits_signal(go, g)) {
		w->reason = WAIT_SLEEP;
		(void)snprintf(w->name, sizeof w->name, "until a signal arrives on its channel");
		return;
	}
	w->reason = WAIT_COND;
	w->kind = LOCK_OBJECT;
	w->object = g->object ? g->object : g->sema ? g->sema : g->channel ? g->channel : g->addr;
	/* Those who read have it, not who has it to write. */
	if (golang_awaits_readers(g))
		w->object = g->wanted;
	/* Who could end it are those alone that are lost with it. */
	if (g->is_lost)
		w->target = go->list[go->lost - 1].tid;
	if (g->owner) {
		w->reason = WAIT_LOCK;
		w->target = go->list[g->owner - 1].tid;
	}
	if (is_channel || is_select)
		(void)snprintf(w->type, sizeof w->type, "%s",
			is_channel ? (g->channel ? "runtime.chan" : LOCK_TYPE_NIL_CHANNEL)
			: strstr(reason, "(no cases)") ? LOCK_TYPE_EMPTY_SELECT
						       : "runtime.select");
	else if (!type_of(go, g, w->type, sizeof w->type))
		(void)snprintf(w->type, sizeof w->type, "%s",
			g->wanted ? "sync.Mutex" : "runtime.semaphore");
	name_of(go, g->object ? g->object : g->sema, w->name, sizeof w->name);
}
