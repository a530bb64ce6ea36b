/* shortage.c - notice that memory runs out. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"
#include "tracer/room.h"

#define LOOK_EVERY_NS 50000000u
#define MIB (1024ull * 1024)

/* Only a control group that is no larger than that is watched more often. */
#define SMALL_GROUP (4096 * MIB)

enum { WATCH_EVERY_NS = 10000000 };

struct shortage {
	struct tracer *tracer;
	pthread_t thread;
	atomic_bool stop;
	atomic_bool found;
};

/* So much must be left: a share of the limit, for the command may want some at once. */
static bool is_enough(const struct room *r)
{
	uint64_t reserve = room_limit(r) / 8;

	if (!reserve || reserve > 64 * MIB)
		reserve = 64 * MIB;
	return room_left(r) >= (reserve < 8 * MIB ? 8 * MIB : reserve);
}

void tracer_let_go(struct tracer *t)
{
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i] && t->choice.sources[i]->let_go)
			t->choice.sources[i]->let_go(t->choice.sources[i]);
}

/*
 * The recording itself may be held up, by the disk for one, when the command wants memory:
 * what is shared with it goes at once.
 */
static void *watch(void *arg)
{
	struct shortage *s = arg;
	struct tracer *t = s->tracer;

	while (!s->stop) {
		(void)clock_nanosleep(
			CLOCK_MONOTONIC, 0, &(struct timespec){0, WATCH_EVERY_NS}, NULL);
		if (is_enough(t->room))
			continue;
		tracer_let_go(t);
		s->found = true;
		break;
	}
	return NULL;
}

void shortage_watch(struct tracer *t)
{
	uint64_t limit = room_limit(t->room);
	struct shortage *s;

	if (!limit || limit > SMALL_GROUP)
		return;
	s = xcalloc(1, sizeof *s);
	s->tracer = t;
	if (thread_start(&s->thread, watch, s) == 0)
		t->shortage = s;
	else
		free(s);
}

void shortage_end(struct tracer *t)
{
	if (!t->shortage)
		return;
	t->shortage->stop = true;
	(void)pthread_join(t->shortage->thread, NULL);
	free(t->shortage);
	t->shortage = NULL;
}

bool shortage_is_there(struct tracer *t, uint64_t now)
{
	if (t->shortage && t->shortage->found)
		return true;
	if (now - t->room_at < LOOK_EVERY_NS)
		return false;
	t->room_at = now;
	return !is_enough(t->room);
}
