/* cgraph.h - cgraph's functions take char * where they only read: here, and nowhere else, const is cast away. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_CGRAPH_H
#define VIEWER_DRAW_CGRAPH_H

#include <graphviz/cgraph.h>
#include <stdint.h>

static inline char *cgraph_text(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* Sets an attribute of a node, an edge or the graph; a label must never default to \N, the node's name. */
static inline void cgraph_set(void *item, const char *key, const char *value)
{
	(void)agsafeset(item, cgraph_text(key), cgraph_text(value), cgraph_text(""));
}

/* Says what an attribute of all nodes (AGNODE), edges (AGEDGE) or graphs (AGRAPH) is where none is set. */
static inline void cgraph_default(Agraph_t *root, int kind, const char *key, const char *value)
{
	(void)agattr(root, kind, cgraph_text(key), cgraph_text(value));
}

#endif
