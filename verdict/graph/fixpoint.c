/* fixpoint.c - the wait-for fixpoint: a node is live while one, or all, of those it rests on are. */
/* SPDX-License-Identifier: MIT */
/*
 * Liveness is a least fixpoint: it spreads from the sources over a worklist,
 * each edge looked at once.
 *
 * A minimal dead set is found in two steps. Tarjan's algorithm splits a region of dead nodes into strongly
 * connected components. For each, everything outside is thought live and the fixpoint is run inside: what then
 * stays dead holds itself. If that is the whole component it is minimal, if it is a part of it the part is a new,
 * smaller region.
 */
#include "verdict/graph/fixpoint.h"

#include "base/mem.h"

void fixpoint_done(struct fixpoint *g)
{
	free(g->nodes);
	free(g->edges);
	free(g->down);
	free(g->up);
	*g = (struct fixpoint){0};
}

uint32_t fixpoint_add(struct fixpoint *g, enum fixpoint_mode mode)
{
	ARRAY_GROW(g->nodes, g->n_nodes, g->cap_nodes);
	g->nodes[g->n_nodes] = (struct fixpoint_node){.mode = mode};
	return (uint32_t)g->n_nodes++;
}

void fixpoint_edge(struct fixpoint *g, uint32_t from, uint32_t to)
{
	ARRAY_GROW(g->edges, g->n_edges, g->cap_edges);
	g->edges[g->n_edges++] = (struct fixpoint_edge){from, to};
}

/* Sorts the edges by node, in both directions. */
static void index_edges(struct fixpoint *g)
{
	uint32_t down = 0, up = 0;

	g->down = xcalloc(g->n_edges + 1, sizeof *g->down);
	g->up = xcalloc(g->n_edges + 1, sizeof *g->up);
	for (size_t i = 0; i < g->n_edges; i++) {
		g->nodes[g->edges[i].from].n_down++;
		g->nodes[g->edges[i].to].n_up++;
	}
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct fixpoint_node *n = &g->nodes[i];

		n->first_down = down;
		n->first_up = up;
		down += n->n_down;
		up += n->n_up;
		n->n_down = n->n_up = 0;
	}
	for (size_t i = 0; i < g->n_edges; i++) {
		struct fixpoint_node *from = &g->nodes[g->edges[i].from];
		struct fixpoint_node *to = &g->nodes[g->edges[i].to];

		g->down[from->first_down + from->n_down++] = g->edges[i].to;
		g->up[to->first_up + to->n_up++] = g->edges[i].from;
	}
}

void fixpoint_solve(struct fixpoint *g)
{
	_cleanup_free_ uint32_t *work = xcalloc(g->n_nodes + 1, sizeof *work);
	_cleanup_free_ uint32_t *missing = xcalloc(g->n_nodes + 1, sizeof *missing);
	size_t n = 0;

	if (!g->down)
		index_edges(g);
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct fixpoint_node *node = &g->nodes[i];

		missing[i] = node->mode == FIXPOINT_ANY ? 1 : node->n_down;
		node->live = node->source;
		if (node->live)
			work[n++] = (uint32_t)i;
	}
	while (n) {
		const struct fixpoint_node *node = &g->nodes[work[--n]];

		for (uint32_t k = 0; k < node->n_up; k++) {
			uint32_t w = g->up[node->first_up + k];

			if (!g->nodes[w].live && --missing[w] == 0) {
				g->nodes[w].live = true;
				work[n++] = w;
			}
		}
	}
}

/* What the search for minimal sets keeps for each node. */
struct mark {
	uint32_t region;    /* region it belongs to now, 0: none (live, or out of it) */
	uint32_t component; /* component it was put into, 0: none yet */
	uint32_t order, low;
	uint32_t next_edge;
	uint32_t missing;
	bool on_stack, moved;
};

struct search {
	const struct fixpoint *g;
	struct mark *marks;
	uint32_t *stack, *path, *list, *work;
	size_t n_stack, n_path;
	uint32_t counter, components;
	fixpoint_each_minimal *each;
	void *arg;
	uint32_t *
		*regions; /* regions still to split: an array of nodes each, ended by UINT32_MAX */
	size_t n_regions, cap_regions;
};

static int compare_nodes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void push_region(struct search *s, const uint32_t *nodes, size_t n)
{
	uint32_t *copy = xcalloc(n + 1, sizeof *copy);

	if (n)
		memcpy(copy, nodes, n * sizeof *copy);
	copy[n] = UINT32_MAX;
	ARRAY_GROW(s->regions, s->n_regions, s->cap_regions);
	s->regions[s->n_regions++] = copy;
}

/* Thinks everything outside the component live and moves what becomes live by it to the end of nodes. Returns how many stay dead. */
static size_t settle(struct search *s, uint32_t *nodes, size_t n, uint32_t component)
{
	size_t n_work = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct fixpoint_node *node = &s->g->nodes[nodes[i]];
		struct mark *m = &s->marks[nodes[i]];
		uint32_t inside = 0, hopeless = 0;

		for (uint32_t k = 0; k < node->n_down; k++) {
			uint32_t w = s->g->down[node->first_down + k];

			inside += s->marks[w].component == component;
			hopeless += !s->g->nodes[w].n_down && !s->g->nodes[w].live;
		}
		/* What rests on nothing and is not a source stays dead, whatever is assumed of the others. */
		if (node->mode == FIXPOINT_ANY && inside)
			m->moved = inside + hopeless < node->n_down;
		else
			m->moved = node->n_down && !inside;
		m->missing = node->mode == FIXPOINT_ANY ? 1 : inside;
		if (m->moved)
			s->work[n_work++] = nodes[i];
	}
	while (n_work) {
		const struct fixpoint_node *node = &s->g->nodes[s->work[--n_work]];

		for (uint32_t k = 0; k < node->n_up; k++) {
			uint32_t w = s->g->up[node->first_up + k];
			struct mark *m = &s->marks[w];

			if (m->component == component && !m->moved && --m->missing == 0) {
				m->moved = true;
				s->work[n_work++] = w;
			}
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!s->marks[nodes[i]].moved)
			nodes[kept++] = nodes[i];
	return kept;
}

/* One component is complete: the nodes on top of the stack down to root. */
static void finish_component(struct search *s, uint32_t root)
{
	uint32_t component = ++s->components, v;
	size_t n = 0, kept;

	do {
		v = s->stack[--s->n_stack];
		s->marks[v].on_stack = false;
		s->marks[v].component = component;
		s->list[n++] = v;
	} while (v != root);
	kept = settle(s, s->list, n, component);
	if (kept == n) {
		qsort(s->list, n, sizeof *s->list, compare_nodes);
		s->each(s->arg, s->list, n);
	} else if (kept) {
		push_region(s, s->list, kept);
	}
}

static void enter(struct search *s, uint32_t v)
{
	struct mark *m = &s->marks[v];

	m->order = m->low = ++s->counter;
	m->next_edge = 0;
	m->on_stack = true;
	s->stack[s->n_stack++] = v;
	s->path[s->n_path++] = v;
}

/* Tarjan's algorithm from one node, without recursion: a chain of waits may be very long. */
static void visit(struct search *s, uint32_t start, uint32_t region)
{
	enter(s, start);
	while (s->n_path) {
		uint32_t v = s->path[s->n_path - 1];
		const struct fixpoint_node *node = &s->g->nodes[v];
		struct mark *m = &s->marks[v];

		if (m->next_edge < node->n_down) {
			uint32_t w = s->g->down[node->first_down + m->next_edge++];
			const struct mark *mw = &s->marks[w];

			if (mw->region != region)
				continue;
			if (!mw->order)
				enter(s, w);
			else if (mw->on_stack && mw->order < m->low)
				m->low = mw->order;
			continue;
		}
		s->n_path--;
		if (s->n_path) {
			struct mark *parent = &s->marks[s->path[s->n_path - 1]];

			if (m->low < parent->low)
				parent->low = m->low;
		}
		if (m->low == m->order)
			finish_component(s, v);
	}
}

void fixpoint_minimal_sets(const struct fixpoint *g, fixpoint_each_minimal *each, void *arg)
{
	size_t n = g->n_nodes + 1;
	_cleanup_free_ struct mark *marks = xcalloc(n, sizeof *marks);
	_cleanup_free_ uint32_t *stack = xcalloc(n, sizeof *stack);
	_cleanup_free_ uint32_t *path = xcalloc(n, sizeof *path);
	_cleanup_free_ uint32_t *list = xcalloc(n, sizeof *list);
	_cleanup_free_ uint32_t *work = xcalloc(n, sizeof *work);
	struct search s = {.g = g,
		.marks = marks,
		.stack = stack,
		.path = path,
		.list = list,
		.work = work,
		.each = each,
		.arg = arg};
	uint32_t region = 0;
	size_t n_dead = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		if (!g->nodes[i].live)
			list[n_dead++] = (uint32_t)i;
	push_region(&s, list, n_dead);
	while (s.n_regions) {
		_cleanup_free_ uint32_t *nodes = s.regions[--s.n_regions];

		region++;
		for (size_t i = 0; nodes[i] != UINT32_MAX; i++)
			marks[nodes[i]] = (struct mark){.region = region};
		for (size_t i = 0; nodes[i] != UINT32_MAX; i++)
			if (!marks[nodes[i]].order)
				visit(&s, nodes[i], region);
	}
	free(s.regions);
}
