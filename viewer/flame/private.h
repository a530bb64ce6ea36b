/* private.h - the tree behind a flame graph. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_FLAME_PRIVATE_H
#define VIEWER_FLAME_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

/* A frame below the frames that lead to it; children are in the order of their names. */
struct flame_node {
	char *name;
	const char *colour; /* of what is waited for; NULL: a frame */
	int64_t ns, self_ns;
	struct flame_node **children;
	size_t n, cap;
};

struct flame {
	struct flame_node root;
};

#endif
