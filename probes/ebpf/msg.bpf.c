/* msg.bpf.c - messages through socketpairs, and the descriptors that come with them. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/ends.h"
#include "probes/ebpf/io.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MSGS_MAX 1024
#define SCM_STEPS 300

/* struct msghdr and struct mmsghdr of the target (64 bits). */
struct user_msghdr {
	u64 name;
	u64 namelen;
	u64 iov;
	u64 iovlen;
	u64 control;
	u64 controllen;
	u64 flags;
};

struct user_mmsghdr {
	struct user_msghdr hdr;
	u32 len;
	u32 pad;
};

struct user_cmsghdr {
	u64 len;
	s32 level;
	s32 type;
};

/* A walk over control messages and the descriptors in them. */
struct scm_walk {
	u64 at;
	u64 end;
	u32 fds;  /* left in the message in hand */
	u32 skip; /* bytes from the end of its descriptors to the next message */
	u32 via;  /* END_SCM or END_SENT */
};

static __noinline long scm_step(u32 index, void *arg)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_get(task);
	struct scm_walk *w = arg;
	struct user_cmsghdr c = {};
	struct object obj;
	u32 fd = 0;

	if (!slot)
		return 1;
	if (w->fds) {
		if (bpf_probe_read_user(&fd, sizeof fd, (void *)w->at))
			return 1;
		w->at += 4;
		if (--w->fds == 0)
			w->at += w->skip;
		if (file_pipe_of_fd(task, fd, &obj))
			ends_open(PID_TID(slot), &obj, FD_VIA(fd, w->via, fd_is_cloexec(task, fd)),
				0);
		return 0;
	}
	if (w->at + sizeof c > w->end || bpf_probe_read_user(&c, sizeof c, (void *)w->at) ||
		c.len < sizeof c)
		return 1;
	if (c.level == SOL_SOCKET && c.type == SCM_RIGHTS && c.len > sizeof c) {
		w->fds = (u32)(c.len - sizeof c) / 4;
		w->skip = -(u32)c.len & 7;
		w->at += sizeof c;
	} else {
		w->at += (c.len + 7) & ~7ull;
	}
	return 0;
}

WALK_STEP(scm_step, SCRATCH_SCM)

/* Reports the ends among the descriptors that came with a message (END_SCM), or were sent with it (END_SENT). */
GLOBAL int scm_emit(u64 control, u64 length, u32 via)
{
	WALK_STATE(struct scm_walk, w, SCRATCH_SCM);

	if (!w || !control || length < sizeof(struct user_cmsghdr))
		return 0;
	w->at = control;
	w->end = control + length;
	w->fds = zero;
	w->skip = zero;
	w->via = via;
	WALK(SCM_STEPS, scm_step, w);
	return 0;
}

/* sendmsg, recvmsg; of sendmmsg and recvmmsg every message is an operation of its own */
HANDLER_ENDS(exit_msg)
{
	struct user_msghdr hdr = {};
	struct io io = {};

	if (io_is_broken_off(ret))
		return 0;
	if (bpf_probe_read_user(&hdr, sizeof hdr, (void *)REG_ARG1(regs)))
		return 0;
	if (ret >= 0)
		scm_emit(hdr.control, hdr.controllen,
			slot->call == CALL_RECVMSG ? END_SCM : END_SENT);
	io.fd = REG_ARG0(regs);
	io.op = slot->call == CALL_RECVMSG ? IO_RECV : IO_SEND;
	io.result = ret;
	io.iov = hdr.iov;
	io.iov_n = hdr.iovlen;
	io.requested = iov_sum(io.iov, io.iov_n);
	if (io_emit((u64)file_of_fd(task, io.fd), slot, &io))
		IO_GO_ON(ctx, slot, &io);
	return 0;
}

struct mmsg_walk {
	u64 at;
	u32 n;
	u32 call;
	struct io io;
};

static __noinline long mmsg_step(u32 index, void *arg)
{
	struct slot *slot = slot_get(task_current());
	struct user_mmsghdr msg = {};
	struct mmsg_walk *w = arg;

	if (!slot || index >= w->n || bpf_probe_read_user(&msg, sizeof msg, (void *)w->at))
		return 1;
	w->at += sizeof msg;
	scm_emit(
		msg.hdr.control, msg.hdr.controllen, w->call == CALL_RECVMMSG ? END_SCM : END_SENT);
	w->io.result = msg.len;
	w->io.requested = iov_sum(msg.hdr.iov, msg.hdr.iovlen);
	io_emit((u64)file_of_fd(task_current(), w->io.fd), slot, &w->io);
	return 0;
}

WALK_STEP(mmsg_step, SCRATCH_MMSG)

HANDLER_ENDS(exit_mmsg)
{
	WALK_STATE(struct mmsg_walk, w, SCRATCH_MMSG);

	if (!w || ret < 0)
		return 0;
	__builtin_memset(w, 0, sizeof *w);
	w->at = REG_ARG1(regs);
	w->n = ret;
	w->call = slot->call;
	w->io.fd = REG_ARG0(regs);
	w->io.op = slot->call == CALL_RECVMMSG ? IO_RECV : IO_SEND;
	WALK(MSGS_MAX, mmsg_step, w);
	return 0;
}
