/* registers.bpf.c - the registers with which blocked threads came into the kernel, of which /proc shows two. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/probe.h"

/* Asked for by tracer/snapshot/registers.c: one for each thread of a program. */
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
