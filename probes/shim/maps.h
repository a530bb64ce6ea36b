/* maps.h - what this process has mapped. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_MAPS_H
#define PROBES_SHIM_MAPS_H

#include <stdbool.h>
#include <stdint.h>

/* One line of /proc/self/maps. */
struct mapping {
	uint64_t start, end, offset, dev, inode;
	bool exec, shared;
	const char *path;
};

/* Returns false to end the walk. */
typedef bool mapping_visit(void *arg, const struct mapping *m);

/* Visits each mapping of this process, none where no file may be opened any more. */
void maps_walk(mapping_visit *visit, void *arg);

#endif
