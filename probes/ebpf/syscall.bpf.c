/* syscall.bpf.c - every system call of the machine passes here; those of traced threads go on to their handlers. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/fold.h"
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
		slot_handler(slot, HANDLE_enter_compat);
		bpf_tail_call(ctx, &enter_handlers, HANDLE_enter_compat);
		return 0;
	}
	slot->flags &= ~(SLOT_COMPAT | SLOT_SLEPT);
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
	slot_handler(slot, enter);
	if (enter)
		bpf_tail_call(ctx, &enter_handlers, enter);
	return 0;
}

#ifdef EDITION_CASTS

/*
 * Reads and writes of pipes and connected sockets, the most frequent calls that are of interest, on
 * kernels that let a program read through any pointer without a helper (6.2).
 */

/* Which operation a call is; 0: one that takes the longer way. */
static __always_inline u32 io_op(u32 call)
{
	switch (call) {
	case CALL_READ:
		return IO_READ;
	case CALL_WRITE:
		return IO_WRITE;
	case CALL_READV:
		return IO_READV;
	case CALL_WRITEV:
		return IO_WRITEV;
	case CALL_SEND:
		return IO_SEND;
	case CALL_RECV:
		return IO_RECV;
	}
	return 0;
}

/* Says whether a socket surely is of a connection as file_object has it: of the others that must be found out. */
static __always_inline bool socket_is_connected(struct file *file)
{
	void *socket = TYPED(struct file, file, file)->private_data;
	struct sock *sk = TYPED(struct sock, sock, ADDRESS_IN(socket, struct socket, sk));
	u32 family, state;
	family = sk->__sk_common.skc_family;
	state = sk->__sk_common.skc_state;
	if (family == AF_UNIX)
		return state == TCP_ESTABLISHED &&
		       (sk->sk_type == SOCK_STREAM || sk->sk_type == SOCK_SEQPACKET);
	return (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP &&
	       state != TCP_LISTEN && sk->__sk_common.skc_dport;
}

/* One or two buffers, the first of which holds all the bytes that are wanted; returns false where it does not. */
static __always_inline bool io_buffers(struct io *io, u64 iov, u64 n, u64 len)
{
	struct iovec v[2] = {};

	if (n < 1 || n > 2 || bpf_probe_read_user(v, n == 1 ? sizeof v[0] : sizeof v, (void *)iov))
		return false;
	io->base = v[0].base;
	io->requested = v[0].len + v[1].len;
	return v[0].len >= len;
}

/* Returns false where the longer way must be taken. */
static __always_inline bool io_fast(
	struct pt_regs *regs, long ret, struct task_struct *task, struct slot *slot)
{
	struct io io = {.result = ret, .op = io_op(slot->call)};
	struct rec_PIPE_IO *rec;
	struct inode *inode;
	struct file *file;
	u64 len;
	u32 fd, type;

	if (!io.op || config.data_bytes > IO_DATA_FIRST || io_is_broken_off(ret))
		return false;
	fd = REG_ARG0(regs);
	file = file_of_fd(task, fd);
	if (!file)
		return true;
	inode = TYPED(struct file, file, file)->f_inode;
	type = inode->i_mode & S_IFMT;
	if (type != S_IFIFO && (type != S_IFSOCK || !socket_is_connected(file)))
		return type != S_IFSOCK;
	io.fd = fd;
	io.base = REG_ARG1(regs);
	io.requested = REG_ARG2(regs);
	io.inode = inode->i_ino;
	io.dev = dev_encode(inode->i_sb->s_dev);
	len = ret > 0 && !(slot->flags & SLOT_NODATA) ? ret : 0;
	if (len > config.data_bytes)
		len = config.data_bytes;
	if ((io.op == IO_READV || io.op == IO_WRITEV) &&
		!io_buffers(&io, io.base, io.requested, len))
		return false;
	if (ret > 0 && fold_calls && !(slot->flags & SLOT_SLEPT) && !fold_is_single(slot) &&
		fold_add(slot, &io))
		return true;
	rec = EMIT_BEGIN(PIPE_IO, slot);
	if (!rec)
		return true;
	io_fill(rec, slot, &io, io.base, len);
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

/* Goes on with a handler, if it is one. */
static __always_inline void go_on(void *ctx, struct slot *slot, u32 next)
{
	slot_handler(slot, next);
	if (next)
		bpf_tail_call(ctx, &exit_handlers, next);
}

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
		slot_handler(slot, HANDLE_exit_compat);
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
	go_on(ctx, slot, exit);
	return 0;
}

#define CASE(handler)                                                                              \
	case HANDLE_##handler:                                                                     \
		next = handler##_part(slot, ret);                                                  \
		break;

/* In place of all handlers of the begin of calls, ... */
SEC("tp_btf/sys_enter")
int BPF_PROG(enter_any, struct pt_regs *regs, long id)
{
#ifdef EDITION_CASTS
	struct slot *slot = slot_get(task_current());

	if (!slot)
		return 0;
	switch (slot->handler) {
#define OF_ENTER(handler)                                                                          \
	case HANDLE_##handler:                                                                     \
		handler##_part(slot, id);                                                          \
		break;
#include "schema/calls.def"
	}
#endif
	return 0;
}

/* ... of the end of those that make, pass or close descriptors ... */
SEC("tp_btf/sys_exit")
int BPF_PROG(ends_any, struct pt_regs *regs, long ret)
{
#ifdef EDITION_CASTS
	struct slot *slot = slot_get(task_current());
	u32 next = 0;

	if (!slot)
		return 0;
	switch (slot->handler) {
#define OF_ENDS CASE
#include "schema/calls.def"
	}
	go_on(ctx, slot, next);
#endif
	return 0;
}

/* ... and of the others. */
SEC("tp_btf/sys_exit")
int BPF_PROG(exit_any, struct pt_regs *regs, long ret)
{
#ifdef EDITION_CASTS
	struct slot *slot = slot_get(task_current());
	u32 next = 0;

	if (!slot)
		return 0;
	switch (slot->handler) {
#define OF_EXIT CASE
#include "schema/calls.def"
	}
	go_on(ctx, slot, next);
#endif
	return 0;
}
