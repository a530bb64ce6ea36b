/* ask.c - what is asked of the members of a set of threads that block each other. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include <signal.h>

bool sets_any(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member))
{
	for (size_t i = 0; i < s->n_members; i++)
		if (is(f, s->members[i]))
			return true;
	return false;
}

bool sets_all(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member))
{
	for (size_t i = 0; i < s->n_members; i++)
		if (!is(f, s->members[i]))
			return false;
	return true;
}

bool sets_takes_orders(const struct finder *f, uint32_t thread)
{
	const struct state_thread *t = &f->st->threads[thread];
	const struct state_process *p = &f->st->processes[t->process];

	return p->hooks == HOOKS_SOME || p->orders & ~t->wait.sigmask;
}

bool sets_reads(const struct finder *f, uint32_t member)
{
	return f->st->threads[member].wait.reason == WAIT_PIPE_READ;
}

bool sets_takes_requests(const struct finder *f, uint32_t member)
{
	return state_takes_requests(f->st, f->st->threads[member].process);
}

bool sets_takes_signals(const struct finder *f, uint32_t member)
{
	return state_takes_signals(f->st, f->st->threads[member].process);
}

bool sets_waits_for_orders(const struct finder *f, uint32_t member)
{
	const uint64_t orders = UINT64_C(1) << (SIGTERM - 1) | UINT64_C(1) << (SIGINT - 1) |
				UINT64_C(1) << (SIGHUP - 1) | UINT64_C(1) << (SIGQUIT - 1) |
				UINT64_C(1) << (SIGUSR1 - 1) | UINT64_C(1) << (SIGUSR2 - 1);
	const struct state *st = f->st;
	const struct state_thread *t = &st->threads[member];
	uint64_t blocked = 0;

	if (!(f->pr->maybe[member] & MAYBE_SENT) || !state_is_for_some(st, t))
		return false;
	if (t->wait.awaits)
		return t->wait.awaits & orders;
	for (uint32_t i = st->processes[t->process].first; i != STATE_NONE; i = st->threads[i].next)
		blocked |= st->threads[i].wait.sigmask;
	return blocked & orders;
}
