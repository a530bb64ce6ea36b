/* ends.h - who holds which end of a pipe: records for descriptors, and the walk over a table of them. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_ENDS_H
#define PROBES_EBPF_ENDS_H

#include "probes/ebpf/file.h"
#include "probes/ebpf/fold.h"

/* Says that a process holds an end. path: address of its name in the target, 0 none. */
GLOBAL int ends_open(u64 pid_tid, const struct object *o, u64 fd_via, u64 path);

#define PID_TID(slot) ((u64)(slot)->pid << 32 | (slot)->tid)
#define FD_VIA(fd, via, cloexec) ((u32)(fd) | (u64)(via) << 32 | (u64) !!(cloexec) << 63)

/* Says that a process gave up a descriptor of an end. */
static __always_inline void ends_close(struct slot *slot, u64 inode, u32 fd, u32 via)
{
	struct rec_END_CLOSE *rec;

	fold_close(slot, inode);
	rec = EMIT_BEGIN(END_CLOSE, slot);
	if (!rec)
		return;
	rec->inode = inode;
	rec->fd = fd;
	rec->via = via;
	EMIT_END(rec);
}

static __always_inline bool fd_is_cloexec(struct task_struct *task, u32 fd)
{
	unsigned long *bits = BPF_CORE_READ(task, files, fdt, close_on_exec), word = 0;

	bpf_probe_read_kernel(&word, sizeof word, bits + fd / 64);
	return word >> (fd & 63) & 1;
}

/*
 * Reports all ends among the descriptors first to last of a table, whose holder
 * is pid, tid: END_CLOSE if via is END_CLOSE_CALL, END_OPEN otherwise.
 */
struct ends_range {
	u32 pid;
	u32 tid;
	u32 first;
	u32 last;
	u32 via;
	u32 pad;
};
GLOBAL int ends_walk(u64 fdt_address, const struct ends_range *range);

/* The same for all descriptors of a task. */
static __always_inline void ends_walk_all(struct task_struct *task, u32 pid, u32 tid, u32 via)
{
	struct ends_range range = {.pid = pid, .tid = tid, .last = ~0u, .via = via};

	ends_walk((u64)BPF_CORE_READ(task, files, fdt), &range);
}

/* Reports a new descriptor if it is an end. */
static __always_inline void ends_new(
	struct task_struct *task, struct slot *slot, u32 fd, u32 via, u64 path)
{
	struct object obj;

	/* Without a mode it was opened for its path only (O_PATH). */
	if (file_pipe_of_fd(task, fd, &obj) && obj.mode)
		ends_open(PID_TID(slot), &obj, FD_VIA(fd, via, fd_is_cloexec(task, fd)),
			obj.kind == FILE_FIFO ? path : 0);
}

/* Reports what the socket behind a descriptor is called. */
GLOBAL int socket_emit(u64 file_address, u64 pid_tid);

/*
 * Reports the socket of a descriptor that has just been connected, accepted or made to listen. Where there may
 * be other descriptors of it, made before it was followed, who holds it is not known: it is one that was found.
 */
static __always_inline void ends_socket(
	struct task_struct *task, struct slot *slot, u32 fd, u32 via)
{
	struct object obj;

	if (!file_pipe_of_fd(task, fd, &obj) || obj.kind < FILE_UNIX)
		return;
	ends_open(PID_TID(slot), &obj,
		FD_VIA(fd, obj.sole ? via : END_FOUND, fd_is_cloexec(task, fd)), 0);
	socket_emit(obj.file, PID_TID(slot));
}

/* Two new descriptors that the call wrote into the target's memory. */
static __always_inline void ends_pair(struct task_struct *task, struct slot *slot, u64 addr)
{
	u32 fds[2] = {};

	if (bpf_probe_read_user(fds, sizeof fds, (void *)addr)) {
		lost_count(REC_END_OPEN);
		return;
	}
	ends_new(task, slot, fds[0], END_CREATE, 0);
	ends_new(task, slot, fds[1], END_CREATE, 0);
}

#endif
