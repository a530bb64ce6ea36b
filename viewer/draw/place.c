/* place.c - what our own layouts ask Graphviz, and tell it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/place.h"

#include <errno.h>
#include <stdint.h>

/* cgraph's functions take char * where they only read. */
static char *plain(const char *s)
{
	return (char *)(uintptr_t)s;
}

int place_measure(GVC_t *gvc, Agraph_t *root)
{
	(void)agattr(root, AGNODE, plain("pos"), plain("0,0"));
	(void)agattr(root, AGRAPH, plain("splines"), plain(""));
	return gvLayout(gvc, root, "nop2") == 0 ? 0 : -EIO;
}

void place_set(void *item, const char *key, const char *value)
{
	(void)agsafeset(item, plain(key), plain(value), plain(""));
}
