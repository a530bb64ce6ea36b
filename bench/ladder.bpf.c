/* ladder.bpf.c - what recording a system call is made of, step by step: the least that a tracer of them can cost. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The two programs do as much as step says, which is set before they are loaded: the verifier removes what lies
 * beyond. What they do every recording of reads and writes must do, in its shortest form.
 */
#include "bench/ladder.h"
#include "probes/ebpf/kernel/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define REG_FIELD(regs, field) ((regs)->field)

#define S_IFMT 0xf000
#define S_IFIFO 0x1000
#define S_IFSOCK 0xc000

const volatile unsigned int step;

/* A thread of the workload: what a tracer must know of it between the begin of a call and its end. */
struct thread {
	s64 nr;
	u64 began;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";

static __always_inline struct thread *thread_find(struct task_struct *task)
{
	return task->bpf_storage ? bpf_task_storage_get(&threads, task, NULL, 0) : NULL;
}

/* TP_PROTO(struct task_struct *parent, struct task_struct *child) */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (thread_find(parent))
		bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

/* TP_PROTO(struct pt_regs *regs, long id) */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct thread *t;

	if (step < STEP_SLOT)
		return 0;
	t = thread_find(bpf_get_current_task_btf());
	if (!t)
		return 0;
	t->nr = id;
	if (step >= STEP_TIME)
		t->began = bpf_ktime_get_ns();
	return 0;
}

/* Which pipe or socket a descriptor is; 0: it is another kind of file. */
static __always_inline u64 object_of(u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *fdt = task->files->fdt;
	struct inode *inode;
	struct file *file;
	u32 type;

	if (fd >= fdt->max_fds)
		return 0;
	bpf_probe_read_kernel(&file, sizeof file, fdt->fd + fd);
	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	return type == S_IFIFO || type == S_IFSOCK ? BPF_CORE_READ(inode, i_ino) : 0;
}

/* TP_PROTO(struct pt_regs *regs, long ret) */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	struct ladder_record *record;
	struct thread *t;
	u64 object, now;

	if (step < STEP_SLOT)
		return 0;
	t = thread_find(bpf_get_current_task_btf());
	if (!t)
		return 0;
	now = step >= STEP_TIME ? bpf_ktime_get_ns() : 0;
	if (step < STEP_OBJECT)
		return 0;
	object = object_of(REG_ARG0(regs));
	if (!object || step < STEP_RECORD)
		return 0;
	record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
	if (!record)
		return 0;
	record->ended = now;
	record->began = t->began;
	record->nr = t->nr;
	record->result = ret;
	record->object = object;
	record->fd = REG_ARG0(regs);
	if (step >= STEP_DATA && ret > 0)
		bpf_probe_read_user(record->data,
			ret < LADDER_DATA ? (u32)ret & (LADDER_DATA - 1) : LADDER_DATA,
			(void *)REG_ARG1(regs));
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}
