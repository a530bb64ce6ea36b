/* fixpoint.h - the wait-for fixpoint: a node is live while one, or all, of those it rests on are. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_FIXPOINT_H
#define VERDICT_GRAPH_FIXPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A node is live if it is a source; or, of mode ANY, if one of the nodes it
 * rests on is live; or, of mode ALL, if all of them are (and there is one). All
 * that cannot be shown to be live from the sources is dead: nodes that only
 * hold each other up are dead. Everything is linear in nodes and edges.
 */
enum fixpoint_mode { FIXPOINT_ANY, FIXPOINT_ALL };

struct fixpoint {
	struct fixpoint_node *nodes;
	size_t n_nodes, cap_nodes;
	struct fixpoint_edge *edges;
	size_t n_edges, cap_edges;
	uint32_t *down, *up; /* the other ends of edges, node after node; made by fixpoint_solve */
};

struct fixpoint_edge {
	uint32_t from, to;
};

struct fixpoint_node {
	uint32_t first_down, n_down; /* what it rests on */
	uint32_t first_up, n_up;     /* what rests on it */
	enum fixpoint_mode mode;
	bool source, live;
};

/* Frees what the graph holds; a zeroed struct is an empty graph. */
void fixpoint_done(struct fixpoint *g);

/* Adds a node and returns its number; numbers count from 0. */
uint32_t fixpoint_add(struct fixpoint *g, enum fixpoint_mode mode);

/* Says that from rests on to. */
void fixpoint_edge(struct fixpoint *g, uint32_t from, uint32_t to);

/* Sets live in every node; afterwards neither nodes nor edges may be added. With more sources it may be solved again. */
void fixpoint_solve(struct fixpoint *g);

/*
 * Minimal sets of dead nodes that stay dead even if everything outside
 * the set is thought to be live. Calls each with the nodes of one, lowest
 * number first; the array is valid during the call.
 */
typedef void fixpoint_each_minimal(void *arg, const uint32_t *nodes, size_t n);
void fixpoint_minimal_sets(const struct fixpoint *g, fixpoint_each_minimal *each, void *arg);

#endif
