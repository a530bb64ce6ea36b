/* registers.bpf.c - the registers with which blocked threads came into the kernel, of which /proc shows two. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/probe.h"

/* Asked for by tracer/snapshot/registers.c: one for each thread of a program. */
SEC("iter/task")
int look_registers(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct {
		u64 tid, sp, pc, kept[6]; /* rbx, rbp, r12 to r15 */
	} found;

	if (!task || !task->mm)
		return 0;
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = task_regs(task);

	found.tid = task->pid;
	found.sp = BPF_CORE_READ(regs, sp);
	found.pc = BPF_CORE_READ(regs, ip);
	found.kept[0] = BPF_CORE_READ(regs, bx);
	found.kept[1] = BPF_CORE_READ(regs, bp);
	found.kept[2] = BPF_CORE_READ(regs, r12);
	found.kept[3] = BPF_CORE_READ(regs, r13);
	found.kept[4] = BPF_CORE_READ(regs, r14);
	found.kept[5] = BPF_CORE_READ(regs, r15);
	bpf_seq_write((void *)ctx->meta->seq, &found, sizeof found);
#endif
	return 0;
}
