/* place.c - what our own layouts ask Graphviz, and tell it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/place.h"

#include <errno.h>

#include "viewer/draw/cgraph.h"

int place_measure(GVC_t *gvc, Agraph_t *root)
{
	cgraph_default(root, AGNODE, "pos", "0,0");
	cgraph_default(root, AGRAPH, "splines", "");
	return gvLayout(gvc, root, "nop2") == 0 ? 0 : -EIO;
}
