/* follow.bpf.c - give a running thread its slot on kernels where no descriptor stands for a thread (before 6.9). */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/probe.h"

const volatile struct slot slot_blank = {};

/* Filled in by the tracer before it lets the iterator run, with the thread's numbers. */
struct slot follow_slot;
/* 1: the thread was found and has the slot. */
unsigned int follow_done;

/* Called for every thread of the machine, inside the tracer. */
SEC("iter/task")
int set_slot(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct numbers n = {.task = (u64)task};
	struct slot *slot;

	if (!task)
		return 0;
	numbers_find(&n);
	if (n.tid != follow_slot.tid || n.pid != follow_slot.pid)
		return 0;
	slot = slot_make(task);
	if (!slot)
		return 0;
	if (!(slot->flags & SLOT_INIT))
		*slot = follow_slot;
	follow_done = 1;
	return 0;
}
