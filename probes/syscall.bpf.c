/* syscall.bpf.c - every system call of the machine passes here; those of traced threads go on to their handlers. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/calls.h"

#define EINTR 4

/* Filled in by the tracer: numbers of this machine, and of its 32-bit calls. */
const volatile struct call_info calls[CALLS_MAX] = {};
const volatile unsigned short compat_nr[CALLS_MAX] = {};

/* TP_PROTO(struct pt_regs *regs, long id) */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot = slot_find(task);
	u32 nr = id, enter;

	if (!slot)
		return 0;
	slot->last_nr = -1;
	if (TASK_IS_COMPAT(task)) {
		slot->flags |= SLOT_COMPAT;
		slot->call = CALL_NONE;
		slot->nr = nr < CALLS_MAX ? (int)compat_nr[nr] - 1 : -1;
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
	if (calls[nr].flags & CALL_TAKES_TIME)
		slot->enter_ts = bpf_ktime_get_ns();
	enter = calls[nr].enter;
	if (enter)
		bpf_tail_call(ctx, &enter_handlers, enter);
	return 0;
}

/* TP_PROTO(struct pt_regs *regs, long ret) */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot = slot_find(task);
	u32 nr, exit;

	if (!slot || slot->nr < 0)
		return 0;
	nr = slot->nr;
	slot->nr = -1;
	if (ret < 0) {
		if (ret == -EINTR || (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK))
			slot->last_nr = nr;
		if (ret == -ERESTART_RESTARTBLOCK)
			slot->restart_nr = nr;
	}
	if ((slot->flags & SLOT_COMPAT) || nr >= CALLS_MAX)
		return 0;
	exit = calls[nr].exit;
	if (exit)
		bpf_tail_call(ctx, &exit_handlers, exit);
	return 0;
}
