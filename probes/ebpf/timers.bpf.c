/* timers.bpf.c - interval timers that are armed, which /proc does not show. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/probe.h"

#define HRTIMER_QUEUED 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct timerqueue_node___look {
	s64 expires;
};
struct hrtimer___look {
	struct timerqueue_node___look node;
	u8 state;
};
struct signal_struct___look {
	struct hrtimer___look real_timer;
	s64 it_real_incr;
};
#pragma clang attribute pop

/* Asked for by tracer/snapshot/timers.c: one for each process whose timer is armed. */
SEC("iter/task")
int look_timers(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct signal_struct___look *signal;
	struct {
		u64 pid, expires, interval;
	} found;

	if (!task || task->pid != task->tgid)
		return 0;
	signal = (void *)task->signal;
	if (!signal || !(BPF_CORE_READ(signal, real_timer.state) & HRTIMER_QUEUED))
		return 0;
	found.pid = task->tgid;
	found.expires = BPF_CORE_READ(signal, real_timer.node.expires);
	found.interval = BPF_CORE_READ(signal, it_real_incr);
	bpf_seq_write((void *)ctx->meta->seq, &found, sizeof found);
	return 0;
}
