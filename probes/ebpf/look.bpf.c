/* look.bpf.c - what snapshots ask of all tasks because /proc does not show it: armed timers, and registers. */
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

/* Asked for by tracer/snapshot/registers.c: those with which each blocked thread came into the kernel; /proc shows two. */
SEC("iter/task")
int look_registers(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct {
		u64 tid, sp, pc, kept[6];
	} found;

	if (!task || !task->mm)
		return 0;
	struct pt_regs *regs = task_regs(task);

	found.tid = task->pid;
	found.sp = BPF_CORE_READ(regs, sp);
	found.pc = BPF_CORE_READ(regs, REG_PC_NAME);
	REGS_KEPT(regs, found.kept);
	bpf_seq_write((void *)ctx->meta->seq, &found, sizeof found);
	return 0;
}
