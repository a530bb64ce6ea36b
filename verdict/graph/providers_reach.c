/* providers_reach.c - nodes that several waiters share, and who can reach an object. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

#include "base/clock.h"
#include "base/buf.h"
#include "schema/query.h"

void providers_maybe(struct providers *pr, uint32_t thread, uint64_t how)
{
	if (pr->generous)
		pr->maybe[thread] |= how;
}

void providers_maybe_told(struct providers *pr, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];
	const struct state_process *p = &pr->st->processes[t->process];

	/* Java's locks and joins do not hear of signals. */
	if (t->wait.read_ns != INT64_MIN && !p->has_runtime && p->orders & ~t->wait.sigmask)
		providers_maybe(pr, thread, MAYBE_SIGNAL);
}

/* Returns true and the node if it is made already; else makes it: the caller adds its edges. */
bool providers_shared(
	struct providers *pr, enum share what, uint64_t key, enum fixpoint_mode mode, uint32_t *ret)
{
	uint64_t k = hash_mix((uint64_t)what, key, 1);
	uintptr_t known = (uintptr_t)hash_get(&pr->shared, k);

	if (known) {
		*ret = (uint32_t)(known - 1);
		return true;
	}
	*ret = fixpoint_add(&pr->graph, mode);
	(void)hash_set(&pr->shared, k, (void *)(uintptr_t)(*ret + 1));
	return false;
}

/*
 * Serves its language's runtime. One that ran while the process was looked at may have gone on with a task that
 * was seen to wait: what is said of tasks held of one moment, and of other processes another moment is known.
 */
static bool brings_nothing(const struct state *st, uint32_t thread)
{
	const struct state_thread *t = &st->threads[thread];

	return t->housekeeping &&
	       (t->waits || !st->instant || !st->processes[t->process].has_tasks);
}

void providers_add_threads(struct providers *pr, uint32_t node, uint32_t process)
{
	const struct state *st = pr->st;
	const struct state_process *p = &st->processes[process];

	bool any = false;

	for (uint32_t t = p->first; t != STATE_NONE; t = st->threads[t].next) {
		if (brings_nothing(st, t))
			continue;
		fixpoint_edge(&pr->graph, node, t);
		any = true;
	}
	/* Alive, but no thread of it is known, or one is yet to come: that may do anything but release what others hold. */
	if (p->alive && (!any || p->timer_calls))
		pr->graph.nodes[node].source = true;
}

/* All living threads of the trace. */
uint32_t providers_everybody(struct providers *pr)
{
	if (pr->everybody == STATE_NONE) {
		pr->everybody = fixpoint_add(&pr->graph, FIXPOINT_ANY);
		for (size_t i = 0; i < pr->st->n_processes; i++)
			if (pr->st->processes[i].alive)
				fixpoint_edge(&pr->graph, pr->everybody, pr->process_node[i]);
	}
	return pr->everybody;
}

static bool has_executed(const struct state *st, uint32_t process)
{
	return query_number(st->db,
		"SELECT 1 FROM exec WHERE process_id = ?1 AND errno IS NULL LIMIT 1",
		st->processes[process].id, 0, st->why);
}

/* Without recursion: a chain of them may be long. */
uint32_t providers_descendant(const struct state *st, uint32_t root, uint32_t p)
{
	if (st->processes[p].child != STATE_NONE)
		return st->processes[p].child;
	while (p != root && st->processes[p].sibling == STATE_NONE)
		p = st->processes[p].parent;
	return p == root ? STATE_NONE : st->processes[p].sibling;
}

/* Adds a process and its living descendants: in a damaged file they may be a ring. */
static void add_descendants(struct providers *pr, uint32_t node, uint32_t root)
{
	const struct state *st = pr->st;
	uint32_t p = root;

	for (size_t n = 0; p != STATE_NONE && n <= st->n_processes; n++) {
		fixpoint_edge(&pr->graph, node, pr->process_node[p]);
		p = providers_descendant(st, root, p);
	}
}

uint32_t providers_family(struct providers *pr, uint32_t process)
{
	enum { GENERATIONS = 64 }; /* a damaged file may hold a ring of parents */
	const struct state *st = pr->st;
	uint32_t node, root = process;

	/* A snapshot does not know from whom those descend whose parents have ended. */
	if (st->instant)
		return providers_everybody(pr);
	for (int i = 0; i < GENERATIONS && st->processes[root].parent != STATE_NONE &&
			!has_executed(st, root);
		i++)
		root = st->processes[root].parent;
	if (!providers_shared(pr, SHARE_FAMILY, root, FIXPOINT_ANY, &node))
		add_descendants(pr, node, root);
	return node;
}

/* The node of the living children of a process. */
static uint32_t living_children(struct providers *pr, uint32_t process)
{
	const struct state *st = pr->st;
	uint32_t node;

	if (providers_shared(pr, SHARE_CHILDREN, process, FIXPOINT_ANY, &node))
		return node;
	for (uint32_t c = st->processes[process].child; c != STATE_NONE;
		c = st->processes[c].sibling)
		fixpoint_edge(&pr->graph, node, pr->process_node[c]);
	return node;
}

uint32_t providers_children(struct providers *pr, uint32_t process)
{
	return pr->st->processes[process].has_zombie ? LIVE : living_children(pr, process);
}

uint32_t providers_child_signals(struct providers *pr, uint32_t process)
{
	const int64_t under_way_ns = 2000000000;
	const struct state *st = pr->st;
	const struct state_process *p = &st->processes[process];

	/* What was sent for a child that ended before is taken, or was merged with another. */
	if (p->has_zombie && !st->instant && ns_sub(st->now_ns, p->zombie_ns) < under_way_ns)
		return LIVE;
	return living_children(pr, process);
}

static int add_users(struct providers *pr, uint32_t node, int64_t lock_id, size_t *ret_n)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const struct state *st = pr->st;
	int rc = query_one(st->db,
		"SELECT process_id, coalesce(end_ns, 9223372036854775807), start_ns FROM lock_user"
		" WHERE lock_id = ?1",
		lock_id, &stmt, st->why);

	for (; rc > 0; rc = query_step(stmt, st->why)) {
		uint32_t p = state_process(st, query_int(stmt, 0, 0));

		if (p == STATE_NONE || !st->processes[p].alive ||
			query_int(stmt, 1, 0) <= st->now_ns || query_int(stmt, 2, 0) > st->now_ns)
			continue;
		fixpoint_edge(&pr->graph, node, pr->process_node[p]);
		++*ret_n;
	}
	return rc;
}

/* The process in whose memory the private objects of a process lie. */
int64_t providers_memory_of(const struct state *st, int64_t process_id)
{
	uint32_t p = st->shares_memory ? state_process(st, process_id) : STATE_NONE;

	return p == STATE_NONE ? process_id : st->processes[p].memory_id;
}

/*
 * All threads that run in one memory: those of one process, as a rule. A handler that
 * an alarm will run is none of them: it may not signal a condition; nor does an io_uring.
 */
static uint32_t memory(struct providers *pr, uint32_t process)
{
	const struct state *st = pr->st;
	int64_t id = st->processes[process].memory_id;
	uint32_t node;

	if (!st->shares_memory && !st->processes[process].alarm_rings &&
		!st->processes[process].uring)
		return pr->process_node[process];
	if (providers_shared(pr, SHARE_MEMORY, (uint64_t)id, FIXPOINT_ANY, &node))
		return node;
	for (size_t i = 0; i < st->n_processes; i++)
		if (st->processes[i].alive && st->processes[i].memory_id == id)
			providers_add_threads(pr, node, (uint32_t)i);
	return node;
}

/* Every thread that can reach an object: those of its process, or of all processes that map it. */
uint32_t providers_reach(struct providers *pr, const struct state_lock *l, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];
	uint32_t node;
	size_t users = 0;

	if (!l)
		return LIVE;
	/* What the runtime of a language waits for may come from its own threads. */
	if (pr->st->processes[t->process].has_runtime && !state_is_of_runtime(l))
		return LIVE;
	if (!l->pshared)
		return providers_memory_of(pr->st, l->process_id) ==
				       pr->st->processes[t->process].memory_id
			       ? memory(pr, t->process)
			       : LIVE;
	if (!providers_shared(pr, SHARE_REACH, (uint64_t)l->id, FIXPOINT_ANY, &node)) {
		/* Nobody known to map it, though somebody waits on it: not enough is known. */
		if (add_users(pr, node, l->id, &users) < 0 || !users)
			pr->graph.nodes[node].source = true;
		/* It has a name, or is mapped outside: whoever of the trace does not map it may yet. */
		if (l->outside)
			fixpoint_edge(&pr->graph, node, providers_everybody(pr));
	}
	if (l->outside)
		providers_maybe(pr, thread, MAYBE_SHARED);
	/* Who has not used it yet is known by a look at all processes alone. */
	else if (!pr->st->flights_seen && !pr->st->instant && l->mappers_ns < t->wait.start_ns)
		providers_maybe(pr, thread, MAYBE_MAPPED);
	if (!l->outside && pr->reopens & (REOPENS_BY_PATH | REOPENS_BY_TAKING))
		providers_maybe(pr, thread, MAYBE_REMAP);
	return node;
}

/* ---- Waits for what anybody may do who reaches the memory ---- */

/*
 * Goroutines that wait for what nobody else has (wait.target_thread_id): one of them, or one that a lock holds up, would
 * have to end the wait.
 */
static uint32_t lost(struct providers *pr, uint32_t process)
{
	const struct state *st = pr->st;
	uint32_t node;

	if (providers_shared(
		    pr, SHARE_LOST, (uint64_t)st->processes[process].id, FIXPOINT_ANY, &node))
		return node;
	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next) {
		const struct state_thread *o = &st->threads[t];

		if (o->is_task && o->wait.target_thread_id &&
			(o->wait.reason == WAIT_COND || o->wait.reason == WAIT_LOCK))
			fixpoint_edge(&pr->graph, node, t);
	}
	return node;
}

uint32_t providers_on_memory(struct providers *pr, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];
	const struct state_lock *l = state_lock_of(pr->st, &t->wait);

	if (l && l->is_never) {
		providers_maybe(pr, thread, MAYBE_KILLED);
		return fixpoint_add(&pr->graph, FIXPOINT_ANY);
	}
	if (t->is_task && t->wait.reason == WAIT_COND && t->wait.target_thread_id) {
		providers_maybe(pr, thread, MAYBE_FINALIZED);
		return lost(pr, t->process);
	}
	/*
	 * A thread that is started when the program is told to end, and does what the program has said; Ruby runs a trap in its
	 * main thread, whatever that waits for.
	 */
	if (pr->st->processes[t->process].hooks == HOOKS_SOME && state_is_of_runtime(l))
		providers_maybe(pr, thread,
			pr->st->processes[t->process].interrupts ? MAYBE_SIGNAL : MAYBE_HOOK);
	return providers_reach(pr, l, thread);
}

uint32_t providers_on_futex(struct providers *pr, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];

	if (state_catches_any(pr->st, t->process))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	return providers_on_memory(pr, thread);
}
