/* web.h - nodes that are live while one, or all, of those they rest on are. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_WEB_H
#define VERDICT_GRAPH_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A node is live if it is a source; or, of mode ANY, if one of the nodes it
 * rests on is live; or, of mode ALL, if all of them are (and there is one). All
 * that cannot be shown to be live from the sources is dead: nodes that only
 * hold each other up are dead. Everything is linear in nodes and edges.
 */
enum web_mode { WEB_ANY, WEB_ALL };

struct web {
	struct web_node *nodes;
	size_t n_nodes, cap_nodes;
	struct web_edge *edges;
	size_t n_edges, cap_edges;
	uint32_t *down, *up; /* the other ends of edges, node after node; made by web_solve */
};

struct web_edge {
	uint32_t from, to;
};

struct web_node {
	uint32_t first_down, n_down; /* what it rests on */
	uint32_t first_up, n_up;     /* what rests on it */
	enum web_mode mode;
	bool source, live;
};

/* Frees what the graph holds; a zeroed struct is an empty web. */
void web_done(struct web *g);

/* Adds a node and returns its number; numbers count from 0. */
uint32_t web_add(struct web *g, enum web_mode mode);

/* Says that from rests on to. */
void web_edge(struct web *g, uint32_t from, uint32_t to);

/* Sets live in every node; afterwards neither nodes nor edges may be added. */
void web_solve(struct web *g);

/*
 * Minimal sets of dead nodes that stay dead even if everything outside
 * the set is thought to be live. Calls each with the nodes of one, lowest
 * number first; the array is valid during the call.
 */
typedef void web_each_minimal(void *arg, const uint32_t *nodes, size_t n);
void web_minimal_sets(const struct web *g, web_each_minimal *each, void *arg);

#endif
