/* syscall.bpf.c - every system call of the machine passes here; those of traced threads go on to their handlers. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/io.h"

#define EINTR 4

/* Filled in by the tracer: the numbers of this machine. */
const volatile struct call_info calls[CALLS_MAX] = {};

/* TP_PROTO(struct pt_regs *regs, long id) */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_find(task);
	u32 nr = id, enter;

	if (!slot)
		return 0;
	slot->last_nr = -1;
	if (TASK_IS_COMPAT(task)) {
		bpf_tail_call(ctx, &enter_handlers, HANDLE_enter_compat);
		return 0;
	}
	slot->flags &= ~SLOT_COMPAT;
	slot->nr = nr;
	if (nr >= CALLS_MAX) {
		slot->call = CALL_NONE;
		return 0;
	}
	if (calls[nr].call == CALL_RESTART && slot->restart_nr >= 0) {
		nr = slot->restart_nr & (CALLS_MAX - 1);
		slot->nr = nr;
	}
	slot->call = calls[nr].call;
	/* Until the command's first exec it is still the tracer's own code that runs. */
	if ((slot->flags & SLOT_FRESH) && slot->call != CALL_EXECVE) {
		slot->nr = -1;
		return 0;
	}
	if (calls[nr].flags & CALL_TAKES_TIME)
		slot->enter_ts = bpf_ktime_get_ns();
	enter = calls[nr].enter;
	if (enter)
		bpf_tail_call(ctx, &enter_handlers, enter);
	return 0;
}

#ifdef EDITION_CASTS

/*
 * read and write of a pipe, the most frequent calls that are of interest, on
 * kernels that let a program read through any pointer without a helper (6.2).
 * Returns false where the longer way must be taken.
 */
static void *(*const rdonly_cast)(const void *obj, u32 type) = (void *)PROBE_CAST_CALL;
#define CAST(type, p, number) ((type *)rdonly_cast(p, config.casts.number))

static __always_inline bool io_fast(
	struct pt_regs *regs, long ret, struct task_struct *task, struct slot *slot)
{
	struct io io = {.result = ret};
	struct rec_PIPE_IO *rec;
	struct fdtable *fdt;
	struct inode *inode;
	void *file;
	u64 len;
	u32 fd, type;

	if (slot->call == CALL_READ)
		io.op = IO_READ;
	else if (slot->call == CALL_WRITE)
		io.op = IO_WRITE;
	else
		return false;
	if (config.data_bytes > IO_DATA_FIRST || io_is_broken_off(ret))
		return false;
	fd = REG_ARG0(regs);
	fdt = CAST(struct task_struct, task, task)->files->fdt;
	if (fd >= fdt->max_fds)
		return true;
	/* Any type that begins with a pointer: the table itself has no name to cast to. */
	file = CAST(struct rb_root, fdt->fd + fd, pointer)->rb_node;
	if (!file)
		return true;
	inode = CAST(struct file, file, file)->f_inode;
	type = inode->i_mode & S_IFMT;
	if (type != S_IFIFO)
		return type != S_IFSOCK;
	io.fd = fd;
	io.requested = REG_ARG2(regs);
	io.inode = inode->i_ino;
	io.dev = dev_encode(inode->i_sb->s_dev);
	len = ret > 0 && !(slot->flags & SLOT_NODATA) ? ret : 0;
	if (len > config.data_bytes)
		len = config.data_bytes;
	rec = EMIT_BEGIN(PIPE_IO, slot);
	if (!rec)
		return true;
	io_fill(rec, slot, &io, REG_ARG1(regs), len);
	EMIT_END(rec);
	return true;
}

#else

static __always_inline bool io_fast(
	struct pt_regs *regs, long ret, struct task_struct *task, struct slot *slot)
{
	return false;
}

#endif

/* TP_PROTO(struct pt_regs *regs, long ret) */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_find(task);
	u32 nr, exit;

	if (!slot)
		return 0;
	if (slot->flags & SLOT_COMPAT) {
		bpf_tail_call(ctx, &exit_handlers, HANDLE_exit_compat);
		return 0;
	}
	if (slot->nr < 0)
		return 0;
	nr = slot->nr;
	slot->nr = -1;
	if (ret < 0) {
		if (ret == -EINTR || (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK))
			slot->last_nr = nr;
		if (ret == -ERESTART_RESTARTBLOCK)
			slot->restart_nr = nr;
	}
	if (nr >= CALLS_MAX)
		return 0;
	exit = calls[nr].exit;
	if (exit == HANDLE_exit_io && io_fast(regs, ret, task, slot))
		return 0;
	if (exit)
		bpf_tail_call(ctx, &exit_handlers, exit);
	return 0;
}
