/* members.c - who is in a set of threads that block each other, in which order, and who waits behind them. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include "base/mem.h"

/* The longest list of nodes that is searched for the next member; beyond, the set is a knot. */
enum { SEARCH_LIMIT = 256 };

struct collector {
	const struct state *st;
	const struct providers *pr;
	struct stuck_sets *sets;
	uint32_t *set_of; /* of each node, 1 + index of the set that has it; 0: none */
	uint32_t *missing;
	uint32_t *touched; /* nodes whose missing is set */
	bool *is_certain;  /* of each thread: member of a certain set */
	bool certain;      /* what these sets are */
};

static bool is_thread(const struct collector *c, uint32_t node)
{
	return node < c->st->n_threads;
}

/* The threads that cannot go on because of a minimal set without threads: something that no remaining thread can provide. */
static size_t abandoned_members(
	struct collector *c, const uint32_t *minimal, size_t n_minimal, uint32_t *members)
{
	const struct fixpoint *g = &c->pr->graph;
	_cleanup_free_ uint32_t *work = xcalloc(g->n_nodes + 1, sizeof *work);
	size_t n_work = 0, n_touched = 0, n = 0;

	for (size_t i = 0; i < n_minimal; i++)
		work[n_work++] = minimal[i];
	while (n_work) {
		const struct fixpoint_node *node = &g->nodes[work[--n_work]];

		for (uint32_t k = 0; k < node->n_up; k++) {
			uint32_t up = g->up[node->first_up + k];
			const struct fixpoint_node *u = &g->nodes[up];

			if (u->live || c->missing[up] == UINT32_MAX)
				continue;
			if (!c->missing[up]) {
				c->missing[up] = u->mode == FIXPOINT_ANY ? u->n_down : 1;
				c->touched[n_touched++] = up;
			}
			if (--c->missing[up])
				continue;
			c->missing[up] = UINT32_MAX;
			if (is_thread(c, up))
				members[n++] = up;
			else
				work[n_work++] = up;
		}
	}
	while (n_touched)
		c->missing[c->touched[--n_touched]] = 0;
	return n;
}

/*
 * Looks for the threads that a thread rests on next within its set. Returns how
 * many there are beside itself, at most 2, the first in *ret; *ret_self says whether it rests on itself.
 */
static int successors(
	const struct collector *c, uint32_t thread, uint32_t set, uint32_t *ret, bool *ret_self)
{
	const struct fixpoint *g = &c->pr->graph;
	uint32_t list[SEARCH_LIMIT];
	size_t n = 0, done = 0;
	int found = 0;

	*ret_self = false;
	list[n++] = thread;
	while (done < n) {
		const struct fixpoint_node *node = &g->nodes[list[done++]];

		for (uint32_t k = 0; k < node->n_down; k++) {
			uint32_t w = g->down[node->first_down + k];
			size_t known = 0;

			if (c->set_of[w] != set)
				continue;
			if (w == thread) {
				*ret_self = true;
			} else if (is_thread(c, w)) {
				if (found && *ret == w)
					continue;
				*ret = w;
				if (++found == 2)
					return found;
			} else {
				while (known < n && list[known] != w)
					known++;
				if (known < n)
					continue;
				if (n == SEARCH_LIMIT)
					return 2;
				list[n++] = w;
			}
		}
	}
	return found;
}

/* Says whether only other threads could end the wait: a thread that waits alone has nobody. */
static bool needs_others(const struct state *st, uint32_t thread)
{
	return wait_info(st->threads[thread].wait.reason)->needs_others;
}

/* Puts the members of a cycle into its order, and names the shape. */
static void find_shape(const struct collector *c, struct stuck_set *s, uint32_t set)
{
	_cleanup_free_ uint32_t *order = xcalloc(s->n_members + 1, sizeof *order);
	uint32_t at = s->members[0], next = at;
	bool self;
	size_t n = 0;

	if (s->n_members == 1) {
		(void)successors(c, at, set, &next, &self);
		s->shape = self && !needs_others(c->st, at) ? "self" : "abandoned";
		return;
	}
	s->shape = "knot";
	do {
		order[n++] = at;
		if (successors(c, at, set, &next, &self) != 1)
			return;
		at = next;
	} while (at != s->members[0] && n < s->n_members);
	if (at != s->members[0] || n != s->n_members)
		return;
	s->shape = "cycle";
	memcpy(s->members, order, n * sizeof *order);
}

void sets_free_one(struct stuck_set *s)
{
	free(s->members);
	free(s->behind);
}

static void drop_set(struct collector *c, struct stuck_set *s)
{
	sets_free_one(s);
	c->sets->n--;
}

static void each_minimal(void *arg, const uint32_t *nodes, size_t n)
{
	struct collector *c = arg;
	struct stuck_set *s;
	uint32_t set;
	bool known = false;

	ARRAY_GROW(c->sets->list, c->sets->n, c->sets->cap);
	s = &c->sets->list[c->sets->n++];
	*s = (struct stuck_set){.certain = c->certain};
	set = (uint32_t)c->sets->n;
	s->members = xcalloc(n + 1, sizeof *s->members);
	for (size_t i = 0; i < n && is_thread(c, nodes[i]); i++)
		s->members[s->n_members++] = nodes[i];
	if (!s->n_members) {
		free(s->members);
		s->members = xcalloc(c->st->n_threads + 1, sizeof *s->members);
		s->n_members = abandoned_members(c, nodes, n, s->members);
		s->shape = "abandoned";
	}
	for (size_t i = 0; i < s->n_members; i++)
		known = known || c->is_certain[s->members[i]];
	if (!s->n_members || known || !sets_stood(c->st, s)) {
		drop_set(c, s);
		return;
	}
	for (size_t i = 0; i < n; i++)
		c->set_of[nodes[i]] = set;
	for (size_t i = 0; i < s->n_members; i++)
		c->set_of[s->members[i]] = set;
	if (!s->shape)
		find_shape(c, s, set);
}

/* Gives every dead thread that is in no set to the first set that it is found to wait for. */
static void find_behind(struct collector *c, size_t first_set)
{
	const struct fixpoint *g = &c->pr->graph;
	_cleanup_free_ uint32_t *work = xcalloc(g->n_nodes + 1, sizeof *work);
	size_t begin = 0, end = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		if (c->set_of[i] > first_set)
			work[end++] = (uint32_t)i;
	while (begin < end) {
		uint32_t v = work[begin++];
		const struct fixpoint_node *node = &g->nodes[v];
		struct stuck_set *s = &c->sets->list[c->set_of[v] - 1];

		for (uint32_t k = 0; k < node->n_up; k++) {
			uint32_t up = g->up[node->first_up + k];

			if (g->nodes[up].live || c->set_of[up])
				continue;
			c->set_of[up] = c->set_of[v];
			work[end++] = up;
			if (is_thread(c, up) && !c->st->threads[up].housekeeping) {
				ARRAY_GROW(s->behind, s->n_behind, s->cap_behind);
				s->behind[s->n_behind++] = up;
			}
		}
	}
}

void sets_collect(
	const struct state *st, const struct providers *pr, bool certain, struct stuck_sets *sets)
{
	size_t first = sets->n, n_nodes = pr->graph.n_nodes;
	struct collector c = {.st = st,
		.pr = pr,
		.sets = sets,
		.certain = certain,
		.set_of = xcalloc(n_nodes + 1, sizeof *c.set_of),
		.missing = xcalloc(n_nodes + 1, sizeof *c.missing),
		.touched = xcalloc(n_nodes + 1, sizeof *c.touched),
		.is_certain = xcalloc(st->n_threads + 1, sizeof *c.is_certain)};

	for (size_t i = 0; i < first; i++)
		for (size_t k = 0; k < sets->list[i].n_members; k++)
			c.is_certain[sets->list[i].members[k]] |= sets->list[i].certain;
	fixpoint_minimal_sets(&pr->graph, each_minimal, &c);
	if (sets->n > first)
		find_behind(&c, first);
	free(c.set_of);
	free(c.missing);
	free(c.touched);
	free(c.is_certain);
}
