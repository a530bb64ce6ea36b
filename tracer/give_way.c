/* give_way.c - memory runs out: pptrace gives up detail, or itself, before the command suffers. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tracer/model/model.h"

/* The recording has a gap from now on: whatever rests on what did not happen is uncertain. */
static char *say(struct tracer *t, uint64_t now, const char *what)
{
	char *line = xasprintf("memory ran short after %.1f s: from then on %s",
		(double)(now - t->t0) / 1e9, what);
	t->lost_before++;
	model_loss(t->model, "pptrace: memory ran short", 0, ++t->shortages);
	tracer_blind(t, line);
	return line;
}

/* Gives up one source of several, with what it has handed over so far. */
static char *give_up_locks(struct tracer *t, size_t i, uint64_t now)
{
	struct source *s = t->choice.sources[i];
	uint64_t lost;

	tracer_read_losses(t);
	lost = t->lost;
	s->detach(s);
	t->attached[i] = false;
	tracer_read_losses(t);
	t->lost_before += lost - t->lost;
	return say(t, now, "lock operations were not recorded");
}

/* The source whose memory the command shares, if another one is left without it; -1. */
static int lock_source_of(const struct tracer *t)
{
	for (size_t i = 0; i < t->choice.n; i++)
		if (t->attached[i] && t->choice.n > 1 && t->choice.sources[i]->let_go)
			return (int)i;
	return -1;
}

char *tracer_give_way(struct tracer *t)
{
	uint64_t now = clock_now();
	char *line;
	int locks;

	if (t->is_short || t->error || !shortage_is_there(t, now))
		return NULL;
	shortage_end(t);
	locks = lock_source_of(t);
	if (locks >= 0)
		return give_up_locks(t, (size_t)locks, now);
	t->is_short = true;
	line = say(t, now, "nothing was recorded");
	(void)tracer_commit(t);
	tracer_detach(t);
	return line;
}
