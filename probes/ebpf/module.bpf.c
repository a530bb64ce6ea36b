/* module.bpf.c - files mapped executable: what is needed to name addresses. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/file.h"
#include "probes/ebpf/path.h"

#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20
#define VM_EXEC 4

static __always_inline void module_emit(
	struct slot *slot, struct file *file, u64 start, u64 len, u64 offset)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct rec_MODULE *rec;
	WALK_STATE(struct path_walk, walk, SCRATCH_PATH);

	if (!walk)
		return;
	path_find(file, walk);
	rec = EMIT_BEGIN(MODULE, slot);
	if (!rec)
		return;
	rec->start = start;
	rec->len = len;
	rec->offset = offset;
	rec->dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	rec->inode = BPF_CORE_READ(inode, i_ino);
	if (path_copy(rec->path, walk))
		rec->head.flags |= REC_CUT;
	EMIT_END(rec);
}

/* mmap */
HANDLER_EXIT(exit_mmap)
{
	struct file *file;

	if (!(REG_ARG2(regs) & PROT_EXEC) || (REG_ARG3(regs) & MAP_ANONYMOUS) ||
		(ret < 0 && ret > -4096))
		return 0;
	file = file_of_fd(task, REG_ARG4(regs));
	if (!file)
		return 0;
	module_emit(slot, file, ret, REG_ARG1(regs), REG_ARG5(regs));
	return 0;
}

static long vma_module(struct task_struct *task, struct vm_area_struct *vma, void *arg)
{
	struct slot *slot = slot_get(task_current());
	struct file *file = BPF_CORE_READ(vma, vm_file);
	u64 start = BPF_CORE_READ(vma, vm_start), end = BPF_CORE_READ(vma, vm_end);

	if (!slot || !file || !(BPF_CORE_READ(vma, vm_flags) & VM_EXEC))
		return 0;
	if (*(u64 *)arg) {
		slot->loader_start = start;
		slot->loader_end = end;
	}
	module_emit(slot, file, start, end - start, BPF_CORE_READ(vma, vm_pgoff) << 12);
	return 0;
}

/*
 * The kernel itself maps a program and its loader. The program's code is at start_code; the loader is
 * where the new program begins to run.
 */
static __always_inline void exec_modules_find(struct task_struct *task, struct slot *slot)
{
	struct pt_regs *regs;
	u64 code, ip, is_loader = 0;

	code = BPF_CORE_READ(task, mm, start_code);
	slot->loader_start = slot->loader_end = 0;
	VMA_FIND(task, code, vma_module, &is_loader);
	regs = task_regs(task);
	ip = REG_IP(regs);
	if (ip < code || ip >= BPF_CORE_READ(task, mm, end_code)) {
		is_loader = 1;
		VMA_FIND(task, ip, vma_module, &is_loader);
	}
}

#ifdef EDITION_CASTS
int exec_modules(struct slot *slot)
{
	if (slot)
		exec_modules_find(task_current(), slot);
	return 0;
}
#endif

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm): after on_exec, which does it itself in the newest edition. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec_modules, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
#ifndef EDITION_CASTS
	struct slot *slot = slot_get(task);

	if (slot)
		exec_modules_find(task, slot);
#endif
	return 0;
}
