/* syscall32.bpf.c - system calls of 32-bit programs on a 64-bit kernel. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * They have numbers and registers of their own. Those that make, copy and close
 * descriptors, read, write and wait for children are followed here; waits are
 * recorded under the native number where the call is the same one. What their
 * structures hold (messages, vectors, times) is not read.
 */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/ends.h"
#include "probes/ebpf/io.h"

#define EINTR 4
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030

/* Filled in by the tracer. */
const volatile struct compat_info compat_calls[CALLS_MAX] = {};

HANDLER_ENTER(enter_compat)
{
	u32 nr = id;

	slot->flags |= SLOT_COMPAT;
	slot->call = CALL_NONE;
	slot->nr = -1;
	slot->found = 0;
	if (nr >= CALLS_MAX)
		return 0;
	slot->nr = (int)compat_calls[nr].nr - 1;
	slot->call = compat_calls[nr].call;
	slot->enter_ts = bpf_ktime_get_ns();
	if (slot->call == CALL_CLOSE)
		slot->found = file_pipe_of_fd(task, COMPAT_ARG0(regs), &slot->obj);
	else if (slot->call == CALL_DUP2 && COMPAT_ARG0(regs) != COMPAT_ARG1(regs))
		slot->found = file_pipe_of_fd(task, COMPAT_ARG1(regs), &slot->obj);
	return 0;
}

static __always_inline void compat_reap(
	struct task_struct *task, struct slot *slot, struct pt_regs *regs, u32 child)
{
	struct rec_REAP *rec;
	u32 status = 0, *known;

	if (!child)
		return;
	child = number_ours(task, child);
	if (COMPAT_ARG1(regs)) {
		bpf_probe_read_user(&status, sizeof status, (void *)(u64)COMPAT_ARG1(regs));
	} else {
		known = bpf_map_lookup_elem(&ended, &child);
		if (!known)
			return;
		status = *known;
	}
	rec = EMIT_BEGIN(REAP, slot);
	if (!rec)
		return;
	rec->head.flags |= REC_COMPAT;
	rec->child_pid = child;
	rec->status = status;
	rec->options = COMPAT_ARG2(regs);
	EMIT_END(rec);
}

static __always_inline void compat_io(
	struct task_struct *task, struct slot *slot, struct pt_regs *regs, s64 ret)
{
	struct io io = {.result = ret};

	if (io_is_broken_off(ret))
		return;
	io.fd = COMPAT_ARG0(regs);
	io.op = slot->call == CALL_READ ? IO_READ : IO_WRITE;
	io.requested = COMPAT_ARG2(regs);
	io_emit((u64)file_of_fd(task, io.fd), slot, &io);
}

/* The result is that of the 32-bit call, as a negative number or not. */
HANDLER_ENDS(exit_compat)
{
	s32 result = ret;
	u32 via = 0;

	if (result == -EINTR || io_is_broken_off(result))
		slot->last_nr = slot->nr;
	slot->nr = -1;
	slot->flags &= ~SLOT_COMPAT;
	switch (slot->call) {
	case CALL_READ:
	case CALL_WRITE:
		compat_io(task, slot, regs, result);
		return 0;
	case CALL_WAIT4:
		if (result > 0)
			compat_reap(task, slot, regs, result);
		return 0;
	case CALL_PIPE:
		if (result == 0)
			ends_pair(task, slot, COMPAT_ARG0(regs));
		return 0;
	case CALL_SOCKETPAIR:
		if (result == 0)
			ends_pair(task, slot, COMPAT_ARG3(regs));
		return 0;
	case CALL_CLOSE:
		if (slot->found && (result == 0 || result == -EINTR))
			ends_close(slot, slot->obj.inode, COMPAT_ARG0(regs), END_CLOSE_CALL);
		return 0;
	case CALL_OPEN:
	case CALL_OPENAT:
		via = END_OPENED;
		break;
	case CALL_DUP2:
		if (slot->found && result >= 0)
			ends_close(slot, slot->obj.inode, COMPAT_ARG1(regs), END_REPLACED);
		if (COMPAT_ARG0(regs) == COMPAT_ARG1(regs))
			return 0;
		via = END_DUP;
		break;
	case CALL_DUP:
		via = END_DUP;
		break;
	case CALL_FCNTL:
		if (COMPAT_ARG1(regs) == F_DUPFD || COMPAT_ARG1(regs) == F_DUPFD_CLOEXEC)
			via = END_DUP;
		break;
	}
	if (via && result >= 0)
		ends_new(task, slot, result, via, 0);
	return 0;
}
