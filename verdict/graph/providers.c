/* providers.c - what each blocked thread rests on: the wait-for graph of one moment. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

#include "base/buf.h"
#include "schema/query.h"

#include <signal.h>

/* What a wait of each reason rests on. */
static uint32_t (*const rest_on[WAIT_REASON_END])(struct providers *pr, uint32_t thread) = {
#define WAIT(NAME, number, name, provider, ...) [number] = providers_on_##provider,
#include "schema/waits.def"
#undef WAIT
};

static bool is_hearing(const struct state *st, uint32_t thread)
{
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = state_lock_of(st, &t->wait);

	if (t->wait.reason == WAIT_SEM && l && providers_sem_is_lock(l, t))
		return false;
	return !wait_info(t->wait.reason)->is_deaf;
}

/* Says whether some other thread of the program may end this one's wait, whatever that is for. */
static bool is_interruptible(const struct state *st, uint32_t thread)
{
	const struct state_process *p = &st->processes[st->threads[thread].process];

	if (!p->interrupts)
		return false;
	for (uint32_t i = p->first; i != STATE_NONE; i = st->threads[i].next)
		if (i != thread && !st->threads[i].housekeeping)
			return true;
	return false;
}

static void add_thread(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_process *p = &st->processes[t->process];
	struct fixpoint *g = &pr->graph;
	uint32_t node;

	/* A wait may have begun before the recording: its time is negative then. */
	bool stopped = p->stopped_ns && t->wait.start_ns < p->stopped_ns;

	/* Rests on nothing: it stays where it is. */
	if (providers_accepts(pr, thread))
		return;
	if (!t->waits || t->wait.timed || p->alarm_kills || stopped ||
		(p->alarm_rings && is_hearing(st, thread))) {
		g->nodes[thread].source = true;
		return;
	}
	if (pr->answerer && pr->answerer[thread] != STATE_NONE) {
		fixpoint_edge(g, thread, pr->answerer[thread]);
		return;
	}
	/* No handler may end a deaf wait, but one that exits, jumps or unlocks does not ask. */
	if (p->rings | p->sent)
		providers_maybe(pr, thread, MAYBE_ALARM);
	/* Until now it has not given up. */
	if (t->wait.repeats)
		providers_maybe(pr, thread, MAYBE_TIMEOUT);
	if (is_interruptible(st, thread))
		providers_maybe(pr, thread, MAYBE_RAISE);
	node = rest_on[t->wait.reason](pr, thread);
	/* Those who might post a semaphore are known: its node says whether they can. */
	if (node == LIVE || pr->maybe[thread] & ~MAYBE_POST) {
		g->nodes[thread].source = true;
		return;
	}
	fixpoint_edge(g, thread, node);
	if (is_hearing(st, thread) && state_catches(st, thread, SIGCHLD)) {
		node = providers_child_signals(pr, t->process);
		if (node == LIVE)
			g->nodes[thread].source = true;
		else
			fixpoint_edge(g, thread, node);
	}
}

/* How processes that can go on may come to pipes that they do not hold. */
static unsigned may_reopen(const struct providers *strict)
{
	const struct state *st = strict->st;
	unsigned how = 0;

	for (size_t i = 0; i < st->n_processes; i++)
		if (st->processes[i].alive && strict->graph.nodes[strict->process_node[i]].live)
			how |= st->processes[i].reopens;
	return how;
}

static void build(struct providers *pr)
{
	const struct state *st = pr->st;

	pr->maybe = xcalloc(st->n_threads + 1, sizeof *pr->maybe);
	pr->process_node = xcalloc(st->n_processes + 1, sizeof *pr->process_node);
	for (size_t i = 0; i < st->n_threads; i++)
		(void)fixpoint_add(&pr->graph, FIXPOINT_ANY);
	for (size_t i = 0; i < st->n_processes; i++) {
		uint32_t node = pr->process_node[i] = fixpoint_add(&pr->graph, FIXPOINT_ANY);

		providers_add_threads(pr, node, (uint32_t)i);
		/* A handler on top of a wait may write, post, or end the process, whatever is waited for. */
		if (st->processes[i].alive && st->processes[i].alarm_rings)
			pr->graph.nodes[node].source = true;
		/* What a ring has under way is not known: a write, a close, a timeout that ends one of them. */
		if (pr->generous && st->processes[i].alive && st->processes[i].uring)
			pr->graph.nodes[node].source = true;
	}
	for (size_t i = 0; i < st->n_threads; i++)
		add_thread(pr, (uint32_t)i);
}

int providers_build(struct providers *pr, const struct state *st, const struct providers *strict,
	struct buf *why)
{
	(void)why;
	*pr = (struct providers){.st = st, .everybody = STATE_NONE, .generous = strict != NULL};
	pr->strict = strict;
	pr->reopens = strict ? may_reopen(strict) : 0;
	build(pr);
	fixpoint_solve(&pr->graph);
	while (pr->generous && (providers_rescue(pr) || providers_rescue_by_kill(pr)))
		fixpoint_solve(&pr->graph);
	return 0;
}

bool providers_build_asked(struct providers *pr, const struct state *st)
{
	*pr = (struct providers){.st = st, .everybody = STATE_NONE};
	if (!providers_find_answerers(pr))
		return false;
	build(pr);
	fixpoint_solve(&pr->graph);
	return true;
}

void providers_done(struct providers *pr)
{
	fixpoint_done(&pr->graph);
	hash_done(&pr->shared);
	providers_mpi_free(pr->mpi);
	free(pr->maybe);
	free(pr->answerer);
	free(pr->process_node);
	*pr = (struct providers){0};
}
