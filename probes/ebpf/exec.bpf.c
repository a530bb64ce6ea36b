/* exec.bpf.c - programs that could not be executed, and children that were waited for. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"

#define ARGS 128

struct args_walk {
	u64 argv;
	u32 pid;
	u32 tid;
};

/* One argument of a failed exec: cut if it is longer than a record. */
static __noinline long args_step(u32 index, void *arg)
{
	struct args_walk *walk = arg;
	struct rec_MORE *rec;
	u64 at = 0;
	long n;

	if (bpf_probe_read_user(&at, sizeof at, (void *)(walk->argv + index * 8ull)) || !at)
		return 1;
	rec = emit_begin(REC_MORE, sizeof *rec, walk->pid, walk->tid);
	if (!rec)
		return 1;
	rec->what = MORE_ARGV;
	rec->flags = 0;
	__builtin_memset(rec->data, 0, sizeof rec->data);
	n = bpf_probe_read_user_str(rec->data, sizeof rec->data, (void *)at);
	if (n < 0)
		rec->head.flags |= REC_UNREAD;
	else if (n == sizeof rec->data)
		rec->flags = MORE_CUT;
	rec->len = n < 0 ? 1 : n;
	emit_end(rec);
	return 0;
}

WALK_STEP(args_step, SCRATCH_ARGS)

HANDLER_EXIT(exit_exec)
{
	struct rec_EXEC_FAIL *rec;
	WALK_STATE(struct args_walk, walk, SCRATCH_ARGS);
	u64 path;
	long n;

	if (!walk || ret >= 0)
		return 0;
	walk->pid = slot->pid;
	walk->tid = slot->tid;
	if (slot->call == CALL_EXECVE) {
		path = REG_ARG0(regs);
		walk->argv = REG_ARG1(regs);
	} else {
		path = REG_ARG1(regs);
		walk->argv = REG_ARG2(regs);
	}
	WALK(ARGS, args_step, walk);
	rec = EMIT_BEGIN(EXEC_FAIL, slot);
	if (!rec)
		return 0;
	rec->error = -ret;
	__builtin_memset(rec->path, 0, sizeof rec->path);
	n = bpf_probe_read_user_str(rec->path, sizeof rec->path, (void *)path);
	if (n < 0)
		rec->head.flags |= REC_UNREAD;
	else if (n == sizeof rec->path)
		rec->head.flags |= REC_CUT;
	EMIT_END(rec);
	return 0;
}

/* The beginning of siginfo_t as waitid fills it in. */
struct user_siginfo {
	s32 signo;
	s32 error;
	s32 code;
	s32 pad;
	s32 pid;
	u32 uid;
	s32 status;
};

/* CLD_EXITED 1, KILLED 2, DUMPED 3, TRAPPED 4, STOPPED 5, CONTINUED 6: as wait(2) would say it. */
static __always_inline u32 waitid_status(const struct user_siginfo *info)
{
	switch (info->code) {
	case 1:
		return (info->status & 0xff) << 8;
	case 2:
		return info->status & 0x7f;
	case 3:
		return (info->status & 0x7f) | 0x80;
	case 6:
		return 0xffff;
	default:
		return (info->status & 0xff) << 8 | 0x7f;
	}
}

/* wait4, waitid */
HANDLER_EXIT(exit_waitpid)
{
	struct user_siginfo info = {};
	struct rec_REAP *rec;
	u32 child, status = 0, *known;
	u64 options;

	if (ret < 0)
		return 0;
	if (slot->call == CALL_WAIT4) {
		child = ret;
		options = REG_ARG2(regs);
		bpf_probe_read_user(&status, sizeof status, (void *)REG_ARG1(regs));
	} else {
		if (bpf_probe_read_user(&info, sizeof info, (void *)REG_ARG2(regs)))
			return 0;
		child = info.pid;
		options = REG_ARG3(regs);
		status = waitid_status(&info);
	}
	if (!child)
		return 0;
	child = number_ours(task, child);
	if (slot->call == CALL_WAIT4 && !REG_ARG1(regs)) {
		known = bpf_map_lookup_elem(&ended, &child);
		/* It was only stopped: a tracer is told of that whatever it asks for. */
		if (!known)
			return 0;
		status = *known;
	}
	rec = EMIT_BEGIN(REAP, slot);
	if (!rec)
		return 0;
	rec->child_pid = child;
	rec->status = status;
	rec->options = options;
	EMIT_END(rec);
	return 0;
}
