/* asks.c - a program that asks itself over TCP, and which goroutine is to answer. */
/* SPDX-License-Identifier: MIT */
/*
 * A goroutine that has a mutex waits for the answer through a connection of which its own program has the other side, and a goroutine
 * that serves this wants the mutex: neither goes on. Which goroutine serves a connection is not recorded; it is the one
 * that has it at hand, a few pointers away from its stack (net/http: conn, TCPConn, netFD). If another one has it nearly as close,
 * it may have been handed the question, and nothing is said; who waits for connections, or reads on through this one, has not.
 *
 * A client of net/http does not read itself: persistConn.roundTrip waits for channels that the goroutine of readLoop uses. Their
 * connection is found by the object on its stack that has such a channel, and leads to what readLoop waits for. A timer that leads to
 * one of the channels ends the wait.
 */
#include "tracer/runtime/golang/golang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

enum {
	CHAIN_MAX = 16,
	CHANNELS_MAX = 16, /* of one select */
	/* How many objects lie between a stack and the connection at most: response, conn, tls.Conn, TCPConn, netFD. */
	SERVES = 4,
	MAY_SERVE = 5,
	OBJECT_MAX = 1 << 20, /* bytes */
	BYTES_MAX = 32 << 20, /* of one search */
	PROCESSORS_MAX = 4096,
	TIMERS_MAX = 100000 /* of all of them */
};

/* ---- Searching the heap ---- */

/* A program that may ask itself. */
struct asks {
	struct golang *go;
	struct golang_heap heap;
	struct hash passed; /* objects that no search follows */
};

/* Objects that lead from one to the next, and whether some words are in one of them. */
struct search {
	struct golang *go;
	const struct asks *asks;
	const uint64_t *wanted;
	size_t n_wanted;
	struct hash seen; /* of objects */
	uint64_t *list;   /* of them, level by level */
	size_t n, cap, bytes, timers;
	bool found, failed;
};

static void note_word(void *arg, uint64_t word)
{
	struct search *s = arg;
	const struct golang_span *span;
	uint64_t object;

	for (size_t i = 0; i < s->n_wanted; i++)
		s->found |= word == s->wanted[i];
	span = golang_heap_span(&s->asks->heap, word);
	if (!span || !span->has_pointers)
		return;
	object = golang_heap_object(span, word);
	if (hash_get(&s->asks->passed, object) || hash_get(&s->seen, object))
		return;
	(void)hash_set(&s->seen, object, s);
	ARRAY_GROW(s->list, s->n, s->cap);
	s->list[s->n++] = object;
}

static void note_words(struct search *s, uint64_t from, uint64_t len)
{
	_cleanup_free_ uint64_t *words = NULL;

	if (len > OBJECT_MAX || s->bytes + len > BYTES_MAX) {
		s->failed = true;
		return;
	}
	s->bytes += len;
	words = xcalloc((size_t)len / 8 + 1, 8);
	if (!memory_cached(&s->go->memory, from, words, (size_t)len / 8 * 8))
		s->failed = true;
	for (uint64_t i = 0; !s->failed && i < len / 8; i++)
		note_word(s, words[i]);
}

static void note_stack(struct search *s, const struct goroutine *g)
{
	if (!golang_stack(s->go, g, note_word, s))
		note_words(s, g->sp, g->stack_high - g->sp);
}

/* Follows what has been noted over so many objects. */
static void follow(struct search *s, unsigned levels)
{
	size_t at = 0;

	for (unsigned level = 0; level < levels && at < s->n && !s->found && !s->failed; level++)
		for (size_t end = s->n; at < end && !s->failed; at++)
			note_words(s, s->list[at],
				golang_heap_span(&s->asks->heap, s->list[at])->size);
}

/* What stands in the queues of channels, and goroutines themselves, lead to everything: they are not followed. */
static void pass_by(struct asks *a, uint64_t addr)
{
	const struct golang_span *span = golang_heap_span(&a->heap, addr);

	if (span)
		(void)hash_set(&a->passed, golang_heap_object(span, addr), a);
}

static void pass_queues(struct asks *a)
{
	const struct golang_layout *l = &a->go->layout;

	for (size_t i = 0; i < a->go->n; i++) {
		uint64_t sudog = golang_u64(a->go, a->go->list[i].addr, l->g_waiting);

		pass_by(a, a->go->list[i].addr);
		for (unsigned k = 0; sudog && k < CHANNELS_MAX; k++) {
			pass_by(a, sudog);
			sudog = golang_u64(a->go, sudog, l->sudog_link);
		}
	}
}

static struct search search_new(const struct asks *a, const uint64_t *wanted, size_t n_wanted)
{
	return (struct search){a->go, a, wanted, n_wanted, .cap = 0};
}

static void search_done(struct search *s)
{
	hash_done(&s->seen);
	free(s->list);
}

/* ---- Who asks ---- */

static bool is_in(struct golang *go, const struct goroutine *g, const char *function)
{
	for (size_t i = 0; i < g->n_frames; i++) {
		const struct golang_place *place = golang_place(go, g->frames[i].pc);

		for (size_t k = 0; k < place->n; k++)
			if (!strcmp(place->list[k].function, function))
				return true;
	}
	return false;
}

static bool reads_for_client(struct golang *go, const struct goroutine *g)
{
	return g->polls == GOLANG_READS && g->peer &&
	       is_in(go, g, "net/http.(*persistConn).readLoop");
}

static bool waits_for_response(struct golang *go, const struct goroutine *g)
{
	return g->status == GO_WAITING && g->channel &&
	       is_in(go, g, "net/http.(*persistConn).roundTrip");
}

/* The channels that a goroutine waits for; 0: too many. */
static size_t channels_of(struct golang *go, const struct goroutine *g, uint64_t *ret)
{
	const struct golang_layout *l = &go->layout;
	uint64_t sudog = golang_u64(go, g->addr, l->g_waiting);
	size_t n = 0;

	for (; sudog && n < CHANNELS_MAX; sudog = golang_u64(go, sudog, l->sudog_link))
		ret[n++] = golang_u64(go, sudog, l->sudog_channel);
	return sudog ? 0 : n;
}

/* Says whether an object has one of the channels, and leads to the connection that another goroutine reads from. */
static bool is_connection(const struct asks *a, uint64_t object, const uint64_t *channels,
	size_t n_channels, const struct goroutine *reader)
{
	struct search s = search_new(a, channels, n_channels);
	bool is;

	note_words(&s, object, golang_heap_span(&a->heap, object)->size);
	is = s.found && !s.failed;
	s.found = false;
	s.wanted = &reader->desc;
	s.n_wanted = 1;
	if (is)
		follow(&s, SERVES - 1);
	is = is && s.found && !s.failed;
	search_done(&s);
	return is;
}

/* Finds the goroutine that reads the answer for one that waits in net/http, or NULL. */
static const struct goroutine *reader_of(const struct asks *a, const struct goroutine *g)
{
	uint64_t channels[CHANNELS_MAX];
	size_t n = channels_of(a->go, g, channels);
	struct search s = search_new(a, NULL, 0);
	const struct goroutine *found = NULL;

	note_stack(&s, g);
	for (size_t i = 0; n && !found && i < a->go->n; i++) {
		const struct goroutine *reader = &a->go->list[i];

		if (!reads_for_client(a->go, reader))
			continue;
		for (size_t k = 0; !found && k < s.n; k++)
			if (is_connection(a, s.list[k], channels, n, reader))
				found = reader;
	}
	search_done(&s);
	return found;
}

/* Says whether a timer was stopped, and only stands in its heap until that is put in order. */
static bool is_stopped(struct golang *go, uint64_t timer)
{
	enum { DELETED = 3, ZOMBIE = 4 }; /* timerDeleted, up to 1.22; timerZombie */
	const struct golang_layout *l = &go->layout;
	uint8_t state = 0;

	if (l->timer_status != GOLANG_NONE)
		return golang_u32(go, timer, l->timer_status) == DELETED;
	return l->timer_state != GOLANG_NONE &&
	       memory_cached(&go->memory, timer + l->timer_state, &state, 1) && state & ZOMBIE;
}

/* Says whether a timer closes a connection that is not used: net/http leaves it set while the connection is used again. */
static bool is_for_idle(struct golang *go, uint64_t timer)
{
	const struct runtime_process *p = go->process;
	uint64_t closure = golang_u64(go, timer + 8, go->layout.timer_arg);
	uint64_t code = golang_u64(go, closure, 0);
	const char *function = code ? symbols_function(p->symbols, p->key, code, false) : NULL;

	return function && !strcmp(function, "net/http.(*persistConn).closeConnIfStillIdle-fm");
}

/* Notes the timers of a P that are set: up to 1.22 a slice of addresses; later each of these with its time. */
static void note_timers(struct search *s, uint64_t p)
{
	struct golang *go = s->go;
	const struct golang_layout *l = &go->layout;
	bool has_times = l->timers_heap != GOLANG_NONE;
	uint64_t slice = p + l->p_timers + (has_times ? l->timers_heap : 0);
	uint64_t array = golang_u64(go, slice, 0), n = golang_u64(go, slice, 8);

	s->failed |= n > TIMERS_MAX - s->timers;
	if (s->failed)
		return;
	s->timers += n;
	for (uint64_t i = 0; i < n && !s->failed; i++) {
		uint64_t timer = golang_u64(go, array, i * (has_times ? 16 : 8));

		if (!is_stopped(go, timer) && !is_for_idle(go, timer))
			note_word(s, timer);
	}
}

/* Says whether a timer leads to one of the channels that a goroutine waits for. */
static bool is_timed(const struct asks *a, const struct goroutine *g)
{
	struct golang *go = a->go;
	uint64_t channels[CHANNELS_MAX];
	size_t n_channels = channels_of(go, g, channels);
	struct search s = search_new(a, channels, n_channels);
	uint64_t array = golang_u64(go, go->allp, 0), n = golang_u64(go, go->allp, 8);
	bool is;

	for (uint64_t i = 0; i < n && i < PROCESSORS_MAX; i++) {
		uint64_t p = golang_u64(go, array, 8 * i);

		if (p)
			note_timers(&s, p);
	}
	follow(&s, UINT32_MAX);
	is = s.found || s.failed || n > PROCESSORS_MAX;
	search_done(&s);
	return is;
}

/* ---- Who answers ---- */

/* Says whether the connection at this address is a few pointers away from the stack of a goroutine. */
static bool serves(const struct asks *a, const struct goroutine *g, uint64_t desc)
{
	struct search s = search_new(a, &desc, 1);
	bool is;

	note_stack(&s, g);
	follow(&s, SERVES);
	is = s.found && !s.failed;
	search_done(&s);
	return is;
}

/* Says whether a goroutine but those two may have been handed what was asked through the connection. */
static bool may_others_serve(const struct asks *a, const struct goroutine *asker,
	const struct goroutine *answerer, uint64_t desc)
{
	struct search s = search_new(a, &desc, 1);
	bool may;

	for (size_t i = 0; i < a->go->n; i++) {
		const struct goroutine *g = &a->go->list[i];

		/* On the stack of the runtime's goroutines may be anything. */
		if (g == asker || g == answerer || g->is_system || g->accepts || g->desc == desc)
			continue;
		note_stack(&s, g);
	}
	follow(&s, MAY_SERVE);
	may = s.found || s.failed;
	search_done(&s);
	return may;
}

/* What the poller has of a socket: "tfd: 8 events: ... data: 7f2b75e51cf8 pos:0 ino:d09323 sdev:9"; from Go 1.21 on with a tag. */
static uint64_t desc_of_line(struct golang *go, const char *line, uint64_t inode)
{
	enum { TAG_BITS = 19 };
	unsigned long long data, found;
	const char *ino = strstr(line, "ino:");
	int fd;

	if (!ino || sscanf(line, "tfd: %d events: %*x data: %llx", &fd, &data) != 2 ||
		sscanf(ino, "ino:%llx", &found) != 1 || found != inode)
		return 0;
	if (golang_u64(go, data, go->layout.poll_fd) == (uint64_t)fd)
		return data;
	data = (uint64_t)((int64_t)data >> TAG_BITS) << 3;
	return golang_u64(go, data, go->layout.poll_fd) == (uint64_t)fd ? data : 0;
}

/* Finds what the program's poller has of a socket of its own; 0: it has none, or that is not known. */
static uint64_t desc_of(struct golang *go, uint64_t inode)
{
	uint64_t at = golang_symbol(go, "runtime.epfd"), desc = 0;
	char path[64], line[256];
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)go->process->pid,
		(int)golang_u32(go, at, 0));
	f = at ? fopen(path, "re") : NULL;
	while (f && !desc && fgets(line, sizeof line, f))
		desc = desc_of_line(go, line, inode);
	if (f)
		(void)fclose(f);
	return desc;
}

/* One that reads itself, or has net/http read, an answer. */
static bool may_ask(struct golang *go, const struct goroutine *g)
{
	return g->polls ? g->polls == GOLANG_READS && g->peer : waits_for_response(go, g);
}

/* Finds who has the mutex that a goroutine wants, or one further on, and asks meanwhile. */
static struct goroutine *asker_of(struct golang *go, const struct goroutine *g)
{
	uint32_t owner = g->owner;

	for (int i = 0; owner && i < CHAIN_MAX; i++) {
		struct goroutine *asker = &go->list[owner - 1];

		if (may_ask(go, asker))
			return asker;
		owner = asker->owner;
	}
	return NULL;
}

static void judge(const struct asks *a, const struct goroutine *answerer, struct goroutine *asker)
{
	const struct goroutine *reader = asker->polls ? asker : reader_of(a, asker);
	uint64_t desc = reader ? desc_of(a->go, reader->peer) : 0;

	if (!desc || !serves(a, answerer, desc) || may_others_serve(a, asker, answerer, desc) ||
		(reader != asker && is_timed(a, asker)))
		return;
	asker->asks = reader->fd;
	asker->answerer = (uint32_t)(answerer - a->go->list) + 1;
}

void golang_asks(struct golang *go)
{
	struct asks a = {.go = go};
	bool is_read = false;

	if (go->process->core || !go->has_poll || !go->has_spans)
		return;
	for (size_t i = 0; i < go->n; i++) {
		const struct goroutine *g = &go->list[i];
		struct goroutine *asker = asker_of(go, g);

		if (!asker || asker == g || asker->answerer)
			continue;
		if (!is_read && !golang_heap_read(go, &a.heap))
			break;
		if (!is_read)
			pass_queues(&a);
		is_read = true;
		judge(&a, g, asker);
	}
	golang_heap_done(&a.heap);
	hash_done(&a.passed);
}
