/* modules.c - what the program consists of. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/modules.h"

#include <string.h>

#include "probes/shim/maps.h"
#include "probes/shim/ring.h"

static bool visit_module(void *arg, const struct mapping *m)
{
	struct rec_MODULE r;
	size_t len = strlen(m->path);

	(void)arg;
	if (!m->exec || !m->inode)
		return true;
	memset(&r, 0, sizeof r);
	r.start = m->start;
	r.len = m->end - m->start;
	r.offset = m->offset;
	r.dev = m->dev;
	r.inode = m->inode;
	if (len >= sizeof r.path)
		r.head.flags = REC_CUT;
	memcpy(r.path, m->path, len < sizeof r.path ? len : sizeof r.path - 1);
	ring_write(&r.head, REC_MODULE, sizeof r);
	return true;
}

void modules_record(void)
{
	maps_walk(visit_module, NULL);
}
