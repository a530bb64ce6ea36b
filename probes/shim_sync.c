/* shim_sync.c - records of calls that wait. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim_sync.h"

void sync_begin(struct sync_call *c)
{
	struct rec_SYNC_BEGIN r;

	memset(&r, 0, sizeof r);
	r.op = c->op;
	r.addr = c->addr;
	r.mutex = c->mutex;
	r.target = c->target;
	r.timed = c->timed;
	r.value = c->value;
	r.site = c->site;
	r.head.ts = c->start = shim_now_early();
	RECORD(SYNC_BEGIN, &r);
}

void sync_end(struct sync_call *c, int result, uint64_t value)
{
	struct rec_SYNC_END r;

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
