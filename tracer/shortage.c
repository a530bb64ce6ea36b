/* shortage.c - memory runs out: pptrace gives up detail, or itself, before the command suffers. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "tracer/model/model.h"
#include "tracer/room.h"
#include "tracer/store/store.h"

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
		for (size_t i = 0; i < t->choice.n; i++)
			if (t->attached[i] && t->choice.sources[i]->let_go)
				t->choice.sources[i]->let_go(t->choice.sources[i]);
		s->found = true;
		break;
	}
	return NULL;
}

void tracer_watch_memory(struct tracer *t)
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

void tracer_unwatch_memory(struct tracer *t)
{
	if (!t->shortage)
		return;
	t->shortage->stop = true;
	(void)pthread_join(t->shortage->thread, NULL);
	free(t->shortage);
	t->shortage = NULL;
}

/* The recording has a gap from now on: whatever rests on what did not happen is uncertain. */
static void say(struct tracer *t, uint64_t now, const char *what)
{
	free(t->notice);
	t->notice = xasprintf("memory ran short after %.1f s: from then on %s",
		(double)(now - t->t0) / 1e9, what);
	t->lost_before++;
	model_loss(t->model, "pptrace: memory ran short", 0, ++t->shortages);
	tracer_blind(t, t->notice);
}

/* Gives up one source of several, with what it has handed over so far. */
static void give_up_locks(struct tracer *t, size_t i, uint64_t now)
{
	struct source *s = t->choice.sources[i];
	uint64_t lost;

	tracer_read_losses(t);
	lost = t->lost;
	s->detach(s);
	t->attached[i] = false;
	tracer_read_losses(t);
	t->lost_before += lost - t->lost;
	say(t, now, "lock operations were not recorded");
}

char *tracer_notice(struct tracer *t)
{
	return steal(&t->notice);
}

/* The source whose memory the command shares, if another one is left without it; -1. */
static int lock_source_of(const struct tracer *t)
{
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i] && t->choice.n > 1 && t->choice.sources[i]->let_go)
			return (int)i;
	return -1;
}

void tracer_look_at_memory(struct tracer *t, uint64_t now)
{
	bool found = t->shortage && t->shortage->found;
	int locks;

	if (t->is_short || (!found && now - t->room_at < LOOK_EVERY_NS))
		return;
	t->room_at = now;
	if (!found && is_enough(t->room))
		return;
	tracer_unwatch_memory(t);
	locks = lock_source_of(t);
	if (locks >= 0) {
		give_up_locks(t, (size_t)locks, now);
		return;
	}
	t->is_short = true;
	say(t, now, "nothing was recorded");
	(void)tracer_commit(t);
	tracer_detach(t);
}
