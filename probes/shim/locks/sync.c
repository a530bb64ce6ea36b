/* sync.c - records of calls that wait. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/sync.h"

#include "probes/shim/locks/lock.h"

static unsigned reason_of(unsigned op)
{
	switch (op) {
#define SYNC(NAME, number, name, object, reason)                                                   \
	case number:                                                                               \
		return WAIT_##reason;
#include "schema/locks.def"
	default:
		return WAIT_NONE;
	}
}

void sync_begin(struct sync_call *c)
{
	struct rec_SYNC_BEGIN r;

	c->site = site_outside(c->site);
	memset(&r, 0, sizeof r);
	r.op = c->op;
	r.addr = c->addr;
	r.mutex = c->mutex;
	r.target = c->target;
	r.timed = c->timed;
	r.value = c->value;
	r.site = c->site;
	if (c->mutex)
		object_want(c->mutex); /* when the wait is over */
	r.head.ts = c->start = shim_now_early();
	RECORD(SYNC_BEGIN, &r);
	if (shim_everything() && reason_of(c->op) && !c->passes) {
		c->waits = true;
		lock_wait_begin((void *)(uintptr_t)c->addr, reason_of(c->op), c->timed, c->site);
	}
}

void sync_end(struct sync_call *c, int result, uint64_t value)
{
	struct rec_SYNC_END r;

	if (c->waits) {
		c->waits = false;
		lock_wait_end();
	}
	memset(&r, 0, sizeof r);
	r.op = c->op;
	r.addr = c->addr;
	r.mutex = c->mutex;
	r.target = c->target;
	r.start = c->start;
	r.result = (uint64_t)(int64_t)result;
	r.value = value;
	r.site = c->site;
	RECORD(SYNC_END, &r);
}

void sync_cancelled(void *call)
{
	sync_end(call, ECANCELED, 0);
}
